//! Checkout-Dialog 06, and 04 and 02, which are the same without the challenge (WEIGHING 1.2).
//!
//! The host sends a price record `EOT STX 01 ESC pppppp ESC ETX`, the scale answers ACK, the host asks for the result by
//! `EOT ENQ` and gets record 02 or NAK; record 08 asks why and is answered by record 09. A result is given once: without
//! motion since then the next one is refused (code 21).
//!
//! Dialog 06 answers a price record with record 11 and a random number instead of ACK when it has just been switched on,
//! after an error, and after fifty weighings. The host sends record 10 (ACK), then `EOT ENQ`, gets the judgement (record 11
//! again), and begins anew with the price record (order of events as in the DIVA service manual, page 55).

use super::meter::{Meter, Reading, Span};
use super::{Answers, Speech};
use crate::hw::Unit;

/// The polynomial of the simulator's scales, `x^16 + x^15 + x^2 + 1`, its highest term left out. Real ones are secrets
/// between the makers of scale and POS.
pub const TEST_POLYNOMIAL: u16 = 0x8005;

/// A new challenge comes after so many weighings.
const WEIGHINGS_A_CHALLENGE: u32 = 50;

/// Longest record: 05 with 43 characters.
const LONGEST_RECORD: usize = 48;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
const ESC: char = '\u{1b}';

/// Codes of record 09.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Fine = 0,
    General = 1,
    Parity = 2,
    RecordNumber = 10,
    Price = 11,
    Tare = 12,
    Text = 13,
    Motion = 20,
    NoMotionSince = 21,
    NotFinished = 22,
    BelowMinimum = 30,
    BelowZero = 31,
    Overload = 32,
}

impl Code {
    /// After these the host may ask for the same result again.
    fn may_be_repeated(self) -> bool {
        matches!(self, Self::Motion | Self::NotFinished)
    }

    /// After these the scale wants to know whether the POS is still the one it trusts.
    fn distrusts(self) -> bool {
        matches!(self, Self::General | Self::Parity)
    }
}

/// How far the challenge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    /// None is due.
    Passed,
    /// The next price record is answered by one.
    Due,
    /// Sent with this random number.
    Sent(u8),
    /// Answered; the next ENQ tells whether rightly.
    Answered(bool),
}

/// Firmware of a Checkout-Dialog scale.
#[derive(Debug, Clone)]
pub struct Dialog {
    polynomial: Option<u16>,
    challenge: Challenge,
    random: u8,
    weighings: u32,
    record: Option<Vec<u8>>,
    garbled: bool,
    code: Code,
    /// Unit price and tare of the operation under way.
    operation: Option<(u32, f64)>,
    /// Motions counted when the last result was given.
    weighed_at: Option<u64>,
}

impl Dialog {
    /// Dialog 06 with the polynomial that host and scale share.
    pub fn with_challenge(polynomial: u16) -> Self {
        Self { polynomial: Some(polynomial), challenge: Challenge::Due, ..Self::plain() }
    }

    /// Dialog 04 or 02.
    pub fn plain() -> Self {
        Self {
            polynomial: None,
            challenge: Challenge::Passed,
            random: 0x47,
            weighings: 0,
            record: None,
            garbled: false,
            code: Code::Fine,
            operation: None,
            weighed_at: None,
        }
    }

    fn refuse(&mut self, code: Code, out: &mut Answers) {
        self.code = code;
        if !code.may_be_repeated() {
            self.operation = None;
        }
        if code.distrusts() {
            self.want_challenge();
        }
        out.send([NAK]);
    }

    fn want_challenge(&mut self) {
        if self.polynomial.is_some() {
            self.challenge = Challenge::Due;
        }
    }

    fn take_record(&mut self, record: &[u8], out: &mut Answers) {
        if record.len() > LONGEST_RECORD || std::mem::take(&mut self.garbled) {
            return self.refuse(Code::Parity, out);
        }
        let Ok(text) = std::str::from_utf8(record) else {
            return self.refuse(Code::Parity, out);
        };
        let fields: Vec<&str> = text.split(ESC).collect();
        match fields[..] {
            ["08"] => out.send(format!("\u{2}09{ESC}{:02}\u{3}", self.code as u8)),
            ["10", ref pairs @ ..] => self.take_checksums(pairs, out),
            ["01", price, ""] => self.take_price(price, None, None, out),
            ["03", price, tare] => self.take_price(price, Some(tare), None, out),
            ["04", price, text] => self.take_price(price, None, Some(text), out),
            ["05", price, tare, text] => self.take_price(price, Some(tare), Some(text), out),
            _ => self.refuse(Code::RecordNumber, out),
        }
    }

    fn take_price(&mut self, price: &str, tare: Option<&str>, text: Option<&str>, out: &mut Answers) {
        let digits = |field: &str, lengths: &[usize]| {
            let sound = lengths.contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_digit());
            sound.then(|| field.parse::<u32>().ok()).flatten()
        };
        let Some(price) = digits(price, &[5, 6]) else {
            return self.refuse(Code::Price, out);
        };
        let Some(tare_g) = tare.map_or(Some(0), |tare| digits(tare, &[4])) else {
            return self.refuse(Code::Tare, out);
        };
        if text.is_some_and(|text| text.len() != 13) {
            return self.refuse(Code::Text, out);
        }
        match self.challenge {
            Challenge::Passed => {
                self.operation = Some((price, f64::from(tare_g)));
                self.code = Code::NotFinished;
                out.send([ACK]);
            }
            Challenge::Due | Challenge::Sent(_) | Challenge::Answered(_) => {
                self.random = self.random.wrapping_mul(5).wrapping_add(0x3D);
                self.challenge = Challenge::Sent(self.random);
                out.send(format!("\u{2}11{ESC}2{:02X}\u{3}", self.random));
            }
        }
    }

    fn take_checksums(&mut self, pairs: &[&str], out: &mut Answers) {
        let (Challenge::Sent(random), Some(polynomial)) = (self.challenge, self.polynomial) else {
            return self.refuse(Code::RecordNumber, out);
        };
        let valid = (1..=5).contains(&pairs.len()) && pairs.iter().all(|pair| is_right(pair, random, polynomial));
        self.challenge = Challenge::Answered(valid);
        out.send([ACK]);
    }

    fn give_result(&mut self, meter: &Meter, out: &mut Answers) {
        if let Challenge::Answered(valid) = self.challenge {
            self.challenge = if valid { Challenge::Passed } else { Challenge::Due };
            self.weighings = 0;
            return out.send(format!("\u{2}11{ESC}{}\u{3}", u8::from(valid)));
        }
        let Some((price, tare_g)) = self.operation else {
            return self.refuse(Code::NotFinished, out);
        };
        match self.judge(meter, tare_g) {
            Ok(net_g) => {
                out.send(result(price, net_g, meter));
                (self.operation, self.code) = (None, Code::Fine);
                self.weighed_at = Some(meter.reading().motions);
                self.weighings += 1;
                if self.weighings >= WEIGHINGS_A_CHALLENGE {
                    self.want_challenge();
                }
            }
            Err(code) => self.refuse(code, out),
        }
    }

    /// The net weight in grams, or why there is none.
    fn judge(&self, meter: &Meter, tare_g: f64) -> Result<f64, Code> {
        let Reading { zeroed, cell_ok, span, stable, motions, .. } = *meter.reading();
        let net_g = meter.reading().gross_g - tare_g;
        match span {
            _ if !zeroed || !cell_ok => Err(Code::General),
            Span::Over => Err(Code::Overload),
            Span::Under => Err(Code::BelowZero),
            Span::Within if !stable => Err(Code::Motion),
            Span::Within if net_g < 0.0 => Err(Code::BelowZero),
            Span::Within if !meter.reaches_min() => Err(Code::BelowMinimum),
            Span::Within if self.weighed_at == Some(motions) => Err(Code::NoMotionSince),
            Span::Within => Ok(net_g),
        }
    }
}

/// Record 02: scale status, weight of five digits, price of six, amount of six.
fn result(price: u32, net_g: f64, meter: &Meter) -> String {
    // Status 3: grams; 1: hundredths, 2: five thousandths of a pound, sent as two and three decimals.
    let (status, weight, per_unit) = match meter.face().unit {
        Unit::Kg | Unit::G => (3, net_g.round(), 1000.0),
        Unit::Lb if meter.face().decimals >= 3 => (2, (net_g / Unit::Lb.grams() * 1000.0).round(), 1000.0),
        Unit::Lb => (1, (net_g / Unit::Lb.grams() * 100.0).round(), 100.0),
    };
    let amount = (weight * f64::from(price) / per_unit).round();
    format!("\u{2}02{ESC}{status}{ESC}{weight:05}{ESC}{price:06}{ESC}{amount:06}\u{3}")
}

/// Whether `pair` is CS rotated left by the high nibble of `random` and KW rotated right by the low one, four hexadecimal
/// digits each, with KW the remainder of `CS x^16` by the polynomial.
fn is_right(pair: &str, random: u8, polynomial: u16) -> bool {
    let hex = |digits: &str| {
        let upper = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
        upper.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    let Some((Some(cs), Some(kw))) = pair.split_at_checked(4).map(|(cs, kw)| (hex(cs), hex(kw))) else {
        return false;
    };
    let cs = cs.rotate_right(u32::from(random >> 4));
    pair.len() == 8 && kw.rotate_left(u32::from(random & 0xF)) == remainder(cs, polynomial)
}

/// `CS x^16 mod (x^16 + polynomial)` over GF(2).
fn remainder(cs: u16, polynomial: u16) -> u16 {
    (0..16).fold(cs, |rest, _| if rest & 0x8000 == 0 { rest << 1 } else { (rest << 1) ^ polynomial })
}

impl Speech for Dialog {
    fn heard(&mut self, _now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        self.garbled |= !sound;
        match (byte, &mut self.record) {
            // Closes whatever went before, and opens what follows.
            (EOT, _) => (self.record, self.garbled) = (None, !sound),
            (STX, _) => self.record = Some(Vec::new()),
            (ETX, Some(record)) => {
                let record = std::mem::take(record);
                self.record = None;
                self.take_record(&record, out);
            }
            (ENQ, None) => self.give_result(meter, out),
            (_, Some(record)) if record.len() <= LONGEST_RECORD => record.push(byte),
            (_, Some(_) | None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::meter::tests::{AT_REST, face};
    use crate::indicator::tests::{ask, text, vector};

    fn kg(reading: Reading) -> Meter {
        Meter::showing(face(Unit::Kg, 3), reading)
    }

    fn loaded(gross_g: f64) -> Meter {
        kg(Reading { gross_g, ..AT_REST })
    }

    /// Past its first challenge.
    fn trusted() -> Dialog {
        Dialog { challenge: Challenge::Passed, ..Dialog::with_challenge(TEST_POLYNOMIAL) }
    }

    const PRICE: &[u8] = b"\x04\x0201\x1b000299\x1b\x03";
    const RESULT: &[u8] = b"\x04\x05";
    const WHY: &[u8] = b"\x04\x0208\x03";

    #[test]
    fn a_weighing_as_the_vectors_have_it() {
        assert_eq!(
            (PRICE, RESULT, WHY),
            (&*vector("dialog-06-01"), &*vector("dialog-06-07"), &*vector("dialog-06-10"))
        );
        let (mut scale, mut meter) = (trusted(), loaded(1250.0));
        assert_eq!(ask(&mut scale, &mut meter, PRICE), vector("dialog-06-05"));
        assert_eq!(ask(&mut scale, &mut meter, RESULT), vector("dialog-02-04-03"));
        assert_eq!(ask(&mut scale, &mut meter, WHY), vector("dialog-06-11"));
        let (mut plain, mut meter) = (Dialog::plain(), loaded(1250.0));
        assert_eq!(ask(&mut plain, &mut meter, &vector("dialog-02-04-01")), [ACK]);
        assert_eq!(ask(&mut plain, &mut meter, &vector("dialog-02-04-02")), vector("dialog-02-04-03"));
    }

    #[test]
    fn pounds_are_hundredths_with_status_1() {
        let mut meter = Meter::showing(face(Unit::Lb, 2), Reading { gross_g: 2.75 * Unit::Lb.grams(), ..AT_REST });
        let mut scale = trusted();
        ask(&mut scale, &mut meter, PRICE);
        assert_eq!(text(&ask(&mut scale, &mut meter, RESULT)), text(&vector("dialog-06-09")));
    }

    #[test]
    fn a_tare_of_the_record_is_taken_off() {
        let (mut scale, mut meter) = (trusted(), loaded(1265.0));
        assert_eq!(ask(&mut scale, &mut meter, &vector("dialog-06-02")), [ACK]);
        assert_eq!(ask(&mut scale, &mut meter, RESULT), vector("dialog-02-04-03"));
        let with_all = b"\x04\x0205\x1b000299\x1b0015\x1bTHIRTEEN CHAR\x03";
        assert_eq!(ask(&mut scale, &mut meter, with_all), [ACK]);
    }

    #[test]
    fn says_why_there_is_no_weight() {
        let moving = Reading { stable: false, gross_g: 500.0, ..AT_REST };
        for (reading, id) in [
            (moving, "dialog-06-18"),
            (Reading { gross_g: 95.0, ..AT_REST }, "dialog-06-21"),
            (Reading { span: Span::Under, ..AT_REST }, "dialog-06-22"),
            (Reading { span: Span::Over, ..AT_REST }, "dialog-06-23"),
        ] {
            let (mut scale, mut meter) = (trusted(), kg(reading));
            ask(&mut scale, &mut meter, PRICE);
            assert_eq!(ask(&mut scale, &mut meter, RESULT), vector("dialog-06-06"));
            assert_eq!(text(&ask(&mut scale, &mut meter, WHY)), text(&vector(id)));
        }
        let (mut plain, mut meter) = (Dialog::plain(), kg(moving));
        ask(&mut plain, &mut meter, PRICE);
        assert_eq!(ask(&mut plain, &mut meter, RESULT), vector("dialog-02-04-04"));
        assert_eq!(ask(&mut plain, &mut meter, WHY), vector("dialog-02-04-05"));
    }

    #[test]
    fn says_what_is_wrong_with_a_record() {
        for (record, id) in [
            (&b"\x04\x0201\x1b00029x\x1b\x03"[..], "dialog-06-15"),
            (b"\x04\x0203\x1b000299\x1b15\x03", "dialog-06-16"),
            (b"\x04\x0204\x1b000299\x1bshort\x03", "dialog-06-17"),
        ] {
            let (mut scale, mut meter) = (trusted(), loaded(500.0));
            assert_eq!(ask(&mut scale, &mut meter, record), [NAK]);
            assert_eq!(text(&ask(&mut scale, &mut meter, WHY)), text(&vector(id)));
        }
        let (mut scale, mut meter, mut out) = (trusted(), loaded(500.0), Answers::default());
        for byte in PRICE {
            scale.heard(0, *byte, *byte != b'2', &mut meter, &mut out);
        }
        assert_eq!(out.0[0].1, [NAK]);
        assert_eq!(text(&ask(&mut scale, &mut meter, WHY)), text(&vector("dialog-06-13")));
        assert!(ask(&mut scale, &mut meter, PRICE).starts_with(b"\x0211\x1b2"), "after an error it wants a challenge");
    }

    #[test]
    fn a_result_is_given_once_until_something_moves() {
        let (mut scale, mut meter) = (trusted(), loaded(1250.0));
        let mut weigh = |meter: &mut Meter| {
            ask(&mut scale, meter, PRICE);
            let result = ask(&mut scale, meter, RESULT);
            (result[0], ask(&mut scale, meter, WHY))
        };
        assert_eq!(weigh(&mut meter).0, STX);
        assert_eq!(weigh(&mut meter), (NAK, vector("dialog-06-19")));
        let mut meter = kg(Reading { gross_g: 1250.0, motions: 2, ..AT_REST });
        assert_eq!(weigh(&mut meter).0, STX);
    }

    /// The host's side, worked out by long division on strings of bits instead of the register above.
    fn answer(random: u8, cs: u16, polynomial: u16) -> Vec<u8> {
        let mut bits: Vec<bool> = (0..32).map(|bit| bit < 16 && cs >> (15 - bit) & 1 == 1).collect();
        let divisor: Vec<bool> =
            std::iter::once(true).chain((0..16).map(|bit| polynomial >> (15 - bit) & 1 == 1)).collect();
        for start in 0..16 {
            if bits[start] {
                bits[start..].iter_mut().zip(&divisor).for_each(|(bit, divisor)| *bit ^= divisor);
            }
        }
        let kw = bits[16..].iter().fold(0u16, |kw, bit| kw << 1 | u16::from(*bit));
        let cs = cs.rotate_left(u32::from(random >> 4));
        let kw = kw.rotate_right(u32::from(random & 0xF));
        format!("\u{4}\u{2}10\u{1b}{cs:04X}{kw:04X}\u{3}").into_bytes()
    }

    #[test]
    fn switched_on_it_wants_to_know_who_asks() {
        let (mut scale, mut meter) = (Dialog::with_challenge(TEST_POLYNOMIAL), loaded(1250.0));
        scale.random = 0xAE; // The next number is A3; the vector's is A7.
        let challenge = ask(&mut scale, &mut meter, PRICE);
        assert_eq!((challenge.len(), &challenge[..5]), (vector("dialog-06-24").len(), &vector("dialog-06-24")[..5]));
        assert_eq!(&challenge[5..], b"A3\x03");
        assert_eq!(ask(&mut scale, &mut meter, &vector("dialog-06-25")), [ACK]);
        assert_eq!(ask(&mut scale, &mut meter, RESULT), vector("dialog-06-27"), "not this polynomial's remainder");
        let challenge = ask(&mut scale, &mut meter, PRICE);
        let random = u8::from_str_radix(std::str::from_utf8(&challenge[5..7]).unwrap(), 16).unwrap();
        assert_eq!(ask(&mut scale, &mut meter, &answer(random, 0x1234, TEST_POLYNOMIAL)), [ACK]);
        assert_eq!(ask(&mut scale, &mut meter, RESULT), vector("dialog-06-26"));
        assert_eq!(ask(&mut scale, &mut meter, PRICE), [ACK]);
        assert_eq!(ask(&mut scale, &mut meter, RESULT), vector("dialog-02-04-03"));
    }

    #[test]
    fn every_fifty_weighings_it_asks_again() {
        let mut scale = trusted();
        for motions in 0..50 {
            let mut meter = kg(Reading { gross_g: 500.0, motions, ..AT_REST });
            assert_eq!(ask(&mut scale, &mut meter, PRICE), [ACK]);
            assert_eq!(ask(&mut scale, &mut meter, RESULT)[0], STX);
        }
        assert_eq!(&ask(&mut scale, &mut loaded(500.0), PRICE)[..5], b"\x0211\x1b2");
    }
}
