//! Loads from finished scales: they filter and round by themselves and say when they rest, at ten readings a second or so.

use super::platform::Reading;
use super::settle::{Load, SettleEvent};
use crate::units::{Mass, Mono};

/// So many readings that the scale calls stable must agree: most of these lines carry no check, and a digit that is lost twice in the
/// same place is rare, three times rarer.
const AGREEING: u32 = 3;
/// A scale that does not say whether it rests must not change for so long.
const UNSAID_MS: u64 = 600;

/// Finds loads in readings of scales that round to a division.
#[derive(Clone, Debug)]
pub struct Declared {
    division_g: f64,
    sigma_g: f64,
    level: Option<Level>,
    load: Option<Load>,
}

/// A stretch of readings within one division of its first.
#[derive(Clone, Copy, Debug)]
struct Level {
    since: Mono,
    first_g: f64,
    count: u32,
    sum_g: f64,
}

impl Declared {
    /// For a scale with this division and what more readings do not cure, 1 sigma; both in grams.
    pub fn new(division_g: f64, sigma_g: f64) -> Self {
        Self { division_g, sigma_g, level: None, load: None }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.level = None;
        self.load = None;
    }

    /// What rests, if that is known.
    pub fn load(&self) -> Option<Load> {
        self.load
    }

    /// The scale answers that it moves.
    pub fn moving(&mut self, at: Mono) -> Option<SettleEvent> {
        self.level = None;
        self.load.take().map(|_| SettleEvent::Disturbed { at })
    }

    /// The scale answers that less lies on it than its Min: anything from nothing to that, with the same odds.
    pub fn below_minimum(&mut self, at: Mono, minimum_g: f64) -> Option<SettleEvent> {
        let middle_g = 0.5 * minimum_g;
        let level = self.level.filter(|level| level.first_g == middle_g);
        let level = level.map_or(Level { since: at, first_g: middle_g, count: 1, sum_g: middle_g }, |level| Level {
            count: level.count + 1,
            ..level
        });
        self.level = Some(level);
        if level.count == 1 {
            return self.load.take().map(|_| SettleEvent::Disturbed { at });
        }
        if level.count < AGREEING || self.load.is_some() {
            return None;
        }
        let sigma = Mass::from_g_saturating(minimum_g / 12.0_f64.sqrt());
        let mass = Mass::from_g_saturating(middle_g);
        let load = Load { mass, sigma, own_sigma: sigma, at, untouched_since: level.since, centre_mm: None };
        self.load = Some(load);
        Some(SettleEvent::Settled(load))
    }

    /// Takes a reading with what the scale says of its rest.
    pub fn push(&mut self, reading: Reading, stable: Option<bool>) -> Option<SettleEvent> {
        if stable == Some(false) {
            return self.moving(reading.at);
        }
        // Rounding makes a resting load jump by one division; more is another load.
        let near = |level: &Level| (reading.mass_g - level.first_g).abs() < 1.5 * self.division_g;
        let Some(level) = self.level.as_mut().filter(|level| near(level)) else {
            self.level = Some(Level { since: reading.at, first_g: reading.mass_g, count: 1, sum_g: reading.mass_g });
            return self.load.take().map(|_| SettleEvent::Disturbed { at: reading.at });
        };
        level.count += 1;
        level.sum_g += reading.mass_g;
        let rests = match stable {
            Some(_) => level.count >= AGREEING,
            None => reading.at.ms_since(level.since) >= UNSAID_MS,
        };
        if !rests || self.load.is_some() {
            return None;
        }
        let own_g = self.division_g / 12.0_f64.sqrt();
        let load = Load {
            mass: Mass::from_g_saturating(level.sum_g / f64::from(level.count)),
            sigma: Mass::from_g_saturating(own_g.hypot(self.sigma_g)),
            own_sigma: Mass::from_g_saturating(own_g),
            at: reading.at,
            untouched_since: level.since,
            centre_mm: reading.centre_mm(),
        };
        self.load = Some(load);
        Some(SettleEvent::Settled(load))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(declared: &mut Declared, ms: u64, mass_g: f64, stable: Option<bool>) -> Option<SettleEvent> {
        let at = Mono::from_us(ms * 1000);
        declared.push(Reading { at, mass_g, moment_g_mm: [0.0; 2], twist_g: 0.0 }, stable)
    }

    #[test]
    fn three_stable_readings_are_a_load() {
        let mut scale = Declared::new(5.0, 2.0);
        assert_eq!(push(&mut scale, 0, 900.0, Some(false)), None);
        assert_eq!(push(&mut scale, 100, 1250.0, Some(true)), None);
        assert_eq!(push(&mut scale, 150, 1250.0, Some(true)), None);
        let Some(SettleEvent::Settled(load)) = push(&mut scale, 200, 1250.0, Some(true)) else { panic!() };
        assert_eq!(load.mass, Mass::from_mg(1_250_000));
        // A division of 5 g spreads evenly over ±2.5 g: 1.443 g; with 2 g of the platform 2.466 g.
        assert_eq!(load.sigma, Mass::from_mg(2_466));
        assert_eq!(load.untouched_since, Mono::from_us(100_000));
        assert!(push(&mut scale, 300, 1255.0, Some(true)).is_none(), "one division is rounding");
        assert!(matches!(push(&mut scale, 400, 1250.0, Some(false)), Some(SettleEvent::Disturbed { .. })));
        assert_eq!(scale.load(), None);
    }

    #[test]
    fn a_scale_that_says_nothing_must_not_change_for_a_while() {
        let mut scale = Declared::new(5.0, 2.0);
        let told: Vec<u64> =
            (0..12).filter(|n| push(&mut scale, n * 100, 1250.0, None).is_some()).map(|n| n * 100).collect();
        assert_eq!(told, [600]);
    }

    /// Min of 100 g: less is 50 g with the spread of an even distribution, 100 / √12 g. Never a weight of zero.
    #[test]
    fn below_its_minimum_a_scale_says_that_little_lies_there() {
        let mut scale = Declared::new(5.0, 2.0);
        let at = |ms: u64| Mono::from_us(ms * 1000);
        assert_eq!(scale.below_minimum(at(0), 100.0), None);
        assert_eq!(scale.below_minimum(at(50), 100.0), None);
        let Some(SettleEvent::Settled(load)) = scale.below_minimum(at(100), 100.0) else { panic!() };
        assert_eq!((load.mass.mg(), load.sigma.mg()), (50_000, 28_868));
        assert_eq!(scale.below_minimum(at(200), 100.0), None);
        assert!(matches!(push(&mut scale, 300, 250.0, Some(true)), Some(SettleEvent::Disturbed { .. })));
    }

    #[test]
    fn another_weight_is_told_as_a_touch_first() {
        let mut scale = Declared::new(5.0, 2.0);
        push(&mut scale, 0, 1250.0, Some(true));
        push(&mut scale, 50, 1250.0, Some(true));
        push(&mut scale, 100, 1250.0, Some(true));
        assert!(matches!(push(&mut scale, 200, 1500.0, Some(true)), Some(SettleEvent::Disturbed { .. })));
        push(&mut scale, 250, 1500.0, Some(true));
        assert!(matches!(push(&mut scale, 300, 1500.0, Some(true)), Some(SettleEvent::Settled(_))));
    }
}
