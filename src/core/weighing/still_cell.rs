//! Tells a converter that hangs from a cell that rests.

/// The longest run of equal counts that is waited for.
const RUN_MAX: u32 = 400;
/// Not even noise of a hundredth of a count repeats for so short a run.
const RUN_MIN: u32 = 16;

/// Counts the run of equal readings of one channel.
///
/// Noise of `s` counts (1 sigma) repeats a reading with probability about `1 / (2 s √π)`, the density of the difference of
/// two Gaussians at zero. A run is believed to be a hang when chance would make it once in 10¹².
#[derive(Clone, Debug)]
pub struct StillCell {
    run_max: u32,
    last: Option<i32>,
    run: u32,
}

impl StillCell {
    /// For a channel with this idle noise, 1 sigma in counts.
    pub fn new(noise_counts: f64) -> Self {
        let repeat = (1.0 / (2.0 * noise_counts.max(0.01) * std::f64::consts::PI.sqrt())).clamp(1e-6, 0.93);
        let run_max = (12.0 * std::f64::consts::LN_10 / -repeat.ln()).ceil() as u32;
        Self { run_max: run_max.clamp(RUN_MIN, RUN_MAX), last: None, run: 0 }
    }

    /// Takes the next reading.
    pub fn push(&mut self, counts: i32) {
        self.run = if self.last == Some(counts) { self.run + 1 } else { 0 };
        self.last = Some(counts);
    }

    /// Whether it hangs.
    pub fn is_stuck(&self) -> bool {
        self.run >= self.run_max
    }

    /// Begins anew.
    pub fn forget(&mut self) {
        self.last = None;
        self.run = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_that_is_waited_for_follows_from_the_noise() {
        // 21 counts: a repeat once in 74; seven would do, the floor is 16. 0.7 counts: 0.403 by the formula, so ln 1e12 / 0.909.
        assert_eq!(StillCell::new(21.0).run_max, 16);
        assert_eq!(StillCell::new(0.7).run_max, 31);
        // Next to no noise: nothing can be told within a second; some seconds of the same are suspicious all the same.
        assert!(StillCell::new(0.001).run_max > 300);
    }

    #[test]
    fn one_other_reading_ends_a_run() {
        let mut cell = StillCell::new(21.0);
        for _ in 0..16 {
            cell.push(5);
        }
        assert!(!cell.is_stuck());
        cell.push(5);
        assert!(cell.is_stuck());
        cell.push(6);
        assert!(!cell.is_stuck());
    }
}
