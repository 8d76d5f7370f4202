//! The root machine: everything that happens to a station goes in, everything it wants done comes out.

mod shopper;
mod staff;

use super::case::Case;
use super::ledger::Ledger;
use super::limits;
use super::message::{Answer, Input, Mark, Now, Output, Record, Refusal, Request, SaveId, Ticket};
use super::senses::{Evidence, Senses, WithoutCamera};
use super::view::{PlateState, StationView, ValidationState, ValidationView};
use super::visit::{Past, Visit, Voided};
use crate::basket::{Basket, InStorePattern};
use crate::goods::{BagBelief, Catalogue, ContainerBelief, Gallery};
use crate::units::{BasketId, Mono, StationId, ValidationId};
use crate::verdict::judge::Conclusion;
use crate::verdict::{Outcome, Policy, Resolution, Verdict, Versions};
use crate::weighing::{Load, Scale, ScaleConfig, ScaleEvent};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A station as configured.
#[derive(Clone, Debug)]
pub struct StationConfig {
    /// Its name in every verdict.
    pub id: StationId,
    /// The code by which a handheld asks for it.
    pub code: String,
    /// Its scale.
    pub scale: ScaleConfig,
    /// Whether it has a camera.
    pub has_camera: bool,
    /// What is done while the eyes are out.
    pub without_camera: WithoutCamera,
    /// Containers of the store.
    pub containers: Vec<ContainerBelief>,
    /// Own bags without a stated weight.
    pub bags: BagBelief,
    /// Codes printed by the store's scales.
    pub in_store_codes: Vec<InStorePattern>,
    /// What the retailer wants.
    pub policy: Policy,
    /// Versions that stand behind verdicts; the catalogue's is set by the machine.
    pub versions: Versions,
}

/// What the store gave back at start.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Baskets with their lists.
    pub baskets: Vec<(BasketId, Basket)>,
    /// Validations with their verdicts in order.
    pub validations: Vec<RestoredVisit>,
    /// Why staff has taken the station out of service, if they have.
    pub out_of_service: Option<String>,
}

/// A validation as the store kept it.
#[derive(Clone, Debug)]
pub struct RestoredVisit {
    /// The validation.
    pub id: ValidationId,
    /// Its basket.
    pub basket_id: BasketId,
    /// Its verdicts in order.
    pub verdicts: Vec<Arc<Verdict>>,
    /// The attempt whose pass became void, the last one if several did.
    pub void: Option<u32>,
    /// What the shopper said of it.
    pub marks: Vec<Mark>,
    /// The resolution that ended it and holds.
    pub resolution: Option<Arc<Resolution>>,
    /// How often staff has decided.
    pub resolutions: u32,
}

/// What a record on its way to the disk will bring about.
#[derive(Clone, Debug)]
enum AfterSave {
    Answer(Ticket, Answer),
    Tell(ValidationId),
    Staff(Ticket, staff::Done),
    Nothing,
}

/// The root machine.
#[derive(Debug)]
pub struct Machine {
    config: StationConfig,
    senses: Senses,
    /// The load that was judged by weight while a look was awaited; it is not weighed up twice.
    weighed_up: Option<Mono>,
    ledger: Ledger,
    catalogue: Arc<Catalogue>,
    gallery: Option<Arc<Gallery>>,
    /// The validation that the next load is for.
    active: Option<ValidationId>,
    /// Whose basket stands on the plate, once it has been judged; until the plate is empty nobody else is judged by it.
    owner: Option<ValidationId>,
    /// Who had asked for the plate when a pass on it became void; next once it is empty.
    displaced: Option<ValidationId>,
    waiting: BTreeMap<SaveId, (Record, AfterSave)>,
    retry_saves: VecDeque<(Mono, SaveId)>,
    next_save: SaveId,
    outputs: VecDeque<Output>,
    published: BTreeMap<ValidationId, ValidationView>,
    out_of_service: Option<String>,
}

impl Machine {
    /// A station with all senses out, no products, and what the store gave back.
    pub fn new(config: StationConfig, restored: Restored, now: Now) -> Self {
        let mut ledger = Ledger::default();
        for (id, basket) in restored.baskets {
            // What was accepted once is accepted again unless the store's codes were re-configured; then it must be sent anew.
            let _ = ledger.put(&id, basket, &config.in_store_codes, now);
        }
        let mut active = None;
        for RestoredVisit { id, basket_id, verdicts, void, marks, resolution, resolutions } in restored.validations {
            let corrections = verdicts.iter().filter(|v| v.outcome == Outcome::Correct).count() as u32;
            let past = Past { latest: verdicts.last().cloned(), void, corrections, resolution, resolutions };
            let visit = Visit::restore(id.clone(), basket_id, past, &marks, now.mono);
            let closed = visit.is_closed();
            if ledger.open(visit).is_err() {
                continue;
            }
            if closed {
                ledger.closed(&id);
            } else {
                active = Some(id);
            }
        }
        let senses = Senses::new(Scale::new(config.scale.clone()), config.has_camera, config.without_camera);
        // Staff must see those, too, that nobody has asked for since.
        let aside = ledger.open_visits().map(|visit| (visit.id.clone(), visit.view(ValidationState::Aside)));
        let published: BTreeMap<_, _> = aside.collect();
        Self {
            config,
            senses,
            weighed_up: None,
            ledger,
            catalogue: Arc::new(Catalogue::new(Vec::new())),
            gallery: None,
            active,
            owner: None,
            displaced: None,
            waiting: BTreeMap::new(),
            retry_saves: VecDeque::new(),
            next_save: 1,
            outputs: published.values().cloned().map(Output::Publish).collect(),
            published,
            out_of_service: restored.out_of_service,
        }
    }

    /// Takes what happened. Drain [`Machine::poll_output`] afterwards.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::PortOpened { port } => {
                let event = self.senses.scale.opened(port, now.mono);
                self.scale_events(now, event);
            }
            Input::PortClosed { port, why } => {
                let event = self.senses.scale.closed(port, now.mono, why);
                self.scale_events(now, event);
            }
            Input::Bytes { port, at, bytes } => {
                let mut events = Vec::new();
                self.senses.scale.push(port, now.mono, at, &bytes, &mut events);
                if events.is_empty() && !self.attempt_is_due() {
                    return;
                }
                self.scale_events(now, events);
            }
            Input::Scene(scene) => self.senses.take_scene(scene),
            Input::EyesOpened => self.senses.eyes_opened(None),
            Input::EyesImpaired { why } => self.senses.eyes_opened(Some(why)),
            Input::EyesClosed { why } => self.senses.eyes_closed(now.mono, why),
            Input::Looks { out } => self.senses.looks_are(now.mono, out),
            Input::Goods { catalogue, gallery } => {
                self.catalogue = catalogue;
                self.gallery = gallery;
            }
            Input::Containers(containers) => self.config.containers = containers,
            Input::Request { ticket, request } => self.request(now, ticket, request),
            Input::Saved(save) => self.saved(save),
            Input::SaveFailed(save) => {
                if self.waiting.contains_key(&save) {
                    self.retry_saves.push_back((now.mono.plus_ms(limits::SAVE_AGAIN_MS), save));
                }
            }
        }
        self.advance(now);
    }

    /// Looks after what time alone brings.
    pub fn handle_timeout(&mut self, now: Now) {
        let mut events = Vec::new();
        self.senses.scale.handle_timeout(now.mono, &mut events);
        self.scale_events(now, events);
        while let Some((due, save)) = self.retry_saves.front().copied() {
            if now.mono < due {
                break;
            }
            self.retry_saves.pop_front();
            if let Some((record, _)) = self.waiting.get(&save) {
                self.outputs.push_back(Output::Save { save, record: record.clone() });
            }
        }
        self.advance(now);
    }

    /// When [`Machine::handle_timeout`] is due at the latest, and why.
    pub fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        let began = self.active_visit().and_then(Visit::due_since);
        let senses = began.and_then(|began| self.senses.poll_timeout(began));
        let again = self.retry_saves.front().map(|(at, _)| (*at, "save again"));
        let look = self.senses.poll_step_timeout();
        [self.senses.scale.poll_timeout(), senses, look, again].into_iter().flatten().min()
    }

    /// What the machine wants done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The station as others see it.
    pub fn view(&self) -> StationView {
        let state = if self.senses.scale.fault().is_some() {
            PlateState::Out
        } else if self.senses.is_loaded() {
            PlateState::Occupied
        } else if self.senses.is_empty() {
            PlateState::Idle
        } else if self.senses.scale.unsteady_ms() >= limits::UNSTEADY_MS {
            PlateState::Unsteady
        } else {
            PlateState::Weighing
        };
        let active = self.active_visit().map(|v| v.view(self.where_it_stands(v)));
        let verdict_on_plate = active.is_some() && self.owner == self.active;
        StationView {
            state,
            live_g: self.senses.scale.live().map(|m| (m.g() * 10.0).round() / 10.0),
            senses: self.senses.views(),
            active,
            open: self.ledger.open_count(),
            verdict_on_plate,
            out_of_service: self.out_of_service.clone(),
        }
    }

    /// A basket as it is kept.
    pub fn basket(&self, id: &BasketId) -> Option<&Basket> {
        self.ledger.basket(id).map(|kept| &kept.basket)
    }

    /// The catalogue that the next attempt is judged by.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// What the link to the scale has seen, for metrics.
    pub fn scale(&self) -> &Scale {
        &self.senses.scale
    }

    /// How many things were first seen with each put since the plate was empty, for who sets a station up; `None` where no look was taken.
    pub fn came(&self) -> Vec<Option<usize>> {
        self.senses.filling().came()
    }

    fn active_visit(&self) -> Option<&Visit> {
        self.active.as_ref().and_then(|id| self.ledger.visit(id))
    }

    fn attempt_is_due(&self) -> bool {
        self.active_visit().is_some_and(|v| v.due_since().is_some())
    }

    fn scale_events(&mut self, now: Now, events: impl IntoIterator<Item = ScaleEvent>) {
        for event in events {
            match event {
                ScaleEvent::Settled(load) => self.settled(now, &load),
                ScaleEvent::Step(step) => self.senses.took_step(&step),
                ScaleEvent::Disturbed { at } => self.senses.touched(at),
                ScaleEvent::Lost(_) | ScaleEvent::Back => self.senses.scale_changed(now.mono),
                ScaleEvent::Zero(event) => self.senses.zero_moved(event),
            }
        }
    }

    fn settled(&mut self, now: Now, load: &Load) {
        if self.senses.scale.is_empty(load.mass) {
            self.owner = None;
            self.senses.plate_emptied();
            if let Some(next) = self.displaced.take().filter(|id| self.ledger.visit(id).is_some_and(|v| !v.is_closed()))
            {
                self.active = Some(next);
            }
            if let Some(visit) = self.active.clone().and_then(|id| self.ledger.visit_mut(&id)) {
                visit.plate_left();
            }
            return;
        }
        self.senses.rests(load.untouched_since);
        self.void_if_more(now, load);
        let mine = self.owner.is_none() || self.owner == self.active;
        if let Some(visit) = self.active.clone().filter(|_| mine).and_then(|id| self.ledger.visit_mut(&id)) {
            visit.settled(load, now.mono);
        }
    }

    /// A pass holds for what was judged: whoever adds goods before the basket leaves the plate is judged again.
    fn void_if_more(&mut self, now: Now, load: &Load) {
        let Some(id) = self.owner.clone() else { return };
        let Some(voided) = self.ledger.visit_mut(&id).and_then(|visit| visit.void_if_more(load, now.mono)) else {
            return;
        };
        self.ledger.reopened(&id);
        if self.active.as_ref() != Some(&id) {
            self.displaced = self.active.replace(id.clone());
        }
        let record = match voided {
            Voided::Attempt(attempt) => Record::Void { id, attempt, at: now.wall },
            Voided::Resolution(number) => Record::Undone { id, number, by: None, at: now.wall },
        };
        self.save(record, AfterSave::Nothing);
    }

    /// Goes as far as what is known allows.
    fn advance(&mut self, now: Now) {
        while let Some((port, bytes)) = self.senses.scale.poll_send(now.mono) {
            self.outputs.push_back(Output::Send { port, bytes });
        }
        self.advance_attempt(now);
        if let Some(since) = self.senses.poll_step_look(now.mono) {
            self.outputs.push_back(Output::Look { since });
        }
        let busy = self.attempt_is_due() || self.owner.is_some();
        self.senses.scale.let_zero_follow(!busy);
        self.publish();
    }

    fn advance_attempt(&mut self, now: Now) {
        let Some(visit) = self.active_visit() else { return };
        let again = visit.waits_for_sense();
        let Some(began) = visit.due_since().or(again.then_some(now.mono)) else { return };
        if self.owner.is_some() && self.owner != self.active {
            return;
        }
        if let Some(since) = self.senses.poll_look(now.mono) {
            self.outputs.push_back(Output::Look { since });
        }
        match self.senses.evidence(now.mono, began) {
            Evidence::Ready { load, without_eyes } => self.decide(now, began, Some((load, without_eyes)), None),
            Evidence::Out { sense, why } if !again => self.decide(now, began, None, Some((sense, why))),
            Evidence::Awaiting { load } => {
                if self.weighed_up != Some(load.at) {
                    self.weighed_up = Some(load.at);
                    if self.case().is_some_and(|case| case.passes_at_once(&load)) {
                        self.decide(now, began, Some((load, false)), None);
                    }
                }
            }
            Evidence::Out { .. } | Evidence::Wait => {}
        }
    }

    /// The basket under validation, with everything that it is judged by.
    fn case(&self) -> Option<Case<'_>> {
        let visit = self.active_visit()?;
        let kept = self.ledger.basket(&visit.basket_id)?;
        Some(Case {
            validation_id: &visit.id,
            revision: kept.basket.revision,
            basket: &kept.checked.goods,
            codes: &kept.checked.codes,
            arrivals: &kept.arrivals,
            filling: self.senses.filling(),
            corrections: visit.corrections(),
            catalogue: &self.catalogue,
            gallery: self.gallery.as_deref(),
            config: &self.config,
        })
    }

    fn decide(&mut self, now: Now, began: Mono, weighed: Option<(Load, bool)>, out: Option<(&'static str, String)>) {
        let Some(visit) = self.active_visit() else { return };
        let (id, basket_id, attempt) = (visit.id.clone(), visit.basket_id.clone(), visit.next_attempt());
        let Some(case) = self.case() else { return };
        let revision = case.revision;
        let mut degraded = Vec::new();
        let conclusion = match (&weighed, out) {
            (Some((load, without_eyes)), _) => {
                if *without_eyes {
                    degraded.push("vision".to_owned());
                }
                let scene = self.senses.seen_of(load).filter(|_| !without_eyes);
                degraded.extend(scene.iter().flat_map(|s| &s.missing).map(|name| format!("camera:{name}")));
                case.judge(load, scene.as_ref())
            }
            (None, out) => {
                let (sense, why) = out.unwrap_or(("scale", "no weight".to_owned()));
                degraded.push(sense.to_owned());
                let conclusion = Conclusion::unavailable(sense, &why);
                if sense == "scale" && self.senses.is_overloaded() { conclusion.too_heavy() } else { conclusion }
            }
        };
        let load = weighed.map(|(load, _)| load);
        let counted_from = load.map_or(began, |l| l.untouched_since.max(began));
        let seen = load.and_then(|l| self.senses.scene_of(&l).map(|s| s.crops.len()));
        let verdict = Arc::new(Verdict {
            validation_id: id.clone(),
            attempt,
            basket_id,
            revision,
            station_id: self.config.id.clone(),
            outcome: conclusion.outcome,
            passed: conclusion.outcome == Outcome::Pass,
            decided_at: now.wall,
            elapsed_ms: now.mono.ms_since(counted_from),
            weight: conclusion.weight,
            findings: conclusion.findings,
            check: conclusion.check,
            message: conclusion.message,
            degraded,
            exit_token: None,
            control_sample: conclusion.control_sample,
            seen,
            basis: conclusion.basis,
            versions: Versions { catalogue: self.catalogue.hash().to_owned(), ..self.config.versions.clone() },
        });
        if load.is_some() {
            self.owner = Some(id.clone());
        }
        if let Some(visit) = self.ledger.visit_mut(&id) {
            visit.decided(verdict.clone(), load);
        }
        self.save(Record::Attempt(verdict), AfterSave::Tell(id));
    }

    fn save(&mut self, record: Record, after: AfterSave) {
        let save = self.next_save;
        self.next_save += 1;
        self.outputs.push_back(Output::Save { save, record: record.clone() });
        self.waiting.insert(save, (record, after));
    }

    fn saved(&mut self, save: SaveId) {
        match self.waiting.remove(&save) {
            None | Some((_, AfterSave::Nothing)) => {}
            Some((_, AfterSave::Answer(ticket, answer))) => self.answer(ticket, Ok(answer)),
            Some((_, AfterSave::Staff(ticket, done))) => self.staff_saved(ticket, done),
            Some((_, AfterSave::Tell(id))) => {
                if let Some(visit) = self.ledger.visit_mut(&id) {
                    visit.saved();
                    if visit.is_closed() {
                        self.ledger.closed(&id);
                    }
                }
            }
        }
    }

    fn request(&mut self, now: Now, ticket: Ticket, request: Request) {
        let done = if self.waiting.len() >= limits::WAITING_REQUESTS_MAX {
            Err(Refusal::Busy)
        } else {
            match request {
                Request::PutBasket { id, basket } => self.put_basket(now, id, basket),
                Request::DeleteBasket { id } => {
                    self.ledger.delete(&id).map(|()| (Some(Record::BasketDeleted { id }), Answer::BasketDeleted))
                }
                Request::Validate { id, basket_id, station_code } => self.validate(now, id, basket_id, &station_code),
                Request::Retry { id } => self.retry(now, &id),
                Request::Mark { id, mark } => self.mark(now, id, mark),
                Request::Dossier { id } => self.dossier(&id),
                Request::Resolve { id, deed } => return self.or_refuse(ticket, |m| m.resolve(now, ticket, &id, *deed)),
                Request::Undo { id, number, by } => {
                    return self.or_refuse(ticket, |m| m.undo(now, ticket, id, number, by));
                }
                Request::Service { serves, why, by } => return self.service(now, ticket, serves, why, by),
            }
        };
        match done {
            Ok((Some(record), answer)) => self.save(record, AfterSave::Answer(ticket, answer)),
            Ok((None, answer)) => self.answer(ticket, Ok(answer)),
            Err(refusal) => self.answer(ticket, Err(refusal)),
        }
    }

    fn where_it_stands(&self, visit: &Visit) -> ValidationState {
        if self.active.as_ref() != Some(&visit.id) {
            ValidationState::Aside
        } else if self.owner.is_some() && self.owner != self.active {
            ValidationState::PlateOccupied
        } else if self.senses.is_loaded() {
            ValidationState::Judging
        } else if self.senses.is_empty() {
            ValidationState::WaitingForLoad
        } else {
            ValidationState::Weighing
        }
    }

    /// Tells every validation whose view has changed.
    fn publish(&mut self) {
        let active = self.active.iter().cloned();
        let known: Vec<ValidationId> = self.published.keys().cloned().chain(active).collect();
        for id in known {
            let Some(view) = self.ledger.visit(&id).map(|v| v.view(self.where_it_stands(v))) else {
                self.published.remove(&id);
                continue;
            };
            let ended = view.state == ValidationState::Closed && self.active.as_ref() != Some(&id);
            if self.published.get(&id) == Some(&view) {
                if ended {
                    self.published.remove(&id);
                }
                continue;
            }
            if ended {
                self.published.remove(&id);
            } else {
                self.published.insert(id, view.clone());
            }
            self.outputs.push_back(Output::Publish(view));
        }
    }
}
