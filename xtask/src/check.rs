//! `cargo xtask test`: everything that must hold before a change is done.

use std::process::Stdio;

use anyhow::Result;

use crate::process::{Stop, run, step};
use crate::workspace::Workspace;
use crate::{chromium, onnxruntime};

/// Runs all steps, and stops at the first that fails.
///
/// # Errors
/// What failed; its own words stand above.
pub fn test(workspace: &Workspace) -> Result<()> {
    let stop = Stop::listen()?;
    let cargo = |arguments: &[&str]| {
        let mut command = Workspace::cargo();
        command.args(arguments).current_dir(workspace.root());
        command
    };
    step("ONNX Runtime", || onnxruntime::ensure(workspace).map(drop))?;
    let browser = step("Chromium", || chromium::ensure(&stop))?;
    if is_installed("fmt") {
        step("format", || run("cargo fmt", &mut cargo(&["fmt", "--all", "--check"]), &stop))?;
    }
    if is_installed("clippy") {
        let lints = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
        step("lints", || run("cargo clippy", &mut cargo(&lints), &stop))?;
    }
    step("programs", || run("cargo build", &mut cargo(&["build", "--workspace", "--bins"]), &stop))?;
    step("tests", || {
        let mut tests = cargo(&["test", "--workspace"]);
        tests.env(chromium::BROWSER, &browser.program).env(chromium::DRIVER, &browser.driver);
        run("cargo test", &mut tests, &stop)
    })?;
    eprintln!("all is well");
    Ok(())
}

/// Whether a component of the toolchain is there; a machine without it is told and goes on.
fn is_installed(component: &str) -> bool {
    let found = Workspace::cargo()
        .args([component, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        eprintln!("== cargo {component} is not installed: left out (`rustup component add` brings it)");
    }
    found
}
