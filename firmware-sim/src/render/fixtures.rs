//! Things around the goods: basket, trolley, hand.

use std::f32::consts::TAU;

use super::canvas::Canvas;
use super::mesh::{ATLAS_WIDTH, Builder, Face, Mesh, Patch, V3};
use super::noise::noise2;
use super::scene::{ContainerKind, ContainerShape};
use super::skin;
use crate::shop::{Colour, seed};

/// A mesh with its own texture.
#[derive(Debug)]
pub struct Fixture {
    /// Surface, millimetres about its own origin.
    pub mesh: Mesh,
    /// Texture.
    pub texture: Canvas,
    /// Strength of the highlight, 0..1.
    pub gloss: f32,
}

/// Thickness of a container's floor above the plate, millimetres.
pub const FLOOR_MM: f64 = 6.0;

/// How much narrower a container is inside at its floor than outside at its rim, millimetres in all.
pub const TAPER_MM: f64 = 34.0;

fn finish(builder: Builder, gloss: f32, mut paint: impl FnMut(&mut Canvas, &Patch)) -> Fixture {
    let mut texture = Canvas::new(ATLAS_WIDTH, builder.atlas_height());
    for patch in &builder.patches {
        paint(&mut texture, patch);
    }
    Fixture { mesh: builder.mesh, texture, gloss }
}

/// A straight bar of rectangular section between two points.
fn bar(b: &mut Builder, patch: &Patch, from: V3, to: V3, width: f32) {
    let along = to - from;
    let guide = if along.z.abs() > along.x.abs().max(along.y.abs()) { V3::x() } else { V3::z() };
    let across = along.cross(&guide).normalize() * (width / 2.0);
    let up = across.cross(&along).normalize() * (width / 2.0);
    let ring = [across + up, across - up, -across - up, -across + up];
    for k in 0..4 {
        let (p, q) = (ring[k], ring[(k + 1) % 4]);
        let corners = [from + p, to + p, to + q, from + q];
        let outward = (p + q).dot(&(corners[2] - corners[0]).cross(&(corners[3] - corners[1])));
        b.quad(patch, if outward > 0.0 { corners } else { [from + q, to + q, to + p, from + p] });
    }
}

/// The container around its own middle: floor, walls of ribs, rim, handles.
pub fn container(shape: &ContainerShape) -> Fixture {
    let (colour, gloss) = match shape.kind {
        ContainerKind::Basket => (basket_colour(shape.colour_seed), 0.2),
        ContainerKind::Trolley => (Colour([176, 180, 186]), 0.6),
    };
    let mut builder = Builder::new(1.0);
    let b = &mut builder;
    let (w, d, h) = (shape.width_mm as f32, shape.depth_mm as f32, shape.height_mm as f32);
    let floor = b.patch(Face::Content, w.min(500.0), d.min(500.0));
    let plain = b.patch(Face::Bare, 64.0, 64.0);
    let inset = TAPER_MM as f32 / 2.0;
    let (fx, fy, z) = (w / 2.0 - inset, d / 2.0 - inset, FLOOR_MM as f32);
    let p = V3::new;
    b.quad(&floor, [p(-fx, -fy, z), p(fx, -fy, z), p(fx, fy, z), p(-fx, fy, z)]);
    let (rib, pitch, rim) = match shape.kind {
        ContainerKind::Basket => (7.0, 24.0, 16.0),
        ContainerKind::Trolley => (4.0, 38.0, 12.0),
    };
    let (rx, ry) = (w / 2.0 - rim / 2.0, d / 2.0 - rim / 2.0);
    let wall = |b: &mut Builder, low: [V3; 2], top: [V3; 2]| {
        let count = ((top[1] - top[0]).norm() / pitch).round() as u32;
        for k in 0..=count {
            let t = k as f32 / count as f32;
            bar(b, &plain, low[0].lerp(&low[1], t), top[0].lerp(&top[1], t), rib);
        }
        for level in [0.02, 0.36, 0.7] {
            bar(b, &plain, low[0].lerp(&top[0], level), low[1].lerp(&top[1], level), rib);
        }
        bar(b, &plain, top[0], top[1], rim);
    };
    let low = [p(-fx, -fy, z), p(fx, -fy, z), p(fx, fy, z), p(-fx, fy, z)];
    let top = [p(-rx, -ry, h), p(rx, -ry, h), p(rx, ry, h), p(-rx, ry, h)];
    for k in 0..4 {
        wall(b, [low[k], low[(k + 1) % 4]], [top[k], top[(k + 1) % 4]]);
    }
    if shape.kind == ContainerKind::Basket {
        // Folded carrying handles rest on the rim's long sides.
        for side in [-1.0_f32, 1.0] {
            let y = side * (ry - 7.0);
            let grip = [p(-w * 0.3, y, h + 5.0), p(w * 0.3, y, h + 5.0)];
            bar(b, &plain, grip[0], grip[1], 11.0);
        }
    }
    finish(builder, gloss, |texture, patch| {
        let mut area = texture.area(patch);
        skin::bare(&mut area, colour, 3);
        if patch.face == Face::Content {
            let holes = colour.mix(Colour([20, 20, 22]), 0.75);
            let (across, down) = (w / 26.0, d / 26.0);
            area.paint([0.0, 0.0, 1.0, 1.0], |u, v, old| {
                let (s, t) = ((u * across).fract() - 0.5, (v * down).fract() - 0.5);
                if s.abs() < 0.33 && t.abs() < 0.33 { holes } else { old.mix(Colour([20, 20, 22]), 0.2) }
            });
        }
    })
}

fn basket_colour(seed: u64) -> Colour {
    const COLOURS: [[u8; 3]; 8] = [
        [58, 62, 66],
        [168, 32, 38],
        [30, 104, 62],
        [34, 74, 142],
        [96, 98, 100],
        [202, 110, 28],
        [24, 24, 28],
        [196, 196, 190],
    ];
    Colour(COLOURS[(seed % COLOURS.len() as u64) as usize])
}

/// A hand whose palm is at the origin and whose fingers point along x; the forearm comes from behind.
pub fn hand(seed: u64) -> Fixture {
    const SKINS: [[u8; 3]; 6] =
        [[234, 192, 164], [222, 172, 138], [198, 144, 108], [152, 104, 76], [112, 74, 54], [78, 52, 40]];
    let skin_tone = Colour(SKINS[(seed % 6) as usize]);
    let pick = |salt: u64| (seed::mix(seed, salt) % 200) as u8 + 20;
    let sleeve_tone = Colour([pick(1), pick(2), pick(3)]);
    let bare_arm = seed::mix(seed, 4).is_multiple_of(3);
    let mut builder = Builder::new(1.0);
    let b = &mut builder;
    let flesh = b.patch(Face::Skin, 64.0, 64.0);
    let cloth = b.patch(Face::Bare, 128.0, 128.0);
    let palm = |u: f32, v: f32| {
        let (sin_t, cos_t) = (-u * TAU).sin_cos();
        let (sin_p, cos_p) = (v.clamp(0.0, 1.0) * TAU / 2.0).sin_cos();
        V3::new(cos_t * sin_p * 50.0, sin_t * sin_p * 42.0, cos_p * 17.0)
    };
    b.sheet(&flesh, 16, 10, palm);
    for finger in 0..4 {
        let spread = finger as f32 - 1.5;
        let length = [70.0, 82.0, 78.0, 60.0][finger];
        let curl = 18.0 + (seed::mix(seed, 10 + finger as u64) % 30) as f32;
        let from = V3::new(38.0 - 4.0 * spread * spread, spread * 19.0, 0.0);
        let at = move |t: f32| from + V3::new(length * t, spread * 6.0 * t, -curl * t * t);
        limb(b, &flesh, at, |t| 9.5 - 2.0 * t);
    }
    limb(b, &flesh, |t| V3::new(-12.0 + 62.0 * t, 34.0 + 36.0 * t - 16.0 * t * t, -8.0 - 14.0 * t), |t| 11.5 - 2.5 * t);
    limb(b, &flesh, |t| V3::new(-30.0 - 60.0 * t, 0.0, 4.0 + 10.0 * t), |t| 29.0 + 2.0 * t);
    let arm = if bare_arm { flesh } else { cloth };
    let bulk = if bare_arm { 0.0 } else { 10.0 };
    limb(b, &arm, |t| V3::new(-70.0 - 520.0 * t, 0.0, 10.0 + 120.0 * t), |t| 33.0 + bulk + 16.0 * t);
    finish(builder, 0.1, |texture, patch| {
        let mut area = texture.area(patch);
        if patch.face == Face::Skin {
            let red = skin_tone.mix(Colour([190, 90, 80]), 0.25);
            area.paint([0.0, 0.0, 1.0, 1.0], |u, v, _| skin_tone.mix(red, noise2(u * 7.0, v * 7.0, seed)));
        } else {
            let dark = sleeve_tone.mix(Colour([0, 0, 0]), 0.35);
            area.paint([0.0, 0.0, 1.0, 1.0], |u, v, _| {
                sleeve_tone.mix(dark, (noise2(u * 9.0, v * 14.0, seed) * 1.5 - 0.3).clamp(0.0, 1.0))
            });
        }
    })
}

/// A crumpled bag, its lower edge at the origin's height: a dome of folds, of thin plastic, paper or cloth.
pub fn bag(seed: u64) -> Fixture {
    let share = |salt: u64| (seed::mix(seed, salt) % 1000) as f32 / 1000.0;
    let (width, depth, height) = (150.0 + 190.0 * share(1), 120.0 + 150.0 * share(2), 12.0 + 55.0 * share(3));
    let tone = match seed % 4 {
        0 => Colour([236, 237, 239]),
        1 => Colour([178, 140, 98]),
        2 => Colour([214, 204, 184]),
        _ => Colour([40, 60, 90].map(|c: u8| c.saturating_add((share(4) * 150.0) as u8))),
    };
    let mut builder = Builder::new(1.0);
    let stuff = builder.patch(Face::Bare, 200.0, 200.0);
    builder.sheet(&stuff, 28, 28, |u, v| {
        let (x, y) = (u * 2.0 - 1.0, v * 2.0 - 1.0);
        let ragged = 0.86 + 0.28 * noise2(u * 3.0 + 7.0, v * 3.0, seed);
        let dome = (1.0 - x * x).max(0.0) * (1.0 - y * y).max(0.0);
        let fold = (noise2(u * 5.0, v * 5.0, seed ^ 1) + 0.5 * noise2(u * 13.0, v * 13.0, seed ^ 2)) * dome.sqrt();
        V3::new(x * width / 2.0 * ragged, y * depth / 2.0 * ragged, height * (0.6 * dome + 0.5 * fold))
    });
    let gloss = if seed.is_multiple_of(4) { 0.7 } else { 0.1 };
    finish(builder, gloss, |texture, patch| {
        let dark = tone.mix(Colour([0, 0, 0]), 0.3);
        let print = Colour([30, 90, 60].map(|c: u8| c.saturating_add((share(6) * 140.0) as u8)));
        let printed = share(5) < 0.5;
        texture.area(patch).paint([0.0, 0.0, 1.0, 1.0], |u, v, _| {
            let crease = (noise2(u * 21.0, v * 21.0, seed ^ 3) - 0.45).abs() < 0.05;
            let inside = printed && (u - 0.5).hypot(v - 0.5) < 0.2;
            let ground = if inside { print } else { tone };
            ground.mix(dark, 0.4 * noise2(u * 6.0, v * 6.0, seed ^ 4) + if crease { 0.35 } else { 0.0 })
        });
    })
}

/// A round limb along a path that runs roughly in the x-y plane, closed at its far end.
fn limb(b: &mut Builder, patch: &Patch, at: impl Fn(f32) -> V3, radius: impl Fn(f32) -> f32) {
    b.sheet(patch, 12, 10, |u, v| {
        let t = v.clamp(0.0, 1.0);
        let along = (at((t + 0.02).min(1.0)) - at((t - 0.02).max(0.0))).normalize();
        let across = V3::z().cross(&along).normalize();
        let up = along.cross(&across);
        let (sin, cos) = (u * TAU).sin_cos();
        let tip = (1.0 - ((t - 0.86) / 0.14).max(0.0).powi(2)).max(0.0).sqrt();
        at(t) + along * ((v - t) * 10.0) + (across * cos + up * sin) * (radius(t) * tip.max(0.02))
    });
}
