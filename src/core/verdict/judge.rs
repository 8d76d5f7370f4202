//! The judge: evidence in, conclusion out.

use super::answer::{Basis, Finding, FindingKind, Outcome, ProductRef, WeightEvidence};
use super::expected::{Expected, WithoutMass};
use super::message::Message;
use super::noise::{Component, Spread};
use super::part::{Part, Weighed};
use super::policy::{self, Policy};
use super::posterior::Judged;
use super::sequence::{self, Group, Grouping};
use super::view::{self, Sight, View};
use super::{explain, priors};
use crate::goods::{BagBelief, Catalogue, Gallery};
use crate::units::Mass;
use crate::vision::{Crop, Scene};
use std::rc::Rc;

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
    /// Goods that came one after the other, if what was scanned for each is certain and no container is among them; empty otherwise.
    pub steps: &'a [StepEvidence],
    /// Steps that account for the whole load, container and all, by each way in which scans may belong to them; empty for a basket that
    /// came whole. See [`sequence`].
    pub guesses: &'a [Vec<StepEvidence>],
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
    /// What it rests on.
    pub basis: Basis,
}

/// Goods that were put down together, or taken for it: one step of the weight with what was scanned for it.
#[derive(Clone, Debug)]
pub struct StepEvidence {
    /// Lines scanned for it, by their place in [`Expected::lines`]. Each line of the list stands in one step, whole; in guesses one whose
    /// units were scanned for several steps stands in all of these.
    pub lines: Vec<usize>,
    /// How much the weight rose.
    pub mass: Mass,
    /// Uncertainty of that, 1 sigma.
    pub sigma: Mass,
    /// Whether container and bags came with it, or may have; only in guesses.
    pub carrier: bool,
    /// What the cameras saw come with it, if they looked after it.
    pub scene: Option<Scene>,
}

/// By weight alone an error is less probable than this share of what it was before weighing.
pub const UNSUSPICIOUS: f64 = 0.5;
/// At so high a posterior of a wrong catalogue weight the shopper is not asked to search for what is not there.
const CATALOGUE_WRONG_FROM: f64 = 0.8;

/// Weighs all edits of the list, with the eye or without.
pub fn weigh<'a>(evidence: &Evidence<'a>, with_eyes: bool, policy: &Policy) -> Judged<'a> {
    let Evidence { expected, bag, .. } = *evidence;
    let ways = if evidence.steps.is_empty() {
        match sequence::groupings(evidence.guesses, expected, policy) {
            Some(groupings) => grouped(evidence, &groupings, with_eyes, policy),
            None => vec![(0.0, vec![whole_part(evidence, whole_view(evidence, with_eyes), policy)])],
        }
    } else {
        vec![(0.0, step_parts(evidence, with_eyes, policy))]
    };
    Judged::mixed(ways, expected, bag, policy.error_rate)
}

/// Each way in which steps may belong together, with the logarithm of its prior and of what was seen. Where a look was taken at each step,
/// each group is compared with what came with it; else all with the one look at the end.
fn grouped<'a>(
    evidence: &Evidence<'a>,
    groupings: &[Grouping],
    with_eyes: bool,
    policy: &Policy,
) -> Vec<(f64, Vec<Part<'a>>)> {
    let steps = looked_at(evidence).filter(|_| with_eyes);
    let whole = if steps.is_some() { None } else { whole_view(evidence, with_eyes) };
    let views_of = |grouping: &Grouping| -> Vec<Option<Rc<View<'a>>>> {
        let view = |group: &Group| steps.map_or_else(|| whole.clone(), |steps| came(evidence, steps, group));
        grouping.groups.iter().map(view).collect()
    };
    let seen = |views: &[Option<Rc<View<'_>>>]| views.iter().flatten().map(|view| view.ln_listed()).sum::<f64>();
    let all: Vec<(&Grouping, Vec<Option<Rc<View<'a>>>>)> = groupings.iter().map(|g| (g, views_of(g))).collect();
    // Relative to all in one, and no more than a look may say of anything.
    let in_one = all.iter().find(|(grouping, _)| grouping.groups.len() == 1).map_or(0.0, |(_, views)| seen(views));
    let way = |(grouping, views): (&Grouping, Vec<Option<Rc<View<'a>>>>)| {
        let looks = if steps.is_some() { (seen(&views) - in_one).clamp(-view::BOUND, view::BOUND) } else { 0.0 };
        let groups = grouping.groups.iter().zip(sequence::strays(&grouping.groups)).zip(views);
        let parts = match grouping.groups.as_slice() {
            [_] => groups.map(|(_, view)| whole_part(evidence, view, policy)).collect(),
            _ => groups.map(|((group, stray), view)| group_part(evidence, group, stray, view, policy)).collect(),
        };
        (grouping.ln_weight + looks, parts)
    };
    all.into_iter().map(way).collect()
}

/// The steps, if the eyes see now and have looked at each of them.
fn looked_at<'a>(evidence: &Evidence<'a>) -> Option<&'a [StepEvidence]> {
    let space = &evidence.gallery?.space_id;
    let fit = |scene: &Scene| scene.quality.fault().is_none() && scene.space_id == *space;
    // All guesses are of the same steps.
    let steps = evidence.guesses.first()?;
    let all = steps.iter().all(|step| step.scene.as_ref().is_some_and(fit));
    (all && evidence.scene.is_some_and(fit)).then_some(steps)
}

/// What came with a group, compared with its lines.
fn came<'a>(evidence: &Evidence<'a>, steps: &'a [StepEvidence], group: &Group) -> Option<Rc<View<'a>>> {
    let Evidence { expected, catalogue, .. } = *evidence;
    let crops_of = |step: &'a StepEvidence| step.scene.iter().flat_map(|scene: &Scene| &scene.crops);
    let all = steps.iter().flat_map(crops_of).count();
    let sight = Sight::STEP.after(all, steps.len(), expected.units()).of_steps(group.steps.len(), group.carrier);
    let crops: Vec<&Crop> = group.steps.iter().flat_map(|at| crops_of(&steps[*at])).collect();
    let line = |i: usize| (expected.lines[i].product, expected.lines[i].quantity);
    let own = group.lines.iter().map(|i| line(*i));
    let others = (0..expected.lines.len()).filter(|i| group.lines.binary_search(i).is_err()).map(line);
    Some(Rc::new(View::of(&crops, evidence.gallery?, catalogue, sight, own, others)))
}

fn view<'a>(
    evidence: &Evidence<'a>,
    scene: Option<&'a Scene>,
    sight: Sight,
    lines: impl Iterator<Item = usize>,
) -> Option<Rc<View<'a>>> {
    let listed = lines.map(|i| (evidence.expected.lines[i].product, evidence.expected.lines[i].quantity));
    View::new(scene?, evidence.gallery?, evidence.catalogue, sight, listed).map(Rc::new)
}

/// The look at all that lies there. What it says of an edit does not depend on the step that the edit is about.
fn whole_view<'a>(evidence: &Evidence<'a>, with_eyes: bool) -> Option<Rc<View<'a>>> {
    let scene = evidence.scene.filter(|_| with_eyes);
    let sight = Sight::WHOLE.after(evidence.scene.map_or(0, |s| s.crops.len()), 1, evidence.expected.units());
    view(evidence, scene, sight, 0..evidence.expected.lines.len())
}

fn whole_part<'a>(evidence: &Evidence<'a>, view: Option<Rc<View<'a>>>, policy: &Policy) -> Part<'a> {
    let Evidence { expected, catalogue, .. } = *evidence;
    let all: Vec<usize> = (0..expected.lines.len()).collect();
    let off_g = evidence.measured.g() - expected.mean_g;
    let around = expected.around.plus(Spread::new(evidence.sigma.g().powi(2), priors::EXCESS));
    let weighed = Weighed { off_g, around, bags: &expected.bags, carrier: true, stray: 1.0 };
    Part::new(expected, catalogue, all, weighed, view, policy)
}

fn step_parts<'a>(evidence: &Evidence<'a>, with_eyes: bool, policy: &Policy) -> Vec<Part<'a>> {
    let Evidence { expected, catalogue, .. } = *evidence;
    let looks = || evidence.steps.iter().filter_map(|s| s.scene.as_ref());
    let sight = Sight::STEP.after(looks().map(|s| s.crops.len()).sum(), looks().count(), expected.units());
    let part = |step: &'a StepEvidence| {
        let lines = step.lines.iter().map(|i| &expected.lines[*i]);
        let off_g = step.mass.g() - lines.map(|l| f64::from(l.quantity) * l.unit.mean_g).sum::<f64>();
        let view = view(evidence, step.scene.as_ref().filter(|_| with_eyes), sight, step.lines.iter().copied());
        let around = Spread::new(step.sigma.g().powi(2), priors::EXCESS);
        let weighed = Weighed { off_g, around, bags: &[], carrier: false, stray: 1.0 };
        Part::new(expected, catalogue, step.lines.clone(), weighed, view, policy)
    };
    evidence.steps.iter().map(part).collect()
}

fn group_part<'a>(
    evidence: &Evidence<'a>,
    group: &Group,
    stray: f64,
    view: Option<Rc<View<'a>>>,
    policy: &Policy,
) -> Part<'a> {
    let Evidence { expected, catalogue, .. } = *evidence;
    let bags: &[Component] = if group.carrier { &expected.bags } else { &[] };
    let around = sequence::around(group, expected);
    let weighed = Weighed { off_g: sequence::off_g(group, expected), around, bags, carrier: group.carrier, stray };
    Part::new(expected, catalogue, group.lines.clone(), weighed, view, policy)
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
    let basis = Basis { weighings: judged.weighings(), looks: looks(evidence, judged) };
    let stop = |judged: &Judged<'_>| policy::should_stop(judged, expected, catalogue, policy);
    if !stop(judged) || seen_only(judged, evidence, policy) {
        return Conclusion {
            outcome: Outcome::Pass,
            weight: Some(weight),
            findings: Vec::new(),
            check: Vec::new(),
            message: Message::AllRight {},
            control_sample: false,
            basis,
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
        basis,
    }
}

/// How many looks had a say.
fn looks(evidence: &Evidence<'_>, judged: &Judged<'_>) -> usize {
    if !judged.has_seen() {
        return 0;
    }
    let apart = looked_at(evidence).filter(|_| evidence.steps.is_empty() && judged.weighings() > 1);
    let certain = evidence.steps.iter().filter(|step| step.scene.is_some()).count();
    apart.map_or(certain.max(1), <[StepEvidence]>::len)
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
            basis: Basis::default(),
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
        basis: Basis::default(),
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
