//! A slice of what `cargo run --release -p proving` measures at length: bounds wide enough that chance does not break them, narrow enough
//! that a defect does.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use proving::calibration::{self, Breakage, Disturbance};
use proving::settling::bench::{Plan, Tally, run};
use proving::settling::plates;
use proving::{settling, visits};
use std::path::Path;
use std::sync::Arc;

fn hardware(name: &str) -> Hardware {
    Hardware::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../hw-configs").join(name)).unwrap()
}

#[test]
fn loads_are_found_fast_and_truly_on_both_stations() {
    let shop = Arc::new(Shop::demo().unwrap());
    for (name, error_g) in [("basket-plate.toml", 6.0), ("trolley-150kg.toml", 25.0)] {
        let found = settling::measure(&hardware(name), &shop, 150, 11).unwrap();
        assert!(found.median_s < 0.8 && found.p95_s < 1.6, "{name}: {found:?}");
        assert!(found.error_p95_g < error_g, "{name}: {found:?}");
        assert!(found.within_2.value() > 0.9, "{name}: {found:?}");
        // A hand that rests cannot be told from goods; the load is taken back when it lifts. It must stay rare.
        assert!(found.under_a_hand <= 3, "{name}: {found:?}");
    }
}

fn pooled(cells: Vec<plates::Cell>, runs: u64) -> Tally {
    Tally::pooled(&run(&Plan { cells, runs, noise_g: 2.0, seed: 21 }))
}

#[test]
fn ringing_plates_are_read_before_they_are_still_and_sigma_is_true() {
    for (cells, median_s, p95_s) in [(plates::single(), 0.5, 1.0), (plates::hard(), 0.8, 1.6)] {
        let all = pooled(cells, 360);
        assert!(all.time_s(0.5) <= median_s && all.time_s(0.95) <= p95_s, "{} {}", all.time_s(0.5), all.time_s(0.95));
        assert!(all.error_g(0.95) <= 6.0, "{}", all.error_g(0.95));
        // 360 runs tell a share of 68 % to 2.5 %, one of 95 % to 1.1 %: three times that.
        let [one, two] = all.within().map(proving::statistics::Share::value);
        assert!((0.60..0.78).contains(&one) && two > 0.915, "{one} {two}");
        assert_eq!((all.wild.len(), all.missing), (0, 0));
    }
}

#[test]
fn a_hand_is_taken_back_when_it_lifts_and_a_body_is_no_load() {
    let mut people = plates::people();
    let leaning = pooled(people.split_off(1), 40);
    // What is told before the lean shows is taken back; more must not be told than now and then.
    assert!(leaning.under_a_hand <= 12 && leaning.wild.len() <= 1, "{leaning:?}");
    let resting = pooled(people, 120);
    assert_eq!((resting.stale.len(), resting.wild.len(), resting.missing), (0, 0, 0), "{resting:?}");
    assert!(resting.retracted_s.len() > 100, "a resting hand is weighed: {}", resting.retracted_s.len());
}

#[test]
fn honest_shoppers_pass_and_big_things_are_seen() {
    let shop = Arc::new(Shop::demo().unwrap());
    let seen = visits::play(&hardware("basket-plate.toml"), &shop, 120, 10, 3).unwrap();
    assert!(seen.honest_stopped.hits <= 1, "{seen:?}");
    let [.., some, big] = seen.unscanned_stopped;
    assert!(big.of > 15 && big.hits == big.of, "{seen:?}");
    // A wrong label on loose goods can be off by as much, and is no less frequent.
    assert!(some.of > 8 && some.hits * 2 > some.of, "{seen:?}");
}

#[test]
fn calibrations_are_as_good_as_the_mass_and_the_plate_allow() {
    for (creep_g, spread_g) in [(0.0, 3.0), (2.0, 6.0)] {
        let disturbance = Disturbance { noise_g: 0.5, creep_g };
        let plate = hardware("basket-plate.toml");
        let good = calibration::measure(&plate, disturbance, 300, 5).unwrap();
        assert!(good.spread_p95_g <= spread_g, "{good:?}");
        assert!(good.spread_before_p95_g > 100.0, "{good:?}");
        assert!(good.within_predicted.interval().1 > 0.94, "{good:?}");
        assert!(good.refused.hits <= 3, "{good:?}");
        for breakage in Breakage::ALL {
            let told = calibration::refusals(&plate, disturbance, breakage, 300, 5);
            assert_eq!((told.refused, told.named), (told.runs, told.runs), "{breakage:?}");
        }
    }
}
