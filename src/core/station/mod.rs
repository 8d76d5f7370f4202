//! One station's life: baskets come in over the API, loads and looks over the sensors, attempts go out as verdicts.
//!
//! [`machine::Machine`] is the root. It is sans-IO: `handle`, `handle_timeout`, `poll_timeout`, `poll_output`.
//! A verdict is told only after [`message::Input::Saved`] has come for it.

pub mod case;
pub mod dossier;
pub mod filling;
pub mod ledger;
pub mod lesson;
pub mod limits;
pub mod look_lesson;
pub mod machine;
pub mod message;
pub mod senses;
pub mod view;
pub mod visit;

pub use dossier::{Dossier, DossierLine};
pub use machine::{Machine, Restored, RestoredVisit, StationConfig};
pub use message::{Answer, Deed, Input, Mark, Now, Output, Record, Refusal, Request};
pub use senses::WithoutCamera;
pub use view::{PlateState, SenseView, StationView, ValidationState, ValidationView};
