//! Why there is no weight.

use super::wire::Reason;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why there is no weight. Never confused with a weight of zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "detail")]
pub enum Unavailable {
    /// The port is closed, with what it said.
    Disconnected(String),
    /// The instrument has not said yet who it is.
    Identifying,
    /// Another instrument than the one that was calibrated; what it said of itself.
    WrongInstrument(String),
    /// Connected, but no sample for too long, or only old ones.
    Silent,
    /// Bytes come, and none of them are frames: speed, parity or protocol differ.
    LineSettings,
    /// A cell is late, open or stuck; the channel counts from 0.
    CellFault(usize),
    /// The bridges or the board lack their voltage.
    Unpowered,
    /// The cells contradict each other as no load on a rigid plate could make them.
    Uneven,
    /// More than the platform may carry, or a cell beyond its range.
    Overload,
    /// So far below zero that the plate must have been lifted, or zero is wrong.
    BelowZero,
    /// The load stands where only half of it can be on the plate.
    OffCentre,
    /// A finished scale says that it has no weight.
    Refused(Reason),
    /// A finished scale sends a net weight: somebody has set a tare on it.
    NetWeight,
    /// A finished scale sends another unit than the station file says.
    UnitMismatch,
    /// A Dialog 06 scale does not weigh for this till: its polynomial is missing or another.
    ChallengeFailed,
    /// A finished scale started anew with a load on it: its zero may be anything until the plate has been empty.
    ZeroLost,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected(why) => write!(f, "disconnected: {why}"),
            Self::Identifying => f.write_str("it has not said who it is"),
            Self::WrongInstrument(found) => write!(f, "another instrument than the calibrated one answers: {found}"),
            Self::Silent => f.write_str("connected but silent"),
            Self::LineSettings => f.write_str("bytes come but no frames: check baud, parity and protocol"),
            Self::CellFault(channel) => write!(f, "cell {} gives no value", channel + 1),
            Self::Unpowered => f.write_str("the cells lack their voltage"),
            Self::Uneven => {
                f.write_str("the cells contradict each other: a cell is dead, or something touches the plate")
            }
            Self::Overload => f.write_str("overload"),
            Self::BelowZero => f.write_str("far below zero: the plate is lifted, or zero is wrong"),
            Self::OffCentre => f.write_str("the load stands at the edge: half of it may be beside the plate"),
            Self::Refused(reason) => write!(f, "the scale gives no weight: {}", words(*reason)),
            Self::NetWeight => f.write_str("the scale sends net weights: clear its tare"),
            Self::UnitMismatch => f.write_str("the scale sends another unit than the station file says"),
            Self::ChallengeFailed => {
                f.write_str("the scale wants another answer to its challenge: check the polynomial")
            }
            Self::ZeroLost => f.write_str("the scale started anew under a load: empty the plate"),
        }
    }
}

fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Motion => "in motion",
        Reason::Overload => "overload",
        Reason::Underload => "below its range",
        Reason::OutOfRange => "out of range",
        Reason::ZeroError => "zero error",
        Reason::NotZeroed => "not zeroed yet",
        Reason::Busy => "busy",
        Reason::BelowMinimum => "below its minimum",
        Reason::NoMotionSinceLast => "nothing moved since the last weighing",
        Reason::NotFinished => "not finished",
        Reason::LoadCell => "load cell broken",
        Reason::Device => "device error",
    }
}

/// Which port or platform has no weight, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The instrument's name in the station file; `None` for the platform as a whole.
    pub instrument: Option<String>,
    /// Why.
    pub why: Unavailable,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instrument {
            Some(name) => write!(f, "{name}: {}", self.why),
            None => self.why.fmt(f),
        }
    }
}
