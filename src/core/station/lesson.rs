//! What a visit that was right teaches: its list and its verdict as an equation in what goods and containers weigh.

use crate::basket::{Basket, Checked, ContainerKind, InStorePattern, Today};
use crate::goods::learn::{Confirmed, Equation, Subject, Term};
use crate::goods::{BagBelief, Catalogue, ContainerBelief, Kind};
use crate::units::Mass;
use crate::verdict::judge::{Evidence, judge};
use crate::verdict::{Expected, Message, Nature, Outcome, Policy, Reason, Verdict};

/// Variance of a load, g²: it stands in the verdict only together with that of the goods.
const LOAD_G2: (f64, f64) = (4.0, 400.0);
/// Beyond so many sigma no basket passes by weight.
const REACH_SIGMAS: f64 = 4.5;
/// Halvings of what is between passing and not.
const HALVINGS: u32 = 5;

/// What the station believes and wants.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// The shop's products.
    pub catalogue: &'a Catalogue,
    /// Containers of the store.
    pub containers: &'a [ContainerBelief],
    /// Own bags without a stated weight.
    pub bags: &'a BagBelief,
    /// Codes printed by the store's scales.
    pub patterns: &'a [InStorePattern],
    /// What the retailer wants.
    pub policy: &'a Policy,
}

/// Why a visit is thought to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// It passed; or it would have, and was looked at by chance, or for the buyer's age.
    Passed,
    /// It was stopped, and staff has found that what lay there is what the list says.
    Approved,
}

impl Grounds {
    /// What staff's reason for an approval makes of it; `None` where it says nothing of what the goods on the list weigh.
    pub fn of(reason: Reason) -> Option<Self> {
        match reason {
            Reason::CatalogueWeight | Reason::VisionError => Some(Self::Approved),
            Reason::ControlSample | Reason::AgeOk => Some(Self::Passed),
            Reason::Bag
            | Reason::PersonalItem
            | Reason::HandOnScale
            | Reason::SensorFault
            | Reason::SupervisorOverride
            | Reason::DuplicateScan
            | Reason::Multipack
            | Reason::ProducePlu
            | Reason::ItemAdded
            | Reason::QuantityFixed
            | Reason::ItemRemoved
            | Reason::SwapFixed
            | Reason::CouponRemoved
            | Reason::BasketRefused
            | Reason::CustomerLeft
            | Reason::AgeRefused => None,
        }
    }

    /// Whether a verdict can be right on these grounds.
    pub(super) fn fit(self, verdict: &Verdict) -> bool {
        match (self, verdict.outcome) {
            (Self::Passed, Outcome::Pass) => true,
            (Self::Passed, Outcome::Assist) => would_have_passed(verdict),
            (Self::Approved, Outcome::Assist | Outcome::Correct) => !would_have_passed(verdict),
            (Self::Passed, Outcome::Correct | Outcome::Unavailable)
            | (Self::Approved, Outcome::Pass | Outcome::Unavailable) => false,
        }
    }
}

/// Weighed and seen it was right; staff came for another reason.
fn would_have_passed(verdict: &Verdict) -> bool {
    verdict.control_sample || matches!(verdict.message, Message::AgeCheck { .. })
}

/// The equation of a visit that was right; `None` if it teaches nothing: its list is another by now, or something in it has no known mass.
pub fn lesson(basket: &Basket, verdict: &Verdict, grounds: Grounds, now: &Circumstances<'_>) -> Option<Equation> {
    let weight = verdict.weight.filter(|_| grounds.fit(verdict) && verdict.revision == basket.revision)?;
    let Checked { goods, codes } = basket.check(now.patterns, Today::of(verdict.decided_at)).ok()?;
    let expected = Expected::new(&goods, &codes, now.catalogue, now.containers, now.bags);
    if !expected.unknown.is_empty() {
        return None;
    }
    let load_g2 = (weight.sigma_g * weight.sigma_g - expected.variance_g2()).clamp(LOAD_G2.0, LOAD_G2.1);
    let mut terms = Vec::new();
    // What nothing can be learned of, labelled portions and bags, is what remains of the list's mass without the terms.
    let (mut known_g, mut known_g2) = (expected.mean_g, expected.variance_g2());
    for line in expected.lines.iter().filter(|line| line.nature != Nature::Labelled) {
        let product = &now.catalogue.products()[line.product];
        if product.kind == Kind::Weighed {
            return None;
        }
        known_g -= f64::from(line.quantity) * line.unit.mean_g;
        known_g2 -= line.unit.variance_g2(line.quantity);
        add(&mut terms, Subject::Product(product.id.clone()), line.quantity);
    }
    for container in goods.containers.iter().filter(|c| c.kind != ContainerKind::None) {
        let kind = container.kind.as_str();
        let own = container.id.as_ref().and_then(|id| ContainerBelief::find_one(now.containers, kind, id));
        let belief = own.or_else(|| ContainerBelief::find(now.containers, kind))?;
        known_g -= belief.tare_g;
        known_g2 -= belief.sigma_g * belief.sigma_g;
        let subject = match &container.id {
            Some(id) => Subject::Container(format!("{kind}:{id}")),
            None => Subject::Kind(kind.to_owned()),
        };
        add(&mut terms, subject, 1);
    }
    let mut confirmed = match grounds {
        Grounds::Passed => limits(&expected, weight.measured_g, load_g2, now),
        Grounds::Approved => Confirmed::Approved,
    };
    if let Confirmed::Passed { low_g, high_g } = &mut confirmed {
        *low_g -= known_g;
        *high_g -= known_g;
    }
    Some(Equation {
        terms,
        measured_g: weight.measured_g - known_g,
        variance_g2: load_g2 + known_g2.max(0.0),
        confirmed,
        shopper: basket.shopper.as_ref().map(|shopper| shopper.pseudonym.clone()),
        at: verdict.decided_at,
    })
}

fn add(terms: &mut Vec<Term>, subject: Subject, units: u32) {
    match terms.iter_mut().find(|term| term.subject == subject) {
        Some(term) => term.units = term.units.saturating_add(units),
        None => terms.push(Term { subject, units }),
    }
}

/// Between which masses the basket would have passed by its weight.
fn limits(expected: &Expected, measured_g: f64, load_g2: f64, now: &Circumstances<'_>) -> Confirmed {
    let sigma_g = (expected.variance_g2() + load_g2).sqrt();
    let passes = |mass_g: f64| {
        let evidence = Evidence {
            measured: Mass::from_g_saturating(mass_g),
            sigma: Mass::from_g_saturating(load_g2.sqrt()),
            scene: None,
            expected,
            catalogue: now.catalogue,
            steps: &[],
            guesses: &[],
            bag: now.bags,
            gallery: None,
            corrections: 0,
        };
        judge(&evidence, now.policy).outcome == Outcome::Pass
    };
    let limit = |sigmas: f64| {
        let (mut inside_g, mut outside_g) = (expected.mean_g, expected.mean_g + sigmas * sigma_g);
        for _ in 0..HALVINGS {
            let middle_g = 0.5 * (inside_g + outside_g);
            if passes(middle_g) { inside_g = middle_g } else { outside_g = middle_g }
        }
        inside_g
    };
    // What passed with the help of the eyes lay within, too.
    Confirmed::Passed { low_g: limit(-REACH_SIGMAS).min(measured_g), high_g: limit(REACH_SIGMAS).max(measured_g) }
}
