//! EAN, UPC and produce numbers.

use super::check::check_digit;
use super::fault::{CodeFault, FaultKind};

/// Digits only, or the place of the first other character.
///
/// # Errors
/// Something else than digits.
pub fn digits(text: &str, offset: usize) -> Result<(), CodeFault> {
    match text.bytes().position(|byte| !byte.is_ascii_digit()) {
        Some(at) => Err(CodeFault::new(offset + at, FaultKind::NotADigit)),
        None => Ok(()),
    }
}

/// Checks the last digit of digits.
///
/// # Errors
/// A wrong one.
pub fn checked(text: &str, offset: usize) -> Result<(), CodeFault> {
    let Some(last) = text.len().checked_sub(1) else { return Err(CodeFault::new(offset, FaultKind::Empty)) };
    let expected = check_digit(&text[..last]);
    if text.as_bytes()[last] == b'0' + expected {
        Ok(())
    } else {
        Err(CodeFault::new(offset + last, FaultKind::CheckDigit { expected }))
    }
}

/// The UPC-A of a UPC-E of eight digits, number system and check digit included (General Specifications 5.2.2.4.2); `None` if it
/// is none or its check digit is another.
pub fn expand_upc_e(text: &str) -> Option<String> {
    let (system, rest) = text.split_at_checked(1)?;
    let (body, check) = rest.split_at_checked(6)?;
    if check.len() != 1 || !matches!(system, "0" | "1") || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (five, last) = body.split_at(5);
    let expanded = match last.as_bytes()[0] {
        b'0'..=b'2' => format!("{}{last}0000{}", &five[..2], &five[2..]),
        b'3' => format!("{}00000{}", &five[..3], &five[3..]),
        b'4' => format!("{}00000{}", &five[..4], &five[4..]),
        _ => format!("{five}0000{last}"),
    };
    let whole = format!("{system}{expanded}{check}");
    checked(&whole, 0).is_ok().then_some(whole)
}

/// What an EAN-13 (or the 13 digits of another code) is by its first digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// A trade item.
    Item,
    /// For use within a store or region: 02, 04, 20 to 29, and EAN-8 that begin with 0 or 2.
    Restricted,
    /// Serial publications (ISSN) and books (ISBN).
    Press,
    /// A refund receipt.
    Refund,
    /// Coupons.
    Coupon,
}

/// The range of 14 digits (General Specifications 1.4; FIELD of the trade for 980 to 984 and 99).
pub fn range(gtin: &str) -> Range {
    if let Some(eight) = gtin.strip_prefix("000000") {
        return if eight.starts_with(['0', '2']) { Range::Restricted } else { Range::Item };
    }
    let Some(thirteen) = gtin.strip_prefix('0') else { return Range::Item };
    match &thirteen[..3] {
        "980" => Range::Refund,
        "977" | "978" | "979" => Range::Press,
        "981" | "982" | "983" | "984" => Range::Coupon,
        // A UPC-A of number system 5 is a coupon.
        three if three.starts_with("99") || three.starts_with("05") => Range::Coupon,
        three if three.starts_with("02") || three.starts_with("04") || three.starts_with('2') => Range::Restricted,
        _ => Range::Item,
    }
}

/// Whether digits are a price look-up code of produce: 3000 to 4999, a 9 before it for organic, or 83000 to 84999.
pub fn is_plu(text: &str) -> bool {
    match (text.len(), text.parse::<u32>()) {
        (4, Ok(3000..=4999)) | (5, Ok(83_000..=84_999 | 93_000..=94_999)) => true,
        (_, Ok(_) | Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upc_e_expands_as_the_specification_has_it() {
        for (short, long) in
            [("04252614", "042100005264"), ("01234565", "012345000065"), ("06543217", "065100004327"), ("01234530", "")]
        {
            assert_eq!(expand_upc_e(short).unwrap_or_default(), long, "{short}");
        }
        // Each rule once: last digits 0, 3, 4 and 9.
        for (body, expanded) in
            [("123450", "01200000345"), ("123453", "01230000045"), ("123454", "01234000005"), ("123459", "01234500009")]
        {
            let short = format!("0{body}{}", check_digit(expanded));
            assert_eq!(expand_upc_e(&short), Some(format!("{expanded}{}", check_digit(expanded))), "{short}");
        }
        assert_eq!(expand_upc_e("24252614"), None);
    }

    #[test]
    fn ranges_are_told_apart() {
        for (gtin, expected) in [
            ("04006381333931", Range::Item),
            ("00036000291452", Range::Item),
            ("02123456005004", Range::Restricted),
            ("00212345928752", Range::Restricted),
            ("00000020000011", Range::Restricted),
            ("00000040084015", Range::Item),
            ("09771234567003", Range::Press),
            ("09800000000000", Range::Refund),
            ("09910000000000", Range::Coupon),
            ("94006381333934", Range::Item),
        ] {
            assert_eq!(range(gtin), expected, "{gtin}");
        }
    }
}
