//! Scales of one question: Toledo 8217, NCI, Modbus transmitters, HBM load cells.

use super::script::{Ask, Meaning, Pace, plain};
use crate::weighing::wire::Event;

/// Asks the same each time.
#[derive(Clone, Debug)]
pub(super) struct Single {
    request: Vec<u8>,
    grams_per_digit: Option<f64>,
}

impl Single {
    pub(super) fn new(request: Vec<u8>, grams_per_digit: Option<f64>) -> Self {
        Self { request, grams_per_digit }
    }

    pub(super) fn turn(&self) -> (Ask, Vec<u8>) {
        (Ask::Weight, self.request.clone())
    }

    pub(super) fn take(&self, event: Event) -> (Meaning, Pace) {
        (plain(event, self.grams_per_digit), Pace::NextPoll)
    }
}
