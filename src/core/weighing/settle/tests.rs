//! Settling against an oscillator that is integrated here on its own.

use super::*;
use std::f64::consts::TAU;

const CONFIG: SettleConfig = SettleConfig {
    frequency_hz: 8.0,
    reference_mass_g: 1000.0,
    dead_mass_g: 4000.0,
    damping_ratio: 0.05,
    noise_g: 2.0,
    sigma_g: 0.0,
    quantum_g: 0.0,
};

/// Nearly Gaussian and the same in every run: twelve even draws of a multiplicative congruence.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        (0..12)
            .map(|_| {
                self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (self.0 >> 11) as f64 / (1u64 << 53) as f64
            })
            .sum::<f64>()
            - 6.0
    }
}

/// A plate of 8.4 Hz and 0.04 under the force that `applied_g` gives for each moment, read at 80 Hz with 2 g of noise.
fn readings(seconds: f64, seed: u64, applied_g: impl Fn(f64) -> f64) -> Vec<Reading> {
    let (omega, zeta, dt) = (TAU * 8.4, 0.04, 1e-4);
    let (mut at_g, mut speed, mut noise) = (applied_g(0.0), 0.0, Noise(seed));
    let mut out = Vec::new();
    for step in 0..(seconds / dt) as u64 {
        let t = step as f64 * dt;
        if step.is_multiple_of(125) {
            out.push(reading(step * 100, at_g + 2.0 * noise.next()));
        }
        speed += dt * (omega * omega * (applied_g(t) - at_g) - 2.0 * zeta * omega * speed);
        at_g += dt * speed;
    }
    out
}

fn reading(us: u64, mass_g: f64) -> Reading {
    Reading { at: Mono::from_us(us), mass_g, moment_g_mm: [50.0 * mass_g, -20.0 * mass_g], twist_g: 0.0 }
}

/// Everything told, with seconds since the first reading.
fn events(settle: &mut Settle, readings: &[Reading]) -> Vec<(f64, SettleEvent)> {
    readings.iter().filter_map(|r| settle.push(*r).map(|e| (r.at.us() as f64 * 1e-6, e))).collect()
}

fn loads(events: &[(f64, SettleEvent)]) -> Vec<(f64, Load)> {
    events
        .iter()
        .filter_map(|(t, e)| match e {
            SettleEvent::Settled(load) => Some((*t, *load)),
            SettleEvent::Disturbed { .. } => None,
        })
        .collect()
}

#[test]
fn a_step_is_known_in_half_a_second_while_the_plate_still_rings() {
    for seed in 1..20 {
        let mut settle = Settle::new(CONFIG);
        let told = events(&mut settle, &readings(4.0, seed, |t| if t < 1.0 { 0.0 } else { 1000.0 }));
        let loads = loads(&told);
        assert_eq!(loads.len(), 2, "seed {seed}: empty, then the load: {told:?}");
        let (t, load) = loads[1];
        assert!(t < 1.55, "seed {seed}: {t}");
        let error_g = (load.mass.g() - 1000.0).abs();
        assert!(error_g < 3.5 * load.sigma.g() && load.sigma.g() < 1.5, "seed {seed}: {load:?}");
        assert!(load.untouched_since >= Mono::from_us(980_000), "seed {seed}: {load:?}");
        assert_eq!(load.centre_mm.map(|c| c.map(f64::round)), Some([50.0, -20.0]));
        assert!(settle.is_quiet() && settle.load() == Some(load), "seed {seed}");
    }
}

#[test]
fn a_resting_hand_is_weighed_and_taken_back_when_it_lifts() {
    for (seed, hand_g) in [(1, 40.0), (2, 150.0), (3, 900.0)] {
        let force = |t: f64| if t < 1.0 { 0.0 } else { 300.0 + if t < 2.5 { hand_g } else { 0.0 } };
        let told = events(&mut Settle::new(CONFIG), &readings(5.0, seed, force));
        let back = told.iter().find(|(t, e)| *t > 2.5 && matches!(e, SettleEvent::Disturbed { .. }));
        assert!(back.is_some_and(|(t, _)| *t < 2.8), "{hand_g} g: {told:?}");
        let last = loads(&told).last().unwrap().1;
        assert!((last.mass.g() - 300.0).abs() < 3.0, "{hand_g} g: {told:?}");
    }
}

#[test]
fn a_body_that_leans_is_not_goods() {
    for seed in 1..8 {
        let lean = |t: f64| if t < 1.0 { 0.0 } else { 300.0 + 150.0 * (1.0 - (TAU * 0.3 * (t - 1.0)).cos()) };
        let told = events(&mut Settle::new(CONFIG), &readings(5.0, seed, lean));
        // In the first moments the lean has not begun to show, and is taken back when it does.
        for (t, load) in loads(&told) {
            assert!(t < 1.9, "seed {seed}: {load:?} at {t}");
        }
    }
}

#[test]
fn one_spike_takes_nothing_back() {
    let mut readings = readings(5.0, 4, |t| if t < 1.0 { 0.0 } else { 1000.0 });
    for at in [150, 340] {
        readings[at].mass_g += 700.0;
    }
    let told = events(&mut Settle::new(CONFIG), &readings);
    let after = told.iter().filter(|(t, e)| *t > 1.7 && matches!(e, SettleEvent::Disturbed { .. })).count();
    assert_eq!(after, 0, "{told:?}");
}

/// A finished scale: ten readings a second, rounded to 5 g, no ringing to see.
#[test]
fn a_finished_scale_is_believed_when_it_stands_still() {
    let config = SettleConfig { noise_g: 0.0, quantum_g: 5.0, ..CONFIG };
    let mut settle = Settle::new(config);
    let shown = |i: u64| match i {
        0..15 => 0.0,
        15..22 => [310.0, 905.0, 1390.0, 1130.0, 1190.0, 1265.0, 1240.0][i as usize - 15],
        _ => 1245.0,
    };
    let readings: Vec<Reading> = (0..60).map(|i| reading(i * 100_000, shown(i))).collect();
    let loads = loads(&events(&mut settle, &readings));
    assert_eq!(loads.len(), 2, "{loads:?}");
    // The last of the restless readings, one division below, may still be in the mean.
    assert!(loads[0].1.mass.g() == 0.0 && (loads[1].1.mass.g() - 1245.0).abs() < 1.5, "{loads:?}");
    // A multiple of 5 g is off by 5 / sqrt(12) = 1.44 g, however often it is repeated.
    assert!((1.44..2.2).contains(&loads[1].1.sigma.g()), "{loads:?}");
    assert!((2.6..3.0).contains(&loads[1].0), "{loads:?}");
}

#[test]
fn the_platforms_share_is_in_sigma() {
    let config = SettleConfig { sigma_g: 2.0, ..CONFIG };
    let told = events(&mut Settle::new(config), &readings(3.0, 5, |t| if t < 1.0 { 0.0 } else { 1000.0 }));
    for (_, load) in loads(&told) {
        assert!((2.0..3.0).contains(&load.sigma.g()), "{load:?}");
    }
}

#[test]
fn readings_of_the_past_change_nothing_and_a_reset_forgets() {
    let mut settle = Settle::new(CONFIG);
    let still = readings(2.0, 6, |_| 500.0);
    events(&mut settle, &still);
    let known = settle.load();
    assert!(known.is_some());
    for _ in 0..50 {
        assert_eq!(settle.push(reading(1000, 9000.0)), None);
    }
    assert_eq!(settle.load(), known);
    settle.reset(Mono::from_us(2_000_000));
    assert_eq!(settle.load(), None);
    assert_eq!(settle.live_g(), None);
}

#[test]
fn numbers_that_mean_nothing_make_no_load() {
    let mut settle = Settle::new(CONFIG);
    for i in 0..400 {
        let mass_g = if i % 2 == 0 { f64::NAN } else { 1e300 };
        assert_eq!(settle.push(reading(i * 12_500, mass_g)), None);
    }
}
