//! What happens to a validation, as it happens: server-sent events that can be taken up again.

use super::hub::{Hub, Views};
use super::problem::Problem;
use super::validations::{parse, stored};
use augenmass_core::station::{ValidationState, ValidationView};
use augenmass_core::units::ValidationId;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{Stream, unfold};
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// So often a stream says that it is there, so that proxies keep it and a client that is gone is noticed.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// `GET /v1/validations/{id}/events`: `state` whenever it changes, `verdict` with the number of its attempt as the event's id, `resolution` when staff has
/// ended it. With
/// `Last-Event-ID: N` it goes on behind attempt N and leaves none out; without, it begins with the first attempt.
pub async fn of_validation(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let id = parse(id)?;
    let told = match headers.get("last-event-id").map(|value| value.to_str().ok().and_then(|text| text.parse().ok())) {
        None => 0,
        Some(Some(attempt)) => attempt,
        Some(None) => {
            let detail = "Last-Event-ID is the number of an attempt";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_event_id", detail));
        }
    };
    let place = hub.streams.clone().try_acquire_owned().map_err(|_| Problem::busy())?;
    let views = hub.views.clone();
    // One that is not in memory any more has nothing to come: what there was is told, and the stream ends.
    let past = if views.borrow().contains_key(&id) { None } else { Some(stored(&hub, id.clone()).await?) };
    let state = Told {
        hub,
        id,
        views,
        told,
        state: None,
        resolution: None,
        ready: VecDeque::new(),
        past,
        ended: false,
        _place: place,
    };
    Ok(Sse::new(unfold(state, next)).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

/// How far a client has been told.
struct Told {
    hub: Hub,
    id: ValidationId,
    views: watch::Receiver<Views>,
    /// The last attempt that it knows.
    told: u32,
    state: Option<(ValidationState, bool, bool)>,
    /// The resolution that it knows.
    resolution: Option<u32>,
    ready: VecDeque<Event>,
    past: Option<ValidationView>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

async fn next(mut told: Told) -> Option<(Result<Event, Infallible>, Told)> {
    loop {
        if let Some(event) = told.ready.pop_front() {
            return Some((Ok(event), told));
        }
        if told.ended {
            return None;
        }
        let view = match told.past.take() {
            Some(view) => {
                told.ended = true;
                Some(view)
            }
            None => told.views.borrow_and_update().get(&told.id).cloned(),
        };
        // It has left the memory while this stream ran: whoever wants to know more asks again.
        let view = view?;
        told.take(&view).await.ok()?;
        if told.ready.is_empty() && !told.ended && told.views.changed().await.is_err() {
            return None;
        }
    }
}

impl Told {
    /// Makes events of what is new in a view.
    async fn take(&mut self, view: &ValidationView) -> Result<(), Problem> {
        if view.attempt > self.told {
            let after = self.told;
            let next = view.verdict.clone().filter(|verdict| verdict.attempt == after + 1);
            let verdicts = match next {
                Some(verdict) => vec![verdict],
                None => {
                    let id = self.id.clone();
                    self.hub.read(move |store| store.verdicts_after(&id, after)).await?
                }
            };
            for verdict in verdicts.into_iter().filter(|verdict| verdict.attempt <= view.attempt) {
                let attempt = verdict.attempt.to_string();
                let verdict = self.hub.passed(verdict).await?;
                // A verdict always serialises: it was read from JSON.
                let data = serde_json::to_string(&verdict).unwrap_or_default();
                self.ready.push_back(Event::default().event("verdict").id(attempt).data(data));
            }
            self.told = view.attempt;
        }
        let number = view.resolution.as_ref().map(|resolution| resolution.number);
        if self.resolution != number {
            self.resolution = number;
            if let Some(resolution) = &view.resolution {
                let told = self.hub.approved(resolution.clone()).await?;
                // It always serialises: numbers and texts.
                let data = serde_json::to_string(&told.told()).unwrap_or_default();
                self.ready.push_back(Event::default().event("resolution").data(data));
            }
        }
        let state = (view.state, view.void, view.staff_called);
        if self.state != Some(state) {
            self.state = Some(state);
            let data = json!({ "validation_id": view.validation_id, "state": view.state, "attempt": view.attempt,
                "void": view.void, "staff_called": view.staff_called, "cancelled": view.cancelled });
            self.ready.push_back(Event::default().event("state").data(data.to_string()));
        }
        Ok(())
    }
}
