//! Where the platform's edges lie in the picture, against where the station file says: a camera that was knocked looks elsewhere.

use image::RgbImage;

/// So far to either side of where an edge should be it is looked for, pixels.
const REACH_PX: i32 = 16;
/// An edge is looked at every so many pixels, but for its ends: corners may be round.
const EVERY_PX: f32 = 3.0;
const ENDS: f32 = 0.1;
/// Shorter sides say nothing.
const SHORTEST_PX: f32 = 40.0;
/// Luma must change by so much across an edge, averaged along it, or there is none to be seen.
const CONTRAST: f32 = 10.0;

/// How far the platform's edges lie from where they should: so far at least for two of its sides, in pixels (one may be a basket's edge beside
/// it). `None` where fewer than two can be seen: a basket overhangs them, floor and platform are of one grey, or the camera looks somewhere
/// else altogether.
pub(super) fn shift_px(picture: &RgbImage, corners: &[[u32; 2]]) -> Option<f32> {
    let sides = corners.iter().zip(corners.iter().cycle().skip(1)).take(corners.len());
    let mut shifts: Vec<f32> = sides.filter_map(|(a, b)| side_shift_px(picture, *a, *b)).map(f32::abs).collect();
    shifts.sort_by(|a, b| b.total_cmp(a));
    shifts.get(1).copied()
}

/// Where along its normal one side is drawn most sharply.
fn side_shift_px(picture: &RgbImage, from: [u32; 2], to: [u32; 2]) -> Option<f32> {
    let [ax, ay, bx, by] = [from[0], from[1], to[0], to[1]].map(|v| v as f32);
    let (dx, dy) = (bx - ax, by - ay);
    let length_px = dx.hypot(dy);
    if length_px < SHORTEST_PX {
        return None;
    }
    let (nx, ny) = (-dy / length_px, dx / length_px);
    let span = (2 * REACH_PX + 1) as usize;
    let (mut profile, mut seen) = (vec![0.0f32; span], vec![0.0f32; span]);
    let steps = ((1.0 - 2.0 * ENDS) * length_px / EVERY_PX) as usize;
    for k in 0..steps {
        let along = ENDS + k as f32 * EVERY_PX / length_px;
        for (slot, off) in (-REACH_PX..=REACH_PX).enumerate() {
            let (x, y) = (ax + along * dx + off as f32 * nx, ay + along * dy + off as f32 * ny);
            if let Some(luma) = luma_at(picture, x, y) {
                profile[slot] += luma;
                seen[slot] += 1.0;
            }
        }
    }
    // Places that the picture's own edge cuts off are no places for the platform's.
    if seen.iter().any(|n| *n < 0.5 * steps as f32 || *n < 1.0) {
        return None;
    }
    profile.iter_mut().zip(&seen).for_each(|(sum, n)| *sum /= n);
    let slope = |slot: usize| (profile[slot + 2] - profile[slot - 2]).abs();
    let steepest = (2..span - 2).map(slope).fold(0.0, f32::max);
    if steepest < CONTRAST {
        return None;
    }
    // A sharp edge is as steep over several places: their middle is where it lies.
    let steep: Vec<f32> =
        (2..span - 2).filter(|k| slope(*k) > 0.95 * steepest).map(|k| (k as i32 - REACH_PX) as f32).collect();
    Some(steep.iter().sum::<f32>() / steep.len().max(1) as f32)
}

/// Luma of the nearest pixel (ITU-R BT.601 weights), 0..=255.
fn luma_at(picture: &RgbImage, x: f32, y: f32) -> Option<f32> {
    if x < 0.0 || y < 0.0 {
        return None;
    }
    let [r, g, b] = picture.get_pixel_checked(x as u32, y as u32)?.0.map(f32::from);
    Some(0.299 * r + 0.587 * g + 0.114 * b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const CORNERS: [[u32; 2]; 4] = [[100, 50], [540, 60], [530, 430], [110, 420]];

    /// A light platform on a dark floor with a pattern of its own on both, moved by so much; and a dark basket on it.
    fn picture(right_px: f32, down_px: f32, basket: Option<[u32; 4]>) -> RgbImage {
        let inside = |x: f32, y: f32| {
            (0..4).all(|k| {
                let ([ax, ay], [bx, by]) = (CORNERS[k].map(|v| v as f32), CORNERS[(k + 1) % 4].map(|v| v as f32));
                (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0
            })
        };
        RgbImage::from_fn(640, 480, |x, y| {
            let grain = ((x * 31 + y * 17) % 23) as u8;
            let in_basket = basket.is_some_and(|[l, t, r, b]| (l..r).contains(&x) && (t..b).contains(&y));
            let light = match (in_basket, inside(x as f32 - right_px, y as f32 - down_px)) {
                (true, _) => 60,
                (false, true) => 170,
                (false, false) => 85,
            };
            Rgb([light + grain; 3])
        })
    }

    #[test]
    fn edges_are_found_where_they_are() {
        assert!(shift_px(&picture(0.0, 0.0, None), &CORNERS).unwrap() <= 1.0);
        let moved = shift_px(&picture(9.0, 9.0, None), &CORNERS).unwrap();
        assert!((moved - 9.0).abs() <= 1.0, "{moved}");
        let sideways = shift_px(&picture(9.0, 0.0, None), &CORNERS).unwrap();
        assert!((sideways - 9.0).abs() <= 1.0, "two edges have moved along themselves: {sideways}");
    }

    /// A basket that covers part of the platform changes nothing, and one that covers two sides leaves two.
    #[test]
    fn what_lies_on_the_platform_is_no_edge_of_it() {
        assert!(shift_px(&picture(0.0, 0.0, Some([160, 120, 480, 380])), &CORNERS).unwrap() <= 1.0);
        assert!(shift_px(&picture(0.0, 0.0, Some([60, 20, 400, 300])), &CORNERS).unwrap() <= 1.0);
        // Its right edge runs beside the platform's, ten pixels further in, and looks sharper.
        assert!(shift_px(&picture(0.0, 0.0, Some([200, 150, 526, 350])), &CORNERS).unwrap() <= 1.0);
        assert_eq!(shift_px(&picture(0.0, 0.0, Some([20, 20, 620, 470])), &CORNERS), None);
    }

    #[test]
    fn a_floor_as_light_as_the_platform_says_nothing() {
        let plain = RgbImage::from_pixel(640, 480, Rgb([120; 3]));
        assert_eq!(shift_px(&plain, &CORNERS), None);
        assert_eq!(shift_px(&picture(0.0, 0.0, None), &[[0, 0], [639, 0], [639, 479], [0, 479]]), None);
    }
}
