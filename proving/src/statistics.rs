//! The few figures that every measurement needs.

/// A share with its interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// Hits.
    pub hits: u64,
    /// Out of so many.
    pub of: u64,
}

impl Share {
    /// The share itself, 0..=1; 0 of nothing.
    pub fn value(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.hits as f64 / self.of as f64 }
    }

    /// Wilson's 95 % interval (E. B. Wilson, 1927).
    pub fn interval(self) -> (f64, f64) {
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let (n, p, z) = (self.of as f64, self.value(), 1.959_964);
        let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }
}

/// The value below which a share `q` (0..=1) of `values` lies; `None` of nothing. Sorts them.
pub fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((q * last as f64).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 of 100, from Wilson's formula by hand: 0.0552 to 0.1744.
    #[test]
    fn an_interval_is_wilsons() {
        let (low, high) = Share { hits: 10, of: 100 }.interval();
        assert!((low - 0.0552).abs() < 5e-4 && (high - 0.1744).abs() < 5e-4, "{low} {high}");
    }

    #[test]
    fn quantiles_are_of_the_sorted_values() {
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
