//! `augenmass weights`: what was learned, how it came about, and taking it back.

use super::run::{StartError, load_config};
use crate::io::clock::Clock;
use crate::io::store::{Database, StoreError};
use augenmass_core::goods::learn::{Belief, Learner, Subject};
use augenmass_core::goods::{WeightBelief, WeightSource};
use augenmass_core::units::{ProductId, Wall};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Changes of one belief that are shown.
const SHOWN_MAX: u32 = 50;

/// What is to be done with weights.
#[derive(Debug, Subcommand)]
pub enum WeightsCommand {
    /// Show what was learned: of all products and containers, or of one with its history.
    Show(ShowArguments),
    /// Take weights back to what they were at a time; a running daemon notices within seconds.
    Rollback(RollbackArguments),
}

/// What is to be shown.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// A product's identifier, or kind:KIND, container:KIND:ID, spreads:labels.
    id: Option<String>,
    /// The station file.
    #[arg(long)]
    config: PathBuf,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// What is to be taken back.
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// A product's identifier, or kind:KIND, container:KIND:ID, spreads:labels.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// Everything that was learned.
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
pub enum WeightsError {
    /// The station file.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such name.
    #[error("'{0}' is no product's identifier and no kind:KIND, container:KIND:ID, spreads:labels or spreads:FAMILY")]
    Name(String),
    /// Nothing is known of it.
    #[error("nothing was learned of {0} yet")]
    Unknown(Subject),
    /// No time.
    #[error("--to: '{0}' is no time like 2026-11-21T18:00:00Z")]
    Time(String),
    /// Standard output is gone.
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
    /// A belief that is no JSON.
    #[error("cannot print: {0}")]
    Json(#[from] serde_json::Error),
}

/// Does it, telling `out`.
///
/// # Errors
/// See [`WeightsError`]; a rollback is whole or not at all.
pub fn weights(command: &WeightsCommand, out: &mut dyn Write) -> Result<(), WeightsError> {
    match command {
        WeightsCommand::Show(arguments) => show(arguments, out),
        WeightsCommand::Rollback(arguments) => rollback(arguments, out),
    }
}

fn open(config: &Path) -> Result<Database, WeightsError> {
    let (config, _) = load_config(config)?;
    Ok(Database::open(&config.data_directory)?)
}

/// A bare name is a product's.
fn named(text: &str) -> Result<Subject, WeightsError> {
    let product = || ProductId::try_from(text.to_owned()).ok().map(Subject::Product);
    text.parse().ok().or_else(product).ok_or_else(|| WeightsError::Name(text.to_owned()))
}

fn show(arguments: &ShowArguments, out: &mut dyn Write) -> Result<(), WeightsError> {
    let database = open(&arguments.config)?;
    let learner = Learner::new(database.beliefs()?);
    let Some(id) = &arguments.id else {
        for (subject, belief) in learner.beliefs() {
            let weight = learner.weight(subject).unwrap_or_else(|| belief.weight());
            line(out, arguments.json, &subject.to_string(), belief, weight)?;
        }
        return Ok(());
    };
    let subject = named(id)?;
    let history = database.belief_history(&subject, SHOWN_MAX)?;
    if history.is_empty() {
        return Err(WeightsError::Unknown(subject));
    }
    for past in history {
        let at = time(past.at);
        match past.belief {
            Some(belief) => line(out, arguments.json, &format!("{at} {}", past.why), &belief, belief.weight())?,
            None => writeln!(out, "{at} {} as the catalogue says", past.why)?,
        }
    }
    Ok(())
}

fn time(at: Wall) -> String {
    jiff::Timestamp::from_millisecond(at.ms()).map_or_else(|_| at.ms().to_string(), |t| format!("{t:.3}"))
}

fn line(
    out: &mut dyn Write,
    json: bool,
    name: &str,
    belief: &Belief,
    weight: WeightBelief,
) -> Result<(), WeightsError> {
    let source = match belief.source {
        WeightSource::Label => "label",
        WeightSource::Seeded => "seeded",
        WeightSource::Learned => "learned",
        WeightSource::StaffVerified => "staff_verified",
    };
    if json {
        let belief = serde_json::json!({
            "name": name, "mean_g": weight.mean_g, "mean_sd_g": weight.mean_sd_g, "sd_g": weight.sd_g,
            "observations": belief.observations, "source": source, "start": belief.start,
            "rival": belief.rival,
        });
        writeln!(out, "{}", serde_json::to_string(&belief)?)?;
        return Ok(());
    }
    let rival = belief.rival.map_or(String::new(), |r| format!(", perhaps {:.1} g by now", r.mean_g));
    writeln!(
        out,
        "{name}: {:.1} g ± {:.1} g, units spread {:.1} g, {:.0} visits, {source}, began at {:.1} g{rival}",
        weight.mean_g, weight.mean_sd_g, weight.sd_g, belief.observations, belief.start.mean_g
    )?;
    Ok(())
}

fn rollback(arguments: &RollbackArguments, out: &mut dyn Write) -> Result<(), WeightsError> {
    let to: jiff::Timestamp = arguments.to.parse().map_err(|_| WeightsError::Time(arguments.to.clone()))?;
    let subject = arguments.id.as_deref().map(named).transpose()?;
    let mut database = open(&arguments.config)?;
    if let Some(subject) = &subject
        && database.belief_history(subject, 1)?.is_empty()
    {
        return Err(WeightsError::Unknown(subject.clone()));
    }
    let now = Clock::start().now().wall;
    let changed = database.roll_back(subject.as_ref(), Wall::from_ms(to.as_millisecond()), now)?;
    writeln!(out, "{changed} weights taken back to {}", arguments.to)?;
    Ok(())
}
