//! A mass plus damped waves, fitted to the samples of a window.
//!
//! Model: `y(t) = W + Σ e^(-2π f ζ t) · (A cos 2π f t + B sin 2π f t)`, all of W, A, B, ln f, ln ζ together by Gauss and Newton's
//! steps with Gaussian beliefs, so that not knowing f and ζ is in the uncertainty of W.

use super::dense::{Factor, Normal, SIZE, dot};
use std::f64::consts::TAU;

/// Most waves at once.
pub const WAVES: usize = 3;

/// One sample: seconds since the window began, grams.
pub type Point = (f64, f64);

/// A damped oscillation, or what is believed of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wave {
    /// Cosine part at the window's start, grams.
    pub cos_g: f64,
    /// Sine part, grams.
    pub sin_g: f64,
    /// Logarithm of the frequency in hertz.
    pub ln_f: f64,
    /// Logarithm of the share of critical damping.
    pub ln_zeta: f64,
}

/// A Gaussian belief of a wave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WaveBelief {
    /// 1 sigma of both parts around 0, grams.
    pub amplitude_g: f64,
    /// Mean and 1 sigma of the frequency's logarithm.
    pub ln_f: (f64, f64),
    /// Mean and 1 sigma of the damping's logarithm.
    pub ln_zeta: (f64, f64),
}

/// Mass and waves at a window's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model {
    /// Where it will come to rest, grams.
    pub mass_g: f64,
    /// So many of [`Self::waves`] are in use.
    pub count: usize,
    /// The waves; the first is the plate's first mode.
    pub waves: [Wave; WAVES],
    /// What is believed of each.
    pub beliefs: [WaveBelief; WAVES],
}

/// Unknowns per wave.
const PER_WAVE: usize = 4;
/// A step changes the logarithm of a frequency by no more than this, ...
const STEP_LN_F: f64 = 0.12;
/// ... of a damping by no more than this: further off the linearisation means nothing.
const STEP_LN_ZETA: f64 = 0.7;
/// Nor does a belief allow more than so many sigmas.
const SIGMAS_MAX: f64 = 4.0;

/// Rows of the linearised model and what it leaves, kept between fits so that fitting allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Derivatives by W and each wave's A, B, ln f, ln ζ, one row a sample.
    pub rows: Vec<[f64; SIZE]>,
    /// What the model leaves of each sample, grams.
    pub left: Vec<f64>,
}

/// One linearisation, solved.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Factor of the posterior's precision.
    pub factor: Factor,
    /// Half-solved right side: `factor.halfway(gradient)`.
    pub half: [f64; SIZE],
    /// Step to the optimum of the linearised model.
    pub step: [f64; SIZE],
    /// Sum of squares over noise variance there, samples alone.
    pub chi2: f64,
    /// Logarithm of the evidence, up to a constant of the samples alone.
    pub ln_evidence: f64,
}

impl Model {
    /// A mass alone.
    pub fn still(mass_g: f64) -> Self {
        let wave = Wave { cos_g: 0.0, sin_g: 0.0, ln_f: 0.0, ln_zeta: 0.0 };
        let belief = WaveBelief { amplitude_g: 1.0, ln_f: (0.0, 1.0), ln_zeta: (0.0, 1.0) };
        Self { mass_g, count: 0, waves: [wave; WAVES], beliefs: [belief; WAVES] }
    }

    /// With one wave more, or unchanged if there is no room.
    #[must_use]
    pub fn with(mut self, wave: Wave, belief: WaveBelief) -> Self {
        if self.count < WAVES {
            self.waves[self.count] = wave;
            self.beliefs[self.count] = belief;
            self.count += 1;
        }
        self
    }

    /// Without all but the first `count` waves.
    #[must_use]
    pub fn only(mut self, count: usize) -> Self {
        self.count = self.count.min(count);
        self
    }

    /// Number of unknowns.
    pub fn order(&self) -> usize {
        1 + PER_WAVE * self.count
    }

    /// Linearises around this model and solves; `None` if the numbers admit no solution.
    pub fn pass(&self, points: &[Point], noise_g: f64, work: &mut Workspace) -> Option<Pass> {
        self.linearise(points, work);
        let order = self.order();
        let weight = 1.0 / (noise_g * noise_g);
        let mut normal = Normal::new(order);
        for (row, left) in work.rows.iter().zip(&work.left) {
            normal.add(row, *left);
        }
        for i in 0..order {
            for cell in &mut normal.matrix[i][..=i] {
                *cell *= weight;
            }
            normal.right[i] *= weight;
        }
        let rss: f64 = work.left.iter().map(|r| r * r).sum();
        let (gradient, mut against, mut ln_belief) = (normal.right, 0.0, 0.0);
        for (index, value, sigma) in self.pulls() {
            normal.believe(index, value, 1.0 / (sigma * sigma));
            against += (value / sigma).powi(2);
            ln_belief -= sigma.ln();
        }
        let factor = normal.factor()?;
        let mut half = normal.right;
        factor.halfway(&mut half);
        let mut step = normal.right;
        factor.solve(&mut step);
        let gained = dot(&half, &half, order);
        let objective = rss * weight + against - gained;
        // The samples' own sum of squares after the step: the quadratic form without the beliefs' part.
        let beliefs: f64 = self.pulls().map(|(i, value, sigma)| ((value - step[i]) / sigma).powi(2)).sum();
        let chi2 = objective - beliefs;
        let ln_evidence = -0.5 * objective - 0.5 * factor.ln_det() + ln_belief;
        let sound = chi2.is_finite() && ln_evidence.is_finite() && gradient[0].is_finite();
        sound.then_some(Pass { factor, half, step, chi2, ln_evidence })
    }

    /// Beliefs as (unknown, distance from here, sigma).
    fn pulls(&self) -> impl Iterator<Item = (usize, f64, f64)> {
        (0..self.count).flat_map(|k| {
            let (wave, belief, at) = (self.waves[k], self.beliefs[k], 1 + PER_WAVE * k);
            [
                (at, -wave.cos_g, belief.amplitude_g),
                (at + 1, -wave.sin_g, belief.amplitude_g),
                (at + 2, belief.ln_f.0 - wave.ln_f, belief.ln_f.1),
                (at + 3, belief.ln_zeta.0 - wave.ln_zeta, belief.ln_zeta.1),
            ]
        })
    }

    /// This model after a step, held where the linearisation and the beliefs mean anything.
    #[must_use]
    pub fn stepped(mut self, step: &[f64; SIZE]) -> Self {
        self.mass_g += step[0];
        for k in 0..self.count {
            let at = 1 + PER_WAVE * k;
            let (wave, belief) = (&mut self.waves[k], &self.beliefs[k]);
            wave.cos_g += step[at];
            wave.sin_g += step[at + 1];
            let hold = |value: f64, (mean, sigma): (f64, f64)| {
                value.clamp(mean - SIGMAS_MAX * sigma, mean + SIGMAS_MAX * sigma)
            };
            wave.ln_f = hold(wave.ln_f + step[at + 2].clamp(-STEP_LN_F, STEP_LN_F), belief.ln_f);
            wave.ln_zeta =
                hold(wave.ln_zeta + step[at + 3].clamp(-STEP_LN_ZETA, STEP_LN_ZETA), belief.ln_zeta).min(-0.35);
        }
        self
    }

    fn linearise(&self, points: &[Point], work: &mut Workspace) {
        work.rows.clear();
        work.left.clear();
        let mut turning: [Turning; WAVES] = self.waves.map(|wave| Turning::new(&wave));
        for &(t, y) in points {
            let mut row = [0.0; SIZE];
            row[0] = 1.0;
            let mut left = y - self.mass_g;
            for (k, (wave, turning)) in self.waves.iter().zip(&mut turning).take(self.count).enumerate() {
                let at = 1 + PER_WAVE * k;
                let (c, s) = turning.at(t);
                let value = wave.cos_g * c + wave.sin_g * s;
                let quadrature = wave.sin_g * c - wave.cos_g * s;
                row[at] = c;
                row[at + 1] = s;
                row[at + 2] = t * (turning.omega * quadrature - turning.decay * value);
                row[at + 3] = -turning.decay * t * value;
                left -= value;
            }
            work.rows.push(row);
            work.left.push(left);
        }
    }

    /// The model's value at `t` seconds after the window's start, grams.
    pub fn value_g(&self, t: f64) -> f64 {
        let waves = self.waves[..self.count].iter().map(|wave| {
            let (c, s) = Turning::new(wave).at(t);
            wave.cos_g * c + wave.sin_g * s
        });
        self.mass_g + waves.sum::<f64>()
    }

    /// Amplitude of all waves together `t` seconds after the window's start, grams.
    pub fn amplitude_g(&self, t: f64) -> f64 {
        let one = |wave: &Wave| wave.cos_g.hypot(wave.sin_g) * (-Turning::new(wave).decay * t).exp();
        self.waves[..self.count].iter().map(one).sum()
    }
}

/// `e^(-decay t) (cos, sin) omega t` for growing t; equal steps in time share one evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Turning {
    omega: f64,
    decay: f64,
    t: f64,
    value: (f64, f64),
    dt: f64,
    turn: (f64, f64),
}

impl Turning {
    /// At time 0.
    pub fn new(wave: &Wave) -> Self {
        let omega = TAU * wave.ln_f.exp();
        let decay = omega * wave.ln_zeta.exp();
        Self { omega, decay, t: 0.0, value: (1.0, 0.0), dt: 0.0, turn: (1.0, 0.0) }
    }

    /// At `t` seconds, not before the last time asked for.
    pub fn at(&mut self, t: f64) -> (f64, f64) {
        let dt = t - self.t;
        if (dt - self.dt).abs() > 1e-9 {
            let (sin, cos) = (self.omega * dt).sin_cos();
            let shrink = (-self.decay * dt).exp();
            (self.dt, self.turn) = (dt, (shrink * cos, shrink * sin));
        }
        let ((c, s), (turn_c, turn_s)) = (self.value, self.turn);
        self.value = (c * turn_c - s * turn_s, s * turn_c + c * turn_s);
        self.t = t;
        self.value
    }
}

/// Least squares of a mass and one wave's two parts for a given frequency and damping on top of `left`: the gain in the sum of squares
/// and the wave's parts. `None` if they cannot be told apart.
pub fn project(points: &[Point], left: &[f64], wave: &Wave) -> Option<(f64, [f64; 3])> {
    let mut turning = Turning::new(wave);
    let mut normal = Normal::new(3);
    let mut row = [0.0; SIZE];
    for (&(t, _), left) in points.iter().zip(left) {
        let (c, s) = turning.at(t);
        (row[0], row[1], row[2]) = (1.0, c, s);
        normal.add(&row, *left);
    }
    let factor = normal.factor()?;
    let mut half = normal.right;
    factor.halfway(&mut half);
    let gain = dot(&half, &half, 3);
    let mut solved = normal.right;
    factor.solve(&mut solved);
    gain.is_finite().then_some((gain, [solved[0], solved[1], solved[2]]))
}
