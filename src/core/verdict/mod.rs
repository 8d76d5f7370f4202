//! What we conclude: hypotheses over what lies on the plate, their posterior, the policy over it, and the words for it.
//!
//! A hypothesis is an edit of the scanned list. Its posterior is prior × N(measured; expected under the edit, σ²) ×
//! P(scene | edit); see [`posterior`]. Floats live inside this room and leave it quantised.

pub mod answer;
pub mod expected;
pub mod explain;
pub mod hypothesis;
pub mod judge;
pub mod message;
pub mod policy;
pub mod posterior;
pub mod scene;

#[cfg(test)]
mod tests;

pub use answer::{Finding, FindingKind, Outcome, ProductRef, Verdict, Versions, WeightEvidence};
pub use expected::{Expected, ExpectedLine, UnknownLine};
pub use judge::{Conclusion, Evidence, judge};
pub use message::Message;
pub use policy::Policy;
