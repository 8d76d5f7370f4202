//! What is known of the line to an instrument, whatever it speaks.

use crate::units::Mono;
use serde::Serialize;

/// What is known of the link to an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// No port, or no longer.
    Closed {
        /// What the port said.
        why: String,
    },
    /// Asked who it is, no answer yet.
    Identifying,
    /// It is another instrument than the one calibrated.
    WrongInstrument {
        /// What it said of itself.
        found: String,
    },
    /// The right one.
    Identified,
}

/// Counters of what a link has seen, for people and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkCounters {
    /// Samples or weights taken.
    pub samples: u64,
    /// Frames thrown away as damaged.
    pub damaged: u64,
    /// Frames that the sequence number says are missing, or replies that did not come.
    pub missing: u64,
    /// Frames that came twice.
    pub duplicates: u64,
    /// Times that the instrument started anew while connected.
    pub reboots: u64,
}

impl std::ops::AddAssign for LinkCounters {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.damaged += other.damaged;
        self.missing += other.missing;
        self.duplicates += other.duplicates;
        self.reboots += other.reboots;
    }
}

/// A frame does not pause longer than this between two bytes.
const FRAME_PAUSE_MS: u64 = 50;
/// After so long without a frame that is understood ...
const NONSENSE_MS: u64 = 1_000;
/// ... and so many bytes, the line settings are wrong.
const NONSENSE_BYTES: u64 = 200;

/// Watches a line: state, counters, pauses, and bytes that never make sense.
#[derive(Clone, Debug)]
pub struct LinkWatch {
    state: LinkState,
    /// What the line has seen.
    pub counters: LinkCounters,
    last_bytes: Mono,
    understood: Mono,
    since_understood: u64,
    nonsense_told: bool,
}

impl Default for LinkWatch {
    fn default() -> Self {
        Self {
            state: LinkState::Closed { why: "not opened yet".to_owned() },
            counters: LinkCounters::default(),
            last_bytes: Mono::default(),
            understood: Mono::default(),
            since_understood: 0,
            nonsense_told: false,
        }
    }
}

impl LinkWatch {
    /// What is known of the link.
    pub fn state(&self) -> &LinkState {
        &self.state
    }

    /// Takes a new state; says whether it is news.
    pub fn becomes(&mut self, state: LinkState) -> bool {
        let news = self.state != state;
        self.state = state;
        news
    }

    /// The port is open; nothing before it counts.
    pub fn opened(&mut self, at: Mono) {
        self.state = LinkState::Identifying;
        self.last_bytes = at;
        self.understood = at;
        self.since_understood = 0;
        self.nonsense_told = false;
    }

    /// The port is gone.
    pub fn closed(&mut self, why: String) {
        self.state = LinkState::Closed { why };
    }

    /// Notes bytes; says whether the line paused before them for longer than a frame may.
    pub fn arrived(&mut self, at: Mono, bytes: &[u8]) -> bool {
        let paused = at.ms_since(self.last_bytes) > FRAME_PAUSE_MS;
        self.last_bytes = at;
        self.since_understood += bytes.len() as u64;
        paused
    }

    /// A sound frame.
    pub fn understood(&mut self, at: Mono) {
        self.understood = at;
        self.since_understood = 0;
        self.nonsense_told = false;
    }

    /// Whether bytes have come for a while and none were understood; once each time.
    pub fn is_nonsense(&mut self, at: Mono) -> bool {
        let nonsense = self.since_understood > NONSENSE_BYTES && at.ms_since(self.understood) > NONSENSE_MS;
        let news = nonsense && !self.nonsense_told;
        self.nonsense_told |= nonsense;
        news
    }
}
