//! What the camera looks at: the contract between the world, the placement and the renderer.
//!
//! Coordinates are millimetres on the plate: the origin is the plate's middle, x to the right and y
//! downwards in the picture, z up towards the camera.

use nalgebra::{UnitQuaternion, Vector3};

/// A pinhole camera above the plate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraModel {
    /// Width of the picture, pixels.
    pub width_px: u32,
    /// Height of the picture, pixels.
    pub height_px: u32,
    /// Focal length, pixels.
    pub focal_px: f64,
    /// Height of the lens above the plate, millimetres.
    pub height_mm: f64,
    /// How far the lens hangs beside the plate's middle, millimetres. A lens that does is turned the shortest way from straight down
    /// until its axis meets the middle.
    pub at_mm: [f64; 2],
    /// How far the optical axis then leans away, towards x and towards y, radians.
    pub tilt_rad: [f64; 2],
}

impl CameraModel {
    /// A camera that looks straight down on the plate's middle.
    pub fn straight_down(width_px: u32, height_px: u32, focal_px: f64, height_mm: f64) -> Self {
        Self { width_px, height_px, focal_px, height_mm, at_mm: [0.0; 2], tilt_rad: [0.0; 2] }
    }

    /// Whether it looks from aside, so that the plate's depth differs across the picture.
    pub fn is_aside(&self) -> bool {
        self.at_mm != [0.0; 2]
    }

    /// The default station's camera: 640 x 480 pixels, 900 px focal length, 1 150 mm above the plate.
    pub fn basket_plate() -> Self {
        Self::straight_down(640, 480, 900.0, 1150.0)
    }
}

/// What the plate is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surface {
    /// Brushed stainless steel: what stations have.
    Steel,
    /// One-coloured plastic or lacquer; the seed chooses the colour.
    Plain(u64),
    /// A dark conveyor belt; the seed chooses its wear.
    Belt(u64),
    /// Boards; the seed chooses the wood.
    Wood(u64),
    /// Speckled stone; the seed chooses the kind.
    Stone(u64),
}

/// The weighing plate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plate {
    /// Along x, millimetres.
    pub width_mm: f64,
    /// Along y, millimetres.
    pub depth_mm: f64,
    /// What it is made of.
    pub surface: Surface,
}

impl Plate {
    /// A steel plate of the given size in millimetres.
    pub fn steel(width_mm: f64, depth_mm: f64) -> Self {
        Self { width_mm, depth_mm, surface: Surface::Steel }
    }
}

/// What kind of container the goods lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerKind {
    /// A plastic hand basket with slotted walls.
    Basket,
    /// A trolley's wire cage.
    Trolley,
}

/// An open container that stands on the plate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContainerShape {
    /// Basket or trolley.
    pub kind: ContainerKind,
    /// Outer width at the rim along its own x, millimetres.
    pub width_mm: f64,
    /// Outer depth at the rim along its own y, millimetres.
    pub depth_mm: f64,
    /// Height of the rim above the plate, millimetres.
    pub height_mm: f64,
    /// Where its middle stands, millimetres.
    pub at_mm: [f64; 2],
    /// How far it is turned about the vertical, radians.
    pub yaw_rad: f64,
    /// Chooses its colour; 0 is the shop's own.
    pub colour_seed: u64,
}

impl ContainerShape {
    /// A container of the given outer size in millimetres, squarely in the plate's middle.
    pub fn centred(kind: ContainerKind, width_mm: f64, depth_mm: f64, height_mm: f64) -> Self {
        Self { kind, width_mm, depth_mm, height_mm, at_mm: [0.0; 2], yaw_rad: 0.0, colour_seed: 0 }
    }
}

/// Where a body lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// The body's centre of mass, millimetres on the plate.
    pub centre_mm: Vector3<f64>,
    /// From the body's own axes (as it stands on a shelf, z up) to the plate's.
    pub rotation: UnitQuaternion<f64>,
}

/// One unit of a good, somewhere on the plate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Index into [`crate::shop::Shop::goods`].
    pub good: usize,
    /// What makes this unit differ from its siblings (an apple is not another apple).
    pub unit_seed: u64,
    /// Where it lies.
    pub pose: Pose,
}

/// A hand with its forearm, reaching into the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandPose {
    /// Where the middle of the palm is, millimetres.
    pub at_mm: [f64; 3],
    /// The direction in which the fingers point, radians from x towards y.
    pub yaw_rad: f64,
    /// Chooses skin and sleeve.
    pub seed: u64,
}

/// A crumpled bag that lies among the goods, nobody's good itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BagPose {
    /// Where the middle of its lower edge is, millimetres.
    pub at_mm: [f64; 3],
    /// How far it is turned about the vertical, radians.
    pub yaw_rad: f64,
    /// Chooses size, stuff and folds.
    pub seed: u64,
}

/// Light and optics of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// Colour of the light, linear RGB, 1 is white.
    pub colour: [f32; 3],
    /// Exposure; 1 is right.
    pub brightness: f32,
    /// Where the light comes from, radians from x towards y.
    pub azimuth_rad: f32,
    /// How high it stands, radians above the plate.
    pub elevation_rad: f32,
    /// Share of light that comes from everywhere, 0..1.
    pub ambient: f32,
    /// Standard deviation of the lens blur, pixels; 0 is sharp.
    pub blur_px: f32,
    /// Standard deviation of the sensor's noise, grey levels.
    pub noise_levels: f32,
}

impl Light {
    /// The even, slightly warm light of a shop's ceiling.
    pub fn shop() -> Self {
        Self {
            colour: [1.0, 0.98, 0.94],
            brightness: 1.0,
            azimuth_rad: -2.2,
            elevation_rad: 1.05,
            ambient: 0.55,
            blur_px: 0.45,
            noise_levels: 2.0,
        }
    }
}

/// Everything in front of the camera at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The camera.
    pub camera: CameraModel,
    /// The plate.
    pub plate: Plate,
    /// The container on it, if one is.
    pub container: Option<ContainerShape>,
    /// The goods, in the order of the renderer's ids.
    pub placed: Vec<Placed>,
    /// A hand above them.
    pub hand: Option<HandPose>,
    /// A bag among them.
    pub bag: Option<BagPose>,
    /// Light and optics.
    pub light: Light,
}
