//! The standard Gaussian cut off on both sides.

use std::f64::consts::TAU;

/// Beyond so many sigma there is nothing that could matter.
const FAR: f64 = 8.0;

/// Mean and central moments of a Gaussian of mean 0 and variance 1 of which only what lies in `from..to` is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// Mean.
    pub mean: f64,
    /// Mean of the square.
    pub square: f64,
    /// Mean of the fourth power.
    pub fourth: f64,
}

impl Cut {
    /// The whole Gaussian.
    pub const WHOLE: Self = Self { mean: 0.0, square: 1.0, fourth: 3.0 };

    /// By partial integration: E\[xᵏ\] = (k-1)·E\[xᵏ⁻²\] + (aᵏ⁻¹φ(a) - bᵏ⁻¹φ(b)) / (Φ(b) - Φ(a)). Limits between which almost nothing lies
    /// give the whole Gaussian: what is seen there says that the limits are wrong.
    pub fn new(from: f64, to: f64) -> Self {
        let (a, b) = (from.clamp(-FAR, FAR), to.clamp(-FAR, FAR));
        let seen = distribution(b) - distribution(a);
        if seen.is_nan() || seen < 1e-3 {
            return Self::WHOLE;
        }
        let (at_a, at_b) = (density(a) / seen, density(b) / seen);
        let square = 1.0 + a * at_a - b * at_b;
        Self { mean: at_a - at_b, square, fourth: 3.0 * square + a.powi(3) * at_a - b.powi(3) * at_b }
    }

    /// Variance.
    pub fn variance(&self) -> f64 {
        (self.square - self.mean * self.mean).max(0.0)
    }

    /// Variance of the square.
    pub fn square_variance(&self) -> f64 {
        (self.fourth - self.square * self.square).max(0.0)
    }
}

/// φ(x).
pub fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / TAU.sqrt()
}

/// Φ(x) by its power series (Marsaglia, Journal of Statistical Software 11(4), 2004); to 1e-14 within eight sigma.
pub fn distribution(x: f64) -> f64 {
    if x.abs() >= FAR {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut k) = (x, x, 1.0);
    while f64::abs(term) > 1e-16 * f64::abs(sum) {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    (0.5 + sum * density(x)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables: Φ(1) = 0.8413447, Φ(-2.5) = 0.0062097.
    #[test]
    fn the_distribution_is_that_of_the_tables() {
        assert!((distribution(1.0) - 0.841_344_7).abs() < 1e-7);
        assert!((distribution(-2.5) - 0.006_209_7).abs() < 1e-7);
        assert_eq!(distribution(0.0), 0.5);
    }

    /// Cut at ±1: variance 1 - 2φ(1)/(2Φ(1)-1) = 1 - 2·0.2419707/0.6826895 = 0.2911251. The upper half: mean √(2/π).
    #[test]
    fn moments_are_as_by_hand() {
        let middle = Cut::new(-1.0, 1.0);
        assert!((middle.variance() - 0.291_125_1).abs() < 1e-6 && middle.mean.abs() < 1e-12);
        let upper = Cut::new(0.0, 100.0);
        assert!((upper.mean - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-9 && (upper.square - 1.0).abs() < 1e-9);
        let whole = Cut::new(-50.0, 50.0);
        assert!((whole.square - 1.0).abs() < 1e-9 && (whole.fourth - 3.0).abs() < 1e-9);
        assert_eq!(Cut::new(7.0, 7.1), Cut::WHOLE);
    }
}
