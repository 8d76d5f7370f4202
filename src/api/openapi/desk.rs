//! Operations of the staff desk. What tablets show is told in objects that grow; their members stand in the texts.

use super::operation::{Content, Operation, Parameter, Place, id_in_path, text};
use axum::http::Method;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json as value};

const STAFF: &str = "Staff";
/// What any of these may answer.
const DESK: &[&str] = &[
    "unknown_tablet",
    "logged_out",
    "cross_site",
    "bad_csrf_token",
    "unknown_validation",
    "claimed",
    "not_claimed",
    "not_queued",
];

fn object(schema: fn(&mut SchemaGenerator) -> Schema, example: Value) -> Content {
    let fits = |value: &Value| if value.is_object() { Ok(()) } else { Err(format!("{value} is no object")) };
    Content { media_type: "application/json", schema, example, fits }
}

fn any(example: Value) -> Content {
    object(|_| json_schema!({ "type": "object" }), example)
}

fn validation() -> Parameter {
    id_in_path("The validation.", "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f")
}

fn number_in_query(name: &'static str, told: &'static str, most: i64) -> Parameter {
    let schema = value!({ "type": "integer", "minimum": 0, "maximum": most });
    Parameter { name, place: Place::Query, text: told, schema, example: value!(1) }
}

fn desk(method: Method, path: &'static str, id: &'static str, summary: &'static str, told: &'static str) -> Operation {
    Operation::new((method, path), id, STAFF, summary, told).fails(DESK)
}

pub(super) fn operations() -> Vec<Operation> {
    [pages(), sessions(), queue(), deeds(), records()].into_iter().flatten().collect()
}

fn pages() -> Vec<Operation> {
    let page = |path, id, summary, kind| {
        Operation::new((Method::GET, path), id, STAFF, summary, "").answers(200, "The file", Some(text(kind, "…")))
    };
    vec![
        page("/staff", "staffPage", "The desk's page", "text/html"),
        page("/staff.js", "staffScript", "Its script", "text/javascript"),
        page("/staff.css", "staffStyle", "Its style", "text/css"),
    ]
}

fn sessions() -> Vec<Operation> {
    let pair = |_: &mut SchemaGenerator| {
        json_schema!({ "type": "object", "required": ["code", "name"], "additionalProperties": false,
            "properties": { "code": { "type": "string" }, "name": { "type": "string", "minLength": 1, "maxLength": 64 } } })
    };
    let log_in = |_: &mut SchemaGenerator| {
        json_schema!({ "type": "object", "additionalProperties": false, "properties": { "name": { "type": "string" },
            "pin": { "type": "string" }, "badge": { "type": "string" } } })
    };
    let session =
        value!({ "station": "Basket station 1", "staff": null, "csrf_token": null, "four_eyes_above_minor": 5000 });
    vec![
        Operation::new(
            (Method::POST, "/v1/staff/tablet"),
            "pairTablet",
            STAFF,
            "Pair a tablet",
            "With the code on the display; a cookie says so.",
        )
        .takes(vec![object(pair, value!({ "code": "40718263", "name": "Tablet 1" }))])
        .answers(201, "Paired", Some(any(value!({ "tablet": 3 }))))
        .fails(&["bad_pairing_code", "bad_name", "too_often", "cross_site", "bad_csrf_token"]),
        desk(Method::GET, "/v1/staff/session", "staffSession", "Who is logged in", "").answers(
            200,
            "The session",
            Some(any(session.clone())),
        ),
        desk(Method::POST, "/v1/staff/session", "logIn", "Log in", "A name and a PIN, or a badge.")
            .takes(vec![object(log_in, value!({ "name": "Kim", "pin": "493817" }))])
            .answers(200, "Logged in", Some(any(session.clone())))
            .answers(201, "Logged in", Some(any(session)))
            .fails(&["bad_login", "locked_out", "unknown_tablet", "cross_site", "too_often"]),
        desk(Method::DELETE, "/v1/staff/session", "logOut", "Log out", "").answers(204, "Logged out", None),
    ]
}

fn queue() -> Vec<Operation> {
    vec![
        desk(
            Method::GET,
            "/v1/staff/queue",
            "staffQueue",
            "What needs somebody",
            "The most pressing first, and what can still be taken back.",
        )
        .answers(200, "The queue", Some(any(value!({ "waiting": [], "now_ms": 1_795_284_000_000_u64 })))),
        desk(
            Method::GET,
            "/v1/staff/events",
            "staffEvents",
            "The same whenever it changes",
            "Server-sent events: `queue`, and `logged_out` at the end.",
        )
        .answers(200, "The stream", Some(text("text/event-stream", "event: queue\ndata: {}\n\n")))
        .fails(&["unknown_tablet", "logged_out", "busy"]),
        desk(
            Method::GET,
            "/v1/staff/validations/{id}",
            "staffValidation",
            "All that is known of a validation",
            "The list with names, masses and prices, all attempts, the latest verdict, who looks after it.",
        )
        .with(validation())
        .answers(200, "The dossier", Some(any(value!({ "state": "decided" })))),
    ]
}

fn deeds() -> Vec<Operation> {
    let resolve = |_: &mut SchemaGenerator| {
        json_schema!({ "type": "object", "required": ["action", "reason"], "additionalProperties": false, "properties": {
            "action": { "enum": ["approve", "correct", "refuse"] }, "reason": { "type": "string" },
            "attempt": { "type": ["integer", "null"], "minimum": 1 }, "age_checked": { "type": "boolean" },
            "lines": { "type": ["array", "null"], "items": { "type": "object" } } } })
    };
    let undo = |_: &mut SchemaGenerator| {
        json_schema!({ "type": "object", "required": ["number"], "additionalProperties": false,
            "properties": { "number": { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 } } })
    };
    let done = || Some(any(value!({ "number": 4 })));
    vec![
        desk(Method::POST, "/v1/staff/validations/{id}/claim", "claim", "“I look after it”", "")
            .with(validation())
            .answers(200, "Claimed", done()),
        desk(Method::DELETE, "/v1/staff/validations/{id}/claim", "release", "“Somebody else may”", "")
            .with(validation())
            .answers(204, "Released", None),
        desk(
            Method::POST,
            "/v1/staff/validations/{id}/resolution",
            "resolve",
            "Approve, correct or refuse",
            "Above a set value a second person confirms.",
        )
        .with(validation())
        .takes(vec![object(resolve, value!({ "action": "approve", "reason": "catalogue_weight" }))])
        .answers(200, "Done", done())
        .answers(202, "A second person has to confirm it", done())
        .fails(RESOLVING),
        desk(Method::POST, "/v1/staff/validations/{id}/confirm", "confirm", "The second pair of eyes", "")
            .with(validation())
            .answers(200, "Done", done())
            .fails(RESOLVING),
        desk(Method::POST, "/v1/staff/validations/{id}/undo", "undo", "Take a resolution back", "")
            .with(validation())
            .takes(vec![object(undo, value!({ "number": 4 }))])
            .answers(200, "Taken back", done())
            .fails(RESOLVING),
    ]
}

/// What deciding may meet.
const RESOLVING: &[&str] = &[
    "unknown_tablet",
    "logged_out",
    "cross_site",
    "bad_csrf_token",
    "unknown_validation",
    "claimed",
    "not_claimed",
    "not_queued",
    "bad_reason",
    "bad_lines",
    "bad_basket",
    "age_unchecked",
    "news_since",
    "deciding",
    "validation_closed",
    "nothing_proposed",
    "second_person",
    "unknown_resolution",
    "not_yours",
    "too_late",
    "token_used",
    "older_revision",
    "revision_conflict",
];

fn records() -> Vec<Operation> {
    let wrong = |_: &mut SchemaGenerator| json_schema!({ "type": "object", "additionalProperties": false, "properties": { "note": { "type": "string", "maxLength": 200 } } });
    let service = |_: &mut SchemaGenerator| {
        json_schema!({ "type": "object", "required": ["serves"], "additionalProperties": false,
            "properties": { "serves": { "type": "boolean" }, "why": { "type": "string", "maxLength": 200 } } })
    };
    vec![
        desk(Method::GET, "/v1/staff/numbers", "staffNumbers", "What happened, counted", "Nobody is in it by name.")
            .with(number_in_query("hours", "Back from now; 24 without, 168 at most.", 168))
            .answers(200, "The numbers", Some(any(value!({ "validations": 120 }))))
            .fails(&["bad_query", "unknown_tablet", "logged_out"]),
        desk(Method::POST, "/v1/staff/products/{id}/weight-wrong", "weightWrong", "“This weight is wrong”", "")
            .with(id_in_path("The product.", "butter-250"))
            .takes(vec![object(wrong, value!({ "note": "new jar" }))])
            .answers(202, "Noted", Some(any(value!({ "product_id": "butter-250" }))))
            .fails(&["unknown_product", "bad_text", "unknown_tablet", "logged_out", "cross_site", "bad_csrf_token"]),
        desk(
            Method::POST,
            "/v1/staff/service",
            "service",
            "Out of service, or back",
            "Baskets under validation are served to their end.",
        )
        .takes(vec![object(service, value!({ "serves": false, "why": "plate is wet" }))])
        .answers(200, "Done", Some(any(value!({ "serves": false }))))
        .fails(&["bad_text", "unknown_tablet", "logged_out", "cross_site", "bad_csrf_token"]),
        desk(Method::GET, "/v1/audit", "audit", "What was done, chained by hashes", "")
            .with(number_in_query("after", "The last number that is known.", i64::MAX))
            .with(number_in_query("limit", "Most entries, 500 at most.", i64::from(u32::MAX)))
            .answers(200, "The entries", Some(any(value!({ "entries": [] }))))
            .fails(&["bad_query", "unknown_tablet", "logged_out"]),
        Operation::new(
            (Method::GET, "/v1/validations/{id}/attempts/{number}/crops/{crop}"),
            "getCrop",
            "Validations",
            "A picture of what was found",
            "Kept for some hours, masked to the plate.",
        )
        .with(validation())
        .with(Parameter {
            name: "number",
            place: Place::Path,
            text: "Which attempt.",
            schema: value!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
            example: value!(1),
        })
        .with(Parameter {
            name: "crop",
            place: Place::Path,
            text: "Which picture.",
            schema: value!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
            example: value!(0),
        })
        .answers(200, "The picture", Some(text("image/jpeg", "…")))
        .fails(&["unknown_validation", "unknown_attempt", "unknown_crop", "unknown_tablet", "logged_out"]),
    ]
}
