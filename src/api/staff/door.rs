//! Who of the staff asks, by the cookies of a browser, and whether it is that browser's own page that asks.

use super::super::hub::Hub;
use super::super::problem::Problem;
use crate::access::credential;
use crate::access::session::{SEEN_EVERY_MS, csrf, is_good, same, value_of};
use crate::access::who::{Caller, Person};
use crate::io::store::Session;
use axum::http::{HeaderMap, Method, StatusCode, header};
use std::sync::Arc;

/// Header in which [`Person::csrf`] comes back.
pub const CSRF: &str = "x-csrf-token";

impl Hub {
    /// Name of the cookie that makes a tablet a known one. Cookies are shared by all ports of a machine: stations on one are told apart.
    pub fn tablet_cookie(&self) -> String {
        format!("augenmass-tablet.{}", self.info.station_id)
    }

    /// Name of the cookie of a session.
    pub fn session_cookie(&self) -> String {
        format!("augenmass-session.{}", self.info.station_id)
    }
}

/// The value of a cookie that a browser sent.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    sent.filter_map(|cookies| value_of(cookies, name)).map(str::to_owned).next()
}

/// Who asks, by cookies alone.
///
/// # Errors
/// A request of another site's page, one without the header that a page of ours sends, a store that cannot be read.
pub async fn identify(hub: &Hub, method: &Method, headers: &HeaderMap) -> Result<Caller, Problem> {
    let changes = !method.is_safe();
    if changes {
        own_page_only(headers)?;
    }
    let Some(tablet) = cookie(headers, &hub.tablet_cookie()) else { return Ok(Caller::Stranger) };
    let digest = credential::digest(&tablet);
    let secret = cookie(headers, &hub.session_cookie());
    let hash = secret.as_deref().map(credential::digest);
    let read = move |store: &crate::io::store::Database| {
        let session = hash.map(|hash| store.session(&hash)).transpose()?.flatten();
        Ok((store.tablet(&digest)?, session))
    };
    let (Some(tablet), session) = hub.read(read).await? else { return Ok(Caller::Stranger) };
    let now = hub.clock.now().wall;
    let good = |session: &Session| session.tablet == tablet && is_good(session.made_at, session.seen_at, now);
    let (Some(secret), Some(session)) = (secret, session.filter(good)) else { return Ok(Caller::Tablet(tablet)) };
    let digest = credential::digest(&secret);
    let person = Person { staff: session.staff, tablet, digest, csrf: csrf(&secret) };
    if !changes {
        return Ok(Caller::Staff(Arc::new(person)));
    }
    let told = headers.get(CSRF).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !same(told, &person.csrf) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "bad_csrf_token",
            "send x-csrf-token as the session was told it",
        ));
    }
    if now.ms() - session.seen_at.ms() >= SEEN_EVERY_MS {
        // A session that could not be prolonged ends a little early.
        let _ = hub.write(move |store| store.session_seen(&digest, now)).await;
    }
    Ok(Caller::Staff(Arc::new(person)))
}

/// Whether a session is still good: streams outlive the request that began them.
pub async fn still_good(hub: &Hub, person: &Person) -> bool {
    let (digest, now) = (person.digest, hub.clock.now().wall);
    let session = hub.read(move |store| store.session(&digest)).await.ok().flatten();
    session.is_some_and(|session| is_good(session.made_at, session.seen_at, now))
}

/// What changes something comes from a page of this station or from no page at all. Browsers say where a request comes from, and no
/// page can make them say something else.
pub fn own_page_only(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site = text("sec-fetch-site");
    let origin = text(header::ORIGIN.as_str());
    let host = text(header::HOST.as_str()).unwrap_or_default();
    let own = |origin: &str| {
        let name = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        // Over HTTP/2 the name stands in the request's target, and whose it is has been checked there.
        name.is_some_and(|name| host.is_empty() || name.eq_ignore_ascii_case(host))
    };
    if site.is_some_and(|site| site != "same-origin") || origin.is_some_and(|origin| !own(origin)) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", "this comes from another site's page"));
    }
    Ok(())
}

/// Whether cookies are to be sent over TLS alone: the station has it itself, or a proxy on this machine that says so.
pub fn is_secure(hub: &Hub, headers: &HeaderMap) -> bool {
    let proxied = headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    proxied || hub.certificate.borrow().is_some()
}
