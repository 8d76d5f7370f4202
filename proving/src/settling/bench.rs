//! Many placements on every plate, and what they come to.

use super::classic::Classic;
use super::plates::{self, Cell, Placement, Touch};
use crate::statistics::{Share, quantile};
use augenmass_core::units::Mono;
use augenmass_core::weighing::settle::{Settle, SettleEvent};
use std::time::{Duration, Instant};

/// Ranges of the classic criterion that run alongside, grams.
pub const CLASSIC_G: [f64; 2] = [20.0, 12.0];
/// A load that is wrong by more than this and by more than [`WILD_SIGMAS`] is wild.
pub const WILD_G: f64 = 15.0;
/// See [`WILD_G`].
pub const WILD_SIGMAS: f64 = 5.0;
/// A load that a hand has falsified must be taken back so soon after the hand has gone, seconds.
pub const RETRACT_S: f64 = 0.3;
/// The figure counts loads known so well, grams.
pub const SIGMA_G: f64 = 3.0;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The rows.
    pub cells: Vec<Cell>,
    /// Runs over all rows together.
    pub runs: u64,
    /// Noise of one reading, grams.
    pub noise_g: f64,
    /// Chooses everything random.
    pub seed: u64,
}

/// What one row, or all together, came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Runs without a load to the end.
    pub missing: u64,
    /// Seconds from the last touch to the first load after it with sigma of at most [`SIGMA_G`]; 0 if it stood already.
    pub times_s: Vec<f64>,
    /// Errors of these loads, grams, without sign.
    pub errors_g: Vec<f64>,
    /// Their stated sigmas.
    pub sigmas_g: Vec<f64>,
    /// Errors within one stated sigma.
    pub within_1: u64,
    /// Within two.
    pub within_2: u64,
    /// Loads told after the last touch, whichever in the run.
    pub told: u64,
    /// Those of them that were wild, with the run's number.
    pub wild: Vec<u64>,
    /// Loads told after the last touch and taken back without a touch.
    pub withdrawn: u64,
    /// Loads told while a hand was on the plate and wild for what lies there.
    pub under_a_hand: u64,
    /// Seconds from the last touch until such a load that still stood was taken back.
    pub retracted_s: Vec<f64>,
    /// Such loads that stood for longer than [`RETRACT_S`] or to the end, with the run's number.
    pub stale: Vec<u64>,
    /// For each classic criterion: seconds from the last touch, and the error in grams without sign.
    pub classic: [(Vec<f64>, Vec<f64>); 2],
    /// Time spent in settling over all readings, and in the two classic criteria.
    pub spent: [Duration; 2],
    /// Readings.
    pub readings: u64,
}

impl Tally {
    fn join(&mut self, other: Self) {
        self.runs += other.runs;
        self.missing += other.missing;
        self.times_s.extend(other.times_s);
        self.errors_g.extend(other.errors_g);
        self.sigmas_g.extend(other.sigmas_g);
        self.within_1 += other.within_1;
        self.within_2 += other.within_2;
        self.told += other.told;
        self.wild.extend(other.wild);
        self.withdrawn += other.withdrawn;
        self.under_a_hand += other.under_a_hand;
        self.retracted_s.extend(other.retracted_s);
        self.stale.extend(other.stale);
        for (mine, theirs) in self.classic.iter_mut().zip(other.classic) {
            mine.0.extend(theirs.0);
            mine.1.extend(theirs.1);
        }
        for (mine, theirs) in self.spent.iter_mut().zip(other.spent) {
            *mine += theirs;
        }
        self.readings += other.readings;
    }

    /// All rows as one.
    pub fn pooled<'a>(rows: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for row in rows {
            all.join(row.clone());
        }
        all
    }

    /// Share of found loads within one (`0`) or two (`1`) stated sigmas.
    pub fn within(&self) -> [Share; 2] {
        [self.within_1, self.within_2].map(|hits| Share { hits, of: self.errors_g.len() as u64 })
    }

    /// Quantile of the times, seconds; infinite without any.
    pub fn time_s(&self, q: f64) -> f64 {
        // A run without a load is as late as can be, not left out.
        let mut times = self.times_s.clone();
        times.extend(std::iter::repeat_n(f64::INFINITY, self.missing as usize));
        quantile(&mut times, q).unwrap_or(f64::INFINITY)
    }

    /// Quantile of the errors, grams.
    pub fn error_g(&self, q: f64) -> f64 {
        quantile(&mut self.errors_g.clone(), q).unwrap_or(f64::INFINITY)
    }

    /// Quantile of the stated sigmas, grams.
    pub fn sigma_g(&self, q: f64) -> f64 {
        quantile(&mut self.sigmas_g.clone(), q).unwrap_or(f64::INFINITY)
    }

    /// Mean nanoseconds a reading costs in settling and in one classic criterion.
    pub fn cost_ns(&self) -> (f64, f64) {
        let each = |spent: Duration| spent.as_nanos() as f64 / (self.readings as f64).max(1.0);
        (each(self.spent[0]), each(self.spent[1]) / CLASSIC_G.len() as f64)
    }
}

/// Plays the plan on two threads; the result does not depend on how they are scheduled, the cost apart.
pub fn run(plan: &Plan) -> Vec<Tally> {
    let count = plan.cells.len() as u64;
    let half = |start: u64| {
        let mut rows = vec![Tally::default(); plan.cells.len()];
        for run in (start..plan.runs).step_by(2) {
            let row = (run / 2 % count) as usize;
            let placement = plates::place(&plan.cells[row], plan.noise_g, plan.seed, run);
            judge(&placement, plan.cells[row].touch, run, &mut rows[row]);
        }
        rows
    };
    let (mut even, odd) = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        (half(0), other.join().unwrap_or_default())
    });
    for (mine, theirs) in even.iter_mut().zip(odd) {
        mine.join(theirs);
    }
    even
}

fn judge(placement: &Placement, touch: Touch, run: u64, tally: &mut Tally) {
    tally.runs += 1;
    tally.readings += placement.readings.len() as u64;
    settle(placement, touch, run, tally);
    classic(placement, tally);
}

fn settle(placement: &Placement, touch: Touch, run: u64, tally: &mut Tally) {
    let mut settle = Settle::new(placement.config);
    let last = Mono::from_us(placement.last_touch_us);
    let started = Instant::now();
    let events: Vec<(Mono, SettleEvent)> =
        placement.readings.iter().filter_map(|r| settle.push(*r).map(|event| (r.at, event))).collect();
    tally.spent[0] += started.elapsed();

    let mut standing = None;
    for (at, event) in events.iter().filter(|(at, _)| *at < last) {
        standing = told_error(event, placement.mass_g);
        let under_a_hand = at.us() > placement.first_touch_us && standing.is_some_and(is_wild);
        tally.under_a_hand += u64::from(under_a_hand);
    }
    let mut wrong = standing.is_some_and(is_wild);
    let mut found = false;
    for (at, event) in events.iter().filter(|(at, _)| *at >= last) {
        let seconds = at.seconds_since(last);
        match told_error(event, placement.mass_g) {
            None if wrong => {
                wrong = false;
                tally.retracted_s.push(seconds);
                if seconds > RETRACT_S {
                    tally.stale.push(run);
                }
            }
            None => tally.withdrawn += u64::from(found || standing.is_some()),
            Some(told) => {
                tally.told += 1;
                if is_wild(told) {
                    tally.wild.push(run);
                }
                if !found && told.1 <= SIGMA_G {
                    found = true;
                    note(tally, seconds, told);
                }
            }
        }
    }
    if wrong {
        tally.stale.push(run);
    } else if let (false, Some(told)) = (found, standing)
        && touch != Touch::Lean
    {
        // Told between two touches of which the second changed nothing that could be seen.
        found = true;
        note(tally, 0.0, told);
    }
    tally.missing += u64::from(!found);
}

/// Error and stated sigma of a load that an event tells, grams.
fn told_error(event: &SettleEvent, mass_g: f64) -> Option<(f64, f64)> {
    match event {
        SettleEvent::Disturbed { .. } => None,
        SettleEvent::Settled(load) => Some((load.mass.g() - mass_g, load.sigma.g())),
    }
}

fn is_wild((error_g, sigma_g): (f64, f64)) -> bool {
    error_g.abs() > (WILD_SIGMAS * sigma_g).max(WILD_G)
}

fn note(tally: &mut Tally, seconds: f64, (error_g, sigma_g): (f64, f64)) {
    tally.times_s.push(seconds);
    tally.errors_g.push(error_g.abs());
    tally.sigmas_g.push(sigma_g);
    tally.within_1 += u64::from(error_g.abs() <= sigma_g);
    tally.within_2 += u64::from(error_g.abs() <= 2.0 * sigma_g);
}

fn classic(placement: &Placement, tally: &mut Tally) {
    let started = Instant::now();
    let mut firsts = [None; 2];
    for (range_g, first) in CLASSIC_G.iter().zip(&mut firsts) {
        let mut classic = Classic::new(*range_g);
        for reading in &placement.readings {
            let stable = classic.push(reading.at.us(), reading.mass_g);
            if let (None, Some(mass_g)) = (&first, stable)
                && reading.at.us() >= placement.last_touch_us
            {
                *first = Some((reading.at.us() - placement.last_touch_us, mass_g));
            }
        }
    }
    tally.spent[1] += started.elapsed();
    for (row, first) in tally.classic.iter_mut().zip(firsts) {
        // Without an answer in the time watched it is later than anything.
        row.0.push(first.map_or(f64::INFINITY, |(us, _)| us as f64 * 1e-6));
        if let Some((_, mass_g)) = first {
            row.1.push((mass_g - placement.mass_g).abs());
        }
    }
}
