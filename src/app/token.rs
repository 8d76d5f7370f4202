//! `augenmass token`: what a gate without a line to the station does.

use crate::access::exit_token::{TokenFault, verify};
use crate::io::clock::Clock;
use clap::Subcommand;
use jsonwebtoken::jwk::JwkSet;
use std::io::Write;
use std::path::PathBuf;

/// How far the clocks of gate and station may be apart, seconds.
const LEEWAY_S: i64 = 60;

/// What to do with a token.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Tell what an exit token says, or why it opens nothing, with exit status 1. Whether it was used or is void only the station knows.
    Verify {
        /// The token.
        token: String,
        /// What the station gave at `/.well-known/jwks.json`.
        #[arg(long)]
        jwks: PathBuf,
    },
}

/// Why a token opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The keys cannot be read.
    #[error("cannot read the keys {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds no keys.
    #[error("{} is no JWK set: {source}; fetch /.well-known/jwks.json of the station", path.display())]
    NoKeys {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenFault),
    /// The output is closed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// Does it; what is told goes to `out`.
///
/// # Errors
/// See [`TokenError`].
pub fn token(command: &TokenCommand, out: &mut dyn Write) -> Result<(), TokenError> {
    let TokenCommand::Verify { token, jwks: path } = command;
    let text = std::fs::read(path).map_err(|source| TokenError::Unreadable { path: path.clone(), source })?;
    let keys: JwkSet =
        serde_json::from_slice(&text).map_err(|source| TokenError::NoKeys { path: path.clone(), source })?;
    let claims = verify(token.trim(), &keys, Clock::start().now().wall, LEEWAY_S)?;
    writeln!(out, "{}", serde_json::json!(claims))?;
    Ok(())
}
