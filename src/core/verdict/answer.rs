//! The verdict as clients get it and as it is kept. Field names and values are a contract: change only by adding.

use super::message::Message;
use crate::units::{BasketId, StationId, ValidationId, Wall};
use serde::{Deserialize, Serialize, Serializer};

/// What is concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The basket may go.
    Pass,
    /// The shopper can put it right.
    Correct,
    /// Staff should look.
    Assist,
    /// The unit cannot judge.
    Unavailable,
}

impl Outcome {
    /// As in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Correct => "correct",
            Self::Assist => "assist",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What kind of difference a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// There, not scanned.
    Unscanned,
    /// Scanned, not there: an over-charge.
    Absent,
    /// A line's count differs, either way.
    Quantity,
    /// Something else lies there than was scanned.
    Swapped,
    /// An own bag that was not declared.
    Bag,
    /// Not in the catalogue.
    Foreign,
    /// The catalogue's weight is wrong.
    StaleWeight,
    /// A sensor is out.
    Sensor,
}

/// A product as clients know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRef {
    /// The retailer's identifier; `null` for a code that the catalogue does not know.
    pub id: Option<String>,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// One difference, ranked by probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind.
    pub kind: FindingKind,
    /// The product it is about; `null` below a posterior of one half.
    pub product: Option<ProductRef>,
    /// What seems to lie there instead, for `swapped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<ProductRef>,
    /// Units scanned.
    pub scanned: Option<u32>,
    /// Units found.
    pub found: Option<u32>,
    /// What it makes in grams against the list; negative for less.
    pub grams: f64,
    /// Posterior probability, 0..=1.
    pub probability: f64,
    /// Whether a product is named.
    pub named: bool,
    /// Where its picture is.
    pub image: Option<String>,
    /// For `sensor` and unknown codes: what is wrong, for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Masses behind a verdict, rounded to a tenth of a gram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightEvidence {
    /// On the plate.
    pub measured_g: f64,
    /// What the list makes, containers and bags included.
    pub expected_g: f64,
    /// 1 sigma of their difference.
    pub sigma_g: f64,
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Weighings that were compared with the list, each by itself: 1 for a total, more where goods came one after the other and were told apart.
    pub weighings: usize,
    /// Looks behind them: at the total, or one after each put.
    pub looks: usize,
}

/// Which versions stood behind a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// SHA-256 of the catalogue.
    pub catalogue: String,
    /// SHA-256 of the models' manifest, or empty without eyes.
    pub models: String,
    /// SHA-256 of the station file.
    pub config: String,
    /// Version of the software.
    pub software: String,
}

/// One attempt's verdict: made once, stored before it is told, never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The validation.
    pub validation_id: ValidationId,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// The basket.
    pub basket_id: BasketId,
    /// The revision of its list that was judged.
    pub revision: u64,
    /// The station.
    pub station_id: StationId,
    /// What is concluded.
    pub outcome: Outcome,
    /// True for `pass` alone.
    pub passed: bool,
    /// When, RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339", deserialize_with = "from_rfc3339")]
    pub decided_at: Wall,
    /// From the last touch, or from what started the attempt if that was later.
    pub elapsed_ms: u64,
    /// Masses; `null` without a weight.
    pub weight: Option<WeightEvidence>,
    /// Differences, likeliest first.
    pub findings: Vec<Finding>,
    /// The one or two articles whose check tells most.
    pub check: Vec<ProductRef>,
    /// What the shopper reads.
    pub message: Message,
    /// Senses that were missing: `scale`, `vision`; or `camera:NAME` for one of several cameras.
    pub degraded: Vec<String>,
    /// Opens the gate; none is issued yet.
    pub exit_token: Option<String>,
    /// It would have passed; staff looks all the same, as the retailer has asked for one in so many.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub control_sample: bool,
    /// How many things the camera saw; `null` without eyes.
    #[serde(default)]
    pub seen: Option<usize>,
    /// What it rests on; nothing without a weight.
    #[serde(default)]
    pub basis: Basis,
    /// Which versions stood behind it.
    #[serde(default)]
    pub versions: Versions,
}

pub(super) fn rfc3339<S: Serializer>(at: &Wall, serializer: S) -> Result<S::Ok, S::Error> {
    let text =
        jiff::Timestamp::from_millisecond(at.ms()).map(|t| format!("{t:.3}")).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}

pub(super) fn from_rfc3339<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Wall, D::Error> {
    let text = String::deserialize(deserializer)?;
    let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
    Ok(Wall::from_ms(at.as_millisecond()))
}
