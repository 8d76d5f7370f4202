//! The judge: evidence in, conclusion out.

use super::answer::{Finding, FindingKind, Outcome, ProductRef, WeightEvidence};
use super::expected::Expected;
use super::explain;
use super::hypothesis::{Edit, hypotheses};
use super::message::Message;
use super::policy::{Policy, should_stop};
use super::posterior::posterior;
use super::scene::SceneEvidence;
use crate::goods::{Catalogue, Gallery};
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
}

/// At so high a posterior of a wrong catalogue weight the shopper is not asked to search for what is not there.
const CATALOGUE_WRONG_FROM: f64 = 0.8;

/// Judges a basket by weight and, where there is one, by scene.
pub fn judge(evidence: &Evidence<'_>, policy: &Policy) -> Conclusion {
    let Evidence { expected, catalogue, .. } = *evidence;
    let residual_g = evidence.measured.g() - expected.mean_g;
    let variance_g2 = expected.variance_g2 + evidence.sigma.g().powi(2);
    let weight = WeightEvidence {
        measured_g: explain::tenth(evidence.measured.g()),
        expected_g: explain::tenth(expected.mean_g),
        sigma_g: explain::tenth(variance_g2.sqrt()),
    };
    if !expected.unknown.is_empty() {
        return unknown_codes(expected, weight);
    }
    let list = hypotheses(expected, catalogue, policy, residual_g, variance_g2.sqrt());
    let mut look = match (evidence.scene, evidence.gallery) {
        (Some(scene), Some(gallery)) => SceneEvidence::new(scene, gallery, expected, catalogue),
        (None, _) | (_, None) => None,
    };
    let posterior = posterior(&list, residual_g, variance_g2, |edit| look.as_mut().map_or(0.0, |l| l.log_ratio(edit)));
    if !should_stop(&posterior, expected, catalogue, policy) {
        let weight = Some(weight);
        return Conclusion {
            outcome: Outcome::Pass,
            weight,
            findings: Vec::new(),
            check: Vec::new(),
            message: Message::AllRight {},
        };
    }
    let findings = explain::findings(&posterior, expected, catalogue, residual_g);
    let catalogue_wrong =
        posterior.iter().filter(|w| matches!(w.edit, Edit::StaleWeight { .. })).map(|w| w.probability).sum::<f64>()
            >= CATALOGUE_WRONG_FROM;
    let staff = catalogue_wrong || evidence.corrections >= policy.max_corrections;
    let (outcome, message) = if staff {
        (Outcome::Assist, Message::StaffWillHelp {})
    } else {
        (Outcome::Correct, explain::message(&findings))
    };
    Conclusion {
        outcome,
        weight: Some(weight),
        check: explain::check(&posterior, expected, catalogue),
        findings,
        message,
    }
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
        }
    }
}

/// Goods of unknown mass: no weight can be right or wrong.
fn unknown_codes(expected: &Expected, weight: WeightEvidence) -> Conclusion {
    let findings = expected
        .unknown
        .iter()
        .take(10)
        .map(|line| {
            let mut finding = plain(FindingKind::Foreign, "the catalogue does not know this code".to_owned());
            finding.product = Some(ProductRef { id: None, code: line.code.clone(), name: line.code.clone() });
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
