//! What staff does with baskets. The scale of this station is out: each attempt is `unavailable`, and each basket needs somebody.

use crate::staff::{Tablet, add_staff};
use crate::station::{basket, call, get, station, station_with};
use augenmass::app::audit::{AuditCommand, audit};
use augenmass::io::store::{CatalogueFormat, Database};
use augenmass_core::units::Wall;
use augenmass_core::verdict::Role;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tower::ServiceExt;

const FOUR_EYES: (&str, &str) = ("[policy]\n", "[policy]\nfour_eyes_above_minor = 1000\n");

/// A station with two people of the desk, two supervisors, and a catalogue of three products.
fn shop(folder: &Path) -> Router {
    let products = "{\"id\":\"tape\",\"code\":\"4006381333931\",\"name\":\"Tape\",\"kind\":\"piece\",\"price_minor\":250,\"gross_mean_g\":60.0,\"gross_sd_g\":1.0,\"mean_sd_g\":0.5,\"weight_source\":\"seeded\"}\n\
        {\"id\":\"gin\",\"code\":\"40084015\",\"name\":\"Gin\",\"kind\":\"piece\",\"price_minor\":400,\"gross_mean_g\":1200.0,\"gross_sd_g\":5.0,\"mean_sd_g\":0.5,\"weight_source\":\"seeded\",\"age_limit\":18}\n\
        {\"id\":\"cheese\",\"code\":\"04011\",\"name\":\"Cheese\",\"kind\":\"weighed\",\"price_minor\":300,\"price_per_kg_minor\":1290,\"gross_mean_g\":200.0,\"gross_sd_g\":50.0,\"mean_sd_g\":5.0,\"weight_source\":\"seeded\"}\n";
    Database::open(folder).unwrap().import_catalogue(products, CatalogueFormat::Ndjson, Wall::from_ms(1)).unwrap();
    for (name, role) in [
        ("anna", Role::Attendant),
        ("ben", Role::Attendant),
        ("eva", Role::Supervisor),
        ("tom", Role::Supervisor),
        ("kim", Role::Technician),
    ] {
        add_staff(folder, name, role);
    }
    station_with(folder, &[FOUR_EYES])
}

/// A basket that needs staff; gives its validation.
async fn stopped(router: &Router, id: &str, list: Value) -> String {
    call(router, Method::PUT, &format!("/v1/baskets/{id}"), Some(list)).await;
    let open = json!({ "basket_id": id, "station_code": "B1" });
    let (_, opened) = call(router, Method::POST, "/v1/validations", Some(open)).await;
    let id = opened["validation_id"].as_str().unwrap().to_owned();
    let (_, view) = get(router, &format!("/v1/validations/{id}?wait=10")).await;
    assert_eq!(view["verdict"]["outcome"], "unavailable");
    id
}

fn gin() -> Value {
    json!({ "revision": 1, "source": "app", "lines": [{ "code": "40084015", "quantity": 1 }] })
}

async fn deed(router: &Router, tablet: &Tablet, id: &str, what: &str, body: Value) -> (StatusCode, Value) {
    tablet.ask(router, Method::POST, &format!("/v1/staff/validations/{id}/{what}"), Some(body)).await
}

fn approve(reason: &str) -> Value {
    json!({ "action": "approve", "reason": reason })
}

fn refused(answer: &(StatusCode, Value), status: StatusCode, code: &str) {
    assert_eq!((answer.0, &answer.1["code"]), (status, &json!(code)), "{}", answer.1);
}

#[tokio::test]
async fn a_basket_is_claimed_approved_and_opens_the_gate_once() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let (anna, ben) = (Tablet::of(folder.path(), "anna"), Tablet::of(folder.path(), "ben"));
    let id = stopped(&router, "b-1", basket(1, 2)).await;
    let (_, queue) = anna.ask(&router, Method::GET, "/v1/staff/queue", None).await;
    assert_eq!((&queue["queue"][0]["validation_id"], &queue["queue"][0]["need"]), (&json!(id), &json!("unavailable")));
    call(&router, Method::POST, &format!("/v1/validations/{id}/call-staff"), None).await;
    let (_, queue) = anna.ask(&router, Method::GET, "/v1/staff/queue", None).await;
    assert_eq!(queue["queue"][0]["need"], "called");

    refused(&deed(&router, &anna, &id, "resolution", approve("bag")).await, StatusCode::CONFLICT, "not_claimed");
    assert_eq!(deed(&router, &anna, &id, "claim", json!({})).await.1["claim"]["mine"], true);
    refused(&deed(&router, &ben, &id, "claim", json!({})).await, StatusCode::CONFLICT, "claimed");
    refused(&deed(&router, &ben, &id, "resolution", approve("bag")).await, StatusCode::CONFLICT, "claimed");
    let (_, open) = anna.ask(&router, Method::GET, &format!("/v1/staff/validations/{id}"), None).await;
    let line = &open["dossier"]["lines"][0];
    assert_eq!(
        (&line["name"], &line["expected_g"], &line["price_minor"]),
        (&json!("Tape"), &json!(120.0), &json!(500))
    );
    assert_eq!((&open["dossier"]["value_minor"], &open["verdict"]["outcome"]), (&json!(500), &json!("unavailable")));

    let late = json!({ "action": "approve", "reason": "bag", "attempt": 7 });
    refused(&deed(&router, &anna, &id, "resolution", late).await, StatusCode::CONFLICT, "news_since");
    let (status, done) = deed(&router, &anna, &id, "resolution", approve("sensor_fault")).await;
    assert_eq!((status, &done["by"]["name"]), (StatusCode::OK, &json!("anna")));
    refused(&deed(&router, &anna, &id, "resolution", approve("bag")).await, StatusCode::CONFLICT, "not_queued");
    let (_, queue) = ben.ask(&router, Method::GET, "/v1/staff/queue", None).await;
    assert_eq!((&queue["queue"], &queue["done"][0]["may_undo"]), (&json!([]), &json!(false)));

    // The shopper is told that it may go, and neither by whom nor why.
    let (_, view) = get(&router, &format!("/v1/validations/{id}")).await;
    assert_eq!((&view["state"], &view["resolution"]["action"]), (&json!("closed"), &json!("approve")));
    let fields: Vec<&String> = view["resolution"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["action", "at", "attempt", "exit_token", "number"]);
    let token = view["resolution"]["exit_token"].clone();
    assert_eq!(token, done["exit_token"]);
    assert_eq!(get(&router, "/v1/display").await.1["view"], "pass");
    let redeem = async || call(&router, Method::POST, "/v1/exit-tokens/redeem", Some(json!({ "token": token }))).await;
    assert_eq!(redeem().await.0, StatusCode::OK);
    refused(&redeem().await, StatusCode::CONFLICT, "token_used");
    refused(&deed(&router, &anna, &id, "undo", json!({ "number": 1 })).await, StatusCode::CONFLICT, "token_used");
    // It outlives a restart, as a pass does.
    drop(router);
    let router = station(folder.path());
    let (_, again) = get(&router, &format!("/v1/validations/{id}")).await;
    assert_eq!((&again["state"], &again["resolution"]), (&json!("closed"), &view["resolution"]));
}

#[tokio::test]
async fn what_was_decided_can_be_taken_back_and_its_token_is_void_then() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let (anna, ben, eva) =
        (Tablet::of(folder.path(), "anna"), Tablet::of(folder.path(), "ben"), Tablet::of(folder.path(), "eva"));
    let id = stopped(&router, "b-1", basket(1, 2)).await;
    deed(&router, &anna, &id, "claim", json!({})).await;
    let (_, done) = deed(&router, &anna, &id, "resolution", approve("bag")).await;
    let undo =
        async |tablet: &Tablet, number: u32| deed(&router, tablet, &id, "undo", json!({ "number": number })).await;
    refused(&undo(&ben, 1).await, StatusCode::FORBIDDEN, "not_yours");
    refused(&undo(&anna, 2).await, StatusCode::CONFLICT, "unknown_resolution");
    assert_eq!(undo(&eva, 1).await.0, StatusCode::OK);
    refused(&undo(&eva, 1).await, StatusCode::CONFLICT, "unknown_resolution");
    let redeem = json!({ "token": done["exit_token"] });
    refused(
        &call(&router, Method::POST, "/v1/exit-tokens/redeem", Some(redeem)).await,
        StatusCode::CONFLICT,
        "token_void",
    );
    let (_, view) = get(&router, &format!("/v1/validations/{id}")).await;
    assert_eq!((&view["state"], &view["resolution"]), (&json!("decided"), &Value::Null));
    // It is in the queue again, and can be refused.
    deed(&router, &anna, &id, "claim", json!({})).await;
    let refuse = json!({ "action": "refuse", "reason": "basket_refused" });
    assert_eq!(deed(&router, &anna, &id, "resolution", refuse).await.1["number"], 2);
    let (_, view) = get(&router, &format!("/v1/validations/{id}")).await;
    assert_eq!((&view["resolution"]["action"], &view["resolution"]["exit_token"]), (&json!("refuse"), &Value::Null));
    // A minute later it stays.
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let anna = Tablet::of(folder.path(), "anna");
    let id = stopped(&router, "b-1", basket(1, 2)).await;
    deed(&router, &anna, &id, "claim", json!({})).await;
    deed(&router, &anna, &id, "resolution", approve("bag")).await;
    rewind(folder.path(), &id, 61_000);
    refused(&deed(&router, &anna, &id, "undo", json!({ "number": 1 })).await, StatusCode::CONFLICT, "too_late");
}

/// Makes a resolution older than it is, as only somebody with the file can.
fn rewind(folder: &Path, id: &str, ms: i64) {
    let file = rusqlite::Connection::open(folder.join("augenmass.sqlite")).unwrap();
    file.execute_batch("DROP TRIGGER resolution_is_final").unwrap();
    let body: String =
        file.query_row("SELECT body FROM resolution WHERE validation_id = ?1", [id], |row| row.get(0)).unwrap();
    let mut body: Value = serde_json::from_str(&body).unwrap();
    let at: jiff::Timestamp = body["at"].as_str().unwrap().parse().unwrap();
    let at = jiff::Timestamp::from_millisecond(at.as_millisecond() - ms).unwrap();
    body["at"] = json!(format!("{at:.3}"));
    file.execute("UPDATE resolution SET body = ?2 WHERE validation_id = ?1", [id, &body.to_string()]).unwrap();
}

#[tokio::test]
async fn a_dear_basket_takes_two_people_and_one_with_gin_a_look_at_the_shopper() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let of = |name| Tablet::of(folder.path(), name);
    let (anna, ben, eva, kim) = (of("anna"), of("ben"), of("eva"), of("kim"));
    let id = stopped(&router, "b-1", basket(1, 5)).await;
    deed(&router, &anna, &id, "claim", json!({})).await;
    refused(&deed(&router, &eva, &id, "confirm", json!({})).await, StatusCode::CONFLICT, "nothing_proposed");
    let (status, told) = deed(&router, &anna, &id, "resolution", approve("bag")).await;
    assert_eq!((status, &told["waits_for"]), (StatusCode::ACCEPTED, &json!("second_person")));
    assert_eq!(get(&router, &format!("/v1/validations/{id}")).await.1["resolution"], Value::Null);
    refused(&deed(&router, &anna, &id, "resolution", approve("bag")).await, StatusCode::FORBIDDEN, "second_person");
    for tablet in [&anna, &ben, &kim] {
        refused(&deed(&router, tablet, &id, "confirm", json!({})).await, StatusCode::FORBIDDEN, "forbidden");
    }
    let (_, queue) = eva.ask(&router, Method::GET, "/v1/staff/queue", None).await;
    assert_eq!(queue["queue"][0]["need"], "second_person");
    // A list that changes meanwhile is another basket.
    call(&router, Method::PUT, "/v1/baskets/b-1", Some(basket(2, 9))).await;
    get(&router, &format!("/v1/validations/{id}?wait=10&after=1")).await;
    refused(&deed(&router, &eva, &id, "confirm", json!({})).await, StatusCode::CONFLICT, "older_revision");
    let tom = of("tom");
    deed(&router, &eva, &id, "claim", json!({})).await;
    assert_eq!(deed(&router, &eva, &id, "resolution", approve("bag")).await.0, StatusCode::ACCEPTED);
    refused(&deed(&router, &eva, &id, "confirm", json!({})).await, StatusCode::FORBIDDEN, "second_person");
    let (status, done) = deed(&router, &tom, &id, "confirm", json!({})).await;
    assert_eq!((status, &done["by"]["name"], &done["second"]["name"]), (StatusCode::OK, &json!("eva"), &json!("tom")));

    let id = stopped(&router, "b-2", gin()).await;
    deed(&router, &anna, &id, "claim", json!({})).await;
    refused(&deed(&router, &anna, &id, "resolution", approve("age_ok")).await, StatusCode::CONFLICT, "age_unchecked");
    let checked = json!({ "action": "approve", "reason": "age_ok", "age_checked": true });
    assert_eq!(deed(&router, &anna, &id, "resolution", checked).await.1["age_checked"], true);
}

#[tokio::test]
async fn who_looks_after_what_and_what_waits_for_a_second_person_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let (anna, ben, eva) =
        (Tablet::of(folder.path(), "anna"), Tablet::of(folder.path(), "ben"), Tablet::of(folder.path(), "eva"));
    let (dear, other) = (stopped(&router, "b-1", basket(1, 5)).await, stopped(&router, "b-2", basket(1, 1)).await);
    for id in [&dear, &other] {
        deed(&router, &anna, id, "claim", json!({})).await;
    }
    assert_eq!(deed(&router, &anna, &dear, "resolution", approve("bag")).await.0, StatusCode::ACCEPTED);
    drop(router);
    let router = station_with(folder.path(), &[FOUR_EYES]);
    let (_, queue) = ben.ask(&router, Method::GET, "/v1/staff/queue", None).await;
    let of = |id: &str| queue["queue"].as_array().unwrap().iter().find(|entry| entry["validation_id"] == id).unwrap();
    assert_eq!((&of(&dear)["proposed_by"], &of(&dear)["need"]), (&json!("anna"), &json!("second_person")));
    assert_eq!(of(&other)["claimed_by"], "anna");
    refused(&deed(&router, &ben, &other, "claim", json!({})).await, StatusCode::CONFLICT, "claimed");
    let (status, done) = deed(&router, &eva, &dear, "confirm", json!({})).await;
    assert_eq!((status, &done["by"]["name"], &done["second"]["name"]), (StatusCode::OK, &json!("anna"), &json!("eva")));
    let release = format!("/v1/staff/validations/{other}/claim");
    assert_eq!(anna.ask(&router, Method::DELETE, &release, None).await.0, StatusCode::NO_CONTENT);
    drop(router);
    // What is settled and what was let go stay so.
    let router = station_with(folder.path(), &[FOUR_EYES]);
    refused(&deed(&router, &eva, &dear, "confirm", json!({})).await, StatusCode::CONFLICT, "nothing_proposed");
    assert_eq!(deed(&router, &ben, &other, "claim", json!({})).await.0, StatusCode::OK);
}

/// 3.99 at 12.90 a kilogram is 309.3 g; the label's price is what it costs.
#[tokio::test]
async fn a_label_with_a_price_alone_is_shown_with_the_mass_that_follows_from_it() {
    let folder = tempfile::tempdir().unwrap();
    drop(shop(folder.path()));
    let with_prices = ("[policy]\n", "[[in_store_code]]\npattern = \"28IIIIIPPPPPC\"\n\n[policy]\n");
    let router = station_with(folder.path(), &[with_prices]);
    let anna = Tablet::of(folder.path(), "anna");
    let list = json!({ "revision": 1, "source": "app", "lines": [{ "code": "2804011003993", "quantity": 2 }] });
    let id = stopped(&router, "b-1", list).await;
    let (_, open) = anna.ask(&router, Method::GET, &format!("/v1/staff/validations/{id}"), None).await;
    let line = &open["dossier"]["lines"][0];
    assert_eq!(
        (&line["name"], &line["expected_g"], &line["price_minor"]),
        (&json!("Cheese"), &json!(618.6), &json!(798))
    );
}

#[tokio::test]
async fn a_list_put_right_is_a_new_revision_and_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let anna = Tablet::of(folder.path(), "anna");
    let id = stopped(&router, "b-1", basket(1, 2)).await;
    deed(&router, &anna, &id, "claim", json!({})).await;
    let correct = |quantity: u32| json!({ "action": "correct", "reason": "quantity_fixed", "lines": [{ "code": "4006381333931", "quantity": quantity }] });
    refused(&deed(&router, &anna, &id, "resolution", correct(0)).await, StatusCode::UNPROCESSABLE_ENTITY, "bad_basket");
    assert_eq!(deed(&router, &anna, &id, "resolution", correct(3)).await.1["revision"], 2);
    let (_, view) = get(&router, &format!("/v1/validations/{id}?wait=10&after=1")).await;
    assert_eq!((&view["attempt"], &view["verdict"]["revision"]), (&json!(2), &json!(2)));
    assert_eq!(get(&router, "/v1/baskets/b-1").await.1["lines"][0]["quantity"], 3);
    let (_, problem) = call(&router, Method::PUT, "/v1/baskets/b-1", Some(basket(1, 2))).await;
    assert_eq!(problem["code"], "older_revision");
    // Whoever has put it right still looks after it.
    assert_eq!(deed(&router, &anna, &id, "resolution", approve("sensor_fault")).await.1["number"], 2);
}

#[tokio::test]
async fn bad_input_gets_its_code_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let anna = Tablet::of(folder.path(), "anna");
    let id = stopped(&router, "b-1", basket(1, 2)).await;
    deed(&router, &anna, &id, "claim", json!({})).await;
    let audited = Database::open(folder.path()).unwrap().audit(0, 100).unwrap().len();
    for (body, code) in [
        (json!({ "action": "approve" }), "bad_body"),
        (json!({ "action": "wave", "reason": "bag" }), "bad_body"),
        (json!({ "action": "approve", "reason": "bag", "by": "eva" }), "bad_body"),
        (json!([]), "bad_body"),
        (json!({ "action": "approve", "reason": "item_added" }), "bad_reason"),
        (json!({ "action": "approve", "reason": "supervisor_override" }), "bad_reason"),
        (json!({ "action": "correct", "reason": "item_added" }), "bad_lines"),
        (json!({ "action": "approve", "reason": "bag", "lines": [] }), "bad_lines"),
        (json!({ "action": "approve", "reason": "x".repeat(300_000) }), "too_large"),
    ] {
        assert_eq!(deed(&router, &anna, &id, "resolution", body).await.1["code"], code);
    }
    for (what, body, code) in
        [("undo", json!({ "number": -1 }), "bad_body"), ("undo", json!({ "number": 1 }), "unknown_resolution")]
    {
        assert_eq!(deed(&router, &anna, &id, what, body).await.1["code"], code, "{what}");
    }
    for what in ["claim", "resolution"] {
        let answer = deed(&router, &anna, "v-none", what, approve("bag")).await.1["code"].clone();
        assert!(["not_queued", "unknown_validation"].contains(&answer.as_str().unwrap()), "{what}: {answer}");
        assert_eq!(deed(&router, &anna, "v%20none", what, approve("bag")).await.1["code"], "bad_id", "{what}");
    }
    let text = |path, text: &str| {
        let request = Request::post(format!("/v1/staff/{path}")).header(header::HOST, "localhost");
        let request = anna.headers().into_iter().fold(request, |request, (name, value)| request.header(name, value));
        request.header(header::CONTENT_TYPE, "application/json").body(Body::from(text.to_owned())).unwrap()
    };
    let (status, problem, _) = crate::station::send(&router, text("service", "{\"serves\":")).await;
    refused(&(status, problem), StatusCode::BAD_REQUEST, "malformed_json");
    let long = json!({ "serves": false, "why": "x".repeat(201) }).to_string();
    let (status, problem, _) = crate::station::send(&router, text("service", &long)).await;
    refused(&(status, problem), StatusCode::UNPROCESSABLE_ENTITY, "bad_text");
    for query in ["hours=0", "hours=x", "days=1"] {
        let path = format!("/v1/staff/numbers?{query}");
        assert_eq!(anna.ask(&router, Method::GET, &path, None).await.1["code"], "bad_query", "{query}");
    }
    assert_eq!(Database::open(folder.path()).unwrap().audit(0, 100).unwrap().len(), audited, "nothing has happened");
    assert_eq!(get(&router, &format!("/v1/validations/{id}")).await.1["resolution"], Value::Null);
}

#[tokio::test]
async fn a_station_is_taken_out_of_service_and_stays_so_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let kim = Tablet::of(folder.path(), "kim");
    let service = async |router: &Router, serves: bool| {
        let body = json!({ "serves": serves, "why": "cleaning" });
        kim.ask(router, Method::POST, "/v1/staff/service", Some(body)).await.0
    };
    assert_eq!(service(&router, false).await, StatusCode::OK);
    drop(router);
    let router = station(folder.path());
    assert_eq!(get(&router, "/ready").await.1["out_of_service"], "cleaning");
    assert_eq!(get(&router, "/v1/display").await.1["headline"], "Closed for the moment");
    call(&router, Method::PUT, "/v1/baskets/b-1", Some(basket(1, 1))).await;
    let open = || Some(json!({ "basket_id": "b-1", "station_code": "B1" }));
    let answer = call(&router, Method::POST, "/v1/validations", open()).await;
    refused(&answer, StatusCode::SERVICE_UNAVAILABLE, "out_of_service");
    assert_eq!(service(&router, true).await, StatusCode::OK);
    assert_eq!(call(&router, Method::POST, "/v1/validations", open()).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn everything_that_was_done_is_in_the_record_and_who_changes_it_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let (anna, eva) = (Tablet::of(folder.path(), "anna"), Tablet::of(folder.path(), "eva"));
    let id = stopped(&router, "b-1", basket(1, 2)).await;
    deed(&router, &anna, &id, "claim", json!({})).await;
    deed(&router, &anna, &id, "resolution", approve("catalogue_weight")).await;
    deed(&router, &anna, &id, "undo", json!({ "number": 1 })).await;
    let wrong = |product: &str| format!("/v1/staff/products/{product}/weight-wrong");
    let note = || Some(json!({ "note": "new pack" }));
    assert_eq!(anna.ask(&router, Method::POST, &wrong("tape"), note()).await.0, StatusCode::ACCEPTED);
    refused(&anna.ask(&router, Method::POST, &wrong("soap"), note()).await, StatusCode::NOT_FOUND, "unknown_product");
    let database = Database::open(folder.path()).unwrap();
    assert_eq!(database.doubts().unwrap().len(), 1);

    let (_, record) = eva.ask(&router, Method::GET, "/v1/audit?limit=500", None).await;
    let entries = record["entries"].as_array().unwrap();
    let done: Vec<&str> = entries.iter().map(|e| e["act"]["did"].as_str().unwrap()).collect();
    assert_eq!(done[done.len() - 4..], ["claimed", "resolved", "undone", "weight_wrong"]);
    let resolved = &entries[done.len() - 3]["act"];
    assert_eq!((&resolved["by"]["name"], &resolved["detail"]["reason"]), (&json!("anna"), &json!("catalogue_weight")));
    for query in ["limit=0", "limit=501", "after=-1", "limit=x"] {
        let (status, problem) = eva.ask(&router, Method::GET, &format!("/v1/audit?{query}"), None).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("bad_query")), "{query}");
    }
    let (_, page) = eva.ask(&router, Method::GET, "/v1/audit?after=2&limit=1", None).await;
    assert_eq!((page["entries"].as_array().unwrap().len(), &page["entries"][0]["number"]), (1, &json!(3)));
    let (_, numbers) = anna.ask(&router, Method::GET, "/v1/staff/numbers", None).await;
    assert_eq!(
        (&numbers["taken_back"], &numbers["waits"], &numbers["found_right"]),
        (&json!(1), &json!([1, 0, 0]), &json!(0))
    );

    let config = folder.path().join("station.toml");
    let data = format!("directory = \"{}\"", folder.path().display());
    let text = include_str!("../../hw-configs/basket-plate.toml").replace("directory = \"data/basket-1\"", &data);
    std::fs::write(&config, text).unwrap();
    let head = entries.last().unwrap()["hash"].as_str().unwrap().to_owned();
    let verify = |expect: Option<String>| {
        let mut told = Vec::new();
        let done = audit(&AuditCommand::Verify { expect, config: config.clone() }, &mut told);
        done.map(|()| serde_json::from_slice::<Value>(&told).unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(verify(Some(head.clone())).unwrap(), json!({ "entries": entries.len(), "head": head }));
    assert!(verify(Some("ab".repeat(32))).unwrap_err().contains("cut off"));
    let file = rusqlite::Connection::open(folder.path().join("augenmass.sqlite")).unwrap();
    file.execute_batch("DROP TRIGGER audit_is_final").unwrap();
    let number = entries[done.len() - 3]["number"].as_i64().unwrap();
    file.execute("UPDATE audit SET entry = replace(entry, 'anna', 'eva') WHERE number = ?1", [number]).unwrap();
    assert!(verify(None).unwrap_err().contains(&format!("entry {number} was changed")));
}

/// The next event of a stream with this name.
async fn event(stream: &mut axum::body::BodyDataStream, text: &mut String, name: &str) -> Value {
    loop {
        while let Some((event, rest)) = text.split_once("\n\n") {
            let found = event.contains(&format!("event: {name}\n"));
            let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
            *text = rest.to_owned();
            if found {
                return serde_json::from_str(&data.unwrap()).unwrap();
            }
        }
        let more = tokio::time::timeout(Duration::from_secs(15), stream.next()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&more).unwrap());
    }
}

#[tokio::test]
async fn the_queue_comes_by_itself_and_the_shopper_hears_of_the_resolution() {
    let folder = tempfile::tempdir().unwrap();
    let router = shop(folder.path());
    let anna = Tablet::of(folder.path(), "anna");
    let open = async |path: String, headers: Vec<(&'static str, String)>| {
        let request = Request::get(path).header(header::HOST, "localhost");
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().into_data_stream()
    };
    let mut stream = open("/v1/staff/events".to_owned(), anna.headers()).await;
    let mut text = String::new();
    assert_eq!(event(&mut stream, &mut text, "queue").await["queue"], json!([]));
    let id = stopped(&router, "b-1", basket(1, 2)).await;
    let queue = event(&mut stream, &mut text, "queue").await;
    assert_eq!(queue["queue"][0]["validation_id"], json!(id));
    let (mut shopper, mut heard) = (open(format!("/v1/validations/{id}/events"), Vec::new()).await, String::new());
    deed(&router, &anna, &id, "claim", json!({})).await;
    assert_eq!(event(&mut stream, &mut text, "queue").await["queue"][0]["claimed_by"], "anna");
    deed(&router, &anna, &id, "resolution", approve("bag")).await;
    let told = event(&mut shopper, &mut heard, "resolution").await;
    assert!(told["action"] == "approve" && told["exit_token"].is_string() && told.get("reason").is_none(), "{told}");
    loop {
        if event(&mut stream, &mut text, "queue").await["queue"] == json!([]) {
            break;
        }
    }
    // Who logs out hears nothing more.
    anna.ask(&router, Method::DELETE, "/v1/staff/session", None).await;
    event(&mut stream, &mut text, "logged_out").await;
    assert!(stream.next().await.is_none());
}
