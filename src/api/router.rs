//! All routes, and what holds for each of them.

use super::hub::Hub;
use super::problem::Problem;
use super::{baskets, catalogue, display, events, exit, ops, validations};
use crate::access::loopback::is_own_host;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use std::time::Duration;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

/// Largest body, bytes: 500 lines are about 60 kB.
const BODY_MAX: usize = 256 * 1024;
/// Longer than the longest long poll.
const REQUEST_WITHIN: Duration = Duration::from_secs(40);
/// Pages load only what the station itself serves, and nobody frames them.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The whole API.
pub fn router(hub: Hub) -> Router {
    let policy =
        SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    let sniff = SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Router::new()
        .route("/", get(display::page))
        .route("/display.js", get(display::script))
        .route("/display.css", get(display::style))
        .route("/live", get(ops::live))
        .route("/ready", get(ops::ready))
        .route("/metrics", get(ops::metrics))
        .route("/v1/station", get(ops::station))
        .route("/v1/display", get(display::screen))
        .route("/v1/baskets/{id}", put(baskets::put).get(baskets::get).delete(baskets::delete))
        .route("/v1/validations", post(validations::open))
        .route("/v1/validations/{id}", get(validations::get))
        .route("/v1/validations/{id}/events", get(events::of_validation))
        .route("/v1/validations/{id}/retry", post(validations::retry))
        .route("/v1/validations/{id}/call-staff", post(validations::call_staff))
        .route("/v1/validations/{id}/cancel", post(validations::cancel))
        .route("/v1/validations/{id}/attempts/{number}", get(validations::attempt))
        .route("/.well-known/jwks.json", get(exit::jwks))
        .route("/v1/exit-tokens/redeem", post(exit::redeem))
        .route("/v1/catalogue", put(catalogue::put).layer(DefaultBodyLimit::max(catalogue::CATALOGUE_MAX)))
        .route("/v1/catalogue/{id}", patch(catalogue::patch))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this is not done here")
        })
        .with_state(hub)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_WITHIN))
        .layer(middleware::from_fn(own_host_only))
        .layer(policy)
        .layer(sniff)
}

async fn own_host_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).or_else(|| request.uri().host());
    if host.is_some_and(is_own_host) {
        next.run(request).await
    } else {
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", "this station does not go by that name")
            .into_response()
    }
}
