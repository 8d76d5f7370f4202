//! A texture and the strokes with which parts of it are painted.

use super::mesh::Patch;
use crate::shop::Colour;

/// An RGB picture, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Canvas {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// sRGB, `width * height` entries.
    pub pixels: Vec<[u8; 3]>,
}

impl Canvas {
    /// A grey canvas.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![[128; 3]; (width * height) as usize] }
    }

    /// The area of a patch.
    pub fn area(&mut self, patch: &Patch) -> Area<'_> {
        Area { canvas: self, x: patch.x as f32, y: patch.y as f32, w: patch.w as f32, h: patch.h as f32 }
    }
}

/// A rectangle of a canvas that is painted in its own coordinates: 0..1 from its upper left corner.
#[derive(Debug)]
pub struct Area<'a> {
    canvas: &'a mut Canvas,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
}

impl Area<'_> {
    /// Width in texels.
    pub fn width(&self) -> f32 {
        self.w
    }

    /// Height in texels.
    pub fn height(&self) -> f32 {
        self.h
    }

    /// A part of this area, in its own coordinates again.
    pub fn part(&mut self, x0: f32, y0: f32, x1: f32, y1: f32) -> Area<'_> {
        Area {
            x: self.x + x0 * self.w,
            y: self.y + y0 * self.h,
            w: (x1 - x0) * self.w,
            h: (y1 - y0) * self.h,
            canvas: self.canvas,
        }
    }

    /// Recolours each texel of the rectangle: `stroke(u, v, old)`, u and v in shares of the whole area.
    pub fn paint(&mut self, [x0, y0, x1, y1]: [f32; 4], mut stroke: impl FnMut(f32, f32, Colour) -> Colour) {
        let clip = |from: f32, len: f32, share: f32, limit: u32| {
            ((from + share.clamp(0.0, 1.0) * len + 0.5) as u32).min(limit)
        };
        let (left, right) = (clip(self.x, self.w, x0, self.canvas.width), clip(self.x, self.w, x1, self.canvas.width));
        let (top, low) = (clip(self.y, self.h, y0, self.canvas.height), clip(self.y, self.h, y1, self.canvas.height));
        for row in top..low {
            let v = (row as f32 + 0.5 - self.y) / self.h;
            for column in left..right {
                let u = (column as f32 + 0.5 - self.x) / self.w;
                let pixel = &mut self.canvas.pixels[(row * self.canvas.width + column) as usize];
                *pixel = stroke(u, v, Colour(*pixel)).0;
            }
        }
    }

    /// One colour all over.
    pub fn fill(&mut self, colour: Colour) {
        self.rect([0.0, 0.0, 1.0, 1.0], colour);
    }

    /// A filled rectangle: left, top, right, bottom.
    pub fn rect(&mut self, sides: [f32; 4], colour: Colour) {
        self.paint(sides, |_, _, _| colour);
    }

    /// From one colour at the top to another at the bottom.
    pub fn gradient(&mut self, sides: [f32; 4], top: Colour, low: Colour) {
        let [_, y0, _, y1] = sides;
        self.paint(sides, |_, v, _| top.mix(low, ((v - y0) / (y1 - y0)).clamp(0.0, 1.0)));
    }

    /// A filled ellipse with soft edges; `radius` in shares of the shorter side unless `stretch`.
    pub fn disc(&mut self, (x, y): (f32, f32), radius: f32, flatness: f32, colour: Colour) {
        let side = self.w.min(self.h);
        let (rx, ry) = (radius * side / self.w, radius * flatness * side / self.h);
        self.paint([x - rx, y - ry, x + rx, y + ry], |u, v, old| {
            let away = (((u - x) / rx).powi(2) + ((v - y) / ry).powi(2)).sqrt();
            old.mix(colour, ((1.0 - away) * radius * side).clamp(0.0, 1.0))
        });
    }

    /// A frame along the edges of a rectangle, `width` in shares of the shorter side.
    pub fn frame(&mut self, [x0, y0, x1, y1]: [f32; 4], width: f32, colour: Colour) {
        let side = self.w.min(self.h);
        let (dx, dy) = (width * side / self.w, width * side / self.h);
        self.rect([x0, y0, x1, y0 + dy], colour);
        self.rect([x0, y1 - dy, x1, y1], colour);
        self.rect([x0, y0, x0 + dx, y1], colour);
        self.rect([x1 - dx, y0, x1, y1], colour);
    }

    /// A white field with the bars of an EAN-13; other texts give bars out of their bytes.
    pub fn barcode(&mut self, sides: [f32; 4], code: &str) {
        let modules = ean_modules(code);
        let [x0, y0, x1, y1] = sides;
        let white = Colour([246, 246, 242]);
        self.rect(sides, white);
        let (inner0, inner1) = (x0 + (x1 - x0) * 0.08, x1 - (x1 - x0) * 0.08);
        let foot = y1 - (y1 - y0) * 0.16;
        let head = y0 + (y1 - y0) * 0.08;
        let black = Colour([24, 24, 26]);
        self.paint([inner0, head, inner1, foot], |u, _, old| {
            let place = ((u - inner0) / (inner1 - inner0) * modules.len() as f32) as usize;
            if modules.get(place).copied().unwrap_or(false) { black } else { old }
        });
    }
}

/// Bars of an EAN-13, true for black (GS1 General Specifications 5.2.1).
fn ean_modules(code: &str) -> Vec<bool> {
    const LEFT_ODD: [u8; 10] = [0x0D, 0x19, 0x13, 0x3D, 0x23, 0x31, 0x2F, 0x3B, 0x37, 0x0B];
    const PARITY: [u8; 10] = [0x00, 0x0B, 0x0D, 0x0E, 0x13, 0x19, 0x1C, 0x15, 0x16, 0x1A];
    let digits: Vec<usize> = code.bytes().map(|b| usize::from(b % 16) % 10).cycle().take(13).collect();
    let Some((&first, rest)) = digits.split_first() else {
        return Vec::new();
    };
    let mut bars = vec![true, false, true];
    for (place, &digit) in rest.iter().enumerate() {
        let odd = LEFT_ODD[digit];
        let even = (0..7).fold(0_u8, |out, bit| out | (((!odd >> bit) & 1) << (6 - bit)));
        let pattern = match place {
            0..6 if PARITY[first] >> (5 - place) & 1 == 0 => odd,
            0..6 => even,
            _ => !odd & 0x7F,
        };
        bars.extend((0..7).rev().map(|bit| pattern >> bit & 1 == 1));
        if place == 5 {
            bars.extend([false, true, false, true, false]);
        }
    }
    bars.extend([true, false, true]);
    bars
}

#[cfg(test)]
mod tests {
    use super::ean_modules;

    #[test]
    fn an_ean_has_95_modules_and_the_known_bars() {
        let bars: String = ean_modules("4006381333931").iter().map(|b| if *b { '1' } else { '0' }).collect();
        assert_eq!(bars.len(), 95);
        // First digit 4: parity LGLLGG; then 0 0 6 | 3 8 1, read off GS1's table.
        assert!(bars.starts_with("1010001101010011101011110111101"), "{bars}");
    }
}
