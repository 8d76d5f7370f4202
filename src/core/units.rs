//! Floor 0: quantities and identifiers that every room shares.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Neg, Sub};

/// A mass in integer milligrams; negative for less than nothing (a plate relieved below its zero).
///
/// Everything that is decided is decided on this type, so that the same bytes give the same verdict on
/// every machine. Range ±9 · 10¹² kg, far beyond any platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mass(i64);

impl Mass {
    /// No mass: an empty plate, not a missing reading.
    pub const ZERO: Self = Self(0);

    /// From milligrams.
    pub const fn from_mg(mg: i64) -> Self {
        Self(mg)
    }

    /// From grams, rounded to the nearest milligram; a value that is not finite gives `None`.
    pub fn from_g(g: f64) -> Option<Self> {
        let mg = (g * 1000.0).round();
        (mg.is_finite() && mg.abs() < 9.0e15).then_some(Self(mg as i64))
    }

    /// From grams that are finite by construction; anything else saturates at the ends of the range.
    pub fn from_g_saturating(g: f64) -> Self {
        Self((g * 1000.0).round() as i64)
    }

    /// In milligrams.
    pub const fn mg(self) -> i64 {
        self.0
    }

    /// In grams, for computing and for people.
    pub fn g(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Its magnitude.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl Add for Mass {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Mass {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Mass {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for Mass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} g", self.g())
    }
}

/// Microseconds on a clock that never goes back; its zero is arbitrary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mono(u64);

impl Mono {
    /// From microseconds.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// In microseconds.
    pub const fn us(self) -> u64 {
        self.0
    }

    /// This moment plus `ms` milliseconds.
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1000)))
    }

    /// This moment less `ms` milliseconds, at the earliest the clock's zero.
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms.saturating_mul(1000)))
    }

    /// Seconds since `earlier`; zero if `earlier` is in fact later.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1.0e6
    }

    /// Whole milliseconds since `earlier`; zero if `earlier` is in fact later.
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1000
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z. For people and records only: it may jump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(i64);

impl Wall {
    /// From milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// In milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }
}

/// An identifier that is not fit for use: empty, too long, or with other characters than allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier has 1 to {max} characters out of A-Z a-z 0-9 . _ : -")]
pub struct BadId {
    /// The greatest number of characters allowed.
    pub max: usize,
}

/// The greatest length of an identifier given from outside, in characters.
pub const ID_MAX: usize = 64;

fn check_id(text: &str) -> Result<(), BadId> {
    let fine = !text.is_empty()
        && text.len() <= ID_MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
    if fine { Ok(()) } else { Err(BadId { max: ID_MAX }) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Its text, 1 to 64 characters out of `A-Z a-z 0-9 . _ : -`.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                check_id(&text).map(|()| Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                check_id(text).map(|()| Self(text.to_owned()))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A shopper's basket, named by the app or handheld.
    BasketId
);
id!(
    /// One validation of a basket at a station, named by the station.
    ValidationId
);
id!(
    /// A station, unique in the store.
    StationId
);
id!(
    /// A product in the retailer's catalogue.
    ProductId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_that_are_no_number_are_no_mass() {
        assert_eq!(Mass::from_g(f64::NAN), None);
        assert_eq!(Mass::from_g(f64::INFINITY), None);
        assert_eq!(Mass::from_g(1.2345), Some(Mass::from_mg(1235)));
        assert_eq!(Mass::from_g(-0.5), Some(Mass::from_mg(-500)));
    }

    #[test]
    fn mono_never_counts_backwards() {
        let (early, late) = (Mono::from_us(1_000_000), Mono::from_us(2_500_000));
        assert_eq!(late.seconds_since(early), 1.5);
        assert_eq!(early.ms_since(late), 0);
    }

    #[test]
    fn ids_refuse_what_would_not_survive_a_url_or_a_log() {
        assert!("b-1_x.2:3".parse::<BasketId>().is_ok());
        for bad in ["", "a b", "ä", "a/b", &"x".repeat(65)] {
            assert!(bad.parse::<BasketId>().is_err(), "{bad:?}");
        }
    }
}
