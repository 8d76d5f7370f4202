//! Whether what the cells say can be a load on the plate at all.

use super::platform::Reading;
use super::settle::Load;
use super::unavailable::Unavailable;
use crate::units::Mono;

/// Limits of a platform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthConfig {
    /// Heavier is overload.
    pub max_g: f64,
    /// Verification interval.
    pub division_g: f64,
    /// Lighter counts as empty.
    pub empty_below_g: f64,
    /// What noise alone makes of the twist, 1 sigma.
    pub twist_noise_g: f64,
    /// Share of a load that the plate's own bending may bring into the twist.
    pub twist_share: f64,
    /// A load whose centre lies further out than this stands half beside the plate.
    pub centre_within_mm: Option<[f64; 2]>,
}

/// Above Max by so many divisions is overload, as R 76 has it.
const OVERLOAD_DIVISIONS: f64 = 9.0;
/// Below zero by so many divisions nothing can rest.
const BELOW_DIVISIONS: f64 = 20.0;
/// A contradiction must last so long: a blow on the plate's edge bends it for a moment.
const UNEVEN_MS: u64 = 250;
/// The same for a plate that is lifted.
const BELOW_MS: u64 = 150;
/// Noise exceeds so many sigma of its own once in some years.
const TWIST_SIGMAS: f64 = 8.0;

/// Watches readings for what no load could be.
#[derive(Clone, Debug)]
pub struct Health {
    config: HealthConfig,
    overload: bool,
    uneven_since: Option<Mono>,
    below_since: Option<Mono>,
    beside: bool,
    last: Option<Mono>,
}

impl Health {
    /// Sound until shown otherwise.
    pub fn new(config: HealthConfig) -> Self {
        Self { config, overload: false, uneven_since: None, below_since: None, beside: false, last: None }
    }

    /// Readings were missed: what had begun to show has to show again.
    pub fn reset(&mut self) {
        *self = Self::new(self.config);
    }

    /// Takes a reading with zero taken off.
    pub fn push(&mut self, reading: &Reading) {
        let c = &self.config;
        self.last = Some(reading.at);
        self.overload = reading.mass_g > c.max_g + OVERLOAD_DIVISIONS * c.division_g;
        let limit_g = (TWIST_SIGMAS * c.twist_noise_g + c.division_g).max(c.twist_share * reading.mass_g.abs());
        lasting(&mut self.uneven_since, reading.at, c.twist_noise_g > 0.0 && reading.twist_g > limit_g);
        lasting(&mut self.below_since, reading.at, reading.mass_g < -BELOW_DIVISIONS * c.division_g);
        let gone = reading.mass_g < c.empty_below_g;
        let inside = reading.centre_mm().is_some_and(|centre| self.is_inside(centre));
        self.beside &= !gone && !inside;
    }

    /// Whether a load stands half beside the plate; remembered until it is gone or has moved.
    pub fn stands_beside(&mut self, load: &Load) -> bool {
        let loaded = load.mass.g() >= self.config.empty_below_g;
        self.beside = loaded && load.centre_mm.is_some_and(|centre| !self.is_inside(centre));
        self.beside
    }

    /// What is wrong now.
    pub fn fault(&self) -> Option<Unavailable> {
        let lasted =
            |since: Option<Mono>, ms: u64| since.zip(self.last).is_some_and(|(since, last)| last.ms_since(since) >= ms);
        if self.overload {
            Some(Unavailable::Overload)
        } else if lasted(self.below_since, BELOW_MS) {
            Some(Unavailable::BelowZero)
        } else if lasted(self.uneven_since, UNEVEN_MS) {
            Some(Unavailable::Uneven)
        } else {
            self.beside.then_some(Unavailable::OffCentre)
        }
    }

    fn is_inside(&self, [x, y]: [f64; 2]) -> bool {
        self.config.centre_within_mm.is_none_or(|[x_max, y_max]| x.abs() <= x_max && y.abs() <= y_max)
    }
}

fn lasting(since: &mut Option<Mono>, at: Mono, shows: bool) {
    if shows {
        since.get_or_insert(at);
    } else {
        *since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Mass;

    fn health() -> Health {
        Health::new(HealthConfig {
            max_g: 30_000.0,
            division_g: 5.0,
            empty_below_g: 150.0,
            twist_noise_g: 0.5,
            twist_share: 0.03,
            centre_within_mm: Some([150.0, 100.0]),
        })
    }

    fn reading(ms: u64, mass_g: f64, x_mm: f64, twist_g: f64) -> Reading {
        Reading { at: Mono::from_us(ms * 1000), mass_g, moment_g_mm: [mass_g * x_mm, 0.0], twist_g }
    }

    #[test]
    fn overload_begins_nine_divisions_above_max() {
        let mut health = health();
        health.push(&reading(0, 30_045.0, 0.0, 0.0));
        assert_eq!(health.fault(), None);
        health.push(&reading(12, 30_046.0, 0.0, 0.0));
        assert_eq!(health.fault(), Some(Unavailable::Overload));
        health.push(&reading(25, 29_000.0, 0.0, 0.0));
        assert_eq!(health.fault(), None);
    }

    #[test]
    fn a_contradiction_counts_when_it_lasts() {
        let mut health = health();
        for n in 0..30 {
            // 3 % of 5 kg are 150 g of twist.
            health.push(&reading(n * 12, 5_000.0, 0.0, if n == 3 { 900.0 } else { 140.0 }));
            assert_eq!(health.fault(), None);
        }
        let mut found = None;
        for n in 30..60 {
            health.push(&reading(n * 12, 5_000.0, 0.0, 160.0));
            found = found.or(health.fault().map(|_| (n - 30) * 12));
        }
        assert_eq!(found, Some(252));
    }

    #[test]
    fn a_trolley_half_on_the_plate_is_no_load_until_it_is_pushed_on() {
        let mut health = health();
        let at = Mono::from_us(0);
        let load = |x_mm: f64| Load {
            mass: Mass::from_mg(9_000_000),
            sigma: Mass::from_mg(2_000),
            own_sigma: Mass::from_mg(500),
            at,
            untouched_since: at,
            centre_mm: Some([x_mm, 0.0]),
        };
        assert!(!health.stands_beside(&load(149.0)));
        assert!(health.stands_beside(&load(151.0)));
        health.push(&reading(12, 9_000.0, 160.0, 0.0));
        assert_eq!(health.fault(), Some(Unavailable::OffCentre));
        health.push(&reading(24, 9_000.0, 20.0, 0.0));
        assert_eq!(health.fault(), None);
    }

    #[test]
    fn a_lifted_plate_is_no_weight() {
        let mut health = health();
        for n in 0..30 {
            health.push(&reading(n * 12, -101.0, 0.0, 0.0));
        }
        assert_eq!(health.fault(), Some(Unavailable::BelowZero));
    }
}
