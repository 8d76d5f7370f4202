//! One basket that needs staff, and how much.

use crate::units::{BasketId, ValidationId, Wall};
use crate::verdict::{FindingKind, Outcome};
use serde::Serialize;

/// A validation as the desk has to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The validation.
    pub validation_id: ValidationId,
    /// Its basket.
    pub basket_id: BasketId,
    /// Whether it has ended.
    pub closed: bool,
    /// Whether the shopper has asked for somebody.
    pub staff_called: bool,
    /// How many attempts are decided.
    pub attempt: u32,
    /// How many of them were `correct`.
    pub corrections: u32,
    /// What the latest one says.
    pub outcome: Option<Outcome>,
    /// Whether that was a pass which holds no more.
    pub void: bool,
    /// Whether it would have passed, and was drawn for a second look.
    pub control_sample: bool,
    /// Whether it would have passed, but for the buyer's age.
    pub age_check: bool,
    /// When the latest one was decided.
    pub decided_at: Option<Wall>,
    /// The likeliest finding of the latest one.
    pub finding: Option<FindingKind>,
    /// What the plate carried beyond the list at the latest one, grams.
    pub off_g: Option<f64>,
}

/// Why staff is needed, the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Decided already; a second person has to confirm, and the shopper waits.
    SecondPerson,
    /// The shopper has asked for somebody.
    Called,
    /// The shopper has tried to put it right, in vain.
    Exhausted,
    /// All is right, but somebody has to look at the buyer's age.
    AgeCheck,
    /// The station asks for somebody.
    Assist,
    /// The station cannot judge.
    Unavailable,
    /// Drawn by chance.
    ControlSample,
}

impl Need {
    /// What it is worth, in seconds of waiting: who has waited for so much longer comes first.
    pub const fn head_start_s(self) -> i64 {
        match self {
            Self::SecondPerson => 180,
            Self::Called => 120,
            Self::Exhausted | Self::AgeCheck => 90,
            Self::Assist => 60,
            Self::Unavailable => 30,
            Self::ControlSample => 0,
        }
    }

    /// What a validation needs, if anything; `corrections_max` is after how many `correct` answers staff comes.
    pub fn of(case: &Case, corrections_max: u32) -> Option<Self> {
        if case.closed {
            return None;
        }
        if case.staff_called {
            return Some(Self::Called);
        }
        match case.outcome? {
            Outcome::Assist if case.control_sample => Some(Self::ControlSample),
            Outcome::Assist if case.age_check => Some(Self::AgeCheck),
            Outcome::Assist if case.corrections >= corrections_max => Some(Self::Exhausted),
            Outcome::Assist => Some(Self::Assist),
            Outcome::Unavailable => Some(Self::Unavailable),
            Outcome::Pass | Outcome::Correct => None,
        }
    }
}

/// One line of the queue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The validation.
    pub validation_id: ValidationId,
    /// Its basket.
    pub basket_id: BasketId,
    /// Why staff is needed.
    pub need: Need,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
    /// How many attempts are decided.
    pub attempt: u32,
    /// What the latest one says.
    pub outcome: Option<Outcome>,
    /// The likeliest finding.
    pub finding: Option<FindingKind>,
    /// What the plate carried beyond the list, grams.
    pub off_g: Option<f64>,
    /// Who looks after it.
    pub claimed_by: Option<String>,
    /// Until when it is theirs if they do nothing, milliseconds since 1970.
    pub claimed_until_ms: Option<i64>,
    /// Who has decided what waits for a second person.
    pub proposed_by: Option<String>,
}
