//! Toledo 8217 and 8213: single letters to the scale, `STX … CR` back. No sign, no unit, no check but the line's parity.
//!
//! `STX WW.WWW CR` is the form for kilograms, `WW.WW` and `0WW.WW` those for pounds; `N` before CR says net. Anything that
//! keeps the scale from telling a weight is `STX ? status CR`. A weight is told only at rest.

use super::text::{HELD_MAX, Noise, weigh_bare};
use super::{Decimal, ErrorKind, Event, MassUnit, Reason, WeightKind, WireOptions};

const STX: u8 = 0x02;
const CR: u8 = 0x0d;

/// `W`: the weight.
pub fn request_weight() -> Vec<u8> {
    b"W".to_vec()
}

/// `Z`: take zero.
pub fn request_zero() -> Vec<u8> {
    b"Z".to_vec()
}

/// `T`: tare what lies there; answered after 150 ms.
pub fn request_tare() -> Vec<u8> {
    b"T".to_vec()
}

/// `C`: forget the tare.
pub fn request_tare_clear() -> Vec<u8> {
    b"C".to_vec()
}

/// `Tddddd`: a known tare by its digits, in thousandths of a kilogram or hundredths of a pound; `None` above 99999.
pub fn request_digital_tare(digits: u32) -> Option<Vec<u8>> {
    (digits <= 99_999).then(|| format!("T{digits:05}").into_bytes())
}

/// `E` and a text that the scale is to send back; [`request_echo_end`] ends it.
pub fn request_echo(text: &str) -> Vec<u8> {
    [b"E", text.as_bytes()].concat()
}

/// `F`: end of the echo test.
pub fn request_echo_end() -> Vec<u8> {
    b"F".to_vec()
}

/// Where the decoder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between frames.
    Idle,
    /// Behind STX.
    Frame,
    /// Behind the answer to `E`, when the scale sends back what it gets.
    Echo,
}

/// Takes replies out of a stream of bytes. Holds at most one frame.
#[derive(Clone, Debug)]
pub struct Decoder {
    unit: Option<MassUnit>,
    decimals: Option<u8>,
    held: Vec<u8>,
    place: Place,
    noise: Noise,
}

impl Decoder {
    /// A decoder between two frames.
    pub fn new(options: &WireOptions) -> Self {
        let &WireOptions { unit, decimals, .. } = options;
        Self { unit, decimals, held: Vec::new(), place: Place::Idle, noise: Noise::default() }
    }

    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            match (self.place, byte) {
                (_, STX) => {
                    self.end(out);
                    self.noise.over();
                    self.place = Place::Frame;
                }
                (Place::Frame, CR) => self.close(out),
                (Place::Frame | Place::Echo, b' '..=b'~') if self.held.len() < HELD_MAX => self.held.push(byte),
                (Place::Frame | Place::Echo, b' '..=b'~') => {
                    self.held.clear();
                    self.place = Place::Idle;
                    out(Event::Error { kind: ErrorKind::Overlong });
                }
                (Place::Idle | Place::Frame | Place::Echo, noise) => {
                    self.held.clear();
                    self.place = Place::Idle;
                    self.noise.byte(noise, out);
                }
            }
        }
    }

    /// Tells that the line has been quiet for longer than a frame may pause (50 ms): what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        self.end(out);
        self.noise.over();
    }

    /// Ends what has no end of its own: an echo, or a frame that will not be completed.
    fn end(&mut self, out: &mut dyn FnMut(Event)) {
        let place = std::mem::replace(&mut self.place, Place::Idle);
        let held = std::mem::take(&mut self.held);
        match place {
            Place::Idle => {}
            Place::Frame => out(Event::Error { kind: ErrorKind::Partial }),
            Place::Echo if held.is_empty() => {}
            Place::Echo => {
                out(Event::Text { command: "E".to_owned(), text: String::from_utf8_lossy(&held).into_owned() });
            }
        }
    }

    fn close(&mut self, out: &mut dyn FnMut(Event)) {
        let held = std::mem::take(&mut self.held);
        self.place = Place::Idle;
        match held.as_slice() {
            [b'?', status] if status & 0x40 != 0 => read_status(*status, out),
            // The answer to the confidence test's start.
            [] => out(Event::Done { command: String::new(), stable: None }),
            [b'E'] => {
                self.place = Place::Echo;
                out(Event::Done { command: "E".to_owned(), stable: None });
            }
            text => out(self.read_weight(text).unwrap_or(Event::Error { kind: ErrorKind::Syntax })),
        }
    }

    /// Reads `WW.WWW`, `WW.WW`, `0WW.WW`, one more digit at high resolution, all with or without `N`.
    fn read_weight(&self, text: &[u8]) -> Option<Event> {
        let text = std::str::from_utf8(text).ok()?;
        let (digits, kind) = match text.strip_suffix('N') {
            Some(digits) => (digits, WeightKind::Net),
            None => (text, WeightKind::Gross),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let only_digits = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if !only_digits || !(4..=6).contains(&(whole.len() + fraction.len())) {
            return None;
        }
        let value = Decimal::parse(digits)?;
        let stable = Some(true);
        // Without a point the digits mean nothing unless the station file says where it stands.
        let value = if digits.contains('.') { Some(value) } else { self.decimals.map(|n| value.with_decimals(n)) };
        let Some(value) = value else {
            return Some(Event::Number { value: digits.to_owned(), unit: None, stable, kind });
        };
        let kilograms = whole.len() == 2 && fraction.len() == 3;
        match self.unit {
            None if kilograms => Some(weigh_bare(value, Some(MassUnit::Kg), stable, kind)),
            Some(unit) if kilograms && unit != MassUnit::Kg => {
                Some(Event::Number { value: value.to_string(), unit: Some("kg".to_owned()), stable, kind })
            }
            unit => Some(weigh_bare(value, unit, stable, kind)),
        }
    }
}

/// Tells every reason that the status byte gives. Only bits 0 to 4 are the same on all makes: clones set bit 5 always, so that
/// what it says of net is told where nothing hangs on it.
fn read_status(status: u8, out: &mut dyn FnMut(Event)) {
    let bit = |n: u8| status & (1 << n) != 0;
    let reasons = [(1, Reason::Overload), (2, Reason::Underload), (3, Reason::ZeroError), (0, Reason::Motion)];
    let mut told = false;
    for (_, reason) in reasons.into_iter().filter(|(n, _)| bit(*n)) {
        told = true;
        out(Event::Unavailable { reason });
    }
    if !told {
        out(Event::Status { stable: Some(true), at_zero: Some(bit(4)), net: Some(bit(5)) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Mass;

    fn events(bytes: &[u8], unit: Option<MassUnit>, decimals: Option<u8>) -> Vec<Event> {
        let mut decoder = Decoder::new(&WireOptions { unit, decimals, ..WireOptions::default() });
        let mut events = Vec::new();
        decoder.push(bytes, &mut |event| events.push(event));
        decoder.pause(&mut |event| events.push(event));
        events
    }

    fn weight(mg: i64) -> Vec<Event> {
        vec![Event::Weight { mass: Mass::from_mg(mg), stable: Some(true), kind: WeightKind::Gross }]
    }

    fn number(value: &str, unit: Option<&str>) -> Vec<Event> {
        let unit = unit.map(str::to_owned);
        vec![Event::Number { value: value.to_owned(), unit, stable: Some(true), kind: WeightKind::Gross }]
    }

    #[test]
    fn the_unit_comes_from_the_form_or_the_station_file_and_never_from_hope() {
        assert_eq!(events(b"\x0201.234\r", None, None), weight(1_234_000));
        assert_eq!(events(b"\x0201.234\r", Some(MassUnit::Kg), None), weight(1_234_000));
        assert_eq!(events(b"\x0201.234\r", Some(MassUnit::Lb), None), number("1.234", Some("kg")));
        assert_eq!(events(b"\x0201.23\r", None, None), number("1.23", None));
        // 1.23 lb of 453.59237 g.
        assert_eq!(events(b"\x02001.23\r", Some(MassUnit::Lb), None), weight(557_919));
        assert_eq!(events(b"\x0201.2345\r", None, None), number("1.2345", None));
        assert_eq!(events(b"\x0201234\r", Some(MassUnit::Kg), None), number("01234", None));
        assert_eq!(events(b"\x0201234\r", Some(MassUnit::Kg), Some(3)), weight(1_234_000));
    }

    #[test]
    fn what_is_no_weight_is_no_weight() {
        let frames: [&[u8]; 7] =
            [b"\x02-1.234\r", b"\x021.2\r", b"\x0201.2.3\r", b"\x0201.234G\r", b"\x02N\r", b"\x02?1\r", b"\x02?AB\r"];
        for frame in frames {
            assert_eq!(events(frame, Some(MassUnit::Kg), None), [Event::Error { kind: ErrorKind::Syntax }]);
        }
    }

    #[test]
    fn a_status_tells_all_its_reasons() {
        let reasons = |bytes: &[u8]| -> Vec<Event> { events(bytes, None, None) };
        let unavailable = |reason| Event::Unavailable { reason };
        // 0x4f: motion, over, under, outside the zero range at once.
        assert_eq!(
            reasons(b"\x02?O\r"),
            [Reason::Overload, Reason::Underload, Reason::ZeroError, Reason::Motion].map(unavailable)
        );
        assert_eq!(reasons(b"\x02?D\r"), [unavailable(Reason::Underload)]);
    }

    #[test]
    fn an_echo_is_text_and_no_garbage() {
        let done = Event::Done { command: "E".to_owned(), stable: None };
        let text = Event::Text { command: "E".to_owned(), text: "hello".to_owned() };
        let expected = [vec![done, text], weight(1_234_000)].concat();
        assert_eq!(events(b"\x02E\rhello\x0201.234\r", None, None), expected);
    }

    #[test]
    fn a_frame_that_breaks_off_does_not_take_the_next_one_with_it() {
        let partial = Event::Error { kind: ErrorKind::Partial };
        assert_eq!(events(b"\x0201.2\x0201.234\r", None, None), [vec![partial], weight(1_234_000)].concat());
        let mut told = Vec::new();
        let mut decoder = Decoder::new(&WireOptions::default());
        decoder.push(&[0x02].repeat(1), &mut |event| told.push(event));
        decoder.push(&[b'1'; 100_000], &mut |event| told.push(event));
        assert_eq!(told, [ErrorKind::Overlong, ErrorKind::Framing].map(|kind| Event::Error { kind }));
    }
}
