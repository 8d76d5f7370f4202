//! A second hypothesis of a product's mean: has the pack changed?

use super::belief::Belief;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// A new pack is off by about this share of the old one, 1 sigma.
const CHANGE: f64 = 0.15;
/// Odds of the rival at which it wins, natural logarithm: one in about a million visits of a product by chance.
const WINS: f64 = 14.0;
/// So many visits at least.
const VISITS: u32 = 6;
/// And so many different shoppers, or days where shoppers have no name.
const WITNESSES: u32 = 5;
/// One visit says so much at most: a stray bag is no new pack.
const SAYS_AT_MOST: f64 = 3.0;
/// A new pack is off by so many sigma of the spread at least; less is followed as drift.
const OFF_SIGMAS: f64 = 1.5;

/// Another mean that the last visits may come from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// Its mean, grams.
    pub mean_g: f64,
    /// Variance of that mean, g².
    pub mean_variance_g2: f64,
    /// Logarithm of the visits' likelihood under it over that under the belief.
    pub log_odds: f64,
    /// Visits since it began.
    pub visits: u32,
    /// A bit for each of up to 64 shoppers who brought them.
    pub witnesses: u64,
}

/// One visit as one product sees it: `rest_g` is what was measured less all the rest, of which `variance_g2` is the variance with the
/// spread of this product's own units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub rest_g: f64,
    pub variance_g2: f64,
    pub units: f64,
    pub witness: u64,
}

/// Takes a visit; gives the rival once it has won. To be called before the belief takes the same visit.
pub(super) fn watch(belief: &mut Belief, seen: Seen) -> Option<Rival> {
    let prior_g2 = (CHANGE * belief.mean_g).powi(2);
    let mut rival = belief.rival.unwrap_or(Rival {
        mean_g: belief.mean_g,
        mean_variance_g2: prior_g2,
        log_odds: 0.0,
        visits: 0,
        witnesses: 0,
    });
    let n = seen.units;
    let other_g2 = seen.variance_g2 + n * n * rival.mean_variance_g2;
    let own_g2 = seen.variance_g2 + n * n * belief.mean_variance_g2;
    let says =
        log_normal(seen.rest_g - n * rival.mean_g, other_g2) - log_normal(seen.rest_g - n * belief.mean_g, own_g2);
    rival.log_odds += says.clamp(-SAYS_AT_MOST, SAYS_AT_MOST);
    let gain = n * rival.mean_variance_g2 / other_g2;
    rival.mean_g += gain * (seen.rest_g - n * rival.mean_g);
    rival.mean_variance_g2 -= gain * n * rival.mean_variance_g2;
    rival.visits = rival.visits.saturating_add(1);
    rival.witnesses |= 1 << (seen.witness % 64);
    if rival.log_odds < 0.0 {
        belief.rival = None;
        return None;
    }
    belief.rival = Some(rival);
    let off_g = (rival.mean_g - belief.mean_g).abs();
    let wins = rival.log_odds >= WINS
        && rival.visits >= VISITS
        && rival.witnesses.count_ones() >= WITNESSES
        && rival.mean_g > 0.0
        && off_g > OFF_SIGMAS * belief.variance_g2.sqrt();
    wins.then_some(rival)
}

fn log_normal(deviation: f64, variance: f64) -> f64 {
    -0.5 * (deviation * deviation / variance + (TAU * variance).ln())
}
