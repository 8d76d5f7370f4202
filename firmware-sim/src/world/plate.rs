//! The plate on its springs: a damped oscillator that rings when something is put down.

use std::f64::consts::TAU;

use crate::hw;

/// Load and its two moments about the plate's middle; all three ring alike on a rigid plate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wrench {
    /// Vertical load, grams.
    pub load_g: f64,
    /// Load times its x, gram millimetres.
    pub moment_x_gmm: f64,
    /// Load times its y, gram millimetres.
    pub moment_y_gmm: f64,
}

impl Wrench {
    /// A mass at a place.
    pub fn at(mass_g: f64, [x_mm, y_mm]: [f64; 2]) -> Self {
        Self { load_g: mass_g, moment_x_gmm: mass_g * x_mm, moment_y_gmm: mass_g * y_mm }
    }

    fn parts(self) -> [f64; 3] {
        [self.load_g, self.moment_x_gmm, self.moment_y_gmm]
    }

    fn of_parts([load_g, moment_x_gmm, moment_y_gmm]: [f64; 3]) -> Self {
        Self { load_g, moment_x_gmm, moment_y_gmm }
    }
}

impl std::ops::Add for Wrench {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            load_g: self.load_g + other.load_g,
            moment_x_gmm: self.moment_x_gmm + other.moment_x_gmm,
            moment_y_gmm: self.moment_y_gmm + other.moment_y_gmm,
        }
    }
}

impl std::iter::Sum for Wrench {
    fn sum<I: Iterator<Item = Self>>(wrenches: I) -> Self {
        wrenches.fold(Self::default(), |sum, wrench| sum + wrench)
    }
}

/// What the springs under the plate carry, as a second-order system `y'' + 2 zeta w y' + w^2 (y - applied) = 0`.
///
/// The natural frequency falls with the mass m on the plate: `f(m) = f0 sqrt((m_ref + dead) / (m + dead))`.
#[derive(Debug, Clone)]
pub struct Plate {
    natural_frequency_hz: f64,
    reference_mass_g: f64,
    dead_mass_g: f64,
    damping_ratio: f64,
    carried: [f64; 3],
    carried_per_s: [f64; 3],
}

impl Plate {
    /// An empty plate at rest.
    pub fn new(platform: &hw::Platform) -> Self {
        Self {
            natural_frequency_hz: platform.natural_frequency_hz,
            reference_mass_g: platform.reference_mass_g,
            dead_mass_g: platform.dead_mass_g,
            damping_ratio: platform.damping_ratio,
            carried: [0.0; 3],
            carried_per_s: [0.0; 3],
        }
    }

    /// Natural frequency with `mass_g` on the plate, Hz.
    pub fn frequency_hz(&self, mass_g: f64) -> f64 {
        let ringing_g = mass_g.max(0.0) + self.dead_mass_g;
        self.natural_frequency_hz * ((self.reference_mass_g + self.dead_mass_g) / ringing_g).sqrt()
    }

    /// What the cells feel now.
    pub fn carried(&self) -> Wrench {
        Wrench::of_parts(self.carried)
    }

    /// Lets `dt_s` pass with a constant `applied` wrench and `mass_g` on the plate. Exact for any `dt_s`.
    pub fn advance(&mut self, dt_s: f64, applied: Wrench, mass_g: f64) {
        let omega = TAU * self.frequency_hz(mass_g);
        let decay = self.damping_ratio * omega;
        let omega_damped = omega * (1.0 - self.damping_ratio * self.damping_ratio).sqrt();
        let envelope = (-decay * dt_s).exp();
        let (sin, cos) = (omega_damped * dt_s).sin_cos();
        for (index, applied) in applied.parts().into_iter().enumerate() {
            let away = self.carried[index] - applied;
            let speed = self.carried_per_s[index];
            self.carried[index] = applied + envelope * (away * cos + (speed + decay * away) / omega_damped * sin);
            self.carried_per_s[index] =
                envelope * (speed * cos - (decay * speed + omega * omega * away) / omega_damped * sin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate() -> Plate {
        Plate::new(&hw::tests::plate().platform)
    }

    #[test]
    fn frequency_falls_with_the_load() {
        let plate = plate();
        assert!((plate.frequency_hz(5000.0) - 10.0).abs() < 1e-9);
        // (5000 + 4000) / (32000 + 4000) is a quarter: half the frequency.
        assert!((plate.frequency_hz(32_000.0) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_step_rings_as_the_textbook_says() {
        let mut plate = plate();
        let step = Wrench::at(5000.0, [100.0, -40.0]);
        // Textbook step response: first overshoot exp(-pi zeta / sqrt(1 - zeta^2)) after half a damped period.
        let root = (1.0 - 0.06_f64 * 0.06).sqrt();
        let half_period_s = 0.05 / root;
        plate.advance(half_period_s, step, 5000.0);
        let overshoot = (-std::f64::consts::PI * 0.06 / root).exp();
        let expected = 5000.0 * (1.0 + overshoot);
        assert!((plate.carried().load_g - expected).abs() < 0.01, "{} {expected}", plate.carried().load_g);
        // Logarithmic decrement over ten more full periods.
        plate.advance(20.0 * half_period_s, step, 5000.0);
        let expected = 5000.0 * (1.0 + overshoot.powi(21));
        assert!((plate.carried().load_g - expected).abs() < 0.01);
        // The moments ring in step, so the centre of gravity does not move.
        assert!((plate.carried().moment_x_gmm / plate.carried().load_g - 100.0).abs() < 1e-9);
    }

    #[test]
    fn many_small_steps_are_one_large_one() {
        let (mut fine, mut coarse) = (plate(), plate());
        let step = Wrench::at(1234.0, [10.0, 20.0]);
        for _ in 0..137 {
            fine.advance(0.001, step, 1234.0);
        }
        coarse.advance(0.137, step, 1234.0);
        assert!((fine.carried().load_g - coarse.carried().load_g).abs() < 1e-6);
    }
}
