//! What holds the goods: its tare and how sure we are of it.

use serde::{Deserialize, Serialize};

/// What is believed about the tare of one kind of container, or of one that says who it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerBelief {
    /// `trolley`, `basket` or `none`.
    pub kind: String,
    /// Which one of them, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Mean mass in grams.
    pub tare_g: f64,
    /// Spread between units of this kind, or how sure this one's tare is, 1 sigma in grams.
    pub sigma_g: f64,
}

impl ContainerBelief {
    /// Of any container of a kind.
    pub fn of_kind(kind: &str, tare_g: f64, sigma_g: f64) -> Self {
        Self { kind: kind.to_owned(), id: None, tare_g, sigma_g }
    }

    /// What is believed of a kind.
    pub fn find<'a>(beliefs: &'a [Self], kind: &str) -> Option<&'a Self> {
        beliefs.iter().find(|belief| belief.kind == kind && belief.id.is_none())
    }

    /// What is believed of one container, if it was weighed before.
    pub fn find_one<'a>(beliefs: &'a [Self], kind: &str, id: &str) -> Option<&'a Self> {
        beliefs.iter().find(|belief| belief.kind == kind && belief.id.as_deref() == Some(id))
    }
}

/// One kind of own bag.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BagKind {
    /// Share of all own bags, above 0; shares are taken relative to their sum.
    pub share: f64,
    /// Mean mass in grams.
    pub mean_g: f64,
    /// Spread, 1 sigma in grams.
    pub sigma_g: f64,
}

/// What is believed about an own bag of which the shopper said no weight: one of several kinds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BagBelief {
    /// The kinds, at least one.
    pub kinds: Vec<BagKind>,
}

impl BagBelief {
    /// All bags alike.
    pub fn one(mean_g: f64, sigma_g: f64) -> Self {
        Self { kinds: vec![BagKind { share: 1.0, mean_g, sigma_g }] }
    }

    /// Paper and thin plastic carriers, woven bags, cotton bags, by what such bags weigh (FIELD 3.5).
    pub fn usual() -> Self {
        let kind = |share, mean_g, sigma_g| BagKind { share, mean_g, sigma_g };
        Self {
            kinds: vec![kind(0.35, 45.0, 7.0), kind(0.15, 30.0, 6.0), kind(0.35, 90.0, 18.0), kind(0.15, 150.0, 30.0)],
        }
    }
}
