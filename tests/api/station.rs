//! A station in process.

use crate::contract::assert_as_described;
use augenmass::api::{Hub, ServiceInfo, Views, router};
use augenmass::app::access::of_station;
use augenmass::app::config;
use augenmass::app::driver::{Driver, Sinks, Sources};
use augenmass::app::{calibrations::Calibrations, telemetry, wiring};
use augenmass::io::clock::Clock;
use augenmass::io::store::{Database, Writer};
use augenmass_core::station::{Input, Machine, StationView};
use augenmass_core::verdict::Versions;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

/// A station whose port does not exist, with its data in `directory`.
pub fn station(directory: &Path) -> Router {
    station_with(directory, &[])
}

/// The same with changes in its file.
pub fn station_with(directory: &Path, changes: &[(&str, &str)]) -> Router {
    router(hub_with(directory, changes).0)
}

/// The same before its routes are laid, and how it stands.
pub fn hub_with(directory: &Path, changes: &[(&str, &str)]) -> (Hub, watch::Receiver<StationView>) {
    let text = include_str!("../../hw-configs/basket-plate.toml")
        .replace("run/basket-1/by-path/plate", &directory.join("no-port").display().to_string());
    let text = changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let file = config::parse(&text, "basket-plate.toml").unwrap();
    let clock = Clock::start();
    let database = Database::open(directory).unwrap();
    let restored = database.restore().unwrap();
    let mut station = wiring::station(&file, &Calibrations::default(), Versions::default()).unwrap();
    station.has_camera = false;
    let mut machine = Machine::new(station, restored, clock.now());
    if let Some(catalogue) = database.catalogue().unwrap() {
        machine.handle(clock.now(), Input::Goods { catalogue: Arc::new(catalogue), gallery: None });
    }
    let (serial_events, serial) = mpsc::channel(64);
    let (store_events, store) = mpsc::unbounded_channel();
    let (calls, requests) = mpsc::channel(64);
    let (_inputs, inputs) = mpsc::channel(1);
    let (views, views_seen) = watch::channel(Views::new());
    let (station_view, station_seen) = watch::channel(machine.view());
    let sinks = Sinks {
        serial: wiring::open_ports(&file, &serial_events),
        writer: Writer::start(directory, clock, store_events).unwrap(),
        eyes: None,
        seen: None,
        journal: None,
        views,
        station: station_view,
    };
    tokio::spawn(Driver::new(machine, clock, sinks).run(Sources { serial, inputs, calls: requests, store }));
    let info = ServiceInfo {
        station_id: "basket-1".to_owned(),
        station_code: "B1".to_owned(),
        station_name: "Basket station 1".to_owned(),
        software: "test",
        config_hash: String::new(),
        models_hash: String::new(),
    };
    let page = Arc::new(|| telemetry::metrics_page().map(|p| p.render()).unwrap_or_default());
    let mut api = file;
    api.data_directory = directory.to_owned();
    let access = of_station(&api).unwrap();
    (Hub::new(calls, views_seen, station_seen.clone(), info, directory.to_owned(), page, access), station_seen)
}

pub async fn send(router: &Router, request: Request<Body>) -> (StatusCode, Value, String) {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map(|h| h.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    assert_as_described(&method, &path, status.as_u16(), &kind, &body);
    (status, body, kind)
}

pub async fn call(router: &Router, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:8787");
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map_or(Body::empty(), |b| Body::from(b.to_string()));
    let (status, value, kind) = send(router, request.body(body).unwrap()).await;
    if status.is_client_error() || status.is_server_error() && path != "/ready" {
        assert_eq!(kind, "application/problem+json", "{path}: {value}");
        assert_eq!(value["status"], status.as_u16());
    }
    (status, value)
}

pub async fn get(router: &Router, path: &str) -> (StatusCode, Value) {
    call(router, Method::GET, path, None).await
}

pub fn basket(revision: u64, quantity: u32) -> Value {
    json!({ "revision": revision, "source": "app", "containers": [{ "kind": "basket", "id": "K-7" }],
        "lines": [{ "code": "4006381333931", "quantity": quantity }] })
}
