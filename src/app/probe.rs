//! `augenmass scale-probe`: what an unknown instrument on a serial port speaks, and how its line is set.
//!
//! It only listens, unless it is told to ask; then it sends requests that change nothing in any of the protocols.

use crate::io::clock::Clock;
use crate::io::serial::{Parity, PortEvent, SerialEvent, SerialLink, SerialLoss, SerialOptions};
use augenmass_core::weighing::probe::{Ear, Guess, Restlessness, Traffic, polite_requests};
use augenmass_core::weighing::wire::Protocol;
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Speeds in the order of their likelihood: our own boards', then scales'.
const SPEEDS: [u32; 8] = [115_200, 9_600, 19_200, 4_800, 2_400, 38_400, 57_600, 1_200];
/// A stream is believed after so many frames.
const FRAMES_MIN: u64 = 3;
/// An answer may take so long; 8217 clones take 300 ms.
const ANSWER: Duration = Duration::from_millis(400);
/// Whoever answers is asked so often in all.
const QUESTIONS: u64 = 3;
/// A port of ours that was closed a moment ago opens again within this.
const REOPEN: Duration = Duration::from_secs(2);
/// Bits of a byte on the line.
const BITS_A_BYTE: f64 = 10.0;

/// Which port, and what may be done with it.
#[derive(Clone, Debug, Args)]
pub struct ProbeArguments {
    /// The serial port.
    pub port: PathBuf,
    /// Listen at this speed only; may be given several times. Left out, the usual ones are tried in turn.
    #[arg(long)]
    pub baud: Vec<u32>,
    /// How long to listen at each speed.
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    pub seconds: f64,
    /// Also send requests for a weight or an identity, protocol by protocol; none that would zero, tare or price anything.
    #[arg(long)]
    pub ask: bool,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "no number".to_owned())?;
    if (0.1..=600.0).contains(&number) { Ok(number) } else { Err("not within 0.1 to 600".to_owned()) }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The port does not open, or is lost.
    #[error("{0}")]
    Port(#[from] SerialLoss),
    /// The port does not open at any speed.
    #[error("{} opens at none of the speeds", .0.display())]
    NoSpeed(PathBuf),
}

/// What was heard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The port.
    pub port: PathBuf,
    /// What is spoken, if one protocol explains the bytes.
    pub found: Option<Found>,
    /// Every speed that was tried, in order.
    pub tried: Vec<Tried>,
}

/// An instrument that was understood.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// What it speaks.
    #[serde(flatten)]
    pub guess: Guess,
    /// The line's speed.
    pub baud: u32,
    /// Whether it spoke only when asked; the frame rate is then ours.
    pub asked: bool,
    /// From a question to the first byte of its answer, at least, milliseconds.
    pub answer_ms: Option<u64>,
    /// More bytes came than this speed can carry: the port is no real line (a pseudo-terminal, some USB devices), and its speed
    /// means nothing.
    pub speed_means_nothing: bool,
}

/// One speed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// Bits a second.
    pub baud: u32,
    /// What the bytes look like.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Listens, and asks if it may, speed by speed, until one protocol explains what comes.
///
/// # Errors
/// A port that does not open or is lost.
pub async fn probe(arguments: &ProbeArguments) -> Result<Report, ProbeError> {
    let speeds = if arguments.baud.is_empty() { &SPEEDS[..] } else { &arguments.baud };
    let mut report = Report { port: arguments.port.clone(), found: None, tried: Vec::new() };
    for &baud in speeds {
        let Some(mut line) = Line::open(&arguments.port, baud, report.tried.is_empty()).await? else { continue };
        let (found, traffic) = line.identify(arguments).await?;
        report.tried.push(Tried { baud, traffic });
        if found.is_some() {
            report.found = found;
            return Ok(report);
        }
    }
    if report.tried.is_empty() { Err(ProbeError::NoSpeed(arguments.port.clone())) } else { Ok(report) }
}

/// The port, open at one speed.
struct Line {
    baud: u32,
    link: SerialLink,
    events: mpsc::Receiver<PortEvent>,
    clock: Clock,
}

impl Line {
    /// Opens the port as 8N1; `None` for a speed that it does not have.
    async fn open(path: &Path, baud: u32, is_first: bool) -> Result<Option<Self>, SerialLoss> {
        let options = SerialOptions {
            path: path.to_owned(),
            baud,
            data_bits: 8,
            parity: Parity::None,
            stop_bits: 1,
            exclusive: true,
        };
        let (sender, mut events) = mpsc::channel(4096);
        let link = SerialLink::start(0, options, sender);
        let deadline = Instant::now() + REOPEN;
        loop {
            let event = tokio::time::timeout_at(deadline.into(), events.recv()).await;
            match event.ok().flatten().map(|e| e.event) {
                Some(SerialEvent::Opened { .. }) => {
                    return Ok(Some(Self { baud, link, events, clock: Clock::start() }));
                }
                Some(SerialEvent::Bytes { .. }) => {}
                // It may be held by ourselves, from the speed before.
                Some(SerialEvent::Lost { why: SerialLoss::Taken(_), .. }) if !is_first => {}
                Some(SerialEvent::Lost { why: SerialLoss::Unusable { .. }, .. }) if !is_first => return Ok(None),
                Some(SerialEvent::Lost { why, .. }) => return Err(why),
                None => return Err(SerialLoss::Taken(path.to_owned())),
            }
        }
    }

    async fn identify(&mut self, arguments: &ProbeArguments) -> Result<(Option<Found>, Traffic), SerialLoss> {
        let mut ear = Ear::default();
        let began = Instant::now();
        self.listen(&mut ear, Duration::from_secs_f64(arguments.seconds)).await?;
        let capacity = f64::from(self.baud) / BITS_A_BYTE * began.elapsed().as_secs_f64();
        // A driver may hand over at once what it had queued.
        let speed_means_nothing = ear.traffic().bytes as f64 > 1.2 * capacity + 4096.0;
        if let Some(guess) = ear.guess(FRAMES_MIN, None) {
            let found = Found { guess, baud: self.baud, asked: false, answer_ms: None, speed_means_nothing };
            return Ok((Some(found), ear.traffic()));
        }
        let found = if arguments.ask { self.ask().await? } else { None };
        Ok((found, ear.traffic()))
    }

    /// Hears what comes within `time`; gives when the first byte came.
    async fn listen(&mut self, ear: &mut Ear, time: Duration) -> Result<Option<Instant>, SerialLoss> {
        let deadline = tokio::time::Instant::now() + time;
        let mut first = None;
        loop {
            match tokio::time::timeout_at(deadline, self.events.recv()).await {
                Err(_) | Ok(None) => break,
                Ok(Some(PortEvent { event: SerialEvent::Bytes { at, bytes }, .. })) => {
                    first.get_or_insert(at);
                    ear.push(self.clock.mono(at), &bytes);
                }
                Ok(Some(PortEvent { event: SerialEvent::Opened { .. }, .. })) => {}
                Ok(Some(PortEvent { event: SerialEvent::Lost { why, .. }, .. })) => return Err(why),
            }
        }
        ear.pause();
        Ok(first)
    }

    /// Asks in one protocol after the other; whoever answers is asked again.
    async fn ask(&mut self) -> Result<Option<Found>, SerialLoss> {
        for (protocol, pieces) in polite_requests() {
            let (mut ear, mut answer_ms) = (Ear::default(), None);
            for question in 1..=QUESTIONS {
                let told = self.question(&mut ear, &pieces).await?;
                answer_ms = answer_ms.into_iter().chain(told).min();
                if ear.guess(question, Some(protocol)).is_none() {
                    break;
                }
            }
            if let Some(guess) = ear.guess(QUESTIONS, Some(protocol)) {
                let baud = self.baud;
                return Ok(Some(Found { guess, baud, asked: true, answer_ms, speed_means_nothing: false }));
            }
        }
        Ok(None)
    }

    async fn question(&mut self, ear: &mut Ear, pieces: &[Vec<u8>]) -> Result<Option<u64>, SerialLoss> {
        let mut quickest = None;
        for piece in pieces {
            let asked = Instant::now();
            if !self.link.send(piece.clone().into()) {
                continue;
            }
            let first = self.listen(ear, ANSWER).await?;
            let told = first.map(|at| at.saturating_duration_since(asked).as_millis() as u64);
            quickest = quickest.into_iter().chain(told).min();
        }
        Ok(quickest)
    }
}

/// The report for people.
pub fn words(report: &Report, asked: bool) -> String {
    let mut text = String::new();
    // Writing into a text does not fail.
    let _ = match &report.found {
        Some(found) => tell(&mut text, &report.port, found),
        None => lament(&mut text, report, asked),
    };
    text
}

fn tell(text: &mut String, port: &Path, found: &Found) -> std::fmt::Result {
    let guess = &found.guess;
    writeln!(text, "{}: {}, {} baud {}", port.display(), guess.protocol.name(), found.baud, guess.bits.name())?;
    if !guess.also.is_empty() {
        let also: Vec<&str> = guess.also.iter().map(|p| p.name()).collect();
        writeln!(text, "  sounds the same: {}{}", also.join(", "), usual_speed(guess.protocol))?;
    }
    if let Some(serial_number) = &guess.serial_number {
        writeln!(text, "  serial number {serial_number}")?;
    }
    let share = 100.0 * guess.covered;
    writeln!(text, "  {} frames, {} damaged pieces, {share:.1} % of the bytes explained", guess.frames, guess.errors)?;
    match (found.asked, guess.frames_per_s, guess.gap_ms) {
        (true, ..) => writeln!(text, "  speaks when asked, after {} ms", found.answer_ms.unwrap_or_default())?,
        (false, Some(rate), Some(gap_ms)) => {
            writeln!(text, "  {rate:.1} frames a second, longest pause {gap_ms} ms")?;
        }
        (false, ..) => {}
    }
    match &guess.restlessness {
        Some(Restlessness::Counts(sigmas)) => {
            let sigmas: Vec<String> = sigmas.iter().map(|s| format!("{s:.1}")).collect();
            writeln!(text, "  noise of a sample, 1 sigma: {} counts", sigmas.join(", "))?;
        }
        Some(Restlessness::Grams(sigma)) => writeln!(text, "  noise of a value, 1 sigma: {sigma:.2} g")?,
        Some(Restlessness::Digits(sigma)) => {
            writeln!(text, "  noise of a value, 1 sigma: {sigma:.3}; its unit must stand in the station file")?;
        }
        None => {}
    }
    if found.speed_means_nothing {
        writeln!(text, "  more bytes came than this speed carries: the port is no real line, any speed will do")?;
    }
    Ok(())
}

fn usual_speed(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Dialog06 | Protocol::Dialog04 | Protocol::Dialog02 => {
            " (9600 baud is usual for dialog06, 4800 for dialog04, 2400 for dialog02)"
        }
        Protocol::Lcb
        | Protocol::MtSics
        | Protocol::Toledo8217
        | Protocol::Nci
        | Protocol::ModbusLaumas
        | Protocol::ModbusFlintec
        | Protocol::ToledoContinuous
        | Protocol::Cas
        | Protocol::And
        | Protocol::HbmAed => "",
    }
}

fn lament(text: &mut String, report: &Report, asked: bool) -> std::fmt::Result {
    writeln!(text, "{}: nothing that any known protocol explains", report.port.display())?;
    for Tried { baud, traffic } in &report.tried {
        let share = |count: u64| 100.0 * count as f64 / traffic.bytes.max(1) as f64;
        let (bit7, blank) = (share(traffic.bit7), share(traffic.blank));
        let bits = traffic.bits().name();
        match traffic.bytes {
            0 => writeln!(text, "  {baud} baud: silence")?,
            bytes => writeln!(
                text,
                "  {baud} baud: {bytes} bytes, bit 7 set in {bit7:.0} %, 00 or FF {blank:.0} %, bytes look like {bits}"
            )?,
        }
    }
    if report.tried.iter().all(|t| t.traffic.bytes == 0) {
        let more = if asked { "" } else { "; scales that speak only when asked need --ask" };
        writeln!(text, "  check power and cable (crossed or straight){more}")?;
    } else {
        writeln!(text, "  many 00 or FF mean another speed; name it with --baud if it is none of those")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::weighing::probe::Bits;

    fn found() -> Found {
        let guess = Guess {
            protocol: Protocol::Lcb,
            also: Vec::new(),
            bits: Bits::EightNone,
            frames: 240,
            errors: 1,
            covered: 0.995,
            frames_per_s: Some(80.02),
            gap_ms: Some(13),
            restlessness: Some(Restlessness::Counts(vec![21.04, 20.0])),
            serial_number: None,
        };
        Found { guess, baud: 115_200, asked: false, answer_ms: None, speed_means_nothing: false }
    }

    #[test]
    fn a_report_names_what_a_station_file_needs() {
        let report = Report { port: "/dev/x".into(), found: Some(found()), tried: Vec::new() };
        let text = words(&report, false);
        for part in ["lcb, 115200 baud 8N1", "80.0 frames a second", "13 ms", "21.0, 20.0 counts", "99.5 %"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["found"]["protocol"], &json["found"]["bits"]), (&"lcb".into(), &"8N1".into()));
    }

    #[test]
    fn silence_suggests_to_ask_and_noise_another_speed() {
        let tried = |bytes, blank| Tried { baud: 9_600, traffic: Traffic { bytes, blank, ..Traffic::default() } };
        let report = |tried| Report { port: "/dev/x".into(), found: None, tried: vec![tried] };
        assert!(words(&report(tried(0, 0)), false).contains("--ask"));
        assert!(!words(&report(tried(0, 0)), true).contains("--ask"));
        assert!(words(&report(tried(10, 9)), true).contains("another speed"));
    }
}
