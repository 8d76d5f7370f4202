//! NCI / Weigh-Tronix SCP-01, SCP-02 and ECR, with the Adam MDW and T419S dialects.
//!
//! A letter and CR to the scale; back come `LF weight unit CR LF status CR ETX`, `LF status CR ETX` alone, or `LF ? CR ETX` for
//! what it does not know (`CR ? LF` on a T419S). SCP-02 writes `S` before the status. Status bytes are `0x30 | bits`; from the
//! second on, bit 6 says that another follows. No check but the line's parity.

use super::text::{HELD_MAX, Noise, weigh};
use super::{Decimal, ErrorKind, Event, MassUnit, Reason, WeightKind, WireOptions};

const ETX: u8 = 0x03;
const LF: u8 = 0x0a;
const CR: u8 = 0x0d;

/// `W`: the weight.
pub fn request_weight() -> Vec<u8> {
    b"W\r".to_vec()
}

/// `S`: the status.
pub fn request_status() -> Vec<u8> {
    b"S\r".to_vec()
}

/// `Z`: take zero.
pub fn request_zero() -> Vec<u8> {
    b"Z\r".to_vec()
}

/// `H`: the weight at ten times the resolution.
pub fn request_high_resolution() -> Vec<u8> {
    b"H\r".to_vec()
}

/// `U`: change to the next unit. Whoever sends this has changed what every number means.
pub fn request_change_unit() -> Vec<u8> {
    b"U\r".to_vec()
}

/// `M`: raw counts.
pub fn request_counts() -> Vec<u8> {
    b"M\r".to_vec()
}

/// Where the decoder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between frames.
    Idle,
    /// Behind CR, which may begin a T419S's `CR ? LF`.
    Return,
    /// Behind CR and `?`.
    Question,
    /// Behind the first LF.
    Frame,
}

/// Takes replies out of a stream of bytes. Holds at most one frame.
#[derive(Clone, Debug)]
pub struct Decoder {
    unit: Option<MassUnit>,
    held: Vec<u8>,
    place: Place,
    noise: Noise,
}

impl Decoder {
    /// A decoder between two frames.
    pub fn new(options: &WireOptions) -> Self {
        Self { unit: options.unit, held: Vec::new(), place: Place::Idle, noise: Noise::default() }
    }

    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            match self.place {
                Place::Frame => self.inside(byte, out),
                Place::Idle | Place::Return | Place::Question => self.outside(byte, out),
            }
        }
    }

    /// Tells that the line has been quiet for longer than a frame may pause (50 ms): what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        match self.place {
            Place::Frame if !self.held.is_empty() => out(Event::Error { kind: ErrorKind::Partial }),
            // A lone LF or CR is what a terminal leaves behind.
            Place::Frame | Place::Idle | Place::Return => {}
            Place::Question => out(Event::Error { kind: ErrorKind::Partial }),
        }
        self.held.clear();
        self.place = Place::Idle;
        self.noise.over();
    }

    fn outside(&mut self, byte: u8, out: &mut dyn FnMut(Event)) {
        match (self.place, byte) {
            (Place::Question, LF) => {
                self.place = Place::Idle;
                self.noise.over();
                out(unknown_command());
            }
            (_, LF) => {
                self.place = Place::Frame;
                self.noise.over();
            }
            (_, CR) => self.place = Place::Return,
            (Place::Return, b'?') => self.place = Place::Question,
            (_, noise) => {
                self.place = Place::Idle;
                self.noise.byte(noise, out);
            }
        }
    }

    fn inside(&mut self, byte: u8, out: &mut dyn FnMut(Event)) {
        match byte {
            ETX => {
                let held = std::mem::take(&mut self.held);
                self.place = Place::Idle;
                read(&held, self.unit, out);
            }
            LF if self.held.last() == Some(&CR) && !self.held.contains(&LF) => self.held.push(byte),
            // A frame has one LF inside, behind a CR: any other begins a new frame, and the old one has broken off.
            LF => self.restart(out),
            b' '..=b'~' | CR if self.held.len() < HELD_MAX => self.held.push(byte),
            b' '..=b'~' | CR => self.give_up(out, |_, out| out(Event::Error { kind: ErrorKind::Overlong })),
            noise => self.give_up(out, |own, out| own.noise.byte(noise, out)),
        }
    }

    /// The old frame's second part was the new frame's first if the old one broke off behind its weight.
    fn restart(&mut self, out: &mut dyn FnMut(Event)) {
        if !self.held.is_empty() {
            out(Event::Error { kind: ErrorKind::Partial });
        }
        let inner = self.held.iter().position(|b| *b == LF);
        let field =
            inner.and_then(|at| self.held[at + 1..].strip_suffix(&[CR])).filter(|part| Status::read(part).is_none());
        match (inner, field) {
            (Some(at), Some(_)) => {
                self.held.drain(..=at);
                self.held.push(LF);
            }
            (Some(_), None) | (None, _) => self.held.clear(),
        }
    }

    fn give_up(&mut self, out: &mut dyn FnMut(Event), tell: impl FnOnce(&mut Self, &mut dyn FnMut(Event))) {
        self.held.clear();
        self.place = Place::Idle;
        tell(self, out);
    }
}

fn unknown_command() -> Event {
    Event::Refused { command: String::new(), reason: "bad_command".to_owned() }
}

/// Reads what stands between the first LF and ETX.
fn read(held: &[u8], unit: Option<MassUnit>, out: &mut dyn FnMut(Event)) {
    let syntax = Event::Error { kind: ErrorKind::Syntax };
    let text = std::str::from_utf8(held).ok().and_then(|text| text.strip_suffix('\r'));
    let Some(text) = text else {
        return out(syntax);
    };
    if text == "?" {
        return out(unknown_command());
    }
    let (field, status) = match text.split_once("\r\n") {
        Some((field, status)) => (Some(field), status),
        None => (None, text),
    };
    let Some(status) = Status::read(status.as_bytes()) else {
        return out(syntax);
    };
    let mut told = false;
    // Motion keeps no SCP-01 scale from telling its weight; everything else in the status makes it worthless.
    for reason in status.faults().chain((field.is_none() && status.motion()).then_some(Reason::Motion)) {
        told = true;
        out(Event::Unavailable { reason });
    }
    match field {
        _ if told => {}
        Some(field) => out(read_field(field, &status, unit).unwrap_or(syntax)),
        None => out(Event::Status {
            stable: Some(true),
            at_zero: Some(status.bit(0, 1)),
            net: (status.count == 3).then(|| status.bit(2, 2)),
        }),
    }
}

/// Two or three status bytes.
struct Status {
    bytes: [u8; 3],
    count: usize,
}

impl Status {
    /// `None` if a byte is not `0x30 | bits`, or there are more or fewer than they say themselves.
    fn read(text: &[u8]) -> Option<Self> {
        let text = text.strip_prefix(b"S").unwrap_or(text);
        let mut bytes = [0; 3];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let another_follows = |byte: u8| byte & 0x40 != 0;
        let sound = text
            .iter()
            .enumerate()
            .all(|(i, byte)| byte & 0xb0 == 0x30 && (i == 0 || another_follows(*byte) == (i + 1 < text.len())));
        (sound && text.len() >= 2 && !another_follows(bytes[0])).then_some(Self { bytes, count: text.len() })
    }

    fn bit(&self, byte: usize, bit: u8) -> bool {
        self.bytes[byte] & (1 << bit) != 0
    }

    fn motion(&self) -> bool {
        self.bit(0, 0)
    }

    /// Everything that makes a weight worthless.
    fn faults(&self) -> impl Iterator<Item = Reason> + use<> {
        let device = self.bit(0, 2) || self.bit(0, 3) || self.bit(1, 2) || self.bit(1, 3);
        let all = [
            (self.bit(1, 1), Reason::Overload),
            (self.bit(1, 0), Reason::Underload),
            (self.bit(2, 3), Reason::ZeroError),
            (device, Reason::Device),
        ];
        all.into_iter().filter(|(set, _)| *set).map(|(_, reason)| reason)
    }
}

/// Reads `0012.34kg`, `1LB 02.50OZ`, a unit alone, raw counts, or an Adam's `^^^^^^^^^`, `_________`, `---------`.
fn read_field(field: &str, status: &Status, configured: Option<MassUnit>) -> Option<Event> {
    let stable = Some(!status.motion());
    let kind = if status.count == 3 && status.bit(2, 2) { WeightKind::Net } else { WeightKind::Gross };
    if let Some(reason) = adam(field) {
        return Some(Event::Unavailable { reason });
    }
    let split = field.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(field.len());
    let (value, unit) = field.split_at(split);
    let unit = unit.trim_end_matches(' ');
    if value.is_empty() {
        let letters = !unit.is_empty() && unit.bytes().all(|b| b.is_ascii_alphabetic());
        return letters.then(|| Event::Text { command: "U".to_owned(), text: unit.to_owned() });
    }
    if let Some(ounces) = unit.get(2..).filter(|rest| rest.starts_with(' ') && unit[..2].eq_ignore_ascii_case("lb")) {
        let total = pounds_and_ounces(Decimal::parse(value)?, ounces)?;
        let configured = configured.map(|own| if own == MassUnit::Lb { MassUnit::Oz } else { own });
        return Some(weigh(total, "oz", configured, stable, kind));
    }
    let value = Decimal::parse(value)?;
    match unit {
        "" => Some(Event::Number { value: value.to_string(), unit: None, stable, kind }),
        unit if unit.bytes().all(|b| b.is_ascii_alphabetic()) => Some(weigh(value, unit, configured, stable, kind)),
        _ => None,
    }
}

/// An Adam MDW fills the weight's place with one character when there is none.
fn adam(field: &str) -> Option<Reason> {
    let mark = field.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let first = mark.chars().next().filter(|first| mark.len() >= 4 && mark.chars().all(|c| c == *first))?;
    match first {
        '^' => Some(Reason::Overload),
        '_' => Some(Reason::Underload),
        '-' => Some(Reason::ZeroError),
        _ => None,
    }
}

/// Pounds and what follows `LB`, ` 02.50OZ`, all in ounces.
fn pounds_and_ounces(pounds: Decimal, rest: &str) -> Option<Decimal> {
    let number =
        rest.get(..rest.len().checked_sub(2)?).filter(|_| rest[rest.len() - 2..].eq_ignore_ascii_case("oz"))?;
    let ounces = Decimal::parse(number)?;
    let scale = 10_i64.pow(u32::from(ounces.decimals));
    if pounds.decimals != 0 || pounds.mantissa < 0 || !(0..16 * scale).contains(&ounces.mantissa) {
        return None;
    }
    let mantissa = pounds.mantissa.checked_mul(16)?.checked_mul(scale)?.checked_add(ounces.mantissa)?;
    Some(Decimal { mantissa, decimals: ounces.decimals })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events_with(bytes: &[u8], unit: Option<MassUnit>) -> Vec<Event> {
        let mut decoder = Decoder::new(&WireOptions { unit, ..WireOptions::default() });
        let mut events = Vec::new();
        decoder.push(bytes, &mut |event| events.push(event));
        decoder.pause(&mut |event| events.push(event));
        events
    }

    fn events(bytes: &[u8]) -> Vec<Event> {
        events_with(bytes, None)
    }

    fn weight(bytes: &[u8]) -> Option<(i64, Option<bool>, WeightKind)> {
        match events(bytes).as_slice() {
            [Event::Weight { mass, stable, kind }] => Some((mass.mg(), *stable, *kind)),
            _ => None,
        }
    }

    fn unavailable(reasons: &[Reason]) -> Vec<Event> {
        reasons.iter().map(|reason| Event::Unavailable { reason: *reason }).collect()
    }

    #[test]
    fn weights_with_motion_zero_and_net() {
        let (gross, net) = (WeightKind::Gross, WeightKind::Net);
        assert_eq!(weight(b"\n0012.34kg\r\n10\r\x03"), Some((12_340_000, Some(false), gross)));
        assert_eq!(weight(b"\n0000.00kg\r\n20\r\x03"), Some((0, Some(true), gross)));
        assert_eq!(weight(b"\n0012.34kg\r\n0p4\r\x03"), Some((12_340_000, Some(true), net)));
        assert_eq!(weight(b"\n-000.02kg\r\n00\r\x03"), Some((-20_000, Some(true), gross)));
        // 1 lb 2.5 oz = 18.5 oz of 28.349523125 g.
        assert_eq!(weight(b"\n1LB 02.50OZ\r\nS00\r\x03"), Some((524_466, Some(true), gross)));
    }

    #[test]
    fn a_weight_with_a_fault_is_no_weight() {
        assert_eq!(events(b"\n0012.34kg\r\n02\r\x03"), unavailable(&[Reason::Overload]));
        assert_eq!(events(b"\n0000.00kg\r\n01\r\x03"), unavailable(&[Reason::Underload]));
        assert_eq!(events(b"\n0000.00kg\r\n40\r\x03"), unavailable(&[Reason::Device]));
        assert_eq!(events(b"\n0000.00kg\r\n0p8\r\x03"), unavailable(&[Reason::ZeroError]));
        assert_eq!(events(b"\nS12\r\x03"), unavailable(&[Reason::Overload, Reason::Motion]));
    }

    #[test]
    fn adam_fills_the_field() {
        assert_eq!(events(b"\n^^^^^^^^^\r\n00\r\x03"), unavailable(&[Reason::Overload]));
        assert_eq!(events(b"\n_________kg\r\n00\r\x03"), unavailable(&[Reason::Underload]));
        assert_eq!(events(b"\n---------\r\n00\r\x03"), unavailable(&[Reason::ZeroError]));
    }

    #[test]
    fn unknown_commands_in_both_dialects() {
        let refused = Event::Refused { command: String::new(), reason: "bad_command".to_owned() };
        assert_eq!(events(b"\n?\r\x03\r?\n"), [refused.clone(), refused.clone()]);
        // The LF of a T419S's answer does not open a frame.
        assert_eq!(events(b"\r?\n\nS00\r\x03").len(), 2);
        assert_eq!(events(b"\r?"), [Event::Error { kind: ErrorKind::Partial }]);
    }

    #[test]
    fn counts_units_and_unbelieved_numbers() {
        let number = |value: &str, unit: Option<&str>| {
            let (stable, kind) = (Some(true), WeightKind::Gross);
            vec![Event::Number { value: value.to_owned(), unit: unit.map(str::to_owned), stable, kind }]
        };
        assert_eq!(events_with(b"\n012345\r\n00\r\x03", Some(MassUnit::G)), number("12345", None));
        assert_eq!(events_with(b"\n012345MM\r\nS00\r\x03", Some(MassUnit::G)), number("12345", Some("MM")));
        assert_eq!(events_with(b"\n02.494LB\r\nS00\r\x03", Some(MassUnit::Kg)), number("2.494", Some("LB")));
        let text = Event::Text { command: "U".to_owned(), text: "KG".to_owned() };
        assert_eq!(events(b"\nKG\r\nS00\r\x03"), [text]);
    }

    #[test]
    fn what_is_no_frame_is_no_weight() {
        let frames: [&[u8]; 9] = [
            b"\n0012.34kg\r\n0\r\x03",
            b"\n0012.34kg\r\n000\r\x03",
            b"\n0012.34kg\r\n0p\r\x03",
            b"\n0012.34kg\r\n\r\x03",
            b"\n0012.34kg\x03",
            b"\n00-12.34kg\r\n00\r\x03",
            b"\n0012.34k?\r\n00\r\x03",
            b"\n\r\n00\r\x03x",
            b"\n0012.34 kg 5\r\n00\r\x03",
        ];
        for frame in frames {
            let told = events(frame);
            assert!(told.iter().all(|event| matches!(event, Event::Error { .. } | Event::Text { .. })), "{told:?}");
        }
    }

    #[test]
    fn a_frame_that_breaks_off_does_not_take_the_next_one_with_it() {
        let partial = Event::Error { kind: ErrorKind::Partial };
        let whole: &[u8] = b"\n0012.34kg\r\n00\r\x03";
        let good = events(whole);
        for cut in 2..whole.len() {
            let told = events(&[&whole[..cut], whole].concat());
            assert_eq!(told, [vec![partial.clone()], good.clone()].concat(), "cut at {cut}");
        }
        let mut told = Vec::new();
        let mut decoder = Decoder::new(&WireOptions::default());
        decoder.push(b"\n", &mut |event| told.push(event));
        decoder.push(&[b'1'; 100_000], &mut |event| told.push(event));
        assert_eq!(told, [ErrorKind::Overlong, ErrorKind::Framing].map(|kind| Event::Error { kind }));
    }
}
