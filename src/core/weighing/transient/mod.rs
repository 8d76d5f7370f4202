//! Reading the end of a ringing before it has ended: what a window of samples says of the mass it will come to rest at.

mod dense;
mod slow;
mod waves;

pub use waves::{Point, Workspace};

pub use slow::Hypothesis;
use waves::{Model, Pass, Wave, WaveBelief, project};

/// How the plate is believed to ring with what stands on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Frequency in hertz.
    pub frequency_hz: f64,
    /// Share of critical damping, 0..1.
    pub damping_ratio: f64,
}

/// What a window says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Where it will come to rest, grams.
    pub mass_g: f64,
    /// Uncertainty of that, 1 sigma in grams: noise, unknown ringing, and which of the models is true.
    pub sigma_g: f64,
    /// How likely it is that something slow is at work, 0..=1.
    pub slow: f64,
    /// Logarithm of the window's evidence, up to a constant for each sample.
    pub ln_evidence: f64,
}

/// Fewer samples are no window.
pub const POINTS_MIN: usize = 10;
/// Relative spread of a plate's frequency around its belief: loads are not where the model thinks, feet are soft.
const FREQUENCY_SPREAD: f64 = 0.12;
/// Spread of the damping's logarithm around its belief.
const DAMPING_SPREAD: f64 = 0.6;
const FREQUENCY_STEPS: [f64; 9] = [0.76, 0.82, 0.88, 0.94, 1.0, 1.06, 1.12, 1.18, 1.24];
const DAMPING_STEPS: [f64; 3] = [0.5, 1.0, 2.0];
/// Size of the first mode's parts, 1 sigma in grams: anything.
const FIRST_G: f64 = 3000.0;
/// Of a second mode's or a floor tone's.
const SECOND_G: f64 = 100.0;
/// Of a slow wave's.
const SLOW_G: f64 = 40.0;
/// Where a second wave is looked for, as multiples of the first's frequency.
const SECOND_RATIOS: [f64; 20] =
    [0.5, 0.6, 0.7, 0.8, 1.3, 1.4, 1.51, 1.63, 1.76, 1.9, 2.05, 2.21, 2.39, 2.58, 2.79, 3.01, 3.25, 3.51, 3.8, 4.1];
/// How likely a second wave is before anything is seen.
const SECOND_PRIOR: f64 = 0.15;
/// A level of the model needs so many samples more than unknowns.
const SPARE: usize = 6;
/// Richer models than the first are tried at every so many samples, until one holds.
const RETRY: usize = 4;
/// So many standard deviations of the misfit are still chance.
const MISFIT_SIGMAS: f64 = 4.0;
/// The idle noise is believed as if measured by so many samples.
const NOISE_SAMPLES: f64 = 80.0;

/// Which waves a model has besides the first mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    First,
    Second,
    Slow,
    Both,
}

/// The fits of one growing window.
#[derive(Clone, Debug)]
pub struct Window {
    models: [Option<Model>; 4],
    holds: Option<Level>,
    hopeless: bool,
    chi2: f64,
    freedom: f64,
    ln_evidence: f64,
    tolerance: f64,
}

impl Window {
    /// Nothing fitted yet.
    pub fn new() -> Self {
        Self {
            models: [None; 4],
            holds: None,
            hopeless: false,
            chi2: 0.0,
            freedom: 0.0,
            ln_evidence: f64::NEG_INFINITY,
            tolerance: 1.0,
        }
    }

    /// Whether one of the models explains the window as of the last [`Self::follow`].
    pub fn holds(&self) -> bool {
        self.holds.is_some()
    }

    /// Whether no model will ever explain it.
    pub fn is_hopeless(&self) -> bool {
        self.hopeless
    }

    /// The model that holds.
    fn model(&self) -> Option<&Model> {
        self.models[self.holds? as usize].as_ref()
    }

    /// How much longer than one with the first mode alone the window must be for what it says to be told, seconds: a rich model can
    /// also be bent to a hand.
    pub fn longer_s(&self) -> f64 {
        match self.holds {
            None | Some(Level::First) => 0.0,
            Some(Level::Second) => 0.06,
            Some(Level::Slow | Level::Both) => 0.2,
        }
    }

    /// Logarithm of the evidence of the model that holds, up to a constant for each sample.
    pub fn ln_evidence(&self) -> f64 {
        self.ln_evidence
    }

    /// Mass of the model that holds, without averaging over others, grams.
    pub fn mass_g(&self) -> Option<f64> {
        self.model().map(|m| m.mass_g)
    }

    /// Value and amplitude at `t` seconds after the window's start under the model that holds, grams.
    pub fn at(&self, t: f64) -> Option<(f64, f64)> {
        self.model().map(|m| (m.value_g(t), m.amplitude_g(t)))
    }

    /// Takes in the samples that have come: the simplest model that explains all of them.
    ///
    /// `tolerance` (1 or more) is by how much more than chance a model may leave.
    pub fn follow(&mut self, points: &[Point], belief: Mode, noise_g: f64, tolerance: f64, work: &mut Workspace) {
        self.tolerance = tolerance;
        let before = self.holds.take();
        if points.len() < POINTS_MIN {
            return;
        }
        if self.try_level(Level::First, points, belief, noise_g, work) {
            return;
        }
        // A hand makes all of them fail; richer models are not tried on it at every sample.
        let was_rich = before.is_some_and(|level| level > Level::First);
        if self.hopeless || (!was_rich && !points.len().is_multiple_of(RETRY)) {
            return;
        }
        let second = self.try_level(Level::Second, points, belief, noise_g, work);
        let seconds = (self.chi2, self.freedom, self.ln_evidence);
        if self.try_level(Level::Slow, points, belief, noise_g, work) {
            if second && seconds.2 > self.ln_evidence {
                (self.chi2, self.freedom, self.ln_evidence) = seconds;
                self.holds = Some(Level::Second);
            }
            return;
        }
        if second {
            (self.chi2, self.freedom, self.ln_evidence) = seconds;
            self.holds = Some(Level::Second);
            return;
        }
        if !self.try_level(Level::Both, points, belief, noise_g, work) && points.len() > 13 + SPARE + 6 {
            self.hopeless = true;
        }
    }

    /// Fits a level on; true if it holds.
    fn try_level(&mut self, level: Level, points: &[Point], belief: Mode, noise_g: f64, work: &mut Workspace) -> bool {
        let index = level as usize;
        let known = self.models[index].is_some();
        let Some(mut model) = self.models[index].or_else(|| self.begin(level, points, belief, noise_g, work)) else {
            return false;
        };
        let order = model.order();
        if level != Level::First && points.len() < order + SPARE {
            return false;
        }
        let freedom = (points.len() as f64 - order as f64).max(1.0);
        let limit = self.tolerance * freedom * (1.0 + MISFIT_SIGMAS * (2.0 / freedom).sqrt());
        let (mut least, mut ln_evidence) = (f64::INFINITY, f64::NEG_INFINITY);
        for _ in 0..if known { 2 } else { 5 } {
            let Some(pass) = model.pass(points, noise_g, work) else {
                self.models[index] = None;
                return false;
            };
            model = model.stepped(&pass.step);
            let settled = pass.chi2 > least - 0.05 || (known && pass.chi2 < limit);
            (least, ln_evidence) = (pass.chi2, pass.ln_evidence);
            if settled {
                break;
            }
        }
        self.models[index] = Some(model);
        let holds = least <= limit;
        if holds {
            (self.chi2, self.freedom, self.holds) = (least, freedom, Some(level));
            self.ln_evidence = ln_evidence;
        } else if least > 3.0 * limit && points.len() > 24 {
            // A start that led nowhere is tried afresh.
            self.models[index] = None;
        }
        holds
    }

    fn begin(&self, level: Level, points: &[Point], belief: Mode, noise_g: f64, work: &mut Workspace) -> Option<Model> {
        let first = self.models[Level::First as usize];
        match level {
            Level::First => begin_first(points, belief),
            Level::Second => begin_second(&first?, points, noise_g, work),
            Level::Slow => begin_slow(&first?, points, noise_g, work),
            Level::Both => {
                let second = self.models[Level::Second as usize]?;
                begin_slow(&second, points, noise_g, work)
            }
        }
    }

    /// Averages over everything the window may be; needs [`Self::holds`].
    pub fn estimate(
        &self,
        points: &[Point],
        noise_g: f64,
        work: &mut Workspace,
        hypotheses: &mut Vec<Hypothesis>,
    ) -> Option<Estimate> {
        let level = self.holds?;
        let model = self.model()?;
        hypotheses.clear();
        let fast = match level {
            Level::First | Level::Slow => 1,
            Level::Second | Level::Both => 2,
        };
        let base = model.only(fast);
        if let Some(pass) = base.pass(points, noise_g, work) {
            let prior = if fast == 1 { 1.0 - SECOND_PRIOR } else { SECOND_PRIOR };
            slow::hypotheses(points, &base, &pass, noise_g, prior.ln(), work, hypotheses);
        }
        if fast == 1
            && points.len() >= 9 + SPARE
            && let Some(mut other) = begin_second(&base, points, noise_g, work)
        {
            let mut last: Option<Pass> = None;
            for _ in 0..2 {
                let pass = other.pass(points, noise_g, work)?;
                other = other.stepped(&pass.step);
                last = Some(pass);
            }
            if last.is_some()
                && let Some(pass) = other.pass(points, noise_g, work)
            {
                slow::hypotheses(points, &other, &pass, noise_g, SECOND_PRIOR.ln(), work, hypotheses);
            }
        }
        // With tolerance for what no model explains, what is left counts in full.
        let scale = ((NOISE_SAMPLES + self.chi2) / (NOISE_SAMPLES + self.freedom)).max(if self.tolerance > 1.0 {
            self.chi2 / self.freedom
        } else {
            0.0
        });
        average(hypotheses, scale)
    }
}

fn average(hypotheses: &[Hypothesis], scale: f64) -> Option<Estimate> {
    let highest = hypotheses.iter().map(|h| h.ln_weight).fold(f64::NEG_INFINITY, f64::max);
    let (mut total, mut mean, mut slow) = (0.0, 0.0, 0.0);
    for h in hypotheses {
        let weight = (h.ln_weight - highest).exp();
        total += weight;
        mean += weight * h.mass_g;
        slow += if h.slow { weight } else { 0.0 };
    }
    mean /= total;
    let variance: f64 = hypotheses
        .iter()
        .map(|h| (h.ln_weight - highest).exp() * (scale * h.variance + (h.mass_g - mean).powi(2)))
        .sum::<f64>()
        / total;
    let estimate =
        Estimate { mass_g: mean, sigma_g: variance.sqrt(), slow: slow / total, ln_evidence: highest + total.ln() };
    (estimate.mass_g.is_finite() && estimate.sigma_g.is_finite()).then_some(estimate)
}

/// Averages windows that begin at different moments, of which each has a weight besides its evidence.
pub fn average_windows(windows: &[(f64, Estimate)]) -> Option<Estimate> {
    let ln_weight = |(ln_prior, e): &(f64, Estimate)| ln_prior + e.ln_evidence;
    let highest = windows.iter().map(ln_weight).fold(f64::NEG_INFINITY, f64::max);
    let weights = || windows.iter().map(|w| ((ln_weight(w) - highest).exp(), &w.1));
    let total: f64 = weights().map(|(w, _)| w).sum();
    let mean = weights().map(|(w, e)| w * e.mass_g).sum::<f64>() / total;
    let variance = weights().map(|(w, e)| w * (e.sigma_g.powi(2) + (e.mass_g - mean).powi(2))).sum::<f64>() / total;
    let slow = weights().map(|(w, e)| w * e.slow).sum::<f64>() / total;
    let ln_evidence = highest + total.ln();
    (mean.is_finite() && variance.is_finite()).then_some(Estimate {
        mass_g: mean,
        sigma_g: variance.sqrt(),
        slow,
        ln_evidence,
    })
}

/// The best frequency and damping of a coarse grid.
fn begin_first(points: &[Point], belief: Mode) -> Option<Model> {
    let origin_g = points.last()?.1;
    let left: Vec<f64> = points.iter().map(|p| p.1 - origin_g).collect();
    let mut best: Option<(f64, Wave, f64)> = None;
    for f in FREQUENCY_STEPS {
        for z in DAMPING_STEPS {
            let wave = Wave {
                cos_g: 0.0,
                sin_g: 0.0,
                ln_f: (belief.frequency_hz * f).ln(),
                ln_zeta: (belief.damping_ratio * z).min(0.6).ln(),
            };
            let Some((gain, [mass_g, cos_g, sin_g])) = project(points, &left, &wave) else { continue };
            if best.is_none_or(|(most, ..)| gain > most) {
                best = Some((gain, Wave { cos_g, sin_g, ..wave }, mass_g));
            }
        }
    }
    let (_, wave, mass_g) = best?;
    let believed = WaveBelief {
        amplitude_g: FIRST_G,
        ln_f: (belief.frequency_hz.ln(), FREQUENCY_SPREAD),
        ln_zeta: (belief.damping_ratio.ln(), DAMPING_SPREAD),
    };
    Some(Model::still(origin_g + mass_g).with(wave, believed))
}

/// A second wave where the first leaves most.
fn begin_second(first: &Model, points: &[Point], noise_g: f64, work: &mut Workspace) -> Option<Model> {
    first.pass(points, noise_g, work)?;
    let span_s = points.last()?.0;
    let highest_hz = 0.45 * (points.len() as f64 - 1.0) / span_s;
    let first_hz = first.waves[0].ln_f.exp();
    let frequencies = SECOND_RATIOS.iter().map(|r| r * first_hz).filter(|hz| *hz < highest_hz && *hz > 1.2 / span_s);
    let (wave, mass_g) = strongest(points, &work.left, frequencies)?;
    let belief =
        WaveBelief { amplitude_g: SECOND_G, ln_f: ((2.0 * first_hz).ln(), 0.6), ln_zeta: (0.04_f64.ln(), 0.6) };
    let mut model = first.with(wave, belief);
    model.mass_g += mass_g;
    Some(model)
}

/// A slow wave where the others leave most.
fn begin_slow(fast: &Model, points: &[Point], noise_g: f64, work: &mut Workspace) -> Option<Model> {
    fast.pass(points, noise_g, work)?;
    let span_s = points.last()?.0;
    let first_hz = fast.waves[0].ln_f.exp();
    let frequencies = slow::frequencies(first_hz).filter(|hz| *hz * span_s > 0.4);
    let (wave, mass_g) = strongest(points, &work.left, frequencies)?;
    let belief = WaveBelief { amplitude_g: SLOW_G, ln_f: (1.7_f64.ln(), 0.5), ln_zeta: (0.035_f64.ln(), 0.5) };
    let mut model = fast.with(wave, belief);
    model.mass_g += mass_g;
    Some(model)
}

fn strongest(points: &[Point], left: &[f64], frequencies: impl Iterator<Item = f64>) -> Option<(Wave, f64)> {
    let mut best: Option<(f64, Wave, f64)> = None;
    for hz in frequencies {
        let wave = Wave { cos_g: 0.0, sin_g: 0.0, ln_f: hz.ln(), ln_zeta: 0.04_f64.ln() };
        let Some((gain, [mass_g, cos_g, sin_g])) = project(points, left, &wave) else { continue };
        if best.is_none_or(|(most, ..)| gain > most) {
            best = Some((gain, Wave { cos_g, sin_g, ..wave }, mass_g));
        }
    }
    best.map(|(_, wave, mass_g)| (wave, mass_g))
}
