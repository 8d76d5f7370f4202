//! A barcode scanner on a serial line: plain lines, or Zebra's Simple Serial Interface with its beeper and lamps. Sans-IO.

use serde::{Deserialize, Serialize};

/// What it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScannerProtocol {
    /// Text and a carriage return.
    Lines,
    /// Packets that are acknowledged.
    Ssi,
}

/// What somebody near it notices, and what it notices itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// The host has taken the scan.
    Taken,
    /// The host has refused it for good.
    Refused,
    /// It beeps, by the number of the tune.
    Beep(u8),
    /// These lamps went on.
    On(u8),
    /// These lamps went out.
    Out(u8),
}

const ACK: u8 = 0xD0;
const NAK: u8 = 0xD1;
const DECODED: u8 = 0xF3;
/// Most text in one packet: 255 bytes less the head and the kind of code.
const PART_MAX: usize = 250;
/// So often a packet is sent again.
const AGAIN_MAX: u32 = 3;
/// Code 128 in this protocol's list of kinds.
pub const CODE_128: u8 = 0x03;

/// A scanner.
#[derive(Debug, Clone)]
pub struct Scanner {
    protocol: ScannerProtocol,
    heard: Vec<u8>,
    /// Parts that are still to be sent; the first one is on its way.
    parts: Vec<Part>,
    tries: u32,
    lamps: u8,
}

#[derive(Debug, Clone)]
struct Part {
    data: Vec<u8>,
    goes_on: bool,
}

impl Part {
    fn packet(&self, again: bool) -> Vec<u8> {
        let status = u8::from(again) | u8::from(self.goes_on) << 1;
        packet(DECODED, status, &self.data)
    }
}

/// Length, opcode, source 0, status, data; then the two's complement of their sum.
fn packet(opcode: u8, status: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![4 + data.len() as u8, opcode, 0, status];
    bytes.extend(data);
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    let check = (0x1_0000 - (sum & 0xFFFF)) as u16;
    bytes.extend(check.to_be_bytes());
    bytes
}

impl Scanner {
    /// Switched on.
    pub fn new(protocol: ScannerProtocol) -> Self {
        Self { protocol, heard: Vec::new(), parts: Vec::new(), tries: 0, lamps: 0 }
    }

    /// Lamps that are on, a bit each.
    pub fn lamps(&self) -> u8 {
        self.lamps
    }

    /// Reads a code; gives what goes out on the line.
    pub fn scan(&mut self, text: &str, kind: u8) -> Vec<u8> {
        match self.protocol {
            ScannerProtocol::Lines => [text.as_bytes(), b"\r"].concat(),
            ScannerProtocol::Ssi => {
                let parts: Vec<&[u8]> = text.as_bytes().chunks(PART_MAX).collect();
                let last = parts.len().saturating_sub(1);
                self.parts = parts
                    .iter()
                    .enumerate()
                    .map(|(n, part)| Part { data: [&[kind], *part].concat(), goes_on: n < last })
                    .collect();
                self.tries = 0;
                self.parts.first().map(|part| part.packet(false)).unwrap_or_default()
            }
        }
    }

    /// Nobody has answered for some time: the packet goes out again.
    pub fn remind(&mut self) -> Vec<u8> {
        if self.tries >= AGAIN_MAX {
            self.parts.clear();
        }
        self.tries += 1;
        self.parts.first().map(|part| part.packet(true)).unwrap_or_default()
    }

    /// Takes what the host sends; gives what is answered, and what somebody near notices.
    pub fn receive(&mut self, bytes: &[u8]) -> (Vec<u8>, Vec<Sign>) {
        let (mut answer, mut signs) = (Vec::new(), Vec::new());
        if self.protocol == ScannerProtocol::Lines {
            return (answer, signs);
        }
        for byte in bytes {
            if !self.heard.is_empty() || *byte >= 4 {
                self.heard.push(*byte);
            }
            let Some(length) = self.heard.first().map(|length| usize::from(*length)) else { continue };
            if self.heard.len() < length + 2 {
                continue;
            }
            let whole = std::mem::take(&mut self.heard);
            let sum: u32 = whole[..length].iter().map(|byte| u32::from(*byte)).sum();
            let check = u32::from(whole[length]) << 8 | u32::from(whole[length + 1]);
            if (sum + check) & 0xFFFF != 0 || whole[2] != 4 {
                answer.extend(packet(NAK, 0, &[1]));
                continue;
            }
            self.command(whole[1], &whole[4..length], &mut answer, &mut signs);
        }
        (answer, signs)
    }

    fn command(&mut self, opcode: u8, data: &[u8], answer: &mut Vec<u8>, signs: &mut Vec<Sign>) {
        let first = data.first().copied();
        match (opcode, first) {
            (ACK, _) => {
                if self.parts.is_empty() {
                    return;
                }
                self.parts.remove(0);
                self.tries = 0;
                match self.parts.first() {
                    Some(part) => answer.extend(part.packet(false)),
                    None => signs.push(Sign::Taken),
                }
                return;
            }
            (NAK, Some(1)) => return answer.extend(self.remind()),
            (NAK, _) => {
                self.parts.clear();
                return signs.push(Sign::Refused);
            }
            (0xE6, Some(tune)) => signs.push(Sign::Beep(tune)),
            (0xE7, Some(lamps)) => {
                self.lamps |= lamps;
                signs.push(Sign::On(lamps));
            }
            (0xE8, Some(lamps)) => {
                self.lamps &= !lamps;
                signs.push(Sign::Out(lamps));
            }
            // Scanning allowed: it always is.
            (0xE9, None) => {}
            // Not understood, or not here.
            (_, _) => return answer.extend(packet(NAK, 0, &[2])),
        }
        answer.extend(packet(ACK, 0, &[]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_repeated_until_it_is_taken() {
        let mut scanner = Scanner::new(ScannerProtocol::Ssi);
        // Reckoned by hand: 0C+F3+00+00+03+41+4D+4C+3A+62+2D+31 = 02D6.
        let sent = scanner.scan("AML:b-1", CODE_128);
        assert_eq!(sent, b"\x0C\xF3\x00\x00\x03AML:b-1\xFD\x2A");
        let (again, signs) = scanner.receive(&[0x05, 0xD1, 0x04, 0x00, 0x01, 0xFF, 0x25]);
        assert_eq!((again.as_slice(), signs.len()), (&b"\x0C\xF3\x00\x01\x03AML:b-1\xFD\x29"[..], 0));
        assert_eq!(scanner.receive(&[0x04, 0xD0, 0x04, 0x00, 0xFF, 0x28]).1, [Sign::Taken]);
        assert!(scanner.remind().is_empty(), "what was taken is not sent again");
        let mut lines = Scanner::new(ScannerProtocol::Lines);
        assert_eq!(lines.scan("AML:b-1", CODE_128), b"AML:b-1\r");
    }

    #[test]
    fn commands_are_done_and_acknowledged_and_broken_ones_are_not() {
        let mut scanner = Scanner::new(ScannerProtocol::Ssi);
        let ack = [0x04, 0xD0, 0x00, 0x00, 0xFF, 0x2C];
        let (answer, signs) = scanner.receive(&[0x05, 0xE7, 0x04, 0x00, 0x01, 0xFF, 0x0F]);
        assert_eq!((answer.as_slice(), signs.as_slice(), scanner.lamps()), (&ack[..], &[Sign::On(1)][..], 1));
        let (answer, signs) = scanner.receive(&[0x05, 0xE6, 0x04, 0x00, 0x02, 0xFF, 0x10]);
        assert_eq!((answer[1], signs.len()), (NAK, 0), "the sum is of another tune");
        assert_eq!(scanner.receive(&[0x05, 0xE8, 0x04, 0x00, 0xFF, 0xFE, 0x10]).1, [Sign::Out(0xFF)]);
        assert_eq!(scanner.lamps(), 0);
    }

    #[test]
    fn a_long_code_comes_in_parts() {
        let mut scanner = Scanner::new(ScannerProtocol::Ssi);
        let first = scanner.scan(&"7".repeat(300), CODE_128);
        assert_eq!((first[0], first[3]), (255, 2));
        let (second, signs) = scanner.receive(&[0x04, 0xD0, 0x04, 0x00, 0xFF, 0x28]);
        assert_eq!((second[0], second[3], signs.len()), (55, 0, 0));
        assert_eq!(scanner.receive(&[0x04, 0xD0, 0x04, 0x00, 0xFF, 0x28]).1, [Sign::Taken]);
    }
}
