//! What was put in or taken out between two loads, and where.

use super::settle::Load;
use crate::units::{Mass, Mono};
use serde::{Deserialize, Serialize};

/// Goods put in (positive) or taken out (negative) at one go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// By how much the load changed.
    pub mass: Mass,
    /// Uncertainty of that, 1 sigma: what both loads share, zero and calibration, is not in it.
    pub sigma: Mass,
    /// Where, millimetres from the common origin; `None` when the change is too small to be placed.
    pub place_mm: Option<[f64; 2]>,
    /// Uncertainty of the place along each axis, 1 sigma in millimetres; 0 without a place.
    pub place_sigma_mm: f64,
    /// Since when the load after it has not been touched: no later than this the goods lay there.
    pub ended: Mono,
    /// When the load after it was known.
    pub at: Mono,
}

/// A place this uncertain is none, millimetres.
const PLACE_SIGMA_MAX_MM: f64 = 60.0;

/// Compares each load with the one before it.
#[derive(Clone, Debug)]
pub struct Steps {
    division_g: f64,
    /// Uncertainty of a moment, gram-millimetres: the cells' noise at their arms, averaged over a load.
    moment_sigma_g_mm: f64,
    /// What two loads do not share, 1 sigma in grams: how well the platform repeats.
    repeatability_g: f64,
    last: Option<Load>,
}

impl Steps {
    /// For a platform with this division, how well it repeats a load, and the uncertainty of its moments.
    pub fn new(division_g: f64, repeatability_g: f64, moment_sigma_g_mm: f64) -> Self {
        Self { division_g, moment_sigma_g_mm, repeatability_g, last: None }
    }

    /// There is no weight any more: the next load is compared with nothing.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Takes the next load; a step is told when it differs by more than a division and three sigma.
    pub fn push(&mut self, load: Load) -> Option<Step> {
        let before = self.last.replace(load)?;
        let mass = load.mass - before.mass;
        let sigma_g = load.own_sigma.g().hypot(before.own_sigma.g()).hypot(self.repeatability_g);
        if mass.g().abs() <= self.division_g.max(3.0 * sigma_g) {
            return None;
        }
        let place = |place_sigma_mm: f64| {
            let (now, then) = (moment(&load)?, moment(&before)?);
            (place_sigma_mm < PLACE_SIGMA_MAX_MM).then(|| [0, 1].map(|axis| (now[axis] - then[axis]) / mass.g()))
        };
        // The step's own mass is uncertain too, and carries its uncertainty to where the load's middle lies.
        let arm_mm = load.centre_mm.map_or(0.0, |[x, y]| x.hypot(y));
        let place_sigma_mm = (2.0_f64.sqrt() * self.moment_sigma_g_mm).hypot(sigma_g * arm_mm) / mass.g().abs();
        let place_mm = place(place_sigma_mm);
        Some(Step {
            mass,
            sigma: Mass::from_g_saturating(sigma_g),
            place_mm,
            place_sigma_mm: if place_mm.is_some() { place_sigma_mm } else { 0.0 },
            ended: load.untouched_since,
            at: load.at,
        })
    }
}

/// First moments of a load; an empty plate has none, one too light for a centre no known one.
fn moment(load: &Load) -> Option<[f64; 2]> {
    if load.mass.g().abs() < 20.0 {
        return Some([0.0; 2]);
    }
    load.centre_mm.map(|centre| centre.map(|c| c * load.mass.g()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(mass_g: f64, centre_mm: Option<[f64; 2]>, second: u64) -> Load {
        let at = Mono::from_us(second * 1_000_000);
        Load {
            mass: Mass::from_g_saturating(mass_g),
            sigma: Mass::from_g_saturating(2.2),
            own_sigma: Mass::from_g_saturating(0.5),
            at,
            untouched_since: at,
            centre_mm,
        }
    }

    #[test]
    fn an_article_is_found_where_it_was_put() {
        let mut steps = Steps::new(5.0, 0.5, 300.0);
        assert_eq!(steps.push(load(0.0, None, 1)), None);
        let basket = steps.push(load(1000.0, Some([10.0, 0.0]), 2)).unwrap();
        assert_eq!(basket.place_mm, Some([10.0, 0.0]));
        // 500 g at (130, -60): the middle goes to ((1000·10 + 500·130) / 1500, -500·60 / 1500) = (50, -20).
        let step = steps.push(load(1500.0, Some([50.0, -20.0]), 3)).unwrap();
        assert_eq!(step.mass, Mass::from_mg(500_000));
        let [x, y] = step.place_mm.unwrap();
        assert!((x - 130.0).abs() < 1e-9 && (y + 60.0).abs() < 1e-9);
        // √(0.5² + 0.5² + 0.5²) = 0.87 g; 300·√2 g·mm and 0.87 g · 54 mm over 500 g are 0.85 mm.
        assert!((step.sigma.g() - 0.866).abs() < 1e-3 && (step.place_sigma_mm - 0.853).abs() < 0.01, "{step:?}");
        let out = steps.push(load(1000.0, Some([10.0, 0.0]), 4)).unwrap();
        assert_eq!(out.mass, Mass::from_mg(-500_000));
        assert!((out.place_mm.unwrap()[0] - 130.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_change_is_no_step() {
        let mut steps = Steps::new(5.0, 0.5, 300.0);
        steps.push(load(1000.0, Some([0.0, 0.0]), 1));
        assert_eq!(steps.push(load(1004.0, Some([0.0, 0.0]), 2)), None);
        // And the loads that follow are compared with the last one, so that creep never adds up to a step.
        assert_eq!(steps.push(load(1008.0, Some([0.0, 0.0]), 3)), None);
        steps.forget();
        assert_eq!(steps.push(load(2000.0, Some([0.0, 0.0]), 4)), None);
    }

    #[test]
    fn a_chewing_gum_has_no_place() {
        let mut steps = Steps::new(5.0, 0.5, 300.0);
        steps.push(load(10_000.0, Some([80.0, 0.0]), 1));
        let step = steps.push(load(10_007.0, Some([80.0, 0.0]), 2)).unwrap();
        assert_eq!(step.place_mm, None);
    }
}
