//! Finds ONNX Runtime's library and holds the one environment that a process may have.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::error::EyesError;

/// Where a release package puts it.
const INSTALLED: &str = "/usr/lib/augenmass/libonnxruntime.so";
/// ONNX Runtime's own variable.
const NAMED_BY_ORT: &str = "ORT_DYLIB_PATH";
/// Set by `.cargo/config.toml` for what runs under Cargo.
const SET_BY_CARGO: &str = "AUGENMASS_ONNXRUNTIME";

/// A second environment in a process is an error of `ort`, even after the first is dropped.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The process's environment; the first call that succeeds decides on the library.
pub(super) fn environment(configured: Option<&Path>) -> Result<Environment, EyesError> {
    let mut held = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = held.as_ref() {
        return Ok(environment.clone());
    }
    let program = std::env::current_exe().ok();
    let path = library(configured, |name| std::env::var_os(name), program.as_deref())?;
    let unusable = |why: String| EyesError::LibraryUnusable { path: path.clone(), why };
    let environment = ort::init_from(&path)
        .map_err(|error| unusable(error.to_string()))?
        .with_name("augenmass")
        .with_telemetry(false)
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    environment.set_log_level(ort::logging::LogLevel::Warning);
    *held = Some(environment.clone());
    Ok(environment)
}

/// The library's absolute path. Who names one must name one that is there; the other places are tried in turn.
fn library(
    configured: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
    program: Option<&Path>,
) -> Result<PathBuf, EyesError> {
    let named = [
        (configured.map(Path::to_owned), "`[models] onnxruntime` of the station file"),
        (variable(NAMED_BY_ORT).filter(|value| !value.is_empty()).map(PathBuf::from), NAMED_BY_ORT),
    ];
    for (path, named_by) in named {
        if let Some(path) = path {
            return path.canonicalize().map_err(|_| EyesError::NamedLibraryMissing { path, named_by });
        }
    }
    let beside = program.and_then(Path::parent);
    let places: Vec<PathBuf> = [
        Some(PathBuf::from(INSTALLED)),
        variable(SET_BY_CARGO).map(PathBuf::from),
        beside.map(|folder| folder.join("libonnxruntime.so")),
        // A program started straight from target/debug or target/release, without Cargo.
        beside.and_then(Path::parent).map(|target| target.join("onnxruntime/libonnxruntime.so")),
    ]
    .into_iter()
    .flatten()
    .collect();
    // `ort` looks for a relative path beside the program first, so it gets none.
    places.iter().find_map(|place| place.canonicalize().ok()).ok_or(EyesError::LibraryMissing(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_a_library_gets_that_one_or_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there.so");
        std::fs::write(&there, "").unwrap();
        let there = there.canonicalize().unwrap();
        let missing = folder.path().join("missing.so");
        let by_cargo = |name: &str| (name == SET_BY_CARGO).then(|| there.clone().into_os_string());

        assert_eq!(library(Some(&there), |_| None, None), Ok(there.clone()));
        assert_eq!(library(None, by_cargo, None), Ok(there.clone()));
        let refused = library(Some(&missing), by_cargo, None).unwrap_err();
        assert!(matches!(refused, EyesError::NamedLibraryMissing { .. }), "{refused}");
        let by_ort = |name: &str| (name == NAMED_BY_ORT).then(|| missing.clone().into_os_string());
        assert!(library(None, by_ort, None).unwrap_err().to_string().contains("ORT_DYLIB_PATH"));
    }

    #[test]
    fn without_a_library_all_places_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("release/augenmass");
        match library(None, |_| None, Some(&program)) {
            Err(error @ EyesError::LibraryMissing(_)) => {
                let text = error.to_string();
                assert!(text.contains("cargo xtask onnxruntime") && text.contains("/usr/lib/augenmass/"), "{text}");
            }
            // A machine on which the package is installed has one.
            other => assert_eq!(other, Ok(PathBuf::from(INSTALLED).canonicalize().unwrap())),
        }
        let beside_target = folder.path().join("onnxruntime/libonnxruntime.so");
        std::fs::create_dir_all(beside_target.parent().unwrap()).unwrap();
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(&beside_target, "").unwrap();
        if !Path::new(INSTALLED).exists() {
            assert_eq!(library(None, |_| None, Some(&program)), Ok(beside_target.canonicalize().unwrap()));
        }
    }
}
