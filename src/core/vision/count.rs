//! How many things a picture shows, and how sure that is.

use serde::{Deserialize, Serialize};

/// How many goods a box stands for, by its score, as measured for one detector on scenes whose goods are known.
///
/// A box with a high score is one good; one in the middle may be a part of another box's good, or one that is half hidden.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counting {
    /// The score at which a box stands for half a good, 0..=1.
    pub at: f64,
    /// What the score must differ by for e times the odds, above 0.
    pub width: f64,
    /// Variance of a count of no goods.
    pub variance: f64,
    /// What each good adds to it: with their number grows how many hide each other.
    pub variance_each: f64,
}

/// An estimate of how many goods lie in sight, those that are hardly visible not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// Expected number.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
}

impl Counting {
    /// Whether it is a measurement at all.
    pub fn is_sound(&self) -> bool {
        let spreads = [self.variance, self.variance_each];
        (0.0..=1.0).contains(&self.at)
            && self.width.is_finite()
            && self.width > 0.0
            && spreads.iter().all(|v| v.is_finite() && *v >= 0.0)
    }

    /// Of the scores of boxes that each mean another thing.
    pub fn of(&self, scores: impl IntoIterator<Item = f32>) -> Count {
        let share = |score: f32| 1.0 / (1.0 + (-(f64::from(score) - self.at) / self.width).exp());
        let mean: f64 = scores.into_iter().map(share).sum();
        Count { mean, sd: (self.variance + self.variance_each * mean).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTING: Counting = Counting { at: 0.5, width: 0.05, variance: 0.1, variance_each: 0.2 };

    #[test]
    fn a_sure_box_is_one_good_a_doubtful_one_a_half_and_noise_none() {
        // By hand: logistic of 8, 0 and -8.
        let count = COUNTING.of([0.9, 0.5, 0.1]);
        assert!((count.mean - (0.999_664_65 + 0.5 + 0.000_335_35)).abs() < 1e-6, "{count:?}");
        assert!((count.sd - (0.1f64 + 0.2 * 1.5).sqrt()).abs() < 1e-6, "{count:?}");
        assert_eq!(COUNTING.of([]).mean, 0.0);
    }

    #[test]
    fn what_is_no_measurement_is_told() {
        assert!(COUNTING.is_sound());
        for unsound in [
            Counting { at: 1.5, ..COUNTING },
            Counting { at: f64::NAN, ..COUNTING },
            Counting { width: 0.0, ..COUNTING },
            Counting { variance: -1.0, ..COUNTING },
            Counting { variance_each: f64::INFINITY, ..COUNTING },
        ] {
            assert!(!unsound.is_sound(), "{unsound:?}");
        }
    }
}
