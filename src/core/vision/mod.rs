//! What the cameras see. Knows detections and embeddings, never a shopping list.

pub mod count;
pub mod detections;
pub mod overlap;
pub mod plane;
pub mod quality;
pub mod scene;
pub mod tracks;

pub use count::{Count, Counting};
pub use detections::{Detection, non_maximum_suppression};
pub use overlap::{Sight, Sighting, merge};
pub use plane::{PlaneFault, PlateCamera, hidden_share};
pub use quality::{FrameFault, Quality};
pub use scene::{Crop, Embedding, Scene};
pub use tracks::{Since, Tracks};
