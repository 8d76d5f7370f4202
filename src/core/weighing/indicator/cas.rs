//! CAS AP-1: are you there, then the weight.

use super::script::{Ask, Meaning, Pace, plain};
use crate::weighing::wire::{Event, cas};

/// The conversation.
#[derive(Clone, Debug, Default)]
pub(super) struct Cas {
    attentive: bool,
}

impl Cas {
    pub(super) fn begin(&mut self) {
        self.attentive = false;
    }

    pub(super) fn turn(&self) -> (Ask, Vec<u8>) {
        if self.attentive { (Ask::Weight, cas::request_weight()) } else { (Ask::Attention, cas::request_attention()) }
    }

    pub(super) fn take(&mut self, ask: Ask, event: Event) -> (Meaning, Pace) {
        self.attentive = ask == Ask::Attention && event == Event::Ack;
        if self.attentive { (Meaning::Step, Pace::Now) } else { (plain(event, None), Pace::NextPoll) }
    }
}
