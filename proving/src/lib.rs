//! Measures the daemon's core against the simulator, both sans-IO, in virtual time: hours of shopping in seconds.
//!
//! [`station`] joins a simulated stage with the root machine; [`settling`] measures how fast and how truly loads are found;
//! [`visits`] plays shoppers, [`filling`] those who fill their basket on the plate, with [`eyes`] or without; [`evaluate`] holds the judge against the best possible detector; [`calibration`] calibrates plates with known gains.

pub mod calibration;
pub mod evaluate;
pub mod eyes;
pub mod faults;
pub mod filling;
pub mod load;
pub mod settling;
pub mod station;
pub mod statistics;
pub mod visits;
