//! Credentials of this station: random tokens of which only a hash is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

/// By which people and programs know that a text is one.
const PREFIX: &str = "aug_";

/// The system gives no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

/// A new token, told once.
///
/// # Errors
/// A system without random numbers.
pub fn generate() -> Result<String, NoRandom> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// What is kept of a token. With 256 random bits in it a plain hash is enough: there is nothing to guess.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether a text looks like a token of ours, rather than an app's.
pub fn is_ours(token: &str) -> bool {
    token.starts_with(PREFIX)
}
