//! Pairing a handheld: who stands before the station can read the code on its display, and nobody else can.

use augenmass_core::units::Wall;
use ring::hmac;
use ring::rand::SystemRandom;

use super::credential::NoRandom;

/// A code is shown for so long, seconds; it is good for as long again, for who is slow at typing.
const STEP_S: i64 = 60;

/// The rotating code. Its key is made anew at each start: codes shall not outlive the process.
pub struct Pairing {
    key: hmac::Key,
}

impl std::fmt::Debug for Pairing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pairing")
    }
}

impl Pairing {
    /// With a fresh key.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn new() -> Result<Self, NoRandom> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map(|key| Self { key }).map_err(|_| NoRandom)
    }

    /// The code at a moment: eight digits (RFC 4226, 5.3, with SHA-256).
    pub fn code(&self, now: Wall) -> String {
        self.of_step(now.ms().div_euclid(STEP_S * 1000))
    }

    /// Whether a code is that of this moment or the step before.
    pub fn is_good(&self, code: &str, now: Wall) -> bool {
        let step = now.ms().div_euclid(STEP_S * 1000);
        // Both are compared whole, so that time tells nothing of either.
        let same = |own: String| {
            own.len() == code.len() && own.bytes().zip(code.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
        };
        same(self.of_step(step)) | same(self.of_step(step - 1))
    }

    fn of_step(&self, step: i64) -> String {
        let tag = hmac::sign(&self.key, &step.to_be_bytes());
        let bytes = tag.as_ref();
        let at = usize::from(bytes[bytes.len() - 1] & 0x0F);
        let number = u32::from_be_bytes([bytes[at] & 0x7F, bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        format!("{:08}", number % 100_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_while_it_is_shown_and_a_minute_more() {
        let pairing = Pairing::new().unwrap();
        let at = |s: i64| Wall::from_ms(1_795_284_000_000 + s * 1000);
        let code = pairing.code(at(0));
        assert!(code.len() == 8 && pairing.is_good(&code, at(0)) && pairing.is_good(&code, at(119)));
        assert!(!pairing.is_good(&code, at(121)) && !pairing.is_good(&code, at(-1)));
        assert!(!pairing.is_good("", at(0)) && !pairing.is_good(&code[..7], at(0)));
        assert_ne!(Pairing::new().unwrap().code(at(0)), code, "another process has other codes");
    }
}
