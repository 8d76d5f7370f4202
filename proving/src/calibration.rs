//! What a calibration is worth: true corner spread against the predicted one, and whether spoilt ones are refused.
//!
//! A model of cells of its own, apart from the simulator's: gains off by 1 % (1 sigma), every reading of a cell off by the noise
//! (no averaging is assumed), a plate of some stiffness, masses put down beside their marks by some millimetres.

use crate::statistics::{Share, quantile};
use anyhow::{Context, Result};
use augenmass_core::units::Wall;
use augenmass_core::weighing::calibrate::{
    self, Calibration, CalibrationFault, Placement, REPEATS_MIN, Report, Site, SiteCell, Spot, Still, check_placement,
};
use firmware_sim::hw::Hardware;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Spread of the cells' true gains, 1 sigma.
const GAIN_SPREAD: f64 = 0.01;
/// A mass is put down so far from its mark along each axis, 1 sigma.
const PLACING_MM: f64 = 5.0;
/// Divisions of the whole range, as on the basket plate: the simulator does not know the display's.
const DIVISIONS: f64 = 6_000.0;
/// A guide asks for a placement again so often before it gives up.
const TRIES: usize = 10;

/// How badly the plate behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disturbance {
    /// Of every reading of a cell, 1 sigma.
    pub noise_g: f64,
    /// Creep while loaded, and what the empty plate comes back by, each 1 sigma of the sum.
    pub creep_g: f64,
}

/// What many calibrations came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrations {
    /// Calibrations tried.
    pub runs: u64,
    /// Those refused though nothing was broken.
    pub refused: Share,
    /// Placements that a guide would have asked for again.
    pub repeated: u64,
    /// Largest less smallest weight of the calibration's mass on its marks, grams, 95 %.
    pub spread_p95_g: f64,
    /// The same with the mass right over the cells, where nobody puts one, grams, 95 %.
    pub spread_over_cells_p95_g: f64,
    /// On the marks before the calibration, by the nominal gains.
    pub spread_before_p95_g: f64,
    /// Runs whose true spread (at the marks) stayed below the 95 % predicted.
    pub within_predicted: Share,
    /// Error of that mass anywhere, grams, 95 %.
    pub error_p95_g: f64,
}

/// How spoilt calibrations fared: refused, and refused for the right reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// Runs.
    pub runs: u64,
    /// Refused.
    pub refused: u64,
    /// With the true fault and cell named.
    pub named: u64,
}

/// What is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// A cell gives nothing but noise.
    DeadCell,
    /// The cables of two cells are exchanged.
    SwappedCables,
    /// Nothing stood over one cell.
    MissingCorner,
}

impl Breakage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DeadCell, Self::SwappedCables, Self::MissingCorner];

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeadCell => "dead cell",
            Self::SwappedCables => "swapped cables",
            Self::MissingCorner => "missing corner",
        }
    }
}

/// Calibrates `runs` different plates with a third of the range on every spot, three times.
///
/// # Errors
/// No run that was not refused.
pub fn measure(hardware: &Hardware, disturbance: Disturbance, runs: u64, seed: u64) -> Result<Calibrations> {
    let site = site(hardware);
    let mass_g = site.max_g / 3.0;
    let (mut spreads, mut over_cells, mut before, mut errors) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut repeated, mut within) = (0, 0);
    for run in 0..runs {
        let mut plate = Plate::new(&site, disturbance, run_seed(seed, run));
        let placements = plate.round(mass_g, &mut repeated);
        let nominal: Vec<f64> = site.cells.iter().map(|c| c.counts_per_g).collect();
        before.push(plate.spread(&nominal, mass_g, calibrate::REACH));
        let Ok((calibration, report)) = calibrated(&site, &placements) else { continue };
        let gains: Vec<f64> = calibration.cells.iter().map(|c| c.counts_per_g).collect();
        over_cells.push(plate.spread(&gains, mass_g, 1.0));
        let spread_g = plate.spread(&gains, mass_g, calibrate::REACH);
        within += u64::from(spread_g <= report.corner_spread_p95_g);
        spreads.push(spread_g);
        let [x_mm, y_mm] = [200.0, 140.0].map(|half| plate.rng.random_range(-half..half));
        errors.push((plate.weigh(&gains, mass_g, [x_mm, y_mm]) - mass_g).abs());
    }
    let done = spreads.len() as u64;
    let none = "every calibration was refused";
    Ok(Calibrations {
        runs,
        refused: Share { hits: runs - done, of: runs },
        repeated,
        spread_p95_g: quantile(&mut spreads, 0.95).context(none)?,
        spread_over_cells_p95_g: quantile(&mut over_cells, 0.95).context(none)?,
        spread_before_p95_g: quantile(&mut before, 0.95).context(none)?,
        within_predicted: Share { hits: within, of: done },
        error_p95_g: quantile(&mut errors, 0.95).context(none)?,
    })
}

/// Breaks something in each of `runs` calibrations.
pub fn refusals(hardware: &Hardware, disturbance: Disturbance, breakage: Breakage, runs: u64, seed: u64) -> Refusals {
    let site = site(hardware);
    let mut told = Refusals { runs, refused: 0, named: 0 };
    for run in 0..runs {
        let mut plate = Plate::new(&site, disturbance, run_seed(seed, run));
        let (a, b) = plate.two_cells();
        if breakage == Breakage::DeadCell {
            plate.gains[a] = 0.0;
        }
        let mut placements = plate.round(site.max_g / 3.0, &mut 0);
        match breakage {
            Breakage::DeadCell => {}
            Breakage::SwappedCables => placements.iter_mut().for_each(|p| swap(p, a, b)),
            Breakage::MissingCorner => placements.retain(|p| p.spot != Spot::Cell(a)),
        }
        let Err(refused) = calibrated(&site, &placements) else { continue };
        told.refused += 1;
        let right = refused.faults.iter().any(|fault| match (breakage, fault) {
            (Breakage::DeadCell, CalibrationFault::DeadCell(cell))
            | (Breakage::MissingCorner, CalibrationFault::MissingCorner(cell)) => cell.channel == a,
            (Breakage::SwappedCables, CalibrationFault::SwappedCables(one, other)) => {
                (one.channel, other.channel) == (a.min(b), a.max(b))
            }
            (Breakage::DeadCell | Breakage::SwappedCables | Breakage::MissingCorner, _) => false,
        });
        told.named += u64::from(right);
    }
    told
}

fn run_seed(seed: u64, run: u64) -> u64 {
    seed.wrapping_mul(1_000_003).wrapping_add(run)
}

fn calibrated(site: &Site, placements: &[Placement]) -> Result<(Calibration, Report), calibrate::CalibrationRefused> {
    calibrate::calibrate(site, placements, "proving", Wall::from_ms(0))
}

fn swap(placement: &mut Placement, a: usize, b: usize) {
    for still in [&mut placement.before, &mut placement.loaded, &mut placement.after] {
        still.mean_counts.swap(a, b);
    }
}

fn site(hardware: &Hardware) -> Site {
    let cells = hardware.boards.iter().flat_map(|b| &b.cells);
    let cells = cells.map(|cell| SiteCell {
        serial_number: cell.serial_number.clone(),
        x_mm: cell.x_mm,
        y_mm: cell.y_mm,
        counts_per_g: cell.counts_per_g,
        capacity_g: cell.capacity_g,
    });
    Site {
        board_serial: "proving".to_owned(),
        cells: cells.collect(),
        max_g: hardware.platform.max_g,
        division_g: hardware.platform.max_g / DIVISIONS,
    }
}

/// One plate with its own true gains and stiffness.
struct Plate<'a> {
    site: &'a Site,
    disturbance: Disturbance,
    gains: Vec<f64>,
    /// 0 rigid, 1 so pliant that every cell carries its quarter of the plate alone.
    pliancy: f64,
    /// What the empty plate is off by now, grams.
    left_g: f64,
    rng: ChaCha8Rng,
}

impl<'a> Plate<'a> {
    fn new(site: &'a Site, disturbance: Disturbance, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let gains = site.cells.iter().map(|c| c.counts_per_g * (1.0 + GAIN_SPREAD * normal(&mut rng))).collect();
        // Half of all plates are rigid, the others bend by up to a third.
        let pliancy = rng.random_range(-0.3_f64..0.3).max(0.0);
        Self { site, disturbance, gains, pliancy, left_g: 0.0, rng }
    }

    fn two_cells(&mut self) -> (usize, usize) {
        let count = self.site.cells.len();
        let a = self.rng.random_range(0..count);
        let b = (a + self.rng.random_range(1..count)) % count;
        (a, b)
    }

    /// Three times round, each placement asked for again as long as it is visibly bad.
    fn round(&mut self, mass_g: f64, repeated: &mut u64) -> Vec<Placement> {
        let spots = self.site.spots().repeat(REPEATS_MIN);
        spots
            .into_iter()
            .map(|spot| {
                let mut placement = self.placement(spot, mass_g);
                for _ in 1..TRIES {
                    if check_placement(self.site, &placement, 1).is_empty() {
                        break;
                    }
                    *repeated += 1;
                    placement = self.placement(spot, mass_g);
                }
                placement
            })
            .collect()
    }

    fn placement(&mut self, spot: Spot, mass_g: f64) -> Placement {
        let at_mm = self.site.mark_mm(spot);
        let really_mm = at_mm.map(|mm| mm + PLACING_MM * normal(&mut self.rng));
        let before = self.still(0.0, really_mm);
        let creep_g = self.disturbance.creep_g * normal(&mut self.rng);
        let loaded = self.still(mass_g + creep_g, really_mm);
        self.left_g = self.disturbance.creep_g * normal(&mut self.rng);
        let after = self.still(0.0, really_mm);
        Placement { spot, at_mm, mass_g, before, loaded, after }
    }

    fn still(&mut self, mass_g: f64, at_mm: [f64; 2]) -> Still {
        let even_g = self.left_g / self.site.cells.len() as f64;
        let cells_g: Vec<f64> = self.shares(at_mm).into_iter().map(|share| mass_g * share + even_g).collect();
        let noise_g = self.disturbance.noise_g;
        let read = |(cell_g, gain): (&f64, &f64)| 8_000.0 + gain * (cell_g + noise_g * normal(&mut self.rng));
        let mean_counts = cells_g.iter().zip(&self.gains).map(read).collect();
        let sd_counts = self.gains.iter().map(|gain| gain * noise_g).collect();
        Still { samples: 1, mean_counts, sd_counts, scatter_g: 2.0 * noise_g, drift_g: 0.0, saturated: Vec::new() }
    }

    /// Shares of a rectangle's cells: a rigid plate on equal springs carries by a plane, a pliant one bilinearly.
    fn shares(&self, [x, y]: [f64; 2]) -> Vec<f64> {
        let share = |cell: &SiteCell| {
            let (along, across) = (x / cell.x_mm, y / cell.y_mm);
            (1.0 + along + across + self.pliancy * along * across) / 4.0
        };
        self.site.cells.iter().map(share).collect()
    }

    fn weigh(&self, gains: &[f64], mass_g: f64, at_mm: [f64; 2]) -> f64 {
        let cells = self.shares(at_mm).into_iter().zip(self.gains.iter().zip(gains));
        cells.map(|(share, (real, assumed))| mass_g * share * real / assumed).sum()
    }

    /// Largest less smallest weight over the spots, `reach` of the way to the cells.
    fn spread(&self, gains: &[f64], mass_g: f64, reach: f64) -> f64 {
        let told = self.site.spots().into_iter().map(|spot| {
            let mark = self.site.mark_mm(spot).map(|mm| mm * reach / calibrate::REACH);
            self.weigh(gains, mass_g, mark)
        });
        let (low, high) = told.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), g| (l.min(g), h.max(g)));
        high - low
    }
}

/// A standard normal deviate (G. Box and M. Muller, 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}
