//! How fast and how truly a load is found after the last touch.
//!
//! [`bench`] plays plates of every kind straight into [`augenmass_core::weighing::settle::Settle`]; [`serial`] plays a whole
//! station with its cells, gains, drift and bytes, as a smaller check of the same.

pub mod bench;
pub mod classic;
pub mod plates;
mod report;
pub mod serial;

pub use report::{json, table};
pub use serial::{Settling, measure};
