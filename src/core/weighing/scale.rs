//! The whole sense of weight of a station: board, platform, zero, settling, and whether it can be trusted now.

use super::board::{Board, BoardConfig, BoardEvent, LinkCounters, LinkState};
use super::platform::{Platform, Reading};
use super::settle::{Load, Settle, SettleConfig, SettleEvent};
use crate::units::{Mass, Mono};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A station's scale as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleConfig {
    /// The board with its cells.
    pub board: BoardConfig,
    /// How the plate rings, less the noise, which the cells say.
    pub settle: SettleConfig,
    /// Heavier is overload.
    pub max_g: f64,
    /// Verification interval.
    pub division_g: f64,
    /// Lighter counts as empty.
    pub empty_below_g: f64,
}

/// Why there is no weight. Never confused with a weight of zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "detail")]
pub enum Unavailable {
    /// The port is closed, with what it said.
    Disconnected(String),
    /// The board has not said yet who it is.
    Identifying,
    /// Another board than the one that was calibrated.
    WrongBoard(String),
    /// Connected, but no sample for too long.
    Silent,
    /// A cell is late, open or stuck; the channel counts from 0.
    CellFault(usize),
    /// More than the platform may carry, or a cell beyond its range.
    Overload,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected(why) => write!(f, "disconnected: {why}"),
            Self::Identifying => f.write_str("the board has not said who it is"),
            Self::WrongBoard(found) => write!(f, "another board answers: {found}"),
            Self::Silent => f.write_str("connected but silent"),
            Self::CellFault(channel) => write!(f, "cell {} gives no value", channel + 1),
            Self::Overload => f.write_str("overload"),
        }
    }
}

/// What the scale tells.
#[derive(Clone, Debug, PartialEq)]
pub enum ScaleEvent {
    /// Something rests on the plate, or the plate rests empty.
    Settled(Load),
    /// What rested is touched.
    Disturbed {
        /// When.
        at: Mono,
    },
    /// There is no weight.
    Lost(Unavailable),
    /// There are weights again; what rests is not known yet.
    Back,
}

/// A sound sample must follow a fault for so long before the scale counts as back.
const TRUST_AGAIN_MS: u64 = 100;
/// Zero is followed only within this share of Max, as R 76 allows (4 %).
const ZERO_RANGE_SHARE: f64 = 0.04;
/// Zero moves by at most so many divisions a second.
const ZERO_RATE_DIVISIONS: f64 = 0.5;
/// Above Max by so many divisions is overload.
const OVERLOAD_DIVISIONS: f64 = 9.0;

/// The scale.
#[derive(Clone, Debug)]
pub struct Scale {
    config: ScaleConfig,
    board: Board,
    platform: Platform,
    settle: Settle,
    fault: Option<Unavailable>,
    last_sample: Option<Mono>,
    sound_since: Option<Mono>,
    zero_g: f64,
    zero_may_move: bool,
    twist_g: f64,
}

impl Scale {
    /// A scale whose port is not open yet.
    pub fn new(config: ScaleConfig) -> Self {
        let platform = Platform::new(&config.board.cells);
        let settle = Settle::new(SettleConfig { noise_g: platform.noise_g(), ..config.settle });
        let fault = Some(Unavailable::Disconnected("not opened yet".to_owned()));
        Self {
            board: Board::new(config.board.clone()),
            config,
            platform,
            settle,
            fault,
            last_sample: None,
            sound_since: None,
            zero_g: 0.0,
            zero_may_move: true,
            twist_g: 0.0,
        }
    }

    /// The load, if the scale is sound and something is known to rest. An empty plate is a load below [`ScaleConfig::empty_below_g`].
    pub fn load(&self) -> Option<Load> {
        if self.fault.is_some() { None } else { self.settle.load() }
    }

    /// Why there is no weight, if there is none.
    pub fn fault(&self) -> Option<&Unavailable> {
        self.fault.as_ref()
    }

    /// A live value for a display, never for a decision.
    pub fn live(&self) -> Option<Mass> {
        if self.fault.is_some() { None } else { self.settle.live_g().and_then(Mass::from_g) }
    }

    /// What the link has seen.
    pub fn counters(&self) -> LinkCounters {
        self.board.counters()
    }

    /// The shift of zero followed so far, grams.
    pub fn zero_shift_g(&self) -> f64 {
        self.zero_g
    }

    /// How far the cells contradict a rigid plate in the last reading, grams.
    pub fn twist_g(&self) -> f64 {
        self.twist_g
    }

    /// Whether a mass counts as an empty plate.
    pub fn is_empty(&self, mass: Mass) -> bool {
        mass.g() < self.config.empty_below_g
    }

    /// Lets zero follow the empty plate, or holds it: during a visit small goods must not be eaten by it.
    pub fn let_zero_follow(&mut self, may: bool) {
        self.zero_may_move = may;
    }

    /// The port is open.
    pub fn opened(&mut self, at: Mono) -> Option<ScaleEvent> {
        self.board.opened(at);
        self.lose(at, Unavailable::Identifying)
    }

    /// The port is gone.
    pub fn closed(&mut self, at: Mono, why: String) -> Option<ScaleEvent> {
        self.board.closed(why.clone());
        self.lose(at, Unavailable::Disconnected(why))
    }

    /// Bytes to send to the board now, if any.
    pub fn poll_send(&mut self, now: Mono) -> Option<Vec<u8>> {
        self.board.poll_send(now)
    }

    /// When the scale must be looked after even if no byte arrives, and why.
    pub fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        let silence = self.silent_from().map(|at| (at, "scale silent"));
        let asking = self.board.poll_timeout().map(|at| (at, "ask the board who it is"));
        [silence, asking].into_iter().flatten().min()
    }

    fn silent_from(&self) -> Option<Mono> {
        let last = self.last_sample.filter(|_| self.fault.is_none());
        last.map(|at| at.plus_ms(self.config.board.silence_ms))
    }

    /// Looks after silence.
    pub fn handle_timeout(&mut self, now: Mono) -> Option<ScaleEvent> {
        let due = self.silent_from()?;
        if now < due { None } else { self.lose(now, Unavailable::Silent) }
    }

    /// Takes, at `now`, bytes that arrived at `at`.
    pub fn push(&mut self, now: Mono, at: Mono, bytes: &[u8], out: &mut Vec<ScaleEvent>) {
        let mut events = Vec::new();
        self.board.push(at, bytes, |event| events.push(event));
        for event in events {
            match event {
                BoardEvent::Sample(sample) => {
                    let reading = self.platform.fuse(&sample);
                    self.take(now, reading, out);
                }
                BoardEvent::Saturated { .. } => out.extend(self.lose(at, Unavailable::Overload)),
                BoardEvent::CellFault { channel, .. } => out.extend(self.lose(at, Unavailable::CellFault(channel))),
                BoardEvent::Identified => self.sound_since = None,
                BoardEvent::WrongBoard => {
                    if let LinkState::WrongBoard { found } = self.board.state() {
                        let found = found.clone();
                        out.extend(self.lose(at, Unavailable::WrongBoard(found)));
                    }
                }
            }
        }
    }

    fn take(&mut self, now: Mono, reading: Reading, out: &mut Vec<ScaleEvent>) {
        let since_last_s = self.last_sample.map_or(0.0, |last| reading.at.seconds_since(last));
        let gap = self.last_sample.is_some_and(|last| reading.at.ms_since(last) > self.config.board.silence_ms);
        self.last_sample = Some(reading.at);
        self.twist_g = reading.twist_g;
        let reading = Reading { mass_g: reading.mass_g - self.zero_g, ..reading };
        if reading.mass_g > self.config.max_g + OVERLOAD_DIVISIONS * self.config.division_g {
            out.extend(self.lose(now, Unavailable::Overload));
            return;
        }
        // What queued up while the daemon was busy is history, not the present: data may become older, never fresher.
        if now.ms_since(reading.at) > self.config.board.silence_ms {
            out.extend(self.lose(now, Unavailable::Silent));
            return;
        }
        if gap {
            self.settle.reset(reading.at);
        }
        if self.fault.is_some() {
            let since = *self.sound_since.get_or_insert(reading.at);
            if reading.at.ms_since(since) < TRUST_AGAIN_MS {
                return;
            }
            self.fault = None;
            self.settle.reset(reading.at);
            out.push(ScaleEvent::Back);
        }
        match self.settle.push(reading) {
            Some(SettleEvent::Disturbed { at }) => out.push(ScaleEvent::Disturbed { at }),
            Some(SettleEvent::Settled(load)) => out.push(ScaleEvent::Settled(load)),
            None => self.follow_zero(reading, since_last_s),
        }
    }

    fn follow_zero(&mut self, reading: Reading, seconds: f64) {
        let empty = self.settle.load().is_some_and(|load| self.is_empty(load.mass)) && self.settle.is_quiet();
        // Within one and a half divisions: more than that on an empty plate is something lying there.
        let near = reading.mass_g.abs() <= 1.5 * self.config.division_g;
        if !(self.zero_may_move && empty && near) {
            return;
        }
        let step = (0.02 * reading.mass_g).clamp(-1.0, 1.0) * ZERO_RATE_DIVISIONS * self.config.division_g * seconds;
        let range = ZERO_RANGE_SHARE * self.config.max_g;
        self.zero_g = (self.zero_g + step).clamp(-range, range);
    }

    fn lose(&mut self, at: Mono, why: Unavailable) -> Option<ScaleEvent> {
        self.sound_since = None;
        self.settle.reset(at);
        if self.fault.as_ref() == Some(&why) {
            return None;
        }
        self.fault = Some(why.clone());
        Some(ScaleEvent::Lost(why))
    }
}
