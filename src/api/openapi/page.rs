//! The description over HTTP: as JSON, and as a page that loads nothing from elsewhere.

use crate::api::display::asset;
use axum::Json;
use axum::response::Response;
use serde_json::Value;

/// `GET /openapi.json`.
pub async fn json() -> Json<&'static Value> {
    Json(super::document())
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
