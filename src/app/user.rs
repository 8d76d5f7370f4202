//! `augenmass user`: accounts of the staff. A PIN is typed or piped in, never an argument: arguments stand in process lists and histories.

use super::run::{StartError, load_config};
use super::secrets::{SecretError, badge_key};
use crate::access::credential::NoRandom;
use crate::access::pin::{self, WeakPin};
use crate::access::session::{BADGE_LEAST, BadgeKey};
use crate::io::clock::Clock;
use crate::io::store::{Database, StoreError};
use augenmass_core::verdict::Role;
use clap::Subcommand;
use serde_json::json;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account. The PIN is asked for; where standard input is no terminal it is its first line, and the badge's number the next.
    Add {
        /// The name to log in by: 1 to 32 letters, digits, spaces, '-', '.'.
        name: String,
        /// `attendant`, `supervisor` or `technician`.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Ask for the number of a badge, too, by which the account can log in without its PIN.
        #[arg(long)]
        badge: bool,
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// List all accounts, one JSON object a line.
    List {
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Close an account; whoever is logged in by it is logged out.
    Remove {
        /// Its name.
        name: String,
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
}

fn role(name: &str) -> Result<Role, String> {
    Role::named(name).ok_or_else(|| "there are attendant, supervisor and technician".to_owned())
}

/// Why it is not done.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The station file.
    #[error("{0}")]
    Config(Box<StartError>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random numbers.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// A secret cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A name that is none.
    #[error("a name has 1 to 32 letters, digits, spaces, '-' or '.'")]
    Name,
    /// A PIN that will not do.
    #[error(transparent)]
    Pin(#[from] WeakPin),
    /// A badge that will not do.
    #[error("a badge's number has {BADGE_LEAST} to 128 characters")]
    Badge,
    /// Typed twice, and not the same.
    #[error("that was not the same PIN again")]
    NotTheSame,
    /// Somebody else has it.
    #[error("the name or the badge is another account's, or there are 500 accounts")]
    Taken,
    /// No such account.
    #[error("no account of this name is open")]
    Unknown,
    /// The terminal is closed.
    #[error("cannot read or write: {0}")]
    Terminal(#[from] std::io::Error),
}

/// Does it; what is told goes to `out`.
///
/// # Errors
/// See [`UserError`].
pub fn user(command: &UserCommand, out: &mut dyn Write) -> Result<(), UserError> {
    let data = |config: &PathBuf| -> Result<PathBuf, UserError> {
        let (config, _) = load_config(config).map_err(|error| UserError::Config(Box::new(error)))?;
        Ok(config.data_directory)
    };
    let now = Clock::start().now().wall;
    match command {
        UserCommand::Add { name, role, badge, config } => {
            let data = data(config)?;
            check_name(name)?;
            let (pin, number) = ask(*badge)?;
            pin::check(&pin, name)?;
            let badge = match number {
                None => None,
                Some(number) => Some(BadgeKey::new(&badge_key(&data)?).digest(&number).ok_or(UserError::Badge)?),
            };
            let hash = pin::hash(&pin)?;
            let number = Database::open(&data)?.add_account(name, *role, &hash, badge.as_ref(), now)?;
            writeln!(out, "{}", json!({ "account": number.ok_or(UserError::Taken)?, "name": name, "role": role }))?;
        }
        UserCommand::List { config } => {
            for entry in Database::open(&data(config)?)?.accounts()? {
                let told = json!({ "account": entry.staff.account, "name": entry.staff.name, "role": entry.staff.role,
                    "badge": entry.has_badge, "made_at_ms": entry.made_at.ms(),
                    "removed_at_ms": entry.removed_at.map(|at| at.ms()) });
                writeln!(out, "{told}")?;
            }
        }
        UserCommand::Remove { name, config } => {
            if !Database::open(&data(config)?)?.remove_account(name, now)? {
                return Err(UserError::Unknown);
            }
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), UserError> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '.');
    let good = (1..=32).contains(&name.chars().count()) && name.chars().all(fine) && name.trim() == name;
    if good { Ok(()) } else { Err(UserError::Name) }
}

/// The PIN, and the number of the badge where there is to be one.
fn ask(badge: bool) -> Result<(String, Option<String>), UserError> {
    if std::io::stdin().is_terminal() {
        let pin = rpassword::prompt_password("PIN: ")?;
        if rpassword::prompt_password("PIN again: ")? != pin {
            return Err(UserError::NotTheSame);
        }
        let badge = if badge { Some(rpassword::prompt_password("Badge: ")?) } else { None };
        return Ok((pin, badge));
    }
    let mut lines = std::io::stdin().lock().lines();
    let mut next = || -> Result<String, UserError> {
        Ok(lines.next().transpose()?.unwrap_or_default().trim_end_matches(['\r', '\n']).to_owned())
    };
    let pin = next()?;
    Ok((pin, if badge { Some(next()?) } else { None }))
}
