//! What makes a calibration worthless, in words for the person who stands before the plate.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a mass is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spot {
    /// The middle of the cells.
    Centre,
    /// Over the cell on this channel, counted from 0.
    Cell(usize),
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Centre => f.write_str("in the middle"),
            Self::Cell(channel) => write!(f, "over cell {}", channel + 1),
        }
    }
}

/// One of several placements on the same spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// Where.
    pub spot: Spot,
    /// The how-manieth time there, from 1.
    pub time: usize,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (time {})", self.spot, self.time)
    }
}

/// A cell as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellName {
    /// Channel, from 0.
    pub channel: usize,
    /// The number on its label.
    pub serial_number: String,
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cell {} ({})", self.channel + 1, self.serial_number)
    }
}

/// Which of the three readings of a placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The empty plate before.
    Before,
    /// With the mass.
    Loaded,
    /// The empty plate after.
    After,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "the empty plate before the mass stood",
            Self::Loaded => "the mass",
            Self::After => "the empty plate after the mass had stood",
        })
    }
}

/// Why a set of placements gives no calibration. Each names what to mend.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CalibrationFault {
    /// Fewer than three cells carry no plate.
    #[error("{0} cells are too few: a plate stands on three or more")]
    TooFewCells(usize),
    /// A reading that does not fit the cells.
    #[error("{which}: readings of {found} channels, but the plate has {expected} cells")]
    Channels {
        /// Which placement.
        which: Which,
        /// Channels read.
        found: usize,
        /// Cells there are.
        expected: usize,
    },
    /// A mass that is none.
    #[error("{which}: {mass_g} g is no mass to calibrate with")]
    NoMass {
        /// Which placement.
        which: Which,
        /// What was said.
        mass_g: f64,
    },
    /// Nothing stood in the middle.
    #[error("nothing stood in the middle of the plate: put the mass there too")]
    MissingCentre,
    /// Nothing stood over a cell.
    #[error("nothing stood over {0}: without this corner its gain cannot be told")]
    MissingCorner(CellName),
    /// Chance cannot be told from the cells.
    #[error("{found} placements {spot}, and {needed} are needed to tell chance from the cells")]
    TooFewRepeats {
        /// Where.
        spot: Spot,
        /// How often the mass stood there.
        found: usize,
        /// How often it must.
        needed: usize,
    },
    /// A light mass shows the gains badly.
    #[error("{mass_g:.0} g is less than a third of the range: take {needed_g:.0} g or more")]
    TooLight {
        /// The mass.
        mass_g: f64,
        /// The least that will do.
        needed_g: f64,
    },
    /// It moved while it was read.
    #[error("{which}: {phase} was not at rest (scatter {scatter_g:.1} g, drift {drift_g:.1} g)")]
    Unsettled {
        /// Which placement.
        which: Which,
        /// Which reading of it.
        phase: Phase,
        /// Scatter of the sum, 1 sigma.
        scatter_g: f64,
        /// Second half of the reading less the first.
        drift_g: f64,
    },
    /// A cell at its end.
    #[error("{which}: {cell} was at the end of its range: overloaded, or its cable is broken")]
    Saturated {
        /// Which placement.
        which: Which,
        /// Which cell.
        cell: CellName,
    },
    /// Something rubs, or the plate was touched.
    #[error(
        "{which}: the empty plate came back {by_g:+.1} g off: something rubs or was left on it, or it has just been switched on"
    )]
    ZeroNotReturning {
        /// Which placement.
        which: Which,
        /// After less before.
        by_g: f64,
    },
    /// A cell that feels nothing.
    #[error("{0} does not answer to any mass: it is unplugged, broken, or the plate does not rest on it")]
    DeadCell(CellName),
    /// A cell that feels the opposite.
    #[error("{0} answers the wrong way round: its signal wires are exchanged, or it is mounted upside down")]
    ReversedCell(CellName),
    /// Two cells stand in each other's place.
    #[error("the cables of {0} and {1} are swapped (or the mass stood elsewhere than asked)")]
    SwappedCables(CellName, CellName),
    /// More than two cells stand in each other's places.
    #[error("the cables are mixed up (or the mass stood elsewhere than asked): {}", told(.0))]
    PermutedCables(Vec<(CellName, CellName)>),
    /// The mass was not where it was said to be.
    #[error("{which}: the mass stood {away_mm:.0} mm from where it belongs")]
    Misplaced {
        /// Which placement.
        which: Which,
        /// How far away by the cells.
        away_mm: f64,
    },
    /// Everything is too large or too small.
    #[error(
        "all cells together answer {share:.2} times as strongly as the station file says: is the mass right, and counts_per_g?"
    )]
    ScaleImplausible {
        /// Counts seen over counts expected.
        share: f64,
    },
    /// One cell is too strong or too weak.
    #[error(
        "{cell} answers {share:.2} times as strongly as its kin: it is damaged, or its part of the plate is shunted"
    )]
    GainImplausible {
        /// Which cell.
        cell: CellName,
        /// Its gain over the expected.
        share: f64,
    },
    /// No gains fit.
    #[error(
        "the sums stay {residual_g:.1} g off, more than a division ({division_g} g); worst {worst}, {worst_g:+.1} g"
    )]
    Residual {
        /// Of all placements, 1 sigma.
        residual_g: f64,
        /// A division.
        division_g: f64,
        /// The worst placement.
        worst: Which,
        /// How far it is off.
        worst_g: f64,
    },
}

fn told(pairs: &[(CellName, CellName)]) -> String {
    let one = |(channel, cell): &(CellName, CellName)| format!("where {channel} should be sits {cell}");
    pairs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Everything that is wrong with a set of placements; never empty.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct CalibrationRefused {
    /// The faults.
    pub faults: Vec<CalibrationFault>,
}

impl fmt::Display for CalibrationRefused {
    /// One line a fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}
