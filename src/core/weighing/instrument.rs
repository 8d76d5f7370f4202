//! What hangs on one serial port, whatever it is.

use super::board::{Board, BoardConfig, BoardEvent};
use super::indicator::{Indicator, IndicatorEvent};
use super::link::LinkCounters;
use super::platform::Support;
use super::unavailable::Unavailable;
use super::wire::Reason;
use crate::units::Mono;

/// An instrument as configured.
#[derive(Clone, Debug)]
pub enum InstrumentConfig {
    /// A load-cell board with its cells.
    Board(BoardConfig),
    /// A finished scale, whose port is not open yet.
    Indicator(Box<Indicator>),
}

impl InstrumentConfig {
    /// Its name in the station file.
    pub fn name(&self) -> &str {
        match self {
            Self::Board(board) => &board.name,
            Self::Indicator(indicator) => &indicator.config().name,
        }
    }

    /// Samples or weights a second.
    pub fn rate_hz(&self) -> f64 {
        match self {
            Self::Board(board) => board.sample_rate_hz,
            Self::Indicator(indicator) => 1000.0 / indicator.config().poll_ms as f64,
        }
    }

    /// Without news for so long there is no weight.
    pub fn silence_ms(&self) -> u64 {
        match self {
            Self::Board(board) => board.silence_ms,
            Self::Indicator(indicator) => indicator.config().silence_ms,
        }
    }

    /// Whether its samples show the plate's ringing; finished scales filter it away.
    pub fn rings(&self) -> bool {
        match self {
            Self::Board(_) => true,
            Self::Indicator(_) => false,
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
            Self::Indicator(indicator) => {
                let c = indicator.config();
                // It may share its name with a plate of cells, but never a plate.
                let plate = format!("{} (indicator)", c.name);
                vec![Support { plate, x_mm: c.x_mm, y_mm: c.y_mm, noise_g: c.noise_g }]
            }
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
    /// Less lies on it than it weighs: from nothing to this.
    BelowMinimum {
        /// When.
        at: Mono,
        /// The least that it weighs, grams.
        minimum_g: f64,
    },
    /// It is who it should be.
    Identified,
    /// It has started anew, and may have taken whatever lay on it for zero.
    ZeroUnknown,
}

/// A scale's Min, in divisions: R 76 has 20 for class III.
const MINIMUM_DIVISIONS: f64 = 20.0;

/// An instrument at the other end of a port.
#[derive(Clone, Debug)]
pub enum Instrument {
    /// A load-cell board.
    Board(Box<Board>),
    /// A finished scale.
    Indicator(Box<Indicator>),
}

impl Instrument {
    /// Its port is not open yet.
    pub fn new(config: InstrumentConfig) -> Self {
        match config {
            InstrumentConfig::Board(board) => Self::Board(Box::new(Board::new(board))),
            InstrumentConfig::Indicator(indicator) => Self::Indicator(indicator),
        }
    }

    /// What the link has seen.
    pub fn counters(&self) -> LinkCounters {
        match self {
            Self::Board(board) => board.counters(),
            Self::Indicator(indicator) => indicator.counters(),
        }
    }

    /// The port is open.
    pub fn opened(&mut self, at: Mono) {
        match self {
            Self::Board(board) => board.opened(at),
            Self::Indicator(indicator) => indicator.opened(at),
        }
    }

    /// The port is gone.
    pub fn closed(&mut self, why: String) {
        match self {
            Self::Board(board) => board.closed(why),
            Self::Indicator(indicator) => indicator.closed(why),
        }
    }

    /// Bytes to send now.
    pub fn poll_send(&mut self, now: Mono) -> Option<Vec<u8>> {
        match self {
            Self::Board(board) => board.poll_send(now),
            Self::Indicator(indicator) => indicator.poll_send(now),
        }
    }

    /// When it must be looked after even if nothing comes.
    pub fn poll_timeout(&self) -> Option<Mono> {
        match self {
            Self::Board(board) => board.poll_timeout(),
            Self::Indicator(indicator) => indicator.poll_timeout(),
        }
    }

    /// Looks after replies that do not come.
    pub fn handle_timeout(&mut self, now: Mono, mut out: impl FnMut(InstrumentEvent)) {
        match self {
            Self::Board(_) => {}
            Self::Indicator(indicator) => {
                let minimum_g = MINIMUM_DIVISIONS * indicator.config().division_g;
                indicator.handle_timeout(now, |event| of_indicator(event, minimum_g, &mut out));
            }
        }
    }

    /// Takes bytes that arrived at `at`.
    pub fn push(&mut self, at: Mono, bytes: &[u8], mut out: impl FnMut(InstrumentEvent)) {
        match self {
            Self::Board(board) => board.push(at, bytes, |event| out(of_board(event))),
            Self::Indicator(indicator) => {
                let minimum_g = MINIMUM_DIVISIONS * indicator.config().division_g;
                indicator.push(at, bytes, |event| of_indicator(event, minimum_g, &mut out));
            }
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

fn of_indicator(event: IndicatorEvent, minimum_g: f64, out: &mut impl FnMut(InstrumentEvent)) {
    let lost = |why| InstrumentEvent::Out(why);
    match event {
        IndicatorEvent::Weight { at, mass, stable } => {
            out(InstrumentEvent::Sample { at, masses_g: vec![mass.g()], stable });
        }
        IndicatorEvent::Unavailable { at, reason } => out(match reason {
            Reason::Motion | Reason::Busy | Reason::NotFinished => InstrumentEvent::Moving { at },
            Reason::BelowMinimum => InstrumentEvent::BelowMinimum { at, minimum_g },
            Reason::Overload => lost(Unavailable::Overload),
            Reason::Underload => lost(Unavailable::BelowZero),
            Reason::OutOfRange
            | Reason::ZeroError
            | Reason::NotZeroed
            | Reason::NoMotionSinceLast
            | Reason::LoadCell
            | Reason::Device => lost(Unavailable::Refused(reason)),
        }),
        IndicatorEvent::Identified => out(InstrumentEvent::Identified),
        IndicatorEvent::WrongInstrument { found } => out(lost(Unavailable::WrongInstrument(found))),
        IndicatorEvent::Rebooted { .. } => {
            out(lost(Unavailable::Identifying));
            out(InstrumentEvent::ZeroUnknown);
        }
        IndicatorEvent::Silent { .. } => out(lost(Unavailable::Silent)),
        IndicatorEvent::LineSettings { .. } => out(lost(Unavailable::LineSettings)),
        IndicatorEvent::NetWeight { .. } => out(lost(Unavailable::NetWeight)),
        IndicatorEvent::UnitMismatch { .. } => out(lost(Unavailable::UnitMismatch)),
        IndicatorEvent::ChallengeFailed { .. } => out(lost(Unavailable::ChallengeFailed)),
    }
}
