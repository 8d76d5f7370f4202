//! A board on its port, in real time.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::live::Live;
use super::serial::{Host, Port, PortError};

/// Longest nap: so soon a new host, a command or a pulled cable is noticed.
const NAP: Duration = Duration::from_millis(25);

/// Plays board number `board` at `link` until the port cannot be offered any more.
///
/// # Errors
/// See [`PortError`].
pub async fn play(live: Live, board: usize, link: &Path) -> Result<(), PortError> {
    let mut port: Option<Port> = None;
    loop {
        let (plugged, bytes) = live.with(|stage| (stage.rig().plugged(board), stage.rig_mut().take_bytes(board)));
        port = match port {
            None if plugged => Some(Port::publish(link)?),
            Some(_) if !plugged => None,
            unchanged => unchanged,
        };
        let host = match &mut port {
            Some(port) => exchange(&live, board, port, &bytes)?,
            None => Host::Absent,
        };
        let nap_end = Instant::now() + NAP;
        let next = match host {
            Host::Listening => live.with(|stage| stage.rig().next_bytes_us(board)),
            Host::Absent | Host::Gone => None,
        };
        sleep_until(next.map_or(nap_end, |at_us| nap_end.min(live.instant(at_us).into()))).await;
    }
}

fn exchange(live: &Live, board: usize, port: &mut Port, bytes: &[u8]) -> Result<Host, PortError> {
    let (incoming, host) = port.read();
    if !incoming.is_empty() {
        live.with(|stage| stage.rig_mut().receive(board, &incoming));
    }
    match host {
        Host::Listening => port.write(bytes),
        Host::Gone => port.renew()?,
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

    #[test]
    fn eighty_samples_a_second_then_a_cable() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("run/by-path/plate");
        let live = Live::start(crate::stage::tests::stage(1));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let task = runtime.spawn({
            let (live, link) = (live.clone(), link.clone());
            async move { play(live, 0, &link).await }
        });
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
        task.abort();
    }
}
