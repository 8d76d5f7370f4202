//! Random scenes for training, and what is to be learnt from them.

use nalgebra::{UnitQuaternion, Vector3};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::lens::Lens;
use super::picture::Rendered;
use super::scene::{BagPose, CameraModel, ContainerKind, ContainerShape, HandPose, Light, Plate, Scene, Surface};
use crate::placement::{Space, arrange};
use crate::shop::Shop;

/// Goods of which less than this share is visible get no label.
const LEAST_VISIBLE: f64 = 0.02;

/// A labelled picture: one line of `labels.ndjson`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Labels {
    /// File name of the picture.
    pub image: String,
    /// Its width, pixels.
    pub width: u32,
    /// Its height, pixels.
    pub height: u32,
    /// What is to be found in it.
    pub boxes: Vec<LabelBox>,
}

/// Where one good is seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelBox {
    /// The good's id.
    pub id: String,
    /// Box of its visible pixels: left, top, right, bottom, the last two exclusive.
    pub xyxy: [u32; 4],
    /// Share of its pixels that nothing hides.
    pub visible: f64,
}

/// Boxes of the goods that a picture shows; `lone` as of [`super::Renderer::lone_pixels`], for the same lens.
pub fn label(image: String, rendered: &Rendered, scene: &Scene, lone: &[u32], shop: &Shop) -> Labels {
    let mut boxes = vec![([u32::MAX, u32::MAX, 0, 0], 0_u32); scene.placed.len()];
    for (k, id) in rendered.ids.iter().enumerate() {
        let Some(entry) = id.checked_sub(1).and_then(|place| boxes.get_mut(usize::from(place))) else { continue };
        let (x, y) = (k as u32 % rendered.width, k as u32 / rendered.width);
        let [left, top, right, low] = entry.0;
        *entry = ([left.min(x), top.min(y), right.max(x + 1), low.max(y + 1)], entry.1 + 1);
    }
    let named = scene.placed.iter().zip(boxes).zip(lone);
    let boxes = named
        .filter(|((_, (_, pixels)), lone)| *pixels > 0 && **lone > 0)
        .map(|((placed, (xyxy, pixels)), lone)| LabelBox {
            id: shop.goods[placed.good].id.clone(),
            xyxy,
            visible: ((f64::from(pixels) / f64::from(*lone)).min(1.0) * 1000.0).round() / 1000.0,
        })
        .filter(|label| label.visible >= LEAST_VISIBLE)
        .collect();
    Labels { image, width: rendered.width, height: rendered.height, boxes }
}

/// A random scene of the shop's goods: container or bare plate, 1 to 30 goods, any light, now and then a hand.
pub fn scene(shop: &Shop, rng: &mut ChaCha8Rng) -> Scene {
    let (container, view_mm) = draw_container(rng);
    let height_mm = rng.random_range(900.0..1600.0_f64).max(view_mm * 1.1);
    let camera = CameraModel {
        width_px: 640,
        height_px: 480,
        focal_px: 640.0 * height_mm / view_mm,
        height_mm,
        at_mm: [0.0; 2],
        tilt_rad: [rng.random_range(-0.05..0.05), rng.random_range(-0.05..0.05)],
    };
    let width_mm = view_mm * rng.random_range(0.7..1.25);
    let plate = Plate { width_mm, depth_mm: width_mm * rng.random_range(0.6..0.8), surface: draw_surface(rng) };
    let most = if container.is_some() { 30.0 } else { 24.0 };
    let count = 1 + (most * rng.random::<f64>().powf(1.4)) as usize;
    let visible =
        Plate { width_mm: width_mm.min(view_mm * 0.9), depth_mm: plate.depth_mm.min(view_mm * 0.66), ..plate };
    let room_l = match container {
        Some(shape) => shape.width_mm * shape.depth_mm * (shape.height_mm + 60.0) / 1e6,
        None => visible.width_mm * visible.depth_mm * 0.12 / 1e3,
    };
    let goods = draw_goods(shop, count, room_l, rng);
    let placed = arrange(shop, &Space::of(&visible, container.as_ref()), &goods, rng);
    let hand = rng.random_bool(0.15).then(|| draw_hand(view_mm, rng));
    Scene { camera, plate, container, placed, hand, bag: None, light: draw_light(rng) }
}

/// A scene further from the usual one: containers at any angle and empty ones, leaning cameras, bags, more hands,
/// odd lamps, unsharp and bent pictures.
pub fn rough_scene(shop: &Shop, rng: &mut ChaCha8Rng) -> (Scene, Lens) {
    let mut scene = scene(shop, rng);
    let turn = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), rng.random_range(0.0..std::f64::consts::TAU));
    if let Some(container) = &mut scene.container {
        container.at_mm = turned(turn, container.at_mm);
        container.yaw_rad += turn.angle() * turn.axis().map_or(1.0, |axis| axis.z.signum());
        for placed in &mut scene.placed {
            placed.pose.centre_mm = turn * placed.pose.centre_mm;
            placed.pose.rotation = turn * placed.pose.rotation;
        }
    }
    if rng.random_bool(0.07) {
        scene.placed.clear();
    }
    let view_mm = 640.0 * scene.camera.height_mm / scene.camera.focal_px;
    scene.camera.tilt_rad = std::array::from_fn(|_| rng.random_range(-0.07..0.07));
    if rng.random_bool(0.25) {
        scene.hand = Some(draw_hand(view_mm, rng));
    }
    let rim_mm = scene.container.map_or(60.0, |container| container.height_mm);
    scene.bag = rng.random_bool(0.25).then(|| BagPose {
        at_mm: [
            view_mm * rng.random_range(-0.35..0.35),
            view_mm * rng.random_range(-0.28..0.28),
            rng.random_range(8.0..rim_mm + 30.0),
        ],
        yaw_rad: rng.random_range(0.0..std::f64::consts::TAU),
        seed: rng.random_range(0..100_000),
    });
    let warmth: f32 = rng.random_range(-0.26..0.26);
    scene.light.colour = [1.0 + warmth, 1.0 + rng.random_range(-0.06..0.06), 1.0 - warmth];
    scene.light.brightness = rng.random_range(0.4..1.55);
    scene.light.blur_px = rng.random_range(0.25..2.0);
    let lens = Lens {
        bend: if rng.random_bool(0.5) { rng.random_range(-0.14..0.06) } else { 0.0 },
        smear_px: if rng.random_bool(0.12) { std::array::from_fn(|_| rng.random_range(-7.0..7.0)) } else { [0.0; 2] },
    };
    (scene, lens)
}

fn turned(turn: UnitQuaternion<f64>, [x, y]: [f64; 2]) -> [f64; 2] {
    let there = turn * Vector3::new(x, y, 0.0);
    [there.x, there.y]
}

/// Goods as baskets hold them: mostly different ones, some twice or more; at least one, then as many as fit.
fn draw_goods(shop: &Shop, count: usize, room_l: f64, rng: &mut ChaCha8Rng) -> Vec<(usize, u64)> {
    let mut left_l = room_l;
    let mut goods: Vec<(usize, u64)> = Vec::with_capacity(count);
    while goods.len() < count {
        let again = goods.choose(rng).map(|(good, _)| *good).filter(|_| rng.random_bool(0.18));
        let Some(good) = again.or_else(|| shop.draw_good(rng)) else { break };
        left_l -= shop.goods[good].look.bulk_l();
        if left_l < 0.0 && !goods.is_empty() {
            break;
        }
        goods.push((good, rng.random()));
    }
    goods
}

/// A container (or none) and the width that the camera should see, millimetres.
fn draw_container(rng: &mut ChaCha8Rng) -> (Option<ContainerShape>, f64) {
    let (kind, size) = match rng.random_range(0..100) {
        0..50 => {
            let size = [rng.random_range(380.0..470.0), rng.random_range(260.0..320.0), rng.random_range(130.0..240.0)];
            (ContainerKind::Basket, size)
        }
        50..60 => {
            let size = [rng.random_range(620.0..900.0), rng.random_range(420.0..560.0), rng.random_range(250.0..400.0)];
            (ContainerKind::Trolley, size)
        }
        _ => return (None, rng.random_range(420.0..900.0)),
    };
    let mut shape = ContainerShape::centred(kind, size[0], size[1], size[2]);
    shape.at_mm = [rng.random_range(-25.0..25.0), rng.random_range(-20.0..20.0)];
    shape.yaw_rad = rng.random_range(-0.15..0.15) + if rng.random_bool(0.5) { std::f64::consts::PI } else { 0.0 };
    shape.colour_seed = rng.random_range(0..1000);
    (Some(shape), size[0] * rng.random_range(1.4..1.9))
}

fn draw_surface(rng: &mut ChaCha8Rng) -> Surface {
    let seed = rng.random_range(0..24);
    match rng.random_range(0..10) {
        0..4 => Surface::Steel,
        4..6 => Surface::Plain(seed),
        6..8 => Surface::Belt(seed),
        8 => Surface::Wood(seed),
        _ => Surface::Stone(seed),
    }
}

/// A hand that reaches in from outside.
fn draw_hand(view_mm: f64, rng: &mut ChaCha8Rng) -> HandPose {
    let heading: f64 = rng.random_range(0.0..std::f64::consts::TAU);
    let away = view_mm * rng.random_range(0.02..0.4);
    HandPose {
        at_mm: [-heading.cos() * away, -heading.sin() * away * 0.75, rng.random_range(120.0..330.0)],
        yaw_rad: heading + rng.random_range(-0.5..0.5),
        seed: rng.random_range(0..100_000),
    }
}

/// Light and optics of a random station at a random hour.
pub fn draw_light(rng: &mut ChaCha8Rng) -> Light {
    let warmth: f32 = rng.random_range(-0.14..0.14);
    Light {
        colour: [1.0 + warmth, 1.0 + rng.random_range(-0.03..0.03), 1.0 - warmth],
        brightness: rng.random_range(0.6..1.3),
        azimuth_rad: rng.random_range(0.0..std::f32::consts::TAU),
        elevation_rad: rng.random_range(0.65..1.4),
        ambient: rng.random_range(0.35..0.8),
        blur_px: rng.random_range(0.25..1.3_f32),
        noise_levels: rng.random_range(0.0..6.0),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::SeedableRng;

    use super::*;
    use crate::render::Renderer;

    fn draw(seed: u64) -> (Rendered, Scene, Vec<u32>, Arc<Shop>) {
        let mut renderer = Renderer::new(Arc::new(Shop::demo().unwrap()));
        let scene = scene(renderer.shop(), &mut ChaCha8Rng::seed_from_u64(seed));
        let rendered = renderer.draw(&scene);
        let lone = renderer.lone_pixels(&scene);
        (rendered, scene, lone, Arc::clone(renderer.shop()))
    }

    #[test]
    fn boxes_enclose_exactly_the_pixels_of_their_goods() {
        let (rendered, scene, lone, shop) = draw(11);
        let labels = label("x.jpg".into(), &rendered, &scene, &lone, &shop);
        assert!(!labels.boxes.is_empty());
        let mut rest = labels.boxes.iter();
        for (k, placed) in scene.placed.iter().enumerate() {
            let mine = |x: u32, y: u32| usize::from(rendered.ids[(y * rendered.width + x) as usize]) == k + 1;
            let pixels: Vec<(u32, u32)> = (0..rendered.height)
                .flat_map(|y| (0..rendered.width).map(move |x| (x, y)))
                .filter(|(x, y)| mine(*x, *y))
                .collect();
            let visible = pixels.len() as f64 / f64::from(lone[k].max(1));
            if visible < 0.02 {
                continue;
            }
            let found = rest.next().unwrap();
            assert_eq!(found.id, shop.goods[placed.good].id);
            let [x0, y0, x1, y1] = found.xyxy;
            assert!(pixels.iter().all(|(x, y)| (x0..x1).contains(x) && (y0..y1).contains(y)));
            assert!(pixels.iter().any(|p| p.0 == x0) && pixels.iter().any(|p| p.0 == x1 - 1));
            assert!(pixels.iter().any(|p| p.1 == y0) && pixels.iter().any(|p| p.1 == y1 - 1));
            assert!((found.visible - visible.min(1.0)).abs() < 0.001);
        }
        assert!(rest.next().is_none());
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
        let (one, two, other) = (draw(5).0, draw(5).0, draw(6).0);
        assert_eq!(one.to_jpeg(9, 85).unwrap(), two.to_jpeg(9, 85).unwrap());
        assert_ne!(one.rgb, other.rgb);
        assert_ne!(one.noisy(1), one.noisy(2));
    }

    #[test]
    fn a_good_under_another_one_is_seen_less_than_alone() {
        let (_, mut scene, _, shop) = draw(5);
        let mut renderer = Renderer::new(Arc::clone(&shop));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        scene.container = None;
        scene.hand = None;
        scene.camera = CameraModel::basket_plate();
        let space = Space::of(&Plate::steel(500.0, 350.0), None);
        let pizza = shop.index_of("pizza-salami").unwrap();
        let gum = shop.index_of("chewing-gum-mint").unwrap();
        scene.placed = arrange(&shop, &space, &[(gum, 1), (pizza, 2)], &mut rng);
        // The pizza goes right over the chewing gum.
        scene.placed[1].pose.centre_mm = scene.placed[0].pose.centre_mm;
        scene.placed[1].pose.centre_mm.z += 40.0;
        scene.placed[1].pose.rotation = nalgebra::UnitQuaternion::identity();
        let rendered = renderer.draw(&scene);
        let lone = renderer.lone_pixels(&scene);
        let seen = |id: u16| rendered.ids.iter().filter(|k| **k == id).count() as f64;
        assert_eq!(seen(1), 0.0);
        let share = seen(2) / f64::from(lone[1]);
        assert!((0.98..1.02).contains(&share), "the pizza shows {share} of itself");
        let labels = label("x.jpg".into(), &rendered, &scene, &lone, &shop);
        assert_eq!(labels.boxes.len(), 1);
    }
}
