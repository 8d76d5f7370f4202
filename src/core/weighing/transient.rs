//! Reading the end of a ringing before it has ended: a mass plus one damped oscillation, fitted to the last samples.
//!
//! Model: `y(t) = W + e^(-2π f ζ t) · (A cos 2π f t + B sin 2π f t)`; linear in W, A, B for a given frequency and damping
//! (variable projection), then all five together by Gauss-Newton, so that not knowing f and ζ is in the uncertainty of W.

use nalgebra::{Matrix3, SMatrix, SVector, Vector3};
use std::f64::consts::TAU;

/// How the plate is believed to ring with what stands on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Frequency in hertz.
    pub frequency_hz: f64,
    /// Share of critical damping, 0..1.
    pub damping_ratio: f64,
}

/// A fitted end of a ringing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Where it will come to rest, grams.
    pub mass_g: f64,
    /// Uncertainty of that, 1 sigma in grams, noise and unknown ringing together.
    pub sigma_g: f64,
    /// What the model leaves unexplained over what noise alone would: about 1 if the model holds.
    pub misfit: f64,
    /// Amplitude of the oscillation at the last sample, grams.
    pub amplitude_g: f64,
    /// How it rang.
    pub mode: Mode,
}

/// One sample: seconds since the window began, grams.
pub type Point = (f64, f64);

/// Relative spread of a plate's frequency around its belief: loads are not where the model thinks, feet are soft.
const FREQUENCY_SPREAD: f64 = 0.12;
/// Spread of the damping's logarithm around its belief.
const DAMPING_SPREAD: f64 = 0.6;
const FREQUENCY_STEPS: [f64; 11] = [0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25];
const DAMPING_STEPS: [f64; 4] = [0.4, 0.8, 1.3, 2.2];

/// Fits the model to a window of samples; `None` for fewer than 8 samples or numbers that admit no solution.
///
/// `noise_g` is the idle noise of a sample, 1 sigma, above 0. The frequency and damping are held near `belief` as by a Gaussian prior.
pub fn fit(points: &[Point], belief: Mode, noise_g: f64) -> Option<Fit> {
    if points.len() < 8 {
        return None;
    }
    let (mode, linear) = scan(points, belief, noise_g)?;
    let mut state = SVector::<f64, 5>::new(linear[0], linear[1], linear[2], mode.frequency_hz, mode.damping_ratio.ln());
    let prior = SVector::<f64, 5>::new(
        0.0,
        0.0,
        0.0,
        (noise_g / (FREQUENCY_SPREAD * belief.frequency_hz)).powi(2),
        (noise_g / DAMPING_SPREAD).powi(2),
    );
    let centre = SVector::<f64, 5>::new(0.0, 0.0, 0.0, belief.frequency_hz, belief.damping_ratio.ln());
    let mut normal = SMatrix::<f64, 5, 5>::zeros();
    for _ in 0..3 {
        let (matrix, gradient, _) = linearise(points, &state);
        normal = matrix + SMatrix::from_diagonal(&prior);
        let step = normal.cholesky()?.solve(&(gradient + prior.component_mul(&(centre - state))));
        state += step;
        // A step out of the range where the model means anything is a step too far, not a finding.
        state[3] = state[3].clamp(0.6 * belief.frequency_hz, 1.5 * belief.frequency_hz);
        state[4] = state[4].clamp((0.2 * belief.damping_ratio).ln(), (5.0 * belief.damping_ratio).ln());
    }
    let (_, _, rss) = linearise(points, &state);
    let variance = rss / (points.len() as f64 - 5.0).max(1.0);
    let unexplained = variance.max(noise_g * noise_g);
    let sigma_g = (normal.cholesky()?.inverse()[(0, 0)] * unexplained).sqrt();
    let mode = Mode { frequency_hz: state[3], damping_ratio: state[4].exp() };
    let last = points.last().map_or(0.0, |p| p.0);
    let amplitude_g = state[1].hypot(state[2]) * (-TAU * mode.frequency_hz * mode.damping_ratio * last).exp();
    let fit = Fit { mass_g: state[0], sigma_g, misfit: variance / (noise_g * noise_g), amplitude_g, mode };
    (fit.mass_g.is_finite() && fit.sigma_g.is_finite()).then_some(fit)
}

/// The best frequency and damping of a coarse grid, with the linear coefficients there.
fn scan(points: &[Point], belief: Mode, noise_g: f64) -> Option<(Mode, Vector3<f64>)> {
    let mut best: Option<(f64, Mode, Vector3<f64>)> = None;
    for f in FREQUENCY_STEPS {
        for z in DAMPING_STEPS {
            let mode =
                Mode { frequency_hz: belief.frequency_hz * f, damping_ratio: (belief.damping_ratio * z).min(0.7) };
            let Some((linear, rss)) = project(points, mode) else { continue };
            let penalty = ((f - 1.0) / FREQUENCY_SPREAD).powi(2) + (z.ln() / DAMPING_SPREAD).powi(2);
            let cost = rss / (noise_g * noise_g) + penalty;
            if cost.is_finite() && best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, mode, linear));
            }
        }
    }
    best.map(|(_, mode, linear)| (mode, linear))
}

/// Least squares of W, A, B for a given mode, and the sum of squares left.
fn project(points: &[Point], mode: Mode) -> Option<(Vector3<f64>, f64)> {
    let (mut normal, mut right, mut total) = (Matrix3::zeros(), Vector3::zeros(), 0.0);
    for &(t, y) in points {
        let (c, s) = waves(t, mode.frequency_hz, mode.damping_ratio);
        let row = Vector3::new(1.0, c, s);
        normal += row * row.transpose();
        right += row * y;
        total += y * y;
    }
    let linear = normal.cholesky()?.solve(&right);
    Some((linear, (total - linear.dot(&right)).max(0.0)))
}

fn waves(t: f64, frequency_hz: f64, damping_ratio: f64) -> (f64, f64) {
    let phase = TAU * frequency_hz * t;
    let decay = (-phase * damping_ratio).exp();
    let (sin, cos) = phase.sin_cos();
    (decay * cos, decay * sin)
}

/// Normal matrix, gradient and sum of squares of the full model around `state` = (W, A, B, f, ln ζ).
fn linearise(points: &[Point], state: &SVector<f64, 5>) -> (SMatrix<f64, 5, 5>, SVector<f64, 5>, f64) {
    let (w, a, b, f, zeta) = (state[0], state[1], state[2], state[3], state[4].exp());
    let (mut normal, mut gradient, mut rss) = (SMatrix::zeros(), SVector::zeros(), 0.0);
    for &(t, y) in points {
        let (c, s) = waves(t, f, zeta);
        let wave = a * c + b * s;
        let quadrature = b * c - a * s;
        let row = SVector::<f64, 5>::new(1.0, c, s, TAU * t * (quadrature - zeta * wave), -TAU * f * zeta * t * wave);
        let left = y - w - wave;
        normal += row * row.transpose();
        gradient += row * left;
        rss += left * left;
    }
    (normal, gradient, rss)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A noise that is the same in every run: uniform by a multiplicative congruence, summed to be nearly Gaussian.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> f64 {
            (0..12)
                .map(|_| {
                    self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (self.0 >> 11) as f64 / (1u64 << 53) as f64
                })
                .sum::<f64>()
                - 6.0
        }
    }

    fn ringing(w: f64, amplitude: f64, f: f64, zeta: f64, seconds: f64, noise: &mut Noise) -> Vec<Point> {
        (0..(seconds * 80.0) as usize)
            .map(|i| {
                let t = i as f64 / 80.0;
                let (c, s) = waves(t, f, zeta);
                (t, w + amplitude * (0.8 * c - 0.6 * s) + noise.next())
            })
            .collect()
    }

    #[test]
    fn the_end_of_a_ringing_is_known_in_three_tenths_of_a_second() {
        let belief = Mode { frequency_hz: 10.0, damping_ratio: 0.06 };
        let mut noise = Noise(7);
        let (mut within_one, mut within_two, runs) = (0, 0, 400);
        for run in 0..runs {
            let f = 9.2 + 0.04 * f64::from(run % 40);
            let points = ringing(5312.0, 400.0, f, 0.05, 0.35, &mut noise);
            let fit = fit(&points, belief, 1.0).unwrap();
            let error = (fit.mass_g - 5312.0).abs();
            assert!(error < 6.0 * fit.sigma_g, "{fit:?}");
            assert!(fit.sigma_g < 1.5, "{fit:?}");
            within_one += i32::from(error < fit.sigma_g);
            within_two += i32::from(error < 2.0 * fit.sigma_g);
        }
        let share = |n: i32| f64::from(n) / f64::from(runs);
        assert!((0.60..0.80).contains(&share(within_one)), "{}", share(within_one));
        assert!(share(within_two) > 0.92, "{}", share(within_two));
    }

    #[test]
    fn a_hand_that_still_pushes_does_not_fit() {
        let belief = Mode { frequency_hz: 10.0, damping_ratio: 0.06 };
        let mut noise = Noise(3);
        let points: Vec<Point> = (0..28)
            .map(|i| {
                let t = f64::from(i) / 80.0;
                (t, 5000.0 + 120.0 * t + 60.0 * (TAU * 3.0 * t).sin() + noise.next())
            })
            .collect();
        assert!(fit(&points, belief, 1.0).unwrap().misfit > 3.0);
    }

    #[test]
    fn numbers_that_mean_nothing_give_no_fit() {
        let belief = Mode { frequency_hz: 10.0, damping_ratio: 0.06 };
        assert_eq!(fit(&[(0.0, 1.0); 4], belief, 1.0), None);
        let nan: Vec<Point> = (0..30).map(|i| (f64::from(i) / 80.0, f64::NAN)).collect();
        assert_eq!(fit(&nan, belief, 1.0), None);
    }
}
