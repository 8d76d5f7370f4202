//! A slice of `cargo xtask prove`: every fault of boards, finished scales and their lines, planted a few times by seed.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use proving::faults::{self, Row};
use std::path::Path;
use std::sync::Arc;

fn hardware(name: &str) -> Hardware {
    Hardware::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../hw-configs").join(name)).unwrap()
}

#[track_caller]
fn holds(hardware: &Hardware, rows: &[Row], runs: u64) {
    let shop = Arc::new(Shop::demo().unwrap());
    let mut unavailable = 0;
    for row in rows {
        let tally = faults::plant(hardware, &shop, row, runs, 100).unwrap();
        let station = &hardware.station.id;
        assert!(tally.wrong.is_empty(), "{station}, {}: wrong weights {:?}", row.name, tally.wrong);
        assert!(tally.alarmed.is_empty(), "{station}, {}: honest shoppers alarmed {:?}", row.name, tally.alarmed);
        assert!(
            tally.not_back.is_empty() || !row.mends_itself,
            "{station}, {}: not back within 3 s {:?}",
            row.name,
            tally.not_back
        );
        if row.mends_itself {
            assert_eq!(tally.passed, tally.runs, "{station}, {}: an honest basket must pass in the end", row.name);
        }
        unavailable += tally.unavailable;
    }
    assert!(unavailable > 0, "no fault was ever noticed: the slice shows nothing");
}

#[test]
fn no_fault_of_a_board_becomes_a_pass_or_an_alarm() {
    holds(&hardware("basket-plate.toml"), &faults::rows(&hardware("basket-plate.toml")), 5);
}

#[test]
fn no_fault_of_a_finished_scale_becomes_a_pass_or_an_alarm() {
    for name in ["indicator-mt-sics.toml", "indicator-dialog06.toml", "indicator-modbus-laumas.toml"] {
        let hardware = hardware(name);
        holds(&hardware, &faults::rows(&hardware), 3);
    }
}

#[test]
fn two_plates_weigh_as_one() {
    let faults: Vec<Row> =
        faults::board().into_iter().filter(|row| ["unplugged", "silent"].contains(&row.name)).collect();
    holds(&hardware("two-plates.toml"), &faults, 3);
}
