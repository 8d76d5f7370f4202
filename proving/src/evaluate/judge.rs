//! The judge as it ships, given a trip as the daemon would give it, and its posterior read as the oracle's is.

use super::beliefs;
use super::claims::{Claim, Opinion};
use super::shop::Shop;
use super::trip::{Setting, TARE_G, Trip, Wanted, bag_law, container_law};
use augenmass_core::basket::{Bags, Basket, Code, Container, ContainerKind, Source};
use augenmass_core::goods::{BagBelief, Catalogue, ContainerBelief, Gallery};
use augenmass_core::units::Mass;
use augenmass_core::verdict::hypothesis::{Edit, hypotheses};
use augenmass_core::verdict::posterior::{Weighted, posterior};
use augenmass_core::verdict::scene::SceneEvidence;
use augenmass_core::verdict::{Evidence, Expected, Finding, FindingKind, Outcome, Policy, explain, policy};
use augenmass_core::vision::Scene;

/// What the shipped stations are set to.
pub const POLICY: Policy = Policy { error_rate: super::trip::rates::ERROR, false_alarm_cost: 6.0, max_corrections: 3 };
/// What the scale reports of its own uncertainty, 1 sigma in milligrams.
const SIGMA_MG: i64 = 4_000;

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
    let tares =
        [ContainerBelief { kind: kind.as_str().to_owned(), tare_g: TARE_G[usize::from(trip.trolley)], sigma_g }];
    let bag = bag_law();
    let bags = BagBelief { mean_g: bag.mean_g(), sigma_g: bag.variance_g2().sqrt() };
    Expected::new(&basket, &codes, catalogue, &tares, bags)
}

impl Judge<'_> {
    /// Judges. The steps are those of `verdict::judge`, taken one by one because that tells no more than it would tell a shopper.
    pub fn judge(&self, trip: &Trip, setting: Setting, shop: &Shop, scene: Option<&Scene>) -> Answer {
        let expected = expected(trip, setting, shop, self.catalogue);
        let evidence = self.evidence(trip, &expected, scene);
        let residual_g = evidence.measured.g() - expected.mean_g;
        let variance_g2 = expected.variance_g2 + evidence.sigma.g().powi(2);
        let list = hypotheses(&expected, self.catalogue, &POLICY, residual_g, variance_g2.sqrt());
        let mut look = match (scene, self.gallery) {
            (Some(scene), Some(gallery)) => SceneEvidence::new(scene, gallery, &expected, self.catalogue),
            (None, _) | (_, None) => None,
        };
        let posterior =
            posterior(&list, residual_g, variance_g2, |edit| look.as_mut().map_or(0.0, |l| l.log_ratio(edit)));
        let mut opinion = opinion(&posterior, &expected);
        if !policy::should_stop(&posterior, &expected, self.catalogue, &POLICY) {
            return Answer { opinion, outcome: Outcome::Pass };
        }
        let findings = explain::findings(&posterior, &expected, self.catalogue, residual_g);
        opinion.claim = findings.iter().find_map(claim);
        let stale = posterior.iter().filter(|w| matches!(w.edit, Edit::StaleWeight { .. }));
        let assist = stale.map(|w| w.probability).sum::<f64>() >= 0.8;
        Answer { opinion, outcome: if assist { Outcome::Assist } else { Outcome::Correct } }
    }

    /// What the daemon would hand to `verdict::judge`.
    pub fn evidence<'e>(&'e self, trip: &Trip, expected: &'e Expected, scene: Option<&'e Scene>) -> Evidence<'e> {
        Evidence {
            measured: Mass::from_g_saturating(trip.measured_g),
            sigma: Mass::from_mg(SIGMA_MG),
            scene,
            expected,
            catalogue: self.catalogue,
            gallery: self.gallery,
            corrections: 0,
        }
    }
}

/// The posterior as odds of a loss, and the probability of any error.
fn opinion(posterior: &[Weighted], expected: &Expected) -> Opinion {
    let (mut fine, mut loss) = (0.0, 0.0);
    for weighted in posterior {
        match weighted.edit {
            Edit::Nothing | Edit::Bag | Edit::StaleWeight { .. } | Edit::Foreign => fine += weighted.probability,
            Edit::Unscanned { .. } | Edit::UnscannedSomething | Edit::Swapped { .. } => loss += weighted.probability,
            Edit::Quantity { line, found } if found > expected.lines[line].quantity => loss += weighted.probability,
            Edit::Quantity { .. } | Edit::Absent { .. } | Edit::AbsentSomething => {}
        }
    }
    Opinion { score: ((loss + 1e-300) / (fine + 1e-300)).ln(), error: (1.0 - fine).clamp(0.0, 1.0), claim: None }
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
    use crate::evaluate::trip;
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
            let expected = expected(&trip, setting, &shop, &catalogue);
            let told = judge(&judge_here.evidence(&trip, &expected, None), &POLICY);
            let answer = judge_here.judge(&trip, setting, &shop, None);
            assert_eq!(answer.outcome, told.outcome, "{seed}");
            assert_eq!(answer.opinion.claim, told.findings.iter().find_map(claim), "{seed}");
            stopped += u32::from(told.outcome != Outcome::Pass);
        }
        assert!((20..59).contains(&stopped), "{stopped}");
    }
}
