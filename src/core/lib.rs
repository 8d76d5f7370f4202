//! The pure heart of Augenmass. No async runtime, files, sockets, clock or random source: time, bytes,
//! detections and requests come in as arguments, decisions go out as values.
//!
//! Floor 0: [`units`], [`basket`], [`goods`], [`weighing`], [`vision`]. Floor 1: [`verdict`]. Floor 2: [`station`], [`desk`].
#![forbid(unsafe_code)]

pub mod basket;
pub mod desk;
pub mod goods;
pub mod station;
pub mod units;
pub mod verdict;
pub mod vision;
pub mod weighing;
