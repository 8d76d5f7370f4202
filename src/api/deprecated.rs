//! Routes that shall go, and how they say so: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and where to read on.

use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::MethodRouter;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `Deprecation`, RFC 9745.
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// `Sunset`, RFC 8594.
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// A route is answered for so long after it was announced that it shall go, seconds: twelve months.
const NOTICE_S: i64 = 365 * 86_400;

/// A route that shall go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecated {
    /// How it is asked.
    pub method: Method,
    /// Where, as in the table of routes.
    pub path: &'static str,
    /// Since when it should not be used any more, seconds since 1970.
    pub since_s: i64,
    /// When it may be gone, seconds since 1970; twelve months later or more.
    pub sunset_s: i64,
    /// Where people read what to do instead: a path of the station.
    pub see: &'static str,
}

/// All of them. A row here puts the headers on each answer of the route, and `deprecated` into the description.
pub const DEPRECATED: &[Deprecated] = &[];

/// The row of a route, if it shall go.
pub fn of<'t>(table: &'t [Deprecated], method: &Method, path: &str) -> Option<&'t Deprecated> {
    table.iter().find(|row| row.method == *method && row.path == path)
}

impl Deprecated {
    /// Whether the row keeps what is promised: twelve months between the announcement and the end, times that can be told, a page to read.
    pub fn is_fair(&self) -> bool {
        self.sunset_s.saturating_sub(self.since_s) >= NOTICE_S && self.see.starts_with('/') && self.headers().is_some()
    }

    /// When it may be gone, as HTTP writes dates; `None` for a time that is none.
    pub fn sunset(&self) -> Option<String> {
        let at = Timestamp::from_second(self.sunset_s).ok()?.to_zoned(TimeZone::UTC);
        Some(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }

    /// Its headers; `None` for times that are none.
    fn headers(&self) -> Option<[(HeaderName, HeaderValue); 3]> {
        // RFC 9745 wants a structured date, RFC 8594 an HTTP date.
        let value = |text: String| HeaderValue::try_from(text).ok();
        Some([
            (DEPRECATION, value(format!("@{}", self.since_s))?),
            (SUNSET, value(self.sunset()?)?),
            (header::LINK, value(format!("<{}>; rel=\"deprecation\"; type=\"text/html\"", self.see))?),
        ])
    }

    /// The same handlers, each of whose answers says so, refusals too.
    pub fn announce<S: Clone + Send + Sync + 'static>(&self, handlers: MethodRouter<S>) -> MethodRouter<S> {
        let headers = self.headers();
        handlers.layer(axum::middleware::map_response(move |mut response: Response| {
            let headers = headers.clone();
            async move {
                response.headers_mut().extend(headers.into_iter().flatten());
                response
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use tower::ServiceExt;

    /// Announced at the example time of RFC 9745, to go two years later.
    fn old() -> Deprecated {
        Deprecated {
            method: Method::GET,
            path: "/v1/old",
            since_s: 1_688_169_599,
            sunset_s: 1_751_327_999,
            see: "/docs",
        }
    }

    #[tokio::test]
    async fn each_answer_of_a_route_that_shall_go_says_so_and_no_other_does() {
        let refusing = get(|| async { StatusCode::FORBIDDEN });
        let router: Router =
            Router::new().route("/v1/old", old().announce(refusing)).route("/v1/new", get(|| async { "here" }));
        let ask = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap()
        };
        let response = ask("/v1/old").await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()["deprecation"], "@1688169599");
        assert_eq!(response.headers()["sunset"], "Mon, 30 Jun 2025 23:59:59 GMT");
        assert_eq!(response.headers()["link"], "</docs>; rel=\"deprecation\"; type=\"text/html\"");
        let other = ask("/v1/new").await;
        assert!(["deprecation", "sunset", "link"].iter().all(|name| !other.headers().contains_key(*name)));
    }

    #[test]
    fn every_row_keeps_what_is_promised_and_is_about_a_route_that_is_there() {
        let routes = crate::api::access_table();
        for row in DEPRECATED {
            assert!(row.is_fair(), "{row:?}");
            assert!(routes.iter().any(|(method, path, _)| *method == row.method && *path == row.path), "{row:?}");
        }
        assert!(old().is_fair());
        assert!(!Deprecated { sunset_s: old().since_s + NOTICE_S - 1, ..old() }.is_fair(), "less than twelve months");
        assert!(!Deprecated { sunset_s: i64::MAX, ..old() }.is_fair() && !Deprecated { see: "", ..old() }.is_fair());
        assert_eq!(of(&[old()], &Method::GET, "/v1/old"), Some(&old()));
        assert_eq!((of(&[old()], &Method::PUT, "/v1/old"), of(&[old()], &Method::GET, "/v1")), (None, None));
    }
}
