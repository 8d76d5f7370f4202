//! A plate's boards, read for a calibration: identified, their samples joined, waited for until they rest.

use super::CalibrateError;
use crate::app::config::{BoardConfig, StationConfig};
use crate::app::wiring;
use crate::io::serial::{PortEvent, SerialEvent, SerialLink, SerialLoss};
use augenmass_core::units::Mono;
use augenmass_core::weighing::calibrate::{Site, SiteCell, Still, StillWatch};
use augenmass_core::weighing::wire::lcb::{self, Command, Event, Sample};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// A board that has not said who it is within this is not there.
const IDENTIFY_WITHIN: Duration = Duration::from_secs(5);
const ASK_EVERY: Duration = Duration::from_millis(500);
/// A plate that is not at rest within this needs a person.
const REST_WITHIN: Duration = Duration::from_secs(60);
/// Samples without a value that are suffered in a row.
const INVALID_MAX: u32 = 200;

/// What a reading is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// At rest, whatever it reads.
    Any,
    /// At rest within a twentieth of `mass_g` of the empty plate.
    Empty {
        /// The empty plate's sum by nominal gains, grams.
        zero_g: f64,
        /// The mass that is taken off.
        mass_g: f64,
    },
    /// At rest and clearly off the empty plate: a cell may be dead, so that a sixth of the mass is enough.
    Loaded {
        /// The empty plate's sum by nominal gains, grams.
        zero_g: f64,
        /// The mass that is put on.
        mass_g: f64,
    },
}

impl Wanted {
    fn takes(self, sum_g: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Empty { zero_g, mass_g } => (sum_g - zero_g).abs() < mass_g / 20.0,
            Self::Loaded { zero_g, mass_g } => (sum_g - zero_g).abs() > mass_g / 6.0,
        }
    }
}

#[derive(Debug)]
struct Board {
    config: BoardConfig,
    link: SerialLink,
    decoder: lcb::Decoder,
    identified: bool,
    latest: Option<Sample>,
    asks: u16,
}

/// The boards that carry one plate together.
#[derive(Debug)]
pub(super) struct Plate {
    boards: Vec<Board>,
    events: mpsc::Receiver<PortEvent>,
    watch: StillWatch,
    counts_per_g: Vec<f64>,
    /// Time of the first board's samples by its own clock, unwrapped: what was queued is not taken for recent.
    device_us: u64,
    last_t_us: Option<u32>,
    invalid: u32,
}

/// The boards of the plate that `board` carries, and what the calibration needs to know of it.
pub(super) fn site(file: &StationConfig, board: &str) -> Result<(Vec<BoardConfig>, Site), CalibrateError> {
    let named = file.boards.iter().find(|b| b.name == board).ok_or_else(|| CalibrateError::NoBoard {
        name: board.to_owned(),
        known: file.boards.iter().map(|b| b.name.clone()).collect::<Vec<_>>().join(", "),
    })?;
    let boards: Vec<BoardConfig> = file.boards.iter().filter(|b| b.plate == named.plate).cloned().collect();
    let plates = file.boards.iter().map(|b| &b.plate).collect::<BTreeSet<_>>().len();
    let cells = boards.iter().flat_map(|b| &b.cells).map(|cell| SiteCell {
        serial_number: cell.serial_number.clone(),
        x_mm: cell.x_mm,
        y_mm: cell.y_mm,
        counts_per_g: cell.counts_per_g,
        capacity_g: cell.capacity_g,
    });
    let site = Site {
        board_serial: boards.iter().map(|b| b.serial_number.as_str()).collect::<Vec<_>>().join(" + "),
        cells: cells.collect(),
        // Several plates share the platform's range.
        max_g: file.platform.max_g / plates.max(1) as f64,
        division_g: file.platform.division_g,
    };
    Ok((boards, site))
}

impl Plate {
    /// Opens the boards' ports and waits until all have said who they are.
    pub(super) async fn open(boards: Vec<BoardConfig>, site: &Site) -> Result<Self, CalibrateError> {
        // Short: what queues up while a person is slow is of no use afterwards.
        let (sender, events) = mpsc::channel(256);
        let noise_g: f64 = boards.iter().flat_map(|b| &b.cells).map(|c| c.noise_g * c.noise_g).sum();
        let counts_per_g: Vec<f64> = site.cells.iter().map(|c| c.counts_per_g).collect();
        let start = |(port, config): (usize, BoardConfig)| Board {
            link: SerialLink::start(port, wiring::options(&config.line), sender.clone()),
            config,
            decoder: lcb::Decoder::default(),
            identified: false,
            latest: None,
            asks: 0,
        };
        let mut plate = Self {
            boards: boards.into_iter().enumerate().map(start).collect(),
            events,
            watch: StillWatch::new(counts_per_g.clone(), site.division_g, noise_g.sqrt()),
            counts_per_g,
            device_us: 0,
            last_t_us: None,
            invalid: 0,
        };
        let deadline = tokio::time::Instant::now() + IDENTIFY_WITHIN;
        while let Some(silent) = plate.boards.iter().position(|b| !b.identified) {
            if tokio::time::Instant::now() >= deadline {
                return Err(CalibrateError::Silent(plate.boards[silent].config.name.clone()));
            }
            plate.ask();
            // Between two questions whatever comes is taken.
            let again = tokio::time::Instant::now() + ASK_EVERY;
            while plate.boards.iter().any(|b| !b.identified) {
                match tokio::time::timeout_at(again, plate.events.recv()).await {
                    Err(_) => break,
                    Ok(event) => plate.take(event)?,
                };
            }
        }
        Ok(plate)
    }

    fn ask(&mut self) {
        for board in self.boards.iter_mut().filter(|b| !b.identified) {
            board.asks = board.asks.wrapping_add(1);
            // A port that is not open yet takes no question; it is asked again.
            let _ = board.link.send(Command::Info.encode(board.asks).into());
        }
    }

    /// Takes what comes and forgets it: while a person reads or walks, nothing may queue up.
    pub(super) async fn idle(&mut self) -> Result<(), CalibrateError> {
        let event = self.events.recv().await;
        self.take(event).map(|_| ())
    }

    /// Waits for a reading at rest that is what was wanted, from samples that come from now on.
    pub(super) async fn reading(&mut self, wanted: Wanted) -> Result<Still, CalibrateError> {
        self.watch.reset();
        let deadline = tokio::time::Instant::now() + REST_WITHIN;
        loop {
            let event = tokio::time::timeout_at(deadline, self.events.recv())
                .await
                .map_err(|_| CalibrateError::NoRest { live_g: self.watch.live_sum_g(), wanted: says(wanted) })?;
            for still in self.take(event)? {
                if wanted.takes(self.sum_g(&still)) {
                    return Ok(still);
                }
            }
        }
    }

    /// A reading's sum by the nominal gains, zero included, grams.
    pub(super) fn sum_g(&self, still: &Still) -> f64 {
        still.mean_counts.iter().zip(&self.counts_per_g).map(|(counts, gain)| counts / gain).sum()
    }

    fn take(&mut self, event: Option<PortEvent>) -> Result<Vec<Still>, CalibrateError> {
        // The links hold their senders for as long as they live.
        let Some(PortEvent { port, event }) = event else { return Ok(Vec::new()) };
        match event {
            SerialEvent::Opened { .. } => Ok(Vec::new()),
            SerialEvent::Lost { why: why @ SerialLoss::Taken(_), .. } => Err(CalibrateError::Taken(why)),
            SerialEvent::Lost { why, .. } => Err(CalibrateError::Port(why)),
            SerialEvent::Bytes { bytes, .. } => {
                let mut events = Vec::new();
                self.boards[port].decoder.push(&bytes, |event| events.push(event));
                let mut stills = Vec::new();
                for event in events {
                    stills.extend(self.hear(port, event)?);
                }
                Ok(stills)
            }
        }
    }

    fn hear(&mut self, port: usize, event: Event) -> Result<Option<Still>, CalibrateError> {
        let board = &mut self.boards[port];
        match event {
            Event::Info(info) => {
                if info.serial_number != board.config.serial_number
                    || usize::from(info.channels) != board.config.cells.len()
                {
                    return Err(CalibrateError::WrongBoard {
                        name: board.config.name.clone(),
                        wanted: format!("{} with {} cells", board.config.serial_number, board.config.cells.len()),
                        found: format!("{} with {}", info.serial_number, info.channels),
                    });
                }
                board.identified = true;
                Ok(None)
            }
            Event::Sample(sample) => {
                board.latest = Some(sample);
                if port == 0 { self.join(sample.t_us) } else { Ok(None) }
            }
            Event::Ack { .. } | Event::Nak { .. } | Event::Unknown { .. } | Event::Error(_) => Ok(None),
        }
    }

    /// All boards' latest samples as one, at the first board's pace: a plate at rest reads the same a sample later.
    fn join(&mut self, t_us: u32) -> Result<Option<Still>, CalibrateError> {
        let step = self.last_t_us.replace(t_us).map_or(0, |last| t_us.wrapping_sub(last));
        self.device_us += u64::from(step);
        let (mut counts, mut saturated) = (Vec::new(), Vec::new());
        for board in &self.boards {
            let Some(sample) = board.latest.filter(|_| board.identified) else { return Ok(None) };
            for channel in 0..board.config.cells.len() {
                if sample.status[channel] & 0b110 != 0 {
                    saturated.push(counts.len());
                } else if !sample.is_valid(channel) {
                    self.invalid += 1;
                    let broken = self.invalid > INVALID_MAX;
                    let cell = board.config.cells[channel].serial_number.clone();
                    return if broken { Err(CalibrateError::NoValue { channel, cell }) } else { Ok(None) };
                }
                counts.push(sample.counts[channel]);
            }
        }
        self.invalid = 0;
        Ok(self.watch.push(Mono::from_us(self.device_us), &counts, &saturated))
    }
}

fn says(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Any => "the plate did not come to rest",
        Wanted::Empty { .. } => "the plate did not become empty and come to rest",
        Wanted::Loaded { .. } => "no mass was felt that came to rest",
    }
}
