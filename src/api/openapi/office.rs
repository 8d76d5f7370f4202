//! Operations of the back office.

use super::operation::{Content, Operation, Parameter, Place, id_in_path, json, text};
use super::{examples, shapes};
use crate::api::verdicts;
use axum::http::Method;
use serde_json::json as value;

const OFFICE: &str = "Back office";

fn transactions() -> Content {
    let line = json::<verdicts::Transaction>(examples::transaction());
    Content { media_type: "application/x-ndjson", ..line }
}

pub(super) fn operations() -> Vec<Operation> {
    let taken = value!({ "version": 12, "products": 50_000, "hash": "9f2c46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae0" });
    vec![
        Operation::new(
            (Method::GET, "/v1/verdicts"),
            "pullVerdicts",
            OFFICE,
            "What was decided",
            "One line a verdict, oldest first, in words of POSLog. Begin with `after=0`, remember the last `SequenceNumber`, and go on with \
             it: each verdict comes once. An answer may end before `limit`, or break off: only whole lines count. An empty answer means \
             that there is nothing new.",
        )
        .with(Parameter {
            name: "after",
            place: Place::Query,
            text: "The last `SequenceNumber` that is known; 0 without.",
            schema: value!({ "type": "integer", "minimum": 0, "maximum": i64::MAX }),
            example: value!(0),
        })
        .with(Parameter {
            name: "limit",
            place: Place::Query,
            text: "Most lines; 1000 without.",
            schema: value!({ "type": "integer", "minimum": 1, "maximum": verdicts::LINES_MAX }),
            example: value!(500),
        })
        .answers(200, "Lines of JSON", Some(transactions()))
        .fails(&["bad_query", "unknown_cursor", "busy"]),
        Operation::new(
            (Method::PUT, "/v1/catalogue"),
            "putCatalogue",
            OFFICE,
            "All products anew",
            "Whole and atomic: one fault and nothing is changed. Takes effect between two attempts. At most 80 MiB.",
        )
        .takes(vec![text("application/x-ndjson", &examples::catalogue()), text("text/csv", examples::CATALOGUE_CSV)])
        .answers(200, "In force within two seconds", Some(json::<shapes::CatalogueTaken>(taken)))
        .fails(&["bad_catalogue", "malformed_text", "not_a_catalogue", "too_large", "too_slow"]),
        Operation::new(
            (Method::PATCH, "/v1/catalogue/{id}"),
            "patchProduct",
            OFFICE,
            "Change one product",
            "JSON Merge Patch (RFC 7396): what is named is changed, `null` removes.",
        )
        .with(id_in_path("The product.", "butter-250"))
        .takes(vec![json::<shapes::ProductPatch>(value!({ "price_minor": 259 }))])
        .answers(200, "The product as it is now", Some(json::<shapes::Product>(examples::product())))
        .fails(&["unknown_product", "bad_product"]),
    ]
}
