//! Operations and shapes of enrolling a product at the station.

use super::operation::{Operation, Parameter, Place, csrf, json, text};
use super::shapes::Id;
use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json as value;

const STAFF: &str = "Staff";
const PATH: &str = "/v1/staff/enrolment";

/// Which product; by its identifier or its code, one of the two.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product_id: Option<Id>,
    /// A GTIN, or an article number of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// What whoever holds the product should do.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Hint {
    /// Nothing is seen: hold it under the camera, or put it on the plate.
    ShowIt,
    /// Several things are seen: take away all but one.
    OneAlone,
    /// It reaches over the edge of what is looked at.
    Centre,
    /// The picture is dark, glaring or blurred, or the plate has moved just now.
    HoldStill,
    /// This side is known already.
    TurnIt,
    /// As many views as are of use.
    Enough,
}

/// How far an enrolment has come.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Progress {
    product_id: Id,
    name: String,
    /// Who enrols it.
    by: String,
    /// Clear views so far.
    views: usize,
    /// With so many it can be finished.
    needed: usize,
    hint: Hint,
    /// What rests on the plate while one thing alone is seen, grams; it may be offered as a weighing of the product.
    weight_g: Option<f64>,
    /// When it is given up if nothing new is seen, milliseconds since 1970.
    until_ms: i64,
}

/// What was kept.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Enrolled {
    product_id: Id,
    /// Views that were taken.
    views: usize,
}

fn number() -> Parameter {
    Parameter {
        name: "number",
        place: Place::Path,
        text: "Which, counted from 1.",
        schema: value!({ "type": "integer", "minimum": 1 }),
        example: value!(1),
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let progress = || {
        json::<Progress>(
            value!({ "product_id": "butter-250", "name": "Butter 250 g", "by": "Kim", "views": 2, "needed": 3,
            "hint": "turn_it", "weight_g": 256.3, "until_ms": 1_795_284_180_000_i64 }),
        )
    };
    vec![
        Operation::new(
            (Method::POST, PATH),
            "beginEnrolment",
            STAFF,
            "Begin to enrol a product under the camera",
            "Hold it under the camera, or put it on the empty plate, and turn it: each clear new side is taken. A validation that begins \
             ends it, and so do three minutes without a new side.",
        )
        .with(csrf())
        .takes(vec![json::<Wanted>(value!({ "product_id": "butter-250" }))])
        .answers(201, "Looking", Some(progress()))
        .fails(&["unknown_product", "no_camera", "enrolling", "not_enrolling", "plate_busy"]),
        Operation::new((Method::GET, PATH), "enrolmentProgress", STAFF, "How far it has come, and what to do next", "")
            .answers(200, "Looking", Some(progress()))
            .fails(&["no_camera", "not_enrolling"]),
        Operation::new(
            (Method::GET, "/v1/staff/enrolment/views/{number}"),
            "enrolmentView",
            STAFF,
            "A view that was taken",
            "Gone once the enrolment has ended: it is kept in memory alone.",
        )
        .with(number())
        .answers(200, "The picture", Some(text("image/jpeg", "…")))
        .fails(&["no_camera", "not_enrolling", "unknown_view"]),
        Operation::new(
            (Method::DELETE, "/v1/staff/enrolment/views/{number}"),
            "dropEnrolmentView",
            STAFF,
            "Take a view out again",
            "One on which a hand is seen, or another article. Those behind it move up.",
        )
        .with(number())
        .with(csrf())
        .answers(200, "Looking", Some(progress()))
        .fails(&["no_camera", "not_enrolling", "unknown_view"]),
        Operation::new(
            (Method::POST, "/v1/staff/enrolment/finish"),
            "finishEnrolment",
            STAFF,
            "Keep what was seen",
            "The looks that the product had are replaced, and what visits have taught of them. The judge knows it within seconds.",
        )
        .with(csrf())
        .answers(200, "Kept", Some(json::<Enrolled>(value!({ "product_id": "butter-250", "views": 6 }))))
        .fails(&["no_camera", "not_enrolling", "too_few_views"]),
        Operation::new((Method::DELETE, PATH), "cancelEnrolment", STAFF, "Forget what was seen", "")
            .with(csrf())
            .answers(204, "Forgotten", None)
            .fails(&["no_camera", "not_enrolling"]),
    ]
}
