//! For the gate: keys to verify exit tokens by, and using one up.

use super::hub::Hub;
use super::problem::{Body, Problem};
use crate::access::exit_token::TokenFault;
use crate::io::clock::Clock;
use crate::io::store::Redeemed;
use augenmass_core::station::ValidationView;
use augenmass_core::verdict::{Outcome, Verdict};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Body of `POST /v1/exit-tokens/redeem`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    token: String,
}

/// `GET /.well-known/jwks.json`.
pub async fn jwks(State(hub): State<Hub>) -> Json<Value> {
    Json(hub.access.exit.jwks())
}

/// `POST /v1/exit-tokens/redeem`: lets one token through once. A second time, an expired one, and one whose pass is void are refused.
pub async fn redeem(State(hub): State<Hub>, Body(Redeem { token }): Body<Redeem>) -> Result<Json<Value>, Problem> {
    let now = Clock::start().now().wall;
    let claims = hub.access.exit.verify(&token, now).map_err(|fault| match fault {
        TokenFault::NotOurs => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_token", fault.to_string()),
        TokenFault::Expired => Problem::new(StatusCode::GONE, "token_expired", fault.to_string()),
    })?;
    let (id, attempt) = (claims.validation_id.clone(), claims.attempt);
    let redeemed = hub.write(move |store| store.redeem(&id, attempt, now)).await.map_err(|error| {
        tracing::error!(%error, "cannot write to the store");
        Problem::no_answer()
    })?;
    let refused = |status, code, detail: &str| Err(Problem::new(status, code, detail));
    match redeemed {
        Redeemed::Now => Ok(Json(json!({ "validation_id": claims.validation_id, "attempt": attempt,
            "basket_id": claims.sub, "basket_hash": claims.basket_hash }))),
        Redeemed::Before => refused(StatusCode::CONFLICT, "token_used", "the exit token was used before"),
        Redeemed::Void => {
            refused(StatusCode::CONFLICT, "token_void", "goods were added after the pass; it does not hold any more")
        }
        Redeemed::Unknown => refused(StatusCode::UNPROCESSABLE_ENTITY, "bad_token", "no such pass"),
    }
}

impl Hub {
    /// A view whose pass, if it holds, has its exit token, and whose findings have their pictures.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn with_exit_token(&self, view: ValidationView) -> Result<ValidationView, Problem> {
        let Some(verdict) = &view.verdict else { return Ok(view) };
        let verdict = self.passed(verdict.clone()).await?;
        Ok(ValidationView { verdict: Some(verdict), ..view })
    }

    /// A verdict; with its exit token if it is a pass that holds, else with the pictures of its findings.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn passed(&self, verdict: Arc<Verdict>) -> Result<Arc<Verdict>, Problem> {
        if verdict.outcome != Outcome::Pass {
            return self.with_pictures(verdict).await;
        }
        let (id, attempt) = (verdict.validation_id.clone(), verdict.attempt);
        let pass = self.read(move |store| store.pass(&id, attempt)).await?;
        let Some(pass) = pass.filter(|pass| !pass.void) else { return Ok(verdict) };
        let exit_token = self.access.exit.token(&verdict, &pass.basket_hash);
        Ok(Arc::new(Verdict { exit_token, ..verdict.as_ref().clone() }))
    }
}
