//! Operations of the station itself: display, gate, health, this description.

use super::operation::{Operation, json, text};
use super::shapes;
use crate::api::exit;
use axum::http::Method;
use serde_json::json as value;

const DISPLAY: &str = "Display";
const GATE: &str = "Gate";
const OPERATIONS: &str = "Operations";

pub(super) fn operations() -> Vec<Operation> {
    [gate(), health(), display(), pages()].into_iter().flatten().collect()
}

fn gate() -> Vec<Operation> {
    let key = value!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let redeemed = value!({ "validation_id": "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f", "attempt": 2, "basket_id": "b-1",
        "basket_hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" });
    vec![
        Operation::new(
            (Method::GET, "/.well-known/jwks.json"),
            "exitKeys",
            GATE,
            "Keys that verify exit tokens",
            "A gate without a line keeps them and verifies alone: `EdDSA`, `typ` `exit+jwt`, `aud` `exit`, `exp`.",
        )
        .answers(200, "The set", Some(json::<shapes::JwkSet>(value!({ "keys": [key] })))),
        Operation::new(
            (Method::POST, "/v1/exit-tokens/redeem"),
            "redeemExitToken",
            GATE,
            "Let one token through, once",
            "A second time, an expired one, and one whose pass is void are refused.",
        )
        .takes(vec![json::<exit::Redeem>(value!({ "token": "eyJ0eXAiOiJleGl0K2p3dCIsImFsZyI6IkVkRFNBIi…" }))])
        .answers(200, "Open the gate", Some(json::<shapes::TokenRedeemed>(redeemed)))
        .fails(&["bad_token", "token_expired", "token_used", "token_void"]),
    ]
}

fn health() -> Vec<Operation> {
    let senses = value!([{ "name": "scale", "ok": true, "why": null }, { "name": "vision", "ok": false, "why": "no frame for 1.5 s" }]);
    let ready = || json::<shapes::Ready>(value!({ "ready": false, "senses": senses.clone() }));
    let station = value!({ "station_id": "basket-1", "station_code": "B1", "name": "Basket station 1", "state": "idle", "live_g": 0.0,
        "sensors": senses, "open_validations": 0,
        "certificate": { "expires_at": "2027-12-23T18:00:00Z", "sha256": "b1946ac92492d2347c6235b4d2611184" },
        "versions": { "software": "0.1.0", "config": "77ab…", "models": "41d0…" } });
    vec![
        Operation::new((Method::GET, "/live"), "live", OPERATIONS, "The process runs", "").answers(
            200,
            "It does",
            Some(json::<shapes::Live>(value!({ "live": true }))),
        ),
        Operation::new(
            (Method::GET, "/ready"),
            "ready",
            OPERATIONS,
            "All senses are there",
            "Can be lost again. The answer has the same form either way.",
        )
        .answers(200, "The station can judge", Some(ready()))
        .answers(503, "A sense is out, and why", Some(ready())),
        Operation::new((Method::GET, "/metrics"), "metrics", OPERATIONS, "For Prometheus", "").answers(
            200,
            "Text format 0.0.4",
            Some(text("text/plain", "# TYPE augenmass_plate_mass_grams gauge\n")),
        ),
        Operation::new((Method::GET, "/v1/station"), "station", OPERATIONS, "State, sensors, versions", "").answers(
            200,
            "The station as of now",
            Some(json::<shapes::Station>(station)),
        ),
    ]
}

fn display() -> Vec<Operation> {
    let screen = value!({ "view": "correct", "headline": "Please have a look",
        "text": "Butter 250 g may not be on your list yet. Please scan it, or take it out.", "look_at": ["Butter 250 g"],
        "station": "Basket station 1", "pairing_code": null });
    vec![
        Operation::new(
            (Method::GET, "/v1/display"),
            "display",
            DISPLAY,
            "What the display shows",
            "For a browser on the station itself, without a credential, and for the back office.",
        )
        .answers(200, "The screen", Some(json::<shapes::Screen>(screen))),
        asset("/", "displayPage", DISPLAY, "The display's page", "text/html"),
        asset("/display.js", "displayScript", DISPLAY, "Its script", "text/javascript"),
        asset("/display.css", "displayStyle", DISPLAY, "Its style", "text/css"),
    ]
}

fn pages() -> Vec<Operation> {
    let any = text("application/json", "{\"openapi\": \"3.1.0\", …}");
    let document = super::operation::Content { schema: |_| schemars::json_schema!({ "type": "object" }), ..any };
    vec![
        Operation::new((Method::GET, "/openapi.json"), "openapi", OPERATIONS, "This description", "").answers(
            200,
            "OpenAPI 3.1",
            Some(super::operation::Content { example: value!({ "openapi": "3.1.0" }), ..document }),
        ),
        asset("/docs", "docsPage", OPERATIONS, "This description for people", "text/html"),
        asset("/docs.js", "docsScript", OPERATIONS, "Its script", "text/javascript"),
        asset("/docs.css", "docsStyle", OPERATIONS, "Its style", "text/css"),
    ]
}

fn asset(
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    kind: &'static str,
) -> Operation {
    Operation::new((Method::GET, path), id, tag, summary, "").answers(200, "The file", Some(text(kind, "…")))
}
