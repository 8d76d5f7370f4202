//! Where products were found last, by their number in a catalogue: a judgement asks for thousands, and a search by name costs as much as
//! comparing the looks. A hint is never believed without a look at the name that stands there, so that a wrong one costs time alone.

use super::Place;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Nothing was found yet.
const UNKNOWN: u32 = u32::MAX;
/// The place is one among those that have changed.
const FRESH: u32 = 1 << 31;

/// One place a product; copies share them.
#[derive(Clone, Debug, Default)]
pub struct Hints(Arc<OnceLock<Box<[AtomicU32]>>>);

impl Hints {
    /// Where the product of this number was found last.
    pub fn get(&self, number: usize) -> Option<Place> {
        match self.0.get()?.get(number)?.load(Ordering::Relaxed) {
            UNKNOWN => None,
            fresh if fresh & FRESH != 0 => Some(Place::Fresh((fresh & !FRESH) as usize)),
            block => Some(Place::Block(block as usize)),
        }
    }

    /// Remembers where the product of this number, of so many, was found.
    pub fn set(&self, number: usize, of: usize, place: Place) {
        let all = self.0.get_or_init(|| (0..of).map(|_| AtomicU32::new(UNKNOWN)).collect());
        let (at, mark) = match place {
            Place::Fresh(at) => (at, FRESH),
            Place::Block(at) => (at, 0),
        };
        if let (Some(slot), Ok(at)) = (all.get(number), u32::try_from(at))
            && at < FRESH - 1
        {
            slot.store(at | mark, Ordering::Relaxed);
        }
    }
}
