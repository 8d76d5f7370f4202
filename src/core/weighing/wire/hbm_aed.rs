//! HBM digital load cells (AED, FIT, AD10x, WE2107): converter digits, binary or in ASCII, each value followed by CR LF.
//!
//! The command `COF` chooses the format. Binary: 0 and 8 four bytes, most significant first, 4 and 12 least significant first
//! (24 bits of digits; the fourth byte is 0, with 8 and 12 a status); 2 and 6 two bytes. ASCII: 1 to 11 odd,
//! `value(8)[,address(2)][,status(3)]`. +16 bus mode, +128 stream after a reset. There is no checksum, and a binary value may
//! itself contain CR LF: frames are told apart by their length, and after damage not before the line has been quiet or two
//! frames stand where only frames can.
//! Sources: AD104 manual, page 21 (COF); AD101B manual, page 80, and WE2107 manual, page 65 (status).

use super::window::Window;
use super::{Decimal, ErrorKind, Event, Reason, WireOptions};
use serde::{Deserialize, Serialize};

/// Four frames of the longest binary format; an ASCII line has at most 17 bytes.
const HELD_MAX: usize = 24;
/// Value, address, status with their commas, CR LF.
const LINE_MAX: usize = 17;

/// Asks for one value.
pub fn request_value() -> Vec<u8> {
    b"MSV?;".to_vec()
}

/// Asks for values without end.
pub fn request_stream() -> Vec<u8> {
    b"MSV?0;".to_vec()
}

/// Ends the stream.
pub fn request_stop() -> Vec<u8> {
    b"STP;".to_vec()
}

/// Selects one device on a bus, 0..=31; 98 is all of them.
pub fn select(address: u8) -> Vec<u8> {
    format!("S{:02};", address % 100).into_bytes()
}

/// Chooses the output format; answered by `0⏎` ([`Event::Ack`]).
pub fn choose(format: Format) -> Vec<u8> {
    format!("COF{};", format.cof).into_bytes()
}

/// What a load cell was told to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The number that the command `COF` was given; 8 if it is left out.
    #[serde(default)]
    pub cof: Format,
    /// Whose status bits.
    #[serde(default)]
    pub status: StatusBits,
}

/// An output format by the number of the command `COF`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Format {
    cof: u8,
    layout: Layout,
}

impl Default for Format {
    /// COF8: four bytes, most significant first, with status.
    fn default() -> Self {
        Self { cof: 8, layout: Layout::Four { lsb_first: false, status: true } }
    }
}

/// A number of `COF` that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Without CR LF nothing shows where a frame ends, so that one lost byte would shift all that follow.
    #[error("COF{0} sends no CR LF: frames could not be told apart after a lost byte")]
    NoEnd(u8),
    /// Not in the manuals.
    #[error("COF{0} is not known")]
    Unknown(u8),
}

impl TryFrom<u8> for Format {
    type Error = FormatError;

    fn try_from(cof: u8) -> Result<Self, FormatError> {
        let four = |lsb_first, status| Layout::Four { lsb_first, status };
        let layout = match cof & !(16 | 128) {
            0 => four(false, false),
            4 => four(true, false),
            8 => four(false, true),
            12 => four(true, true),
            2 => Layout::Two { lsb_first: false },
            6 => Layout::Two { lsb_first: true },
            1 | 3 | 5 | 7 | 9 | 11 => Layout::Ascii,
            other if other & 32 != 0 => return Err(FormatError::NoEnd(cof)),
            _ => return Err(FormatError::Unknown(cof)),
        };
        Ok(Self { cof, layout })
    }
}

impl From<Format> for u8 {
    fn from(format: Format) -> Self {
        format.cof
    }
}

/// The meaning of status bits, which differs from device to device; standstill is bit 3 in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusBits {
    /// WE2107: 1 out of range, 2 gross, 7 error.
    #[default]
    We2107,
    /// AD101B and kin: 0 net overflow, 1 gross overflow, 2 converter overflow; 4 to 7 limits and trigger.
    Ad10x,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Four { lsb_first: bool, status: bool },
    Two { lsb_first: bool },
    Ascii,
}

impl Layout {
    /// Bytes of a binary frame with its CR LF; `None` for ASCII.
    const fn width(self) -> Option<usize> {
        match self {
            Self::Four { .. } => Some(6),
            Self::Two { .. } => Some(4),
            Self::Ascii => None,
        }
    }
}

/// Tried, in this order, when nothing says what comes.
const USUAL: [Layout; 3] =
    [Layout::Four { lsb_first: false, status: true }, Layout::Two { lsb_first: false }, Layout::Ascii];

/// Takes values out of a stream of bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    layout: Option<Layout>,
    bits: StatusBits,
    window: Window<HELD_MAX>,
    /// Whether the window begins where a frame begins.
    aligned: bool,
    /// Set while a run of bytes that belong to nothing has been told.
    noisy: bool,
}

impl Decoder {
    /// With the output that a station file says. Left out, the format is recognised: for tools that look at an unknown
    /// device, not for weighing, because the digits of the formats have different scales.
    pub fn new(options: &WireOptions) -> Self {
        let layout = options.hbm.map(|output| output.cof.layout);
        let bits = options.hbm.map(|output| output.status).unwrap_or_default();
        Self { layout, bits, window: Window::new(), aligned: false, noisy: false }
    }

    /// Takes bytes as they come and tells every event to `out`. The first value, and the first after damage, is told when the
    /// next one or a pause has shown where it ends.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            self.window.take(byte);
            self.judge(out);
        }
    }

    /// The line has been quiet for longer than a frame may pause: what is held ends where a frame ends, or is half a frame.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        self.aligned = match self.window.held() {
            [] => true,
            b"0\r\n" if !self.noisy => {
                out(Event::Ack);
                true
            }
            b"?\r\n" if !self.noisy => {
                out(Event::Nak);
                true
            }
            _ => self.quiet(out),
        };
        self.window.clear();
        self.noisy = false;
    }

    /// Reads what is held: at its end binary frames, or nothing. Whether there were any.
    fn quiet(&mut self, out: &mut dyn FnMut(Event)) -> bool {
        let length = self.window.held().len();
        let ends = |layout: Layout| {
            let width = layout.width()?;
            // What stands before the frames is damage, but where a frame was to begin it is no frame.
            let spare = length % width;
            let frames = &self.window.held()[spare..];
            let whole = !frames.is_empty() && shape(frames, layout, length / width) != Shape::Not;
            (whole && (spare == 0 || !self.aligned)).then_some((layout, spare))
        };
        let Some((layout, spare)) = candidates(self.layout).find_map(ends) else {
            out(Event::Error { kind: ErrorKind::Partial });
            return false;
        };
        if spare > 0 && !self.noisy {
            out(Event::Error { kind: ErrorKind::Framing });
        }
        self.window.forget(spare);
        self.layout = Some(layout);
        while !self.window.is_empty() {
            self.tell(layout, out);
        }
        true
    }

    fn judge(&mut self, out: &mut dyn FnMut(Event)) {
        while !self.window.is_empty() {
            match self.front() {
                (Shape::More, _) => return,
                (Shape::Fits, layout) => {
                    self.layout = Some(layout);
                    self.aligned = true;
                    self.noisy = false;
                    self.tell(layout, out);
                }
                (Shape::Not, _) => {
                    if !self.noisy {
                        out(Event::Error { kind: ErrorKind::Framing });
                    }
                    self.window.forget(1);
                    self.noisy = true;
                    self.aligned = false;
                }
            }
        }
    }

    /// What the front of the window is, and in which layout.
    fn front(&self) -> (Shape, Layout) {
        let held = self.window.held();
        if let Some(layout) = self.layout.filter(|_| self.aligned) {
            return (shape(held, layout, 1), layout);
        }
        let mut found = (Shape::Not, Layout::Ascii);
        for layout in candidates(self.layout) {
            match shape(held, layout, 2) {
                Shape::Fits if is_unambiguous(held, layout) => return (Shape::Fits, layout),
                Shape::Fits | Shape::More if !self.window.is_full() => found = (Shape::More, layout),
                Shape::Fits | Shape::More | Shape::Not => {}
            }
        }
        found
    }

    /// Tells the frame at the front, which is whole.
    fn tell(&mut self, layout: Layout, out: &mut dyn FnMut(Event)) {
        let held = self.window.held();
        let length = layout.width().or_else(|| line_length(held)).unwrap_or(held.len());
        let payload = &held[..length.saturating_sub(2)];
        let event = match (layout, payload) {
            (Layout::Four { lsb_first, status }, &[a, b, c, d]) => {
                let bytes = [a, b, c, d];
                four(if lsb_first { i32::from_le_bytes(bytes) } else { i32::from_be_bytes(bytes) }, status, self.bits)
            }
            (Layout::Two { lsb_first }, &[a, b]) => {
                Some(two(if lsb_first { i16::from_le_bytes([a, b]) } else { i16::from_be_bytes([a, b]) }))
            }
            (Layout::Ascii, line) => ascii(line, self.bits),
            (Layout::Four { .. } | Layout::Two { .. }, _) => None,
        };
        out(event.unwrap_or(Event::Error { kind: ErrorKind::Syntax }));
        self.window.forget(length);
    }
}

fn candidates(layout: Option<Layout>) -> impl Iterator<Item = Layout> {
    USUAL.into_iter().filter(move |_| layout.is_none()).chain(layout)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// So far.
    More,
    Fits,
    Not,
}

/// Whether `held` begins with so many frames, by their ends. A line in ASCII is so strict that one always suffices.
fn shape(held: &[u8], layout: Layout, frames: usize) -> Shape {
    let Some(width) = layout.width() else { return line_shape(held) };
    let end = |at: usize| match at % width {
        place if place == width - 2 => Some(b'\r'),
        place if place == width - 1 => Some(b'\n'),
        _ => None,
    };
    let whole = frames * width;
    if held.iter().take(whole).enumerate().any(|(at, byte)| end(at).is_some_and(|end| end != *byte)) {
        Shape::Not
    } else if held.len() < whole {
        Shape::More
    } else {
        Shape::Fits
    }
}

/// Whether no value among the first two frames could be taken for the end of one.
fn is_unambiguous(held: &[u8], layout: Layout) -> bool {
    let ends = |bytes: &[u8]| bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    layout.width().is_none_or(|width| ends(&held[..2 * width]) == 2)
}

fn line_shape(held: &[u8]) -> Shape {
    match line_length(held) {
        // The answer to a command; binary values may begin like it, so that only quiet makes it one.
        _ if [&b"0\r\n"[..], b"?\r\n"].iter().any(|answer| answer.starts_with(held)) => Shape::More,
        None if held.len() < LINE_MAX && held.iter().all(|b| b" +-,\r".contains(b) || b.is_ascii_digit()) => {
            Shape::More
        }
        Some(length) if held[..length].ends_with(b"\r\n") && line(&held[..length - 2]).is_some() => Shape::Fits,
        None | Some(_) => Shape::Not,
    }
}

/// Length of the line at the front with its end, if that is here.
fn line_length(held: &[u8]) -> Option<usize> {
    held.iter().position(|b| *b == b'\n').map(|at| at + 1)
}

/// Digits and status of `value(8)[,address(2)][,status(3)]`.
fn line(line: &[u8]) -> Option<(i32, Option<u8>)> {
    let (value, rest) = line.split_first_chunk::<8>()?;
    let value = Decimal::parse(std::str::from_utf8(value).ok()?).filter(|value| value.decimals == 0)?;
    let status = match rest {
        [] | [b',', _, _] => None,
        [b',', status @ ..] if status.len() == 3 => Some(status),
        [b',', _, _, b',', status @ ..] if status.len() == 3 => Some(status),
        _ => return None,
    };
    let status = match status {
        None => None,
        Some(digits) if digits.iter().all(u8::is_ascii_digit) => Some(std::str::from_utf8(digits).ok()?.parse().ok()?),
        Some(_) => return None,
    };
    Some((i32::try_from(value.mantissa).ok()?, status))
}

fn ascii(text: &[u8], bits: StatusBits) -> Option<Event> {
    line(text).map(|(digits, status)| told(digits, status, bits))
}

/// Four bytes: 24 bits of digits, and a status or nothing.
fn four(word: i32, status: bool, bits: StatusBits) -> Option<Event> {
    let [.., low] = word.to_be_bytes();
    match word >> 8 {
        _ if !status && low != 0 => None,
        0x7f_ffff => Some(Event::Unavailable { reason: Reason::Overload }),
        -0x80_0000 => Some(Event::Unavailable { reason: Reason::Underload }),
        digits => Some(told(digits, status.then_some(low), bits)),
    }
}

fn two(digits: i16) -> Event {
    match digits {
        i16::MAX => Event::Unavailable { reason: Reason::Overload },
        i16::MIN => Event::Unavailable { reason: Reason::Underload },
        digits => Event::Digits { digits: i32::from(digits), status: None, stable: None },
    }
}

fn told(digits: i32, status: Option<u8>, bits: StatusBits) -> Event {
    let is = |mask| status.is_some_and(|status| status & mask != 0);
    let reason = match bits {
        StatusBits::We2107 if is(1 << 7) => Some(Reason::Device),
        StatusBits::We2107 if is(1 << 1) => Some(Reason::OutOfRange),
        StatusBits::Ad10x if is(0b111) => Some(Reason::Overload),
        StatusBits::We2107 | StatusBits::Ad10x => None,
    };
    match reason {
        Some(reason) => Event::Unavailable { reason },
        None => Event::Digits { digits, status, stable: status.map(|_| is(1 << 3)) },
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{each_split, hex};
    use super::*;

    fn decode_as(cof: Option<u8>, bytes: &[u8]) -> Vec<Event> {
        let output = |cof| Output { cof: Format::try_from(cof).unwrap(), status: StatusBits::We2107 };
        let options = WireOptions { hbm: cof.map(output), ..WireOptions::default() };
        each_split(bytes, || Decoder::new(&options), Decoder::push, Decoder::pause)
    }

    fn digits(digits: i32, status: Option<u8>) -> Event {
        Event::Digits { digits, status, stable: status.map(|s| s & 8 != 0) }
    }

    const FRAMING: Event = Event::Error { kind: ErrorKind::Framing };
    const PARTIAL: Event = Event::Error { kind: ErrorKind::Partial };

    #[test]
    fn four_bytes_with_status() {
        for cof in [None, Some(8), Some(8 + 16), Some(8 + 128)] {
            assert_eq!(decode_as(cof, &hex("01 86 A0 0C 0D 0A")), [digits(100_000, Some(0x0c))]);
            assert_eq!(decode_as(cof, &hex("FF FC 18 00 0D 0A")), [digits(-1000, Some(0))]);
            let two = hex("01 86 A0 0C 0D 0A FF FC 18 00 0D 0A");
            assert_eq!(decode_as(cof, &two), [digits(100_000, Some(0x0c)), digits(-1000, Some(0))]);
        }
    }

    #[test]
    fn other_binary_formats() {
        assert_eq!(decode_as(Some(0), &hex("01 86 A0 00 0D 0A")), [digits(100_000, None)]);
        assert_eq!(decode_as(Some(4), &hex("00 A0 86 01 0D 0A")), [digits(100_000, None)]);
        assert_eq!(decode_as(Some(12), &hex("0C A0 86 01 0D 0A")), [digits(100_000, Some(0x0c))]);
        assert_eq!(decode_as(Some(2), &hex("FC 18 0D 0A")), [digits(-1000, None)]);
        assert_eq!(decode_as(None, &hex("FC 18 0D 0A 4E 20 0D 0A")), [digits(-1000, None), digits(20_000, None)]);
        assert_eq!(decode_as(Some(6), &hex("18 FC 0D 0A")), [digits(-1000, None)]);
        let syntax = [Event::Error { kind: ErrorKind::Syntax }];
        assert_eq!(decode_as(Some(0), &hex("01 86 A0 0C 0D 0A")), syntax, "the fourth byte of COF0 is zero");
    }

    #[test]
    fn the_ends_of_the_range_are_no_digits() {
        let reason = |reason| [Event::Unavailable { reason }];
        assert_eq!(decode_as(Some(2), &hex("7F FF 0D 0A")), reason(Reason::Overload));
        assert_eq!(decode_as(None, &hex("80 00 0D 0A")), reason(Reason::Underload));
        assert_eq!(decode_as(Some(8), &hex("7F FF FF 08 0D 0A")), reason(Reason::Overload));
        assert_eq!(decode_as(Some(4), &hex("00 00 00 80 0D 0A")), reason(Reason::Underload));
        assert_eq!(decode_as(Some(8), &hex("01 86 A0 0A 0D 0A")), reason(Reason::OutOfRange));
        assert_eq!(decode_as(Some(8), &hex("01 86 A0 88 0D 0A")), reason(Reason::Device));
        let ad10x = Output { cof: Format::try_from(8).unwrap(), status: StatusBits::Ad10x };
        let options = WireOptions { hbm: Some(ad10x), ..WireOptions::default() };
        let overflow = hex("01 86 A0 0C 0D 0A");
        let events = each_split(&overflow, || Decoder::new(&options), Decoder::push, Decoder::pause);
        assert_eq!(events, reason(Reason::Overload), "bit 2 is the converter's overflow there");
    }

    #[test]
    fn values_that_contain_ends_of_frames() {
        let tricky = hex("01 0D 0A 0C 0D 0A");
        let told = digits(0x01_0d0a, Some(0x0c));
        for cof in [None, Some(8)] {
            assert_eq!(decode_as(cof, &tricky), std::slice::from_ref(&told));
            assert_eq!(
                decode_as(cof, &[&tricky[..], &tricky, &tricky].concat()),
                [told.clone(), told.clone(), told.clone()]
            );
        }
        let plain = hex("01 86 A0 0C 0D 0A 01 86 A0 0C 0D 0A");
        let events = decode_as(Some(8), &[&plain[..], &tricky, &tricky].concat());
        assert_eq!(events[2..], [told.clone(), told]);
    }

    #[test]
    fn joined_in_the_middle_no_digits_are_made_up() {
        let stream = hex("01 86 A0 0C 0D 0A").repeat(3);
        for start in 1..6 {
            let events = decode_as(Some(8), &stream[start..]);
            assert_eq!(events, [FRAMING, digits(100_000, Some(0x0c)), digits(100_000, Some(0x0c))], "from {start}");
        }
        // Without end, each frame looks like one at two places: none is believed until the line is quiet.
        let tricky = hex("01 0D 0A 0C 0D 0A").repeat(3);
        for start in 1..6 {
            let events = decode_as(Some(8), &tricky[start..]);
            assert_eq!(events.first(), Some(&FRAMING), "from {start}");
            assert!(events[1..].iter().all(|e| *e == digits(0x01_0d0a, Some(0x0c))), "from {start}: {events:?}");
        }
    }

    #[test]
    fn damage_costs_little() {
        let mut short = hex("01 86 A0 0C 0D 0A");
        short.remove(2);
        let good = hex("01 86 A0 0C 0D 0A");
        let stream = [&good[..], &good, &short, &good, &good].concat();
        let events = decode_as(Some(8), &stream);
        let one = digits(100_000, Some(0x0c));
        assert_eq!(events, [one.clone(), one.clone(), FRAMING, one.clone(), one.clone()]);
        assert_eq!(decode_as(Some(8), &good[..5]), [PARTIAL]);
        assert_eq!(decode_as(Some(8), &[&[0x41; 500], &good[..]].concat()), [FRAMING, one]);
    }

    #[test]
    fn lines_in_ascii_and_answers() {
        for cof in [None, Some(9)] {
            assert_eq!(decode_as(cof, b" 0100000,01,012\r\n"), [digits(100_000, Some(12))]);
            assert_eq!(decode_as(cof, b"-0001000\r\n 0000007,008\r\n"), [digits(-1000, None), digits(7, Some(8))]);
            assert_eq!(decode_as(cof, b"-0001000,31\r\n"), [digits(-1000, None)]);
        }
        for cof in [None, Some(8), Some(3)] {
            assert_eq!(decode_as(cof, b"0\r\n"), [Event::Ack]);
            assert_eq!(decode_as(cof, b"?\r\n"), [Event::Nak]);
        }
        for line in ["-001000\r\n", "-0001000,1\r\n", "-0001000,01,999\r\n", "-000100a\r\n"] {
            let events = decode_as(Some(9), line.as_bytes());
            assert!(events.iter().all(|e| matches!(e, Event::Error { .. })), "{line:?} {events:?}");
        }
    }

    #[test]
    fn commands_and_formats() {
        assert_eq!(request_value(), hex("4D 53 56 3F 3B"));
        assert_eq!(request_stream(), hex("4D 53 56 3F 30 3B"));
        assert_eq!(select(1), hex("53 30 31 3B"));
        assert_eq!(choose(Format::try_from(8).unwrap()), hex("43 4F 46 38 3B"));
        assert_eq!(Format::try_from(40), Err(FormatError::NoEnd(40)));
        assert_eq!(Format::try_from(10), Err(FormatError::Unknown(10)));
        assert!(serde_json::from_str::<Output>(r#"{"cof": 40}"#).is_err());
        assert_eq!(Format::try_from(8), Ok(Format::default()));
    }
}
