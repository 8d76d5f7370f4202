//! The bodies of goods: from a look to a mesh and a texture plan.

mod packs;
mod produce;
mod vessels;

use nalgebra::{UnitQuaternion, Vector3};
use rand::Rng;

use super::mesh::{Builder, Mesh, Patch};
use crate::shop::{Look, Shape};

/// How a body comes to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// On one of six faces, the larger the likelier.
    OnFace,
    /// Upright or lying on its round side.
    Roll,
    /// On its broad front or back.
    OnBroadSide,
    /// Any way round.
    Anyhow,
    /// As it stands on the shelf.
    Upright,
}

/// A body: mesh, texture plan and the way it lies.
#[derive(Debug)]
pub struct Body {
    /// Surface, millimetres about the middle.
    pub mesh: Mesh,
    /// What the texture's parts show.
    pub patches: Vec<Patch>,
    /// Height of the texture, texels.
    pub atlas_height: u32,
    /// How it comes to rest.
    pub rest: Rest,
    /// Strength of the highlight, 0..1.
    pub gloss: f32,
}

/// How many different bodies units of one grown good have.
pub const VARIANTS: u64 = 4;

/// Which body a unit has: packs are all alike, grown goods are not.
pub fn variant_of(look: &Look, unit_seed: u64) -> u64 {
    if is_grown(look.shape) { unit_seed % VARIANTS } else { 0 }
}

fn is_grown(shape: Shape) -> bool {
    match shape {
        Shape::Round
        | Shape::Bananas
        | Shape::Pepper
        | Shape::Long
        | Shape::Root
        | Shape::Leafy
        | Shape::Tuber
        | Shape::Grapes
        | Shape::Loaf
        | Shape::Roll => true,
        Shape::Box
        | Shape::Carton
        | Shape::Brick
        | Shape::Bag
        | Shape::Sack
        | Shape::Tray
        | Shape::Blister
        | Shape::Rolls
        | Shape::Can
        | Shape::DrinkCan
        | Shape::Pet
        | Shape::Glass
        | Shape::Jar
        | Shape::Cup
        | Shape::Tub
        | Shape::Tube
        | Shape::Flask => false,
    }
}

/// Builds the body of a look; `design` chooses proportions, `variant` (below [`VARIANTS`]) the individual.
pub fn build(look: &Look, design: u64, variant: u64) -> Body {
    let size = look.size_mm.map(|mm| mm as f32);
    let largest = size.iter().copied().fold(0.0, f32::max);
    let mut builder = Builder::new(if largest < 90.0 { 2.0 } else { 1.3 });
    let b = &mut builder;
    let (rest, gloss) = match look.shape {
        Shape::Box => packs::folding_box(b, size),
        Shape::Carton => packs::carton(b, size),
        Shape::Brick => packs::brick(b, size),
        Shape::Bag => packs::bag(b, size, design),
        Shape::Sack => packs::sack(b, size),
        Shape::Tray => packs::tray(b, size, design),
        Shape::Blister => packs::blister(b, size),
        Shape::Rolls => packs::rolls(b, size),
        Shape::Tub => packs::tub(b, size),
        Shape::Can => vessels::can(b, size),
        Shape::DrinkCan => vessels::drink_can(b, size),
        Shape::Pet => vessels::pet(b, size, design),
        Shape::Glass => vessels::glass(b, size, design),
        Shape::Jar => vessels::jar(b, size),
        Shape::Cup => vessels::cup(b, size),
        Shape::Tube => vessels::tube(b, size),
        Shape::Flask => vessels::flask(b, size, design),
        Shape::Round
        | Shape::Bananas
        | Shape::Pepper
        | Shape::Long
        | Shape::Root
        | Shape::Leafy
        | Shape::Tuber
        | Shape::Grapes
        | Shape::Loaf
        | Shape::Roll => produce::grown(b, look, size, design, variant),
    };
    let atlas_height = builder.atlas_height();
    let Builder { mut mesh, patches, .. } = builder;
    mesh.centre();
    Body { mesh, patches, atlas_height, rest, gloss }
}

impl Rest {
    /// Draws a resting orientation for a body of the given size (shelf axes, millimetres).
    pub fn draw<R: Rng + ?Sized>(self, size_mm: [f64; 3], rng: &mut R) -> UnitQuaternion<f64> {
        let quarter = std::f64::consts::FRAC_PI_2;
        let about = |axis: Vector3<f64>, angle: f64| {
            UnitQuaternion::from_axis_angle(&nalgebra::Unit::new_normalize(axis), angle)
        };
        let yaw = about(Vector3::z(), rng.random_range(0.0..4.0 * quarter));
        let [w, d, h] = size_mm;
        let flip = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
        let lying = match self {
            Self::Upright => UnitQuaternion::identity(),
            Self::Anyhow => UnitQuaternion::from_euler_angles(
                rng.random_range(0.0..4.0 * quarter),
                rng.random_range(-quarter..quarter),
                rng.random_range(0.0..4.0 * quarter),
            ),
            Self::OnBroadSide => about(Vector3::x(), flip * quarter),
            Self::Roll => {
                let stands = (w * d / (h * h)).clamp(0.12, 0.75);
                if rng.random_bool(stands) {
                    UnitQuaternion::identity()
                } else {
                    let roll = about(Vector3::z(), rng.random_range(0.0..4.0 * quarter));
                    about(Vector3::x(), flip * quarter) * roll
                }
            }
            Self::OnFace => {
                // A face carries the likelier the larger it is and the lower the body then lies.
                let weights = [1.5 * w * d / h, w * h / d, d * h / w];
                let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
                left -= weights[0];
                if left < 0.0 {
                    if rng.random_bool(0.85) { UnitQuaternion::identity() } else { about(Vector3::x(), 2.0 * quarter) }
                } else if left < weights[1] {
                    about(Vector3::x(), flip * quarter)
                } else {
                    about(Vector3::y(), flip * quarter)
                }
            }
        };
        yaw * lying
    }
}
