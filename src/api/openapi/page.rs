//! The description over HTTP: as JSON, and as a page that loads nothing from elsewhere.

use crate::api::display::asset;
use crate::api::hub::Hub;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

/// `GET /openapi.json`.
pub async fn json(State(hub): State<Hub>) -> Response {
    let text = hub.description.get_or_init(|| {
        let document = super::document(&hub.info.station_code, &hub.info.station_id, hub.access.mode);
        Bytes::from(document.to_string())
    });
    ([(header::CONTENT_TYPE, "application/json")], text.clone()).into_response()
}

/// `GET /docs`.
pub async fn page() -> Response {
    asset("text/html; charset=utf-8", include_str!("pages/docs.html"))
}

/// `GET /docs.js`.
pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("pages/docs.js"))
}

/// `GET /docs.css`.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("pages/docs.css"))
}
