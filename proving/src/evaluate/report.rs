//! The measurement for people and for programs.

use super::baselines;
use super::bench::{CellResult, Row};
use super::cells::Plan;
use super::metrics::{auc_gap, interval, resampled_catches};
use super::trip::Wanted;
use crate::statistics::Share;
use augenmass_core::verdict::Outcome;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Upper ends of the classes of grams; the last is open.
pub const GRAMS: [f64; 8] = [0.0, 50.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0];

/// Figures of a cell that both forms of the report need.
pub struct Summary {
    /// AUC and catch at 1 % of judge and oracle.
    pub auc: [f64; 2],
    /// As `auc`.
    pub catch: [f64; 2],
    /// 95 % interval of the judge's catch.
    pub catch_ci: [f64; 2],
    /// Judge's catch over the oracle's, with its paired interval.
    pub ratio: (f64, [f64; 2]),
    /// Oracle's AUC less the judge's, with its paired interval.
    pub gap: (f64, [f64; 2]),
    /// AUC and catch of each simple rule that has something to go by.
    pub simple: Vec<(&'static str, f64, f64)>,
    /// Judge's catch less that of the best simple rule, and the paired interval.
    pub over_best: (&'static str, f64, [f64; 2]),
    /// ECE and log loss of judge and oracle.
    pub ece: [f64; 2],
    /// As `ece`.
    pub log_loss: [f64; 2],
    /// Share of all cheats that each named rightly.
    pub named_right: [f64; 2],
    /// The oracle's share where its posterior goes through the same policy as the judge's: stopped, and named rightly.
    pub oracle_named_right_stopped: f64,
}

impl Summary {
    /// Computes them; `seed` is that of the bootstrap.
    pub fn new(result: &CellResult, seed: u64) -> Self {
        let judge = result.scored(|r| r.judge.score);
        let oracle = result.scored(|r| r.oracle.score);
        let rules: Vec<_> = (0..baselines::NAMES.len())
            .filter(|i| result.rows.iter().all(|r| !r.simple[*i].is_nan()))
            .map(|i| (baselines::NAMES[i], result.scored(|r| r.simple[i])))
            .collect();
        let simple: Vec<_> = rules.iter().map(|(name, s)| (*name, s.auc(), s.catch_at(0.01))).collect();
        let best = (0..simple.len()).max_by(|a, b| simple[*a].2.total_cmp(&simple[*b].2)).unwrap_or(0);
        let catches = resampled_catches(&[&judge, &oracle, &rules[best].1], seed);
        let paired = |f: &dyn Fn(f64, f64) -> f64, other: usize| {
            interval(&catches[0].iter().zip(&catches[other]).map(|(a, b)| f(*a, *b)).collect::<Vec<f64>>())
        };
        let catch = [judge.catch_at(0.01), oracle.catch_at(0.01)];
        let forecasts = [result.forecasts(|r| r.judge), result.forecasts(|r| r.oracle)];
        Self {
            auc: [judge.auc(), oracle.auc()],
            catch,
            catch_ci: interval(&catches[0]),
            ratio: (catch[0] / catch[1].max(1e-12), paired(&|a, b| a / b.max(1e-12), 1)),
            gap: auc_gap(&judge, &oracle),
            over_best: (simple[best].0, catch[0] - simple[best].2, paired(&|a, b| a - b, 2)),
            simple,
            ece: [forecasts[0].ece(), forecasts[1].ece()],
            log_loss: [forecasts[0].log_loss(), forecasts[1].log_loss()],
            named_right: [result.named(|r| r.judge_right), result.named(|r| r.oracle_right)],
            oracle_named_right_stopped: result.named(|r| r.oracle_right && r.oracle.stops),
        }
    }
}

impl CellResult {
    /// Share of the cheats, kinds as in the world, that are named rightly.
    fn named(&self, right: impl Fn(&Row) -> bool) -> f64 {
        let scored = self.scored(|r| f64::from(u8::from(right(r))));
        let shares: f64 = scored.cheats.iter().map(|c| c.0).sum();
        scored.cheats.iter().map(|(s, v)| s * v.iter().sum::<f64>() / v.len().max(1) as f64).sum::<f64>() / shares
    }

    fn kind(&self, wanted: Wanted) -> Value {
        let rows: Vec<&Row> = self.of(wanted).collect();
        let count = |f: &dyn Fn(&Row) -> bool| rows.iter().filter(|r| f(r)).count();
        let (judge_at, oracle_at) = self.thresholds();
        let classes: Vec<Value> = GRAMS
            .iter()
            .enumerate()
            .map(|(i, &from)| {
                let to = GRAMS.get(i + 1).copied();
                let within: Vec<&&Row> =
                    rows.iter().filter(|r| r.error_g >= from && to.is_none_or(|to| r.error_g < to)).collect();
                let sum = |f: &dyn Fn(&Row) -> f64| round(within.iter().map(|r| f(r)).sum::<f64>());
                json!({
                    "from": from, "to": to, "n": within.len(),
                    "caught": within.iter().filter(|r| caught(r)).count(),
                    "caught_at_1pct": sum(&|r| judge_at.stops(r.judge.score)),
                    "visible": within.iter().filter(|r| r.visible).count(),
                    "visible_at_1pct": sum(&|r| if r.visible { judge_at.stops(r.judge.score) } else { 0.0 }),
                    "oracle_at_1pct": sum(&|r| oracle_at.stops(r.oracle.score)),
                })
            })
            .collect();
        json!({
            "n": rows.len(), "caught": count(&caught),
            "named": count(&|r| caught(r) && r.judge.claim.is_some()), "named_right": count(&|r| r.judge_right),
            "known_right": count(&|r| r.judge_knows),
            "oracle_named": count(&|r| r.oracle.claim.is_some()), "oracle_named_right": count(&|r| r.oracle_right),
            "oracle_named_right_stopped": count(&|r| r.oracle_right && r.oracle.stops),
            "by_grams": classes,
        })
    }

    /// The cell for programs.
    pub fn json(&self, seed: u64) -> Value {
        let (s, cell) = (Summary::new(self, seed), &self.cell);
        let honest: Vec<&Row> = self.of(Wanted::Honest).collect();
        let simple: Map<String, Value> = s
            .simple
            .iter()
            .map(|(name, auc, catch)| ((*name).to_owned(), json!({"auc": round(*auc), "catch_at_1pct": round(*catch)})))
            .collect();
        let word = |yes: bool, a: &'static str, b: &'static str| if yes { a } else { b };
        json!({
            "items": cell.items, "arrival": cell.arrival.as_str(),
            "bag": word(cell.bag_known, "known", "unknown"), "tare": word(cell.tare_known, "known", "nominal"),
            "vision": cell.vision, "learned": cell.learned,
            "honest": {
                "n": honest.len(), "flagged": honest.iter().filter(|r| caught(r)).count(),
                "to_staff": honest.iter().filter(|r| r.outcome == Outcome::Assist).count(),
            },
            "cheats": {
                "unscanned": self.kind(Wanted::Unscanned), "swapped": self.kind(Wanted::Swapped),
                "quantity": self.kind(Wanted::Quantity),
            },
            "overcharges": {"absent": self.kind(Wanted::Absent)},
            "auc": round(s.auc[0]), "catch_at_1pct": round(s.catch[0]), "catch_at_1pct_ci": s.catch_ci.map(round),
            "named_right": round(s.named_right[0]),
            "oracle": {
                "auc": round(s.auc[1]), "catch_at_1pct": round(s.catch[1]), "named_right": round(s.named_right[1]),
                "named_right_stopped": round(s.oracle_named_right_stopped),
                "log_loss": round(s.log_loss[1]), "ece": round(s.ece[1]),
            },
            "against_oracle": {
                "catch_ratio": round(s.ratio.0), "catch_ratio_ci": s.ratio.1.map(round),
                "auc_gap": round(s.gap.0), "auc_gap_ci": s.gap.1.map(round),
            },
            "against_best_baseline": {
                "name": s.over_best.0, "catch_gain": round(s.over_best.1), "catch_gain_ci": s.over_best.2.map(round),
            },
            "baselines": simple,
            "calibration": {"ece": round(s.ece[0]), "log_loss": round(s.log_loss[0])},
        })
    }
}

fn caught(row: &Row) -> bool {
    row.outcome != Outcome::Pass
}

/// Six digits behind the point: more is noise.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// All cells for programs.
pub fn json(plan: &Plan, results: &[CellResult]) -> Value {
    let cells: Vec<Value> = results.iter().map(|r| r.json(plan.seed)).collect();
    json!({"seed": plan.seed, "baskets": plan.baskets, "catalogue": plan.catalogue, "cells": cells})
}

/// All cells for people, one row a cell; shares in percent.
pub fn table(plan: &Plan, results: &[CellResult]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:66} {:>17} {:>6} {:>18} {:>6} {:>16} {:>6} {:>23} {:>12} {:>13} {:>12}",
        "",
        "honest stopped",
        "staff",
        "caught at 1 %",
        "oracle",
        "of the oracle's",
        "AUC-",
        "best simple rule",
        "named right",
        "log loss",
        "ECE"
    );
    for result in results {
        let s = Summary::new(result, plan.seed);
        let honest: Vec<&Row> = result.of(Wanted::Honest).collect();
        let flagged = Share { hits: honest.iter().filter(|r| caught(r)).count() as u64, of: honest.len() as u64 };
        let staff = honest.iter().filter(|r| r.outcome == Outcome::Assist).count() as f64 / honest.len().max(1) as f64;
        let (low, high) = flagged.interval();
        let best = s.simple.iter().find(|r| r.0 == s.over_best.0).map_or(0.0, |r| r.2);
        let _ = writeln!(
            text,
            "{:66} {:>17} {:>6.2} {:>18} {:>6.1} {:>16} {:>6.4} {:>23} {:>12} {:>13} {:>12}",
            result.cell.name(),
            format!("{:.2} ({:.2}-{:.2})", 100.0 * flagged.value(), 100.0 * low, 100.0 * high),
            100.0 * staff,
            format!("{:.1} ({:.1}-{:.1})", 100.0 * s.catch[0], 100.0 * s.catch_ci[0], 100.0 * s.catch_ci[1]),
            100.0 * s.catch[1],
            format!("{:.3} ({:.3}-{:.3})", s.ratio.0, s.ratio.1[0], s.ratio.1[1]),
            s.gap.0,
            format!("{:.1} {}", 100.0 * best, s.over_best.0),
            format!("{:.1} of {:.1}", 100.0 * s.named_right[0], 100.0 * s.named_right[1]),
            format!("{:.3} / {:.3}", s.log_loss[0], s.log_loss[1]),
            format!("{:.3} / {:.3}", s.ece[0], s.ece[1]),
        );
    }
    text
}
