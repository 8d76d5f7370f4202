//! Who is logged in: a secret in a cookie that no script can read, for a shift at most, and ended by doing nothing.

use super::credential;
use augenmass_core::units::Wall;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use sha2::{Digest, Sha256};

/// A session in which nobody does anything ends after so long, milliseconds.
pub const IDLE_MS: i64 = 20 * 60_000;
/// A session ends after so long whatever happens, milliseconds: the longest shift.
pub const SHIFT_MS: i64 = 10 * 3_600_000;
/// A tablet stays paired in a browser for so long, seconds: what browsers keep at most.
pub const TABLET_S: i64 = 400 * 86_400;
/// That a session was used is written down at most so often, milliseconds.
pub const SEEN_EVERY_MS: i64 = 60_000;
/// Fewest characters of a badge's number: those that can be guessed open nothing.
pub const BADGE_LEAST: usize = 8;

/// Whether a session made and last used at these times is good.
pub fn is_good(made_at: Wall, seen_at: Wall, now: Wall) -> bool {
    let age = now.ms() - made_at.ms();
    // A clock that was turned back makes nobody younger for long: one minute of it is forgiven.
    (-60_000..SHIFT_MS).contains(&age) && now.ms() - seen_at.ms() < IDLE_MS
}

/// What must come back in a header with whatever changes something: made of the secret, so that only who was told it, over a line that
/// other sites cannot read, knows it. Neither is to be had from the other, or from the hash that is kept.
pub fn csrf(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(b"csrf of ").chain_update(secret).finalize())
}

/// Whether two texts are the same, in a time that says nothing of where they differ.
pub fn same(one: &str, other: &str) -> bool {
    // Of hashes, so that it says nothing of their length either.
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &hash(one));
    let tag = hmac::sign(&key, &hash(one));
    hmac::verify(&key, &hash(other), tag.as_ref()).is_ok() && one.len() == other.len()
}

/// A cookie for this station alone: several on one machine are told apart by their names.
pub fn cookie(name: &str, value: &str, life_s: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life_s}{secure}")
}

/// The value of a cookie in what a browser sends; the first one of that name.
pub fn value_of<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(own, _)| *own == name)
        .map(|(_, value)| value)
}

/// By which the numbers of badges are hidden: they are short, and could be tried one by one against a plain hash.
#[derive(Clone)]
pub struct BadgeKey {
    key: hmac::Key,
}

impl std::fmt::Debug for BadgeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BadgeKey")
    }
}

impl BadgeKey {
    /// From a secret of the station's.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// A new secret.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn generate() -> Result<String, credential::NoRandom> {
        credential::generate()
    }

    /// What is kept of a badge's number; `None` if it is too short or too long to be one.
    pub fn digest(&self, number: &str) -> Option<[u8; 32]> {
        let number = number.trim();
        let fits = (BADGE_LEAST..=128).contains(&number.chars().count());
        fits.then(|| hmac::sign(&self.key, number.as_bytes()).as_ref().try_into().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Wall {
        Wall::from_ms(1_795_284_000_000 + minutes * 60_000)
    }

    #[test]
    fn a_session_ends_by_doing_nothing_and_with_the_shift() {
        assert!(is_good(at(0), at(0), at(19)) && !is_good(at(0), at(0), at(20)));
        assert!(is_good(at(0), at(599), at(599)) && !is_good(at(0), at(599), at(600)));
        assert!(!is_good(at(10), at(10), at(0)), "from the future");
    }

    #[test]
    fn the_header_and_the_kept_hash_do_not_tell_of_each_other() {
        let secret = credential::generate().unwrap();
        let hash = URL_SAFE_NO_PAD.encode(credential::digest(&secret));
        assert!(csrf(&secret) != hash && csrf(&secret) != csrf(&hash) && csrf(&secret).len() == 43);
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab") && !same("", "a"));
    }

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let sent = "x=1; augenmass-session.basket-1=abc; augenmass-session.basket-10=def";
        assert_eq!(value_of(sent, "augenmass-session.basket-1"), Some("abc"));
        assert_eq!(value_of(sent, "augenmass-session.basket-10"), Some("def"));
        assert_eq!(value_of(sent, "session"), None);
        assert!(cookie("a", "b", 60, true).ends_with("; Secure") && !cookie("a", "b", 60, false).contains("Secure"));
    }

    #[test]
    fn badges_are_hidden_by_a_key_of_the_station() {
        let (one, other) = (BadgeKey::new(b"one"), BadgeKey::new(b"other"));
        assert_eq!(one.digest(" 0012345678\n"), one.digest("0012345678"));
        assert_ne!(one.digest("0012345678"), other.digest("0012345678"));
        assert_eq!(one.digest("1234567"), None);
    }
}
