//! `augenmass access`: credentials for those who speak with the station.

use super::config::StationConfig;
use super::run::{StartError, load_config};
use super::secrets::{SecretError, badge_key, exit_key};
use crate::access::Access;
use crate::access::app_token::AppKeys;
use crate::access::client_certificate;
use crate::access::credential::{self, NoRandom};
use crate::access::exit_token::{ExitKey, NoKey};
use crate::access::pairing::Pairing;
use crate::access::session::BadgeKey;
use crate::access::who::Who;
use crate::io::clock::Clock;
use crate::io::store::{Database, StoreError};
use augenmass_core::desk::Rules;
use clap::Subcommand;
use jsonwebtoken::jwk::JwkSet;
use std::io::Write;
use std::path::PathBuf;

/// What to do with credentials.
#[derive(Debug, Subcommand)]
pub enum AccessCommand {
    /// Make a credential and print it, once; the station keeps a hash of it alone. With `--certificate` nothing is made: whoever shows a
    /// certificate with that name, of an authority in `[api].client_ca`, is let in.
    Add {
        /// `back-office`, `gate` or `handheld` (handhelds pair themselves by the code on the display, too).
        #[arg(value_parser = holder)]
        who: Who,
        /// Who will hold it, for people.
        #[arg(long)]
        name: String,
        /// The name in the certificate: `dns:…` or `uri:…` of its alternative names, or `cn:…` of a certificate without any.
        #[arg(long, value_parser = certificate_name)]
        certificate: Option<String>,
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// List all credentials, one JSON object a line, without what opens anything.
    List {
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Take a credential back, at once.
    Revoke {
        /// Its number in the list.
        number: i64,
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
}

fn holder(name: &str) -> Result<Who, String> {
    Who::with_credential(name).ok_or_else(|| "there are back-office, gate and handheld".to_owned())
}

fn certificate_name(text: &str) -> Result<String, String> {
    client_certificate::name(text).ok_or_else(|| "write dns:NAME, uri:NAME or cn:NAME".to_owned())
}

/// Why it is not done, or why the station has no access control to start with.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
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
    /// The key for exit tokens is none.
    #[error(transparent)]
    ExitKey(#[from] NoKey),
    /// The keys of the retailer's apps cannot be read.
    #[error("cannot read the keys of the apps, {}: {what}; it is a JWK set with the retailer's public keys", path.display())]
    AppKeys {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Too many credentials.
    #[error("there are a thousand credentials already; revoke some")]
    TooMany,
    /// The name is registered.
    #[error(
        "a certificate with this name is registered already, or there are a thousand credentials; `access list` shows them"
    )]
    Registered,
    /// The station asks nobody for a certificate.
    #[error("the station file names no [api].client_ca: nobody could show this certificate")]
    NoAuthority,
    /// No such credential.
    #[error("no credential of this number is good")]
    Unknown,
    /// The output is closed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// Access control of a station as its file wants it.
///
/// # Errors
/// Keys that cannot be read or made.
pub fn of_station(config: &StationConfig) -> Result<Access, AccessError> {
    let keys = match &config.api.app_keys {
        None => JwkSet { keys: Vec::new() },
        Some(path) => {
            let failed = |what: String| AccessError::AppKeys { path: path.clone(), what };
            let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
            serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?
        }
    };
    let exit = ExitKey::new(&exit_key(&config.data_directory)?, &config.station.id, config.api.exit_token_minutes)?;
    let apps = AppKeys::new(keys, &config.station.id);
    let rules = Rules {
        corrections_max: config.policy.max_corrections,
        four_eyes_above_minor: config.policy.four_eyes_above_minor,
    };
    let badges = BadgeKey::new(&badge_key(&config.data_directory)?);
    Ok(Access::new(config.api.access, apps, Pairing::new()?, exit, config.api.hosts.clone(), (badges, rules)))
}

/// Does it; what is told goes to `out`.
///
/// # Errors
/// See [`AccessError`].
pub fn access(command: &AccessCommand, out: &mut dyn Write) -> Result<(), AccessError> {
    let load = |config: &PathBuf| load_config(config).map_err(|error| AccessError::Config(Box::new(error)));
    let open =
        |config: &PathBuf| -> Result<Database, AccessError> { Ok(Database::open(&load(config)?.0.data_directory)?) };
    let now = Clock::start().now().wall;
    match command {
        AccessCommand::Add { who, name, certificate: Some(certificate), config } => {
            let (station, _) = load(config)?;
            if station.api.client_ca.is_none() {
                return Err(AccessError::NoAuthority);
            }
            let nobody_s = credential::digest(&credential::generate()?);
            let mut store = Database::open(&station.data_directory)?;
            let number = store.add_certificate(who.as_str(), name, certificate, &nobody_s, now)?;
            writeln!(out, "{}", number.ok_or(AccessError::Registered)?)?;
        }
        AccessCommand::Add { who, name, certificate: None, config } => {
            let token = credential::generate()?;
            let digest = credential::digest(&token);
            open(config)?.add_credential(who.as_str(), name, &digest, now)?.ok_or(AccessError::TooMany)?;
            writeln!(out, "{token}")?;
        }
        AccessCommand::List { config } => {
            for held in open(config)?.credentials()? {
                let told = serde_json::json!({ "number": held.number, "who": held.who, "name": held.name, "certificate": held.certificate,
                    "made_at_ms": held.made_at.ms(), "revoked_at_ms": held.revoked_at.map(|at| at.ms()) });
                writeln!(out, "{told}")?;
            }
        }
        AccessCommand::Revoke { number, config } => {
            if !open(config)?.revoke_credential(*number, now)? {
                return Err(AccessError::Unknown);
            }
        }
    }
    Ok(())
}
