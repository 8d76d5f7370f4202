//! What a slow wave that nobody sees may do to the mass.
//!
//! In a window shorter than a period a liquid that sloshes, or a person who leans, looks much like weight. So the mass is averaged over
//! the hypotheses that there is nothing slow and that there is a wave of one of many frequencies and sizes, each by its evidence. For a
//! given frequency everything is linear once the fast waves are linearised, so each hypothesis costs one small system.

use super::dense::{Normal, SIZE, dot};
use super::waves::{Model, Pass, Point, Turning, Wave, Workspace};
use std::f64::consts::TAU;

/// One hypothesis with its mass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hypothesis {
    /// Logarithm of its weight, up to a constant shared by all of a window.
    pub ln_weight: f64,
    /// The mass under it, grams.
    pub mass_g: f64,
    /// Its variance, square grams.
    pub variance: f64,
    /// Frequency of the slow wave that it holds to be at work, hertz; `None` for nothing slow.
    pub slow_hz: Option<f64>,
}

/// Lowest frequency looked for, hertz; slower looks like a slope in any window.
const LOWEST_HZ: f64 = 0.35;
/// Highest.
const HIGHEST_HZ: f64 = 3.6;
/// Ratio of one frequency to the next.
const RATIO: f64 = 1.13;
/// A wave so near to the plate's own is not told from it, and need not be.
const BELOW_FIRST: f64 = 0.62;
/// Damping of a liquid in its vessel.
const DAMPING: f64 = 0.035;
/// Sizes, 1 sigma of each part in grams.
const SIZES_G: [f64; 4] = [1.5, 5.0, 15.0, 50.0];
/// Sizes of what is too slow for a liquid: people.
const BODY_SIZES_G: [f64; 4] = [5.0, 20.0, 80.0, 300.0];
/// No liquid in a vessel that fits on a plate is slower, hertz.
pub const LIQUID_HZ: f64 = 0.75;
/// How likely something slow is before anything is seen.
const PRIOR: f64 = 0.005;
/// Two parts, and how they change with a frequency between two of the grid.
const COLUMNS: usize = 4;

/// The frequencies looked for beside a first mode of `first_hz`.
pub fn frequencies(first_hz: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(LOWEST_HZ), |f| Some(f * RATIO))
        .take_while(move |f| *f < HIGHEST_HZ && *f < BELOW_FIRST * first_hz)
}

/// Adds all hypotheses around a linearised model of the fast waves; `work` holds the rows of that `pass`.
pub fn hypotheses(
    points: &[Point],
    model: &Model,
    pass: &Pass,
    noise_g: f64,
    ln_prior: f64,
    work: &Workspace,
    out: &mut Vec<Hypothesis>,
) {
    let order = model.order();
    let mut to_mass = [0.0; SIZE];
    to_mass[0] = 1.0;
    pass.factor.halfway(&mut to_mass);
    let mass_g = model.mass_g + dot(&to_mass, &pass.half, order);
    let variance = dot(&to_mass, &to_mass, order);
    let ln_weight = ln_prior + pass.ln_evidence;
    out.push(Hypothesis { ln_weight: ln_weight + (1.0 - PRIOR).ln(), mass_g, variance, slow_hz: None });
    let first_hz = model.waves[0].ln_f.exp();
    let count = frequencies(first_hz).count() * SIZES_G.len();
    let ln_each = ln_weight + (PRIOR / count as f64).ln();
    let middle_s = 0.5 * points.last().map_or(0.0, |p| p.0);
    for hz in frequencies(first_hz) {
        let across = Across::new(points, hz, middle_s, order, pass, &to_mass, noise_g, work);
        // Half a step of the grid, as 1 sigma of an even distribution, turns the phase so fast.
        let drift_per_s = TAU * hz * 0.5 * (RATIO - 1.0) / 3.0_f64.sqrt();
        for size_g in if hz < LIQUID_HZ { BODY_SIZES_G } else { SIZES_G } {
            let Some((ln_gain, shift_g, more)) =
                across.solve([size_g, size_g, size_g * drift_per_s, size_g * drift_per_s])
            else {
                continue;
            };
            out.push(Hypothesis {
                ln_weight: ln_each + ln_gain,
                mass_g: mass_g - shift_g,
                variance: variance + more,
                slow_hz: Some(hz),
            });
        }
    }
}

/// A slow wave's columns with the fast model projected out.
struct Across {
    system: Normal,
    to_mass: [f64; COLUMNS],
}

impl Across {
    #[allow(clippy::too_many_arguments, reason = "all of one linear system, used in one place")]
    fn new(
        points: &[Point],
        hz: f64,
        middle_s: f64,
        order: usize,
        pass: &Pass,
        to_mass: &[f64; SIZE],
        noise_g: f64,
        work: &Workspace,
    ) -> Self {
        let wave = Wave { cos_g: 0.0, sin_g: 0.0, ln_f: hz.ln(), ln_zeta: DAMPING.ln() };
        let mut turning = Turning::new(&wave);
        let mut system = Normal::new(COLUMNS);
        let mut mixed = [[0.0; SIZE]; COLUMNS];
        let mut row = [0.0; SIZE];
        for ((&(t, _), fast), left) in points.iter().zip(&work.rows).zip(&work.left) {
            let (c, s) = turning.at(t);
            let from_middle = t - middle_s;
            (row[0], row[1], row[2], row[3]) = (c, s, from_middle * c, from_middle * s);
            system.add(&row, *left);
            for (mixed, value) in mixed.iter_mut().zip(row) {
                for (sum, fast) in mixed[..order].iter_mut().zip(fast) {
                    *sum += value * fast;
                }
            }
        }
        let weight = 1.0 / (noise_g * noise_g);
        for column in &mut mixed {
            for value in &mut column[..order] {
                *value *= weight;
            }
            pass.factor.halfway(column);
        }
        for i in 0..COLUMNS {
            for j in 0..=i {
                system.matrix[i][j] = system.matrix[i][j] * weight - dot(&mixed[i], &mixed[j], order);
            }
            system.right[i] = system.right[i] * weight - dot(&mixed[i], &pass.half, order);
        }
        Self { system, to_mass: mixed.map(|column| dot(&column, to_mass, order)) }
    }

    /// With 1-sigma beliefs of the columns: gain of the evidence's logarithm, shift of the mass, growth of its variance.
    fn solve(&self, beliefs: [f64; COLUMNS]) -> Option<(f64, f64, f64)> {
        let mut system = self.system.clone();
        let mut ln_belief = 0.0;
        for (index, sigma) in beliefs.into_iter().enumerate() {
            system.believe(index, 0.0, 1.0 / (sigma * sigma));
            ln_belief -= sigma.ln();
        }
        let factor = system.factor()?;
        let mut half = system.right;
        factor.halfway(&mut half);
        let mut mass = [0.0; SIZE];
        mass[..COLUMNS].copy_from_slice(&self.to_mass);
        factor.halfway(&mut mass);
        let ln_gain = 0.5 * dot(&half, &half, COLUMNS) - 0.5 * factor.ln_det() + ln_belief;
        Some((ln_gain, dot(&mass, &half, COLUMNS), dot(&mass, &mass, COLUMNS)))
    }
}
