//! What an unknown instrument speaks, from listening to it: every codec hears the same bytes, and the one that makes frames
//! of nearly all of them is right.
//!
//! The line is read as 8N1 at the right speed; what comes from a 7E1 or 7O1 line has its parity in bit 7 then, which every
//! byte's number of ones tells, and is heard by a second set of codecs without that bit.

use super::wire::{self, Decimal, Decoder, Event, Protocol, WireOptions};
use crate::units::Mono;
use serde::Serialize;

/// A protocol is named when this share of all bytes lies in its sound frames.
const COVERED_MIN: f64 = 0.8;
/// Bytes of a 7-bit line agree in parity but for so many in a hundred, which are damaged.
const PARITY_MIN: f64 = 0.97;
/// Too few bytes agree by chance.
const PARITY_BYTES_MIN: u64 = 16;
/// A line that pauses for so long has ended its frame.
const PAUSE_MS: u64 = 50;

/// How bits make a byte on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Bits {
    /// Eight data bits, no parity.
    #[serde(rename = "8N1")]
    EightNone,
    /// Seven data bits, even parity.
    #[serde(rename = "7E1")]
    SevenEven,
    /// Seven data bits, odd parity.
    #[serde(rename = "7O1")]
    SevenOdd,
}

impl Bits {
    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EightNone => "8N1",
            Self::SevenEven => "7E1",
            Self::SevenOdd => "7O1",
        }
    }
}

/// How restless the values are while nobody touches the scale, from the differences of neighbours, so that a slow drift does
/// not count. 1 sigma.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restlessness {
    /// Raw counts, a channel.
    Counts(Vec<f64>),
    /// Grams.
    Grams(f64),
    /// Digits whose unit nobody says.
    Digits(f64),
}

/// What the bytes look like before anybody decodes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// All of them.
    pub bytes: u64,
    /// With bit 7 set.
    pub bit7: u64,
    /// With an even number of ones.
    pub even: u64,
    /// 00 or FF, which a line of another speed is full of.
    pub blank: u64,
}

impl Traffic {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let count = |test: fn(&u8) -> bool| bytes.iter().filter(|b| test(b)).count() as u64;
        self.bit7 += count(|b| b & 0x80 != 0);
        self.even += count(|b| b.count_ones() % 2 == 0);
        self.blank += count(|b| *b == 0 || *b == 0xff);
    }

    /// The line's bits by the parity of what came over it as 8N1.
    pub fn bits(&self) -> Bits {
        let agree = |count: u64| self.bytes >= PARITY_BYTES_MIN && count as f64 >= PARITY_MIN * self.bytes as f64;
        if self.bit7 == 0 {
            // Without bit 7 anywhere there is no parity bit: every text has bytes of both kinds.
            Bits::EightNone
        } else if agree(self.even) {
            Bits::SevenEven
        } else if agree(self.bytes - self.even) {
            Bits::SevenOdd
        } else {
            Bits::EightNone
        }
    }
}

/// What is most likely spoken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guess {
    /// The protocol.
    pub protocol: Protocol,
    /// Others that would sound the same: dialects told apart by the line's speed or by what is asked.
    pub also: Vec<Protocol>,
    /// How bits make a byte.
    pub bits: Bits,
    /// Sound frames that say something.
    pub frames: u64,
    /// Pieces that were none.
    pub errors: u64,
    /// Share of all bytes that lie in sound frames, 0..=1.
    pub covered: f64,
    /// Frames a second; `None` for fewer than two.
    pub frames_per_s: Option<f64>,
    /// Longest pause between two frames, milliseconds.
    pub gap_ms: Option<u64>,
    /// How restless the values are.
    pub restlessness: Option<Restlessness>,
    /// What the instrument said of itself.
    pub serial_number: Option<String>,
}

/// All codecs listening at once. Memory is bounded whatever comes.
#[derive(Clone, Debug)]
pub struct Ear {
    traffic: Traffic,
    eight: Vec<Candidate>,
    seven: Vec<Candidate>,
    last: Option<Mono>,
}

impl Default for Ear {
    fn default() -> Self {
        let all = || Protocol::ALL.into_iter().map(Candidate::new).collect();
        Self { traffic: Traffic::default(), eight: all(), seven: all(), last: None }
    }
}

impl Ear {
    /// Hears bytes that came, read as 8N1, at `at`.
    pub fn push(&mut self, at: Mono, bytes: &[u8]) {
        if self.last.is_some_and(|last| at.ms_since(last) > PAUSE_MS) {
            self.pause();
        }
        self.last = Some(at);
        self.traffic.take(bytes);
        for byte in bytes {
            self.eight.iter_mut().for_each(|c| c.hear(at, *byte));
            self.seven.iter_mut().for_each(|c| c.hear(at, byte & 0x7f));
        }
    }

    /// Nothing more will come of what is half here.
    pub fn pause(&mut self) {
        let Some(at) = self.last else { return };
        self.eight.iter_mut().chain(&mut self.seven).for_each(|c| c.pause(at));
    }

    /// What the bytes look like.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The protocol of the bytes so far, if one makes sound frames of nearly all of them; at least `frames_min` frames.
    /// `expected` is believed before others that fit as well.
    pub fn guess(&self, frames_min: u64, expected: Option<Protocol>) -> Option<Guess> {
        let bits = self.traffic.bits();
        let heard = match bits {
            Bits::EightNone => &self.eight,
            Bits::SevenEven | Bits::SevenOdd => &self.seven,
        };
        let fits = |c: &&Candidate| c.frames >= frames_min.max(1) && c.share(self.traffic.bytes) >= COVERED_MIN;
        let score = |c: &Candidate| (c.covered, c.frames, u8::from(expected == Some(c.protocol)));
        // Of equals the first in the order of the protocols: those with checks and fixed forms stand before loose ones.
        let best = heard.iter().filter(fits).rev().max_by_key(|c| score(c))?;
        let same = |c: &&Candidate| c.protocol != best.protocol && (c.covered, c.frames) == (best.covered, best.frames);
        Some(Guess {
            protocol: best.protocol,
            also: heard.iter().filter(same).map(|c| c.protocol).collect(),
            bits,
            frames: best.frames,
            errors: best.errors,
            covered: best.share(self.traffic.bytes),
            frames_per_s: best.rate(),
            gap_ms: (best.frames > 1).then_some(best.gap_ms),
            restlessness: best.restlessness(),
            serial_number: best.serial_number.clone(),
        })
    }
}

/// One codec and what it made of the bytes.
#[derive(Clone, Debug)]
struct Candidate {
    protocol: Protocol,
    decoder: Decoder,
    /// Bytes since the last event.
    pending: u64,
    covered: u64,
    frames: u64,
    errors: u64,
    first: Option<Mono>,
    last: Option<Mono>,
    gap_ms: u64,
    values: Values,
    serial_number: Option<String>,
}

impl Candidate {
    fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            decoder: Decoder::new(protocol, &WireOptions::default()),
            pending: 0,
            covered: 0,
            frames: 0,
            errors: 0,
            first: None,
            last: None,
            gap_ms: 0,
            values: Values::default(),
            serial_number: None,
        }
    }

    fn hear(&mut self, at: Mono, byte: u8) {
        self.pending += 1;
        let mut events = Vec::new();
        self.decoder.push(&[byte], &mut |event| events.push(event));
        self.take(at, events);
    }

    fn pause(&mut self, at: Mono) {
        let mut events = Vec::new();
        self.decoder.pause(&mut |event| events.push(event));
        self.take(at, events);
        self.pending = 0;
    }

    fn take(&mut self, at: Mono, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let errors = events.iter().filter(|e| matches!(e, Event::Error { .. })).count();
        self.errors += errors as u64;
        if errors < events.len() {
            self.covered += self.pending;
        }
        self.pending = 0;
        for event in events {
            self.note(at, event);
        }
    }

    /// Frames are events that say something that chance does not: a lone acknowledgement is one byte.
    fn note(&mut self, at: Mono, event: Event) {
        match event {
            Event::Sample { counts, .. } => self.values.counts(&counts),
            Event::Weight { mass, .. } => self.values.one(Kind::Grams, mass.g()),
            Event::Number { value, .. } => {
                if let Some(number) = Decimal::parse(&value) {
                    self.values.one(Kind::Digits, number.mantissa as f64 / 10.0_f64.powi(i32::from(number.decimals)));
                }
            }
            Event::Digits { digits, .. } => self.values.one(Kind::Digits, f64::from(digits)),
            Event::Identity { serial_number } => self.serial_number = Some(serial_number),
            Event::Unavailable { .. }
            | Event::Status { .. }
            | Event::Text { .. }
            | Event::Challenge { .. }
            | Event::Code { .. } => {}
            // The tare follows the weight in the same frame.
            Event::Tare { .. }
            | Event::Done { .. }
            | Event::Refused { .. }
            | Event::Ack
            | Event::Nak
            | Event::Error { .. } => return,
        }
        self.frames += 1;
        self.first.get_or_insert(at);
        if let Some(last) = self.last.replace(at) {
            self.gap_ms = self.gap_ms.max(at.ms_since(last));
        }
    }

    fn share(&self, bytes: u64) -> f64 {
        self.covered as f64 / bytes.max(1) as f64
    }

    fn rate(&self) -> Option<f64> {
        let seconds = self.last?.seconds_since(self.first?);
        (seconds > 0.0).then(|| (self.frames - 1) as f64 / seconds)
    }

    fn restlessness(&self) -> Option<Restlessness> {
        let sigmas = self.values.sigmas()?;
        Some(match self.values.kind {
            Kind::Counts => Restlessness::Counts(sigmas),
            Kind::Grams => Restlessness::Grams(sigmas[0]),
            Kind::Digits => Restlessness::Digits(sigmas[0]),
        })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Counts,
    Grams,
    Digits,
}

/// Squares of differences of neighbours, a channel.
#[derive(Clone, Debug, Default)]
struct Values {
    kind: Kind,
    last: Vec<f64>,
    squares: Vec<f64>,
    differences: u64,
}

impl Values {
    fn counts(&mut self, counts: &[i32]) {
        let values: Vec<f64> = counts.iter().map(|c| f64::from(*c)).collect();
        self.take(Kind::Counts, values);
    }

    fn one(&mut self, kind: Kind, value: f64) {
        self.take(kind, vec![value]);
    }

    fn take(&mut self, kind: Kind, values: Vec<f64>) {
        if self.kind != kind || self.last.len() != values.len() {
            *self = Self { kind, squares: vec![0.0; values.len()], last: values, differences: 0 };
            return;
        }
        for ((squares, last), value) in self.squares.iter_mut().zip(&self.last).zip(&values) {
            *squares += (value - last).powi(2);
        }
        self.last = values;
        self.differences += 1;
    }

    /// A difference of two has twice the variance of one.
    fn sigmas(&self) -> Option<Vec<f64>> {
        let count = self.differences as f64;
        (self.differences >= 8).then(|| self.squares.iter().map(|s| (s / count / 2.0).sqrt()).collect())
    }
}

/// What may be sent to an unknown instrument to make it speak, in order: each asks for something and changes nothing, in its own
/// protocol as in all others. Every piece is to be followed by a moment of listening.
///
/// Many scales obey single letters (`Z` zero, `T` tare, `C` clear tare, `U` unit), so that no piece holds one of those.
pub fn polite_requests() -> Vec<(Protocol, Vec<Vec<u8>>)> {
    use wire::{and, cas, dialog, hbm_aed, lcb, modbus, mt_sics, nci, registers, toledo_8217};
    let info = (1..).map(|seq| lcb::Command::Info.encode(seq)).find(|frame| is_harmless(frame));
    let all = vec![
        (Protocol::Lcb, info.into_iter().collect()),
        (Protocol::MtSics, vec![mt_sics::request_weight()]),
        (Protocol::Toledo8217, vec![toledo_8217::request_weight()]),
        (Protocol::Nci, vec![nci::request_weight()]),
        (Protocol::Cas, vec![cas::request_attention(), cas::request_weight()]),
        (Protocol::And, vec![and::request_weight()]),
        (Protocol::ModbusLaumas, vec![modbus::request(&registers::RegisterMap::laumas(), 1)]),
        (Protocol::ModbusFlintec, vec![modbus::request(&registers::RegisterMap::flintec(), 1)]),
        (Protocol::HbmAed, vec![hbm_aed::request_value()]),
        (Protocol::Dialog06, vec![dialog::request_status(), dialog::request_result(), dialog::end()]),
    ];
    debug_assert!(all.iter().flat_map(|(_, pieces)| pieces).all(|piece| is_harmless(piece)));
    all
}

/// Whether no scale that obeys single letters would change its zero, tare or unit.
fn is_harmless(piece: &[u8]) -> bool {
    !piece.iter().any(|byte| b"ZTCUzt".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears `pieces` 100 ms apart, `seven` telling what becomes of bit 7.
    fn hear(pieces: &[Vec<u8>], seven: Option<Bits>) -> Ear {
        let mut ear = Ear::default();
        for (i, piece) in pieces.iter().enumerate() {
            let on_the_line = |b: &u8| match seven {
                None | Some(Bits::EightNone) => *b,
                Some(Bits::SevenEven) => b | ((b.count_ones() as u8 % 2) << 7),
                Some(Bits::SevenOdd) => b | (((b.count_ones() as u8 + 1) % 2) << 7),
            };
            let bytes: Vec<u8> = piece.iter().map(on_the_line).collect();
            ear.push(Mono::from_us(i as u64 * 100_000), &bytes);
        }
        ear.pause();
        ear
    }

    fn texts(line: impl Fn(u32) -> String) -> Vec<Vec<u8>> {
        (0..20).map(|i| line(i).into_bytes()).collect()
    }

    #[test]
    fn every_stream_is_named_at_eight_and_at_seven_bits() {
        let bcc = |text: &str| text.bytes().fold(0, |x, b| x ^ b);
        let cas = |i: u32| {
            let text = format!("S 01.{:03}kg", 200 + i);
            format!("\x01\x02{text}{}\x03\x04", char::from(bcc(&text)))
        };
        let streams = [
            (Protocol::MtSics, texts(|i| format!("S S {:>10.2} g\r\n", 100.0 + f64::from(i)))),
            (Protocol::And, texts(|i| format!("ST,+{:08.1}  g\r\n", 1200.0 + f64::from(i)))),
            (Protocol::Nci, texts(|i| format!("\n{:7.3}KG\r\n00\r\x03", 1.0 + f64::from(i) / 100.0))),
            (Protocol::Toledo8217, texts(|i| format!("\x0201.{:03}\r", 200 + i))),
            (Protocol::ToledoContinuous, texts(|i| format!("\x02-0 {:06}000000\r", 12_345 + i))),
            (Protocol::Cas, texts(cas)),
        ];
        for (protocol, pieces) in streams {
            for bits in [Bits::EightNone, Bits::SevenEven, Bits::SevenOdd] {
                let guess = hear(&pieces, Some(bits)).guess(3, None);
                let guess = guess.unwrap_or_else(|| panic!("{protocol:?} {bits:?}"));
                assert_eq!((guess.protocol, guess.bits), (protocol, bits), "{guess:?}");
                assert!(guess.covered > 0.99 && guess.frames >= 19, "{guess:?}");
                assert_eq!(guess.frames_per_s.map(|r| r.round()), Some(10.0), "{guess:?}");
                assert_eq!(guess.gap_ms, Some(100), "{guess:?}");
            }
        }
    }

    #[test]
    fn restlessness_is_of_neighbours() {
        // ±1 g about a slope of 0.01 g a frame: neighbours differ by 2 g, so that sigma is 2/√2 of them.
        let line = |i: u32| format!("S D {:>10.2} g\r\n", 100.0 + f64::from(i) / 100.0 + f64::from(i % 2 * 2));
        let guess = hear(&texts(line), None).guess(3, None).unwrap();
        let Some(Restlessness::Grams(sigma)) = guess.restlessness else { panic!("{guess:?}") };
        assert!((sigma - 2.0_f64.sqrt()).abs() < 0.01, "{sigma}");
    }

    #[test]
    fn noise_and_silence_are_nothing() {
        assert_eq!(Ear::default().guess(1, None), None);
        let mut x = 1_u32;
        let noise: Vec<Vec<u8>> = (0..200)
            .map(|_| {
                (0..20)
                    .map(|_| {
                        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (x >> 24) as u8
                    })
                    .collect()
            })
            .collect();
        let ear = hear(&noise, None);
        assert_eq!(ear.guess(1, None), None);
        assert_eq!(ear.traffic().bits(), Bits::EightNone);
        // A line of another speed: a stream of which a quarter is damaged is not named for the rest.
        let mut half = texts(|i| format!("S S {:>10.2} g\r\n", f64::from(i)));
        half.iter_mut().step_by(4).for_each(|line| line[3] = 0xff);
        assert_eq!(hear(&half, None).guess(3, None), None);
    }

    #[test]
    fn dialects_that_sound_alike_are_told() {
        let record = b"\x0202\x1b3\x1b01250\x1b000299\x1b000374\x03".to_vec();
        let guess = hear(&vec![record; 5], None).guess(3, None).unwrap();
        assert_eq!(guess.protocol, Protocol::Dialog06);
        assert_eq!(guess.also, [Protocol::Dialog04, Protocol::Dialog02]);
    }

    #[test]
    fn what_is_asked_changes_nothing() {
        let requests = polite_requests();
        assert_eq!(requests.len(), 10);
        for (protocol, pieces) in requests {
            assert!(!pieces.is_empty(), "{protocol:?}");
            for piece in pieces {
                for letter in *b"ZTCU" {
                    assert!(!piece.contains(&letter), "{protocol:?} {piece:?}");
                }
            }
        }
    }
}
