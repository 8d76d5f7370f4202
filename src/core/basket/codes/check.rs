//! Check digits and check characters (GS1 General Specifications 7.9).

/// Mod-10 check digit of a string of digits (7.9.1): from the right, weights 3, 1, 3, 1, …
pub fn check_digit(body: &str) -> u8 {
    let sum: u32 =
        body.bytes().rev().zip([3, 1].into_iter().cycle()).map(|(byte, weight)| u32::from(value(byte)) * weight).sum();
    ((10 - sum % 10) % 10) as u8
}

fn value(byte: u8) -> u8 {
    byte.saturating_sub(b'0')
}

// Weighting tables of 7.9.2: what a digit contributes in its place.
const TWO_MINUS: [u8; 10] = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
const THREE: [u8; 10] = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7];
const FIVE_PLUS: [u8; 10] = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];
const FIVE_MINUS: [u8; 10] = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];

/// Verifier digit of a price or weight of four or five digits (7.9.3 and 7.9.4); `None` for another length or other characters.
pub fn verifier(field: &str) -> Option<u8> {
    if !field.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let weigh = |tables: &[[u8; 10]]| -> u32 {
        field.bytes().zip(tables).map(|(byte, table)| u32::from(table[usize::from(value(byte))])).sum()
    };
    match field.len() {
        4 => Some((weigh(&[TWO_MINUS, TWO_MINUS, THREE, FIVE_MINUS]) * 3 % 10) as u8),
        5 => {
            let sum = weigh(&[FIVE_PLUS, TWO_MINUS, FIVE_MINUS, FIVE_PLUS, TWO_MINUS]);
            let wanted = ((10 - sum % 10) % 10) as u8;
            FIVE_MINUS.iter().position(|product| *product == wanted).map(|digit| digit as u8)
        }
        _ => None,
    }
}

/// All characters of the set of 82 (ISO/IEC 646 subset of table 7.11-1) in the order of their weights.
pub const SET_82: &[u8] = b"!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/// The characters that check pairs are made of, in the order of their values.
const SET_32: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// Check character pair of an alphanumeric key (7.9.5): values in the set of 82 weighted by rising primes from the right, modulo
/// 1021, as two characters of five bits. `None` for a character that has no value.
pub fn check_pair(body: &[u8]) -> Option<[u8; 2]> {
    let mut sum = 0u32;
    for (byte, prime) in body.iter().rev().zip(primes()) {
        let value = SET_82.iter().position(|known| known == byte)? as u32;
        sum = (sum + value * prime) % 1021;
    }
    Some([SET_32[(sum >> 5) as usize], SET_32[(sum & 31) as usize]])
}

fn primes() -> impl Iterator<Item = u32> {
    (2u32..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifiers_of_the_specification_and_of_the_field() {
        for (field, digit) in [
            ("14685", 6),
            ("00500", 6),
            ("00399", 0),
            ("12345", 8),
            ("98765", 7),
            ("2875", 9),
            ("1250", 3),
            ("4321", 5),
        ] {
            assert_eq!(verifier(field), Some(digit), "{field}");
        }
        for none in ["", "123", "123456", "12a4"] {
            assert_eq!(verifier(none), None, "{none}");
        }
    }

    #[test]
    fn the_check_pair_of_the_specification() {
        // General Specifications, example of the global model number.
        assert_eq!(check_pair(b"1987654Ad4X4bL5ttr2310c"), Some(*b"2K"));
        assert_eq!(check_pair(b""), Some(*b"22"));
        assert_eq!(check_pair(b"\x80"), None);
    }

    #[test]
    fn check_digits_of_known_articles() {
        for code in ["4006381333931", "40084015", "036000291452", "94006381333934", "042100005264"] {
            let (body, digit) = code.split_at(code.len() - 1);
            assert_eq!(check_digit(body).to_string(), digit, "{code}");
        }
    }
}
