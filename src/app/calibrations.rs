//! Calibrations that `augenmass calibrate` wrote, for the boards whose sections name one.

use super::config::StationConfig;
use augenmass_core::weighing::calibrate::{CalibratedCell, Calibration};
use std::path::{Path, PathBuf};

/// Why a calibration cannot be used. Weighing with the station file's nominal gains instead would be wrong in silence.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationFileError {
    /// The file cannot be read.
    #[error("cannot read the calibration {}: {source}; `augenmass calibrate` writes it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no calibration.
    #[error("the calibration {} is not understood: {why}", path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        why: String,
    },
    /// It belongs to other hardware.
    #[error("the calibration {} belongs to {found}, the station file says {wanted}: calibrate again", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What the calibration was made on.
        found: String,
        /// What the station has.
        wanted: String,
    },
}

/// All calibrations of a station.
#[derive(Clone, Debug, Default)]
pub struct Calibrations {
    files: Vec<Calibration>,
    texts: String,
}

impl Calibrations {
    /// Reads what the station file names; each must be of that board and of exactly its cells.
    ///
    /// # Errors
    /// A file that cannot be read or understood, or that belongs to other hardware.
    pub fn read(file: &StationConfig) -> Result<Self, CalibrationFileError> {
        let mut all = Self::default();
        for board in &file.boards {
            let Some(path) = &board.calibration else { continue };
            let (calibration, text) = read(path)?;
            let foreign =
                |found: String, wanted: String| CalibrationFileError::Foreign { path: path.clone(), found, wanted };
            if calibration.board_serial != board.serial_number {
                return Err(foreign(
                    format!("board {}", calibration.board_serial),
                    format!("board {}", board.serial_number),
                ));
            }
            let names = |cells: Vec<&str>| format!("cells {}", cells.join(", "));
            let found: Vec<&str> = calibration.cells.iter().map(|c| c.serial_number.as_str()).collect();
            let wanted: Vec<&str> = board.cells.iter().map(|c| c.serial_number.as_str()).collect();
            if found != wanted {
                return Err(foreign(names(found), names(wanted)));
            }
            all.texts.push_str(&text);
            all.files.push(calibration);
        }
        Ok(all)
    }

    /// What was measured of a cell.
    pub fn cell(&self, serial_number: &str) -> Option<&CalibratedCell> {
        self.files.iter().flat_map(|file| &file.cells).find(|cell| cell.serial_number == serial_number)
    }

    /// What each calibration says that a load may be off by, grams.
    pub fn sigma_g(&self) -> impl Iterator<Item = f64> {
        self.files.iter().map(|file| file.sigma_g)
    }

    /// Everything that was read, for the hash that stands in verdicts.
    pub fn text(&self) -> &str {
        &self.texts
    }
}

fn read(path: &Path) -> Result<(Calibration, String), CalibrationFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| CalibrationFileError::Unreadable { path: path.to_owned(), source })?;
    let calibration = toml::from_str(&text)
        .map_err(|error| CalibrationFileError::NotOne { path: path.to_owned(), why: error.message().to_owned() })?;
    Ok((calibration, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::parse;

    const CALIBRATION: &str = r#"
board_serial = "LCB-000101"
by = "A. Weigher"
at = 1795284000000
mass_g = 10000.0
placements = 15
corner_spread_g = 1.2
residual_g = 0.4
sigma_g = 2.6
cell = [
  { serial_number = "C3-12-0001", zero_counts = 8211.5, counts_per_g = 42.31, noise_g = 0.4 },
  { serial_number = "C3-12-0002", zero_counts = 7950.0, counts_per_g = 42.0, noise_g = 0.7 },
  { serial_number = "C3-12-0003", zero_counts = 8020.0, counts_per_g = 41.5, noise_g = 0.5 },
  { serial_number = "C3-12-0004", zero_counts = 8105.0, counts_per_g = 42.4, noise_g = 0.5 },
]
"#;

    fn station(calibration: &str) -> (tempfile::TempDir, StationConfig) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, calibration).unwrap();
        let text = include_str!("../../hw-configs/basket-plate.toml")
            .replace("silence_ms = 300", &format!("silence_ms = 300\ncalibration = {:?}", path.to_str().unwrap()));
        let file = parse(&text, "x.toml").unwrap();
        (folder, file)
    }

    #[test]
    fn a_calibration_belongs_to_its_cells() {
        let (_folder, file) = station(CALIBRATION);
        let read = Calibrations::read(&file).unwrap();
        assert_eq!(read.cell("C3-12-0002").unwrap().counts_per_g, 42.0);
        assert_eq!(read.cell("C3-12-9999"), None);
        assert_eq!(read.sigma_g().collect::<Vec<_>>(), [2.6]);
    }

    #[test]
    fn another_boards_or_swapped_cells_are_refused() {
        let (_folder, file) = station(&CALIBRATION.replace("LCB-000101", "LCB-000999"));
        let error = Calibrations::read(&file).unwrap_err().to_string();
        assert!(error.contains("board LCB-000999") && error.contains("board LCB-000101"), "{error}");
        let swapped = CALIBRATION.replace("0001", "x").replace("0002", "0001").replace('x', "0002");
        let (_folder, file) = station(&swapped.replace("LCB-000102", "LCB-000101"));
        assert!(matches!(Calibrations::read(&file), Err(CalibrationFileError::Foreign { .. })));
    }

    #[test]
    fn a_missing_or_broken_file_is_no_reason_to_weigh_with_other_gains() {
        let (folder, file) = station("by = 1");
        assert!(matches!(Calibrations::read(&file), Err(CalibrationFileError::NotOne { .. })));
        drop(folder);
        assert!(matches!(Calibrations::read(&file), Err(CalibrationFileError::Unreadable { .. })));
    }
}
