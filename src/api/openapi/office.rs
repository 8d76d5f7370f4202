//! Operations of the back office.

use super::operation::{Operation, id_in_path, json, text};
use super::{examples, shapes};
use axum::http::Method;
use serde_json::json as value;

const OFFICE: &str = "Back office";

pub(super) fn operations() -> Vec<Operation> {
    let taken = value!({ "version": 12, "products": 50_000, "hash": "9f2c46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae0" });
    vec![
        Operation::new(
            (Method::PUT, "/v1/catalogue"),
            "putCatalogue",
            OFFICE,
            "All products anew",
            "Whole and atomic: one fault and nothing is changed. Takes effect between two attempts. At most 80 MiB.",
        )
        .takes(vec![text("application/x-ndjson", &examples::catalogue()), text("text/csv", examples::CATALOGUE_CSV)])
        .answers(200, "In force within two seconds", Some(json::<shapes::CatalogueTaken>(taken)))
        .fails(&["bad_catalogue", "malformed_text", "not_a_catalogue", "too_large"]),
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
