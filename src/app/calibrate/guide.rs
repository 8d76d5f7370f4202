//! The conversation with the person at the plate.

use super::plate::{Plate, Wanted};
use super::{CalibrateArguments, CalibrateError};
use crate::app::config::BoardConfig;
use augenmass_core::units::Wall;
use augenmass_core::weighing::calibrate::{self, Calibration, Placement, Report, Site, Spot, Still, check_placement};
use std::io::Write;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// A placement is asked for again so often.
const TRIES: usize = 3;

/// The plate, the person's keys and the screen.
pub(super) struct Guide<'a> {
    site: &'a Site,
    plate: Plate,
    enters: mpsc::Receiver<()>,
    output: &'a mut dyn Write,
}

impl<'a> Guide<'a> {
    pub(super) fn new(site: &'a Site, plate: Plate, enters: mpsc::Receiver<()>, output: &'a mut dyn Write) -> Self {
        Self { site, plate, enters, output }
    }

    /// All placements, then the gains. `wall` tells when it was finished.
    pub(super) async fn run(
        &mut self,
        arguments: &CalibrateArguments,
        wall: impl Fn() -> Wall,
    ) -> Result<(Calibration, Report), CalibrateError> {
        let spots = self.site.spots().repeat(arguments.repeats);
        let (cells, mass_g) = (self.site.cells.len(), arguments.mass_g);
        self.say(&format!(
            "Calibrating {} with {mass_g} g: {} placements, in the middle and over each of {cells} cells, {} times.",
            self.site.board_serial,
            spots.len(),
            arguments.repeats
        ))?;
        self.enter("Empty the plate").await?;
        let mut empty = self.plate.reading(Wanted::Any).await?;
        self.say("  the empty plate rests")?;
        let mut placements: Vec<Placement> = Vec::new();
        for (index, spot) in spots.iter().enumerate() {
            let time = index / (cells + 1) + 1;
            let step = format!("{}/{}", index + 1, spots.len());
            let placement = self.placement(&step, *spot, time, mass_g, empty).await?;
            empty = placement.after.clone();
            placements.push(placement);
        }
        Ok(calibrate::calibrate(self.site, &placements, &arguments.who, wall())?)
    }

    /// One placement, asked for again as long as it is visibly bad.
    async fn placement(
        &mut self,
        step: &str,
        spot: Spot,
        time: usize,
        mass_g: f64,
        mut before: Still,
    ) -> Result<Placement, CalibrateError> {
        let at_mm = self.site.mark_mm(spot);
        for _ in 0..TRIES {
            let zero_g = self.plate.sum_g(&before);
            self.enter(&format!("{step}: put {mass_g} g {}", self.place(spot))).await?;
            let loaded = self.plate.reading(Wanted::Loaded { zero_g, mass_g }).await?;
            let felt_g = self.plate.sum_g(&loaded) - zero_g;
            self.say(&format!("  rests: {felt_g:.1} g by the gains so far (scatter {:.1} g)", loaded.scatter_g))?;
            self.enter("  take it off").await?;
            let after = self.plate.reading(Wanted::Empty { zero_g, mass_g }).await?;
            let back_g = self.plate.sum_g(&after) - zero_g;
            self.say(&format!("  empty: {back_g:+.1} g from before"))?;
            let placement = Placement { spot, at_mm, mass_g, before, loaded, after };
            let faults = check_placement(self.site, &placement, time);
            if faults.is_empty() {
                return Ok(placement);
            }
            for fault in faults {
                self.say(&format!("  {fault}"))?;
            }
            self.say("  once more, please")?;
            before = placement.after;
        }
        Err(CalibrateError::GivenUp(TRIES))
    }

    fn place(&self, spot: Spot) -> String {
        let [x_mm, y_mm] = self.site.mark_mm(spot);
        let serial = match spot {
            Spot::Centre => String::new(),
            Spot::Cell(channel) => {
                self.site.cells.get(channel).map(|c| format!(" ({})", c.serial_number)).unwrap_or_default()
            }
        };
        format!("{spot}{serial}, at x {x_mm:.0} mm, y {y_mm:.0} mm")
    }

    /// Asks and waits for Enter; the ports are emptied meanwhile.
    async fn enter(&mut self, what: &str) -> Result<(), CalibrateError> {
        write!(self.output, "{what}, then press Enter. ")?;
        self.output.flush()?;
        let entered = loop {
            tokio::select! {
                entered = self.enters.recv() => break entered,
                lost = self.plate.idle() => lost?,
            }
        };
        writeln!(self.output)?;
        entered.ok_or(CalibrateError::Stopped)
    }

    fn say(&mut self, line: &str) -> Result<(), CalibrateError> {
        writeln!(self.output, "{line}")?;
        Ok(self.output.flush()?)
    }

    /// The report, and what is to be done with the files.
    pub(super) fn finish(
        &mut self,
        calibration: &Calibration,
        report: &Report,
        written: &[PathBuf],
        boards: &[BoardConfig],
    ) -> Result<(), CalibrateError> {
        self.say(&words(calibration, report))?;
        for (path, board) in written.iter().zip(boards) {
            self.say(&format!("written: {}", path.display()))?;
            if board.calibration.as_ref() != Some(path) {
                let board = &board.name;
                self.say(&format!(
                    "  to use it, write into [[board]] '{board}' of the station file: calibration = {:?}",
                    path.display().to_string()
                ))?;
            }
        }
        Ok(())
    }
}

/// The report for people.
fn words(calibration: &Calibration, report: &Report) -> String {
    let mut lines = Vec::new();
    for ((channel, cell), share) in calibration.cells.iter().enumerate().zip(&report.gain_share) {
        lines.push(format!(
            "cell {} ({}): {:.4} counts a gram ({:+.2} % from its kin), zero {:.0}, noise {:.2} g",
            channel + 1,
            cell.serial_number,
            cell.counts_per_g,
            100.0 * (share - 1.0),
            cell.zero_counts,
            cell.noise_g
        ));
    }
    let values: Vec<String> = report.singular_values.iter().map(|s| format!("{s:.4}")).collect();
    lines.push(format!(
        "gains show in the sums by {} (condition {:.0}); {} pattern(s) told by the centre of gravity alone",
        values.join(", "),
        report.condition,
        report.open_patterns
    ));
    lines.push(format!(
        "corner error expected: {:.1} g from spot to spot, below {:.1} g in 95 of 100 such calibrations",
        report.corner_spread_g, report.corner_spread_p95_g
    ));
    lines.push(format!(
        "sums off by {:.2} g (1 sigma), worst {} by {:+.1} g; a load of that mass by {:.2} g",
        report.residual_g, report.worst.0, report.worst.1, report.sigma_g
    ));
    lines.push(format!(
        "empty plate came back within {:.1} g; twist {:.1} % of the mass; mass {:.0} mm from its marks",
        report.return_g,
        100.0 * report.twist_share,
        report.placing_mm
    ));
    lines.join("\n")
}
