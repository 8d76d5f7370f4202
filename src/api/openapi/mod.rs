//! The API's own description: OpenAPI 3.1, put together from the table of operations, the table of routes and the shapes of what is sent.

mod document;
pub mod examples;
mod office;
pub mod operation;
mod page;
mod problems;
mod shapes;
mod shopper;
mod station;

pub use page::{json, page, script, style};
pub use problems::PROBLEMS;
pub use shapes::Id;

use operation::Operation;
use serde_json::Value;
use std::sync::LazyLock;

/// Version of the contract: the first number changes when clients must, the second when something is added.
pub const CONTRACT_VERSION: &str = "1.1";

/// Every operation that is described, in the order in which people read.
pub fn operations() -> Vec<Operation> {
    [shopper::operations(), station::operations(), office::operations()].into_iter().flatten().collect()
}

/// The document; made once.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document::write(&operations(), &super::access_table()));
    &DOCUMENT
}
