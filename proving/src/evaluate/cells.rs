//! Which cells are measured: what is known, what is seen, how goods arrive.

use super::looks::Recorded;
use super::trip::Setting;

/// How goods come onto the plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The whole basket at once.
    Whole,
    /// One after the other, each after its scan.
    OneByOne,
}

impl Arrival {
    /// As in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::OneByOne => "one_by_one",
        }
    }
}

/// One cell of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Units scanned.
    pub items: u32,
    /// How goods arrive.
    pub arrival: Arrival,
    /// Whether own bags were weighed, or are merely counted.
    pub bag_known: bool,
    /// Whether this very container was weighed empty.
    pub tare_known: bool,
    /// Whether cameras look.
    pub vision: bool,
    /// Whether weights were learned, or come from labels.
    pub learned: bool,
}

impl Cell {
    /// What a trip depends on.
    pub const fn setting(&self) -> Setting {
        Setting { items: self.items, bag_known: self.bag_known, tare_known: self.tare_known }
    }

    /// For people.
    pub fn name(&self) -> String {
        let word = |yes: bool, a: &'static str, b: &'static str| if yes { a } else { b };
        format!(
            "{:>2} items, {}, bag {}, tare {}, {}, {}",
            self.items,
            word(self.arrival == Arrival::Whole, "whole", "one by one"),
            word(self.bag_known, "known", "unknown"),
            word(self.tare_known, "known", "nominal"),
            word(self.vision, "eyes", "no eyes"),
            word(self.learned, "learned", "label"),
        )
    }
}

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Chooses everything that is drawn.
    pub seed: u64,
    /// Honest baskets a cell; a quarter as many of each error.
    pub baskets: u64,
    /// Products of the shop.
    pub catalogue: usize,
    /// What cameras see.
    pub vision: Recorded,
    /// The cells.
    pub cells: Vec<Cell>,
    /// Threads; no figure depends on it.
    pub threads: usize,
}

/// The usual cells for a basket size: one thing changed at a time from a whole basket with bags known and the container's usual tare.
pub fn usual(items: u32) -> Vec<Cell> {
    let plain =
        Cell { items, arrival: Arrival::Whole, bag_known: true, tare_known: false, vision: false, learned: true };
    vec![
        plain,
        Cell { tare_known: true, ..plain },
        Cell { bag_known: false, ..plain },
        Cell { vision: true, ..plain },
        Cell { bag_known: false, vision: true, ..plain },
        Cell { arrival: Arrival::OneByOne, ..plain },
        Cell { arrival: Arrival::OneByOne, vision: true, ..plain },
        Cell { learned: false, ..plain },
        Cell { learned: false, vision: true, ..plain },
    ]
}

/// Every combination for a basket size.
pub fn every(items: u32) -> Vec<Cell> {
    (0..32u32)
        .map(|bits| Cell {
            items,
            arrival: if bits & 16 == 0 { Arrival::Whole } else { Arrival::OneByOne },
            bag_known: bits & 8 == 0,
            tare_known: bits & 4 == 0,
            vision: bits & 2 != 0,
            learned: bits & 1 == 0,
        })
        .collect()
}
