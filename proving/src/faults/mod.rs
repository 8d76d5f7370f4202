//! Faults planted by seed: none of them may become a pass or an alarm later than promised, and each link comes back.

mod rows;
mod story;

pub use rows::{Row, board, indicator};
pub use story::{Outcomes, play};

use crate::statistics::quantile;
use anyhow::Result;
use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a row came to over many seeds.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Visits.
    pub runs: u64,
    /// Wrong weights in verdicts later than promised, with their seeds.
    pub wrong: Vec<(u64, String)>,
    /// Honest baskets alarmed later than promised, with their seeds.
    pub alarmed: Vec<(u64, String)>,
    /// Seeds of links that were not back in time.
    pub not_back: Vec<u64>,
    /// From the fault's end to a load, milliseconds.
    pub back_ms: Vec<f64>,
    /// Visits that had passed in the end.
    pub passed: u64,
    /// Visits that were told `unavailable` on the way.
    pub unavailable: u64,
}

impl Tally {
    fn add(&mut self, seed: u64, outcomes: Outcomes) {
        self.runs += 1;
        self.wrong.extend(outcomes.wrong.into_iter().map(|what| (seed, what)));
        self.alarmed.extend(outcomes.alarmed.into_iter().map(|what| (seed, what)));
        match outcomes.back_ms {
            Some(ms) => self.back_ms.push(ms as f64),
            None => self.not_back.push(seed),
        }
        self.passed += u64::from(outcomes.passed);
        self.unavailable += u64::from(outcomes.unavailable);
    }

    fn join(&mut self, other: Self) {
        self.runs += other.runs;
        self.wrong.extend(other.wrong);
        self.alarmed.extend(other.alarmed);
        self.not_back.extend(other.not_back);
        self.back_ms.extend(other.back_ms);
        self.passed += other.passed;
        self.unavailable += other.unavailable;
    }

    /// 95 % of links are back within so many milliseconds.
    pub fn back_p95_ms(&self) -> Option<f64> {
        quantile(&mut self.back_ms.clone(), 0.95)
    }
}

/// The rows that fit a station's first port.
pub fn rows(hardware: &Hardware) -> Vec<Row> {
    match hardware.indicators.first().filter(|_| hardware.boards.is_empty()) {
        None => board(),
        Some(scale) => {
            use firmware_sim::hw::ScaleProtocol as P;
            indicator(matches!(scale.protocol, P::Dialog06 | P::Dialog04 | P::Dialog02))
        }
    }
}

/// Plants a row's fault `runs` times, seeds from `seed` on, on two threads.
///
/// # Errors
/// A fault that cannot be planted on this hardware.
pub fn plant(hardware: &Hardware, shop: &Arc<Shop>, row: &Row, runs: u64, seed: u64) -> Result<Tally> {
    let next = AtomicU64::new(seed);
    let work = || -> Result<Tally> {
        let mut tally = Tally::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= seed + runs {
                return Ok(tally);
            }
            tally.add(at, play(hardware, shop, row, at)?);
        }
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        (work(), other.join())
    });
    let mut tally = first?;
    tally.join(second.map_err(|_| anyhow::anyhow!("a thread broke"))??);
    tally.wrong.sort();
    tally.alarmed.sort();
    tally.not_back.sort_unstable();
    Ok(tally)
}
