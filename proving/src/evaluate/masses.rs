//! The density of "some good of the shop" over grams, for sums over the whole catalogue: binned once, at several widths.

use super::law::Mixture;
use std::f64::consts::TAU;

/// Heaviest thing that is drawn, grams.
const HEAVIEST_G: usize = 32_768;
/// Bins of 1, 2, 4, … 64 g.
const LEVELS: usize = 7;

/// Weights in bins whose middles lie at 0, `bin_g`, 2·`bin_g`, …
#[derive(Clone, Debug)]
pub struct Level {
    /// Width of a bin, grams.
    pub bin_g: f64,
    /// Probability of each bin.
    pub weights: Vec<f64>,
}

/// What something drawn by shares weighs, at several widths of bins.
#[derive(Clone, Debug)]
pub struct Masses(Vec<Level>);

impl Masses {
    /// From laws with their probabilities.
    pub fn new<'a>(laws: impl Iterator<Item = (f64, &'a Mixture)>) -> Self {
        let mut fine = vec![0.0; HEAVIEST_G + 1];
        for (share, law) in laws {
            for c in law.components() {
                spread(&mut fine, share * c.weight, c.mean_g, c.variance_g2);
            }
        }
        Self::from_fine(fine)
    }

    fn from_fine(fine: Vec<f64>) -> Self {
        let mut levels = vec![Level { bin_g: 1.0, weights: fine }];
        for i in 1..LEVELS {
            let below = &levels[i - 1];
            let mut weights = vec![0.0; below.weights.len() / 2 + 1];
            for (at, weight) in below.weights.iter().enumerate() {
                // What lies half-way goes half to either side, so that means are kept.
                weights[at / 2] += if at % 2 == 0 { *weight } else { 0.5 * weight };
                if at % 2 == 1 {
                    weights[at / 2 + 1] += 0.5 * weight;
                }
            }
            levels.push(Level { bin_g: 2.0 * below.bin_g, weights });
        }
        Self(levels)
    }

    /// The mass of two of them, drawn independently: added up in bins of 4 g, which is finer than any two goods are known.
    pub fn twice(&self) -> Self {
        let coarse = &self.0[2];
        let reach = (HEAVIEST_G as f64 / coarse.bin_g) as usize;
        let mut sum = vec![0.0; reach + 1];
        for (i, a) in coarse.weights.iter().enumerate().filter(|(_, a)| **a > 1e-12) {
            for (j, b) in coarse.weights.iter().enumerate().take(reach + 1 - i) {
                sum[i + j] += a * b;
            }
        }
        let mut fine = vec![0.0; HEAVIEST_G + 1];
        for (i, weight) in sum.iter().enumerate() {
            // A bin's weight is spread as a triangle over its neighbourhood.
            for off in -3i32..=3 {
                let at = i as i32 * 4 + off;
                if at >= 0 && (at as usize) < fine.len() {
                    fine[at as usize] += weight * f64::from(4 - off.abs()) / 16.0;
                }
            }
        }
        Self::from_fine(fine)
    }

    /// The sum of several, each times its factor.
    pub fn blend(parts: &[(f64, &Self)]) -> Self {
        let mut fine = vec![0.0; HEAVIEST_G + 1];
        for (factor, part) in parts {
            for (sum, weight) in fine.iter_mut().zip(&part.0[0].weights) {
                *sum += factor * weight;
            }
        }
        Self::from_fine(fine)
    }

    /// The coarsest level whose bins are no wider than `widest_g`.
    pub fn level(&self, widest_g: f64) -> &Level {
        self.0.iter().rev().find(|l| l.bin_g <= widest_g).unwrap_or(&self.0[0])
    }

    /// Probability of everything in it.
    pub fn total(&self) -> f64 {
        self.0[0].weights.iter().sum()
    }
}

/// Adds a Gaussian to bins of 1 g, whole: what would lie outside lies in the end bins.
fn spread(fine: &mut [f64], weight: f64, mean_g: f64, variance_g2: f64) {
    let variance = variance_g2.max(0.3);
    let sd = variance.sqrt();
    let last = fine.len() - 1;
    let from = (mean_g - 6.0 * sd).floor().max(0.0) as usize;
    let to = ((mean_g + 6.0 * sd).ceil().max(0.0) as usize).min(last);
    if from >= last {
        fine[last] += weight;
        return;
    }
    let density = |x: usize| (-0.5 * (x as f64 - mean_g).powi(2) / variance).exp() / (TAU * variance).sqrt();
    let values: Vec<f64> = (from..=to).map(density).collect();
    let sum: f64 = values.iter().sum();
    if sum < 1e-6 {
        fine[from] += weight;
        return;
    }
    for (slot, value) in fine[from..=to].iter_mut().zip(values) {
        *slot += weight * value / sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(level: &Level) -> f64 {
        level.weights.iter().enumerate().map(|(i, w)| w * i as f64 * level.bin_g).sum()
    }

    #[test]
    fn every_level_and_the_sum_of_two_keep_mass_and_mean() {
        let (a, b) = (Mixture::new(&[(1.0, 250.0, 4.0)]), Mixture::new(&[(0.5, 1000.0, 40.0), (0.5, 33.3, 0.2)]));
        let masses = Masses::new([(0.25, &a), (0.75, &b)].into_iter());
        let right = 0.25 * 250.0 + 0.75 * 516.65;
        for widest in [1.0, 2.5, 9.0, 70.0] {
            let level = masses.level(widest);
            assert!(level.bin_g <= widest && (mean(level) - right).abs() < 0.1, "{widest}: {}", mean(level));
        }
        let two = masses.twice();
        assert!((two.total() - 1.0).abs() < 1e-6 && (mean(two.level(1.0)) - 2.0 * right).abs() < 0.5);
    }
}
