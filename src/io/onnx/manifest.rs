//! `manifest.json` beside the models: which files they are, and how to tell that they work.

use std::path::{Path, PathBuf};

use augenmass_core::goods::LookCalibration;
use augenmass_core::vision::Counting;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::EyesError;

/// The manifest's format that this program reads.
const FORMAT: u32 = 1;

/// Names of the two models, for `/v1/station` and for what verdicts carry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelsInfo {
    /// Finds goods.
    pub detector: ModelInfo,
    /// Says how they look.
    pub embedder: ModelInfo,
    /// Score from which a detection counts, 0..=1.
    pub threshold: f32,
    /// From scores to how many goods there are.
    pub counting: Counting,
    /// The space that embeddings live in; a gallery of another space is refused.
    pub space_id: String,
    /// From cosine to evidence.
    pub calibration: LookCalibration,
    /// SHA-256 of `manifest.json` itself, lower-case hex: names everything above.
    pub manifest_sha256: String,
}

/// Which model it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelInfo {
    /// File in the models' folder.
    pub file: String,
    /// Of the file, lower-case hex.
    pub sha256: String,
}

#[derive(Deserialize)]
struct Document {
    format: u32,
    models: Vec<Entry>,
}

/// One model as the manifest has it; what the program does not need is left unread.
#[derive(Clone, Debug, Deserialize)]
struct Entry {
    role: String,
    file: String,
    sha256: String,
    threshold: Option<f32>,
    counting: Option<Counting>,
    space_id: Option<String>,
    calibration: Option<LookCalibration>,
    self_test: Option<SelfTest>,
}

/// A picture and what the embedder made of it when it was released.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SelfTest {
    pub(super) image: String,
    sha256: String,
    pub(super) embedding: Vec<f32>,
    pub(super) min_cosine: f32,
}

/// A read manifest.
#[derive(Debug)]
pub(super) struct Manifest {
    folder: PathBuf,
    info: ModelsInfo,
    pub(super) self_test: SelfTest,
}

impl Manifest {
    /// Reads `manifest.json` in `folder`; the files it names are checked by [`Manifest::read`].
    pub(super) fn load(folder: &Path) -> Result<Self, EyesError> {
        let path = folder.join("manifest.json");
        let unusable = |why: String| EyesError::Manifest { path: path.clone(), why };
        let bytes = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
        let document: Document = serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
        if document.format != FORMAT {
            return Err(unusable(format!("its format is {}, and this program reads {FORMAT}", document.format)));
        }
        let detector = document.take("itemdet").map_err(unusable)?;
        let embedder = document.take("itememb").map_err(unusable)?;
        if embedder.calibration.as_ref().is_some_and(|c| !c.is_sound()) {
            return Err(unusable("its itememb's calibration does not rise".to_owned()));
        }
        if detector.counting.is_some_and(|c| !c.is_sound()) {
            return Err(unusable("its itemdet's counting is no measurement".to_owned()));
        }
        let need = |role: &str, key: &str| unusable(format!("its {role} has no {key}"));
        Ok(Self {
            folder: folder.to_owned(),
            info: ModelsInfo {
                threshold: detector.threshold.ok_or_else(|| need("itemdet", "threshold"))?,
                counting: detector.counting.ok_or_else(|| need("itemdet", "counting"))?,
                space_id: embedder.space_id.clone().ok_or_else(|| need("itememb", "space_id"))?,
                calibration: embedder.calibration.ok_or_else(|| need("itememb", "calibration"))?,
                detector: ModelInfo { file: detector.file, sha256: detector.sha256 },
                embedder: ModelInfo { file: embedder.file, sha256: embedder.sha256 },
                manifest_sha256: sha256(&bytes),
            },
            self_test: embedder.self_test.ok_or_else(|| need("itememb", "self_test"))?,
        })
    }

    pub(super) fn info(&self) -> ModelsInfo {
        self.info.clone()
    }

    /// A model's path and content, which is the one that the manifest means.
    pub(super) fn read(&self, model: &ModelInfo) -> Result<(PathBuf, Vec<u8>), EyesError> {
        self.read_checked(&model.file, &model.sha256)
    }

    pub(super) fn read_self_test(&self) -> Result<Vec<u8>, EyesError> {
        self.read_checked(&self.self_test.image, &self.self_test.sha256).map(|(_, bytes)| bytes)
    }

    pub(super) fn detector(&self) -> &ModelInfo {
        &self.info.detector
    }

    pub(super) fn embedder(&self) -> &ModelInfo {
        &self.info.embedder
    }

    pub(super) fn threshold(&self) -> f32 {
        self.info.threshold
    }

    pub(super) fn counting(&self) -> Counting {
        self.info.counting
    }

    pub(super) fn space_id(&self) -> &str {
        &self.info.space_id
    }

    fn read_checked(&self, file: &str, expected: &str) -> Result<(PathBuf, Vec<u8>), EyesError> {
        let path = self.folder.join(file);
        let bytes = std::fs::read(&path)
            .map_err(|error| EyesError::FileMissing { path: path.clone(), why: error.to_string() })?;
        let found = sha256(&bytes);
        if found != expected {
            return Err(EyesError::WrongHash { path, expected: expected.to_owned(), found });
        }
        Ok((path, bytes))
    }
}

impl Document {
    fn take(&self, role: &str) -> Result<Entry, String> {
        let mut entries = self.models.iter().filter(|entry| entry.role == role);
        match (entries.next(), entries.next()) {
            (Some(entry), None) => Ok(entry.clone()),
            (None, _) => Err(format!("it names no model for the role {role}")),
            (Some(_), Some(_)) => Err(format!("it names two models for the role {role}")),
        }
    }
}

/// Lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
