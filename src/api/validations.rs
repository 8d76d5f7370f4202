//! A basket's validation at this station: open, wait for verdicts, try again.

use super::hub::Hub;
use super::openapi::Id;
use super::problem::{Body, Problem};
use crate::access::who::Caller;
use augenmass_core::station::{Answer, Mark, Request, ValidationState, ValidationView};
use augenmass_core::units::{BasketId, ValidationId};
use augenmass_core::verdict::Outcome;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait of one request, seconds: shorter than what proxies and handhelds cut off.
const WAIT_MAX_S: u64 = 30;

/// Body of `POST /v1/validations`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    #[schemars(with = "Id")]
    basket_id: BasketId,
    /// The code on the station, or its identifier.
    station_code: String,
}

/// Query of `GET /v1/validations/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    #[serde(default)]
    wait: u64,
    after: Option<u32>,
}

pub(super) fn parse(id: String) -> Result<ValidationId, Problem> {
    id.try_into().map_err(|error| Problem::bad_id(&error))
}

/// `POST /v1/validations`: 201, and 200 with the same one while one is open for the basket.
pub async fn open(
    State(hub): State<Hub>,
    Extension(caller): Extension<Caller>,
    Body(open): Body<Open>,
) -> Result<Response, Problem> {
    if !caller.owns(&open.basket_id) {
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown_basket", "no such basket"));
    }
    let id = parse(format!("v-{}", uuid::Uuid::now_v7().simple()))?;
    let answer = hub.ask(Request::Validate { id, basket_id: open.basket_id, station_code: open.station_code }).await?;
    let Answer::Validation { id, created } = answer else { return Err(Problem::no_answer()) };
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let place = format!("/v1/validations/{id}");
    Ok((status, [(header::LOCATION, place)], Json(json!({ "validation_id": id }))).into_response())
}

/// `GET /v1/validations/{id}?wait=10&after=ATTEMPT`: as soon as an attempt later than `after` is decided, else after `wait` seconds.
pub async fn get(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    query: Result<Query<Wait>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<ValidationView>, Problem> {
    let id = parse(id)?;
    let Query(query) = query.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "bad_query", error.body_text()))?;
    let after = query.after.unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(query.wait.min(WAIT_MAX_S));
    let mut views = hub.views.clone();
    if !views.borrow().contains_key(&id) {
        return Ok(Json(hub.with_exit_token(stored(&hub, id).await?).await?));
    }
    let fits =
        |view: Option<&ValidationView>| view.is_none_or(|v| v.attempt > after || v.state == ValidationState::Closed);
    let waited = tokio::time::timeout_at(until, views.wait_for(|views| fits(views.get(&id)))).await;
    drop(waited);
    let view = views.borrow().get(&id).cloned();
    match view {
        Some(view) => Ok(Json(hub.with_exit_token(view).await?)),
        None => Ok(Json(hub.with_exit_token(stored(&hub, id).await?).await?)),
    }
}

/// One that has left the memory, as the store knows it.
pub(super) async fn stored(hub: &Hub, id: ValidationId) -> Result<ValidationView, Problem> {
    let wanted = id.clone();
    let found = hub
        .read(move |store| match store.validation(&wanted)? {
            None => Ok(None),
            Some(basket) => {
                let (verdicts, resolution) = (store.verdicts(&wanted)?, store.resolution(&wanted)?.0);
                Ok(Some((basket, verdicts, store.void(&wanted)?, store.marks(&wanted)?, resolution)))
            }
        })
        .await?;
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "unknown_validation", "no such validation");
    let (basket_id, mut verdicts, void, marks, resolution) = found.ok_or_else(unknown)?;
    let corrections = verdicts.iter().filter(|v| v.outcome == Outcome::Correct).count() as u32;
    let verdict = verdicts.pop();
    let passed = verdict.as_ref().is_some_and(|v| v.outcome == Outcome::Pass);
    let void = verdict.as_ref().is_some_and(|v| void == Some(v.attempt));
    let cancelled = marks.contains(&Mark::Cancelled);
    let state = if cancelled || resolution.is_some() || passed && !void {
        ValidationState::Closed
    } else {
        ValidationState::Aside
    };
    Ok(ValidationView {
        validation_id: id,
        basket_id,
        state,
        attempt: verdict.as_ref().map_or(0, |v| v.attempt),
        void,
        staff_called: marks.contains(&Mark::StaffCalled),
        cancelled,
        corrections,
        verdict,
        resolution,
    })
}

/// `POST /v1/validations/{id}/retry`: "I have put it right."
pub async fn retry(State(hub): State<Hub>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = parse(id)?;
    hub.ask(Request::Retry { id: id.clone() }).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "validation_id": id }))).into_response())
}

/// `POST /v1/validations/{id}/call-staff`: "somebody please come."
pub async fn call_staff(State(hub): State<Hub>, Path(id): Path<String>) -> Result<Response, Problem> {
    mark(&hub, id, Mark::StaffCalled).await
}

/// `POST /v1/validations/{id}/cancel`: the shopper gives it up; the basket can be changed, deleted, or validated anew.
pub async fn cancel(State(hub): State<Hub>, Path(id): Path<String>) -> Result<Response, Problem> {
    mark(&hub, id, Mark::Cancelled).await
}

async fn mark(hub: &Hub, id: String, mark: Mark) -> Result<Response, Problem> {
    let id = parse(id)?;
    hub.ask(Request::Mark { id: id.clone(), mark }).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "validation_id": id }))).into_response())
}

/// `GET /v1/validations/{id}/attempts/{n}`: one attempt's verdict, as it was stored; a pass that holds has its exit token.
pub async fn attempt(State(hub): State<Hub>, Path((id, number)): Path<(String, String)>) -> Result<Response, Problem> {
    let id = parse(id)?;
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "unknown_attempt", "no such attempt");
    let number: u32 = number.parse().map_err(|_| unknown())?;
    let verdicts = hub.read(move |store| store.verdicts_after(&id, number.saturating_sub(1))).await?;
    let verdict = verdicts.into_iter().next().filter(|v| v.attempt == number).ok_or_else(unknown)?;
    Ok(Json(hub.passed(verdict).await?).into_response())
}

/// `GET /v1/validations/{id}/attempts/{n}/crops/{k}`: one thing that the camera saw in a basket that did not pass, as JPEG, for as long as the
/// station keeps it.
pub async fn crop(
    State(hub): State<Hub>,
    Path((id, number, crop)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let id = parse(id)?;
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "unknown_crop", "no such picture, or it is kept no longer");
    let (Ok(number), Ok(crop)) = (number.parse::<u32>(), crop.parse::<u32>()) else { return Err(unknown()) };
    let now = hub.clock.now().wall;
    let jpeg = hub.read(move |store| store.crop(&id, number, crop, now)).await?.ok_or_else(unknown)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}
