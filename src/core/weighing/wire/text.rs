//! What the protocols of seven-bit text have in common: telling garbage once, and a number with its unit.

use super::{Decimal, ErrorKind, Event, MassUnit, WeightKind};

/// Longest frame that is held. The longest in use is an answer with a quoted text, well under it.
pub(super) const HELD_MAX: usize = 128;

/// Tells each kind of garbage once a run, so that a flood of noise is not a flood of events.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Noise {
    parity: bool,
    framing: bool,
}

impl Noise {
    /// A byte that belongs to no frame. With bit 7 set it never can on a seven-bit line, whatever stands around it.
    pub(super) fn byte(&mut self, byte: u8, out: &mut dyn FnMut(Event)) {
        let (told, kind) =
            if byte >= 0x80 { (&mut self.parity, ErrorKind::Parity) } else { (&mut self.framing, ErrorKind::Framing) };
        if !std::mem::replace(told, true) {
            out(Event::Error { kind });
        }
    }

    /// Whether the present run has been told of.
    pub(super) fn told(self) -> bool {
        self.parity || self.framing
    }

    /// The run is over.
    pub(super) fn over(&mut self) {
        *self = Self::default();
    }
}

/// A number with the unit that its frame names: a weight if it is a unit of mass and the station file does not say another.
pub(super) fn weigh(
    value: Decimal,
    unit: &str,
    configured: Option<MassUnit>,
    stable: Option<bool>,
    kind: WeightKind,
) -> Event {
    let believed = MassUnit::parse(unit).filter(|unit| configured.is_none_or(|own| own == *unit));
    match believed.and_then(|unit| value.mass(unit)) {
        Some(mass) => Event::Weight { mass, stable, kind },
        None => Event::Number { value: value.to_string(), unit: Some(unit.to_owned()), stable, kind },
    }
}

/// A number whose frame names no unit: a weight only if the station file says which.
pub(super) fn weigh_bare(
    value: Decimal,
    configured: Option<MassUnit>,
    stable: Option<bool>,
    kind: WeightKind,
) -> Event {
    match configured.and_then(|unit| value.mass(unit)) {
        Some(mass) => Event::Weight { mass, stable, kind },
        None => Event::Number { value: value.to_string(), unit: None, stable, kind },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Mass;

    #[test]
    fn a_unit_that_is_missing_unknown_or_contradicted_makes_no_weight() {
        let number = Decimal { mantissa: 1500, decimals: 3 };
        let said = |named: Option<&str>, configured| match named {
            Some(unit) => weigh(number, unit, configured, Some(true), WeightKind::Gross),
            None => weigh_bare(number, configured, Some(true), WeightKind::Gross),
        };
        let grams = |mg| Event::Weight { mass: Mass::from_mg(mg), stable: Some(true), kind: WeightKind::Gross };
        let bare = |unit: Option<&str>| Event::Number {
            value: "1.500".to_owned(),
            unit: unit.map(str::to_owned),
            stable: Some(true),
            kind: WeightKind::Gross,
        };
        assert_eq!(said(Some("kg"), None), grams(1_500_000));
        assert_eq!(said(Some("kg"), Some(MassUnit::Kg)), grams(1_500_000));
        assert_eq!(said(None, Some(MassUnit::G)), grams(1_500));
        assert_eq!(said(Some("kg"), Some(MassUnit::Lb)), bare(Some("kg")));
        assert_eq!(said(Some("pc"), None), bare(Some("pc")));
        assert_eq!(said(None, None), bare(None));
    }
}
