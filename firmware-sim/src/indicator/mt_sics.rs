//! Mettler-Toledo Standard Interface Command Set, levels 0 and 1, as KERN's KCP speaks it too (WEIGHING 1.2).
//!
//! Lines end with CR LF. A weight is the command, a status and a value of ten characters: `S S      1.250 kg`. After
//! power-up and after `@` the scale says its serial number unasked.

use super::meter::{Meter, Refused, Span};
use super::{Answers, Speech};

/// `S`, `Z` and `T` wait so long for stillness.
const PATIENCE_US: u64 = 5_000_000;

/// Longest line; a longer one cannot be executed.
const LONGEST_LINE: usize = 80;

/// `SR` without a parameter sends when the weight has left by an eighth of itself, at least 30 d.
const CHANGE: f64 = 0.125;
const CHANGE_D: f64 = 30.0;

/// All commands with their level, as `I0` lists them.
const COMMANDS: [(u8, &str); 18] = [
    (0, "I0"),
    (0, "I1"),
    (0, "I2"),
    (0, "I3"),
    (0, "I4"),
    (0, "S"),
    (0, "SI"),
    (0, "SIR"),
    (0, "Z"),
    (0, "ZI"),
    (0, "@"),
    (1, "D"),
    (1, "DW"),
    (1, "SR"),
    (1, "T"),
    (1, "TA"),
    (1, "TAC"),
    (1, "TI"),
];

/// What waits for the scale to come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Weight,
    Zero,
    Tare,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stream {
    Off,
    /// `SIR`: every renewed display.
    Always,
    /// `SR`: the next stable weight, and again after a change; the last one sent in grams.
    OnChange {
        sent_g: Option<f64>,
        moving: bool,
    },
}

/// Firmware of an MT-SICS scale.
#[derive(Debug, Clone)]
pub struct MtSics {
    serial: String,
    line: Vec<u8>,
    garbled: bool,
    waiting: Option<(Wait, u64)>,
    stream: Stream,
}

impl MtSics {
    /// A scale with this serial number.
    pub fn new(serial: &str) -> Self {
        Self { serial: serial.to_owned(), line: Vec::new(), garbled: false, waiting: None, stream: Stream::Off }
    }

    fn command(&mut self, now_us: u64, line: &str, meter: &mut Meter, out: &mut Answers) {
        let (name, parameters) = line.split_once(' ').map_or((line, ""), |(name, rest)| (name, rest.trim()));
        if matches!(name, "S" | "SI" | "SR" | "SIR" | "@") {
            (self.stream, self.waiting) = (Stream::Off, None);
        }
        if !parameters.is_empty() && !matches!(name, "TA" | "D" | "SR") {
            let known = COMMANDS.iter().any(|(_, command)| *command == name);
            return if known { out.send(format!("{name} L\r\n")) } else { out.send("ES\r\n") };
        }
        match name {
            "S" => self.wait(Wait::Weight, now_us, meter, out),
            "Z" => self.wait(Wait::Zero, now_us, meter, out),
            "T" => self.wait(Wait::Tare, now_us, meter, out),
            "SI" => out.send(weight(meter)),
            "SIR" => self.stream = Stream::Always,
            "SR" => self.stream = Stream::OnChange { sent_g: None, moving: false },
            "ZI" => out.send(zero("ZI", done(meter), meter)),
            "TI" => out.send(tare("TI", meter)),
            "TA" => out.send(preset(parameters, meter)),
            "TAC" => {
                meter.clear_tare();
                out.send("TAC A\r\n");
            }
            "@" => {
                meter.clear_tare();
                out.send(self.identity());
            }
            "D" | "DW" => out.send(format!("{name} A\r\n")),
            "I0" => out.send(list("I0", &COMMANDS)),
            "I1" => out.send("I1 A \"01\" \"2.30\" \"2.20\" \"\" \"\"\r\n"),
            "I2" => out.send(device(meter)),
            "I3" => out.send("I3 A \"1.00\"\r\n"),
            "I4" => out.send(self.identity()),
            _ => out.send("ES\r\n"),
        }
    }

    fn wait(&mut self, wait: Wait, now_us: u64, meter: &mut Meter, out: &mut Answers) {
        self.waiting = Some((wait, now_us + PATIENCE_US));
        self.look(now_us, meter, out);
    }

    /// Answers what was waiting if the time has come.
    fn look(&mut self, now_us: u64, meter: &mut Meter, out: &mut Answers) {
        let Some((wait, until_us)) = self.waiting else {
            return;
        };
        let name = match wait {
            Wait::Weight => "S",
            Wait::Zero => "Z",
            Wait::Tare => "T",
        };
        let off_scale = wait == Wait::Weight && meter.reading().span != Span::Within;
        if meter.reading().stable || off_scale {
            self.waiting = None;
            out.send(match wait {
                Wait::Weight => weight(meter),
                Wait::Zero => zero("Z", "A", meter),
                Wait::Tare => tare("T", meter),
            });
        } else if now_us >= until_us {
            self.waiting = None;
            out.send(format!("{name} I\r\n"));
        }
    }

    fn identity(&self) -> String {
        format!("I4 A \"{}\"\r\n", self.serial)
    }

    fn on_change(&mut self, meter: &Meter, out: &mut Answers) {
        let Stream::OnChange { sent_g, moving } = self.stream else {
            return;
        };
        let reading = meter.reading();
        let shown_g = reading.shown_g();
        let left = sent_g.is_some_and(|sent_g: f64| {
            (shown_g - sent_g).abs() > (CHANGE * sent_g.abs()).max(CHANGE_D * meter.face().division_g)
        });
        if reading.stable && reading.valid() && (sent_g.is_none() || moving) {
            out.send(weight(meter));
            self.stream = Stream::OnChange { sent_g: Some(shown_g), moving: false };
        } else if left && !moving {
            out.send(weight(meter));
            self.stream = Stream::OnChange { sent_g, moving: true };
        }
    }
}

/// The present weight: `S S`, `S D`, or why there is none: `S +` and `S -` off the scale, `S I` not ready.
fn weight(meter: &Meter) -> String {
    let reading = meter.reading();
    if !reading.zeroed || !reading.cell_ok {
        return "S I\r\n".to_owned();
    }
    match reading.span {
        Span::Over => "S +\r\n".to_owned(),
        Span::Under => "S -\r\n".to_owned(),
        Span::Within => value("S", done(meter), reading.shown_g(), meter),
    }
}

fn value(command: &str, status: &str, mass_g: f64, meter: &Meter) -> String {
    let face = meter.face();
    format!("{command} {status} {:>10} {}\r\n", face.number(mass_g), face.unit.name())
}

fn done(meter: &Meter) -> &'static str {
    if meter.reading().stable { "S" } else { "D" }
}

fn zero(command: &str, status: &str, meter: &mut Meter) -> String {
    match meter.zero() {
        Ok(()) => format!("{command} {status}\r\n"),
        Err(refused) => format!("{command} {}\r\n", letter(refused)),
    }
}

fn tare(command: &str, meter: &mut Meter) -> String {
    match meter.tare() {
        Ok(tare_g) => value(command, done(meter), tare_g, meter),
        Err(refused) => format!("{command} {}\r\n", letter(refused)),
    }
}

fn letter(refused: Refused) -> char {
    match refused {
        Refused::TooHigh => '+',
        Refused::TooLow => '-',
        Refused::NotReady => 'I',
    }
}

/// `TA` asks for the tare, `TA 0.100 kg` sets it.
fn preset(parameters: &str, meter: &mut Meter) -> String {
    if !parameters.is_empty() {
        let (number, unit) = parameters.split_once(' ').unwrap_or((parameters, ""));
        let tare_g = meter.face().mass_g(number).filter(|_| unit == meter.face().unit.name());
        match tare_g {
            Some(tare_g) if (0.0..=meter.face().max_g).contains(&tare_g) => meter.preset_tare(tare_g),
            Some(_) | None => return "TA L\r\n".to_owned(),
        }
    }
    value("TA", "A", meter.reading().tare_g, meter)
}

/// A list over several lines: `B` more, `A` the last.
fn list(command: &str, entries: &[(u8, &str)]) -> String {
    let lines = entries.iter().map(|(level, name)| format!("{command} B {level} \"{name}\"\r\n"));
    lines.chain([format!("{command} A\r\n")]).collect()
}

fn device(meter: &Meter) -> String {
    let face = meter.face();
    format!("I2 A \"SIM-{} {} {}\"\r\n", face.max_g / 1000.0, face.number(face.max_g), face.unit.name())
}

impl Speech for MtSics {
    fn powered(&mut self, _now_us: u64, _meter: &mut Meter, out: &mut Answers) {
        out.send(self.identity());
    }

    fn heard(&mut self, now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers) {
        self.garbled |= !sound;
        if byte != b'\n' {
            if self.line.len() <= LONGEST_LINE {
                self.line.push(byte);
            }
            return;
        }
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.garbled) {
            return out.send("ET\r\n");
        }
        match std::str::from_utf8(&line) {
            Ok(_) if line.len() > LONGEST_LINE => out.send("EL\r\n"),
            Ok(line) => match line.strip_suffix('\r') {
                Some("") => {}
                Some(line) => self.command(now_us, line, meter, out),
                None => out.send("ES\r\n"),
            },
            Err(_) => out.send("ES\r\n"),
        }
    }

    fn shown(&mut self, now_us: u64, meter: &mut Meter, out: &mut Answers) {
        self.look(now_us, meter, out);
        match self.stream {
            Stream::Off => {}
            Stream::Always => out.send(weight(meter)),
            Stream::OnChange { .. } => self.on_change(meter, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::Unit;
    use crate::indicator::meter::Reading;
    use crate::indicator::meter::tests::{AT_REST, face};
    use crate::indicator::tests::{ask, renew, text, vector};

    fn firmware() -> MtSics {
        MtSics::new("1234567")
    }

    #[track_caller]
    fn holds(unit: Unit, decimals: u8, reading: Reading, request: &[u8], id: &str) {
        let mut meter = Meter::showing(face(unit, decimals), reading);
        assert_eq!(text(&ask(&mut firmware(), &mut meter, request)), text(&vector(id)), "{id}");
    }

    #[test]
    fn says_what_the_vectors_say() {
        let at = |gross_g| Reading { gross_g, ..AT_REST };
        let moving = |gross_g| Reading { stable: false, ..at(gross_g) };
        holds(Unit::G, 2, at(100.0), b"SI\r\n", "mt-sics-16");
        holds(Unit::G, 2, at(100.0), b"S\r\n", "mt-sics-16");
        holds(Unit::G, 2, moving(129.07), &vector("mt-sics-02"), "mt-sics-17");
        holds(Unit::Kg, 3, at(12_345.0), b"SI\r\n", "mt-sics-19");
        holds(Unit::Kg, 3, Reading { zeroed: false, ..AT_REST }, b"SI\r\n", "mt-sics-21");
        holds(Unit::Kg, 3, at(0.0), b"S 5\r\n", "mt-sics-24");
        holds(Unit::Kg, 3, at(0.0), b"XY\r\n", "mt-sics-25");
        holds(Unit::Kg, 3, at(0.0), &[&[b'x'; 200][..], b"\r\n"].concat(), "mt-sics-27");
        holds(Unit::Kg, 3, at(0.0), &vector("mt-sics-04"), "mt-sics-28");
        holds(Unit::Kg, 3, Reading { zeroed: false, ..AT_REST }, b"Z\r\n", "mt-sics-29");
        holds(Unit::Kg, 3, at(5_000.0), b"Z\r\n", "mt-sics-30");
        holds(Unit::Kg, 3, at(-5_000.0), b"Z\r\n", "mt-sics-31");
        holds(Unit::Kg, 3, moving(0.0), b"ZI\r\n", "mt-sics-32");
        holds(Unit::Kg, 3, at(0.0), b"ZI\r\n", "mt-sics-33");
        holds(Unit::G, 3, Reading { tare_g: 2.486, net: true, ..AT_REST }, &vector("mt-sics-08"), "mt-sics-35");
        holds(Unit::Kg, 3, at(0.0), &vector("mt-sics-14"), "mt-sics-40");
        holds(Unit::Kg, 3, at(0.0), &vector("mt-sics-15"), "mt-sics-40");
        assert_eq!(text(list("I0", &[(0, "I0"), (1, "D"), (3, "CLR")]).as_bytes()), text(&vector("mt-sics-37")));
    }

    #[test]
    fn a_wrong_parity_is_a_transmission_error() {
        let mut meter = Meter::showing(face(Unit::Kg, 3), AT_REST);
        let (mut firmware, mut out) = (firmware(), Answers::default());
        for (byte, sound) in [(b'S', true), (b'I', false), (b'\r', true), (b'\n', true)] {
            firmware.heard(0, byte, sound, &mut meter, &mut out);
        }
        assert_eq!(out.0.remove(0).1, vector("mt-sics-26"));
    }

    #[test]
    fn understands_what_hosts_ask() {
        let mut meter = Meter::showing(face(Unit::Kg, 3), Reading { gross_g: 1500.0, ..AT_REST });
        let mut firmware = firmware();
        let mut answer = |request: &[u8]| text(&ask(&mut firmware, &mut meter, request));
        assert_eq!(answer(&vector("mt-sics-07")), r"TI S      1.500 kg\r\n");
        assert_eq!(answer(b"SI\r\n"), r"S S      0.000 kg\r\n");
        assert_eq!(answer(&vector("mt-sics-09")), r"TAC A\r\n");
        assert_eq!(answer(b"TA 0.345 kg\r\n"), r"TA A      0.345 kg\r\n");
        assert_eq!(answer(b"TA 0.345 lb\r\n"), r"TA L\r\n");
        assert!(answer(&vector("mt-sics-10")).ends_with(r"I0 A\r\n"));
        assert!(answer(&vector("mt-sics-11")).starts_with("I1 A"));
        assert!(answer(&vector("mt-sics-13")).starts_with("I3 A"));
        assert_eq!(answer(b"I2\r\n"), r#"I2 A \"SIM-30 30.000 kg\"\r\n"#);
        assert_eq!(answer(b"si\r\n"), r"ES\r\n", "upper case only");
    }

    #[test]
    fn off_the_scale_there_is_a_sign_and_no_number() {
        for (span, answer) in [(Span::Over, r"S +\r\n"), (Span::Under, r"S -\r\n")] {
            let mut meter = Meter::showing(face(Unit::Kg, 3), Reading { span, stable: false, ..AT_REST });
            assert_eq!(text(&ask(&mut firmware(), &mut meter, b"SI\r\n")), answer);
            assert_eq!(text(&ask(&mut firmware(), &mut meter, b"S\r\n")), answer);
        }
    }

    #[test]
    fn a_stream_runs_until_the_next_command() {
        let mut meter = Meter::showing(face(Unit::Kg, 3), Reading { stable: false, ..AT_REST });
        let mut firmware = firmware();
        assert!(ask(&mut firmware, &mut meter, &vector("mt-sics-03")).is_empty());
        assert_eq!(text(&renew(&mut firmware, &mut meter, 1)), r"S D      0.000 kg\r\n");
        assert_eq!(text(&renew(&mut firmware, &mut meter, 2)), r"S D      0.000 kg\r\n");
        ask(&mut firmware, &mut meter, b"SI\r\n");
        assert!(renew(&mut firmware, &mut meter, 3).is_empty());
    }

    #[test]
    fn waits_for_stillness_but_not_for_ever() {
        let mut meter = Meter::showing(face(Unit::Kg, 3), Reading { stable: false, ..AT_REST });
        let mut firmware = firmware();
        assert!(ask(&mut firmware, &mut meter, b"S\r\n").is_empty());
        assert!(renew(&mut firmware, &mut meter, 5_900_000).is_empty());
        assert_eq!(text(&renew(&mut firmware, &mut meter, 6_000_000)), r"S I\r\n");
    }

    #[test]
    fn sends_changes_when_asked_to() {
        let mut firmware = firmware();
        let mut at = |gross_g: f64, stable: bool, request: &[u8]| {
            let mut meter = Meter::showing(face(Unit::Kg, 3), Reading { gross_g, stable, ..AT_REST });
            ask(&mut firmware, &mut meter, request);
            text(&renew(&mut firmware, &mut meter, 0))
        };
        assert_eq!(at(1000.0, true, b"SR\r\n"), r"S S      1.000 kg\r\n");
        assert_eq!(at(1100.0, false, b""), "");
        assert_eq!(at(1200.0, false, b""), r"S D      1.200 kg\r\n");
        assert_eq!(at(1250.0, false, b""), "");
        assert_eq!(at(1250.0, true, b""), r"S S      1.250 kg\r\n");
    }
}
