//! The measurement as pictures.

use super::baselines;
use super::bench::{CellResult, Learned, Row, world};
use super::cells::Cell;
use super::metrics::{Scored, Threshold};
use super::report::GRAMS;
use super::svg::{Axis, Line, Panel, Style, page};
use super::trip::Wanted;
use crate::statistics::Share;
use anyhow::{Context, Result};
use std::path::Path;

const JUDGE: Style = Style { name: "judge", colour: "#d1495b", dash: "", tenths: 22 };
const ORACLE: Style = Style { name: "oracle (best possible)", colour: "#1b1b1b", dash: "5 3", tenths: 16 };
const RULES: [Style; baselines::NAMES.len()] = [
    Style { name: "total above", colour: "#8d99ae", dash: "", tenths: 12 },
    Style { name: "total off", colour: "#5f7d9c", dash: "2 2", tenths: 12 },
    Style { name: "total above or looks", colour: "#2a9d8f", dash: "", tenths: 12 },
    Style { name: "total off or looks", colour: "#2a9d8f", dash: "2 2", tenths: 12 },
    Style { name: "looks against list", colour: "#e9a23b", dash: "", tenths: 12 },
    Style { name: "steps against scans", colour: "#7b5ea7", dash: "", tenths: 12 },
];
/// Fewer forecasts than these say nothing of how often they come true.
const LEAST_TOLD: f64 = 8.0;
const SIZES: [&str; 5] = ["#bcd4e6", "#86b4d5", "#4b8bbe", "#1f5f99", "#0b3558"];

/// Writes all pictures into a folder, which is made if need be.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn write(folder: &Path, results: &[CellResult], learning: &[(u32, Vec<Learned>)], note: &str) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let pages = [
        ("roc.svg", page("What is caught for the honest baskets stopped", note, &grid(results, &roc))),
        (
            "catch_by_grams.svg",
            page("Unscanned goods caught at 1 % false alarms, by their mass", note, &[by_grams(results)]),
        ),
        (
            "reliability.svg",
            page("How often an error is there when the judge says so", note, &grid(results, &reliability)),
        ),
        ("cost.svg", page("What a thousand baskets cost at each threshold", note, &grid(results, &cost))),
        (
            "learning.svg",
            page("What the judge catches of what the oracle does, as weights are learned", note, &[learnt(learning)]),
        ),
    ];
    for (name, svg) in pages {
        let path = folder.join(name);
        std::fs::write(&path, svg).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Cells of one kind in a row, sizes in columns.
fn grid(results: &[CellResult], panel: &dyn Fn(&CellResult) -> Panel) -> Vec<Vec<Panel>> {
    let mut kinds: Vec<Cell> = Vec::new();
    for cell in results.iter().map(|r| Cell { items: 0, ..r.cell }) {
        if !kinds.contains(&cell) {
            kinds.push(cell);
        }
    }
    let row = |kind: &Cell| results.iter().filter(|r| Cell { items: 0, ..r.cell } == *kind).map(panel).collect();
    kinds.iter().map(row).collect()
}

/// "20 items, whole · eyes": what differs from the usual, short enough to stand above a panel.
fn title(cell: &Cell) -> String {
    let mut words = vec![format!("{} items", cell.items)];
    let mut say = |yes: bool, word: &str| {
        if yes {
            words.push(word.to_owned());
        }
    };
    say(cell.arrival == super::cells::Arrival::OneByOne, "one by one");
    say(cell.vision, "eyes");
    say(cell.tare_known, "tare known");
    say(!cell.bag_known, "bag unknown");
    say(!cell.learned, "labels only");
    words.join(", ")
}

fn line(style: Style, points: Vec<(f64, f64)>) -> Line {
    Line { style, points, bars: Vec::new(), dots: false }
}

const ALARMS: [f64; 17] =
    [0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.6, 1.0];

fn rules(result: &CellResult) -> Vec<(Style, Scored)> {
    let mut rules: Vec<(Style, Scored)> = (0..baselines::NAMES.len())
        .filter(|i| result.rows.iter().all(|r| !r.simple[*i].is_nan()))
        .map(|i| (RULES[i], result.scored(|r| r.simple[i])))
        .collect();
    rules.push((ORACLE, result.scored(|r| r.oracle.score)));
    rules.push((JUDGE, result.scored(|r| r.judge.score)));
    rules
}

fn roc(result: &CellResult) -> Panel {
    let curve = |s: &Scored| ALARMS.iter().map(|a| (100.0 * a, 100.0 * s.catch_at(*a))).collect();
    Panel {
        title: title(&result.cell),
        x: Axis::log("honest stopped, %", 0.05, 100.0, &[0.1, 1.0, 10.0, 100.0]),
        y: Axis::linear("cheats caught, %", 0.0, 100.0, &[0.0, 25.0, 50.0, 75.0, 100.0]),
        lines: rules(result).iter().map(|(style, s)| line(*style, curve(s))).collect(),
    }
}

fn by_grams(results: &[CellResult]) -> Vec<Panel> {
    let mut kinds: Vec<Vec<&CellResult>> = Vec::new();
    for result in results {
        let kind = Cell { items: 0, ..result.cell };
        match kinds.iter_mut().find(|k| Cell { items: 0, ..k[0].cell } == kind) {
            Some(same) => same.push(result),
            None => kinds.push(vec![result]),
        }
    }
    kinds.into_iter().map(|same| grams_panel(&same)).collect()
}

fn grams_panel(same: &[&CellResult]) -> Panel {
    let mut lines = Vec::new();
    for (i, result) in same.iter().enumerate() {
        let colour = SIZES[(i + usize::from(same.len() < 5)).min(SIZES.len() - 1)];
        let (judge, oracle) = result.thresholds();
        let name: &'static str = SIZE_NAMES.iter().find(|n| n.0 == result.cell.items).map_or("another size", |n| n.1);
        let style = Style { name, colour, dash: "", tenths: 18 };
        let (points, bars) = classes(result, judge, |r| r.judge.score);
        let dashed = Style { name: "", dash: "4 3", tenths: 11, ..style };
        lines.push(line(dashed, classes(result, oracle, |r| r.oracle.score).0));
        lines.push(Line { style, points, bars, dots: true });
    }
    let kind = title(&Cell { items: 0, ..same[0].cell });
    Panel {
        title: kind.strip_prefix("0 items, ").map_or("whole, weight alone".to_owned(), str::to_owned),
        x: Axis::log("unscanned, g (oracle dashed)", 25.0, 1500.0, &[50.0, 100.0, 200.0, 500.0, 1000.0]),
        y: Axis::linear("caught, %", 0.0, 100.0, &[0.0, 25.0, 50.0, 75.0, 100.0]),
        lines,
    }
}

/// Names that a legend can hold.
const SIZE_NAMES: [(u32, &str); 8] = [
    (1, "1 item"),
    (3, "3 items"),
    (5, "5 items"),
    (10, "10 items"),
    (20, "20 items"),
    (40, "40 items"),
    (60, "60 items"),
    (80, "80 items"),
];

type Classes = (Vec<(f64, f64)>, Vec<(f64, f64, f64)>);

/// Share caught by classes of grams, with Wilson's intervals.
fn classes(result: &CellResult, threshold: Threshold, score: impl Fn(&Row) -> f64) -> Classes {
    let (mut points, mut bars) = (Vec::new(), Vec::new());
    for (i, &from) in GRAMS.iter().enumerate() {
        let to = GRAMS.get(i + 1).copied().unwrap_or(f64::INFINITY);
        let rows: Vec<&Row> = result.of(Wanted::Unscanned).filter(|r| r.error_g >= from && r.error_g < to).collect();
        if rows.len() < 10 {
            continue;
        }
        let middle = if from == 0.0 { 35.0 } else { (from * to.min(2.0 * from)).sqrt() };
        let caught: f64 = rows.iter().map(|r| threshold.stops(score(r))).sum();
        let (low, high) = Share { hits: caught.round() as u64, of: rows.len() as u64 }.interval();
        points.push((middle, 100.0 * caught / rows.len() as f64));
        bars.push((middle, 100.0 * low, 100.0 * high));
    }
    (points, bars)
}

fn reliability(result: &CellResult) -> Panel {
    let told = |style: Style, opinion: fn(&Row) -> super::claims::Opinion| {
        let (mut points, mut bars) = (Vec::new(), Vec::new());
        for bin in result.forecasts(opinion).bins().iter().filter(|bin| bin.size >= LEAST_TOLD) {
            let hits = (bin.came * bin.size).round() as u64;
            let (low, high) = Share { hits, of: bin.size.round() as u64 }.interval();
            points.push((100.0 * bin.told, 100.0 * bin.came));
            bars.push((100.0 * bin.told, 100.0 * low, 100.0 * high));
        }
        Line { style, points, bars, dots: true }
    };
    let even = Style { name: "as told", colour: "#bbbbbb", dash: "", tenths: 10 };
    Panel {
        title: title(&result.cell),
        x: Axis::linear("told probability of an error, %", 0.0, 100.0, &[0.0, 50.0, 100.0]),
        y: Axis::linear("came true, %", 0.0, 100.0, &[0.0, 50.0, 100.0]),
        lines: vec![
            line(even, vec![(0.0, 0.0), (100.0, 100.0)]),
            Line { bars: Vec::new(), ..told(ORACLE, |r| r.oracle) },
            told(JUDGE, |r| r.judge),
        ],
    }
}

/// Cost of a thousand baskets: honest ones stopped at the policy's price, and goods that leave unpaid at theirs.
fn cost(result: &CellResult) -> Panel {
    let shares = world();
    let kinds = [Wanted::Unscanned, Wanted::Swapped, Wanted::Quantity];
    let values: Vec<Vec<f64>> = kinds.iter().map(|w| result.of(*w).map(|r| r.loss).collect()).collect();
    let at = |s: &Scored, alarms: f64| {
        let threshold = Threshold::at(&s.honest, alarms);
        let missed: f64 = s
            .cheats
            .iter()
            .zip(&values)
            .zip(&shares[1..])
            .map(|(((_, scores), values), share)| {
                let lost: f64 = scores.iter().zip(values).map(|(s, v)| v * (1.0 - threshold.stops(*s))).sum();
                share * lost / scores.len().max(1) as f64
            })
            .sum();
        1000.0 * (shares[0] * alarms * super::judge::POLICY.false_alarm_cost + missed)
    };
    let curve = |s: &Scored| ALARMS[..15].iter().map(|a| (100.0 * a, at(s, *a))).collect();
    Panel {
        title: title(&result.cell),
        x: Axis::log("honest stopped, %", 0.05, 30.0, &[0.1, 1.0, 10.0]),
        y: Axis::linear("cost", 0.0, 300.0, &[0.0, 100.0, 200.0, 300.0]),
        lines: rules(result).iter().map(|(style, s)| line(*style, curve(s))).collect(),
    }
}

fn learnt(learning: &[(u32, Vec<Learned>)]) -> Vec<Panel> {
    let panel = |(items, curve): &(u32, Vec<Learned>)| {
        let x = |l: &Learned| f64::from(l.observations.max(1));
        let points = curve.iter().map(|l| (x(l), 100.0 * l.ratio)).collect();
        let bars = curve.iter().map(|l| (x(l), 100.0 * l.interval[0], 100.0 * l.interval[1])).collect();
        Panel {
            title: format!("{items} items, whole, weight alone"),
            x: Axis::log(
                "observations of each product (1: labels alone)",
                1.0,
                500.0,
                &[1.0, 5.0, 20.0, 50.0, 200.0, 500.0],
            ),
            y: Axis::linear("caught of the oracle's, %", 0.0, 110.0, &[0.0, 25.0, 50.0, 75.0, 100.0]),
            lines: vec![Line { style: JUDGE, points, bars, dots: true }],
        }
    };
    learning.iter().map(panel).collect()
}
