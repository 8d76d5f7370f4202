//! `augenmass looks`: what is known of how goods look, what looks alike, and taking back what visits have taught.

use super::config::StationConfig;
use super::run::{StartError, load_config};
use crate::io::clock::Clock;
use crate::io::looks::{LooksError, gallery};
use crate::io::onnx::{EyesError, models_info};
use crate::io::store::{Database, StoreError};
use augenmass_core::units::{BadId, ProductId, Wall};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Changes of one product's looks that are shown.
const SHOWN_MAX: u32 = 50;

/// What is to be done with looks.
#[derive(Debug, Subcommand)]
pub enum LooksCommand {
    /// Show how many views of each product were enrolled and learned, or the history of one product; one JSON object a line.
    Show(ShowArguments),
    /// Show which products look so alike that the eye does not tell them apart, with the cosine of their looks; one JSON object a line.
    Alike {
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Take what visits have taught back to what it was at a time; a running daemon notices within seconds.
    Rollback(RollbackArguments),
}

/// What is to be shown.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// A product's identifier.
    id: Option<String>,
    /// The station file.
    #[arg(long)]
    config: PathBuf,
}

/// What is to be taken back.
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// A product's identifier.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// Of all products.
    #[arg(long)]
    all: bool,
    /// The time, RFC 3339: 2026-11-21T18:00:00Z.
    #[arg(long)]
    to: String,
    /// The station file.
    #[arg(long)]
    config: PathBuf,
}

/// Why nothing is shown or taken back.
#[derive(Debug, thiserror::Error)]
pub enum LooksCommandError {
    /// The station file.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The models' manifest.
    #[error(transparent)]
    Models(#[from] EyesError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The looks.
    #[error(transparent)]
    Looks(#[from] LooksError),
    /// No product's name.
    #[error("'{0}' is no product's identifier: {1}")]
    Name(String, BadId),
    /// Nothing is known of it.
    #[error("nobody has enrolled {0} since the record of it begins")]
    Unknown(ProductId),
    /// No time.
    #[error("--to: '{0}' is no time like 2026-11-21T18:00:00Z")]
    Time(String),
    /// Standard output is gone.
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
}

/// Does it, telling `out`.
///
/// # Errors
/// See [`LooksCommandError`]; a rollback is whole or not at all.
pub fn looks(command: &LooksCommand, out: &mut dyn Write) -> Result<(), LooksCommandError> {
    match command {
        LooksCommand::Show(arguments) => show(arguments, out),
        LooksCommand::Alike { config } => alike(config, out),
        LooksCommand::Rollback(arguments) => rollback(arguments, out),
    }
}

fn open(config: &Path) -> Result<(StationConfig, Database), LooksCommandError> {
    let (config, _) = load_config(config)?;
    let database = Database::open(&config.data_directory)?;
    Ok((config, database))
}

fn named(text: &str) -> Result<ProductId, LooksCommandError> {
    text.parse().map_err(|error| LooksCommandError::Name(text.to_owned(), error))
}

fn show(arguments: &ShowArguments, out: &mut dyn Write) -> Result<(), LooksCommandError> {
    let (config, database) = open(&arguments.config)?;
    let space_id = models_info(&config.models.directory)?.space_id;
    let Some(id) = &arguments.id else {
        for count in database.look_counts(&space_id)? {
            let line = json!({ "product": count.product, "enrolled": count.enrolled, "learned": count.learned });
            writeln!(out, "{line}")?;
        }
        return Ok(());
    };
    let product = named(id)?;
    let history = database.look_history(&space_id, &product, SHOWN_MAX)?;
    if history.is_empty() {
        return Err(LooksCommandError::Unknown(product));
    }
    for past in history {
        let at = jiff::Timestamp::from_millisecond(past.at.ms()).ok().map(|at| format!("{at:.3}"));
        writeln!(out, "{}", json!({ "at": at, "what": past.what, "views": past.views, "by": past.by }))?;
    }
    Ok(())
}

fn alike(config: &Path, out: &mut dyn Write) -> Result<(), LooksCommandError> {
    let (config, database) = open(config)?;
    let models = models_info(&config.models.directory)?;
    let (gallery, _) = gallery(&database, &config.data_directory, &models.space_id, &models.calibration)?;
    let mut names: Vec<&str> = gallery.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    for name in names {
        for (other, cosine) in gallery.alikes(name).into_iter().filter(|(other, _)| name < *other) {
            writeln!(
                out,
                "{}",
                json!({ "products": [name, other], "cosine": (f64::from(cosine) * 1e3).round() / 1e3 })
            )?;
        }
    }
    Ok(())
}

fn rollback(arguments: &RollbackArguments, out: &mut dyn Write) -> Result<(), LooksCommandError> {
    let to: jiff::Timestamp = arguments.to.parse().map_err(|_| LooksCommandError::Time(arguments.to.clone()))?;
    let product = arguments.id.as_deref().map(named).transpose()?;
    let (config, mut database) = open(&arguments.config)?;
    let space_id = models_info(&config.models.directory)?.space_id;
    let now = Clock::start().now().wall;
    let changed = database.roll_back_looks(&space_id, product.as_ref(), Wall::from_ms(to.as_millisecond()), now)?;
    writeln!(out, "the learned looks of {changed} products taken back to {}", arguments.to)?;
    Ok(())
}
