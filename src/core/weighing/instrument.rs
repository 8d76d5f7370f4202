//! What hangs on one serial port, whatever it is.

use super::board::{Board, BoardConfig, BoardEvent};
use super::link::LinkCounters;
use super::platform::Support;
use super::unavailable::Unavailable;
use crate::units::Mono;
use serde::{Deserialize, Serialize};

/// An instrument as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InstrumentConfig {
    /// A load-cell board with its cells.
    Board(BoardConfig),
}

impl InstrumentConfig {
    /// Its name in the station file.
    pub fn name(&self) -> &str {
        match self {
            Self::Board(board) => &board.name,
        }
    }

    /// Samples or weights a second.
    pub fn rate_hz(&self) -> f64 {
        match self {
            Self::Board(board) => board.sample_rate_hz,
        }
    }

    /// Without news for so long there is no weight.
    pub fn silence_ms(&self) -> u64 {
        match self {
            Self::Board(board) => board.silence_ms,
        }
    }

    /// Whether its samples show the plate's ringing; finished scales filter it away.
    pub fn rings(&self) -> bool {
        match self {
            Self::Board(_) => true,
        }
    }

    /// Where it carries: its cells.
    pub fn supports(&self) -> Vec<Support> {
        match self {
            Self::Board(board) => board
                .cells
                .iter()
                .map(|cell| Support {
                    plate: board.plate.clone(),
                    x_mm: cell.x_mm,
                    y_mm: cell.y_mm,
                    noise_g: cell.noise_g,
                })
                .collect(),
        }
    }
}

/// What an instrument's bytes came to.
#[derive(Clone, Debug, PartialEq)]
pub enum InstrumentEvent {
    /// Everything it has was measured at one moment.
    Sample {
        /// When, on our clock.
        at: Mono,
        /// Grams a support.
        masses_g: Vec<f64>,
        /// What it says itself of its rest.
        stable: Option<bool>,
    },
    /// It moves, and says nothing else.
    Moving {
        /// When.
        at: Mono,
    },
    /// It has no weight.
    Out(Unavailable),
    /// It is who it should be.
    Identified,
}

/// An instrument at the other end of a port.
#[derive(Clone, Debug)]
pub enum Instrument {
    /// A load-cell board.
    Board(Board),
}

impl Instrument {
    /// Its port is not open yet.
    pub fn new(config: InstrumentConfig) -> Self {
        match config {
            InstrumentConfig::Board(board) => Self::Board(Board::new(board)),
        }
    }

    /// What the link has seen.
    pub fn counters(&self) -> LinkCounters {
        match self {
            Self::Board(board) => board.counters(),
        }
    }

    /// The port is open.
    pub fn opened(&mut self, at: Mono) {
        match self {
            Self::Board(board) => board.opened(at),
        }
    }

    /// The port is gone.
    pub fn closed(&mut self, why: String) {
        match self {
            Self::Board(board) => board.closed(why),
        }
    }

    /// Bytes to send now.
    pub fn poll_send(&mut self, now: Mono) -> Option<Vec<u8>> {
        match self {
            Self::Board(board) => board.poll_send(now),
        }
    }

    /// When it must be looked after even if nothing comes.
    pub fn poll_timeout(&self) -> Option<Mono> {
        match self {
            Self::Board(board) => board.poll_timeout(),
        }
    }

    /// Looks after replies that do not come.
    pub fn handle_timeout(&mut self, _now: Mono, _out: impl FnMut(InstrumentEvent)) {
        match self {
            Self::Board(_) => {}
        }
    }

    /// Takes bytes that arrived at `at`.
    pub fn push(&mut self, at: Mono, bytes: &[u8], mut out: impl FnMut(InstrumentEvent)) {
        match self {
            Self::Board(board) => board.push(at, bytes, |event| out(of_board(event))),
        }
    }
}

fn of_board(event: BoardEvent) -> InstrumentEvent {
    match event {
        BoardEvent::Sample(sample) => InstrumentEvent::Sample { at: sample.at, masses_g: sample.cells_g, stable: None },
        BoardEvent::Saturated => InstrumentEvent::Out(Unavailable::Overload),
        BoardEvent::CellFault(channel) => InstrumentEvent::Out(Unavailable::CellFault(channel)),
        BoardEvent::Unpowered => InstrumentEvent::Out(Unavailable::Unpowered),
        BoardEvent::Identified => InstrumentEvent::Identified,
        BoardEvent::WrongBoard(found) => InstrumentEvent::Out(Unavailable::WrongInstrument(found)),
        BoardEvent::Rebooted => InstrumentEvent::Out(Unavailable::Identifying),
        BoardEvent::LineSettings => InstrumentEvent::Out(Unavailable::LineSettings),
    }
}
