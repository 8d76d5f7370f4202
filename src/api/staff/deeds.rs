//! What staff does with a basket. Everything is noted in the audit log before anybody is told that it is done.

use super::super::hub::Hub;
use super::super::problem::{Body, Problem};
use super::super::validations::parse;
use super::{nobody, not_kept, queue};
use crate::access::who::{Caller, Person};
use augenmass_core::basket::Line;
use augenmass_core::desk::audit::{Act, Did};
use augenmass_core::desk::{Board, DeskRefusal, Proposal, Stake, Wanted};
use augenmass_core::station::{Answer, Deed, Dossier, Request};
use augenmass_core::units::{ValidationId, Wall};
use augenmass_core::verdict::{Action, Reason, Staff};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Body of `POST /v1/staff/validations/{id}/resolution`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    action: Action,
    reason: Reason,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(default)]
    age_checked: bool,
    #[serde(default)]
    lines: Option<Vec<Line>>,
}

/// Body of `POST /v1/staff/validations/{id}/undo`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    number: u32,
}

/// Takes the place of what somebody must be to come here.
fn who(caller: Caller) -> Result<Arc<Person>, Problem> {
    match caller {
        Caller::Staff(person) => Ok(person),
        Caller::Trusted
        | Caller::Stranger
        | Caller::Display
        | Caller::App(_)
        | Caller::Holder(_)
        | Caller::Tablet(_) => Err(nobody()),
    }
}

impl From<DeskRefusal> for Problem {
    fn from(refusal: DeskRefusal) -> Self {
        let (status, code) = match &refusal {
            DeskRefusal::NotQueued => (StatusCode::CONFLICT, "not_queued"),
            DeskRefusal::Claimed { .. } => (StatusCode::CONFLICT, "claimed"),
            DeskRefusal::NotClaimed => (StatusCode::CONFLICT, "not_claimed"),
            DeskRefusal::OtherReason { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "bad_reason"),
            DeskRefusal::Lines => (StatusCode::UNPROCESSABLE_ENTITY, "bad_lines"),
            DeskRefusal::AgeUnchecked { .. } => (StatusCode::CONFLICT, "age_unchecked"),
            DeskRefusal::SecondPerson => (StatusCode::FORBIDDEN, "second_person"),
            DeskRefusal::NothingProposed => (StatusCode::CONFLICT, "nothing_proposed"),
            DeskRefusal::NotYours => (StatusCode::FORBIDDEN, "not_yours"),
            DeskRefusal::TooLate => (StatusCode::CONFLICT, "too_late"),
        };
        Self::new(status, code, refusal.to_string())
    }
}

impl Hub {
    /// Changes the board, keeps and notes it: what could not be noted has not happened.
    async fn on_board<T>(
        &self,
        deed: impl FnOnce(&mut Board, Wall) -> Result<(T, Option<Act>), DeskRefusal>,
    ) -> Result<T, Problem> {
        let mut board = self.board.lock().await;
        let now = self.look(&mut board);
        let mut changed = board.clone();
        let (done, act) = deed(&mut changed, now)?;
        let kept = changed.kept();
        if act.is_some() || kept != board.kept() {
            self.write(move |store| store.keep_desk(&kept, act.as_ref())).await.map_err(|error| not_kept(&error))?;
        }
        *board = changed;
        drop(board);
        self.board_news.send_modify(|news| *news += 1);
        Ok(done)
    }
}

/// `POST /v1/staff/validations/{id}/claim`: "I look after it." For five minutes, and for as long again each time it is said.
pub async fn claim(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Problem> {
    let (person, id) = (who(caller)?, parse(id)?);
    hub.on_board(|board, now| {
        let since = board.since(&id).unwrap_or(now);
        let before = board.claim_of(&id, now).map(|claim| claim.by.account);
        board.claim(now, &id, &person.staff)?;
        let mut act = Act::new(Did::Claimed, Some(&person.staff), now).with(&id);
        act = match before {
            Some(account) if account != person.staff.account => act.and("taken_from", account),
            // Only the first one ends the shopper's wait.
            Some(_) => act,
            None => act.and("waited_ms", now.ms() - since.ms()),
        };
        let told = json!({ "validation_id": id, "claim": queue::claim(board, &id, now, &person) });
        Ok((Json(told), (before != Some(person.staff.account)).then_some(act)))
    })
    .await
}

/// `DELETE /v1/staff/validations/{id}/claim`: "somebody else, please."
pub async fn release(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    let (person, id) = (who(caller)?, parse(id)?);
    hub.on_board(|board, now| {
        board.release(now, &id, &person.staff)?;
        Ok((StatusCode::NO_CONTENT, Some(Act::new(Did::Released, Some(&person.staff), now).with(&id))))
    })
    .await
}

/// `POST /v1/staff/validations/{id}/resolution`: 200 when it is done; 202 when a second person has to confirm it.
pub async fn resolve(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<Resolve>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (person, id) = (who(caller)?, parse(id)?);
    let Resolve { action, reason, attempt, age_checked, lines } = body;
    let wanted = Wanted { action, reason, attempt, age_checked, lines };
    let dossier = dossier(&hub, &id).await?;
    let staff = person.staff.clone();
    let asked = wanted.clone();
    let stake = Stake { revision: dossier.revision, value_minor: dossier.value_minor, age_limit: dossier.age_limit };
    let proposed = hub
        .on_board(|board, now| {
            let proposal = board.resolve(now, &id, &staff, &asked, stake)?;
            let act = proposal.map(|proposal| {
                Act::new(Did::Proposed, Some(&staff), now)
                    .with(&id)
                    .and("action", proposal.wanted.action.as_str())
                    .and("reason", proposal.wanted.reason.as_str())
                    .and("value_minor", proposal.stake.value_minor)
            });
            Ok((act.is_some(), act))
        })
        .await?;
    if proposed {
        let told = json!({ "validation_id": id, "waits_for": "second_person" });
        return Ok((StatusCode::ACCEPTED, Json(told)));
    }
    carry_out(&hub, id, Proposal { by: staff, wanted, stake, at: hub.clock.now().wall }, None).await
}

/// `POST /v1/staff/validations/{id}/confirm`: a second person, a supervisor, confirms what waits for it.
pub async fn confirm(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (person, id) = (who(caller)?, parse(id)?);
    let confirmed = |board: &mut Board, _| Ok((board.confirm(&id, &person.staff)?.clone(), None));
    let proposal = hub.on_board(confirmed).await?;
    carry_out(&hub, id, proposal, Some(person.staff.clone())).await
}

async fn dossier(hub: &Hub, id: &ValidationId) -> Result<Box<Dossier>, Problem> {
    let answer = hub.ask(Request::Dossier { id: id.clone() }).await?;
    if let Answer::Dossier(dossier) = answer { Ok(dossier) } else { Err(Problem::no_answer()) }
}

async fn carry_out(
    hub: &Hub,
    id: ValidationId,
    proposal: Proposal,
    second: Option<Staff>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Proposal { by, wanted, stake, at } = proposal;
    let since = hub.board.lock().await.since(&id).unwrap_or(at);
    let deed = Deed {
        action: wanted.action,
        reason: wanted.reason,
        attempt: wanted.attempt,
        revision: stake.revision,
        age_checked: wanted.age_checked,
        lines: wanted.lines,
        value_minor: stake.value_minor,
        since,
        by,
        second,
    };
    let Answer::Resolved(resolution) = hub.ask(Request::Resolve { id: id.clone(), deed: Box::new(deed) }).await? else {
        return Err(Problem::no_answer());
    };
    // It is decided, whether or not the board can be kept: what it would say again after a restart needs nobody any more.
    let settle = |board: &mut Board, _| {
        board.settled(&id);
        Ok(((), None))
    };
    if hub.on_board(settle).await.is_err() {
        hub.board.lock().await.settled(&id);
    }
    Ok((StatusCode::OK, Json(json!(hub.approved(resolution).await?))))
}

/// `POST /v1/staff/validations/{id}/undo`: takes back what ended a validation, within a minute, unless the gate has let it through.
pub async fn undo(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    Body(Undo { number }): Body<Undo>,
) -> Result<Json<Value>, Problem> {
    let (person, id) = (who(caller)?, parse(id)?);
    let wanted = id.clone();
    let (held, approval) =
        hub.read(move |store| Ok((store.resolution(&wanted)?.0, store.approval(&wanted, number)?))).await?;
    let unknown = || Problem::from(augenmass_core::station::Refusal::UnknownResolution);
    let held = held.filter(|held| held.number == number).ok_or_else(unknown)?;
    Board::may_undo(hub.clock.now().wall, &held.by, held.at, &person.staff)?;
    if approval.is_some_and(|approval| approval.redeemed_at.is_some()) {
        return Err(Problem::new(StatusCode::CONFLICT, "token_used", "the basket has gone through the gate"));
    }
    hub.ask(Request::Undo { id: id.clone(), number, by: person.staff.clone() }).await?;
    hub.board_news.send_modify(|news| *news += 1);
    Ok(Json(json!({ "validation_id": id, "undone": number })))
}
