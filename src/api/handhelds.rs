//! Pairing a handheld of the store.

use super::guard::address;
use super::hub::Hub;
use super::problem::{Body, Problem};
use crate::access::client_certificate::Peer;
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
    /// Whether it is known by its client certificate from now on, which it shows with this request, instead of a token.
    #[serde(default)]
    certificate: bool,
}

/// `POST /v1/handhelds`: with the code that the display shows, a token for this handheld, told once; or its certificate is good from now on.
pub async fn pair(State(hub): State<Hub>, request: Request) -> Result<(StatusCode, Json<Value>), Problem> {
    let (address, now) = (address(&request), hub.clock.now());
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    if hub.access.throttle(|throttle| throttle.is_blocked(address, now.mono)) {
        return Err(Problem::too_often());
    }
    let Body(Pair { code, name, certificate }) = Body::<Pair>::from_request(request, &()).await?;
    if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_name", "name: 1 to 64 characters"));
    }
    if !hub.access.pairing.is_good(&code, now.wall) {
        hub.access.throttle(|throttle| throttle.failed(address, now.mono));
        return Err(Problem::new(StatusCode::FORBIDDEN, "bad_pairing_code", "this is not the code on the display"));
    }
    let shown = match (certificate, peer.now(now.wall).and_then(|certificate| certificate.names.first())) {
        (false, _) => None,
        (true, Some(shown)) => Some(shown.clone()),
        (true, None) => {
            let detail = "no certificate came with the connection, or it has no name, or this station asks for none";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no_certificate", detail));
        }
    };
    let token = credential::generate().map_err(|_| Problem::no_answer())?;
    let (digest, who) = (credential::digest(&token), Who::Handheld.as_str());
    let (kept, registered) = (name.clone(), shown.clone());
    let number = hub.write(move |store| match &registered {
        Some(certificate) => store.add_certificate(who, &kept, certificate, &digest, now.wall),
        None => store.add_credential(who, &kept, &digest, now.wall),
    });
    let number = number.await.map_err(|error| {
        tracing::error!(%error, "cannot write to the store");
        Problem::no_answer()
    })?;
    let told = match (number, shown) {
        (Some(number), Some(certificate)) => json!({ "number": number, "certificate": certificate }),
        (Some(number), None) => json!({ "number": number, "token": token }),
        (None, None) => return Err(Problem::busy()),
        (None, Some(_)) => {
            let detail = "a certificate with this name is registered here already";
            return Err(Problem::new(StatusCode::CONFLICT, "certificate_known", detail));
        }
    };
    tracing::info!(number, name, "a handheld was paired");
    Ok((StatusCode::CREATED, Json(told)))
}
