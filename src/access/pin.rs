//! PINs: what is too easily guessed is refused, and what is kept is a hash that costs memory and time to try (Argon2id, RFC 9106).

use argon2::password_hash::SaltString;
use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use ring::rand::{SecureRandom, SystemRandom};

use super::credential::NoRandom;

/// Fewest characters of a PIN: with a lock-out, six digits are 10⁶ that nobody can try.
pub const LEAST: usize = 6;
/// Most characters of a PIN.
pub const MOST: usize = 64;

/// Somebody's hash that no PIN has: who does not exist is looked up at the same cost as who does.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aW5wYXJ0aWN1bGFy$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a PIN is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPin {
    /// Too short or too long.
    #[error("a PIN has {LEAST} to {MOST} characters")]
    Length,
    /// One of those that everybody tries first.
    #[error("this PIN is too easily guessed: no rows, no repetitions, no dates, not your name")]
    Easy,
}

/// Whether a PIN will do.
///
/// # Errors
/// One that is too short or too easily guessed.
pub fn check(pin: &str, name: &str) -> Result<(), WeakPin> {
    let characters: Vec<char> = pin.chars().collect();
    if !(LEAST..=MOST).contains(&characters.len()) {
        return Err(WeakPin::Length);
    }
    let steps: Vec<i64> =
        characters.windows(2).map(|pair| i64::from(pair[1] as u32) - i64::from(pair[0] as u32)).collect();
    let wraps = |step: i64| match step {
        -9 => 1,
        9 => -1,
        other => other,
    };
    let row = [-1, 0, 1].iter().any(|step| steps.iter().all(|own| wraps(*own) == *step));
    let repeats = (1..=characters.len() / 2)
        .filter(|length| characters.len().is_multiple_of(*length))
        .any(|length| characters.chunks(length).all(|part| part == &characters[..length]));
    let few = {
        let mut different = characters.clone();
        different.sort_unstable();
        different.dedup();
        different.len() < 3
    };
    let mirrored = characters.len() <= 8 && characters.iter().eq(characters.iter().rev());
    let named = pin.to_lowercase().contains(&name.to_lowercase());
    if row || repeats || few || mirrored || named || is_date(pin) || KNOWN.contains(&pin) {
        return Err(WeakPin::Easy);
    }
    Ok(())
}

/// What the lists of PINs that were found out begin with, besides what the rules above refuse.
const KNOWN: [&str; 14] = [
    "112233",
    "123321",
    "159753",
    "147258",
    "147852",
    "159357",
    "258456",
    "789456",
    "456123",
    "789456123",
    "password",
    "qwertz",
    "qwerty",
    "123654",
];

/// A birthday: DDMMYY, DDMMYYYY, YYYYMMDD, MMDDYYYY, YYMMDD.
fn is_date(pin: &str) -> bool {
    if !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let part =
        |at: usize, length: usize| pin.get(at..at + length).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    let day_month = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    let year = |year: u32| (1930..=2030).contains(&year);
    match pin.len() {
        6 => day_month(part(0, 2), part(2, 2)) || day_month(part(4, 2), part(2, 2)),
        8 => {
            year(part(4, 4)) && (day_month(part(0, 2), part(2, 2)) || day_month(part(2, 2), part(0, 2)))
                || year(part(0, 4)) && day_month(part(6, 2), part(4, 2))
        }
        _ => false,
    }
}

/// What is kept of a PIN.
///
/// # Errors
/// A system without random numbers.
pub fn hash(pin: &str) -> Result<String, NoRandom> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_| NoRandom)?;
    let salt = SaltString::encode_b64(&salt).map_err(|_| NoRandom)?;
    let hash = Argon2::default().hash_password(pin.as_bytes(), &salt).map_err(|_| NoRandom)?;
    Ok(hash.to_string())
}

/// Whether a PIN is that of a hash; without one it costs the same, and is no.
pub fn is_right(pin: &str, kept: Option<&str>) -> bool {
    let Ok(hash) = PasswordHash::new(kept.unwrap_or(NOBODY)) else { return false };
    // A text that nobody could have set is cut, so that it costs no more than one that somebody could.
    let end = pin.char_indices().nth(MOST + 1).map_or(pin.len(), |(at, _)| at);
    Argon2::default().verify_password(&pin.as_bytes()[..end], &hash).is_ok() && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for easy in [
            "000000", "123456", "654321", "987654", "890123", "121212", "123123", "112233", "223322", "010190",
            "240683", "19840724", "24071984", "07241984", "anna77", "Anna-1", "abcdef", "159753", "111112",
        ] {
            assert_eq!(check(easy, "anna"), Err(WeakPin::Easy), "{easy}");
        }
        assert_eq!(check("52719", "anna"), Err(WeakPin::Length));
        assert_eq!(check(&"x".repeat(65), "anna"), Err(WeakPin::Length));
        for fine in ["527194", "902846", "83b-kz", "71940258", "correct horse"] {
            assert_eq!(check(fine, "anna"), Ok(()), "{fine}");
        }
    }

    #[test]
    fn a_pin_is_kept_as_argon2id_with_a_salt_of_its_own() {
        let (one, other) = (hash("527194").unwrap(), hash("527194").unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one != other, "{one}");
        assert!(is_right("527194", Some(&one)) && is_right("527194", Some(&other)));
        for wrong in ["527195", "", "5271940"] {
            assert!(!is_right(wrong, Some(&one)), "{wrong}");
        }
        assert!(!is_right("527194", None) && !is_right("527194", Some("no hash")));
    }

    /// The very same work is done for somebody who does not exist: the hash of nobody has the costs of a real one.
    #[test]
    fn who_does_not_exist_costs_the_same() {
        let costs = |text: &str| text.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(costs(NOBODY), costs(&hash("527194").unwrap()));
        assert!(PasswordHash::new(NOBODY).is_ok());
    }
}
