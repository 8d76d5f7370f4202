//! LAUMAS TLB, TLU and LCB transmitters and their kin over Modbus RTU (WEIGHING 1.2): 40007 status, 40008 gross, 40010 net.
//!
//! Weights are magnitudes, their signs stand in the status; beyond Max the weight goes on and a status bit tells.

use super::meter::Meter;
use super::modbus::{Slave, long, register};
use super::{Answers, Speech};
use crate::hw::Registers;

/// Most registers of one request.
const MOST_REGISTERS: u16 = 32;

const LOAD_CELL_ERROR: u16 = 1 << 0;
const OVER_MAX_BY_9_D: u16 = 1 << 2;
const OVER_110_PERCENT: u16 = 1 << 3;
const GROSS_NEGATIVE: u16 = 1 << 7;
const NET_NEGATIVE: u16 = 1 << 8;
const STABLE: u16 = 1 << 11;
const AT_ZERO: u16 = 1 << 12;

/// Firmware of a LAUMAS transmitter.
#[derive(Debug, Clone)]
pub struct Laumas {
    slave: Slave,
    map: Registers,
}

impl Laumas {
    /// A transmitter at this address with this register map.
    pub fn new(address: u8, map: Registers) -> Self {
        Self { slave: Slave::new(address, MOST_REGISTERS), map }
    }
}

fn words(map: &Registers, meter: &Meter) -> Vec<(u16, u16)> {
    let reading = meter.reading();
    if !reading.cell_ok {
        return vec![(map.status_word, LOAD_CELL_ERROR)];
    }
    let face = meter.face();
    let gross_g = reading.gross_g;
    let net_g = reading.shown_g();
    let status = [
        (gross_g > face.max_g + 9.0 * face.division_g, OVER_MAX_BY_9_D),
        (gross_g > 1.1 * face.max_g, OVER_110_PERCENT),
        (gross_g < 0.0, GROSS_NEGATIVE),
        (net_g < 0.0, NET_NEGATIVE),
        (reading.stable, STABLE),
        (reading.at_zero, AT_ZERO),
    ];
    let status = status.iter().filter(|(set, _)| *set).fold(0, |status, (_, bit)| status | bit);
    let magnitude = |mass_g: f64| u32::try_from(face.digits(mass_g).unsigned_abs()).unwrap_or(u32::MAX);
    let mut words = vec![(map.status_word, status)];
    words.extend(long(map, map.gross_word, magnitude(gross_g)));
    if let Some(net_word) = map.net_word {
        words.extend(long(map, net_word, magnitude(net_g)));
    }
    words
}

impl Speech for Laumas {
    fn heard(&mut self, now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        let words = words(&self.map, meter);
        self.slave.hear(now_us, byte, sound, |address| register(&self.map, address, &words), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::{ScaleProtocol, Unit, WordOrder};
    use crate::indicator::meter::Reading;
    use crate::indicator::meter::tests::{AT_REST, face};
    use crate::indicator::tests::{ask, text, vector};

    /// WEIGHING 1.2.
    const REQUEST: [u8; 8] = [0x01, 0x03, 0x00, 0x06, 0x00, 0x05, 0x65, 0xC8];

    fn transmitter() -> Laumas {
        Laumas::new(1, Registers::usual(ScaleProtocol::ModbusLaumas))
    }

    fn meter(reading: Reading) -> Meter {
        Meter::showing(face(Unit::Kg, 3), reading)
    }

    #[track_caller]
    fn holds(reading: Reading, request: &[u8], id: &str) {
        assert_eq!(text(&ask(&mut transmitter(), &mut meter(reading), request)), text(&vector(id)), "{id}");
    }

    #[test]
    fn says_what_the_vectors_say() {
        holds(Reading { gross_g: 12_500.0, ..AT_REST }, &REQUEST, "modbus-laumas-02");
        holds(Reading { cell_ok: false, ..AT_REST }, &REQUEST, "modbus-laumas-04");
        let mut over = Meter::showing(
            crate::indicator::Face { max_g: 60_000.0, ..face(Unit::Kg, 3) },
            Reading { gross_g: 62_500.0, stable: false, ..AT_REST },
        );
        assert_eq!(text(&ask(&mut transmitter(), &mut over, &REQUEST)), text(&vector("modbus-laumas-05")));
        // CRC of 01 03 00 00 00 05 as on any Modbus calculator: 85 C9.
        holds(AT_REST, &[0x01, 0x03, 0x00, 0x00, 0x00, 0x05, 0x85, 0xC9], "modbus-laumas-06");
    }

    #[test]
    fn signs_stand_in_the_status_and_halves_in_the_stated_order() {
        let mut map = Registers::usual(ScaleProtocol::ModbusLaumas);
        map.word_order = WordOrder::LowFirst;
        let mut meter = meter(Reading { gross_g: -20.0, tare_g: 70_000.0, net: true, ..AT_REST });
        let answer = ask(&mut Laumas::new(1, map), &mut meter, &REQUEST);
        // 70 020 is 1 1184 hexadecimal.
        assert_eq!(answer[3..13], [0x09, 0x80, 0x00, 0x14, 0x00, 0x00, 0x11, 0x84, 0x00, 0x01]);
    }

    #[test]
    fn only_whole_requests_to_itself_are_answered() {
        let (mut slave, mut meter) = (transmitter(), meter(AT_REST));
        let mut broken = REQUEST;
        broken[3] ^= 1;
        assert!(ask(&mut slave, &mut meter, &broken).is_empty());
        let mut out = Answers::default();
        for byte in REQUEST {
            slave.heard(2_000_000, byte, true, &mut meter, &mut out);
        }
        assert_eq!(out.0.len(), 1, "after a silence it listens again");
        let mut other = Laumas::new(2, Registers::usual(ScaleProtocol::ModbusLaumas));
        assert!(ask(&mut other, &mut meter, &REQUEST).is_empty());
        // A write is refused: CRC of 01 06 00 05 00 08 is 98 0D.
        let answer = ask(&mut transmitter(), &mut meter, &[0x01, 0x06, 0x00, 0x05, 0x00, 0x08, 0x98, 0x0D]);
        assert_eq!(answer[..3], [0x01, 0x86, 0x01]);
    }
}
