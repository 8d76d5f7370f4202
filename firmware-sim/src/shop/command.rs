//! `firmware-sim catalogue`: the demo shop's catalogue for the daemon.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::Shop;

/// Options of `firmware-sim catalogue`.
#[derive(Debug, Clone, Args)]
pub struct CatalogueArgs {
    /// File to write; standard output without it.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// Writes the catalogue as NDJSON.
///
/// # Errors
/// If the file cannot be written.
pub fn run(args: &CatalogueArgs) -> anyhow::Result<()> {
    let text = Shop::demo()?.catalogue_ndjson();
    match &args.out {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display())),
        None => std::io::stdout().write_all(text.as_bytes()).context("cannot write to standard output"),
    }
}
