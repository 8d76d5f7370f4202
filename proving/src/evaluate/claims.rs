//! Prior × likelihood of all edits of a list, and what follows: odds, probability, and the one difference that may be named.

use super::judge::POLICY;
use super::shop::Shop;
use super::trip::{Trip, Wanted};
use augenmass_core::verdict::policy::{SOMETHING, UNNOTICED, price_at_risk};

/// A named difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What kind.
    pub kind: Wanted,
    /// The good it is about: the unscanned one, or the line's.
    pub product: usize,
    /// What lies there instead.
    pub instead: Option<usize>,
}

/// What a detector that has a posterior makes of a basket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion {
    /// Log odds of "the shop loses by it" against "the list is right": what baskets are ranked by.
    pub score: f64,
    /// Posterior probability of any error, 0..=1.
    pub error: f64,
    /// The difference that it is sure of to one half or more.
    pub claim: Option<Claim>,
    /// Whether it would stop the basket by the shipped costs: a false alarm against what letting it go is expected to lose.
    pub stops: bool,
}

/// Prior × likelihood of the list being right, of an unscanned good, and of the edits of each line.
#[derive(Clone, Debug)]
pub struct Edits {
    /// The list is right.
    pub honest: f64,
    /// Something was not scanned.
    pub unscanned: f64,
    /// One unit is something else.
    pub swapped: Vec<f64>,
    /// More units than scanned.
    pub more: Vec<f64>,
    /// Fewer, but some.
    pub fewer: Vec<f64>,
    /// None.
    pub absent: Vec<f64>,
}

impl Edits {
    /// Nothing yet, for so many lines.
    pub fn new(lines: usize) -> Self {
        let zeros = || vec![0.0; lines];
        Self { honest: 0.0, unscanned: 0.0, swapped: zeros(), more: zeros(), fewer: zeros(), absent: zeros() }
    }

    fn losses(&self) -> f64 {
        self.unscanned + self.swapped.iter().sum::<f64>() + self.more.iter().sum::<f64>()
    }

    /// Everything together.
    pub fn total(&self) -> f64 {
        self.honest + self.losses() + self.fewer.iter().sum::<f64>() + self.absent.iter().sum::<f64>()
    }

    /// The edit of one half or more; for an unscanned good `which` says, given the total.
    pub fn claim(&self, trip: &Trip, which: impl FnOnce(f64) -> Option<Claim>) -> Option<Claim> {
        let total = self.total();
        if total <= 0.0 {
            return None;
        }
        if self.unscanned >= 0.5 * total {
            return which(total);
        }
        (0..trip.lines.len()).find_map(|i| {
            let kinds = [
                (Wanted::Swapped, self.swapped[i]),
                (Wanted::Quantity, self.more[i] + self.fewer[i]),
                (Wanted::Absent, self.absent[i]),
            ];
            let kind = kinds.into_iter().find(|(_, joint)| *joint >= 0.5 * total)?.0;
            Some(Claim { kind, product: trip.lines[i].product, instead: None })
        })
    }

    /// What letting the basket go is expected to cost, as the shipped policy reckons it: by the price of what is claimed, and of each line.
    fn cost_of_passing(&self, trip: &Trip, shop: &Shop, claim: Option<Claim>) -> f64 {
        let price = |product: usize| price_at_risk(shop.goods[product].price_minor, shop.goods[product].risk);
        let unscanned = claim.filter(|c| c.kind == Wanted::Unscanned).map_or(SOMETHING, |c| price(c.product));
        let instead = claim.and_then(|c| c.instead);
        let lines = trip.lines.iter().enumerate().map(|(i, line)| {
            let one = price(line.product);
            let swap = instead.map_or(0.5 * one, |other| (price(other) - one).abs());
            self.absent[i] * (UNNOTICED + f64::from(line.quantity) * one)
                + (self.more[i] + self.fewer[i]) * (UNNOTICED + one)
                + self.swapped[i] * (UNNOTICED + swap)
        });
        (self.unscanned * (UNNOTICED + unscanned) + lines.sum::<f64>()) / self.total().max(1e-300)
    }

    /// Odds and probability; `nothing` is added to either side, so that what nothing explains decides nothing.
    pub fn opinion(&self, trip: &Trip, shop: &Shop, claim: Option<Claim>, nothing: f64) -> Opinion {
        let total = self.total() + 2.0 * nothing;
        let fine = self.honest / self.total().max(1e-300);
        Opinion {
            stops: self.cost_of_passing(trip, shop, claim) > fine * POLICY.false_alarm_cost,
            score: ((self.losses() + nothing) / (self.honest + nothing)).ln(),
            error: ((total - self.honest - nothing) / total).clamp(0.0, 1.0),
            claim,
        }
    }
}
