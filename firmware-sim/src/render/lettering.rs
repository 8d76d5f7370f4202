//! Words on packs.

use font8x8::legacy::BASIC_LEGACY;

use super::canvas::Area;
use crate::shop::Colour;

/// A box for a word, in shares of the area: its middle, its greatest width and height.
#[derive(Debug, Clone, Copy)]
pub struct TextBox {
    /// Middle.
    pub at: (f32, f32),
    /// Greatest width.
    pub width: f32,
    /// Greatest height.
    pub height: f32,
    /// Whether the word runs downwards.
    pub turned: bool,
}

/// Writes `text` as large as the box allows, letters kept in proportion.
pub fn write(area: &mut Area<'_>, text: &str, place: TextBox, colour: Colour) {
    let letters: Vec<[u8; 8]> = text.chars().map(glyph).collect();
    if letters.is_empty() {
        return;
    }
    let (box_w, box_h) = (place.width * area.width(), place.height * area.height());
    let (along, across) = if place.turned { (box_h, box_w) } else { (box_w, box_h) };
    // Letters are drawn a little narrower than their 8 x 8 cell is wide.
    let count = letters.len() as f32;
    let height = across.min(along / (count * 0.8));
    if height < 4.0 {
        return;
    }
    let length = count * 0.8 * height;
    let (w, h) = if place.turned { (height, length) } else { (length, height) };
    let (w, h) = (w / area.width(), h / area.height());
    let (x0, y0) = (place.at.0 - w / 2.0, place.at.1 - h / 2.0);
    let softness = (height / 8.0).clamp(1.0, 4.0);
    area.paint([x0, y0, x0 + w, y0 + h], |u, v, old| {
        let (s, t) = ((u - x0) / w, (v - y0) / h);
        let (s, t) = if place.turned { (t, 1.0 - s) } else { (s, t) };
        let cell = s * count;
        let letter = &letters[(cell as usize).min(letters.len() - 1)];
        let ink = coverage(letter, cell.fract() * 8.0, t * 8.0);
        old.mix(colour, ((ink - 0.5) * softness + 0.5).clamp(0.0, 1.0))
    });
}

/// Lines that look like small print, greeked.
pub fn small_print(area: &mut Area<'_>, [x0, y0, x1, y1]: [f32; 4], colour: Colour, mut seed: u64) {
    let pitch = (3.0 / area.height()).max(0.02);
    let mut y = y0;
    while y + pitch * 0.5 < y1 {
        seed = crate::shop::seed::mix(seed, 1);
        let long = x0 + (x1 - x0) * (0.55 + 0.45 * (seed % 100) as f32 / 100.0);
        area.paint([x0, y, long, y + pitch * 0.5], |_, _, old| old.mix(colour, 0.55));
        y += pitch;
    }
}

fn glyph(letter: char) -> [u8; 8] {
    BASIC_LEGACY.get(letter as usize).copied().unwrap_or(BASIC_LEGACY['?' as usize])
}

/// Ink at a point of the 8 x 8 glyph, bilinear between its dots, 0..1.
fn coverage(glyph: &[u8; 8], x: f32, y: f32) -> f32 {
    let dot = |x: i32, y: i32| {
        let inside = (0..8).contains(&x) && (0..8).contains(&y);
        if inside && glyph[y as usize] >> x & 1 == 1 { 1.0 } else { 0.0 }
    };
    let (x, y) = (x - 0.5, y - 0.5);
    let (fx, fy) = (x.floor(), y.floor());
    let (tx, ty) = (x - fx, y - fy);
    let (ix, iy) = (fx as i32, fy as i32);
    let upper = dot(ix, iy) * (1.0 - tx) + dot(ix + 1, iy) * tx;
    let lower = dot(ix, iy + 1) * (1.0 - tx) + dot(ix + 1, iy + 1) * tx;
    upper * (1.0 - ty) + lower * ty
}
