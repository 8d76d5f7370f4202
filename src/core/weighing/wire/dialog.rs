//! Checkout-Dialog 06, 04 and 02: the till speaks first, in records; the scale answers ACK, NAK or a record of its own.
//!
//! `EOT STX nn ESC … ETX` to the scale, `STX nn ESC … ETX` back. No check but the line's parity. Dialog 06 has a challenge:
//! now and then the scale answers a price with record 11 and wants a checksum made with a polynomial that only the makers
//! of scale and till know; 04 and 02 differ by speed alone.

use super::text::{HELD_MAX, Noise, weigh};
use super::{Decimal, ErrorKind, Event, MassUnit, Protocol, Reason, WeightKind, WireOptions};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
const ESC: u8 = 0x1b;

/// Highest unit price, in the currency's smallest unit a kilogram: six digits.
pub const PRICE_MAX: u32 = 999_999;

/// A record to the scale. `ESC` stands before each field, and after the price of record 01 as well.
fn record(number: &str, fields: &[&str]) -> Vec<u8> {
    let mut bytes = vec![EOT, STX];
    bytes.extend(number.as_bytes());
    for field in fields {
        bytes.push(ESC);
        bytes.extend(field.as_bytes());
    }
    bytes.push(ETX);
    bytes
}

/// Record 01: the unit price, at most [`PRICE_MAX`], above which it is `PRICE_MAX`. Every weighing begins with a price.
pub fn price(unit_price_minor: u32) -> Vec<u8> {
    record("01", &[&six(unit_price_minor), ""])
}

/// Record 03: unit price and a tare of four digits in grams, at most 9999.
pub fn price_tare(unit_price_minor: u32, tare_g: u16) -> Vec<u8> {
    record("03", &[&six(unit_price_minor), &four(tare_g)])
}

/// Record 04: unit price and a text of 13 characters, cut or filled with spaces; what is not printable ASCII becomes `?`.
pub fn price_text(unit_price_minor: u32, text: &str) -> Vec<u8> {
    record("04", &[&six(unit_price_minor), &thirteen(text)])
}

/// Record 05: unit price, tare and text, each as in the records with one of them.
pub fn price_tare_text(unit_price_minor: u32, tare_g: u16, text: &str) -> Vec<u8> {
    record("05", &[&six(unit_price_minor), &four(tare_g), &thirteen(text)])
}

/// Record 08: why NAK.
pub fn request_status() -> Vec<u8> {
    record("08", &[])
}

/// Record 10: the two words of [`answer`], upper-case hexadecimal.
pub fn checksums([cs, kw]: [u16; 2]) -> Vec<u8> {
    record("10", &[&format!("{cs:04X}{kw:04X}")])
}

/// EOT ENQ: the result of the weighing.
pub fn request_result() -> Vec<u8> {
    vec![EOT, ENQ]
}

/// EOT: what closes every answer of the scale.
pub fn end() -> Vec<u8> {
    vec![EOT]
}

fn six(price: u32) -> String {
    format!("{:06}", price.min(PRICE_MAX))
}

fn four(tare_g: u16) -> String {
    format!("{:04}", tare_g.min(9999))
}

fn thirteen(text: &str) -> String {
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    format!("{:13}", text.chars().take(13).map(printable).collect::<String>())
}

/// The polynomial that a scale's maker has told: a secret, so that it is not shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Polynomial(u16);

impl Polynomial {
    /// Of degree 16, bit n for `x^n`. The term `x^16` is implied, so that `0x1021` and `0x11021` are the same.
    pub const fn new(bits: u32) -> Self {
        Self((bits & 0xffff) as u16)
    }

    /// The rest of `word · x^16` divided by it.
    fn rest(self, word: u16) -> u16 {
        (0..16).fold(word, |rest, _| if rest & 0x8000 == 0 { rest << 1 } else { (rest << 1) ^ self.0 })
    }
}

impl std::fmt::Debug for Polynomial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Polynomial(secret)")
    }
}

/// The answer to a challenge `z`: a checksum that the till chooses freely, rotated left by the high half of `z`; and the rest of
/// `cs · x^16` divided by the polynomial, rotated right by the low half.
pub fn answer(z: u8, cs: u16, polynomial: Polynomial) -> [u16; 2] {
    [cs.rotate_left(u32::from(z >> 4)), polynomial.rest(cs).rotate_right(u32::from(z & 15))]
}

/// Takes answers out of a stream of bytes. Holds at most one record.
#[derive(Clone, Debug)]
pub struct Decoder {
    unit: Option<MassUnit>,
    challenges: bool,
    held: Vec<u8>,
    inside: bool,
    noise: Noise,
}

impl Decoder {
    /// A decoder between two records. Only Dialog 06 has record 11: for any other protocol it is a syntax error.
    pub fn new(protocol: Protocol, options: &WireOptions) -> Self {
        Self {
            unit: options.unit,
            challenges: protocol == Protocol::Dialog06,
            held: Vec::new(),
            inside: false,
            noise: Noise::default(),
        }
    }

    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            match (self.inside, byte) {
                (_, STX) => {
                    self.drop_partial(out);
                    self.noise.over();
                    self.inside = true;
                }
                (true, ETX) => {
                    self.inside = false;
                    let event = read(&self.held, self.unit, self.challenges);
                    self.held.clear();
                    out(event.unwrap_or(Event::Error { kind: ErrorKind::Syntax }));
                }
                (true, ESC | b' '..=b'~') if self.held.len() < HELD_MAX => self.held.push(byte),
                (true, ESC | b' '..=b'~') => {
                    self.held.clear();
                    self.inside = false;
                    out(Event::Error { kind: ErrorKind::Overlong });
                }
                (false, ACK) => self.single(Event::Ack, out),
                (false, NAK) => self.single(Event::Nak, out),
                (true | false, noise) => {
                    self.held.clear();
                    self.inside = false;
                    self.noise.byte(noise, out);
                }
            }
        }
    }

    /// Tells that the line has been quiet for longer than a frame may pause (50 ms): what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        self.drop_partial(out);
        self.noise.over();
    }

    fn single(&mut self, event: Event, out: &mut dyn FnMut(Event)) {
        self.noise.over();
        out(event);
    }

    fn drop_partial(&mut self, out: &mut dyn FnMut(Event)) {
        self.held.clear();
        if std::mem::replace(&mut self.inside, false) {
            out(Event::Error { kind: ErrorKind::Partial });
        }
    }
}

/// Reads what stands between STX and ETX.
fn read(held: &[u8], unit: Option<MassUnit>, challenges: bool) -> Option<Event> {
    let text = std::str::from_utf8(held).ok()?;
    let (number, rest) = text.split_once('\x1b')?;
    match number {
        "02" => read_result(rest, unit),
        "09" => read_code(rest),
        "11" if challenges => read_challenge(rest),
        _ => None,
    }
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// `scale status ESC weight(5) ESC unit price(5 or 6) ESC price(6)`.
fn read_result(rest: &str, unit: Option<MassUnit>) -> Option<Event> {
    let mut fields = rest.split('\x1b');
    let (status, weight, unit_price, total) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() || !digits(weight, 5..=5) || !digits(unit_price, 5..=6) || !digits(total, 6..=6) {
        return None;
    }
    let (stable, kind) = (Some(true), WeightKind::Gross);
    let value = Decimal::parse(weight)?;
    match status {
        // How five digits hold pounds, ounces and eighths is written nowhere.
        "0" => Some(Event::Number { value: weight.to_owned(), unit: Some("lb:oz".to_owned()), stable, kind }),
        "1" => Some(weigh(value.with_decimals(2), "lb", unit, stable, kind)),
        // Steps of 0.005 need three digits after the point.
        "2" => Some(weigh(value.with_decimals(3), "lb", unit, stable, kind)),
        "3" => Some(weigh(value.with_decimals(3), "kg", unit, stable, kind)),
        _ => None,
    }
}

fn read_code(code: &str) -> Option<Event> {
    let unavailable = |reason| Some(Event::Unavailable { reason });
    match code {
        "20" => unavailable(Reason::Motion),
        "21" => unavailable(Reason::NoMotionSinceLast),
        "22" => unavailable(Reason::NotFinished),
        "30" => unavailable(Reason::BelowMinimum),
        "31" => unavailable(Reason::Underload),
        "32" => unavailable(Reason::Overload),
        code => digits(code, 2..=2).then(|| Event::Code { code: code.to_owned() }),
    }
}

fn read_challenge(rest: &str) -> Option<Event> {
    match rest {
        "0" => Some(Event::Error { kind: ErrorKind::Checksum }),
        "1" => Some(Event::Done { command: "10".to_owned(), stable: None }),
        rest => {
            let z = rest.strip_prefix('2')?;
            let hexadecimal = z.len() == 2 && z.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
            hexadecimal.then(|| Event::Challenge { z: z.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Mass;

    fn events_of(protocol: Protocol, bytes: &[u8], unit: Option<MassUnit>) -> Vec<Event> {
        let mut decoder = Decoder::new(protocol, &WireOptions { unit, ..WireOptions::default() });
        let mut events = Vec::new();
        decoder.push(bytes, &mut |event| events.push(event));
        decoder.pause(&mut |event| events.push(event));
        events
    }

    fn events(bytes: &[u8]) -> Vec<Event> {
        events_of(Protocol::Dialog06, bytes, None)
    }

    #[test]
    fn the_challenge_is_a_crc_of_the_chosen_word() {
        // x^16 + x^12 + x^5 + 1 makes the remainder CRC-16/XMODEM of the two bytes: an implementation of other people.
        let crc = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);
        let polynomial = Polynomial::new(0x1021);
        assert_eq!(polynomial, Polynomial::new(0x11021));
        for cs in [0_u16, 1, 0x8000, 0x1234, 0x0042, 0xffff] {
            assert_eq!(answer(0, cs, polynomial), [cs, crc.checksum(&cs.to_be_bytes())]);
        }
        // By hand: 1 · x^16 leaves the polynomial without its first term, 0x1021. Z = A7: 0001 left by ten is 0400;
        // 1021 right by seven, 0001 0000 0010 0001 → 0100 0010 0010 0000.
        assert_eq!(answer(0xa7, 1, polynomial), [0x0400, 0x4220]);
        assert!(!format!("{polynomial:?}").contains("4129"), "a secret does not get into a log");
    }

    #[test]
    fn records_to_the_scale() {
        assert_eq!(price_text(299, "Äpfel rot, lang"), b"\x04\x0204\x1b000299\x1b?pfel rot, la\x03");
        assert_eq!(price_tare_text(1_000_000, 15, "Ei"), b"\x04\x0205\x1b999999\x1b0015\x1bEi           \x03");
        assert_eq!(end(), [4]);
    }

    #[test]
    fn results_in_every_unit() {
        let weight = |mg| vec![Event::Weight { mass: Mass::from_mg(mg), stable: Some(true), kind: WeightKind::Gross }];
        let number = |value: &str, unit: &str| {
            let (value, unit) = (value.to_owned(), Some(unit.to_owned()));
            vec![Event::Number { value, unit, stable: Some(true), kind: WeightKind::Gross }]
        };
        assert_eq!(events(b"\x0202\x1b3\x1b01250\x1b000299\x1b000374\x03"), weight(1_250_000));
        assert_eq!(events(b"\x0202\x1b3\x1b01250\x1b00299\x1b000374\x03"), weight(1_250_000), "a price of five digits");
        // 2.75 lb of 453.59237 g.
        assert_eq!(events(b"\x0202\x1b1\x1b00275\x1b000299\x1b000822\x03"), weight(1_247_379));
        assert_eq!(events(b"\x0202\x1b2\x1b02755\x1b000299\x1b000824\x03"), weight(1_249_647));
        assert_eq!(events(b"\x0202\x1b0\x1b00275\x1b000299\x1b000822\x03"), number("00275", "lb:oz"));
        let pounds = b"\x0202\x1b1\x1b00275\x1b000299\x1b000822\x03";
        assert_eq!(events_of(Protocol::Dialog06, pounds, Some(MassUnit::Kg)), number("2.75", "lb"));
    }

    #[test]
    fn near_misses_are_no_results() {
        let records: [&[u8]; 9] = [
            b"\x0202\x1b3\x1b1250\x1b000299\x1b000374\x03",
            b"\x0202\x1b3\x1b01250\x1b000299\x03",
            b"\x0202\x1b3\x1b01250\x1b000299\x1b000374\x1b\x03",
            b"\x0202\x1b4\x1b01250\x1b000299\x1b000374\x03",
            b"\x0202\x1b3\x1b-1250\x1b000299\x1b000374\x03",
            b"\x0203\x1b3\x1b01250\x1b000299\x1b000374\x03",
            b"\x0211\x1b2g7\x03",
            b"\x0209\x1b2\x03",
            b"\x02\x03",
        ];
        for record in records {
            assert_eq!(events(record), [Event::Error { kind: ErrorKind::Syntax }], "{record:?}");
        }
        assert_eq!(
            events_of(Protocol::Dialog04, b"\x0211\x1b2A7\x03", None),
            [Event::Error { kind: ErrorKind::Syntax }]
        );
    }

    #[test]
    fn an_acknowledgement_inside_a_record_is_damage() {
        let told = events(b"\x0202\x1b3\x06\x1b01250\x1b000299\x1b000374\x03\x15");
        assert_eq!(told, [Event::Error { kind: ErrorKind::Framing }, Event::Nak]);
        let mut told = Vec::new();
        let mut decoder = Decoder::new(Protocol::Dialog02, &WireOptions::default());
        decoder.push(b"\x02", &mut |event| told.push(event));
        decoder.push(&[b'1'; 100_000], &mut |event| told.push(event));
        assert_eq!(told, [ErrorKind::Overlong, ErrorKind::Framing].map(|kind| Event::Error { kind }));
    }
}
