//! What several cameras see of the same goods, as one list: each thing once.
//!
//! Two boxes of different cameras mean one thing if the rays through their middles come near each other above the plate, the boxes lie on
//! each other at that level, and what is in them looks alike. The level is what a homography of the plate alone cannot
//! know: the top of a tall pack is seen beside its foot, by each camera on another side.

use super::plane::PlateCamera;
use super::scene::Crop;

/// So high above the plate goods may lie: a trolley's rim, and what towers over it.
const CEILING_MM: f64 = 700.0;
/// Share of the smaller of two boxes that must lie in the other one at the level where their middles come nearest.
const LEAST_OVERLAP: f64 = 0.4;
/// Least cosine of two views of one thing from two sides. Lower than what tells goods apart (the shipped model's calibration is even at
/// 0.3), because lying on the same place speaks for it already.
const LEAST_COSINE: f32 = 0.2;
/// Most things of one look, as many as one camera's look may have twice over.
const MOST_THINGS: usize = 64;

/// One thing, and the camera whose picture shows it best.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Place of that camera among those that were asked.
    pub camera: usize,
    /// What it saw; boxes are pixels of its picture.
    pub crop: Crop,
    /// How many cameras saw it.
    pub seen_by: usize,
}

/// What one camera saw.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// Where it is.
    pub camera: &'a PlateCamera,
    /// Its crops.
    pub crops: &'a [Crop],
}

/// A thing under way: its sightings, one a camera at most.
struct Thing {
    seen: Vec<(usize, usize)>,
}

/// Brings the crops of all cameras onto the platform: what two of them saw becomes one (its best-scored view stays), what one alone saw is
/// added. Best score first; equal scores in the order of the cameras. One camera's crops stay as they are.
pub fn merge(sights: &[Sight<'_>]) -> Vec<Sighting> {
    let mut things: Vec<Thing> = Vec::new();
    for (camera, sight) in sights.iter().enumerate() {
        let known = things.len();
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (place, crop) in sight.crops.iter().enumerate() {
            for (index, thing) in things[..known].iter().enumerate() {
                let fits = thing.seen.iter().filter_map(|(other, k)| {
                    likeness((sight.camera, crop), (sights[*other].camera, &sights[*other].crops[*k]))
                });
                if let Some(best) = fits.max_by(f64::total_cmp) {
                    pairs.push((best, index, place));
                }
            }
        }
        // The best pair first; each thing and each crop once. Ties go to those that stand first, so that the same always gives the same.
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut taken = vec![false; known];
        let mut placed = vec![false; sight.crops.len()];
        for (_, thing, place) in pairs {
            if !taken[thing] && !placed[place] {
                (taken[thing], placed[place]) = (true, true);
                things[thing].seen.push((camera, place));
            }
        }
        let alone = (0..sight.crops.len()).filter(|place| !placed[*place]);
        things.extend(alone.map(|place| Thing { seen: vec![(camera, place)] }));
    }
    let best = |thing: &Thing| {
        let score = |(camera, place): &(usize, usize)| sights[*camera].crops[*place].score;
        let (camera, place) = thing.seen.iter().copied().reduce(|a, b| if score(&b) > score(&a) { b } else { a })?;
        Some(Sighting { camera, crop: sights[camera].crops[place].clone(), seen_by: thing.seen.len() })
    };
    let mut merged: Vec<Sighting> = things.iter().filter_map(best).collect();
    merged.sort_by(|a, b| b.crop.score.total_cmp(&a.crop.score));
    merged.truncate(MOST_THINGS);
    merged
}

/// How well two crops of two cameras fit as one thing, 0..=1; `None` if they cannot be one.
fn likeness(a: (&PlateCamera, &Crop), b: (&PlateCamera, &Crop)) -> Option<f64> {
    let cosine = a.1.embedding.cosine(&b.1.embedding).filter(|cosine| *cosine >= LEAST_COSINE)?;
    let level = nearest_level(a, b)?;
    let shared = overlap(a.0.box_at_level(a.1.box_px, level)?, b.0.box_at_level(b.1.box_px, level)?);
    (shared >= LEAST_OVERLAP).then(|| shared * f64::from(cosine.min(1.0)))
}

/// The level, millimetres above the plate, at which the rays through two boxes' middles come nearest to each other.
fn nearest_level(a: (&PlateCamera, &Crop), b: (&PlateCamera, &Crop)) -> Option<f64> {
    let middle = |(camera, crop): (&PlateCamera, &Crop), z_mm: f64| {
        let [left, top, right, bottom] = crop.box_px.map(f64::from);
        camera.at_level([(left + right) / 2.0, (top + bottom) / 2.0], z_mm)
    };
    // Both move evenly with the level, and so does what lies between them.
    let apart = |z_mm: f64| Some((middle(a, z_mm)?, middle(b, z_mm)?)).map(|(p, q)| [p[0] - q[0], p[1] - q[1]]);
    let (low, high) = (apart(0.0)?, apart(CEILING_MM)?);
    let slope = [high[0] - low[0], high[1] - low[1]];
    let steepness = slope[0] * slope[0] + slope[1] * slope[1];
    if steepness <= 0.0 {
        return Some(0.0);
    }
    let share = -(low[0] * slope[0] + low[1] * slope[1]) / steepness;
    Some(share.clamp(0.0, 1.0) * CEILING_MM)
}

/// Share of the smaller of two rectangles that lies in the other.
fn overlap(a: [f64; 4], b: [f64; 4]) -> f64 {
    let area = |[left, top, right, bottom]: [f64; 4]| (right - left).max(0.0) * (bottom - top).max(0.0);
    let shared = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    let smaller = area(a).min(area(b));
    if smaller > 0.0 { shared / smaller } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::Embedding;

    fn crop(box_px: [f32; 4], score: f32, look: [f32; 2]) -> Crop {
        Crop { camera: 0, box_px, score, embedding: Embedding::new(look.to_vec()).unwrap() }
    }

    /// Straight down: a millimetre a pixel on the plate, (320, 240) its middle.
    fn top() -> PlateCamera {
        PlateCamera::aimed([640, 480], 1000.0, 1000.0, [0.0, 0.0])
    }

    /// The same 400 mm to the right, level: straight down again would be `aimed` at its own foot; this one leans 21.8°.
    fn side() -> PlateCamera {
        PlateCamera::aimed([640, 480], 1000.0, 1000.0, [400.0, 0.0])
    }

    const RED: [f32; 2] = [1.0, 0.0];
    const BLUE: [f32; 2] = [0.0, 1.0];

    /// The box of a flat thing of 80 x 60 mm about a place, at a level, as a camera sees it.
    fn seen(camera: &PlateCamera, [x, y]: [f64; 2], z_mm: f64) -> [f32; 4] {
        // A point at a level lies on the ray of the plate's point from which the lens is as much further as the level is high.
        let [lens_x, lens_y, height] = camera.lens_mm();
        let share = z_mm / height;
        let foot = |at: f64, lens: f64| (at - lens * share) / (1.0 - share);
        let corners = [[x - 40.0, y - 30.0], [x + 40.0, y - 30.0], [x + 40.0, y + 30.0], [x - 40.0, y + 30.0]];
        let px = corners.map(|[x, y]| camera.to_picture([foot(x, lens_x), foot(y, lens_y)]).unwrap());
        let edge = |k: usize, pick: fn(f64, f64) -> f64| px.iter().map(|p| p[k]).reduce(pick).unwrap() as f32;
        [edge(0, f64::min), edge(1, f64::min), edge(0, f64::max), edge(1, f64::max)]
    }

    #[test]
    fn one_cameras_crops_stay_as_they_are() {
        let crops = [crop([0.0, 0.0, 9.0, 9.0], 0.9, RED), crop([1.0, 0.0, 9.0, 9.0], 0.9, RED)];
        let camera = top();
        let merged = merge(&[Sight { camera: &camera, crops: &crops }]);
        let kept: Vec<Crop> = merged.iter().map(|thing| thing.crop.clone()).collect();
        assert_eq!(kept, crops);
        assert!(merged.iter().all(|thing| (thing.camera, thing.seen_by) == (0, 1)));
    }

    #[test]
    fn one_thing_that_two_cameras_see_is_one_also_high_above_the_plate() {
        let (top, side) = (top(), side());
        for level in [0.0, 150.0, 400.0] {
            let above = [crop(seen(&top, [50.0, 20.0], level), 0.7, RED)];
            let aside = [crop(seen(&side, [50.0, 20.0], level), 0.8, [0.6, 0.8])];
            let merged = merge(&[Sight { camera: &top, crops: &above }, Sight { camera: &side, crops: &aside }]);
            assert_eq!(merged.len(), 1, "{level}");
            assert_eq!((merged[0].camera, merged[0].seen_by), (1, 2), "the better view stays");
            assert_eq!(merged[0].crop, aside[0]);
        }
        // On the plane itself the two boxes of the highest one lie 200 mm apart: by hand, a lens 400 mm aside and 1 000 high shifts what
        // is 400 mm up by 400 · 0.4 / 0.6 = 267 mm, and the one above shifts (50, 20) to (83, 33).
        let (a, b) = (seen(&top, [50.0, 20.0], 400.0), seen(&side, [50.0, 20.0], 400.0));
        let middle = |camera: &PlateCamera, b: [f32; 4]| {
            camera.at_level([f64::from(b[0] + b[2]) / 2.0, f64::from(b[1] + b[3]) / 2.0], 0.0).unwrap()
        };
        let (p, q) = (middle(&top, a), middle(&side, b));
        assert!((p[0] - 83.3).abs() < 1.0 && (p[0] - q[0] - 266.7).abs() < 15.0, "{p:?} {q:?}");
    }

    #[test]
    fn what_looks_otherwise_or_lies_elsewhere_is_another_thing() {
        let (top, side) = (top(), side());
        let above = [crop(seen(&top, [50.0, 20.0], 100.0), 0.7, RED)];
        for (place, look) in [([50.0, 20.0], BLUE), ([50.0, 90.0], RED)] {
            let aside = [crop(seen(&side, place, 100.0), 0.8, look)];
            let merged = merge(&[Sight { camera: &top, crops: &above }, Sight { camera: &side, crops: &aside }]);
            assert_eq!(merged.iter().map(|thing| (thing.camera, thing.seen_by)).collect::<Vec<_>>(), [(1, 1), (0, 1)]);
        }
    }

    /// Two of the same side by side, one of them hidden from above: each box goes to its own thing, and the hidden one is added.
    #[test]
    fn pairs_are_made_best_first_and_each_crop_once() {
        let (top, side) = (top(), side());
        let above = [crop(seen(&top, [0.0, 0.0], 50.0), 0.9, RED), crop(seen(&top, [0.0, 64.0], 50.0), 0.8, RED)];
        let aside = [
            crop(seen(&side, [0.0, 62.0], 50.0), 0.7, RED),
            crop(seen(&side, [0.0, 2.0], 50.0), 0.6, RED),
            crop(seen(&side, [200.0, -100.0], 0.0), 0.5, RED),
        ];
        let merged = merge(&[Sight { camera: &top, crops: &above }, Sight { camera: &side, crops: &aside }]);
        let told: Vec<(f32, usize)> = merged.iter().map(|thing| (thing.crop.score, thing.seen_by)).collect();
        assert_eq!(told, [(0.9, 2), (0.8, 2), (0.5, 1)]);
    }

    #[test]
    fn boxes_that_are_none_are_things_of_their_own() {
        let (top, side) = (top(), side());
        let broken = [crop([f32::NAN; 4], 0.7, RED)];
        let merged = merge(&[Sight { camera: &top, crops: &broken }, Sight { camera: &side, crops: &broken }]);
        assert_eq!(merged.len(), 2);
    }
}
