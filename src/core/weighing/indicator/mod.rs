//! A finished scale ("indicator") at the other end of a line: asks, waits, gives up, asks again, and never makes a mass out of
//! anything but a sound answer to its own question. Sans-IO: bytes and time in, bytes and events out.
//!
//! `script` knows whose turn it is in each protocol, `link` everything that is the same for all: one question at a time, answers
//! matched to questions, time-outs, silence, identity, line settings.

mod cas;
mod dialog;
mod link;
mod mt_sics;
mod script;
mod single;
#[cfg(test)]
mod tests;

pub use link::Indicator;

use super::wire::dialog::Polynomial;
use super::wire::{Protocol, Reason, WeightKind, WireOptions};
use crate::units::{Mass, Mono};

/// One finished scale as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct IndicatorConfig {
    /// Its name in the station file.
    pub name: String,
    /// What it speaks; not [`Protocol::Lcb`].
    pub protocol: Protocol,
    /// What its frames leave open.
    pub options: WireOptions,
    /// The serial number that it must tell before a weight is used. Only MT-SICS scales tell one: for others it is not looked at.
    pub serial_number: Option<String>,
    /// Between the beginnings of two weighings at least; 100 or more for KERN scales. Streaming scales are not asked.
    pub poll_ms: u64,
    /// How long an answer may take.
    pub response_ms: u64,
    /// Without a weight or a reason for none for so long the scale is silent.
    pub silence_ms: u64,
    /// What the line carries, for the age of what arrives: a tenth or eleventh of its baud rate; above 0.
    pub bytes_per_s: f64,
    /// A Checkout-Dialog scale weighs only for a price; in the currency's smallest unit a kilogram, 1..=999999.
    pub unit_price_minor: u32,
    /// What a Dialog 06 scale's challenge is answered with; without it such a scale stops weighing at its first challenge.
    pub polynomial: Option<Polynomial>,
    /// What its weights are to be. [`WeightKind::Gross`] refuses net weights, [`WeightKind::Net`] takes both.
    pub expects: WeightKind,
    /// Where it carries, from the plate's middle.
    pub x_mm: f64,
    /// Where it carries, from the plate's middle.
    pub y_mm: f64,
    /// What it rounds to.
    pub division_g: f64,
    /// What it may carry. More than this and nine divisions is an overload whatever the scale says.
    pub max_g: f64,
    /// Noise of one weight, 1 sigma.
    pub noise_g: f64,
    /// Grams a digit, for digital load cells that send digits; without it their digits are a mismatch of units.
    pub grams_per_digit: Option<f64>,
}

/// A configuration that no conversation can be held with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIndicator {
    /// `lcb` is what boards speak, not finished scales.
    #[error("lcb is no protocol of a finished scale")]
    Board,
    /// `bytes_per_s` is not above 0, or a time is 0.
    #[error("bytes_per_s, poll_ms, response_ms and silence_ms must be above 0")]
    Timing,
}

/// What a scale's bytes, or their absence, came to.
#[derive(Clone, Debug, PartialEq)]
pub enum IndicatorEvent {
    /// A weight.
    Weight {
        /// When its first byte was sent: what it weighs was measured before.
        at: Mono,
        /// What it weighs.
        mass: Mass,
        /// What the scale says of its rest.
        stable: Option<bool>,
    },
    /// The scale says that it has no weight now.
    Unavailable {
        /// As in [`IndicatorEvent::Weight`].
        at: Mono,
        /// Why.
        reason: Reason,
    },
    /// The right scale answers, for the first time or again after silence.
    Identified,
    /// Another scale answers.
    WrongInstrument {
        /// Its serial number.
        found: String,
    },
    /// The scale has just started anew: a tare or zero that it kept is gone.
    Rebooted {
        /// When it said so.
        at: Mono,
    },
    /// Two answers in a row or all news for `silence_ms` have not come. Told once; the end of silence is [`IndicatorEvent::Identified`].
    Silent {
        /// Since when it is taken for silent.
        at: Mono,
    },
    /// Bytes come, many with bit 7 set or empty, and none of them make a frame: speed or parity differ. Told once.
    LineSettings {
        /// When that was clear.
        at: Mono,
    },
    /// A net weight where gross is expected, or a tare that makes it one. It is no weight of what lies there.
    NetWeight {
        /// As in [`IndicatorEvent::Weight`].
        at: Mono,
    },
    /// A number without a unit, or with another than the station file says.
    UnitMismatch {
        /// As in [`IndicatorEvent::Weight`].
        at: Mono,
    },
    /// A Dialog 06 scale's challenge cannot be answered or was answered wrongly: the polynomial is missing or not this scale's.
    ChallengeFailed {
        /// When.
        at: Mono,
    },
}
