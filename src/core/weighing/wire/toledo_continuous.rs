//! Toledo continuous output: about seven frames a second of 17 bytes, or 18 with a checksum.
//!
//! `STX SWA SWB SWC weight(6) tare(6) CR [CHK]`, digits without sign and point. SWA bits 0-2 say where the point is (2 none,
//! 5 `XXX.XXX`; 0 and 1 add zeros), 3-4 the increment, 5 always 1. SWB: 0 net, 1 negative, 2 out of range (the digits mean
//! nothing), 3 motion, 4 kg else lb, 5 always 1 (Fairbanks: 0), 6 started and not zeroed. SWC bits 0-2 name another unit,
//! 4 tenfold resolution, 5 always 1. CHK makes the sum of all bytes a multiple of 128.
//! Sources: Wildcat user's manual, page 40; KERN FTC, page 42; TS-700 owner's manual, page 13 (SWC).

use super::text::weigh;
use super::window::Window;
use super::{Decimal, ErrorKind, Event, MassUnit, Reason, WeightKind, WireOptions};

const STX: u8 = 0x02;
const CR: u8 = 0x0d;
/// Without the checksum.
const FRAME: usize = 17;

/// Whether frames end with a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    With,
    Without,
    /// Not said: the byte behind a frame tells. Once a checksum has fitted, frames without one are believed no more.
    Unknown,
}

/// Takes frames out of a stream of bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    unit: Option<MassUnit>,
    check: Check,
    window: Window<{ FRAME + 1 }>,
    /// Set while the only byte held is an `STX` that also fits as the checksum of the frame before it.
    either: bool,
    /// Set while a run of bytes that belong to nothing has been told.
    noisy: bool,
}

/// What the bytes at the front of the window are.
enum Front {
    Incomplete,
    /// A frame of so many bytes.
    Frame(usize),
    /// A frame without its checksum, the next one behind it.
    Damaged,
    Noise,
    /// A second `STX`: the frame begins there.
    Again,
}

impl Decoder {
    /// `options.checksum` says whether frames have one; left out, the stream shows it.
    pub fn new(options: &WireOptions) -> Self {
        let check = match options.checksum {
            Some(true) => Check::With,
            Some(false) => Check::Without,
            None => Check::Unknown,
        };
        Self { unit: options.unit, check, window: Window::new(), either: false, noisy: false }
    }

    /// Takes bytes as they come and tells every event to `out`. Where it is not known whether there are checksums, a frame
    /// is told with the first byte behind it.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            self.window.take(byte);
            self.either = false;
            self.judge(out);
        }
    }

    /// The line has been quiet for longer than a frame may pause: what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        match self.window.held() {
            [] => {}
            _ if self.either => {}
            frame if frame.len() == FRAME && self.check == Check::Unknown => self.tell(FRAME, out),
            _ => out(Event::Error { kind: ErrorKind::Partial }),
        }
        self.window.clear();
        self.either = false;
        self.noisy = false;
    }

    fn judge(&mut self, out: &mut dyn FnMut(Event)) {
        while let Some(&first) = self.window.held().first() {
            match self.front() {
                Front::Incomplete => return,
                Front::Frame(length) => self.tell(length, out),
                Front::Again => self.window.forget(1),
                Front::Damaged => {
                    out(Event::Error { kind: ErrorKind::Checksum });
                    self.window.forget(1);
                    self.noisy = true;
                }
                Front::Noise => {
                    if !self.noisy {
                        // The byte that spoils a frame is its newest.
                        let newest = self.window.held().last().copied().unwrap_or(first);
                        let kind = if newest > 0x7f { ErrorKind::Parity } else { ErrorKind::Framing };
                        out(Event::Error { kind });
                    }
                    self.window.forget(1);
                    self.noisy = true;
                }
            }
        }
    }

    fn front(&mut self) -> Front {
        let bytes = self.window.held();
        if let [STX, STX, ..] = bytes {
            return Front::Again;
        }
        if bytes.iter().take(FRAME).enumerate().any(|(at, byte)| !fits(at, *byte)) {
            return Front::Noise;
        }
        if bytes.len() < FRAME {
            return Front::Incomplete;
        }
        let check = bytes.get(FRAME);
        let sums_up = bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) & 0x7f == 0;
        match (self.check, check) {
            (Check::Without, _) => Front::Frame(FRAME),
            (Check::With | Check::Unknown, None) => Front::Incomplete,
            (Check::With, Some(byte)) if sums_up && *byte < 0x80 => Front::Frame(FRAME + 1),
            // A checksum may have the value of `STX`; then this frame does not show whether there are any.
            (Check::Unknown, Some(&STX)) => {
                self.either = sums_up;
                Front::Frame(FRAME)
            }
            (Check::Unknown, Some(byte)) if sums_up && *byte < 0x80 => {
                self.check = Check::With;
                Front::Frame(FRAME + 1)
            }
            (Check::With | Check::Unknown, Some(_)) => Front::Damaged,
        }
    }

    /// The first `length` bytes are a frame.
    fn tell(&mut self, length: usize, out: &mut dyn FnMut(Event)) {
        if let Some(frame) = self.window.held().first_chunk::<FRAME>()
            && read(frame, self.unit, out).is_none()
        {
            out(Event::Error { kind: ErrorKind::Syntax });
        }
        self.window.forget(length);
        self.noisy = false;
    }
}

/// Whether a byte may stand at a place of a frame.
const fn fits(at: usize, byte: u8) -> bool {
    match at {
        0 => byte == STX,
        1 => byte & 0b1110_0000 == 0b0010_0000,
        2 => byte < 0x80,
        3 => byte & 0b1010_0000 == 0b0010_0000,
        16 => byte == CR,
        // Digits; other characters of print are for `read` to refuse, unless flags make them meaningless.
        _ => 0x20 <= byte && byte < 0x7f,
    }
}

/// Tells what a frame says; `None` and nothing told if it makes no sense.
fn read(frame: &[u8; FRAME], unit: Option<MassUnit>, out: &mut dyn FnMut(Event)) -> Option<()> {
    let [_, swa, swb, swc, digits @ .., _] = frame;
    let is = |bit: u8| swb >> bit & 1 == 1;
    let reason = if is(6) {
        Some(Reason::NotZeroed)
    } else if is(2) {
        Some(Reason::OutOfRange)
    } else {
        None
    };
    if let Some(reason) = reason {
        out(Event::Unavailable { reason });
        return Some(());
    }
    // In tenfold resolution the sources do not agree on where the point is.
    if swc >> 4 & 1 == 1 {
        return None;
    }
    let (weight, tare) = digits.split_at(6);
    let weight = number(weight, swa & 0b111)?;
    let named = match (swc & 0b111, is(4)) {
        (0, true) => "kg",
        (0, false) => "lb",
        (1, _) => "g",
        (2, _) => "t",
        (3, _) => "oz",
        _ => return None,
    };
    let sign = if is(1) { -1 } else { 1 };
    let kind = if is(0) { WeightKind::Net } else { WeightKind::Gross };
    // Before anything is told: a tare that makes no sense spoils the frame.
    let tare = if is(0) { Some(number(tare, swa & 0b111)?) } else { None };
    let signed = Decimal { mantissa: sign * weight.mantissa, ..weight };
    let event = weigh(signed, named, unit, Some(!is(3)), kind);
    let believed = matches!(event, Event::Weight { .. });
    out(event);
    let tare = tare.filter(|_| believed).and_then(|tare| tare.mass(MassUnit::parse(named)?));
    if let Some(mass) = tare {
        out(Event::Tare { mass });
    }
    Some(())
}

/// Six digits, spaces for leading zeros, with the point where SWA says.
fn number(digits: &[u8], point: u8) -> Option<Decimal> {
    let text = std::str::from_utf8(digits).ok()?.trim_start_matches(' ');
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mantissa = Decimal::parse(text)?.mantissa;
    Some(match point {
        0 => Decimal { mantissa: mantissa * 100, decimals: 0 },
        1 => Decimal { mantissa: mantissa * 10, decimals: 0 },
        point => Decimal { mantissa, decimals: point - 2 },
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{each_split, hex};
    use super::*;
    use crate::units::Mass;

    fn decode_as(checksum: Option<bool>, bytes: &[u8]) -> Vec<Event> {
        let options = WireOptions { checksum, ..WireOptions::default() };
        each_split(bytes, || Decoder::new(&options), Decoder::push, Decoder::pause)
    }

    fn frame(status: [u8; 3], digits: &str) -> Vec<u8> {
        [&[STX][..], &status, digits.as_bytes(), &[CR]].concat()
    }

    fn checked(status: [u8; 3], digits: &str) -> Vec<u8> {
        let mut frame = frame(status, digits);
        // By the manuals: two's complement of the low seven bits of the sum.
        let sum: u32 = frame.iter().map(|b| u32::from(*b)).sum();
        frame.push(((!sum & 0x7f) + 1) as u8 & 0x7f);
        frame
    }

    fn weight(mg: i64, stable: bool, kind: WeightKind) -> Event {
        Event::Weight { mass: Mass::from_mg(mg), stable: Some(stable), kind }
    }

    const GOOD: &str = "02 2D 30 20 30 31 32 33 34 35 30 30 30 30 30 30 0D 25";

    fn good() -> Event {
        weight(12_345_000, true, WeightKind::Gross)
    }

    #[test]
    fn frames_by_the_manual_with_and_without_checksum() {
        for checksum in [None, Some(true)] {
            assert_eq!(decode_as(checksum, &hex(GOOD)), [good()]);
            let net = hex("02 2D 31 20 30 31 32 30 30 30 30 30 30 33 34 35 0D 24");
            let tare = Event::Tare { mass: Mass::from_mg(345_000) };
            assert_eq!(decode_as(checksum, &net), [weight(12_000_000, true, WeightKind::Net), tare]);
            assert_eq!(decode_as(checksum, &[hex(GOOD), hex(GOOD)].concat()), [good(), good()]);
        }
        for checksum in [None, Some(false)] {
            let bare = &hex(GOOD)[..FRAME];
            assert_eq!(decode_as(checksum, bare), [good()]);
            assert_eq!(decode_as(checksum, &[bare, bare].concat()), [good(), good()]);
        }
        let partial = Event::Error { kind: ErrorKind::Partial };
        assert_eq!(decode_as(Some(true), &hex(GOOD)[..FRAME]), [partial]);
    }

    #[test]
    fn sign_motion_point_and_unit_stand_in_the_status() {
        let told = |status, digits| decode_as(None, &checked(status, digits)).remove(0);
        let gross = WeightKind::Gross;
        assert_eq!(told([0x2d, 0x3a, 0x20], "000020000000"), weight(-20_000, false, gross));
        assert_eq!(told([0x2d, 0x12, 0x20], "000020000000"), weight(-20_000, true, gross), "Fairbanks: bit 5 is 0");
        assert_eq!(told([0x2c, 0x20, 0x20], "000125000000"), weight(566_990, true, gross), "1.25 lb");
        assert_eq!(told([0x2a, 0x30, 0x20], "    12000000"), weight(12_000_000, true, gross), "no decimals");
        assert_eq!(told([0x29, 0x30, 0x20], "000012000000"), weight(120_000_000, true, gross), "a zero is added");
        assert_eq!(told([0x28, 0x30, 0x20], "000012000000"), weight(1_200_000_000, true, gross), "two zeros are");
        assert_eq!(told([0x2b, 0x30, 0x21], "012345000000"), weight(1_234_500, true, gross), "grams");
    }

    #[test]
    fn flags_that_leave_no_weight() {
        let reason = |reason| [Event::Unavailable { reason }];
        let out = hex("02 2D 34 20 30 30 30 30 30 30 30 30 30 30 30 30 0D 30");
        assert_eq!(decode_as(None, &out), reason(Reason::OutOfRange));
        let started = hex("02 2D 70 20 30 30 30 30 30 30 30 30 30 30 30 30 0D 74");
        assert_eq!(decode_as(None, &started), reason(Reason::NotZeroed));
        assert_eq!(decode_as(None, &checked([0x2d, 0x34, 0x20], "------000000")), reason(Reason::OutOfRange));
    }

    #[test]
    fn what_makes_no_sense_is_no_weight() {
        let syntax = [Event::Error { kind: ErrorKind::Syntax }];
        assert_eq!(decode_as(None, &checked([0x2d, 0x30, 0x20], "01 345000000")), syntax);
        assert_eq!(decode_as(None, &checked([0x2d, 0x30, 0x20], "      000000")), syntax);
        assert_eq!(decode_as(None, &checked([0x2d, 0x31, 0x20], "0123450000-1")), syntax, "a tare");
        assert_eq!(decode_as(None, &checked([0x2d, 0x30, 0x30], "012345000000")), syntax, "tenfold resolution");
        assert_eq!(decode_as(None, &checked([0x2d, 0x30, 0x27], "012345000000")), syntax, "a unit of the user's own");
        let options = WireOptions { unit: Some(MassUnit::Kg), ..WireOptions::default() };
        let pounds = checked([0x2d, 0x20, 0x20], "012345000000");
        let told = each_split(&pounds, || Decoder::new(&options), Decoder::push, Decoder::pause);
        assert!(matches!(&told[..], [Event::Number { unit: Some(unit), .. }] if unit == "lb"), "{told:?}");
    }

    #[test]
    fn damage_costs_the_damaged_frame_only() {
        let checksum = Event::Error { kind: ErrorKind::Checksum };
        let framing = Event::Error { kind: ErrorKind::Framing };
        let mut flipped = hex(GOOD);
        flipped[6] ^= 0x04;
        assert_eq!(decode_as(None, &[flipped.clone(), hex(GOOD)].concat()), [checksum.clone(), good()]);
        assert_eq!(decode_as(Some(true), &[flipped, hex(GOOD)].concat()), [checksum.clone(), good()]);
        let mut short = hex(GOOD);
        short.remove(7);
        assert_eq!(decode_as(None, &[short, hex(GOOD)].concat()), [framing, good()]);
        let parity = Event::Error { kind: ErrorKind::Parity };
        assert_eq!(decode_as(None, &[hex("82 2D B0"), hex(GOOD)].concat()), [parity, good()]);
        // Once there was a checksum, a frame that lost its own is not believed.
        let lost = [hex(GOOD), hex(GOOD)[..FRAME].to_vec(), hex(GOOD)].concat();
        assert_eq!(decode_as(None, &lost), [good(), checksum, good()]);
    }

    #[test]
    fn a_checksum_that_looks_like_the_next_frame_is_understood_both_ways() {
        let frame = (0..1_000_000)
            .map(|n| checked([0x2d, 0x30, 0x20], &format!("{n:06}000000")))
            .find(|frame| frame.last() == Some(&STX))
            .unwrap();
        for checksum in [None, Some(true)] {
            let events = decode_as(checksum, &[frame.clone(), frame.clone(), hex(GOOD)].concat());
            assert_eq!(events.len(), 3, "{events:?}");
            assert_eq!(events[2], good());
        }
        assert_eq!(decode_as(None, &frame).len(), 1);
        let bare = [&frame[..FRAME], &frame[..FRAME], &hex(GOOD)[..FRAME]].concat();
        assert_eq!(decode_as(None, &bare).len(), 3);
    }
}
