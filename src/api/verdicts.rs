//! What the back office pulls: verdicts one a line, in words of POSLog, behind a number that it remembers.

use super::hub::Hub;
use super::openapi::shapes;
use super::problem::Problem;
use crate::io::store::{StoreError, Told, ToldKind};
use augenmass_core::units::{BasketId, StationId, Wall};
use augenmass_core::verdict::{Outcome, Verdict};
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;

/// Lines of one answer, if nothing is said.
const LINES_USUAL: u32 = 1_000;
/// And at most.
pub const LINES_MAX: u32 = 10_000;
/// Lines held in memory at one time.
const PAGE: u32 = 32;

/// Query of `GET /v1/verdicts`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pull {
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum TransactionType {
    /// An attempt of a validation was decided.
    BasketValidation,
    /// A pass that was told before holds no more: goods were added before the basket left the plate.
    PostVoid,
}

/// A line of the list that was judged.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct LineItem {
    /// Place on the list, from 1.
    sequence_number: u32,
    sale: Sale,
}

/// What was scanned.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Sale {
    /// The code as scanned.
    #[serde(rename = "POSIdentity")]
    pos_identity: String,
    /// Units.
    quantity: u32,
}

/// The transaction that another one is about.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct TransactionLink {
    /// Its `TransactionID`.
    #[serde(rename = "TransactionID")]
    transaction_id: String,
}

/// One line of `GET /v1/verdicts`.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Transaction {
    /// The cursor: remember the last one, and go on with `after`. Counts up; gaps mean nothing.
    sequence_number: i64,
    /// Validation and attempt; with `/void` for a `PostVoid`. Unique for ever.
    #[serde(rename = "TransactionID")]
    transaction_id: String,
    transaction_type: TransactionType,
    /// The station.
    #[serde(rename = "WorkstationID")]
    #[schemars(with = "shapes::Id")]
    workstation_id: StationId,
    /// The basket.
    #[serde(rename = "BasketID")]
    #[schemars(with = "shapes::Id")]
    basket_id: BasketId,
    /// Revision of the list that was judged.
    revision_number: u64,
    /// When the validation was opened, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    begin_date_time: String,
    /// When this was decided, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    end_date_time: String,
    /// What was concluded.
    #[schemars(with = "shapes::Outcome")]
    outcome: Outcome,
    /// The list that was judged; `null` for a `PostVoid`.
    line_item: Option<Vec<LineItem>>,
    /// The whole verdict, without an exit token; `null` for a `PostVoid`.
    #[schemars(with = "Option<shapes::Verdict>")]
    verdict: Option<Verdict>,
    /// For a `PostVoid`: the pass that holds no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transaction_link: Option<TransactionLink>,
}

fn time(at: Wall) -> String {
    jiff::Timestamp::from_millisecond(at.ms()).map(|at| format!("{at:.3}")).unwrap_or_default()
}

impl From<Told> for Transaction {
    fn from(told: Told) -> Self {
        let Told { sequence, kind, opened_at, at, list, verdict } = told;
        let named = format!("{}/{}", verdict.validation_id, verdict.attempt);
        let is_void = kind == ToldKind::Void;
        let items = |(line, sent): (usize, augenmass_core::basket::Line)| LineItem {
            sequence_number: line as u32 + 1,
            sale: Sale { pos_identity: sent.code, quantity: sent.quantity },
        };
        Self {
            sequence_number: sequence,
            transaction_id: if is_void { format!("{named}/void") } else { named.clone() },
            transaction_type: if is_void { TransactionType::PostVoid } else { TransactionType::BasketValidation },
            workstation_id: verdict.station_id.clone(),
            basket_id: verdict.basket_id.clone(),
            revision_number: verdict.revision,
            begin_date_time: time(opened_at),
            end_date_time: time(at),
            outcome: verdict.outcome,
            line_item: list.map(|list| list.lines.into_iter().enumerate().map(items).collect()),
            transaction_link: is_void.then_some(TransactionLink { transaction_id: named }),
            verdict: (!is_void).then_some(verdict),
        }
    }
}

/// `GET /v1/verdicts?after=N&limit=M`: what was decided behind N, oldest first, as NDJSON. Written while it is read, a few lines at a time.
pub async fn pull(State(hub): State<Hub>, query: Result<Query<Pull>, QueryRejection>) -> Result<Response, Problem> {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail);
    let Query(Pull { after, limit }) = query.map_err(|error| bad(error.body_text()))?;
    let limit = limit.unwrap_or(LINES_USUAL);
    if !(1..=LINES_MAX).contains(&limit) {
        return Err(bad(format!("limit: 1 to {LINES_MAX}")));
    }
    let after = i64::try_from(after).map_err(|_| bad("after: no such number".to_owned()))?;
    let last = hub.read(|store| store.last_told()).await?;
    if after > last {
        let detail = format!("nothing later than {last} was ever told here: the station's data is new, begin at 0");
        return Err(Problem::new(StatusCode::CONFLICT, "unknown_cursor", detail));
    }
    let place = hub.streams.clone().try_acquire_owned().map_err(|_| Problem::busy())?;
    // Up to what there is now, so that an answer ends.
    let walk = Walk { hub, after, last, left: limit, _place: place };
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(try_unfold(walk, next))).into_response())
}

/// How far an answer has come.
struct Walk {
    hub: Hub,
    after: i64,
    last: i64,
    left: u32,
    _place: OwnedSemaphorePermit,
}

/// The connection is broken off where the store cannot be read: what was sent up to then is whole lines.
async fn next(mut walk: Walk) -> Result<Option<(Bytes, Walk)>, StoreError> {
    if walk.left == 0 || walk.after >= walk.last {
        return Ok(None);
    }
    let (after, wanted) = (walk.after, walk.left.min(PAGE));
    let told = walk.hub.read(move |store| store.told_after(after, wanted)).await.map_err(|_| StoreError::GivenUp)?;
    let mut lines = Vec::new();
    for told in told.into_iter().filter(|told| told.sequence <= walk.last) {
        walk.after = told.sequence;
        walk.left -= 1;
        serde_json::to_writer(&mut lines, &Transaction::from(told)).map_err(|_| StoreError::GivenUp)?;
        lines.push(b'\n');
    }
    Ok(if lines.is_empty() { None } else { Some((Bytes::from(lines), walk)) })
}
