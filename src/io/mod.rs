//! Floor 3: the only rooms with doors to the outside world.

pub mod camera;
pub mod clock;
pub mod journal;
pub mod looks;
mod mapping;
pub mod onnx;
pub mod serial;
pub mod store;
