//! The page of the staff desk.

use super::super::display::asset;
use axum::response::Response;

/// `GET /staff`.
pub async fn page() -> Response {
    asset("text/html; charset=utf-8", include_str!("../pages/staff.html"))
}

/// `GET /staff.js`.
pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../pages/staff.js"))
}

/// `GET /staff.css`.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../pages/staff.css"))
}
