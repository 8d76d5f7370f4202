//! The queue as it is, and as it changes; and one basket of it with everything that is known.

use super::super::enrolment::{MAY_ENROL, Progress};
use super::super::hub::Hub;
use super::super::problem::Problem;
use super::super::validations::parse;
use super::door::still_good;
use super::nobody;
use crate::access::who::{Caller, Person, Who};
use augenmass_core::desk::{Board, Case, limits};
use augenmass_core::station::{Answer, Request, ValidationState, ValidationView};
use augenmass_core::units::{ValidationId, Wall};
use augenmass_core::verdict::{Message, Verdict};
use axum::extract::{Path, State};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::{Extension, Json};
use futures_util::stream::{Stream, unfold};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

/// Claims run out and the plate changes without anybody saying so: looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A stream's session is looked at this often.
const SESSION_EVERY: Duration = Duration::from_secs(2);
/// So often a stream says that it is there.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

fn case(view: &ValidationView) -> Case {
    let verdict = view.verdict.as_deref();
    Case {
        validation_id: view.validation_id.clone(),
        basket_id: view.basket_id.clone(),
        closed: view.state == ValidationState::Closed,
        staff_called: view.staff_called,
        attempt: view.attempt,
        corrections: view.corrections,
        outcome: verdict.map(|verdict| verdict.outcome),
        void: view.void,
        control_sample: verdict.is_some_and(|verdict| verdict.control_sample),
        age_check: verdict.is_some_and(|verdict| matches!(verdict.message, Message::AgeCheck { .. })),
        decided_at: verdict.map(|verdict| verdict.decided_at),
        finding: verdict.and_then(|verdict| verdict.findings.first()).map(|finding| finding.kind),
        off_g: verdict.and_then(off_g),
    }
}

fn off_g(verdict: &Verdict) -> Option<f64> {
    verdict.weight.map(|weight| ((weight.measured_g - weight.expected_g) * 10.0).round() / 10.0)
}

impl Hub {
    /// Brings the board up to how all validations stand now.
    pub(super) fn look(&self, board: &mut Board) -> Wall {
        let now = self.clock.now().wall;
        let cases: Vec<Case> = self.views.borrow().values().map(case).collect();
        board.observe(now, cases);
        now
    }

    async fn queue_for(&self, person: &Person) -> Value {
        let mut board = self.board.lock().await;
        let now = self.look(&mut board);
        let queue = board.queue(now);
        drop(board);
        let station = self.station.borrow().clone();
        json!({ "queue": queue, "done": self.done_lately(now, person),
            "station": { "state": station.state, "out_of_service": station.out_of_service } })
    }

    /// What can still be taken back.
    fn done_lately(&self, now: Wall, person: &Person) -> Vec<Value> {
        let views = self.views.borrow();
        let held = views.values().filter_map(|view| view.resolution.as_ref());
        held.filter(|done| now.ms() - done.at.ms() <= limits::UNDO_MS)
            .map(|done| {
                json!({ "validation_id": done.validation_id, "basket_id": done.basket_id, "number": done.number,
                    "action": done.action, "reason": done.reason, "by": done.by.name,
                    "undo_until_ms": done.at.ms() + limits::UNDO_MS,
                    "may_undo": Board::may_undo(now, &done.by, done.at, &person.staff).is_ok() })
            })
            .collect()
    }
}

/// `GET /v1/staff/queue`: what needs somebody, the most pressing first, and what can still be taken back.
pub async fn queue(State(hub): State<Hub>, Extension(caller): Extension<Caller>) -> Result<Json<Value>, Problem> {
    let Caller::Staff(person) = caller else { return Err(nobody()) };
    Ok(Json(at_present(&hub, hub.queue_for(&person).await)))
}

/// With the station's time, so that a tablet whose clock is wrong shows the right waiting times.
fn at_present(hub: &Hub, mut queue: Value) -> Value {
    queue["now_ms"] = json!(hub.clock.now().wall.ms());
    queue
}

/// `GET /v1/staff/events`: the same whenever it changes, as `queue`; for who may enrol at a station that has a camera, how far that has come, as
/// `enrolment`; at the end of the session `logged_out`.
pub async fn events(
    State(hub): State<Hub>,
    Extension(caller): Extension<Caller>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let Caller::Staff(person) = caller else { return Err(nobody()) };
    let place = hub.streams.clone().try_acquire_owned().map_err(|_| Problem::busy())?;
    let (views, news) = (hub.views.clone(), hub.board_news.subscribe());
    let enrols = MAY_ENROL.contains(&Who::of(person.staff.role));
    let mut enrolment = hub.enrolment.as_ref().filter(|_| enrols).map(|door| door.progress.clone());
    if let Some(progress) = &mut enrolment {
        progress.mark_changed();
    }
    let looked = Instant::now();
    let told = Told { hub, person, views, news, enrolment, told: Value::Null, looked, ended: false, _place: place };
    Ok(Sse::new(unfold(told, next)).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

struct Told {
    hub: Hub,
    person: Arc<Person>,
    views: watch::Receiver<super::super::hub::Views>,
    news: watch::Receiver<u64>,
    enrolment: Option<watch::Receiver<Option<Progress>>>,
    told: Value,
    looked: Instant,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

/// How far an enrolment has come, where that has changed since it was told.
fn enrolled_since(progress: &mut Option<watch::Receiver<Option<Progress>>>) -> Option<Option<Progress>> {
    let progress = progress.as_mut().filter(|progress| progress.has_changed().is_ok_and(|changed| changed))?;
    Some(progress.borrow_and_update().clone())
}

/// Waits until an enrolment has come further; for ever where none is told.
async fn news_of(progress: &mut Option<watch::Receiver<Option<Progress>>>) {
    if let Some(progress) = progress
        && progress.changed().await.is_ok()
    {
        // Waiting has marked it as told, which it is not yet.
        progress.mark_changed();
    } else {
        std::future::pending().await
    }
}

async fn next(mut stream: Told) -> Option<(Result<Event, Infallible>, Told)> {
    if stream.ended {
        return None;
    }
    loop {
        stream.views.mark_unchanged();
        stream.news.mark_unchanged();
        if stream.looked.elapsed() >= SESSION_EVERY {
            stream.looked = Instant::now();
            if !still_good(&stream.hub, &stream.person).await {
                stream.ended = true;
                return Some((Ok(Event::default().event("logged_out").data("{}")), stream));
            }
        }
        let queue = stream.hub.queue_for(&stream.person).await;
        if queue != stream.told {
            stream.told = queue.clone();
            let data = at_present(&stream.hub, queue).to_string();
            return Some((Ok(Event::default().event("queue").data(data)), stream));
        }
        if let Some(progress) = enrolled_since(&mut stream.enrolment) {
            return Some((Ok(Event::default().event("enrolment").data(json!(progress).to_string())), stream));
        }
        tokio::select! {
            () = news_of(&mut stream.enrolment) => {}
            changed = stream.views.changed() => if changed.is_err() { return None },
            changed = stream.news.changed() => if changed.is_err() { return None },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// `GET /v1/staff/validations/{id}`: the list with names, masses and prices, the verdicts of all attempts, who looks after it
/// and what waits for a second person.
pub async fn of_validation(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Problem> {
    let Caller::Staff(person) = caller else { return Err(nobody()) };
    let id = parse(id)?;
    let Answer::Dossier(dossier) = hub.ask(Request::Dossier { id: id.clone() }).await? else {
        return Err(Problem::no_answer());
    };
    let view = hub.views.borrow().get(&id).cloned();
    let wanted = id.clone();
    let verdicts = hub.read(move |store| store.verdicts(&wanted)).await?;
    // One that is not published yet is not told yet.
    let known = view.as_ref().map_or(u32::MAX, |view| view.attempt);
    let mut attempts = Vec::new();
    for verdict in verdicts.into_iter().filter(|verdict| verdict.attempt <= known) {
        attempts.push(hub.with_pictures(verdict).await?);
    }
    let mut board = hub.board.lock().await;
    let now = hub.look(&mut board);
    Ok(Json(json!({
        "dossier": dossier,
        "state": view.as_ref().map(|view| view.state),
        "staff_called": view.as_ref().is_some_and(|view| view.staff_called),
        "void": view.as_ref().is_some_and(|view| view.void),
        "verdict": attempts.last(),
        "attempts": attempts,
        "resolution": view.and_then(|view| view.resolution),
        "claim": claim(&board, &id, now, &person),
        "proposal": board.proposal(&id).map(|proposal| json!({ "by": proposal.by.name, "action": proposal.wanted.action,
            "reason": proposal.wanted.reason, "value_minor": proposal.stake.value_minor,
            "may_confirm": board.confirm(&id, &person.staff).is_ok() })),
        "since_ms": board.since(&id).map(Wall::ms),
        "four_eyes_above_minor": board.rules().four_eyes_above_minor,
        "now_ms": now.ms(),
    })))
}

pub(super) fn claim(board: &Board, id: &ValidationId, now: Wall, person: &Person) -> Option<Value> {
    let claim = board.claim_of(id, now)?;
    let mine = claim.by.account == person.staff.account;
    Some(json!({ "by": claim.by.name, "mine": mine, "until_ms": claim.until.ms() }))
}
