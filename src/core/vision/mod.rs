//! What the cameras see. Knows detections and embeddings, never a shopping list.

pub mod detections;
pub mod quality;
pub mod scene;

pub use detections::{Detection, non_maximum_suppression};
pub use quality::{FrameFault, Quality};
pub use scene::{Crop, Embedding, Scene};
