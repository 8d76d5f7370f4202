//! Who gets in: every route, every kind of caller.

use crate::staff::{Tablet, add_staff};
use crate::station::{basket, send, station_with};
use augenmass::access::credential;
use augenmass::access::who::Who;
use augenmass::api::access_table;
use augenmass::io::store::Database;
use augenmass_core::units::Wall;
use augenmass_core::verdict::Role;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use tower::ServiceExt;

/// A station with access control, the retailer's key for its apps, and a credential of each kind.
struct Shop {
    router: Router,
    folder: tempfile::TempDir,
    retailer: EncodingKey,
    tokens: Vec<(Who, String)>,
}

fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "r-1", "x": x }] });
    let path = folder.path().join("apps.jwks");
    std::fs::write(&path, keys.to_string()).unwrap();
    let required =
        format!("access = \"required\"\nhosts = [\"station.store.example\"]\napp_keys = \"{}\"", path.display());
    let router = station_with(folder.path(), &[("access = \"open\"", &required)]);
    let mut database = Database::open(folder.path()).unwrap();
    let tokens = [Who::Handheld, Who::Gate, Who::BackOffice].map(|who| {
        let token = credential::generate().unwrap();
        database.add_credential(who.as_str(), "x", &credential::digest(&token), Wall::from_ms(1)).unwrap().unwrap();
        (who, token)
    });
    Shop { router, folder, retailer: EncodingKey::from_ed_der(pkcs8.as_ref()), tokens: tokens.to_vec() }
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// How a request is made to look.
#[derive(Clone, Default)]
struct Look {
    bearer: Option<String>,
    from: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
}

impl Shop {
    fn app(&self, basket: &str) -> Look {
        let claims = json!({ "aud": "basket-1", "basket_id": basket, "iat": now_s(), "exp": now_s() + 300 });
        let header = Header { kid: Some("r-1".to_owned()), ..Header::new(Algorithm::EdDSA) };
        Look { bearer: Some(encode(&header, &claims, &self.retailer).unwrap()), ..Look::default() }
    }

    /// What this kind of caller sends.
    fn look(&self, who: Who) -> Look {
        match who {
            Who::Anyone => Look { from: Some("192.0.2.7:5000"), ..Look::default() },
            Who::Display => Look { from: Some("127.0.0.1:5000"), ..Look::default() },
            Who::App => self.app("b-1"),
            Who::Tablet | Who::Attendant | Who::Supervisor | Who::Technician => {
                // A session of its own for each request: one of them logs out.
                let tablet = Tablet::known(self.folder.path(), Role::named(who.as_str()));
                // Each tablet has an address of its own: what it may not do is counted as a stranger's.
                let from = match who {
                    Who::Attendant => "192.0.2.12:5000",
                    Who::Supervisor => "192.0.2.13:5000",
                    Who::Technician => "192.0.2.14:5000",
                    Who::Tablet
                    | Who::Anyone
                    | Who::Display
                    | Who::App
                    | Who::Handheld
                    | Who::Gate
                    | Who::BackOffice => "192.0.2.11:5000",
                };
                Look { from: Some(from), headers: tablet.headers(), ..Look::default() }
            }
            Who::Handheld | Who::Gate | Who::BackOffice => {
                let token = self.tokens.iter().find(|(holder, _)| *holder == who).unwrap().1.clone();
                Look { bearer: Some(token), ..Look::default() }
            }
        }
    }

    async fn ask(&self, look: &Look, method: &Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let host = "station.store.example:443";
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, host);
        if let Some(bearer) = &look.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        for (name, value) in &look.headers {
            request = request.header(*name, value);
        }
        if let Some(from) = look.from {
            let from: SocketAddr = from.parse().unwrap();
            request = request.extension(ConnectInfo(from));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let request = request.body(body).unwrap();
        if path == "/v1/staff/events" {
            // Whoever is let in gets a stream that does not end by itself.
            let response = self.router.clone().oneshot(request).await.unwrap();
            if response.status() == StatusCode::OK {
                return (StatusCode::OK, Value::Null);
            }
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            let problem: Value = serde_json::from_slice(&body).unwrap();
            return (StatusCode::from_u16(problem["status"].as_u64().unwrap() as u16).unwrap(), problem);
        }
        let (status, value, _) = send(&self.router, request).await;
        (status, value)
    }
}

/// Whether the answer comes from behind the guard.
fn is_in(status: StatusCode, answer: &Value) -> bool {
    let refused = ["unauthorised", "forbidden", "bad_credential", "unknown_tablet", "logged_out"];
    let code = answer["code"].as_str().unwrap_or_default();
    assert_eq!(refused.contains(&code), matches!(status, StatusCode::UNAUTHORIZED) || code == "forbidden", "{answer}");
    !refused.contains(&code)
}

#[tokio::test]
async fn every_route_lets_in_whom_it_names_and_nobody_else() {
    use Who::{App, Attendant, BackOffice, Display, Gate, Handheld, Supervisor, Technician};
    // Written here a second time, by hand: a change of the table must be meant.
    let everybody = &Who::ALL[..];
    let shopping = &[App, Handheld][..];
    let watching = &[App, Handheld, BackOffice, Attendant, Supervisor, Technician][..];
    let (tablet, staff, desk) = (
        &[Who::Tablet, Attendant, Supervisor, Technician][..],
        &[Attendant, Supervisor, Technician][..],
        &[Attendant, Supervisor][..],
    );
    let expected: &[(&str, &str, &[Who])] = &[
        ("GET", "/", everybody),
        ("GET", "/display.js", everybody),
        ("GET", "/display.css", everybody),
        ("GET", "/openapi.json", everybody),
        ("GET", "/docs", everybody),
        ("GET", "/docs.js", everybody),
        ("GET", "/docs.css", everybody),
        ("GET", "/live", everybody),
        ("GET", "/ready", &[BackOffice]),
        ("GET", "/metrics", &[BackOffice]),
        ("GET", "/v1/station", &[BackOffice]),
        ("GET", "/v1/display", &[Display, BackOffice]),
        ("POST", "/v1/handhelds", everybody),
        ("PUT", "/v1/baskets/{id}", shopping),
        ("GET", "/v1/baskets/{id}", shopping),
        ("DELETE", "/v1/baskets/{id}", shopping),
        ("POST", "/v1/validations", shopping),
        ("GET", "/v1/validations/{id}", shopping),
        ("GET", "/v1/validations/{id}/events", shopping),
        ("POST", "/v1/validations/{id}/retry", shopping),
        ("POST", "/v1/validations/{id}/call-staff", shopping),
        ("POST", "/v1/validations/{id}/cancel", shopping),
        ("GET", "/v1/validations/{id}/attempts/{number}", shopping),
        ("GET", "/v1/validations/{id}/attempts/{number}/crops/{crop}", watching),
        ("GET", "/.well-known/jwks.json", everybody),
        ("POST", "/v1/exit-tokens/redeem", &[Gate]),
        ("GET", "/v1/verdicts", &[BackOffice]),
        ("PUT", "/v1/catalogue", &[BackOffice]),
        ("PATCH", "/v1/catalogue/{id}", &[BackOffice]),
        ("GET", "/staff", everybody),
        ("GET", "/staff.js", everybody),
        ("GET", "/staff.css", everybody),
        ("POST", "/v1/staff/tablet", everybody),
        ("GET", "/v1/staff/session", tablet),
        ("POST", "/v1/staff/session", tablet),
        ("DELETE", "/v1/staff/session", staff),
        ("GET", "/v1/staff/queue", staff),
        ("GET", "/v1/staff/events", staff),
        ("GET", "/v1/staff/numbers", &[Attendant, Supervisor, Technician, BackOffice]),
        ("GET", "/v1/staff/validations/{id}", staff),
        ("POST", "/v1/staff/validations/{id}/claim", desk),
        ("DELETE", "/v1/staff/validations/{id}/claim", desk),
        ("POST", "/v1/staff/validations/{id}/resolution", desk),
        ("POST", "/v1/staff/validations/{id}/confirm", &[Supervisor]),
        ("POST", "/v1/staff/validations/{id}/undo", desk),
        ("POST", "/v1/staff/products/{id}/weight-wrong", staff),
        ("POST", "/v1/staff/service", staff),
        ("POST", "/v1/staff/enrolment", &[Supervisor, Technician]),
        ("GET", "/v1/staff/enrolment", &[Supervisor, Technician]),
        ("DELETE", "/v1/staff/enrolment", &[Supervisor, Technician]),
        ("GET", "/v1/staff/enrolment/views/{number}", &[Supervisor, Technician]),
        ("DELETE", "/v1/staff/enrolment/views/{number}", &[Supervisor, Technician]),
        ("POST", "/v1/staff/enrolment/finish", &[Supervisor, Technician]),
        ("GET", "/v1/audit", &[Supervisor, BackOffice]),
    ];
    let shop = shop();
    for role in Role::ALL {
        add_staff(shop.folder.path(), role.as_str(), role);
    }
    let table = access_table();
    assert_eq!(table.len(), expected.len());
    for (method, path, who) in expected {
        let method: Method = method.parse().unwrap();
        assert!(table.iter().any(|(m, p, _)| *m == method && p == path), "{method} {path} is not there");
        let place = path.replace("{id}", "b-1").replace("{number}", "1");
        for caller in Who::ALL {
            let body = (method != Method::GET && method != Method::DELETE).then(|| json!({}));
            let (status, answer) = shop.ask(&shop.look(caller), &method, &place, body).await;
            assert_eq!(
                is_in(status, &answer),
                who.contains(&caller),
                "{method} {path} for {caller:?}: {status} {answer}"
            );
        }
    }
}

#[tokio::test]
async fn an_app_touches_its_own_basket_and_is_not_told_of_others() {
    let shop = shop();
    let (own, other) = (shop.app("b-1"), shop.app("b-2"));
    let put = async |look: &Look, id: &str| {
        shop.ask(look, &Method::PUT, &format!("/v1/baskets/{id}"), Some(basket(1, 1))).await
    };
    assert_eq!(put(&own, "b-1").await.0, StatusCode::CREATED);
    assert_eq!(put(&own, "b-2").await.1["code"], "unknown_basket");
    assert_eq!(put(&other, "b-2").await.0, StatusCode::CREATED);
    for (method, path) in [(Method::GET, "/v1/baskets/b-1"), (Method::DELETE, "/v1/baskets/b-1")] {
        assert_eq!(shop.ask(&other, &method, path, None).await.1["code"], "unknown_basket");
    }
    let open = json!({ "basket_id": "b-1", "station_code": "B1" });
    let refused = shop.ask(&other, &Method::POST, "/v1/validations", Some(open.clone())).await;
    assert_eq!((refused.0, &refused.1["code"]), (StatusCode::NOT_FOUND, &json!("unknown_basket")));
    let (status, opened) = shop.ask(&own, &Method::POST, "/v1/validations", Some(open)).await;
    assert_eq!(status, StatusCode::CREATED);
    let place = format!("/v1/validations/{}", opened["validation_id"].as_str().unwrap());
    assert_eq!(shop.ask(&own, &Method::GET, &place, None).await.0, StatusCode::OK);
    for (method, path) in [(Method::GET, place.clone()), (Method::POST, format!("{place}/cancel"))] {
        let (status, answer) = shop.ask(&other, &method, &path, None).await;
        assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("unknown_validation")));
    }
    // One that does not exist looks the same.
    assert_eq!(shop.ask(&other, &Method::GET, "/v1/validations/v-none", None).await.1["code"], "unknown_validation");
    // The store's own handheld may serve any basket.
    assert_eq!(shop.ask(&shop.look(Who::Handheld), &Method::GET, &place, None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_handheld_is_paired_by_what_the_display_shows() {
    let shop = shop();
    let display = shop.look(Who::Display);
    let stranger = shop.look(Who::Anyone);
    let (_, screen) = shop.ask(&display, &Method::GET, "/v1/display", None).await;
    let code = screen["pairing_code"].as_str().unwrap();
    let pair = async |code: &str, name: &str| {
        shop.ask(&stranger, &Method::POST, "/v1/handhelds", Some(json!({ "code": code, "name": name }))).await
    };
    let (status, paired) = pair(code, "MC33").await;
    assert_eq!(status, StatusCode::CREATED, "{paired}");
    let handheld = Look { bearer: Some(paired["token"].as_str().unwrap().to_owned()), ..Look::default() };
    let (status, _) = shop.ask(&handheld, &Method::PUT, "/v1/baskets/b-9", Some(basket(1, 1))).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(shop.ask(&handheld, &Method::GET, "/v1/station", None).await.1["code"], "forbidden");
    assert_eq!(pair(code, "").await.1["code"], "bad_name");
    for _ in 0..10 {
        assert_eq!(pair("123", "MC33").await.1["code"], "bad_pairing_code");
    }
    let (status, answer) = pair("123", "MC33").await;
    assert_eq!((status, &answer["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too_often")));
}

#[tokio::test]
async fn what_was_revoked_opens_nothing_any_more() {
    let shop = shop();
    let look = shop.look(Who::BackOffice);
    assert_eq!(shop.ask(&look, &Method::GET, "/v1/station", None).await.0, StatusCode::OK);
    let mut database = Database::open(shop.folder.path()).unwrap();
    let number = database.credentials().unwrap().iter().find(|held| held.who == "back-office").unwrap().number;
    assert!(database.revoke_credential(number, Wall::from_ms(2)).unwrap());
    assert!(!database.revoke_credential(number, Wall::from_ms(3)).unwrap());
    let (status, answer) = shop.ask(&look, &Method::GET, "/v1/station", None).await;
    assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &json!("bad_credential")));
    // Only a hash of it was ever kept.
    let kept = std::fs::read(shop.folder.path().join("augenmass.sqlite")).unwrap();
    let token = look.bearer.unwrap();
    assert!(!kept.windows(token.len()).any(|window| window == token.as_bytes()));
}

#[tokio::test]
async fn nothing_that_is_made_up_gets_in() {
    let shop = shop();
    let mut late = shop.app("b-1");
    let claims = json!({ "aud": "basket-1", "basket_id": "b-1", "iat": now_s() - 900, "exp": now_s() - 600 });
    let header = Header { kid: Some("r-1".to_owned()), ..Header::new(Algorithm::EdDSA) };
    late.bearer = Some(encode(&header, &claims, &shop.retailer).unwrap());
    let bearer = |text: &str| Look { bearer: Some(text.to_owned()), ..Look::default() };
    for look in [late, bearer(""), bearer("aug_x"), bearer("a.b.c"), bearer(&"x".repeat(5000))] {
        let (status, answer) = shop.ask(&look, &Method::GET, "/v1/baskets/b-1", None).await;
        assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &json!("bad_credential")));
    }
    // What a proxy on this machine passes on is not the display, and a page of somebody else's is nobody.
    let proxied = Look { headers: vec![("x-forwarded-for", "192.0.2.7".to_owned())], ..shop.look(Who::Display) };
    assert_eq!(shop.ask(&proxied, &Method::GET, "/v1/display", None).await.0, StatusCode::UNAUTHORIZED);
    let request = Request::get("/live").header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    assert_eq!(send(&shop.router, request).await.0, StatusCode::MISDIRECTED_REQUEST);
}

#[test]
fn a_station_file_that_says_nothing_is_closed() {
    let text = include_str!("../../hw-configs/basket-plate.toml").replace("access = \"open\"", "");
    let file = augenmass::app::config::parse(&text, Path::new("x").to_str().unwrap()).unwrap();
    assert_eq!(file.api.access, augenmass::access::Mode::Required);
}
