//! How far a weighing may be off although the list is right: neither even nor Gaussian.
//!
//! The core is a sum of many small deviations with tails: a mixture of two Gaussians, one three times as wide as the other, of the sum's
//! variance and kurtosis. Over it lie what kinds of bags there are and what rarely but surely happens: a pack that has silently changed, a label
//! that belongs to something else.

use crate::goods::MassDensity;
use std::collections::BTreeMap;
use std::f64::consts::TAU;

/// How much wider the tails' Gaussian is than the core's.
const WIDER: f64 = 3.0;
/// Greatest excess kurtosis that such a mixture can have, a little below its own limit of 5.33.
const EXCESS_MAX: f64 = 5.0;
/// Narrowest core, g²: no scale and no pack is known better.
const CORE_MIN_G2: f64 = 1.0;
/// A rare change smaller than this share of the core's sigma drowns in it.
const DROWNS: f64 = 0.5;
/// More than this many kinds of bags together are one Gaussian.
const BAGS_MAX: usize = 10;

/// One Gaussian of a mixture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// Share of the whole, 0..=1.
    pub weight: f64,
    /// Mean in grams.
    pub mean_g: f64,
    /// Variance in g².
    pub variance_g2: f64,
}

impl Component {
    /// Density per gram at `x_g` once `variance_g2` is added, its weight included.
    fn density(&self, x_g: f64, variance_g2: f64) -> f64 {
        let variance = self.variance_g2 + variance_g2;
        let d = x_g - self.mean_g;
        self.weight * (-0.5 * d * d / variance).exp() / (TAU * variance).sqrt()
    }
}

/// A mixture of (share, mean in grams, 1 sigma in grams), shares taken relative to their sum.
pub fn mixture(parts: impl Iterator<Item = (f64, f64, f64)> + Clone) -> Vec<Component> {
    let all: f64 = parts.clone().map(|p| p.0).sum();
    parts.map(|(share, mean_g, sd_g)| Component { weight: share / all, mean_g, variance_g2: sd_g * sd_g }).collect()
}

/// The one Gaussian of the same weight, mean and variance.
pub fn merged(parts: &[Component]) -> Component {
    let weight: f64 = parts.iter().map(|c| c.weight).sum();
    let over = weight.max(1e-300);
    let mean_g = parts.iter().map(|c| c.weight * c.mean_g).sum::<f64>() / over;
    let variance_g2 =
        parts.iter().map(|c| c.weight * (c.variance_g2 + (c.mean_g - mean_g).powi(2))).sum::<f64>() / over;
    Component { weight, mean_g, variance_g2 }
}

/// The mixture of the sum of two independent ones; one Gaussian once it would have too many.
pub fn sum(a: &[Component], b: &[Component]) -> Vec<Component> {
    let both: Vec<Component> = a
        .iter()
        .flat_map(|x| {
            b.iter().map(|y| Component {
                weight: x.weight * y.weight,
                mean_g: x.mean_g + y.mean_g,
                variance_g2: x.variance_g2 + y.variance_g2,
            })
        })
        .collect();
    if both.len() > BAGS_MAX { vec![merged(&both)] } else { both }
}

/// What is added up in a core: variances, and fourth cumulants for the tails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// Variance in g²; negative where something is taken away.
    pub variance_g2: f64,
    /// Fourth cumulant in g⁴.
    pub fourth_g4: f64,
}

impl Spread {
    /// Of something of this variance and excess kurtosis.
    pub fn new(variance_g2: f64, excess: f64) -> Self {
        Self { variance_g2, fourth_g4: excess * variance_g2 * variance_g2 }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self { variance_g2: self.variance_g2 + other.variance_g2, fourth_g4: self.fourth_g4 + other.fourth_g4 }
    }

    /// Without a part of it.
    pub fn less(self, part: Self) -> Self {
        Self { variance_g2: self.variance_g2 - part.variance_g2, fourth_g4: self.fourth_g4 - part.fourth_g4 }
    }

    /// Weight of the wide Gaussian, and both variances in g².
    fn split(self) -> (f64, f64, f64) {
        let variance = self.variance_g2.max(CORE_MIN_G2);
        let excess = (self.fourth_g4 / (variance * variance)).clamp(0.0, EXCESS_MAX);
        // With a share w k times as wide: excess = 3 (1 + (k⁴ - 1) w) / (1 + (k² - 1) w)² - 3, a quadratic in w.
        let (k2, k4) = (WIDER * WIDER - 1.0, WIDER.powi(4) - 1.0);
        let a = excess / 3.0 + 1.0;
        let b = k4 - 2.0 * a * k2;
        let w = (b - (b * b - 4.0 * a * k2 * k2 * (a - 1.0)).max(0.0).sqrt()) / (2.0 * a * k2 * k2);
        let narrow = variance / (1.0 + k2 * w);
        (w, narrow, WIDER * WIDER * narrow)
    }
}

/// The whole error of one weighing, in its order of likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    core: Spread,
    /// Kinds of bags, about zero; their weights are the probability that nothing rare has happened.
    usual: Vec<Component>,
    /// What rarely happens, once, twice, and more often.
    rare: Vec<Component>,
}

impl Noise {
    /// `bags` are about zero with weights that sum to 1, or empty; `rare` are things that may each happen once, weights their probabilities.
    pub fn new(mut core: Spread, bags: &[Component], rare: &[Component]) -> Self {
        let alone = [Component { weight: 1.0, mean_g: 0.0, variance_g2: 0.0 }];
        let bags = if bags.is_empty() { &alone } else { bags };
        let drowned = DROWNS * core.variance_g2.max(CORE_MIN_G2).sqrt();
        // By which way and how far, in octaves: what lies close together is one Gaussian.
        let mut groups: BTreeMap<(bool, i32), Vec<Component>> = BTreeMap::new();
        let mut happening: Vec<Component> = Vec::new();
        for part in rare {
            let size_g2 = part.mean_g * part.mean_g + part.variance_g2;
            if size_g2.sqrt() < drowned {
                core.variance_g2 += part.weight * size_g2;
                continue;
            }
            groups.entry((part.mean_g < 0.0, size_g2.log2().floor() as i32)).or_default().push(*part);
            happening.push(*part);
        }
        let expected = merged(&happening);
        let none = (-expected.weight).exp();
        let usual = bags.iter().map(|c| Component { weight: none * c.weight, ..*c }).collect();
        let bag = merged(bags);
        let over = |part: &Component, times: f64, weight: f64| Component {
            weight,
            mean_g: times * part.mean_g + bag.mean_g,
            variance_g2: times * part.variance_g2 + bag.variance_g2,
        };
        let mut all: Vec<Component> = groups
            .values()
            .map(|group| {
                let one = merged(group);
                over(&one, 1.0, none * one.weight)
            })
            .collect();
        let twice = none * expected.weight * expected.weight / 2.0;
        let more = (1.0 - none * (1.0 + expected.weight) - twice).max(0.0);
        all.extend(
            [(2.0, twice), (3.0, more)].into_iter().filter(|(_, w)| *w > 1e-7).map(|(n, w)| over(&expected, n, w)),
        );
        Self { core, usual, rare: all }
    }

    /// Calls with every Gaussian of the error once an edit has changed the core by `change`.
    fn each(&self, change: Spread, mut visit: impl FnMut(Component)) {
        let core = self.core.plus(change);
        let variance = core.variance_g2.max(CORE_MIN_G2);
        let (w, narrow, wide) = core.split();
        for part in &self.usual {
            visit(Component { weight: part.weight * (1.0 - w), variance_g2: part.variance_g2 + narrow, ..*part });
            if w > 1e-4 {
                visit(Component { weight: part.weight * w, variance_g2: part.variance_g2 + wide, ..*part });
            }
        }
        for part in &self.rare {
            visit(Component { variance_g2: part.variance_g2 + variance, ..*part });
        }
    }

    /// Density per gram of being off by `at_g`.
    pub fn density(&self, at_g: f64, change: Spread) -> f64 {
        self.with(&[Component { weight: 1.0, mean_g: 0.0, variance_g2: 0.0 }], at_g, change)
    }

    /// Density per gram at `at_g` of the sum with something independent.
    pub fn with(&self, other: &[Component], at_g: f64, change: Spread) -> f64 {
        let mut sum = 0.0;
        self.each(change, |part| {
            for o in other {
                sum += o.weight * part.density(at_g - o.mean_g, o.variance_g2);
            }
        });
        sum
    }

    /// Density per gram at `at_g` of the sum with one of many goods.
    pub fn convolved(&self, goods: &MassDensity, at_g: f64, change: Spread) -> f64 {
        let mut sum = 0.0;
        self.each(change, |part| sum += part.weight * goods.convolved(at_g - part.mean_g, part.variance_g2));
        sum
    }

    /// Variance in g² of everything but what rarely happens.
    pub fn usual_g2(&self, change: Spread) -> f64 {
        merged(&self.usual).variance_g2 + self.core.plus(change).variance_g2.max(CORE_MIN_G2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_CHANGE: Spread = Spread { variance_g2: 0.0, fourth_g4: 0.0 };

    fn moments(noise: &Noise) -> (f64, f64, f64) {
        let step = 0.25;
        let grid = || (-8000..8000).map(|i| f64::from(i) * step);
        let sum = |power: i32| grid().map(|x| x.powi(power) * noise.density(x, NO_CHANGE) * step).sum::<f64>();
        (sum(0), sum(2), sum(4))
    }

    /// A core has the variance and the kurtosis that were added up for it: 60 + 40, 4·60² + 0.5·40².
    #[test]
    fn a_core_has_the_moments_of_its_parts() {
        let core = Spread::new(60.0, 4.0).plus(Spread::new(40.0, 0.5));
        let (mass, second, fourth) = moments(&Noise::new(core, &[], &[]));
        assert!((mass - 1.0).abs() < 1e-6 && (second - 100.0).abs() < 0.01, "{mass} {second}");
        assert!((fourth - 3.0 * 100.0 * 100.0 - 15_200.0).abs() < 20.0, "{fourth}");
        let even = Noise::new(Spread::new(100.0, 0.0), &[], &[]);
        assert!((even.density(0.0, NO_CHANGE) - 0.0398942).abs() < 1e-6);
    }

    /// A change of 1 % by 100 g: one in a hundred is there, and the rest of the law is as before.
    #[test]
    fn what_is_rare_is_where_it_belongs() {
        let rare = [Component { weight: 0.01, mean_g: -100.0, variance_g2: 25.0 }];
        let noise = Noise::new(Spread::new(25.0, 0.0), &[], &rare);
        let near: f64 = (-130..=-70).map(|x| noise.density(f64::from(x), NO_CHANGE)).sum();
        assert!((near - 0.01 * (-0.01f64).exp()).abs() < 2e-4, "{near}");
        let (mass, ..) = moments(&noise);
        assert!((mass - 1.0).abs() < 1e-3);
        let small = Noise::new(Spread::new(25.0, 0.0), &[], &[Component { mean_g: 1.0, variance_g2: 0.0, ..rare[0] }]);
        assert!((small.usual_g2(NO_CHANGE) - 25.01).abs() < 1e-9, "it drowns");
    }

    #[test]
    fn two_kinds_of_bags_make_three_kinds_of_pairs() {
        let one = [(0.5, -20.0), (0.5, 20.0)].map(|(weight, mean_g)| Component { weight, mean_g, variance_g2: 4.0 });
        let two = sum(&one, &one);
        let at = |g: f64| Noise::new(Spread::new(1.0, 0.0), &two, &[]).density(g, NO_CHANGE);
        // N(0, 9): 0.13298; the middle holds half of all pairs.
        assert!((at(0.0) - 0.5 * 0.132_98).abs() < 1e-4 && (at(40.0) - 0.25 * 0.132_98).abs() < 1e-4);
        assert!(at(20.0) < 1e-6);
    }
}
