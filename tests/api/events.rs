//! Streams of events, calls for staff, and giving up.

use crate::station::{basket, call, get, station};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

/// The place of a validation that has been opened; the scale is out, so that each attempt is `unavailable`.
async fn opened(router: &Router) -> String {
    call(router, Method::PUT, "/v1/baskets/b-1", Some(basket(1, 1))).await;
    let body = json!({ "basket_id": "b-1", "station_code": "B1" });
    let (_, opened) = call(router, Method::POST, "/v1/validations", Some(body)).await;
    format!("/v1/validations/{}", opened["validation_id"].as_str().unwrap())
}

/// A stream of events, read one at a time.
struct Events {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Events {
    async fn of(router: &Router, place: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(format!("{place}/events")).header(header::HOST, "localhost");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// Name, id and data of the next event; `None` at the end.
    async fn next(&mut self) -> Option<(String, Option<String>, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned)
                };
                let told =
                    (field("event").unwrap(), field("id"), serde_json::from_str(&field("data").unwrap()).unwrap());
                self.text = rest.to_owned();
                return Some(told);
            }
            let more = tokio::time::timeout(Duration::from_secs(10), self.body.next()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&more.unwrap()).unwrap());
        }
    }

    /// The next verdict's id and attempt, states passed over.
    async fn verdict(&mut self) -> (String, Value) {
        loop {
            let (name, id, data) = self.next().await.unwrap();
            if name == "verdict" {
                return (id.unwrap(), data["attempt"].clone());
            }
        }
    }
}

#[tokio::test]
async fn a_stream_taken_up_again_misses_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let place = opened(&router).await;
    let mut events = Events::of(&router, &place, None).await;
    assert_eq!(events.verdict().await, ("1".to_owned(), json!(1)));
    drop(events);
    for attempt in 2..=4 {
        call(&router, Method::POST, &format!("{place}/retry"), None).await;
        get(&router, &format!("{place}?wait=10&after={}", attempt - 1)).await;
    }
    let mut events = Events::of(&router, &place, Some("1")).await;
    for attempt in 2..=4 {
        assert_eq!(events.verdict().await, (attempt.to_string(), json!(attempt)));
    }
    call(&router, Method::POST, &format!("{place}/retry"), None).await;
    assert_eq!(events.verdict().await, ("5".to_owned(), json!(5)));
}

#[tokio::test]
async fn staff_is_called_once_and_everybody_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let place = opened(&router).await;
    let mut events = Events::of(&router, &place, None).await;
    events.verdict().await;
    for _ in 0..2 {
        assert_eq!(call(&router, Method::POST, &format!("{place}/call-staff"), None).await.0, StatusCode::ACCEPTED);
    }
    loop {
        let (name, _, data) = events.next().await.unwrap();
        if name == "state" && data["staff_called"] == true {
            break;
        }
    }
    assert_eq!(get(&router, &place).await.1["staff_called"], true);
    let (_, screen) = get(&router, "/v1/display").await;
    assert_eq!(screen["view"], "help", "{screen}");
}

#[tokio::test]
async fn a_visit_given_up_is_over_and_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let place = opened(&router).await;
    get(&router, &format!("{place}?wait=10&after=0")).await;
    assert_eq!(call(&router, Method::DELETE, "/v1/baskets/b-1", None).await.1["code"], "validation_open");
    for _ in 0..2 {
        assert_eq!(call(&router, Method::POST, &format!("{place}/cancel"), None).await.0, StatusCode::ACCEPTED);
    }
    let (_, view) = get(&router, &place).await;
    assert_eq!((&view["state"], &view["cancelled"]), (&json!("closed"), &json!(true)));
    for what in ["retry", "call-staff"] {
        let (status, problem) = call(&router, Method::POST, &format!("{place}/{what}"), None).await;
        assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("validation_closed")), "{what}");
    }
    drop(router);
    let router = station(folder.path());
    assert_eq!(get(&router, &place).await.1["cancelled"], true);
    // The basket is free: it can be validated anew, or deleted.
    let body = json!({ "basket_id": "b-1", "station_code": "B1" });
    assert_eq!(call(&router, Method::POST, "/v1/validations", Some(body)).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn streams_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let place = opened(&router).await;
    assert_eq!(get(&router, "/v1/validations/v-none/events").await.1["code"], "unknown_validation");
    for what in ["call-staff", "cancel"] {
        let (status, problem) = call(&router, Method::POST, &format!("/v1/validations/v-none/{what}"), None).await;
        assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("unknown_validation")));
    }
    let request =
        Request::get(format!("{place}/events")).header(header::HOST, "localhost").header("last-event-id", "x");
    let (status, problem, _) = crate::station::send(&router, request.body(Body::empty()).unwrap()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("bad_event_id")));
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(Events::of(&router, &place, None).await);
    }
    assert_eq!(get(&router, &format!("{place}/events")).await.1["code"], "busy");
    held.pop();
    held.push(Events::of(&router, &place, None).await);
}
