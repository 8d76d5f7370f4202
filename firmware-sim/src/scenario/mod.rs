//! Shoppers by script: TOML files with visits, played against a daemon.
//!
//! A file is a list of `[[visit]]`. Each names its `truth`, the outcomes it expects from its attempts, and either lets the
//! goods be drawn from the shop ...
//!
//! ```toml
//! [[visit]]
//! truth = "unscanned"      # see `Truth`
//! items = 12               # units scanned
//! expect = ["correct"]     # one outcome an attempt
//! ```
//!
//! ... or says step by step what happens (`at_s` counts from the visit's start; a step waits for the one before it):
//!
//! ```toml
//! [[visit]]
//! truth = "honest, a pack of butter without a basket"
//!
//! [[visit.step]]
//! app = { scan = { container = "none", goods = [{ id = "butter-250" }] } }
//! [[visit.step]]
//! app = "validate"
//! [[visit.step]]
//! at_s = 1.0
//! plate = { do = "place", container = "none", goods = [{ id = "butter-250" }] }
//! [[visit.step]]
//! expect = "pass"          # waits for the next attempt
//! ```
//!
//! At its end every visit lifts what stands on the plate and waits until the station is idle.

mod draw;
mod file;
mod play;
mod report;
mod shelf;

pub use draw::{DrawError, draw};
pub use file::{AppStep, Script, ScriptError, Step, Truth, Visit};
pub use play::{Player, VisitReport};
pub use report::{heading, line};
