//! When a number becomes a weight: only if its unit is beyond doubt.

use super::{Decimal, Event, MassUnit, WeightKind};

/// A number that a frame gives, as [`Event::Weight`] if its unit is known and uncontradicted, else as [`Event::Number`].
///
/// `named` is the frame's own word for the unit, `station` the station file's. A number too large to be a mass stays a number.
pub(super) fn weighed(
    number: Decimal,
    named: Option<&str>,
    station: Option<MassUnit>,
    stable: Option<bool>,
    kind: WeightKind,
) -> Event {
    let unit = match named {
        None => station,
        Some(name) => MassUnit::parse(name).filter(|unit| station.is_none_or(|s| s == *unit)),
    };
    match unit.and_then(|unit| number.mass(unit)) {
        Some(mass) => Event::Weight { mass, stable, kind },
        None => Event::Number { value: number.to_string(), unit: named.map(str::to_owned), stable, kind },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Mass;

    #[test]
    fn a_unit_that_is_missing_unknown_or_contradicted_makes_no_weight() {
        let said = |named, station| {
            weighed(Decimal { mantissa: 1500, decimals: 3 }, named, station, Some(true), WeightKind::Gross)
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
