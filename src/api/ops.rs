//! For those who keep the station running.

use super::hub::Hub;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// `GET /live`: the process runs.
pub async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// `GET /ready`: all senses are there and staff has not closed the station; 503 with the reasons when one is out. Can be lost again.
pub async fn ready(State(hub): State<Hub>) -> Response {
    let station = hub.station.borrow().clone();
    let (senses, out_of_service) = (station.senses, station.out_of_service);
    let ready = senses.iter().all(|s| s.ok) && out_of_service.is_none();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "senses": senses, "out_of_service": out_of_service }))).into_response()
}

/// `GET /metrics`, for Prometheus.
pub async fn metrics(State(hub): State<Hub>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (hub.metrics)()).into_response()
}

/// `GET /v1/station`: state, sensors, versions.
pub async fn station(State(hub): State<Hub>) -> Json<Value> {
    let view = hub.station.borrow().clone();
    let info = &hub.info;
    let certificate = hub.certificate.borrow().clone();
    let certificate = certificate.map(|certificate| {
        let at = jiff::Timestamp::from_millisecond(certificate.expires_at.ms()).map(|at| at.to_string());
        json!({ "expires_at": at.ok(), "sha256": certificate.fingerprint })
    });
    Json(json!({
        "station_id": info.station_id,
        "station_code": info.station_code,
        "name": info.station_name,
        "state": view.state,
        "live_g": view.live_g,
        "sensors": view.senses,
        "open_validations": view.open,
        "certificate": certificate,
        "versions": { "software": info.software, "config": info.config_hash, "models": info.models_hash },
    }))
}
