//! The frame decoder against the shared vectors: whole, byte by byte, split at every point, behind garbage, two joined.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use augenmass_core::weighing::wire::lcb::{Decoder, Event, Sample, WireError};
use serde_json::Value;

/// One vector: its bytes and what a decoder must make of them.
struct Vector {
    id: String,
    bytes: Vec<u8>,
    expect: Value,
}

fn vectors() -> Vec<Vector> {
    let file: Value = serde_json::from_str(include_str!("vectors/lcb.json")).unwrap();
    let list = file["vectors"].as_array().unwrap();
    let hex = |text: &str| text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect();
    list.iter()
        .map(|v| Vector {
            id: v["id"].as_str().unwrap().to_owned(),
            bytes: hex(v["hex"].as_str().unwrap()),
            expect: v["expect"].clone(),
        })
        .collect()
}

fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(chunk, |e| events.push(e));
    }
    events.extend(decoder.pause());
    events
}

fn samples(events: &[Event]) -> Vec<&Sample> {
    events.iter().filter_map(|e| if let Event::Sample(s) = e { Some(s) } else { None }).collect()
}

fn check(vector: &Vector, events: &[Event]) {
    let (id, expect) = (&vector.id, &vector.expect);
    let found = samples(events);
    if let Some(error) = expect["error"].as_str() {
        assert!(found.is_empty(), "{id}: a damaged frame gave a sample");
        let wanted = if error == "crc" { WireError::Checksum } else { WireError::Partial };
        assert!(events.contains(&Event::Error(wanted)), "{id}: {events:?}");
    }
    if let Some(seq) = expect["seq"].as_u64() {
        assert_eq!(found.len(), 1, "{id}");
        assert_eq!(u64::from(found[0].seq), seq, "{id}");
    }
    if let Some(counts) = expect["counts"].as_array() {
        let wanted: Vec<i64> = counts.iter().map(|c| c.as_i64().unwrap()).collect();
        let got: Vec<i64> = found[0].counts[..found[0].channels].iter().map(|c| i64::from(*c)).collect();
        assert_eq!(got, wanted, "{id}");
    }
    if let Some(valid) = expect["valid"].as_array() {
        let wanted: Vec<bool> = valid.iter().map(|v| v.as_bool().unwrap()).collect();
        let got: Vec<bool> = (0..found[0].channels).map(|c| found[0].is_valid(c)).collect();
        assert_eq!(got, wanted, "{id}");
    }
    if let Some(accepted) = expect["accepted"].as_array() {
        let mut got: Vec<u64> = found.iter().map(|s| u64::from(s.seq)).collect();
        let duplicates = got.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert_eq!(duplicates as u64, expect["duplicates"].as_u64().unwrap_or(0), "{id}");
        got.dedup();
        assert_eq!(got, accepted.iter().map(|a| a.as_u64().unwrap()).collect::<Vec<_>>(), "{id}");
    }
}

#[test]
fn every_vector_in_every_split() {
    let vectors = vectors();
    assert!(vectors.len() >= 7, "the vectors have gone missing");
    for vector in &vectors {
        check(vector, &decode([vector.bytes.as_slice()]));
        check(vector, &decode(vector.bytes.chunks(1)));
        for at in 0..vector.bytes.len() {
            let (head, tail) = vector.bytes.split_at(at);
            check(vector, &decode([head, tail]));
        }
    }
}

#[test]
fn garbage_before_a_frame_costs_no_frame_after_its_delimiter() {
    for vector in &vectors() {
        for garbage in [&[0xff_u8, 0x13, 0x37, 0][..], &[0x41; 500][..], &[0, 0, 1, 0][..]] {
            let mut bytes = garbage.to_vec();
            bytes.push(0);
            bytes.extend(&vector.bytes);
            check(vector, &decode([bytes.as_slice()]));
        }
    }
}

#[test]
fn two_joined_vectors_give_what_each_gives() {
    let all = vectors();
    // A partial frame joined to another is by definition damaged: only what ends with a delimiter can be joined to.
    for first in all.iter().filter(|v| v.bytes.last() == Some(&0)) {
        for second in &all {
            let joined = [first.bytes.clone(), second.bytes.clone()].concat();
            let events = decode([joined.as_slice()]);
            let apart: Vec<Event> = [decode([first.bytes.as_slice()]), decode([second.bytes.as_slice()])].concat();
            assert_eq!(events, apart, "{} then {}", first.id, second.id);
        }
    }
}

/// The sample's own fields, from the vector's description: t = 1 000 000 µs, 21.50 °C, flags 0b111.
#[test]
fn a_sample_has_its_time_flags_and_temperature() {
    let first = vectors().into_iter().find(|v| v.id == "lcb-cobs-01").unwrap();
    let events = decode([first.bytes.as_slice()]);
    let sample = samples(&events)[0];
    assert_eq!((sample.t_us, sample.flags, sample.temperature_centi_c), (1_000_000, 0b111, 2150));
}
