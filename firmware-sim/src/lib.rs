//! The hardware of a validation station, played: goods, plates, load-cell boards, finished scales, cameras, shoppers.
//!
//! Imports nothing of the daemon. [`world`], [`board`], [`indicator`], [`rig`], [`stage`], [`placement`], [`render`], [`scanner`]
//! and [`shop`] are sans-IO and seeded; [`shell`] gives them ptys, HTTP and real time; [`phone`] and [`scenario`] play the
//! shoppers.

pub mod board;
pub mod hw;
pub mod indicator;
pub mod phone;
pub mod placement;
pub mod render;
pub mod rig;
pub mod scanner;
pub mod scenario;
pub mod shell;
pub mod shop;
pub mod stage;
pub mod world;
