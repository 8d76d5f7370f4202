//! The bench's result for people and for programs.

use super::bench::{CLASSIC_G, Plan, Tally};
use crate::statistics::{Share, quantile};
use serde_json::{Value, json};
use std::fmt::Write;

/// The table, one row a cell and one for all.
pub fn table(plan: &Plan, rows: &[Tally]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:34}{:>6} {:>5} {:>5} {:>6} {:>6} {:>5} {:>19} {:>19} {:>5} {:>5} {:>5} {:>11} {:>11}",
        "plate",
        "runs",
        "med s",
        "95% s",
        "err95",
        "sig50",
        "none",
        "within 1 sigma",
        "within 2 sigma",
        "wild",
        "back",
        "hand",
        format!("classic {:.0}", CLASSIC_G[0]),
        format!("classic {:.0}", CLASSIC_G[1]),
    );
    for (cell, tally) in plan.cells.iter().zip(rows) {
        line(&mut text, &cell.name(), tally);
    }
    let all = Tally::pooled(rows);
    line(&mut text, "all", &all);
    let (own, classic) = all.cost_ns();
    let _ = writeln!(text, "{own:.0} ns a reading, classic {classic:.0} ns: {:.0} times", own / classic.max(1.0));
    if !all.wild.is_empty() {
        let _ = writeln!(text, "wild in runs {:?}", &all.wild[..all.wild.len().min(12)]);
    }
    if all.under_a_hand > 0 || !all.retracted_s.is_empty() {
        let mut retracted = all.retracted_s.clone();
        let worst = quantile(&mut retracted, 1.0).unwrap_or(0.0);
        let _ = writeln!(
            text,
            "told under a hand: {}; still standing when it lifted: {}, taken back in {:.3} s (95 %), {worst:.3} s at most; later than 0.3 s: {} {:?}",
            all.under_a_hand,
            retracted.len() + all.stale.len(),
            quantile(&mut retracted, 0.95).unwrap_or(0.0),
            all.stale.len(),
            &all.stale[..all.stale.len().min(8)],
        );
    }
    text
}

fn line(text: &mut String, name: &str, tally: &Tally) {
    let share = |s: Share| {
        let (low, high) = s.interval();
        format!("{:.1} ({:.1}-{:.1})", 100.0 * s.value(), 100.0 * low, 100.0 * high)
    };
    let [one, two] = tally.within();
    let classic = |index: usize| {
        let mut times = tally.classic[index].0.clone();
        let q = |times: &mut [f64], q| quantile(times, q).unwrap_or(f64::INFINITY);
        format!("{:.2}/{:.2}", q(&mut times, 0.5), q(&mut times, 0.95))
    };
    let _ = writeln!(
        text,
        "{name:34}{:>6} {:>5.2} {:>5.2} {:>6.2} {:>6.2} {:>5} {:>19} {:>19} {:>5} {:>5} {:>5} {:>11} {:>11}",
        tally.runs,
        tally.time_s(0.5),
        tally.time_s(0.95),
        tally.error_g(0.95),
        tally.sigma_g(0.5),
        tally.missing,
        share(one),
        share(two),
        tally.wild.len(),
        tally.withdrawn,
        tally.under_a_hand,
        classic(0),
        classic(1),
    );
}

/// The same for programs; times in seconds, masses in grams.
pub fn json(plan: &Plan, rows: &[Tally]) -> Value {
    let row = |name: String, tally: &Tally| {
        let [one, two] = tally.within();
        let share = |s: Share| json!({"hits": s.hits, "of": s.of, "share": s.value(), "interval": s.interval()});
        let classic: Vec<Value> = CLASSIC_G
            .iter()
            .zip(&tally.classic)
            .map(|(range_g, (times, errors))| {
                json!({
                    "range_g": range_g,
                    "median_s": quantile(&mut times.clone(), 0.5),
                    "p95_s": quantile(&mut times.clone(), 0.95),
                    "error_p95_g": quantile(&mut errors.clone(), 0.95),
                    "error_max_g": quantile(&mut errors.clone(), 1.0),
                })
            })
            .collect();
        json!({
            "plate": name, "runs": tally.runs, "none": tally.missing,
            "median_s": tally.time_s(0.5), "p95_s": tally.time_s(0.95),
            "error_p95_g": tally.error_g(0.95), "error_max_g": tally.error_g(1.0), "sigma_median_g": tally.sigma_g(0.5),
            "within_1_sigma": share(one), "within_2_sigma": share(two),
            "told": tally.told, "wild": tally.wild.len(), "withdrawn": tally.withdrawn,
            "under_a_hand": tally.under_a_hand, "stale": tally.stale.len(),
            "retracted_p95_s": quantile(&mut tally.retracted_s.clone(), 0.95),
            "classic": classic, "ns_a_reading": tally.cost_ns().0,
        })
    };
    let cells: Vec<Value> = plan.cells.iter().zip(rows).map(|(cell, tally)| row(cell.name(), tally)).collect();
    json!({
        "seed": plan.seed, "noise_g": plan.noise_g, "cells": cells, "all": row("all".to_owned(), &Tally::pooled(rows)),
    })
}
