//! The judge: evidence in, conclusion out.

use super::answer::{Finding, FindingKind, Outcome, ProductRef, WeightEvidence};
use super::expected::{Expected, WithoutMass};
use super::message::Message;
use super::noise::Spread;
use super::part::{Part, Weighed};
use super::policy::{self, Policy};
use super::posterior::Judged;
use super::view::{Sight, View};
use super::{explain, priors};
use crate::goods::{BagBelief, Catalogue, Gallery};
use crate::units::Mass;
use crate::vision::Scene;

/// Everything a judgement rests on. Without a weight there is none: see [`Conclusion::unavailable`].
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Mass on the plate.
    pub measured: Mass,
    /// Its uncertainty, 1 sigma.
    pub sigma: Mass,
    /// What the cameras saw, if they saw anything.
    pub scene: Option<&'a Scene>,
    /// What the list makes.
    pub expected: &'a Expected,
    /// The shop's products.
    pub catalogue: &'a Catalogue,
    /// Goods that came one after the other, where they account for the whole load; empty for a basket that came whole.
    pub steps: &'a [StepEvidence],
    /// What an own bag weighs that nobody declared.
    pub bag: &'a BagBelief,
    /// How they look, if enrolled.
    pub gallery: Option<&'a Gallery>,
    /// How many `correct` answers this validation has had already.
    pub corrections: u32,
}

/// What is concluded, without the circumstances that the station adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// Pass, correct, assist or unavailable.
    pub outcome: Outcome,
    /// Masses behind it.
    pub weight: Option<WeightEvidence>,
    /// Differences, likeliest first.
    pub findings: Vec<Finding>,
    /// What to look at first.
    pub check: Vec<ProductRef>,
    /// What the shopper reads.
    pub message: Message,
    /// It would have passed, and staff looks all the same to learn what is missed.
    pub control_sample: bool,
}

/// Goods that were put down together, or taken for it: one step of the weight with what was scanned for it.
#[derive(Clone, Debug)]
pub struct StepEvidence {
    /// Lines scanned since the step before, by their place in [`Expected::lines`]; each line of the list stands in one step, whole.
    pub lines: Vec<usize>,
    /// How much the weight rose.
    pub mass: Mass,
    /// Uncertainty of that, 1 sigma.
    pub sigma: Mass,
    /// What the cameras saw come, if they follow single goods.
    pub scene: Option<Scene>,
}

/// By weight alone an error is less probable than this share of what it was before weighing.
const UNSUSPICIOUS: f64 = 0.5;
/// At so high a posterior of a wrong catalogue weight the shopper is not asked to search for what is not there.
const CATALOGUE_WRONG_FROM: f64 = 0.8;

/// Weighs all edits of the list, with the eye or without.
pub fn weigh<'a>(evidence: &Evidence<'a>, with_eyes: bool, policy: &Policy) -> Judged<'a> {
    let Evidence { expected, catalogue, .. } = *evidence;
    let units = expected.units();
    let view = |scene: Option<&'a Scene>, sight: Sight, lines: &[usize]| {
        let (scene, gallery) = (scene.filter(|_| with_eyes)?, evidence.gallery?);
        let listed: Vec<(usize, u32)> =
            lines.iter().map(|i| (expected.lines[*i].product, expected.lines[*i].quantity)).collect();
        View::new(scene, gallery, catalogue, sight, listed.into_iter())
    };
    let parts: Vec<Part<'a>> = if evidence.steps.is_empty() {
        let all: Vec<usize> = (0..expected.lines.len()).collect();
        let off_g = evidence.measured.g() - expected.mean_g;
        let sight = Sight::WHOLE.after(evidence.scene.map_or(0, |s| s.crops.len()), 1, units);
        let view = view(evidence.scene, sight, &all);
        let around = expected.around.plus(Spread::new(evidence.sigma.g().powi(2), priors::EXCESS));
        vec![Part::new(expected, catalogue, all, Weighed { off_g, around, bags: &expected.bags }, view, policy)]
    } else {
        let looks = || evidence.steps.iter().filter_map(|s| s.scene.as_ref());
        let sight = Sight::STEP.after(looks().map(|s| s.crops.len()).sum(), looks().count(), units);
        let part = |step: &'a StepEvidence| {
            let lines = step.lines.iter().map(|i| &expected.lines[*i]);
            let off_g = step.mass.g() - lines.map(|l| f64::from(l.quantity) * l.unit.mean_g).sum::<f64>();
            let view = view(step.scene.as_ref(), sight, &step.lines);
            let around = Spread::new(step.sigma.g().powi(2), priors::EXCESS);
            Part::new(expected, catalogue, step.lines.clone(), Weighed { off_g, around, bags: &[] }, view, policy)
        };
        evidence.steps.iter().map(part).collect()
    };
    Judged::new(parts, expected, evidence.bag, policy.error_rate)
}

/// Judges a basket by weight and, where there is one, by scene.
pub fn judge(evidence: &Evidence<'_>, policy: &Policy) -> Conclusion {
    let expected = evidence.expected;
    let variance_g2 = expected.variance_g2() + evidence.sigma.g().powi(2);
    let weight = WeightEvidence {
        measured_g: explain::tenth(evidence.measured.g()),
        expected_g: explain::tenth(expected.mean_g),
        sigma_g: explain::tenth(variance_g2.sqrt()),
    };
    if !expected.unknown.is_empty() {
        return unknown_masses(expected, evidence.catalogue, weight);
    }
    conclude(&weigh(evidence, true, policy), evidence, policy, weight)
}

/// Whether weight alone is so clear that a look, still `wait_s` seconds away, is not worth waiting for.
pub fn pass_at_once(evidence: &Evidence<'_>, policy: &Policy, wait_s: f64) -> bool {
    let Evidence { expected, catalogue, .. } = *evidence;
    expected.unknown.is_empty()
        && policy::pass_at_once(&weigh(evidence, false, policy), expected, catalogue, policy, wait_s)
}

/// What follows from a judgement.
pub fn conclude(judged: &Judged<'_>, evidence: &Evidence<'_>, policy: &Policy, weight: WeightEvidence) -> Conclusion {
    let Evidence { expected, catalogue, .. } = *evidence;
    if !judged.posterior.fine().is_finite() {
        // Figures that are none must not become a pass.
        return Conclusion::unavailable("judge", "the figures of this basket make no sense");
    }
    let stop = |judged: &Judged<'_>| policy::should_stop(judged, expected, catalogue, policy);
    if !stop(judged) || seen_only(judged, evidence, policy) {
        return Conclusion {
            outcome: Outcome::Pass,
            weight: Some(weight),
            findings: Vec::new(),
            check: Vec::new(),
            message: Message::AllRight {},
            control_sample: false,
        };
    }
    let residual_g = evidence.measured.g() - expected.mean_g;
    let findings = explain::findings(judged, expected, catalogue, policy, residual_g);
    let catalogue_wrong = judged.stale(policy).into_iter().map(|(_, p)| p).sum::<f64>() >= CATALOGUE_WRONG_FROM;
    let staff =
        catalogue_wrong || policy::staff_rather(judged, policy) || evidence.corrections >= policy.max_corrections;
    let (outcome, message) = if staff {
        (Outcome::Assist, Message::StaffWillHelp {})
    } else {
        (Outcome::Correct, explain::message(&findings))
    };
    Conclusion {
        outcome,
        weight: Some(weight),
        check: explain::check(judged, expected, catalogue, policy),
        findings,
        message,
        control_sample: false,
    }
}

/// The scale by itself sees nothing amiss: looking alone never stops a basket.
fn seen_only(judged: &Judged<'_>, evidence: &Evidence<'_>, policy: &Policy) -> bool {
    judged.has_seen() && weigh(evidence, false, policy).posterior.fine() > 1.0 - UNSUSPICIOUS * policy.error_rate
}

impl Conclusion {
    /// The unit cannot judge: `sensor` is out, for the reason given. Never a pass, never an accusation.
    pub fn unavailable(sensor: &str, why: &str) -> Self {
        let mut finding = plain(FindingKind::Sensor, format!("{sensor}: {why}"));
        finding.probability = 1.0;
        Self {
            outcome: Outcome::Unavailable,
            weight: None,
            findings: vec![finding],
            check: Vec::new(),
            message: Message::StationBusy {},
            control_sample: false,
        }
    }

    /// The same, because more stands on the plate than it may bear: the shopper can mend that.
    pub fn too_heavy(self) -> Self {
        Self { message: Message::TooHeavy {}, ..self }
    }
}

/// Goods of unknown mass: no weight can be right or wrong.
fn unknown_masses(expected: &Expected, catalogue: &Catalogue, weight: WeightEvidence) -> Conclusion {
    let findings = expected
        .unknown
        .iter()
        .take(10)
        .map(|line| {
            let known = match line.why {
                WithoutMass::Code => None,
                WithoutMass::Price(product) => catalogue.products().get(product),
            };
            let (kind, what) = match known {
                None => (FindingKind::Foreign, "the catalogue does not know this code"),
                Some(_) => (
                    FindingKind::StaleWeight,
                    "unknown mass: the label says a price alone, and the catalogue no price a kilogram that fits it",
                ),
            };
            let mut finding = plain(kind, what.to_owned());
            let name = known.map_or(&line.code, |product| &product.name).clone();
            finding.product = Some(ProductRef { id: known.map(|p| p.id.to_string()), code: line.code.clone(), name });
            finding.scanned = Some(line.quantity);
            finding.probability = 1.0;
            finding
        })
        .collect();
    Conclusion {
        outcome: Outcome::Assist,
        weight: Some(weight),
        findings,
        check: Vec::new(),
        message: Message::StaffWillHelp {},
        control_sample: false,
    }
}

fn plain(kind: FindingKind, detail: String) -> Finding {
    Finding {
        kind,
        product: None,
        instead: None,
        scanned: None,
        found: None,
        grams: 0.0,
        probability: 0.0,
        named: false,
        image: None,
        detail: Some(detail),
    }
}
