//! Operations of apps and handhelds.

use super::operation::{Operation, Parameter, Place, id_in_path, json, text};
use super::{examples, shapes};
use crate::api::{handhelds, validations};
use axum::http::Method;
use serde_json::{Value, json as value};

const BASKETS: &str = "Baskets";
const VALIDATIONS: &str = "Validations";

fn basket_id() -> Parameter {
    id_in_path("The basket, named by the app or handheld.", "b-1")
}

fn attempt_number() -> Parameter {
    Parameter {
        name: "number",
        place: Place::Path,
        text: "Which attempt.",
        schema: value!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
        example: value!(1),
    }
}

fn validation_id() -> Parameter {
    id_in_path("The validation, named by the station.", "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f")
}

/// Each event of a stream, as clients get it.
fn events() -> super::operation::Content {
    let event = |_: &mut schemars::SchemaGenerator| {
        schemars::json_schema!({ "type": "object", "required": ["event", "data"], "properties": {
            "event": { "enum": ["state", "verdict", "resolution"] },
            "id": { "type": "string", "description": "The attempt, for `verdict`." },
            "data": { "type": "string", "contentMediaType": "application/json",
                "description": "For `verdict` a Verdict; for `state` a Validation without its verdict." } } })
    };
    super::operation::Content { schema: event, ..text("text/event-stream", &examples::events()) }
}

fn named() -> super::operation::Content {
    json::<shapes::ValidationNamed>(value!({ "validation_id": "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f" }))
}

pub(super) fn operations(station_code: &str) -> Vec<Operation> {
    [baskets(station_code), validations(station_code), later()].into_iter().flatten().collect()
}

/// By the identifier in the path of what was asked.
fn same_basket(operation: &'static str) -> Value {
    value!({ "operationId": operation, "parameters": { "id": "$request.path.id" } })
}

/// By the name that came back. A link that polls does not wait.
fn same_validation(operation: &'static str) -> Value {
    let mut link = value!({ "operationId": operation, "parameters": { "id": "$response.body#/validation_id" } });
    if operation == "getValidation" {
        link["parameters"]["wait"] = value!(0);
    }
    link
}

fn baskets(station_code: &str) -> Vec<Operation> {
    let kept = || json::<shapes::BasketKept>(value!({ "basket_id": "b-1", "revision": 3 }));
    vec![
        Operation::new(
            (Method::PUT, "/v1/baskets/{id}"),
            "putBasket",
            BASKETS,
            "Send the whole list",
            "Idempotent: the same revision with the same content changes nothing. A new revision while the basket is under validation \
             starts the next attempt.",
        )
        .with(basket_id())
        .takes(vec![json::<shapes::Basket>(examples::basket())])
        .answers(200, "Kept; the basket was known", Some(kept()))
        .answers(201, "Kept; the basket is new", Some(kept()))
        .leads_to("getBasket", same_basket("getBasket"))
        .leads_to("deleteBasket", same_basket("deleteBasket"))
        .leads_to(
            "openValidation",
            value!({ "operationId": "openValidation", "requestBody": { "basket_id": "$request.path.id", "station_code": station_code } }),
        )
        .fails(&["bad_basket", "older_revision", "revision_conflict"]),
        Operation::new((Method::GET, "/v1/baskets/{id}"), "getBasket", BASKETS, "The list as it is kept", "")
            .with(basket_id())
            .answers(200, "The list", Some(json::<shapes::Basket>(examples::basket())))
            .fails(&["unknown_basket"]),
        Operation::new((Method::DELETE, "/v1/baskets/{id}"), "deleteBasket", BASKETS, "Forget a basket", "")
            .with(basket_id())
            .answers(204, "Forgotten", None)
            .fails(&["unknown_basket", "validation_open"]),
        Operation::new(
            (Method::POST, "/v1/handhelds"),
            "pairHandheld",
            BASKETS,
            "Pair a handheld",
            "With the code that the station's display shows; good for the minute in which it is shown and the one after. Ten failures \
             from one address cost the rest of a minute. With `certificate: true` the client certificate of this connection is registered \
             instead: its name (`dns:`, `uri:`, or `cn:` where it has no alternative names) opens what the token would.",
        )
        .takes(vec![json::<handhelds::Pair>(value!({ "code": "40718263", "name": "MC33 no. 4", "certificate": false }))])
        .answers(
            201,
            "Paired: the token is told this once, or `certificate` tells the name that was registered",
            Some(json::<shapes::Paired>(value!({ "number": 7, "token": "aug_5Jq…" }))),
        )
        .fails(&["bad_pairing_code", "bad_name", "certificate_known", "no_certificate", "too_often"]),
    ]
}

fn validations(station_code: &str) -> Vec<Operation> {
    let view = || json::<shapes::Validation>(examples::validation());
    let whole = |maximum: u64| value!({ "type": "integer", "minimum": 0, "maximum": maximum });
    vec![
        Operation::new(
            (Method::POST, "/v1/validations"),
            "openValidation",
            VALIDATIONS,
            "Validate a basket here",
            "While one is open for the basket, the same one is given. `station_code` stands on the station.",
        )
        .takes(vec![json::<validations::Open>(value!({ "basket_id": "b-1", "station_code": station_code }))])
        .answers(200, "The one that is open", Some(named()))
        .answers(201, "Opened; `Location` says where", Some(named()))
        .leads_to("getValidation", same_validation("getValidation"))
        .leads_to("retryValidation", same_validation("retryValidation"))
        .leads_to("callStaff", same_validation("callStaff"))
        .leads_to("cancelValidation", same_validation("cancelValidation"))
        .leads_to("getAttempt", same_validation("getAttempt"))
        .fails(&["unknown_basket", "other_station", "out_of_service"]),
        Operation::new(
            (Method::GET, "/v1/validations/{id}"),
            "getValidation",
            VALIDATIONS,
            "Where it stands, or the next verdict",
            "A long poll: answered as soon as an attempt later than `after` is decided or the validation has ended, else after `wait` \
             seconds with the state as it is.",
        )
        .with(validation_id())
        .with(Parameter {
            name: "wait",
            place: Place::Query,
            text: "Seconds to wait; what is above 30 counts as 30.",
            schema: whole(u64::from(u32::MAX)),
            example: value!(10),
        })
        .with(Parameter {
            name: "after",
            place: Place::Query,
            text: "The last attempt that is known; 0 without.",
            schema: whole(u64::from(u32::MAX)),
            example: value!(0),
        })
        .answers(200, "The validation", Some(view()))
        .fails(&["unknown_validation", "bad_query"]),
        Operation::new(
            (Method::GET, "/v1/validations/{id}/events"),
            "validationEvents",
            VALIDATIONS,
            "What happens, as it happens",
            "Server-sent events. `state` whenever it changes, without an id; `verdict` with the number of its attempt as the id. Taken up \
             again with `Last-Event-ID` no verdict is missed. A comment comes every 15 seconds.",
        )
        .with(validation_id())
        .with(Parameter {
            name: "last-event-id",
            place: Place::Header,
            text: "The last attempt that is known.",
            schema: whole(u64::from(u32::MAX)),
            example: value!(1),
        })
        .answers(200, "The stream", Some(events()))
        .fails(&["unknown_validation", "bad_event_id", "busy"]),
    ]
}

fn later() -> Vec<Operation> {
    let ask = |path, id, summary, told| {
        Operation::new((Method::POST, path), id, VALIDATIONS, summary, told)
            .with(validation_id())
            .answers(202, "Noted", Some(named()))
            .fails(&["unknown_validation", "validation_closed"])
    };
    vec![
        ask("/v1/validations/{id}/retry", "retryValidation", "“I have put it right”", "Starts the next attempt."),
        ask(
            "/v1/validations/{id}/call-staff",
            "callStaff",
            "“Somebody please come”",
            "Asked twice it is done once. The station goes on judging.",
        ),
        ask(
            "/v1/validations/{id}/cancel",
            "cancelValidation",
            "Give it up",
            "The basket can then be changed, deleted, or validated anew.",
        ),
        Operation::new(
            (Method::GET, "/v1/validations/{id}/attempts/{number}"),
            "getAttempt",
            VALIDATIONS,
            "One attempt's verdict",
            "As it was stored; a pass that holds has its exit token.",
        )
        .with(validation_id())
        .with(attempt_number())
        .answers(200, "The verdict", Some(json::<shapes::Verdict>(examples::pass())))
        .fails(&["unknown_validation", "unknown_attempt"]),
        Operation::new(
            (Method::GET, "/v1/validations/{id}/attempts/{number}/crops/{crop}"),
            "getCrop",
            VALIDATIONS,
            "One thing that the camera saw",
            "Of baskets that did not pass, and for as long as the station keeps it; findings say where theirs is (`image`).",
        )
        .with(validation_id())
        .with(attempt_number())
        .with(Parameter {
            name: "crop",
            place: Place::Path,
            text: "Which picture.",
            schema: value!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
            example: value!(0),
        })
        .answers(200, "The picture", Some(text("image/jpeg", "…")))
        .fails(&["unknown_validation", "unknown_crop"]),
    ]
}
