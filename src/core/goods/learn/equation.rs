//! One confirmed visit as an equation in what its units weigh.

use crate::units::{ProductId, Wall};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

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
    /// What the spreads of all goods known from labels are to what labels let expect: a variance ratio.
    Spreads,
    /// The same of a family of goods, beside that of all.
    SpreadsOf(Box<str>),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product(id) => write!(f, "product:{id}"),
            Self::Kind(kind) => write!(f, "kind:{kind}"),
            Self::Container(id) => write!(f, "container:{id}"),
            Self::Spreads => write!(f, "spreads:labels"),
            Self::SpreadsOf(family) => write!(f, "spreads:{family}"),
        }
    }
}

/// Not the name of anything that is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is learned is called product:ID, kind:KIND, container:ID, spreads:labels or spreads:FAMILY")]
pub struct BadSubject;

impl FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, BadSubject> {
        match text.split_once(':') {
            Some(("product", id)) => id.parse().map(Self::Product).map_err(|_| BadSubject),
            Some(("kind", kind)) if !kind.is_empty() => Ok(Self::Kind(kind.to_owned())),
            Some(("spreads", "labels")) => Ok(Self::Spreads),
            Some(("spreads", family)) if !family.is_empty() => Ok(Self::SpreadsOf(family.into())),
            Some(("container", id)) if !id.is_empty() => Ok(Self::Container(id.to_owned())),
            Some(_) | None => Err(BadSubject),
        }
    }
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
    /// It was stopped, and staff found the list right. Such baskets are the far ones: they teach means and no spreads.
    Approved,
    /// It was not chosen by its mass: goods put down one by one, a random control.
    Unchosen,
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
