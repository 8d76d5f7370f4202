//! What stands at the far end of a serial line: a load-cell board or a finished scale.

use super::uart::Heard;
use crate::board::{Conversion, Firmware};
use crate::indicator::Indicator;

/// A device in world time, microseconds.
#[derive(Debug, Clone)]
pub enum Device {
    /// A load-cell board.
    Board(Box<Firmware>),
    /// A finished scale.
    Scale(Box<Indicator>),
}

impl Device {
    /// When it reads its cells next.
    pub fn next_conversion_us(&self) -> u64 {
        match self {
            Self::Board(firmware) => firmware.next_sample_us(),
            Self::Scale(scale) => scale.next_conversion_us(),
        }
    }

    /// Takes the conversion due.
    pub fn convert(&mut self, conversion: &Conversion) {
        match self {
            Self::Board(firmware) => firmware.sample(conversion),
            Self::Scale(scale) => scale.convert(&conversion.counts, conversion.all_answered()),
        }
    }

    /// Takes characters from the host.
    pub fn receive(&mut self, now_us: u64, heard: &[Heard]) {
        match self {
            Self::Board(firmware) => {
                let bytes: Vec<u8> = heard.iter().map(|heard| heard.byte).collect();
                firmware.receive(now_us, &bytes);
            }
            Self::Scale(scale) => scale.receive(now_us, heard.iter().map(|heard| (heard.byte, heard.sound))),
        }
    }

    /// Messages for the host, each with how long after now it begins to go out.
    pub fn take_output(&mut self) -> Vec<(u64, Vec<u8>)> {
        match self {
            Self::Board(firmware) => firmware.take_output().into_iter().map(|frame| (0, frame)).collect(),
            Self::Scale(scale) => scale.take_output(),
        }
    }

    /// Starts anew.
    pub fn reboot(&mut self, now_us: u64) {
        match self {
            Self::Board(firmware) => firmware.reboot(now_us),
            Self::Scale(scale) => scale.reboot(now_us),
        }
    }

    /// Whether it takes its power from the host's cable and so boots when that is put back; a finished scale has a plug of
    /// its own.
    pub fn is_fed_by_cable(&self) -> bool {
        match self {
            Self::Board(_) => true,
            Self::Scale(_) => false,
        }
    }

    /// Who it says that it is, from its next boot on.
    pub fn set_serial_number(&mut self, serial_number: &str) {
        match self {
            Self::Board(firmware) => firmware.set_serial_number(serial_number),
            Self::Scale(scale) => scale.set_serial_number(serial_number),
        }
    }

    /// Lets its clock run so much faster than it should from now on.
    pub fn set_clock_ppm(&mut self, now_us: u64, ppm: f64) {
        match self {
            Self::Board(firmware) => firmware.set_clock_ppm(now_us, ppm),
            Self::Scale(scale) => scale.set_clock_ppm(ppm),
        }
    }

    /// Lets its time stamps jump; a finished scale sends none.
    pub fn jump_clock(&mut self, ms: i64) {
        match self {
            Self::Board(firmware) => firmware.jump_clock(ms),
            Self::Scale(_) => {}
        }
    }
}
