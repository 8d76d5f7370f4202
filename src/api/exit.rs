//! For the gate: keys to verify exit tokens by, and using one up.

use super::hub::Hub;
use super::problem::{Body, Problem};
use crate::access::exit_token::TokenFault;
use crate::io::clock::Clock;
use crate::io::store::{Database, Redeemed};
use augenmass_core::station::ValidationView;
use augenmass_core::verdict::{Action, Outcome, Resolution, Verdict};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Body of `POST /v1/exit-tokens/redeem`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    /// The exit token.
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
    let approval = claims.resolution;
    let redeem = move |store: &mut Database| match approval {
        None => store.redeem(&id, attempt, now),
        Some(number) => store.redeem_approval(&id, number, now),
    };
    let redeemed = hub.write(redeem).await.map_err(|error| {
        tracing::error!(%error, "cannot write to the store");
        Problem::no_answer()
    })?;
    let refused = |status, code, detail: &str| Err(Problem::new(status, code, detail));
    match redeemed {
        Redeemed::Now => Ok(Json(json!({ "validation_id": claims.validation_id, "attempt": attempt,
            "basket_id": claims.sub, "basket_hash": claims.basket_hash }))),
        Redeemed::Before => refused(StatusCode::CONFLICT, "token_used", "the exit token was used before"),
        Redeemed::Void => refused(
            StatusCode::CONFLICT,
            "token_void",
            "goods were added after the pass, or staff has taken it back; it does not hold any more",
        ),
        Redeemed::Unknown => refused(StatusCode::UNPROCESSABLE_ENTITY, "bad_token", "no such pass"),
    }
}

impl Hub {
    /// A view whose pass, if it holds, has its exit token, and whose findings have their pictures.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn with_exit_token(&self, view: ValidationView) -> Result<ValidationView, Problem> {
        let resolution = match &view.resolution {
            Some(resolution) => Some(self.approved(resolution.clone()).await?),
            None => None,
        };
        let Some(verdict) = &view.verdict else { return Ok(ValidationView { resolution, ..view }) };
        let verdict = self.passed(verdict.clone()).await?;
        Ok(ValidationView { verdict: Some(verdict), resolution, ..view })
    }

    /// A resolution; with its exit token if it is an approval that holds.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn approved(&self, resolution: Arc<Resolution>) -> Result<Arc<Resolution>, Problem> {
        if resolution.action != Action::Approve {
            return Ok(resolution);
        }
        let (id, number) = (resolution.validation_id.clone(), resolution.number);
        let pass = self.read(move |store| store.approval(&id, number)).await?;
        let Some(pass) = pass.filter(|pass| !pass.void) else { return Ok(resolution) };
        let exit_token = self.access.exit.token_of_approval(&resolution, &pass.basket_hash);
        Ok(Arc::new(Resolution { exit_token, ..resolution.as_ref().clone() }))
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
