//! What holds the goods: its tare and how sure we are of it.

use serde::{Deserialize, Serialize};

/// What is believed about the tare of one kind of container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerBelief {
    /// `trolley`, `basket` or `none`.
    pub kind: String,
    /// Mean mass in grams.
    pub tare_g: f64,
    /// Spread between units of this kind, 1 sigma in grams.
    pub sigma_g: f64,
}

/// What is believed about an own bag of which the shopper said no weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BagBelief {
    /// Mean mass in grams.
    pub mean_g: f64,
    /// Spread, 1 sigma in grams.
    pub sigma_g: f64,
}
