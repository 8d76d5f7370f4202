//! CAS AP-1 (WEIGHING 1.2): ENQ is answered by ACK, DC1 by `SOH STX status sign weight unit BCC ETX EOT`.
//!
//! Overload is the sign `F` before zeros: whoever reads the digits alone reads 0 kg.

use super::meter::{Meter, Span};
use super::{Answers, Speech};

const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const DC1: u8 = 0x11;
const NAK: u8 = 0x15;

/// Firmware of a CAS scale.
#[derive(Debug, Clone, Default)]
pub struct Cas {
    enquired: bool,
}

/// The weight with its block check character, the exclusive or of everything from status to unit.
fn frame(meter: &Meter) -> Vec<u8> {
    let reading = meter.reading();
    let face = meter.face();
    let shown_g = reading.shown_g();
    let (sign, shown_g) = match reading.span {
        Span::Over => ('F', 0.0),
        Span::Within | Span::Under if shown_g < 0.0 => ('-', -shown_g),
        Span::Within | Span::Under => (' ', shown_g),
    };
    let status = if reading.stable { 'S' } else { 'U' };
    let body = format!("{status}{sign}{:0>6}{:>2}", face.number(shown_g), face.unit.name());
    let check = body.bytes().fold(0, |check, byte| check ^ byte);
    [&[0x01, 0x02], body.as_bytes(), &[check, 0x03, 0x04]].concat()
}

impl Speech for Cas {
    fn heard(&mut self, _now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        let enquired = std::mem::take(&mut self.enquired);
        let ready = meter.reading().zeroed && meter.reading().cell_ok;
        match byte {
            ENQ if sound => {
                self.enquired = ready;
                out.send([if ready { ACK } else { NAK }]);
            }
            DC1 if sound && enquired => out.send(if ready { frame(meter) } else { vec![NAK] }),
            _ if enquired => out.send([NAK]),
            _ => {}
        }
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
    fn holds(reading: Reading, expected: &[u8]) {
        let (mut scale, mut meter) = (Cas::default(), Meter::showing(face(Unit::Kg, 3), reading));
        assert_eq!(ask(&mut scale, &mut meter, &vector("cas-ap1-01")), [ACK]);
        assert_eq!(text(&ask(&mut scale, &mut meter, &vector("cas-ap1-03"))), text(expected));
    }

    #[test]
    fn says_what_the_vectors_say() {
        holds(Reading { gross_g: 1234.0, ..AT_REST }, &vector("cas-ap1-05"));
        holds(Reading { gross_g: 1230.0, stable: false, ..AT_REST }, &vector("cas-ap1-06"));
        holds(Reading { gross_g: -20.0, ..AT_REST }, &vector("cas-ap1-07"));
    }

    #[test]
    fn overload_is_f_and_zeros() {
        // S ^ F ^ the six characters ^ k ^ g by hand: 53^46=15, the zeros cancel but for the point: 15^30^2E=0B, ^6B^67=07.
        let reading = Reading { gross_g: 31_000.0, span: Span::Over, ..AT_REST };
        holds(reading, b"\x01\x02SF00.000kg\x07\x03\x04");
    }

    #[test]
    fn does_not_speak_out_of_turn() {
        let (mut scale, mut meter) = (Cas::default(), Meter::showing(face(Unit::Kg, 3), AT_REST));
        assert!(ask(&mut scale, &mut meter, &[DC1]).is_empty());
        assert_eq!(ask(&mut scale, &mut meter, &[ENQ, b'x', DC1]), [ACK, NAK]);
        let mut cold = Meter::showing(face(Unit::Kg, 3), Reading { zeroed: false, ..AT_REST });
        assert_eq!(ask(&mut scale, &mut cold, &[ENQ, DC1]), vector("cas-ap1-04"));
    }
}
