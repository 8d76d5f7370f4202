//! What runs on the board: samples by its own clock, frames, commands.

use super::wire::{Deframer, frame};
use super::{Conversion, Sample, VERSION, kind};
use crate::hw;

const COMMAND_INFO: u8 = 1;
const COMMAND_START: u8 = 2;
const COMMAND_STOP: u8 = 3;
const COMMAND_RESET: u8 = 4;

const NAK_UNKNOWN_COMMAND: u8 = 1;
const NAK_WRONG_LENGTH: u8 = 2;

const FIRMWARE_HASH: u32 = 0x4155_4731;
const ADC_SIMULATED_24_BIT: u8 = 1;
const GAIN: u8 = 128;
/// The simulated converter reads the very moment of `t_us`.
const GROUP_DELAY_US: u16 = 0;
const TEMP_CENTI_C: i16 = 2150;

/// The firmware of one LCB/1 board. It lives in world time (microseconds since the simulation began) and stamps its frames
/// with its own clock, which begins at boot and runs a little fast or slow.
#[derive(Debug, Clone)]
pub struct Firmware {
    info: Info,
    clock: Clock,
    period_board_us: f64,
    seq: u16,
    streaming: bool,
    reset_unread: bool,
    next_sample: u64,
    incoming: Deframer,
    outgoing: Vec<Vec<u8>>,
}

#[derive(Debug, Clone)]
struct Info {
    serial: Vec<u8>,
    sample_rate_hz_x10: u16,
    cell_ids: Vec<u32>,
}

/// The board's own clock: board time is a straight line over world time, bent where its rate changes.
#[derive(Debug, Clone)]
struct Clock {
    /// Board seconds a world second.
    rate: f64,
    /// World time and board time of one moment.
    since_us: u64,
    since_board_us: f64,
    /// What stamps are ahead of board time.
    ahead_us: i64,
}

impl Clock {
    fn start(now_us: u64, rate: f64) -> Self {
        Self { rate, since_us: now_us, since_board_us: 0.0, ahead_us: 0 }
    }

    fn board_us(&self, now_us: u64) -> f64 {
        self.since_board_us + now_us.saturating_sub(self.since_us) as f64 * self.rate
    }

    fn world_us(&self, board_us: f64) -> u64 {
        self.since_us + ((board_us - self.since_board_us).max(0.0) / self.rate).round() as u64
    }

    /// As in a frame: wrapped.
    fn stamp(&self, now_us: u64) -> u32 {
        (self.board_us(now_us).round() as i64).wrapping_add(self.ahead_us) as u32
    }
}

impl Firmware {
    /// A board that boots at world time `now_us`, its clock `clock_ppm` parts per million fast.
    pub fn boot(board: &hw::Board, clock_ppm: f64, now_us: u64) -> Self {
        let info = Info {
            serial: board.serial_number.as_bytes().to_vec(),
            sample_rate_hz_x10: (board.sample_rate_hz * 10.0).round() as u16,
            cell_ids: board.cells.iter().map(cell_id).collect(),
        };
        let mut firmware = Self {
            info,
            clock: Clock::start(now_us, 1.0 + clock_ppm * 1e-6),
            period_board_us: 1e6 / board.sample_rate_hz,
            seq: 0,
            streaming: true,
            reset_unread: true,
            next_sample: 1,
            incoming: Deframer::default(),
            outgoing: Vec::new(),
        };
        firmware.send_info(now_us);
        firmware
    }

    /// Starts anew at `now_us`: as after a reset or when the cable is put back.
    pub fn reboot(&mut self, now_us: u64) {
        self.clock = Clock::start(now_us, self.clock.rate);
        self.seq = 0;
        self.streaming = true;
        self.reset_unread = true;
        self.next_sample = 1;
        self.incoming = Deframer::default();
        self.outgoing.clear();
        self.send_info(now_us);
    }

    /// World time of the next conversion; the converter runs whether the stream is on or not.
    pub fn next_sample_us(&self) -> u64 {
        self.clock.world_us(self.next_sample as f64 * self.period_board_us)
    }

    /// Length of a sample frame on the wire: 12 bytes and 5 a channel of payload, CRC, stuffing, delimiter.
    pub fn sample_wire_bytes(&self) -> usize {
        12 + 5 * self.info.cell_ids.len() + 4 + 2
    }

    /// Says from its next boot on that it is another one.
    pub fn set_serial_number(&mut self, serial_number: &str) {
        self.info.serial = serial_number.as_bytes().to_vec();
    }

    /// Lets the clock run `ppm` parts per million fast from `now_us` on; the converter hangs on it.
    pub fn set_clock_ppm(&mut self, now_us: u64, ppm: f64) {
        let since_board_us = self.clock.board_us(now_us);
        self.clock = Clock { rate: 1.0 + ppm * 1e-6, since_us: now_us, since_board_us, ..self.clock };
    }

    /// Lets the time stamps jump; the converter goes on in step.
    pub fn jump_clock(&mut self, ms: i64) {
        self.clock.ahead_us += ms * 1000;
    }

    /// Takes the conversion due at [`Firmware::next_sample_us`].
    pub fn sample(&mut self, conversion: &Conversion) {
        let at_us = self.next_sample_us();
        self.next_sample += 1;
        if !self.streaming {
            return;
        }
        let sample = Sample {
            seq: self.take_seq(),
            t_us: self.clock.stamp(at_us),
            reset: self.reset_unread,
            excitation_ok: conversion.excitation_ok,
            counts: &conversion.counts,
            status: &conversion.status,
            temp_centi_c: TEMP_CENTI_C,
        };
        self.outgoing.push(frame(&sample.payload()));
    }

    /// Takes bytes from the host at `now_us`.
    pub fn receive(&mut self, now_us: u64, bytes: &[u8]) {
        for payload in self.incoming.push(bytes) {
            self.command(now_us, &payload);
        }
    }

    /// Frames for the host, oldest first.
    pub fn take_output(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outgoing)
    }

    fn command(&mut self, now_us: u64, payload: &[u8]) {
        let &[VERSION, kind::COMMAND, seq_low, seq_high, ref rest @ ..] = payload else {
            return;
        };
        let seq = [seq_low, seq_high];
        let &[command] = rest else {
            return self.answer(kind::NAK, seq, &[NAK_WRONG_LENGTH]);
        };
        match command {
            COMMAND_INFO => {
                self.answer(kind::ACK, seq, &[]);
                self.send_info(now_us);
                self.reset_unread = false;
            }
            COMMAND_START | COMMAND_STOP => {
                self.streaming = command == COMMAND_START;
                self.answer(kind::ACK, seq, &[]);
            }
            COMMAND_RESET => {
                self.reboot(now_us);
                self.answer(kind::ACK, seq, &[]);
                // The ack leaves before the board goes down, so it stands ahead of the boot's info frame.
                self.outgoing.rotate_right(1);
            }
            _ => self.answer(kind::NAK, seq, &[NAK_UNKNOWN_COMMAND]),
        }
    }

    fn answer(&mut self, kind: u8, seq: [u8; 2], reason: &[u8]) {
        let mut payload = vec![VERSION, kind, seq[0], seq[1]];
        payload.extend(reason);
        self.outgoing.push(frame(&payload));
    }

    fn send_info(&mut self, now_us: u64) {
        let mut payload = vec![VERSION, kind::INFO];
        payload.extend(self.take_seq().to_le_bytes());
        payload.extend(self.clock.stamp(now_us).to_le_bytes());
        payload.push(self.info.serial.len() as u8);
        payload.extend(&self.info.serial);
        payload.extend(FIRMWARE_HASH.to_le_bytes());
        payload.push(ADC_SIMULATED_24_BIT);
        payload.extend(self.info.sample_rate_hz_x10.to_le_bytes());
        payload.extend([GAIN, self.info.cell_ids.len() as u8]);
        payload.extend(self.info.cell_ids.iter().flat_map(|id| id.to_le_bytes()));
        payload.extend(GROUP_DELAY_US.to_le_bytes());
        self.outgoing.push(frame(&payload));
    }

    fn take_seq(&mut self) -> u16 {
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        seq
    }
}

/// Names the cell on a channel, as whoever built the board wrote into it: CRC-32/ISO-HDLC of its serial number. The
/// calibration belongs to the cell, so this is how a host notices another one on the cable.
fn cell_id(cell: &hw::Cell) -> u32 {
    crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(cell.serial_number.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> hw::Board {
        hw::tests::plate().boards.remove(0)
    }

    fn payloads(firmware: &mut Firmware) -> Vec<Vec<u8>> {
        Deframer::default().push(&firmware.take_output().concat())
    }

    fn command(firmware: &mut Firmware, now_us: u64, body: &[u8]) -> Vec<Vec<u8>> {
        let mut payload = vec![1, 0x10, 0x34, 0x12];
        payload.extend(body);
        firmware.receive(now_us, &frame(&payload));
        payloads(firmware)
    }

    fn run(firmware: &mut Firmware, until_us: u64) -> Vec<Vec<u8>> {
        while firmware.next_sample_us() <= until_us {
            firmware.sample(&Conversion::of_counts(&[1, 2, 3, 4]));
        }
        payloads(firmware)
    }

    #[test]
    fn the_boot_info_says_who_it_is() {
        let mut firmware = Firmware::boot(&board(), 0.0, 5_000_000);
        let info = &payloads(&mut firmware)[0];
        assert_eq!(info[..8], [1, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(info[8], 10);
        assert_eq!(&info[9..19], b"LCB-000101");
        assert_eq!(info[24..26], 800u16.to_le_bytes());
        assert_eq!(info[27], 4);
        assert_eq!(info.len(), 28 + 4 * 4 + 2);
    }

    #[test]
    fn streams_at_its_rate_by_its_own_clock() {
        let mut firmware = Firmware::boot(&board(), 300.0, 0);
        let frames = run(&mut firmware, 10_000_000);
        // 300 ppm fast: 800.24 periods in ten seconds of world time, which its own stamps say were 12.5 ms each.
        assert_eq!(frames.len(), 1 + 800);
        assert_eq!(frame(&frames[1]).len(), firmware.sample_wire_bytes());
        for (index, sample) in frames.iter().skip(1).enumerate() {
            assert_eq!(sample.len(), 32);
            assert_eq!(u16::from_le_bytes([sample[2], sample[3]]), index as u16 + 1);
            let t_us = u32::from_le_bytes([sample[4], sample[5], sample[6], sample[7]]);
            assert!(t_us.abs_diff((index as u32 + 1) * 12_500) <= 1);
        }
    }

    #[test]
    fn the_reset_flag_stays_until_the_info_was_asked_for() {
        let mut firmware = Firmware::boot(&board(), 0.0, 0);
        assert!(run(&mut firmware, 100_000).iter().skip(1).all(|sample| sample[9] == 0x87));
        let answers = command(&mut firmware, 100_000, &[1]);
        assert_eq!(answers[0], [1, 0x11, 0x34, 0x12]);
        assert_eq!(answers[1][1], 2);
        assert!(run(&mut firmware, 200_000).iter().all(|sample| sample[9] == 0x07));
        let answers = command(&mut firmware, 200_000, &[4]);
        assert_eq!(answers[0], [1, 0x11, 0x34, 0x12]);
        assert_eq!(answers[1][..8], [1, 2, 0, 0, 0, 0, 0, 0]);
        let samples = run(&mut firmware, 300_000);
        assert_eq!(samples.len(), 8);
        assert!(samples.iter().all(|sample| sample[9] == 0x87));
    }

    #[test]
    fn stops_and_starts() {
        let mut firmware = Firmware::boot(&board(), 0.0, 0);
        command(&mut firmware, 0, &[3]);
        assert!(run(&mut firmware, 100_000).is_empty());
        command(&mut firmware, 100_000, &[2]);
        assert_eq!(run(&mut firmware, 200_000).len(), 8);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let mut firmware = Firmware::boot(&board(), 0.0, 0);
        payloads(&mut firmware);
        assert_eq!(command(&mut firmware, 0, &[9]), [[1, 0x12, 0x34, 0x12, 1]]);
        assert_eq!(command(&mut firmware, 0, &[1, 1]), [[1, 0x12, 0x34, 0x12, 2]]);
        firmware.receive(0, &frame(&[1, 0x55, 0, 0]));
        firmware.receive(0, b"garbage\0");
        assert!(payloads(&mut firmware).is_empty());
    }

    #[test]
    fn saturation_is_told() {
        let mut firmware = Firmware::boot(&board(), 0.0, 0);
        firmware.sample(&Conversion::of_counts(&[8_388_607, 0, -8_388_608, 5]));
        let sample = payloads(&mut firmware).pop().unwrap();
        assert_eq!(sample[26..30], [3, 1, 5, 1]);
    }

    #[test]
    fn a_clock_that_jumps_and_one_that_runs_fast() {
        let stamp = |frame: &[u8]| u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]);
        let mut firmware = Firmware::boot(&board(), 0.0, 0);
        run(&mut firmware, 1_000_000);
        firmware.jump_clock(-400);
        let frames = run(&mut firmware, 2_000_000);
        assert_eq!((frames.len(), stamp(&frames[0])), (80, 1_012_500 - 400_000));
        firmware.jump_clock(400);
        firmware.set_clock_ppm(2_000_000, 100_000.0);
        let frames = run(&mut firmware, 3_000_000);
        assert_eq!((frames.len(), stamp(&frames[87])), (88, 3_100_000));
    }
}
