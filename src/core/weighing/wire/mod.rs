//! One codec a file. Codecs are pure: bytes in, events out, in any split, with bounded memory.

pub mod adapter;
pub mod and;
pub mod cas;
pub mod decoder;
pub mod dialog;
mod event;
pub mod hbm_aed;
pub mod lcb;
pub mod modbus;
pub mod mt_sics;
pub mod nci;
mod number;
pub mod registers;
#[cfg(test)]
mod testing;
mod text;
pub mod toledo_8217;
pub mod toledo_continuous;
mod window;

pub use decoder::Decoder;
pub use event::{ErrorKind, Event, Reason, WeightKind};
pub use number::{Decimal, MassUnit};
pub use registers::RegisterMap;

use serde::{Deserialize, Serialize};

/// What is spoken on a serial port, by the name that station files and the command line use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Our own load-cell board.
    Lcb,
    /// Mettler-Toledo Standard Interface Command Set, levels 0 and 1; KERN's KCP is the same family.
    MtSics,
    /// Checkout-Dialog 06, with challenge.
    #[serde(rename = "dialog06")]
    Dialog06,
    /// Checkout-Dialog 04.
    #[serde(rename = "dialog04")]
    Dialog04,
    /// Checkout-Dialog 02.
    #[serde(rename = "dialog02")]
    Dialog02,
    /// Toledo 8217 and 8213.
    #[serde(rename = "toledo-8217")]
    Toledo8217,
    /// NCI / Weigh-Tronix SCP-01, SCP-02 and ECR.
    Nci,
    /// LAUMAS transmitters over Modbus RTU.
    ModbusLaumas,
    /// Flintec transmitters over Modbus RTU.
    ModbusFlintec,
    /// Toledo continuous output.
    ToledoContinuous,
    /// CAS AP-1 and its kin.
    Cas,
    /// A&D standard output.
    And,
    /// HBM AED, FIT and AD10x digital load cells.
    HbmAed,
}

impl Protocol {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Lcb,
        Self::MtSics,
        Self::Dialog06,
        Self::Dialog04,
        Self::Dialog02,
        Self::Toledo8217,
        Self::Nci,
        Self::ModbusLaumas,
        Self::ModbusFlintec,
        Self::ToledoContinuous,
        Self::Cas,
        Self::And,
        Self::HbmAed,
    ];

    /// Its name in station files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lcb => "lcb",
            Self::MtSics => "mt-sics",
            Self::Dialog06 => "dialog06",
            Self::Dialog04 => "dialog04",
            Self::Dialog02 => "dialog02",
            Self::Toledo8217 => "toledo-8217",
            Self::Nci => "nci",
            Self::ModbusLaumas => "modbus-laumas",
            Self::ModbusFlintec => "modbus-flintec",
            Self::ToledoContinuous => "toledo-continuous",
            Self::Cas => "cas",
            Self::And => "and",
            Self::HbmAed => "hbm-aed",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }
}

/// What frames leave open and a station file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireOptions {
    /// Unit of numbers that come without one. A frame that names another is not believed.
    pub unit: Option<MassUnit>,
    /// Digits after the point, for protocols that send digits alone.
    pub decimals: Option<u8>,
    /// Whether frames end with a checksum, for protocols where that is a setting; `None` is the protocol's usual.
    pub checksum: Option<bool>,
    /// Address on a bus; `None` is 1.
    pub address: Option<u8>,
    /// Register map of a Modbus transmitter; `None` is the built-in one of its maker.
    pub registers: Option<registers::RegisterMap>,
    /// What an HBM load cell was told to send; `None`: recognised from the stream.
    pub hbm: Option<hbm_aed::Output>,
}
