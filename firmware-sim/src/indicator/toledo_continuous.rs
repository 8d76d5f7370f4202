//! Toledo continuous output (WEIGHING 1.2): `STX SWA SWB SWC weight tare CR CHK` about seven times a second.
//!
//! The digits have neither sign nor point: those stand in the status words, and off the scale the digits are zeros.

use super::meter::{CONVERSIONS_HZ, Face, Meter, Span};
use super::{Answers, Speech};
use crate::hw::Unit;

/// Frames a second.
const RATE_HZ: u64 = 7;

/// Six digits.
const MOST_DIGITS: u64 = 999_999;

/// Firmware of a scale with continuous output.
#[derive(Debug, Clone)]
pub struct ToledoContinuous {
    checksum: bool,
}

impl ToledoContinuous {
    /// A scale that ends its frames with a checksum or not.
    pub fn new(checksum: bool) -> Self {
        Self { checksum }
    }

    fn frame(&self, meter: &Meter) -> Vec<u8> {
        let reading = meter.reading();
        let face = meter.face();
        let digits = face.digits(reading.shown_g());
        let out_of_range = reading.span != Span::Within || !reading.cell_ok || digits.unsigned_abs() > MOST_DIGITS;
        let [digits, tare] =
            if out_of_range || !reading.zeroed { [0, 0] } else { [digits, face.digits(reading.tare_g)] };
        let status = 0x20
            | u8::from(reading.net)
            | u8::from(digits < 0) << 1
            | u8::from(out_of_range) << 2
            | u8::from(!reading.stable) << 3
            | u8::from(face.unit != Unit::Lb) << 4
            | u8::from(!reading.zeroed) << 6;
        let mut frame = vec![0x02, layout(&face), status, 0x20];
        frame.extend(format!("{:06}{:06}\r", digits.unsigned_abs(), tare.unsigned_abs()).bytes());
        if self.checksum {
            let sum = frame.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
            frame.push(sum.wrapping_neg() & 0x7F);
        }
        frame
    }
}

/// SWA: bits 0 to 2 the decimals and two (101 is XXX.XXX), bits 3 and 4 whether the last digit steps by 1, 2 or 5, bit 5.
fn layout(face: &Face) -> u8 {
    let step = face.digits(face.division_g);
    let leading =
        |step: i64| (0..18).map(|power| 10i64.pow(power)).find_map(|ten| (step < 10 * ten).then(|| step / ten));
    let increment = match leading(step.max(1)) {
        Some(2) => 2,
        Some(5) => 3,
        Some(_) | None => 1,
    };
    0x20 | increment << 3 | (face.decimals + 2).min(7)
}

impl Speech for ToledoContinuous {
    fn heard(&mut self, _now_us: u64, byte: u8, sound: bool, meter: &mut Meter, _out: &mut Answers) {
        // Nothing is answered: the next frames tell.
        match byte {
            b'C' if sound => meter.clear_tare(),
            b'T' if sound && meter.reading().stable => drop(meter.tare()),
            b'Z' if sound && meter.reading().stable => drop(meter.zero()),
            _ => {}
        }
    }

    fn shown(&mut self, _now_us: u64, meter: &mut Meter, out: &mut Answers) {
        out.send(self.frame(meter));
    }

    fn conversions_a_display(&self) -> u64 {
        CONVERSIONS_HZ / RATE_HZ
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::meter::Reading;
    use crate::indicator::meter::tests::{AT_REST, face};
    use crate::indicator::tests::{ask, renew, text, vector};

    fn one_gram() -> Face {
        Face { division_g: 1.0, ..face(Unit::Kg, 3) }
    }

    #[track_caller]
    fn holds(reading: Reading, id: &str) {
        let frame = renew(&mut ToledoContinuous::new(true), &mut Meter::showing(one_gram(), reading), 0);
        assert_eq!(text(&frame), text(&vector(id)), "{id}");
    }

    #[test]
    fn says_what_the_vectors_say() {
        holds(Reading { gross_g: 12_345.0, ..AT_REST }, "toledo-continuous-01");
        holds(Reading { gross_g: 31_000.0, span: Span::Over, ..AT_REST }, "toledo-continuous-04");
        holds(Reading { gross_g: 12_345.0, tare_g: 345.0, net: true, ..AT_REST }, "toledo-continuous-05");
        holds(Reading { zeroed: false, ..AT_REST }, "toledo-continuous-06");
    }

    #[test]
    fn sign_motion_and_steps_stand_in_the_status() {
        let moving = Reading { gross_g: -20.0, stable: false, ..AT_REST };
        let mut meter = Meter::showing(face(Unit::Kg, 3), moving);
        let frame = renew(&mut ToledoContinuous::new(false), &mut meter, 0);
        assert_eq!(text(&frame), r"\x02=: 000020000000\r");
        let mut pounds = Meter::showing(Face { division_g: 0.02 * 453.59237, ..face(Unit::Lb, 2) }, AT_REST);
        assert_eq!(renew(&mut ToledoContinuous::new(false), &mut pounds, 0)[1..3], [0x34, 0x20]);
    }

    #[test]
    fn hears_tare_and_clear() {
        let mut meter = Meter::showing(one_gram(), Reading { gross_g: 12_345.0, ..AT_REST });
        let mut scale = ToledoContinuous::new(true);
        assert!(ask(&mut scale, &mut meter, b"T").is_empty());
        assert_eq!(&renew(&mut scale, &mut meter, 0)[4..16], b"000000012345");
        ask(&mut scale, &mut meter, b"C");
        assert_eq!(&renew(&mut scale, &mut meter, 0)[4..16], b"012345000000");
    }
}
