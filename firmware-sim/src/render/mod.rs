//! The only renderer of the project: a software rasteriser that plays the camera and makes training scenes.
//!
//! Pipeline: bodies (`body`) with painted textures (`print`, `skin`) → z-buffer with four samples a pixel
//! (`raster`) → contact shadows, light, lens (`shade`) → picture with owners (`picture`).

pub mod baseline;
pub mod body;
mod canvas;
pub mod command;
mod fixtures;
mod lens;
mod lettering;
mod mesh;
mod noise;
mod picture;
mod portrait;
mod print;
mod raster;
mod renderer;
mod scene;
mod shade;
mod skin;
mod studio;
mod surroundings;

pub use fixtures::{FLOOR_MM, TAPER_MM};
pub use lens::Lens;
pub use mesh::{Mesh, V3};
pub use picture::Rendered;
pub use renderer::Renderer;
pub use scene::{
    BagPose, CameraModel, ContainerKind, ContainerShape, HandPose, Light, Placed, Plate, Pose, Scene, Surface,
};
