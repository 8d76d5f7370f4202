//! `augenmass audit`: the record of what staff did, and whether anybody has tampered with it.

use super::run::{StartError, load_config};
use crate::io::store::{Audit, Database, StoreError};
use augenmass_core::desk::audit::Broken;
use augenmass_core::goods::catalogue::hex;
use clap::Subcommand;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Entries told at a time.
const PAGE: u32 = 500;

/// What to do with the record.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check the chain of hashes; the first broken entry is named, with exit status 1.
    Verify {
        /// A hash that was told earlier and must still be part of the chain: without it nobody sees that the end was cut off.
        #[arg(long)]
        expect: Option<String>,
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Print all entries, one JSON object a line.
    List {
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
}

/// Why it is not done, or what is wrong with the record.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The station file.
    #[error("{0}")]
    Config(Box<StartError>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody has tampered with it.
    #[error("the audit log is broken: {0}")]
    Broken(#[from] Broken),
    /// What is expected is not there.
    #[error("the audit log is not the one with the hash {0}: its end was cut off, or it was replaced")]
    NotMet(String),
    /// The output is closed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// Does it; what is told goes to `out`.
///
/// # Errors
/// See [`AuditError`].
pub fn audit(command: &AuditCommand, out: &mut dyn Write) -> Result<(), AuditError> {
    let open = |config: &PathBuf| -> Result<Database, AuditError> {
        let (config, _) = load_config(config).map_err(|error| AuditError::Config(Box::new(error)))?;
        Ok(Database::open(&config.data_directory)?)
    };
    match command {
        AuditCommand::Verify { expect, config } => {
            let kept = expect.as_deref().map(bytes);
            let Audit { check, broken, met } = open(config)?.check_audit(kept.as_deref())?;
            if let Some(broken) = broken {
                return Err(broken.into());
            }
            if let Some(expected) = expect.as_ref().filter(|_| !met) {
                return Err(AuditError::NotMet(expected.clone()));
            }
            writeln!(out, "{}", json!({ "entries": check.entries, "head": hex(&check.head) }))?;
        }
        AuditCommand::List { config } => {
            let database = open(config)?;
            let mut after = 0;
            loop {
                let entries = database.audit(after, PAGE)?;
                let Some(last) = entries.last() else { return Ok(()) };
                after = last.number;
                for entry in &entries {
                    writeln!(out, "{}", json!({ "number": entry.number, "act": entry.act, "hash": hex(&entry.hash) }))?;
                }
            }
        }
    }
    Ok(())
}

/// Hexadecimal digits as bytes; what is none matches nothing.
fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.trim().chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit)).collect()
}
