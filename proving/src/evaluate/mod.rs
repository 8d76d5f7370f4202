//! The judge against the best possible detector and against what others do, on the same seeded baskets.
//!
//! [`shop`] and [`trip`] draw what is true, in ways that the judge does not assume; [`judge`] is what ships, [`oracle`] knows every law of
//! the generator, [`baselines`] are simple rules with well-set thresholds; [`metrics`] compares them; [`report`] tells.

pub mod baselines;
pub mod beliefs;
pub mod bench;
pub mod cells;
pub mod claims;
pub mod density;
pub mod judge;
pub mod law;
pub mod learning;
pub mod looks;
pub mod masses;
pub mod metrics;
mod nearby;
pub mod options;
pub mod oracle;
pub mod plot;
pub mod reading;
pub mod report;
pub mod shop;
pub mod svg;
pub mod trip;
pub mod view;
pub mod weighing;

pub use bench::{CellResult, Clock, run};
pub use cells::{Arrival, Cell, Plan};
