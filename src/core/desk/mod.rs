//! Staff's side: which baskets need somebody, who looks after which, what may be decided by whom, and a record that shows if anybody
//! has tampered with it. What is decided becomes true in the station ([`crate::verdict::Resolution`]); here is who may decide it.

pub mod audit;
mod board;
mod entry;
pub mod limits;

pub use board::{Board, Claim, DeskRefusal, Kept, Proposal, Rules, Stake, Wanted};
pub use entry::{Case, Entry, Need};
