//! Who is let in: before each handler, by what its route names.

use super::hub::Hub;
use super::problem::Problem;
use super::staff::door;
use crate::access::client_certificate::Peer;
use crate::access::credential;
use crate::access::rate::Asker;
use crate::access::who::{Caller, Who};
use crate::access::{Mode, loopback};
use augenmass_core::units::{BasketId, ValidationId};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Longer than the longest long poll, and than a catalogue takes over a slow line.
const REQUEST_WITHIN: Duration = Duration::from_secs(40);

/// Lets a request through to a handler that names these, with who asks as an extension of it.
pub async fn guard(State((hub, named)): State<(Hub, &'static [Who])>, mut request: Request, next: Next) -> Response {
    let (address, now) = (address(&request), hub.clock.now().mono);
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    let shown = (request.method(), request.uri(), request.headers(), &peer);
    let admitted = match known(&hub, named, shown, address).await {
        Ok((caller, asker)) => match asker.map_or(Ok(()), |asker| hub.access.take(asker, now)) {
            Ok(()) => admit(&hub, named, caller, request.uri().path()).await,
            Err(seconds) => Err(Problem::too_many(seconds)),
        },
        // Made-up credentials are tried at a stranger's pace.
        Err(problem) => match hub.access.take(Asker::Stranger(address), now) {
            Ok(()) => Err(problem),
            Err(seconds) => Err(Problem::too_many(seconds)),
        },
    };
    match admitted {
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

/// Who asks, by a token, by a browser's cookies, or by the certificate of the connection; a token goes before the others.
async fn known(
    hub: &Hub,
    named: &[Who],
    (method, uri, headers, peer): (&Method, &Uri, &HeaderMap, &Peer),
    address: Option<IpAddr>,
) -> Result<(Caller, Option<Asker>), Problem> {
    // Staff logs in whatever the station file says: an open station is open to shoppers' programs, not to who approves baskets.
    let staff = named.iter().any(|who| who.is_staff());
    let shopping = named.iter().any(|who| matches!(who, Who::App | Who::Handheld));
    let open = hub.access.mode == Mode::Open && (!staff || shopping);
    let bearer = headers.contains_key(header::AUTHORIZATION);
    let device = if bearer || open { None } else { of_certificate(hub, peer).await? };
    if staff && !bearer {
        let caller = door::identify(hub, method, uri, headers).await?;
        let device = device.as_ref().is_some_and(|(device, _)| device.may(named));
        if caller.may(named) || !shopping && !device {
            let tablet = match caller {
                Caller::Tablet(_) | Caller::Staff(_) => door::cookie(headers, &hub.tablet_cookie()),
                Caller::Stranger | Caller::Trusted | Caller::Display | Caller::App(_) | Caller::Holder(_) => None,
            };
            let known = tablet.map(|token| Asker::Credential(credential::digest(&token)));
            return Ok((caller, Some(known.unwrap_or(Asker::Stranger(address)))));
        }
    }
    match device {
        Some((device, digest)) => {
            // A browser shows its certificate whichever page makes it ask.
            if !method.is_safe() {
                door::own_page_only(uri, headers)?;
            }
            Ok((device, Some(Asker::Credential(digest))))
        }
        None => identify(hub, headers, address, open).await,
    }
}

/// Who is registered with the certificate that the connection was opened with, if anybody is and it has not expired since.
async fn of_certificate(hub: &Hub, peer: &Peer) -> Result<Option<(Caller, [u8; 32])>, Problem> {
    let Some(certificate) = peer.now(hub.clock.now().wall) else { return Ok(None) };
    let names = certificate.names.clone();
    let found = hub.read(move |store| store.holder_of_certificate(&names)).await?;
    Ok(found.and_then(|(who, digest)| Some((Caller::Holder(Who::with_credential(&who)?), digest))))
}

async fn admit(hub: &Hub, named: &[Who], caller: Caller, path: &str) -> Result<Caller, Problem> {
    let staff = named.iter().any(|who| who.is_staff());
    // Where others come too, a stranger is not taken for a tablet.
    let staff_alone = named.iter().all(|who| who.is_staff());
    if staff && !caller.may(named) {
        match caller {
            Caller::Stranger if staff_alone => {
                return Err(Problem::new(StatusCode::UNAUTHORIZED, "unknown_tablet", "pair this tablet first"));
            }
            Caller::Tablet(_) => return Err(Problem::new(StatusCode::UNAUTHORIZED, "logged_out", "log in first")),
            Caller::Stranger
            | Caller::Trusted
            | Caller::Display
            | Caller::App(_)
            | Caller::Holder(_)
            | Caller::Staff(_) => {}
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

/// Who asks, and whose requests are counted together; nobody's on a station that is open to its own machine.
async fn identify(
    hub: &Hub,
    headers: &HeaderMap,
    address: Option<IpAddr>,
    open: bool,
) -> Result<(Caller, Option<Asker>), Problem> {
    if open {
        return Ok((Caller::Trusted, None));
    }
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        // A proxy on this machine speaks for others: what it forwards is not from here.
        let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        let here = address.is_some_and(|address| address.is_loopback());
        return Ok(match here && !forwarded.iter().any(|name| headers.contains_key(*name)) {
            true => (Caller::Display, None),
            false => (Caller::Stranger, Some(Asker::Stranger(address))),
        });
    };
    // Nothing of what is shown here can be guessed, so that failures cost nobody else anything.
    let token = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    let known = if credential::is_ours(token) {
        let digest = credential::digest(token);
        let holder = hub.read(move |store| store.holder(&digest)).await?;
        let who = holder.and_then(|name| Who::with_credential(&name));
        who.map(|who| (Caller::Holder(who), Some(Asker::Credential(digest))))
    } else {
        let basket = hub.access.app_keys.verify(token, hub.clock.now().wall).ok();
        basket.map(|basket| (Caller::App(basket.clone()), Some(Asker::Basket(basket))))
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

/// Nobody's requests, whoever he says he is, keep others from being served.
pub async fn not_too_fast(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let taken = match address(&request) {
        Some(address) => hub.access.take(Asker::Address(address), hub.clock.now().mono),
        None => Ok(()),
    };
    match taken {
        Ok(()) => next.run(request).await,
        Err(seconds) => Problem::too_many(seconds).into_response(),
    }
}

/// A request that takes too long is given up.
pub async fn within(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::no_answer().into_response(),
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
