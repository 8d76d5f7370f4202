//! Where this checkout and its build products lie.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The checkout that the running command belongs to.
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the checkout from what Cargo says, so that a moved or copied checkout means itself.
    ///
    /// # Errors
    /// When the running executable has no place on disk.
    pub fn locate() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask lies in no workspace")?.to_path_buf();
        // `<target>/debug/xtask`: holds for every way of setting Cargo's target folder.
        let executable = std::env::current_exe().context("where the running xtask lies")?;
        let target = executable.ancestors().nth(2).map_or_else(|| root.join("target"), Path::to_path_buf);
        Ok(Self { root, target })
    }

    /// The checkout's top folder, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A program of this workspace as Cargo builds it in `profile` ("debug" or "release").
    pub fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(name)
    }

    /// Cargo itself, the very one that runs this command, as if it were called from a shell: what it has told xtask of xtask's own package would
    /// make build scripts believe that everything has changed.
    pub fn cargo() -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(of_package) {
                cargo.env_remove(name);
            }
        }
        cargo
    }
}
