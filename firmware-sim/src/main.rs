//! `firmware-sim`: see `--help`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use firmware_sim::render::command::{self as render, LooksArgs, RenderArgs};
use firmware_sim::shell::run::{self, RunArgs};
use firmware_sim::shop::command::{self as catalogue, CatalogueArgs};

/// Plays the hardware of a validation station: goods, plate, load-cell boards, cameras, shoppers.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Cmd,
}

#[derive(Debug, Subcommand)]
enum Cmd {
    /// Play one station's hardware, and shoppers if a scenario is given.
    Run(RunArgs),
    /// Write the demo shop's catalogue for the daemon (NDJSON).
    Catalogue(CatalogueArgs),
    /// Write labelled training scenes.
    Render(RenderArgs),
    /// Write pictures of single products, for enrolment and training.
    Looks(LooksArgs),
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(log_filter()).init();
    match dispatch(&Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("firmware-sim: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: &Cmd) -> anyhow::Result<bool> {
    match command {
        Cmd::Run(args) => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            runtime.block_on(run::run(args))
        }
        Cmd::Catalogue(args) => catalogue::run(args).map(|()| true),
        Cmd::Render(args) => render::run(args).map(|()| true),
        Cmd::Looks(args) => render::run_looks(args).map(|()| true),
    }
}

fn log_filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into())
}
