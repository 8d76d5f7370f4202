//! `cargo xtask evaluate`: the judge against the best possible detector, with everything passed on to `proving evaluate`.

use std::ffi::OsString;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;
use clap::Args;

use crate::process::{Kept, Stop, run, step};
use crate::workspace::Workspace;

/// Options of `cargo xtask evaluate`, all of them those of `proving evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// See `cargo xtask evaluate --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds `proving` for speed and runs it; the status is its own.
///
/// # Errors
/// When it does not build or start.
pub fn evaluate(workspace: &Workspace, arguments: &EvaluateArguments) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    step("building the measurement", || {
        let mut build = Workspace::cargo();
        build.args(["build", "--release", "-p", "proving"]);
        run("cargo build", build.current_dir(workspace.root()).stdout(Stdio::null()), &stop)
    })?;
    let mut proving = Command::new(workspace.program("release", "proving"));
    proving.arg("evaluate").args(&arguments.arguments);
    let status = Kept::start("proving", &mut proving)?.finish_showing(&stop, || None)?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
