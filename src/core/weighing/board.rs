//! One load-cell board: decodes its stream, knows whether it is the right board, and puts its samples on our clock.

use super::wire::lcb::{self, Command, Event, Sample, WireError};
use crate::units::Mono;
use serde::{Deserialize, Serialize};

/// One load cell as calibrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellConfig {
    /// Where it carries the plate, from the plate's middle.
    pub x_mm: f64,
    /// Where it carries the plate, from the plate's middle.
    pub y_mm: f64,
    /// Counts with nothing on the plate.
    pub zero_counts: f64,
    /// Counts a gram; above 0.
    pub counts_per_g: f64,
    /// What it may carry.
    pub capacity_g: f64,
    /// Idle noise of one sample, 1 sigma.
    pub noise_g: f64,
}

/// One board as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoardConfig {
    /// Its name in the station file.
    pub name: String,
    /// The serial number that its calibration belongs to.
    pub serial_number: String,
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// Without a sample for so long its weight is unavailable.
    pub silence_ms: u64,
    /// Its cells in channel order.
    pub cells: Vec<CellConfig>,
}

/// What is known of the link to a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// No port, or no longer.
    Closed {
        /// What the port said.
        why: String,
    },
    /// Asked who it is, no answer yet.
    Identifying,
    /// It is another board than the one calibrated.
    WrongBoard {
        /// The serial number it gave.
        found: String,
    },
    /// The right board.
    Identified,
}

/// A sample on our own clock, in grams a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellSample {
    /// When it was measured, on our clock, by the board's own time.
    pub at: Mono,
    /// Mass on each cell in grams, in channel order.
    pub cells_g: Vec<f64>,
}

/// What a board's bytes came to.
#[derive(Clone, Debug, PartialEq)]
pub enum BoardEvent {
    /// All cells measured.
    Sample(CellSample),
    /// A cell is beyond its range.
    Saturated {
        /// When.
        at: Mono,
    },
    /// A sample without all its cells: open, late or stuck.
    CellFault {
        /// When.
        at: Mono,
        /// Channel from 0.
        channel: usize,
    },
    /// The right board answered.
    Identified,
    /// Another board answered.
    WrongBoard,
}

/// Counters of what a link has seen, for people and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkCounters {
    /// Samples taken.
    pub samples: u64,
    /// Frames thrown away as damaged.
    pub damaged: u64,
    /// Frames that the sequence number says are missing.
    pub missing: u64,
    /// Frames that came twice.
    pub duplicates: u64,
    /// Times that the board started anew while connected.
    pub reboots: u64,
}

/// A frame does not pause longer than this between two bytes.
const FRAME_PAUSE_MS: u64 = 50;
/// So often a silent board is asked again who it is.
const ASK_AGAIN_MS: u64 = 500;
/// The board's crystal is off by less than this share, so that the estimate of its clock may creep by so much.
const CLOCK_CREEP: f64 = 0.001;

/// The link to one board.
#[derive(Clone, Debug)]
pub struct Board {
    config: BoardConfig,
    decoder: lcb::Decoder,
    state: LinkState,
    last_bytes: Mono,
    last_asked: Option<Mono>,
    last_seq: Option<u16>,
    clock: DeviceClock,
    asks: u16,
    counters: LinkCounters,
}

impl Board {
    /// A board whose port is not open yet.
    pub fn new(config: BoardConfig) -> Self {
        Self {
            config,
            decoder: lcb::Decoder::default(),
            state: LinkState::Closed { why: "not opened yet".to_owned() },
            last_bytes: Mono::default(),
            last_asked: None,
            last_seq: None,
            clock: DeviceClock::default(),
            asks: 0,
            counters: LinkCounters::default(),
        }
    }

    /// How it is configured.
    pub fn config(&self) -> &BoardConfig {
        &self.config
    }

    /// What is known of the link.
    pub fn state(&self) -> &LinkState {
        &self.state
    }

    /// What the link has seen.
    pub fn counters(&self) -> LinkCounters {
        self.counters
    }

    /// The port is open: forgets everything that belonged to the one before.
    pub fn opened(&mut self, at: Mono) {
        self.decoder = lcb::Decoder::default();
        self.state = LinkState::Identifying;
        self.last_bytes = at;
        self.last_asked = None;
        self.last_seq = None;
        self.clock = DeviceClock::default();
    }

    /// The port is gone.
    pub fn closed(&mut self, why: String) {
        self.state = LinkState::Closed { why };
    }

    /// Bytes to send now, if any: an unidentified board is asked who it is, every half second.
    pub fn poll_send(&mut self, now: Mono) -> Option<Vec<u8>> {
        let due = self.last_asked.is_none_or(|asked| now.ms_since(asked) >= ASK_AGAIN_MS);
        if self.state != LinkState::Identifying || !due {
            return None;
        }
        self.last_asked = Some(now);
        self.asks = self.asks.wrapping_add(1);
        Some(Command::Info.encode(self.asks))
    }

    /// When the board is to be asked again, if it has not said who it is.
    pub fn poll_timeout(&self) -> Option<Mono> {
        (self.state == LinkState::Identifying)
            .then(|| self.last_asked.map_or(Mono::default(), |at| at.plus_ms(ASK_AGAIN_MS)))
    }

    /// Takes bytes that arrived at `at`. Samples are told only once the board has proved to be the right one.
    pub fn push(&mut self, at: Mono, bytes: &[u8], mut out: impl FnMut(BoardEvent)) {
        let mut decoder = std::mem::take(&mut self.decoder);
        if at.ms_since(self.last_bytes) > FRAME_PAUSE_MS && decoder.pause().is_some() {
            self.counters.damaged += 1;
        }
        self.last_bytes = at;
        decoder.push(bytes, |event| {
            if let Some(event) = self.take(at, event) {
                out(event);
            }
        });
        self.decoder = decoder;
    }

    fn take(&mut self, at: Mono, event: Event) -> Option<BoardEvent> {
        match event {
            Event::Sample(sample) => self.take_sample(at, &sample),
            Event::Info(info) => {
                let right = info.serial_number == self.config.serial_number
                    && usize::from(info.channels) == self.config.cells.len();
                let (state, event) = if right {
                    (LinkState::Identified, BoardEvent::Identified)
                } else {
                    (LinkState::WrongBoard { found: info.serial_number }, BoardEvent::WrongBoard)
                };
                let news = self.state != state;
                self.state = state;
                news.then_some(event)
            }
            Event::Error(
                WireError::Checksum
                | WireError::Framing
                | WireError::Overlong
                | WireError::Partial
                | WireError::Version,
            ) => {
                self.counters.damaged += 1;
                None
            }
            Event::Ack { .. } | Event::Nak { .. } | Event::Unknown { .. } => None,
        }
    }

    fn take_sample(&mut self, arrived: Mono, sample: &Sample) -> Option<BoardEvent> {
        if self.last_seq == Some(sample.seq) {
            self.counters.duplicates += 1;
            return None;
        }
        if let Some(last) = self.last_seq {
            self.counters.missing += u64::from(sample.seq.wrapping_sub(last).wrapping_sub(1).min(1000));
        }
        self.last_seq = Some(sample.seq);
        self.counters.samples += 1;
        let (at, rebooted) = self.clock.place(arrived, sample.t_us);
        if rebooted {
            self.counters.reboots += 1;
        }
        if self.state != LinkState::Identified {
            return None;
        }
        if sample.is_saturated() {
            return Some(BoardEvent::Saturated { at });
        }
        let fault = (0..self.config.cells.len()).find(|channel| !sample.is_valid(*channel));
        if let Some(channel) = fault {
            return Some(BoardEvent::CellFault { at, channel });
        }
        let cells_g = self
            .config
            .cells
            .iter()
            .zip(sample.counts)
            .map(|(cell, counts)| (f64::from(counts) - cell.zero_counts) / cell.counts_per_g)
            .collect();
        Some(BoardEvent::Sample(CellSample { at, cells_g }))
    }
}

/// Puts the board's wrapping microseconds on our clock. What arrives late arrived late because of the line, the driver or
/// the scheduler; the least delay seen is the truest, and may only creep as fast as crystals differ.
#[derive(Clone, Debug, Default)]
struct DeviceClock {
    last: Option<Placed>,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    t_us: u32,
    device_us: u64,
    /// Ours less the board's, microseconds.
    offset_us: i64,
}

impl DeviceClock {
    /// When a sample was measured on our clock, never later than it arrived; and whether the board's time jumped, as after a reboot.
    fn place(&mut self, arrived: Mono, t_us: u32) -> (Mono, bool) {
        let ours = arrived.us() as i64;
        let fresh = |device_us: u64| Placed { t_us, device_us, offset_us: ours - device_us as i64 };
        let (placed, jumped) = match self.last {
            None => (fresh(u64::from(t_us)), false),
            Some(last) => {
                let step_us = u64::from(t_us.wrapping_sub(last.t_us));
                // Steps of a minute are no steps but a clock that went back.
                if step_us > 60_000_000 {
                    (fresh(u64::from(t_us)), true)
                } else {
                    let device_us = last.device_us + step_us;
                    let creep_us = (step_us as f64 * CLOCK_CREEP).ceil() as i64;
                    let offset_us = (last.offset_us + creep_us).min(ours - device_us as i64);
                    (Placed { t_us, device_us, offset_us }, false)
                }
            }
        };
        self.last = Some(placed);
        let at_us = (placed.device_us as i64 + placed.offset_us).max(0);
        (Mono::from_us(at_us as u64), jumped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_chunk_does_not_bend_time() {
        let mut clock = DeviceClock::default();
        // 80 Hz; the third sample is delivered 40 ms late together with the fourth to sixth.
        let arrivals = [0u64, 12_500, 65_000, 65_000, 65_000, 65_000];
        let mut times = Vec::new();
        for (i, arrived) in arrivals.into_iter().enumerate() {
            let (at, jumped) = clock.place(Mono::from_us(1_000_000 + arrived), i as u32 * 12_500);
            assert!(!jumped);
            times.push(at.us());
        }
        for pair in times.windows(2) {
            let step = pair[1] - pair[0];
            assert!((12_400..=12_600).contains(&step), "{times:?}");
        }
    }

    #[test]
    fn the_board_clock_may_wrap_and_may_restart() {
        let mut clock = DeviceClock::default();
        clock.place(Mono::from_us(10_000_000), u32::MAX - 6_249);
        let (at, jumped) = clock.place(Mono::from_us(10_012_500), 6_250);
        assert!(!jumped);
        assert_eq!(at.us(), 10_012_500);
        let (_, jumped) = clock.place(Mono::from_us(10_025_000), 0);
        assert!(jumped);
    }
}
