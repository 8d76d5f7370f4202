//! `augenmass replay`: a journal's bytes through the sense of weight again, at the times at which they came.
//!
//! Time is the journal's own: the same journal and station file give the same output, however fast the machine.

use super::calibrations::{CalibrationFileError, Calibrations};
use super::config::{BoardConfig, StationConfig};
use super::run::{StartError, config_hash, load_config};
use super::wiring::{self, WiringError};
use crate::io::journal;
use augenmass_core::units::Mono;
use augenmass_core::weighing::journal::{Header, Item, JournalError, Record, read};
use augenmass_core::weighing::wire::lcb;
use augenmass_core::weighing::zero::ZeroEvent;
use augenmass_core::weighing::{Scale, ScaleConfig, ScaleEvent};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Which journal, through which station.
#[derive(Clone, Debug, Args)]
pub struct ReplayArguments {
    /// A file of a journal, or a folder with all of them.
    pub journal: PathBuf,
    /// The station file that it is replayed through.
    #[arg(long)]
    pub config: PathBuf,
    /// Print one JSON object an event.
    #[arg(long)]
    pub json: bool,
}

/// Why nothing was replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The station file.
    #[error(transparent)]
    Config(#[from] StartError),
    /// The station file asks for what this version cannot do.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// A calibration that the station file names.
    #[error(transparent)]
    Calibration(#[from] CalibrationFileError),
    /// The journal cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is none of a journal.
    #[error("{}: {source}", path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: JournalError,
    },
    /// A folder without journals.
    #[error("{} holds no journal", .0.display())]
    Nothing(PathBuf),
    /// The journal was written with other ports.
    #[error("{}: the journal has the ports {found}, the station file {wanted}", path.display())]
    OtherPorts {
        /// The file.
        path: PathBuf,
        /// The journal's.
        found: String,
        /// The station file's.
        wanted: String,
    },
    /// The output is closed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// Replays a journal and prints every event to `output`.
///
/// # Errors
/// See [`ReplayError`]. Torn and damaged places in a journal are told in the output.
pub fn replay(arguments: &ReplayArguments, output: &mut dyn Write) -> Result<(), ReplayError> {
    let (config, file_hash) = load_config(&arguments.config)?;
    let calibrations = Calibrations::read(&config)?;
    let config_hash = config_hash(file_hash, &calibrations);
    let scale = wiring::scale(&config, &calibrations)?;
    let mut replay = Replay::new(&config, scale, config_hash, arguments.json, output);
    for path in paths(&arguments.journal)? {
        let file = std::fs::read(&path).map_err(|source| ReplayError::Unreadable { path: path.clone(), source })?;
        replay.file(&path, &file)?;
    }
    Ok(())
}

fn paths(journal: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    if !journal.is_dir() {
        return Ok(vec![journal.to_owned()]);
    }
    let files =
        journal::files(journal).map_err(|source| ReplayError::Unreadable { path: journal.to_owned(), source })?;
    if files.is_empty() {
        return Err(ReplayError::Nothing(journal.to_owned()));
    }
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

struct Replay<'a> {
    boards: &'a [BoardConfig],
    config: ScaleConfig,
    config_hash: String,
    as_json: bool,
    output: &'a mut dyn Write,
    /// `None` before the first file.
    scale: Option<Scale>,
    now: Mono,
    begun: Mono,
}

impl<'a> Replay<'a> {
    fn new(
        file: &'a StationConfig,
        config: ScaleConfig,
        config_hash: String,
        as_json: bool,
        output: &'a mut dyn Write,
    ) -> Self {
        let start = Mono::default();
        Self { boards: &file.boards, config, config_hash, as_json, output, scale: None, now: start, begun: start }
    }

    fn file(&mut self, path: &Path, file: &[u8]) -> Result<(), ReplayError> {
        let (header, items) = read(file).map_err(|source| ReplayError::NotOne { path: path.to_owned(), source })?;
        let found: Vec<&str> = header.ports.iter().map(|p| p.name.as_str()).collect();
        let wanted: Vec<&str> = self.config.instruments.iter().map(|i| i.name()).collect();
        if found != wanted {
            let (found, wanted) = (found.join(", "), wanted.join(", "));
            return Err(ReplayError::OtherPorts { path: path.to_owned(), found, wanted });
        }
        self.begin(&header)?;
        for item in items {
            match item {
                Item::Record { at, record } => self.record(at, &record)?,
                Item::Damaged { bytes } => {
                    self.tell("damaged", json!({ "bytes": bytes }), &format!("{bytes} bytes"))?
                }
                Item::Torn { bytes } => self.tell("torn", json!({ "bytes": bytes }), &format!("{bytes} bytes"))?,
            }
        }
        Ok(())
    }

    /// A file that follows the one before goes on with it; another run of the daemon begins anew, on another clock.
    fn begin(&mut self, header: &Header) -> Result<(), ReplayError> {
        if self.scale.is_some() && header.at >= self.now {
            return Ok(());
        }
        (self.now, self.begun) = (header.at, header.at);
        let other = header.config_hash != self.config_hash;
        let data = json!({ "station": header.station, "wall_ms": header.wall, "same_config": !other });
        let note = if other { ", with another station file than this" } else { "" };
        self.tell("journal", data, &format!("station {}{note}", header.station))?;
        let mut scale = Scale::new(self.config.clone());
        let mut events = Vec::new();
        for (port, _) in header.ports.iter().enumerate().filter(|(_, port)| port.open) {
            events.extend(scale.opened(port, self.now));
            // The board said who it is before this file begins, in one that is gone by now.
            if let Some(board) = self.boards.get(port) {
                scale.push(port, self.now, self.now, &identity(board), &mut events);
            }
        }
        self.scale = Some(scale);
        self.settle(&events)
    }

    fn record(&mut self, at: Mono, record: &Record<'_>) -> Result<(), ReplayError> {
        let at = at.max(self.now);
        self.pass_time(at)?;
        let Some(scale) = &mut self.scale else { return Ok(()) };
        let mut events = Vec::new();
        match *record {
            Record::Opened { port } => events.extend(scale.opened(usize::from(port), at)),
            Record::Closed { port, why } => events.extend(scale.closed(usize::from(port), at, why.to_owned())),
            Record::Bytes { port, bytes } => scale.push(usize::from(port), at, at, bytes, &mut events),
            Record::Gap { records, bytes } => {
                let words = format!("{records} records, {bytes} bytes");
                self.tell("gap", json!({ "records": records, "bytes": bytes }), &words)?;
            }
        }
        self.settle(&events)
    }

    /// Lets everything happen that happens by itself before `at`.
    fn pass_time(&mut self, at: Mono) -> Result<(), ReplayError> {
        while let Some(scale) = &mut self.scale {
            // What the scale wants to send was sent; the answers stand in the journal.
            while scale.poll_send(self.now).is_some() {}
            let due = scale.poll_timeout().map(|(due, _)| due.max(self.now));
            let Some(due) = due.filter(|due| *due < at) else { break };
            let mut events = Vec::new();
            scale.handle_timeout(due, &mut events);
            let sent = scale.poll_send(due).is_some();
            let stuck = due == self.now && events.is_empty() && !sent;
            self.now = due;
            self.settle(&events)?;
            if stuck {
                break;
            }
        }
        self.now = at;
        Ok(())
    }

    fn settle(&mut self, events: &[ScaleEvent]) -> Result<(), ReplayError> {
        for event in events {
            let (name, data, words) = described(event);
            self.tell(name, data, &words)?;
        }
        Ok(())
    }

    fn tell(&mut self, name: &str, data: Value, words: &str) -> Result<(), ReplayError> {
        if self.as_json {
            let mut line = json!({ "t_us": self.now, "event": name });
            if let (Some(line), Value::Object(data)) = (line.as_object_mut(), data) {
                line.extend(data);
            }
            writeln!(self.output, "{line}")?;
        } else {
            writeln!(self.output, "{:>12.3} s  {name:<9}  {words}", self.now.seconds_since(self.begun))?;
        }
        Ok(())
    }
}

/// An event's name, its data and its words.
fn described(event: &ScaleEvent) -> (&'static str, Value, String) {
    match event {
        ScaleEvent::Settled(load) => {
            let data = json!({ "mass_mg": load.mass, "sigma_mg": load.sigma, "centre_mm": load.centre_mm });
            ("load", data, format!("{:.1} g ± {:.1} g", load.mass.g(), load.sigma.g()))
        }
        ScaleEvent::Step(step) => {
            let data = json!({ "mass_mg": step.mass, "sigma_mg": step.sigma });
            ("step", data, format!("{:+.1} g ± {:.1} g", step.mass.g(), step.sigma.g()))
        }
        ScaleEvent::Disturbed { .. } => ("disturbed", json!({}), String::new()),
        ScaleEvent::Lost(outage) => ("lost", json!({ "why": outage.to_string() }), outage.to_string()),
        ScaleEvent::Back => ("back", json!({}), String::new()),
        ScaleEvent::Zero(ZeroEvent::Taken { by_g }) => ("zero_taken", json!({ "by_g": by_g }), format!("{by_g:+.1} g")),
        ScaleEvent::Zero(ZeroEvent::NotReturned { off_g }) => {
            ("zero_not_returned", json!({ "off_g": off_g }), format!("{off_g:+.1} g"))
        }
    }
}

/// What a board answers when it is asked who it is.
fn identity(board: &BoardConfig) -> Vec<u8> {
    let serial = board.serial_number.as_bytes();
    let mut payload = vec![1, 2, 0, 0, 0, 0, 0, 0, serial.len() as u8];
    payload.extend(serial);
    payload.extend([0; 5]);
    payload.extend(((board.sample_rate_hz * 10.0) as u16).to_le_bytes());
    payload.extend([1, board.cells.len() as u8]);
    payload.extend(vec![0; 4 * board.cells.len() + 2]);
    lcb::frame(&payload)
}
