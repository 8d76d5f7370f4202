//! A&D standard output: one line of fixed length a weighing, about ten a second or on `Q`.
//!
//! `ST,+001234.5  g⏎`: header `ST` at rest, `US` moving, `QT` counted pieces at rest, `OL` out of range (digits are nines);
//! nine characters of value with sign; three of unit; CR LF. With comparison a second header: `ST,OK,+0001.234 kg⏎`. Format 2
//! of the HW/HV series: `ST ,+002.40kg⏎`, seven and two characters.
//! Sources: EK-L manual, page 28; GC manual, page 51; HV-WP/HW-WP manual, page 50.

use super::text::{weigh, weigh_bare};
use super::window::Window;
use super::{Decimal, ErrorKind, Event, MassUnit, Reason, WeightKind, WireOptions};

/// Lengths of a line without CR LF: standard, with comparison, format 2.
const LENGTHS: [usize; 3] = [15, 18, 13];
const LINE_MAX: usize = 18 + 2;

/// Asks for the weight now, at rest or not.
pub fn request_weight() -> Vec<u8> {
    b"Q\r\n".to_vec()
}

/// Takes lines out of a stream of bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    unit: Option<MassUnit>,
    /// The last bytes since the last line's end.
    window: Window<LINE_MAX>,
    /// Set once more bytes have come without an end than any line has.
    overlong: bool,
}

impl Decoder {
    /// With the unit that a station file says, if it says one.
    pub fn new(options: &WireOptions) -> Self {
        Self { unit: options.unit, window: Window::new(), overlong: false }
    }

    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            if self.window.is_full() && !self.overlong {
                self.overlong = true;
                out(self.error(ErrorKind::Overlong));
            }
            self.window.take(byte);
            if byte == b'\n' {
                self.close(out);
                self.window.clear();
                self.overlong = false;
            }
        }
    }

    /// The line has been quiet for longer than a frame may pause: what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        if !self.window.is_empty() && !self.overlong {
            out(self.error(ErrorKind::Partial));
        }
        self.window.clear();
        self.overlong = false;
    }

    /// The window ends with LF.
    fn close(&self, out: &mut dyn FnMut(Event)) {
        let held = self.window.held();
        let told = match held {
            [b'\r', b'\n'] | [b'\n'] if !self.overlong => return,
            [line @ .., b'\r', b'\n'] => self.read(line),
            _ => None,
        };
        let (clean, event) = match told {
            Some((clean, event)) => (clean && !self.overlong, Some(event)),
            None => (false, None),
        };
        if !clean && !self.overlong {
            out(self.error(ErrorKind::Framing));
        }
        if let Some(event) = event {
            out(event);
        }
    }

    /// What is wrong with the bytes held: `kind`, unless one of them shows that the line settings are.
    fn error(&self, kind: ErrorKind) -> Event {
        let eighth_bit = self.window.held().iter().any(|b| *b > 0x7f);
        Event::Error { kind: if eighth_bit { ErrorKind::Parity } else { kind } }
    }

    /// Reads a line: a whole one, or one that stands whole behind the remains of another. Says which, and what it tells.
    fn read(&self, line: &[u8]) -> Option<(bool, Event)> {
        let tail = |length: &usize| line.len().checked_sub(*length).map(|start| line.split_at(start));
        LENGTHS.iter().filter_map(tail).find_map(|(before, line)| Some((before.is_empty(), read(line, self.unit)?)))
    }
}

/// Reads a line of one of the known lengths; `None` unless each character is what must stand there.
fn read(line: &[u8], unit: Option<MassUnit>) -> Option<Event> {
    let (header, rest) = line.split_first_chunk::<2>()?;
    let (value, named) = match (line.len(), rest) {
        (15, [b',', rest @ ..]) | (18, [b',', b'L', b'O', b',', rest @ ..]) => rest.split_at(9),
        (18, [b',', b'O', b'K', b',', rest @ ..] | [b',', b'H', b'I', b',', rest @ ..]) => rest.split_at(9),
        (18, [b',', b'-', b'-', b',', rest @ ..]) => rest.split_at(9),
        (13, [b' ', b',', rest @ ..]) => rest.split_at(7),
        _ => return None,
    };
    let named = std::str::from_utf8(named).ok()?.trim_matches(' ');
    let printed = std::str::from_utf8(value).ok()?;
    let number = Decimal::parse(printed).filter(|_| printed.starts_with(['+', '-']))?;
    if !named.bytes().all(|b| b.is_ascii_alphabetic() || b == b'%') {
        return None;
    }
    let stable = match header {
        b"ST" => Some(true),
        b"US" => Some(false),
        b"QT" => Some(true),
        b"OL" if number.mantissa < 0 => return Some(Event::Unavailable { reason: Reason::Underload }),
        b"OL" => return Some(Event::Unavailable { reason: Reason::Overload }),
        _ => return None,
    };
    Some(match named {
        "" => weigh_bare(number, unit, stable, WeightKind::Gross),
        named => weigh(number, named, unit, stable, WeightKind::Gross),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::each_split;
    use super::*;
    use crate::units::Mass;

    fn decode(text: &str) -> Vec<Event> {
        let options = WireOptions::default();
        each_split(text.as_bytes(), || Decoder::new(&options), Decoder::push, Decoder::pause)
    }

    fn weight(mg: i64, stable: bool) -> Event {
        Event::Weight { mass: Mass::from_mg(mg), stable: Some(stable), kind: WeightKind::Gross }
    }

    #[test]
    fn lines_by_the_manuals() {
        assert_eq!(decode("ST,+001234.5  g\r\n"), [weight(1_234_500, true)]);
        assert_eq!(decode("US,+001234.5  g\r\n"), [weight(1_234_500, false)]);
        assert_eq!(decode("ST,+0001.234 kg\r\n"), [weight(1_234_000, true)]);
        assert_eq!(decode("ST ,+002.40kg\r\n"), [weight(2_400_000, true)]);
        assert_eq!(decode("ST,OK,+0001.234 kg\r\n"), [weight(1_234_000, true)]);
        assert_eq!(decode("US,--,-0001.234 kg\r\n"), [weight(-1_234_000, false)]);
    }

    #[test]
    fn out_of_range_is_no_weight_whatever_its_digits() {
        let reason = |reason| [Event::Unavailable { reason }];
        assert_eq!(decode("OL,+999999.9  g\r\n"), reason(Reason::Overload));
        assert_eq!(decode("OL,-99999999 PC\r\n"), reason(Reason::Underload));
        assert_eq!(decode("OL ,+999.99kg\r\n"), reason(Reason::Overload));
        assert_eq!(decode("OL,+0000.000 kg\r\n"), reason(Reason::Overload));
    }

    #[test]
    fn pieces_and_per_cent_are_no_weight() {
        for (line, value, unit) in [
            ("QT,+00012345 PC\r\n", "12345", "PC"),
            ("ST,+000123.4  %\r\n", "123.4", "%"),
            ("ST,+001234.5ozt\r\n", "1234.5", "ozt"),
        ] {
            let number = Event::Number {
                value: value.to_owned(),
                unit: Some(unit.to_owned()),
                stable: Some(true),
                kind: WeightKind::Gross,
            };
            assert_eq!(decode(line), [number]);
        }
    }

    #[test]
    fn a_lost_or_changed_character_is_no_weight() {
        let line = "ST,+001234.5  g\r\n";
        let framing = [Event::Error { kind: ErrorKind::Framing }];
        for at in 0..line.len() - 1 {
            let mut lost = line.to_owned();
            lost.remove(at);
            assert_eq!(decode(&lost), framing, "{lost:?}");
        }
        for line in ["ST,+001234,5  g\r\n", "ST.+001234.5  g\r\n", "ST,0001234.5  g\r\n", "ZT,+001234.5  g\r\n"] {
            assert_eq!(decode(line), framing, "{line:?}");
        }
        assert_eq!(decode("ST,+001234.5  g"), [Event::Error { kind: ErrorKind::Partial }]);
    }

    #[test]
    fn a_line_behind_remains_is_found_and_the_remains_are_told() {
        let good = "ST,+001234.5  g\r\n";
        let told = |kind| [Event::Error { kind }, weight(1_234_500, true)];
        assert_eq!(decode(&format!("34{good}")), told(ErrorKind::Framing));
        assert_eq!(decode(&format!("{}{good}", "A".repeat(500))), told(ErrorKind::Overlong));
        assert_eq!(decode(&format!("\r\n{good}")), [weight(1_234_500, true)]);
    }

    #[test]
    fn seven_bits_read_as_eight_are_told_as_line_settings() {
        for odd in [0, 1] {
            let with_parity = |b: &u8| b | ((b.count_ones() as u8 & 1 ^ odd) << 7);
            let bytes: Vec<u8> = b"ST,+001234.5  g\r\n".iter().map(with_parity).collect();
            let options = WireOptions::default();
            let told = each_split(&bytes, || Decoder::new(&options), Decoder::push, Decoder::pause);
            assert_eq!(told, [Event::Error { kind: ErrorKind::Parity }]);
        }
    }
}
