//! What is told beside a verdict: exit tokens of passes, from the store to the gate, and pictures of what did not pass.

use crate::station::{basket, call, get, send, station};
use augenmass::app::token::{TokenCommand, token};
use augenmass::io::store::{CropPicture, CropSet, Database};
use augenmass_core::basket::Basket;
use augenmass_core::goods::catalogue::hex;
use augenmass_core::station::Record;
use augenmass_core::units::{ValidationId, Wall};
use augenmass_core::verdict::{Message, Verdict};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn ago(seconds: u64) -> Wall {
    let at = SystemTime::now() - Duration::from_secs(seconds);
    Wall::from_ms(at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64)
}

/// A store in which a basket passed so many seconds ago: the scale of the station in these tests is out, it cannot pass one itself.
fn passed(folder: &Path, seconds_ago: u64) {
    let list: Basket = serde_json::from_value(basket(3, 1)).unwrap();
    let at = ago(seconds_ago);
    let verdict: Verdict = serde_json::from_value(json!({
        "validation_id": "v-1", "attempt": 1, "basket_id": "b-1", "revision": 3, "station_id": "basket-1",
        "outcome": "pass", "passed": true, "decided_at": "2026-11-21T18:00:00Z", "elapsed_ms": 800, "weight": null,
        "findings": [], "check": [], "message": Message::AllRight {}, "degraded": [], "exit_token": null
    }))
    .unwrap();
    let verdict = Arc::new(Verdict { decided_at: at, ..verdict });
    let (id, basket_id): (ValidationId, _) = ("v-1".parse().unwrap(), "b-1".parse().unwrap());
    let records = [
        Record::Basket { id: "b-1".parse().unwrap(), basket: list },
        Record::Validation { id, basket_id, opened_at: at },
        Record::Attempt(verdict),
    ];
    Database::open(folder).unwrap().save(&records.iter().collect::<Vec<_>>(), at).unwrap();
}

async fn redeem(router: &Router, token: &Value) -> (StatusCode, Value) {
    call(router, Method::POST, "/v1/exit-tokens/redeem", Some(json!({ "token": token }))).await
}

#[tokio::test]
async fn a_pass_brings_a_token_that_is_good_once() {
    let folder = tempfile::tempdir().unwrap();
    passed(folder.path(), 1);
    let router = station(folder.path());
    let (_, view) = get(&router, "/v1/validations/v-1").await;
    let token = &view["verdict"]["exit_token"];
    assert!(token.is_string(), "{view}");
    assert_eq!(get(&router, "/v1/validations/v-1/attempts/1").await.1["exit_token"], *token);
    let (status, told) = redeem(&router, token).await;
    assert_eq!((status, &told["basket_id"]), (StatusCode::OK, &json!("b-1")));
    let list = serde_json::to_vec(&serde_json::from_value::<Basket>(get(&router, "/v1/baskets/b-1").await.1).unwrap());
    assert_eq!(told["basket_hash"], hex(&Sha256::digest(list.unwrap())));
    let (status, problem) = redeem(&router, token).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("token_used")));
    // Over a restart too: the key and the use of the pass are kept.
    drop(router);
    let router = station(folder.path());
    assert_eq!(get(&router, "/v1/validations/v-1").await.1["verdict"]["exit_token"], *token);
    assert_eq!(redeem(&router, token).await.1["code"], "token_used");
}

#[tokio::test]
async fn a_void_or_old_pass_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    passed(folder.path(), 1);
    let router = station(folder.path());
    let token = get(&router, "/v1/validations/v-1").await.1["verdict"]["exit_token"].clone();
    let void = Record::Void { id: "v-1".parse().unwrap(), attempt: 1, at: ago(0) };
    Database::open(folder.path()).unwrap().save(&[&void], ago(0)).unwrap();
    assert_eq!(redeem(&router, &token).await.1["code"], "token_void");
    assert_eq!(get(&router, "/v1/validations/v-1/attempts/1").await.1["exit_token"], Value::Null);

    let folder = tempfile::tempdir().unwrap();
    passed(folder.path(), 700);
    let router = station(folder.path());
    let old = get(&router, "/v1/validations/v-1").await.1["verdict"]["exit_token"].clone();
    let (status, problem) = redeem(&router, &old).await;
    assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("token_expired")));
    // Of another station, which has another key.
    let (status, problem) = redeem(&router, &token).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("bad_token")));
    assert_eq!(redeem(&router, &json!("nonsense")).await.1["code"], "bad_token");
    assert_eq!(redeem(&router, &json!(7)).await.1["code"], "bad_body");
}

#[tokio::test]
async fn a_gate_without_a_line_verifies_by_the_published_keys() {
    let folder = tempfile::tempdir().unwrap();
    passed(folder.path(), 1);
    let router = station(folder.path());
    let text = get(&router, "/v1/validations/v-1").await.1["verdict"]["exit_token"].as_str().unwrap().to_owned();
    let (status, keys) = get(&router, "/.well-known/jwks.json").await;
    assert_eq!((status, &keys["keys"][0]["crv"]), (StatusCode::OK, &json!("Ed25519")));
    let jwks = folder.path().join("jwks.json");
    std::fs::write(&jwks, keys.to_string()).unwrap();
    let mut told = Vec::new();
    token(&TokenCommand::Verify { token: text.clone(), jwks: jwks.clone() }, &mut told).unwrap();
    let claims: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((&claims["iss"], &claims["validation_id"]), (&json!("basket-1"), &json!("v-1")));
    let forged = format!("{}x", &text[..text.len() - 1]);
    assert!(token(&TokenCommand::Verify { token: forged, jwks }, &mut told).is_err());
}

/// A store with a basket that did not pass, with two pictures that are kept until then.
fn not_passed(folder: &Path, until: Wall) {
    let verdict: Verdict = serde_json::from_value(json!({
        "validation_id": "v-1", "attempt": 1, "basket_id": "b-1", "revision": 3, "station_id": "basket-1",
        "outcome": "correct", "passed": false, "decided_at": "2026-11-21T18:00:00Z", "elapsed_ms": 800, "weight": null,
        "findings": [
            { "kind": "absent", "product": null, "scanned": 1, "found": 0, "grams": -250.0, "probability": 0.3, "named": false, "image": null },
            { "kind": "unscanned", "product": null, "scanned": 0, "found": 1, "grams": 250.0, "probability": 0.6, "named": false, "image": null },
        ],
        "check": [], "message": Message::StaffWillHelp {}, "degraded": [], "exit_token": null
    }))
    .unwrap();
    let (id, basket_id): (ValidationId, _) = ("v-1".parse().unwrap(), "b-1".parse().unwrap());
    let list: Basket = serde_json::from_value(basket(3, 1)).unwrap();
    let records = [
        Record::Basket { id: "b-1".parse().unwrap(), basket: list },
        Record::Validation { id: id.clone(), basket_id, opened_at: ago(1) },
        Record::Attempt(Arc::new(verdict)),
    ];
    let mut database = Database::open(folder).unwrap();
    database.save(&records.iter().collect::<Vec<_>>(), ago(1)).unwrap();
    let picture = |number, finding| CropPicture { number, finding, jpeg: vec![0xFF, 0xD8, number as u8] };
    let pictures = vec![picture(0, None), picture(3, Some(1))];
    database.put_crops(&CropSet { validation_id: id, attempt: 1, until, pictures }).unwrap();
}

#[tokio::test]
async fn findings_of_a_basket_that_did_not_pass_have_their_pictures_while_these_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let in_an_hour = Wall::from_ms(ago(0).ms() + 3_600_000);
    not_passed(folder.path(), in_an_hour);
    let router = station(folder.path());
    let place = "/v1/validations/v-1/attempts/1";
    let (_, told) = get(&router, place).await;
    assert_eq!(told["findings"][0]["image"], Value::Null);
    assert_eq!(told["findings"][1]["image"], json!(format!("{place}/crops/3")));
    let request =
        |path: &str| Request::builder().uri(path).header(header::HOST, "localhost:8787").body(Body::empty()).unwrap();
    let (status, _, kind) = send(&router, request(&format!("{place}/crops/3"))).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "image/jpeg"));
    for missing in ["1", "x", "-1", "99999999999"] {
        let (status, problem) = get(&router, &format!("{place}/crops/{missing}")).await;
        assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("unknown_crop")), "{missing}");
    }
}

#[tokio::test]
async fn pictures_whose_time_is_over_are_neither_told_nor_shown() {
    let folder = tempfile::tempdir().unwrap();
    not_passed(folder.path(), ago(1));
    let router = station(folder.path());
    let place = "/v1/validations/v-1/attempts/1";
    assert_eq!(get(&router, place).await.1["findings"][1]["image"], Value::Null);
    assert_eq!(get(&router, &format!("{place}/crops/3")).await.0, StatusCode::NOT_FOUND);
}
