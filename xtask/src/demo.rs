//! `cargo xtask demo`: the whole station on this machine, with shoppers.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::gallery;
use crate::onnxruntime;
use crate::process::{Kept, Stop, pause, run, step};
use crate::station_file::StationFile;
use crate::workspace::Workspace;

/// Which station is shown.
const STATION: &str = "hw-configs/basket-plate.toml";
/// What happens at it.
const SCENARIO: &str = "firmware-sim/scenarios/demo.toml";

/// Options of `cargo xtask demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Draws goods, masses and noise.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End after the last shopper; status 1 if a verdict was not the expected one.
    #[arg(long)]
    exit: bool,
    /// One JSON object a shopper on standard output, and nothing else there.
    #[arg(long)]
    json: bool,
}

/// Builds, sets up and plays the demo; the status is the simulator's.
///
/// # Errors
/// What does not build, start or stay up.
pub fn demo(workspace: &Workspace, arguments: &DemoArguments) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let library = step("ONNX Runtime", || onnxruntime::ensure(workspace))?;
    step("building the daemon and the simulator", || {
        let mut build = Workspace::cargo();
        build.args(["build", "--release", "-p", "augenmass", "-p", "firmware-sim"]);
        run("cargo build", build.current_dir(workspace.root()).stdout(Stdio::null()), &stop)
    })?;
    let demo = Demo::prepare(workspace, library)?;
    gallery::stock(workspace, &demo, &stop)?;
    demo.play(arguments, &stop)
}

/// One demo's folder, programs and addresses.
pub struct Demo {
    /// Where it all lies; made anew each time.
    pub folder: PathBuf,
    /// The daemon's data folder, in it.
    pub data: PathBuf,
    root: PathBuf,
    config: PathBuf,
    page: String,
    daemon: PathBuf,
    simulator: PathBuf,
    library: PathBuf,
    /// Held so that two demos do not tread on each other.
    _lock: File,
}

impl Demo {
    fn prepare(workspace: &Workspace, library: PathBuf) -> Result<Self> {
        let root = workspace.root().to_owned();
        let lock = File::create(root.join("target/demo.lock")).context("making target/demo.lock")?;
        if lock.try_lock().is_err() {
            bail!("another demo of this checkout is running: end it first");
        }
        let folder = root.join("target/demo");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let (text, page) = station_file(&root, &folder)?;
        let config = folder.join("station.toml");
        fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
        Ok(Self {
            data: folder.join("data"),
            folder,
            config,
            page,
            daemon: workspace.program("release", "augenmass"),
            simulator: workspace.program("release", "firmware-sim"),
            root,
            library,
            _lock: lock,
        })
    }

    /// The daemon with a command line; its standard output is left to ours or silenced by the caller.
    pub fn daemon(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.daemon);
        command.args(arguments).current_dir(&self.root).env("ORT_DYLIB_PATH", &self.library);
        command.stdin(Stdio::null());
        command
    }

    /// The simulator with a command line.
    pub fn simulator(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.simulator);
        command.args(arguments).current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// The station file of this demo.
    pub fn config(&self) -> &Path {
        &self.config
    }

    fn play(&self, arguments: &DemoArguments, stop: &Stop) -> Result<ExitCode> {
        let log_path = self.folder.join("augenmass.log");
        let log = File::create(&log_path).with_context(|| format!("making {}", log_path.display()))?;
        let mut run_daemon = self.daemon(&["run", "--config"]);
        run_daemon.arg(&self.config).stdout(log.try_clone()?).stderr(log).env("NO_COLOR", "1");
        let mut daemon = Kept::start("the daemon", &mut run_daemon)?;

        let seed = arguments.seed.to_string();
        let mut run_simulator = self.simulator(&["run", "--scenario", SCENARIO, "--seed", &seed]);
        run_simulator.arg("--hw").arg(&self.config).args(["--station", &self.page]);
        run_simulator.args(arguments.json.then_some("--json")).args(arguments.exit.then_some("--exit"));
        let mut simulator = Kept::start("the simulator", &mut run_simulator)?;

        eprintln!();
        eprintln!("The station's display:  {}/", self.page);
        eprintln!("What the daemon says:   {}", log_path.display());
        if !arguments.exit {
            eprintln!("Ctrl-C ends it all.");
        }
        eprintln!();
        loop {
            if stop.asked() {
                return Ok(ExitCode::SUCCESS);
            }
            if let Some(status) = simulator.ended()? {
                // A signal has no code; it is never a good end.
                let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
                return Ok(ExitCode::from(code));
            }
            if let Some(status) = daemon.ended()? {
                bail!("the daemon has ended ({status}); the end of {}:\n{}", log_path.display(), tail(&log_path));
            }
            pause();
        }
    }
}

/// The station file with the demo's own folder and free ports, and the address of its page.
fn station_file(root: &Path, folder: &Path) -> Result<(String, String)> {
    let source = root.join(STATION);
    let text = fs::read_to_string(&source).with_context(|| format!("reading {}", source.display()))?;
    let mut file = StationFile::new(&text);
    let mut taken = BTreeSet::new();
    for (section, key) in [("api", "listen"), ("camera", "url"), ("simulator", "control")] {
        let value = file.get(section, key)?;
        file.set(section, key, &with_free_port(&value, &mut taken)?)?;
    }
    for (section, key, path) in [
        ("data", "directory", folder.join("data")),
        ("models", "directory", root.join("models")),
        ("board", "path", folder.join("by-path/plate")),
    ] {
        file.set(section, key, path.to_str().context("the checkout's path is no UTF-8")?)?;
    }
    let page = format!("http://{}", file.get("api", "listen")?);
    Ok((file.text(), page))
}

/// The address with its own port if that is free, or else with any free one.
fn with_free_port(address: &str, taken: &mut BTreeSet<u16>) -> Result<String> {
    let Some((before, port, after)) = split_port(address) else {
        bail!("{address} has no port");
    };
    let is_free = !taken.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok();
    let port = if is_free { port } else { TcpListener::bind("127.0.0.1:0")?.local_addr()?.port() };
    taken.insert(port);
    Ok(format!("{before}:{port}{after}"))
}

/// `http://host:80/path` as `http://host`, 80, `/path`.
fn split_port(address: &str) -> Option<(&str, u16, &str)> {
    let (before, rest) = address.rsplit_once(':')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((before, rest[..end].parse().ok()?, &rest[end..]))
}

/// The last lines of a log.
fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_gives_way_to_a_free_one() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();
        let mut taken = BTreeSet::new();
        let other = with_free_port(&format!("http://127.0.0.1:{port}/top.mjpeg"), &mut taken).unwrap();
        let (before, found, after) = split_port(&other).unwrap();
        assert_eq!((before, after), ("http://127.0.0.1", "/top.mjpeg"));
        assert_ne!(found, port);
        assert!(taken.contains(&found));
        assert!(with_free_port("nowhere", &mut taken).is_err());
    }

    #[test]
    fn the_shipped_station_is_copied_with_the_demos_own_places() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let (text, page) = station_file(root, Path::new("/demo")).unwrap();
        assert!(text.contains("directory = \"/demo/data\""), "{text}");
        assert!(text.contains("path = \"/demo/by-path/plate\""), "{text}");
        assert!(page.starts_with("http://127.0.0.1:"), "{page}");
        let original = fs::read_to_string(root.join(STATION)).unwrap();
        let changed = text.lines().zip(original.lines()).filter(|(a, b)| a != b).count();
        assert!((3..=6).contains(&changed), "{changed} lines differ");
    }
}
