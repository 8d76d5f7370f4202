//! A product and what is believed about its mass.

use crate::units::ProductId;
use serde::{Deserialize, Serialize};

/// How a product is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A pack: every unit weighs about the same.
    Piece,
    /// Sold by the piece, but grown or baked: units differ by nature.
    Varying,
    /// Sold by weight: the label on it says what this one weighs.
    Weighed,
}

/// Where a weight belief comes from, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightSource {
    /// Net content on the label and the law's tolerance.
    Label,
    /// Delivered with the catalogue.
    Seeded,
    /// Learned from confirmed visits.
    Learned,
    /// Weighed by staff.
    StaffVerified,
}

/// How much the retailer minds losing one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Hardly ever taken on purpose.
    Low,
    /// As most goods.
    #[default]
    Normal,
    /// Small and dear: razor blades, spices, spirits.
    High,
}

/// What is believed about the gross mass of one unit.
///
/// For [`Kind::Weighed`] it describes a typical portion; a labelled portion's own mass is on its label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightBelief {
    /// Mean gross mass of a unit in grams, above 0.
    pub mean_g: f64,
    /// Spread from unit to unit, 1 sigma in grams.
    pub sd_g: f64,
    /// Uncertainty of the mean itself, 1 sigma in grams: shared by all units in a basket.
    pub mean_sd_g: f64,
    /// Where it comes from.
    pub source: WeightSource,
}

/// A product as the retailer sells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The retailer's own identifier.
    pub id: ProductId,
    /// GTIN as 14 digits, or the five-digit article number of goods sold by weight.
    pub code: String,
    /// What shoppers and staff read.
    pub name: String,
    /// How it is sold.
    pub kind: Kind,
    /// Price of a unit (or of a typical portion) in the currency's minor unit.
    pub price_minor: i64,
    /// What is believed about its mass.
    pub weight: WeightBelief,
    /// Goods with the same group look alike: the eye says "consistent", never "swapped".
    pub look_group: Option<String>,
    /// How much losing one is minded.
    pub risk: Risk,
    /// How often it is bought, relative to the others; above 0.
    pub popularity: f64,
}
