//! What grows or is baked: fruit, vegetables, bread; single or as a heap of pieces.

use std::f32::consts::{PI, TAU};

use super::Rest;
use crate::render::mesh::{Builder, Face, Mesh, Patch, V3};
use crate::render::noise::noise3;
use crate::shop::{Look, Shape, Style, seed};

/// Share (0..1) drawn from a seed.
fn share(seed: u64, salt: u64) -> f32 {
    (seed::mix(seed, salt) >> 40) as f32 / (1_u64 << 24) as f32
}

pub fn grown(b: &mut Builder, look: &Look, size: [f32; 3], design: u64, variant: u64) -> (Rest, f32) {
    let one = seed::mix(design, 1000 + variant);
    let skin = b.patch(Face::Skin, skin_width(size), skin_height(look.shape, size));
    let stalk = b.patch(Face::Stalk, 8.0, 8.0);
    let pieces = u64::from(look.pieces);
    for piece in 0..pieces {
        let individual = seed::mix(one, piece);
        let mut part = Builder::new(1.0);
        let scale = 0.93 + 0.14 * share(individual, 1);
        shape_part(&mut part, look, size.map(|mm| mm * scale), individual, &skin, &stalk);
        if pieces == 1 {
            b.add_part(&part.mesh, |p| p, |n| n);
        } else {
            heap(b, &part.mesh, look.shape, size, (piece, pieces), individual);
        }
    }
    let rest = if pieces == 1 && matches!(look.shape, Shape::Round | Shape::Tuber) {
        Rest::Anyhow
    } else if pieces == 1 && look.shape == Shape::Pepper {
        Rest::Roll
    } else {
        Rest::Upright
    };
    let gloss = if matches!(look.style, Style::Apple | Style::Calyx | Style::Smooth) {
        0.4
    } else if look.style == Style::Citrus {
        0.2
    } else {
        0.08
    };
    (rest, gloss)
}

fn skin_width([w, d, _]: [f32; 3]) -> f32 {
    (w.max(d) * PI).min(150.0)
}

fn skin_height(shape: Shape, [w, _, h]: [f32; 3]) -> f32 {
    if matches!(shape, Shape::Long | Shape::Root | Shape::Bananas) { w.min(170.0) } else { (h * 1.6).min(120.0) }
}

/// Puts one piece of a heap where a layer of the heap has room.
fn heap(b: &mut Builder, part: &Mesh, shape: Shape, size: [f32; 3], (piece, pieces): (u64, u64), individual: u64) {
    let [w, d, h] = size;
    let elongated = w > 1.8 * d;
    let lower = (pieces as f32 * 0.65).ceil() as u64;
    let upper = piece >= lower;
    let (k, count) = if upper { (piece - lower, pieces - lower) } else { (piece, lower) };
    let columns = if elongated { 1 } else { (count as f32).sqrt().ceil() as u64 };
    let rows = count.div_ceil(columns);
    let jitter = |salt: u64| (share(individual, salt) - 0.5) * 0.25;
    let x = ((k % columns) as f32 - (columns as f32 - 1.0) / 2.0 + jitter(2)) * w * 0.98;
    let y = ((k / columns) as f32 - (rows as f32 - 1.0) / 2.0 + jitter(3)) * d * 0.98;
    let x = if elongated { jitter(2) * w * 0.3 } else { x };
    let z = if upper { h * 0.72 } else { 0.0 } + jitter(4) * h * 0.2;
    let yaw = if elongated {
        jitter(5) * 1.2 + if share(individual, 6) < 0.3 { PI } else { 0.0 }
    } else {
        share(individual, 5) * TAU
    };
    let lean = if matches!(shape, Shape::Round | Shape::Tuber) { jitter(7) * 7.0 } else { 0.0 };
    let turn = nalgebra::Rotation3::from_euler_angles(lean, lean * 0.6, yaw);
    let move_by = V3::new(x, y, z);
    b.add_part(part, |p| turn * p + move_by, |n| turn * n);
}

fn shape_part(b: &mut Builder, look: &Look, size: [f32; 3], seed: u64, skin: &Patch, stalk: &Patch) {
    let [w, d, h] = size;
    match look.shape {
        Shape::Round => {
            let dimple = if look.style == Style::Apple { 0.16 } else { 0.05 };
            ball(b, skin, size, 0.02, 2.0, seed, |_, v| {
                let pole = (1.0 - (v * PI).sin()).powi(4);
                1.0 - dimple * pole
            });
            if matches!(look.style, Style::Apple | Style::Calyx | Style::Onion) {
                stem(b, stalk, h * 0.36, h * 0.56, 1.6, seed);
            }
        }
        Shape::Pepper => {
            ball(b, skin, size, 0.05, 2.0, seed, |u, v| {
                let lobes = 0.07 * (u * TAU * 4.0).cos() * (v * PI).sin();
                let taper = 1.0 - 0.16 * v;
                (1.0 + lobes) * taper - 0.3 * (1.0 - (v * PI).sin()).powi(6)
            });
            stem(b, stalk, h * 0.3, h * 0.62, 5.0, seed);
        }
        Shape::Leafy if look.style == Style::Earthy => ball(b, skin, size, 0.5, 5.5, seed, |_, v| 1.0 - 0.25 * v * v),
        Shape::Leafy => {
            ball(b, skin, size, 0.2, 4.0, seed, |u, v| 1.0 + 0.05 * ((u * TAU * 9.0).sin() * (v * 9.0).cos()))
        }
        Shape::Tuber => ball(b, skin, size, 0.3, 1.6, seed, |_, _| 1.0),
        Shape::Roll => ball(b, skin, size, 0.08, 2.5, seed, |_, v| if v > 0.62 { 1.0 - (v - 0.62) * 0.8 } else { 1.0 }),
        Shape::Loaf => b.sheet(skin, 24, 14, |u, v| loaf_at(size, seed, u, v)),
        Shape::Grapes => grapes(b, size, seed, skin, stalk),
        Shape::Bananas => bananas(b, size, seed, skin, stalk),
        Shape::Long | Shape::Root => {
            let root = look.shape == Shape::Root;
            let bend = (share(seed, 8) - 0.5) * d * 0.8;
            limb(b, skin, 14, |t| {
                let x = (t - 0.5) * w;
                let taper = if root { 1.0 - 0.75 * t } else { 1.0 };
                let ends = (1.0 - (2.0 * t - 1.0).abs().powi(if root { 10 } else { 8 })).max(0.0).sqrt();
                let bow = bend * (1.0 - (2.0 * t - 1.0).powi(2));
                (V3::new(x, bow, 0.0), d / 2.0 * taper * ends.max(0.02), h / d)
            });
        }
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
        | Shape::Flask => ball(b, skin, size, 0.0, 1.0, seed, |_, _| 1.0),
    }
}

/// A deformed ellipsoid; `rough` is the share of the radius by which noise of `grain` cells moves it.
fn ball(
    b: &mut Builder,
    skin: &Patch,
    [w, d, h]: [f32; 3],
    rough: f32,
    grain: f32,
    seed: u64,
    form: impl Fn(f32, f32) -> f32,
) {
    b.sheet(skin, 20, 12, |u, v| {
        let v = v.clamp(0.0, 1.0);
        let (sin_t, cos_t) = (-u * TAU).sin_cos();
        let (sin_p, cos_p) = (v * PI).sin_cos();
        let dir = V3::new(cos_t * sin_p, sin_t * sin_p, cos_p);
        let bumps = noise3(dir.x * grain + 9.0, dir.y * grain + 9.0, dir.z * grain + 9.0, seed) - 0.5;
        let radius = form(u, v) * (1.0 + rough * bumps);
        V3::new(dir.x * w, dir.y * d, dir.z * h) * (0.5 * radius)
    });
}

fn loaf_at([w, d, h]: [f32; 3], seed: u64, u: f32, v: f32) -> V3 {
    let v = v.clamp(0.0, 1.0);
    let (sin_t, cos_t) = (-u * TAU).sin_cos();
    let (sin_p, cos_p) = (v * PI).sin_cos();
    // Rounding may leave the sine of pi below zero, which has no fractional power.
    let sin_p = sin_p.max(0.0);
    let square = |c: f32| c.signum() * c.abs().powf(0.7);
    let bumps = noise3(cos_t * 2.0 + 9.0, sin_t * 2.0 + 9.0, cos_p * 3.0 + 9.0, seed) - 0.5;
    let radius = 0.5 * (1.0 + 0.08 * bumps);
    let z = if cos_p < 0.0 { cos_p.max(-0.45) } else { cos_p };
    V3::new(square(cos_t) * sin_p.powf(0.7) * w * radius, square(sin_t) * sin_p.powf(0.7) * d * radius, z * h * 0.68)
}

/// A tube along a path: `at(t)` gives middle, radius across and the ratio of vertical to lateral radius.
fn limb(b: &mut Builder, skin: &Patch, steps: u32, at: impl Fn(f32) -> (V3, f32, f32)) {
    b.sheet(skin, 12, steps, |u, v| {
        let t = v.clamp(0.0, 1.0);
        let (middle, radius, ratio) = at(t);
        let ahead = at((t + 0.02).min(1.0)).0 - at((t - 0.02).max(0.0)).0;
        let along = ahead.try_normalize(1e-6).unwrap_or_else(V3::x);
        let across = V3::z().cross(&along).try_normalize(1e-6).unwrap_or_else(V3::y);
        let up = along.cross(&across);
        let (sin, cos) = (u * TAU).sin_cos();
        // Running off the ends keeps the finite differences of the surface meaningful there.
        middle + along * ((v - t) * 10.0) + across * (radius * cos) + up * (radius * ratio * sin)
    });
}

fn stem(b: &mut Builder, stalk: &Patch, from: f32, to: f32, radius: f32, seed: u64) {
    let lean = (share(seed, 9) - 0.5) * 0.8;
    limb(b, stalk, 3, |t| {
        let z = from + (to - from) * t;
        (V3::new(lean * (z - from) * t, 0.15 * (z - from), z), radius * (1.0 - 0.3 * t), 1.0)
    });
}

fn grapes(b: &mut Builder, [w, d, h]: [f32; 3], seed: u64, skin: &Patch, stalk: &Patch) {
    let mut berry = Builder::new(1.0);
    let diameter = (w.min(d) * 0.2).clamp(14.0, 24.0);
    berry.sheet(skin, 9, 6, |u, v| {
        let (sin_t, cos_t) = (-u * TAU).sin_cos();
        let (sin_p, cos_p) = (v.clamp(0.0, 1.0) * PI).sin_cos();
        V3::new(cos_t * sin_p, sin_t * sin_p, cos_p) * (diameter / 2.0)
    });
    for k in 0..46_u64 {
        let along = share(seed, 20 + 3 * k).sqrt();
        let angle = share(seed, 21 + 3 * k) * TAU;
        let out = share(seed, 22 + 3 * k).sqrt() * 0.42 * (1.15 - 0.75 * (1.0 - along));
        let at = V3::new((along - 0.5) * w * 0.85, out * angle.cos() * d, out * angle.sin().abs() * h);
        b.add_part(&berry.mesh, |p| p + at, |n| n);
    }
    limb(b, stalk, 3, |t| (V3::new(w * (0.36 + 0.18 * t), 0.0, h * 0.2), 2.5, 1.0));
}

fn bananas(b: &mut Builder, [w, d, h]: [f32; 3], seed: u64, skin: &Patch, stalk: &Patch) {
    let fingers = 3 + seed % 3;
    for finger in 0..fingers {
        let spread = finger as f32 - (fingers as f32 - 1.0) / 2.0;
        let thick = (d / fingers as f32 * 0.62).clamp(12.0, 19.0);
        limb(b, skin, 12, |t| {
            let bow = (t * PI).sin();
            let x = (t - 0.5) * w * (1.0 - 0.03 * spread.abs());
            let y = spread * thick * 1.75 * t.powf(0.6) + bow * d * 0.14 - d * 0.05;
            let z = bow * h * 0.25 + 0.35 * spread.abs() * (1.0 - t) * thick;
            let ends = (t / 0.22).min((1.0 - t) / 0.1).clamp(0.0, 1.0).sqrt();
            (V3::new(x, y, z), thick * (0.3 + 0.7 * ends) * if t > 0.985 { 0.5 } else { 1.0 }, 0.95)
        });
    }
    limb(b, stalk, 3, |t| (V3::new(-w * (0.47 + 0.05 * t), -d * 0.05, 2.0), 11.0 - 3.0 * t, 0.8));
}
