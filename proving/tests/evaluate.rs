//! A slice of `cargo xtask evaluate`: relations that hold whatever the judge becomes, and bounds that a defect breaks and chance does not.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use proving::evaluate::looks::Recorded;
use proving::evaluate::report::{self, Summary};
use proving::evaluate::trip::Wanted;
use proving::evaluate::{Arrival, Cell, CellResult, Clock, Plan, run};
use serde_json::Value;

fn cell(items: u32) -> Cell {
    Cell { items, arrival: Arrival::Whole, bag_known: true, tare_known: false, vision: false, learned: true }
}

fn plan(baskets: u64, cells: Vec<Cell>, threads: usize) -> Plan {
    Plan { seed: 11, baskets, catalogue: 400, vision: Recorded::shipped().unwrap(), cells, threads }
}

fn measured(plan: &Plan) -> Vec<CellResult> {
    run(plan, &Clock::default(), &|_, _| ()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_threads() {
    let cells = vec![cell(4), Cell { vision: true, arrival: Arrival::OneByOne, ..cell(4) }];
    let told = |threads: usize| {
        let plan = plan(100, cells.clone(), threads);
        report::json(&plan, &measured(&plan)).to_string()
    };
    let one = told(1);
    assert_eq!(one, told(3));
    let other = Plan { seed: 12, ..plan(100, cells.clone(), 2) };
    assert_ne!(one, report::json(&other, &measured(&other)).to_string());
}

/// Nothing beats the oracle beyond noise, its probabilities are true, and what it is given it uses.
#[test]
fn the_oracle_is_the_best_and_is_calibrated() {
    let plain = cell(8);
    let cells = vec![
        plain,
        Cell { vision: true, ..plain },
        Cell { bag_known: false, ..plain },
        Cell { arrival: Arrival::OneByOne, ..plain },
        Cell { arrival: Arrival::OneByOne, vision: true, ..plain },
    ];
    let plan = plan(1200, cells, 2);
    let results = measured(&plan);
    let summaries: Vec<Summary> = results.iter().map(|r| Summary::new(r, 1)).collect();
    for (result, s) in results.iter().zip(&summaries) {
        let name = result.cell.name();
        // The interval is DeLong's on the same baskets; half a percent more for the smallness of the sample.
        assert!(s.gap.1[1] > -0.005, "{name}: the judge is {} better", -s.gap.0);
        for (rule, auc, catch) in &s.simple {
            assert!(*auc < s.auc[1] + 0.01 && *catch < s.catch[1] + 0.06, "{name}: {rule} {auc} {catch} {:?}", s.auc);
        }
        assert!(s.ece[1] < 0.02, "{name}: ECE {}", s.ece[1]);
        assert!(s.log_loss[1] < s.log_loss[0] + 0.003, "{name}: {:?}", s.log_loss);
    }
    let auc = |i: usize| summaries[i].auc[1];
    assert!(auc(1) > auc(0) - 0.002 && auc(4) > auc(3) - 0.002, "eyes do not hurt");
    assert!(auc(0) > auc(2), "an unknown bag hides goods");
    assert!(auc(3) > auc(0) && auc(4) > auc(1), "steps tell more than a total");
}

#[test]
fn the_judge_and_the_baskets_stay_within_bounds() {
    let plan = plan(600, vec![cell(6)], 2);
    let results = measured(&plan);
    let result = &results[0];
    let stopped = |wanted: Wanted| {
        let rows: Vec<_> = result.of(wanted).collect();
        rows.iter().filter(|r| r.outcome != augenmass_core::verdict::Outcome::Pass).count() as f64 / rows.len() as f64
    };
    assert!(stopped(Wanted::Honest) < 0.08, "{}", stopped(Wanted::Honest));
    for wanted in [Wanted::Unscanned, Wanted::Swapped, Wanted::Quantity, Wanted::Absent] {
        assert!(stopped(wanted) > 0.5, "{wanted:?}: {}", stopped(wanted));
        assert!(
            result.of(wanted).all(|r| r.error_g.is_finite() && r.judge.score.is_finite() && r.oracle.score.is_finite())
        );
    }
    // What weighs more is caught more often.
    let of = |from: f64, to: f64| {
        let rows: Vec<_> = result.of(Wanted::Unscanned).filter(|r| (from..to).contains(&r.error_g)).collect();
        rows.iter().filter(|r| r.oracle.error > 0.5).count() as f64 / rows.len() as f64
    };
    assert!(of(300.0, 5000.0) > of(0.0, 100.0), "{} {}", of(300.0, 5000.0), of(0.0, 100.0));
}

#[test]
fn the_report_has_its_promised_shape() {
    let plan = plan(100, vec![Cell { vision: true, ..cell(5) }], 2);
    let report = report::json(&plan, &measured(&plan));
    let cell = &report["cells"][0];
    assert_eq!(
        (&report["seed"], &cell["items"], &cell["arrival"]),
        (&Value::from(11), &Value::from(5), &Value::from("whole"))
    );
    assert_eq!(
        (&cell["bag"], &cell["tare"], &cell["vision"]),
        (&Value::from("known"), &Value::from("nominal"), &Value::from(true))
    );
    assert_eq!(cell["honest"]["n"], 100);
    for kind in ["unscanned", "swapped", "quantity"] {
        let counts = &cell["cheats"][kind];
        assert_eq!(counts["n"], 25);
        let classes = counts["by_grams"].as_array().unwrap();
        assert_eq!(classes.iter().map(|c| c["n"].as_u64().unwrap()).sum::<u64>(), 25);
        assert_eq!(
            classes.iter().map(|c| c["caught"].as_u64().unwrap()).sum::<u64>(),
            counts["caught"].as_u64().unwrap()
        );
        assert!(counts["named_right"].as_u64() <= counts["named"].as_u64());
        assert!(counts["oracle_named_right_stopped"].as_u64() <= counts["oracle_named_right"].as_u64());
    }
    assert_eq!(cell["overcharges"]["absent"]["n"], 25);
    for key in ["auc", "catch_at_1pct"] {
        assert!((0.0..=1.0).contains(&cell[key].as_f64().unwrap()) && cell["oracle"][key].is_f64());
    }
    for key in ["ece", "log_loss"] {
        assert!(cell["calibration"][key].is_f64());
    }
    assert!(cell["oracle"]["log_loss"].is_f64() && cell["oracle"]["named_right"].is_f64());
    assert_eq!(cell["catch_at_1pct_ci"].as_array().unwrap().len(), 2);
    let mut rules: Vec<&String> = cell["baselines"].as_object().unwrap().keys().collect();
    rules.sort();
    assert_eq!(rules, ["list", "one_sided", "one_sided_list", "two_sided", "two_sided_list"]);
}
