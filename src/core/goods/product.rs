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

/// A product that is several units of another one in one wrap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Multipack {
    /// Code of the single unit, normalised as [`Product::code`].
    pub code: String,
    /// How many of them.
    pub count: u32,
}

/// A rounded value lies anywhere in its step: 1 sigma as a share of it, 1/sqrt(12).
const ROUNDING: f64 = 0.288_675_134_594_812_9;
/// Heavier than any portion over a counter, grams: a price that means more is that of something else.
const PORTION_MAX_G: f64 = 100_000.0;

impl Product {
    /// Net mass that a printed price means, grams, and what its rounding to `step_minor` leaves open, 1 sigma in grams. `None` where goods are
    /// not sold by weight, nobody knows the price of a kilogram, or the price is none of a portion.
    pub fn mass_of_price(&self, price_minor: i64, step_minor: i64) -> Option<(f64, f64)> {
        let per_kg = self.terms.price_per_kg_minor.filter(|per_kg| *per_kg > 0 && self.kind == Kind::Weighed)?;
        let grams = |minor: f64| 1000.0 * minor / per_kg as f64;
        let net_g = grams(price_minor as f64);
        (price_minor > 0 && net_g <= PORTION_MAX_G).then(|| (net_g, grams(ROUNDING * step_minor as f64)))
    }
}

/// What goes with selling a product and does not say what it weighs or looks like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Net content in grams, as on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_g: Option<f64>,
    /// Youngest age of a buyer, years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_limit: Option<u8>,
    /// Deposit that is paid with a unit, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_minor: Option<i64>,
    /// Price of a kilogram of goods sold by weight, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_kg_minor: Option<i64>,
    /// What it is several of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multipack: Option<Multipack>,
}

/// A product as the retailer sells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The retailer's own identifier.
    pub id: ProductId,
    /// GTIN as 14 digits, or an article number of the store of four to seven digits.
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
    /// What goes with selling it.
    #[serde(default, flatten)]
    pub terms: Terms,
}
