//! What the platform feels: bytes from load-cell boards become loads with an honest uncertainty.
//!
//! `bytes ─wire→ sample ─board→ cell masses ─platform→ reading ─settle→ load`, tied together by [`scale::Scale`].

pub mod board;
pub mod calibrate;
pub mod platform;
pub mod scale;
pub mod settle;
pub mod transient;
pub mod wire;

pub use board::{BoardConfig, CellConfig};
pub use platform::{Platform, Reading};
pub use scale::{Scale, ScaleConfig, ScaleEvent, Unavailable};
pub use settle::Load;
