//! Exit tokens, from a pass in the store to the gate.

use crate::station::{basket, call, get, station};
use augenmass::app::token::{TokenCommand, token};
use augenmass::io::store::Database;
use augenmass_core::basket::Basket;
use augenmass_core::goods::catalogue::hex;
use augenmass_core::station::Record;
use augenmass_core::units::{ValidationId, Wall};
use augenmass_core::verdict::{Message, Verdict};
use axum::Router;
use axum::http::{Method, StatusCode};
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
