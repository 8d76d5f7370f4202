//! All routes with who gets in, and what holds for each of them.

use super::deprecated::{self, DEPRECATED};
use super::guard::{guard, not_too_fast, own_host_only, within};
use super::hub::Hub;
use super::problem::Problem;
use super::{
    baskets, catalogue, display, enrolment, events, exit, handhelds, openapi, ops, staff, validations, verdicts,
};
use crate::access::who::Who::{
    self, Anyone, App, Attendant, BackOffice, Display, Gate, Handheld, Supervisor, Tablet, Technician,
};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use tower_http::set_header::SetResponseHeaderLayer;

/// Largest body, bytes: 500 lines are about 60 kB.
const BODY_MAX: usize = 256 * 1024;
/// Pages load only what the station itself serves, and nobody frames them.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// One thing that can be asked, and by whom.
struct Route {
    method: Method,
    path: &'static str,
    who: &'static [Who],
    handler: MethodRouter<Hub>,
}

/// Who speaks for a shopper.
const SHOPPING: &[Who] = &[App, Handheld];

/// Who may see what lay in a basket that did not pass.
const WATCHING: &[Who] = &[App, Handheld, BackOffice, Attendant, Supervisor, Technician];
/// A tablet, whoever is logged in on it.
const TABLET: &[Who] = &[Tablet, Attendant, Supervisor, Technician];
/// Everybody of the staff who is logged in.
const STAFF: &[Who] = &[Attendant, Supervisor, Technician];
/// Who helps shoppers.
const DESK: &[Who] = &[Attendant, Supervisor];

/// Staff's side.
fn staff_routes() -> Vec<Route> {
    let delete = |path, who, handler| Route { method: Method::DELETE, path, who, handler };
    vec![
        get("/staff", &[Anyone], staff::page),
        get("/staff.js", &[Anyone], staff::script),
        get("/staff.css", &[Anyone], staff::style),
        post("/v1/staff/tablet", &[Anyone], staff::pair),
        get("/v1/staff/session", TABLET, staff::present),
        post("/v1/staff/session", TABLET, staff::log_in),
        delete("/v1/staff/session", STAFF, on(MethodFilter::DELETE, staff::log_out)),
        get("/v1/staff/queue", STAFF, staff::queue),
        get("/v1/staff/events", STAFF, staff::events),
        get("/v1/staff/numbers", &[Attendant, Supervisor, Technician, BackOffice], staff::numbers),
        get("/v1/staff/validations/{id}", STAFF, staff::of_validation),
        post("/v1/staff/validations/{id}/claim", DESK, staff::claim),
        delete("/v1/staff/validations/{id}/claim", DESK, on(MethodFilter::DELETE, staff::release)),
        post("/v1/staff/validations/{id}/resolution", DESK, staff::resolve),
        post("/v1/staff/validations/{id}/confirm", &[Supervisor], staff::confirm),
        post("/v1/staff/validations/{id}/undo", DESK, staff::undo),
        post("/v1/staff/products/{id}/weight-wrong", STAFF, staff::weight_wrong),
        post("/v1/staff/service", STAFF, staff::service),
        post("/v1/staff/enrolment", enrolment::MAY_ENROL, enrolment::begin),
        get("/v1/staff/enrolment", enrolment::MAY_ENROL, enrolment::progress),
        delete("/v1/staff/enrolment", enrolment::MAY_ENROL, on(MethodFilter::DELETE, enrolment::cancel)),
        get("/v1/staff/enrolment/views/{number}", enrolment::MAY_ENROL, enrolment::view),
        delete(
            "/v1/staff/enrolment/views/{number}",
            enrolment::MAY_ENROL,
            on(MethodFilter::DELETE, enrolment::drop_view),
        ),
        post("/v1/staff/enrolment/finish", enrolment::MAY_ENROL, enrolment::finish),
        get("/v1/audit", &[Supervisor, BackOffice], staff::audit),
    ]
}

/// Every route. There is no way to add one without saying who gets in.
fn routes() -> Vec<Route> {
    let mut routes = vec![
        get("/", &[Anyone], display::page),
        get("/display.js", &[Anyone], display::script),
        get("/display.css", &[Anyone], display::style),
        get("/openapi.json", &[Anyone], openapi::json),
        get("/docs", &[Anyone], openapi::page),
        get("/docs.js", &[Anyone], openapi::script),
        get("/docs.css", &[Anyone], openapi::style),
        get("/live", &[Anyone], ops::live),
        get("/ready", &[BackOffice], ops::ready),
        get("/metrics", &[BackOffice], ops::metrics),
        get("/v1/station", &[BackOffice], ops::station),
        get("/v1/display", &[Display, BackOffice], display::screen),
        post("/v1/handhelds", &[Anyone], handhelds::pair),
        put("/v1/baskets/{id}", SHOPPING, baskets::put),
        get("/v1/baskets/{id}", SHOPPING, baskets::get),
        route(Method::DELETE, MethodFilter::DELETE, "/v1/baskets/{id}", SHOPPING, baskets::delete),
        post("/v1/validations", SHOPPING, validations::open),
        get("/v1/validations/{id}", SHOPPING, validations::get),
        get("/v1/validations/{id}/events", SHOPPING, events::of_validation),
        post("/v1/validations/{id}/retry", SHOPPING, validations::retry),
        post("/v1/validations/{id}/call-staff", SHOPPING, validations::call_staff),
        post("/v1/validations/{id}/cancel", SHOPPING, validations::cancel),
        get("/v1/validations/{id}/attempts/{number}", SHOPPING, validations::attempt),
        get("/v1/validations/{id}/attempts/{number}/crops/{crop}", WATCHING, validations::crop),
        get("/.well-known/jwks.json", &[Anyone], exit::jwks),
        post("/v1/exit-tokens/redeem", &[Gate], exit::redeem),
        get("/v1/verdicts", &[BackOffice], verdicts::pull),
        put("/v1/catalogue", &[BackOffice], catalogue::put).body_max(catalogue::CATALOGUE_MAX),
        route(Method::PATCH, MethodFilter::PATCH, "/v1/catalogue/{id}", &[BackOffice], catalogue::patch),
    ];
    routes.extend(staff_routes());
    routes
}

fn route<H: Handler<T, Hub>, T: 'static>(
    method: Method,
    filter: MethodFilter,
    path: &'static str,
    who: &'static [Who],
    handler: H,
) -> Route {
    Route { method, path, who, handler: on(filter, handler) }
}

fn get<H: Handler<T, Hub>, T: 'static>(path: &'static str, who: &'static [Who], handler: H) -> Route {
    route(Method::GET, MethodFilter::GET, path, who, handler)
}

fn post<H: Handler<T, Hub>, T: 'static>(path: &'static str, who: &'static [Who], handler: H) -> Route {
    route(Method::POST, MethodFilter::POST, path, who, handler)
}

fn put<H: Handler<T, Hub>, T: 'static>(path: &'static str, who: &'static [Who], handler: H) -> Route {
    route(Method::PUT, MethodFilter::PUT, path, who, handler)
}

impl Route {
    fn body_max(self, bytes: usize) -> Self {
        Self { handler: self.handler.layer(DefaultBodyLimit::max(bytes)), ..self }
    }
}

/// Who gets in where: method, path, and whom it names.
pub fn access_table() -> Vec<(Method, &'static str, &'static [Who])> {
    routes().into_iter().map(|route| (route.method, route.path, route.who)).collect()
}

/// The whole API.
pub fn router(hub: Hub) -> Router {
    let policy =
        SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    let sniff = SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let guarded = routes().into_iter().fold(Router::new(), |router, route| {
        let guard = from_fn_with_state((hub.clone(), route.who), guard);
        let handler = route.handler.route_layer(guard);
        router.route(
            route.path,
            match deprecated::of(DEPRECATED, &route.method, route.path) {
                Some(row) => row.announce(handler),
                None => handler,
            },
        )
    });
    guarded
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this is not done here")
        })
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(within))
        .layer(from_fn_with_state(hub.clone(), own_host_only))
        .layer(from_fn_with_state(hub.clone(), not_too_fast))
        .layer(map_response(not_to_be_kept))
        .layer(policy)
        .layer(sniff)
        .with_state(hub)
}

/// What is for one caller is not for a cache.
async fn not_to_be_kept(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
