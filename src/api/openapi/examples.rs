//! What the description shows. Tests read each into the type that it is an example of.

use super::problems::PROBLEMS;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// A list.
pub fn basket() -> Value {
    json!({
        "revision": 3,
        "source": "app",
        "containers": [{ "kind": "basket", "id": "K-7" }],
        "bags": { "count": 1 },
        "shopper": { "pseudonym": "s-81f2", "first_visit": false },
        "lines": [
            { "code": "4006381333931", "quantity": 2, "scanned_at": "2026-11-21T17:52:10Z" },
            { "code": "4099990000158", "quantity": 1 },
        ],
    })
}

fn verdict(attempt: u32) -> Value {
    json!({
        "validation_id": "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f", "attempt": attempt, "basket_id": "b-1", "revision": 3,
        "station_id": "basket-1", "outcome": "correct", "passed": false, "decided_at": "2026-11-21T18:00:00.123Z", "elapsed_ms": 870,
        "weight": { "measured_g": 5312.4, "expected_g": 5060.1, "sigma_g": 11.8 },
        "findings": [{ "kind": "unscanned", "product": { "id": "butter-250", "code": "4099990000158", "name": "Butter 250 g" },
            "scanned": 0, "found": 1, "grams": 252.3, "probability": 0.91, "named": true, "image": null }],
        "check": [{ "id": "butter-250", "code": "4099990000158", "name": "Butter 250 g" }],
        "message": { "key": "maybe_missing", "args": { "name": "Butter 250 g" } },
        "degraded": [], "exit_token": null, "seen": 9,
        "basis": { "weighings": 1, "looks": 1 },
        "versions": { "catalogue": "9f2c…", "models": "41d0…", "config": "77ab…", "software": "0.1.0" },
    })
}

/// A verdict that finds something.
pub fn correct() -> Value {
    verdict(1)
}

/// A verdict that lets the basket go.
pub fn pass() -> Value {
    let mut pass = verdict(2);
    pass["outcome"] = json!("pass");
    pass["passed"] = json!(true);
    pass["weight"]["measured_g"] = json!(5058.3);
    pass["findings"] = json!([]);
    pass["check"] = json!([]);
    pass["message"] = json!({ "key": "all_right", "args": {} });
    pass["exit_token"] = json!("eyJ0eXAiOiJleGl0K2p3dCIsImFsZyI6IkVkRFNBIi…");
    pass
}

/// A validation with a decided attempt.
pub fn validation() -> Value {
    json!({ "validation_id": "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f", "basket_id": "b-1", "state": "decided", "attempt": 1, "void": false,
        "staff_called": false, "cancelled": false, "corrections": 1, "verdict": correct(), "resolution": null })
}

/// A line of what the back office pulls.
pub fn transaction() -> Value {
    let sale = |number: u32, code: &str, quantity: u32| json!({ "SequenceNumber": number, "Sale": { "POSIdentity": code, "Quantity": quantity } });
    json!({ "SequenceNumber": 1841, "TransactionID": "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f/1", "TransactionType": "BasketValidation",
        "WorkstationID": "basket-1", "BasketID": "b-1", "RevisionNumber": 3, "BeginDateTime": "2026-11-21T17:59:58.004Z",
        "EndDateTime": "2026-11-21T18:00:00.123Z", "Outcome": "correct",
        "LineItem": [sale(1, "4006381333931", 2), sale(2, "4099990000158", 1)], "Verdict": correct() })
}

/// A stream of events.
pub fn events() -> String {
    let state = json!({ "validation_id": "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f", "state": "weighing", "attempt": 0, "void": false,
        "staff_called": false, "cancelled": false });
    format!("event: state\ndata: {state}\n\nevent: verdict\nid: 1\ndata: {}\n\n", correct())
}

/// A product as the catalogue keeps it.
pub fn product() -> Value {
    json!({ "id": "butter-250", "code": "04099990000158", "name": "Butter 250 g", "kind": "piece", "price_minor": 249,
        "gross_mean_g": 256.0, "gross_sd_g": 2.0, "mean_sd_g": 1.0, "weight_source": "seeded", "risk": "normal", "popularity": 1.0 })
}

/// A catalogue in NDJSON.
pub fn catalogue() -> String {
    format!("{}\n", product())
}

/// A catalogue in CSV.
pub const CATALOGUE_CSV: &str = "id,code,name,kind,price_minor,gross_mean_g,gross_sd_g,mean_sd_g,weight_source\n\
    butter-250,4099990000158,Butter 250 g,piece,249,256,2,1,seeded\n";

/// A problem of this code.
pub fn problem(code: &str) -> Value {
    let (status, meaning) = PROBLEMS
        .iter()
        .find(|(known, _, _)| *known == code)
        .map_or((500, "not written down"), |(_, status, meaning)| (*status, *meaning));
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Problem");
    json!({ "type": format!("urn:augenmass:problem:{code}"), "title": title, "status": status, "code": code, "detail": meaning })
}
