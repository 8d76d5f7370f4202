//! Where goods come to lie: each is let down onto what lies there already.
//!
//! No physics engine: a good takes one of its resting orientations, looks for a low place among random ones
//! and leans where leaning brings it lower still. What lies there already never moves.

mod height_map;

use nalgebra::{Matrix3, UnitQuaternion, Vector3};
use rand::Rng;

use crate::render::body::{self, Body};
use crate::render::{ContainerShape, FLOOR_MM, Placed, Plate, Pose, TAPER_MM};
use crate::shop::Shop;
use height_map::{CELL_MM, Footprint, HeightMap, cell_of};

/// Resting orientations that a good tries, and random places for each.
const RESTS: u32 = 4;
const PLACES: u32 = 36;
/// Share of goods that are laid along the walls rather than anyhow.
const TIDY: f64 = 0.6;
/// Leaning orientations that it then tries.
const LEANS: u32 = 8;

/// The room in which goods lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Space {
    /// Half of the room's inner width and depth, millimetres.
    half_mm: (f64, f64),
    floor_mm: f64,
    /// Height of the rim; equal to the floor on a bare plate.
    rim_mm: f64,
    at_mm: (f64, f64),
    yaw_rad: f64,
}

impl Space {
    /// The room in a container, or on the bare plate without one.
    pub fn of(plate: &Plate, container: Option<&ContainerShape>) -> Self {
        match container {
            Some(shape) => Self {
                half_mm: ((shape.width_mm - TAPER_MM) / 2.0, (shape.depth_mm - TAPER_MM) / 2.0),
                floor_mm: FLOOR_MM,
                rim_mm: shape.height_mm,
                at_mm: (shape.at_mm[0], shape.at_mm[1]),
                yaw_rad: shape.yaw_rad,
            },
            None => Self {
                half_mm: (plate.width_mm / 2.0 - 12.0, plate.depth_mm / 2.0 - 12.0),
                floor_mm: 0.0,
                rim_mm: 0.0,
                at_mm: (0.0, 0.0),
                yaw_rad: 0.0,
            },
        }
    }

    fn yaw(&self) -> UnitQuaternion<f64> {
        UnitQuaternion::from_axis_angle(&Vector3::z_axis(), self.yaw_rad)
    }

    /// From the room's own axes to the plate's.
    fn outwards(&self, pose: &Pose) -> Pose {
        let turn = self.yaw();
        let shift = Vector3::new(self.at_mm.0, self.at_mm.1, 0.0);
        Pose { centre_mm: turn * pose.centre_mm + shift, rotation: turn * pose.rotation }
    }

    fn inwards(&self, pose: &Pose) -> Pose {
        let turn = self.yaw().inverse();
        let shift = Vector3::new(self.at_mm.0, self.at_mm.1, 0.0);
        Pose { centre_mm: turn * (pose.centre_mm - shift), rotation: turn * pose.rotation }
    }

    fn empty(&self) -> HeightMap {
        let (x, y) = self.half_mm;
        HeightMap::new((x + 150.0, y + 150.0), self.floor_mm, self.rim_mm.max(150.0), |at_x, at_y| {
            let outside = (at_x.abs() - x).max(at_y.abs() - y);
            if outside <= 0.0 {
                self.floor_mm
            } else if outside < TAPER_MM / 2.0 + CELL_MM {
                self.rim_mm
            } else {
                0.0
            }
        })
    }
}

/// Lets goods (index and unit seed) down one after another into an empty room.
pub fn arrange<R: Rng + ?Sized>(shop: &Shop, space: &Space, goods: &[(usize, u64)], rng: &mut R) -> Vec<Placed> {
    arrange_more(shop, space, &[], goods, rng)
}

/// Lets further goods down onto those that lie there; returns the new ones only, in their order.
///
/// Goods that the shop does not have are left out.
pub fn arrange_more<R: Rng + ?Sized>(
    shop: &Shop,
    space: &Space,
    lying: &[Placed],
    goods: &[(usize, u64)],
    rng: &mut R,
) -> Vec<Placed> {
    let mut map = space.empty();
    for placed in lying {
        if let Some(body) = body_of(shop, placed.good, placed.unit_seed) {
            let pose = space.inwards(&placed.pose);
            map.add(&Footprint::of(&body.mesh, &matrix(&pose.rotation)), pose.centre_mm);
        }
    }
    let mut placed = Vec::with_capacity(goods.len());
    for &(good, unit_seed) in goods {
        let Some(body) = body_of(shop, good, unit_seed) else { continue };
        let pose = let_down(&body, shop.goods[good].look.size_mm, space, &mut map, rng);
        placed.push(Placed { good, unit_seed, pose: space.outwards(&pose) });
    }
    placed
}

fn body_of(shop: &Shop, good: usize, unit_seed: u64) -> Option<Body> {
    let good = shop.goods.get(good)?;
    Some(body::build(&good.look, good.design_seed(), body::variant_of(&good.look, unit_seed)))
}

fn matrix(rotation: &UnitQuaternion<f64>) -> Matrix3<f32> {
    rotation.to_rotation_matrix().into_inner().cast()
}

struct Candidate {
    rotation: UnitQuaternion<f64>,
    footprint: Footprint,
    cell: (i32, i32),
    height: f64,
}

fn let_down<R: Rng + ?Sized>(body: &Body, size_mm: [f64; 3], space: &Space, map: &mut HeightMap, rng: &mut R) -> Pose {
    let mut best: Option<(f64, Candidate)> = None;
    for _ in 0..RESTS {
        let (rotation, footprint, room) = choose_rest(body, size_mm, space, rng);
        let top = footprint.top();
        let mut here = ((0, 0), f64::INFINITY);
        for _ in 0..PLACES {
            let cell = (rng.random_range(room.0.0..=room.0.1), rng.random_range(room.1.0..=room.1.1));
            // Shoppers keep the pile low, but do not look for the very best place.
            let worth = map.guess(&footprint, cell) + top + rng.random_range(0.0..14.0);
            if worth < here.1 {
                here = (cell, worth);
            }
        }
        if best.as_ref().is_none_or(|(least, _)| here.1 < *least) {
            best = Some((here.1, Candidate { rotation, footprint, cell: here.0, height: 0.0 }));
        }
    }
    let mut scratch = Vec::new();
    let mut best = best.map_or_else(
        || {
            let footprint = Footprint::of(&body.mesh, &Matrix3::identity());
            Candidate { rotation: UnitQuaternion::identity(), footprint, cell: (0, 0), height: 0.0 }
        },
        |(_, candidate)| candidate,
    );
    best.height = map.rest(&best.footprint, best.cell, &mut scratch);
    lean(body, space, map, &mut best, rng);
    let centre_mm = Vector3::new(f64::from(best.cell.0) * CELL_MM, f64::from(best.cell.1) * CELL_MM, best.height);
    map.add(&best.footprint, centre_mm);
    Pose { centre_mm, rotation: best.rotation }
}

type Room = ((i32, i32), (i32, i32));

/// A resting orientation that fits between the walls, and the cells that its centre may take.
fn choose_rest<R: Rng + ?Sized>(
    body: &Body,
    size_mm: [f64; 3],
    space: &Space,
    rng: &mut R,
) -> (UnitQuaternion<f64>, Footprint, Room) {
    let mut rotation = UnitQuaternion::identity();
    for _ in 0..10 {
        rotation = body.rest.draw(size_mm, rng);
        if rng.random_bool(TIDY) {
            rotation = tidied(rotation, rng.random_range(-0.12..0.12));
        }
        let footprint = Footprint::of(&body.mesh, &matrix(&rotation));
        if let Some(room) = room_for(&footprint, space) {
            return (rotation, footprint, room);
        }
    }
    // Too long for the floor: it lies across the rim, somewhere about the middle.
    let footprint = Footprint::of(&body.mesh, &matrix(&rotation));
    let slack = (cell_of(space.half_mm.0 / 3.0), cell_of(space.half_mm.1 / 3.0));
    (rotation, footprint, ((-slack.0, slack.0), (-slack.1, slack.1)))
}

/// Turns a body about the vertical until its x axis (or z, if that one lies) runs nearly along a wall.
fn tidied(rotation: UnitQuaternion<f64>, off_rad: f64) -> UnitQuaternion<f64> {
    let x = rotation * Vector3::x();
    let z = rotation * Vector3::z();
    let level = if x.xy().norm() > z.xy().norm() { x } else { z };
    let quarter = std::f64::consts::FRAC_PI_2;
    let heading = level.y.atan2(level.x);
    let wanted = (heading / quarter).round() * quarter + off_rad;
    UnitQuaternion::from_axis_angle(&Vector3::z_axis(), wanted - heading) * rotation
}

fn room_for(footprint: &Footprint, space: &Space) -> Option<Room> {
    let range = |half: f64, first: i32, size: usize| {
        let limit = (half / CELL_MM).floor() as i32;
        let (low, high) = (-limit - first, limit - first - size as i32 + 1);
        (low <= high).then_some((low, high))
    };
    let across = range(space.half_mm.0, footprint.first.0, footprint.size.0)?;
    let down = range(space.half_mm.1, footprint.first.1, footprint.size.1)?;
    Some((across, down))
}

/// Lets the good lean where that brings it lower: a body at rest has found the least height.
fn lean<R: Rng + ?Sized>(body: &Body, space: &Space, map: &HeightMap, best: &mut Candidate, rng: &mut R) {
    let mut scratch = Vec::new();
    for _ in 0..LEANS {
        let heading = rng.random_range(0.0..std::f64::consts::TAU);
        let axis = nalgebra::Unit::new_normalize(Vector3::new(heading.cos(), heading.sin(), 0.0));
        let rotation = UnitQuaternion::from_axis_angle(&axis, rng.random_range(0.04..0.4)) * best.rotation;
        let footprint = Footprint::of(&body.mesh, &matrix(&rotation));
        let cell = (best.cell.0 + rng.random_range(-3..=3), best.cell.1 + rng.random_range(-3..=3));
        let inside = room_for(&footprint, space)
            .is_some_and(|(x, y)| (x.0..=x.1).contains(&cell.0) && (y.0..=y.1).contains(&cell.1));
        let height = map.rest(&footprint, cell, &mut scratch);
        if inside && height < best.height - 1.0 {
            *best = Candidate { rotation, footprint, cell, height };
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::render::ContainerKind;

    fn basket() -> ContainerShape {
        let mut shape = ContainerShape::centred(ContainerKind::Basket, 430.0, 290.0, 220.0);
        shape.at_mm = [20.0, -10.0];
        shape.yaw_rad = 0.2;
        shape
    }

    fn draw(shop: &Shop, count: usize, rng: &mut ChaCha8Rng) -> Vec<(usize, u64)> {
        (0..count).map(|_| (shop.draw_good(rng).unwrap(), rng.random())).collect()
    }

    /// Lowest and highest corner of a placed good, millimetres above the plate.
    fn reach(shop: &Shop, placed: &Placed) -> (f64, f64) {
        let body = body_of(shop, placed.good, placed.unit_seed).unwrap();
        let rotation = placed.pose.rotation;
        let heights = body.mesh.vertices.iter().map(|v| (rotation * v.pos.cast::<f64>()).z + placed.pose.centre_mm.z);
        heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), z| (low.min(z), high.max(z)))
    }

    #[test]
    fn goods_lie_above_the_floor_and_no_two_in_one_place() {
        let shop = Shop::demo().unwrap();
        let container = basket();
        let space = Space::of(&Plate::steel(500.0, 350.0), Some(&container));
        for seed in 0..4 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let goods = draw(&shop, 20, &mut rng);
            let placed = arrange(&shop, &space, &goods, &mut rng);
            assert_eq!(placed.len(), goods.len());
            for (k, one) in placed.iter().enumerate() {
                let (low, _) = reach(&shop, one);
                assert!(low >= FLOOR_MM - 0.5, "good {} lies at {low} mm", shop.goods[one.good].id);
                for other in &placed[..k] {
                    let apart = (one.pose.centre_mm - other.pose.centre_mm).norm();
                    assert!(apart > 3.0, "{} in {}", shop.goods[one.good].id, shop.goods[other.good].id);
                }
            }
        }
    }

    #[test]
    fn a_single_good_touches_the_floor() {
        let shop = Shop::demo().unwrap();
        let space = Space::of(&Plate::steel(500.0, 350.0), None);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for id in ["butter-250", "milk-35-1l", "water-still-1500", "lemon"] {
            let placed = arrange(&shop, &space, &[(shop.index_of(id).unwrap(), 1)], &mut rng);
            let (low, _) = reach(&shop, &placed[0]);
            assert!(low.abs() < 2.0, "{id} floats at {low} mm");
        }
    }

    #[test]
    fn the_pile_grows_and_what_lies_there_stays() {
        let shop = Shop::demo().unwrap();
        let container = basket();
        let space = Space::of(&Plate::steel(500.0, 350.0), Some(&container));
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let goods = draw(&shop, 12, &mut rng);
        let lying = arrange(&shop, &space, &goods, &mut rng);
        let top = lying.iter().map(|p| reach(&shop, p).1).fold(0.0, f64::max);
        let soup = shop.index_of("soup-pea-800").unwrap();
        let more = arrange_more(&shop, &space, &lying, &[(soup, 3); 30], &mut rng);
        assert_eq!(more.len(), 30);
        let new_top = more.iter().map(|p| reach(&shop, p).1).fold(0.0, f64::max);
        assert!(new_top > top + 50.0, "thirty more tins only reach {new_top} mm instead of {top} mm");
    }

    #[test]
    fn the_same_seed_gives_the_same_places() {
        let shop = Shop::demo().unwrap();
        let space = Space::of(&Plate::steel(500.0, 350.0), Some(&basket()));
        let run = || {
            let mut rng = ChaCha8Rng::seed_from_u64(77);
            let goods = draw(&shop, 8, &mut rng);
            arrange(&shop, &space, &goods, &mut rng)
        };
        assert_eq!(run(), run());
    }
}
