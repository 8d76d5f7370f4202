//! What one visit says, whichever of its goods it is said to.

use super::belief::Belief;
use super::cut::Cut;
use super::equation::Confirmed;
use crate::goods::product::WeightSource;

/// Student's degrees of freedom of what visits are off by: tails of bags, batches and unnoticed errors.
const TAILS: f64 = 8.0;
/// Further off than this, in sigma, something else has happened than what is learned here.
const ABSURD_SIGMAS: f64 = 6.0;
/// Only what lies within so many sigma tells of spreads. Tails belong to them: a judge that is told the core alone stops honest baskets.
const SPREAD_SIGMAS: f64 = 3.5;
/// Each visit makes the mean less sure by this share of the unit variance: batches and slow drift are followed.
const DRIFT: f64 = 1.0 / 4000.0;
/// The spread remembers so many single weighings' worth.
const SPREAD_MEMORY: f64 = 400.0;
/// One visit changes a unit variance by this share at most.
const SPREAD_STEP: f64 = 0.2;
/// Unit variances stay within these factors of what was believed at first.
const SPREAD_RANGE: (f64, f64) = (0.02, 16.0);
/// A variance of the mean below this share of the first one makes a belief a learned one.
const LEARNED_BELOW: f64 = 0.5;

/// What one visit says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lesson {
    /// Sigma of the whole, grams.
    pub sigma_g: f64,
    /// How far off it was, in sigma.
    pub z: f64,
    /// What of a Gaussian could have been seen.
    pub cut: Cut,
    /// How much it counts, 0..=1 and a little.
    pub counts: f64,
    /// The cut within what tells of spreads, where it tells of them.
    inner: Option<Cut>,
    weighed: bool,
}

impl Lesson {
    /// Of a visit by what is believed now: `expected_g` and `variance_g2` of the whole.
    pub fn new(confirmed: Confirmed, measured_g: f64, expected_g: f64, variance_g2: f64) -> Self {
        let sigma_g = variance_g2.sqrt();
        let z = (measured_g - expected_g) / sigma_g;
        // What passed lay within the limits, whatever they are thought to be now.
        let (low, high) = match confirmed {
            Confirmed::Passed { low_g, high_g } => {
                (((low_g - expected_g) / sigma_g).min(z), ((high_g - expected_g) / sigma_g).max(z))
            }
            Confirmed::Approved | Confirmed::Unchosen | Confirmed::Weighed => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let cut = Cut::new(low, high);
        let u = z - cut.mean;
        let counts = if u.abs() > ABSURD_SIGMAS { 0.0 } else { (TAILS + 1.0) / (TAILS + u * u) };
        let tells = confirmed != Confirmed::Approved && z.abs() <= SPREAD_SIGMAS;
        let inner = tells.then(|| Cut::new(low.max(-SPREAD_SIGMAS), high.min(SPREAD_SIGMAS)));
        Self { sigma_g, z, cut, counts, inner, weighed: confirmed == Confirmed::Weighed }
    }

    /// A Kalman step with a bounded score; `grant` says how much of it may come true. A mean moves by no more than what it is unsure by.
    pub fn teach_mean(&self, belief: &mut Belief, n: f64, grant: impl FnOnce(&Belief, f64) -> f64) {
        let gain = n * belief.mean_variance_g2 / self.sigma_g;
        let most_g = belief.mean_variance_g2.sqrt();
        let wish_g = (gain * self.counts * (self.z - self.cut.mean)).clamp(-most_g, most_g);
        let granted = if self.weighed { 1.0 } else { grant(belief, wish_g) };
        let counts = (granted * self.counts).min(1.0);
        belief.mean_g = (belief.mean_g + granted * wish_g).max(0.1);
        let told_g2 = counts * gain * gain * self.cut.variance();
        belief.mean_variance_g2 = (belief.mean_variance_g2 - told_g2).max(0.01 * belief.mean_variance_g2);
    }

    /// A step of Fisher's scoring on a unit variance, of which an inverse gamma law is believed; `share` is what it makes of the
    /// variance of the whole.
    pub fn teach_spread(&self, belief: &mut Belief, share: f64) {
        let Some(inner) = self.inner else { return };
        let step = share / belief.spread_observations * (self.z * self.z - inner.square);
        let (least, most) = SPREAD_RANGE;
        let first_g2 = (belief.start.sd_g * belief.start.sd_g).max(1e-4);
        let stepped = belief.variance_g2 * (1.0 + step.clamp(-SPREAD_STEP, SPREAD_STEP));
        belief.variance_g2 = stepped.clamp(least * first_g2, most * first_g2);
        let told = 0.5 * share * share * inner.square_variance();
        belief.spread_observations = (belief.spread_observations + told).min(SPREAD_MEMORY);
    }

    /// Notes the visit, and lets what was known before fade by it.
    pub fn count(&self, belief: &mut Belief) {
        belief.observations = belief.observations * (1.0 - DRIFT) + self.counts.min(1.0);
        let first_g2 = (belief.start.mean_sd_g * belief.start.mean_sd_g).max(belief.variance_g2);
        let drifted_g2 = belief.mean_variance_g2 + DRIFT * belief.variance_g2;
        belief.mean_variance_g2 = drifted_g2.min(first_g2.max(belief.mean_variance_g2));
    }

    /// Who may be thanked for the belief.
    pub fn credit(&self, belief: &mut Belief) {
        let first_g2 = belief.start.mean_sd_g * belief.start.mean_sd_g;
        if self.weighed {
            belief.source = WeightSource::StaffVerified;
        } else if belief.source < WeightSource::Learned && belief.mean_variance_g2 < LEARNED_BELOW * first_g2 {
            belief.source = WeightSource::Learned;
        }
    }
}
