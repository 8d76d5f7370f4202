//! From facets to colours: texture, light, contact shadows, lens.

use std::sync::LazyLock;

use super::canvas::Canvas;
use super::mesh::V3;
use super::raster::Raster;
use super::scene::Light;

/// Linear light of an sRGB byte (IEC 61966-2-1).
pub static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|k| {
        let c = k as f32 / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    })
});

/// Steps of [`GAMMA`] per unit of linear light; it reaches twice as far as white.
const STEPS: f32 = 4095.0;

static GAMMA: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..8192)
        .map(|k| {
            let linear = k as f32 / STEPS;
            // A soft shoulder above 0.8 keeps highlights from clipping into flat white.
            let c = if linear > 0.8 { 1.0 - 0.2 * (-(linear - 0.8) / 0.2).exp() } else { linear };
            let s = if c <= 0.003_130_8 { c * 12.92 } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
            (s * 255.0).round() as u8
        })
        .collect()
});

/// sRGB bytes of linear light.
pub fn to_srgb(pixels: &[[f32; 3]]) -> Vec<u8> {
    let table = &GAMMA;
    let mut bytes = vec![0; pixels.len() * 3];
    for (byte, linear) in bytes.iter_mut().zip(pixels.as_flattened()) {
        *byte = table[((linear * STEPS) as usize).min(8191)];
    }
    bytes
}

/// What a drawn thing is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// Its texture.
    pub texture: &'a Canvas,
    /// Strength of the highlight, 0..1.
    pub gloss: f32,
    /// Factor on its colour.
    pub tint: [f32; 3],
    /// 1 + its number among the scene's goods; 0 for hands, baskets and the like.
    pub id: u16,
}

/// How much light reaches each place of the picture: a coarse map of ambient and direct shares.
#[derive(Debug, Default)]
pub struct Shadows {
    columns: usize,
    rows: usize,
    heights: Vec<f32>,
    shares: Vec<[f32; 2]>,
}

/// Samples (of which two make a pixel) per cell of the shadow map.
const CELL: usize = 8;

impl Shadows {
    /// Derives both shares from the depths that the camera sees; `level` makes heights of samples' depths.
    pub fn measure(
        &mut self,
        raster: &Raster,
        level: impl Fn(f32, f32, f32) -> f32,
        mm_per_sample: f32,
        light: &Light,
    ) {
        self.columns = raster.width.div_ceil(CELL);
        self.rows = raster.height.div_ceil(CELL);
        self.heights.clear();
        for row in 0..self.rows {
            let y = (row * CELL + CELL / 2).min(raster.height - 1);
            for column in 0..self.columns {
                let x = (column * CELL + CELL / 2).min(raster.width - 1);
                let near = raster.depth[y * raster.width + x];
                self.heights.push(if near > 0.0 { level(x as f32, y as f32, 1.0 / near) } else { 0.0 });
            }
        }
        let cell_mm = mm_per_sample * CELL as f32;
        let (sin, cos) = light.azimuth_rad.sin_cos();
        let rise = light.elevation_rad.tan() * cell_mm;
        self.shares.clear();
        for row in 0..self.rows {
            for column in 0..self.columns {
                self.shares.push([self.openness(column, row, cell_mm), self.lit(column, row, (cos, sin), rise)]);
            }
        }
        self.soften();
    }

    fn height(&self, column: i32, row: i32) -> f32 {
        let column = column.clamp(0, self.columns as i32 - 1) as usize;
        let row = row.clamp(0, self.rows as i32 - 1) as usize;
        self.heights[row * self.columns + column]
    }

    /// Share of the sky that the surroundings leave open.
    fn openness(&self, column: usize, row: usize, cell_mm: f32) -> f32 {
        // Column, row and distance of places in three rings about a cell.
        const RING: [(i32, i32, f32); 12] = [
            (1, 0, 1.0),
            (0, 1, 1.0),
            (-1, 0, 1.0),
            (0, -1, 1.0),
            (2, 2, 2.83),
            (-2, 2, 2.83),
            (-2, -2, 2.83),
            (2, -2, 2.83),
            (5, -2, 5.39),
            (2, 5, 5.39),
            (-5, 2, 5.39),
            (-2, -5, 5.39),
        ];
        let here = self.heights[row * self.columns + column];
        let mut hidden = 0.0;
        for (dx, dy, cells) in RING {
            // A hand far above darkens little: only what rises near the place counts in full.
            let rise = (self.height(column as i32 + dx, row as i32 + dy) - here).min(140.0);
            if rise > 0.0 {
                hidden += (rise / (rise + cell_mm * cells)).min(0.75);
            }
        }
        1.0 - 0.85 * hidden / RING.len() as f32
    }

    /// Share of the lamp that is seen.
    fn lit(&self, column: usize, row: usize, (cos, sin): (f32, f32), rise: f32) -> f32 {
        let here = self.heights[row * self.columns + column];
        let mut covered: f32 = 0.0;
        for step in 1..10 {
            let away = step as f32 * 1.3;
            // Positions are rounded by adding one half; what lies left of the picture is clamped anyway.
            let (x, y) = (column as f32 + cos * away + 0.5, row as f32 + sin * away + 0.5);
            let over = self.height(x as i32, y as i32) - here - rise * away - 3.0;
            if over > 0.0 {
                covered = covered.max(over / (10.0 + 1.5 * away));
            }
        }
        1.0 - covered.min(1.0)
    }

    fn soften(&mut self) {
        let (columns, rows) = (self.columns, self.rows);
        let old = self.shares.clone();
        for row in 1..rows - 1 {
            for column in 1..columns - 1 {
                let k = row * columns + column;
                let around = [k - columns, k - 1, k + 1, k + columns];
                self.shares[k] = std::array::from_fn(|part| {
                    let sum: f32 = around.iter().map(|n| old[*n][part]).sum();
                    (old[k][part] * 2.0 + sum) / 6.0
                });
            }
        }
    }

    /// Ambient and direct shares along a line of samples: one entry per column of the map.
    pub fn line(&self, y: f32, line: &mut Vec<[f32; 2]>) {
        let fy = (y / CELL as f32 - 0.5).clamp(0.0, self.rows as f32 - 1.001);
        let (row, t) = (fy as usize, fy.fract());
        let upper = &self.shares[row * self.columns..][..self.columns];
        let lower = &self.shares[(row + 1) * self.columns..][..self.columns];
        line.clear();
        line.extend(upper.iter().zip(lower).map(|(a, b)| [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]));
    }
}

/// Both shares at a sample column, from a line of [`Shadows::line`].
pub fn shares_at(line: &[[f32; 2]], x: f32) -> [f32; 2] {
    let fx = (x / CELL as f32 - 0.5).clamp(0.0, line.len() as f32 - 1.001);
    let column = fx as usize;
    let t = fx - column as f32;
    let (a, b) = (line[column], line[column + 1]);
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]
}

/// The lamp, prepared.
#[derive(Debug, Clone, Copy)]
pub struct Lamp {
    towards: V3,
    halfway: V3,
    ambient: f32,
    direct: f32,
    colour: [f32; 3],
}

impl Lamp {
    /// Prepares a light so that a level white surface in the open gets exactly its colour times brightness.
    pub fn new(light: &Light) -> Self {
        let (sin, cos) = light.elevation_rad.sin_cos();
        let towards = V3::new(light.azimuth_rad.cos() * cos, light.azimuth_rad.sin() * cos, sin);
        Self {
            towards,
            halfway: (towards + V3::z()).normalize(),
            ambient: light.ambient,
            direct: (1.0 - light.ambient) / sin.max(0.2),
            colour: light.colour.map(|c| c * light.brightness),
        }
    }

    /// Light from a dull level surface: a cheaper [`Lamp::reflect`].
    pub fn reflect_level(&self, albedo: [f32; 3], [open, lit]: [f32; 2]) -> [f32; 3] {
        let light = self.ambient * open + self.direct * lit * self.towards.z;
        std::array::from_fn(|k| albedo[k] * light * self.colour[k])
    }

    /// Light from a surface: its linear colour, unit normal, gloss and the shares of [`Shadows::at`].
    pub fn reflect(&self, albedo: [f32; 3], normal: V3, gloss: f32, [open, lit]: [f32; 2]) -> [f32; 3] {
        // The sky's light comes from above: walls get less of it.
        let sky = self.ambient * open * (0.72 + 0.28 * normal.z);
        let lamp = self.direct * lit * normal.dot(&self.towards).max(0.0);
        let facing = normal.dot(&self.halfway).max(0.0);
        let squared = facing * facing;
        let fourth = squared * squared;
        let shine = fourth * fourth;
        let shine = shine * shine * shine;
        let shine = gloss * lit * 0.55 * shine;
        std::array::from_fn(|k| (albedo[k] * (sky + lamp) + shine) * self.colour[k])
    }
}

/// Linear colour of a texture at texel coordinates, bilinear.
pub fn sample(texture: &Canvas, [u, v]: [f32; 2], linear: &[f32; 256]) -> [f32; 3] {
    let x = (u - 0.5).clamp(0.0, texture.width as f32 - 1.0);
    let y = (v - 0.5).clamp(0.0, texture.height as f32 - 1.0);
    let (ix, iy) = (x as usize, y as usize);
    let (tx, ty) = (x - ix as f32, y - iy as f32);
    let width = texture.width as usize;
    let right = usize::from(ix + 1 < width);
    let below = if iy + 1 < texture.height as usize { width } else { 0 };
    let k = iy * width + ix;
    let p = &texture.pixels;
    let (a, b, c, d) = (p[k], p[k + right], p[k + below], p[k + below + right]);
    std::array::from_fn(|n| {
        let get = |texel: [u8; 3]| linear[usize::from(texel[n])];
        let upper = get(a) * (1.0 - tx) + get(b) * tx;
        let lower = get(c) * (1.0 - tx) + get(d) * tx;
        upper * (1.0 - ty) + lower * ty
    })
}

/// Blurs a linear picture with a Gaussian of the given standard deviation, pixels.
pub fn blur(pixels: &mut [[f32; 3]], width: usize, height: usize, sigma: f32, scratch: &mut Vec<[f32; 3]>) {
    if sigma < 0.2 {
        return;
    }
    let reach = (sigma * 2.2).ceil() as usize;
    let mut kernel: Vec<f32> = (0..=reach).map(|k| (-0.5 * (k as f32 / sigma).powi(2)).exp()).collect();
    let total = kernel[0] + 2.0 * kernel[1..].iter().sum::<f32>();
    kernel.iter_mut().for_each(|k| *k /= total);
    scratch.resize(pixels.len(), [0.0; 3]);
    for (from, to) in pixels.chunks_exact(width).zip(scratch.chunks_exact_mut(width)) {
        blur_line(from.as_flattened(), to.as_flattened_mut(), &kernel);
    }
    let stride = width * 3;
    let (from, to) = (scratch.as_flattened(), pixels.as_flattened_mut());
    for (y, line) in to.chunks_exact_mut(stride).enumerate() {
        line.fill(0.0);
        for (k, weight) in kernel.iter().enumerate() {
            let weight = if k == 0 { *weight * 0.5 } else { *weight };
            let before = &from[y.saturating_sub(k) * stride..][..stride];
            let after = &from[(y + k).min(height - 1) * stride..][..stride];
            for ((out, a), b) in line.iter_mut().zip(before).zip(after) {
                *out += weight * (a + b);
            }
        }
    }
}

/// One line, three values a pixel; the edge pixels repeat beyond the ends.
fn blur_line(from: &[f32], to: &mut [f32], kernel: &[f32]) {
    for (out, value) in to.iter_mut().zip(from) {
        *out = kernel[0] * value;
    }
    let last = from.len() - 3;
    for (k, weight) in kernel.iter().enumerate().skip(1) {
        let shift = (3 * k).min(last);
        for (out, value) in to[shift..].iter_mut().zip(from) {
            *out += weight * value;
        }
        for (out, value) in to.iter_mut().zip(&from[shift..]) {
            *out += weight * value;
        }
        for n in 0..shift {
            to[n] += weight * from[n % 3];
            to[last + 2 - n] += weight * from[last + 2 - n % 3];
        }
    }
}
