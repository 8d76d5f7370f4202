//! What must outlive the process: baskets, validations, verdicts, the catalogue, what was learned, and the looks, in one SQLite file.
//!
//! [`Database`] is the file, used by whoever needs it on his own thread; [`Writer`] is a thread that owns one and
//! commits what queues up together, so that a verdict costs one flush and not several.

mod beliefs;
mod catalogue;
mod credential;
mod csv;
mod database;
mod pass;
mod told;
mod writer;

pub use beliefs::{PastBelief, Unlearned};
pub use catalogue::{CatalogueFormat, CatalogueVersion, GoodsMark, Patched, read_catalogue};
pub use credential::Credential;
pub use database::{Database, StoreError};
pub use pass::{Pass, Redeemed};
pub use told::{Told, ToldKind};
pub use writer::{StoreEvent, Writer};
