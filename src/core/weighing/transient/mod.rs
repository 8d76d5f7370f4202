//! Reading the end of a ringing before it has ended: what a window of samples says of the mass it will come to rest at.

mod dense;
mod slow;
mod waves;

pub use waves::{Point, Workspace};

pub use slow::Hypothesis;
use waves::{Model, Wave, WaveBelief, project};

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
    /// How likely it is that something is at work that is too slow for a liquid: a body that leans. 0..=1.
    pub leaning: f64,
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
const SECOND_PRIOR: f64 = 0.1;
/// A model whose evidence is below another's by a factor of e to this does not count.
const NEGLIGIBLE: f64 = 8.0;
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
#[derive(Clone, Copy, Debug)]
pub struct Window {
    models: [Option<Model>; 4],
    holds: Option<Level>,
    hopeless: bool,
    chi2: f64,
    freedom: f64,
    ln_evidence: f64,
    tolerance: f64,
}

impl Default for Window {
    /// Nothing fitted yet.
    fn default() -> Self {
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
}

impl Window {
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
        // Richer models cost more: all of them are tried only now and then, else the one that held.
        if self.hopeless {
            return;
        }
        if !points.len().is_multiple_of(RETRY) {
            match before {
                None | Some(Level::First) => return,
                Some(rich) if self.try_level(rich, points, belief, noise_g, work) => return,
                Some(_) => {}
            }
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
            let mut pass = other.pass(points, noise_g, work)?;
            for _ in 0..2 {
                other = other.stepped(&pass.step);
                pass = other.pass(points, noise_g, work)?;
            }
            let likeliest = hypotheses.iter().map(|h| h.ln_weight).fold(f64::NEG_INFINITY, f64::max);
            if SECOND_PRIOR.ln() + pass.ln_evidence > likeliest - NEGLIGIBLE {
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
    let (mut total, mut mean, mut leaning) = (0.0, 0.0, 0.0);
    for h in hypotheses {
        let weight = (h.ln_weight - highest).exp();
        total += weight;
        mean += weight * h.mass_g;
        leaning += if h.slow_hz.is_some_and(|hz| hz < slow::LIQUID_HZ) { weight } else { 0.0 };
    }
    mean /= total;
    let variance: f64 = hypotheses
        .iter()
        .map(|h| (h.ln_weight - highest).exp() * (scale * h.variance + (h.mass_g - mean).powi(2)))
        .sum::<f64>()
        / total;
    let estimate = Estimate {
        mass_g: mean,
        sigma_g: variance.sqrt(),
        leaning: leaning / total,
        ln_evidence: highest + total.ln(),
    };
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
    let leaning = weights().map(|(w, e)| w * e.leaning).sum::<f64>() / total;
    let ln_evidence = highest + total.ln();
    (mean.is_finite() && variance.is_finite()).then_some(Estimate {
        mass_g: mean,
        sigma_g: variance.sqrt(),
        leaning,
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    const BELIEF: Mode = Mode { frequency_hz: 10.0, damping_ratio: 0.06 };

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

    fn wave(t: f64, amplitude: f64, f: f64, zeta: f64) -> f64 {
        amplitude * (-TAU * f * zeta * t).exp() * (TAU * f * t + 0.6).cos()
    }

    /// The window grown sample by sample as settling does it, with 1 g of noise.
    fn window(seconds: f64, noise: &mut Noise, truth: impl Fn(f64) -> f64) -> (Window, Option<Estimate>) {
        let (mut window, mut work) = (Window::default(), Workspace::default());
        let points: Vec<Point> =
            (0..(seconds * 80.0) as usize).map(|i| i as f64 / 80.0).map(|t| (t, truth(t) + noise.next())).collect();
        for count in 1..=points.len() {
            window.follow(&points[..count], BELIEF, 1.0, 1.0, &mut work);
        }
        let estimate = window.estimate(&points, 1.0, &mut work, &mut Vec::new());
        (window, estimate)
    }

    #[test]
    fn the_end_of_a_ringing_is_known_with_an_honest_sigma() {
        let mut noise = Noise(7);
        let (mut within_one, mut within_two, runs) = (0, 0, 300);
        for run in 0..runs {
            let f = 9.2 + 0.04 * f64::from(run % 40);
            let (_, estimate) = window(0.45, &mut noise, |t| 5312.0 + wave(t, 400.0, f, 0.05));
            let estimate = estimate.unwrap();
            let error = (estimate.mass_g - 5312.0).abs();
            assert!(error < 6.0 * estimate.sigma_g && estimate.sigma_g < 1.5, "{estimate:?}");
            within_one += i32::from(error < estimate.sigma_g);
            within_two += i32::from(error < 2.0 * estimate.sigma_g);
        }
        let share = |n: i32| f64::from(n) / f64::from(runs);
        assert!((0.60..0.82).contains(&share(within_one)), "{}", share(within_one));
        assert!(share(within_two) > 0.92, "{}", share(within_two));
    }

    #[test]
    fn a_second_mode_and_a_sloshing_liquid_are_seen_through() {
        let mut noise = Noise(11);
        for run in 0..30 {
            let slosh = 1.2 + 0.05 * f64::from(run);
            let truth =
                |t: f64| 800.0 + wave(t, 500.0, 9.6, 0.04) + wave(t, 90.0, 21.0, 0.03) + wave(t, 12.0, slosh, 0.03);
            let (_, estimate) = window(0.9, &mut noise, truth);
            let estimate = estimate.unwrap();
            let error = (estimate.mass_g - 800.0).abs();
            assert!(error < 4.0 * estimate.sigma_g && estimate.sigma_g < 6.0, "{slosh} Hz: {estimate:?}");
        }
    }

    #[test]
    fn a_hand_that_changes_its_mind_is_no_ringing() {
        // Steps of 100 g every 60 ms under an 8 Hz wave: no sum of three damped waves.
        let hand = |t: f64| 300.0 * ((t / 0.06).floor() * 2.399).sin();
        let (window, estimate) = window(0.7, &mut Noise(3), |t| 5000.0 + hand(t) + wave(t, 60.0, 8.0, 0.05));
        assert!(!window.holds() && estimate.is_none());
    }

    #[test]
    fn a_slope_is_a_body_that_leans() {
        let (_, estimate) = window(0.8, &mut Noise(5), |t| 1000.0 + 80.0 * t + wave(t, 200.0, 10.0, 0.05));
        assert!(estimate.is_none_or(|e| e.leaning > 0.2 || e.sigma_g > 3.0), "{estimate:?}");
    }

    #[test]
    fn too_few_samples_and_no_numbers_hold_nothing() {
        let (window_short, _) = window(0.1, &mut Noise(1), |_| 100.0);
        assert!(!window_short.holds());
        let (window_nan, estimate) = window(0.5, &mut Noise(1), |_| f64::NAN);
        assert!(!window_nan.holds() && estimate.is_none());
    }
}
