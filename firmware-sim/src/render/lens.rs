//! What a cheap lens and a slow shutter do to a finished frame, owners included.

use super::picture::Rendered;

/// A lens that bends and a picture that moved while the shutter was open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lens {
    /// First radial coefficient of the Brown-Conrady model on radii of half the diagonal; below 0 is a barrel.
    pub bend: f32,
    /// How far the picture moved during the exposure, pixels to the right and downwards.
    pub smear_px: [f32; 2],
}

impl Lens {
    /// The frame as this lens shows it. Owners are bent with the colours; a smear leaves them where the exposure's
    /// middle was.
    pub fn through(&self, frame: Rendered) -> Rendered {
        let bent = if self.bend == 0.0 { frame } else { self.bent(&frame) };
        if self.smear_px == [0.0; 2] { bent } else { self.smeared(bent) }
    }

    fn bent(&self, frame: &Rendered) -> Rendered {
        let (width, height) = (frame.width as usize, frame.height as usize);
        let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
        let unit = 1.0 / (cx * cx + cy * cy);
        // A barrel would show what was never drawn: the frame is enlarged so that its corners stay inside.
        let shrink = 1.0 / (1.0 + self.bend.max(0.0));
        let mut out = frame.clone();
        for y in 0..height {
            for x in 0..width {
                let (dx, dy) = (x as f32 + 0.5 - cx, y as f32 + 0.5 - cy);
                let factor = shrink * (1.0 + self.bend * (dx * dx + dy * dy) * unit);
                let (sx, sy) = (cx + dx * factor - 0.5, cy + dy * factor - 0.5);
                let k = y * width + x;
                out.rgb[k * 3..k * 3 + 3].copy_from_slice(&between(frame, sx, sy));
                let near = |at: f32, most: usize| (at + 0.5).clamp(0.0, most as f32 - 1.0) as usize;
                out.ids[k] = frame.ids[near(sy, height) * width + near(sx, width)];
            }
        }
        out
    }

    fn smeared(&self, mut frame: Rendered) -> Rendered {
        let (width, height) = (frame.width as i32, frame.height as i32);
        let [dx, dy] = self.smear_px;
        let steps = (dx.abs().max(dy.abs()).ceil() as i32).max(1);
        let shifts: Vec<(i32, i32)> = (0..=steps)
            .map(|k| k as f32 / steps as f32 - 0.5)
            .map(|t| ((dx * t).round() as i32, (dy * t).round() as i32))
            .collect();
        let old = frame.rgb.clone();
        for y in 0..height {
            for x in 0..width {
                for channel in 0..3 {
                    let at = |(sx, sy): &(i32, i32)| {
                        let (x, y) = ((x + sx).clamp(0, width - 1), (y + sy).clamp(0, height - 1));
                        u32::from(old[((y * width + x) * 3 + channel) as usize])
                    };
                    let sum: u32 = shifts.iter().map(at).sum();
                    frame.rgb[((y * width + x) * 3 + channel) as usize] = (sum / shifts.len() as u32) as u8;
                }
            }
        }
        frame
    }
}

/// Bilinear colour at a place in pixels, the border repeated.
fn between(frame: &Rendered, x: f32, y: f32) -> [u8; 3] {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let (x, y) = (x.clamp(0.0, width as f32 - 1.0), y.clamp(0.0, height as f32 - 1.0));
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(width - 1), (y0 + 1).min(height - 1));
    let (tx, ty) = (x.fract(), y.fract());
    std::array::from_fn(|n| {
        let at = |x: usize, y: usize| f32::from(frame.rgb[(y * width + x) * 3 + n]);
        let upper = at(x0, y0) * (1.0 - tx) + at(x1, y0) * tx;
        let lower = at(x0, y1) * (1.0 - tx) + at(x1, y1) * tx;
        (upper * (1.0 - ty) + lower * ty).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(x: usize, y: usize) -> Rendered {
        let (mut rgb, mut ids) = (vec![0; 64 * 48 * 3], vec![0; 64 * 48]);
        rgb[(y * 64 + x) * 3] = 240;
        ids[y * 64 + x] = 1;
        Rendered { width: 64, height: 48, rgb, ids, noise_levels: 0.0 }
    }

    #[test]
    fn a_barrel_pulls_the_edge_towards_the_middle_and_leaves_the_middle() {
        let lens = Lens { bend: -0.2, ..Lens::default() };
        let place = |x, y| lens.through(dot(x, y)).ids.iter().position(|id| *id == 1).map(|k| (k % 64, k / 64));
        assert_eq!(place(32, 24), Some((32, 24)));
        // (58.5 - 32, 24.5 - 24) has radius 26.5 of 40: it is shown where r (1 - 0.2 r²/40²) = 26.5, at r = 29.6.
        assert_eq!(place(58, 24).map(|(x, _)| x), Some(61));
    }

    #[test]
    fn a_smear_spreads_a_point_along_its_way_and_keeps_owners() {
        let lens = Lens { smear_px: [4.0, 0.0], ..Lens::default() };
        let out = lens.through(dot(20, 10));
        let line: Vec<u8> = (16..25).map(|x| out.rgb[(10 * 64 + x) * 3]).collect();
        assert_eq!(line, [0, 0, 48, 48, 48, 48, 48, 0, 0]);
        assert_eq!(out.ids[10 * 64 + 20], 1);
    }
}
