//! Where zero is: it follows an empty plate, is taken anew when something stays on it, and is checked when a load has left.

use crate::units::Mono;

/// Zero is followed and taken only within this share of Max, as R 76 allows (4 %).
const RANGE_SHARE: f64 = 0.04;
/// Zero moves by at most so many divisions a second while it is followed.
const RATE_DIVISIONS: f64 = 0.5;
/// Further off than this an empty plate carries something, and following would eat it.
const FOLLOW_DIVISIONS: f64 = 1.5;
/// No shopper leaves a small thing lying for so long before the basket comes; dirt stays.
const TAKE_ABOVE_MS: u64 = 30_000;
/// Nothing can lie below zero: what stays there for so long is the zero.
const TAKE_BELOW_MS: u64 = 5_000;
/// A zero that returns worse than this many sigma has been shifted by the load: dirt, a wheel that touches, a shock.
const RETURN_SIGMAS: f64 = 3.0;

/// What happened to zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ZeroEvent {
    /// It was taken anew, because the plate rested off it for so long.
    Taken {
        /// By how much it moved, grams.
        by_g: f64,
    },
    /// A load has left and zero did not return to where it was: a case for service when it happens again and again.
    NotReturned {
        /// What the empty plate shows, grams.
        off_g: f64,
    },
}

/// Zero of a platform.
#[derive(Clone, Debug)]
pub struct Zero {
    division_g: f64,
    range_g: f64,
    sigma_g: f64,
    shift_g: f64,
    off_since: Option<Mono>,
    residue_g: f64,
    last_at: Option<Mono>,
    carried: bool,
}

impl Zero {
    /// For a platform with this division, Max and uncertainty, grams.
    pub fn new(division_g: f64, max_g: f64, sigma_g: f64) -> Self {
        Self {
            division_g,
            range_g: RANGE_SHARE * max_g,
            sigma_g,
            shift_g: 0.0,
            off_since: None,
            residue_g: 0.0,
            last_at: None,
            carried: false,
        }
    }

    /// What is taken off every reading, grams.
    pub fn shift_g(&self) -> f64 {
        self.shift_g
    }

    /// What lies on the plate while it counts as empty, grams: beyond what zero follows, and not yet taken for zero.
    pub fn residue_g(&self) -> Option<f64> {
        self.off_since.map(|_| self.residue_g)
    }

    /// Something heavier than an empty plate may be rests, or it is not known what: nothing is followed, and the next empty
    /// plate is compared with the last one.
    pub fn loaded(&mut self) {
        self.carried = true;
        self.waits();
    }

    /// It moves, or there is no weight: time that passes now counts for nothing.
    pub fn waits(&mut self) {
        self.off_since = None;
        self.last_at = None;
    }

    /// The plate rests empty and shows `mass_g` (its noise averaged out as far as can be). `may_move`: nobody is being judged.
    pub fn empty(&mut self, at: Mono, mass_g: f64, may_move: bool) -> Option<ZeroEvent> {
        let seconds = self.last_at.map_or(0.0, |last| at.seconds_since(last));
        self.last_at = Some(at);
        if std::mem::take(&mut self.carried) && mass_g.abs() > RETURN_SIGMAS * self.sigma_g.max(self.division_g / 3.0) {
            return Some(ZeroEvent::NotReturned { off_g: mass_g });
        }
        if mass_g.abs() <= FOLLOW_DIVISIONS * self.division_g {
            self.off_since = None;
            if may_move {
                let pull = (mass_g / self.division_g).clamp(-1.0, 1.0);
                self.move_by(pull * RATE_DIVISIONS * self.division_g * seconds.min(0.1));
            }
            return None;
        }
        self.residue_g = mass_g;
        let since = *self.off_since.get_or_insert(at);
        let patience_ms = if mass_g > 0.0 { TAKE_ABOVE_MS } else { TAKE_BELOW_MS };
        if !may_move || at.ms_since(since) < patience_ms || (self.shift_g + mass_g).abs() > self.range_g {
            return None;
        }
        self.off_since = None;
        self.move_by(mass_g);
        Some(ZeroEvent::Taken { by_g: mass_g })
    }

    fn move_by(&mut self, by_g: f64) {
        self.shift_g = (self.shift_g + by_g).clamp(-self.range_g, self.range_g);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plate of 30 kg with 5 g: a platform that shows `true_g` for `seconds` at 80 Hz.
    fn rest(zero: &mut Zero, from_s: f64, seconds: f64, true_g: f64, may_move: bool) -> Vec<ZeroEvent> {
        (0..(seconds * 80.0) as u64)
            .filter_map(|n| {
                let at = Mono::from_us((from_s * 1e6) as u64 + n * 12_500);
                zero.empty(at, true_g - zero.shift_g(), may_move)
            })
            .collect()
    }

    #[test]
    fn a_drift_is_followed_at_half_a_division_a_second_and_no_faster() {
        let mut zero = Zero::new(5.0, 30_000.0, 2.0);
        rest(&mut zero, 0.0, 1.0, 7.0, true);
        assert!(zero.shift_g() > 1.5 && zero.shift_g() <= 2.5, "{}", zero.shift_g());
        rest(&mut zero, 1.0, 30.0, 7.0, true);
        assert!((zero.shift_g() - 7.0).abs() < 0.1);
    }

    #[test]
    fn during_a_visit_a_small_article_is_not_eaten() {
        let mut zero = Zero::new(5.0, 30_000.0, 2.0);
        assert_eq!(rest(&mut zero, 0.0, 120.0, 6.0, false), []);
        assert_eq!(zero.shift_g(), 0.0);
    }

    #[test]
    fn what_lies_there_for_half_a_minute_is_dirt_and_until_then_a_thing() {
        let mut zero = Zero::new(5.0, 30_000.0, 2.0);
        assert_eq!(rest(&mut zero, 0.0, 29.0, 40.0, true), []);
        assert_eq!(zero.residue_g(), Some(40.0));
        assert_eq!(rest(&mut zero, 29.0, 2.0, 40.0, true), [ZeroEvent::Taken { by_g: 40.0 }]);
        assert_eq!((zero.shift_g(), zero.residue_g()), (40.0, None));
        // Wiped off: the plate is below zero, which nothing can cause but the zero itself.
        let back = rest(&mut zero, 31.0, 6.0, 0.0, true);
        assert_eq!(back, [ZeroEvent::Taken { by_g: -40.0 }]);
    }

    #[test]
    fn a_zero_that_does_not_return_is_told_once() {
        let mut zero = Zero::new(5.0, 30_000.0, 2.0);
        zero.loaded();
        assert_eq!(rest(&mut zero, 0.0, 2.0, 12.0, true)[..1], [ZeroEvent::NotReturned { off_g: 12.0 }]);
        zero.loaded();
        assert_eq!(rest(&mut zero, 3.0, 2.0, 3.0, true), [], "within three sigma");
    }

    #[test]
    fn more_than_four_percent_of_max_is_never_taken() {
        let mut zero = Zero::new(5.0, 3_000.0, 2.0);
        assert_eq!(rest(&mut zero, 0.0, 60.0, 130.0, true), []);
        assert_eq!(zero.shift_g(), 0.0);
    }
}
