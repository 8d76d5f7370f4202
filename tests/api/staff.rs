//! Staff logs in: tablets, PINs, badges, sessions, and what keeps others out.

use crate::station::{call, get, send, station, station_with};
use augenmass::access::session::{BadgeKey, csrf};
use augenmass::access::{credential, pin};
use augenmass::app::secrets::badge_key;
use augenmass::io::store::Database;
use augenmass_core::units::Wall;
use augenmass_core::verdict::{Role, Staff};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use tower::ServiceExt;

pub const PIN: &str = "527194";

pub fn now() -> Wall {
    Wall::from_ms(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
}

/// An account with the one PIN of these tests.
pub fn add_staff(folder: &Path, name: &str, role: Role) -> Staff {
    // A hash costs a twentieth of a second by design: made once.
    static HASH: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| pin::hash(PIN).unwrap());
    let account = Database::open(folder).unwrap().add_account(name, role, &HASH, None, now()).unwrap().unwrap();
    Staff { account, name: name.to_owned(), role }
}

/// A browser on a tablet: its cookies, and what its session was told.
#[derive(Clone, Debug, Default)]
pub struct Tablet {
    pub tablet: Option<String>,
    pub session: Option<String>,
    pub csrf: Option<String>,
}

impl Tablet {
    /// A paired one on which somebody of this role is logged in, put into the store directly.
    pub fn known(folder: &Path, role: Option<Role>) -> Self {
        let mut database = Database::open(folder).unwrap();
        let tablet = credential::generate().unwrap();
        let number = database.add_credential("tablet", "t", &credential::digest(&tablet), now()).unwrap().unwrap();
        let Some(role) = role else { return Self { tablet: Some(tablet), ..Self::default() } };
        let staff = database.account_named(role.as_str()).unwrap().unwrap().staff;
        let secret = credential::generate().unwrap();
        database.open_session(&credential::digest(&secret), &staff, number, now()).unwrap();
        Self { tablet: Some(tablet), csrf: Some(csrf(&secret)), session: Some(secret) }
    }

    /// Logged in by name, with a session put into the store directly.
    pub fn of(folder: &Path, name: &str) -> Self {
        let mut tablet = Self::known(folder, None);
        let mut database = Database::open(folder).unwrap();
        let number = database.tablet(&credential::digest(tablet.tablet.as_ref().unwrap())).unwrap().unwrap();
        let staff = database.account_named(name).unwrap().unwrap().staff;
        let secret = credential::generate().unwrap();
        database.open_session(&credential::digest(&secret), &staff, number, now()).unwrap();
        (tablet.csrf, tablet.session) = (Some(csrf(&secret)), Some(secret));
        tablet
    }

    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let cookie =
            |what: &str, value: &Option<String>| value.as_ref().map(|v| format!("augenmass-{what}.basket-1={v}"));
        let cookies: Vec<String> =
            [cookie("tablet", &self.tablet), cookie("session", &self.session)].into_iter().flatten().collect();
        let mut headers = vec![("cookie", cookies.join("; "))];
        headers.extend(self.csrf.clone().map(|token| ("x-csrf-token", token)));
        headers
    }

    pub async fn ask(&self, router: &Router, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.ask_with(router, method, path, body, &[]).await
    }

    pub async fn ask_with(
        &self,
        router: &Router,
        method: Method,
        path: &str,
        body: Option<Value>,
        more: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:8787");
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => {
                request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
            }
            None => request.body(Body::empty()).unwrap(),
        };
        let (status, value, kind) = send(router, request).await;
        if status.is_client_error() {
            assert_eq!(kind, "application/problem+json", "{path}: {value}");
        }
        (status, value)
    }
}

/// The cookie that an answer sets, with everything it says.
async fn set_cookie(router: &Router, tablet: &Tablet, path: &str, body: &Value) -> (StatusCode, String, Value) {
    let mut request = Request::post(path).header(header::HOST, "localhost:8787");
    for (name, value) in tablet.headers() {
        request = request.header(name, value);
    }
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let cookie = response.headers().get(header::SET_COOKIE).map(|c| c.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, cookie, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn value(cookie: &str) -> Option<String> {
    cookie.split(';').next()?.split_once('=').map(|(_, value)| value.to_owned())
}

#[tokio::test]
async fn staff_logs_in_on_a_paired_tablet_even_where_everything_else_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    add_staff(folder.path(), "Anna", Role::Attendant);
    assert_eq!(get(&router, "/v1/staff/queue").await.1["code"], "unknown_tablet");
    let code = get(&router, "/v1/display").await.1["pairing_code"].as_str().unwrap().to_owned();
    let mut tablet = Tablet::default();
    let wrong = set_cookie(&router, &tablet, "/v1/staff/tablet", &json!({ "code": "12345678", "name": "desk" })).await;
    assert_eq!((wrong.0, &wrong.2["code"]), (StatusCode::FORBIDDEN, &json!("bad_pairing_code")));
    let (status, cookie, _) =
        set_cookie(&router, &tablet, "/v1/staff/tablet", &json!({ "code": code, "name": "desk" })).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("Secure"),
        "{cookie}"
    );
    tablet.tablet = value(&cookie);
    assert_eq!(tablet.ask(&router, Method::GET, "/v1/staff/queue", None).await.1["code"], "logged_out");
    let (_, present) = tablet.ask(&router, Method::GET, "/v1/staff/session", None).await;
    assert_eq!((&present["staff"], &present["csrf_token"]), (&Value::Null, &Value::Null));

    let good = json!({ "name": "anna", "pin": PIN });
    let (status, cookie, told) = set_cookie(&router, &tablet, "/v1/staff/session", &good).await;
    assert_eq!((status, &told["staff"]["role"]), (StatusCode::CREATED, &json!("attendant")));
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    (tablet.session, tablet.csrf) = (value(&cookie), told["csrf_token"].as_str().map(str::to_owned));
    assert_eq!(tablet.ask(&router, Method::GET, "/v1/staff/queue", None).await.0, StatusCode::OK);
    assert_eq!(tablet.ask(&router, Method::GET, "/v1/audit", None).await.1["code"], "forbidden");
    // Neither secret is in the file, and the session is good on this tablet alone.
    let secret = tablet.session.clone().unwrap();
    for name in ["augenmass.sqlite", "augenmass.sqlite-wal"] {
        let kept = std::fs::read(folder.path().join(name)).unwrap_or_default();
        let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds(&secret) && !holds(tablet.tablet.as_ref().unwrap()) && !holds(PIN), "{name}");
    }
    let other = Tablet { tablet: Tablet::known(folder.path(), None).tablet, ..tablet.clone() };
    assert_eq!(other.ask(&router, Method::GET, "/v1/staff/queue", None).await.1["code"], "logged_out");

    assert_eq!(tablet.ask(&router, Method::DELETE, "/v1/staff/session", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(tablet.ask(&router, Method::GET, "/v1/staff/queue", None).await.1["code"], "logged_out");
}

#[tokio::test]
async fn behind_tls_cookies_go_over_tls_alone() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let code = get(&router, "/v1/display").await.1["pairing_code"].clone();
    let request = Request::post("/v1/staff/tablet")
        .header(header::HOST, "localhost")
        .header("x-forwarded-proto", "https")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({ "code": code, "name": "desk" }).to_string()))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_badge_opens_a_session_too() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let badge = BadgeKey::new(&badge_key(folder.path()).unwrap()).digest("0400123456").unwrap();
    let mut database = Database::open(folder.path()).unwrap();
    database.add_account("Ben", Role::Supervisor, "no hash", Some(&badge), now()).unwrap().unwrap();
    let tablet = Tablet::known(folder.path(), None);
    let (status, _, told) = set_cookie(&router, &tablet, "/v1/staff/session", &json!({ "badge": "0400123456" })).await;
    assert_eq!((status, &told["staff"]["name"]), (StatusCode::CREATED, &json!("Ben")));
    let (status, _, told) = set_cookie(&router, &tablet, "/v1/staff/session", &json!({ "badge": "0400123457" })).await;
    assert_eq!((status, &told["code"]), (StatusCode::FORBIDDEN, &json!("bad_login")));
    for body in [json!({}), json!({ "name": "Ben" }), json!({ "badge": "0400123456", "pin": "1" }), json!({ "x": 1 })] {
        assert_eq!(set_cookie(&router, &tablet, "/v1/staff/session", &body).await.2["code"], "bad_body", "{body}");
    }
}

#[tokio::test]
async fn who_guesses_waits_and_learns_nothing_of_who_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    add_staff(folder.path(), "Anna", Role::Attendant);
    let mut told = Vec::new();
    for name in ["Anna", "Nobody"] {
        let tablet = Tablet::known(folder.path(), None);
        let mut answers = Vec::new();
        for _ in 0..6 {
            let body = json!({ "name": name, "pin": "111999" });
            let (status, _, answer) = set_cookie(&router, &tablet, "/v1/staff/session", &body).await;
            answers.push((status, answer));
        }
        told.push(answers);
    }
    assert_eq!(told[0][..5], told[1][..5], "the same words for both");
    let codes = |answers: &[(StatusCode, Value)]| answers.iter().map(|(_, a)| a["code"].clone()).collect::<Vec<_>>();
    let mut expected = vec![json!("bad_login"); 5];
    expected.push(json!("locked_out"));
    assert_eq!((codes(&told[0]), codes(&told[1])), (expected.clone(), expected));
    // The right PIN opens nothing either while it is locked, from wherever.
    let tablet = Tablet::known(folder.path(), None);
    let body = json!({ "name": "ANNA", "pin": PIN });
    let (status, _, answer) = set_cookie(&router, &tablet, "/v1/staff/session", &body).await;
    assert_eq!((status, &answer["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("locked_out")));
    // A text that is no PIN at all costs no more and tells no more.
    let body = json!({ "name": "x", "pin": "9".repeat(100_000) });
    assert_eq!(set_cookie(&router, &tablet, "/v1/staff/session", &body).await.2["code"], "bad_login");
}

#[tokio::test]
async fn another_sites_page_does_nothing_with_somebodys_session() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    add_staff(folder.path(), "attendant", Role::Attendant);
    let tablet = Tablet::known(folder.path(), Some(Role::Attendant));
    let body = || Some(json!({ "serves": false, "why": "x" }));
    let ask = async |tablet: &Tablet, more: &[(&str, &str)]| {
        tablet.ask_with(&router, Method::POST, "/v1/staff/service", body(), more).await.1["code"].clone()
    };
    for foreign in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:8788"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(ask(&tablet, &[foreign]).await, "cross_site", "{foreign:?}");
    }
    for token in [None, Some("x".to_owned()), Tablet::known(folder.path(), Some(Role::Attendant)).csrf] {
        assert_eq!(ask(&Tablet { csrf: token, ..tablet.clone() }, &[]).await, "bad_csrf_token");
    }
    assert!(get(&router, "/v1/station").await.0.is_success());
    assert_eq!(get(&router, "/ready").await.1["out_of_service"], Value::Null, "nothing has happened");
    let own = [("origin", "http://localhost:8787"), ("sec-fetch-site", "same-origin")];
    let (status, _) = tablet.ask_with(&router, Method::POST, "/v1/staff/service", body(), &own).await;
    assert_eq!(status, StatusCode::OK);
    // Logging somebody in from elsewhere is a deed, too.
    let log_in = json!({ "name": "attendant", "pin": PIN });
    let foreign = [("origin", "https://evil.example")];
    let answer = tablet.ask_with(&router, Method::POST, "/v1/staff/session", Some(log_in), &foreign).await;
    assert_eq!(answer.1["code"], "cross_site");
}

#[tokio::test]
async fn a_session_ends_with_its_account_its_tablet_and_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let router = station_with(folder.path(), &[("access = \"open\"", "access = \"required\"")]);
    let staff = add_staff(folder.path(), "attendant", Role::Attendant);
    let mut database = Database::open(folder.path()).unwrap();
    let code = async |tablet: &Tablet| {
        tablet.ask(&router, Method::GET, "/v1/staff/queue", None).await.1["code"].as_str().map(str::to_owned)
    };
    let tablet = Tablet::known(folder.path(), Some(Role::Attendant));
    assert_eq!(code(&tablet).await, None);
    let number = database.tablet(&credential::digest(tablet.tablet.as_ref().unwrap())).unwrap().unwrap();
    for (made_ago_min, seen_ago_min, good) in [(19, 19, true), (21, 21, false), (599, 1, true), (601, 1, false)] {
        let secret = credential::generate().unwrap();
        let at = |minutes: i64| Wall::from_ms(now().ms() - minutes * 60_000);
        let digest = credential::digest(&secret);
        database.open_session(&digest, &staff, number, at(made_ago_min)).unwrap();
        database.session_seen(&digest, at(seen_ago_min)).unwrap();
        let late = Tablet { session: Some(secret), ..tablet.clone() };
        assert_eq!(code(&late).await.is_none(), good, "{made_ago_min} {seen_ago_min}");
    }
    let tablet = Tablet::known(folder.path(), Some(Role::Attendant));
    let number = database.tablet(&credential::digest(tablet.tablet.as_ref().unwrap())).unwrap().unwrap();
    database.revoke_credential(number, now()).unwrap();
    assert_eq!(code(&tablet).await.as_deref(), Some("unknown_tablet"));
    let tablet = Tablet::known(folder.path(), Some(Role::Attendant));
    database.remove_account("attendant", now()).unwrap();
    assert_eq!(code(&tablet).await.as_deref(), Some("logged_out"));
    // A handheld's token, or one of the back office, is none of staff's.
    let token = credential::generate().unwrap();
    database.add_credential("handheld", "x", &credential::digest(&token), now()).unwrap();
    let bearer = [("authorization", &*format!("Bearer {token}"))];
    let answer = Tablet::default().ask_with(&router, Method::GET, "/v1/staff/queue", None, &bearer).await;
    assert_eq!(answer.1["code"], "forbidden");
    assert_eq!(call(&router, Method::POST, "/v1/staff/session", Some(json!({}))).await.1["code"], "unknown_tablet");
}
