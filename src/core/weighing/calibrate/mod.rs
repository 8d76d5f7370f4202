//! From a known mass put here and there on the plate to the gain of every cell, or to the reasons why not.
//!
//! The problem (WEIGHING 3.4): find gains so that the cells' sum is the mass wherever it stands. On a rigid plate the sums leave
//! one pattern of gains open for every cell past the third (WEIGHING 2.4); a ridge keeps it at the nominal gains, and the
//! moments then move it for the centre of gravity's sake, along that pattern alone, so that a mass put down some millimetres
//! beside its mark cannot spoil the sums.

mod check;
mod fault;
mod fit;
mod still;

pub use check::{check_placement, permutation};
pub use fault::{CalibrationFault, CalibrationRefused, CellName, Phase, Spot, Which};
pub use fit::Report;
pub use still::{Still, StillWatch};

use crate::units::Wall;
use serde::{Deserialize, Serialize};

/// So often the mass stands on every spot.
pub const REPEATS_MIN: usize = 3;
/// The mass is at least this share of the range.
pub const MASS_SHARE_MIN: f64 = 1.0 / 3.0;
/// Marks for the mass lie so far out, as a share of the way from the middle of the cells to the cell.
pub const REACH: f64 = 0.85;

/// One cell before calibration.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteCell {
    /// The number on its label: what its gain will belong to.
    pub serial_number: String,
    /// Where it carries the plate, from the plate's middle.
    pub x_mm: f64,
    /// Where it carries the plate, from the plate's middle.
    pub y_mm: f64,
    /// Counts a gram by its data sheet and the converter's, above 0; all cells may be off by one common factor.
    pub counts_per_g: f64,
    /// What it may carry, plate included.
    pub capacity_g: f64,
}

/// A plate before calibration: three cells or more, in any arrangement.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The board that reads the cells.
    pub board_serial: String,
    /// In channel order.
    pub cells: Vec<SiteCell>,
    /// The range that is used.
    pub max_g: f64,
    /// A division.
    pub division_g: f64,
}

impl Site {
    /// The middle of the cells, millimetres from the plate's middle.
    pub fn centre_mm(&self) -> [f64; 2] {
        let count = self.cells.len().max(1) as f64;
        [self.cells.iter().map(|c| c.x_mm).sum::<f64>() / count, self.cells.iter().map(|c| c.y_mm).sum::<f64>() / count]
    }

    /// Where a mass for `spot` is to be put, millimetres from the plate's middle.
    pub fn mark_mm(&self, spot: Spot) -> [f64; 2] {
        let centre = self.centre_mm();
        let cell = match spot {
            Spot::Centre => None,
            Spot::Cell(channel) => self.cells.get(channel),
        };
        cell.map_or(centre, |cell| {
            [centre[0] + REACH * (cell.x_mm - centre[0]), centre[1] + REACH * (cell.y_mm - centre[1])]
        })
    }

    /// All spots of one round: the middle, then every cell in channel order.
    pub fn spots(&self) -> Vec<Spot> {
        std::iter::once(Spot::Centre).chain((0..self.cells.len()).map(Spot::Cell)).collect()
    }

    fn name(&self, channel: usize) -> CellName {
        let serial_number = self.cells.get(channel).map(|c| c.serial_number.clone()).unwrap_or_default();
        CellName { channel, serial_number }
    }

    /// Distance from the middle to the nearest cell, millimetres.
    fn arm_mm(&self) -> f64 {
        let [x, y] = self.centre_mm();
        self.cells.iter().map(|c| (c.x_mm - x).hypot(c.y_mm - y)).fold(f64::INFINITY, f64::min)
    }
}

/// A mass put down once, with the empty plate before and after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Which mark.
    pub spot: Spot,
    /// Where the mark is, from the plate's middle.
    pub at_mm: [f64; 2],
    /// True mass.
    pub mass_g: f64,
    /// The empty plate before.
    pub before: Still,
    /// With the mass.
    pub loaded: Still,
    /// The empty plate after.
    pub after: Still,
}

impl Placement {
    /// Counts above zero of a channel; zero is the mean of before and after, so that a drift between them cancels.
    fn response(&self, channel: usize) -> f64 {
        let of = |still: &Still| still.mean_counts.get(channel).copied().unwrap_or_default();
        of(&self.loaded) - (of(&self.before) + of(&self.after)) / 2.0
    }
}

/// What is kept of a calibration. Belongs to the cells by their serial numbers, not to a path or a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The board that read the cells.
    pub board_serial: String,
    /// Who put the mass down.
    pub by: String,
    /// When it was finished, milliseconds since the epoch.
    pub at: Wall,
    /// With which mass.
    pub mass_g: f64,
    /// How often it was put down.
    pub placements: usize,
    /// How far the same mass is expected to differ between spots, largest less smallest.
    pub corner_spread_g: f64,
    /// What the sums are still off by at the placements themselves, 1 sigma.
    pub residual_g: f64,
    /// What a load of that mass may be off by wherever it stands, 1 sigma: gains and repeatability.
    pub sigma_g: f64,
    /// The cells, in channel order at that time.
    #[serde(rename = "cell")]
    pub cells: Vec<CalibratedCell>,
}

/// One cell as calibrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibratedCell {
    /// The number on its label.
    pub serial_number: String,
    /// Raw counts with nothing on the plate.
    pub zero_counts: f64,
    /// Counts a gram.
    pub counts_per_g: f64,
    /// Idle noise of one sample, 1 sigma.
    pub noise_g: f64,
}

/// Works out the gains, with a report for people.
///
/// `by` is who put the mass down, `at` when.
///
/// # Errors
/// Everything that is wrong with the placements at once. What merely follows from something worse is left out: a dead cell is
/// told, the residual that it causes is not.
pub fn calibrate(
    site: &Site,
    placements: &[Placement],
    by: &str,
    at: Wall,
) -> Result<(Calibration, Report), CalibrationRefused> {
    let faults = check::all(site, placements);
    if !faults.is_empty() {
        return Err(CalibrationRefused { faults });
    }
    let (gains, report) = fit::fit(site, placements);
    let faults = check::fitted(site, placements, &report);
    if !faults.is_empty() {
        return Err(CalibrationRefused { faults });
    }
    let cell = |(channel, cell): (usize, &SiteCell)| CalibratedCell {
        serial_number: cell.serial_number.clone(),
        zero_counts: rounded(fit::zero_counts(placements, channel), 3),
        counts_per_g: rounded(gains[channel], 7),
        noise_g: rounded(report.noise_g[channel], 4),
    };
    let calibration = Calibration {
        board_serial: site.board_serial.clone(),
        by: by.to_owned(),
        at,
        mass_g: placements.iter().map(|p| p.mass_g).sum::<f64>() / placements.len() as f64,
        placements: placements.len(),
        corner_spread_g: rounded(report.corner_spread_g, 3),
        residual_g: rounded(report.residual_g, 3),
        sigma_g: rounded(report.sigma_g, 3),
        cells: site.cells.iter().enumerate().map(cell).collect(),
    };
    Ok((calibration, report))
}

/// Digits beyond what is known would only look exact in the file.
fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10.0_f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests;
