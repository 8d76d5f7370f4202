//! Flintec FT-16 over Modbus RTU (WEIGHING 1.2): 40001 the shown value, 40003 status.

use super::meter::{Meter, Span};
use super::modbus::{Slave, long, register};
use super::{Answers, Speech};
use crate::hw::Registers;

/// Most registers of one request: the protocol's own limit.
const MOST_REGISTERS: u16 = 125;

const DATA_OK: u16 = 1 << 1;
const MOTION: u16 = 1 << 2;

/// Error codes stand in bits 13 to 15; which is which is not in WEIGHING, and hosts may only tell 0 from the rest.
const CONVERTER: u16 = 1 << 13;
const OVER: u16 = 2 << 13;
const UNDER: u16 = 3 << 13;

/// Firmware of a Flintec transmitter.
#[derive(Debug, Clone)]
pub struct Flintec {
    slave: Slave,
    map: Registers,
}

impl Flintec {
    /// A transmitter at this address with this register map.
    pub fn new(address: u8, map: Registers) -> Self {
        Self { slave: Slave::new(address, MOST_REGISTERS), map }
    }
}

fn words(map: &Registers, meter: &Meter) -> Vec<(u16, u16)> {
    let reading = meter.reading();
    let error = match reading.span {
        _ if !reading.cell_ok => CONVERTER,
        Span::Over => OVER,
        Span::Under => UNDER,
        Span::Within => 0,
    };
    let motion = if reading.stable { 0 } else { MOTION };
    let status = if error == 0 { DATA_OK | motion } else { error };
    let digits = |mass_g: f64| if error == 0 { meter.face().digits(mass_g) as i32 as u32 } else { 0 };
    let mut words = vec![(map.status_word, status)];
    match map.net_word {
        None => words.extend(long(map, map.gross_word, digits(reading.shown_g()))),
        Some(net_word) => {
            words.extend(long(map, map.gross_word, digits(reading.gross_g)));
            words.extend(long(map, net_word, digits(reading.shown_g())));
        }
    }
    words
}

impl Speech for Flintec {
    fn heard(&mut self, now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        let words = words(&self.map, meter);
        self.slave.hear(now_us, byte, sound, |address| register(&self.map, address, &words), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::{ScaleProtocol, Unit};
    use crate::indicator::meter::Reading;
    use crate::indicator::meter::tests::{AT_REST, face};
    use crate::indicator::tests::{ask, text, vector};

    fn asked(reading: Reading) -> Vec<u8> {
        let mut meter = Meter::showing(face(Unit::Kg, 3), reading);
        let mut transmitter = Flintec::new(1, Registers::usual(ScaleProtocol::ModbusFlintec));
        ask(&mut transmitter, &mut meter, &vector("modbus-flintec-01"))
    }

    #[test]
    fn says_what_the_vectors_say() {
        let answer = asked(Reading { gross_g: 12_500.0, ..AT_REST });
        assert_eq!(text(&answer), text(&vector("modbus-flintec-02")));
    }

    #[test]
    fn a_negative_weight_is_a_twos_complement_and_an_error_is_no_weight() {
        assert_eq!(asked(Reading { gross_g: -20.0, stable: false, ..AT_REST })[3..9], [0xFF, 0xFF, 0xFF, 0xEC, 0, 6]);
        assert_eq!(asked(Reading { gross_g: 31_000.0, span: Span::Over, ..AT_REST })[3..9], [0, 0, 0, 0, 0x40, 0]);
    }
}
