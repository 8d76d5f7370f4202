//! Where this checkout and its build products lie.

use std::path::{Path, PathBuf};

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

    /// Cargo itself, the very one that runs this command.
    pub fn cargo() -> std::ffi::OsString {
        std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
    }
}
