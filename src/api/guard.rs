//! Who is let in: before each handler, by what its route names.

use super::hub::Hub;
use super::problem::Problem;
use super::staff::door;
use crate::access::credential;
use crate::access::who::{Caller, Who};
use crate::access::{Mode, loopback};
use augenmass_core::units::{BasketId, ValidationId};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};

/// Lets a request through to a handler that names these, with who asks as an extension of it.
pub async fn guard(State((hub, named)): State<(Hub, &'static [Who])>, mut request: Request, next: Next) -> Response {
    let from = address(&request);
    match admit(&hub, named, from, request.method(), request.headers(), request.uri().path()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => {
            let unknown = problem.code == "unauthorised" || problem.code == "bad_credential";
            let mut response = problem.into_response();
            if unknown {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

async fn admit(
    hub: &Hub,
    named: &[Who],
    address: Option<IpAddr>,
    method: &Method,
    headers: &HeaderMap,
    path: &str,
) -> Result<Caller, Problem> {
    // Staff logs in whatever the station file says: an open station is open to shoppers' programs, not to who approves baskets.
    let staff = named.iter().any(|who| who.is_staff());
    let caller = match staff && !headers.contains_key(header::AUTHORIZATION) {
        true => door::identify(hub, method, headers).await?,
        false => identify(hub, headers, address, hub.access.mode == Mode::Open && !staff).await?,
    };
    if staff && !caller.may(named) {
        match caller {
            Caller::Stranger => {
                return Err(Problem::new(StatusCode::UNAUTHORIZED, "unknown_tablet", "pair this tablet first"));
            }
            Caller::Tablet(_) => return Err(Problem::new(StatusCode::UNAUTHORIZED, "logged_out", "log in first")),
            Caller::Trusted | Caller::Display | Caller::App(_) | Caller::Holder(_) | Caller::Staff(_) => {}
        }
    }
    if !caller.may(named) {
        return Err(match caller {
            Caller::Stranger | Caller::Display => {
                Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", "send authorization: Bearer and a token")
            }
            Caller::Trusted | Caller::App(_) | Caller::Holder(_) | Caller::Tablet(_) | Caller::Staff(_) => {
                Problem::new(StatusCode::FORBIDDEN, "forbidden", "this is for others")
            }
        });
    }
    own_basket_only(hub, &caller, path).await?;
    Ok(caller)
}

/// Where a request comes from, where that is known.
pub fn address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

async fn identify(hub: &Hub, headers: &HeaderMap, address: Option<IpAddr>, open: bool) -> Result<Caller, Problem> {
    if open {
        return Ok(Caller::Trusted);
    }
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        // A proxy on this machine speaks for others: what it forwards is not from here.
        let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        let here = address.is_some_and(|address| address.is_loopback());
        return Ok(match here && !forwarded.iter().any(|name| headers.contains_key(*name)) {
            true => Caller::Display,
            false => Caller::Stranger,
        });
    };
    // Nothing of what is shown here can be guessed, so that failures cost nobody else anything.
    let token = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    let known = if credential::is_ours(token) {
        let digest = credential::digest(token);
        let holder = hub.read(move |store| store.holder(&digest)).await?;
        holder.and_then(|name| Who::with_credential(&name)).map(Caller::Holder)
    } else {
        hub.access.app_keys.verify(token, hub.clock.now().wall).ok().map(Caller::App)
    };
    known.ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "bad_credential", "the token is not good, or not good now")
    })
}

/// An app may touch the basket that its token names. Of others it is not even told that they are there.
async fn own_basket_only(hub: &Hub, caller: &Caller, path: &str) -> Result<(), Problem> {
    let Caller::App(_) = caller else { return Ok(()) };
    let mut segments = path.split('/').skip(1);
    let (Some("v1"), Some(what), Some(id)) = (segments.next(), segments.next(), segments.next()) else { return Ok(()) };
    match what {
        "baskets" => match BasketId::try_from(id.to_owned()) {
            Ok(basket) if !caller.owns(&basket) => {
                Err(Problem::new(StatusCode::NOT_FOUND, "unknown_basket", "no such basket"))
            }
            // What is no identifier the handler says.
            Ok(_) | Err(_) => Ok(()),
        },
        "validations" => {
            let Ok(id) = ValidationId::try_from(id.to_owned()) else { return Ok(()) };
            let held = hub.views.borrow().get(&id).map(|view| view.basket_id.clone());
            let basket = match held {
                Some(basket) => Some(basket),
                None => hub.read(move |store| store.validation(&id)).await?,
            };
            match basket {
                Some(basket) if caller.owns(&basket) => Ok(()),
                Some(_) | None => Err(Problem::new(StatusCode::NOT_FOUND, "unknown_validation", "no such validation")),
            }
        }
        _ => Ok(()),
    }
}

/// Requests under another name than the station's are a page of somebody else's that speaks through a browser here.
pub async fn own_host_only(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).or_else(|| request.uri().host());
    let own = |host: &str| match hub.access.mode {
        Mode::Open => loopback::is_own_host(host),
        Mode::Required => hub.access.is_own_host(host),
    };
    if host.is_some_and(own) {
        next.run(request).await
    } else {
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", "this station does not go by that name")
            .into_response()
    }
}
