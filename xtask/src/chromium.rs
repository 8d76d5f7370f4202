//! The browser that the pages are tested in, with its driver.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{Stop, run};

/// Names a browser of its own for the tests.
pub const BROWSER: &str = "AUGENMASS_CHROMIUM";
/// Names its driver.
pub const DRIVER: &str = "AUGENMASS_CHROMEDRIVER";

/// A browser and what drives it.
pub struct Chromium {
    /// The browser.
    pub program: PathBuf,
    /// Speaks WebDriver for it.
    pub driver: PathBuf,
}

/// Finds Chromium and its driver; where they are not there, root on a Debian-like machine gets them from its packages.
///
/// # Errors
/// A machine that has none and cannot get any, with what to do.
pub fn ensure(stop: &Stop) -> Result<Chromium> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let root = nix::unistd::geteuid().is_root();
    if !root || on_path("apt-get").is_none() {
        bail!(
            "the pages are tested in Chromium, which is not here: install `chromium` and `chromium-driver` (on Debian: \
             apt-get install chromium chromium-driver), or name them in {BROWSER} and {DRIVER}"
        );
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run("apt-get update", &mut apt(&["update"]), stop)?;
    // Ubuntu's package of that name is an empty hull; what it brings is found out below.
    run(
        "apt-get install",
        &mut apt(&["install", "-y", "--no-install-recommends", "chromium", "chromium-driver"]),
        stop,
    )?;
    match find() {
        Some(found) => Ok(found),
        None => bail!(
            "chromium and chromium-driver were installed and are still not on PATH; name them in {BROWSER} and {DRIVER}"
        ),
    }
}

fn find() -> Option<Chromium> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.exists());
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    Some(Chromium {
        program: named(BROWSER).or_else(|| browsers.into_iter().find_map(on_path))?,
        driver: named(DRIVER).or_else(|| on_path("chromedriver"))?,
    })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
