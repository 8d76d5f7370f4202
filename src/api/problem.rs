//! What a client gets when something is not done: RFC 9457 with a stable `code`. Nothing internal is in it.

use augenmass_core::station::Refusal;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;

/// A problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    /// Stable; what programs go by.
    pub code: &'static str,
    /// For the person who reads the log.
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    /// Seconds, for `Retry-After`.
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of this status and code.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:augenmass:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            faults: Vec::new(),
            retry_after_s: None,
        }
    }

    /// The same with everything that is wrong.
    pub fn with_faults(self, faults: Vec<String>) -> Self {
        Self { faults, ..self }
    }

    /// The same, to be tried again after so many seconds.
    pub fn after_s(self, seconds: u32) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// More requests than there may be.
    pub fn too_many(seconds: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "more requests than anybody needs; wait a moment")
            .after_s(seconds)
    }

    /// Too much at one time.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", Refusal::Busy.to_string()).after_s(1)
    }

    /// Too many failures of late.
    pub fn too_often() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_often", "too many failures; wait a minute").after_s(60)
    }

    /// The body took too long to come.
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not come in time")
    }

    /// The station did not answer.
    pub fn no_answer() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no_answer",
            "the station could not do this now; it may still be done: ask again",
        )
    }

    /// No such thing.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "nothing is here")
    }

    /// An identifier that cannot be one.
    pub fn bad_id(error: &augenmass_core::units::BadId) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_id", error.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let (status, code) = match &refusal {
            Refusal::BadBasket(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_basket"),
            Refusal::OlderRevision { .. } => (StatusCode::CONFLICT, "older_revision"),
            Refusal::OtherContent { .. } => (StatusCode::CONFLICT, "revision_conflict"),
            Refusal::UnknownBasket => (StatusCode::NOT_FOUND, "unknown_basket"),
            Refusal::UnknownValidation => (StatusCode::NOT_FOUND, "unknown_validation"),
            Refusal::OtherStation => (StatusCode::UNPROCESSABLE_ENTITY, "other_station"),
            Refusal::ValidationClosed => (StatusCode::CONFLICT, "validation_closed"),
            Refusal::ValidationOpen => (StatusCode::CONFLICT, "validation_open"),
            Refusal::Deciding => (StatusCode::CONFLICT, "deciding"),
            Refusal::NewsSince { .. } => (StatusCode::CONFLICT, "news_since"),
            Refusal::UnknownResolution => (StatusCode::CONFLICT, "unknown_resolution"),
            Refusal::OutOfService => (StatusCode::SERVICE_UNAVAILABLE, "out_of_service"),
            Refusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        };
        let mut problem = Self::new(status, code, detail);
        if let Refusal::BadBasket(faults) = refusal {
            problem.faults = faults.iter().take(100).map(ToString::to_string).collect();
        }
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_s = self.retry_after_s;
        let mut response = (status, Json(self)).into_response();
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

/// A body of JSON that has not come in this time does not come: its connection is somebody's who holds places. An extension of requests; a
/// catalogue has three times as long.
#[derive(Clone, Copy, Debug)]
pub struct BodyWithin(pub Duration);

impl Default for BodyWithin {
    fn default() -> Self {
        Self(Duration::from_secs(10))
    }
}

impl BodyWithin {
    /// As it holds for a request.
    pub fn of(request: &Request) -> Self {
        request.extensions().get::<Self>().copied().unwrap_or_default()
    }
}

/// A JSON body; what is none is answered as a problem.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let BodyWithin(within) = BodyWithin::of(&request);
        let read = tokio::time::timeout(within, Json::<T>::from_request(request, state));
        read.await.map_err(|_| Problem::too_slow())?.map(|Json(value)| Self(value)).map_err(|rejection| {
            let detail = rejection.body_text();
            match rejection {
                JsonRejection::JsonDataError(_) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_body", detail),
                JsonRejection::MissingJsonContentType(_) => {
                    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "send content-type: application/json")
                }
                other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
                }
                _ => Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail),
            }
        })
    }
}
