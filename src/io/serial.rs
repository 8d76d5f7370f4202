//! A board's serial port: opened, read, written, lost and opened again, for ever.
//!
//! Each port has a task of its own. It stamps what it reads before anything can queue, so that a busy
//! driver makes data older, never fresher; and when the driver does not keep up, bytes are dropped here
//! rather than left in the kernel, whence they would come out later with a fresh stamp.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_serial::{
    ClearBuffer, DataBits, ErrorKind, FlowControl, SerialPort as _, SerialPortBuilderExt as _, SerialStream, StopBits,
};

/// First wait before a lost port is opened again; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// A cable that is put back is noticed within this.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// A command of a few dozen bytes takes 4 ms at 115 200 baud; a board that takes none in this is gone.
const WRITE_LIMIT: Duration = Duration::from_millis(250);
/// Commands that may wait to be written.
const COMMAND_QUEUE: usize = 8;
/// Most bytes taken in one read.
const READ_CHUNK: usize = 4096;

/// Parity bit of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// No parity bit.
    None,
    /// Even number of ones.
    Even,
    /// Odd number of ones.
    Odd,
}

/// Which port, and how the line is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialOptions {
    /// Device or symbolic link, for instance `/dev/serial/by-path/…`.
    pub path: PathBuf,
    /// Bits per second.
    pub baud: u32,
    /// 7, or 8 for anything else.
    pub data_bits: u8,
    /// Parity bit.
    pub parity: Parity,
    /// 2, or 1 for anything else.
    pub stop_bits: u8,
    /// Lock the port against other programs, and refuse one that is locked.
    pub exclusive: bool,
}

/// What happens on a port. `at` is taken at once when it happens.
#[derive(Clone, Debug)]
pub enum SerialEvent {
    /// The port is open and what had been queued in it is thrown away.
    Opened {
        /// When.
        at: Instant,
    },
    /// Bytes as they came, split anywhere.
    Bytes {
        /// When the last of them had arrived.
        at: Instant,
        /// Never empty.
        bytes: Bytes,
    },
    /// The port cannot be opened, or is lost. Told once for each reason; opening is tried for ever.
    Lost {
        /// When.
        at: Instant,
        /// Why.
        why: SerialLoss,
    },
}

/// What happens on one of several ports.
#[derive(Clone, Debug)]
pub struct PortEvent {
    /// The number that the port was started with.
    pub port: usize,
    /// What happened.
    pub event: SerialEvent,
}

/// Why a port is not there, with the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerialLoss {
    /// Nothing at the path.
    #[error("no port at {}: is the board plugged in, and is `path` in the station file right?", .0.display())]
    NoSuchPort(PathBuf),
    /// Another program holds it.
    #[error("{} is held by another program: end that one (`fuser {}` names it)", .0.display(), .0.display())]
    Taken(PathBuf),
    /// The user may not open it.
    #[error("{} may not be opened by this user: add the user to the port's group (often `dialout`)", .0.display())]
    NotPermitted(PathBuf),
    /// It is there and is no working serial port.
    #[error("{} cannot be used as a serial port: {why}", .path.display())]
    Unusable {
        /// The port.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// It was open and went away.
    #[error("{} went away: the cable was pulled, or the board lost its power", .0.display())]
    Unplugged(PathBuf),
    /// It was open and took no more bytes.
    #[error("{} takes no bytes any more: the board hangs", .0.display())]
    Stuck(PathBuf),
}

/// A running port; dropping it closes the port.
#[derive(Debug)]
pub struct SerialLink {
    commands: mpsc::Sender<Bytes>,
    task: JoinHandle<()>,
}

impl SerialLink {
    /// Starts the port's task on the current Tokio runtime. It ends when `events` has no receiver.
    ///
    /// `port` names it in `events`, which should hold some seconds of chunks (a chunk is a few frames): what does not fit
    /// is lost.
    pub fn start(port: usize, options: SerialOptions, events: mpsc::Sender<PortEvent>) -> Self {
        let (commands, queue) = mpsc::channel(COMMAND_QUEUE);
        let task = tokio::spawn(Port { port, options, events, queue, told: None }.run());
        Self { commands, task }
    }

    /// Queues bytes for the board, to be written at once. `false` when they cannot be queued; what is
    /// queued while the port is lost is thrown away before it opens again.
    pub fn send(&self, bytes: Bytes) -> bool {
        self.commands.try_send(bytes).is_ok()
    }
}

impl Drop for SerialLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Port {
    port: usize,
    options: SerialOptions,
    events: mpsc::Sender<PortEvent>,
    queue: mpsc::Receiver<Bytes>,
    told: Option<SerialLoss>,
}

/// Nobody listens any more.
struct Abandoned;

impl Port {
    async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            match self.visit(&mut wait).await {
                Err(Abandoned) => return,
                Ok(why) => {
                    if self.tell_lost(why).await.is_err() {
                        return;
                    }
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Opens the port and serves it until it is lost. The stream is gone when this returns: a port that
    /// is still held cannot be opened again.
    async fn visit(&mut self, wait: &mut Duration) -> Result<SerialLoss, Abandoned> {
        let stream = match self.open() {
            Ok(stream) => stream,
            Err(loss) => return Ok(loss),
        };
        while self.queue.try_recv().is_ok() {}
        self.told = None;
        // The place in the queue comes first: between clearing and reading nothing may wait, or bytes
        // from before would be stamped as if they had come now.
        let place = self.events.reserve().await.map_err(|_| Abandoned)?;
        if let Err(error) = stream.clear(ClearBuffer::Input) {
            tracing::debug!(path = %self.options.path.display(), %error, "input could not be cleared");
        }
        place.send(PortEvent { port: self.port, event: SerialEvent::Opened { at: Instant::now() } });
        let (reader, writer) = tokio::io::split(stream);
        let path = &self.options.path;
        tokio::select! {
            outcome = read(self.port, reader, &self.events, wait) => outcome.map(|()| SerialLoss::Unplugged(path.clone())),
            loss = write(writer, &mut self.queue) => match loss {
                WriteEnd::Abandoned => Err(Abandoned),
                WriteEnd::Stuck => Ok(SerialLoss::Stuck(path.clone())),
                WriteEnd::Gone => Ok(SerialLoss::Unplugged(path.clone())),
            },
        }
    }

    fn open(&self) -> Result<SerialStream, SerialLoss> {
        let options = &self.options;
        let path = &options.path;
        let Some(name) = path.to_str() else {
            return Err(SerialLoss::Unusable { path: path.clone(), why: "its name is no UTF-8".to_owned() });
        };
        tokio_serial::new(name, options.baud)
            .data_bits(if options.data_bits == 7 { DataBits::Seven } else { DataBits::Eight })
            .parity(match options.parity {
                Parity::None => tokio_serial::Parity::None,
                Parity::Even => tokio_serial::Parity::Even,
                Parity::Odd => tokio_serial::Parity::Odd,
            })
            .stop_bits(if options.stop_bits == 2 { StopBits::Two } else { StopBits::One })
            .flow_control(FlowControl::None)
            .exclusive(options.exclusive)
            .open_native_async()
            .map_err(|error| match error.kind() {
                ErrorKind::Io(std::io::ErrorKind::NotFound) => SerialLoss::NoSuchPort(path.clone()),
                ErrorKind::Io(std::io::ErrorKind::PermissionDenied) => SerialLoss::NotPermitted(path.clone()),
                // serialport reports both a foreign lock and EBUSY under this name.
                ErrorKind::NoDevice => SerialLoss::Taken(path.clone()),
                ErrorKind::InvalidInput | ErrorKind::Unknown | ErrorKind::Io(_) => {
                    SerialLoss::Unusable { path: path.clone(), why: error.description.clone() }
                }
            })
    }

    async fn tell_lost(&mut self, why: SerialLoss) -> Result<(), Abandoned> {
        // A pulled cable is first `Unplugged`, then `NoSuchPort`: both are worth telling, each once.
        if self.told.as_ref() == Some(&why) {
            return Ok(());
        }
        self.told = Some(why.clone());
        let event = SerialEvent::Lost { at: Instant::now(), why };
        self.events.send(PortEvent { port: self.port, event }).await.map_err(|_| Abandoned)
    }
}

/// Reads until the port is lost (`Ok`).
async fn read(
    port: usize,
    mut reader: ReadHalf<SerialStream>,
    events: &mpsc::Sender<PortEvent>,
    wait: &mut Duration,
) -> Result<(), Abandoned> {
    let mut buffer = BytesMut::with_capacity(READ_CHUNK);
    let mut dropped: u64 = 0;
    loop {
        buffer.reserve(READ_CHUNK);
        match reader.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(_) => {}
        }
        let at = Instant::now();
        *wait = FIRST_WAIT;
        let bytes = buffer.split().freeze();
        match events.try_send(PortEvent { port, event: SerialEvent::Bytes { at, bytes } }) {
            Ok(()) => dropped = 0,
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Abandoned),
            Err(mpsc::error::TrySendError::Full(_)) => {
                if dropped == 0 {
                    tracing::warn!("the driver does not keep up with a serial port: bytes are dropped");
                }
                dropped += 1;
            }
        }
    }
}

enum WriteEnd {
    Abandoned,
    Stuck,
    Gone,
}

/// Writes what is queued. Never flushes: flushing a serial port blocks the thread until the line is idle.
async fn write(mut writer: WriteHalf<SerialStream>, queue: &mut mpsc::Receiver<Bytes>) -> WriteEnd {
    loop {
        let Some(bytes) = queue.recv().await else {
            return WriteEnd::Abandoned;
        };
        match tokio::time::timeout(WRITE_LIMIT, writer.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return WriteEnd::Gone,
            Err(_) => return WriteEnd::Stuck,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::OFlag;
    use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
    use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
    use std::io::{Read, Write};
    use std::path::Path;

    /// The board's end of a pty whose other end is published at `link`.
    fn plug_in(link: &Path) -> PtyMaster {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let mut settings = tcgetattr(&master).unwrap();
        cfmakeraw(&mut settings);
        tcsetattr(&master, SetArg::TCSANOW, &settings).unwrap();
        let fresh = link.with_extension("fresh");
        std::os::unix::fs::symlink(ptsname_r(&master).unwrap(), &fresh).unwrap();
        std::fs::rename(&fresh, link).unwrap();
        master
    }

    fn options(path: &Path) -> SerialOptions {
        SerialOptions {
            path: path.to_owned(),
            baud: 115_200,
            data_bits: 8,
            parity: Parity::None,
            stop_bits: 1,
            exclusive: true,
        }
    }

    async fn next(events: &mut mpsc::Receiver<PortEvent>) -> SerialEvent {
        let event = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap().unwrap();
        assert_eq!(event.port, 7);
        event.event
    }

    async fn opened(events: &mut mpsc::Receiver<PortEvent>) {
        let event = next(events).await;
        assert!(matches!(event, SerialEvent::Opened { .. }), "{event:?}");
    }

    async fn lost(events: &mut mpsc::Receiver<PortEvent>) -> SerialLoss {
        match next(events).await {
            SerialEvent::Lost { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    async fn read_bytes(events: &mut mpsc::Receiver<PortEvent>, length: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < length {
            match next(events).await {
                SerialEvent::Bytes { bytes, .. } => all.extend_from_slice(&bytes),
                other => panic!("{other:?}"),
            }
        }
        all
    }

    #[tokio::test]
    async fn a_cable_is_pulled_and_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plate");
        let mut board = plug_in(&path);
        let (sender, mut events) = mpsc::channel(64);
        let link = SerialLink::start(7, options(&path), sender);
        opened(&mut events).await;

        let before = Instant::now();
        assert!(link.send(Bytes::from_static(b"\x01info\x00")));
        let mut board = tokio::task::spawn_blocking(move || {
            let mut command = [0; 6];
            board.read_exact(&mut command).unwrap();
            assert_eq!(&command, b"\x01info\x00");
            // All that a line discipline would change, were it not raw.
            board.write_all(b"\r\n\x03\x00\xff\x11\x13").unwrap();
            board
        })
        .await
        .unwrap();
        match next(&mut events).await {
            SerialEvent::Bytes { at, bytes } => {
                assert!(at >= before && at <= Instant::now());
                assert!(b"\r\n\x03\x00\xff\x11\x13".starts_with(&bytes));
            }
            other => panic!("{other:?}"),
        }

        board.write_all(b"!").unwrap();
        drop(board);
        let why = loop {
            match next(&mut events).await {
                SerialEvent::Bytes { .. } => {}
                SerialEvent::Lost { why, .. } => break why,
                SerialEvent::Opened { .. } => panic!("opened while unplugged"),
            }
        };
        assert_eq!(why, SerialLoss::Unplugged(path.clone()));

        // What is said to a board that is not there must not reach the next one.
        assert!(link.send(Bytes::from_static(b"stale")));
        let mut board = plug_in(&path);
        loop {
            match next(&mut events).await {
                SerialEvent::Opened { .. } => break,
                SerialEvent::Lost { why, .. } => {
                    assert_ne!(why, SerialLoss::Unplugged(path.clone()))
                }
                SerialEvent::Bytes { .. } => panic!("bytes while unplugged"),
            }
        }
        assert!(link.send(Bytes::from_static(b"fresh")));
        let answered = tokio::task::spawn_blocking(move || {
            let mut command = [0; 5];
            board.read_exact(&mut command).unwrap();
            board.write_all(b"back").unwrap();
            (command, board)
        });
        assert_eq!(read_bytes(&mut events, 4).await, b"back");
        assert_eq!(&answered.await.unwrap().0, b"fresh");
    }

    #[tokio::test]
    async fn what_was_queued_before_opening_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plate");
        let mut board = plug_in(&path);
        board.write_all(b"an hour old").unwrap();
        let (sender, mut events) = mpsc::channel(8);
        let _link = SerialLink::start(7, options(&path), sender);
        opened(&mut events).await;
        board.write_all(b"new").unwrap();
        assert_eq!(read_bytes(&mut events, 3).await, b"new");
    }

    #[tokio::test]
    async fn a_port_that_is_not_there_is_told_once_and_opened_when_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plate");
        let (sender, mut events) = mpsc::channel(8);
        let _link = SerialLink::start(7, options(&path), sender);
        assert_eq!(lost(&mut events).await, SerialLoss::NoSuchPort(path.clone()));
        // Long enough for a second try, which has nothing new to tell.
        tokio::time::timeout(FIRST_WAIT * 2, events.recv()).await.unwrap_err();
        let _board = plug_in(&path);
        opened(&mut events).await;
    }

    #[tokio::test]
    async fn a_port_held_by_another_is_refused_until_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plate");
        let _board = plug_in(&path);
        let holder = tokio_serial::new(path.to_str().unwrap(), 115_200).open_native_async().unwrap();
        let (sender, mut events) = mpsc::channel(8);
        let _link = SerialLink::start(7, options(&path), sender);
        assert_eq!(lost(&mut events).await, SerialLoss::Taken(path.clone()));
        drop(holder);
        opened(&mut events).await;
    }

    #[tokio::test]
    async fn a_board_that_takes_no_bytes_any_more_is_told_and_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plate");
        // Nobody reads on the board's side: a pty holds some 16 KiB and then takes nothing.
        let _board = plug_in(&path);
        let (sender, mut events) = mpsc::channel(8);
        let link = SerialLink::start(7, options(&path), sender);
        opened(&mut events).await;
        assert!(link.send(Bytes::from(vec![0x55; 64 * 1024])));
        assert_eq!(lost(&mut events).await, SerialLoss::Stuck(path.clone()));
        opened(&mut events).await;
    }

    #[tokio::test]
    async fn a_plain_file_is_no_serial_port() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plate");
        std::fs::write(&path, "not a port").unwrap();
        let (sender, mut events) = mpsc::channel(8);
        let _link = SerialLink::start(7, options(&path), sender);
        let why = lost(&mut events).await;
        assert!(matches!(why, SerialLoss::Unusable { .. }), "{why:?}");
        assert!(why.to_string().contains("cannot be used as a serial port"), "{why}");
    }
}
