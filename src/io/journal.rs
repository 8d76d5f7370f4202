//! Writes the journal of the ports: a thread of its own, files of bounded size, all of them together bounded too.
//!
//! A disk that does not keep up must not hold up the weighing: what does not fit into the queue is counted and becomes a gap
//! in the journal. Files are written on from the beginning, never reopened: after a power cut the next run begins a new one.

use augenmass_core::units::{Mono, Wall};
use augenmass_core::weighing::journal::{Header, PortHead, Record, encode, encode_header};
use bytes::Bytes;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Notes that may wait for the disk: some ten seconds of four boards.
const QUEUE: usize = 4096;
/// A file has at most this share of what all may have.
const FILES: u64 = 8;
/// Files are between these sizes, bytes.
const FILE_SIZES: std::ops::RangeInclusive<u64> = 64 * 1024..=64 * 1024 * 1024;
/// What is written reaches the disk within this time: a power cut costs no more.
const SYNC_EVERY: Duration = Duration::from_secs(5);
/// A disk that refuses is tried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(10);
const PREFIX: &str = "journal-";
const SUFFIX: &str = ".augj";

/// Where and for whom.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// Folder of the files; made if it is not there.
    pub directory: PathBuf,
    /// All files together, bytes.
    pub max_bytes: u64,
    /// The station's identifier.
    pub station: String,
    /// SHA-256 of the station file, hexadecimal.
    pub config_hash: String,
    /// The ports' names in their order.
    pub ports: Vec<String>,
}

#[derive(Debug)]
enum Note {
    Opened(u8),
    Closed(u8, String),
    Bytes(u8, Bytes),
    Gap { records: u64, bytes: u64 },
}

/// A running journal; dropping it writes what is queued and closes the file.
#[derive(Debug)]
pub struct Journal {
    sender: Option<SyncSender<(Mono, Note)>>,
    thread: Option<JoinHandle<()>>,
    lost: (u64, u64),
}

impl Journal {
    /// Starts a new file and the thread that writes it. `at` and `wall` are the same moment.
    ///
    /// # Errors
    /// A folder or file that cannot be made.
    pub fn start(options: JournalOptions, at: Mono, wall: Wall) -> std::io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&options.directory)?;
        let (sender, notes) = sync_channel(QUEUE);
        let file_max = (options.max_bytes / FILES).clamp(*FILE_SIZES.start(), *FILE_SIZES.end());
        let open = vec![false; options.ports.len()];
        let mut files = Files { options, file_max, start: (at, wall), open, file: None, written: 0 };
        files.begin(at)?;
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || keep(files, &notes))?;
        Ok(Self { sender: Some(sender), thread: Some(thread), lost: (0, 0) })
    }

    /// A port was opened.
    pub fn opened(&mut self, port: usize, at: Mono) {
        self.note(port, at, Note::Opened);
    }

    /// A port was lost.
    pub fn closed(&mut self, port: usize, at: Mono, why: &str) {
        self.note(port, at, |port| Note::Closed(port, why.to_owned()));
    }

    /// Bytes arrived.
    pub fn bytes(&mut self, port: usize, at: Mono, bytes: Bytes) {
        self.note(port, at, |port| Note::Bytes(port, bytes));
    }

    fn note(&mut self, port: usize, at: Mono, note: impl FnOnce(u8) -> Note) {
        let (Some(sender), Ok(port)) = (&self.sender, u8::try_from(port)) else { return };
        if self.lost.0 > 0 {
            let (records, bytes) = self.lost;
            match sender.try_send((at, Note::Gap { records, bytes })) {
                Ok(()) => self.lost = (0, 0),
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        }
        let lost = match sender.try_send((at, note(port))) {
            Ok(()) => return,
            Err(TrySendError::Full((_, note)) | TrySendError::Disconnected((_, note))) => note,
        };
        if self.lost.0 == 0 {
            tracing::warn!("the journal's disk does not keep up: there will be a gap");
        }
        self.lost.0 += 1;
        self.lost.1 += size(&lost);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn size(note: &Note) -> u64 {
    match note {
        Note::Bytes(_, bytes) => bytes.len() as u64,
        Note::Opened(_) | Note::Closed(..) | Note::Gap { .. } => 0,
    }
}

/// The thread: writes until nobody can note anything any more.
fn keep(mut files: Files, notes: &Receiver<(Mono, Note)>) {
    let (mut failed, mut lost) = (None::<Instant>, (0_u64, 0_u64));
    let mut synced = Instant::now();
    loop {
        match notes.recv_timeout(SYNC_EVERY) {
            Ok((at, note)) => {
                files.remember(&note);
                let told = size(&note);
                let due = failed.is_none_or(|since: Instant| since.elapsed() >= RETRY_AFTER);
                let written = due && report(files.write(at, &note, lost), failed.is_some());
                if written {
                    (failed, lost) = (None, (0, 0));
                } else {
                    lost = (lost.0 + 1, lost.1 + told);
                    failed = if due { Some(Instant::now()) } else { failed };
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if synced.elapsed() >= SYNC_EVERY {
            synced = Instant::now();
            report(files.sync(), failed.is_some());
        }
    }
    report(files.sync(), failed.is_some());
}

/// Whether it went well; a fault is told once.
fn report(outcome: std::io::Result<()>, told: bool) -> bool {
    if let Err(error) = &outcome
        && !told
    {
        tracing::error!(%error, "the journal cannot be written");
    }
    outcome.is_ok()
}

/// The files of one station.
struct Files {
    options: JournalOptions,
    file_max: u64,
    start: (Mono, Wall),
    open: Vec<bool>,
    file: Option<BufWriter<File>>,
    written: u64,
}

impl Files {
    /// Which ports are open belongs at the head of every later file, even when this note is lost.
    fn remember(&mut self, note: &Note) {
        let (port, is_open) = match note {
            Note::Opened(port) => (port, true),
            Note::Closed(port, _) => (port, false),
            Note::Bytes(..) | Note::Gap { .. } => return,
        };
        if let Some(open) = self.open.get_mut(usize::from(*port)) {
            *open = is_open;
        }
    }

    fn write(&mut self, at: Mono, note: &Note, lost: (u64, u64)) -> std::io::Result<()> {
        if self.file.is_none() || self.written >= self.file_max {
            self.begin(at)?;
        }
        let mut bytes = Vec::new();
        if lost.0 > 0 {
            encode(&mut bytes, at, Record::Gap { records: lost.0, bytes: lost.1 });
        }
        let record = match note {
            Note::Opened(port) => Record::Opened { port: *port },
            Note::Closed(port, why) => Record::Closed { port: *port, why },
            Note::Bytes(port, bytes) => Record::Bytes { port: *port, bytes },
            Note::Gap { records, bytes } => Record::Gap { records: *records, bytes: *bytes },
        };
        encode(&mut bytes, at, record);
        self.put(&bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if let Err(error) = file.write_all(bytes) {
            // What is half written is a torn tail; the next attempt begins a new file.
            self.file = None;
            return Err(error);
        }
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> std::io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.flush()?;
        file.get_ref().sync_data()
    }

    /// Closes the file, makes room, and begins the next.
    fn begin(&mut self, at: Mono) -> std::io::Result<()> {
        let closed = self.sync();
        self.file = None;
        closed?;
        let number = make_room(&self.options.directory, self.options.max_bytes.saturating_sub(self.file_max))?;
        let path = self.options.directory.join(format!("{PREFIX}{number:08}{SUFFIX}"));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        self.file = Some(BufWriter::new(file));
        self.written = 0;
        let elapsed_ms = at.ms_since(self.start.0);
        let names = self.options.ports.iter().zip(&self.open);
        let header = Header {
            at,
            wall: Wall::from_ms(self.start.1.ms().saturating_add(elapsed_ms.cast_signed())),
            station: self.options.station.clone(),
            config_hash: self.options.config_hash.clone(),
            ports: names.map(|(name, open)| PortHead { name: name.clone(), open: *open }).collect(),
        };
        self.put(&encode_header(&header))
    }
}

/// Removes the oldest files until the rest has at most `keep_bytes`; gives the next file's number.
fn make_room(directory: &Path, keep_bytes: u64) -> std::io::Result<u64> {
    let files = files(directory)?;
    let next = files.last().map_or(1, |(number, _)| number + 1);
    let sizes: Vec<u64> = files.iter().map(|(_, path)| path.metadata().map_or(0, |m| m.len())).collect();
    let mut total: u64 = sizes.iter().sum();
    for ((_, path), size) in files.iter().zip(sizes) {
        if total <= keep_bytes {
            break;
        }
        std::fs::remove_file(path)?;
        total -= size;
    }
    Ok(next)
}

/// The journal's files with their numbers, oldest first.
///
/// # Errors
/// A folder that cannot be read.
pub fn files(directory: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let number = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
        if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::weighing::journal::{Item, read};
    use std::os::unix::fs::PermissionsExt;

    fn options(directory: &Path, max_bytes: u64) -> JournalOptions {
        JournalOptions {
            directory: directory.join("journal"),
            max_bytes,
            station: "s-1".to_owned(),
            config_hash: "ab".to_owned(),
            ports: vec!["plate".to_owned()],
        }
    }

    /// Notes `count` pieces of 1000 bytes, a millisecond apart, waiting for the disk.
    fn run(options: &JournalOptions, count: u64) {
        let mut journal = Journal::start(options.clone(), Mono::from_us(0), Wall::from_ms(1_000_000)).unwrap();
        journal.opened(0, Mono::from_us(1));
        for i in 0..count {
            let at = Mono::from_us(1000 * (i + 1));
            loop {
                journal.bytes(0, at, Bytes::from(vec![i as u8; 1000]));
                if journal.lost.0 == 0 {
                    break;
                }
                journal.lost = (0, 0);
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn what_was_noted_is_read_from_a_file_of_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), 10_000_000);
        for _ in 0..2 {
            let mut journal = Journal::start(options.clone(), Mono::from_us(5), Wall::from_ms(7)).unwrap();
            journal.opened(0, Mono::from_us(10));
            journal.bytes(0, Mono::from_us(20), Bytes::from_static(b"abc"));
            journal.closed(0, Mono::from_us(30), "pulled");
        }
        let files = files(&options.directory).unwrap();
        assert_eq!(files.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2]);
        for (_, path) in &files {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            let file = std::fs::read(path).unwrap();
            let (header, items) = read(&file).unwrap();
            assert_eq!((header.station.as_str(), header.wall), ("s-1", Wall::from_ms(7)));
            assert!(!header.ports[0].open);
            let records: Vec<Item<'_>> = items.collect();
            let item = |at, record| Item::Record { at: Mono::from_us(at), record };
            let wanted = [
                item(10, Record::Opened { port: 0 }),
                item(20, Record::Bytes { port: 0, bytes: b"abc" }),
                item(30, Record::Closed { port: 0, why: "pulled" }),
            ];
            assert_eq!(records, wanted);
        }
    }

    #[test]
    fn files_are_bounded_one_by_one_and_together_and_later_ones_know_what_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), 1_000_000);
        run(&options, 3_000);
        let files = files(&options.directory).unwrap();
        let sizes: Vec<u64> = files.iter().map(|(_, path)| path.metadata().unwrap().len()).collect();
        let total: u64 = sizes.iter().sum();
        assert!(total <= 1_000_000 && total > 700_000, "{sizes:?}");
        assert!(files[0].0 > 10 && sizes.iter().all(|size| *size < 130_000), "{files:?} {sizes:?}");
        // The last pieces are there without a gap, over the ends of files.
        let mut times = Vec::new();
        for (_, path) in &files {
            let file = std::fs::read(path).unwrap();
            let (header, items) = read(&file).unwrap();
            assert!(header.ports[0].open);
            assert_eq!(header.wall.ms(), 1_000_000 + header.at.us().cast_signed() / 1000);
            times.extend(items.map(|item| match item {
                Item::Record { at, record: Record::Bytes { .. } } => at.us(),
                other => panic!("{other:?}"),
            }));
        }
        assert_eq!(times.last(), Some(&3_000_000));
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 1000), "{}", times.len());
    }

    #[test]
    fn a_disk_that_does_not_keep_up_makes_a_counted_gap_and_holds_nobody_up() {
        let (sender, notes) = sync_channel(2);
        let mut journal = Journal { sender: Some(sender), thread: None, lost: (0, 0) };
        for i in 0..10 {
            journal.bytes(0, Mono::from_us(i), Bytes::from_static(b"12345"));
        }
        assert_eq!(journal.lost, (8, 40));
        assert_eq!(notes.try_iter().count(), 2);
        journal.bytes(0, Mono::from_us(11), Bytes::from_static(b"x"));
        let told: Vec<Note> = notes.try_iter().map(|(_, note)| note).collect();
        assert!(matches!(told[..], [Note::Gap { records: 8, bytes: 40 }, Note::Bytes(..)]), "{told:?}");
        assert_eq!(journal.lost, (0, 0));
    }
}
