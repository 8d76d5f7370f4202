//! Settings of a serial line.

use serde::{Deserialize, Serialize};

/// The parity bit of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// No such bit.
    #[default]
    None,
    /// The ones are even.
    Even,
    /// The ones are odd.
    Odd,
}

/// Speed and shape of the characters on a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineFormat {
    /// Bits a second.
    pub baud: u32,
    /// 7 or 8.
    pub data_bits: u8,
    /// Parity bit.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

impl LineFormat {
    /// Bits of one character with start, parity and stop.
    pub fn bits_a_byte(&self) -> u64 {
        1 + u64::from(self.data_bits) + u64::from(self.parity != Parity::None) + u64::from(self.stop_bits)
    }

    /// Bits of data that one character carries, as a mask.
    pub fn data_mask(&self) -> u8 {
        if self.data_bits == 7 { 0x7F } else { 0xFF }
    }

    /// What is wrong with it, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.baud < 1200 {
            Some("baud must be 1200 or more")
        } else if !(7..=8).contains(&self.data_bits) || !(1..=2).contains(&self.stop_bits) {
            Some("data_bits must be 7 or 8, stop_bits 1 or 2")
        } else {
            None
        }
    }
}

pub(super) fn eight() -> u8 {
    8
}

pub(super) fn one() -> u8 {
    1
}
