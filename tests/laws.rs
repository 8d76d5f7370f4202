//! What holds for every codec and every input, whoever makes it: the corpus replay (`tests/corpus.rs`) and the fuzz targets
//! (`fuzz/`) hold decoders to these same laws.
//!
//! An input is one byte that chooses options, one that chooses where the bytes are split, and the bytes. With the upper bit of
//! the second byte they are what a frame carries: a fuzzer cannot guess the check that stands behind it.

use augenmass_core::weighing::wire::hbm_aed::{Format, Output, StatusBits};
use augenmass_core::weighing::wire::registers::{ReadFunction, RegisterMap, WordOrder};
use augenmass_core::weighing::wire::{Decoder, Event, MassUnit, Protocol, WireOptions};

/// Longest that a decoder may be when it is written out, in bytes. The largest by nature, with a register map, has 1.6 kB;
/// one that kept its input would soon be longer.
const DEBUG_MAX: usize = 4096;

/// Fails unless a decoder of this protocol keeps all laws on this input.
pub fn hold(protocol: Protocol, input: &[u8]) {
    let &[choice, split, ref bytes @ ..] = input else { return };
    let options = options(protocol, choice);
    let framed = if split & 0x80 != 0 { frame(protocol, bytes) } else { bytes.to_vec() };
    let bytes = framed.as_slice();
    let mut decoder = Decoder::new(protocol, &options);
    let mut whole = Vec::new();
    decoder.push(bytes, &mut |event| whole.push(event));
    bounded(&decoder);
    decoder.pause(&mut |event| whole.push(event));

    // A frame has at least two bytes and tells at most a reason a bit, or two weights and an error before them.
    assert!(whole.len() <= 4 + 4 * bytes.len(), "{} events from {} bytes", whole.len(), bytes.len());
    assert_eq!(in_chunks(protocol, &options, bytes, split), whole, "split otherwise");
    checked(protocol, &options, bytes, &whole);
    recovers(protocol, &options, decoder);
    with_pauses(protocol, &options, bytes, split);
}

/// The memory of a decoder has nothing to do with what came.
fn bounded(decoder: &Decoder) {
    let length = format!("{decoder:?}").len();
    assert!(length < DEBUG_MAX, "a decoder of {length} characters");
}

fn options(protocol: Protocol, choice: u8) -> WireOptions {
    let of = |shift: u8| usize::from(choice >> shift & 3);
    let output = |cof, status| Format::try_from(cof).ok().map(|cof| Output { cof, status });
    let foreign = RegisterMap {
        function: ReadFunction::Input,
        word_order: WordOrder::LowFirst,
        stable: None,
        ..RegisterMap::laumas()
    };
    WireOptions {
        unit: [None, Some(MassUnit::Kg), Some(MassUnit::G), Some(MassUnit::Lb)][of(0)],
        decimals: [None, Some(0), Some(3), Some(9)][of(2)],
        checksum: [None, Some(true), Some(false), None][of(4)],
        address: None,
        registers: (protocol == Protocol::ModbusLaumas && of(6) == 3).then_some(foreign),
        hbm: [None, output(8, StatusBits::We2107), output(2, StatusBits::We2107), output(9, StatusBits::Ad10x)][of(6)],
    }
}

/// A frame whose check fits around `bytes`, for protocols that have a check; what it says may still make no sense.
fn frame(protocol: Protocol, bytes: &[u8]) -> Vec<u8> {
    let first = |count: usize| bytes.iter().copied().chain([0x30; 16]).take(count).map(|byte| byte & 0x7f);
    match protocol {
        Protocol::Lcb => {
            // Blocks of COBS as this writes them are shorter than 255 bytes.
            let bytes = &bytes[..bytes.len().min(200)];
            let crc = reflected_crc(bytes, 0xedb8_8320, 0xffff_ffff) ^ 0xffff_ffff;
            let payload = [bytes, &crc.to_le_bytes()].concat();
            let blocks = payload.split(|byte| *byte == 0).flat_map(|block| [&[block.len() as u8 + 1], block].concat());
            blocks.chain([0]).collect()
        }
        Protocol::ModbusLaumas | Protocol::ModbusFlintec => {
            let count = if protocol == Protocol::ModbusLaumas { 10 } else { 6 };
            let body: Vec<u8> = [1, 3, count].into_iter().chain(bytes.iter().copied().chain([0; 16])).collect();
            let body = &body[..3 + usize::from(count)];
            let crc = reflected_crc(body, 0xa001, 0xffff) as u16;
            [body, &crc.to_le_bytes()].concat()
        }
        Protocol::ToledoContinuous => {
            let mut frame: Vec<u8> = [2].into_iter().chain(first(15)).chain([13]).collect();
            frame.push(frame.iter().fold(0, |sum: u8, byte| sum.wrapping_sub(*byte)) & 0x7f);
            frame
        }
        Protocol::Cas => {
            let said: Vec<u8> = first(10).collect();
            let bcc = said.iter().fold(0, |x, byte| x ^ byte);
            [&[1, 2], said.as_slice(), &[bcc, 3, 4]].concat()
        }
        Protocol::MtSics | Protocol::Dialog06 | Protocol::Dialog04 | Protocol::Dialog02 => bytes.to_vec(),
        Protocol::Toledo8217 | Protocol::Nci | Protocol::And | Protocol::HbmAed => bytes.to_vec(),
    }
}

/// Pieces of lengths that depend on `seed`; one byte each for 0.
fn pieces(bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let seed = seed & 0x7f;
    let mut state = u32::from(seed);
    let mut rest = bytes;
    std::iter::from_fn(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(u32::from(seed));
        let length = 1 + (state >> 24) as usize % 40;
        let (piece, tail) = rest.split_at(length.min(rest.len()));
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

fn in_chunks(protocol: Protocol, options: &WireOptions, bytes: &[u8], seed: u8) -> Vec<Event> {
    let mut decoder = Decoder::new(protocol, options);
    let mut events = Vec::new();
    for piece in pieces(bytes, seed) {
        decoder.push(piece, &mut |event| events.push(event));
    }
    decoder.pause(&mut |event| events.push(event));
    events
}

/// Pauses in odd places bring no panic, and a second pause tells nothing more.
fn with_pauses(protocol: Protocol, options: &WireOptions, bytes: &[u8], seed: u8) {
    let mut decoder = Decoder::new(protocol, options);
    for piece in pieces(bytes, seed) {
        decoder.push(piece, &mut |_| ());
        decoder.pause(&mut |_| ());
        decoder.pause(&mut |event| panic!("{event:?} out of silence"));
    }
}

/// After a pause a whole frame is understood as by a new decoder, whatever came before.
fn recovers(protocol: Protocol, options: &WireOptions, mut used: Decoder) {
    // A load cell's format that was recognised from the stream stays; no other state outlives a pause.
    if protocol == Protocol::HbmAed && options.hbm.is_none() {
        return;
    }
    let decode = |decoder: &mut Decoder| {
        let mut events = Vec::new();
        decoder.push(good(protocol), &mut |event| events.push(event));
        decoder.pause(&mut |event| events.push(event));
        events
    };
    let told = decode(&mut Decoder::new(protocol, options));
    assert_eq!(decode(&mut used), told, "after what came before");
}

/// A sound frame, from the shared vectors.
const fn good(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Lcb => {
            b"\x04\x01\x01\x01\x04\x40\x42\x0f\x06\x04\x07\x40\xe2\x01\x04\xc1\xd4\x01\x08\xa7\xfe\xff\xff\x9f\x86\x01\
              \x0b\x01\x01\x01\x01\x66\x08\x56\x0f\x05\xea\x00"
        }
        Protocol::MtSics => b"S S     100.00 g\r\n",
        Protocol::Dialog06 | Protocol::Dialog04 | Protocol::Dialog02 => b"\x0202\x1b3\x1b01250\x1b000299\x1b000374\x03",
        Protocol::Toledo8217 => b"\x0201.234\r",
        Protocol::Nci => b"\n0012.34kg\r\n00\r\x03",
        Protocol::ModbusLaumas => b"\x01\x03\x0a\x08\x00\x00\x00\x30\xd4\x00\x00\x30\xd4\x84\xe1",
        Protocol::ModbusFlintec => b"\x01\x03\x06\x00\x00\x30\xd4\x00\x02\xef\x8c",
        Protocol::ToledoContinuous => b"\x02\x2d\x30\x20012345000000\r\x25",
        Protocol::Cas => b"\x01\x02S 01.234kg\x65\x03\x04",
        Protocol::And => b"ST,+001234.5  g\r\n",
        Protocol::HbmAed => b"\x01\x86\xa0\x0c\r\n",
    }
}

/// No mass but from bytes whose check fits: there are no more of them than places in the input where a check fits, found
/// here by brute force and by code that shares nothing with the decoders.
fn checked(protocol: Protocol, options: &WireOptions, bytes: &[u8], events: &[Event]) {
    let windows = |fits: &dyn Fn(&[u8]) -> bool| (0..bytes.len()).filter(|at| fits(&bytes[*at..])).count();
    let sound = match protocol {
        Protocol::Lcb => bytes.split(|byte| *byte == 0).filter(|frame| lcb_fits(frame)).count(),
        Protocol::ModbusLaumas | Protocol::ModbusFlintec => 2 * windows(&modbus_fits),
        Protocol::ToledoContinuous if options.checksum == Some(true) => windows(&|rest| {
            let Some(frame) = rest.get(..18) else { return false };
            frame[0] == 2 && frame[16] == 13 && frame.iter().map(|b| u32::from(*b)).sum::<u32>() % 128 == 0
        }),
        Protocol::Cas => windows(&|rest| {
            let Some(frame) = rest.get(..15) else { return false };
            frame[0] == 1 && frame[2..=12].iter().fold(0, |x, b| x ^ b) == 0 && frame[14] == 4
        }),
        // No checks on the wire but the parity of each byte.
        Protocol::MtSics | Protocol::Dialog06 | Protocol::Dialog04 | Protocol::Dialog02 | Protocol::Toledo8217 => {
            return;
        }
        Protocol::Nci | Protocol::And | Protocol::HbmAed | Protocol::ToledoContinuous => return,
    };
    let masses = events
        .iter()
        .filter(|event| matches!(event, Event::Weight { .. } | Event::Number { .. } | Event::Sample { .. }))
        .count();
    assert!(masses <= sound, "{masses} masses out of {sound} sound frames");
    // Where a delimiter stands between frames, none of them may be lost either. The last one may not have ended.
    let ended = bytes.last() == Some(&0);
    assert!(protocol != Protocol::Lcb || !ended || masses == sound, "{masses} samples of {sound}");
}

fn modbus_fits(rest: &[u8]) -> bool {
    let [1, 3 | 4, count, ..] = rest else { return false };
    // A CRC-16 over data and its own value is zero.
    rest.get(..usize::from(*count) + 5).is_some_and(|frame| reflected_crc(frame, 0xa001, 0xffff) == 0)
}

/// Whether a frame is a whole sample.
fn lcb_fits(mut stuffed: &[u8]) -> bool {
    let mut frame = Vec::new();
    while let [code, rest @ ..] = stuffed {
        let Some((block, tail)) = rest.split_at_checked(usize::from(*code).wrapping_sub(1)) else { return false };
        frame.extend(block);
        stuffed = tail;
        if *code < 255 && !tail.is_empty() {
            frame.push(0);
        }
    }
    let Some((payload, crc)) = frame.split_last_chunk::<4>() else { return false };
    let fits = reflected_crc(payload, 0xedb8_8320, 0xffff_ffff) ^ 0xffff_ffff == u32::from_le_bytes(*crc);
    let channels = payload.get(8).map_or(0, |byte| usize::from(*byte));
    fits && payload.starts_with(&[1, 1]) && (1..=8).contains(&channels) && payload.len() == 12 + 5 * channels
}

/// Bit by bit, least significant first.
fn reflected_crc(bytes: &[u8], polynomial: u32, start: u32) -> u32 {
    bytes.iter().fold(start, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 })
    })
}
