//! Load cells under a rigid plate: who carries how much, and what the converter makes of it.

use nalgebra::{Matrix2, Vector2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::plate::Wrench;
use crate::board::ADC_RANGE;
use crate::hw;

/// Largest hidden error of a cell's gain: what a good calibration leaves.
const GAIN_ERROR: f64 = 2e-4;

/// Overload stops hold a cell at so many times its capacity.
const OVERLOAD_STOP: f64 = 1.5;

/// Zero of a cell wanders with the room's temperature: so far (1 sigma of the amplitude) ...
const DRIFT_G: f64 = 0.5;
/// ... in so long.
const DRIFT_PERIOD_S: std::ops::Range<f64> = 7_200.0..28_800.0;

#[derive(Debug, Clone)]
struct Cell {
    hardware: hw::Cell,
    gain: f64,
    drift_g: f64,
    drift_period_s: f64,
    noise: ChaCha8Rng,
}

/// All cells under one plate, in the order of the boards and their channels.
#[derive(Debug, Clone)]
pub struct Cells {
    cells: Vec<Cell>,
    middle_mm: [f64; 2],
    /// Maps the moments about `middle_mm` to the slopes of the share along x and y.
    slopes: Matrix2<f64>,
    /// First channel of each board, and one past the last.
    boards: Vec<std::ops::Range<usize>>,
}

impl Cells {
    /// The cells of all boards; `seed` hides gains, drift and noise.
    pub fn new(boards: &[hw::Board], seed: u64) -> Self {
        let mut cells = Vec::new();
        let mut ranges = Vec::new();
        for board in boards {
            let first = cells.len();
            cells.extend(board.cells.iter().enumerate().map(|(channel, cell)| Cell::new(cell, seed, first + channel)));
            ranges.push(first..cells.len());
        }
        let count = cells.len().max(1) as f64;
        let middle_mm = [
            cells.iter().map(|cell| cell.hardware.x_mm).sum::<f64>() / count,
            cells.iter().map(|cell| cell.hardware.y_mm).sum::<f64>() / count,
        ];
        let spread: Matrix2<f64> = cells
            .iter()
            .map(|cell| Vector2::new(cell.hardware.x_mm - middle_mm[0], cell.hardware.y_mm - middle_mm[1]))
            .map(|arm| arm * arm.transpose())
            .sum();
        // Cells in a row (or a single one) cannot tell both moments; the pseudo-inverse leaves out what they cannot feel.
        let slopes = spread.pseudo_inverse(1e-6).unwrap_or_else(|_| Matrix2::zeros());
        Self { cells, middle_mm, slopes, boards: ranges }
    }

    /// Grams on each cell of a rigid plate on equal springs: `F/N + a (x_i - x_m) + b (y_i - y_m)`, where a and b balance
    /// the moments.
    fn shares_g(&self, carried: Wrench) -> impl Iterator<Item = f64> {
        let about_middle = Vector2::new(
            carried.moment_x_gmm - carried.load_g * self.middle_mm[0],
            carried.moment_y_gmm - carried.load_g * self.middle_mm[1],
        );
        let slope = self.slopes * about_middle;
        let even_g = carried.load_g / self.cells.len() as f64;
        let middle = self.middle_mm;
        self.cells.iter().map(move |cell| {
            even_g + slope.x * (cell.hardware.x_mm - middle[0]) + slope.y * (cell.hardware.y_mm - middle[1])
        })
    }

    /// One conversion of every channel of a board at `now_s`; draws fresh noise each time.
    pub fn counts(&mut self, board: usize, carried: Wrench, now_s: f64) -> Vec<i32> {
        let shares: Vec<f64> = self.shares_g(carried).collect();
        let range = self.boards.get(board).cloned().unwrap_or_default();
        self.cells[range.clone()]
            .iter_mut()
            .zip(&shares[range])
            .map(|(cell, &share_g)| cell.count(share_g, now_s))
            .collect()
    }
}

impl Cell {
    fn new(hardware: &hw::Cell, seed: u64, index: usize) -> Self {
        let mut noise = ChaCha8Rng::seed_from_u64(seed);
        noise.set_stream(1 + index as u64);
        let drift: f64 = StandardNormal.sample(&mut noise);
        Self {
            hardware: hardware.clone(),
            gain: 1.0 + noise.random_range(-GAIN_ERROR..GAIN_ERROR),
            drift_g: drift * DRIFT_G,
            drift_period_s: noise.random_range(DRIFT_PERIOD_S),
            noise,
        }
    }

    fn count(&mut self, share_g: f64, now_s: f64) -> i32 {
        let noise: f64 = StandardNormal.sample(&mut self.noise);
        let stop_g = OVERLOAD_STOP * self.hardware.capacity_g;
        let drift_g = self.drift_g * (std::f64::consts::TAU * now_s / self.drift_period_s).sin();
        let felt_g = share_g.clamp(-stop_g, stop_g) * self.gain + drift_g + noise * self.hardware.noise_g;
        let count = f64::from(self.hardware.zero_counts) + felt_g * self.hardware.counts_per_g;
        count.round().clamp(f64::from(ADC_RANGE.0), f64::from(ADC_RANGE.1)) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_balance_load_and_moments() {
        let cells = Cells::new(&hw::tests::plate().boards, 7);
        let shares: Vec<f64> = cells.shares_g(Wrench::at(4000.0, [105.0, -70.0])).collect();
        // Half way to the right and half way up: (1 +- 1/2 +- 1/2) quarters.
        let expected = [1000.0, 2000.0, 1000.0, 0.0];
        for (share, expected) in shares.iter().zip(expected) {
            assert!((share - expected).abs() < 1e-9, "{shares:?}");
        }
    }

    #[test]
    fn two_cells_in_a_row_still_carry_everything() {
        let mut board = hw::tests::plate().boards.remove(0);
        board.cells.truncate(2);
        let cells = Cells::new(&[board], 7);
        let shares: Vec<f64> = cells.shares_g(Wrench::at(1000.0, [210.0, 33.0])).collect();
        assert!((shares[0]).abs() < 1e-6 && (shares[1] - 1000.0).abs() < 1e-6, "{shares:?}");
    }

    #[test]
    fn noise_is_as_stated_and_the_gain_error_small() {
        let mut cells = Cells::new(&hw::tests::plate().boards, 3);
        let load = Wrench::at(20_000.0, [0.0, 0.0]);
        let grams: Vec<f64> = (0..4000).map(|_| f64::from(cells.counts(0, load, 0.0)[1] - 7950) / 42.3).collect();
        let mean = grams.iter().sum::<f64>() / 4000.0;
        let sd = (grams.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / 3999.0).sqrt();
        // 4000 samples tell a deviation to about 1 %, a mean to 0.01 g; the hidden gain may be 0.02 % of 5000 g off.
        assert!((sd - 0.5).abs() < 0.03, "{sd}");
        assert!((mean - 5000.0).abs() < 1.05, "{mean}");
        assert!((mean - 5000.0).abs() > 0.005, "a perfect gain means that none was hidden");
    }

    #[test]
    fn an_overloaded_cell_stops() {
        let mut cells = Cells::new(&hw::tests::plate().boards, 3);
        let counts = cells.counts(0, Wrench::at(1e9, [0.0, 0.0]), 0.0);
        // One and a half times 12 kg, the gain 0.02 % and the noise some grams off.
        for (count, (zero, per_g)) in
            counts.iter().zip([(8210.0, 42.0), (7950.0, 42.3), (8020.0, 41.8), (8105.0, 42.1)])
        {
            let grams = (f64::from(*count) - zero) / per_g;
            assert!((grams - 18_000.0).abs() < 10.0, "{grams}");
        }
    }
}
