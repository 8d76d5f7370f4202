//! `augenmass decode scale`: bytes of a scale's wire in, one JSON event a line out.

use augenmass_core::weighing::wire::{Decoder, Event, MassUnit, Protocol, WireOptions};
use clap::{Args, ValueEnum};
use std::io::{Read, Write};

/// Most bytes taken in one read.
const CHUNK: usize = 64 * 1024;

/// What is decoded, and what the station file would say of it.
#[derive(Clone, Debug, Args)]
pub struct DecodeArguments {
    /// What is spoken.
    #[arg(long, value_parser = protocol)]
    pub protocol: Protocol,
    /// The input is text: two hexadecimal digits a byte, with white space between bytes or none.
    #[arg(long)]
    pub hex: bool,
    /// Unit of numbers that come without one.
    #[arg(long, value_parser = unit)]
    pub unit: Option<MassUnit>,
    /// Digits after the point, for protocols that send digits alone.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    pub decimals: Option<u8>,
    /// Whether frames end with a checksum, for protocols where that is a setting.
    #[arg(long, value_enum)]
    pub checksum: Option<Switch>,
    /// Address on a bus.
    #[arg(long)]
    pub address: Option<u8>,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// Reads a protocol's name.
///
/// # Errors
/// Another name; tells all.
pub fn protocol(name: &str) -> Result<Protocol, String> {
    let known = || Protocol::ALL.map(Protocol::name).join(", ");
    Protocol::parse(name).ok_or_else(|| format!("unknown protocol; there are {}", known()))
}

fn unit(name: &str) -> Result<MassUnit, String> {
    MassUnit::parse(name).ok_or_else(|| "unknown unit; there are mg, g, kg, t, lb, oz".to_owned())
}

/// Why decoding ended early. Events before it are printed.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The input breaks.
    #[error("cannot read the input: {0}")]
    Read(std::io::Error),
    /// The output is closed.
    #[error("cannot write: {0}")]
    Write(std::io::Error),
    /// The input is no hexadecimal text.
    #[error("line {line}, column {column}: {problem}")]
    Hex {
        /// Line, from 1.
        line: usize,
        /// Character within the line, from 1.
        column: usize,
        /// What stands there.
        problem: HexProblem,
    },
}

/// What is wrong in hexadecimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexProblem {
    /// Another character.
    #[error("{0:?} is no hexadecimal digit")]
    NoDigit(char),
    /// One digit stands alone.
    #[error("a byte has two digits, here is one")]
    Half,
}

/// Decodes `input` to its end, which counts as a pause: half a frame is an error event.
///
/// # Errors
/// Input or output that breaks, text that is not hexadecimal. Damaged frames are events and no errors.
pub fn decode(arguments: &DecodeArguments, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), DecodeError> {
    let options = WireOptions {
        unit: arguments.unit,
        decimals: arguments.decimals,
        checksum: arguments.checksum.map(|switch| switch == Switch::On),
        address: arguments.address,
        ..WireOptions::default()
    };
    let mut decoder = Decoder::new(arguments.protocol, &options);
    let mut hex = arguments.hex.then(HexText::default);
    let (mut chunk, mut lines) = (vec![0; CHUNK], Vec::new());
    loop {
        let length = match input.read(&mut chunk) {
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(DecodeError::Read(error)),
        };
        let (bytes, fault) = match &mut hex {
            None => (chunk[..length].to_vec(), None),
            Some(text) if length == 0 => (Vec::new(), text.end().err()),
            Some(text) => text.read(&chunk[..length]),
        };
        decoder.push(&bytes, &mut |event| line(&mut lines, &event));
        if length == 0 && fault.is_none() {
            decoder.pause(&mut |event| line(&mut lines, &event));
        }
        output.write_all(&lines).and_then(|()| output.flush()).map_err(DecodeError::Write)?;
        lines.clear();
        match fault {
            Some(fault) => return Err(fault),
            None if length == 0 => return Ok(()),
            None => {}
        }
    }
}

fn line(lines: &mut Vec<u8>, event: &Event) {
    // Writing plain data into memory does not fail.
    if serde_json::to_writer(&mut *lines, event).is_ok() {
        lines.push(b'\n');
    }
}

/// Hexadecimal text as it comes in pieces.
#[derive(Debug)]
struct HexText {
    /// The first digit of a byte.
    half: Option<u8>,
    line: usize,
    column: usize,
}

impl Default for HexText {
    fn default() -> Self {
        Self { half: None, line: 1, column: 0 }
    }
}

impl HexText {
    /// The bytes in a piece of text, up to the first fault.
    fn read(&mut self, text: &[u8]) -> (Vec<u8>, Option<DecodeError>) {
        let mut bytes = Vec::with_capacity(text.len() / 2 + 1);
        for &character in text {
            self.column += 1;
            let digit = char::from(character).to_digit(16);
            match (digit, self.half) {
                (Some(digit), None) => self.half = Some(digit as u8),
                (Some(digit), Some(half)) => {
                    bytes.push(half << 4 | digit as u8);
                    self.half = None;
                }
                (None, Some(_)) if character.is_ascii_whitespace() => {
                    self.column -= 1;
                    return (bytes, Some(self.fault(HexProblem::Half)));
                }
                (None, None) if character == b'\n' => {
                    self.line += 1;
                    self.column = 0;
                }
                (None, None) if character.is_ascii_whitespace() => {}
                (None, Some(_) | None) => {
                    return (bytes, Some(self.fault(HexProblem::NoDigit(char::from(character)))));
                }
            }
        }
        (bytes, None)
    }

    fn end(&self) -> Result<(), DecodeError> {
        if self.half.is_some() { Err(self.fault(HexProblem::Half)) } else { Ok(()) }
    }

    fn fault(&self, problem: HexProblem) -> DecodeError {
        DecodeError::Hex { line: self.line, column: self.column, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(protocol: Protocol, hex: bool) -> DecodeArguments {
        DecodeArguments { protocol, hex, unit: None, decimals: None, checksum: None, address: None }
    }

    /// What is printed, and the error if there is one. The input comes three bytes a read.
    fn run(arguments: &DecodeArguments, input: &[u8]) -> (String, Option<String>) {
        struct Slowly<'a>(&'a [u8]);
        impl Read for Slowly<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let length = self.0.len().min(3);
                buffer[..length].copy_from_slice(&self.0[..length]);
                self.0 = &self.0[length..];
                Ok(length)
            }
        }
        let mut output = Vec::new();
        let error = decode(arguments, &mut Slowly(input), &mut output).err().map(|e| e.to_string());
        (String::from_utf8(output).unwrap(), error)
    }

    #[test]
    fn raw_bytes_and_hex_text_give_the_same_events() {
        let raw = b"S S     100.00 g\r\nS D";
        let hex = "53 20 53 20 20 20 20 20 3130302E 30 30 20 67\t0d 0A\n53\r\n20 44";
        let (events, error) = run(&arguments(Protocol::MtSics, false), raw);
        let lines: Vec<&str> = events.lines().collect();
        assert_eq!(
            lines,
            [
                r#"{"event":"weight","mass_mg":100000,"stable":true,"kind":"gross"}"#,
                r#"{"event":"error","kind":"partial"}"#
            ]
        );
        assert_eq!(error, None);
        assert_eq!(run(&arguments(Protocol::MtSics, true), hex.as_bytes()), (events, None));
    }

    #[test]
    fn a_fault_in_the_text_is_told_by_its_place_after_what_came_before() {
        let with = |text: &str| run(&arguments(Protocol::Toledo8217, true), text.as_bytes());
        let (events, error) = with("02 30 31 2E 32 33 34 0D\n02 3x");
        assert_eq!(events.lines().count(), 1);
        assert_eq!(error.unwrap(), "line 2, column 5: 'x' is no hexadecimal digit");
        assert_eq!(with("02\n 3 0").1.unwrap(), "line 2, column 2: a byte has two digits, here is one");
        assert_eq!(with("02 3").1.unwrap(), "line 1, column 4: a byte has two digits, here is one");
        assert_eq!(with("0x02").1.unwrap(), "line 1, column 2: 'x' is no hexadecimal digit");
        assert_eq!(with(" \n\n ").1, None);
    }

    #[test]
    fn what_the_frame_leaves_open_is_taken_from_the_command_line() {
        // The reply of the LAUMAS manual: 12500, at rest.
        let bytes = b"01 03 0A 08 00 00 00 30 D4 00 00 30 D4 84 E1";
        let (events, _) = run(&arguments(Protocol::ModbusLaumas, true), bytes);
        assert!(events.contains(r#""event":"number","value":"12500""#), "{events}");
        let told =
            DecodeArguments { unit: Some(MassUnit::Kg), decimals: Some(3), ..arguments(Protocol::ModbusLaumas, true) };
        let (events, _) = run(&told, bytes);
        assert!(events.contains(r#""mass_mg":12500000"#), "{events}");
    }

    #[test]
    fn unknown_names_tell_the_known_ones() {
        let told = protocol("mtsics").unwrap_err();
        assert!(Protocol::ALL.iter().all(|p| told.contains(p.name())), "{told}");
    }
}
