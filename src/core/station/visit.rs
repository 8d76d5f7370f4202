//! One validation: attempts 1..n, each decided once.

use super::limits;
use super::message::Mark;
use super::view::{ValidationState, ValidationView};
use crate::units::{BasketId, Mass, Mono, ValidationId};
use crate::verdict::{Action, Outcome, Resolution, Verdict};
use crate::weighing::Load;
use std::sync::Arc;

/// A validation's life.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Its name.
    pub id: ValidationId,
    /// Its basket.
    pub basket_id: BasketId,
    /// When what asks for the next attempt happened; `None` if nothing asks for one.
    due: Option<Mono>,
    /// A decided attempt on its way to the disk.
    saving: Option<Arc<Verdict>>,
    /// The latest durable verdict.
    latest: Option<Arc<Verdict>>,
    /// The load of the last attempt that had one.
    judged: Option<Load>,
    /// Whether the plate was empty since the last attempt.
    left: bool,
    /// The attempt whose pass holds no more.
    void: Option<u32>,
    corrections: u32,
    /// Whether somebody of the store was asked to come.
    called: bool,
    /// Whether the shopper has given it up.
    cancelled: bool,
    /// What staff has decided, on its way to the disk, with what rested on the plate then.
    resolving: Option<(Arc<Resolution>, Option<Load>)>,
    /// What staff has decided, if it has ended the validation and holds.
    resolution: Option<Arc<Resolution>>,
    /// How often staff has decided.
    resolutions: u32,
}

/// What does not hold any more because goods were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voided {
    /// The pass of this attempt.
    Attempt(u32),
    /// The approval by this resolution.
    Resolution(u32),
}

/// A validation's past, as the store kept it.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The latest verdict.
    pub latest: Option<Arc<Verdict>>,
    /// The attempt whose pass holds no more.
    pub void: Option<u32>,
    /// `correct` answers so far.
    pub corrections: u32,
    /// The resolution that ended it and holds.
    pub resolution: Option<Arc<Resolution>>,
    /// How often staff has decided.
    pub resolutions: u32,
}

impl Visit {
    /// Opened at `now`; its first attempt is due at once.
    pub fn open(id: ValidationId, basket_id: BasketId, now: Mono) -> Self {
        Self {
            id,
            basket_id,
            due: Some(now),
            saving: None,
            latest: None,
            judged: None,
            left: false,
            void: None,
            corrections: 0,
            called: false,
            cancelled: false,
            resolving: None,
            resolution: None,
            resolutions: 0,
        }
    }

    /// As it was before a restart. One that had not ended is judged again when its basket comes onto the plate.
    pub fn restore(id: ValidationId, basket_id: BasketId, past: Past, marks: &[Mark], now: Mono) -> Self {
        let Past { latest, void, corrections, resolution, resolutions } = past;
        let opened = Self::open(id, basket_id, now);
        let mut visit = Self { latest, left: true, void, corrections, resolution, resolutions, due: None, ..opened };
        for mark in marks {
            visit.mark(*mark);
        }
        visit.ask(now);
        visit
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.cancelled || self.has_passed() || self.resolution.is_some()
    }

    fn approval(&self) -> Option<u32> {
        self.resolution.as_ref().filter(|r| r.action == Action::Approve).map(|r| r.number)
    }

    fn has_passed(&self) -> bool {
        self.latest.as_ref().is_some_and(|v| v.outcome == Outcome::Pass && self.void != Some(v.attempt))
    }

    /// Takes a pass or an approval back if more rests on the plate than what passed and the basket has not left.
    /// The next attempt is due then.
    pub fn void_if_more(&mut self, load: &Load, now: Mono) -> Option<Voided> {
        let judged = self.judged.filter(|_| !self.cancelled && !self.left)?;
        if load.mass - judged.mass <= limit(load, &judged) {
            return None;
        }
        let voided = if let Some(number) = self.approval() {
            self.resolution = None;
            Voided::Resolution(number)
        } else if self.has_passed() {
            let attempt = self.latest.as_ref()?.attempt;
            self.void = Some(attempt);
            Voided::Attempt(attempt)
        } else {
            return None;
        };
        self.ask(now);
        Some(voided)
    }

    /// Number of the next resolution.
    pub fn next_resolution(&self) -> u32 {
        self.resolutions + 1
    }

    /// Staff has put the list right: it is judged again.
    pub fn corrected(&mut self, now: Mono) {
        self.resolutions += 1;
        self.ask(now);
    }

    /// Staff has decided; it is told once it is durable. `load` is what rests on the plate, if that is this basket.
    pub fn resolving(&mut self, resolution: Arc<Resolution>, load: Option<Load>) {
        self.resolutions = resolution.number;
        self.resolving = Some((resolution, load));
    }

    /// What staff has decided is durable.
    pub fn resolved(&mut self) {
        let Some((resolution, load)) = self.resolving.take() else { return };
        if load.is_some() {
            self.judged = load;
            self.left = false;
        }
        self.resolution = Some(resolution);
    }

    /// The resolution that holds.
    pub fn resolution(&self) -> Option<&Arc<Resolution>> {
        self.resolution.as_ref()
    }

    /// The resolution is taken back: the validation stands where it stood before.
    pub fn undone(&mut self, number: u32) {
        self.resolution = self.resolution.take().filter(|resolution| resolution.number != number);
    }

    /// The latest attempt that is durable; 0 before the first.
    pub fn attempt(&self) -> u32 {
        self.latest.as_ref().map_or(0, |v| v.attempt)
    }

    /// Notes what the shopper wants.
    pub fn mark(&mut self, mark: Mark) {
        match mark {
            Mark::StaffCalled => self.called = true,
            Mark::Cancelled => self.cancelled = true,
        }
    }

    /// Whether this was noted already.
    pub fn is_marked(&self, mark: Mark) -> bool {
        match mark {
            Mark::StaffCalled => self.called,
            Mark::Cancelled => self.cancelled,
        }
    }

    /// Whether a verdict or a resolution is on its way to the disk.
    pub fn is_saving(&self) -> bool {
        self.saving.is_some() || self.resolving.is_some()
    }

    /// Since when an attempt is asked for; `None` while one is being saved or after the end.
    pub fn due_since(&self) -> Option<Mono> {
        if self.is_closed() || self.is_saving() { None } else { self.due }
    }

    /// Asks for another attempt.
    pub fn ask(&mut self, now: Mono) {
        if !self.is_closed() {
            self.due.get_or_insert(now);
        }
    }

    /// Whether the last attempt could not judge: it is judged again as soon as all senses are back.
    pub fn waits_for_sense(&self) -> bool {
        !self.is_closed()
            && !self.is_saving()
            && self.due.is_none()
            && self.latest.as_ref().is_some_and(|v| v.outcome == Outcome::Unavailable)
    }

    /// Something rests on the plate: asks for another attempt if it is not what was judged last.
    pub fn settled(&mut self, load: &Load, now: Mono) {
        let Some(judged) = &self.judged else { return };
        if self.left || (load.mass - judged.mass).abs() > limit(load, judged) {
            self.ask(now);
        }
    }

    /// The plate is empty.
    pub fn plate_left(&mut self) {
        self.left = true;
    }

    /// Number of the next attempt.
    pub fn next_attempt(&self) -> u32 {
        self.saving.as_ref().or(self.latest.as_ref()).map_or(0, |v| v.attempt) + 1
    }

    /// How many `correct` answers there have been.
    pub fn corrections(&self) -> u32 {
        self.corrections
    }

    /// An attempt is decided; it is told once it is durable.
    pub fn decided(&mut self, verdict: Arc<Verdict>, load: Option<Load>) {
        self.due = None;
        if load.is_some() {
            self.judged = load;
            self.left = false;
        }
        self.saving = Some(verdict);
    }

    /// The attempt under way is durable.
    pub fn saved(&mut self) {
        if let Some(verdict) = self.saving.take() {
            if verdict.outcome == Outcome::Correct {
                self.corrections += 1;
            }
            self.latest = Some(verdict);
        }
    }

    /// The verdict under way, to be written again.
    pub fn unsaved(&self) -> Option<Arc<Verdict>> {
        self.saving.clone()
    }

    /// As others see it; `plate` says where it stands while an attempt is due.
    pub fn view(&self, plate: ValidationState) -> ValidationView {
        let state = if self.is_closed() {
            ValidationState::Closed
        } else if self.saving.is_some() {
            ValidationState::Judging
        } else if self.due.is_some() {
            plate
        } else {
            ValidationState::Decided
        };
        ValidationView {
            validation_id: self.id.clone(),
            basket_id: self.basket_id.clone(),
            state,
            attempt: self.attempt(),
            void: self.latest.as_ref().is_some_and(|v| self.void == Some(v.attempt)),
            staff_called: self.called,
            cancelled: self.cancelled,
            corrections: self.corrections,
            verdict: self.latest.clone(),
            resolution: self.resolution.clone(),
        }
    }
}

/// By more than this two loads differ. What all loads of a platform share cancels out between two of them.
fn limit(load: &Load, judged: &Load) -> Mass {
    let sigma_g = load.own_sigma.g().hypot(judged.own_sigma.g());
    Mass::from_g_saturating(limits::NEW_LOAD_G.max(limits::NEW_LOAD_SIGMA * sigma_g))
}
