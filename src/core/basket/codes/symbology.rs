//! Symbology identifiers (ISO/IEC 15424): three characters a scanner may send before the data.

use super::fault::{CodeFault, FaultKind};

/// How the data behind an identifier is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// None was sent: it must be found out.
    Unknown,
    /// EAN-13, UPC-A or UPC-E as 13 digits; with an add-on behind them where the flag says so.
    Ean13,
    /// EAN-8.
    Ean8,
    /// An add-on alone.
    AddOn,
    /// GS1 element strings.
    Gs1,
    /// Interleaved 2 of 5: a GTIN of 14 digits.
    Itf,
    /// A matrix or linear symbol with data of any kind, but no FNC1.
    Plain,
}

/// The carrier, and the data without the identifier with its place.
///
/// # Errors
/// A bracket without a known identifier behind it.
pub fn strip(text: &str) -> Result<(Carrier, &str, usize), CodeFault> {
    let Some(rest) = text.strip_prefix(']') else { return Ok((Carrier::Unknown, text, 0)) };
    let carrier = match rest.as_bytes() {
        [b'E', b'0' | b'3', ..] => Carrier::Ean13,
        [b'E', b'4', ..] => Carrier::Ean8,
        [b'E', b'1' | b'2', ..] => Carrier::AddOn,
        [b'C', b'1', ..] | [b'e', b'0'..=b'2', ..] | [b'd', b'2', ..] | [b'Q', b'3', ..] | [b'J', b'1', ..] => {
            Carrier::Gs1
        }
        [b'I', b'0'..=b'7', ..] => Carrier::Itf,
        [letter, digit, ..] if letter.is_ascii_alphabetic() && digit.is_ascii_alphanumeric() => Carrier::Plain,
        _ => return Err(CodeFault::new(0, FaultKind::Symbology)),
    };
    Ok((carrier, &rest[2..], 3))
}
