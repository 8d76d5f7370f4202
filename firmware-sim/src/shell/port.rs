//! A device on its port, in real time.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::live::Live;
use super::serial::{Host, Port, PortError};
use crate::hw::LineFormat;

/// Longest nap: so soon a new host, a question, a command or a pulled cable is noticed.
const NAP: Duration = Duration::from_millis(5);

/// Plays the device on port number `port` at `link` until the port cannot be offered any more.
///
/// # Errors
/// See [`PortError`].
pub async fn play(live: Live, port: usize, link: &Path) -> Result<(), PortError> {
    let Some(format) = live.with(|stage| stage.rig().ports().get(port).map(|port| port.format)) else {
        return Ok(());
    };
    let mut offered: Option<Port> = None;
    loop {
        let (plugged, bytes) = live.with(|stage| (stage.rig().plugged(port), stage.rig_mut().take_bytes(port)));
        offered = match offered {
            None if plugged => Some(Port::publish(link, format.baud)?),
            Some(_) if !plugged => None,
            unchanged => unchanged,
        };
        let host = match &mut offered {
            Some(offered) => exchange(&live, port, format, offered, &bytes)?,
            None => Host::Absent,
        };
        let nap_end = Instant::now() + NAP;
        let next_us = match host {
            Host::Listening => live.with(|stage| stage.rig().next_bytes_us(port)),
            Host::Absent | Host::Gone => None,
        };
        // What lies far ahead may lie for ever ahead: bytes that a fault holds back.
        let soon_us = next_us.filter(|at_us| *at_us < live.now_us() + NAP.as_micros() as u64);
        sleep_until(soon_us.map_or(nap_end, |at_us| live.instant(at_us).into())).await;
    }
}

fn exchange(live: &Live, port: usize, format: LineFormat, offered: &mut Port, bytes: &[u8]) -> Result<Host, PortError> {
    let (incoming, host) = offered.read();
    match host {
        Host::Listening => {
            let host_line = LineFormat { baud: offered.host_baud(), ..format };
            live.with(|stage| {
                stage.rig_mut().set_host_line(port, host_line);
                if !incoming.is_empty() {
                    stage.rig_mut().receive(port, &incoming);
                }
            });
            offered.write(bytes);
        }
        Host::Gone => offered.renew()?,
        Host::Absent => {}
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::wire::{Deframer, frame};
    use crate::stage::Command;
    use std::fs::{File, OpenOptions};
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::fs::OpenOptionsExt;

    fn open(link: &Path) -> File {
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        loop {
            let file =
                OpenOptions::new().read(true).write(true).custom_flags(nix::fcntl::OFlag::O_NOCTTY.bits()).open(link);
            match file {
                Ok(file) => return file,
                Err(error) => assert!(std::time::Instant::now() < deadline, "{error}"),
            }
            std::thread::yield_now();
        }
    }

    fn samples(host: &mut File, deframer: &mut Deframer, count: usize) -> Vec<Vec<u8>> {
        let mut samples = Vec::new();
        let mut chunk = [0; 256];
        while samples.len() < count {
            let length = host.read(&mut chunk).unwrap();
            assert_ne!(length, 0, "end of file");
            samples.extend(deframer.push(&chunk[..length]).into_iter().filter(|payload| payload[1] == 1));
        }
        samples
    }

    fn played(stage: crate::stage::Stage, port: usize, link: &Path) -> (Live, tokio::runtime::Runtime) {
        let live = Live::start(stage);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn({
            let (live, link) = (live.clone(), link.to_owned());
            async move { play(live, port, &link).await }
        });
        (live, runtime)
    }

    /// What comes within two seconds, up to a line's end.
    fn line(host: &mut File) -> Vec<u8> {
        let deadline = std::time::Instant::now() + Duration::from_secs(2);
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") && std::time::Instant::now() < deadline {
            let mut poll = [nix::poll::PollFd::new(host.as_fd(), nix::poll::PollFlags::POLLIN)];
            if nix::poll::poll(&mut poll, 50u8).unwrap() > 0 {
                let mut byte = [0];
                host.read_exact(&mut byte).unwrap();
                line.push(byte[0]);
            }
        }
        line
    }

    #[test]
    fn a_finished_scale_answers_at_its_own_speed_only() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("scale");
        let mut hardware = crate::hw::tests::plate();
        hardware.boards.clear();
        hardware.indicators.push(crate::hw::tests::indicator("mt-sics"));
        let shop = crate::shop::Shop::parse(crate::stage::tests::SHOP).unwrap();
        let mut stage = crate::stage::Stage::new(hardware, std::sync::Arc::new(shop), 1);
        // Three seconds have gone by: the scale is awake.
        stage.advance_to(3_000_000);
        let (_live, _runtime) = played(stage, 0, &link);
        let mut host = open(&link);
        let started = std::time::Instant::now();
        host.write_all(b"SI\r\n").unwrap();
        let mut answer = line(&mut host);
        if answer.starts_with(b"I4 ") {
            // What it said when it woke may still lie in the line.
            answer = line(&mut host);
        }
        assert!(answer.ends_with(b" kg\r\n"), "{}", answer.escape_ascii());
        // 23 characters of ten bits at 9600 baud.
        assert!(started.elapsed() >= Duration::from_millis(23), "{:?}", started.elapsed());
        let mut settings = rustix::termios::tcgetattr(&host).unwrap();
        settings.set_speed(19_200).unwrap();
        rustix::termios::tcsetattr(&host, rustix::termios::OptionalActions::Now, &settings).unwrap();
        std::thread::yield_now();
        host.write_all(b"SI\r\n").unwrap();
        let answer = line(&mut host);
        assert!(!answer.windows(2).any(|two| two == b"kg"), "{}", answer.escape_ascii());
    }

    #[test]
    fn eighty_samples_a_second_then_a_cable() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("run/by-path/plate");
        let (live, _runtime) = played(crate::stage::tests::stage(1), 0, &link);
        let mut host = open(&link);
        let mut deframer = Deframer::default();
        samples(&mut host, &mut deframer, 3);
        let start = std::time::Instant::now();
        let frames = samples(&mut host, &mut deframer, 200);
        let rate_hz = 200.0 / start.elapsed().as_secs_f64();
        assert!((rate_hz / 80.0 - 1.0).abs() < 0.05, "{rate_hz}");
        let seqs: Vec<u16> = frames.iter().map(|frame| u16::from_le_bytes([frame[2], frame[3]])).collect();
        assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");

        host.write_all(&frame(&[1, 0x10, 7, 0, 1])).unwrap();
        let frames = samples(&mut host, &mut deframer, 8);
        assert!(frames.last().unwrap()[9] & 0x80 == 0, "the info command was not heard");

        live.command(&Command::Unplug { board: "plate".into() }).unwrap();
        // A read that waits at that moment may get EIO; end of file follows for ever.
        while !matches!(host.read(&mut [0; 256]), Ok(0)) {}
        assert!(!link.exists());
        live.command(&Command::Replug { board: "plate".into() }).unwrap();
        let mut host = open(&link);
        let frames = samples(&mut host, &mut Deframer::default(), 8);
        assert!(frames[0][9] & 0x80 != 0, "a board that was without power must say so");
    }
}
