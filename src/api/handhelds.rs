//! Pairing a handheld of the store.

use super::guard::address;
use super::hub::Hub;
use super::problem::{Body, Problem};
use crate::access::credential;
use crate::access::who::Who;
use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Body of `POST /v1/handhelds`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Eight digits, as the display shows them.
    code: String,
    /// By which people know it.
    #[schemars(length(min = 1, max = 64))]
    name: String,
}

/// `POST /v1/handhelds`: with the code that the display shows, a token for this handheld; told once.
pub async fn pair(State(hub): State<Hub>, request: Request) -> Result<(StatusCode, Json<Value>), Problem> {
    let (address, now) = (address(&request), hub.clock.now());
    if hub.access.throttle(|throttle| throttle.is_blocked(address, now.mono)) {
        return Err(Problem::too_often());
    }
    let Body(Pair { code, name }) = Body::<Pair>::from_request(request, &()).await?;
    if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_name", "name: 1 to 64 characters"));
    }
    if !hub.access.pairing.is_good(&code, now.wall) {
        hub.access.throttle(|throttle| throttle.failed(address, now.mono));
        return Err(Problem::new(StatusCode::FORBIDDEN, "bad_pairing_code", "this is not the code on the display"));
    }
    let token = credential::generate().map_err(|_| Problem::no_answer())?;
    let digest = credential::digest(&token);
    let kept = name.clone();
    let number = hub
        .write(move |store| store.add_credential(Who::Handheld.as_str(), &kept, &digest, now.wall))
        .await
        .map_err(|error| {
        tracing::error!(%error, "cannot write to the store");
        Problem::no_answer()
    })?;
    let number = number.ok_or_else(Problem::busy)?;
    tracing::info!(number, name, "a handheld was paired");
    Ok((StatusCode::CREATED, Json(json!({ "number": number, "token": token }))))
}
