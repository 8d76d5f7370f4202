//! Bayes' rule over the hypotheses.

use super::hypothesis::{Edit, Hypothesis};
use std::f64::consts::TAU;

/// A hypothesis with its posterior probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted {
    /// The edit.
    pub edit: Edit,
    /// What it adds to the expected mass, grams.
    pub shift_g: f64,
    /// Its posterior probability, 0..=1; all sum to 1.
    pub probability: f64,
}

/// So many of the likeliest by mass are also compared with the scene: the rest could not overtake them.
const LOOKED_AT: usize = 256;

/// Posterior of all hypotheses, likeliest first. `residual_g` is measured less expected, `variance_g2` its variance if the list is right;
/// `scene` gives the logarithm of what the look says for an edit against the bare list.
pub fn posterior(
    list: &[Hypothesis],
    residual_g: f64,
    variance_g2: f64,
    mut scene: impl FnMut(Edit) -> f64,
) -> Vec<Weighted> {
    let mut scored: Vec<(f64, &Hypothesis)> = list
        .iter()
        .map(|h| (h.log_prior + log_normal(residual_g - h.shift_g, (variance_g2 + h.variance_g2).max(0.25)), h))
        .collect();
    // A stable sort keeps equal hypotheses in the catalogue's order, so that the same evidence gives the same words.
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (score, hypothesis) in scored.iter_mut().take(LOOKED_AT) {
        *score += scene(hypothesis.edit);
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let top = scored.first().map_or(0.0, |s| s.0);
    let sum: f64 = scored.iter().map(|s| (s.0 - top).exp()).sum();
    scored
        .into_iter()
        .map(|(score, h)| Weighted { edit: h.edit, shift_g: h.shift_g, probability: (score - top).exp() / sum })
        .collect()
}

fn log_normal(deviation: f64, variance: f64) -> f64 {
    -0.5 * (deviation * deviation / variance + (TAU * variance).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hypothesis(edit: Edit, prior: f64, shift_g: f64) -> Hypothesis {
        Hypothesis { edit, log_prior: f64::ln(prior), shift_g, variance_g2: 0.0 }
    }

    /// Two hypotheses of equal spread: posterior odds are prior odds × exp((z₀² - z₁²) / 2), by hand.
    #[test]
    fn odds_are_as_by_hand() {
        let list =
            [hypothesis(Edit::Nothing, 0.9, 0.0), hypothesis(Edit::Unscanned { product: 0, units: 1 }, 0.1, 40.0)];
        let post = posterior(&list, 30.0, 100.0, |_| 0.0);
        // z₀ = 3, z₁ = -1: odds for the edit = (0.1 / 0.9) · e⁴ = 6.066.
        assert!((post[0].probability / post[1].probability - 6.0664).abs() < 0.001, "{post:?}");
        assert_eq!(post[0].edit, Edit::Unscanned { product: 0, units: 1 });
        assert!((post[0].probability + post[1].probability - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_look_shifts_the_odds_by_what_it_says() {
        let list = [hypothesis(Edit::Nothing, 0.5, 0.0), hypothesis(Edit::Bag, 0.5, 0.0)];
        let post = posterior(&list, 0.0, 1.0, |edit| if edit == Edit::Bag { 2.0f64.ln() } else { 0.0 });
        assert_eq!(post[0].edit, Edit::Bag);
        assert!((post[0].probability - 2.0 / 3.0).abs() < 1e-12);
    }
}
