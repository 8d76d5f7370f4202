//! All beliefs, and what an equation does to them.

use super::belief::{Belief, prior};
use super::bounds::Bounds;
use super::equation::{Confirmed, Equation, Subject};
use super::kin::{self, Footing, Kin};
use super::lesson::Lesson;
use super::rival::{self, Seen};
use crate::goods::catalogue::Catalogue;
use crate::goods::product::{Kind, Product, WeightBelief, WeightSource};
use crate::units::Wall;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// After a new pack the mean is less sure by this share of the unit variance than the visits since would have it.
const NEW_PACK_SPREADS: f64 = 1.0;

/// Of all labels together: as the law would have it, give or take a half.
const LABELS: WeightBelief = WeightBelief { mean_g: 1.0, sd_g: 1.0, mean_sd_g: 0.0, source: WeightSource::Seeded };

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
    /// Staff says that it is wrong.
    Doubted,
    /// Goods of its family say what goods of its kind are like.
    Kin,
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
            Self::Doubted => "doubted",
            Self::Kin => "kin",
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
        Self { beliefs, ..Self::default() }
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
        self.begin_in(None, subject, start, at)
    }

    /// The same of a product of the catalogue, which has a family: those of its category that are known from the same kind of label.
    pub fn begin_product(&mut self, product: &Product, at: Wall) -> Option<Change> {
        let family = kin::family(product.category.as_deref(), product.weight);
        self.begin_in(family, &Subject::Product(product.id.clone()), product.weight, at)
    }

    fn begin_in(
        &mut self,
        family: Option<Box<str>>,
        subject: &Subject,
        start: WeightBelief,
        at: Wall,
    ) -> Option<Change> {
        match self.beliefs.get_mut(subject) {
            Some(belief) if belief.start == start => {
                belief.family = family;
                None
            }
            known => {
                let anew = known.is_some();
                let belief = Belief { family, ..Belief::new(start) };
                self.beliefs.insert(subject.clone(), belief.clone());
                anew.then(|| Change { subject: subject.clone(), at, why: Why::Catalogue, belief })
            }
        }
    }

    /// Staff says that a belief is wrong: it stays, and is as unsure as that of a pack nobody has weighed, so that the judge stops nobody
    /// by it and the next visits move it quickly.
    pub fn doubt(&mut self, subject: &Subject, at: Wall) -> Option<Change> {
        let belief = self.beliefs.get_mut(subject)?;
        belief.doubt();
        Some(Change { subject: subject.clone(), at, why: Why::Doubted, belief: belief.clone() })
    }

    /// The catalogue with what was learned of its products in place of what it says; products sold by weight say it themselves.
    /// What a catalogue says now counts for more than what was learned while it said something else.
    pub fn applied_to(&self, catalogue: &Catalogue) -> Catalogue {
        let products = catalogue.products().iter().map(|product| {
            let belief = self.beliefs.get(&Subject::Product(product.id.clone()));
            match belief.filter(|b| b.start == product.weight && product.kind != Kind::Weighed) {
                Some(belief) => {
                    Product { weight: self.weight_of(&Subject::Product(product.id.clone()), belief), ..product.clone() }
                }
                None => product.clone(),
            }
        });
        Catalogue::new(products.collect())
    }

    /// A belief as the judge uses it.
    pub fn weight(&self, subject: &Subject) -> Option<WeightBelief> {
        self.beliefs.get(subject).map(|belief| self.weight_of(subject, belief))
    }

    fn weight_of(&self, subject: &Subject, belief: &Belief) -> WeightBelief {
        WeightBelief { sd_g: self.spread_g2(subject, belief).sqrt(), ..belief.weight() }
    }

    /// Variance from unit to unit, g²: its own, and what is learned of all labels and of its family.
    fn spread_g2(&self, subject: &Subject, belief: &Belief) -> f64 {
        let ratio = |of: &Subject| self.beliefs.get(of).map_or(1.0, |belief| belief.variance_g2);
        let labels = if follows_labels(subject, belief) { ratio(&Subject::Spreads) } else { 1.0 };
        let family = belief.family.as_ref().map_or(1.0, |family| ratio(&Subject::SpreadsOf(family.clone())));
        labels * family * belief.variance_g2
    }

    /// Estimates what families have in common, and puts it under the means of their goods. Tells what has changed.
    pub fn revise(&mut self, at: Wall) -> Vec<Change> {
        let mut families: BTreeMap<Box<str>, Vec<(f64, f64)>> = BTreeMap::new();
        for belief in self.beliefs.values() {
            if let (Some(family), Some(word)) = (&belief.family, kin::own_word(belief)) {
                families.entry(family.clone()).or_default().push(word);
            }
        }
        let families: BTreeMap<Box<str>, Kin> =
            families.into_iter().map(|(family, members)| (family, Kin::of(&members))).collect();
        let mut changes = Vec::new();
        for (subject, belief) in &mut self.beliefs {
            let Some(kin) = belief.family.as_ref().and_then(|family| families.get(family)) else { continue };
            if kin::put_on(belief, *kin) {
                changes.push(Change { subject: subject.clone(), at, why: Why::Kin, belief: belief.clone() });
            }
        }
        changes
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
            sum.1 += super::units_variance(n) * self.spread_g2(&term.subject, belief) + n * n * belief.mean_variance_g2;
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
        self.bounds.begin_day(visit.day());
        let lesson = Lesson::new(visit.confirmed, visit.measured_g, expected_g, variance_g2);
        let mut changes = Vec::with_capacity(visit.terms.len() + 1);
        let mut shared: BTreeMap<Subject, f64> = BTreeMap::new();
        for term in visit.terms.iter().filter(|term| term.units > 0) {
            let n = f64::from(term.units);
            let known = self.beliefs.get(&term.subject);
            let spread_g2 =
                known.map_or(0.0, |belief| super::units_variance(n) * self.spread_g2(&term.subject, belief));
            let Some(belief) = self.beliefs.get_mut(&term.subject) else { continue };
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
                    belief.footing = Footing::Own;
                    Why::NewPack
                }
                None => {
                    let share = spread_g2 / variance_g2;
                    let all = follows_labels(&term.subject, belief).then_some(Subject::Spreads);
                    for of in all.into_iter().chain(belief.family.clone().map(Subject::SpreadsOf)) {
                        *shared.entry(of).or_default() += share;
                    }
                    let grant = |belief: &Belief, by_g| {
                        let shopper = visit.shopper.as_ref().map(|_| visit.witness());
                        self.bounds.grant(&term.subject, belief, by_g, shopper)
                    };
                    lesson.teach_mean(belief, n, grant);
                    lesson.teach_spread(belief, share);
                    if visit.confirmed == Confirmed::Weighed { Why::Weighed } else { Why::Visit }
                }
            };
            lesson.count(belief);
            lesson.credit(belief);
            changes.push(Change { subject: term.subject.clone(), at: visit.at, why, belief: belief.clone() });
        }
        for (subject, share) in shared {
            let belief = self.beliefs.entry(subject.clone()).or_insert_with(|| Belief::new(LABELS));
            lesson.teach_spread(belief, share);
            changes.push(Change { subject, at: visit.at, why: Why::Visit, belief: belief.clone() });
        }
        Ok(changes)
    }
}

/// Whether a spread is that of a product whose label says it.
fn follows_labels(subject: &Subject, belief: &Belief) -> bool {
    matches!(subject, Subject::Product(_)) && spread_follows_labels(belief.start)
}

/// Whether a spread was taken from what the law allows packs to be off by. What is said to vary more than that grew, and varies as it grew,
/// however even the shop's packs turn out to be.
pub(super) fn spread_follows_labels(start: WeightBelief) -> bool {
    start.source == WeightSource::Label && start.sd_g <= prior::greatest_spread_g(start.mean_g)
}
