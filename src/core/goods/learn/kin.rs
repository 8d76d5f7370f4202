//! What goods of one family have in common.
//!
//! Jars have heavy packaging and films none, and a bakery's loaves are of one evenness: of goods of one category that are known from the same
//! kind of label, the means lie off what labels let expect by something in common and each by something of its own. Both are estimated from the goods that have been weighed (a random-effects model: Efron and Morris, 1975), and are
//! what is believed of all of them before anything is weighed: of rare and new goods, too.

use super::belief::Belief;
use super::learner::spread_follows_labels;
use crate::goods::product::{WeightBelief, WeightSource};
use serde::{Deserialize, Serialize};

/// A label whose mean is less sure than this share of it says what is in the pack and nothing of the pack.
const NET_ONLY: f64 = 0.04;
/// What labels are unsure by is half the family's and half each good's own, before anything is known.
const SHIFT_BEFORE: f64 = 0.5;
const SPREAD2_BEFORE: f64 = 1.0 - SHIFT_BEFORE;
/// As if so many goods had said so of the spread.
const PRIOR_MEMBERS: f64 = 2.0;
/// Goods of a family differ by this share of what labels let expect at least, as a variance, and at most.
const SPREAD2: (f64, f64) = (0.01, 4.0);
/// A good further off than so many sigma counts as if it were so far.
const STRAY_SIGMAS: f64 = 3.0;
/// The estimate has come to rest well before.
const ROUNDS: usize = 30;
/// A belief moves with its kin by this share of its own uncertainty at least, or not at all: history is no place for crumbs.
const WORTH: f64 = 0.1;

/// What a belief about a mean stands on beside its own visits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Footing {
    /// What was believed at first.
    #[default]
    Start,
    /// What its kin let expect.
    Kin {
        /// Mean mass of a unit, grams.
        mean_g: f64,
        /// Variance of that mean, g².
        variance_g2: f64,
    },
    /// Nothing else: the pack has changed, or somebody doubts it.
    Own,
}

/// What a family's means have in common, in units of what labels are unsure by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kin {
    /// Variance from good to good.
    spread2: f64,
    /// How much all goods together tell of the shift, and what: each good's word counts by how sure it is.
    weight: f64,
    sum: f64,
}

impl Kin {
    /// From what the goods' own visits say: how far each is off, and with what variance.
    pub fn of(members: &[(f64, f64)]) -> Self {
        let mut kin = Self { spread2: SPREAD2_BEFORE, weight: 0.0, sum: 0.0 };
        for _ in 0..ROUNDS {
            let (shift, _) = kin.shift(None);
            let (mut weight, mut sum, mut squares) = (0.0, 0.0, 0.0);
            for word in members {
                let share = kin.share(word.1);
                let off = kin.within_reach(shift, *word);
                weight += share;
                sum += share * off;
                squares += share * share * (off - shift) * (off - shift);
            }
            let spread2 = (PRIOR_MEMBERS * SPREAD2_BEFORE + squares) / (PRIOR_MEMBERS + weight);
            kin = Self { spread2: spread2.clamp(SPREAD2.0, SPREAD2.1), weight, sum };
        }
        kin
    }

    /// How much of what a good is off by is its own and no accident of its visits.
    fn share(&self, variance: f64) -> f64 {
        self.spread2 / (self.spread2 + variance)
    }

    fn within_reach(&self, shift: f64, (off, variance): (f64, f64)) -> f64 {
        let reach = STRAY_SIGMAS * (self.spread2 + variance).sqrt();
        off.clamp(shift - reach, shift + reach)
    }

    /// How far means lie above the label's on average, and the variance of that; all but one good's own word, which must not count twice.
    fn shift(&self, without: Option<(f64, f64)>) -> (f64, f64) {
        let whole = |weight: f64, sum: f64| {
            let variance = 1.0 / (1.0 / SHIFT_BEFORE + weight / self.spread2);
            (sum / self.spread2 * variance, variance)
        };
        let (shift, variance) = whole(self.weight, self.sum);
        without.map_or((shift, variance), |word| {
            let share = self.share(word.1);
            whole((self.weight - share).max(0.0), self.sum - share * self.within_reach(shift, word))
        })
    }

    /// What is believed of a good with this label before its own visits.
    fn footing(&self, start: WeightBelief, own_word: Option<(f64, f64)>) -> (f64, f64) {
        let (shift, variance) = self.shift(own_word);
        let variance_g2 = (self.spread2 + variance) * start.mean_sd_g * start.mean_sd_g;
        (start.mean_g + shift * start.mean_sd_g, variance_g2)
    }
}

/// Name of the family of a good of this category with this label; none for what no label speaks of.
pub(super) fn family(category: Option<&str>, start: WeightBelief) -> Option<Box<str>> {
    if start.source != WeightSource::Label || start.mean_sd_g <= 0.0 {
        return None;
    }
    let told = if start.mean_sd_g > NET_ONLY * start.mean_g { "net" } else { "gross" };
    let even = if spread_follows_labels(start) { "even" } else { "varying" };
    Some(format!("{}/{told}/{even}", category.unwrap_or_default()).into_boxed_str())
}

/// Mean and variance that a belief stands on, where its kin may change them.
fn stands_on(belief: &Belief) -> Option<(f64, f64)> {
    match belief.footing {
        Footing::Start => Some((belief.start.mean_g, belief.start.mean_sd_g * belief.start.mean_sd_g)),
        Footing::Kin { mean_g, variance_g2 } => Some((mean_g, variance_g2)),
        Footing::Own => None,
    }
}

/// What a good's own visits say, in units of what its label is unsure by; nothing where they say next to nothing.
pub(super) fn own_word(belief: &Belief) -> Option<(f64, f64)> {
    let (base_g, base_g2) = stands_on(belief)?;
    let precision = 1.0 / belief.mean_variance_g2 - 1.0 / base_g2;
    if precision.is_nan() || precision < 0.02 / base_g2 {
        return None;
    }
    let mean_g = (belief.mean_g / belief.mean_variance_g2 - base_g / base_g2) / precision;
    let unit_g = belief.start.mean_sd_g;
    Some(((mean_g - belief.start.mean_g) / unit_g, 1.0 / (precision * unit_g * unit_g)))
}

/// Puts a belief on what its kin let expect; says whether that was worth it.
pub(super) fn put_on(belief: &mut Belief, kin: Kin) -> bool {
    let Some((base_g, base_g2)) = stands_on(belief) else { return false };
    let (new_g, new_g2) = kin.footing(belief.start, own_word(belief));
    let own = (1.0 / belief.mean_variance_g2 - 1.0 / base_g2).max(0.0);
    let told = if own > 0.0 { belief.mean_g / belief.mean_variance_g2 - base_g / base_g2 } else { 0.0 };
    let variance_g2 = 1.0 / (own + 1.0 / new_g2);
    let mean_g = (variance_g2 * (told + new_g / new_g2)).max(0.1);
    let sd_g = belief.mean_variance_g2.sqrt();
    if (mean_g - belief.mean_g).abs() < WORTH * sd_g && (variance_g2.sqrt() / sd_g - 1.0).abs() < WORTH {
        return false;
    }
    belief.mean_g = mean_g;
    belief.mean_variance_g2 = variance_g2;
    belief.footing = Footing::Kin { mean_g: new_g, variance_g2: new_g2 };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four goods known exactly, off by 1, 2, 3 and 2 label sigmas. At rest s² = (2·0.5 + Σ(z - δ)²) / (2 + 4) and δ = (8/s²) / (4/s² + 2).
    #[test]
    fn the_estimate_is_at_rest_where_it_should_be() {
        let kin = Kin::of(&[(1.0, 1e-9), (2.0, 1e-9), (3.0, 1e-9), (2.0, 1e-9)]);
        let (shift, variance) = kin.shift(None);
        let squares: f64 = [1.0, 2.0, 3.0, 2.0].iter().map(|z: &f64| (z - shift).powi(2)).sum();
        assert!((kin.spread2 - (1.0 + squares) / 6.0).abs() < 1e-6, "{kin:?}");
        assert!((shift - 8.0 / (4.0 + 2.0 * kin.spread2)).abs() < 1e-6, "{kin:?}");
        assert!((variance - 1.0 / (2.0 + 4.0 / kin.spread2)).abs() < 1e-9, "{kin:?}");
        let (others, _) = kin.shift(Some((3.0, 1e-9)));
        assert!((others - 5.0 / (3.0 + 2.0 * kin.spread2)).abs() < 1e-6, "without the one of 3: {others}");
    }

    /// Nobody else in the family: what the label lets expect stays as it was, whatever the only good has turned out to be.
    #[test]
    fn who_has_no_kin_learns_nothing_from_himself() {
        let start = WeightBelief { mean_g: 100.0, sd_g: 1.0, mean_sd_g: 10.0, source: WeightSource::Label };
        let mut belief = Belief { mean_g: 118.0, mean_variance_g2: 5.0, ..Belief::new(start) };
        let before = belief.clone();
        let kin = Kin::of(&[own_word(&belief).unwrap()]);
        put_on(&mut belief, kin);
        assert!((belief.mean_g - before.mean_g).abs() < 0.5, "{belief:?}");
        assert!((belief.mean_variance_g2 / 5.0 - 1.0).abs() < 0.1, "{belief:?}");
    }

    /// A label of 100 ± 10 g, own visits that say 112 ± 5 g: together 1/(1/100 + 1/25) = 20 g², mean 20·(1 + 4.48) = 109.6 g. Many kin lie one
    /// label sigma above it and differ by 4 g²: 1/(1/25 + 1/4) = 3.448 g², mean 3.448·(4.48 + 27.5) = 110.28 g.
    #[test]
    fn a_belief_is_put_on_its_kin_and_keeps_its_own_word() {
        let start = WeightBelief { mean_g: 100.0, sd_g: 1.0, mean_sd_g: 10.0, source: WeightSource::Label };
        let mut belief = Belief { mean_g: 109.6, mean_variance_g2: 20.0, ..Belief::new(start) };
        let (off, variance) = own_word(&belief).unwrap();
        assert!((off - 1.2).abs() < 1e-9 && (variance - 0.25).abs() < 1e-9, "{off} {variance}");
        assert!(put_on(&mut belief, Kin { spread2: 0.04, weight: 1e6, sum: 1e6 }));
        assert!(
            (belief.mean_g - 110.276).abs() < 1e-2 && (belief.mean_variance_g2 - 3.4483).abs() < 1e-2,
            "{belief:?}"
        );
        let (again, _) = own_word(&belief).unwrap();
        assert!((again - 1.2).abs() < 1e-9);
        belief.footing = Footing::Own;
        assert!(own_word(&belief).is_none() && !put_on(&mut belief, Kin::of(&[])));
    }
}
