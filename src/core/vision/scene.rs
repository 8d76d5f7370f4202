//! What one look at the platform showed.

use super::quality::Quality;
use crate::units::Mono;
use serde::{Deserialize, Serialize};

/// A crop's place in the space of looks: a vector of unit length, 256 long for the shipped model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// From a model's output; `None` unless it is finite and of unit length within 1 %.
    pub fn new(values: Vec<f32>) -> Option<Self> {
        let norm2: f32 = values.iter().map(|v| v * v).sum();
        (norm2.is_finite() && (norm2 - 1.0).abs() < 0.02).then_some(Self(values))
    }

    /// Its components.
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// Cosine with another one, -1..=1; `None` if they are of two spaces.
    pub fn cosine(&self, other: &Self) -> Option<f32> {
        (self.0.len() == other.0.len()).then(|| self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum())
    }
}

/// One thing seen, with how it looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crop {
    /// The camera that shows it, by its place in the station file.
    #[serde(default)]
    pub camera: usize,
    /// Left, top, right, bottom in pixels of the camera's frame.
    pub box_px: [f32; 4],
    /// Confidence of the detector, 0..=1.
    pub score: f32,
    /// How it looks.
    pub embedding: Embedding,
}

/// What one look at the platform showed, through all cameras, each thing once. How many things lie there is at least `crops.len()`: what is hidden is not counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The cameras that were looked through, by their names in the station file.
    pub cameras: Vec<String>,
    /// Cameras of the station that showed nothing usable.
    pub missing: Vec<String>,
    /// When the frame reached the daemon; of several, the oldest.
    pub captured: Mono,
    /// Things seen, best score first.
    pub crops: Vec<Crop>,
    /// Whether it can be relied on; of several cameras, the first that was looked through.
    pub quality: Quality,
    /// Which model's space the embeddings live in; a gallery of another space says nothing about them.
    pub space_id: String,
}
