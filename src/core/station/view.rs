//! What others may see of a station: copies, never the machine's own state.

use crate::units::{BasketId, ValidationId};
use crate::verdict::{Resolution, Verdict};
use serde::Serialize;
use std::sync::Arc;

/// Where a validation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidationState {
    /// Nothing of this basket is on the plate yet.
    WaitingForLoad,
    /// Something moves on the plate.
    Weighing,
    /// At rest; being looked at and judged, or its verdict on the way to the disk.
    Judging,
    /// Another basket stands on the plate.
    PlateOccupied,
    /// Another validation was asked for later; this one waits for `retry` or a new revision.
    Aside,
    /// An attempt is decided; put it right, then it is judged again.
    Decided,
    /// Passed, resolved by staff, or given up.
    Closed,
}

/// A validation as others see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidationView {
    /// The validation.
    pub validation_id: ValidationId,
    /// Its basket.
    pub basket_id: BasketId,
    /// Where it stands.
    pub state: ValidationState,
    /// How many attempts are decided.
    pub attempt: u32,
    /// Whether that verdict was a pass that holds no more, because goods were added before the basket left the plate.
    pub void: bool,
    /// Whether somebody of the store was asked to come.
    pub staff_called: bool,
    /// Whether the shopper has given it up.
    pub cancelled: bool,
    /// How many attempts were `correct`.
    pub corrections: u32,
    /// The latest attempt's verdict.
    pub verdict: Option<Arc<Verdict>>,
    /// What staff has concluded, as long as it holds; told without who and why.
    #[serde(serialize_with = "Resolution::serialize_told")]
    pub resolution: Option<Arc<Resolution>>,
}

/// What the plate is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateState {
    /// Empty and at rest.
    Idle,
    /// Something moves.
    Weighing,
    /// Something has moved for long: somebody leans on it, or it is being packed.
    Unsteady,
    /// Something rests on it.
    Occupied,
    /// There is no weight.
    Out,
}

/// One sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SenseView {
    /// `scale` or `vision`.
    pub name: &'static str,
    /// Whether it can be relied on now.
    pub ok: bool,
    /// Why not; or, of a sense that can, which part of it cannot.
    pub why: Option<String>,
}

/// The station at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StationView {
    /// What the plate is doing.
    pub state: PlateState,
    /// A live mass for people, grams to a tenth; never for a decision.
    pub live_g: Option<f64>,
    /// All senses.
    pub senses: Vec<SenseView>,
    /// The validation that the plate serves now.
    pub active: Option<ValidationView>,
    /// Validations that are open.
    pub open: usize,
    /// Whether what is on the plate belongs to the active validation's latest verdict.
    pub verdict_on_plate: bool,
    /// Why staff has taken the station out of service, if they have.
    pub out_of_service: Option<String>,
}
