//! Probability laws of the generator: small Gaussian mixtures, because they can be drawn from, added, and transformed exactly, and because
//! heavy tails, skew and rare jumps are all mixtures of something.

use rand::Rng;
use rand_distr::StandardNormal;
use std::f64::consts::TAU;

/// One Gaussian of a mixture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// Share of the whole, 0..=1.
    pub weight: f64,
    /// Mean in grams.
    pub mean_g: f64,
    /// Variance in g², above 0.
    pub variance_g2: f64,
}

impl Component {
    /// Its density at `x_g`, per gram, its weight included.
    pub fn density(&self, x_g: f64) -> f64 {
        let deviation = x_g - self.mean_g;
        self.weight * (-0.5 * deviation * deviation / self.variance_g2).exp() / (TAU * self.variance_g2).sqrt()
    }
}

/// A mixture of Gaussians over grams; weights sum to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture(Vec<Component>);

impl Mixture {
    /// From (weight, mean in grams, 1 sigma in grams); weights are scaled to sum to 1, spreads bounded below at 0.05 g.
    pub fn new(parts: &[(f64, f64, f64)]) -> Self {
        let sum: f64 = parts.iter().map(|p| p.0).sum();
        let component = |&(weight, mean_g, sd_g): &(f64, f64, f64)| Component {
            weight: weight / sum,
            mean_g,
            variance_g2: (sd_g * sd_g).max(0.0025),
        };
        Self(parts.iter().map(component).collect())
    }

    /// A heavy-tailed law about zero: a share `wide` is `factor` times as wide as the rest.
    pub fn heavy(sd_g: f64, wide: f64, factor: f64) -> Self {
        Self::new(&[(1.0 - wide, 0.0, sd_g), (wide, 0.0, factor * sd_g)])
    }

    /// A skewed law about zero, as of things that grow: a long tail upwards.
    pub fn skewed(sd_g: f64) -> Self {
        Self::new(&[(0.7, -0.3 * sd_g, 0.75 * sd_g), (0.3, 0.7 * sd_g, 1.1 * sd_g)])
    }

    /// Its Gaussians.
    pub fn components(&self) -> &[Component] {
        &self.0
    }

    /// Its mean in grams.
    pub fn mean_g(&self) -> f64 {
        self.0.iter().map(|c| c.weight * c.mean_g).sum()
    }

    /// Its variance in g².
    pub fn variance_g2(&self) -> f64 {
        let mean = self.mean_g();
        self.0.iter().map(|c| c.weight * (c.variance_g2 + (c.mean_g - mean).powi(2))).sum()
    }

    /// Variance in g² of its heaviest Gaussian: how smooth the law's density is.
    pub fn core_g2(&self) -> f64 {
        self.0.iter().max_by(|a, b| a.weight.total_cmp(&b.weight)).map_or(0.0, |c| c.variance_g2)
    }

    /// Density at `x_g`, per gram.
    pub fn density(&self, x_g: f64) -> f64 {
        self.0.iter().map(|c| c.density(x_g)).sum()
    }

    /// One draw, grams.
    pub fn draw(&self, rng: &mut impl Rng) -> f64 {
        let mut left: f64 = rng.random();
        let mut chosen = self.0.first();
        for component in &self.0 {
            chosen = Some(component);
            left -= component.weight;
            if left < 0.0 {
                break;
            }
        }
        let normal: f64 = rng.sample(StandardNormal);
        chosen.map_or(0.0, |c| c.mean_g + c.variance_g2.sqrt() * normal)
    }

    /// The law of `factor` times what this is the law of.
    pub fn scaled(&self, factor: f64) -> Self {
        let scale = |c: &Component| Component {
            mean_g: factor * c.mean_g,
            variance_g2: (factor * factor * c.variance_g2).max(1e-9),
            ..*c
        };
        Self(self.0.iter().map(scale).collect())
    }

    /// The law of the sum with something independent.
    pub fn plus(&self, other: &Self) -> Self {
        let pairs = self.0.iter().flat_map(|a| {
            other.0.iter().map(move |b| Component {
                weight: a.weight * b.weight,
                mean_g: a.mean_g + b.mean_g,
                variance_g2: a.variance_g2 + b.variance_g2,
            })
        });
        Self(pairs.collect())
    }

    /// The law that is `self` but with probability `share` is `other`.
    pub fn or(&self, share: f64, other: &Self) -> Self {
        let with = |mixture: &Self, factor: f64| {
            mixture.0.iter().map(|c| Component { weight: factor * c.weight, ..*c }).collect::<Vec<_>>()
        };
        Self([with(self, 1.0 - share), with(other, share)].concat())
    }

    /// The one Gaussian of the same mean and variance.
    pub fn gaussian(&self) -> Self {
        Self(vec![Component { weight: 1.0, mean_g: self.mean_g(), variance_g2: self.variance_g2() }])
    }

    /// The same law moved by `by_g`.
    pub fn moved(&self, by_g: f64) -> Self {
        Self(self.0.iter().map(|c| Component { mean_g: c.mean_g + by_g, ..*c }).collect())
    }
}

/// The law of the units of one product (or one labelled portion): a pack's own deviation, a deviation that the batch's units share, and a
/// rare silent change of pack that all units share. None of it is Gaussian.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitLaw {
    /// Long-run mean of a unit, grams.
    pub mean_g: f64,
    /// A unit's own deviation, about zero.
    pub own: Mixture,
    /// What the units of one batch share, about zero.
    pub batch: Mixture,
    /// What every unit is off by if the change has happened.
    pub change: Mixture,
    /// How probable the change is.
    pub changed: f64,
}

impl UnitLaw {
    /// Masses of `units` units of one batch together, less their long-run mean, grams.
    pub fn draw(&self, units: u32, rng: &mut impl Rng) -> f64 {
        let mut shared = self.batch.draw(rng);
        let change = self.change.draw(rng);
        if rng.random::<f64>() < self.changed {
            shared += change;
        }
        let own: f64 = (0..units).map(|_| self.own.draw(rng)).sum();
        f64::from(units) * shared + own
    }

    /// The law of so many units together, grams, as a short mixture: exact for one unit up to the rare change, which is kept by its mean and
    /// variance; the units' own deviations are added up by mean and variance from the second unit on.
    pub fn units(&self, units: u32) -> Mixture {
        let n = f64::from(units);
        let own = if units == 1 {
            self.own.clone()
        } else {
            Mixture::new(&[(1.0, n * self.own.mean_g(), (n * self.own.variance_g2()).sqrt())])
        };
        let usual = own.plus(&self.batch.scaled(n));
        let changed = usual.gaussian().plus(&self.change.scaled(n));
        usual.or(self.changed, &changed).moved(n * self.mean_g)
    }

    /// How far the rare change can move a unit, grams: four spreads of its widest part.
    pub fn furthest_g(&self) -> f64 {
        if self.changed <= 0.0 {
            return 0.0;
        }
        self.change.components().iter().map(|c| c.mean_g.abs() + 4.0 * c.variance_g2.sqrt()).fold(0.0, f64::max)
    }

    /// Variance of `units` units in g², everything included.
    pub fn variance_g2(&self, units: u32) -> f64 {
        let n = f64::from(units);
        let change = self.changed * (self.change.variance_g2() + (1.0 - self.changed) * self.change.mean_g().powi(2));
        n * self.own.variance_g2() + n * n * (self.batch.variance_g2() + change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn moments_are_as_by_hand() {
        // Mean 0.25·4 = 1; variance 0.75·1 + 0.25·4 + 0.75·1² + 0.25·3² = 4.75.
        let mixture = Mixture::new(&[(3.0, 0.0, 1.0), (1.0, 4.0, 2.0)]);
        assert!((mixture.mean_g() - 1.0).abs() < 1e-12 && (mixture.variance_g2() - 4.75).abs() < 1e-12);
        let twice = mixture.plus(&mixture);
        assert!((twice.mean_g() - 2.0).abs() < 1e-12 && (twice.variance_g2() - 9.5).abs() < 1e-12);
        assert!((mixture.scaled(-2.0).variance_g2() - 19.0).abs() < 1e-9);
        assert!(Mixture::skewed(10.0).mean_g().abs() < 1e-12);
    }

    /// Draws of three units of one batch have the variance that is claimed for them, and a batch is shared.
    #[test]
    fn draws_follow_the_law() {
        let law = UnitLaw {
            mean_g: 500.0,
            own: Mixture::heavy(3.0, 0.1, 3.0),
            batch: Mixture::heavy(2.0, 0.1, 3.0),
            change: Mixture::new(&[(1.0, -50.0, 10.0)]),
            changed: 0.02,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let draws: Vec<f64> = (0..200_000).map(|_| law.draw(3, &mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        let mixture = law.units(3);
        assert!((mixture.variance_g2() / law.variance_g2(3) - 1.0).abs() < 1e-9);
        assert!((variance / law.variance_g2(3) - 1.0).abs() < 0.03, "{variance} {}", law.variance_g2(3));
        assert!((mean - (mixture.mean_g() - 1500.0)).abs() < 0.2, "{mean}");
    }
}
