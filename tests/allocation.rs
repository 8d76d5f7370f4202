//! The fast path asks the allocator for nothing, whatever comes over the wire.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use allocation_counter::measure;
use augenmass_core::weighing::wire::lcb::{Decoder, Event, WireError};
use augenmass_core::weighing::wire::{self, Protocol, WireOptions};
use serde_json::Value;

/// Bytes of a shared vector.
fn vector(id: &str) -> Vec<u8> {
    let file: Value = serde_json::from_str(include_str!("vectors/lcb.json")).unwrap();
    let found = file["vectors"].as_array().unwrap().iter().find(|v| v["id"] == id).unwrap();
    let hex = found["hex"].as_str().unwrap();
    hex.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
}

#[test]
fn a_frame_costs_no_allocation() {
    let (sound, damaged) = (vector("lcb-cobs-01").repeat(1000), vector("lcb-cobs-03").repeat(1000));
    let mut decoder = Decoder::default();
    let (mut samples, mut errors) = (0, 0);
    let used = measure(|| {
        for chunk in sound.chunks(61).chain(damaged.chunks(61)).chain([&[0x55; 10_000][..]]) {
            decoder.push(chunk, |event| match event {
                Event::Sample(_) => samples += 1,
                Event::Error(WireError::Checksum | WireError::Overlong) => errors += 1,
                _ => {}
            });
        }
    });
    assert_eq!((samples, errors), (1000, 1001));
    assert_eq!(used.count_total, 0, "{} bytes", used.bytes_total);
}

/// So that the counter is known to count: the common vocabulary holds channels in vectors.
#[test]
fn the_counter_counts() {
    let bytes = vector("lcb-cobs-01");
    let mut decoder = wire::Decoder::new(Protocol::Lcb, &WireOptions::default());
    let used = measure(|| decoder.push(&bytes, &mut |event| drop(event)));
    assert_eq!(used.count_total, 2);
}
