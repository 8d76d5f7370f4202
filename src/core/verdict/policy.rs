//! What to do with a posterior: the action of least expected cost.

use super::expected::Expected;
use super::hypothesis::Edit;
use super::posterior::Weighted;
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

/// Whether stopping the basket costs less than letting it go.
pub fn should_stop(posterior: &[Weighted], expected: &Expected, catalogue: &Catalogue, policy: &Policy) -> bool {
    let (mut cost_of_passing, mut cost_of_stopping) = (0.0, 0.0);
    for weighted in posterior {
        let loss = loss(weighted.edit, expected, catalogue);
        cost_of_passing += weighted.probability * loss;
        if harmless(weighted.edit) {
            cost_of_stopping += weighted.probability * policy.false_alarm_cost;
        }
    }
    cost_of_passing > cost_of_stopping
}

/// Edits under which the shopper owes nothing and is owed nothing.
fn harmless(edit: Edit) -> bool {
    match edit {
        Edit::Nothing | Edit::Bag | Edit::StaleWeight { .. } => true,
        Edit::Unscanned { .. }
        | Edit::UnscannedSomething
        | Edit::Absent { .. }
        | Edit::AbsentSomething
        | Edit::Quantity { .. }
        | Edit::Swapped { .. }
        | Edit::Foreign => false,
    }
}

/// What it costs beyond the goods when an error goes unnoticed: trust in the figures on either side.
const UNNOTICED: f64 = 2.0;
/// What letting something unknown go costs.
const SOMETHING: f64 = 5.0;

/// What letting the basket go costs if the edit is true.
fn loss(edit: Edit, expected: &Expected, catalogue: &Catalogue) -> f64 {
    let price = |product: usize| {
        let product = &catalogue.products()[product];
        let weight = match product.risk {
            Risk::Low => 0.7,
            Risk::Normal => 1.0,
            Risk::High => 2.0,
        };
        weight * product.price_minor as f64 / 100.0
    };
    let listed = |line: usize| price(expected.lines[line].product);
    match edit {
        Edit::Nothing | Edit::Bag | Edit::StaleWeight { .. } => 0.0,
        Edit::Unscanned { product, units } => UNNOTICED + f64::from(units) * price(product),
        Edit::Absent { line } => UNNOTICED + f64::from(expected.lines[line].quantity) * listed(line),
        Edit::Quantity { line, found } => {
            UNNOTICED + (f64::from(found) - f64::from(expected.lines[line].quantity)).abs() * listed(line)
        }
        Edit::Swapped { line, instead } => UNNOTICED + (price(instead) - listed(line)).abs(),
        Edit::UnscannedSomething | Edit::AbsentSomething | Edit::Foreign => SOMETHING,
    }
}
