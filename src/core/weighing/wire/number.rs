//! Decimal numbers with a unit, as scales print them, turned into masses without a detour over floats.

use crate::units::Mass;
use serde::{Deserialize, Serialize};

/// A unit of mass that scales use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MassUnit {
    /// Milligram.
    Mg,
    /// Gram.
    G,
    /// Kilogram.
    Kg,
    /// Tonne.
    T,
    /// Avoirdupois pound, 453.59237 g exactly.
    Lb,
    /// Avoirdupois ounce, a sixteenth of a pound.
    Oz,
}

impl MassUnit {
    /// Reads a unit in any case, as `g`, `KG`, `lb`, `lbs`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let units = [
            ("mg", Self::Mg),
            ("g", Self::G),
            ("kg", Self::Kg),
            ("t", Self::T),
            ("lb", Self::Lb),
            ("lbs", Self::Lb),
            ("oz", Self::Oz),
        ];
        units.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, unit)| unit)
    }

    /// Nanograms in one unit: whole numbers even for the pound and the ounce.
    const fn nanograms(self) -> i128 {
        match self {
            Self::Mg => 1_000_000,
            Self::G => 1_000_000_000,
            Self::Kg => 1_000_000_000_000,
            Self::T => 1_000_000_000_000_000,
            Self::Lb => 453_592_370_000,
            Self::Oz => 28_349_523_125,
        }
    }
}

/// A decimal number as printed: `mantissa · 10^-decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// All digits with the sign.
    pub mantissa: i64,
    /// Digits after the point, at most 9.
    pub decimals: u8,
}

impl Decimal {
    /// Reads `[+|-][ ]*digits[.digits]`, at most twelve digits; `None` for anything else, so for an empty field, two points or two
    /// signs, or nothing before the point.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(' ');
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let digits = digits.trim_start_matches(' ');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let count = whole.len() + fraction.len();
        // Scales print a digit before the point; where none stands, one was lost.
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || count > 12 || fraction.len() > 9 {
            return None;
        }
        let magnitude = whole.bytes().chain(fraction.bytes()).fold(0, |n, b| n * 10 + i64::from(b - b'0'));
        Some(Self { mantissa: if negative { -magnitude } else { magnitude }, decimals: fraction.len() as u8 })
    }

    /// The same digits with the point elsewhere, as for a scale that sends digits alone; `decimals` at most 9.
    pub fn with_decimals(self, decimals: u8) -> Self {
        Self { decimals: decimals.min(9), ..self }
    }

    /// As a mass, rounded half away from zero to the milligram; `None` beyond the range of [`Mass`].
    pub fn mass(self, unit: MassUnit) -> Option<Mass> {
        let scale = 10_i128.pow(u32::from(self.decimals.min(9))) * 1_000_000;
        let nanograms = i128::from(self.mantissa) * unit.nanograms();
        let half = if nanograms < 0 { -scale / 2 } else { scale / 2 };
        i64::try_from((nanograms + half) / scale).ok().map(Mass::from_mg)
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.mantissa.unsigned_abs(), width = usize::from(self.decimals) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.decimals));
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mg(text: &str, unit: &str) -> Option<i64> {
        Decimal::parse(text)?.mass(MassUnit::parse(unit)?).map(Mass::mg)
    }

    #[test]
    fn masses_are_exact() {
        assert_eq!(mg("12.345", "kg"), Some(12_345_000));
        assert_eq!(mg("- 0.02", "KG"), Some(-20_000));
        assert_eq!(mg("+001234.5", "g"), Some(1_234_500));
        // 2.494 lb = 1131.25937… g by the definition of the pound.
        assert_eq!(mg("2.494", "lb"), Some(1_131_259));
        assert_eq!(mg("0.0005", "g"), Some(1), "half a milligram rounds away from zero");
        assert_eq!(mg("-0.0005", "g"), Some(-1));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".5", "1.2.3", "1-2", "--1", "12a", ".", "1234567890123", "1,5", "٣"] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
        assert_eq!(MassUnit::parse("k"), None);
    }

    #[test]
    fn a_number_is_shown_as_it_is() {
        for text in ["0.05", "-12.340", "7"] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), text);
        }
    }
}
