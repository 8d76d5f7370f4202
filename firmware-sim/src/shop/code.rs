//! EAN-13 codes: what stands on packs and what the shop's scales print.

/// The check digit of a 13-digit EAN given as twelve digits.
///
/// GS1 General Specifications 7.9.1: from the right, weights 3, 1, 3, 1 …; `None` unless `body` is
/// exactly twelve ASCII digits.
pub fn check_digit(body: &str) -> Option<u8> {
    if body.len() != 12 {
        return None;
    }
    let mut sum = 0_u32;
    for (place, letter) in body.bytes().rev().enumerate() {
        let digit = u32::from(letter.checked_sub(b'0').filter(|d| *d <= 9)?);
        sum += digit * if place % 2 == 0 { 3 } else { 1 };
    }
    u8::try_from((10 - sum % 10) % 10).ok()
}

/// Whether `code` is thirteen digits whose last is the right check digit.
pub fn is_ean13(code: &str) -> bool {
    code.len() == 13
        && code.is_ascii()
        && check_digit(&code[..12]).is_some_and(|digit| code.as_bytes()[12] == b'0' + digit)
}

/// The in-store code of a weighed portion: `29`, article, grams, check digit.
///
/// `article` has five digits; `None` otherwise, or above 99 999 g.
pub fn portion_code(article: &str, grams: u32) -> Option<String> {
    if article.len() != 5 || grams > 99_999 {
        return None;
    }
    let body = format!("29{article}{grams:05}");
    let digit = check_digit(&body)?;
    Some(format!("{body}{digit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_are_right_and_a_changed_digit_is_wrong() {
        for code in ["4006381333931", "4008400401621", "5901234123457"] {
            assert!(is_ean13(code), "{code}");
        }
        for code in ["4006381333932", "4006381333391", "400638133393", "40063813339a1"] {
            assert!(!is_ean13(code), "{code}");
        }
    }

    #[test]
    fn a_portion_code_is_the_one_scales_print() {
        assert_eq!(portion_code("04011", 1234).as_deref(), Some("2904011012343"));
        assert_eq!(portion_code("4011", 1234), None);
        assert_eq!(portion_code("04011", 100_000), None);
    }
}
