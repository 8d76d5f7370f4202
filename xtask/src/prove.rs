//! `cargo xtask prove`: the long measurements behind SPECIFICATION.md; the tests run a slice of each.

use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::process::{Stop, run, step};
use crate::workspace::Workspace;

/// How much of it.
#[derive(Args)]
pub struct ProveArguments {
    /// Visits a fault, calibrations of each kind; ten times as many placements.
    #[arg(long, default_value_t = 1000)]
    runs: u64,
    /// Chooses everything that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Stations whose faults are planted.
const STATIONS: [&str; 4] = ["basket-plate", "indicator-mt-sics", "indicator-dialog06", "indicator-modbus-laumas"];

/// Runs all of it and fails at the end if anything did not hold.
///
/// # Errors
/// What does not build; what did not hold.
pub fn prove(workspace: &Workspace, arguments: &ProveArguments) -> Result<()> {
    let stop = Stop::listen()?;
    step("building", || {
        let mut build = Workspace::cargo();
        build.args(["build", "--release", "-p", "proving"]).current_dir(workspace.root());
        run("cargo build", &mut build, &stop)
    })?;
    let runs = arguments.runs.to_string();
    let placements = arguments.runs.saturating_mul(10).to_string();
    let mut plan: Vec<Vec<String>> = vec![
        words(&["settling", "--runs", &placements]),
        words(&["settling", "--runs", &placements, "--hard"]),
        words(&["settling", "--runs", &runs, "--people"]),
        words(&["calibration", "--runs", &runs]),
    ];
    for station in STATIONS {
        let file = format!("hw-configs/{station}.toml");
        plan.push(words(&["--hw", &file, "faults", "--runs", &runs]));
    }
    let mut failed = Vec::new();
    for mut words in plan {
        words.extend(["--seed".to_owned(), arguments.seed.to_string()]);
        println!("\n== proving {}", words.join(" "));
        let mut command = Command::new(workspace.root().join("target/release/proving"));
        command.args(&words).current_dir(workspace.root());
        if run("proving", &mut command, &stop).is_err() {
            failed.push(words.join(" "));
        }
        if stop.asked() {
            bail!("stopped");
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("did not hold:\n  proving {}", failed.join("\n  proving "))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
