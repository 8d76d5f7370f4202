//! Codes on goods, labels, vouchers and coupons: what a scanned text means.
//!
//! [`read`] takes whatever a scanner gives: EAN and UPC, codes by the retailer's own templates, produce numbers, GS1 element strings
//! and GS1 Digital Links, with or without a symbology identifier. [`Code`] is what the judge needs of it.

mod check;
mod fault;
mod gs1;
mod reading;
mod retail;
mod symbology;
mod template;

pub use check::check_digit;
pub use fault::{CodeFault, FaultKind};
pub use gs1::{Element, Rule};
pub use reading::{CODE_MAX, Reading, ReadingKind, read};
pub use template::{InStorePattern, PatternFault, TemplateKind};

use crate::units::Mass;
use serde::{Deserialize, Serialize};

/// What goods a scanned code means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// A trade item as 14 digits, or an article number of the store without a mass of its own.
    Gtin(String),
    /// Goods whose code says their net mass.
    Weighed {
        /// Article number of the store, or a GTIN of 14 digits.
        article: String,
        /// Net mass as printed.
        mass: Mass,
    },
    /// Goods whose code says their price and no mass.
    Priced {
        /// Article number of the store, or a GTIN of 14 digits.
        article: String,
        /// The price as printed.
        price: PrintedPrice,
    },
}

/// A price as a label says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedPrice {
    /// In the currency's minor unit.
    pub minor: i64,
    /// What it is rounded to, minor units: 1, or what the template's `minor=` says.
    pub step_minor: i64,
}

impl Code {
    /// The key under which the catalogue knows it.
    pub fn key(&self) -> &str {
        match self {
            Self::Gtin(gtin) => gtin,
            Self::Weighed { article, .. } | Self::Priced { article, .. } => article,
        }
    }
}
