//! The board: what needs staff, who looks after it, and what they may decide.

use super::entry::{Case, Entry, Need};
use super::limits;
use crate::basket::Line;
use crate::units::{ValidationId, Wall};
use crate::verdict::{Action, Reason, Role, Staff};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the retailer wants of its staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// After so many `correct` answers staff comes.
    pub corrections_max: u32,
    /// Baskets worth more than this are approved by two people, minor units; `None`: by one.
    pub four_eyes_above_minor: Option<i64>,
}

/// Who looks after a basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who.
    pub by: Staff,
    /// Until when, if they do nothing.
    pub until: Wall,
}

/// What somebody wants to do with a basket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// What.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The attempt they have seen.
    pub attempt: Option<u32>,
    /// Whether they have checked the shopper's age.
    pub age_checked: bool,
    /// The corrected list.
    pub lines: Option<Vec<Line>>,
}

/// What is at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// Which revision of the list.
    pub revision: u64,
    /// What it costs, minor units.
    pub value_minor: i64,
    /// Youngest age of a buyer of all of it, years.
    pub age_limit: Option<u8>,
}

/// What was decided, and waits for a second person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// By whom.
    pub by: Staff,
    /// What.
    pub wanted: Wanted,
    /// What is at stake.
    pub stake: Stake,
    /// When.
    pub at: Wall,
}

/// Why staff may not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskRefusal {
    /// The basket does not need anybody, or not any more.
    #[error("this basket does not need staff, or not any more")]
    NotQueued,
    /// Somebody else looks after it.
    #[error("{by} looks after this basket")]
    Claimed {
        /// Who.
        by: String,
    },
    /// It has to be claimed first.
    #[error("claim the basket first")]
    NotClaimed,
    /// The reason is one for something else.
    #[error("this is no reason to {}", action.as_str())]
    OtherReason {
        /// What it was given for.
        action: Action,
    },
    /// A correction without a list, or a list without a correction.
    #[error("lines go with `correct`, and with nothing else")]
    Lines,
    /// Nobody has checked whether the shopper is old enough.
    #[error("the basket holds goods that are sold from {years} years on: check the age first")]
    AgeUnchecked {
        /// The age.
        years: u8,
    },
    /// A second person must confirm, another one and a supervisor.
    #[error("a second person, a supervisor, has to confirm this")]
    SecondPerson,
    /// Nothing waits for a second person.
    #[error("nothing waits to be confirmed here")]
    NothingProposed,
    /// It is another's resolution, and who asks is no supervisor.
    #[error("only who decided it, or a supervisor, takes it back")]
    NotYours,
    /// It is too late.
    #[error("it is too late to take this back")]
    TooLate,
}

/// What of the board outlives a restart: the rest follows from how validations stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    claims: BTreeMap<ValidationId, Claim>,
    proposals: BTreeMap<ValidationId, Proposal>,
}

/// Everything that is on staff's mind.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    rules: Rules,
    cases: BTreeMap<ValidationId, (Case, Need, Wall)>,
    claims: BTreeMap<ValidationId, Claim>,
    proposals: BTreeMap<ValidationId, Proposal>,
}

impl Board {
    /// With nothing on it.
    pub fn new(rules: Rules) -> Self {
        Self { rules, cases: BTreeMap::new(), claims: BTreeMap::new(), proposals: BTreeMap::new() }
    }

    /// As it was before a restart. What has run out since, or is about a validation that needs nobody any more, goes with the next look.
    pub fn restored(rules: Rules, kept: Kept) -> Self {
        Self { claims: kept.claims, proposals: kept.proposals, ..Self::new(rules) }
    }

    /// What is to outlive a restart.
    pub fn kept(&self) -> Kept {
        Kept { claims: self.claims.clone(), proposals: self.proposals.clone() }
    }

    /// What the retailer wants.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Takes in how all validations stand. Those that need nobody any more lose their claims and proposals; a claimed one that waits for
    /// its next attempt keeps them.
    pub fn observe(&mut self, now: Wall, cases: impl IntoIterator<Item = Case>) {
        let mut known = std::mem::take(&mut self.cases);
        self.claims.retain(|_, claim| now < claim.until);
        self.proposals.retain(|_, proposal| now.ms() - proposal.at.ms() < limits::CONFIRM_MS);
        for case in cases {
            let id = case.validation_id.clone();
            let before = known.remove(&id);
            let held = before.as_ref().filter(|_| !case.closed && self.claims.contains_key(&id));
            let need = Need::of(&case, self.rules.corrections_max).or(held.map(|(_, need, _)| *need));
            let Some(need) = need else { continue };
            let first = case.decided_at.map_or(now, |at| if case.staff_called { now } else { at.min(now) });
            let since = before.map_or(first, |(_, _, since)| since);
            self.cases.insert(id, (case, need, since));
        }
        self.claims.retain(|id, _| self.cases.contains_key(id));
        self.proposals.retain(|id, _| self.cases.contains_key(id));
    }

    /// The queue, the most pressing first.
    pub fn queue(&self, now: Wall) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            self.cases.values().map(|(case, need, since)| self.entry(case, *need, *since, now)).collect();
        entries.sort_by_key(|entry| (entry.since_ms - 1000 * entry.need.head_start_s(), entry.validation_id.clone()));
        entries
    }

    fn entry(&self, case: &Case, need: Need, since: Wall, now: Wall) -> Entry {
        let claim = self.claim_of(&case.validation_id, now);
        let proposal = self.proposals.get(&case.validation_id);
        Entry {
            validation_id: case.validation_id.clone(),
            basket_id: case.basket_id.clone(),
            need: if proposal.is_some() { Need::SecondPerson } else { need },
            since_ms: since.ms(),
            attempt: case.attempt,
            outcome: case.outcome,
            finding: case.finding,
            off_g: case.off_g,
            claimed_by: claim.map(|claim| claim.by.name.clone()),
            claimed_until_ms: claim.map(|claim| claim.until.ms()),
            proposed_by: proposal.map(|proposal| proposal.by.name.clone()),
        }
    }

    /// Who looks after a basket now.
    pub fn claim_of(&self, id: &ValidationId, now: Wall) -> Option<&Claim> {
        self.claims.get(id).filter(|claim| now < claim.until)
    }

    /// What waits for a second person.
    pub fn proposal(&self, id: &ValidationId) -> Option<&Proposal> {
        self.proposals.get(id)
    }

    /// Since when a basket needs staff.
    pub fn since(&self, id: &ValidationId) -> Option<Wall> {
        self.cases.get(id).map(|(_, _, since)| *since)
    }

    /// Somebody looks after a basket from now on. A supervisor may take it from somebody else.
    ///
    /// # Errors
    /// A basket that needs nobody, or that is somebody else's.
    pub fn claim(&mut self, now: Wall, id: &ValidationId, by: &Staff) -> Result<&Claim, DeskRefusal> {
        if !self.cases.contains_key(id) {
            return Err(DeskRefusal::NotQueued);
        }
        if let Some(held) = self.claim_of(id, now)
            && held.by.account != by.account
            && by.role != Role::Supervisor
        {
            return Err(DeskRefusal::Claimed { by: held.by.name.clone() });
        }
        let claim = Claim { by: by.clone(), until: Wall::from_ms(now.ms() + limits::CLAIM_MS) };
        self.claims.insert(id.clone(), claim);
        self.claims.get(id).ok_or(DeskRefusal::NotQueued)
    }

    /// Somebody looks after a basket no more.
    ///
    /// # Errors
    /// A basket that is not theirs.
    pub fn release(&mut self, now: Wall, id: &ValidationId, by: &Staff) -> Result<(), DeskRefusal> {
        self.held_by(now, id, by)?;
        self.claims.remove(id);
        Ok(())
    }

    fn held_by(&self, now: Wall, id: &ValidationId, by: &Staff) -> Result<(), DeskRefusal> {
        match self.claim_of(id, now) {
            None if self.cases.contains_key(id) => Err(DeskRefusal::NotClaimed),
            None => Err(DeskRefusal::NotQueued),
            Some(claim) if claim.by.account != by.account => Err(DeskRefusal::Claimed { by: claim.by.name.clone() }),
            Some(_) => Ok(()),
        }
    }

    /// Whether somebody may do what they want with a basket. `Ok(None)` says that it may be done now; a
    /// proposal is what waits for a second person from now on.
    ///
    /// # Errors
    /// What keeps them from it.
    pub fn resolve(
        &mut self,
        now: Wall,
        id: &ValidationId,
        by: &Staff,
        wanted: &Wanted,
        stake: Stake,
    ) -> Result<Option<&Proposal>, DeskRefusal> {
        self.held_by(now, id, by)?;
        if wanted.reason.action() != wanted.action
            || wanted.reason == Reason::SupervisorOverride && by.role != Role::Supervisor
        {
            return Err(DeskRefusal::OtherReason { action: wanted.action });
        }
        if wanted.lines.is_some() != (wanted.action == Action::Correct) {
            return Err(DeskRefusal::Lines);
        }
        let approves = wanted.action == Action::Approve;
        if let Some(years) = stake.age_limit.filter(|_| approves && !wanted.age_checked) {
            return Err(DeskRefusal::AgeUnchecked { years });
        }
        if !approves || self.rules.four_eyes_above_minor.is_none_or(|limit| stake.value_minor <= limit) {
            return Ok(None);
        }
        if self.proposals.get(id).is_some_and(|waiting| waiting.by.account == by.account) {
            return Err(DeskRefusal::SecondPerson);
        }
        let proposal = Proposal { by: by.clone(), wanted: wanted.clone(), stake, at: now };
        self.proposals.insert(id.clone(), proposal);
        Ok(self.proposals.get(id))
    }

    /// What a second person confirms. They need not have claimed the basket: the first one stands beside it.
    ///
    /// # Errors
    /// Nothing to confirm, or not somebody who may.
    pub fn confirm(&self, id: &ValidationId, by: &Staff) -> Result<&Proposal, DeskRefusal> {
        let proposal = self.proposals.get(id).ok_or(DeskRefusal::NothingProposed)?;
        if by.role != Role::Supervisor || by.account == proposal.by.account {
            return Err(DeskRefusal::SecondPerson);
        }
        Ok(proposal)
    }

    /// Something was done with a basket: what waited for a second person waits no more.
    pub fn settled(&mut self, id: &ValidationId) {
        self.proposals.remove(id);
    }

    /// Whether somebody may take back what was decided by whom and when.
    ///
    /// # Errors
    /// Too late, or another's.
    pub fn may_undo(now: Wall, decided_by: &Staff, at: Wall, by: &Staff) -> Result<(), DeskRefusal> {
        if now.ms() - at.ms() > limits::UNDO_MS {
            return Err(DeskRefusal::TooLate);
        }
        if decided_by.account != by.account && by.role != Role::Supervisor {
            return Err(DeskRefusal::NotYours);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
