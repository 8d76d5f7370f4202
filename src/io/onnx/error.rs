//! Why the eyes do not open, or a look fails.

use std::path::PathBuf;

/// Why the models cannot be used, with the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EyesError {
    /// No library anywhere.
    #[error(
        "ONNX Runtime is missing (looked at {}): run `cargo xtask onnxruntime`, or name the library in \
         `[models] onnxruntime` of the station file or in ORT_DYLIB_PATH",
        list(.0)
    )]
    LibraryMissing(Vec<PathBuf>),
    /// A library that somebody named is not there.
    #[error("{} is named by {named_by} and is not there", .path.display())]
    NamedLibraryMissing {
        /// The path.
        path: PathBuf,
        /// Who names it.
        named_by: &'static str,
    },
    /// There is a file, and it is no ONNX Runtime of version 1.24 or later.
    #[error("{} cannot be used as ONNX Runtime 1.24 or later ({why}): run `cargo xtask onnxruntime`", .path.display())]
    LibraryUnusable {
        /// The path.
        path: PathBuf,
        /// The loader's words.
        why: String,
    },
    /// No manifest, or not one of this format.
    #[error("{} cannot be used ({why}): `[models] directory` in the station file must be the folder `models` of this release", .path.display())]
    Manifest {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file that the manifest names cannot be read.
    #[error("{} cannot be read ({why}) and the manifest names it: copy the folder `models` of this release anew", .path.display())]
    FileMissing {
        /// The path.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A file is not the one that the manifest means.
    #[error(
        "{} is not the file that the manifest names (its SHA-256 is {found}, not {expected}): copy the folder \
         `models` of this release anew",
        .path.display()
    )]
    WrongHash {
        /// The path.
        path: PathBuf,
        /// As in the manifest.
        expected: String,
        /// As it is.
        found: String,
    },
    /// The file is no model that ONNX Runtime takes.
    #[error("{} is refused by ONNX Runtime: {why}", .path.display())]
    Refused {
        /// The path.
        path: PathBuf,
        /// Its words.
        why: String,
    },
    /// The model does not keep the contract of its role.
    #[error("{} is no {role}: {what}", .path.display())]
    OffContract {
        /// The path.
        path: PathBuf,
        /// `itemdet` or `itememb`.
        role: &'static str,
        /// What differs, and what it must be.
        what: String,
    },
    /// The model does not compute what it computed when it was released.
    #[error(
        "{} fails its self-test ({what}): this machine or its ONNX Runtime computes wrongly, or the manifest \
         belongs to another model",
        .path.display()
    )]
    SelfTest {
        /// The path.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// The system gives no thread.
    #[error("no thread for the models: {0}")]
    NoThread(String),
}

/// Why one picture could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// The JPEG ends too early.
    #[error("the picture is cut off")]
    CutOff,
    /// No picture, or one of a kind that is not read.
    #[error("the picture cannot be decoded: {0}")]
    Undecodable(String),
    /// `view_px` does not lie within it.
    #[error(
        "the picture has {width} x {height} pixels, and `view_px` reaches beyond: set `width_px`, `height_px` \
         and `view_px` of the camera in the station file to what it sends"
    )]
    WrongSize {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The model failed or gave what cannot be.
    #[error("the model failed: {0}")]
    Model(String),
    /// The thread is gone.
    #[error("the models' thread has ended")]
    Stopped,
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
