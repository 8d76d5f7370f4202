//! Toledo 8217 and 8213: one-byte commands, `STX digits CR`, or a status when there is no weight (WEIGHING 1.2).

use super::meter::{Meter, Span};
use super::{Answers, Speech};

/// The usual dialect.
pub const TOLEDO: &str = "toledo";
/// Makers whose status has bit 5 always set (WEIGHING 1.2).
pub const RICE_LAKE: &str = "rice-lake";

/// `T` is answered after so long; digits that follow sooner make it a digital tare.
const TARE_AFTER_US: u64 = 150_000;

/// The weight has so many characters with its point: `WW.WWW` or `0WW.WW`.
const WIDTH: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Ready,
    /// `E` until `F`: sends back what it hears.
    Echo,
    /// `T` has come at this time, and these digits.
    Tare {
        since_us: u64,
        digits: String,
    },
}

/// Firmware of a W-family scale.
#[derive(Debug, Clone)]
pub struct Toledo8217 {
    always_bit_5: bool,
    state: State,
}

impl Toledo8217 {
    /// A scale whose status has bit 5 set always, or in net mode only.
    pub fn new(always_bit_5: bool) -> Self {
        Self { always_bit_5, state: State::Ready }
    }

    fn weight(&self, meter: &Meter) -> Vec<u8> {
        let reading = meter.reading();
        let shown_g = reading.shown_g();
        let number = format!("{:0>WIDTH$}", meter.face().number(shown_g));
        // Neither a sign nor more digits fit, so there is no weight then.
        if !reading.valid() || !reading.stable || shown_g < 0.0 || number.len() > WIDTH {
            return self.status(meter);
        }
        let net = if reading.net { "N" } else { "" };
        format!("\u{2}{number}{net}\r").into_bytes()
    }

    fn status(&self, meter: &Meter) -> Vec<u8> {
        let reading = meter.reading();
        let under = reading.span == Span::Under || reading.shown_g() < 0.0;
        let bits = u8::from(!reading.stable)
            | u8::from(reading.span == Span::Over) << 1
            | u8::from(under) << 2
            | u8::from(!reading.zeroed || !reading.cell_ok) << 3
            | u8::from(reading.at_zero && !reading.net) << 4
            | u8::from(reading.net || self.always_bit_5) << 5
            | 1 << 6;
        vec![0x02, b'?', bits, b'\r']
    }

    fn command(&mut self, now_us: u64, byte: u8, meter: &mut Meter, out: &mut Answers) {
        match byte {
            b'W' => out.send(self.weight(meter)),
            b'Z' => {
                // Refused, it leaves zero where it is, and the status tells why.
                let _ = if meter.reading().stable { meter.zero() } else { Ok(()) };
                out.send(self.status(meter));
            }
            b'C' => {
                meter.clear_tare();
                out.send(self.status(meter));
            }
            b'T' => self.state = State::Tare { since_us: now_us, digits: String::new() },
            // The confidence test always ends well here.
            b'A' | b'B' => out.send(self.status(meter)),
            b'E' => {
                self.state = State::Echo;
                out.send([0x02, b'E', b'\r']);
            }
            // Unknown commands get no answer.
            _ => {}
        }
    }

    fn digital_tare(&mut self, digits: &str, meter: &mut Meter, out: &mut Answers) {
        let digits: f64 = digits.parse().unwrap_or(0.0);
        let face = meter.face();
        meter.preset_tare(digits / 10f64.powi(i32::from(face.decimals)) * face.unit.grams());
        out.send(self.status(meter));
    }
}

impl Speech for Toledo8217 {
    fn heard(&mut self, now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        if !sound {
            return;
        }
        match &mut self.state {
            State::Ready => self.command(now_us, byte, meter, out),
            State::Echo if byte == b'F' => {
                self.state = State::Ready;
                out.send([0x02, b'F', b'\r']);
            }
            State::Echo => out.send_after(0, [byte]),
            State::Tare { digits, .. } if byte.is_ascii_digit() => {
                digits.push(char::from(byte));
                if digits.len() == 5 {
                    let digits = std::mem::take(digits);
                    self.state = State::Ready;
                    self.digital_tare(&digits, meter, out);
                }
            }
            State::Tare { .. } => {
                self.state = State::Ready;
                self.command(now_us, byte, meter, out);
            }
        }
    }

    fn shown(&mut self, now_us: u64, meter: &mut Meter, out: &mut Answers) {
        let State::Tare { since_us, digits } = &self.state else {
            return;
        };
        if now_us < since_us + TARE_AFTER_US {
            return;
        }
        if digits.is_empty() && meter.reading().stable {
            // Refused, the status says that it is not net.
            let _ = meter.tare();
        }
        self.state = State::Ready;
        out.send(self.status(meter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::Unit;
    use crate::indicator::meter::Reading;
    use crate::indicator::meter::tests::{AT_REST, face};
    use crate::indicator::tests::{ask, renew, text, vector};

    fn meter(reading: Reading) -> Meter {
        Meter::showing(face(Unit::Kg, 3), reading)
    }

    #[track_caller]
    fn holds(mut meter: Meter, request: &[u8], id: &str) {
        assert_eq!(text(&ask(&mut Toledo8217::new(false), &mut meter, request)), text(&vector(id)), "{id}");
    }

    #[test]
    fn says_what_the_vectors_say() {
        let ask_weight = vector("toledo-8217-01");
        let at = Reading { gross_g: 1234.0, ..AT_REST };
        holds(meter(at), &ask_weight, "toledo-8217-07");
        holds(meter(Reading { gross_g: 1500.0, tare_g: 266.0, net: true, ..AT_REST }), &ask_weight, "toledo-8217-08");
        let pounds = Reading { gross_g: 1.23 * Unit::Lb.grams(), ..AT_REST };
        holds(Meter::showing(face(Unit::Lb, 2), pounds), &ask_weight, "toledo-8217-09");
        let moving = Reading { stable: false, ..at };
        holds(meter(moving), &ask_weight, "toledo-8217-10");
        holds(meter(Reading { span: Span::Over, ..at }), &ask_weight, "toledo-8217-11");
        holds(meter(Reading { zeroed: false, ..at }), &ask_weight, "toledo-8217-13");
        let zero = Reading { at_zero: true, ..AT_REST };
        holds(meter(zero), &vector("toledo-8217-02"), "toledo-8217-14");
        holds(meter(Reading { gross_g: 500.0, tare_g: 100.0, net: true, ..AT_REST }), b"A", "toledo-8217-15");
        holds(meter(Reading { stable: false, span: Span::Under, ..AT_REST }), &ask_weight, "toledo-8217-16");
        let mut clone = Toledo8217::new(true);
        assert_eq!(ask(&mut clone, &mut meter(moving), &ask_weight), vector("toledo-8217-17"));
    }

    #[test]
    fn echoes_what_it_hears_between_e_and_f() {
        let answer =
            ask(&mut Toledo8217::new(false), &mut meter(AT_REST), &[&vector("toledo-8217-05")[..], b"FW"].concat());
        assert_eq!(text(&answer), r"\x02E\rhello\x02F\r\x0200.000\r");
    }

    #[test]
    fn tares_by_what_lies_there_by_digits_and_not_at_all() {
        let (mut scale, mut meter) = (Toledo8217::new(false), meter(Reading { gross_g: 500.0, ..AT_REST }));
        assert!(ask(&mut scale, &mut meter, b"T").is_empty());
        assert!(renew(&mut scale, &mut meter, 1_100_000).is_empty(), "150 ms have not gone by");
        assert_eq!(text(&renew(&mut scale, &mut meter, 1_200_000)), r"\x02?`\r");
        assert_eq!(text(&ask(&mut scale, &mut meter, b"W")), r"\x0200.000N\r");
        assert_eq!(text(&ask(&mut scale, &mut meter, &vector("toledo-8217-04"))), r"\x02?@\r");
        assert_eq!(text(&ask(&mut scale, &mut meter, b"T00120W")), r"\x02?`\r\x0200.380N\r");
    }

    #[test]
    fn what_does_not_fit_is_no_weight() {
        let mut scale = Toledo8217::new(false);
        let mut heavy = Meter::showing(face(Unit::Kg, 3), Reading { gross_g: 120_000.0, ..AT_REST });
        assert_eq!(ask(&mut scale, &mut heavy, b"W")[1], b'?');
        let mut negative = meter(Reading { gross_g: -10.0, ..AT_REST });
        assert_eq!(text(&ask(&mut scale, &mut negative, b"W")), r"\x02?D\r");
    }
}
