//! Floor 4: the local API and the pages, over HTTP.

mod baskets;
mod catalogue;
pub mod deprecated;
mod display;
pub mod enrolment;
mod events;
mod exit;
mod guard;
mod handhelds;
mod hub;
pub mod openapi;
mod ops;
mod pictures;
mod problem;
mod router;
mod staff;
mod validations;
mod verdicts;

pub use hub::{Call, Hub, ServiceInfo, Views};
pub use problem::BodyWithin;
pub use router::{access_table, router};
