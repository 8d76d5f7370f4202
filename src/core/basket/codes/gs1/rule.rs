//! Rules that single values obey. Each says at which byte of the value it is broken.

use super::super::check::{check_digit, check_pair};
use super::{coupon, lists};
use serde::Serialize;

/// What a value obeys beyond its length and characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Last digit is the mod-10 check digit.
    #[error("wrong check digit")]
    CheckDigit,
    /// Last two characters are the check pair.
    #[error("wrong check characters")]
    CheckPair,
    /// Begins with at least four digits of a company prefix.
    #[error("does not begin with a company prefix")]
    Key,
    /// Holds something else than digits.
    #[error("must not be digits alone")]
    SomeNonDigit,
    /// A date YYMMDD whose day may be 00.
    #[error("no date YYMMDD")]
    DateOrMonth,
    /// A date YYMMDD.
    #[error("no date YYMMDD with a day")]
    Date,
    /// A date YYYYMMDD.
    #[error("no date YYYYMMDD")]
    LongDate,
    /// 00 to 23.
    #[error("no hour")]
    Hour,
    /// 00 to 59.
    #[error("no minute or second")]
    Sixtieth,
    /// Hour and minute.
    #[error("no time HHMM")]
    HourMinute,
    /// Numeric country code of ISO 3166.
    #[error("no country code of ISO 3166")]
    Country,
    /// The same, or 999.
    #[error("no country code of ISO 3166 and not 999")]
    CountryOr999,
    /// Two-letter country code of ISO 3166.
    #[error("no country code of two letters of ISO 3166")]
    CountryLetters,
    /// Numeric currency code of ISO 4217.
    #[error("no currency code of ISO 4217")]
    Currency,
    /// Well-formed percent-encoding.
    #[error("a percent sign without two hexadecimal digits")]
    Percent,
    /// 0 or 1.
    #[error("neither 0 nor 1")]
    YesNo,
    /// All zeros.
    #[error("must be zero")]
    Zero,
    /// Not all zeros.
    #[error("must not be zero")]
    NonZero,
    /// No leading zero.
    #[error("must not begin with zero")]
    NoZeroPrefix,
    /// 0, 1 or 9.
    #[error("no winding direction")]
    Winding,
    /// Hyphens only.
    #[error("must be a hyphen")]
    Hyphen,
    /// A character of the file-safe set of 64.
    #[error("no importer index")]
    ImporterIndex,
    /// Tenths of micro-degrees from the south pole, at most 180 degrees.
    #[error("no latitude")]
    Latitude,
    /// Tenths of micro-degrees from the west, at most 360 degrees.
    #[error("no longitude")]
    Longitude,
    /// Two digits of a piece and two of how many there are.
    #[error("no piece of a total")]
    PieceOfTotal,
    /// A position, a slash and an end.
    #[error("no position in a sequence")]
    PositionOfEnd,
    /// A code of ISO 5218.
    #[error("no code of ISO 5218")]
    Iso5218,
    /// A medium of the General Specifications.
    #[error("no AIDC medium")]
    Medium,
    /// An international bank account number.
    #[error("no IBAN")]
    Iban,
    /// A package type of UN/ECE Recommendation 21 or GS1.
    #[error("no package type")]
    PackageType,
    /// A North American coupon.
    #[error("no coupon of the North American form")]
    Coupon,
    /// A North American coupon with a positive offer file.
    #[error("no coupon of the positive offer file")]
    CouponOffer,
    /// The file-safe alphabet of 64 characters with padding that fits.
    #[error("no file-safe base 64")]
    Base64,
}

impl Rule {
    /// Where a value breaks the rule, as a byte offset; `None` if it keeps it. The value has the length and the characters of its part.
    pub fn broken_at(self, value: &[u8]) -> Option<usize> {
        let when = |broken: bool, at: usize| broken.then_some(at);
        match self {
            Self::CheckDigit => check_digit_broken(value),
            Self::CheckPair => {
                let body = value.len().saturating_sub(2);
                when(value.len() < 2 || check_pair(&value[..body]).is_none_or(|pair| pair != value[body..]), body)
            }
            Self::Key => (0..4).find(|at| !value.get(*at).is_some_and(u8::is_ascii_digit)),
            Self::SomeNonDigit => when(value.iter().all(u8::is_ascii_digit), 0),
            Self::DateOrMonth => date_broken(value, 2, true),
            Self::Date => date_broken(value, 2, false),
            Self::LongDate => date_broken(value, 4, false),
            Self::Hour => when(number(value) > 23, 0),
            Self::Sixtieth => when(number(value) > 59, 0),
            Self::HourMinute => Self::Hour
                .broken_at(&value[..2.min(value.len())])
                .or_else(|| Self::Sixtieth.broken_at(&value[2.min(value.len())..]).map(|at| at + 2)),
            Self::Country => when(!lists::is_in(lists::COUNTRIES, value, 3), 0),
            Self::CountryOr999 => when(value != b"999" && !lists::is_in(lists::COUNTRIES, value, 3), 0),
            Self::CountryLetters => when(!lists::is_in(lists::COUNTRY_LETTERS, value, 2), 0),
            Self::Currency => when(!lists::is_in(lists::CURRENCIES, value, 3), 0),
            Self::Percent => percent_broken(value),
            Self::YesNo => when(!matches!(value, b"0" | b"1"), 0),
            Self::Zero => value.iter().position(|byte| *byte != b'0'),
            Self::NonZero => when(value.iter().all(|byte| *byte == b'0'), 0),
            Self::NoZeroPrefix => when(value.first() == Some(&b'0'), 0),
            Self::Winding => when(!matches!(value, b"0" | b"1" | b"9"), 0),
            Self::Hyphen => value.iter().position(|byte| *byte != b'-'),
            Self::ImporterIndex => value.iter().position(|byte| !is_base64(*byte)),
            Self::Latitude => when(number(value) > 1_800_000_000, 0),
            Self::Longitude => when(number(value) > 3_600_000_000, 0),
            Self::PieceOfTotal => {
                let (piece, total) = value.split_at(value.len() / 2);
                let (piece, total) = (number(piece), number(total));
                when(piece == 0 || total == 0 || piece > total, if piece != 0 && total == 0 { 2 } else { 0 })
            }
            Self::PositionOfEnd => position_broken(value),
            Self::Iso5218 => when(!matches!(value, b"0" | b"1" | b"2" | b"9"), 0),
            Self::Medium => when(!matches!(number(value), 1..=10 | 80..=99), 0),
            Self::Iban => iban_broken(value),
            Self::PackageType => when(!lists::is_package_type(value), 0),
            Self::Coupon => coupon::north_american(value).err(),
            Self::CouponOffer => coupon::positive_offer(value).err(),
            Self::Base64 => base64_broken(value),
        }
    }
}

fn check_digit_broken(value: &[u8]) -> Option<usize> {
    let last = value.len().checked_sub(1)?;
    let body = std::str::from_utf8(&value[..last]).ok()?;
    (check_digit(body) + b'0' != value[last]).then_some(last)
}

/// Digits as a number; of anything else, more than any limit.
fn number(value: &[u8]) -> u64 {
    std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}

/// Where a date is wrong. Two-digit years mean 51 years back to 49 ahead (General Specifications 7.12), among which every year
/// divisible by four is a leap year.
fn date_broken(value: &[u8], year_digits: usize, day_may_lack: bool) -> Option<usize> {
    if value.len() != year_digits + 4 {
        return Some(0);
    }
    let year = number(&value[..year_digits]);
    let month = number(&value[year_digits..year_digits + 2]);
    let day = number(&value[year_digits + 2..]);
    let leap = year.is_multiple_of(4) && (year_digits == 2 || !year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Some(year_digits),
    };
    let first = u64::from(!day_may_lack);
    (!(first..=days).contains(&day)).then_some(year_digits + 2)
}

fn percent_broken(value: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < value.len() {
        if value[at] == b'%' {
            let hex = value.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
            if !hex {
                return Some(at);
            }
            at += 2;
        }
        at += 1;
    }
    None
}

fn position_broken(value: &[u8]) -> Option<usize> {
    let Some(slash) = value.iter().position(|byte| *byte == b'/') else { return Some(0) };
    let (position, end) = (&value[..slash], &value[slash + 1..]);
    for (part, at) in [(position, 0), (end, slash + 1)] {
        if part.is_empty() || part[0] == b'0' || !part.iter().all(u8::is_ascii_digit) {
            return Some(at);
        }
    }
    (number(position) > number(end)).then_some(0)
}

/// ISO 13616: the first four characters go to the end, letters count 10 to 35, the whole is 1 modulo 97.
fn iban_broken(value: &[u8]) -> Option<usize> {
    if value.len() <= 10 || value.len() > 34 || !lists::is_in(lists::COUNTRY_LETTERS, &value[..2], 2) {
        return Some(0);
    }
    let mut rest = 0u32;
    for at in (4..value.len()).chain(0..4) {
        rest = match value[at] {
            digit @ b'0'..=b'9' => rest * 10 + u32::from(digit - b'0'),
            letter @ b'A'..=b'Z' => rest * 100 + u32::from(letter - b'A') + 10,
            _ => return Some(at),
        } % 97;
    }
    (rest != 1).then_some(2)
}

/// Whether a byte belongs to the file-safe alphabet of 64 characters.
pub fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Padding, where there is any, fills up to a multiple of three, as the reference tests have it.
fn base64_broken(value: &[u8]) -> Option<usize> {
    let pads = value.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = value.len() - pads;
    if pads > 2 || (pads > 0 && !value.len().is_multiple_of(3)) {
        return Some(body);
    }
    value[..body].iter().position(|byte| !is_base64(*byte))
}
