//! Modbus RTU, the side that is asked: frames, CRC, exceptions. What the registers hold is the transmitters' own matter.

use crc::{CRC_16_MODBUS, Crc};

use super::Answers;
use crate::hw::{Registers, WordOrder};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);

/// A silence ends a frame. On the line it is 3.5 characters; adapters and ptys stretch it, so a slave is patient here.
const SILENCE_US: u64 = 30_000;

/// Longest frame of Modbus RTU.
const LONGEST: usize = 256;

const READ_HOLDING: u8 = 3;
const READ_INPUT: u8 = 4;

const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;

/// One slave on its bus.
#[derive(Debug, Clone)]
pub struct Slave {
    address: u8,
    most_registers: u16,
    frame: Vec<u8>,
    last_us: u64,
}

impl Slave {
    /// A slave that gives at most so many registers at once.
    pub fn new(address: u8, most_registers: u16) -> Self {
        Self { address, most_registers, frame: Vec::new(), last_us: 0 }
    }

    /// Takes one character; answers a whole request from `registers`, which gives the content of one address or `None`.
    /// Broken frames and those for others are passed over in silence.
    pub fn hear(
        &mut self,
        now_us: u64,
        byte: u8,
        sound: bool,
        registers: impl Fn(u16) -> Option<u16>,
        out: &mut Answers,
    ) {
        if now_us.saturating_sub(self.last_us) > SILENCE_US {
            self.frame.clear();
        }
        self.last_us = now_us;
        if self.frame.len() < LONGEST {
            // A broken character breaks the frame: its check fails.
            self.frame.push(if sound { byte } else { !byte });
        }
        if self.frame.len() < 8 || !checks(&self.frame) {
            return;
        }
        let frame = std::mem::take(&mut self.frame);
        if frame[0] == self.address {
            out.send(self.answer(&frame, registers));
        }
    }

    fn answer(&self, frame: &[u8], registers: impl Fn(u16) -> Option<u16>) -> Vec<u8> {
        let function = frame[1];
        let exception = |code| closed(vec![self.address, function | 0x80, code]);
        if function != READ_HOLDING && function != READ_INPUT {
            return exception(ILLEGAL_FUNCTION);
        }
        let first = u16::from_be_bytes([frame[2], frame[3]]);
        let count = u16::from_be_bytes([frame[4], frame[5]]);
        if frame.len() != 8 || !(1..=self.most_registers).contains(&count) {
            return exception(ILLEGAL_VALUE);
        }
        let words: Option<Vec<u16>> = (0..count).map(|word| registers(first.checked_add(word)?)).collect();
        let Some(words) = words else {
            return exception(ILLEGAL_ADDRESS);
        };
        let mut answer = vec![self.address, function, 2 * count as u8];
        answer.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        closed(answer)
    }
}

fn checks(frame: &[u8]) -> bool {
    let (body, check) = frame.split_at(frame.len() - 2);
    CRC.checksum(body).to_le_bytes() == check
}

fn closed(mut frame: Vec<u8>) -> Vec<u8> {
    let check = CRC.checksum(&frame);
    frame.extend(check.to_le_bytes());
    frame
}

/// What `address` holds, when `words` lie at the map's places and zeros between them.
pub fn register(map: &Registers, address: u16, words: &[(u16, u16)]) -> Option<u16> {
    let word = address.checked_sub(map.first_register).filter(|word| *word < map.registers)?;
    Some(words.iter().find(|(at, _)| *at == word).map_or(0, |(_, value)| *value))
}

/// A 32-bit value as two words at `first`.
pub fn long(map: &Registers, first: u16, value: u32) -> [(u16, u16); 2] {
    let [high, low] = [(value >> 16) as u16, value as u16];
    match map.word_order {
        WordOrder::HighFirst => [(first, high), (first + 1, low)],
        WordOrder::LowFirst => [(first, low), (first + 1, high)],
    }
}
