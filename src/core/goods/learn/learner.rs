//! All beliefs, and what an equation does to them.

use super::belief::Belief;
use super::bounds::Bounds;
use super::cut::Cut;
use super::equation::{Confirmed, Equation, Subject};
use super::rival::{self, Seen};
use crate::goods::catalogue::Catalogue;
use crate::goods::product::{Kind, WeightBelief, WeightSource};
use crate::units::Wall;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Student's degrees of freedom of what visits are off by: tails of bags, batches and unnoticed errors.
const TAILS: f64 = 8.0;
/// Further off than this, in sigma, something else has happened than what is learned here.
const ABSURD_SIGMAS: f64 = 6.0;
/// Only what lies within so many sigma tells of spreads.
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
/// After a new pack the mean is less sure by this share of the unit variance than the visits since would have it.
const NEW_PACK_SPREADS: f64 = 1.0;

/// Why a belief changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A confirmed visit.
    Visit,
    /// Staff weighed it.
    Weighed,
    /// The visits of some time come from another pack.
    NewPack,
    /// The catalogue says something else than it did.
    Catalogue,
    /// Somebody took it back.
    Rollback,
}

impl Why {
    /// As in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visit => "visit",
            Self::Weighed => "weighed",
            Self::NewPack => "new_pack",
            Self::Catalogue => "catalogue",
            Self::Rollback => "rollback",
        }
    }
}

/// A belief that has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Of what.
    pub subject: Subject,
    /// When.
    pub at: Wall,
    /// Why.
    pub why: Why,
    /// What is believed now.
    pub belief: Belief,
}

/// Why a visit teaches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// It has no goods.
    #[error("nothing in it is learned")]
    Empty,
    /// Something in it has no belief.
    #[error("something in it is not known")]
    Unknown,
    /// Numbers that are none.
    #[error("a mass or a variance in it is no number")]
    NotFinite,
}

/// All beliefs about masses.
#[derive(Clone, Debug, Default)]
pub struct Learner {
    beliefs: BTreeMap<Subject, Belief>,
    bounds: Bounds,
}

impl Learner {
    /// With what the store has kept.
    pub fn new(beliefs: BTreeMap<Subject, Belief>) -> Self {
        Self { beliefs, bounds: Bounds::default() }
    }

    /// All beliefs.
    pub fn beliefs(&self) -> &BTreeMap<Subject, Belief> {
        &self.beliefs
    }

    /// One of them.
    pub fn belief(&self, subject: &Subject) -> Option<&Belief> {
        self.beliefs.get(subject)
    }

    /// Puts a belief in place of what was, or forgets it, so that the catalogue's word counts again.
    pub fn put(&mut self, subject: Subject, belief: Option<Belief>) {
        match belief {
            Some(belief) => self.beliefs.insert(subject, belief),
            None => self.beliefs.remove(&subject),
        };
    }

    /// Begins a belief where there is none, and anew where the source has changed its mind since. Tells what began anew.
    pub fn begin(&mut self, subject: &Subject, start: WeightBelief, at: Wall) -> Option<Change> {
        match self.beliefs.get(subject) {
            Some(belief) if belief.start == start => None,
            known => {
                let anew = known.is_some();
                let belief = Belief::new(start);
                self.beliefs.insert(subject.clone(), belief.clone());
                anew.then(|| Change { subject: subject.clone(), at, why: Why::Catalogue, belief })
            }
        }
    }

    /// The catalogue with what was learned of its products in place of what it says; products sold by weight say it themselves.
    /// What a catalogue says now counts for more than what was learned while it said something else.
    pub fn applied_to(&self, catalogue: &Catalogue) -> Catalogue {
        let products = catalogue.products().iter().map(|product| {
            let belief = self.beliefs.get(&Subject::Product(product.id.clone()));
            match belief.filter(|b| b.start == product.weight && product.kind != Kind::Weighed) {
                Some(belief) => crate::goods::product::Product { weight: belief.weight(), ..product.clone() },
                None => product.clone(),
            }
        });
        Catalogue::new(products.collect())
    }

    /// What an equation's terms make: mean in grams and variance in g², the equation's own variance included.
    ///
    /// # Errors
    /// Something in it has no belief.
    pub fn expected(&self, visit: &Equation) -> Result<(f64, f64), Skipped> {
        let mut sum = (0.0, visit.variance_g2);
        for term in &visit.terms {
            let belief = self.beliefs.get(&term.subject).ok_or(Skipped::Unknown)?;
            let n = f64::from(term.units);
            sum.0 += n * belief.mean_g;
            sum.1 += n * belief.variance_g2 + n * n * belief.mean_variance_g2;
        }
        Ok(sum)
    }

    /// Takes a confirmed visit and tells what it changed.
    ///
    /// # Errors
    /// See [`Skipped`]; then nothing has changed.
    pub fn learn(&mut self, visit: &Equation) -> Result<Vec<Change>, Skipped> {
        if visit.terms.iter().all(|term| term.units == 0) {
            return Err(Skipped::Empty);
        }
        if !visit.measured_g.is_finite() || !visit.variance_g2.is_finite() || visit.variance_g2 < 0.0 {
            return Err(Skipped::NotFinite);
        }
        let (expected_g, variance_g2) = self.expected(visit)?;
        let variance_g2 = variance_g2.max(0.01);
        let off_g = visit.measured_g - expected_g;
        let lesson = Lesson::new(visit, expected_g, off_g, variance_g2);
        let mut changes = Vec::with_capacity(visit.terms.len());
        for term in visit.terms.iter().filter(|term| term.units > 0) {
            let Some(belief) = self.beliefs.get_mut(&term.subject) else { continue };
            let n = f64::from(term.units);
            let seen = Seen {
                rest_g: off_g + n * belief.mean_g,
                variance_g2: (variance_g2 - n * n * belief.mean_variance_g2).max(0.01),
                units: n,
                witness: visit.witness(),
            };
            let is_product = matches!(term.subject, Subject::Product(_));
            let why = match rival::watch(belief, seen).filter(|_| is_product) {
                Some(rival) => {
                    belief.mean_g = rival.mean_g;
                    belief.mean_variance_g2 = rival.mean_variance_g2 + NEW_PACK_SPREADS * belief.variance_g2;
                    belief.rival = None;
                    Why::NewPack
                }
                None => {
                    lesson.teach_mean(belief, n, |belief, by_g| self.bounds.grant(&term.subject, belief, by_g, visit));
                    lesson.teach_spread(belief, n);
                    if visit.confirmed == Confirmed::Weighed { Why::Weighed } else { Why::Visit }
                }
            };
            lesson.credit(belief);
            changes.push(Change { subject: term.subject.clone(), at: visit.at, why, belief: belief.clone() });
        }
        Ok(changes)
    }
}

/// What one visit says, whichever term it is said to.
struct Lesson {
    /// Sigma of the whole, grams.
    sigma_g: f64,
    /// How far off it was, in sigma.
    z: f64,
    /// What of a Gaussian could have been seen.
    cut: Cut,
    /// The same within what tells of spreads.
    inner: Cut,
    /// How much it counts, 0..=1 and a little.
    counts: f64,
    weighed: bool,
}

impl Lesson {
    fn new(visit: &Equation, expected_g: f64, off_g: f64, variance_g2: f64) -> Self {
        let sigma_g = variance_g2.sqrt();
        let z = off_g / sigma_g;
        // What passed lay within the limits, whatever they are thought to be now.
        let (low, high) = match visit.confirmed {
            Confirmed::Passed { low_g, high_g } => {
                (((low_g - expected_g) / sigma_g).min(z), ((high_g - expected_g) / sigma_g).max(z))
            }
            Confirmed::Approved | Confirmed::Weighed => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let cut = Cut::new(low, high);
        let u = z - cut.mean;
        let counts = if u.abs() > ABSURD_SIGMAS { 0.0 } else { (TAILS + 1.0) / (TAILS + u * u) };
        let inner = Cut::new(low.max(-SPREAD_SIGMAS), high.min(SPREAD_SIGMAS));
        Self { sigma_g, z, cut, inner, counts, weighed: visit.confirmed == Confirmed::Weighed }
    }

    /// A Kalman step with a bounded score; `grant` says how much of it may come true.
    fn teach_mean(&self, belief: &mut Belief, n: f64, grant: impl FnOnce(&Belief, f64) -> f64) {
        let gain = n * belief.mean_variance_g2 / self.sigma_g;
        let most_g = belief.mean_variance_g2.sqrt();
        let wish_g = (gain * self.counts * (self.z - self.cut.mean)).clamp(-most_g, most_g);
        let granted = if self.weighed { 1.0 } else { grant(belief, wish_g) };
        let counts = (granted * self.counts).min(1.0);
        belief.mean_g = (belief.mean_g + granted * wish_g).max(0.1);
        let told_g2 = counts * gain * gain * self.cut.variance();
        let left_g2 = (belief.mean_variance_g2 - told_g2).max(0.01 * belief.mean_variance_g2);
        let drifted_g2 = left_g2 + DRIFT * belief.variance_g2;
        let first_g2 = (belief.start.mean_sd_g * belief.start.mean_sd_g).max(belief.variance_g2);
        belief.mean_variance_g2 = drifted_g2.min(first_g2.max(left_g2));
        belief.observations = belief.observations * (1.0 - DRIFT) + counts;
    }

    /// A step of Fisher's scoring on the unit variance, of which an inverse gamma law is believed.
    fn teach_spread(&self, belief: &mut Belief, n: f64) {
        if self.z.abs() > SPREAD_SIGMAS || self.counts == 0.0 {
            return;
        }
        let (variance, whole) = (belief.variance_g2, self.sigma_g * self.sigma_g);
        let share = n * variance / whole;
        let step = share / belief.spread_observations * (self.z * self.z - self.inner.square);
        let (least, most) = SPREAD_RANGE;
        let first_g2 = (belief.start.sd_g * belief.start.sd_g).max(1e-4);
        let stepped = variance * (1.0 + step.clamp(-SPREAD_STEP, SPREAD_STEP));
        belief.variance_g2 = stepped.clamp(least * first_g2, most * first_g2);
        let told = 0.5 * share * share * self.inner.square_variance();
        belief.spread_observations = (belief.spread_observations + told).min(SPREAD_MEMORY);
    }

    fn credit(&self, belief: &mut Belief) {
        let first_g2 = belief.start.mean_sd_g * belief.start.mean_sd_g;
        if self.weighed {
            belief.source = WeightSource::StaffVerified;
        } else if belief.source < WeightSource::Learned && belief.mean_variance_g2 < LEARNED_BELOW * first_g2 {
            belief.source = WeightSource::Learned;
        }
    }
}
