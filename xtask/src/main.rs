//! Set-up and the project's own commands: `cargo xtask demo | test | evaluate | prove | onnxruntime`.

mod check;
mod chromium;
mod demo;
mod evaluate;
mod gallery;
mod onnxruntime;
mod process;
mod prove;
mod station_file;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up and the project's own commands.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, set up a station with its simulator, and watch shoppers come to it.
    Demo(demo::DemoArguments),
    /// Check the format, the lints and all tests.
    Test,
    /// The long measurements: settling, calibration, every fault a thousand times.
    Prove(prove::ProveArguments),
    /// Measure the judge against the best possible detector: `cargo xtask evaluate --help` says how.
    #[command(disable_help_flag = true)]
    Evaluate(evaluate::EvaluateArguments),
    /// Fetch the pinned ONNX Runtime library into target/onnxruntime (nothing to do when it is there).
    Onnxruntime,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run(arguments.command).unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = workspace::Workspace::locate()?;
    match command {
        Command::Demo(arguments) => demo::demo(&workspace, &arguments),
        Command::Test => check::test(&workspace).map(|()| ExitCode::SUCCESS),
        Command::Prove(arguments) => prove::prove(&workspace, &arguments).map(|()| ExitCode::SUCCESS),
        Command::Evaluate(arguments) => evaluate::evaluate(&workspace, &arguments),
        Command::Onnxruntime => {
            let library = onnxruntime::ensure(&workspace)?;
            println!("{}", library.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}
