//! Pictures of one product alone, as staff would take them to enrol it.

use image::RgbImage;
use nalgebra::Vector3;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::body::{self, Rest};
use super::picture::Rendered;
use super::scene::{CameraModel, ContainerKind, ContainerShape, Light, Placed, Plate, Pose, Scene};
use super::{Renderer, studio};
use crate::shop::{Good, seed};

/// Margin around the product's box, share of each side.
const MARGIN: f64 = 0.08;

/// Picture `number` of a product: another pose and light for each number, always the same for the same seed.
pub fn take(renderer: &mut Renderer, good: usize, seed_: u64, number: u64) -> RgbImage {
    let shop = std::sync::Arc::clone(renderer.shop());
    let one = &shop.goods[good];
    let mut rng = ChaCha8Rng::seed_from_u64(seed::mix(seed::mix(seed::of_text(&one.id), seed_), number));
    let scene = scene(one, good, number, &mut rng);
    let rendered = renderer.draw(&scene);
    crop(&rendered, rng.random())
}

fn scene(one: &Good, good: usize, number: u64, rng: &mut ChaCha8Rng) -> Scene {
    let unit_seed = rng.random();
    let body = body::build(&one.look, one.design_seed(), body::variant_of(&one.look, unit_seed));
    // Every other picture gives each face the same chance: what seldom lies on top is to be known, too.
    let even = number % 2 == 1 && body.rest == Rest::OnFace;
    let rotation = body.rest.draw(if even { [1.0; 3] } else { one.look.size_mm }, rng);
    let lowest = body.mesh.vertices.iter().map(|v| (rotation * v.pos.cast::<f64>()).z).fold(0.0, f64::min);
    let basket = rng.random_bool(0.5).then(|| ContainerShape {
        colour_seed: rng.random_range(0..6),
        ..ContainerShape::centred(ContainerKind::Basket, 520.0, 380.0, 120.0)
    });
    let floor = if basket.is_some() { super::FLOOR_MM } else { 0.0 };
    let at = (rng.random_range(-110.0..110.0), rng.random_range(-80.0..80.0));
    let pose = Pose { centre_mm: Vector3::new(at.0, at.1, floor - lowest), rotation };
    let light = studio::draw_light(rng);
    Scene {
        camera: CameraModel::straight_down(640, 480, 900.0, rng.random_range(1000.0..1250.0)),
        plate: Plate::steel(500.0, 350.0),
        container: basket,
        placed: vec![Placed { good, unit_seed, pose }],
        hand: None,
        bag: None,
        light: Light { blur_px: light.blur_px * 0.7, noise_levels: light.noise_levels * 0.6, ..light },
    }
}

/// The product's box with its margin, cut at the picture's edges.
fn crop(rendered: &Rendered, noise_seed: u64) -> RgbImage {
    let (width, height) = (rendered.width, rendered.height);
    let (mut left, mut top, mut right, mut low) = (width, height, 0, 0);
    for (k, _) in rendered.ids.iter().enumerate().filter(|(_, id)| **id > 0) {
        let (x, y) = (k as u32 % width, k as u32 / width);
        (left, top, right, low) = (left.min(x), top.min(y), right.max(x + 1), low.max(y + 1));
    }
    if right <= left || low <= top {
        (left, top, right, low) = (0, 0, width, height);
    }
    let bytes = rendered.noisy(noise_seed);
    let margin = |from: u32, to: u32| (f64::from(to - from) * MARGIN).round() as u32;
    let (mx, my) = (margin(left, right), margin(top, low));
    let (x0, y0) = (left.saturating_sub(mx), top.saturating_sub(my));
    let (x1, y1) = ((right + mx).min(width), (low + my).min(height));
    RgbImage::from_fn(x1 - x0, y1 - y0, |x, y| {
        let k = ((y0 + y) * width + x0 + x) as usize * 3;
        image::Rgb([bytes[k], bytes[k + 1], bytes[k + 2]])
    })
}
