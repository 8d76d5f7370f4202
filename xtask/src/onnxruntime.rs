//! Provides the ONNX Runtime library: pinned, checked twice, fetched with pip.
//!
//! pip is the one client that reaches the release wheels through every mirror and proxy its user has
//! set up; the wheel's Python version does not matter, for only the C library in it is used.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::workspace::Workspace;

/// Release of ONNX Runtime; `ort` is built for API 24, which 1.24 and everything later serves.
const VERSION: &str = "1.31.1";

/// One build of the release.
struct Build {
    /// As in `std::env::consts::ARCH`.
    architecture: &'static str,
    platform: &'static str,
    python: &'static str,
    wheel_sha256: &'static str,
    library_sha256: &'static str,
}

const BUILDS: [Build; 2] = [
    Build {
        architecture: "x86_64",
        platform: "manylinux_2_28_x86_64",
        python: "3.11",
        wheel_sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        library_sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
    },
    Build {
        architecture: "aarch64",
        platform: "manylinux_2_28_aarch64",
        python: "3.12",
        wheel_sha256: "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
        library_sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
    },
];

/// Makes sure that `target/onnxruntime/libonnxruntime.so` is the pinned library of this machine's
/// architecture, and returns its path. Quick when it already is.
///
/// # Errors
/// No build for this machine, pip missing or failing, or a file that does not have its pinned hash.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let build = build_for(std::env::consts::OS, std::env::consts::ARCH)?;
    let home = workspace.root().join("target/onnxruntime");
    let folder_name = format!("{VERSION}-{}-{}", build.architecture, std::env::consts::OS);
    let library_name = format!("libonnxruntime.so.{VERSION}");
    let library = home.join(&folder_name).join(&library_name);
    if !has_hash(&library, build.library_sha256)? {
        fetch(build, &home, &folder_name, &library_name)?;
    }
    let link = home.join("libonnxruntime.so");
    point(&link, &Path::new(&folder_name).join(&library_name))?;
    Ok(link)
}

fn build_for(system: &str, architecture: &str) -> Result<&'static Build> {
    if system != "linux" {
        bail!("no pinned ONNX Runtime for {system}: the station's programs run on Linux");
    }
    BUILDS.iter().find(|build| build.architecture == architecture).with_context(|| {
        format!(
            "no pinned ONNX Runtime for {architecture} (there is one for {}); install one of version 1.24 or later \
             yourself and name it in ORT_DYLIB_PATH",
            BUILDS.map(|build| build.architecture).join(" and ")
        )
    })
}

/// Downloads the wheel, unpacks and checks it, and only then moves the folder to its place, so that
/// an interrupted fetch leaves nothing that looks finished.
fn fetch(build: &Build, home: &Path, folder_name: &str, library_name: &str) -> Result<()> {
    let work = home.join(format!(".fetch-{}", std::process::id()));
    fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
    let outcome = fetch_into(build, &work, library_name).and_then(|unpacked| {
        let place = home.join(folder_name);
        if place.exists() {
            fs::remove_dir_all(&place).with_context(|| format!("clearing {}", place.display()))?;
        }
        fs::rename(&unpacked, &place).with_context(|| format!("moving to {}", place.display()))
    });
    // A left-over work folder is untidy, never wrong.
    let _ = fs::remove_dir_all(&work);
    outcome
}

fn fetch_into(build: &Build, work: &Path, library_name: &str) -> Result<PathBuf> {
    eprintln!("fetching ONNX Runtime {VERSION} for {} (24 MB)", build.architecture);
    let wheel = download(build, work)?;
    ensure!(
        has_hash(&wheel, build.wheel_sha256)?,
        "{} does not have the pinned hash {}: refused",
        wheel.display(),
        build.wheel_sha256
    );
    let unpacked = work.join("unpacked");
    fs::create_dir_all(&unpacked)?;
    unpack(&wheel, &unpacked, library_name)?;
    ensure!(
        has_hash(&unpacked.join(library_name), build.library_sha256)?,
        "the library in {} does not have the pinned hash {}: refused",
        wheel.display(),
        build.library_sha256
    );
    Ok(unpacked)
}

fn download(build: &Build, work: &Path) -> Result<PathBuf> {
    let pip_is_there = Command::new("python3")
        .args(["-m", "pip", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    ensure!(
        pip_is_there,
        "`python3 -m pip` does not run, and ONNX Runtime is fetched with it.\n\
         Install it (Debian, Ubuntu: `sudo apt install python3-pip`) and try again,\n\
         or install ONNX Runtime 1.24 or later yourself and name its library in ORT_DYLIB_PATH."
    );
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, format!("onnxruntime=={VERSION} --hash=sha256:{}\n", build.wheel_sha256))?;
    let wheels = work.join("wheels");
    let status = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
        .args(["--require-hashes", "--no-deps", "--only-binary=:all:"])
        .args(["--implementation", "cp", "--python-version", build.python])
        .args(["--platform", build.platform])
        .arg("--dest")
        .arg(&wheels)
        .arg("--requirement")
        .arg(&requirements)
        // Whoever calls may hand its stdout to a program that reads JSON lines.
        .stdout(std::io::stderr())
        .status()
        .context("starting python3")?;
    ensure!(status.success(), "pip could not download ONNX Runtime {VERSION} ({status}); its own words are above");
    fs::read_dir(&wheels)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip reported success and left no wheel")
}

/// Takes the library and the texts its licence asks to pass on.
fn unpack(wheel: &Path, into: &Path, library_name: &str) -> Result<()> {
    let mut archive =
        zip::ZipArchive::new(fs::File::open(wheel)?).with_context(|| format!("reading {}", wheel.display()))?;
    let wanted = [
        (format!("onnxruntime/capi/{library_name}"), library_name),
        ("onnxruntime/LICENSE".to_owned(), "LICENSE"),
        ("onnxruntime/ThirdPartyNotices.txt".to_owned(), "ThirdPartyNotices.txt"),
    ];
    for (entry, name) in wanted {
        let mut content = archive.by_name(&entry).with_context(|| format!("no {entry} in {}", wheel.display()))?;
        let mut file = fs::File::create(into.join(name))?;
        std::io::copy(&mut content, &mut file).with_context(|| format!("unpacking {entry}"))?;
    }
    Ok(())
}

/// Whether `path` exists and its SHA-256 is `expected` (lower-case hex).
fn has_hash(path: &Path, expected: &str) -> Result<bool> {
    match fs::File::open(path) {
        Ok(file) => Ok(sha256(file).with_context(|| format!("reading {}", path.display()))? == expected),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("opening {}", path.display())),
    }
}

/// SHA-256 of everything `source` gives, in lower-case hex.
pub fn sha256(mut source: impl Read) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = source.read(&mut buffer)?;
        if length == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..length]);
    }
}

/// Lets the symbolic link at `link` lead to `to`, with no moment at which it leads nowhere.
fn point(link: &Path, to: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|present| present == to) {
        return Ok(());
    }
    let fresh = link.with_extension(format!("new-{}", std::process::id()));
    std::os::unix::fs::symlink(to, &fresh).with_context(|| format!("linking {}", fresh.display()))?;
    fs::rename(&fresh, link).with_context(|| format!("linking {}", link.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_the_published_one() {
        // FIPS 180-4, example "abc".
        assert_eq!(sha256(&b"abc"[..]).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn other_machines_are_told_what_there_is() {
        assert!(build_for("linux", "aarch64").is_ok());
        let refusal = build_for("linux", "riscv64").err().unwrap().to_string();
        assert!(refusal.contains("x86_64 and aarch64"), "{refusal}");
        assert!(build_for("macos", "aarch64").is_err());
    }

    #[test]
    fn a_link_is_moved_and_left_alone_when_right() {
        let folder = std::env::temp_dir().join(format!("xtask-link-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let link = folder.join("library.so");
        point(&link, Path::new("old")).unwrap();
        point(&link, Path::new("new")).unwrap();
        point(&link, Path::new("new")).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("new"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
