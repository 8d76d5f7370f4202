//! What the platform feels: bytes from load-cell boards and finished scales become loads with an honest uncertainty.
//!
//! `bytes ─wire→ frame ─instrument→ masses ─align, platform→ reading ─settle→ load ─steps→ step`, tied together by [`scale::Scale`].

pub mod align;
pub mod board;
pub mod calibrate;
pub mod declared;
mod device_clock;
pub mod health;
pub mod indicator;
pub mod instrument;
pub mod journal;
pub mod link;
pub mod platform;
pub mod probe;
pub mod scale;
pub mod settle;
pub mod steps;
mod still_cell;
pub mod transient;
pub mod unavailable;
pub mod wire;
pub mod zero;

pub use board::{BoardConfig, CellConfig};
pub use instrument::InstrumentConfig;
pub use platform::{Platform, Reading};
pub use scale::{Scale, ScaleConfig, ScaleEvent};
pub use settle::Load;
pub use steps::Step;
pub use unavailable::{Outage, Unavailable};
