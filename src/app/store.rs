//! `augenmass store`: is the station's file sound, and the way back to an older format.

use super::run::{StartError, load_config};
use crate::io::clock::Clock;
use crate::io::store::{Back, Database, StoreError, check, go_back};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Look at the store, also while the daemon runs: format, faults of the file (exit status 1), ways back, copies; one JSON object.
    Check {
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Make the store one of an older format, before the older version is installed again; the daemon must be stopped. Without `--yes`
    /// it says what would be lost and changes nothing.
    Back {
        /// The format that the older version knows; `augenmass store check` of that version tells it.
        #[arg(long)]
        to: i64,
        /// Do it.
        #[arg(long)]
        yes: bool,
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
}

/// Why it is not done, or what is wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreCommandError {
    /// The station file.
    #[error("{0}")]
    Config(Box<StartError>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is damaged.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The output is closed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

fn told(steps: &[Back]) -> Value {
    let one = |step: &Back| {
        let rows: serde_json::Map<String, Value> =
            step.rows.iter().map(|(name, rows)| ((*name).to_owned(), (*rows).into())).collect();
        json!({ "to": step.to, "loses": step.loses, "rows_written_out": rows })
    };
    steps.iter().map(one).collect()
}

/// Does it; what is told goes to `out`.
///
/// # Errors
/// See [`StoreCommandError`].
pub fn store(command: &StoreCommand, out: &mut dyn Write) -> Result<(), StoreCommandError> {
    let directory = |config: &PathBuf| match load_config(config) {
        Ok((config, _)) => Ok(config.data_directory),
        Err(error) => Err(StoreCommandError::Config(Box::new(error))),
    };
    match command {
        StoreCommand::Check { config } => {
            let checked = check(&directory(config)?)?;
            let copies = checked.copies.iter().map(|(format, path)| json!({ "format": format, "path": path }));
            let copies: Vec<Value> = copies.collect();
            writeln!(
                out,
                "{}",
                json!({ "format": checked.format, "known": Database::format(), "faults": checked.faults,
                    "back": told(&checked.back), "copies": copies })
            )?;
            if !checked.faults.is_empty() {
                return Err(StoreCommandError::Damaged(checked.faults.join("; ")));
            }
        }
        StoreCommand::Back { to, yes: false, config } => {
            let checked = check(&directory(config)?)?;
            let steps: Vec<Back> = checked.back.into_iter().filter(|step| step.to >= *to).collect();
            if steps.last().is_none_or(|step| step.to != *to) {
                return Err(StoreError::NoWayBack { found: checked.format, to: *to }.into());
            }
            writeln!(out, "{}", json!({ "format": checked.format, "would_go": told(&steps), "done": false }))?;
        }
        StoreCommand::Back { to, yes: true, config } => {
            let gone = go_back(&directory(config)?, *to, Clock::start().now().wall)?;
            let told = json!({ "format": to, "went": told(&gone.steps), "written_out": gone.kept, "copy": gone.copy, "done": true });
            writeln!(out, "{told}")?;
        }
    }
    Ok(())
}
