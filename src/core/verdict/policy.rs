//! What to do with a posterior: the action of least expected cost.

use super::expected::Expected;
use super::part::Candidate;
use super::posterior::Judged;
use crate::goods::{Catalogue, Risk};
use serde::{Deserialize, Serialize};

/// What the retailer sets. Money in whole units of the shop's currency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Share of baskets with some error, honest or not, 0..1.
    pub error_rate: f64,
    /// What stopping a shopper whose list is right costs.
    pub false_alarm_cost: f64,
    /// After so many `correct` answers in one validation staff is asked.
    pub max_corrections: u32,
}

/// What it costs beyond the goods when an error goes unnoticed: trust in the figures on either side.
const UNNOTICED: f64 = 2.0;
/// What letting something unknown go costs.
const SOMETHING: f64 = 5.0;
/// An error so improbable is not worth a closer look at what it would cost.
const HARDLY: f64 = 0.005;

/// Whether stopping the basket costs less than letting it go.
pub fn should_stop(judged: &Judged<'_>, expected: &Expected, catalogue: &Catalogue, policy: &Policy) -> bool {
    let fine = judged.posterior.fine();
    if 1.0 - fine < HARDLY {
        return false;
    }
    cost_of_passing(judged, expected, catalogue) > fine * policy.false_alarm_cost
}

/// What letting the basket go is expected to cost.
fn cost_of_passing(judged: &Judged<'_>, expected: &Expected, catalogue: &Catalogue) -> f64 {
    let price = |product: usize| {
        let product = &catalogue.products()[product];
        let weight = match product.risk {
            Risk::Low => 0.7,
            Risk::Normal => 1.0,
            Risk::High => 2.0,
        };
        weight * product.price_minor as f64 / 100.0
    };
    // What the likeliest candidates cost stands for what the others do.
    let mean = |candidates: &[Candidate], cost: &dyn Fn(&Candidate) -> f64| {
        let all: f64 = candidates.iter().map(|c| c.joint).sum();
        if all > 0.0 { candidates.iter().map(|c| c.joint * cost(c)).sum::<f64>() / all } else { SOMETHING }
    };
    let posterior = &judged.posterior;
    let mut cost = SOMETHING * (posterior.several + posterior.less_several);
    if posterior.unscanned > HARDLY {
        let goods = mean(judged.unscanned(), &|c| f64::from(c.units) * price(c.product));
        cost += posterior.unscanned * (UNNOTICED + goods);
    }
    for (index, (line, known)) in posterior.lines.iter().zip(&expected.lines).enumerate() {
        let one = price(known.product);
        cost += line.absent * (UNNOTICED + f64::from(known.quantity) * one);
        for (found, probability) in &line.counts {
            cost += probability * (UNNOTICED + f64::from(found.abs_diff(known.quantity)) * one);
        }
        if line.swapped > HARDLY {
            cost += line.swapped * (UNNOTICED + mean(judged.instead(index), &|c| (price(c.product) - one).abs()));
        }
    }
    cost
}
