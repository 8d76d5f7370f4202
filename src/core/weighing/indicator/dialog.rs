//! Checkout-Dialog 06, 04 and 02: a price, then its result; when there is none, why.
//!
//! ```text
//! price ──ACK──→ result ──record 02──→ weight, and the next price
//!   │ └──NAK──┐     └──NAK──→ why ──20, 22──→ result again; all else: the next price
//!   │         └─────────────→ why
//!   └─record 11, challenge─→ checksums ──ACK──→ result ──record 11, passed or not──→ the same price again
//! ```
//!
//! **Code 21, "no motion since the last weighing".** Such a scale tells each load once. What it told last stays true exactly as
//! long as *every* later answer is 21, for then nothing has moved on it: each 21 tells the last weight anew, with its own time.
//! One answer that is anything else, is damaged, late or missing ends that for good, for the one missed may have been the
//! result for another load; 21 is then "no weight" until something moves and a new result comes.

use super::script::{Ask, Meaning, Pace, plain};
use crate::units::Mass;
use crate::weighing::wire::dialog::{self, Polynomial};
use crate::weighing::wire::{ErrorKind, Event, Reason, WeightKind};

/// The till's checksums are its own choice; steps of this many walk through all of them.
const CHECKSUM_STEP: u16 = 0x9e37;

/// What is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Price,
    Result,
    Why,
    Checksums { z: u8, polynomial: Polynomial },
}

/// The conversation.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    price_minor: u32,
    polynomial: Option<Polynomial>,
    stage: Stage,
    /// What was told last, while every answer since has been that nothing has moved.
    unmoved: Option<Mass>,
    checksum: u16,
}

impl Dialog {
    pub(super) fn new(price_minor: u32, polynomial: Option<Polynomial>) -> Self {
        Self { price_minor, polynomial, stage: Stage::Price, unmoved: None, checksum: CHECKSUM_STEP }
    }

    pub(super) fn begin(&mut self) {
        self.stage = Stage::Price;
        self.unmoved = None;
    }

    pub(super) fn doubt(&mut self) {
        self.unmoved = None;
    }

    pub(super) fn turn(&mut self) -> (Ask, Vec<u8>) {
        match self.stage {
            Stage::Price => (Ask::Price, dialog::price(self.price_minor)),
            Stage::Result => (Ask::Result, dialog::request_result()),
            Stage::Why => (Ask::Why, dialog::request_status()),
            Stage::Checksums { z, polynomial } => {
                self.checksum = self.checksum.wrapping_add(CHECKSUM_STEP);
                (Ask::Checksums, dialog::checksums(dialog::answer(z, self.checksum, polynomial)))
            }
        }
    }

    pub(super) fn take(&mut self, ask: Ask, event: Event) -> (Meaning, Pace) {
        match (ask, event) {
            (Ask::Price | Ask::Checksums, Event::Ack) => self.go(Stage::Result),
            (Ask::Price | Ask::Result | Ask::Checksums, Event::Nak) => self.go(Stage::Why),
            (Ask::Price, Event::Challenge { z }) => self.take_challenge(&z),
            (Ask::Result, Event::Done { .. }) => self.go(Stage::Price),
            (Ask::Result, Event::Error { kind: ErrorKind::Checksum }) => {
                self.begin();
                (Meaning::ChallengeFailed, Pace::NextPoll)
            }
            (Ask::Result | Ask::Why, Event::Unavailable { reason }) => (self.take_reason(reason), Pace::NextPoll),
            (Ask::Result | Ask::Why, Event::Code { code }) => {
                self.begin();
                // "No error" and damage on the way pass by themselves, the others are the scale's word against our records.
                let reason = if matches!(code.as_str(), "00" | "02") { Reason::NotFinished } else { Reason::Device };
                (Meaning::Unavailable(reason), Pace::NextPoll)
            }
            (Ask::Result, event) => {
                self.begin();
                let meaning = plain(event, None);
                if let Meaning::Weight { mass, .. } = meaning {
                    self.unmoved = Some(mass);
                }
                (meaning, Pace::NextPoll)
            }
            (
                Ask::Price
                | Ask::Why
                | Ask::Checksums
                | Ask::Weight
                | Ask::Attention
                | Ask::Tare
                | Ask::Reset
                | Ask::Serial,
                _,
            ) => {
                self.begin();
                (Meaning::Step, Pace::NextPoll)
            }
        }
    }

    fn go(&mut self, stage: Stage) -> (Meaning, Pace) {
        self.stage = stage;
        (Meaning::Step, Pace::Now)
    }

    fn take_challenge(&mut self, z: &str) -> (Meaning, Pace) {
        match (u8::from_str_radix(z, 16), self.polynomial) {
            (Ok(z), Some(polynomial)) => self.go(Stage::Checksums { z, polynomial }),
            (Ok(_) | Err(_), _) => {
                self.begin();
                (Meaning::ChallengeFailed, Pace::NextPoll)
            }
        }
    }

    fn take_reason(&mut self, reason: Reason) -> Meaning {
        let unmoved = self.unmoved.filter(|_| reason == Reason::NoMotionSinceLast);
        self.begin();
        self.unmoved = unmoved;
        if matches!(reason, Reason::Motion | Reason::NotFinished) {
            self.stage = Stage::Result;
        }
        match unmoved {
            Some(mass) => Meaning::Weight { mass, stable: Some(true), kind: WeightKind::Gross },
            None => Meaning::Unavailable(reason),
        }
    }
}
