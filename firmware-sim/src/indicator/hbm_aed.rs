//! HBM AED, FIT and AD10x digital load-cell electronics (WEIGHING 1.2): commands end with `;`, values come in binary.
//!
//! Settings are acknowledged by `0` CR LF and refused by `?` CR LF. Binary formats 0, 8, 4, 12 (four bytes) and 2, 6 (two)
//! are played; the ASCII ones are refused.

use super::meter::{Meter, Span};
use super::{Answers, Speech};

/// Longest command.
const LONGEST: usize = 32;

/// `COF` adds this for a bus ...
const BUS: u8 = 16;
/// ... this to leave out CR LF ...
const BARE: u8 = 32;
/// ... and this to stream from power-up on.
const STREAM: u8 = 128;

/// Status as a WE2107 has it.
const OUT_OF_RANGE: u8 = 1 << 1;
const GROSS: u8 = 1 << 2;
const STANDSTILL: u8 = 1 << 3;
const ERROR: u8 = 1 << 7;

/// Firmware of a digital load cell.
#[derive(Debug, Clone)]
pub struct HbmAed {
    address: u8,
    format: u8,
    selected: bool,
    /// Values still to be sent; `None` is for ever.
    left: Option<u32>,
    command: Vec<u8>,
    garbled: bool,
}

impl HbmAed {
    /// Electronics at a bus address, with the format `COF8`.
    pub fn new(address: u8) -> Self {
        Self { address, format: 8, selected: true, left: Some(0), command: Vec::new(), garbled: false }
    }

    fn execute(&mut self, command: &str, meter: &mut Meter, out: &mut Answers) {
        if let Some(address) = command.strip_prefix('S').and_then(|digits| digits.parse::<u8>().ok()) {
            // 98 speaks to all; nobody answers a selection.
            self.selected = address == self.address || address == 98;
            return;
        }
        if !self.selected {
            return;
        }
        let argument = |name: &str| command.strip_prefix(name).and_then(|digits| digits.parse::<u32>().ok());
        if command == "MSV?" {
            out.send(self.value(meter));
        } else if let Some(count) = argument("MSV?") {
            self.left = (count > 0).then_some(count);
        } else if command == "STP" {
            self.left = Some(0);
        } else if let Some(format) = argument("COF") {
            out.send(self.set_format(format));
        } else if let Some(rate) = argument("ICR") {
            out.send(if rate <= 7 { "0\r\n" } else { "?\r\n" });
        } else if command == "TAR" {
            out.send(if meter.tare().is_ok() { "0\r\n" } else { "?\r\n" });
        } else {
            out.send("?\r\n");
        }
    }

    fn set_format(&mut self, format: u32) -> &'static str {
        match u8::try_from(format) {
            Ok(format) if matches!(format & 0x0F, 0 | 2 | 4 | 6 | 8 | 12) => {
                self.format = format;
                if format & BUS != 0 {
                    self.selected = false;
                }
                "0\r\n"
            }
            Ok(_) | Err(_) => "?\r\n",
        }
    }

    /// One value. Binary payload may hold CR LF itself: it is framed by its length.
    fn value(&self, meter: &Meter) -> Vec<u8> {
        let reading = meter.reading();
        let digits = meter.face().digits(reading.shown_g());
        let kind = self.format & 0x0F;
        let mut bytes = match kind {
            2 | 6 => {
                let short = match reading.span {
                    Span::Within if reading.cell_ok => digits.clamp(-32_767, 32_766) as i16,
                    Span::Within | Span::Over => i16::MAX,
                    Span::Under => i16::MIN,
                };
                short.to_be_bytes().to_vec()
            }
            // Value and status in four bytes.
            8 | 12 => {
                let value = digits.clamp(-0x80_0000, 0x7F_FFFF) as i32;
                (value << 8 | i32::from(status(meter))).to_be_bytes().to_vec()
            }
            _ => (digits.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32).to_be_bytes().to_vec(),
        };
        if matches!(kind, 4 | 6 | 12) {
            bytes.reverse();
        }
        if self.format & BARE == 0 {
            bytes.extend(b"\r\n");
        }
        bytes
    }
}

fn status(meter: &Meter) -> u8 {
    let reading = meter.reading();
    [
        (reading.span != Span::Within, OUT_OF_RANGE),
        (!reading.net, GROSS),
        (reading.stable, STANDSTILL),
        (!reading.cell_ok, ERROR),
    ]
    .iter()
    .fold(0, |status, (set, bit)| if *set { status | bit } else { status })
}

impl Speech for HbmAed {
    fn powered(&mut self, _now_us: u64, _meter: &mut Meter, _out: &mut Answers) {
        if self.format & STREAM != 0 {
            self.left = None;
        }
    }

    fn heard(&mut self, _now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        self.garbled |= !sound;
        if byte != b';' {
            if self.command.len() < LONGEST && !byte.is_ascii_whitespace() {
                self.command.push(byte);
            }
            return;
        }
        let command = std::mem::take(&mut self.command);
        if std::mem::take(&mut self.garbled) {
            return out.send("?\r\n");
        }
        match std::str::from_utf8(&command) {
            Ok(command) => self.execute(command, meter, out),
            Err(_) => out.send("?\r\n"),
        }
    }

    fn shown(&mut self, _now_us: u64, meter: &mut Meter, out: &mut Answers) {
        match &mut self.left {
            Some(0) => return,
            Some(left) => *left -= 1,
            None => {}
        }
        out.send_after(0, self.value(meter));
    }

    fn conversions_a_display(&self) -> u64 {
        1
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
        Meter::showing(face(Unit::G, 0), reading)
    }

    #[test]
    fn says_what_the_vectors_say() {
        let mut cell = HbmAed::new(1);
        let gross = Reading { gross_g: 100_000.0, ..AT_REST };
        assert_eq!(text(&ask(&mut cell, &mut meter(gross), &vector("hbm-aed-06"))), r"0\r\n");
        assert_eq!(ask(&mut cell, &mut meter(gross), &vector("hbm-aed-01")), vector("hbm-aed-07"));
        let net = Reading { gross_g: -1000.0, net: true, stable: false, ..AT_REST };
        assert_eq!(ask(&mut cell, &mut meter(net), &vector("hbm-aed-01")), vector("hbm-aed-08"));
    }

    #[test]
    fn streams_until_it_is_stopped() {
        let (mut cell, mut meter) = (HbmAed::new(1), meter(Reading { gross_g: 3338.0, ..AT_REST }));
        assert!(ask(&mut cell, &mut meter, &vector("hbm-aed-02")).is_empty());
        // 3338 is 0D 0A: the value looks like the end of a line.
        assert_eq!(renew(&mut cell, &mut meter, 0), b"\x00\x0D\x0A\x0C\r\n");
        assert_eq!(renew(&mut cell, &mut meter, 1).len(), 6);
        ask(&mut cell, &mut meter, b"STP;");
        assert!(renew(&mut cell, &mut meter, 2).is_empty());
        ask(&mut cell, &mut meter, b"MSV?2;");
        assert_eq!([0; 3].map(|_| renew(&mut cell, &mut meter, 3).len()), [6, 6, 0]);
    }

    #[test]
    fn formats() {
        let mut cell = HbmAed::new(1);
        let mut value = |reading: Reading, format: &[u8]| {
            assert_eq!(text(&ask(&mut cell, &mut meter(reading), format)), r"0\r\n");
            ask(&mut cell, &mut meter(reading), b"MSV?;")
        };
        let at = Reading { gross_g: -2.0, ..AT_REST };
        assert_eq!(value(at, b"COF0;"), b"\xFF\xFF\xFF\xFE\r\n");
        assert_eq!(value(at, b"COF4;"), b"\xFE\xFF\xFF\xFF\r\n");
        assert_eq!(value(at, b"COF34;"), b"\xFF\xFE");
        assert_eq!(value(Reading { span: Span::Over, ..at }, b"COF2;"), b"\x7F\xFF\r\n");
        assert_eq!(value(Reading { span: Span::Under, ..at }, b"COF6;"), b"\x00\x80\r\n");
        assert_eq!(value(Reading { span: Span::Over, gross_g: 7.0, ..at }, b"COF12;"), b"\x0E\x07\x00\x00\r\n");
        assert_eq!(text(&ask(&mut HbmAed::new(1), &mut meter(at), b"COF3;")), r"?\r\n");
    }

    #[test]
    fn on_a_bus_it_speaks_when_selected() {
        let (mut cell, mut meter) = (HbmAed::new(1), meter(AT_REST));
        ask(&mut cell, &mut meter, b"COF24;");
        assert!(ask(&mut cell, &mut meter, b"MSV?;").is_empty());
        assert!(ask(&mut cell, &mut meter, b"S02;MSV?;").is_empty());
        assert_eq!(ask(&mut cell, &mut meter, &[&vector("hbm-aed-05")[..], b"MSV?;"].concat()).len(), 6);
    }
}
