//! Waits until a plate is at rest and says what its cells read then.

use crate::units::Mono;
use std::collections::VecDeque;

/// Length of a reading.
const WINDOW_MS: u64 = 1_500;
/// A reading has at least so many samples.
const SAMPLES_MIN: usize = 12;
/// Ringing still dies away when the second half of a reading scatters less than this share of the first.
const DYING_SHARE: f64 = 0.75;
/// A sample this late after the one before means that the stream was interrupted.
const GAP_MS: u64 = 500;

/// What the cells read over a while.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Still {
    /// Samples that it is the mean of.
    pub samples: usize,
    /// Mean a cell, raw counts.
    pub mean_counts: Vec<f64>,
    /// Scatter of one sample a cell, 1 sigma, raw counts.
    pub sd_counts: Vec<f64>,
    /// Scatter of the sum of all cells by their nominal gains, 1 sigma of one sample, grams.
    pub scatter_g: f64,
    /// Mean of the second half less mean of the first, of that sum, grams.
    pub drift_g: f64,
    /// Channels that were at the end of their range meanwhile, from 0.
    pub saturated: Vec<usize>,
}

/// Watches samples go by and tells when the plate has come to rest.
#[derive(Clone, Debug)]
pub struct StillWatch {
    counts_per_g: Vec<f64>,
    scatter_max_g: f64,
    noise_g: f64,
    drift_max_g: f64,
    window: VecDeque<Taken>,
}

#[derive(Clone, Debug)]
struct Taken {
    at: Mono,
    counts: Vec<f64>,
    sum_g: f64,
    saturated: Vec<usize>,
}

impl StillWatch {
    /// For cells with these nominal gains (counts a gram), a division of `division_g`, and `noise_g` of idle noise of the sum.
    pub fn new(counts_per_g: Vec<f64>, division_g: f64, noise_g: f64) -> Self {
        Self {
            counts_per_g,
            scatter_max_g: (division_g / 2.0).max(3.0 * noise_g),
            noise_g,
            drift_max_g: division_g / 10.0,
            window: VecDeque::new(),
        }
    }

    /// Forgets what it has seen: something is about to change.
    pub fn reset(&mut self) {
        self.window.clear();
    }

    /// Takes a sample of all cells; gives the reading of the last 1.5 s if the plate was at rest all that time.
    /// `saturated` names channels at the end of their range. A sample with another number of channels is passed over.
    pub fn push(&mut self, at: Mono, counts: &[i32], saturated: &[usize]) -> Option<Still> {
        if counts.len() != self.counts_per_g.len() {
            return None;
        }
        if self.window.back().is_some_and(|last| at.ms_since(last.at) > GAP_MS || at < last.at) {
            self.window.clear();
        }
        let counts: Vec<f64> = counts.iter().map(|c| f64::from(*c)).collect();
        let sum_g = counts.iter().zip(&self.counts_per_g).map(|(c, gain)| c / gain).sum();
        self.window.push_back(Taken { at, counts, sum_g, saturated: saturated.to_vec() });
        let covered = self.window.front().is_some_and(|first| at.ms_since(first.at) >= WINDOW_MS);
        if !covered || self.window.len() < SAMPLES_MIN {
            return None;
        }
        let still = self.reading()?;
        let dying = still.scatter_g > self.noise_g && self.is_dying();
        self.window.pop_front();
        // The drift's own chance: two halves of n/2 samples each.
        let chance_g = 3.0 * still.scatter_g * (4.0 / still.samples as f64).sqrt();
        let rests =
            !dying && still.scatter_g <= self.scatter_max_g && still.drift_g.abs() <= self.drift_max_g.max(chance_g);
        rests.then_some(still)
    }

    /// The sum of the last quarter of a second by nominal gains, zero included, grams; for people who watch.
    pub fn live_sum_g(&self) -> Option<f64> {
        let last = self.window.back()?.at;
        let recent = self.window.iter().rev().take_while(|t| last.ms_since(t.at) <= 250).map(|t| t.sum_g);
        Some(mean(recent))
    }

    fn is_dying(&self) -> bool {
        let sums = || self.window.iter().map(|t| t.sum_g);
        let half = self.window.len() / 2;
        deviation(sums().skip(half)) < DYING_SHARE * deviation(sums().take(half))
    }

    fn reading(&self) -> Option<Still> {
        let sums = || self.window.iter().map(|t| t.sum_g);
        let half = self.window.len() / 2;
        let cell = |i: usize| self.window.iter().map(move |t| t.counts.get(i).copied().unwrap_or_default());
        let mut saturated: Vec<usize> = self.window.iter().flat_map(|t| t.saturated.clone()).collect();
        saturated.sort_unstable();
        saturated.dedup();
        (half > 0).then(|| Still {
            samples: self.window.len(),
            mean_counts: (0..self.counts_per_g.len()).map(|i| mean(cell(i))).collect(),
            sd_counts: (0..self.counts_per_g.len()).map(|i| deviation(cell(i))).collect(),
            scatter_g: deviation(sums()),
            drift_g: mean(sums().skip(half)) - mean(sums().take(half)),
            saturated,
        })
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0_u32, 0.0), |(n, sum), v| (n + 1, sum + v));
    sum / f64::from(count.max(1))
}

/// Standard deviation with the sample's own mean.
fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let centre = mean(values.clone());
    let (count, squares) = values.fold((0_u32, 0.0), |(n, sum), v| (n + 1, sum + (v - centre).powi(2)));
    (squares / f64::from(count.saturating_sub(1).max(1))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> StillWatch {
        StillWatch::new(vec![10.0, 10.0], 5.0, 1.0)
    }

    /// Time of the first reading, seconds, when the plate reads `grams(t)` on each of its two cells.
    fn first_still(grams: impl Fn(f64) -> f64) -> Option<(f64, Still)> {
        let mut watch = watch();
        (0..80 * 12).find_map(|i| {
            let t = f64::from(i) / 80.0;
            let counts = (10.0 * grams(t)).round() as i32;
            let still = watch.push(Mono::from_us((t * 1e6) as u64), &[counts, counts], &[])?;
            Some((t, still))
        })
    }

    #[test]
    fn a_quiet_plate_is_read_after_a_second_and_a_half() {
        let (t, still) = first_still(|_| 100.0).unwrap();
        assert!((1.5..1.52).contains(&t), "{t}");
        assert_eq!((still.mean_counts, still.scatter_g, still.drift_g), (vec![1000.0; 2], 0.0, 0.0));
    }

    #[test]
    fn ringing_is_waited_out() {
        // 2 cells of 100 g · e^{-t} at 8 Hz: the sum's scatter over 1.5 s is 356 g · e^{-t}, which falls below the
        // idle noise of 1 g at 5.9 s; before, it is seen to die away.
        let (t, still) = first_still(|t| 500.0 + 100.0 * (-t).exp() * (50.0 * t).cos()).unwrap();
        assert!((5.7..6.0).contains(&t), "{t}");
        assert!((still.mean_counts[0] - 5000.0).abs() < 2.0, "{still:?}");
    }

    #[test]
    fn a_slow_lean_is_no_rest() {
        // 2 g a second on the sum: 1.5 g between the halves of a window, more than a tenth of a division.
        assert!(first_still(|t| t).is_none());
    }

    #[test]
    fn an_interrupted_stream_starts_anew() {
        let mut watch = watch();
        let mut told = 0;
        for i in 0..100_u64 {
            // Every 40th sample comes a second late.
            let at = Mono::from_us(i * 12_500 + i / 40 * 1_000_000);
            told += usize::from(watch.push(at, &[1, 1], &[]).is_some());
        }
        assert_eq!(told, 0);
    }
}
