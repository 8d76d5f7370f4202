//! Pairing a tablet, logging in, and out.

use super::super::guard::address;
use super::super::hub::Hub;
use super::super::problem::{Body, Problem};
use super::door::{is_secure, own_page_only};
use super::{nobody, not_kept};
use crate::access::session::{SHIFT_MS, TABLET_S, cookie as written, csrf};
use crate::access::who::{Caller, Who};
use crate::access::{credential, pin};
use crate::io::store::Account;
use augenmass_core::desk::audit::{Act, Did};
use augenmass_core::verdict::Staff;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Who waits behind others that log in waits so long at most.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// Body of `POST /v1/staff/tablet`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    code: String,
    name: String,
}

/// Body of `POST /v1/staff/session`: a name and a PIN, or a badge.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    name: Option<String>,
    pin: Option<String>,
    badge: Option<String>,
}

/// `POST /v1/staff/tablet`: with the code that the display shows, this browser is a tablet of the staff's from now on.
pub async fn pair(State(hub): State<Hub>, request: Request) -> Result<Response, Problem> {
    own_page_only(request.headers())?;
    let (address, now) = (address(&request), hub.clock.now());
    if hub.access.throttle(|throttle| throttle.is_blocked(address, now.mono)) {
        return Err(Problem::too_often());
    }
    let secure = is_secure(&hub, request.headers());
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
    let kept = hub
        .write(move |store| {
            let number = store.add_credential(Who::Tablet.as_str(), &name, &digest, now.wall)?;
            if let Some(number) = number {
                store.note(&Act::new(Did::TabletPaired, None, now.wall).and("tablet", number).and("name", name))?;
            }
            Ok(number)
        })
        .await;
    let number = kept.map_err(|error| not_kept(&error))?.ok_or_else(Problem::busy)?;
    tracing::info!(number, "a tablet was paired");
    let cookie = written(&hub.tablet_cookie(), &token, TABLET_S, secure);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(json!({ "tablet": number }))).into_response())
}

/// `GET /v1/staff/session`: who is logged in on this tablet, if anybody.
pub async fn present(State(hub): State<Hub>, Extension(caller): Extension<Caller>) -> Json<Value> {
    let four_eyes = hub.access.rules.four_eyes_above_minor;
    let (who, csrf) = match &caller {
        Caller::Staff(person) => (Some(&person.staff), Some(person.csrf.as_str())),
        Caller::Trusted
        | Caller::Stranger
        | Caller::Display
        | Caller::App(_)
        | Caller::Holder(_)
        | Caller::Tablet(_) => (None, None),
    };
    Json(
        json!({ "station": hub.info.station_name, "staff": who, "csrf_token": csrf, "four_eyes_above_minor": four_eyes }),
    )
}

/// `POST /v1/staff/session`: logs in. Whatever is wrong, it is told in the same words after the same work.
pub async fn log_in(
    State(hub): State<Hub>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let tablet = match caller {
        Caller::Tablet(number) => number,
        Caller::Staff(person) => person.tablet,
        Caller::Trusted | Caller::Stranger | Caller::Display | Caller::App(_) | Caller::Holder(_) => {
            return Err(nobody());
        }
    };
    let secure = is_secure(&hub, request.headers());
    let from = address(&request).map_or_else(|| format!("tablet {tablet}"), |address| format!("from {address}"));
    let Body(wanted) = Body::<LogIn>::from_request(request, &()).await?;
    let given = Given::of(wanted)?;
    let mut names = vec![from];
    names.extend(given.lock());
    // One after the other: nobody gains by trying many at once.
    let turn = tokio::time::timeout(TURN_WITHIN, hub.access.lockout.lock()).await;
    let mut lockout = turn.map_err(|_| Problem::busy())?;
    if let Some(wait_s) = lockout.wait_s(&names, hub.clock.now().mono) {
        let detail = format!("too many failures; wait {wait_s} s");
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "locked_out", detail);
        return Ok(([(header::RETRY_AFTER, wait_s.to_string())], problem).into_response());
    }
    let found = given.find(&hub).await?;
    let now = hub.clock.now();
    let Some(staff) = found else {
        lockout.failed(&names, now.mono);
        drop(lockout);
        let act = Act::new(Did::LogInFailed, None, now.wall).and("tablet", tablet);
        hub.write(move |store| store.note(&act)).await.map_err(|error| not_kept(&error))?;
        return Err(Problem::new(StatusCode::FORBIDDEN, "bad_login", "the name, the PIN or the badge is not right"));
    };
    if let Some(own) = names.get(1) {
        lockout.succeeded(own);
    }
    drop(lockout);
    let secret = credential::generate().map_err(|_| Problem::no_answer())?;
    let digest = credential::digest(&secret);
    let who = staff.clone();
    let opened = hub.write(move |store| store.open_session(&digest, &who, tablet, now.wall)).await;
    opened.map_err(|error| not_kept(&error))?;
    tracing::info!(account = staff.account, tablet, "somebody of the staff has logged in");
    let cookie = written(&hub.session_cookie(), &secret, SHIFT_MS / 1000, secure);
    let told = json!({ "staff": staff, "csrf_token": csrf(&secret) });
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(told)).into_response())
}

/// What somebody logs in with.
enum Given {
    Pin { name: String, pin: String },
    Badge(String),
}

impl Given {
    fn of(wanted: LogIn) -> Result<Self, Problem> {
        match wanted {
            LogIn { name: Some(name), pin: Some(pin), badge: None } => Ok(Self::Pin { name, pin }),
            LogIn { name: None, pin: None, badge: Some(badge) } => Ok(Self::Badge(badge)),
            LogIn { .. } => {
                let detail = "send name and pin, or badge";
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_body", detail))
            }
        }
    }

    /// What is locked beside the address: the account, whether it is there or not.
    fn lock(&self) -> Option<String> {
        match self {
            Self::Pin { name, .. } => {
                Some(format!("name {}", name.trim().to_lowercase().chars().take(64).collect::<String>()))
            }
            Self::Badge(_) => None,
        }
    }

    async fn find(self, hub: &Hub) -> Result<Option<Staff>, Problem> {
        match self {
            Self::Badge(number) => {
                let Some(digest) = hub.access.badges.digest(&number) else { return Ok(None) };
                let account = hub.read(move |store| store.account_of_badge(&digest)).await?;
                Ok(account.map(|account| account.staff))
            }
            Self::Pin { name, pin } => {
                let account = hub.read(move |store| store.account_named(name.trim())).await?;
                // Half a core for a twentieth of a second: off the threads that serve.
                let tried = tokio::task::spawn_blocking(move || {
                    let right = pin::is_right(&pin, account.as_ref().map(|account| account.pin.as_str()));
                    account.filter(|_| right).map(|Account { staff, .. }| staff)
                });
                tried.await.map_err(|_| Problem::no_answer())
            }
        }
    }
}

/// `DELETE /v1/staff/session`: logs out.
pub async fn log_out(
    State(hub): State<Hub>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Caller::Staff(person) = caller else { return Err(nobody()) };
    let now = hub.clock.now().wall;
    let closed = hub.write(move |store| store.close_session(&person.digest, &person.staff, now)).await;
    closed.map_err(|error| not_kept(&error))?;
    let forget = written(&hub.session_cookie(), "", 0, is_secure(&hub, &headers));
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forget)]).into_response())
}
