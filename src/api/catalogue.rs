//! The shop's products, from the back office.

use super::hub::Hub;
use super::problem::{Body, BodyWithin, Problem};
use crate::io::clock::Clock;
use crate::io::store::{CatalogueFormat, Patched, StoreError};
use augenmass_core::goods::Row;
use augenmass_core::units::ProductId;
use axum::Json;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

/// Largest catalogue, bytes: 200 000 products of 400 bytes.
pub const CATALOGUE_MAX: usize = 80 * 1024 * 1024;
/// Faults that are told; who has more has another file in mind.
const TOLD_MAX: usize = 1000;

/// `PUT /v1/catalogue`: NDJSON or CSV, whole or not at all.
pub async fn put(State(hub): State<Hub>, headers: HeaderMap, request: Request) -> Result<Json<Value>, Problem> {
    let format = format(&headers)?;
    let within = BodyWithin::of(&request).0 * 3;
    let read = tokio::time::timeout(within, String::from_request(request, &()));
    let body = read.await.map_err(|_| Problem::too_slow())?.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", rejection.body_text())
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed_text", "the body is not UTF-8, or it broke off"),
    })?;
    let now = Clock::start().now().wall;
    let done = hub.write(move |store| store.import_catalogue(&body, format, now)).await;
    match done {
        Ok(version) => {
            Ok(Json(json!({ "version": version.version, "products": version.products, "hash": version.hash })))
        }
        Err(StoreError::Catalogue(faults)) => {
            let told =
                faults.0.iter().take(TOLD_MAX).map(|fault| format!("line {}: {}", fault.line, fault.what)).collect();
            let detail = format!("{} faults; nothing was changed", faults.0.len());
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_catalogue", detail).with_faults(told))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// `PATCH /v1/catalogue/{id}`: changes what it names of one product (RFC 7396).
pub async fn patch(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Body(patch): Body<Map<String, Value>>,
) -> Result<Json<Row>, Problem> {
    let id: ProductId = id.try_into().map_err(|error| Problem::bad_id(&error))?;
    let now = Clock::start().now().wall;
    match hub.write(move |store| store.patch_product(&id, &patch, now)).await {
        Ok(Patched::Product(product)) => Ok(Json(Row::from(product.as_ref()))),
        Ok(Patched::Unknown) => Err(Problem::new(StatusCode::NOT_FOUND, "unknown_product", "no such product")),
        Ok(Patched::Refused(faults)) => {
            let detail = "the product would not be one; nothing was changed";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_product", detail).with_faults(faults))
        }
        Err(error) => Err(failed(&error)),
    }
}

fn format(headers: &HeaderMap) -> Result<CatalogueFormat, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "text/csv" => Ok(CatalogueFormat::Csv),
        "application/x-ndjson" | "application/jsonl" => Ok(CatalogueFormat::Ndjson),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_a_catalogue",
            "send content-type: application/x-ndjson or text/csv",
        )),
    }
}

fn failed(error: &StoreError) -> Problem {
    tracing::error!(%error, "cannot write to the store");
    Problem::no_answer()
}
