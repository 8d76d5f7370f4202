//! From readings to loads: when something has come to rest, what it weighs, and when it is touched again.

use super::platform::Reading;
use super::transient::{Estimate, Hypothesis, Mode, Point, Window, Workspace, average_windows};
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
    /// Readings are rounded to multiples of this, grams; 0 if they are as fine as the converter.
    #[serde(default)]
    pub quantum_g: f64,
}

/// Readings are kept for so long.
const HISTORY_S: f64 = 1.7;
/// No window is longer.
const WINDOW_MAX_S: f64 = 1.5;
/// Nor shorter when a load is told: less would not show a hand that keeps still between two pushes, nor a liquid.
const WINDOW_MIN_S: f64 = 0.4;
/// Nor does it hold fewer periods: else oscillation and trend are one.
const PERIODS_MIN: f64 = 1.8;
/// While nothing is told a window begins so often, ...
const BEGIN_S: f64 = 0.037;
/// ... and under a told load so often.
const BEGIN_TOLD_S: f64 = 0.3;
/// So many windows are averaged at most, ...
const WINDOWS_MAX: usize = 4;
/// ... those whose evidence is not below the best one's by more than a factor of e to this.
const RIVAL: f64 = 8.0;
/// How much a hand's force changes, grams.
const HAND_G: f64 = 40.0;
/// After windows were asked and knew too little they are asked again only after so many readings: asking is what costs.
const PAUSE: usize = 3;
/// A load is not told while a body leans on the plate with more than this probability.
const LEANING_MAX: f64 = 0.1;
/// What windows and models differ by counts each of them as if it knew nothing of the others; over all plates of the bench, hard
/// and plain, the sigma that follows is too wide by so much.
const OVERSTATED: f64 = 0.95;
/// Rounding to a quantum is a noise of so many quanta: one over the root of 12.
const ROUNDING: f64 = 0.288_675;
/// With fewer readings in a period of the plate ringing cannot be followed: only stillness counts.
const READINGS_MIN: f64 = 3.0;
/// After so long without a load, which is how a body leans, ...
const WEARY_S: f64 = 1.2;
/// ... windows are fitted on at every so many readings only.
const WEARY_STRIDE: usize = 3;
/// Of windows older than this ...
const OLD_S: f64 = 0.6;
/// ... only those are kept that begin so far apart.
const BEGIN_OLD_S: f64 = 0.14;
/// A load is told only when it is known so well, grams, platform's share and ringing together, or to so many times the noise if that is more.
const SIGMA_MAX_G: f64 = 3.0;
/// So many estimates in a row must agree before a load is told.
const AGREEING: usize = 4;
/// So many readings in a row must leave the level before a load counts as touched: one alone may be a spike.
const LEAVING: usize = 3;
/// A reading so many times the noise away from what is expected does not count until the next one confirms it.
const SPIKE_SIGMAS: f64 = 8.0;
/// So many readings may pass without a model that holds before a told load counts as touched.
const FAILING: usize = 8;
/// A told load that still rings is weighed again every so many readings.
const REVIEW: usize = 8;
/// After so long without a fit that holds, plain stillness is enough.
const PATIENCE_S: f64 = 1.6;
/// After so many seconds without a load, models may leave so many times what chance would: no plate is only what a model knows.
const TOLERANCES: [(f64, f64); 2] = [(1.2, 1.4), (2.0, 2.2)];
/// Stillness in so many readings at least.
const STILL_READINGS: f64 = 4.0;
/// Stillness of fine readings, longer because a body that leans keeps still for a moment when it turns back.
const STILL_FINE_S: f64 = 1.0;
/// Stillness over so long.
const STILL_S: f64 = 0.5;

#[derive(Clone, Debug)]
enum Phase {
    /// Nothing told, or what was told has been taken back.
    Moving { since: Mono, agreeing: usize, last: Option<Estimate>, pause: usize },
    /// A load is told while the plate still rings under it.
    Ringing { load: Load, failing: usize, leaving: usize, readings: usize },
    /// A load is told and the plate is still.
    Quiet { load: Load, leaving: usize },
}

/// A window that began at some reading and grows.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    at: Mono,
    window: Window,
}

/// Finds loads in a stream of readings.
#[derive(Clone, Debug)]
pub struct Settle {
    config: SettleConfig,
    history: VecDeque<Reading>,
    phase: Phase,
    /// Oldest first.
    anchors: Vec<Anchor>,
    /// A window as it was some readings ago: what has come since cannot have bent it.
    frozen: Option<Anchor>,
    /// Of one reading, rounding included.
    noise_g: f64,
    readings: usize,
    points: Vec<Point>,
    work: Workspace,
    hypotheses: Vec<Hypothesis>,
}

impl Settle {
    /// Nothing is known yet.
    pub fn new(config: SettleConfig) -> Self {
        Self {
            config,
            history: VecDeque::new(),
            phase: moving(Mono::default()),
            anchors: Vec::new(),
            noise_g: config.noise_g.hypot(config.quantum_g * ROUNDING).max(1e-3),
            frozen: None,
            readings: 0,
            points: Vec::new(),
            work: Workspace::default(),
            hypotheses: Vec::new(),
        }
    }

    /// Forgets everything: readings have been missed, so that nothing before holds.
    pub fn reset(&mut self, at: Mono) {
        self.history.clear();
        self.anchors.clear();
        self.phase = moving(at);
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
        self.readings = self.readings.wrapping_add(1);
        while self.history.front().is_some_and(|first| reading.at.seconds_since(first.at) > HISTORY_S) {
            self.history.pop_front();
        }
        let phase = std::mem::replace(&mut self.phase, moving(reading.at));
        let (phase, event) = match phase {
            Phase::Moving { since, agreeing, last, pause } => {
                self.while_moving(reading, since, (agreeing, last), pause)
            }
            Phase::Ringing { load, failing, leaving, readings } => {
                self.while_ringing(reading, load, failing, leaving, readings + 1)
            }
            Phase::Quiet { load, leaving } => self.while_quiet(reading, load, leaving),
        };
        self.phase = phase;
        event
    }

    fn while_moving(
        &mut self,
        reading: Reading,
        since: Mono,
        (agreeing, last): (usize, Option<Estimate>),
        pause: usize,
    ) -> (Phase, Option<SettleEvent>) {
        let coarse = self.is_coarse(reading.mass_g);
        let passed_over = reading.at.seconds_since(since) > WEARY_S && !self.readings.is_multiple_of(WEARY_STRIDE);
        if coarse || passed_over {
            return match self.still(reading.at, since, coarse) {
                Some(still) => self.told_still(reading.at, still),
                None => (Phase::Moving { since, agreeing, last, pause }, None),
            };
        }
        self.follow(reading, since, BEGIN_S);
        let asked = pause == 0;
        let (estimate, refused) = if asked { self.estimate(reading.at) } else { (None, false) };
        let agrees = |e: &Estimate| last.is_none_or(|l| (l.mass_g - e.mass_g).abs() <= 2.0 * l.sigma_g.max(e.sigma_g));
        let agreeing = match &estimate {
            Some((e, _)) if agrees(e) => agreeing + 1,
            Some(_) => 1,
            None => 0,
        };
        if let Some((estimate, from)) = estimate
            && agreeing >= AGREEING
        {
            let load = self.make_load(estimate.mass_g, OVERSTATED * estimate.sigma_g, reading.at, from);
            return (self.told(load), Some(SettleEvent::Settled(load)));
        }
        let pause = if refused { PAUSE } else { pause.saturating_sub(1) };
        (Phase::Moving { since, agreeing, last: estimate.map(|(e, _)| e), pause }, None)
    }

    fn told_still(&self, at: Mono, (mass_g, sigma_g): (f64, f64)) -> (Phase, Option<SettleEvent>) {
        let load = self.make_load(mass_g, sigma_g, at, at.minus_ms((STILL_S * 1000.0) as u64));
        (Phase::Quiet { load, leaving: 0 }, Some(SettleEvent::Settled(load)))
    }

    fn told(&mut self, load: Load) -> Phase {
        self.anchors.retain(|a| a.at == load.untouched_since);
        self.frozen = self.anchors.first().copied();
        Phase::Ringing { load, failing: 0, leaving: 0, readings: 0 }
    }

    fn while_ringing(
        &mut self,
        reading: Reading,
        load: Load,
        failing: usize,
        leaving: usize,
        readings: usize,
    ) -> (Phase, Option<SettleEvent>) {
        let expected = self.frozen.and_then(|a| a.window.at(reading.at.seconds_since(a.at)));
        let surprise = expected.is_some_and(|(value_g, _)| (reading.mass_g - value_g).abs() > 4.0 * self.noise_g);
        let far = expected.is_some_and(|(value_g, _)| (reading.mass_g - value_g).abs() > SPIKE_SIGMAS * self.noise_g);
        if far && leaving == 0 {
            // A spike, or the first of a touch: the next one tells, and is enough.
            self.history.pop_back();
            return (Phase::Ringing { load, failing, leaving: 1, readings }, None);
        }
        let leaving = if surprise { leaving + 1 } else { leaving.saturating_sub(1) };
        self.follow(reading, load.untouched_since, BEGIN_TOLD_S);
        let Some(best) = self.anchors.iter().find(|a| a.window.holds()).copied() else {
            return if failing + 1 >= FAILING || leaving >= LEAVING {
                self.touched(reading.at)
            } else {
                (Phase::Ringing { load, failing: failing + 1, leaving, readings }, None)
            };
        };
        if leaving >= LEAVING {
            return self.touched(reading.at);
        }
        let (age_s, amplitude_g) = (
            reading.at.seconds_since(best.at),
            best.window.at(reading.at.seconds_since(best.at)).map_or(0.0, |(_, amplitude_g)| amplitude_g),
        );
        if readings.is_multiple_of(REVIEW) && leaving == 0 {
            self.frozen = Some(best);
        }
        if readings.is_multiple_of(REVIEW)
            && let (Some((estimate, _)), _) = self.estimate(reading.at)
        {
            let moved_g = (estimate.mass_g - load.mass.g()).abs();
            if moved_g > (4.0 * estimate.sigma_g.hypot(load.sigma.g())).max(3.0) {
                return self.touched(reading.at);
            }
        }
        if age_s > 0.6 && amplitude_g < 1.5 * self.noise_g {
            self.anchors.clear();
            return (Phase::Quiet { load, leaving: 0 }, None);
        }
        (Phase::Ringing { load, failing: 0, leaving, readings }, None)
    }

    fn while_quiet(&mut self, reading: Reading, load: Load, leaving: usize) -> (Phase, Option<SettleEvent>) {
        let limit_g = (7.0 * self.noise_g).max(4.0 * load.sigma.g()).max(10.0);
        let leaving = if (reading.mass_g - load.mass.g()).abs() > limit_g { leaving + 1 } else { 0 };
        if leaving == 1 {
            self.history.pop_back();
        }
        let drifted = mean(self.since(reading.at.minus_ms(500)).map(|r| r.mass_g))
            .is_some_and(|m| (m - load.mass.g()).abs() > (5.0 * load.sigma.g()).max(limit_g));
        if leaving >= LEAVING || drifted {
            return self.touched(reading.at);
        }
        (Phase::Quiet { load, leaving }, None)
    }

    fn touched(&mut self, at: Mono) -> (Phase, Option<SettleEvent>) {
        self.anchors.clear();
        // The readings that gave it away belong to the touch.
        (moving(at.minus_ms(40)), Some(SettleEvent::Disturbed { at }))
    }

    /// Lets the windows grow by the newest reading, begins new ones and ends those that nothing explains.
    fn follow(&mut self, reading: Reading, since: Mono, begin_s: f64) {
        let mut anchors = std::mem::take(&mut self.anchors);
        let waiting_s = reading.at.seconds_since(since);
        let tolerance = TOLERANCES.iter().rev().find(|(after_s, _)| waiting_s >= *after_s).map_or(1.0, |(_, t)| *t);
        let belief = self.mode(self.live_g().unwrap_or(reading.mass_g));
        for anchor in &mut anchors {
            let mut points = std::mem::take(&mut self.points);
            points.clear();
            points.extend(self.since(anchor.at).map(|r| (r.at.seconds_since(anchor.at), r.mass_g)));
            anchor.window.follow(&points, belief, self.noise_g, tolerance, &mut self.work);
            self.points = points;
        }
        anchors.retain(|a| !a.window.is_hopeless() && reading.at.seconds_since(a.at) <= WINDOW_MAX_S);
        if anchors.last().is_none_or(|a| reading.at.seconds_since(a.at) >= begin_s) && reading.at >= since {
            anchors.push(Anchor { at: reading.at, window: Window::default() });
        }
        // Old windows that begin close together say the same.
        let mut before: Option<Mono> = None;
        anchors.retain(|a| {
            let old = reading.at.seconds_since(a.at) > OLD_S;
            let near = before.is_some_and(|b| a.at.seconds_since(b) < BEGIN_OLD_S);
            if !(old && near) {
                before = Some(a.at);
            }
            !(old && near)
        });
        self.anchors = anchors;
    }

    /// What the windows that hold say together, if the likeliest is long enough and they know enough, and where that one begins; and
    /// whether they were asked and know too little.
    fn estimate(&mut self, now: Mono) -> (Option<(Estimate, Mono)>, bool) {
        let mut chosen = [(0.0, Mono::default()); WINDOWS_MAX];
        let Some((from, count)) = self.choose(now, &mut chosen) else { return (None, false) };
        let mut windows = [(0.0, Estimate { mass_g: 0.0, sigma_g: 0.0, leaning: 0.0, ln_evidence: 0.0 }); WINDOWS_MAX];
        let mut known = 0;
        let mut points = std::mem::take(&mut self.points);
        for (ln_prior, at) in &chosen[..count] {
            let Some(anchor) = self.anchors.iter().find(|a| a.at == *at) else { continue };
            points.clear();
            points.extend(self.since(anchor.at).map(|r| (r.at.seconds_since(anchor.at), r.mass_g)));
            let estimate = anchor.window.estimate(&points, self.noise_g, &mut self.work, &mut self.hypotheses);
            if let Some(estimate) = estimate {
                windows[known] = (*ln_prior, estimate);
                known += 1;
            }
        }
        self.points = points;
        let share_g = self.config.sigma_g;
        let limit_g =
            (SIGMA_MAX_G.powi(2) - share_g.powi(2)).max(0.0).sqrt().max(0.5 * SIGMA_MAX_G).max(0.7 * self.noise_g);
        let estimate = average_windows(&windows[..known]);
        let enough = estimate.filter(|e| e.sigma_g <= limit_g && e.leaning < LEANING_MAX).map(|e| (e, from));
        (enough, enough.is_none())
    }

    /// The windows worth averaging, each as its weight's logarithm besides its evidence and its beginning; where the likeliest begins
    /// and how many there are. `None` if that one is still too short.
    fn choose(&self, now: Mono, chosen: &mut [(f64, Mono); WINDOWS_MAX]) -> Option<(Mono, usize)> {
        let mass_g = self.anchors.iter().find(|a| a.window.holds())?.window.mass_g()?;
        // A window that explains more samples is likelier: what came before it was a hand, which says little of itself.
        let per_s = self.surprise(mass_g) / self.interval_s()?;
        let ln_prior = |a: &Anchor| per_s * now.seconds_since(a.at);
        let rough = |a: &Anchor| ln_prior(a) + a.window.ln_evidence();
        let holding = || self.anchors.iter().filter(|a| a.window.holds());
        let likeliest = holding().max_by(|a, b| rough(a).total_cmp(&rough(b)))?;
        if now.seconds_since(likeliest.at) < self.window_s(mass_g) + likeliest.window.longer_s() {
            return None;
        }
        let mut count = 0;
        for (slot, rival) in chosen.iter_mut().zip(holding().filter(|a| rough(a) > rough(likeliest) - RIVAL)) {
            *slot = (ln_prior(rival), rival.at);
            count += 1;
        }
        Some((likeliest.at, count))
    }

    /// By how much the logarithm of a sample's likelihood falls when it is a hand that made it: a hand's force shows the less in one
    /// interval, the slower the plate is.
    fn surprise(&self, mass_g: f64) -> f64 {
        let turn = std::f64::consts::TAU * self.mode(mass_g).frequency_hz * self.interval_s().unwrap_or(0.0125);
        (1.0 + HAND_G * turn * turn / self.noise_g).ln()
    }

    /// Mean time between readings.
    fn interval_s(&self) -> Option<f64> {
        let (first, last) = (self.history.front()?, self.history.back()?);
        let count = self.history.len().checked_sub(1).filter(|n| *n > 0)?;
        Some(last.at.seconds_since(first.at) / count as f64)
    }

    /// A spring carries what stands on it: the heavier, the slower.
    fn mode(&self, mass_g: f64) -> Mode {
        let c = &self.config;
        let ratio = (c.reference_mass_g + c.dead_mass_g) / (mass_g.max(0.0) + c.dead_mass_g);
        Mode { frequency_hz: c.frequency_hz * ratio.sqrt(), damping_ratio: c.damping_ratio }
    }

    fn window_s(&self, mass_g: f64) -> f64 {
        WINDOW_MIN_S.max(PERIODS_MIN / self.mode(mass_g).frequency_hz).min(WINDOW_MAX_S - 0.1)
    }

    /// Whether readings come too seldom to see the plate ring, as those of a finished scale do.
    fn is_coarse(&self, mass_g: f64) -> bool {
        self.interval_s().is_none_or(|dt| dt * READINGS_MIN * self.mode(mass_g).frequency_hz > 1.0)
    }

    /// The classic criterion: a range and a slope that only rest has. The only one for coarse readings, a safety net for fine ones.
    fn still(&self, now: Mono, since: Mono, coarse: bool) -> Option<(f64, f64)> {
        let still_s = if coarse { STILL_S } else { STILL_FINE_S };
        let from = now.minus_ms((still_s * 1000.0) as u64);
        let patience_s = if coarse { STILL_S } else { PATIENCE_S };
        if now.seconds_since(since) < patience_s || self.history.front()?.at > from.plus_ms(20) {
            return None;
        }
        let (mut low, mut high, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for r in self.since(from) {
            low = low.min(r.mass_g);
            high = high.max(r.mass_g);
            count += 1.0;
        }
        let halfway = now.minus_ms((still_s * 500.0) as u64);
        let early = mean(self.since(from).take_while(|r| r.at < halfway).map(|r| r.mass_g))?;
        let late = mean(self.since(halfway).map(|r| r.mass_g))?;
        let range_g = if coarse { (6.0 * self.noise_g).max(1.01 * self.config.quantum_g) } else { 12.0 * self.noise_g };
        let at_rest = high - low <= range_g && (late - early).abs() <= 1.5 * self.noise_g;
        // A rounded reading that does not move is no better for being repeated.
        let floor_g = (self.config.quantum_g * ROUNDING).hypot(self.noise_g / f64::max(count, 1.0).sqrt());
        let sigma_g = if coarse { floor_g } else { ((high - low) / 6.0).max(self.noise_g) };
        (at_rest && count >= STILL_READINGS).then_some((0.5 * (early + late), sigma_g))
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

fn moving(since: Mono) -> Phase {
    Phase::Moving { since, agreeing: 0, last: None, pause: 0 }
}

#[cfg(test)]
mod tests;
