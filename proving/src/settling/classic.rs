//! The criterion of ordinary indicators: a load is stable when its readings have kept within a range for a time.

use std::collections::VecDeque;

/// Half a second, as WEIGHING's table has it.
const WINDOW_US: u64 = 500_000;

/// Range in a window.
#[derive(Clone, Debug)]
pub struct Classic {
    range_g: f64,
    readings: VecDeque<(u64, f64)>,
}

impl Classic {
    /// Stable while all readings of the last half second lie within `range_g`.
    pub fn new(range_g: f64) -> Self {
        Self { range_g, readings: VecDeque::new() }
    }

    /// Takes a reading; the window's mean if the window is full and stable.
    pub fn push(&mut self, at_us: u64, mass_g: f64) -> Option<f64> {
        self.readings.push_back((at_us, mass_g));
        while self.readings.get(1).is_some_and(|next| next.0 + WINDOW_US <= at_us) {
            self.readings.pop_front();
        }
        let full = self.readings.front().is_some_and(|first| first.0 + WINDOW_US <= at_us);
        let (mut low, mut high, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for &(_, mass_g) in &self.readings {
            low = low.min(mass_g);
            high = high.max(mass_g);
            sum += mass_g;
        }
        (full && high - low < self.range_g).then(|| sum / self.readings.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_second_within_the_range_is_stable_and_less_is_not() {
        let mut classic = Classic::new(20.0);
        let told: Vec<Option<f64>> =
            (0..60).map(|i| classic.push(i * 12_500, if i < 10 { 100.0 } else { 119.0 })).collect();
        assert_eq!(told[39], None, "487.5 ms");
        let first = told[40].unwrap();
        assert!((first - (10.0 * 100.0 + 31.0 * 119.0) / 41.0).abs() < 1e-9, "{first}");
        assert_eq!(classic.push(60 * 12_500, 98.0), None, "21 g");
    }
}
