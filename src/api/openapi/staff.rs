//! Operations of staff: logging in, the queue, what is done with baskets, and the record of it.

use super::operation::{Operation, Parameter, Place, csrf, id_in_path, json, text};
use super::station::asset;
use super::{examples, staff_shapes as shapes};
use axum::http::Method;
use serde_json::{Value, json as value};

const STAFF: &str = "Staff";
const VALIDATION: &str = "v-0193a2c4d7e07b1f9c5e6a1b2c3d4e5f";
const AT_MS: i64 = 1_795_284_000_000;

/// Each event of the stream, as tablets get it.
fn events(example: &str) -> super::operation::Content {
    let event = |_: &mut schemars::SchemaGenerator| {
        schemars::json_schema!({ "type": "object", "required": ["event", "data"], "properties": {
            "event": { "enum": ["queue", "enrolment", "logged_out"] },
            "data": { "type": "string", "contentMediaType": "application/json",
                "description": "For `queue` the whole Queue, for `enrolment` the Progress, or null while nothing is enrolled." } } })
    };
    super::operation::Content { schema: event, ..text("text/event-stream", example) }
}

fn validation_id() -> Parameter {
    id_in_path("The validation.", VALIDATION)
}

fn in_query(name: &'static str, text: &'static str, maximum: i64, example: i64) -> Parameter {
    let schema = value!({ "type": "integer", "minimum": i64::from(maximum < i64::MAX), "maximum": maximum });
    Parameter { name, place: Place::Query, text, schema, example: value!(example) }
}

fn anna() -> Value {
    value!({ "account": 3, "name": "Anna", "role": "attendant" })
}

pub(super) fn operations() -> Vec<Operation> {
    [pages(), session(), queue(), deeds(), records()].into_iter().flatten().collect()
}

fn pages() -> Vec<Operation> {
    vec![
        asset("/staff", "staffPage", STAFF, "The staff desk's page", "text/html"),
        asset("/staff.js", "staffScript", STAFF, "Its script", "text/javascript"),
        asset("/staff.css", "staffStyle", STAFF, "Its style", "text/css"),
    ]
}

fn session() -> Vec<Operation> {
    let logged_in = value!({ "staff": anna(), "csrf_token": "Jq0vN3c2" });
    let present = value!({ "station": "Basket station 1", "staff": anna(), "csrf_token": "Jq0vN3c2", "four_eyes_above_minor": 15_000 });
    let path = "/v1/staff/session";
    vec![
        Operation::new(
            (Method::POST, "/v1/staff/tablet"),
            "pairTablet",
            STAFF,
            "Make this browser a tablet of the staff's",
            "With the code that the station's display shows. Sets a cookie.",
        )
        .takes(vec![json::<shapes::PairTablet>(value!({ "code": "40718263", "name": "Desk 1" }))])
        .answers(201, "Paired", Some(json::<shapes::TabletPaired>(value!({ "tablet": 4 }))))
        .fails(&["bad_pairing_code", "bad_name", "too_often", "cross_site"]),
        Operation::new((Method::GET, path), "staffSession", STAFF, "Who is logged in here", "")
            .answers(200, "Somebody, or nobody", Some(json::<shapes::Session>(present))),
        Operation::new(
            (Method::POST, path),
            "logIn",
            STAFF,
            "Log in",
            "With a name and a PIN, or a badge. Sets a cookie: 20 minutes of doing nothing end the session, and so do ten hours. Whatever \
             was wrong is told in the same words. After five failures one waits, longer each time.",
        )
        .takes(vec![json::<shapes::LogIn>(value!({ "name": "Anna", "pin": "527194" }))])
        .answers(201, "Logged in", Some(json::<shapes::LoggedIn>(logged_in)))
        .fails(&["bad_login", "locked_out"]),
        Operation::new((Method::DELETE, path), "logOut", STAFF, "Log out", "")
            .with(csrf())
            .answers(204, "Logged out", None),
    ]
}

fn queue() -> Vec<Operation> {
    let queue = value!({ "queue": [{ "validation_id": VALIDATION, "basket_id": "b-1", "need": "assist", "since_ms": AT_MS, "attempt": 2,
        "outcome": "assist", "finding": "unscanned", "off_g": 252.3, "claimed_by": null, "claimed_until_ms": null, "proposed_by": null }],
        "done": [], "station": { "state": "occupied", "out_of_service": null }, "now_ms": AT_MS + 20_000 });
    let line = value!({ "code": "4099990000158", "quantity": 2, "product_id": "butter-250", "name": "Butter 250 g", "expected_g": 512.0,
        "price_minor": 498, "age_limit": null, "has_mass": true });
    let dossier = value!({ "validation_id": VALIDATION, "basket_id": "b-1", "revision": 3, "containers": [{ "kind": "basket" }],
        "bags": { "count": 0 }, "lines": [line], "value_minor": 498, "age_limit": null });
    let opened = value!({ "dossier": dossier, "state": "decided", "staff_called": false, "void": false, "attempts": [examples::correct()],
        "verdict": examples::correct(), "resolution": null, "claim": { "by": "Anna", "mine": true, "until_ms": AT_MS + 300_000 },
        "proposal": null, "since_ms": AT_MS, "four_eyes_above_minor": 15_000, "now_ms": AT_MS + 20_000 });
    let stream = format!("event: queue\ndata: {queue}\n\n");
    vec![
        Operation::new(
            (Method::GET, "/v1/staff/queue"),
            "staffQueue",
            STAFF,
            "What needs somebody",
            "The most pressing first: by waiting time, with a head start by need.",
        )
        .answers(200, "The queue", Some(json::<shapes::Queue>(queue))),
        Operation::new(
            (Method::GET, "/v1/staff/events"),
            "staffEvents",
            STAFF,
            "The queue whenever it changes",
            "Server-sent events: `queue` with all of it, `logged_out` at the end of the session; and for who may enrol, at a station that has \
             a camera, `enrolment` with how far it has come.",
        )
        .answers(200, "The stream", Some(events(&stream)))
        .fails(&["busy"]),
        Operation::new(
            (Method::GET, "/v1/staff/validations/{id}"),
            "staffValidation",
            STAFF,
            "One basket with everything that is known",
            "",
        )
        .with(validation_id())
        .answers(200, "The basket", Some(json::<shapes::Opened>(opened)))
        .fails(&["unknown_validation", "unknown_basket", "busy"]),
    ]
}

fn deeds() -> Vec<Operation> {
    let claimed =
        value!({ "validation_id": VALIDATION, "claim": { "by": "Anna", "mine": true, "until_ms": AT_MS + 300_000 } });
    let resolution = || {
        json::<shapes::Resolution>(
            value!({ "validation_id": VALIDATION, "number": 1, "basket_id": "b-1", "attempt": 2, "revision": 3,
            "action": "approve", "reason": "bag", "age_checked": false, "value_minor": 498, "by": anna(), "second": null,
            "since": "2026-11-21T18:00:00.000Z", "at": "2026-11-21T18:01:00.000Z", "exit_token": "eyJ0eXAiOiJleGl0K2p3dCIsImFsZyI6IkVkRFNBIi…" }),
        )
    };
    let resolve = value!({ "action": "approve", "reason": "bag", "attempt": 2, "age_checked": false });
    let waits = value!({ "validation_id": VALIDATION, "waits_for": "second_person" });
    vec![
        Operation::new(
            (Method::POST, "/v1/staff/validations/{id}/claim"),
            "claim",
            STAFF,
            "Look after a basket",
            "For five minutes, and for as long again each time. A supervisor may take it from somebody else.",
        )
        .with(validation_id())
        .with(csrf())
        .answers(200, "Yours", Some(json::<shapes::Claimed>(claimed)))
        .fails(&["not_queued", "claimed"]),
        Operation::new((Method::DELETE, "/v1/staff/validations/{id}/claim"), "release", STAFF, "Let go of a basket", "")
            .with(validation_id())
            .with(csrf())
            .answers(204, "Nobody looks after it", None)
            .fails(&["not_queued", "not_claimed", "claimed"]),
        Operation::new(
            (Method::POST, "/v1/staff/validations/{id}/resolution"),
            "resolve",
            STAFF,
            "Approve, correct or refuse",
            "`approve` and `refuse` end the validation. `correct` is a new revision of the list, judged at once.",
        )
        .with(validation_id())
        .with(csrf())
        .takes(vec![json::<shapes::Resolve>(resolve)])
        .answers(200, "Done", Some(resolution()))
        .answers(202, "A second person, a supervisor, has to confirm it", Some(json::<shapes::Waits>(waits)))
        .fails(RESOLVING),
        Operation::new(
            (Method::POST, "/v1/staff/validations/{id}/confirm"),
            "confirm",
            STAFF,
            "Confirm what somebody else has decided",
            "",
        )
        .with(validation_id())
        .with(csrf())
        .answers(200, "Done", Some(resolution()))
        .fails(RESOLVING),
        Operation::new(
            (Method::POST, "/v1/staff/validations/{id}/undo"),
            "undo",
            STAFF,
            "Take a decision back",
            "Within a minute, by who made it or a supervisor, unless the gate has let the basket through. Its exit token is void then.",
        )
        .with(validation_id())
        .with(csrf())
        .takes(vec![json::<shapes::Undo>(value!({ "number": 1 }))])
        .answers(200, "Taken back", Some(json::<shapes::Undone>(value!({ "validation_id": VALIDATION, "undone": 1 }))))
        .fails(&["unknown_resolution", "unknown_validation", "validation_open", "not_yours", "too_late", "token_used"]),
    ]
}

const RESOLVING: &[&str] = &[
    "age_unchecked",
    "bad_basket",
    "bad_lines",
    "bad_reason",
    "claimed",
    "deciding",
    "news_since",
    "not_claimed",
    "not_queued",
    "nothing_proposed",
    "older_revision",
    "second_person",
    "unknown_basket",
    "unknown_validation",
    "validation_closed",
];

fn records() -> Vec<Operation> {
    let numbers = value!({ "validations": 120, "straight_passes": 104, "self_corrected": 9, "stopped": 16, "resolutions": { "approve": 5, "refuse": 1 },
        "reasons": { "bag": 3, "catalogue_weight": 2, "customer_left": 1 }, "found_right": 5, "taken_back": 0, "waits": [4, 2, 0] });
    let entry = value!({ "number": 7, "act": { "did": "claimed", "by": anna(), "at_ms": AT_MS, "validation_id": VALIDATION,
        "detail": { "waited_ms": 12_000 } }, "hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" });
    vec![
        Operation::new((Method::GET, "/v1/staff/numbers"), "staffNumbers", STAFF, "The day in numbers", "")
            .with(in_query("hours", "So far back; 24 without.", 168, 24))
            .answers(200, "Counts", Some(json::<shapes::Numbers>(numbers)))
            .fails(&["bad_query"]),
        Operation::new(
            (Method::POST, "/v1/staff/products/{id}/weight-wrong"),
            "weightWrong",
            STAFF,
            "This weight is wrong",
            "What is believed of the product's mass counts for little until visits have taught it anew.",
        )
        .with(id_in_path("The product.", "butter-250"))
        .with(csrf())
        .takes(vec![json::<shapes::WeightWrong>(value!({ "note": "new pack" }))])
        .answers(202, "Noted", Some(json::<shapes::Doubted>(value!({ "product_id": "butter-250" }))))
        .fails(&["unknown_product", "bad_text"]),
        Operation::new(
            (Method::POST, "/v1/staff/service"),
            "service",
            STAFF,
            "Take the station out of service, or put it back",
            "Baskets under validation are served to their end; new validations are refused.",
        )
        .with(csrf())
        .takes(vec![json::<shapes::Service>(value!({ "serves": false, "why": "cleaning" }))])
        .answers(200, "It is so", Some(json::<shapes::Serves>(value!({ "serves": false }))))
        .fails(&["bad_text"]),
        Operation::new(
            (Method::GET, "/v1/audit"),
            "audit",
            STAFF,
            "What staff did",
            "A chain: who keeps a hash notices whatever is changed before it.",
        )
        .with(in_query("after", "The last number that is known; 0 without.", i64::MAX, 0))
        .with(in_query("limit", "Entries at most; 500 without.", 500, 100))
        .answers(200, "Entries in their order", Some(json::<shapes::Audit>(value!({ "entries": [entry] }))))
        .fails(&["bad_query"]),
    ]
}
