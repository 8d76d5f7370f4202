//! One vocabulary for what every scale says on its wire; also what `augenmass decode scale` prints, one JSON object an event.

use crate::units::Mass;
use serde::{Deserialize, Serialize, Serializer};

/// What came over the wire. None of these is ever made out of bytes that are damaged, incomplete or not understood:
/// such bytes are [`Event::Error`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A weight with its unit known.
    Weight {
        /// Sign included; zero means that the scale says zero.
        #[serde(rename = "mass_mg", serialize_with = "as_mg")]
        mass: Mass,
        /// What the scale itself says of its rest; `None` where the protocol does not say.
        stable: Option<bool>,
        /// Over the whole platform or above a tare that the scale keeps.
        kind: WeightKind,
    },
    /// A number that would be a weight if its unit were known: neither the frame nor the station file says it.
    Number {
        /// The decimal number as sent, sign and point included.
        value: String,
        /// The unit if the frame names one that the station file contradicts, or that is no unit of mass we know.
        unit: Option<String>,
        /// As in [`Event::Weight`].
        stable: Option<bool>,
        /// As in [`Event::Weight`].
        kind: WeightKind,
    },
    /// The tare that the scale keeps.
    Tare {
        /// Its mass.
        #[serde(rename = "mass_mg", serialize_with = "as_mg")]
        mass: Mass,
    },
    /// Raw counts of a load-cell board, one a channel.
    Sample {
        /// Counts up by one a frame, wraps.
        seq: u16,
        /// The board's own time.
        t_us: u32,
        /// Converter readings.
        counts: Vec<i32>,
        /// Status bits a channel; sound only when exactly 1.
        status: Vec<u8>,
    },
    /// A converter's digits of a digital load cell, without unit.
    Digits {
        /// Signed digits.
        digits: i32,
        /// Status byte as sent, if the format has one.
        status: Option<u8>,
        /// Standstill, if the status says so.
        stable: Option<bool>,
    },
    /// The scale answers that there is no weight now. Never a weight of zero.
    Unavailable {
        /// Why.
        reason: Reason,
    },
    /// Flags without a weight and without a fault.
    Status {
        /// At rest.
        stable: Option<bool>,
        /// At the centre of zero.
        at_zero: Option<bool>,
        /// A tare is set.
        net: Option<bool>,
    },
    /// Who the scale is. Unasked for it means that the scale has just started.
    Identity {
        /// Its serial number.
        serial_number: String,
    },
    /// Some other text that was asked for.
    Text {
        /// The command that it answers.
        command: String,
        /// As sent, without quotation marks.
        text: String,
    },
    /// A command was carried out.
    Done {
        /// The command, or empty where the protocol does not repeat it.
        command: String,
        /// Whether under stable conditions, if it says.
        stable: Option<bool>,
    },
    /// A command was refused.
    Refused {
        /// The command, or empty where the protocol does not repeat it.
        command: String,
        /// Why, by the protocol's own name in snake case: `busy`, `zero_range_high`, `bad_command`, …
        reason: String,
    },
    /// A Checkout-Dialog scale wants to be convinced that the till belongs to it.
    Challenge {
        /// The two hexadecimal digits of Z.
        z: String,
    },
    /// A status code of a Checkout-Dialog scale that is neither a weight's absence nor an error of its own.
    Code {
        /// Two digits.
        code: String,
    },
    /// Positive acknowledgement.
    Ack,
    /// Negative acknowledgement.
    Nak,
    /// Bytes that are no sound frame, or the other side's word that ours were none.
    Error {
        /// What kind.
        kind: ErrorKind,
    },
}

/// What a weight counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightKind {
    /// Everything on the platform.
    Gross,
    /// Less a tare that the scale keeps.
    Net,
}

/// Why a scale has no weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not at rest.
    Motion,
    /// More than it may carry.
    Overload,
    /// Below its zero or its range.
    Underload,
    /// Out of range, the protocol does not say at which end.
    OutOfRange,
    /// Could not take its zero, or lost it.
    ZeroError,
    /// Started and not zeroed yet.
    NotZeroed,
    /// Busy, or gave up waiting for rest.
    Busy,
    /// Too light to be weighed by this scale's rules.
    BelowMinimum,
    /// Nothing has moved since the last weighing, and this scale tells each weighing once.
    NoMotionSinceLast,
    /// It has not finished.
    NotFinished,
    /// A load cell or its cable is broken.
    LoadCell,
    /// The device says that it is broken: converter, memory, calibration.
    Device,
}

/// What is wrong with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The check over the frame does not fit.
    #[error("checksum")]
    Checksum,
    /// No frame of this protocol, or one of a wrong length.
    #[error("framing")]
    Framing,
    /// More bytes without an end than any frame has.
    #[error("overlong")]
    Overlong,
    /// A frame began and did not end in time.
    #[error("partial")]
    Partial,
    /// A frame whose content is not understood; or the scale's word that a command of ours was not.
    #[error("syntax")]
    Syntax,
    /// Bit 7 is set where only seven bits travel: the line settings differ.
    #[error("parity")]
    Parity,
    /// Another version of the protocol.
    #[error("version")]
    Version,
    /// The scale's word that our bytes arrived damaged.
    #[error("transmission")]
    Transmission,
    /// The scale's word that a command made no sense to it.
    #[error("logical")]
    Logical,
    /// A Modbus exception or another device's word that what was asked for is not there.
    #[error("refused address")]
    IllegalAddress,
}

fn as_mg<S: Serializer>(mass: &Mass, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(mass.mg())
}
