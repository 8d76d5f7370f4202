//! Smooth value noise: what makes skins, leaves and steel uneven.

use crate::shop::seed;

fn lattice(x: i32, y: i32, z: i32, seed: u64) -> f32 {
    let key = (x as u32 as u64) | ((y as u32 as u64) << 21) | ((z as u32 as u64) << 42);
    (seed::mix(key, seed) >> 40) as f32 / (1_u64 << 24) as f32
}

/// `f32::floor` for numbers of moderate size, without the call that baseline x86-64 makes of it.
fn floor(value: f32) -> f32 {
    let cut = value as i32 as f32;
    if cut > value { cut - 1.0 } else { cut }
}

/// Smooth noise in three dimensions with a period of about one unit, 0..1.
pub fn noise3(x: f32, y: f32, z: f32, seed: u64) -> f32 {
    let (fx, fy, fz) = (floor(x), floor(y), floor(z));
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (tx, ty, tz) = (ease(x - fx), ease(y - fy), ease(z - fz));
    let (ix, iy, iz) = (fx as i32, fy as i32, fz as i32);
    let blend = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let row =
        |dy: i32, dz: i32| blend(lattice(ix, iy + dy, iz + dz, seed), lattice(ix + 1, iy + dy, iz + dz, seed), tx);
    let plane = |dz: i32| blend(row(0, dz), row(1, dz), ty);
    blend(plane(0), plane(1), tz)
}

/// Smooth noise in two dimensions with a period of about one unit, 0..1.
pub fn noise2(x: f32, y: f32, seed: u64) -> f32 {
    let (fx, fy) = (floor(x), floor(y));
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (tx, ty) = (ease(x - fx), ease(y - fy));
    let (ix, iy) = (fx as i32, fy as i32);
    let blend = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let row = |dy: i32| blend(lattice(ix, iy + dy, 0, seed), lattice(ix + 1, iy + dy, 0, seed), tx);
    blend(row(0), row(1), ty)
}
