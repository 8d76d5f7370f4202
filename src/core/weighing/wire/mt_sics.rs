//! MT-SICS, the Mettler-Toledo Standard Interface Command Set, levels 0 and 1; KERN's KCP is the same.
//!
//! ASCII lines closed by CR LF. A reply repeats the command, then a status letter: `A` done, `B` more follows, `S` stable,
//! `D` dynamic, `I` not now, `L` not so, `+` `-` beyond a range; then a value with its unit or texts in quotation marks.
//! There is no check over a line, so that anything not exactly of this form is thrown away, suffixes and prefixes too.

use super::text::{HELD_MAX, Noise, weigh};
use super::{Decimal, ErrorKind, Event, MassUnit, Reason, WeightKind, WireOptions};

/// A line of this protocol to the scale.
fn line(command: &str) -> Vec<u8> {
    [command.as_bytes(), b"\r\n"].concat()
}

/// `SI`: the weight now, stable or not.
pub fn request_weight() -> Vec<u8> {
    line("SI")
}

/// `S`: the next stable weight; the scale is silent until then.
pub fn request_stable_weight() -> Vec<u8> {
    line("S")
}

/// `SIR`: the weight now and from now on, until `S`, `SI` or `@`.
pub fn request_stream() -> Vec<u8> {
    line("SIR")
}

/// `Z`: zero as soon as it is stable.
pub fn request_zero() -> Vec<u8> {
    line("Z")
}

/// `ZI`: zero now.
pub fn request_zero_now() -> Vec<u8> {
    line("ZI")
}

/// `T`: tare as soon as it is stable.
pub fn request_tare() -> Vec<u8> {
    line("T")
}

/// `TI`: tare now.
pub fn request_tare_now() -> Vec<u8> {
    line("TI")
}

/// `TA`: what the tare is.
pub fn request_tare_value() -> Vec<u8> {
    line("TA")
}

/// `TAC`: forget the tare.
pub fn request_tare_clear() -> Vec<u8> {
    line("TAC")
}

/// `@`: stop everything, forget the tare; answered by the serial number.
pub fn request_reset() -> Vec<u8> {
    line("@")
}

/// `I4`: the serial number.
pub fn request_serial_number() -> Vec<u8> {
    line("I4")
}

/// `I0` all commands, `I1` levels, `I2` device data, `I3` software; other numbers are not of levels 0 and 1 and are the caller's affair.
pub fn request_info(number: u8) -> Vec<u8> {
    line(&format!("I{number}"))
}

/// Takes replies out of a stream of bytes. Holds at most one line.
#[derive(Clone, Debug)]
pub struct Decoder {
    format: Format,
    held: Vec<u8>,
    noise: Noise,
    /// Set in a line that is too long, until its end.
    skipping: bool,
}

impl Decoder {
    /// A decoder at the beginning of a line.
    pub fn new(options: &WireOptions) -> Self {
        Self {
            format: Format { unit: options.unit, decimals: options.decimals },
            held: Vec::new(),
            noise: Noise::default(),
            skipping: false,
        }
    }

    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            match byte {
                b'\n' => self.close(out),
                b' '..=b'~' | b'\r' if self.skipping => {}
                b' '..=b'~' | b'\r' if self.held.len() < HELD_MAX => self.held.push(byte),
                b' '..=b'~' | b'\r' => {
                    self.held.clear();
                    self.skipping = true;
                    out(Event::Error { kind: ErrorKind::Overlong });
                }
                // No line holds such a byte: what came before it is lost, what follows may be a line of its own.
                noise => {
                    self.held.clear();
                    self.skipping = false;
                    self.noise.byte(noise, out);
                }
            }
        }
    }

    /// Tells that the line has been quiet for longer than a frame may pause (50 ms): what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        if !self.held.is_empty() && !self.noise.told() {
            out(Event::Error { kind: ErrorKind::Partial });
        }
        self.begin();
    }

    fn begin(&mut self) {
        self.held.clear();
        self.noise.over();
        self.skipping = false;
    }

    fn close(&mut self, out: &mut dyn FnMut(Event)) {
        if !self.skipping && !self.held.is_empty() {
            match self.held.strip_suffix(b"\r") {
                Some([]) => {}
                Some(line) => match std::str::from_utf8(line).ok().and_then(|line| read(line, self.format)) {
                    Some(event) => out(event),
                    None if self.noise.told() => {}
                    None => out(Event::Error { kind: ErrorKind::Syntax }),
                },
                None => self.noise.byte(b'\n', out),
            }
        }
        self.begin();
    }
}

/// Reads a line without its end; `None` if it is not of the form that the module describes.
fn read(line: &str, format: Format) -> Option<Event> {
    let error = |kind| Some(Event::Error { kind });
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "ES" if rest.is_empty() => return error(ErrorKind::Syntax),
        "ET" if rest.is_empty() => return error(ErrorKind::Transmission),
        "EL" if rest.is_empty() => return error(ErrorKind::Logical),
        _ => {}
    }
    let known_form = matches!(command.len(), 1..=5)
        && command.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'@');
    if !known_form {
        return None;
    }
    let rest = rest.trim_matches(' ');
    let (status, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let rest = rest.trim_start_matches(' ');
    if command == "S" { read_weight(status, rest, format) } else { read_other(command, status, rest) }
}

/// What the station file says of a scale's numbers.
#[derive(Clone, Copy, Debug)]
struct Format {
    unit: Option<MassUnit>,
    decimals: Option<u8>,
}

/// What stands behind the `S` that every weight begins with.
fn read_weight(status: &str, rest: &str, format: Format) -> Option<Event> {
    let unavailable = |reason| rest.is_empty().then_some(Event::Unavailable { reason });
    match status {
        "S" | "D" => {
            let (value, name) = value_and_unit(rest)?;
            let stable = Some(status == "S");
            match (name, format.unit) {
                ("lb:oz", None | Some(MassUnit::Lb | MassUnit::Oz)) => {
                    Some(weigh(pounds_and_ounces(value)?, "oz", None, stable, WeightKind::Gross))
                }
                ("lb:oz", Some(_)) => Some(Event::Number {
                    value: value.to_owned(),
                    unit: Some(name.to_owned()),
                    stable,
                    kind: WeightKind::Gross,
                }),
                (name, unit) => {
                    let value = Decimal::parse(value)?;
                    // There is no check over the line: a digit that was lost shows only in how many there are.
                    let whole = format.decimals.is_none_or(|decimals| decimals == value.decimals);
                    whole.then(|| weigh(value, name, unit, stable, WeightKind::Gross))
                }
            }
        }
        "I" => unavailable(Reason::Busy),
        "+" => unavailable(Reason::Overload),
        "-" => unavailable(Reason::Underload),
        "L" => rest.is_empty().then_some(Event::Error { kind: ErrorKind::Logical }),
        _ => None,
    }
}

fn read_other(command: &str, status: &str, rest: &str) -> Option<Event> {
    let name = || command.to_owned();
    let refused = |reason: &str| {
        rest.is_empty().then_some(Event::Refused { command: command.to_owned(), reason: reason.to_owned() })
    };
    match status {
        "A" if rest.is_empty() => Some(Event::Done { command: name(), stable: None }),
        "A" if command == "I4" => Some(Event::Identity { serial_number: one_quoted(rest)?.to_owned() }),
        "A" if command == "TA" => read_tare(rest),
        "A" | "B" => Some(Event::Text { command: name(), text: all_quoted(rest)? }),
        "S" | "D" if rest.is_empty() => Some(Event::Done { command: name(), stable: Some(status == "S") }),
        "S" | "D" if matches!(command, "T" | "TI") => read_tare(rest),
        "I" => refused("busy"),
        "L" => refused("logical"),
        "+" | "-" => refused(match (command.starts_with('Z'), status == "+") {
            (true, true) => "zero_range_high",
            (true, false) => "zero_range_low",
            (false, true) => "range_high",
            (false, false) => "range_low",
        }),
        _ => None,
    }
}

fn read_tare(rest: &str) -> Option<Event> {
    let (value, unit) = value_and_unit(rest)?;
    Some(Event::Tare { mass: Decimal::parse(value)?.mass(MassUnit::parse(unit)?)? })
}

/// Splits `12.5 g`; both must be there.
fn value_and_unit(text: &str) -> Option<(&str, &str)> {
    let (value, unit) = text.rsplit_once(' ')?;
    let is_unit = !unit.is_empty() && !unit.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    is_unit.then_some((value.trim_end_matches(' '), unit))
}

/// `12:07.50` are twelve pounds and seven and a half ounces; here in ounces.
fn pounds_and_ounces(text: &str) -> Option<Decimal> {
    let (pounds, ounces) = text.split_once(':')?;
    let (pounds, ounces) = (Decimal::parse(pounds)?, Decimal::parse(ounces)?);
    let scale = 10_i64.pow(u32::from(ounces.decimals));
    if pounds.decimals != 0 || ounces.mantissa < 0 || ounces.mantissa >= 16 * scale || text.contains(['-', '+']) {
        return None;
    }
    let mantissa = pounds.mantissa.checked_mul(16)?.checked_mul(scale)?.checked_add(ounces.mantissa)?;
    Some(Decimal { mantissa, decimals: ounces.decimals })
}

/// The text inside a pair of quotation marks that is all there is.
fn one_quoted(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('"')).then_some(inside)
}

/// All texts in quotation marks, joined by a space; a number before them, as in the lists of `I0`, is left out.
fn all_quoted(text: &str) -> Option<String> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(' ');
    let mut parts = text.split('"');
    let mut texts = Vec::new();
    if !parts.next()?.is_empty() {
        return None;
    }
    while let Some(inside) = parts.next() {
        let between = parts.next()?;
        if !between.bytes().all(|b| b == b' ') {
            return None;
        }
        texts.push(inside);
    }
    (!texts.is_empty()).then(|| texts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Mass;

    fn events(bytes: &[u8], unit: Option<MassUnit>) -> Vec<Event> {
        let mut decoder = Decoder::new(&WireOptions { unit, ..WireOptions::default() });
        let mut events = Vec::new();
        decoder.push(bytes, &mut |event| events.push(event));
        decoder.pause(&mut |event| events.push(event));
        events
    }

    fn error(kind: ErrorKind) -> Vec<Event> {
        vec![Event::Error { kind }]
    }

    fn grams_mg(bytes: &[u8]) -> Option<i64> {
        match events(bytes, None).as_slice() {
            [Event::Weight { mass, .. }] => Some(mass.mg()),
            _ => None,
        }
    }

    #[test]
    fn signs_pounds_and_ounces() {
        assert_eq!(grams_mg(b"S S      -0.02 g\r\n"), Some(-20));
        assert_eq!(grams_mg(b"S D -   12.5 g\r\n"), Some(-12_500));
        // 12 lb 7.5 oz = 199.5 oz of 28.349523125 g.
        assert_eq!(grams_mg(b"S D  12:07.50 lb:oz\r\n"), Some(5_655_730));
        assert_eq!(grams_mg(b"S D  12:17.50 lb:oz\r\n"), None, "seventeen ounces are more than a pound");
        assert_eq!(events(b"S +\r\n", None), [Event::Unavailable { reason: Reason::Overload }]);
        assert_eq!(events(b"S -\r\n", None), [Event::Unavailable { reason: Reason::Underload }]);
    }

    #[test]
    fn near_misses_are_no_weights() {
        let lines: [&[u8]; 12] = [
            b"S A 1.234 g\r\n",
            b"S S 100.0\r\n",
            b"S S g\r\n",
            b"S S\r\n",
            b"S S 1 00.0 g\r\n",
            b"S S 100.0 g g\r\n",
            b" S S 100.0 g\r\n",
            b"SS 100.0 g\r\n",
            b"S S 100,0 g\r\n",
            b"s s 100.0 g\r\n",
            b"S S 100.0 5g\r\n",
            b"S +  100.0 g\r\n",
        ];
        for line in lines {
            assert_eq!(events(line, None), error(ErrorKind::Syntax), "{:?}", String::from_utf8_lossy(line));
        }
        assert_eq!(events(b"S S 100.0 g\n", None), error(ErrorKind::Framing), "a line ends with both");
    }

    /// `1.260 kg` less its `2` is a sound line of this protocol, and three hundred grams too much.
    #[test]
    fn a_lost_digit_shows_in_how_many_there_are() {
        let options = WireOptions { unit: Some(MassUnit::Kg), decimals: Some(3), ..WireOptions::default() };
        let mut told = Vec::new();
        let mut decoder = Decoder::new(&options);
        decoder.push(b"S S      1.60 kg\r\nS S      .260 kg\r\nS S      1260 kg\r\nS S     1.260 kg\r\n", &mut |e| {
            told.push(e)
        });
        let syntax = Event::Error { kind: ErrorKind::Syntax };
        let weight = Event::Weight { mass: Mass::from_mg(1_260_000), stable: Some(true), kind: WeightKind::Gross };
        assert_eq!(told, [syntax.clone(), syntax.clone(), syntax, weight]);
    }

    #[test]
    fn a_unit_that_is_not_configured_or_no_mass_is_only_a_number() {
        let number = |value: &str, unit: &str| Event::Number {
            value: value.to_owned(),
            unit: Some(unit.to_owned()),
            stable: Some(true),
            kind: WeightKind::Gross,
        };
        assert_eq!(events(b"S S 12.345 kg\r\n", Some(MassUnit::G)), [number("12.345", "kg")]);
        assert_eq!(events(b"S S 12 PCS\r\n", None), [number("12", "PCS")]);
        assert_eq!(events(b"S S 1:02.0 lb:oz\r\n", Some(MassUnit::Kg)), [number("1:02.0", "lb:oz")]);
    }

    #[test]
    fn replies_to_other_commands() {
        let tare = Event::Tare { mass: Mass::from_mg(2_486) };
        assert_eq!(events(b"T S      2.486 g\r\n", None), std::slice::from_ref(&tare));
        assert_eq!(events(b"TI D      2.486 g\r\n", None), [tare]);
        assert_eq!(events(b"TAC A\r\n", None), [Event::Done { command: "TAC".to_owned(), stable: None }]);
        let refused = |command: &str, reason: &str| {
            vec![Event::Refused { command: command.to_owned(), reason: reason.to_owned() }]
        };
        assert_eq!(events(b"TA I\r\n", None), refused("TA", "busy"));
        assert_eq!(events(b"ZI -\r\n", None), refused("ZI", "zero_range_low"));
        assert_eq!(events(b"T +\r\n", None), refused("T", "range_high"));
        let text = |command: &str, text: &str| vec![Event::Text { command: command.to_owned(), text: text.to_owned() }];
        assert_eq!(events(b"I1 A \"01\" \"2.30\" \"2.22\"\r\n", None), text("I1", "01 2.30 2.22"));
        assert_eq!(events(b"I0 B 0 \"I0\"\r\n", None), text("I0", "I0"));
        assert_eq!(events(b"I3 A \"1.0\" x\r\n", None), error(ErrorKind::Syntax));
        assert_eq!(events(b"I4 A \"12\" \"34\"\r\n", None), error(ErrorKind::Syntax));
    }

    #[test]
    fn garbage_is_told_once_and_held_nowhere() {
        assert_eq!(events(&[0xff; 10_000], None), error(ErrorKind::Parity));
        let mut decoder = Decoder::new(&WireOptions::default());
        let mut told = Vec::new();
        decoder.push(&[b'x'; 100_000], &mut |event| told.push(event));
        assert_eq!(told, error(ErrorKind::Overlong));
        assert!(decoder.held.capacity() <= 2 * HELD_MAX);
        decoder.push(b"\r\nS S 1.0 g\r\n", &mut |event| told.push(event));
        assert!(matches!(told[1..], [Event::Weight { .. }]));
    }
}
