//! What must outlive the process: baskets, validations, verdicts, pictures of what did not pass (for some hours), the catalogue, what was
//! learned, and the looks, in one SQLite file.
//!
//! [`Database`] is the file, used by whoever needs it on his own thread; [`Writer`] is a thread that owns one and
//! commits what queues up together, so that a verdict costs one flush and not several.

mod audit;
mod back;
mod beliefs;
mod catalogue;
mod credential;
mod crops;
mod csv;
mod database;
mod looks;
mod numbers;
mod pass;
mod resolution;
mod staff;
#[cfg(test)]
mod tests;
mod told;
mod writer;

pub use audit::{Audit, Audited};
pub use back::{Back, Checked, Gone, check, copy_path, go_back};
pub use beliefs::{Lessons, PastBelief, Unlearned};
pub use catalogue::{CatalogueFormat, CatalogueVersion, GoodsMark, Patched, read_catalogue};
pub use credential::Credential;
pub use crops::{CropPicture, CropSet};
pub use database::{Database, StoreError};
pub use looks::{LearnedLook, LookChange, LookCount, PastLook};
pub use numbers::Numbers;
pub use pass::{Pass, Redeemed};
pub use staff::{Account, AccountEntry, Session};
pub use told::{Told, ToldKind};
pub use writer::{StoreEvent, Writer};
