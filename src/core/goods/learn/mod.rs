//! Learning what goods and containers weigh from visits that were confirmed right.
//!
//! Every such visit is one linear equation: what was measured is the sum of its units' masses, containers and bags, and noise. Of each
//! product a mean, how sure that is, and the spread from unit to unit are believed ([`Belief`]); an equation moves all its products at
//! once, each by what it has to do with the rest ([`Learner::learn`]). The beliefs of different products are kept independent of each
//! other (assumed-density filtering): what two products owe each other is forgotten, so that 50 000 of them stay small.
//!
//! Of single spreads whole baskets say little, and of all together much: labels bound them by law, and by how much goods are better
//! than the law is learned for all of them together ([`Subject::Spreads`]) and for each family ([`Subject::SpreadsOf`]). What the
//! families' means have in common is estimated from time to time, and put under those of their goods ([`Learner::revise`]).
//!
//! Baskets that pass are a chosen sample: what did not fit was stopped. The moments of the Gaussian cut at the thresholds
//! ([`cut`]) take the place of the whole one's, or every spread would shrink round by round.

mod belief;
mod bounds;
pub mod cut;
mod equation;
mod kin;
mod learner;
mod lesson;
mod rival;
#[cfg(test)]
mod tests;

pub use belief::{Belief, prior};
pub use equation::{BadSubject, Confirmed, Equation, Subject, Term};
pub use kin::Footing;
pub use learner::{Change, Learner, Skipped, Why};
pub use rival::Rival;

/// Share of the unit variance that the units of one basket have in common, being of one batch.
const BATCH_SHARE: f64 = 0.25;

/// Variance of `n` units of one batch, in unit variances.
fn units_variance(n: f64) -> f64 {
    (1.0 - BATCH_SHARE) * n + BATCH_SHARE * n * n
}
