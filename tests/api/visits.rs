//! Baskets and validations.

use crate::station::{basket, call, get, send, station};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;
use tower::ServiceExt;

#[tokio::test]
async fn a_list_is_kept_whole_and_only_forward() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let put = |body| call(&router, Method::PUT, "/v1/baskets/b-1", Some(body));
    assert_eq!(put(basket(2, 1)).await.0, StatusCode::CREATED);
    assert_eq!(put(basket(2, 1)).await.0, StatusCode::OK);
    for (body, code) in [(basket(1, 1), "older_revision"), (basket(2, 5), "revision_conflict")] {
        let (status, problem) = put(body).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some(code)));
    }
    assert_eq!(put(basket(3, 4)).await.0, StatusCode::OK);
    let (_, kept) = get(&router, "/v1/baskets/b-1").await;
    assert_eq!((&kept["revision"], &kept["lines"][0]["quantity"]), (&json!(3), &json!(4)));
    assert_eq!(call(&router, Method::DELETE, "/v1/baskets/b-1", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(get(&router, "/v1/baskets/b-1").await.1["code"], "unknown_basket");
}

#[tokio::test]
async fn a_malformed_list_gets_its_code_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    call(&router, Method::PUT, "/v1/baskets/b-1", Some(basket(1, 1))).await;
    let mut wrong_code = basket(2, 0);
    wrong_code["lines"][0]["code"] = json!("4006381333932");
    let mut stranger = basket(2, 1);
    stranger["colour"] = json!("blue");
    let mut negative = basket(2, 1);
    negative["lines"][0]["quantity"] = json!(-3);
    for (body, code) in
        [(wrong_code, "bad_basket"), (stranger, "bad_body"), (negative, "bad_body"), (json!([]), "bad_body")]
    {
        let (status, problem) = call(&router, Method::PUT, "/v1/baskets/b-1", Some(body)).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(code)));
    }
    let raw = |kind: &'static str, body: String| {
        let request =
            Request::put("/v1/baskets/b-1").header(header::HOST, "localhost").header(header::CONTENT_TYPE, kind);
        send(&router, request.body(Body::from(body)).unwrap())
    };
    let cut = raw("application/json", "{\"revision\": 2".to_owned()).await;
    assert_eq!((cut.0, &cut.1["code"]), (StatusCode::BAD_REQUEST, &json!("malformed_json")));
    let text = raw("text/plain", basket(2, 1).to_string()).await;
    assert_eq!((text.0, &text.1["code"]), (StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!("not_json")));
    let huge = raw("application/json", format!("{{\"revision\": 2, \"source\": \"{}\"}}", "x".repeat(400_000))).await;
    assert_eq!((huge.0, &huge.1["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large")));
    assert_eq!(call(&router, Method::PUT, "/v1/baskets/a%20b", Some(basket(1, 1))).await.1["code"], "bad_id");
    assert_eq!(get(&router, "/v1/baskets/b-1").await.1["revision"], 1);
}

#[tokio::test]
async fn every_fault_of_a_list_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let mut bad = basket(1, 0);
    bad["bags"] = json!({ "count": 99 });
    bad["lines"][0]["code"] = json!("12");
    let (_, problem) = call(&router, Method::PUT, "/v1/baskets/b-1", Some(bad)).await;
    assert_eq!(problem["faults"].as_array().unwrap().len(), 3, "{problem}");
}

#[tokio::test]
async fn without_a_scale_a_basket_is_unavailable_and_never_passes() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    call(&router, Method::PUT, "/v1/baskets/b-1", Some(basket(1, 1))).await;
    let open = json!({ "basket_id": "b-1", "station_code": "B1" });
    let (status, first) = call(&router, Method::POST, "/v1/validations", Some(open.clone())).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, again) = call(&router, Method::POST, "/v1/validations", Some(open)).await;
    assert_eq!((status, &again), (StatusCode::OK, &first));
    let place = format!("/v1/validations/{}", first["validation_id"].as_str().unwrap());
    let (_, view) = get(&router, &format!("{place}?wait=10&after=0")).await;
    assert_eq!(
        (&view["attempt"], &view["verdict"]["outcome"], &view["verdict"]["passed"]),
        (&json!(1), &json!("unavailable"), &json!(false))
    );
    assert_eq!(view["verdict"]["findings"][0]["kind"], "sensor");
    assert_eq!(view["verdict"]["degraded"], json!(["scale"]));
    assert_eq!(view["verdict"]["message"]["key"], "station_busy");
    let (status, _) = call(&router, Method::POST, &format!("{place}/retry"), None).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(get(&router, &format!("{place}?wait=10&after=1")).await.1["attempt"], 2);
    assert_eq!(get(&router, &format!("{place}/attempts/1")).await.1["attempt"], 1);
    let (status, ready) = get(&router, "/ready").await;
    assert_eq!((status, &ready["senses"][0]["name"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("scale")));
    assert!(ready["senses"][0]["why"].as_str().unwrap().contains("no port at"), "{ready}");
    assert_eq!(get(&router, "/live").await.0, StatusCode::OK);
    let blocked = call(&router, Method::DELETE, "/v1/baskets/b-1", None).await;
    assert_eq!(blocked.1["code"], "validation_open");
}

#[tokio::test]
async fn what_cannot_be_validated_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    call(&router, Method::PUT, "/v1/baskets/b-1", Some(basket(1, 1))).await;
    for (body, code) in [
        (json!({ "basket_id": "b-2", "station_code": "B1" }), "unknown_basket"),
        (json!({ "basket_id": "b-1", "station_code": "B9" }), "other_station"),
        (json!({ "basket_id": "b 1", "station_code": "B1" }), "bad_body"),
        (json!({ "basket_id": "b-1" }), "bad_body"),
    ] {
        assert_eq!(call(&router, Method::POST, "/v1/validations", Some(body)).await.1["code"], code);
    }
    assert_eq!(get(&router, "/v1/validations/v-none").await.1["code"], "unknown_validation");
    assert_eq!(get(&router, "/v1/validations/v-none?wait=x").await.1["code"], "bad_query");
    assert_eq!(call(&router, Method::POST, "/v1/validations/v-none/retry", None).await.1["code"], "unknown_validation");
    assert_eq!(get(&router, "/v1/nothing").await.1["code"], "not_found");
    assert_eq!(call(&router, Method::POST, "/v1/station", None).await.1["code"], "method_not_allowed");
}

#[tokio::test]
async fn a_long_poll_without_news_ends_in_time_with_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    call(&router, Method::PUT, "/v1/baskets/b-1", Some(basket(1, 1))).await;
    let (_, opened) =
        call(&router, Method::POST, "/v1/validations", Some(json!({ "basket_id": "b-1", "station_code": "B1" }))).await;
    let place = format!("/v1/validations/{}", opened["validation_id"].as_str().unwrap());
    get(&router, &format!("{place}?wait=10&after=0")).await;
    let (status, view) = get(&router, &format!("{place}?wait=1&after=7")).await;
    assert_eq!((status, &view["attempt"], &view["state"]), (StatusCode::OK, &json!(1), &json!("decided")));
}

#[tokio::test]
async fn a_page_of_somebody_else_cannot_speak_for_the_shopper() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let request = Request::get("/v1/station").header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    let (status, problem, _) = send(&router, request).await;
    assert_eq!((status, &problem["code"]), (StatusCode::MISDIRECTED_REQUEST, &json!("foreign_host")));
}

#[tokio::test]
async fn a_new_process_knows_what_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    call(&router, Method::PUT, "/v1/baskets/b-1", Some(basket(1, 1))).await;
    let (_, opened) =
        call(&router, Method::POST, "/v1/validations", Some(json!({ "basket_id": "b-1", "station_code": "B1" }))).await;
    let place = format!("/v1/validations/{}", opened["validation_id"].as_str().unwrap());
    let told = get(&router, &format!("{place}?wait=10&after=0")).await.1["verdict"].clone();
    drop(router);
    let router = station(folder.path());
    assert_eq!(get(&router, &format!("{place}/attempts/1")).await.1, told);
    // It had not ended: it is judged again, under the next number.
    assert_eq!(get(&router, &format!("{place}?wait=10&after=1")).await.1["attempt"], 2);
    let (status, view) =
        call(&router, Method::POST, "/v1/validations", Some(json!({ "basket_id": "b-1", "station_code": "B1" }))).await;
    assert_eq!((status, &view), (StatusCode::OK, &opened));
}

#[tokio::test]
async fn the_display_says_when_the_station_cannot_serve() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let (_, screen) = get(&router, "/v1/display").await;
    assert_eq!(screen["view"], "wait");
    let page = router
        .clone()
        .oneshot(Request::get("/").header(header::HOST, "localhost").body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("default-src 'none'"));
}
