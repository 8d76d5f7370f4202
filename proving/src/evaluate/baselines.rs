//! What others do, done as well as it can be: thresholds set for each cell, true means and spreads.

use super::looks::Looks;
use super::shop::Shop;
use super::trip::{self, Setting, Trip};

/// The simple rules, in the order of [`Scores`].
pub const NAMES: [&str; 6] = ["one_sided", "two_sided", "one_sided_list", "two_sided_list", "list", "step_rule"];
/// Which of them are a total joined with the comparison of looks with the list: (place, place of the total).
pub const JOINED: [(usize, usize); 2] = [(2, 0), (3, 1)];
/// The place of the comparison of looks with the list.
pub const LIST: usize = 4;
/// The place of the rule that matches each increase of weight to the last scan.
pub const STEPS: usize = 5;

/// One score a rule, higher for more suspicious; NaN where a rule has nothing to go by.
pub type Scores = [f64; NAMES.len()];

/// What the total says: above the list, and off the list, in true spreads.
pub fn totals(trip: &Trip, setting: Setting, shop: &Shop) -> Scores {
    let bag = trip::bag_law();
    let mut expected_g = trip.tare_g + trip.bags_g.unwrap_or(f64::from(trip.bags) * bag.mean_g());
    let mut variance_g2 = trip::scale_law().variance_g2()
        + trip::container_law(setting).variance_g2()
        + trip::bags_law(setting, trip.bags).variance_g2();
    for line in &trip.lines {
        let law = line.law(shop);
        expected_g += f64::from(line.quantity) * law.mean_g;
        variance_g2 += law.variance_g2(line.quantity);
    }
    let z = (trip.measured_g - expected_g) / variance_g2.sqrt();
    let mut scores = [f64::NAN; NAMES.len()];
    scores[0] = z;
    scores[1] = z.abs();
    scores
}

/// What looks say: how badly the crop that fits the list least fits it.
pub fn list(trip: &Trip, looks: &Looks, parts: &[Vec<Vec<f32>>]) -> f64 {
    let best = |crop: &Vec<f32>| trip.lines.iter().map(|l| looks.ratio(l.product, crop)).fold(1e-3, f64::max).ln();
    -parts.iter().flatten().map(best).fold(9.0, f64::min)
}

/// How badly the step that fits its scans least fits them, in spreads; a step without a scan is as odd as it is heavy.
pub fn steps(trip: &Trip, shop: &Shop) -> f64 {
    let odd = |step: &trip::Step| {
        let (mut expected_g, mut variance_g2) = (0.0, trip::step_law().variance_g2());
        for line in step.lines.iter().map(|i| &trip.lines[*i]) {
            let law = line.law(shop);
            expected_g += f64::from(line.quantity) * law.mean_g;
            variance_g2 += law.variance_g2(line.quantity);
        }
        (step.mass_g - expected_g).abs() / variance_g2.sqrt()
    };
    trip.steps.iter().map(odd).fold(0.0, f64::max)
}

/// The score of two rules of which either alarms: how rare the rarer of both is among honest baskets, the false alarms shared half and half.
pub fn join(scores: &mut [Scores], honest: usize) {
    if scores.iter().any(|s| s[LIST].is_nan()) {
        return;
    }
    for (place, total) in JOINED {
        let (a, b) = (ranks(scores, honest, total), ranks(scores, honest, LIST));
        for (row, (a, b)) in scores.iter_mut().zip(a.into_iter().zip(b)) {
            row[place] = -a.min(b).ln();
        }
    }
}

/// For each basket the share of honest ones (the first `honest`) that score at least as high.
fn ranks(scores: &[Scores], honest: usize, rule: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = scores[..honest].iter().map(|s| s[rule]).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let top = sorted.last().copied().unwrap_or(0.0);
    scores
        .iter()
        .map(|s| {
            let above = n - sorted.partition_point(|h| *h < s[rule]) as f64;
            // Beyond all honest ones the order goes on, so that ties do not hide it.
            if above > 0.0 { (above + 0.5) / (n + 1.0) } else { 0.5 / (n + 1.0) / (1.0 + (s[rule] - top).max(0.0)) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarer_of_two_alarms_decides() {
        let row = |total: f64, list: f64| [total, total, f64::NAN, f64::NAN, list, f64::NAN];
        // Four honest baskets, then one that is odd by its total and one that is odd by its looks.
        let mut scores = [row(0.0, 0.0), row(1.0, 1.0), row(2.0, 2.0), row(3.0, 3.0), row(9.0, 0.0), row(0.0, 9.0)];
        join(&mut scores, 4);
        assert!(scores[4][2] > scores[3][2] && scores[5][2] > scores[3][2]);
        assert!((scores[4][2] - scores[5][2]).abs() < 1e-12);
        // The second of four: three score at least as high by either, (3 + 0.5) / 5.
        assert!((scores[1][2] + (3.5f64 / 5.0).ln()).abs() < 1e-12);
    }
}
