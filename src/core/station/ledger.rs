//! Baskets and validations held in memory, bounded.

use super::filling::Arrivals;
use super::limits;
use super::message::{Now, Refusal};
use super::visit::Visit;
use crate::basket::{Basket, Checked, InStorePattern, Today};
use crate::units::{BasketId, Mono, ValidationId};
use std::collections::BTreeMap;

/// A checked list.
#[derive(Clone, Debug)]
pub struct Kept {
    /// As it was sent.
    pub basket: Basket,
    /// Its goods, and what their codes mean.
    pub checked: Checked,
    /// When its units came.
    pub arrivals: Arrivals,
    touched: u64,
}

/// What a list sent again means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there before.
    Created,
    /// A newer revision.
    Revised,
    /// The same again.
    Same,
}

/// Baskets and validations.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    baskets: BTreeMap<BasketId, Kept>,
    visits: BTreeMap<ValidationId, Visit>,
    /// Validations in the order of their end, oldest first.
    closed: Vec<ValidationId>,
    clock: u64,
}

impl Ledger {
    /// Keeps a list, or says why not; nothing changes if it is refused.
    pub fn put(
        &mut self,
        id: &BasketId,
        basket: Basket,
        patterns: &[InStorePattern],
        now: Now,
    ) -> Result<Put, Refusal> {
        let checked = basket.check(patterns, Today::of(now.wall)).map_err(Refusal::BadBasket)?;
        let put = match self.baskets.get(id) {
            None => Put::Created,
            Some(kept) if basket.revision < kept.basket.revision => {
                return Err(Refusal::OlderRevision { current: kept.basket.revision });
            }
            Some(kept) if basket.revision > kept.basket.revision => Put::Revised,
            Some(kept) if kept.basket == basket => return Ok(Put::Same),
            Some(kept) => return Err(Refusal::OtherContent { current: kept.basket.revision }),
        };
        if put == Put::Created && self.baskets.len() >= limits::BASKETS_MAX && !self.forget_oldest() {
            return Err(Refusal::Busy);
        }
        self.clock += 1;
        let before = self.baskets.remove(id);
        let (known, mut arrivals) = before.map(|kept| (kept.checked, kept.arrivals)).unzip();
        arrivals.get_or_insert_default().came(known.as_ref(), &checked, now.mono);
        let arrivals = arrivals.unwrap_or_default();
        self.baskets.insert(id.clone(), Kept { basket, checked, arrivals, touched: self.clock });
        Ok(put)
    }

    /// Forgets a basket that is not under validation.
    pub fn delete(&mut self, id: &BasketId) -> Result<(), Refusal> {
        if !self.baskets.contains_key(id) {
            return Err(Refusal::UnknownBasket);
        }
        if self.open_for(id).is_some() {
            return Err(Refusal::ValidationOpen);
        }
        self.baskets.remove(id);
        Ok(())
    }

    /// A basket.
    pub fn basket(&self, id: &BasketId) -> Option<&Kept> {
        self.baskets.get(id)
    }

    /// Takes a validation in.
    pub fn open(&mut self, visit: Visit) -> Result<(), Refusal> {
        if self.open_count() >= limits::OPEN_VALIDATIONS_MAX {
            return Err(Refusal::Busy);
        }
        self.visits.insert(visit.id.clone(), visit);
        Ok(())
    }

    /// A validation.
    pub fn visit(&self, id: &ValidationId) -> Option<&Visit> {
        self.visits.get(id)
    }

    /// A validation, to change.
    pub fn visit_mut(&mut self, id: &ValidationId) -> Option<&mut Visit> {
        self.visits.get_mut(id)
    }

    /// All validations that are open.
    pub fn open_visits(&self) -> impl Iterator<Item = &Visit> {
        self.visits.values().filter(|v| !v.is_closed())
    }

    /// The open validation of a basket.
    pub fn open_for(&self, basket: &BasketId) -> Option<&ValidationId> {
        self.open_visits().find(|v| v.basket_id == *basket).map(|v| &v.id)
    }

    /// How many validations are open.
    pub fn open_count(&self) -> usize {
        self.open_visits().count()
    }

    /// Notes that a validation has ended; the oldest ended ones are left to the store.
    pub fn closed(&mut self, id: &ValidationId) {
        if self.closed.contains(id) {
            return;
        }
        self.closed.push(id.clone());
        if self.closed.len() > limits::CLOSED_VALIDATIONS_MAX {
            let oldest = self.closed.remove(0);
            self.visits.remove(&oldest);
        }
    }

    /// A validation that had ended goes on.
    pub fn reopened(&mut self, id: &ValidationId) {
        self.closed.retain(|closed| closed != id);
    }

    /// Asks for another attempt of every validation of a basket.
    pub fn ask(&mut self, basket: &BasketId, now: Mono) -> Option<ValidationId> {
        let id = self.open_for(basket)?.clone();
        self.visits.get_mut(&id)?.ask(now);
        Some(id)
    }

    fn forget_oldest(&mut self) -> bool {
        let oldest = self
            .baskets
            .iter()
            .filter(|(id, _)| self.open_for(id).is_none())
            .min_by_key(|(_, kept)| kept.touched)
            .map(|(id, _)| id.clone());
        oldest.is_some_and(|id| self.baskets.remove(&id).is_some())
    }
}
