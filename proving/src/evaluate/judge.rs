//! The judge as it ships, given a trip as the daemon would give it, and its posterior read as the oracle's is.

use super::beliefs;
use super::claims::{Claim, Opinion};
use super::shop::Shop;
use super::trip::{self, Setting, TARE_G, Trip, Wanted, container_law};
use augenmass_core::basket::{Bags, Basket, Code, Container, ContainerKind, Source};
use augenmass_core::goods::{BagBelief, Catalogue, ContainerBelief, Gallery};
use augenmass_core::units::Mass;
use augenmass_core::verdict::explain;
use augenmass_core::verdict::judge::{conclude, weigh};
use augenmass_core::verdict::{
    Evidence, Expected, Finding, FindingKind, Outcome, Policy, Posterior, StepEvidence, WeightEvidence,
};
use augenmass_core::vision::Scene;

/// What the shipped stations are set to.
pub const POLICY: Policy = Policy::usual(0.05, 6.0, 3);
/// What the scale reports of its own uncertainty, 1 sigma in milligrams.
const SIGMA_MG: i64 = 4_000;
/// The same of the difference of two readings.
const STEP_SIGMA_MG: i64 = 3_300;

/// The judge's answer to one trip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Its posterior.
    pub opinion: Opinion,
    /// Whether it let the basket go, asks the shopper, or asks staff.
    pub outcome: Outcome,
}

/// Whom the judge works for, and what it knows there.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The shop as its catalogue describes it.
    pub catalogue: &'a Catalogue,
    /// How its goods look.
    pub gallery: Option<&'a Gallery>,
}

/// What the judge is told a list makes.
pub fn expected(trip: &Trip, setting: Setting, shop: &Shop, catalogue: &Catalogue) -> Expected {
    let kind = if trip.trolley { ContainerKind::Trolley } else { ContainerKind::Basket };
    let codes: Vec<(Code, u32)> = trip
        .lines
        .iter()
        .map(|line| {
            let key = beliefs::code(line.product, shop.goods[line.product].kind);
            let code = match line.label_g {
                Some(label_g) => Code::Weighed { article: key, mass: Mass::from_g_saturating(label_g) },
                None => Code::Gtin(key),
            };
            (code, line.quantity)
        })
        .collect();
    let line = |(code, quantity): &(Code, u32)| augenmass_core::basket::Line {
        code: code.key().to_owned(),
        quantity: *quantity,
        scanned_at: None,
    };
    let basket = Basket {
        revision: 1,
        source: Source::App,
        containers: vec![Container { kind, id: None }],
        bags: Bags { count: trip.bags, grams: trip.bags_g },
        shopper: None,
        lines: codes.iter().map(line).collect(),
    };
    let sigma_g = container_law(setting).variance_g2().sqrt();
    let tares = [ContainerBelief::of_kind(kind.as_str(), TARE_G[usize::from(trip.trolley)], sigma_g)];
    Expected::new(&basket, &codes, catalogue, &tares, &BagBelief::usual())
}

/// What a station makes of a trip before it judges.
pub struct Brought {
    /// What the list makes.
    pub expected: Expected,
    /// What came one after the other; empty for a basket that came whole.
    pub steps: Vec<StepEvidence>,
    /// What the camera saw of a whole basket.
    pub scene: Option<Scene>,
    measured: Mass,
}

impl Brought {
    /// `scenes` are those of the steps, or the one of the whole basket; empty without eyes.
    pub fn new(
        trip: &Trip,
        setting: Setting,
        shop: &Shop,
        catalogue: &Catalogue,
        scenes: Vec<Scene>,
        whole: bool,
    ) -> Self {
        let expected = expected(trip, setting, shop, catalogue);
        let measured = Mass::from_g_saturating(trip.measured_g);
        if whole {
            return Self { expected, steps: Vec::new(), scene: scenes.into_iter().next(), measured };
        }
        let mut scenes = scenes.into_iter();
        let step = |step: &trip::Step| StepEvidence {
            lines: step.lines.clone(),
            mass: Mass::from_g_saturating(step.mass_g),
            sigma: Mass::from_mg(STEP_SIGMA_MG),
            carrier: false,
            scene: scenes.next(),
        };
        let steps = trip.steps.iter().map(step).collect();
        Self { expected, steps, scene: None, measured }
    }
}

impl Judge<'_> {
    /// Judges. The steps are those of `verdict::judge`, taken one by one because that tells no more than it would tell a shopper.
    pub fn judge(&self, brought: &Brought) -> Answer {
        let bag = BagBelief::usual();
        let evidence = self.evidence(brought, &bag);
        let judged = weigh(&evidence, true, &POLICY);
        let mut opinion = opinion(&judged.posterior, &brought.expected);
        let weight = WeightEvidence { measured_g: 0.0, expected_g: 0.0, sigma_g: 0.0 };
        let conclusion = conclude(&judged, &evidence, &POLICY, weight);
        // What it is sure of is told even where stopping is not worth it, to be compared with the oracle, which has no policy.
        let residual_g = brought.measured.g() - brought.expected.mean_g;
        let known = explain::findings(&judged, &brought.expected, self.catalogue, &POLICY, residual_g);
        opinion.claim = known.iter().find_map(claim);
        opinion.stops = conclusion.outcome != Outcome::Pass;
        Answer { opinion, outcome: conclusion.outcome }
    }

    /// What the daemon would hand to `verdict::judge`.
    pub fn evidence<'e>(&'e self, brought: &'e Brought, bag: &'e BagBelief) -> Evidence<'e> {
        Evidence {
            measured: brought.measured,
            sigma: Mass::from_mg(SIGMA_MG),
            scene: brought.scene.as_ref(),
            expected: &brought.expected,
            catalogue: self.catalogue,
            steps: &brought.steps,
            guesses: &[],
            bag,
            gallery: self.gallery,
            corrections: 0,
        }
    }
}

/// The posterior as odds of a loss, and the probability of any error.
fn opinion(posterior: &Posterior, expected: &Expected) -> Opinion {
    let (fine, loss) = (posterior.fine(), posterior.loss(expected));
    Opinion {
        score: ((loss + 1e-300) / (fine + 1e-300)).ln(),
        error: (1.0 - fine).clamp(0.0, 1.0),
        claim: None,
        stops: false,
    }
}

fn claim(finding: &Finding) -> Option<Claim> {
    let index = |id: &Option<String>| id.as_ref()?.strip_prefix('p')?.parse().ok();
    let kind = match finding.kind {
        FindingKind::Unscanned => Wanted::Unscanned,
        FindingKind::Swapped => Wanted::Swapped,
        FindingKind::Quantity => Wanted::Quantity,
        FindingKind::Absent => Wanted::Absent,
        FindingKind::Bag | FindingKind::Foreign | FindingKind::StaleWeight | FindingKind::Sensor => return None,
    };
    let product = index(&finding.product.as_ref()?.id)?;
    Some(Claim { kind, product, instead: finding.instead.as_ref().and_then(|i| index(&i.id)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::beliefs::Knowledge;
    use augenmass_core::verdict::judge;

    /// What is measured is what ships: outcome and names are those of `verdict::judge`.
    #[test]
    fn the_answer_is_the_judges() {
        let shop = Shop::new(300, 4);
        let catalogue = beliefs::catalogue(&shop, Knowledge::Learned(beliefs::OBSERVATIONS), 4);
        let judge_here = Judge { catalogue: &catalogue, gallery: None };
        let setting = Setting { items: 8, bag_known: true, tare_known: false };
        let mut stopped = 0;
        for seed in 0..60 {
            let trip = trip::draw(&shop, setting, Wanted::ALL[seed as usize % 5], seed);
            let brought = Brought::new(&trip, setting, &shop, &catalogue, Vec::new(), seed % 2 == 0);
            let bag = BagBelief::usual();
            let told = judge(&judge_here.evidence(&brought, &bag), &POLICY);
            let answer = judge_here.judge(&brought);
            assert_eq!(answer.outcome, told.outcome, "{seed}");
            if told.outcome != Outcome::Pass {
                assert_eq!(answer.opinion.claim, told.findings.iter().find_map(claim), "{seed}");
            }
            stopped += u32::from(told.outcome != Outcome::Pass);
        }
        assert!((20..59).contains(&stopped), "{stopped}");
    }
}
