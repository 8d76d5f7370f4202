//! Packs of board, paper and film.

use super::Rest;
use crate::render::mesh::{Builder, Face, Patch, V3};
use crate::render::noise::noise2;
use crate::shop::seed;

/// The four upright walls between two rectangles given as half sizes (x, y) and height.
fn walls(b: &mut Builder, top: [f32; 3], low: [f32; 3], front: &Patch, side: &Patch) {
    let ([tx, ty, tz], [lx, ly, lz]) = (top, low);
    let p = V3::new;
    b.quad(front, [p(-tx, ty, tz), p(tx, ty, tz), p(lx, ly, lz), p(-lx, ly, lz)]);
    b.quad(front, [p(tx, -ty, tz), p(-tx, -ty, tz), p(-lx, -ly, lz), p(lx, -ly, lz)]);
    b.quad(side, [p(tx, ty, tz), p(tx, -ty, tz), p(lx, -ly, lz), p(lx, ly, lz)]);
    b.quad(side, [p(-tx, -ty, tz), p(-tx, ty, tz), p(-lx, ly, lz), p(-lx, -ly, lz)]);
}

fn top_of(b: &mut Builder, patch: &Patch, x: f32, y: f32, z: f32) {
    let p = V3::new;
    b.quad(patch, [p(-x, -y, z), p(x, -y, z), p(x, y, z), p(-x, y, z)]);
}

fn bottom_of(b: &mut Builder, patch: &Patch, x: f32, y: f32, z: f32) {
    let p = V3::new;
    b.quad(patch, [p(x, -y, z), p(-x, -y, z), p(-x, y, z), p(x, y, z)]);
}

pub fn folding_box(b: &mut Builder, [w, d, h]: [f32; 3]) -> (Rest, f32) {
    // The design goes on the largest faces: a lying box (butter, chocolate) wears it on top.
    let flat = h < d.min(w) * 0.8;
    let front = b.patch(if flat { Face::Side } else { Face::Front }, w, h);
    let side = b.patch(Face::Side, d, h);
    let end = b.patch(if flat { Face::Front } else { Face::End }, w, d);
    let (x, y, z) = (w / 2.0, d / 2.0, h / 2.0);
    walls(b, [x, y, z], [x, y, -z], &front, &side);
    top_of(b, &end, x, y, z);
    if flat {
        let back = b.patch(Face::End, w, d);
        bottom_of(b, &back, x, y, -z);
    } else {
        bottom_of(b, &end, x, y, -z);
    }
    (Rest::OnFace, 0.12)
}

pub fn carton(b: &mut Builder, [w, d, h]: [f32; 3]) -> (Rest, f32) {
    let shoulder = h - d * 0.45;
    let crest = h - d * 0.12;
    let front = b.patch(Face::Front, w, shoulder);
    let side = b.patch(Face::Side, d, shoulder);
    let roof = b.patch(Face::Cap, w, d * 0.6);
    let end = b.patch(Face::End, w, d);
    let (x, y) = (w / 2.0, d / 2.0);
    let p = V3::new;
    walls(b, [x, y, shoulder], [x, y, 0.0], &front, &side);
    b.quad(&roof, [p(-x, 0.0, crest), p(x, 0.0, crest), p(x, y, shoulder), p(-x, y, shoulder)]);
    b.quad(&roof, [p(x, 0.0, crest), p(-x, 0.0, crest), p(-x, -y, shoulder), p(x, -y, shoulder)]);
    let gable = b.patch(Face::Bare, d, d * 0.4);
    // The gable's ends are folded in: a triangle leaning inwards.
    let inset = x * 0.75;
    b.quad(&gable, [p(inset, 0.0, crest), p(inset, 0.0, crest), p(x, -y, shoulder), p(x, y, shoulder)]);
    b.quad(&gable, [p(-inset, 0.0, crest), p(-inset, 0.0, crest), p(-x, y, shoulder), p(-x, -y, shoulder)]);
    let fin = b.patch(Face::Cap, w, d * 0.12);
    b.quad(&fin, [p(-x, 0.8, h), p(x, 0.8, h), p(x, 0.8, crest), p(-x, 0.8, crest)]);
    b.quad(&fin, [p(x, -0.8, h), p(-x, -0.8, h), p(-x, -0.8, crest), p(x, -0.8, crest)]);
    b.quad(&fin, [p(-x, -0.8, h), p(x, -0.8, h), p(x, 0.8, h), p(-x, 0.8, h)]);
    bottom_of(b, &end, x, y, 0.0);
    (Rest::OnFace, 0.15)
}

pub fn brick(b: &mut Builder, [w, d, h]: [f32; 3]) -> (Rest, f32) {
    let front = b.patch(Face::Front, w, h);
    let side = b.patch(Face::Side, d, h);
    let top = b.patch(Face::Bare, w, d);
    let end = b.patch(Face::End, w, d);
    let cap = b.patch(Face::Cap, 40.0, 14.0);
    let (x, y) = (w / 2.0, d / 2.0);
    walls(b, [x, y, h], [x, y, 0.0], &front, &side);
    top_of(b, &top, x, y, h);
    bottom_of(b, &end, x, y, 0.0);
    let radius = (d * 0.22).min(16.0);
    b.lathe(&cap, 16, &[(h + 9.0, 0.1), (h + 9.0, radius), (h, radius)], (1.0, 1.0));
    (Rest::OnFace, 0.18)
}

pub fn bag(b: &mut Builder, [w, d, h]: [f32; 3], design: u64) -> (Rest, f32) {
    let front = b.patch(Face::Front, w, h);
    let back = b.patch(Face::End, w, h);
    for (patch, side) in [(front, 1.0_f32), (back, -1.0)] {
        let seed = seed::mix(design, side as i64 as u64);
        b.sheet(&patch, 12, 14, |u, v| {
            let (u, v) = (u.clamp(0.0, 1.0), v.clamp(0.0, 1.0));
            let (s, t) = (2.0 * u - 1.0, 2.0 * v - 1.0);
            let fill = (1.0 - s.abs().powi(4)) * (1.0 - t.abs().powi(3)).max(0.0);
            let creases = (noise2(u * 5.0, v * 6.0, seed) - 0.5) * 0.35;
            // A filled bag draws its long edges in where it is thick.
            let narrow = 1.0 - 0.06 * (1.0 - t * t);
            V3::new(side * s * w / 2.0 * narrow, side * d / 2.0 * fill.sqrt() * (1.0 + creases), -t * h / 2.0)
        });
    }
    (Rest::OnBroadSide, 0.4)
}

/// A box whose faces bulge by `bulge(u, v)` millimetres.
fn bulging_box(b: &mut Builder, [w, d, h]: [f32; 3], ends: Face, bulge: impl Fn(f32, f32) -> f32) {
    let front = b.patch(Face::Front, w, h);
    let side = b.patch(Face::Side, d, h);
    let end = b.patch(ends, w, d);
    let (x, y, z) = (w / 2.0, d / 2.0, h / 2.0);
    let cells = 10;
    for turn in [1.0_f32, -1.0] {
        b.sheet(&front, cells, cells, |u, v| V3::new(turn * (u - 0.5) * w, turn * (y + bulge(u, v)), z - v * h));
        b.sheet(&side, cells, cells, |u, v| V3::new(turn * (x + bulge(u, v)), -turn * (u - 0.5) * d, z - v * h));
        b.sheet(&end, cells, cells, |u, v| V3::new(turn * (u - 0.5) * w, (v - 0.5) * d, turn * (z + bulge(u, v))));
    }
}

pub fn sack(b: &mut Builder, size: [f32; 3]) -> (Rest, f32) {
    let depth = size[1] * 0.07;
    bulging_box(b, size, Face::End, |u, v| {
        let arch = |t: f32| (t * (1.0 - t) * 4.0).clamp(0.0, 1.0);
        depth * (arch(u) * arch(v)).sqrt()
    });
    (Rest::OnFace, 0.06)
}

pub fn rolls(b: &mut Builder, [w, d, h]: [f32; 3]) -> (Rest, f32) {
    let columns = (w / 95.0).round().max(1.0);
    let rows = (h / 100.0).round().max(1.0);
    bulging_box(b, [w, d, h], Face::Bare, |u, v| {
        let round = |t: f32, count: f32| (t.clamp(0.0, 1.0) * count * std::f32::consts::PI).sin().abs();
        -9.0 * (1.0 - round(u, columns)).powi(2) - 3.0 * (1.0 - round(v, rows)).powi(6)
    });
    (Rest::OnFace, 0.3)
}

pub fn tray(b: &mut Builder, [w, d, h]: [f32; 3], design: u64) -> (Rest, f32) {
    let food = b.patch(Face::Food, w, d);
    let wall = b.patch(Face::Bare, w, h);
    let (x, y) = (w / 2.0, d / 2.0);
    walls(b, [x, y, h], [x * 0.86, y * 0.86, 0.0], &wall, &wall);
    bottom_of(b, &wall, x * 0.86, y * 0.86, 0.0);
    b.sheet(&food, 10, 8, |u, v| {
        let rim = (u.min(1.0 - u).min(v.min(1.0 - v)).clamp(0.0, 0.08) / 0.08).max(0.0);
        let lumps = noise2(u * 6.0, v * 4.0, design) * 0.3 - 0.12;
        V3::new((u - 0.5) * w, (v - 0.5) * d, h + rim * lumps * h)
    });
    (Rest::Upright, 0.45)
}

pub fn blister(b: &mut Builder, [w, d, h]: [f32; 3]) -> (Rest, f32) {
    let front = b.patch(Face::Front, w, h);
    let back = b.patch(Face::End, w, h);
    let edge = b.patch(Face::Bare, w, 4.0);
    let bubble = b.patch(Face::Content, w * 0.6, h * 0.5);
    let (x, y, z) = (w / 2.0, d / 2.0, h / 2.0);
    let p = V3::new;
    let card = -y + 2.0;
    b.quad(&front, [p(-x, card, z), p(x, card, z), p(x, card, -z), p(-x, card, -z)]);
    b.quad(&back, [p(x, -y, z), p(-x, -y, z), p(-x, -y, -z), p(x, -y, -z)]);
    b.quad(&edge, [p(-x, -y, z), p(x, -y, z), p(x, card, z), p(-x, card, z)]);
    b.quad(&edge, [p(-x, card, -z), p(x, card, -z), p(x, -y, -z), p(-x, -y, -z)]);
    b.sheet(&bubble, 6, 6, |u, v| {
        let rise = (u.min(1.0 - u).min(v.min(1.0 - v)).clamp(0.0, 0.16) / 0.16).max(0.0);
        let depth = card + 0.4 + rise * (d - 2.4);
        V3::new((u - 0.5) * w * 0.62, depth, z * 0.1 - v * h * 0.5)
    });
    (Rest::OnBroadSide, 0.35)
}

pub fn tub(b: &mut Builder, [w, d, h]: [f32; 3]) -> (Rest, f32) {
    let lid = b.patch(Face::Front, w, d);
    let rim = b.patch(Face::Cap, w, 8.0);
    let wall = b.patch(Face::Side, w, h);
    let (x, y) = (w / 2.0, d / 2.0);
    top_of(b, &lid, x, y, h);
    walls(b, [x, y, h], [x, y, h - 7.0], &rim, &rim);
    walls(b, [x * 0.96, y * 0.95, h - 7.0], [x * 0.84, y * 0.82, 0.0], &wall, &wall);
    bottom_of(b, &rim, x * 0.84, y * 0.82, 0.0);
    (Rest::Upright, 0.25)
}
