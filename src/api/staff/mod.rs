//! Staff's side: logging in on a known tablet, the queue, what is done with baskets, and the record of it.

mod deeds;
pub(super) mod door;
mod pages;
mod queue;
mod records;
mod session;

pub use deeds::{claim, confirm, release, resolve, undo};
pub use pages::{page, script, style};
pub use queue::{events, of_validation, queue};
pub use records::{audit, numbers, service, weight_wrong};
pub use session::{log_in, log_out, pair, present};

use super::problem::Problem;
use axum::http::StatusCode;

/// A route for staff that somebody else has come to; the guard lets nobody else in.
fn nobody() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "logged_out", "log in first")
}

/// The store does not take it.
fn not_kept(error: &crate::io::store::StoreError) -> Problem {
    tracing::error!(%error, "cannot write to the store");
    Problem::no_answer()
}
