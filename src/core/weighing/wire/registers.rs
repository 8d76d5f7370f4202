//! Where a weighing transmitter keeps its numbers: Modbus register maps, built in for LAUMAS and Flintec, else from a station file.
//!
//! Sources: LAUMAS TLU manual, page 34, and LCB manual, page 8 (status bits); Flintec FT-16 manual, page 28, with the error
//! codes of its successor's (Baykon MX08, page 62).

use super::{Reason, WeightKind};
use serde::{Deserialize, Serialize};

/// Most registers in one reply: what LAUMAS transmitters allow.
pub const REGISTERS_MAX: u16 = 32;

/// Which registers to read and what they mean. In TOML:
///
/// ```toml
/// function = "holding"
/// first = 6                   # 40007, counted from 0 as on the wire
/// count = 5
/// word_order = "high_first"
/// status = 0                  # registers are counted from the first one read
/// stable = { mask = 0x0800, equals = 0x0800 }
/// faults = [{ mask = 0x0001, equals = 0x0001, reason = "load_cell" }]
/// values = [{ at = 1, kind = "gross", negative = { mask = 0x0080, equals = 0x0080 } }]
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterMap {
    /// How registers are read.
    #[serde(default)]
    pub function: ReadFunction,
    /// Number of the first register as on the wire, from 0.
    pub first: u16,
    /// How many are read, 1..=32.
    pub count: u16,
    /// Which half of a 32-bit number comes first.
    #[serde(default)]
    pub word_order: WordOrder,
    /// Place of the status register among those read.
    pub status: u16,
    /// When the status says that the scale is at rest; absent if it never says.
    pub stable: Option<Condition>,
    /// When there is no weight, and why; the first that holds is told.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Where the weights lie.
    pub values: Vec<Value>,
}

/// Modbus function that reads registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadFunction {
    /// Function 3, what manuals number from 40001.
    #[default]
    Holding,
    /// Function 4, what manuals number from 30001.
    Input,
}

impl ReadFunction {
    /// Its code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Holding => 3,
            Self::Input => 4,
        }
    }
}

/// Order of the two registers of a 32-bit number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordOrder {
    /// The upper 16 bits come first.
    #[default]
    HighFirst,
    /// The lower 16 bits come first.
    LowFirst,
}

/// Holds if the status register has `equals` where `mask` has ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Bits that matter.
    pub mask: u16,
    /// Their state.
    pub equals: u16,
}

impl Condition {
    /// Whether it holds for a status.
    pub const fn holds(self, status: u16) -> bool {
        status & self.mask == self.equals
    }

    const fn set(mask: u16) -> Self {
        Self { mask, equals: mask }
    }

    const fn clear(mask: u16) -> Self {
        Self { mask, equals: 0 }
    }
}

/// A state of the status register in which the weights mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Bits that matter.
    pub mask: u16,
    /// Their state.
    pub equals: u16,
    /// What it means.
    pub reason: Reason,
}

/// A 32-bit number in two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// Place of its first register among those read.
    pub at: u16,
    /// What it counts.
    pub kind: WeightKind,
    /// For transmitters that send magnitudes: when the status says that it is negative. Absent: two's complement.
    pub negative: Option<Condition>,
    /// For registers that hold now this and now that: when it counts what `kind` says. Absent: always.
    pub only: Option<Condition>,
}

/// What is wrong with a register map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Nothing or too much is read.
    #[error("{0} registers are read; 1 to {REGISTERS_MAX} can be")]
    Count(u16),
    /// A register is used that is not read.
    #[error("register {0} is used, but only {1} are read")]
    NotRead(u16, u16),
    /// No weights.
    #[error("no values are named")]
    NoValues,
    /// A condition that can never hold.
    #[error("a condition asks for bits {equals:#06x} under mask {mask:#06x}")]
    Impossible {
        /// Bits that it looks at.
        mask: u16,
        /// State that it asks for.
        equals: u16,
    },
}

impl RegisterMap {
    /// LAUMAS TLB, TLU, LCB: status 40007, gross 40008/9, net 40010/11; magnitudes, their signs in the status.
    pub fn laumas() -> Self {
        let fault = |mask, reason| Fault { mask, equals: mask, reason };
        let value = |at, kind, sign| Value { at, kind, negative: Some(Condition::set(sign)), only: None };
        Self {
            function: ReadFunction::Holding,
            first: 6,
            count: 5,
            word_order: WordOrder::HighFirst,
            status: 0,
            stable: Some(Condition::set(1 << 11)),
            faults: vec![
                fault(1 << 0, Reason::LoadCell),
                fault(1 << 1, Reason::Device),
                // By nine divisions above the maximum, above 110 % of full scale.
                fault(1 << 2, Reason::Overload),
                fault(1 << 3, Reason::Overload),
                // Gross, net beyond what the display can show.
                fault(1 << 4, Reason::OutOfRange),
                fault(1 << 5, Reason::OutOfRange),
            ],
            values: vec![value(1, WeightKind::Gross, 1 << 7), value(3, WeightKind::Net, 1 << 8)],
        }
    }

    /// Flintec FT-12, FT-16 and kin: displayed value 40001/2, status 40003, which also says whether the display is net.
    pub fn flintec() -> Self {
        let code = |code: u16, reason| Fault { mask: 0b111 << 13, equals: code << 13, reason };
        let net = 1 << 3;
        let value = |kind, only| Value { at: 0, kind, negative: None, only: Some(only) };
        Self {
            function: ReadFunction::Holding,
            first: 0,
            count: 3,
            word_order: WordOrder::HighFirst,
            status: 2,
            stable: Some(Condition::clear(1 << 2)),
            faults: vec![
                code(1, Reason::OutOfRange),
                code(2, Reason::Overload),
                code(3, Reason::Underload),
                // System fault, not in weighing mode, supply voltage, nothing connected.
                code(4, Reason::Device),
                code(5, Reason::Device),
                code(6, Reason::Device),
                code(7, Reason::Device),
                Fault { mask: 1 << 0, equals: 1 << 0, reason: Reason::Busy },
                Fault { mask: 1 << 1, equals: 0, reason: Reason::Device },
            ],
            values: vec![value(WeightKind::Gross, Condition::clear(net)), value(WeightKind::Net, Condition::set(net))],
        }
    }

    /// Checks a map that people wrote.
    ///
    /// # Errors
    /// If it reads nothing or too much, uses what it does not read, or has a condition that never holds.
    pub fn check(&self) -> Result<(), MapError> {
        if !(1..=REGISTERS_MAX).contains(&self.count) {
            return Err(MapError::Count(self.count));
        }
        if self.values.is_empty() {
            return Err(MapError::NoValues);
        }
        let last = self.values.iter().map(|value| value.at.saturating_add(1)).chain([self.status]).max();
        if let Some(last) = last.filter(|last| *last >= self.count) {
            return Err(MapError::NotRead(last, self.count));
        }
        let faults = self.faults.iter().map(|f| Condition { mask: f.mask, equals: f.equals });
        let signs = self.values.iter().flat_map(|value| [value.negative, value.only]).flatten();
        let mut conditions = faults.chain(signs).chain(self.stable);
        match conditions.find(|c| c.equals & !c.mask != 0 || c.mask == 0) {
            Some(Condition { mask, equals }) => Err(MapError::Impossible { mask, equals }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_maps_are_sound() {
        assert_eq!(RegisterMap::laumas().check(), Ok(()));
        assert_eq!(RegisterMap::flintec().check(), Ok(()));
    }

    #[test]
    fn a_map_survives_being_written_down_and_unknown_words_are_refused() {
        let map = RegisterMap::flintec();
        let text = serde_json::to_string(&map).unwrap();
        assert_eq!(serde_json::from_str::<RegisterMap>(&text).unwrap(), map);
        assert!(serde_json::from_str::<RegisterMap>(&text.replacen("\"first\"", "\"frist\"", 1)).is_err());
    }

    #[test]
    fn mistakes_are_named() {
        let with = |change: fn(&mut RegisterMap)| {
            let mut map = RegisterMap::laumas();
            change(&mut map);
            map.check()
        };
        assert_eq!(with(|m| m.count = 0), Err(MapError::Count(0)));
        assert_eq!(with(|m| m.count = 33), Err(MapError::Count(33)));
        assert_eq!(with(|m| m.count = 4), Err(MapError::NotRead(4, 4)));
        assert_eq!(with(|m| m.status = 5), Err(MapError::NotRead(5, 5)));
        assert_eq!(with(|m| m.values.clear()), Err(MapError::NoValues));
        let impossible = Err(MapError::Impossible { mask: 1, equals: 2 });
        assert_eq!(with(|m| m.stable = Some(Condition { mask: 1, equals: 2 })), impossible);
    }
}
