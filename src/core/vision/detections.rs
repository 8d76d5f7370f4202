//! Boxes around goods, and what to do when two of them mean the same thing.

use serde::{Deserialize, Serialize};

/// One box around something that looks like goods.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Left, top, right, bottom in pixels of the camera's frame.
    pub box_px: [f32; 4],
    /// Confidence of the detector, 0..=1.
    pub score: f32,
}

impl Detection {
    /// Area in square pixels; zero for a box that is turned inside out or not finite.
    pub fn area_px2(&self) -> f32 {
        area(&self.box_px)
    }

    /// Intersection over union with another box, 0..=1.
    pub fn overlap(&self, other: &Self) -> f32 {
        intersection_over_union(&self.box_px, &other.box_px)
    }
}

/// Intersection over union of two boxes, 0..=1.
pub(super) fn intersection_over_union(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let shared = shared_area(a, b);
    let union = area(a) + area(b) - shared;
    if union > 0.0 { shared / union } else { 0.0 }
}

/// Area that two boxes share.
pub(super) fn shared_area(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    area(&[a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])])
}

/// Area of a box; zero if it is turned inside out or not finite.
pub(super) fn area(b: &[f32; 4]) -> f32 {
    let (w, h) = (b[2] - b[0], b[3] - b[1]);
    if w > 0.0 && h > 0.0 && w.is_finite() && h.is_finite() { w * h } else { 0.0 }
}

/// Keeps the best of every group of boxes that overlap by more than `iou_limit`, best score first.
///
/// Drops what scores below `threshold`, has no area, or is not finite: a detector may say anything.
pub fn non_maximum_suppression(found: &[Detection], threshold: f32, iou_limit: f32) -> Vec<Detection> {
    let mut candidates: Vec<Detection> =
        found.iter().copied().filter(|d| d.score.is_finite() && d.score >= threshold && d.area_px2() > 0.0).collect();
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if kept.iter().all(|k| k.overlap(&candidate) <= iou_limit) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32, score: f32) -> Detection {
        Detection { box_px: [x, 0.0, x + 10.0, 10.0], score }
    }

    #[test]
    fn overlap_is_by_hand() {
        // Shifted by 5 of 10: shared 50, union 150.
        assert!((at(0.0, 1.0).overlap(&at(5.0, 1.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(at(0.0, 1.0).overlap(&at(20.0, 1.0)), 0.0);
    }

    #[test]
    fn the_better_of_two_boxes_on_one_thing_stays() {
        let kept = non_maximum_suppression(&[at(0.0, 0.5), at(1.0, 0.9), at(30.0, 0.4), at(60.0, 0.1)], 0.3, 0.6);
        assert_eq!(kept, vec![at(1.0, 0.9), at(30.0, 0.4)]);
    }

    #[test]
    fn nonsense_is_not_goods() {
        let inside_out = Detection { box_px: [10.0, 0.0, 0.0, 10.0], score: 0.9 };
        let nan = Detection { box_px: [0.0, 0.0, f32::NAN, 10.0], score: 0.9 };
        assert!(non_maximum_suppression(&[inside_out, nan, at(0.0, f32::NAN)], 0.1, 0.6).is_empty());
    }
}
