//! A&D standard output (WEIGHING 1.2): `ST,+0001.250 kg` CR LF, streamed about ten times a second or asked for by `Q`.
//!
//! In overload the header is `OL` and all digits are nines.

use super::meter::{Meter, Span};
use super::{Answers, Speech};

/// The usual dialect: nine characters of value, three of unit.
pub const STANDARD: &str = "standard";
/// HW and HV, format 2: seven characters of value, the unit close behind, a space before the comma.
pub const HW: &str = "hw";

/// Longest command.
const LONGEST: usize = 16;

/// Firmware of an A&D scale.
#[derive(Debug, Clone)]
pub struct And {
    short: bool,
    streams: bool,
    line: Vec<u8>,
    garbled: bool,
}

impl And {
    /// A scale with the short format of HW and HV or not, that streams or waits to be asked.
    pub fn new(short: bool, streams: bool) -> Self {
        Self { short, streams, line: Vec::new(), garbled: false }
    }

    fn line(&self, meter: &Meter) -> String {
        let reading = meter.reading();
        let face = meter.face();
        let shown_g = reading.shown_g();
        let off_scale = !reading.valid();
        let sign = if shown_g < 0.0 || reading.span == Span::Under { '-' } else { '+' };
        let width = if self.short { 6 } else { 8 };
        let number = format!("{:0>width$}", face.number(shown_g.abs()));
        let nines = || number.chars().map(|c| if c == '.' { '.' } else { '9' }).collect();
        let value: String = if off_scale { nines() } else { number.clone() };
        let header = match (off_scale, reading.stable) {
            (true, _) => "OL",
            (false, true) => "ST",
            (false, false) => "US",
        };
        let unit = face.unit.name();
        if self.short {
            format!("{header} ,{sign}{value}{unit}\r\n")
        } else {
            format!("{header},{sign}{value}{unit:>3}\r\n")
        }
    }
}

impl Speech for And {
    fn heard(&mut self, _now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        self.garbled |= !sound;
        if byte != b'\n' {
            if self.line.len() < LONGEST {
                self.line.push(byte);
            }
            return;
        }
        let line = std::mem::take(&mut self.line);
        match &line[..] {
            _ if std::mem::take(&mut self.garbled) => {}
            b"Q\r" => out.send(self.line(meter)),
            // Refused, it leaves zero where it is; the next lines tell.
            b"Z\r" if meter.reading().stable => drop(meter.zero()),
            _ => {}
        }
    }

    fn shown(&mut self, _now_us: u64, meter: &mut Meter, out: &mut Answers) {
        if self.streams {
            out.send(self.line(meter));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::Unit;
    use crate::indicator::meter::Reading;
    use crate::indicator::meter::tests::{AT_REST, face};
    use crate::indicator::tests::{ask, renew, text, vector};

    #[track_caller]
    fn holds(short: bool, unit: Unit, decimals: u8, reading: Reading, id: &str) {
        let mut meter = Meter::showing(face(unit, decimals), reading);
        assert_eq!(text(&renew(&mut And::new(short, true), &mut meter, 0)), text(&vector(id)), "{id}");
        let mut asked = And::new(short, false);
        assert!(renew(&mut asked, &mut meter, 0).is_empty());
        assert_eq!(text(&ask(&mut asked, &mut meter, b"Q\r\n")), text(&vector(id)), "{id}");
    }

    #[test]
    fn says_what_the_vectors_say() {
        let at = |gross_g| Reading { gross_g, ..AT_REST };
        holds(false, Unit::G, 1, Reading { stable: false, ..at(1234.5) }, "ad-standard-03");
        holds(false, Unit::G, 1, Reading { span: Span::Over, ..at(31_000.0) }, "ad-standard-04");
        holds(false, Unit::Kg, 3, at(1234.0), "ad-standard-05");
        holds(true, Unit::Kg, 2, at(2400.0), "ad-standard-06");
    }

    #[test]
    fn below_the_scale_the_nines_are_negative() {
        let mut meter = Meter::showing(face(Unit::Kg, 3), Reading { span: Span::Under, gross_g: -500.0, ..AT_REST });
        assert_eq!(text(&renew(&mut And::new(false, true), &mut meter, 0)), r"OL,-9999.999 kg\r\n");
    }
}
