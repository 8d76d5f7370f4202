//! GS1 Digital Link URIs (GS1 Digital Link Standard: URI Syntax).

use super::super::fault::{CodeFault, FaultKind};
use super::associations;
use super::element::{Element, check_value};
use super::table::{Row, find};

/// Characters that may stand in an address (RFC 3986).
fn is_of_an_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// Characters that no host has; such an address is no Digital Link, however its path looks.
const NOT_IN_A_HOST: &[u8] = b"_~?#@!$&'()*+,;=%";

/// Whether a text is meant as an address.
pub fn looks_like_a_link(text: &str) -> bool {
    text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) && text.contains("://")
}

/// Reads an address. Parameters of the query that are not all digits belong to others and are passed over, as is the fragment.
///
/// # Errors
/// The first fault. Shortened GTINs, keys as words (`/gtin/`) and the compressed form are refused, as the standard wants.
pub fn digital_link(text: &str, offset: usize) -> Result<Vec<Element>, CodeFault> {
    let fault = |at: usize, kind| CodeFault::new(offset + at, kind);
    if let Some(at) = text.bytes().position(|byte| !is_of_an_address(byte)) {
        return Err(fault(at, FaultKind::LinkCharacter));
    }
    let scheme = ["https://", "HTTPS://", "http://", "HTTP://"].into_iter().find(|scheme| text.starts_with(scheme));
    let host = scheme.ok_or(fault(0, FaultKind::LinkScheme))?.len();
    let path = text[host..].find('/').map(|length| host + length).ok_or(fault(text.len(), FaultKind::LinkHost))?;
    if path == host {
        return Err(fault(host, FaultKind::LinkHost));
    }
    if let Some(at) = text[host..path].bytes().position(|byte| NOT_IN_A_HOST.contains(&byte)) {
        return Err(fault(host + at, FaultKind::LinkHost));
    }
    let whole = text.find('#').unwrap_or(text.len());
    let query = text[..whole].find('?').unwrap_or(whole);
    let mut elements = Vec::new();
    let sequence = path_elements(text, path, query, offset, &mut elements)?;
    query_elements(text, query.saturating_add(1).min(whole), whole, offset, &sequence, &mut elements)?;
    associations::check(&elements)?;
    Ok(elements)
}

/// Segments of a path with their places, without the slash before them.
fn segments(text: &str, path: usize, end: usize) -> Vec<(usize, &str)> {
    let mut at = path + 1;
    let mut found = Vec::new();
    for segment in text[path + 1..end].split('/') {
        found.push((at, segment));
        at += segment.len() + 1;
    }
    found
}

/// The last key from the right of which everything is pairs, and what follows it.
fn path_elements(
    text: &str,
    path: usize,
    end: usize,
    offset: usize,
    elements: &mut Vec<Element>,
) -> Result<Vec<&'static Row>, CodeFault> {
    let segments = segments(text, path, end);
    let mut from = segments.len();
    let mut key = None;
    while from >= 2 {
        from -= 2;
        match find(segments[from].1) {
            Some(row) if row.key.is_some() => {
                key = Some(from);
                break;
            }
            Some(_) => {}
            None => break,
        }
    }
    let Some(key) = key else {
        let (at, last) = segments.last().copied().unwrap_or((path, ""));
        let packed = last.len() >= 10 && last.bytes().all(super::rule::is_base64);
        let kind = if packed { FaultKind::LinkCompressed } else { FaultKind::LinkKey };
        return Err(CodeFault::new(offset + at, kind));
    };
    let mut sequence: Vec<&'static Row> = Vec::new();
    for pair in segments[key..].chunks_exact(2) {
        let [(ai_at, ai), (value_at, value)] = [pair[0], pair[1]];
        let row = find(ai).ok_or(CodeFault::new(offset + ai_at, FaultKind::UnknownAi))?;
        if !sequence.is_empty() && !is_sequence(&sequence, row) {
            return Err(CodeFault::new(offset + ai_at, FaultKind::LinkQualifier { ai: ai.to_owned() }));
        }
        sequence.push(row);
        elements.push(element(ai, row, ai_at, value, value_at, offset, false)?);
    }
    Ok(sequence)
}

/// Whether `next` may follow a key and its qualifiers: all of them must stand in one of the key's orders.
fn is_sequence(sequence: &[&'static Row], next: &'static Row) -> bool {
    let Some((key, qualifiers)) = sequence.split_first() else { return false };
    key.key.unwrap_or_default().iter().any(|order| {
        let mut rest = order.iter();
        qualifiers.iter().chain([&next]).all(|row| rest.any(|ai| row.ai == *ai))
    })
}

/// Whether an attribute would fit somewhere behind the key instead: then it belongs there.
fn belongs_into_the_path(sequence: &[&'static Row], row: &'static Row) -> bool {
    let Some((key, qualifiers)) = sequence.split_first() else { return false };
    key.key.unwrap_or_default().iter().any(|order| {
        order.contains(&row.ai)
            && qualifiers.iter().all(|q| order.contains(&q.ai))
            && !qualifiers.iter().any(|q| q.ai == row.ai)
    })
}

fn query_elements(
    text: &str,
    from: usize,
    end: usize,
    offset: usize,
    sequence: &[&'static Row],
    elements: &mut Vec<Element>,
) -> Result<(), CodeFault> {
    let mut at = from;
    for parameter in text[from..end].split('&') {
        let begins = at;
        at += parameter.len() + 1;
        let Some((name, value)) = parameter.split_once('=') else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let fault = |kind| CodeFault::new(offset + begins, kind);
        let row = find(name).ok_or(fault(FaultKind::UnknownAi))?;
        if elements.iter().any(|element| element.ai == name) {
            return Err(fault(FaultKind::Repeated { ai: name.to_owned() }));
        }
        if !row.attribute || belongs_into_the_path(sequence, row) {
            return Err(fault(FaultKind::LinkAttribute { ai: name.to_owned() }));
        }
        // Links of earlier releases write the GTIN of an attribute as short as it is.
        let padded = (name == "01" && [8, 12, 13].contains(&value.len())).then(|| format!("{value:0>14}"));
        let value_at = begins + name.len() + 1;
        elements.push(element(name, row, begins, padded.as_deref().unwrap_or(value), value_at, offset, true)?);
    }
    Ok(())
}

/// One element with its percent-encoding undone; in a query a plus is a space.
fn element(
    ai: &str,
    row: &'static Row,
    ai_at: usize,
    value: &str,
    value_at: usize,
    offset: usize,
    in_query: bool,
) -> Result<Element, CodeFault> {
    let bytes = value.as_bytes();
    let (mut decoded, mut places, mut at) = (Vec::new(), Vec::new(), 0);
    while at < bytes.len() {
        places.push(offset + value_at + at);
        let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
        match bytes[at] {
            b'%' => match (hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
                (Some(high), Some(low)) if high + low > 0 => {
                    decoded.push((high << 4 | low) as u8);
                    at += 2;
                }
                _ => return Err(CodeFault::new(offset + value_at + at, FaultKind::LinkCharacter)),
            },
            b'+' if in_query => decoded.push(b' '),
            byte => decoded.push(byte),
        }
        at += 1;
    }
    check_value(ai, row, &decoded, &places, offset + value_at + bytes.len())?;
    Ok(Element { ai: ai.to_owned(), value: decoded.iter().map(|byte| char::from(*byte)).collect(), at: offset + ai_at })
}
