//! What to do with a posterior: the action of least expected cost.

use super::expected::Expected;
use super::part::Candidate;
use super::posterior::Judged;
use crate::goods::{Catalogue, Product, Risk};
use serde::{Deserialize, Serialize};

/// What the retailer sets. Money in whole units of the shop's currency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Share of baskets with some error, honest or not, 0..1.
    pub error_rate: f64,
    /// What stopping a shopper whose list is right costs.
    pub false_alarm_cost: f64,
    /// What it costs when a member of staff comes.
    pub staff_cost: f64,
    /// What a second costs that a shopper waits.
    pub waiting_cost_per_s: f64,
    /// On somebody's first visit a false alarm costs so many times as much; 1 or more.
    pub first_visit_grace: f64,
    /// Share of baskets that would pass and are looked at by staff all the same, 0..=1: the only way to learn what is missed.
    pub control_sample: f64,
    /// Share of packs that have silently changed since their weight was learned, 0..1.
    pub stale_weight_rate: f64,
    /// Share of weight labels that belong to something else, 0..1.
    pub wrong_label_rate: f64,
    /// Whether a basket that would pass waits for staff where something in it is sold from an age on.
    pub age_check: bool,
    /// After so many `correct` answers in one validation staff is asked.
    pub max_corrections: u32,
}

impl Policy {
    /// What holds where the retailer sets nothing but how often baskets are wrong and what a false alarm costs.
    pub const fn usual(error_rate: f64, false_alarm_cost: f64, max_corrections: u32) -> Self {
        Self {
            error_rate,
            false_alarm_cost,
            staff_cost: 4.0,
            waiting_cost_per_s: 0.005,
            first_visit_grace: 1.5,
            control_sample: 0.0,
            stale_weight_rate: 0.01,
            wrong_label_rate: 0.01,
            age_check: true,
            max_corrections,
        }
    }

    /// As it holds for a shopper who is here for the first time, or not.
    #[must_use]
    pub fn for_shopper(self, first_visit: bool) -> Self {
        let grace = if first_visit { self.first_visit_grace } else { 1.0 };
        Self { false_alarm_cost: grace * self.false_alarm_cost, ..self }
    }
}

/// What it costs beyond the goods when an error goes unnoticed: trust in the figures on either side.
pub const UNNOTICED: f64 = 2.0;
/// How much more a unit of the highest risk is minded than its price.
const RISKIEST: f64 = 2.0;
/// So many units of one product are gone at once at most, where no more were scanned.
const UNITS_AT_ONCE: u32 = 3;
/// What letting something unknown go costs.
pub const SOMETHING: f64 = 5.0;
/// A swap so improbable is not searched for what it may be: the two then differ by half a price.
const RARELY: f64 = 0.05;
/// An error so improbable is not worth a closer look at what it would cost.
const HARDLY: f64 = 0.005;

/// Whether stopping the basket costs less than letting it go.
pub fn should_stop(judged: &Judged<'_>, expected: &Expected, catalogue: &Catalogue, policy: &Policy) -> bool {
    let fine = judged.posterior.fine();
    let stopping = fine * policy.false_alarm_cost;
    // Nothing costs more than the dearest goods: then what it is need not be searched for.
    if (1.0 - fine) * most_at_stake(expected, catalogue) <= stopping {
        return false;
    }
    cost_of_passing(judged, expected, catalogue) > stopping
}

/// The most that one error can cost.
fn most_at_stake(expected: &Expected, catalogue: &Catalogue) -> f64 {
    let units = |quantity: u32| f64::from(quantity.max(UNITS_AT_ONCE));
    let lines = expected.lines.iter().map(|l| units(l.quantity) * price(&catalogue.products()[l.product]));
    let dearest = f64::from(UNITS_AT_ONCE) * RISKIEST * catalogue.dearest_minor() as f64 / 100.0;
    UNNOTICED + lines.fold(dearest.max(SOMETHING), f64::max)
}

/// What losing a unit costs, in whole units of the currency: its price, weighted by how much it is minded.
pub fn price_at_risk(price_minor: i64, risk: Risk) -> f64 {
    let weight = match risk {
        Risk::Low => 0.7,
        Risk::Normal => 1.0,
        Risk::High => RISKIEST,
    };
    weight * price_minor as f64 / 100.0
}

fn price(product: &Product) -> f64 {
    price_at_risk(product.price_minor, product.risk)
}

/// Whether it pays to let the basket go at once, rather than to wait another `wait_s` seconds for what might speak against it: even perfect
/// knowledge would save no more than what is lost by passing now.
pub fn pass_at_once(
    judged: &Judged<'_>,
    expected: &Expected,
    catalogue: &Catalogue,
    policy: &Policy,
    wait_s: f64,
) -> bool {
    let worth = policy.waiting_cost_per_s * wait_s;
    // The least that any error costs: mostly this alone says that it pays to wait.
    (1.0 - judged.posterior.fine()) * UNNOTICED.min(SOMETHING) < worth
        && !should_stop(judged, expected, catalogue, policy)
        && cost_of_passing(judged, expected, catalogue) < worth
}

/// Whether a member of staff should look rather than the shopper: where the list is so likely right that searching it is in vain.
pub fn staff_rather(judged: &Judged<'_>, policy: &Policy) -> bool {
    judged.posterior.fine() * policy.false_alarm_cost > policy.staff_cost
}

/// What letting the basket go is expected to cost.
fn cost_of_passing(judged: &Judged<'_>, expected: &Expected, catalogue: &Catalogue) -> f64 {
    let price = |product: usize| price(&catalogue.products()[product]);
    // What the likeliest candidates cost stands for what the others do.
    let mean = |candidates: &[Candidate], cost: &dyn Fn(&Candidate) -> f64| {
        let all: f64 = candidates.iter().map(|c| c.joint).sum();
        if all > 0.0 { candidates.iter().map(|c| c.joint * cost(c)).sum::<f64>() / all } else { SOMETHING }
    };
    let posterior = &judged.posterior;
    let mut cost = SOMETHING * (posterior.several + posterior.less_several);
    let unscanned = posterior.unscanned;
    if unscanned <= HARDLY {
        cost += unscanned * SOMETHING;
    } else {
        let goods = mean(judged.unscanned(), &|c| f64::from(c.units) * price(c.product));
        cost += unscanned * (UNNOTICED + goods);
    }
    for (index, (line, known)) in posterior.lines.iter().zip(&expected.lines).enumerate() {
        let one = price(known.product);
        cost += line.absent * (UNNOTICED + f64::from(known.quantity) * one);
        for (found, probability) in &line.counts {
            cost += probability * (UNNOTICED + f64::from(found.abs_diff(known.quantity)) * one);
        }
        if line.swapped <= RARELY {
            cost += line.swapped * (UNNOTICED + 0.5 * one);
        } else {
            cost += line.swapped * (UNNOTICED + mean(judged.instead(index), &|c| (price(c.product) - one).abs()));
        }
    }
    cost
}
