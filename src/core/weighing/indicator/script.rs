//! Whose turn it is: what to ask next, and what an answer means, by protocol.

use super::cas::Cas;
use super::dialog::Dialog;
use super::mt_sics::MtSics;
use super::single::Single;
use super::{BadIndicator, IndicatorConfig};
use crate::units::Mass;
use crate::weighing::wire::registers::RegisterMap;
use crate::weighing::wire::{
    ErrorKind, Event, Protocol, Reason, WeightKind, dialog, hbm_aed, modbus, nci, toledo_8217,
};

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Stop everything and say who you are.
    Reset,
    /// Say who you are.
    Serial,
    /// The weight.
    Weight,
    /// The tare.
    Tare,
    /// Are you there.
    Attention,
    /// Here is a price.
    Price,
    /// The result for the price.
    Result,
    /// Why not.
    Why,
    /// Here are checksums.
    Checksums,
}

impl Ask {
    /// Whether an event can be the answer. Two questions with common answers are told apart by their order alone.
    pub(super) fn is_answered_by(self, event: &Event) -> bool {
        let complaint = matches!(
            event,
            Event::Error {
                kind: ErrorKind::Syntax
                    | ErrorKind::Transmission
                    | ErrorKind::Logical
                    | ErrorKind::IllegalAddress
                    | ErrorKind::Checksum
            }
        );
        let refusal_of = |names: &[&str]| matches!(event, Event::Refused { command, .. } | Event::Done { command, .. } if names.contains(&command.as_str()));
        let answer = match self {
            Self::Reset | Self::Serial => matches!(event, Event::Identity { .. }) || refusal_of(&["@", "I4"]),
            Self::Weight => is_weighing(event) || matches!(event, Event::Nak) || refusal_of(&["", "S"]),
            Self::Attention => matches!(event, Event::Ack | Event::Nak),
            Self::Tare => matches!(event, Event::Tare { .. }) || refusal_of(&["TA"]),
            Self::Price => matches!(event, Event::Ack | Event::Nak | Event::Challenge { .. }),
            Self::Result => {
                is_weighing(event) || matches!(event, Event::Nak | Event::Code { .. }) || refusal_of(&["10"])
            }
            Self::Why => matches!(event, Event::Unavailable { .. } | Event::Code { .. } | Event::Nak),
            Self::Checksums => matches!(event, Event::Ack | Event::Nak),
        };
        answer || complaint
    }
}

fn is_weighing(event: &Event) -> bool {
    matches!(
        event,
        Event::Weight { .. }
            | Event::Number { .. }
            | Event::Digits { .. }
            | Event::Unavailable { .. }
            | Event::Status { .. }
    )
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    /// A weight; whether it may be used is not this file's affair.
    Weight { mass: Mass, stable: Option<bool>, kind: WeightKind },
    /// No weight.
    Unavailable(Reason),
    /// A number that is no mass.
    Mismatch,
    /// Who it is.
    Identity(String),
    /// It cannot say who it is.
    Anonymous,
    /// The challenge is not passed.
    ChallengeFailed,
    /// Nothing of its own: a step on the way.
    Step,
}

/// When the next question is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// The answer to this one leads to it.
    Now,
    /// With the next poll.
    NextPoll,
}

/// A conversation.
#[derive(Clone, Debug)]
pub(super) enum Script {
    /// The scale speaks by itself.
    Listen,
    /// One question, always the same.
    Single(Single),
    /// MT-SICS.
    MtSics(MtSics),
    /// Checkout-Dialog.
    Dialog(Dialog),
    /// CAS AP-1.
    Cas(Cas),
}

impl Script {
    pub(super) fn new(config: &IndicatorConfig) -> Result<Self, BadIndicator> {
        let single = |request| Self::Single(Single::new(request, config.grams_per_digit));
        match config.protocol {
            Protocol::MtSics => Ok(Self::MtSics(MtSics::new(config.expects))),
            Protocol::Dialog06 | Protocol::Dialog04 | Protocol::Dialog02 => {
                Ok(Self::Dialog(Dialog::new(config.unit_price_minor, config.polynomial)))
            }
            Protocol::Toledo8217 => Ok(single(toledo_8217::request_weight())),
            Protocol::Nci => Ok(single(nci::request_weight())),
            Protocol::ModbusLaumas => Ok(single(registers(config, RegisterMap::laumas))),
            Protocol::ModbusFlintec => Ok(single(registers(config, RegisterMap::flintec))),
            Protocol::HbmAed => Ok(single(hbm_aed::request_value())),
            Protocol::Cas => Ok(Self::Cas(Cas::default())),
            Protocol::ToledoContinuous | Protocol::And => Ok(Self::Listen),
            Protocol::Lcb => Err(BadIndicator::Board),
        }
    }

    /// Whether the scale says who it is, so that nothing is believed before.
    pub(super) fn tells_identity(&self) -> bool {
        match self {
            Self::MtSics(_) => true,
            Self::Listen | Self::Single(_) | Self::Dialog(_) | Self::Cas(_) => false,
        }
    }

    /// The port has been opened.
    pub(super) fn begin(&mut self) {
        match self {
            Self::Listen | Self::Single(_) => {}
            Self::MtSics(script) => script.begin(),
            Self::Dialog(script) => script.begin(),
            Self::Cas(script) => script.begin(),
        }
    }

    /// Nobody knows any more who is at the other end.
    pub(super) fn identify_again(&mut self) {
        match self {
            Self::Listen | Self::Single(_) => {}
            Self::MtSics(script) => script.identify_again(),
            Self::Dialog(script) => script.begin(),
            Self::Cas(script) => script.begin(),
        }
    }

    /// The scale has said by itself who it is.
    pub(super) fn rebooted(&mut self) {
        match self {
            Self::Listen | Self::Single(_) => {}
            Self::MtSics(script) => script.rebooted(),
            Self::Dialog(script) => script.begin(),
            Self::Cas(script) => script.begin(),
        }
    }

    /// The next question; `None` for a scale that is not asked.
    pub(super) fn turn(&mut self) -> Option<(Ask, Vec<u8>)> {
        match self {
            Self::Listen => None,
            Self::Single(script) => Some(script.turn()),
            Self::MtSics(script) => Some(script.turn()),
            Self::Dialog(script) => Some(script.turn()),
            Self::Cas(script) => Some(script.turn()),
        }
    }

    /// What every answer is closed with.
    pub(super) fn closing(&self) -> Option<Vec<u8>> {
        match self {
            Self::Listen | Self::Single(_) | Self::MtSics(_) | Self::Cas(_) => None,
            Self::Dialog(_) => Some(dialog::end()),
        }
    }

    /// What the answer means, and when to go on.
    pub(super) fn take(&mut self, ask: Ask, event: Event) -> (Meaning, Pace) {
        match self {
            Self::Listen => (plain(event, None), Pace::NextPoll),
            Self::Single(script) => script.take(event),
            Self::MtSics(script) => script.take(ask, event),
            Self::Dialog(script) => script.take(ask, event),
            Self::Cas(script) => script.take(ask, event),
        }
    }

    /// The answer did not come.
    pub(super) fn lost(&mut self, ask: Ask) {
        match self {
            Self::Listen | Self::Single(_) => {}
            Self::MtSics(script) => script.lost(ask),
            Self::Dialog(script) => script.begin(),
            Self::Cas(script) => script.begin(),
        }
    }

    /// Something came that is no answer to the question, so that one may have been missed.
    pub(super) fn doubt(&mut self) {
        match self {
            Self::Listen | Self::Single(_) | Self::MtSics(_) | Self::Cas(_) => {}
            Self::Dialog(script) => script.doubt(),
        }
    }
}

/// The question for the registers of the station file's map, or of the built-in one.
fn registers(config: &IndicatorConfig, built_in: fn() -> RegisterMap) -> Vec<u8> {
    let map = config.options.registers.clone().unwrap_or_else(built_in);
    modbus::request(&map, config.options.address.unwrap_or(1))
}

/// What a weighing means where nothing hangs on what went before.
pub(super) fn plain(event: Event, grams_per_digit: Option<f64>) -> Meaning {
    match event {
        Event::Weight { mass, stable, kind } => Meaning::Weight { mass, stable, kind },
        Event::Number { .. } => Meaning::Mismatch,
        Event::Digits { digits, stable, status: _ } => {
            match grams_per_digit.and_then(|grams| Mass::from_g(f64::from(digits) * grams)) {
                Some(mass) => Meaning::Weight { mass, stable, kind: WeightKind::Gross },
                None => Meaning::Mismatch,
            }
        }
        Event::Unavailable { reason } => Meaning::Unavailable(reason),
        // Flags and no weight: it answers, and has nothing to tell yet.
        Event::Status { .. } => Meaning::Unavailable(Reason::NotFinished),
        Event::Identity { serial_number } => Meaning::Identity(serial_number),
        Event::Tare { .. }
        | Event::Sample { .. }
        | Event::Text { .. }
        | Event::Done { .. }
        | Event::Refused { .. }
        | Event::Challenge { .. }
        | Event::Code { .. }
        | Event::Ack
        | Event::Nak
        | Event::Error { .. } => Meaning::Step,
    }
}
