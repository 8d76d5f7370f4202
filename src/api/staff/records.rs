//! The record of what was done, the day in numbers, weights that are wrong, and taking the station out of service.

use super::super::hub::Hub;
use super::super::problem::{Body, Problem};
use super::{nobody, not_kept};
use crate::access::who::Caller;
use crate::io::store::Numbers;
use augenmass_core::desk::limits::NOTE_MAX;
use augenmass_core::goods::catalogue::hex;
use augenmass_core::station::Request;
use augenmass_core::units::{ProductId, Wall};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

/// Entries of one answer.
const PAGE_MAX: u32 = 500;
/// A week.
const HOURS_MAX: i64 = 168;

/// Query of `GET /v1/audit`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default)]
    after: i64,
    limit: Option<u32>,
}

/// Query of `GET /v1/staff/numbers`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    hours: Option<i64>,
}

/// Body of `POST /v1/staff/products/{id}/weight-wrong`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightWrong {
    #[serde(default)]
    note: String,
}

/// Body of `POST /v1/staff/service`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    serves: bool,
    #[serde(default)]
    why: String,
}

fn bad_query(rejection: &QueryRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_query", rejection.body_text())
}

fn note(text: String, what: &str) -> Result<String, Problem> {
    if text.chars().count() > NOTE_MAX || text.chars().any(char::is_control) {
        let detail = format!("{what}: {NOTE_MAX} characters at most");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_text", detail));
    }
    Ok(text)
}

/// `GET /v1/audit?after=N&limit=M`: the record of what was done, with the hashes of its chain.
pub async fn audit(State(hub): State<Hub>, query: Result<Query<Page>, QueryRejection>) -> Result<Json<Value>, Problem> {
    let Query(Page { after, limit }) = query.map_err(|rejection| bad_query(&rejection))?;
    let most = limit.unwrap_or(PAGE_MAX);
    if after < 0 || !(1..=PAGE_MAX).contains(&most) {
        let detail = format!("after: 0 or more; limit: 1 to {PAGE_MAX}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail));
    }
    let entries = hub.read(move |store| store.audit(after, most)).await?;
    let entries: Vec<Value> = entries
        .iter()
        .map(|entry| json!({ "number": entry.number, "act": entry.act, "hash": hex(&entry.hash) }))
        .collect();
    Ok(Json(json!({ "entries": entries })))
}

/// `GET /v1/staff/numbers?hours=24`: what happened, counted. Nobody is in it by name.
pub async fn numbers(
    State(hub): State<Hub>,
    query: Result<Query<Span>, QueryRejection>,
) -> Result<Json<Numbers>, Problem> {
    let Query(Span { hours }) = query.map_err(|rejection| bad_query(&rejection))?;
    let hours = hours.unwrap_or(24);
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", format!("hours: 1 to {HOURS_MAX}")));
    }
    let since = Wall::from_ms(hub.clock.now().wall.ms() - hours * 3_600_000);
    Ok(Json(hub.read(move |store| store.numbers(since)).await?))
}

/// `POST /v1/staff/products/{id}/weight-wrong`: what is believed of a product's mass counts for little until visits have taught it anew.
pub async fn weight_wrong(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    Body(WeightWrong { note: text }): Body<WeightWrong>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Caller::Staff(person) = caller else { return Err(nobody()) };
    let id: ProductId = id.try_into().map_err(|error| Problem::bad_id(&error))?;
    let (now, text, product) = (hub.clock.now().wall, note(text, "note")?, id.clone());
    let marked = hub
        .write(move |store| {
            let known = store.products(None)?.is_some_and(|products| products.iter().any(|own| own.id == product));
            if known {
                store.doubt_weight(&product, &text, &person.staff, now)?;
            }
            Ok(known)
        })
        .await;
    if !marked.map_err(|error| not_kept(&error))? {
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown_product", "no such product"));
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "product_id": id }))))
}

/// `POST /v1/staff/service`: takes the station out of service, or puts it back. Baskets under validation are served to their end.
pub async fn service(
    State(hub): State<Hub>,
    Extension(caller): Extension<Caller>,
    Body(Service { serves, why }): Body<Service>,
) -> Result<Json<Value>, Problem> {
    let Caller::Staff(person) = caller else { return Err(nobody()) };
    let why = note(why, "why")?;
    hub.ask(Request::Service { serves, why, by: person.staff.clone() }).await?;
    hub.board_news.send_modify(|news| *news += 1);
    Ok(Json(json!({ "serves": serves })))
}
