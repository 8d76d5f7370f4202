//! The command line.

use super::access::{AccessCommand, AccessError, access};
use super::audit::{AuditCommand, AuditError, audit};
use super::bench::{BenchError, LooksArguments, VisionArguments, looks as bench_looks, vision};
use super::calibrate::{CalibrateArguments, CalibrateError, calibrate, lines_of_stdin};
use super::calibrations::Calibrations;
use super::catalogue::{CatalogueCommand, CatalogueError, catalogue};
use super::config::StationConfig;
use super::decode::{DecodeArguments, DecodeError, decode};
use super::decode_code::{CodeArguments, decode_code};
use super::enroll::{EnrollError, enroll, pictures_of};
use super::looks::{LooksCommand, LooksCommandError, looks};
use super::probe::{ProbeArguments, ProbeError, probe, words};
use super::replay::{ReplayArguments, ReplayError, replay};
use super::run::{StartError, load_config, open_eyes, run};
use super::see::{SeeArguments, SeeError, see};
use super::store::{StoreCommand, StoreCommandError, store};
use super::token::{TokenCommand, TokenError, token};
use super::user::{UserCommand, UserError, user};
use super::weights::{WeightsCommand, WeightsError, weights};
use super::{telemetry, wiring};
use augenmass_core::units::ProductId;
use augenmass_core::verdict::Versions;
use clap::{Parser, Subcommand};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The daemon of a scan-and-go validation station: weighs, looks, judges.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the station.
    Run {
        /// The station file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Check a station file and its models, and tell everything that is wrong with it.
    CheckConfig {
        /// The station file.
        config: PathBuf,
    },
    /// Print a station file as it was understood.
    PrintConfig {
        /// The station file.
        config: PathBuf,
    },
    /// The shop's products.
    Catalogue {
        #[command(subcommand)]
        command: CatalogueCommand,
    },
    /// Learn how products look, from pictures.
    Enroll {
        /// The station file.
        #[arg(long)]
        config: PathBuf,
        /// A folder that has one folder of pictures a product, named by its identifier.
        #[arg(long, conflicts_with_all = ["product", "images"])]
        dir: Option<PathBuf>,
        /// The product's identifier.
        #[arg(required_unless_present = "dir")]
        product: Option<ProductId>,
        /// Pictures of it, cut out, from all sides.
        #[arg(required_unless_present = "dir")]
        images: Vec<PathBuf>,
    },
    /// Show what the eyes make of pictures: an annotated copy of each, and one JSON object a line.
    See(SeeArguments),
    /// Measure this computer.
    Bench {
        #[command(subcommand)]
        command: BenchCommand,
    },
    /// Calibrate a plate's load cells with a known mass; the daemon must not be running.
    Calibrate(CalibrateArguments),
    /// Find out what an unknown instrument on a serial port speaks.
    ScaleProbe(ProbeArguments),
    /// Show what bytes mean.
    Decode {
        #[command(subcommand)]
        command: DecodeCommand,
    },
    /// Credentials for those who speak with the station.
    Access {
        #[command(subcommand)]
        command: AccessCommand,
    },
    /// Exit tokens.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Accounts of the staff.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// The station's own file.
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// The record of what staff did.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Put a journal's bytes through the sense of weight again.
    Replay(ReplayArguments),
    /// How goods look: what was enrolled and learned, and what looks alike.
    Looks {
        #[command(subcommand)]
        command: LooksCommand,
    },
    /// What was learned of weights.
    Weights {
        #[command(subcommand)]
        command: WeightsCommand,
    },
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// How long looking takes: one picture found and 20 crops embedded, again and again.
    Vision(VisionArguments),
    /// What the looks of a large shop cost in memory and time; with pictures, how well products are told apart by what is kept.
    Looks(LooksArguments),
}

#[derive(Debug, Subcommand)]
enum DecodeCommand {
    /// A scale's wire: bytes on standard input, one JSON event a line on standard output.
    Scale(DecodeArguments),
    /// A scanned code: what it means as one JSON object, or its fault and place with exit status 1.
    Code(CodeArguments),
}

#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Store(#[from] StoreCommandError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    #[error(transparent)]
    See(#[from] SeeError),
    #[error(transparent)]
    Bench(#[from] BenchError),
    #[error(transparent)]
    Calibrate(#[from] CalibrateError),
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error("nothing was recognised")]
    Unrecognised,
    #[error("{message}, at byte {at}")]
    NoCode { message: String, at: u64 },
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Looks(#[from] LooksCommandError),
    #[error("cannot write the report: {0}")]
    Report(#[from] serde_json::Error),
    #[error("cannot print the configuration: {0}")]
    Print(#[from] toml::ser::Error),
}

/// Runs the command line; errors go to standard error, exit status 1.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    telemetry::start_logging();
    let done = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime.block_on(execute(arguments.command)),
        Err(error) => Err(StartError::Runtime(error).into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("augenmass: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command) -> Result<(), CommandError> {
    match command {
        Command::Run { config } => {
            telemetry::metrics_page();
            Ok(run(&config).await?)
        }
        Command::CheckConfig { config } => check(&config),
        Command::PrintConfig { config } => {
            let (config, _) = load_config(&config)?;
            println!("{}", toml::to_string_pretty::<StationConfig>(&config)?);
            Ok(())
        }
        Command::Catalogue { command } => {
            Ok(catalogue(&command, &mut std::io::BufWriter::new(std::io::stdout().lock()))?)
        }
        Command::Enroll { config, dir, product, images } => {
            let pictures = match (dir, product) {
                (Some(dir), _) => pictures_of(&dir)?,
                (None, Some(product)) => BTreeMap::from([(product, images)]),
                (None, None) => BTreeMap::new(),
            };
            let (products, pictures) = enroll(&config, pictures).await?;
            println!("{products} products enrolled from {pictures} pictures");
            Ok(())
        }
        Command::See(arguments) => Ok(see(&arguments, &mut std::io::stdout()).await?),
        Command::Bench { command: BenchCommand::Vision(arguments) } => {
            Ok(vision(&arguments, &mut std::io::stdout()).await?)
        }
        Command::Bench { command: BenchCommand::Looks(arguments) } => {
            Ok(bench_looks(&arguments, &mut std::io::stdout()).await?)
        }
        Command::Calibrate(arguments) => {
            calibrate(&arguments, lines_of_stdin(), &mut std::io::stdout()).await?;
            Ok(())
        }
        Command::ScaleProbe(arguments) => scale_probe(&arguments).await,
        Command::Decode { command: DecodeCommand::Scale(arguments) } => {
            Ok(decode(&arguments, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())?)
        }
        Command::Decode { command: DecodeCommand::Code(arguments) } => show_code(&arguments),
        Command::Looks { command } => Ok(looks(&command, &mut std::io::stdout().lock())?),
        Command::Weights { command } => Ok(weights(&command, &mut std::io::stdout().lock())?),
        Command::Access { command } => Ok(access(&command, &mut std::io::stdout())?),
        Command::User { command } => Ok(user(&command, &mut std::io::stdout())?),
        Command::Store { command } => Ok(store(&command, &mut std::io::stdout())?),
        Command::Audit { command } => Ok(audit(&command, &mut std::io::stdout())?),
        Command::Token { command } => Ok(token(&command, &mut std::io::stdout())?),
        Command::Replay(arguments) => Ok(replay(&arguments, &mut std::io::BufWriter::new(std::io::stdout().lock()))?),
    }
}

async fn scale_probe(arguments: &ProbeArguments) -> Result<(), CommandError> {
    let report = probe(arguments).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", words(&report, arguments.ask));
    }
    if report.found.is_some() { Ok(()) } else { Err(CommandError::Unrecognised) }
}

fn show_code(arguments: &CodeArguments) -> Result<(), CommandError> {
    let station = arguments.config.as_deref().map(load_config).transpose()?.map(|(config, _)| config);
    let (told, is_code) = decode_code(arguments, station.as_ref());
    println!("{told}");
    if is_code {
        return Ok(());
    }
    let fault = &told["fault"];
    Err(CommandError::NoCode {
        message: fault["message"].as_str().unwrap_or_default().to_owned(),
        at: fault["at"].as_u64().unwrap_or_default(),
    })
}

fn check(path: &Path) -> Result<(), CommandError> {
    let (config, _) = load_config(path)?;
    let calibrations = Calibrations::read(&config).map_err(StartError::from)?;
    wiring::station(&config, &calibrations, Versions::default()).map_err(StartError::from)?;
    if !config.cameras.is_empty() {
        open_eyes(&config).map_err(StartError::from)?;
    }
    println!("{}: station {} is sound", path.display(), config.station.id);
    Ok(())
}
