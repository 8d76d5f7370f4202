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

/// Something that rings beside the plate's first mode and carries a share of every load: in a linear structure each mode
/// answers a load on its own, and what the cells feel is their sum (modal superposition).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sharer {
    /// Natural frequency, Hz. For a second mode of the plate: with the first mode's reference mass on it.
    pub frequency_hz: f64,
    /// Share of critical damping, 0 to 1 (both excluded).
    pub damping_ratio: f64,
    /// The share of a load that it carries, 0..1.
    pub share: f64,
}

/// A floor that hums: `amplitude_g * sin(2 pi frequency_hz t + phase)` on top of what the cells feel, `t` from the world's start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// Amplitude, grams.
    pub amplitude_g: f64,
    /// Frequency, Hz.
    pub frequency_hz: f64,
    /// Phase at time 0, radians.
    pub phase_rad: f64,
}

/// Load cells that go on yielding: a load reads `1 + share (1 - e^(-t / tau_s))` times itself, `t` since it was put down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Creep {
    /// Final share of the load.
    pub share: f64,
    /// Time constant, seconds.
    pub tau_s: f64,
}

/// What real plates have and the textbook's does not. All off by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PlateExtras {
    /// Another mode of the plate; its frequency falls with the load as the first mode's does.
    pub second_mode: Option<Sharer>,
    /// A liquid that sloshes; its frequency is its own.
    pub slosh: Option<Sharer>,
    /// A tone of the floor.
    pub tone: Option<Tone>,
    /// Creep of the cells.
    pub creep: Option<Creep>,
}

/// `y'' + 2 zeta w y' + w^2 (y - applied) = 0`, for load and both moments.
#[derive(Debug, Clone, Default)]
struct Oscillator {
    carried: [f64; 3],
    carried_per_s: [f64; 3],
}

impl Oscillator {
    /// Exact for any `dt_s` with a constant `applied`.
    fn advance(&mut self, dt_s: f64, applied: [f64; 3], frequency_hz: f64, damping_ratio: f64) {
        let omega = TAU * frequency_hz;
        let decay = damping_ratio * omega;
        let omega_damped = omega * (1.0 - damping_ratio * damping_ratio).sqrt();
        let envelope = (-decay * dt_s).exp();
        let (sin, cos) = (omega_damped * dt_s).sin_cos();
        for (index, applied) in applied.into_iter().enumerate() {
            let away = self.carried[index] - applied;
            let speed = self.carried_per_s[index];
            self.carried[index] = applied + envelope * (away * cos + (speed + decay * away) / omega_damped * sin);
            self.carried_per_s[index] =
                envelope * (speed * cos - (decay * speed + omega * omega * away) / omega_damped * sin);
        }
    }
}

/// What the springs under the plate carry: one damped oscillator, and what [`PlateExtras`] adds.
///
/// The natural frequency falls with the mass m on the plate: `f(m) = f0 sqrt((m_ref + dead) / (m + dead))`.
#[derive(Debug, Clone)]
pub struct Plate {
    natural_frequency_hz: f64,
    reference_mass_g: f64,
    dead_mass_g: f64,
    damping_ratio: f64,
    extras: PlateExtras,
    first: Oscillator,
    second: Oscillator,
    slosh: Oscillator,
    crept: [f64; 3],
    now_s: f64,
}

impl Plate {
    /// An empty plate at rest.
    pub fn new(platform: &hw::Platform) -> Self {
        Self {
            natural_frequency_hz: platform.natural_frequency_hz,
            reference_mass_g: platform.reference_mass_g,
            dead_mass_g: platform.dead_mass_g,
            damping_ratio: platform.damping_ratio,
            extras: PlateExtras::default(),
            first: Oscillator::default(),
            second: Oscillator::default(),
            slosh: Oscillator::default(),
            crept: [0.0; 3],
            now_s: 0.0,
        }
    }

    /// The same plate with more physics; meant for one that is still empty and at rest.
    #[must_use]
    pub fn with(mut self, extras: PlateExtras) -> Self {
        self.extras = extras;
        self
    }

    /// Natural frequency of the first mode with `mass_g` on the plate, Hz.
    pub fn frequency_hz(&self, mass_g: f64) -> f64 {
        self.natural_frequency_hz * self.slowing(mass_g)
    }

    /// By what factor `mass_g` on the plate slows its modes.
    fn slowing(&self, mass_g: f64) -> f64 {
        let ringing_g = mass_g.max(0.0) + self.dead_mass_g;
        ((self.reference_mass_g + self.dead_mass_g) / ringing_g).sqrt()
    }

    /// What the cells feel now.
    pub fn carried(&self) -> Wrench {
        let mut parts = self.first.carried;
        for (index, part) in parts.iter_mut().enumerate() {
            *part += self.second.carried[index] + self.slosh.carried[index] + self.crept[index];
        }
        if let Some(tone) = self.extras.tone {
            parts[0] += tone.amplitude_g * (TAU * tone.frequency_hz * self.now_s + tone.phase_rad).sin();
        }
        Wrench::of_parts(parts)
    }

    /// Lets `dt_s` pass with a constant `applied` wrench and `mass_g` on the plate. Exact for any `dt_s`.
    pub fn advance(&mut self, dt_s: f64, applied: Wrench, mass_g: f64) {
        let applied = applied.parts();
        let slowing = self.slowing(mass_g);
        let mut left = 1.0;
        if let Some(mode) = self.extras.second_mode {
            left -= mode.share;
            let part = applied.map(|a| a * mode.share);
            self.second.advance(dt_s, part, mode.frequency_hz * slowing, mode.damping_ratio);
        }
        if let Some(slosh) = self.extras.slosh {
            left -= slosh.share;
            self.slosh.advance(dt_s, applied.map(|a| a * slosh.share), slosh.frequency_hz, slosh.damping_ratio);
        }
        if let Some(creep) = self.extras.creep {
            let kept = (-dt_s / creep.tau_s).exp();
            for (crept, applied) in self.crept.iter_mut().zip(applied) {
                *crept = creep.share * applied + (*crept - creep.share * applied) * kept;
            }
        }
        let frequency_hz = self.natural_frequency_hz * slowing;
        self.first.advance(dt_s, applied.map(|a| a * left), frequency_hz, self.damping_ratio);
        self.now_s += dt_s;
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

    fn only(extras: PlateExtras) -> Plate {
        plate().with(extras)
    }

    #[test]
    fn a_second_mode_carries_its_share_and_rings_on_its_own() {
        let mode = Sharer { frequency_hz: 24.0, damping_ratio: 0.02, share: 0.15 };
        let mut both = only(PlateExtras { second_mode: Some(mode), ..PlateExtras::default() });
        let step = Wrench::at(5000.0, [0.0, 0.0]);
        both.advance(0.113, step, 5000.0);
        // Textbook: 1 - e^(-zeta w t) (cos wd t + zeta / sqrt(1 - zeta^2) sin wd t), for each mode with its share.
        let response = |f: f64, zeta: f64, t: f64| {
            let root = (1.0 - zeta * zeta).sqrt();
            let phase = TAU * f * root * t;
            1.0 - (-zeta * TAU * f * t).exp() * (phase.cos() + zeta / root * phase.sin())
        };
        let expected = 5000.0 * (0.85 * response(10.0, 0.06, 0.113) + 0.15 * response(24.0, 0.02, 0.113));
        assert!((both.carried().load_g - expected).abs() < 1e-6, "{} {expected}", both.carried().load_g);
        both.advance(20.0, step, 5000.0);
        assert!((both.carried().load_g - 5000.0).abs() < 1e-3, "both shares together are the load");
        // Four times the ringing mass is half the frequency, for the second mode too: compare with a plate made so.
        let (mut heavy, mut slow) = (both.clone(), both);
        slow.natural_frequency_hz = 5.0;
        slow.reference_mass_g = 32_000.0;
        slow.extras.second_mode = Some(Sharer { frequency_hz: 12.0, ..mode });
        heavy.advance(0.2, Wrench::at(32_000.0, [0.0, 0.0]), 32_000.0);
        slow.advance(0.2, Wrench::at(32_000.0, [0.0, 0.0]), 32_000.0);
        assert!((heavy.carried().load_g - slow.carried().load_g).abs() < 1e-6);
    }

    #[test]
    fn a_liquid_sloshes_at_its_own_frequency_whatever_the_load() {
        let slosh = Sharer { frequency_hz: 2.0, damping_ratio: 0.01, share: 0.02 };
        let mut plate = only(PlateExtras { slosh: Some(slosh), ..PlateExtras::default() });
        let step = Wrench::at(20_000.0, [0.0, 0.0]);
        // After six seconds the plate (0.06 at 6.1 Hz: e^-13.9) is still and the liquid is not.
        plate.advance(6.0, step, 20_000.0);
        let envelope = (-0.01 * TAU * 2.0 * 6.0_f64).exp();
        assert!((plate.carried().load_g - (20_000.0 - 400.0 * envelope)).abs() < 6.0, "{}", plate.carried().load_g);
        plate.advance(0.25, step, 20_000.0);
        let envelope = (-0.01 * TAU * 2.0 * 6.25_f64).exp();
        assert!((plate.carried().load_g - (20_000.0 + 400.0 * envelope)).abs() < 6.0, "{}", plate.carried().load_g);
    }

    #[test]
    fn a_floor_hums_on_an_empty_plate() {
        let tone = Tone { amplitude_g: 1.5, frequency_hz: 7.0, phase_rad: 0.4 };
        let mut plate = only(PlateExtras { tone: Some(tone), ..PlateExtras::default() });
        for _ in 0..123 {
            plate.advance(0.0125, Wrench::default(), 0.0);
        }
        let expected = 1.5 * (TAU * 7.0 * 123.0 * 0.0125 + 0.4).sin();
        assert!((plate.carried().load_g - expected).abs() < 1e-9);
        assert_eq!(plate.carried().moment_x_gmm, 0.0);
    }

    #[test]
    fn creep_follows_the_load_and_goes_back() {
        let creep = Creep { share: 5e-4, tau_s: 30.0 };
        let mut plate = only(PlateExtras { creep: Some(creep), ..PlateExtras::default() });
        plate.advance(30.0, Wrench::at(10_000.0, [0.0, 0.0]), 10_000.0);
        // 5 g, and after one time constant 63.2 % of it.
        assert!((plate.carried().load_g - 10_003.160_6).abs() < 1e-3, "{}", plate.carried().load_g);
        plate.advance(30.0, Wrench::default(), 0.0);
        assert!((plate.carried().load_g - 3.160_6 * (-1.0_f64).exp()).abs() < 1e-3);
    }
}
