//! Element strings: raw, as they come out of a symbol, and in brackets, as people write them.

use super::super::fault::{CodeFault, FaultKind};
use super::associations;
use super::table::{Part, Row, find};
use serde::Serialize;

/// FNC1 within a symbol's data: ASCII group separator, or `^` as some software shows it.
pub const SEPARATORS: [u8; 2] = [0x1D, b'^'];

/// One application identifier with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Element {
    /// Two to four digits.
    pub ai: String,
    /// The value as it stands, percent-encoding of addresses undone.
    pub value: String,
    /// Where its identifier begins in the text.
    #[serde(skip)]
    pub at: usize,
}

/// Reads the data of a GS1 symbol. `offset` is where it begins in the whole text, for the places of faults.
///
/// # Errors
/// The first fault.
pub fn raw(text: &str, offset: usize) -> Result<Vec<Element>, CodeFault> {
    let bytes = text.as_bytes();
    // A leading FNC1 says that the symbol is a GS1 one; it is data for nobody.
    let mut at = usize::from(bytes.first().is_some_and(|byte| SEPARATORS.contains(byte)));
    let mut elements = Vec::new();
    while at < bytes.len() {
        let (ai, row) = identifier(&bytes[at..]).ok_or_else(|| CodeFault::new(offset + at, FaultKind::UnknownAi))?;
        let begins = at + ai.len();
        let separator = bytes[begins..].iter().position(|byte| SEPARATORS.contains(byte)).map(|length| begins + length);
        let end = match separator {
            _ if row.fixed => {
                let length: usize = row.parts.iter().map(|part| part.most).sum();
                (begins + length).min(separator.unwrap_or(bytes.len()))
            }
            Some(separator) => separator,
            None => bytes.len(),
        };
        let places: Vec<usize> = (begins..end).map(|place| offset + place).collect();
        check_value(&ai, row, &bytes[begins..end], &places, offset + end)?;
        elements.push(Element { value: text_of(&bytes[begins..end]), ai, at: offset + at });
        at = end + usize::from(separator == Some(end));
    }
    if elements.is_empty() {
        return Err(CodeFault::new(offset + bytes.len(), FaultKind::Empty));
    }
    associations::check(&elements)?;
    Ok(elements)
}

/// Checked values hold ASCII only.
fn text_of(value: &[u8]) -> String {
    value.iter().map(|byte| char::from(*byte)).collect()
}

fn identifier(bytes: &[u8]) -> Option<(String, &'static Row)> {
    (2..=4).find_map(|length| {
        let ai = std::str::from_utf8(bytes.get(..length)?).ok()?;
        find(ai).map(|row| (ai.to_owned(), row))
    })
}

/// Reads the form with brackets, `(01)…(10)…`; `\(` is a bracket within a value.
///
/// # Errors
/// The first fault.
pub fn bracketed(text: &str) -> Result<Vec<Element>, CodeFault> {
    let bytes = text.as_bytes();
    let (mut at, mut elements) = (0, Vec::new());
    while at < bytes.len() {
        let begins = at;
        let fault = |kind| CodeFault::new(begins, kind);
        if bytes[at] != b'(' {
            return Err(fault(FaultKind::Bracket));
        }
        let length = bytes[at + 1..].iter().take(5).position(|byte| *byte == b')').ok_or(fault(FaultKind::Bracket))?;
        let ai = text.get(at + 1..at + 1 + length).filter(|ai| ai.bytes().all(|b| b.is_ascii_digit()));
        let ai = ai.filter(|ai| (2..=4).contains(&ai.len())).ok_or(fault(FaultKind::Bracket))?;
        let row = find(ai).ok_or(CodeFault::new(begins + 1, FaultKind::UnknownAi))?;
        at += length + 2;
        let (mut value, mut places) = (Vec::new(), Vec::new());
        while at < bytes.len() && bytes[at] != b'(' {
            if bytes[at] == b'\\' && bytes.get(at + 1) == Some(&b'(') {
                at += 1;
            }
            value.push(bytes[at]);
            places.push(at);
            at += 1;
        }
        check_value(ai, row, &value, &places, at)?;
        elements.push(Element { ai: ai.to_owned(), value: text_of(&value), at: begins });
    }
    if elements.is_empty() {
        return Err(CodeFault::new(0, FaultKind::Empty));
    }
    associations::check(&elements)?;
    Ok(elements)
}

/// Checks a value against its row. `places` says where each of its bytes stands in the text, `end` where it ends there.
pub fn check_value(ai: &str, row: &Row, value: &[u8], places: &[usize], end: usize) -> Result<(), CodeFault> {
    let place = |index: usize| places.get(index).copied().unwrap_or(end);
    let fault = |index: usize, kind: FaultKind| CodeFault::new(place(index), kind);
    if value.is_empty() {
        return Err(fault(0, FaultKind::NoValue { ai: ai.to_owned() }));
    }
    let mut at = 0;
    for part in row.parts {
        let rest = &value[at..];
        if part.optional && rest.is_empty() {
            break;
        }
        let length = rest.len().min(part.most);
        if let Some(wrong) = rest[..length].iter().position(|byte| !part.set.holds(*byte)) {
            return Err(fault(at + wrong, FaultKind::Character { ai: ai.to_owned() }));
        }
        if length < part.least {
            return Err(fault(value.len(), FaultKind::ValueLength { ai: ai.to_owned() }));
        }
        obey(ai, part, &rest[..length]).map_err(|(within, kind)| fault(at + within, kind))?;
        at += length;
    }
    if at < value.len() {
        return Err(fault(at, FaultKind::ValueLength { ai: ai.to_owned() }));
    }
    Ok(())
}

fn obey(ai: &str, part: &Part, value: &[u8]) -> Result<(), (usize, FaultKind)> {
    for rule in part.rules {
        if let Some(within) = rule.broken_at(value) {
            return Err((within, FaultKind::Value { ai: ai.to_owned(), rule: *rule }));
        }
    }
    Ok(())
}
