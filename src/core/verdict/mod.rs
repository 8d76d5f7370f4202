//! What we conclude: hypotheses over what lies on the plate, their posterior, the policy over it, and the words for it.
//!
//! A hypothesis is an edit of the scanned list. Its posterior is prior ([`priors`]) × density of the mass ([`noise`], [`part`]) × ratio of
//! the crops ([`view`]), summed over the whole catalogue ([`posterior`]). Floats live inside this room and leave it quantised.

pub mod answer;
pub mod certain;
pub mod expected;
pub mod explain;
pub mod judge;
pub mod message;
pub mod noise;
pub mod part;
pub mod policy;
pub mod posterior;
pub mod priors;
pub mod resolution;
pub mod sequence;
pub mod view;

#[cfg(test)]
mod tests;

pub use answer::{Basis, Finding, FindingKind, Outcome, ProductRef, Verdict, Versions, WeightEvidence};
pub use expected::{Expected, ExpectedLine, Nature, UnknownLine, WithoutMass};
pub use judge::{Conclusion, Evidence, StepEvidence, judge};
pub use message::Message;
pub use policy::Policy;
pub use posterior::{Judged, Posterior};
pub use resolution::{Action, Reason, Resolution, Role, Staff};
