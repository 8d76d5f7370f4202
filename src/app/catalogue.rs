//! `augenmass catalogue`: the shop's products in and out of the store.

use super::run::{StartError, load_config};
use crate::io::clock::Clock;
use crate::io::store::{CatalogueFormat, Database, StoreError, read_catalogue};
use augenmass_core::goods::{diff, to_ndjson};
use clap::Subcommand;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What to do with the products.
#[derive(Debug, Subcommand)]
pub enum CatalogueCommand {
    /// Take a catalogue, whole or not at all: NDJSON (one product a line), or CSV with a header where the name ends in `.csv`.
    Import {
        /// The file.
        file: PathBuf,
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Write the catalogue in force, patches included, as NDJSON to standard output.
    Export {
        /// The station file.
        #[arg(long)]
        config: PathBuf,
        /// An earlier version instead.
        #[arg(long)]
        version: Option<i64>,
    },
    /// Tell what a file would change, or what changed between two versions, as one JSON object a product.
    Diff {
        /// The file; without it, `--from` and the latest version are compared.
        #[arg(required_unless_present = "from")]
        file: Option<PathBuf>,
        /// The station file.
        #[arg(long)]
        config: PathBuf,
        /// The version to compare with, instead of the one in force.
        #[arg(long)]
        from: Option<i64>,
    },
}

/// Why it is not done.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The station file, a file, or the store.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such version.
    #[error("there is no such version of the catalogue; nothing imported yet, or let go since")]
    NoVersion,
    /// The output is closed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// Does it; what is told goes to `out`.
///
/// # Errors
/// See [`CatalogueError`].
pub fn catalogue(command: &CatalogueCommand, out: &mut dyn Write) -> Result<(), CatalogueError> {
    match command {
        CatalogueCommand::Import { file, config } => {
            let version = open(config)?.import_catalogue(&text(file)?, format(file), Clock::start().now().wall)?;
            writeln!(out, "{} products imported as version {}", version.products, version.version)?;
        }
        CatalogueCommand::Export { config, version } => {
            let products = open(config)?.products(*version)?.ok_or(CatalogueError::NoVersion)?;
            out.write_all(to_ndjson(&products).as_bytes())?;
        }
        CatalogueCommand::Diff { file, config, from } => {
            let database = open(config)?;
            let new = match file {
                Some(file) => read_catalogue(&text(file)?, format(file)).map_err(StoreError::from)?,
                None => database.products(None)?.ok_or(CatalogueError::NoVersion)?,
            };
            let old = match (database.products(*from)?, from) {
                (Some(old), _) => old,
                // Against nothing everything is new.
                (None, None) => Vec::new(),
                (None, Some(_)) => return Err(CatalogueError::NoVersion),
            };
            for change in diff(&old, &new) {
                writeln!(out, "{}", serde_json::json!(change))?;
            }
        }
    }
    Ok(())
}

fn open(config: &Path) -> Result<Database, CatalogueError> {
    let (config, _) = load_config(config)?;
    Ok(Database::open(&config.data_directory)?)
}

fn text(file: &Path) -> Result<String, StartError> {
    std::fs::read_to_string(file).map_err(|source| StartError::Unreadable { path: file.to_owned(), source })
}

fn format(file: &Path) -> CatalogueFormat {
    let csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if csv { CatalogueFormat::Csv } else { CatalogueFormat::Ndjson }
}
