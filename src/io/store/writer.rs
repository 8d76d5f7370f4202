//! The thread that writes: what queues up while the disk flushes is committed together.

use super::crops::CropSet;
use super::database::{Database, StoreError};
use crate::io::clock::Clock;
use augenmass_core::station::Record;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::mpsc;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreEvent {
    /// Durable.
    Saved(u64),
    /// Not written.
    Failed(u64),
}

/// Records waiting for the disk at one time; above it they fail at once instead of growing memory.
const QUEUE: usize = 1024;
/// Records of one transaction.
const BATCH: usize = 64;

/// What the thread does, in the order in which it was handed over.
enum Job {
    Record(u64, Record),
    /// Pictures are made here, so that whoever judges does not wait for it.
    Crops(Box<dyn FnOnce() -> CropSet + Send>),
}

/// A thread that owns the file and writes records in their order.
#[derive(Debug)]
pub struct Writer {
    queue: Option<SyncSender<Job>>,
    events: mpsc::UnboundedSender<StoreEvent>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the file in `directory` and starts the thread; what became of each record is told to `events`.
    ///
    /// # Errors
    /// As [`Database::open`]; a thread that cannot be started.
    pub fn start(
        directory: &Path,
        clock: Clock,
        events: mpsc::UnboundedSender<StoreEvent>,
    ) -> Result<Self, StoreError> {
        let database = Database::open(directory)?;
        let (queue, records) = sync_channel(QUEUE);
        let told = events.clone();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write_all(database, clock, &records, &told))
            .map_err(|source| StoreError::Folder { path: directory.to_owned(), source })?;
        Ok(Self { queue: Some(queue), events, thread: Some(thread) })
    }

    /// Hands a record over; never blocks.
    pub fn save(&self, save: u64, record: Record) {
        let taken = self.queue.as_ref().is_some_and(|queue| queue.try_send(Job::Record(save, record)).is_ok());
        if !taken {
            // Nobody listening any more means the daemon is going down.
            let _ = self.events.send(StoreEvent::Failed(save));
        }
    }
}

impl Writer {
    /// Hands over pictures to be made and kept; what is handed over later is written after them. Never blocks; with a full queue the
    /// pictures are lost, which harms nobody.
    pub fn keep_crops(&self, make: impl FnOnce() -> CropSet + Send + 'static) {
        let taken = self.queue.as_ref().is_some_and(|queue| queue.try_send(Job::Crops(Box::new(make))).is_ok());
        if !taken {
            tracing::warn!("the disk is behind; the pictures of a basket were not kept");
        }
    }
}

impl Drop for Writer {
    /// Waits until everything handed over is written.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(mut database: Database, clock: Clock, jobs: &Receiver<Job>, events: &mpsc::UnboundedSender<StoreEvent>) {
    while let Ok(first) = jobs.recv() {
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Record(save, record) => batch.push((save, record)),
                Job::Crops(make) => keep(&mut database, &make()),
            }
            next = if batch.len() < BATCH { jobs.try_recv().ok() } else { None };
        }
        if commit(&mut database, clock, &batch) {
            for (save, _) in &batch {
                let _ = events.send(StoreEvent::Saved(*save));
            }
            continue;
        }
        // One bad record must not take the others with it.
        for entry in &batch {
            let event = if commit(&mut database, clock, std::slice::from_ref(entry)) {
                StoreEvent::Saved(entry.0)
            } else {
                StoreEvent::Failed(entry.0)
            };
            let _ = events.send(event);
        }
    }
}

fn keep(database: &mut Database, set: &CropSet) {
    if let Err(error) = database.put_crops(set) {
        tracing::error!(%error, "cannot keep the pictures of a basket");
    }
}

fn commit(database: &mut Database, clock: Clock, batch: &[(u64, Record)]) -> bool {
    if batch.is_empty() {
        return true;
    }
    let records: Vec<&Record> = batch.iter().map(|(_, record)| record).collect();
    match database.save(&records, clock.now().wall) {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, records = records.len(), "cannot write to the store");
            false
        }
    }
}
