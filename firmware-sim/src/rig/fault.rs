//! What can go wrong on and behind a serial port.
//!
//! | row of WEIGHING 5 | played by |
//! |---|---|
//! | unplug, replug, renumber | [`Fault::Unplug`], [`Fault::OtherDevice`] |
//! | stale kernel bytes after reopen | [`Fault::HoldBack`]; on a pty the shell gives every host a fresh one |
//! | partial frame, joined and lost bytes | [`Fault::Split`], [`Fault::Join`], [`Fault::LoseBytes`], [`Fault::FlipBits`] |
//! | garbage flood | [`Fault::Garbage`] |
//! | wrong baud or parity | [`Fault::HostLine`] |
//! | duplicate frame, replayed backlog | [`Fault::DuplicateFrames`], [`Fault::HoldBack`], [`Fault::Late`] |
//! | stuck value | [`Fault::FreezeCounts`], [`Fault::FreezeFrame`], [`Fault::StuckCell`] |
//! | one cell dead or disconnected, cables exchanged | [`Fault::DeadCell`], [`Fault::OpenCell`], [`Fault::TimedOutCell`], [`Fault::SwapCells`] |
//! | saturation, overload, negative | [`Fault::Saturate`]; a heavy load or a lifted plate on the stage |
//! | unit or decimals wrong | a station file that says something else than the host's |
//! | clock jump | [`Fault::ClockJump`], [`Fault::ClockDrift`] |
//! | reboot mid-session, DTR reset | [`Fault::Reboot`] |
//! | EMI burst | [`Fault::Spikes`] on all channels, with [`Fault::FlipBits`] |
//! | 9600 baud latency | the line's own pace, [`Fault::Join`] for the adapter's timer |
//! | excitation brown-out | [`Fault::BrownOut`] |
//! | person leaning, trolley half on the plate | the stage's push; [`Fault::HalfOn`] |
//! | wheel at the frame, debris under the plate | [`Fault::FrameTouches`], [`Fault::ZeroDrift`] |
//!
//! Writes that block, ModemManager and two daemons on one port are the operating system's and not played.

use serde::{Deserialize, Serialize};

use crate::hw::{LineFormat, Parity};
use crate::world::{Edge, Mischief};

/// One fault of a port, of the device behind it, or of the plate under its cells. In JSON `kind` names it:
/// `{"kind": "lose_bytes", "rate": 0.01}`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Each byte on the line is lost with this probability, in both directions.
    LoseBytes {
        /// 0 to 1.
        rate: f64,
    },
    /// One data bit of each byte is turned with this probability, in both directions.
    FlipBits {
        /// 0 to 1.
        rate: f64,
    },
    /// Each message comes twice with this probability.
    DuplicateFrames {
        /// 0 to 1.
        rate: f64,
    },
    /// Every byte comes so much later.
    Late {
        /// Milliseconds.
        ms: u64,
    },
    /// Nothing comes until the fault ends; then all of it at once.
    HoldBack,
    /// Bytes come in lumps: only at multiples of this time (an adapter's latency timer).
    Join {
        /// Milliseconds.
        ms: u64,
    },
    /// Every message comes in two pieces.
    Split {
        /// Between them, milliseconds.
        gap_ms: u64,
    },
    /// Random bytes between and within the messages.
    Garbage {
        /// How many.
        bytes_per_s: u32,
    },
    /// The host has opened its port with other settings; left out, they are the device's.
    HostLine {
        /// Bits a second.
        baud: Option<u32>,
        /// 7 or 8.
        data_bits: Option<u8>,
        /// Parity bit.
        parity: Option<Parity>,
    },
    /// The device says nothing any more and hears nothing.
    Silent,
    /// The converter gives the same counts for ever; messages go on.
    FreezeCounts,
    /// The device sends the same message for ever.
    FreezeFrame,
    /// A cell gives no signal: its count is that of a balanced bridge without load.
    DeadCell {
        /// Which, from 0.
        channel: usize,
    },
    /// A cell's wire is off: the count is at its upper end, and the board says so.
    OpenCell {
        /// Which, from 0.
        channel: usize,
    },
    /// A cell's count stays, the others go on.
    StuckCell {
        /// Which, from 0.
        channel: usize,
    },
    /// A cell's converter does not answer: the count is an old one, and the board says so.
    TimedOutCell {
        /// Which, from 0.
        channel: usize,
    },
    /// Now and then one conversion is off, upwards or downwards.
    Spikes {
        /// How often.
        per_s: f64,
        /// How far, grams a cell.
        grams: f64,
        /// Which cell; all at once when left out (a burst of electromagnetic noise).
        channel: Option<usize>,
    },
    /// Counts are at their end.
    Saturate {
        /// The lower end instead of the upper one.
        #[serde(default)]
        low: bool,
        /// Which cell; all when left out.
        channel: Option<usize>,
    },
    /// The cells' supply sinks: all counts go down by one ratio, and a board that watches its supply says so.
    BrownOut {
        /// Of the full supply, 0 to 1.
        ratio: f64,
        /// Whether the board notices.
        #[serde(default = "yes")]
        told: bool,
    },
    /// The device starts anew, once.
    Reboot,
    /// The device's time stamps jump, once.
    ClockJump {
        /// Milliseconds, either way.
        ms: i64,
    },
    /// The device's clock runs fast or slow.
    ClockDrift {
        /// Parts per million fast.
        ppm: f64,
    },
    /// The cable is pulled; at the end it is put back.
    Unplug,
    /// Another device of the same kind stands on the port; at the end the first one comes back.
    OtherDevice {
        /// The other one's.
        serial_number: String,
    },
    /// The cables of two cells are exchanged.
    SwapCells {
        /// Which two, from 0.
        channels: [usize; 2],
    },
    /// Zero wanders away.
    ZeroDrift {
        /// How fast, grams a cell.
        g_per_min: f64,
        /// Which cell; all when left out.
        channel: Option<usize>,
    },
    /// The frame carries a share of the load: a wheel touches it, or debris lies under the plate.
    FrameTouches {
        /// Of the load, 0 to 1.
        share: f64,
        /// Where, millimetres.
        at_mm: [f64; 2],
    },
    /// The container stands with an edge beside the plate.
    HalfOn {
        /// Which.
        edge: Edge,
    },
}

fn yes() -> bool {
    true
}

impl Fault {
    /// Whether it can be planted on a port with so many channels.
    ///
    /// # Errors
    /// What is impossible about it.
    pub fn check(&self, channels: usize) -> Result<(), &'static str> {
        let probability = |rate: f64| (0.0..=1.0).contains(&rate);
        let (possible, why) = match self {
            Self::LoseBytes { rate } | Self::FlipBits { rate } | Self::DuplicateFrames { rate } => {
                (probability(*rate), "a rate lies between 0 and 1")
            }
            Self::FrameTouches { share, at_mm } => {
                (probability(*share) && at_mm.iter().all(|mm| mm.is_finite()), "a share lies between 0 and 1")
            }
            Self::BrownOut { ratio, .. } => (probability(*ratio), "a ratio lies between 0 and 1"),
            Self::DeadCell { channel }
            | Self::OpenCell { channel }
            | Self::StuckCell { channel }
            | Self::TimedOutCell { channel } => (*channel < channels, "there is no such channel"),
            Self::SwapCells { channels: [a, b] } => (*a < channels && *b < channels, "there is no such channel"),
            Self::Saturate { channel, .. } => (channel.is_none_or(|at| at < channels), "there is no such channel"),
            Self::Spikes { per_s, grams, channel } => (
                (0.0..=1000.0).contains(per_s) && grams.is_finite() && channel.is_none_or(|at| at < channels),
                "spikes need 0 to 1000 per_s, grams, and a channel that is there",
            ),
            Self::ZeroDrift { g_per_min, channel } => (
                g_per_min.is_finite() && channel.is_none_or(|at| at < channels),
                "a drift needs g_per_min and a channel that is there",
            ),
            Self::Garbage { bytes_per_s } => (*bytes_per_s <= 1_000_000, "at most a million bytes a second"),
            Self::Join { ms } => (*ms > 0, "ms must be above 0"),
            Self::HostLine { baud, data_bits, .. } => (
                baud.is_none_or(|baud| baud > 0) && data_bits.is_none_or(|bits| (7..=8).contains(&bits)),
                "baud must be above 0, data_bits 7 or 8",
            ),
            Self::ClockDrift { ppm } => (ppm.abs() < 500_000.0, "at most half as fast or half as slow again"),
            Self::OtherDevice { serial_number } => (
                serial_number.is_ascii() && serial_number.len() <= 64,
                "a serial number is ASCII, 64 characters at most",
            ),
            Self::Late { .. }
            | Self::HoldBack
            | Self::Split { .. }
            | Self::Silent
            | Self::FreezeCounts
            | Self::FreezeFrame
            | Self::Reboot
            | Self::ClockJump { .. }
            | Self::Unplug
            | Self::HalfOn { .. } => (true, ""),
        };
        if possible { Ok(()) } else { Err(why) }
    }

    /// Whether it is an event without a duration.
    pub(super) fn is_over_at_once(&self) -> bool {
        matches!(self, Self::Reboot | Self::ClockJump { .. })
    }

    /// What it does to the plate.
    pub(super) fn mischief(&self) -> Option<Mischief> {
        if let Self::FrameTouches { share, at_mm } = *self {
            Some(Mischief::Touches { share, at_mm })
        } else if let Self::HalfOn { edge } = *self {
            Some(Mischief::HalfOn(edge))
        } else {
            None
        }
    }

    /// The host's settings under it.
    pub(super) fn host_line(&self, host: LineFormat) -> LineFormat {
        let Self::HostLine { baud, data_bits, parity } = *self else {
            return host;
        };
        LineFormat {
            baud: baud.unwrap_or(host.baud),
            data_bits: data_bits.unwrap_or(host.data_bits),
            parity: parity.unwrap_or(host.parity),
            ..host
        }
    }
}

/// A fault with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Planted {
    /// What.
    pub fault: Fault,
    /// World time from which it is there, microseconds.
    pub from_us: u64,
    /// World time at which it is gone; `None` is never.
    pub until_us: Option<u64>,
    pub(super) begun: bool,
    /// What it has seen first: counts that freeze.
    pub(super) counts: Vec<i32>,
    /// What it has seen first: a message that freezes.
    pub(super) message: Vec<u8>,
}

impl Planted {
    pub(super) fn new(fault: Fault, from_us: u64, until_us: Option<u64>) -> Self {
        Self { fault, from_us, until_us, begun: false, counts: Vec::new(), message: Vec::new() }
    }

    /// When it begins or ends next, if that lies ahead.
    pub(super) fn next_us(&self) -> Option<u64> {
        if self.begun { self.until_us } else { Some(self.from_us) }
    }
}
