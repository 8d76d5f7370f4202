//! MT-SICS and KCP: who are you, then the weight again and again, and now and then the tare.

use super::script::{Ask, Meaning, Pace, plain};
use crate::units::Mass;
use crate::weighing::wire::{ErrorKind, Event, WeightKind, mt_sics};

/// After so many weights the tare is asked for: a weight does not say whether somebody has pressed the tare key.
const TARE_EVERY: u32 = 10;
/// The same once it has a tare that nobody wants: one weight, so that it is told that there is none, and then it is cleared.
const CLEARED_AFTER: u32 = 1;
/// A scale of level 0 does not know the question and says so; damage on the line may look the same, but not so often in a row.
const TARE_COMPLAINTS: u8 = 3;

/// Who is known at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody; it may be streaming, so it is reset, which it answers by its serial number.
    Reset,
    /// Nobody; it is only asked.
    Serial,
    /// The scale has said who it is.
    Weighing,
}

/// The conversation.
#[derive(Clone, Debug)]
pub(super) struct MtSics {
    expects: WeightKind,
    stage: Stage,
    /// Weights until the tare is asked for; `None` for a scale that does not know the command.
    tare_due: Option<u32>,
    tare_complaints: u8,
    tared: bool,
    /// Whether the tare has been cleared since it was last told.
    cleared: bool,
}

impl MtSics {
    pub(super) fn new(expects: WeightKind) -> Self {
        Self { expects, stage: Stage::Reset, tare_due: Some(0), tare_complaints: 0, tared: false, cleared: false }
    }

    pub(super) fn begin(&mut self) {
        *self = Self::new(self.expects);
    }

    pub(super) fn identify_again(&mut self) {
        *self = Self { stage: Stage::Serial, ..Self::new(self.expects) };
    }

    pub(super) fn rebooted(&mut self) {
        *self = Self { stage: Stage::Weighing, ..Self::new(self.expects) };
    }

    pub(super) fn turn(&mut self) -> (Ask, Vec<u8>) {
        match self.stage {
            Stage::Reset => (Ask::Reset, mt_sics::request_reset()),
            Stage::Serial => (Ask::Serial, mt_sics::request_serial_number()),
            Stage::Weighing => {
                if self.tare_due == Some(0) && self.unwanted_tare() && !self.cleared {
                    // A byte that is lost on the way makes `T`, which tares, of `TA`, which asks. `@` clears the tare, not the zero.
                    self.cleared = true;
                    return (Ask::Reset, mt_sics::request_reset());
                }
                if self.tare_due == Some(0) {
                    return (Ask::Tare, mt_sics::request_tare_value());
                }
                self.tare_due = self.tare_due.map(|due| due - 1);
                (Ask::Weight, mt_sics::request_weight())
            }
        }
    }

    pub(super) fn take(&mut self, ask: Ask, event: Event) -> (Meaning, Pace) {
        match ask {
            Ask::Reset | Ask::Serial => self.take_identity(ask, event),
            Ask::Tare => {
                self.take_tare(&event);
                (Meaning::Step, Pace::NextPoll)
            }
            Ask::Weight | Ask::Attention | Ask::Price | Ask::Result | Ask::Why | Ask::Checksums => {
                let meaning = match plain(event, None) {
                    Meaning::Weight { mass, stable, kind: _ } => {
                        let kind = if self.tared { WeightKind::Net } else { self.expects };
                        Meaning::Weight { mass, stable, kind }
                    }
                    other => other,
                };
                (meaning, Pace::NextPoll)
            }
        }
    }

    fn take_identity(&mut self, ask: Ask, event: Event) -> (Meaning, Pace) {
        let meaning = if let Event::Identity { serial_number } = event {
            self.stage = Stage::Weighing;
            Meaning::Identity(serial_number)
        } else if ask == Ask::Serial && is_complaint(&event) {
            // A line damaged on the way looks the same: a scale that must say who it is will be asked again.
            self.stage = Stage::Weighing;
            Meaning::Anonymous
        } else {
            self.stage = Stage::Serial;
            Meaning::Step
        };
        (meaning, Pace::NextPoll)
    }

    fn take_tare(&mut self, event: &Event) {
        let complained = is_complaint(event);
        self.tare_complaints = if complained { self.tare_complaints + 1 } else { 0 };
        if let Event::Tare { mass } = event {
            self.tared = *mass != Mass::ZERO;
            self.cleared = false;
        }
        let every = if self.unwanted_tare() { CLEARED_AFTER } else { TARE_EVERY };
        self.tare_due = (self.tare_complaints < TARE_COMPLAINTS).then_some(every);
    }

    fn unwanted_tare(&self) -> bool {
        self.tared && self.expects == WeightKind::Gross
    }

    pub(super) fn lost(&mut self, ask: Ask) {
        match ask {
            Ask::Reset => self.stage = Stage::Serial,
            Ask::Tare => self.tare_due = Some(TARE_EVERY),
            Ask::Serial | Ask::Weight | Ask::Attention | Ask::Price | Ask::Result | Ask::Why | Ask::Checksums => {}
        }
    }
}

/// Whether the scale says that it does not know a command.
fn is_complaint(event: &Event) -> bool {
    matches!(event, Event::Error { kind: ErrorKind::Syntax | ErrorKind::Logical })
}
