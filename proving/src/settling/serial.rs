//! The whole way through serial bytes: how fast and how truly a station of today's hardware finds loads.

use crate::station;
use crate::statistics::{Share, quantile};
use anyhow::{Context, Result};
use augenmass_core::units::Mono;
use augenmass_core::weighing::{Scale, ScaleEvent};
use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use firmware_sim::stage::{Command, Stage};
use std::sync::Arc;

/// What a number of placements came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Settling {
    /// Placements.
    pub runs: u64,
    /// Seconds from the last touch to the first load told after it, median.
    pub median_s: f64,
    /// The same, 95 %.
    pub p95_s: f64,
    /// Error of that load in grams, 95 %.
    pub error_p95_g: f64,
    /// Errors within one stated sigma.
    pub within_1: Share,
    /// Errors within two.
    pub within_2: Share,
    /// Loads told while a hand was still on the plate that were off by more than 15 g.
    pub under_a_hand: u64,
}

/// Puts `runs` loads of 0.3 to 12 kg onto the plate by hand and watches the scale.
///
/// # Errors
/// A load that is never found.
pub fn measure(hardware: &Hardware, shop: &Arc<Shop>, runs: u64, seed: u64) -> Result<Settling> {
    let (mut times, mut errors) = (Vec::new(), Vec::new());
    let (mut one, mut two, mut under_a_hand) = (0, 0, 0);
    for run in 0..runs {
        let outcome = place(hardware, shop, seed.wrapping_mul(1_000_003).wrapping_add(run))
            .with_context(|| format!("run {run}"))?;
        under_a_hand += u64::from(outcome.under_a_hand);
        times.push(outcome.seconds);
        errors.push(outcome.error_g.abs());
        one += u64::from(outcome.error_g.abs() <= outcome.sigma_g);
        two += u64::from(outcome.error_g.abs() <= 2.0 * outcome.sigma_g);
    }
    let nothing = "no runs";
    Ok(Settling {
        runs,
        median_s: quantile(&mut times, 0.5).context(nothing)?,
        p95_s: quantile(&mut times, 0.95).context(nothing)?,
        error_p95_g: quantile(&mut errors, 0.95).context(nothing)?,
        within_1: Share { hits: one, of: runs },
        within_2: Share { hits: two, of: runs },
        under_a_hand,
    })
}

struct Placement {
    seconds: f64,
    error_g: f64,
    sigma_g: f64,
    under_a_hand: bool,
}

fn place(hardware: &Hardware, shop: &Arc<Shop>, seed: u64) -> Result<Placement> {
    let mut stage = Stage::new(hardware.clone(), shop.clone(), seed);
    let mut scale = Scale::new(station::scale(hardware));
    scale.opened(0, Mono::from_us(0));
    let mut now_us = 0;
    let mut events = Vec::new();
    let mut step = |stage: &mut Stage, scale: &mut Scale, events: &mut Vec<ScaleEvent>| {
        now_us += 2_500;
        stage.advance_to(now_us);
        let now = Mono::from_us(now_us);
        if let Some((port, bytes)) = scale.poll_send(now) {
            stage.rig_mut().receive(port, &bytes);
        }
        let bytes = stage.rig_mut().take_bytes(0);
        scale.push(0, now, now, &bytes, events);
        now_us
    };
    for _ in 0..600 {
        step(&mut stage, &mut scale, &mut events);
    }
    // A spread of masses and places that follows from the seed alone.
    let spread = |salt: u64| {
        (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(salt as u32 * 13) >> 11) as f64 / (1u64 << 53) as f64
    };
    let grams = 300.0 * 40.0f64.powf(spread(1));
    let at_mm = [300.0 * (spread(2) - 0.5), 200.0 * (spread(3) - 0.5)];
    stage.command(&Command::Weight { grams, at_mm })?;
    let hand = Command::Push { newtons: 2.0 + 12.0 * spread(4), ms: 150 + (300.0 * spread(5)) as u64, at_mm };
    stage.command(&hand)?;
    let mut under_a_hand = false;
    for _ in 0..2_400 {
        events.clear();
        let now_us = step(&mut stage, &mut scale, &mut events);
        let touching = stage.rig().world().touching();
        for event in &events {
            let ScaleEvent::Settled(load) = event else { continue };
            let error_g = load.mass.g() - grams;
            if touching {
                under_a_hand |= error_g.abs() > 15.0;
            } else if load.mass.g() > 150.0 {
                let last_touch_us = stage.rig().world().last_touch_us().context("nobody touched it")?;
                let seconds = (now_us - last_touch_us) as f64 / 1e6;
                return Ok(Placement { seconds, error_g, sigma_g: load.sigma.g(), under_a_hand });
            }
        }
    }
    anyhow::bail!("{grams:.0} g never settled")
}
