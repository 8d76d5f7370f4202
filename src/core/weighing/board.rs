//! One load-cell board: decodes its stream, knows whether it is the right board, and puts its samples on our clock.

use super::device_clock::DeviceClock;
use super::link::{LinkCounters, LinkState, LinkWatch};
use super::still_cell::StillCell;
use super::wire::lcb::{self, Command, Event, Info, Sample, WireError};
use crate::units::Mono;
use serde::{Deserialize, Serialize};

/// One load cell as calibrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellConfig {
    /// Stamped on the cell; its calibration belongs to it.
    pub serial_number: String,
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
    /// Cells of boards with the same plate carry one rigid plate.
    pub plate: String,
    /// The serial number that its calibration belongs to.
    pub serial_number: String,
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// What the line carries, bytes a second: a frame is as old as its own bytes take.
    pub bytes_per_s: f64,
    /// Without a sample for so long its weight is unavailable.
    pub silence_ms: u64,
    /// Its cells in channel order.
    pub cells: Vec<CellConfig>,
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
    Saturated,
    /// A sample without all its cells: open, late or stuck. The channel counts from 0.
    CellFault(usize),
    /// The bridges or the board lack their voltage: all cells lie by the same share.
    Unpowered,
    /// The right board answered.
    Identified,
    /// Another board answered, or one with other cells on it; what it said.
    WrongBoard(String),
    /// The board started anew; it must say again who it is.
    Rebooted,
    /// Bytes come, and none of them are frames.
    LineSettings,
}

/// So often a silent board is asked again who it is.
const ASK_AGAIN_MS: u64 = 500;

/// The link to one board.
#[derive(Clone, Debug)]
pub struct Board {
    config: BoardConfig,
    decoder: lcb::Decoder,
    watch: LinkWatch,
    last_asked: Option<Mono>,
    last_seq: Option<u16>,
    clock: DeviceClock,
    cells: Vec<StillCell>,
    asks: u16,
}

impl Board {
    /// A board whose port is not open yet.
    pub fn new(config: BoardConfig) -> Self {
        let cells = config.cells.iter().map(|c| StillCell::new(c.noise_g * c.counts_per_g)).collect();
        Self {
            config,
            decoder: lcb::Decoder::default(),
            watch: LinkWatch::default(),
            last_asked: None,
            last_seq: None,
            clock: DeviceClock::default(),
            cells,
            asks: 0,
        }
    }

    /// How it is configured.
    pub fn config(&self) -> &BoardConfig {
        &self.config
    }

    /// What is known of the link.
    pub fn state(&self) -> &LinkState {
        self.watch.state()
    }

    /// What the link has seen.
    pub fn counters(&self) -> LinkCounters {
        self.watch.counters
    }

    /// The port is open: forgets everything that belonged to the one before.
    pub fn opened(&mut self, at: Mono) {
        self.decoder = lcb::Decoder::default();
        self.watch.opened(at);
        self.last_asked = None;
        self.last_seq = None;
        self.clock = DeviceClock::default();
        self.cells.iter_mut().for_each(StillCell::forget);
    }

    /// The port is gone.
    pub fn closed(&mut self, why: String) {
        self.watch.closed(why);
    }

    /// Bytes to send now, if any: an unidentified board is asked who it is, every half second.
    pub fn poll_send(&mut self, now: Mono) -> Option<Vec<u8>> {
        let due = self.last_asked.is_none_or(|asked| now.ms_since(asked) >= ASK_AGAIN_MS);
        if *self.state() != LinkState::Identifying || !due {
            return None;
        }
        self.last_asked = Some(now);
        self.asks = self.asks.wrapping_add(1);
        Some(Command::Info.encode(self.asks))
    }

    /// When the board is to be asked again, if it has not said who it is.
    pub fn poll_timeout(&self) -> Option<Mono> {
        (*self.state() == LinkState::Identifying)
            .then(|| self.last_asked.map_or(Mono::default(), |at| at.plus_ms(ASK_AGAIN_MS)))
    }

    /// Takes bytes that arrived at `at`. Samples are told only once the board has proved to be the right one.
    pub fn push(&mut self, at: Mono, bytes: &[u8], mut out: impl FnMut(BoardEvent)) {
        let mut decoder = std::mem::take(&mut self.decoder);
        if self.watch.arrived(at, bytes) && decoder.pause().is_some() {
            self.watch.counters.damaged += 1;
        }
        decoder.push(bytes, |event| self.take(at, event, &mut out));
        self.decoder = decoder;
        if self.watch.is_nonsense(at) {
            out(BoardEvent::LineSettings);
        }
    }

    fn take(&mut self, at: Mono, event: Event, out: &mut impl FnMut(BoardEvent)) {
        match event {
            Event::Sample(sample) => self.take_sample(at, &sample, out),
            Event::Info(info) => self.take_info(at, &info, out),
            Event::Error(
                WireError::Checksum
                | WireError::Framing
                | WireError::Overlong
                | WireError::Partial
                | WireError::Version,
            ) => self.watch.counters.damaged += 1,
            Event::Ack { .. } | Event::Nak { .. } | Event::Unknown { .. } => self.watch.understood(at),
        }
    }

    fn take_info(&mut self, at: Mono, info: &Info, out: &mut impl FnMut(BoardEvent)) {
        self.watch.understood(at);
        let found = self.why_wrong(info);
        let state = found.clone().map_or(LinkState::Identified, |found| LinkState::WrongInstrument { found });
        if self.watch.becomes(state) {
            out(found.map_or(BoardEvent::Identified, BoardEvent::WrongBoard));
        }
    }

    /// What contradicts the station file in what a board says of itself.
    fn why_wrong(&self, info: &Info) -> Option<String> {
        if info.serial_number != self.config.serial_number {
            return Some(format!("serial number {}", info.serial_number));
        }
        if usize::from(info.channels) != self.config.cells.len() {
            return Some(format!("{} channels", info.channels));
        }
        let other = |(cell, id): &(&CellConfig, &u32)| **id != 0 && **id != lcb::cell_id(&cell.serial_number);
        let channel = self.config.cells.iter().zip(&info.cell_ids).position(|pair| other(&pair))?;
        Some(format!("another cell than {} on channel {}", self.config.cells[channel].serial_number, channel + 1))
    }

    fn take_sample(&mut self, arrived: Mono, sample: &Sample, out: &mut impl FnMut(BoardEvent)) {
        self.watch.understood(arrived);
        if self.last_seq == Some(sample.seq) {
            self.watch.counters.duplicates += 1;
            return;
        }
        if let Some(last) = self.last_seq {
            self.watch.counters.missing += u64::from(sample.seq.wrapping_sub(last).wrapping_sub(1).min(1000));
        }
        self.last_seq = Some(sample.seq);
        self.watch.counters.samples += 1;
        let wire_us = ((17 + 5 * sample.channels) as f64 * 1e6 / self.config.bytes_per_s) as u64;
        let sent = Mono::from_us(arrived.us().saturating_sub(wire_us));
        let (at, rebooted) = self.clock.place(sent, sample.t_us);
        if rebooted {
            self.watch.counters.reboots += 1;
            self.last_asked = None;
            self.cells.iter_mut().for_each(StillCell::forget);
            if self.watch.becomes(LinkState::Identifying) {
                out(BoardEvent::Rebooted);
            }
        }
        if *self.state() == LinkState::Identified {
            out(self.weigh(at, sample));
        }
    }

    fn weigh(&mut self, at: Mono, sample: &Sample) -> BoardEvent {
        if !sample.is_powered() {
            return BoardEvent::Unpowered;
        }
        if sample.is_saturated() {
            return BoardEvent::Saturated;
        }
        if let Some(channel) = (0..self.config.cells.len()).find(|channel| !sample.is_valid(*channel)) {
            return BoardEvent::CellFault(channel);
        }
        for (cell, counts) in self.cells.iter_mut().zip(sample.counts) {
            cell.push(counts);
        }
        if let Some(channel) = self.cells.iter().position(StillCell::is_stuck) {
            return BoardEvent::CellFault(channel);
        }
        let grams = |(cell, counts): (&CellConfig, i32)| (f64::from(counts) - cell.zero_counts) / cell.counts_per_g;
        BoardEvent::Sample(CellSample { at, cells_g: self.config.cells.iter().zip(sample.counts).map(grams).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> BoardConfig {
        let cell = |serial: &str| CellConfig {
            serial_number: serial.to_owned(),
            x_mm: 0.0,
            y_mm: 0.0,
            zero_counts: 0.0,
            counts_per_g: 10.0,
            capacity_g: 1e5,
            noise_g: 0.5,
        };
        BoardConfig {
            name: "plate".to_owned(),
            plate: "plate".to_owned(),
            serial_number: "LCB-1".to_owned(),
            sample_rate_hz: 80.0,
            bytes_per_s: 11_520.0,
            silence_ms: 300,
            cells: vec![cell("A"), cell("B")],
        }
    }

    fn info(cell_ids: [u32; 2]) -> Info {
        let mut ids = [0; lcb::CHANNELS_MAX];
        ids[..2].copy_from_slice(&cell_ids);
        Info {
            serial_number: "LCB-1".to_owned(),
            firmware_hash: 0,
            sample_rate_hz_x10: 800,
            channels: 2,
            cell_ids: ids,
            group_delay_us: 0,
        }
    }

    fn sample(seq: u16, counts: [i32; 2]) -> Sample {
        let mut all = [0; lcb::CHANNELS_MAX];
        all[..2].copy_from_slice(&counts);
        Sample {
            seq,
            t_us: u32::from(seq) * 12_500,
            channels: 2,
            flags: 0b111,
            counts: all,
            status: [1; lcb::CHANNELS_MAX],
            temperature_centi_c: 2000,
        }
    }

    fn told(board: &mut Board, at: Mono, event: Event) -> Vec<BoardEvent> {
        let mut events = Vec::new();
        board.take(at, event, &mut |e| events.push(e));
        events
    }

    #[test]
    fn two_cells_on_each_others_cables_are_another_board() {
        let mut board = Board::new(config());
        let at = Mono::from_us(1_000_000);
        board.opened(at);
        let right = [lcb::cell_id("A"), lcb::cell_id("B")];
        let swapped = [right[1], right[0]];
        let wrong = told(&mut board, at, Event::Info(info(swapped)));
        assert_eq!(wrong, [BoardEvent::WrongBoard("another cell than A on channel 1".to_owned())]);
        assert!(told(&mut board, at, Event::Sample(sample(1, [7, 8]))).is_empty(), "its counts mean nothing");
        assert_eq!(told(&mut board, at, Event::Info(info(right))), [BoardEvent::Identified]);
        // A board that does not know its cells is taken at its serial number.
        assert_eq!(told(&mut board, at, Event::Info(info([0, 0]))), []);
    }

    #[test]
    fn a_frozen_channel_is_a_fault_and_not_a_weight() {
        let mut board = Board::new(config());
        let at = |n: u16| Mono::from_us(1_000_000 + u64::from(n) * 12_500);
        board.opened(at(0));
        told(&mut board, at(0), Event::Info(info([0, 0])));
        let mut first_fault = None;
        for n in 1..80 {
            let events = told(&mut board, at(n), Event::Sample(sample(n, [i32::from(n * 7 % 13), 500])));
            if events == [BoardEvent::CellFault(1)] {
                first_fault.get_or_insert(n);
            }
        }
        // 5 counts of noise: a repeat has odds of about 1 to 18, so that a quarter of a second of repeats is no chance.
        assert!(first_fault.is_some_and(|n| n <= 20), "{first_fault:?}");
    }

    #[test]
    fn a_board_without_its_voltage_gives_no_weight() {
        let mut board = Board::new(config());
        let at = Mono::from_us(1_000_000);
        board.opened(at);
        told(&mut board, at, Event::Info(info([0, 0])));
        let brown_out = Sample { flags: 0b101, ..sample(1, [1000, 1000]) };
        assert_eq!(told(&mut board, at, Event::Sample(brown_out)), [BoardEvent::Unpowered]);
    }

    #[test]
    fn a_board_that_starts_anew_must_say_again_who_it_is() {
        let mut board = Board::new(config());
        let at = Mono::from_us(60_000_000);
        board.opened(at);
        told(&mut board, at, Event::Info(info([0, 0])));
        told(&mut board, at, Event::Sample(sample(4000, [7, 8])));
        assert_eq!(told(&mut board, at, Event::Sample(sample(1, [7, 8]))), [BoardEvent::Rebooted]);
        assert!(told(&mut board, at, Event::Sample(sample(2, [9, 8]))).is_empty());
        assert!(board.poll_send(at).is_some(), "asked at once");
    }

    #[test]
    fn bytes_that_are_no_frames_mean_wrong_line_settings() {
        let mut board = Board::new(config());
        board.opened(Mono::from_us(0));
        let mut events = Vec::new();
        for n in 0..200_u64 {
            board.push(Mono::from_us(n * 10_000), &[0xF8, 0x80, 0x1E, 0x00], |e| events.push(e));
        }
        assert_eq!(events, [BoardEvent::LineSettings], "told once");
    }
}
