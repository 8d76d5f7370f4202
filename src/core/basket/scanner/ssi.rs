//! Zebra's Simple Serial Interface, as its programmer's guide (72E-40451) describes the packets of a scanner and its host:
//!
//! `length opcode source status data… checksum(2)`; the length counts itself and everything but the checksum; source is 0 for the
//! scanner and 4 for the host; the checksum is the two's complement of the sum of all bytes before it, high byte first.

use super::{Heard, SCAN_MAX};

/// Something was read: the kind of code, then its text.
pub const DECODE_DATA: u8 = 0xF3;
/// The last packet has arrived.
pub const CMD_ACK: u8 = 0xD0;
/// The last packet is refused.
pub const CMD_NAK: u8 = 0xD1;
/// Sounds the beeper.
pub const BEEP: u8 = 0xE6;
/// Lights lamps.
pub const LED_ON: u8 = 0xE7;
/// Puts lamps out.
pub const LED_OFF: u8 = 0xE8;
/// Lets the scanner scan.
pub const SCAN_ENABLE: u8 = 0xE9;

/// Cause of a refusal: send it again.
pub const RESEND: u8 = 1;

const FROM_SCANNER: u8 = 0;
const FROM_HOST: u8 = 4;
/// Of the status: this packet was sent before.
const RETRANSMITTED: u8 = 0x01;
/// Of the status: the rest of the text comes in the next packet.
const CONTINUED: u8 = 0x02;
/// Length, opcode, source and status.
const HEAD: usize = 4;
const CHECKSUM: usize = 2;

/// A packet of the host's; data is at most 251 bytes.
fn packet(opcode: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![(HEAD + data.len()) as u8, opcode, FROM_HOST, 0];
    bytes.extend_from_slice(data);
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    bytes
}

fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte))).wrapping_neg()
}

/// "It has arrived."
pub fn ack() -> Vec<u8> {
    packet(CMD_ACK, &[])
}

/// "Send it again."
pub fn nak() -> Vec<u8> {
    packet(CMD_NAK, &[RESEND])
}

/// Sounds: 0 to 4 are one to five short high beeps, 5 to 9 one to five short low ones.
pub fn beep(code: u8) -> Vec<u8> {
    packet(BEEP, &[code])
}

/// Lights these lamps, a bit each.
pub fn led_on(lamps: u8) -> Vec<u8> {
    packet(LED_ON, &[lamps])
}

/// Puts these lamps out, a bit each.
pub fn led_off(lamps: u8) -> Vec<u8> {
    packet(LED_OFF, &[lamps])
}

/// Lets the scanner scan.
pub fn scan_enable() -> Vec<u8> {
    packet(SCAN_ENABLE, &[])
}

/// Puts packets together.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    /// At most one packet: 255 bytes and a checksum.
    held: Vec<u8>,
    /// Text of packets that were continued.
    text: Vec<u8>,
    /// The last scan's packet without its status, to know it again.
    last: Option<Vec<u8>>,
}

impl Decoder {
    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Heard)) {
        for byte in bytes {
            self.held.push(*byte);
            self.synchronise();
            let Some(length) = self.held.first().map(|length| usize::from(*length)) else { continue };
            if self.held.len() == length + CHECKSUM {
                let packet = std::mem::take(&mut self.held);
                let (body, sum) = packet.split_at(length);
                if checksum(body).to_be_bytes() == sum { self.packet(body, out) } else { out(Heard::Damaged) }
            }
        }
    }

    /// What is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Heard)) {
        if !self.held.is_empty() {
            self.held.clear();
            out(Heard::Damaged);
        }
    }

    /// Drops bytes that no packet of a scanner begins with: zeros that wake the other side, and what is between packets.
    fn synchronise(&mut self) {
        let is_begun = |held: &[u8]| {
            held.first().is_none_or(|length| usize::from(*length) >= HEAD)
                && held.get(1).is_none_or(|opcode| *opcode >= 0x80)
                && held.get(2).is_none_or(|source| *source == FROM_SCANNER)
        };
        while !is_begun(&self.held) {
            self.held.remove(0);
        }
    }

    fn packet(&mut self, body: &[u8], out: &mut dyn FnMut(Heard)) {
        let (opcode, status, data) = (body[1], body[3], &body[HEAD..]);
        match opcode {
            DECODE_DATA => self.scan(status, data, out),
            CMD_ACK => out(Heard::Acknowledged),
            CMD_NAK => out(Heard::Refused { cause: data.first().copied().unwrap_or(0) }),
            opcode => out(Heard::Other { opcode }),
        }
    }

    fn scan(&mut self, status: u8, data: &[u8], out: &mut dyn FnMut(Heard)) {
        if status & RETRANSMITTED != 0 && self.last.as_deref() == Some(data) {
            return out(Heard::Again);
        }
        self.last = Some(data.to_vec());
        let Some((code_type, text)) = data.split_first() else { return out(Heard::Damaged) };
        self.text.extend_from_slice(text);
        if self.text.len() > SCAN_MAX {
            self.text.clear();
            return out(Heard::Damaged);
        }
        if status & CONTINUED != 0 {
            // The part is to be acknowledged, or the rest does not come.
            return out(Heard::Again);
        }
        match String::from_utf8(std::mem::take(&mut self.text)) {
            Ok(text) => out(Heard::Scan { text, code_type: Some(*code_type) }),
            Err(_) => out(Heard::Damaged),
        }
    }
}
