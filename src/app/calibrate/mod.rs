//! `augenmass calibrate`: guides a person through putting a known mass here and there on the plate, and writes what follows.

mod guide;
mod plate;

use super::config::{self, BoardConfig, StationConfig};
use super::run::StartError;
use crate::io::clock::Clock;
use crate::io::serial::SerialLoss;
use augenmass_core::units::Wall;
use augenmass_core::weighing::calibrate::{Calibration, CalibrationRefused, REPEATS_MIN};
use clap::Args;
use guide::Guide;
use plate::Plate;
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// What is calibrated, with what, by whom.
#[derive(Clone, Debug, Args)]
pub struct CalibrateArguments {
    /// The station file.
    #[arg(long)]
    pub config: PathBuf,
    /// The board, by its name in the station file; other boards under the same plate are calibrated with it.
    #[arg(long)]
    pub board: String,
    /// The true mass that is put on the plate, grams: at least a third of the range.
    #[arg(long)]
    pub mass_g: f64,
    /// Who puts it there; stands in the calibration.
    #[arg(long)]
    pub who: String,
    /// How often the mass stands on every spot.
    #[arg(long, default_value_t = REPEATS_MIN, value_parser = repeats)]
    pub repeats: usize,
    /// The file to write; left out, the one that the station file names for the board, else `calibration-BOARD.toml`.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

fn repeats(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "no whole number".to_owned())?;
    if (REPEATS_MIN..=20).contains(&number) { Ok(number) } else { Err(format!("not within {REPEATS_MIN} to 20")) }
}

/// Why there is no calibration. Nothing was written then, but for [`CalibrateError::Write`].
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The station file.
    #[error(transparent)]
    Config(#[from] StartError),
    /// No such board.
    #[error("the station file has no load-cell board '{name}'; it has {known}")]
    NoBoard {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The daemon runs, most likely.
    #[error("{0}. If the station's daemon runs, stop it first: a port has one reader")]
    Taken(SerialLoss),
    /// The port.
    #[error("{0}")]
    Port(SerialLoss),
    /// It does not answer.
    #[error("board '{0}' has not said who it is: is it powered, and are `path` and `baud` right?")]
    Silent(String),
    /// Another board.
    #[error("board '{name}' is {found}, the station file says {wanted}")]
    WrongBoard {
        /// Its name in the station file.
        name: String,
        /// What should be there.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// A cell whose channel gives no value.
    #[error("cell {} ({cell}) gives no value: it is unplugged or broken", channel + 1)]
    NoValue {
        /// Channel, from 0.
        channel: usize,
        /// Its serial number.
        cell: String,
    },
    /// Waited in vain.
    #[error("{wanted} within a minute{}", live_g.map(|g| format!(" (it reads {g:.0} g with its zero)")).unwrap_or_default())]
    NoRest {
        /// What it reads now, by nominal gains and without its zero taken off.
        live_g: Option<f64>,
        /// What was waited for.
        wanted: &'static str,
    },
    /// The input ended.
    #[error("stopped before the end: nothing was written")]
    Stopped,
    /// The same placement was bad again and again.
    #[error("given up after {0} tries at the same spot: nothing was written")]
    GivenUp(usize),
    /// The terminal.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
    /// The placements do not make a calibration.
    #[error("no calibration, and nothing was written:\n{0}")]
    Refused(#[from] CalibrationRefused),
    /// The file.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Runs the guide on `output`; every message of `enters` is a press of Enter, its end the end of the input. Gives the files
/// written.
///
/// # Errors
/// See [`CalibrateError`].
pub async fn calibrate(
    arguments: &CalibrateArguments,
    enters: mpsc::Receiver<()>,
    output: &mut dyn Write,
) -> Result<Vec<PathBuf>, CalibrateError> {
    let file = read_config(&arguments.config)?;
    let (boards, site) = plate::site(&file, &arguments.board)?;
    let plate = Plate::open(boards.clone(), &site).await?;
    let mut guide = Guide::new(&site, plate, enters, output);
    let (calibration, report) = guide.run(arguments, || Clock::start().now().wall).await?;
    let mut written = Vec::new();
    for (part, path) in parts(&calibration, &boards, arguments.out.as_deref()) {
        write(&path, &part).map_err(|source| CalibrateError::Write { path: path.clone(), source })?;
        written.push(path);
    }
    guide.finish(&calibration, &report, &written, &boards)?;
    Ok(written)
}

/// A message for every line of standard input, from a thread of its own: it cannot be interrupted and ends with the process.
pub fn lines_of_stdin() -> mpsc::Receiver<()> {
    let (sender, enters) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            if line.is_err() || sender.blocking_send(()).is_err() {
                return;
            }
        }
    });
    enters
}

/// The station file without the calibrations that it names: they are what is about to be made.
fn read_config(path: &Path) -> Result<StationConfig, StartError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| StartError::Unreadable { path: path.to_owned(), source })?;
    Ok(config::parse(&text, &path.display().to_string())?)
}

/// A file a board, each with the board's own cells.
fn parts(calibration: &Calibration, boards: &[BoardConfig], out: Option<&Path>) -> Vec<(Calibration, PathBuf)> {
    let mut cells = calibration.cells.iter();
    let part = |board: &BoardConfig| {
        let own = cells.by_ref().take(board.cells.len()).cloned().collect();
        let part = Calibration { board_serial: board.serial_number.clone(), cells: own, ..calibration.clone() };
        let usual = || board.calibration.clone().unwrap_or_else(|| format!("calibration-{}.toml", board.name).into());
        let path = match out {
            None => usual(),
            Some(out) if boards.len() == 1 => out.to_owned(),
            Some(out) => {
                let stem = out.file_stem().unwrap_or_default().to_string_lossy();
                out.with_file_name(format!("{stem}-{}.toml", board.name))
            }
        };
        (part, path)
    };
    boards.iter().map(part).collect()
}

/// Writes whole or not at all; what stood there before is kept beside it with `.bak` at its end.
fn write(path: &Path, calibration: &Calibration) -> std::io::Result<()> {
    let text = text(calibration).map_err(std::io::Error::other)?;
    let named = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let fresh = named(".new");
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if path.exists() {
        // A copy, so that there is a calibration at every moment.
        std::fs::copy(path, named(".bak"))?;
    }
    std::fs::rename(&fresh, path)?;
    std::fs::File::open(folder)?.sync_all()
}

fn text(calibration: &Calibration) -> Result<String, toml::ser::Error> {
    let when = when(calibration.at);
    let head = format!("# Written by `augenmass calibrate` on {when}. Belongs to these cells; do not edit.\n\n");
    Ok(head + &toml::to_string(calibration)?)
}

fn when(at: Wall) -> String {
    jiff::Timestamp::from_millisecond(at.ms()).map_or_else(|_| "an unknown day".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::weighing::calibrate::CalibratedCell;

    fn calibration(by: &str) -> Calibration {
        let cell = |n: u32| CalibratedCell {
            serial_number: format!("C-{n}"),
            zero_counts: 8000.25,
            counts_per_g: 42.5,
            noise_g: 0.5,
        };
        Calibration {
            board_serial: "A + B".to_owned(),
            by: by.to_owned(),
            at: Wall::from_ms(1_795_284_000_000),
            mass_g: 10_000.0,
            placements: 15,
            corner_spread_g: 1.5,
            residual_g: 0.5,
            sigma_g: 0.75,
            cells: (1..=4).map(cell).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_old_one_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/c.toml");
        write(&path, &calibration("first")).unwrap();
        write(&path, &calibration("second \"quoted\"")).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join("made").join(name)).unwrap();
        assert!(read("c.toml").contains("2026-11-21T18:00:00Z"), "{}", read("c.toml"));
        assert_eq!(toml::from_str::<Calibration>(&read("c.toml")).unwrap(), calibration("second \"quoted\""));
        assert_eq!(toml::from_str::<Calibration>(&read("c.toml.bak")).unwrap(), calibration("first"));
        let names: Vec<_> =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn boards_under_one_plate_get_a_file_each() {
        let text = include_str!("../../../hw-configs/basket-plate.toml");
        let one = config::parse(text, "x").unwrap().boards.remove(0);
        let half = |name: &str, serial: &str| BoardConfig {
            name: name.to_owned(),
            serial_number: serial.to_owned(),
            cells: one.cells[..2].to_vec(),
            ..one.clone()
        };
        let boards = [half("left", "A"), half("right", "B")];
        let parts = parts(&calibration("x"), &boards, Some(Path::new("some/plate.toml")));
        let paths: Vec<&str> = parts.iter().map(|(_, path)| path.to_str().unwrap()).collect();
        assert_eq!(paths, ["some/plate-left.toml", "some/plate-right.toml"]);
        let cells: Vec<&str> = parts.iter().flat_map(|(p, _)| &p.cells).map(|c| c.serial_number.as_str()).collect();
        assert_eq!(cells, ["C-1", "C-2", "C-3", "C-4"]);
        assert_eq!((parts[0].0.board_serial.as_str(), parts[1].0.board_serial.as_str()), ("A", "B"));
    }
}
