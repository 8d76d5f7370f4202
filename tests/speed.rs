//! How fast LCB frames are decoded: `cargo bench -p augenmass-core`.
//!
//! A clean stream of 38-byte frames of four channels, random by a fixed seed, in chunks as a serial port hands them out and in
//! larger ones. The best and the median of many short rounds are told: on a machine with other work to do only the best
//! is the decoder's own.

use augenmass_core::weighing::wire::lcb::{Decoder, Event};
use std::hint::black_box;
use std::time::Instant;

const FRAMES: u32 = 10_000;
const ROUNDS: usize = 300;

fn main() {
    let stream: Vec<u8> = (0..FRAMES).flat_map(frame).collect();
    println!("{FRAMES} frames of {:.1} bytes, {ROUNDS} rounds", stream.len() as f64 / f64::from(FRAMES));
    for chunk in [38, 64, 4096] {
        let mut seconds: Vec<f64> = (0..ROUNDS).map(|_| round(&stream, chunk)).collect();
        seconds.sort_by(f64::total_cmp);
        let (best, median) = (seconds[0], seconds[ROUNDS / 2]);
        let rate = |seconds: f64| stream.len() as f64 / seconds / 1e6;
        println!(
            "chunks of {chunk}: best {:.0} MB/s ({:.0} ns a frame), median {:.0} MB/s",
            rate(best),
            best * 1e9 / f64::from(FRAMES),
            rate(median)
        );
    }
}

/// Seconds for the whole stream.
fn round(stream: &[u8], chunk: usize) -> f64 {
    let mut decoder = Decoder::default();
    let mut samples = 0;
    let start = Instant::now();
    for bytes in stream.chunks(chunk) {
        decoder.push(bytes, |event| match black_box(event) {
            Event::Sample(_) => samples += 1,
            other => panic!("{other:?} in a clean stream"),
        });
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(samples, FRAMES);
    seconds
}

/// One sample of four channels with its delimiter.
fn frame(n: u32) -> Vec<u8> {
    let [seq_low, seq_high, ..] = n.to_le_bytes();
    let mut payload = vec![1, 1, seq_low, seq_high];
    payload.extend((n * 12_500).to_le_bytes());
    payload.extend([4, 0b111]);
    for channel in 0..4 {
        // Weyl's sequence: spread over ±100 000 counts as loads are.
        let count = (n * 4 + channel).wrapping_mul(2_654_435_761) % 200_000;
        payload.extend((count.cast_signed() - 100_000).to_le_bytes());
    }
    payload.extend([1; 4]);
    payload.extend(2150_i16.to_le_bytes());
    payload.extend((crc(&payload) ^ 0xffff_ffff).to_le_bytes());
    let mut frame = Vec::new();
    for block in payload.split(|byte| *byte == 0) {
        frame.push(block.len() as u8 + 1);
        frame.extend(block);
    }
    frame.push(0);
    frame
}

/// CRC-32/ISO-HDLC before its last inversion, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0xffff_ffff, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
