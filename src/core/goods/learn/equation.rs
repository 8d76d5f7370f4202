//! One confirmed visit as an equation in what its units weigh.

use crate::units::{ProductId, Wall};
use serde::{Deserialize, Serialize};

/// Something with a mass of its own that is learned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A product of the catalogue.
    Product(ProductId),
    /// A container of which only the kind is known: `trolley`, `basket`.
    Kind(String),
    /// One container that says who it is.
    Container(String),
}

/// So many units of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What.
    pub subject: Subject,
    /// How many, above 0.
    pub units: u32,
}

/// Why a visit counts as right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Confirmed {
    /// It passed without a second look, as it would have done with any mass from `low_g` to `high_g` on the plate.
    Passed {
        /// Least mass that would have passed, grams.
        low_g: f64,
        /// Greatest mass that would have passed, grams.
        high_g: f64,
    },
    /// Staff looked and found the list right.
    Approved,
    /// Staff weighed it for this purpose.
    Weighed,
}

/// A visit.
#[derive(Clone, Debug, PartialEq)]
pub struct Equation {
    /// Goods and containers.
    pub terms: Vec<Term>,
    /// What was on the plate, less everything whose mass is known otherwise: labelled portions, bags, a tare that is not learned; grams.
    pub measured_g: f64,
    /// Variance of all that is not a term, g²: the scale, labelled portions, bags.
    pub variance_g2: f64,
    /// Why it counts as right.
    pub confirmed: Confirmed,
    /// The shopper's pseudonym, if there is one.
    pub shopper: Option<String>,
    /// When.
    pub at: Wall,
}

impl Equation {
    /// Days since 1970, in UTC.
    pub fn day(&self) -> i64 {
        self.at.ms().div_euclid(86_400_000)
    }

    /// Stands for whoever brought it: the shopper, or all nameless ones of a day together.
    pub fn witness(&self) -> u64 {
        let day = self.day().to_le_bytes();
        match &self.shopper {
            Some(name) => mixed(name.bytes()),
            None => mixed(day.into_iter()),
        }
    }
}

/// FNV-1a of 64 bits, its high half folded into the low one.
fn mixed(bytes: impl Iterator<Item = u8>) -> u64 {
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^ (hash >> 32)
}
