//! What staff asks of the station. Whether they may has been found out before; here it becomes durable, and only then true.

use super::{AfterSave, Machine, Now, Output};
use crate::basket::Basket;
use crate::station::dossier::Dossier;
use crate::station::message::{Answer, Deed, Record, Refusal, Ticket};
use crate::units::ValidationId;
use crate::verdict::{Action, Resolution, Staff};
use std::sync::Arc;

/// What becomes true once it is durable.
#[derive(Clone, Debug)]
pub(super) enum Done {
    Resolved(Arc<Resolution>),
    Undone(ValidationId, u32),
    Service(Option<String>),
}

impl Machine {
    pub(super) fn answer(&mut self, ticket: Ticket, answer: Result<Answer, Refusal>) {
        self.outputs.push_back(Output::Answer { ticket, answer });
    }

    pub(super) fn or_refuse(&mut self, ticket: Ticket, deed: impl FnOnce(&mut Self) -> Result<(), Refusal>) {
        if let Err(refusal) = deed(self) {
            self.answer(ticket, Err(refusal));
        }
    }

    pub(super) fn staff_saved(&mut self, ticket: Ticket, done: Done) {
        let answer = match done {
            Done::Resolved(resolution) => {
                self.resolved(&resolution.validation_id);
                Answer::Resolved(resolution)
            }
            Done::Undone(id, number) => {
                self.undone(&id, number);
                Answer::Undone
            }
            Done::Service(out_of_service) => {
                self.out_of_service = out_of_service;
                Answer::Service
            }
        };
        self.answer(ticket, Ok(answer));
    }

    pub(super) fn dossier(&self, id: &ValidationId) -> Result<(Option<Record>, Answer), Refusal> {
        let visit = self.ledger.visit(id).ok_or(Refusal::UnknownValidation)?;
        let kept = self.ledger.basket(&visit.basket_id).ok_or(Refusal::UnknownBasket)?;
        let dossier = Dossier::new(id, &visit.basket_id, kept, &self.catalogue);
        Ok((None, Answer::Dossier(Box::new(dossier))))
    }

    /// Takes staff's decision. A correction is a new revision, judged at once; the others end the validation once they are durable.
    pub(super) fn resolve(&mut self, now: Now, ticket: Ticket, id: &ValidationId, deed: Deed) -> Result<(), Refusal> {
        let visit = self.ledger.visit(id).ok_or(Refusal::UnknownValidation)?;
        if visit.is_closed() {
            return Err(Refusal::ValidationClosed);
        }
        if visit.is_saving() {
            return Err(Refusal::Deciding);
        }
        let (number, attempt) = (visit.next_resolution(), visit.attempt());
        if deed.attempt.is_some_and(|seen| seen != attempt) {
            return Err(Refusal::NewsSince { attempt });
        }
        let basket_id = visit.basket_id.clone();
        let kept = self.ledger.basket(&basket_id).ok_or(Refusal::UnknownBasket)?;
        let current = kept.basket.revision;
        if deed.revision != current {
            return Err(Refusal::OlderRevision { current });
        }
        let put_right = |lines| Basket { revision: current.saturating_add(1), lines, ..kept.basket.clone() };
        let basket = deed.lines.map(put_right);
        let revision = basket.as_ref().unwrap_or(&kept.basket).revision;
        if let Some(basket) = &basket {
            self.ledger.put(&basket_id, basket.clone(), &self.config.in_store_codes, now)?;
        }
        let resolution = Arc::new(Resolution {
            validation_id: id.clone(),
            number,
            basket_id,
            attempt,
            revision,
            action: deed.action,
            reason: deed.reason,
            age_checked: deed.age_checked,
            value_minor: deed.value_minor,
            by: deed.by,
            second: deed.second,
            since: deed.since,
            at: now.wall,
            exit_token: None,
        });
        let after = match resolution.action {
            Action::Correct => {
                if let Some(visit) = self.ledger.visit_mut(id) {
                    visit.corrected(now.mono);
                }
                self.active = Some(id.clone());
                AfterSave::Answer(ticket, Answer::Resolved(resolution.clone()))
            }
            Action::Approve | Action::Refuse => {
                self.ends_by(id, &resolution);
                AfterSave::Staff(ticket, Done::Resolved(resolution.clone()))
            }
        };
        self.save(Record::Resolved { resolution, basket }, after);
        Ok(())
    }

    /// What rests on the plate belongs to an approved basket even if it could never be judged: what is added later is noticed.
    fn ends_by(&mut self, id: &ValidationId, resolution: &Arc<Resolution>) {
        let load = self.senses.scale.load().filter(|load| !self.senses.scale.is_empty(load.mass));
        let here = self.owner.as_ref().or(self.active.as_ref()) == Some(id);
        let load = load.filter(|_| here && resolution.action == Action::Approve);
        if load.is_some() {
            self.owner = Some(id.clone());
        }
        if let Some(visit) = self.ledger.visit_mut(id) {
            visit.resolving(resolution.clone(), load);
        }
    }

    fn resolved(&mut self, id: &ValidationId) {
        if let Some(visit) = self.ledger.visit_mut(id) {
            visit.resolved();
            if visit.is_closed() {
                self.ledger.closed(id);
            }
        }
    }

    /// Takes a resolution back; it holds until that is durable.
    pub(super) fn undo(
        &mut self,
        now: Now,
        ticket: Ticket,
        id: ValidationId,
        number: u32,
        by: Staff,
    ) -> Result<(), Refusal> {
        let visit = self.ledger.visit(&id).ok_or(Refusal::UnknownValidation)?;
        if visit.resolution().is_none_or(|held| held.number != number) {
            return Err(Refusal::UnknownResolution);
        }
        if self.ledger.open_for(&visit.basket_id).is_some() {
            return Err(Refusal::ValidationOpen);
        }
        let record = Record::Undone { id: id.clone(), number, by: Some(by), at: now.wall };
        self.save(record, AfterSave::Staff(ticket, Done::Undone(id, number)));
        Ok(())
    }

    fn undone(&mut self, id: &ValidationId, number: u32) {
        let Some(visit) = self.ledger.visit_mut(id) else { return };
        visit.undone(number);
        if visit.is_closed() {
            return;
        }
        self.ledger.reopened(id);
        if self.active_visit().is_none_or(|active| active.is_closed()) {
            self.active = Some(id.clone());
        }
        // Those that had ended are looked after no more: whoever follows it is told here that it goes on.
        if let Some(view) = self.ledger.visit(id).map(|visit| visit.view(self.where_it_stands(visit))) {
            self.published.insert(id.clone(), view.clone());
            self.outputs.push_back(Output::Publish(view));
        }
    }

    /// Takes the station out of service, or puts it back. Baskets that are under validation are served to their end.
    pub(super) fn service(&mut self, now: Now, ticket: Ticket, serves: bool, why: String, by: Staff) {
        if serves == self.out_of_service.is_none() {
            return self.answer(ticket, Ok(Answer::Service));
        }
        let record = Record::Service { serves, why: why.clone(), by, at: now.wall };
        self.save(record, AfterSave::Staff(ticket, Done::Service((!serves).then_some(why))));
    }
}
