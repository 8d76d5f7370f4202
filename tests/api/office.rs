//! The back office pulls what was decided.

use crate::station::{basket, call, get, station};
use augenmass::api::openapi::operations;
use augenmass::io::store::Database;
use augenmass_core::basket::Basket;
use augenmass_core::station::Record;
use augenmass_core::units::{ValidationId, Wall};
use augenmass_core::verdict::Verdict;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tower::ServiceExt;

fn verdict(id: &str, attempt: u32, outcome: &str) -> Record {
    let verdict: Verdict = serde_json::from_value(json!({
        "validation_id": id, "attempt": attempt, "basket_id": "b-1", "revision": attempt, "station_id": "basket-1",
        "outcome": outcome, "passed": outcome == "pass", "decided_at": "2026-11-21T18:00:00Z", "elapsed_ms": 800, "weight": null,
        "findings": [], "check": [], "message": { "key": "all_right", "args": {} }, "degraded": [], "exit_token": null
    }))
    .unwrap();
    Record::Attempt(Arc::new(verdict))
}

fn list(revision: u64, quantity: u32) -> Record {
    let list: Basket = serde_json::from_value(basket(revision, quantity)).unwrap();
    Record::Basket { id: "b-1".parse().unwrap(), basket: list }
}

fn opened(id: &str) -> Record {
    let (id, basket_id) = (id.parse().unwrap(), "b-1".parse().unwrap());
    Record::Validation { id, basket_id, opened_at: Wall::from_ms(1_795_283_990_004) }
}

fn save(folder: &Path, records: &[Record]) {
    let all: Vec<&Record> = records.iter().collect();
    Database::open(folder).unwrap().save(&all, Wall::from_ms(1_795_284_000_000)).unwrap();
}

/// Lines of an answer, each as it is described.
async fn pull(router: &Router, query: &str) -> Vec<Value> {
    let request = Request::get(format!("/v1/verdicts{query}")).header(header::HOST, "localhost");
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-ndjson");
    let text = axum::body::to_bytes(response.into_body(), 1 << 24).await.unwrap();
    let described = operations("B1").into_iter().find(|o| o.path == "/v1/verdicts").unwrap();
    let lines = std::str::from_utf8(&text).unwrap().lines();
    lines
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (described.answers[0].body[0].fits)(&line).unwrap();
            line
        })
        .collect()
}

#[tokio::test]
async fn a_walk_gives_each_verdict_once_with_the_list_that_was_judged() {
    let folder = tempfile::tempdir().unwrap();
    let void =
        Record::Void { id: "v-1".parse::<ValidationId>().unwrap(), attempt: 2, at: Wall::from_ms(1_795_284_005_000) };
    save(
        folder.path(),
        &[list(1, 5), opened("v-1"), verdict("v-1", 1, "correct"), list(2, 6), verdict("v-1", 2, "pass"), void],
    );
    // The basket goes on; what was judged stays what was judged.
    save(folder.path(), &[list(3, 7), verdict("v-1", 3, "pass")]);
    let router = station(folder.path());
    let all = pull(&router, "").await;
    let told: Vec<(&str, &str)> =
        all.iter().map(|l| (l["TransactionID"].as_str().unwrap(), l["TransactionType"].as_str().unwrap())).collect();
    let validation = "BasketValidation";
    assert_eq!(told, [("v-1/1", validation), ("v-1/2", validation), ("v-1/2/void", "PostVoid"), ("v-1/3", validation)]);
    let quantities: Vec<&Value> = all.iter().map(|line| &line["LineItem"][0]["Sale"]["Quantity"]).collect();
    assert_eq!(quantities, [&json!(5), &json!(6), &Value::Null, &json!(7)]);
    assert_eq!(all[0]["BeginDateTime"], "2026-11-21T17:59:50.004Z");
    assert_eq!(all[0]["EndDateTime"], "2026-11-21T18:00:00.000Z");
    assert_eq!(all[0]["Verdict"]["outcome"], "correct");
    assert_eq!(all[2]["TransactionLink"]["TransactionID"], "v-1/2");
    // One by one it is the same, and at the end there is nothing more.
    let (mut walked, mut after) = (Vec::new(), 0);
    loop {
        let page = pull(&router, &format!("?after={after}&limit=1")).await;
        let Some(line) = page.into_iter().next() else { break };
        let number = line["SequenceNumber"].as_i64().unwrap();
        assert!(number > after);
        after = number;
        walked.push(line);
    }
    assert_eq!(walked, all);
}

#[tokio::test]
async fn a_cursor_holds_over_a_restart_and_sees_what_came_since() {
    let folder = tempfile::tempdir().unwrap();
    let many: Vec<Record> = (1..=100).map(|attempt| verdict("v-2", attempt, "correct")).collect();
    save(folder.path(), &many);
    let router = station(folder.path());
    let first = pull(&router, "?limit=70").await;
    assert_eq!(first.len(), 70, "more than one page of memory");
    let after = first[69]["SequenceNumber"].clone();
    drop(router);
    save(folder.path(), &[verdict("v-2", 101, "pass")]);
    let router = station(folder.path());
    let rest = pull(&router, &format!("?after={after}")).await;
    let attempts: Vec<u64> = first.iter().chain(&rest).map(|l| l["Verdict"]["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, (1..=101).collect::<Vec<u64>>());
    assert!(pull(&router, &format!("?after={}", rest.last().unwrap()["SequenceNumber"])).await.is_empty());
}

#[tokio::test]
async fn a_cursor_of_another_life_is_refused_and_so_is_what_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let (status, problem) = get(&router, "/v1/verdicts?after=17").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("unknown_cursor")));
    for query in ["after=x", "after=-1", "limit=0", "limit=10001", "before=3", "after=18446744073709551615"] {
        let (status, problem) = get(&router, &format!("/v1/verdicts?{query}")).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("bad_query")), "{query}");
    }
}

#[tokio::test]
async fn what_was_decided_before_this_version_is_told_too() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), &[list(1, 5), opened("v-1"), verdict("v-1", 1, "correct"), verdict("v-1", 2, "pass")]);
    // As the version before left it.
    augenmass::io::store::go_back(folder.path(), 12, augenmass_core::units::Wall::from_ms(1)).unwrap();
    let router = station(folder.path());
    let told = pull(&router, "").await;
    let ids: Vec<&Value> = told.iter().map(|line| &line["TransactionID"]).collect();
    assert_eq!(ids, [&json!("v-1/1"), &json!("v-1/2")]);
    assert_eq!(told[0]["LineItem"], Value::Null, "which list it was is not known any more");
    // A station that judges goes on numbering.
    call(&router, Method::PUT, "/v1/baskets/b-9", Some(basket(1, 1))).await;
    let open = json!({ "basket_id": "b-9", "station_code": "B1" });
    let (_, opened) = call(&router, Method::POST, "/v1/validations", Some(open)).await;
    get(&router, &format!("/v1/validations/{}?wait=10", opened["validation_id"].as_str().unwrap())).await;
    let new = pull(&router, &format!("?after={}", told[1]["SequenceNumber"])).await;
    assert_eq!((new.len(), &new[0]["Outcome"], &new[0]["BasketID"]), (1, &json!("unavailable"), &json!("b-9")));
}
