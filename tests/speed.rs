//! How fast LCB frames are decoded: `cargo bench -p augenmass-core`.
//!
//! A clean stream of 38-byte frames of four channels, random by a fixed seed, in chunks as a serial port hands them out and in
//! larger ones. The best and the median of many short rounds are told: on a machine with other work to do only the best
//! is the decoder's own.

#![allow(clippy::expect_used, reason = "what a benchmark makes itself is valid")]

use augenmass_core::basket::{Bags, Basket, Code, Container, ContainerKind, Source};
use augenmass_core::goods::gallery::{Builder, ENROLLED_MAX, LookMark, Packed};
use augenmass_core::goods::{
    BagBelief, Catalogue, ContainerBelief, Gallery, Kind, LookCalibration, LookSet, LookVector, Product, Risk, Terms,
    WeightBelief, WeightSource,
};
use augenmass_core::units::{Mass, Mono};
use augenmass_core::verdict::{Evidence, Expected, Policy, judge};
use augenmass_core::vision::{Crop, Embedding, Quality, Scene};
use augenmass_core::weighing::wire::lcb::{Decoder, Event};
use std::hint::black_box;
use std::sync::Arc;
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
    let start = Instant::now();
    let catalogue = large_shop();
    println!("{PRODUCTS} products taken in: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    for lines in [5, 20, 80] {
        judge_baskets(&catalogue, lines, None);
    }
    let start = Instant::now();
    let gallery = looks();
    println!("looks of {PRODUCTS} products packed, look-alikes found: {:.1} s", start.elapsed().as_secs_f64());
    for lines in [5, 20] {
        judge_baskets(&catalogue, lines, Some(&gallery));
    }
}

/// Products of a large shop.
const PRODUCTS: usize = 50_000;

/// Weyl's sequence over 0..1: spread evenly, the same in every run.
fn weyl(n: usize) -> f64 {
    (n as f64 * 0.618_033_988_749_894_9).fract()
}

/// A large shop: masses from 15 g to 4 kg, log-evenly, in 200 categories; a tenth varies by nature.
fn large_shop() -> Catalogue {
    let product = |i: usize| {
        let mean_g = 15.0 * (5.6 * weyl(i)).exp();
        let varies = i.is_multiple_of(10);
        let sd_g = mean_g * if varies { 0.1 } else { 0.01 };
        Product {
            id: format!("p{i}").parse().expect("an identifier"),
            code: format!("{i:014}"),
            name: format!("Product {i}"),
            kind: if varies { Kind::Varying } else { Kind::Piece },
            price_minor: 50 + (i % 900) as i64,
            weight: WeightBelief { mean_g, sd_g, mean_sd_g: 0.1 * sd_g, source: WeightSource::Learned },
            look_group: None,
            category: Some(format!("c{}", i % 200)),
            risk: Risk::Normal,
            popularity: 1.0 / (1.0 + weyl(7 * i) * 1000.0),
            terms: Terms::default(),
        }
    };
    Catalogue::new((0..PRODUCTS).map(product).collect())
}

const DIMENSIONS: usize = 256;
const SPACE: &str = "invented";

/// A direction of its own for each number.
fn direction(number: u64) -> Vec<f32> {
    let mut state = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut uniform = || {
        // Xorshift (Marsaglia 2003), 64 bits.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u32 << 24) as f32 - 0.5
    };
    unit((0..DIMENSIONS).map(|_| uniform() + uniform()).collect())
}

fn unit(values: Vec<f32>) -> Vec<f32> {
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.into_iter().map(|v| v / norm).collect()
}

/// View `view` of a product: a cosine of 0.6 to any other view of it.
fn view(product: usize, view: usize) -> Vec<f32> {
    let (own, aside) = (direction(product as u64), direction(((product * 64 + view) as u64) + (1 << 32)));
    unit(own.iter().zip(&aside).map(|(o, a)| 0.77 * o + 0.64 * a).collect())
}

/// Twelve views of each product of the large shop, packed as in the daemon's file.
fn looks() -> Gallery {
    let mut numbers: Vec<usize> = (0..PRODUCTS).collect();
    numbers.sort_by_key(|i| format!("p{i}"));
    let (mut builder, mut vectors) = (Builder::default(), Vec::new());
    for i in numbers {
        let enrolled = (0..ENROLLED_MAX).map(|k| LookVector::quantise(&view(i, k))).collect();
        let id = format!("p{i}").parse().expect("an identifier");
        assert!(builder.add(&id, &LookSet { enrolled, learned: Vec::new() }, &mut vectors));
    }
    let calibration = LookCalibration { a: 13.972, b: -4.1435, curve: Vec::new() };
    let (tail, head) = builder.finish(&vectors, SPACE, &calibration, LookMark::default());
    let block = [head.to_bytes(), vectors, tail].concat();
    println!("looks: {:.1} MB", block.len() as f64 / 1e6);
    let packed = Packed::new(Arc::new(block), head).expect("a sound block");
    Gallery::packed(SPACE, calibration, packed).expect("of its own space")
}

/// A look at a basket: a crop of most things that lie there, also of one that was not scanned.
fn scene(products: impl Iterator<Item = usize>) -> Scene {
    let crop = |i: usize| Crop {
        camera: 0,
        box_px: [0.0, 0.0, 64.0, 64.0],
        score: 0.9,
        embedding: Embedding::new(view(i, 63)).expect("of unit length"),
    };
    Scene {
        cameras: vec!["top".to_owned()],
        missing: Vec::new(),
        captured: Mono::default(),
        crops: products.map(crop).collect(),
        quality: Quality { brightness: 120.0, sharpness: 80.0 },
        space_id: SPACE.to_owned(),
    }
}

/// Baskets of so many lines, right ones and wrong ones by turns, judged one after the other.
fn judge_baskets(catalogue: &Catalogue, lines: usize, gallery: Option<&Gallery>) {
    let tare = [ContainerBelief::of_kind("trolley", 22_000.0, 35.0)];
    let (bag, policy) = (BagBelief::usual(), Policy::usual(0.05, 6.0, 3));
    let baskets = if gallery.is_some() { 400 } else { 2_000 };
    let mut us: Vec<f64> = (0..baskets)
        .map(|n| {
            let codes: Vec<(Code, u32)> = (0..lines)
                .map(|i| (Code::Gtin(format!("{:014}", (n * 131 + i * 617) % PRODUCTS)), 1 + (i % 3 == 0) as u32))
                .collect();
            let line = |(code, quantity): &(Code, u32)| {
                let Code::Gtin(code) = code else { unreachable!("all are GTINs") };
                augenmass_core::basket::Line { code: code.clone(), quantity: *quantity, scanned_at: None }
            };
            let basket = Basket {
                revision: 1,
                source: Source::App,
                containers: vec![Container { kind: ContainerKind::Trolley, id: None }],
                bags: Bags { count: 1, grams: None },
                shopper: None,
                lines: codes.iter().map(line).collect(),
            };
            // Every second one is off by an article, every fourth by a few sigma.
            let off_g = [0.0, 15.0 * (5.6 * weyl(n)).exp(), 120.0, -600.0 * weyl(n)][n % 4];
            let lying = (0..lines).filter(|i| i % 4 < 3).map(|i| (n * 131 + i * 617) % PRODUCTS);
            let scene = gallery.map(|_| scene(lying.chain([n * 37 % PRODUCTS])));
            let start = Instant::now();
            let expected = Expected::new(&basket, &codes, catalogue, &tare, &bag);
            let evidence = Evidence {
                measured: Mass::from_g_saturating(expected.mean_g + off_g),
                sigma: Mass::from_mg(4_000),
                scene: scene.as_ref(),
                expected: &expected,
                catalogue,
                steps: &[],
                guesses: &[],
                bag: &bag,
                gallery,
                corrections: 0,
            };
            black_box(judge(&evidence, &policy));
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    us.sort_by(f64::total_cmp);
    let at = |share: f64| us[(share * (us.len() - 1) as f64) as usize];
    println!(
        "{lines} lines of {PRODUCTS} products{}: median {:.0} us, 99 % {:.0} us, most {:.0} us",
        if gallery.is_some() { ", with eyes" } else { "" },
        at(0.5),
        at(0.99),
        at(1.0)
    );
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
