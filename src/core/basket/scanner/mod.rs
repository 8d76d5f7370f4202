//! A scanner on a serial line, as stores with older handhelds have one at the station: its cable or cradle speaks plain lines or SSI.
//! The shopper's handheld shows its list as a code, and the scanner reads that.

pub mod lines;
pub mod ssi;

use crate::units::BasketId;
use serde::{Deserialize, Serialize};

/// Longest text of a scan, bytes; the code of a list has some twenty.
pub const SCAN_MAX: usize = 512;

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScannerProtocol {
    /// A scan is a line of text; nothing is said to the scanner.
    Lines,
    /// Zebra's Simple Serial Interface.
    Ssi,
}

/// What was heard from a scanner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A code was read.
    Scan {
        /// What it says.
        text: String,
        /// The scanner's name for the kind of code, where it tells.
        code_type: Option<u8>,
    },
    /// The same scan once more, because the answer to it was lost: to be acknowledged, and nothing else.
    Again,
    /// What was said last has arrived.
    Acknowledged,
    /// What was said last is refused.
    Refused {
        /// Why, as the scanner numbers it.
        cause: u8,
    },
    /// Something whole that means nothing here.
    Other {
        /// Its name.
        opcode: u8,
    },
    /// Something that did not arrive whole, or is no text.
    Damaged,
}

/// The decoder of one protocol; memory is bounded whatever comes.
#[derive(Clone, Debug)]
pub enum ScannerDecoder {
    /// Of lines.
    Lines(lines::Decoder),
    /// Of packets.
    Ssi(ssi::Decoder),
}

impl ScannerDecoder {
    /// A decoder between two scans.
    pub fn new(protocol: ScannerProtocol) -> Self {
        match protocol {
            ScannerProtocol::Lines => Self::Lines(lines::Decoder::default()),
            ScannerProtocol::Ssi => Self::Ssi(ssi::Decoder::default()),
        }
    }

    /// Takes bytes as they come, in any split.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Heard)) {
        match self {
            Self::Lines(decoder) => decoder.push(bytes, out),
            Self::Ssi(decoder) => decoder.push(bytes, out),
        }
    }

    /// The line has been quiet for longer than a packet may pause: what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Heard)) {
        match self {
            Self::Lines(decoder) => decoder.pause(out),
            Self::Ssi(decoder) => decoder.pause(out),
        }
    }
}

/// The basket whose list code this is: the prefix of the store, then the basket's identifier. White space around it is the scanner's.
pub fn basket_of(text: &str, prefix: &str) -> Option<BasketId> {
    text.trim().strip_prefix(prefix)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_code_is_the_prefix_and_an_identifier() {
        assert_eq!(basket_of("AML:b-1\r", "AML:").unwrap().as_str(), "b-1");
        for other in ["4006381333931", "AML:", "AML:b 1", "XAML:b-1", "aml:b-1"] {
            assert_eq!(basket_of(other, "AML:"), None, "{other}");
        }
    }
}
