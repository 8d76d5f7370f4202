//! Plain lines: a scan is its text with a carriage return, a line feed, or both at its end, as scanners are delivered.

use super::{Heard, SCAN_MAX};

/// Puts lines together.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    held: Vec<u8>,
    /// The line is longer than any scan: it is passed over up to its end.
    too_long: bool,
}

impl Decoder {
    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Heard)) {
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => self.end(out),
                _ if self.held.len() >= SCAN_MAX => self.too_long = true,
                _ => self.held.push(*byte),
            }
        }
    }

    /// A line that was not ended is none: the next one must not be glued to it.
    pub fn pause(&mut self, out: &mut dyn FnMut(Heard)) {
        if !self.held.is_empty() {
            self.held.clear();
            self.too_long = false;
            out(Heard::Damaged);
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Heard)) {
        let (line, too_long) = (std::mem::take(&mut self.held), std::mem::take(&mut self.too_long));
        if line.is_empty() {
            return;
        }
        match String::from_utf8(line) {
            Ok(text) if !too_long && !text.chars().any(|c| c.is_control() && c != '\u{1d}') => {
                out(Heard::Scan { text, code_type: None });
            }
            Ok(_) | Err(_) => out(Heard::Damaged),
        }
    }
}
