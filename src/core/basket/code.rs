//! Codes on goods: GTIN with its check digit, and codes printed by the store's own scales.

use crate::units::Mass;
use serde::{Deserialize, Serialize};

/// What a scanned code means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// A trade item: EAN-8, EAN-13, UPC-A or GTIN-14, as 14 digits.
    Gtin(String),
    /// Goods weighed in the store: five-digit article number and the net mass on the label.
    Weighed {
        /// Article number, five digits.
        article: String,
        /// Net mass as printed.
        mass: Mass,
    },
}

impl Code {
    /// The key under which the catalogue knows it.
    pub fn key(&self) -> &str {
        match self {
            Self::Gtin(gtin) => gtin,
            Self::Weighed { article, .. } => article,
        }
    }

    /// Reads a code. Patterns are tried in order; a code that fits none of them is a GTIN.
    ///
    /// # Errors
    /// Length other than 8, 12, 13 or 14, a character that is no digit, or a wrong check digit.
    pub fn parse(text: &str, patterns: &[InStorePattern]) -> Result<Self, CodeFault> {
        if let Some(at) = text.bytes().position(|b| !b.is_ascii_digit()) {
            return Err(CodeFault::NotADigit { at });
        }
        if ![8, 12, 13, 14].contains(&text.len()) {
            return Err(CodeFault::Length { length: text.len() });
        }
        let (body, given) = text.split_at(text.len() - 1);
        let expected = check_digit(body);
        if given.as_bytes()[0] - b'0' != expected {
            return Err(CodeFault::CheckDigit { expected });
        }
        Ok(patterns.iter().find_map(|pattern| pattern.read(text)).unwrap_or_else(|| Self::Gtin(format!("{text:0>14}"))))
    }
}

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// Something else than 0-9.
    #[error("character {} is no digit", at + 1)]
    NotADigit {
        /// Its place, from 0.
        at: usize,
    },
    /// No code of ours has this length.
    #[error("{length} digits; a code has 8, 12, 13 or 14")]
    Length {
        /// How many digits there are.
        length: usize,
    },
    /// The last digit does not belong to the others.
    #[error("wrong check digit; it would be {expected}")]
    CheckDigit {
        /// The digit that would fit.
        expected: u8,
    },
}

/// Mod-10 check digit of a string of digits (GS1 General Specifications 7.9.1): from the right, weights 3, 1, 3, 1, …
pub fn check_digit(body: &str) -> u8 {
    let sum: u32 = body
        .bytes()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')) * weight)
        .sum();
    ((10 - sum % 10) % 10) as u8
}

/// How the store's own scales print a code, such as `29IIIIIWWWWWC`: fixed digits, five `I` for the article, `W` for grams,
/// `C` for the check digit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InStorePattern(String);

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no in-store pattern: 13 characters, digits first, then IIIII, some W, and C at the end, as in 29IIIIIWWWWWC"
)]
pub struct PatternFault {
    text: String,
}

impl TryFrom<String> for InStorePattern {
    type Error = PatternFault;
    fn try_from(text: String) -> Result<Self, PatternFault> {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let weights = rest.trim_start_matches('I');
        let end = weights.trim_start_matches('W');
        let fine = text.is_ascii()
            && text.len() == 13
            && rest.len() < text.len()
            && rest.len() - weights.len() == 5
            && weights.len() > end.len()
            && end == "C";
        if fine { Ok(Self(text)) } else { Err(PatternFault { text }) }
    }
}

impl From<InStorePattern> for String {
    fn from(pattern: InStorePattern) -> Self {
        pattern.0
    }
}

impl InStorePattern {
    fn read(&self, code: &str) -> Option<Code> {
        if code.len() != self.0.len() {
            return None;
        }
        let (mut article, mut grams) = (String::new(), String::new());
        for (expected, digit) in self.0.chars().zip(code.chars()) {
            match expected {
                'I' => article.push(digit),
                'W' => grams.push(digit),
                'C' => {}
                fixed if fixed == digit => {}
                _ => return None,
            }
        }
        let grams: i64 = grams.parse().ok()?;
        Some(Code::Weighed { article, mass: Mass::from_mg(grams * 1000) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scales() -> Vec<InStorePattern> {
        vec![InStorePattern::try_from("29IIIIIWWWWWC".to_owned()).unwrap()]
    }

    /// Examples from public sources, checked by hand.
    #[test]
    fn known_codes_are_read_as_fourteen_digits() {
        for (text, gtin) in [
            ("4006381333931", "04006381333931"),
            ("40084015", "00000040084015"),
            ("036000291452", "00036000291452"),
            ("94006381333934", "94006381333934"),
        ] {
            assert_eq!(Code::parse(text, &[]), Ok(Code::Gtin(gtin.to_owned())));
        }
    }

    #[test]
    fn a_scale_label_says_article_and_grams() {
        assert_eq!(
            Code::parse("2904011012343", &scales()),
            Ok(Code::Weighed { article: "04011".to_owned(), mass: Mass::from_mg(1_234_000) })
        );
        assert!(matches!(Code::parse("2904011012343", &[]), Ok(Code::Gtin(_))));
    }

    #[test]
    fn faults_name_their_place() {
        assert_eq!(Code::parse("400638133393x", &[]), Err(CodeFault::NotADigit { at: 12 }));
        assert_eq!(Code::parse("400638133393", &[]), Err(CodeFault::CheckDigit { expected: 0 }));
        assert_eq!(Code::parse("4006381333932", &[]), Err(CodeFault::CheckDigit { expected: 1 }));
        assert_eq!(Code::parse("123", &[]), Err(CodeFault::Length { length: 3 }));
    }

    #[test]
    fn patterns_that_mean_nothing_are_refused() {
        for bad in ["", "29IIIIWWWWWWC", "IIIIIWWWWWWWC", "29IIIII00000C", "29IIIIIWWWWWW", "29WWWWWIIIIIC"] {
            assert!(InStorePattern::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
