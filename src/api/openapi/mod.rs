//! The API's own description: OpenAPI 3.1, put together from the table of operations, the table of routes and the shapes of what is sent.

mod document;
mod enrolment;
pub mod examples;
mod office;
pub mod operation;
mod page;
mod problems;
pub(super) mod shapes;
mod shopper;
mod staff;
mod staff_shapes;
mod station;

pub use page::{json, page, script, style};
pub use problems::PROBLEMS;
pub use shapes::Id;

use crate::access::Mode;
use operation::Operation;
use serde_json::Value;

/// Version of the contract: the first number changes when clients must, the second when something is added.
pub const CONTRACT_VERSION: &str = "1.5";

/// Every operation of a station with this code, in the order in which people read.
pub fn operations(station_code: &str) -> Vec<Operation> {
    [
        shopper::operations(station_code),
        staff::operations(),
        enrolment::operations(),
        station::operations(),
        office::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The document of a station with this code and identifier. One that is open to its own machine asks nobody for a credential, and says so.
pub fn document(station_code: &str, station_id: &str, mode: Mode) -> Value {
    document::write(
        &operations(station_code),
        &super::access_table(),
        super::deprecated::DEPRECATED,
        (station_id, mode),
    )
}
