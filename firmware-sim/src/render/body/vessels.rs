//! Cans, bottles, jars, cups and tubes.

use super::Rest;
use crate::render::mesh::{Builder, Face, V3};

const ROUND: (f32, f32) = (1.0, 1.0);
const SEGMENTS: u32 = 22;

fn girth(radius: f32) -> f32 {
    radius * std::f32::consts::TAU
}

pub fn can(b: &mut Builder, [w, _, h]: [f32; 3]) -> (Rest, f32) {
    let r = w / 2.0;
    let wrap = b.patch(Face::Wrap, girth(r), h - 8.0);
    let metal = b.patch(Face::Metal, w, w);
    b.disc(&metal, h - 3.5, (r * 0.96, r * 0.96), true);
    b.lathe(&metal, SEGMENTS, &[(h - 3.5, r * 0.93), (h, r * 0.96), (h, r), (h - 4.0, r)], ROUND);
    b.lathe(&wrap, SEGMENTS, &[(h - 4.0, r * 0.98), (4.0, r * 0.98)], ROUND);
    b.lathe(&metal, SEGMENTS, &[(4.0, r), (0.0, r), (0.0, r * 0.96)], ROUND);
    b.disc(&metal, 2.0, (r * 0.97, r * 0.97), false);
    (Rest::Roll, 0.35)
}

pub fn drink_can(b: &mut Builder, [w, _, h]: [f32; 3]) -> (Rest, f32) {
    let r = w / 2.0;
    let wrap = b.patch(Face::Wrap, girth(r), h - 8.0);
    let metal = b.patch(Face::Metal, w, w);
    let neck = r * 0.83;
    b.disc(&metal, h - 5.0, (neck * 0.97, neck * 0.97), true);
    b.lathe(&metal, SEGMENTS, &[(h - 5.0, neck * 0.92), (h, neck * 0.96), (h - 2.0, neck)], ROUND);
    b.lathe(&wrap, SEGMENTS, &[(h - 2.0, neck), (h - 14.0, r), (9.0, r), (1.0, r * 0.8)], ROUND);
    b.disc(&metal, 1.5, (r * 0.8, r * 0.8), false);
    (Rest::Roll, 0.55)
}

pub fn pet(b: &mut Builder, [w, _, h]: [f32; 3], design: u64) -> (Rest, f32) {
    let r = w / 2.0;
    let label_top = h * (0.52 + 0.12 * (design % 5) as f32 / 5.0);
    let label_low = label_top - h * 0.24;
    let waist = 1.0 - 0.04 * (design / 5 % 3) as f32;
    let cap = b.patch(Face::Cap, 90.0, 18.0);
    let content = b.patch(Face::Content, girth(r), h * 0.7);
    let wrap = b.patch(Face::Wrap, girth(r), label_top - label_low);
    let shoulder = h * 0.74;
    b.lathe(&cap, 16, &[(h, 0.1), (h, 14.0), (h - 15.0, 14.5), (h - 16.0, 16.0), (h - 18.0, 13.0)], ROUND);
    let neck = [
        (h - 16.0, 12.5),
        (h - 30.0, 13.0),
        ((h - 30.0) * 0.6 + shoulder * 0.4, r * 0.55),
        ((h - 30.0) * 0.25 + shoulder * 0.75, r * 0.86),
        (shoulder, r),
        (label_top, r * waist),
    ];
    b.lathe(&content, SEGMENTS, &neck, ROUND);
    b.lathe(&wrap, SEGMENTS, &[(label_top, r * waist + 0.5), (label_low, r * waist + 0.5)], ROUND);
    let base = [
        (label_low, r * waist),
        (label_low - h * 0.05, r),
        (h * 0.16, r * 0.96),
        (h * 0.06, r),
        (4.0, r * 0.92),
        (0.0, r * 0.7),
        (6.0, 0.1),
    ];
    b.lathe(&content, SEGMENTS, &base, ROUND);
    (Rest::Roll, 0.6)
}

pub fn glass(b: &mut Builder, [w, _, h]: [f32; 3], design: u64) -> (Rest, f32) {
    let r = w / 2.0;
    // From a sloping to a high-shouldered bottle.
    let slope = (design % 4) as f32 / 4.0;
    let shoulder = h * (0.66 - 0.14 * slope);
    let label_top = shoulder - h * 0.05;
    let label_low = h * 0.14;
    let cap = b.patch(Face::Cap, 90.0, h * 0.12);
    let content = b.patch(Face::Content, girth(r), h * 0.5);
    let wrap = b.patch(Face::Wrap, girth(r), label_top - label_low);
    let neck = (r * 0.38).clamp(11.0, 15.0);
    b.lathe(&cap, 16, &[(h, 0.1), (h, neck), (h * 0.95, neck + 1.0), (h * 0.88, neck + 0.5)], ROUND);
    let upper = [
        (h * 0.88, neck),
        (h * (0.84 - 0.06 * slope), neck * 1.1),
        ((h * 0.84 + shoulder) / 2.0, r * (0.5 + 0.12 * (1.0 - slope))),
        (shoulder + h * 0.03, r * 0.9),
        (shoulder, r),
        (label_top, r),
    ];
    b.lathe(&content, SEGMENTS, &upper, ROUND);
    b.lathe(&wrap, SEGMENTS, &[(label_top, r + 0.4), (label_low, r + 0.4)], ROUND);
    b.lathe(&content, SEGMENTS, &[(label_low, r), (5.0, r), (0.0, r * 0.9), (5.0, 0.1)], ROUND);
    (Rest::Roll, 0.7)
}

pub fn jar(b: &mut Builder, [w, _, h]: [f32; 3]) -> (Rest, f32) {
    let r = w / 2.0;
    let lid = b.patch(Face::Lid, w, w);
    let cap = b.patch(Face::Cap, girth(r), 14.0);
    let content = b.patch(Face::Content, girth(r), h * 0.5);
    let wrap = b.patch(Face::Wrap, girth(r), h * 0.5);
    let lid_radius = r * 0.88;
    b.disc(&lid, h, (lid_radius, lid_radius), true);
    b.lathe(&cap, SEGMENTS, &[(h, lid_radius * 0.97), (h - 1.5, lid_radius), (h - 14.0, lid_radius)], ROUND);
    let upper = [(h - 14.0, lid_radius * 0.94), (h - 20.0, r * 0.95), (h - 28.0, r), (h * 0.7, r)];
    b.lathe(&content, SEGMENTS, &upper, ROUND);
    b.lathe(&wrap, SEGMENTS, &[(h * 0.7, r + 0.3), (h * 0.18, r + 0.3)], ROUND);
    b.lathe(&content, SEGMENTS, &[(h * 0.18, r), (6.0, r), (0.0, r * 0.85), (4.0, 0.1)], ROUND);
    (Rest::Roll, 0.6)
}

pub fn cup(b: &mut Builder, [w, _, h]: [f32; 3]) -> (Rest, f32) {
    let r = w / 2.0;
    let lid = b.patch(Face::Lid, w, w);
    let wrap = b.patch(Face::Wrap, girth(r), h);
    let rim = b.patch(Face::Bare, girth(r), 6.0);
    b.disc(&lid, h, (r, r), true);
    b.lathe(&rim, SEGMENTS, &[(h, r), (h - 2.5, r), (h - 2.5, r * 0.92)], ROUND);
    b.lathe(&wrap, SEGMENTS, &[(h - 2.5, r * 0.93), (3.0, r * 0.74), (0.0, r * 0.7)], ROUND);
    b.disc(&rim, 0.5, (r * 0.7, r * 0.7), false);
    (Rest::Roll, 0.3)
}

pub fn tube(b: &mut Builder, [w, d, h]: [f32; 3]) -> (Rest, f32) {
    // It stands on its cap: the crimped end is on top.
    let foot = 24.0_f32.min(h * 0.2);
    let wrap = b.patch(Face::Wrap, w * 2.4, h - foot);
    let cap = b.patch(Face::Cap, girth(d * 0.5), foot);
    b.sheet(&wrap, 18, 6, |u, v| {
        let (sin, cos) = (-u * std::f32::consts::TAU).sin_cos();
        let flat = v.clamp(0.0, 1.0);
        let (rx, ry) = (w / 2.0 * (1.0 - 0.22 * flat * flat), 1.0 + d / 2.0 * flat.powf(0.7));
        V3::new(rx * cos, ry * sin, h - v * (h - foot))
    });
    b.lathe(&cap, 16, &[(foot, d * 0.55), (foot - 3.0, d * 0.44), (0.0, d * 0.4), (0.0, 0.1)], ROUND);
    (Rest::OnBroadSide, 0.4)
}

pub fn flask(b: &mut Builder, [w, d, h]: [f32; 3], design: u64) -> (Rest, f32) {
    let r = w / 2.0;
    let squash = (1.0, d / w);
    let cap_height = h * (0.08 + 0.05 * (design % 3) as f32);
    let shoulder = h * 0.72;
    let wrap = b.patch(Face::Wrap, w + d, shoulder - h * 0.1);
    let bare = b.patch(Face::Bare, w + d, h * 0.2);
    let cap = b.patch(Face::Cap, 110.0, cap_height);
    let neck = (d * 0.32).clamp(9.0, 22.0);
    b.lathe(&cap, 16, &[(h, 0.1), (h, neck * 0.9), (h - cap_height, neck * 1.05), (h - cap_height, neck * 0.8)], ROUND);
    let top = h - cap_height;
    let upper = [
        (top, neck * 0.9 * w / d.max(1.0) * 0.7),
        (top * 0.6 + shoulder * 0.4, r * 0.62),
        (top * 0.2 + shoulder * 0.8, r * 0.92),
        (shoulder, r),
    ];
    b.lathe(&bare, SEGMENTS, &upper, squash);
    let waist = r * (1.0 - 0.05 * (design / 3 % 4) as f32);
    b.lathe(&wrap, SEGMENTS, &[(shoulder, r), (h * 0.4, waist), (h * 0.1, r)], squash);
    b.lathe(&bare, SEGMENTS, &[(h * 0.1, r), (3.0, r * 0.96), (0.0, r * 0.85), (2.0, 0.1)], squash);
    (Rest::OnBroadSide, 0.4)
}
