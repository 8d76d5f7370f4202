//! What shoppers, and the handhelds and apps in their hands, ask of the machine.

use super::Machine;
use crate::basket::Basket;
use crate::station::case::Case;
use crate::station::ledger::Put;
use crate::station::message::{Answer, Mark, Now, Record, Refusal};
use crate::station::visit::Visit;
use crate::units::{BasketId, ValidationId};

impl Machine {
    pub(super) fn put_basket(
        &mut self,
        now: Now,
        id: BasketId,
        basket: Basket,
    ) -> Result<(Option<Record>, Answer), Refusal> {
        let put = self.ledger.put(&id, basket.clone(), &self.config.in_store_codes, now)?;
        let created = put == Put::Created;
        if put == Put::Revised
            && let Some(validation) = self.ledger.ask(&id, now.mono)
        {
            self.active = Some(validation);
        }
        let record = (put != Put::Same).then_some(Record::Basket { id, basket });
        Ok((record, Answer::BasketKept { created }))
    }

    pub(super) fn validate(
        &mut self,
        now: Now,
        id: ValidationId,
        basket_id: BasketId,
        code: &str,
    ) -> Result<(Option<Record>, Answer), Refusal> {
        if code != self.config.code && code != self.config.id.as_str() {
            return Err(Refusal::OtherStation);
        }
        if self.ledger.basket(&basket_id).is_none() {
            return Err(Refusal::UnknownBasket);
        }
        if let Some(open) = self.ledger.open_for(&basket_id).cloned() {
            self.active = Some(open.clone());
            self.hand_over();
            return Ok((None, Answer::Validation { id: open, created: false }));
        }
        if self.out_of_service.is_some() {
            return Err(Refusal::OutOfService);
        }
        self.ledger.open(Visit::open(id.clone(), basket_id.clone(), now.mono))?;
        self.active = Some(id.clone());
        self.hand_over();
        let record = Record::Validation { id: id.clone(), basket_id, opened_at: now.wall };
        Ok((Some(record), Answer::Validation { id, created: true }))
    }

    /// Who has filled their basket on the plate asks at the end. Until then it was taken for that of somebody whose visit is still open: who
    /// was told that something is wrong, and went away.
    fn hand_over(&mut self) {
        let other = self.owner.as_ref().filter(|owner| self.active.as_ref() != Some(owner));
        let Some(owner) = other.and_then(|id| self.ledger.visit(id)) else { return };
        let load = self.senses.scale.load();
        let filled = |case: Case<'_>| load.is_some_and(|load| case.was_filled_here(&load));
        if !owner.is_closed() && self.case().is_some_and(filled) {
            self.owner = None;
        }
    }

    pub(super) fn retry(&mut self, now: Now, id: &ValidationId) -> Result<(Option<Record>, Answer), Refusal> {
        let visit = self.ledger.visit_mut(id).ok_or(Refusal::UnknownValidation)?;
        if visit.is_closed() {
            return Err(Refusal::ValidationClosed);
        }
        visit.ask(now.mono);
        self.active = Some(id.clone());
        Ok((None, Answer::Retrying))
    }

    /// Asked twice it is done once. Who has passed or given up cannot be called to or give up any more.
    pub(super) fn mark(&mut self, now: Now, id: ValidationId, mark: Mark) -> Result<(Option<Record>, Answer), Refusal> {
        let visit = self.ledger.visit_mut(&id).ok_or(Refusal::UnknownValidation)?;
        if visit.is_marked(mark) {
            return Ok((None, Answer::Marked));
        }
        if visit.is_closed() {
            return Err(Refusal::ValidationClosed);
        }
        visit.mark(mark);
        // An attempt on its way to the disk ends it when it is there.
        if visit.is_closed() && !visit.is_saving() {
            self.ledger.closed(&id);
        }
        Ok((Some(Record::Marked { id, mark, at: now.wall }), Answer::Marked))
    }
}
