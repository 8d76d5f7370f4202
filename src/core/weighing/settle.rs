//! From readings to loads: when something has come to rest, what it weighs, and when it is touched again.

use super::platform::Reading;
use super::transient::{self, Fit, Mode, Point};
use crate::units::{Mass, Mono};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What rests on the plate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Its mass.
    pub mass: Mass,
    /// Its uncertainty, 1 sigma: ringing, noise, calibration, corners, creep.
    pub sigma: Mass,
    /// The share of `sigma` that is this load's own, 1 sigma: ringing and noise, without what all loads of the platform share.
    pub own_sigma: Mass,
    /// When it was known.
    pub at: Mono,
    /// Since when nothing has touched it, as far as the samples tell.
    pub untouched_since: Mono,
    /// Centre of gravity in millimetres from the plate's middle.
    pub centre_mm: Option<[f64; 2]>,
}

/// What settling tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SettleEvent {
    /// What was at rest is not any more.
    Disturbed {
        /// When.
        at: Mono,
    },
    /// Something is at rest.
    Settled(Load),
}

/// How a plate rings and how precise it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettleConfig {
    /// Natural frequency in hertz with `reference_mass_g` on the plate.
    pub frequency_hz: f64,
    /// The load at which that frequency holds, grams.
    pub reference_mass_g: f64,
    /// The plate itself, which rings along, grams.
    pub dead_mass_g: f64,
    /// Share of critical damping.
    pub damping_ratio: f64,
    /// Idle noise of one reading, 1 sigma in grams.
    pub noise_g: f64,
    /// Everything that more samples do not cure: calibration, corners, creep, temperature. 1 sigma in grams.
    pub sigma_g: f64,
}

/// Longest stretch that is looked at.
const HISTORY_S: f64 = 0.75;
/// Windows that are tried, longest first: a long one is more exact, a short one begins later and so after the last touch.
const WINDOWS_S: [f64; 3] = [0.6, 0.42, 0.3];
/// A window holds at least so many periods, else oscillation and trend are one.
const PERIODS_MIN: f64 = 2.2;
/// Residual variance over noise variance that a good model exceeds once in some hundred windows.
const MISFIT_MAX: f64 = 1.9;
/// A load is told only when it is known so well from the ringing, grams, or to so many times the idle noise.
const SIGMA_MAX_G: f64 = 3.0;
/// So many fits in a row must agree before a load is told.
const AGREEING: usize = 4;
/// So many readings in a row must leave the level before a load counts as touched: one alone may be a spike.
const LEAVING: usize = 3;
/// So many fits in a row may fail before a told load counts as touched.
const FAILING: usize = 6;
/// After so long without a fit that holds, plain stillness is enough: a second mode or sloshing is not in the model.
const PATIENCE_S: f64 = 1.2;
/// Stillness over so long.
const STILL_S: f64 = 0.5;

#[derive(Clone, Debug)]
enum Phase {
    /// Nothing told, or what was told has been taken back.
    Moving { since: Mono, agreeing: Vec<Fit> },
    /// A load is told while the plate still rings under it.
    Ringing { load: Load, failing: usize },
    /// A load is told and the plate is still.
    Quiet { load: Load, leaving: usize },
}

/// Finds loads in a stream of readings.
#[derive(Clone, Debug)]
pub struct Settle {
    config: SettleConfig,
    history: VecDeque<Reading>,
    phase: Phase,
}

impl Settle {
    /// Nothing is known yet.
    pub fn new(config: SettleConfig) -> Self {
        Self { config, history: VecDeque::new(), phase: Phase::Moving { since: Mono::default(), agreeing: Vec::new() } }
    }

    /// Forgets everything: readings have been missed, so that nothing before holds.
    pub fn reset(&mut self, at: Mono) {
        self.history.clear();
        self.phase = Phase::Moving { since: at, agreeing: Vec::new() };
    }

    /// What rests on the plate, if that is known now.
    pub fn load(&self) -> Option<Load> {
        match &self.phase {
            Phase::Moving { .. } => None,
            Phase::Ringing { load, .. } | Phase::Quiet { load, .. } => Some(*load),
        }
    }

    /// Mean of the last fifth of a second, grams: for a display, never for a decision. `None` without readings.
    pub fn live_g(&self) -> Option<f64> {
        let last = self.history.back()?.at;
        mean(self.since(last.minus_ms(200)).map(|r| r.mass_g))
    }

    /// Whether the plate has been quiet under its load.
    pub fn is_quiet(&self) -> bool {
        matches!(self.phase, Phase::Quiet { .. })
    }

    /// Takes the next reading; readings must not go back in time.
    pub fn push(&mut self, reading: Reading) -> Option<SettleEvent> {
        if self.history.back().is_some_and(|last| reading.at < last.at) {
            return None;
        }
        self.history.push_back(reading);
        while self.history.front().is_some_and(|first| reading.at.seconds_since(first.at) > HISTORY_S) {
            self.history.pop_front();
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Moving { since: reading.at, agreeing: Vec::new() });
        let (phase, event) = match phase {
            Phase::Moving { since, agreeing } => self.while_moving(reading, since, agreeing),
            Phase::Ringing { load, failing } => self.while_ringing(reading, load, failing),
            Phase::Quiet { load, leaving } => self.while_quiet(reading, load, leaving),
        };
        self.phase = phase;
        event
    }

    fn while_moving(&self, reading: Reading, since: Mono, mut agreeing: Vec<Fit>) -> (Phase, Option<SettleEvent>) {
        if let Some((fit, from)) = self.best_fit(reading.at, since) {
            let near = |old: &Fit| {
                (old.mass_g - fit.mass_g).abs() <= 2.5 * old.sigma_g.max(fit.sigma_g).max(0.5 * self.config.noise_g)
            };
            agreeing.retain(near);
            agreeing.push(fit);
            if agreeing.len() >= AGREEING {
                let load = self.make_load(fit.mass_g, fit.sigma_g, reading.at, from);
                let phase = if fit.amplitude_g > 2.0 * self.config.noise_g {
                    Phase::Ringing { load, failing: 0 }
                } else {
                    Phase::Quiet { load, leaving: 0 }
                };
                return (phase, Some(SettleEvent::Settled(load)));
            }
        } else {
            agreeing.clear();
        }
        match self.still(reading.at, since) {
            Some((mass_g, sigma_g)) => {
                let load = self.make_load(mass_g, sigma_g, reading.at, reading.at.minus_ms((STILL_S * 1000.0) as u64));
                (Phase::Quiet { load, leaving: 0 }, Some(SettleEvent::Settled(load)))
            }
            None => (Phase::Moving { since, agreeing }, None),
        }
    }

    fn while_ringing(&self, reading: Reading, load: Load, failing: usize) -> (Phase, Option<SettleEvent>) {
        let shortest = reading.at.minus_ms((self.window_s(WINDOWS_S[2], load.mass.g()) * 1000.0) as u64);
        let Some(fit) = self.fit_since(shortest, load.mass.g()) else {
            return (Phase::Ringing { load, failing }, None);
        };
        let moved = (fit.mass_g - load.mass.g()).abs() > (4.0 * fit.sigma_g.hypot(load.sigma.g())).max(10.0);
        let failing = if moved || fit.misfit > 2.0 * MISFIT_MAX { failing + 1 } else { 0 };
        if failing >= FAILING {
            return self.touched(reading.at);
        }
        let quiet = fit.amplitude_g < 1.5 * self.config.noise_g && failing == 0;
        let phase = if quiet { Phase::Quiet { load, leaving: 0 } } else { Phase::Ringing { load, failing } };
        (phase, None)
    }

    fn while_quiet(&self, reading: Reading, load: Load, leaving: usize) -> (Phase, Option<SettleEvent>) {
        let limit_g = (7.0 * self.config.noise_g).max(4.0 * load.sigma.g()).max(10.0);
        let leaving = if (reading.mass_g - load.mass.g()).abs() > limit_g { leaving + 1 } else { 0 };
        let drifted = mean(self.since(reading.at.minus_ms(500)).map(|r| r.mass_g))
            .is_some_and(|m| (m - load.mass.g()).abs() > (5.0 * load.sigma.g()).max(limit_g));
        if leaving >= LEAVING || drifted {
            return self.touched(reading.at);
        }
        (Phase::Quiet { load, leaving }, None)
    }

    fn touched(&self, at: Mono) -> (Phase, Option<SettleEvent>) {
        // The readings that gave it away belong to the touch.
        let since = at.minus_ms(40);
        (Phase::Moving { since, agreeing: Vec::new() }, Some(SettleEvent::Disturbed { at }))
    }

    /// The longest window after `since` in which the model holds, with where it begins.
    fn best_fit(&self, now: Mono, since: Mono) -> Option<(Fit, Mono)> {
        let mass_g = self.history.back()?.mass_g;
        WINDOWS_S.iter().find_map(|window| {
            let from = now.minus_ms((self.window_s(*window, mass_g) * 1000.0) as u64);
            if from < since || self.history.front()?.at > from.plus_ms(20) {
                return None;
            }
            let fit = self.fit_since(from, mass_g)?;
            let known = fit.sigma_g <= SIGMA_MAX_G.max(0.7 * self.config.noise_g);
            (fit.misfit <= MISFIT_MAX && known).then_some((fit, from))
        })
    }

    fn fit_since(&self, from: Mono, mass_g: f64) -> Option<Fit> {
        let points: Vec<Point> = self.since(from).map(|r| (r.at.seconds_since(from), r.mass_g)).collect();
        transient::fit(&points, self.mode(mass_g), self.config.noise_g)
    }

    /// A spring carries what stands on it: the heavier, the slower.
    fn mode(&self, mass_g: f64) -> Mode {
        let c = &self.config;
        let ratio = (c.reference_mass_g + c.dead_mass_g) / (mass_g.max(0.0) + c.dead_mass_g);
        Mode { frequency_hz: c.frequency_hz * ratio.sqrt(), damping_ratio: c.damping_ratio }
    }

    fn window_s(&self, wanted_s: f64, mass_g: f64) -> f64 {
        wanted_s.max(PERIODS_MIN / self.mode(mass_g).frequency_hz).min(HISTORY_S - 0.02)
    }

    /// The classic criterion, as a safety net: a range and a slope that only rest has.
    fn still(&self, now: Mono, since: Mono) -> Option<(f64, f64)> {
        let from = now.minus_ms((STILL_S * 1000.0) as u64);
        if now.seconds_since(since) < PATIENCE_S || self.history.front()?.at > from.plus_ms(20) {
            return None;
        }
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for r in self.since(from) {
            low = low.min(r.mass_g);
            high = high.max(r.mass_g);
        }
        let halfway = now.minus_ms((STILL_S * 500.0) as u64);
        let early = mean(self.since(from).take_while(|r| r.at < halfway).map(|r| r.mass_g))?;
        let late = mean(self.since(halfway).map(|r| r.mass_g))?;
        let noise_g = self.config.noise_g;
        let at_rest = high - low <= 12.0 * noise_g && (late - early).abs() <= 1.5 * noise_g;
        at_rest.then(|| (0.5 * (early + late), ((high - low) / 6.0).max(noise_g)))
    }

    fn make_load(&self, mass_g: f64, sigma_g: f64, at: Mono, from: Mono) -> Load {
        let (mut mass, mut moment) = (0.0, [0.0; 2]);
        for r in self.since(from) {
            mass += r.mass_g;
            moment = [moment[0] + r.moment_g_mm[0], moment[1] + r.moment_g_mm[1]];
        }
        Load {
            mass: Mass::from_g_saturating(mass_g),
            sigma: Mass::from_g_saturating(sigma_g.hypot(self.config.sigma_g)),
            own_sigma: Mass::from_g_saturating(sigma_g),
            at,
            untouched_since: from,
            centre_mm: (mass > 50.0).then(|| moment.map(|m| m / mass)),
        }
    }

    fn since(&self, from: Mono) -> impl Iterator<Item = &Reading> {
        let start = self.history.partition_point(|r| r.at < from);
        self.history.range(start..)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(s, n), v| (s + v, n + 1));
    (count > 0).then(|| sum / f64::from(count))
}
