//! The shopper's list.

use super::hub::Hub;
use super::problem::{Body, Problem};
use augenmass_core::basket::Basket;
use augenmass_core::station::{Answer, Request};
use augenmass_core::units::BasketId;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

fn parse(id: String) -> Result<BasketId, Problem> {
    id.try_into().map_err(|error| Problem::bad_id(&error))
}

/// `PUT /v1/baskets/{id}`: the whole list, idempotent.
pub async fn put(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Body(basket): Body<Basket>,
) -> Result<Response, Problem> {
    let id = parse(id)?;
    let revision = basket.revision;
    let answer = hub.ask(Request::PutBasket { id: id.clone(), basket }).await?;
    let created = answer == Answer::BasketKept { created: true };
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({ "basket_id": id, "revision": revision }))).into_response())
}

/// `GET /v1/baskets/{id}`.
pub async fn get(State(hub): State<Hub>, Path(id): Path<String>) -> Result<Json<Basket>, Problem> {
    let id = parse(id)?;
    let basket = hub.read(move |store| store.basket(&id)).await?;
    basket.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "unknown_basket", "no such basket"))
}

/// `DELETE /v1/baskets/{id}`.
pub async fn delete(State(hub): State<Hub>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = parse(id)?;
    hub.ask(Request::DeleteBasket { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}
