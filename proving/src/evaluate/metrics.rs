//! Figures of detectors: how well scores tell cheats from honest baskets, how true probabilities are, and how sure all that is.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Share of honest baskets that may be stopped at the operating point that detectors are compared at.
pub const FALSE_ALARMS: f64 = 0.01;
/// Resamples of the paired bootstrap.
const RESAMPLES: usize = 200;
/// Bins of the reliability figure.
pub const BINS: usize = 15;

/// Scores of honest baskets, and of each kind of cheat with the kind's share.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Honest, in the order of the baskets.
    pub honest: Vec<f64>,
    /// (share of the kind, scores in the order of the baskets).
    pub cheats: Vec<(f64, Vec<f64>)>,
}

impl Scored {
    /// Probability that a cheat scores above an honest basket, ties counting half (Mann and Whitney), kinds by their shares.
    pub fn auc(&self) -> f64 {
        let sorted = sorted(&self.honest);
        self.cheats.iter().map(|(share, scores)| share * mean(&placements(scores, &sorted))).sum::<f64>()
            / self.shares()
    }

    /// Share of cheats caught when a share `alarms` of the honest baskets is stopped; ties are split.
    pub fn catch_at(&self, alarms: f64) -> f64 {
        let threshold = Threshold::at(&self.honest, alarms);
        self.cheats.iter().map(|(share, scores)| share * threshold.catch(scores)).sum::<f64>() / self.shares()
    }

    /// Which of `scores` lie above the threshold of [`FALSE_ALARMS`].
    pub fn threshold(&self) -> Threshold {
        Threshold::at(&self.honest, FALSE_ALARMS)
    }

    fn shares(&self) -> f64 {
        self.cheats.iter().map(|c| c.0).sum()
    }
}

/// An operating point.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    at: f64,
    /// Share of the ties that are stopped.
    ties: f64,
}

impl Threshold {
    /// The point at which a share `alarms` of `honest` is stopped.
    pub fn at(honest: &[f64], alarms: f64) -> Self {
        let sorted = sorted(honest);
        let n = sorted.len();
        if n == 0 {
            return Self { at: f64::INFINITY, ties: 0.0 };
        }
        let allowed = alarms * n as f64;
        let at = sorted[n - 1 - (allowed as usize).min(n - 1)];
        let above = (n - sorted.partition_point(|s| *s <= at)) as f64;
        let tied = sorted.partition_point(|s| *s <= at) - sorted.partition_point(|s| *s < at);
        Self { at, ties: ((allowed - above) / tied as f64).clamp(0.0, 1.0) }
    }

    /// How much of a basket with this score is stopped, 0..=1.
    pub fn stops(self, score: f64) -> f64 {
        if score > self.at {
            1.0
        } else if score == self.at {
            self.ties
        } else {
            0.0
        }
    }

    /// Share of baskets with these scores that is stopped.
    pub fn catch(self, scores: &[f64]) -> f64 {
        mean(&scores.iter().map(|s| self.stops(*s)).collect::<Vec<f64>>())
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len().max(2) - 1) as f64
}

/// For each score the share of the sorted others that lie below it, ties counting half.
fn placements(scores: &[f64], others: &[f64]) -> Vec<f64> {
    let n = others.len().max(1) as f64;
    let below = |s: &f64| others.partition_point(|o| o < s) + others.partition_point(|o| o <= s);
    scores.iter().map(|s| below(s) as f64 / (2.0 * n)).collect()
}

/// AUC of `b` less that of `a` on the same baskets, with DeLong's 95 % interval (DeLong, DeLong and Clarke-Pearson, 1988).
pub fn auc_gap(a: &Scored, b: &Scored) -> (f64, [f64; 2]) {
    let (sa, sb) = (sorted(&a.honest), sorted(&b.honest));
    let total = a.shares();
    let (mut gap, mut var) = (0.0, 0.0);
    let mut honest = vec![0.0; a.honest.len()];
    for ((share, x), (_, y)) in a.cheats.iter().zip(&b.cheats) {
        let share = share / total;
        let difference = |p: Vec<f64>, q: Vec<f64>| q.iter().zip(&p).map(|(q, p)| q - p).collect::<Vec<f64>>();
        let cheats = difference(placements(x, &sa), placements(y, &sb));
        gap += share * mean(&cheats);
        var += share * share * variance(&cheats) / x.len().max(1) as f64;
        let (xs, ys) = (sorted(x), sorted(y));
        let of_honest = difference(placements(&a.honest, &xs), placements(&b.honest, &ys));
        honest.iter_mut().zip(of_honest).for_each(|(h, d)| *h -= share * d);
    }
    var += variance(&honest) / honest.len().max(1) as f64;
    let half = 1.96 * var.sqrt();
    (gap, [gap - half, gap + half])
}

/// 95 % intervals of what is caught at [`FALSE_ALARMS`], by resampling whole baskets: the same resamples for all detectors, so that
/// ratios are paired. One list of resampled catch rates a detector.
pub fn resampled_catches(detectors: &[&Scored], seed: u64) -> Vec<Vec<f64>> {
    let Some(first) = detectors.first() else { return Vec::new() };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let n = first.honest.len();
    let allowed = (FALSE_ALARMS * n as f64) as u32;
    let orders: Vec<Vec<u32>> = detectors.iter().map(|d| order(&d.honest)).collect();
    let mut catches = vec![Vec::with_capacity(RESAMPLES); detectors.len()];
    let mut counts = vec![0u32; n];
    for _ in 0..RESAMPLES {
        counts.fill(0);
        for _ in 0..n {
            counts[rng.random_range(0..n)] += 1;
        }
        let limits: Vec<f64> =
            detectors.iter().zip(&orders).map(|(d, order)| limit(&d.honest, order, &counts, allowed)).collect();
        let mut sums = vec![0.0; detectors.len()];
        for (kind, (share, scores)) in first.cheats.iter().enumerate() {
            let mut hits = vec![0u32; detectors.len()];
            for _ in 0..scores.len() {
                let basket = rng.random_range(0..scores.len());
                for ((hit, detector), limit) in hits.iter_mut().zip(detectors).zip(&limits) {
                    *hit += u32::from(detector.cheats[kind].1[basket] > *limit);
                }
            }
            for (sum, hit) in sums.iter_mut().zip(hits) {
                *sum += share / first.shares() * f64::from(hit) / scores.len().max(1) as f64;
            }
        }
        for (list, sum) in catches.iter_mut().zip(sums) {
            list.push(sum);
        }
    }
    catches
}

fn order(scores: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    order.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
    order
}

/// The score above which `allowed` of the resampled honest baskets lie.
fn limit(scores: &[f64], order: &[u32], counts: &[u32], allowed: u32) -> f64 {
    let mut above = 0;
    for index in order {
        above += counts[*index as usize];
        if above > allowed {
            return scores[*index as usize];
        }
    }
    f64::NEG_INFINITY
}

/// The middle 95 % of resampled values.
pub fn interval(values: &[f64]) -> [f64; 2] {
    let sorted = sorted(values);
    let pick =
        |q: f64| sorted.get((q * (sorted.len().max(1) - 1) as f64).round() as usize).copied().unwrap_or(f64::NAN);
    [pick(0.025), pick(0.975)]
}

/// Forecasts of about the same probability.
#[derive(Clone, Copy, Debug)]
pub struct Bin {
    /// Share of all forecasts.
    pub weight: f64,
    /// Mean probability told.
    pub told: f64,
    /// Share that came true.
    pub came: f64,
    /// So many forecasts of equal weight would tell as much.
    pub size: f64,
}

/// Probabilities with what came true, each with its weight in the world as it is.
#[derive(Clone, Debug, Default)]
pub struct Forecasts {
    rows: Vec<(f64, bool, f64)>,
}

impl Forecasts {
    /// Adds one: the probability told, whether it came true, and how much of the world it stands for.
    pub fn add(&mut self, probability: f64, came_true: bool, weight: f64) {
        self.rows.push((probability, came_true, weight));
    }

    /// Mean surprise in nats; a probability is taken no nearer to 0 or 1 than 1e-6.
    pub fn log_loss(&self) -> f64 {
        let surprise = |(p, hit, w): &(f64, bool, f64)| {
            let p = p.clamp(1e-6, 1.0 - 1e-6);
            -w * if *hit { p.ln() } else { (1.0 - p).ln() }
        };
        self.rows.iter().map(surprise).sum::<f64>() / self.weight()
    }

    /// Each of [`BINS`] equal bins that holds any.
    pub fn bins(&self) -> Vec<Bin> {
        // Sums of weight, told and come true, and of squared weights.
        let mut bins = vec![[0.0; 4]; BINS];
        for (p, hit, w) in &self.rows {
            let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
            for (sum, by) in bin.iter_mut().zip([1.0, *p, f64::from(u8::from(*hit)), *w]) {
                *sum += w * by;
            }
        }
        let total = self.weight();
        let bin = |[weight, told, came, squares]: [f64; 4]| Bin {
            weight: weight / total,
            told: told / weight,
            came: came / weight,
            size: weight * weight / squares,
        };
        bins.into_iter().filter(|b| b[0] > 0.0).map(bin).collect()
    }

    /// Expected calibration error over those bins.
    pub fn ece(&self) -> f64 {
        self.bins().iter().map(|bin| bin.weight * (bin.told - bin.came).abs()).sum()
    }

    fn weight(&self) -> f64 {
        self.rows.iter().map(|r| r.2).sum::<f64>().max(1e-300)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(honest: &[f64], a: &[f64], b: &[f64]) -> Scored {
        Scored { honest: honest.to_vec(), cheats: vec![(3.0, a.to_vec()), (1.0, b.to_vec())] }
    }

    #[test]
    fn auc_is_by_hand() {
        // Kind a: 5 beats all four, 2 beats one and ties one: (1 + 0.375) / 2. Kind b: 0 beats none. (3·0.6875 + 0) / 4.
        let s = scored(&[1.0, 2.0, 3.0, 4.0], &[5.0, 2.0], &[0.0]);
        assert!((s.auc() - 0.515_625).abs() < 1e-12, "{}", s.auc());
    }

    #[test]
    fn catches_are_by_hand_and_ties_are_split() {
        let honest: Vec<f64> = (0..100).map(f64::from).collect();
        // One of a hundred may be stopped, the one at 99: what lies above 98 is.
        let s = scored(&honest, &[97.5, 98.5, 100.0, 3.0], &[200.0]);
        assert!((s.catch_at(0.01) - (3.0 * 0.5 + 1.0) / 4.0).abs() < 1e-12);
        // All honest tie at 0; one hundredth of what ties is stopped.
        let tied = scored(&[0.0; 100], &[0.0, 0.0], &[1.0]);
        assert!((tied.catch_at(0.01) - (3.0 * 0.01 + 1.0) / 4.0).abs() < 1e-12);
    }

    #[test]
    fn log_loss_and_calibration_are_by_hand() {
        let mut f = Forecasts::default();
        f.add(0.5, true, 1.0);
        f.add(0.5, false, 1.0);
        f.add(0.9, true, 2.0);
        let right = (2.0 * 2f64.ln() - 2.0 * 0.9f64.ln()) / 4.0;
        assert!((f.log_loss() - right).abs() < 1e-12);
        // The bin of one half is true; the other told 0.9 and came true always, with half the weight.
        assert!((f.ece() - 0.05).abs() < 1e-12);
    }

    /// Two Gaussians two apart: AUC is Φ(√2) = 0.9214; the gap of a detector with itself is nothing, without doubt.
    #[test]
    fn intervals_hold_the_truth() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut draw = |mean: f64, n: usize| -> Vec<f64> {
            (0..n).map(|_| mean + rng.sample::<f64, _>(rand_distr::StandardNormal)).collect()
        };
        let a = Scored { honest: draw(0.0, 4000), cheats: vec![(1.0, draw(2.0, 2000))] };
        assert!((a.auc() - 0.921_35).abs() < 0.01, "{}", a.auc());
        assert_eq!(auc_gap(&a, &a), (0.0, [0.0, 0.0]));
        let worse = Scored { honest: draw(0.0, 4000), cheats: vec![(1.0, draw(1.0, 2000))] };
        let (gap, [low, high]) = auc_gap(&a, &worse);
        assert!(low < gap && gap < high && high < -0.1 && (0.01..0.05).contains(&(high - low)), "{low} {gap} {high}");
        // 1 % of honest lie above 2.326; Φ(2 - 2.326) = 0.372.
        let catches = resampled_catches(&[&a, &a], 1);
        assert_eq!(catches[0], catches[1]);
        let [low, high] = interval(&catches[0]);
        assert!(low < 0.372 && 0.372 < high && high - low < 0.15, "{low} {high}");
    }
}
