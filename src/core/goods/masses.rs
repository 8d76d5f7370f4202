//! How the masses of the shop's goods are spread: what lets "some product, whichever" be judged over the whole catalogue at once.
//!
//! Beliefs of all products, each with its spread and share, are added up in bins of grams when the catalogue is imported. The density of
//! a weighing under "something was not scanned" is then that table convolved with the weighing's own error: a short sum, whatever the
//! number of products.

use super::product::{Product, WeightBelief};
use std::collections::BTreeMap;
use std::f64::consts::TAU;

/// Heaviest thing that is told apart, grams; what is heavier lies in the last bin.
const HEAVIEST_G: usize = 32_768;
/// Widest bins, grams.
const WIDEST_G: usize = 64;
/// Bins of categories: a swap is weighed against a whole line besides, so that finer ones would show nothing.
const CATEGORY_BIN_G: usize = 4;
/// Bins in which pairs are added up, grams.
const PAIR_BIN_G: usize = 4;
/// Sums that are added up side by side.
const LANES: usize = 4;
/// A Gaussian is drawn this far to either side, in sigma.
const REACH: f64 = 6.0;
/// Bins may be this share of a sigma: then what they hide is less than a hundredth of the density within two sigma.
const BIN_SHARE: f64 = 0.35;

/// Probability in bins whose middles lie at 0, `bin_g`, 2·`bin_g`, …
#[derive(Clone, Debug)]
struct Level {
    bin_g: f64,
    weights: Vec<f32>,
}

/// What something drawn from a set of goods weighs: probabilities in bins of several widths.
#[derive(Clone, Debug)]
pub struct MassDensity(Vec<Level>);

impl MassDensity {
    /// From (share, mean in grams, variance in g²) of each product, in bins from `finest_g` grams upwards.
    fn new(parts: impl Iterator<Item = (f64, f64, f64)>, finest_g: usize) -> Self {
        let mut fine = vec![0.0f32; HEAVIEST_G / finest_g + 1];
        let bin_g = finest_g as f64;
        for (share, mean_g, variance_g2) in parts {
            spread(&mut fine, share, mean_g / bin_g, variance_g2 / (bin_g * bin_g));
        }
        Self::from_finest(fine, finest_g)
    }

    fn from_finest(weights: Vec<f32>, finest_g: usize) -> Self {
        let mut bin_g = finest_g;
        let mut levels = vec![Level { bin_g: bin_g as f64, weights }];
        while bin_g < WIDEST_G {
            bin_g *= 2;
            let coarser = levels.last().map_or_else(Vec::new, |below| coarser(&below.weights));
            levels.push(Level { bin_g: bin_g as f64, weights: coarser });
        }
        Self(levels)
    }

    /// What two of them weigh together, drawn independently.
    fn pairs(&self) -> Self {
        let single: Vec<(usize, f32)> = self
            .0
            .iter()
            .find(|l| l.bin_g >= PAIR_BIN_G as f64)
            .map(|l| l.weights.iter().copied().enumerate().filter(|(_, w)| *w > 1e-10).collect())
            .unwrap_or_default();
        let last = HEAVIEST_G / PAIR_BIN_G;
        let mut sum = vec![0.0f32; last + 1];
        for (i, a) in &single {
            for (j, b) in &single {
                sum[(i + j).min(last)] += a * b;
            }
        }
        Self::from_finest(sum, PAIR_BIN_G)
    }

    /// Density per gram at `at_g` of one of these goods weighed with a Gaussian error of `variance_g2`.
    pub fn convolved(&self, at_g: f64, variance_g2: f64) -> f64 {
        let sigma_g = variance_g2.max(1.0).sqrt();
        let level = self.0.iter().rev().find(|l| l.bin_g <= BIN_SHARE * sigma_g).unwrap_or(&self.0[0]);
        let (h, last) = (level.bin_g, level.weights.len() - 1);
        let low = (at_g - REACH * sigma_g) / h;
        let high = (at_g + REACH * sigma_g) / h;
        if high < 0.0 || low > last as f64 {
            return 0.0;
        }
        let (from, to) = (low.ceil().max(0.0) as usize, (high as usize).min(last));
        // exp(-(x + i·h)²/2v) by recurrence: no exponential is taken in the loop. Four side by side, each every fourth bin, so that no product
        // waits for the one before it.
        let variance = sigma_g * sigma_g;
        let first = from as f64 * h - at_g;
        let start = (-0.5 * first * first / variance).exp();
        let step = (-(first * h + 0.5 * h * h) / variance).exp();
        let shrink = (-h * h / variance).exp();
        let (mut values, mut ratios) = ([start; LANES], [step.powi(4) * shrink.powi(6); LANES]);
        let mut ratio = step;
        for lane in 1..LANES {
            values[lane] = values[lane - 1] * ratio;
            ratios[lane] = ratios[lane - 1] * shrink.powi(4);
            ratio *= shrink;
        }
        let further = shrink.powi(16);
        let mut sums = [0.0; LANES];
        let (fours, rest) = level.weights.get(from..=to).unwrap_or_default().as_chunks::<LANES>();
        for four in fours {
            for lane in 0..LANES {
                sums[lane] += f64::from(four[lane]) * values[lane];
                values[lane] *= ratios[lane];
                ratios[lane] *= further;
            }
        }
        let sum = sums.iter().sum::<f64>() + rest.iter().zip(values).map(|(w, v)| f64::from(*w) * v).sum::<f64>();
        sum / (TAU * variance).sqrt()
    }
}

/// Half as many bins; what lies half-way goes half to either side, so that means are kept.
fn coarser(fine: &[f32]) -> Vec<f32> {
    let mut weights = vec![0.0; fine.len() / 2 + 1];
    for (at, weight) in fine.iter().enumerate() {
        if at % 2 == 0 {
            weights[at / 2] += weight;
        } else {
            weights[at / 2] += 0.5 * weight;
            weights[at / 2 + 1] += 0.5 * weight;
        }
    }
    weights
}

/// Adds a Gaussian, in units of bins, whole: what would lie outside lies in the end bins.
fn spread(bins: &mut [f32], share: f64, mean: f64, variance: f64) {
    let variance = variance.max(0.3);
    let sigma = variance.sqrt();
    let last = bins.len() - 1;
    let from = (mean - REACH * sigma).floor().max(0.0) as usize;
    let to = ((mean + REACH * sigma).ceil().max(0.0) as usize).min(last);
    if from >= last {
        bins[last] += share as f32;
        return;
    }
    // exp(-(x - mean)²/2v) by recurrence, in two passes: products that vary widely cover thousands of bins.
    let first = from as f64 - mean;
    let start = ((-0.5 * first * first / variance).exp(), (-(first + 0.5) / variance).exp());
    let shrink = (-1.0 / variance).exp();
    let next = |(value, ratio): &mut (f64, f64)| {
        let now = *value;
        *value *= *ratio;
        *ratio *= shrink;
        now
    };
    let mut state = start;
    let sum: f64 = (from..=to).map(|_| next(&mut state)).sum();
    if sum < 1e-9 {
        bins[from] += share as f32;
        return;
    }
    let mut state = start;
    for bin in &mut bins[from..=to] {
        *bin += (share * next(&mut state) / sum) as f32;
    }
}

/// The tables of one catalogue.
#[derive(Clone, Debug)]
pub struct Masses {
    /// One, two and three units of one product.
    units: [MassDensity; 3],
    pairs: MassDensity,
    categories: Vec<MassDensity>,
    category_of: Vec<Option<usize>>,
    category_shares: Vec<f64>,
}

impl Masses {
    /// Adds up all products; `share` says how probable it is that a drawn product is the `i`-th.
    pub(super) fn new(products: &[Product], share: impl Fn(usize) -> f64) -> Self {
        let of = |weight: &WeightBelief, units: u32| (f64::from(units) * weight.mean_g, weight.variance_g2(units));
        let part = |i: usize, units: u32| {
            let (mean_g, variance_g2) = of(&products[i].weight, units);
            (share(i), mean_g, variance_g2)
        };
        let units = [1, 2, 3].map(|n| MassDensity::new((0..products.len()).map(|i| part(i, n)), 1));
        let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, product) in products.iter().enumerate() {
            if let Some(name) = product.category.as_deref() {
                named.entry(name).or_default().push(index);
            }
        }
        let mut category_of = vec![None; products.len()];
        let (mut categories, mut category_shares) = (Vec::new(), Vec::new());
        for (number, members) in named.into_values().enumerate() {
            let sum = members.iter().map(|i| share(*i)).sum::<f64>().max(1e-300);
            let parts = members.iter().map(|i| {
                let (own, mean_g, variance_g2) = part(*i, 1);
                (own / sum, mean_g, variance_g2)
            });
            categories.push(MassDensity::new(parts, CATEGORY_BIN_G));
            category_shares.push(sum);
            members.into_iter().for_each(|i| category_of[i] = Some(number));
        }
        Self { pairs: units[0].pairs(), units, categories, category_of, category_shares }
    }

    /// Density of so many units of any one product; `units` is 1, 2 or 3.
    pub fn of_units(&self, units: u32) -> &MassDensity {
        &self.units[(units.clamp(1, 3) - 1) as usize]
    }

    /// Density of two different products together.
    pub fn of_pairs(&self) -> &MassDensity {
        &self.pairs
    }

    /// Density of a product of the same category as `index`, if it has one.
    pub fn of_category(&self, index: usize) -> Option<&MassDensity> {
        self.category_of[index].map(|c| &self.categories[c])
    }

    /// Number of a product's category.
    pub fn category(&self, index: usize) -> Option<usize> {
        self.category_of[index]
    }

    /// Probability that a product, drawn as shoppers draw, is of this category.
    pub fn category_share(&self, category: usize) -> f64 {
        self.category_shares[category]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(x: f64, variance: f64) -> f64 {
        (-0.5 * x * x / variance).exp() / (TAU * variance).sqrt()
    }

    /// Two products, weighed with errors from narrow to wide: against the two Gaussians added up by hand.
    #[test]
    fn a_convolution_is_as_added_up_by_hand() {
        let goods = [(0.25, 250.0, 16.0), (0.75, 1000.5, 25.0)];
        let density = MassDensity::new(goods.iter().copied(), 1);
        for sigma in [2.0f64, 5.0, 12.0, 40.0, 150.0] {
            for at in [249.0, 262.0, 990.0, 1000.0, 1021.0] {
                let by_hand: f64 =
                    goods.iter().map(|(share, mean, v)| share * normal(at - mean, v + sigma * sigma)).sum();
                let found = density.convolved(at, sigma * sigma);
                assert!((found - by_hand).abs() < 0.03 * by_hand + 1e-7, "{sigma} {at}: {found} {by_hand}");
            }
        }
    }

    #[test]
    fn pairs_are_sums_of_two() {
        let goods = [(0.5, 300.0, 9.0), (0.5, 500.0, 9.0)];
        let pairs = MassDensity::new(goods.iter().copied(), 1).pairs();
        for (at, share) in [(600.0, 0.25), (800.0, 0.5), (1000.0, 0.25)] {
            let by_hand = share * normal(0.0, 18.0 + 400.0);
            let found = pairs.convolved(at, 400.0);
            assert!((found / by_hand - 1.0).abs() < 0.05, "{at}: {found} {by_hand}");
        }
        assert!(pairs.convolved(700.0, 100.0) < 1e-9);
    }

    #[test]
    fn what_is_too_heavy_for_the_table_is_still_something() {
        let density = MassDensity::new([(1.0, 90_000.0, 100.0)].into_iter(), 1);
        assert!(density.convolved(HEAVIEST_G as f64, 400.0) > 0.01);
        assert_eq!(density.convolved(-5000.0, 400.0), 0.0);
    }
}
