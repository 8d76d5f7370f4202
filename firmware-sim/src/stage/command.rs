//! What can be done at the station, as the control interface and scenarios say it.

use serde::{Deserialize, Serialize};

use crate::rig::Fault;

/// Some units of one good.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GoodsLine {
    /// The good's id in the shop.
    pub id: String,
    /// How many units (portions where sold by weight).
    #[serde(default = "one")]
    pub quantity: u32,
    /// True mass of each unit, as many as `quantity`; drawn when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unit_g: Vec<f64>,
}

fn one() -> u32 {
    1
}

/// One deed of a shopper, an engineer or fate. In JSON and TOML `do` names it: `{"do": "lift"}`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Puts a container with goods on the empty plate, holds on a moment, lets go.
    Place {
        /// `trolley`, `basket` or `none`; the station's first kind when left out.
        container: Option<String>,
        /// Which of the store's own; its true mass follows from it and the seed.
        container_id: Option<String>,
        /// What is in it.
        #[serde(default)]
        goods: Vec<GoodsLine>,
        /// Own bags among the goods.
        #[serde(default)]
        bags: u32,
        /// True mass of each bag; drawn when left out.
        bag_g: Option<f64>,
        /// How long the hand stays on; 0.2 to 0.45 s when left out.
        hold_ms: Option<u64>,
    },
    /// Puts further goods to what stands there.
    Add {
        /// What is added.
        goods: Vec<GoodsLine>,
        /// How long the hand stays on; 0.2 to 0.45 s when left out.
        hold_ms: Option<u64>,
    },
    /// Takes goods out again.
    Remove {
        /// What is taken out.
        goods: Vec<GoodsLine>,
    },
    /// Puts a test weight on the plate.
    Weight {
        /// Its mass.
        grams: f64,
        /// Where its middle stands, millimetres.
        #[serde(default)]
        at_mm: [f64; 2],
    },
    /// Takes everything off the plate.
    Lift,
    /// Moves everything that stands there across the plane, as a trolley rolls.
    Shift {
        /// How far, millimetres.
        by_mm: [f64; 2],
    },
    /// Leans on the plate.
    Push {
        /// Downwards; negative lifts.
        newtons: f64,
        /// For so long.
        ms: u64,
        /// Where, millimetres.
        #[serde(default)]
        at_mm: [f64; 2],
    },
    /// Pulls the cable of a board or an indicator.
    Unplug {
        /// Name in the station file.
        #[serde(alias = "port")]
        board: String,
    },
    /// Puts the cable of a board or an indicator back.
    Replug {
        /// Name in the station file.
        #[serde(alias = "port")]
        board: String,
    },
    /// Plants a fault on the port of a board or an indicator.
    Fault {
        /// Name in the station file.
        port: String,
        /// What goes wrong: `{"kind": "lose_bytes", "rate": 0.01}`.
        fault: Fault,
        /// How long from now it begins.
        #[serde(default)]
        after_ms: u64,
        /// How long it stays; until it is mended when left out.
        for_ms: Option<u64>,
    },
    /// Ends all faults of a port at once.
    Mend {
        /// Name in the station file.
        port: String,
    },
    /// Lets a camera fail, or mends it.
    Camera {
        /// Name in the station file.
        name: String,
        /// How.
        fault: CameraFault,
    },
}

/// How a camera fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraFault {
    /// Not at all.
    #[default]
    None,
    /// The same picture for ever, on time.
    Freeze,
    /// Black.
    Dark,
    /// No more pictures, and no answer to a new connection.
    Stop,
    /// Bytes that are no picture.
    Garbage,
}

/// Units that a command brought, with what a shopper needs to scan them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Brought {
    /// The good's id.
    pub id: String,
    /// True mass of each unit.
    pub unit_g: Vec<f64>,
    /// What each unit's label says: its EAN-13.
    pub codes: Vec<String>,
}

/// Why a command cannot be done; the world is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such good in the shop.
    #[error("the shop has no good {0:?}")]
    UnknownGood(String),
    /// The station file names no such port, camera or container.
    #[error("the station has no {what} {name:?}; it has {known}")]
    Unknown {
        /// `port`, `camera` or `container`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Something stands there already.
    #[error("something stands on the plate; lift it first")]
    Occupied,
    /// Not so many of this good lie there.
    #[error("not so many {0:?} lie on the plate")]
    NotThere(String),
    /// A number is not possible.
    #[error("{0}")]
    Impossible(&'static str),
}
