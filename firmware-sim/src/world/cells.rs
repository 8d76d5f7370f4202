//! Load cells under a rigid plate: who carries how much, and what the converter makes of it.

use nalgebra::{Matrix2, Vector2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::ground::Footing;
use super::plate::Wrench;
use crate::board::ADC_RANGE;
use crate::hw;

/// Overload stops hold a cell at so many times its capacity.
const OVERLOAD_STOP: f64 = 1.5;

/// Zero of a cell wanders with the room's temperature: so far (1 sigma of the amplitude) ...
const DRIFT_G: f64 = 0.5;
/// ... in so long.
const DRIFT_PERIOD_S: std::ops::Range<f64> = 7_200.0..28_800.0;

/// Creep comes with this time constant: "minutes" (WEIGHING 3.3).
const CREEP_TAU_S: f64 = 150.0;

/// Friction in a cell turns round within this share of its capacity.
const RETURN_SPAN: f64 = 0.02;

/// The seed's stream for zeros that nobody knows, kept apart so that they do not change the noise.
const ZERO_STREAM: u64 = 1 << 35;

#[derive(Debug, Clone)]
struct Cell {
    hardware: hw::Cell,
    gain: f64,
    zero_counts: f64,
    drift_g: f64,
    drift_period_s: f64,
    creep: Creep,
    friction: Friction,
    noise: ChaCha8Rng,
}

/// What a load adds in minutes: `x' = (x_end - x) / tau`, `x_end` in proportion to the load.
#[derive(Debug, Clone, Default)]
struct Creep {
    at_capacity_g: f64,
    crept_g: f64,
    since_s: f64,
    load_share: f64,
}

impl Creep {
    fn add(&mut self, load_share: f64, now_s: f64) -> f64 {
        let aim_g = self.at_capacity_g * self.load_share;
        self.crept_g += (aim_g - self.crept_g) * (1.0 - ((self.since_s - now_s) / CREEP_TAU_S).exp());
        (self.since_s, self.load_share) = (now_s, load_share);
        self.crept_g
    }
}

/// A play operator: on its way down a cell reads more than on its way up.
#[derive(Debug, Clone, Default)]
struct Friction {
    return_g: f64,
    /// Middle of the play, share of the capacity; it starts at the end that adds nothing.
    middle: f64,
}

impl Friction {
    fn add(&mut self, load_share: f64) -> f64 {
        self.middle = self.middle.clamp(load_share - RETURN_SPAN, load_share + RETURN_SPAN);
        self.return_g * ((self.middle - load_share) / RETURN_SPAN + 1.0) / 2.0
    }
}

/// A rigid plate on its cells.
#[derive(Debug, Clone)]
struct Base {
    middle_mm: [f64; 2],
    /// Maps the moments about `middle_mm` to the slopes of the share along x and y.
    slopes: Matrix2<f64>,
    cells: usize,
}

impl Base {
    fn new(cells: &[&hw::Cell]) -> Self {
        let count = cells.len().max(1) as f64;
        let middle_mm = [
            cells.iter().map(|cell| cell.x_mm).sum::<f64>() / count,
            cells.iter().map(|cell| cell.y_mm).sum::<f64>() / count,
        ];
        let spread: Matrix2<f64> = cells
            .iter()
            .map(|cell| Vector2::new(cell.x_mm - middle_mm[0], cell.y_mm - middle_mm[1]))
            .map(|arm| arm * arm.transpose())
            .sum();
        // Cells in a row (or a single one) cannot tell both moments; the pseudo-inverse leaves out what they cannot feel.
        let slopes = spread.pseudo_inverse(1e-6).unwrap_or_else(|_| Matrix2::zeros());
        Self { middle_mm, slopes, cells: cells.len() }
    }

    /// Grams on a cell at a place: `F/N + a (x - x_m) + b (y - y_m)` on equal springs, where a and b balance the moments.
    fn share_g(&self, carried: Wrench, [x_mm, y_mm]: [f64; 2]) -> f64 {
        let about_middle = Vector2::new(
            carried.moment_x_gmm - carried.load_g * self.middle_mm[0],
            carried.moment_y_gmm - carried.load_g * self.middle_mm[1],
        );
        let slope = self.slopes * about_middle;
        let even_g = carried.load_g / self.cells.max(1) as f64;
        even_g + slope.x * (x_mm - self.middle_mm[0]) + slope.y * (y_mm - self.middle_mm[1])
    }
}

/// All cells under all plates, by the ports they are read from.
#[derive(Debug, Clone)]
pub struct Cells {
    bases: Vec<Base>,
    ports: Vec<Port>,
}

#[derive(Debug, Clone)]
struct Port {
    plate: usize,
    cells: Vec<Cell>,
}

impl Cells {
    /// The cells of all ports; `seed` hides gains, zeros, drift and noise, as far as `simulator` says.
    pub fn new(footings: &[Footing], simulator: &hw::Simulator, seed: u64) -> Self {
        let plates = footings.iter().map(|footing| footing.plate + 1).max().unwrap_or(0);
        let base = |plate: usize| {
            let under = footings.iter().filter(|footing| footing.plate == plate);
            Base::new(&under.flat_map(|footing| &footing.cells).collect::<Vec<_>>())
        };
        let mut zeros = ChaCha8Rng::seed_from_u64(seed);
        zeros.set_stream(ZERO_STREAM);
        let mut index = 0;
        let mut cell = |cell: &hw::Cell| {
            index += 1;
            Cell::new(cell, simulator, seed, index, zeros.random_range(-1.0..=1.0))
        };
        let mut port =
            |footing: &Footing| Port { plate: footing.plate, cells: footing.cells.iter().map(&mut cell).collect() };
        Self { ports: footings.iter().map(&mut port).collect(), bases: (0..plates).map(base).collect() }
    }

    /// The plate under which a port's cells stand.
    pub fn plate(&self, port: usize) -> usize {
        self.ports.get(port).map_or(0, |port| port.plate)
    }

    /// Grams on each cell of a port whose plate carries `carried`.
    fn shares_g(&self, port: usize, carried: Wrench) -> Vec<f64> {
        let Some(port) = self.ports.get(port) else {
            return Vec::new();
        };
        let base = &self.bases[port.plate];
        let place = |cell: &Cell| [cell.hardware.x_mm, cell.hardware.y_mm];
        port.cells.iter().map(|cell| base.share_g(carried, place(cell))).collect()
    }

    /// One conversion of every channel of a port at `now_s` while its plate carries `carried`; draws fresh noise each time.
    pub fn counts(&mut self, port: usize, carried: Wrench, now_s: f64) -> Vec<i32> {
        let shares = self.shares_g(port, carried);
        let Some(port) = self.ports.get_mut(port) else {
            return Vec::new();
        };
        port.cells.iter_mut().zip(shares).map(|(cell, share_g)| cell.count(share_g, now_s)).collect()
    }
}

impl Cell {
    fn new(hardware: &hw::Cell, simulator: &hw::Simulator, seed: u64, stream: u64, zero: f64) -> Self {
        let mut noise = ChaCha8Rng::seed_from_u64(seed);
        noise.set_stream(stream);
        let drift: f64 = StandardNormal.sample(&mut noise);
        Self {
            hardware: hardware.clone(),
            gain: 1.0 + simulator.hidden_gain_error * noise.random_range(-1.0..1.0),
            zero_counts: f64::from(hardware.zero_counts) + simulator.hidden_zero_counts * zero,
            drift_g: drift * DRIFT_G,
            drift_period_s: noise.random_range(DRIFT_PERIOD_S),
            creep: Creep { at_capacity_g: simulator.hidden_creep_g, ..Creep::default() },
            friction: Friction { return_g: simulator.hidden_return_g, middle: -RETURN_SPAN },
            noise,
        }
    }

    fn count(&mut self, share_g: f64, now_s: f64) -> i32 {
        let noise: f64 = StandardNormal.sample(&mut self.noise);
        let stop_g = OVERLOAD_STOP * self.hardware.capacity_g;
        let borne_g = share_g.clamp(-stop_g, stop_g);
        let load_share = borne_g / self.hardware.capacity_g;
        let drift_g = self.drift_g * (std::f64::consts::TAU * now_s / self.drift_period_s).sin();
        let memory_g = self.creep.add(load_share, now_s) + self.friction.add(load_share);
        let felt_g = borne_g * self.gain + drift_g + memory_g + noise * self.hardware.noise_g;
        let count = self.zero_counts + felt_g * self.hardware.counts_per_g;
        count.round().clamp(f64::from(ADC_RANGE.0), f64::from(ADC_RANGE.1)) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::footings;

    fn cells_of(hardware: &hw::Hardware, seed: u64) -> Cells {
        Cells::new(&footings(hardware), &hardware.simulator, seed)
    }

    fn cells(seed: u64) -> Cells {
        cells_of(&hw::tests::plate(), seed)
    }

    #[test]
    fn shares_balance_load_and_moments() {
        let cells = cells(7);
        let shares = cells.shares_g(0, Wrench::at(4000.0, [105.0, -70.0]));
        // Half way to the right and half way up: (1 +- 1/2 +- 1/2) quarters.
        let expected = [1000.0, 2000.0, 1000.0, 0.0];
        for (share, expected) in shares.iter().zip(expected) {
            assert!((share - expected).abs() < 1e-9, "{shares:?}");
        }
    }

    #[test]
    fn two_cells_in_a_row_still_carry_everything() {
        let mut hardware = hw::tests::plate();
        hardware.boards[0].cells.truncate(2);
        let shares = cells_of(&hardware, 7).shares_g(0, Wrench::at(1000.0, [210.0, 33.0]));
        assert!((shares[0]).abs() < 1e-6 && (shares[1] - 1000.0).abs() < 1e-6, "{shares:?}");
    }

    #[test]
    fn noise_is_as_stated_and_the_gain_error_small() {
        let mut cells = cells(3);
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
        let mut cells = cells(3);
        let counts = cells.counts(0, Wrench::at(1e9, [0.0, 0.0]), 0.0);
        // One and a half times 12 kg, the gain 0.02 % and the noise some grams off.
        for (count, (zero, per_g)) in
            counts.iter().zip([(8210.0, 42.0), (7950.0, 42.3), (8020.0, 41.8), (8105.0, 42.1)])
        {
            let grams = (f64::from(*count) - zero) / per_g;
            assert!((grams - 18_000.0).abs() < 10.0, "{grams}");
        }
    }

    fn hidden(change: impl Fn(&mut hw::Simulator)) -> Cells {
        let mut hardware = hw::tests::plate();
        hardware.boards[0].cells.iter_mut().for_each(|cell| cell.noise_g = 0.0);
        change(&mut hardware.simulator);
        cells_of(&hardware, 5)
    }

    #[test]
    fn a_cell_that_never_saw_a_calibration_is_off_by_what_is_hidden() {
        let mut cells = hidden(|simulator| {
            simulator.hidden_gain_error = 0.01;
            simulator.hidden_zero_counts = 500.0;
        });
        let zeros = cells.counts(0, Wrench::default(), 0.0);
        let stated = hw::tests::plate().boards.remove(0).cells;
        let off: Vec<i32> = zeros.iter().zip(&stated).map(|(count, cell)| count - cell.zero_counts).collect();
        assert!(off.iter().all(|off| off.abs() <= 500) && off.iter().any(|off| off.abs() > 50), "{off:?}");
        let loaded = cells.counts(0, Wrench::at(40_000.0, [0.0, 0.0]), 0.0);
        let gains = loaded.iter().zip(&zeros).zip(&stated).map(|((a, b), cell)| f64::from(a - b) / cell.counts_per_g);
        let errors: Vec<f64> = gains.map(|grams| grams / 10_000.0 - 1.0).collect();
        assert!(errors.iter().all(|error| error.abs() <= 0.0101), "{errors:?}");
        assert!(errors.iter().any(|error| error.abs() > 0.001), "{errors:?}");
    }

    #[test]
    fn a_load_creeps_and_leaves_something_behind() {
        let plain = |simulator: &mut hw::Simulator| simulator.hidden_gain_error = 0.0;
        let mut forgetful = hidden(plain);
        let mut cells = hidden(|simulator| {
            plain(simulator);
            (simulator.hidden_creep_g, simulator.hidden_return_g) = (4.0, 2.0);
        });
        // The drift is the same in both; what differs is memory.
        let mut memory_g = |load_g: f64, now_s: f64| {
            let load = Wrench::at(load_g, [0.0, 0.0]);
            f64::from(cells.counts(0, load, now_s)[0] - forgetful.counts(0, load, now_s)[0]) / 42.0
        };
        assert!(memory_g(0.0, 0.0).abs() < 0.02);
        assert!(memory_g(24_000.0, 0.0).abs() < 0.02, "on the way up friction adds nothing, and creep takes time");
        // Half the rated load on each cell: half of 4 g, all but e^-4 of it after four time constants.
        assert!((memory_g(24_000.0, 600.0) - 2.0 * (1.0 - (-4.0_f64).exp())).abs() < 0.03);
        assert!((memory_g(0.0, 600.0) - 2.0 - 2.0 * (1.0 - (-4.0_f64).exp())).abs() < 0.03);
        assert!((memory_g(0.0, 3600.0) - 2.0).abs() < 0.03, "hysteresis stays when creep has gone");
    }
}
