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

/// Share of a product's variance that the units of one batch have in common: filled by the same machine on the same day.
const BATCH_SHARE: f64 = 0.3;

impl WeightBelief {
    /// Variance in g² of so many units together: each its own, a share that the batch has in common, and the mean's own uncertainty,
    /// which all units share.
    pub fn variance_g2(&self, units: u32) -> f64 {
        let n = f64::from(units);
        let spread = self.sd_g * self.sd_g;
        n * (1.0 - BATCH_SHARE) * spread + n * n * (BATCH_SHARE * spread + self.mean_sd_g * self.mean_sd_g)
    }
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
    /// The retailer's own group of goods (dairy, spices): what is taken for something else is mostly taken for a neighbour on the shelf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How much losing one is minded.
    pub risk: Risk,
    /// How often it is bought, relative to the others; above 0.
    pub popularity: f64,
}
