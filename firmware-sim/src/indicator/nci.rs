//! NCI / Weigh-Tronix SCP-01 and its checkout form SCP-02 (WEIGHING 1.2).
//!
//! Commands end with CR. An answer is `LF` weight and unit `CR LF` status `CR ETX`; SCP-02 puts an `S` before the status,
//! writes the unit in capitals and sends the status alone whenever the weight may not be used.

use super::meter::{Meter, Span, point};
use super::{Answers, Speech};

/// The usual dialect.
pub const SCP_01: &str = "scp-01";
/// The checkout form.
pub const SCP_02: &str = "scp-02";

/// Longest command.
const LONGEST: usize = 16;

/// Firmware of an NCI scale.
#[derive(Debug, Clone)]
pub struct Nci {
    checkout: bool,
    command: Vec<u8>,
    garbled: bool,
}

impl Nci {
    /// A scale that speaks SCP-02 (`checkout`) or SCP-01.
    pub fn new(checkout: bool) -> Self {
        Self { checkout, command: Vec::new(), garbled: false }
    }

    fn answer(&self, command: &[u8], meter: &mut Meter) -> Vec<u8> {
        match command {
            b"W" => self.weight(0, meter),
            b"H" => self.weight(1, meter),
            b"S" => self.message(None, meter),
            b"Z" => {
                // Refused, it leaves zero where it is, and the status does not say "at zero".
                let _ = if meter.reading().stable { meter.zero() } else { Ok(()) };
                self.message(None, meter)
            }
            _ => b"\n?\r\x03".to_vec(),
        }
    }

    /// A weight with so many digits more than the display.
    fn weight(&self, finer: u8, meter: &Meter) -> Vec<u8> {
        let reading = meter.reading();
        let shown_g = reading.shown_g();
        let withheld = self.checkout && (!reading.stable || shown_g < 0.0);
        if !reading.valid() || withheld {
            return self.message(None, meter);
        }
        let face = meter.face();
        let decimals = face.decimals + finer;
        let digits = face.digits(shown_g) * 10i64.pow(u32::from(finer));
        let width = if self.checkout { 6 } else { 7 };
        let sign = if digits < 0 { "-" } else { "" };
        let number = format!("{sign}{:0>width$}", point(digits.abs(), decimals), width = width - sign.len());
        let unit = if self.checkout { face.unit.name().to_uppercase() } else { face.unit.name().to_owned() };
        self.message(Some(format!("{number}{unit}")), meter)
    }

    fn message(&self, weight: Option<String>, meter: &Meter) -> Vec<u8> {
        let mut message = vec![b'\n'];
        if let Some(weight) = weight {
            message.extend(weight.into_bytes());
            message.extend(b"\r\n");
        }
        if self.checkout {
            message.push(b'S');
        }
        message.extend(status(meter));
        message.extend(b"\r\x03");
        message
    }
}

/// Two or three status bytes, `0x30` and bits.
fn status(meter: &Meter) -> Vec<u8> {
    let reading = meter.reading();
    let first = 0x30 | u8::from(!reading.stable) | u8::from(reading.at_zero && !reading.net) << 1;
    let under = reading.span == Span::Under || reading.shown_g() < 0.0;
    let over = reading.span == Span::Over;
    let second = 0x30 | u8::from(under) | u8::from(over) << 1 | u8::from(!reading.cell_ok) << 3;
    let third = u8::from(reading.net) << 2 | u8::from(!reading.zeroed) << 3;
    if third == 0 { vec![first, second] } else { vec![first, second | 0x40, 0x30 | third] }
}

impl Speech for Nci {
    fn heard(&mut self, _now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        self.garbled |= !sound;
        if byte != b'\r' {
            if self.command.len() < LONGEST {
                self.command.push(byte);
            }
            return;
        }
        let command = std::mem::take(&mut self.command);
        let answer =
            if std::mem::take(&mut self.garbled) { b"\n?\r\x03".to_vec() } else { self.answer(&command, meter) };
        out.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::Unit;
    use crate::indicator::meter::Reading;
    use crate::indicator::meter::tests::{AT_REST, face};
    use crate::indicator::tests::{ask, text, vector};

    #[track_caller]
    fn holds(checkout: bool, unit: Unit, decimals: u8, reading: Reading, request: &[u8], id: &str) {
        let mut meter = Meter::showing(face(unit, decimals), reading);
        assert_eq!(text(&ask(&mut Nci::new(checkout), &mut meter, request)), text(&vector(id)), "{id}");
    }

    #[test]
    fn says_what_the_vectors_say() {
        let weigh = vector("nci-scp-01-01");
        let ask_status = vector("nci-scp-01-02");
        holds(false, Unit::Kg, 2, Reading { gross_g: 12_340.0, ..AT_REST }, &weigh, "nci-scp-01-05");
        let zero = Reading { at_zero: true, ..AT_REST };
        holds(false, Unit::Kg, 2, zero, &ask_status, "nci-scp-01-08");
        holds(false, Unit::Kg, 2, zero, &vector("nci-scp-01-03"), "nci-scp-01-08");
        holds(false, Unit::Kg, 2, Reading { span: Span::Under, ..AT_REST }, &weigh, "nci-scp-01-09");
        let net = Reading { gross_g: 500.0, tare_g: 100.0, net: true, ..AT_REST };
        holds(false, Unit::Kg, 2, net, &ask_status, "nci-scp-01-11");
        holds(false, Unit::Kg, 2, AT_REST, b"Q\r", "nci-scp-01-12");
        holds(true, Unit::Kg, 3, Reading { gross_g: 2494.0, ..AT_REST }, &weigh, "nci-scp-02-01");
        holds(true, Unit::Kg, 3, Reading { gross_g: 2494.0, stable: false, ..AT_REST }, &weigh, "nci-scp-02-02");
        let pounds = Reading { gross_g: 2.494 * Unit::Lb.grams(), ..AT_REST };
        holds(true, Unit::Lb, 3, pounds, &weigh, "nci-scp-02-03");
    }

    #[test]
    fn in_motion_scp_01_gives_a_weight_and_says_so() {
        let mut meter = Meter::showing(face(Unit::Kg, 3), Reading { gross_g: 1250.0, stable: false, ..AT_REST });
        assert_eq!(text(&ask(&mut Nci::new(false), &mut meter, b"W\r")), r"\n001.250kg\r\n10\r\x03");
        assert_eq!(text(&ask(&mut Nci::new(false), &mut meter, &vector("nci-scp-01-04"))), r"\n01.2500kg\r\n10\r\x03");
        let mut below = Meter::showing(face(Unit::Kg, 3), Reading { gross_g: -20.0, ..AT_REST });
        assert_eq!(text(&ask(&mut Nci::new(false), &mut below, b"W\r")), r"\n-00.020kg\r\n01\r\x03");
        assert_eq!(text(&ask(&mut Nci::new(true), &mut below, b"W\r")), r"\nS01\r\x03");
    }

    #[test]
    fn a_scale_without_its_zero_sends_no_weight() {
        let mut meter = Meter::showing(face(Unit::Kg, 3), Reading { zeroed: false, ..AT_REST });
        assert_eq!(text(&ask(&mut Nci::new(true), &mut meter, b"W\r")), r"\nS0p8\r\x03");
    }
}
