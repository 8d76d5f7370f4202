//! The things of one visit, followed from look to look: what came with which, what went, and what lies hidden under what came later.
//!
//! Between two looks a hand has put something down or taken something out; all else lies as it lay, or was pushed a little. So a crop is the
//! thing that was seen at its place if it looks at least weakly like it, or a thing beside it that is not to be found at its own place any
//! more if it looks very much like it. What fits nothing is new. A thing that is not found was covered, or the detector passed it
//! over, as long as nothing was taken out; after a removal it went, unless something lies over it.

use super::detections::{area, intersection_over_union, shared_area};
use super::scene::Crop;

/// Intersection over union from which on two boxes of one camera are one place.
const SAME_PLACE: f32 = 0.3;
/// Least cosine of two views of what lies at one place. Strangers' cosines lie about zero, and the same place speaks for it already.
const SAME_PLACE_COSINE: f32 = 0.2;
/// Least cosine of two views of a thing that was pushed aside, or that another camera shows now.
const PUSHED_COSINE: f32 = 0.6;
/// What was pushed lies no further from where it lay than this share of its box's diagonal.
const PUSHED_BY: f32 = 1.0;
/// Share of a thing's box that others must lie over for it to be covered.
const COVERED: f32 = 0.3;
/// Most things that are followed at one time; what is seen beyond is left to the single look.
const THINGS_MAX: usize = 256;

/// What a hand did before a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Put something down.
    Put,
    /// Took something out.
    Removed,
    /// Nothing: the same is looked at once more.
    Nothing,
}

/// One thing.
#[derive(Clone, Debug, PartialEq)]
struct Thing {
    /// Its best-scored view.
    best: Crop,
    /// As it was seen last.
    last: Crop,
    /// With which look it came.
    came: usize,
}

/// The things of one visit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracks {
    things: Vec<Thing>,
    looks: usize,
}

impl Tracks {
    /// How many looks there were, those at the same once more not counted.
    pub fn looks(&self) -> usize {
        self.looks
    }

    /// Takes the next look, and what was done since the one before. Returns how many things came, and how many went.
    pub fn look(&mut self, crops: &[Crop], since: Since) -> (usize, usize) {
        if since != Since::Nothing || self.looks == 0 {
            self.looks += 1;
        }
        let (of_thing, of_crop) = self.assign(crops);
        let mut place = 0..;
        let before = self.things.len();
        if since == Since::Removed {
            let found = |at: usize| of_thing.get(at).is_some_and(Option::is_some);
            self.things.retain(|thing| place.next().is_some_and(|at| found(at) || is_covered(&thing.last, crops)));
        }
        let went = before - self.things.len();
        let new = crops.iter().zip(&of_crop).filter(|(_, known)| !**known).map(|(crop, _)| crop);
        let room = THINGS_MAX.saturating_sub(self.things.len());
        let came = self.looks - 1;
        let first_new = self.things.len();
        self.things.extend(new.take(room).map(|crop| Thing { best: crop.clone(), last: crop.clone(), came }));
        (self.things.len() - first_new, went)
    }

    /// What was first seen in that look, counted from 0, each thing in its best view.
    pub fn came_with(&self, look: usize) -> impl Iterator<Item = &Crop> {
        self.things.iter().filter(move |thing| thing.came == look).map(|thing| &thing.best)
    }

    /// All that lies there as far as is known, hidden or not, each thing in its best view.
    pub fn there(&self) -> impl Iterator<Item = &Crop> {
        self.things.iter().map(|thing| &thing.best)
    }

    /// Finds each thing among the crops, best fit first: for each thing where it is, for each crop whether it is a known thing.
    fn assign(&mut self, crops: &[Crop]) -> (Vec<Option<usize>>, Vec<bool>) {
        let mut fits: Vec<(f32, usize, usize)> = Vec::new();
        for (thing, known) in self.things.iter().enumerate() {
            for (crop, seen) in crops.iter().enumerate() {
                fits.extend(likeness(&known.last, seen).map(|fit| (fit, thing, crop)));
            }
        }
        // Ties go to what stands first, so that the same always gives the same.
        fits.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut of_thing = vec![None; self.things.len()];
        let mut of_crop = vec![false; crops.len()];
        for (_, thing, crop) in fits {
            if of_thing[thing].is_none() && !of_crop[crop] {
                (of_thing[thing], of_crop[crop]) = (Some(crop), true);
                let known = &mut self.things[thing];
                known.last = crops[crop].clone();
                if known.last.score > known.best.score {
                    known.best = known.last.clone();
                }
            }
        }
        (of_thing, of_crop)
    }
}

/// How well two views fit as one thing: what lies where it lay goes before what was pushed. `None` if they cannot be one.
fn likeness(before: &Crop, now: &Crop) -> Option<f32> {
    let cosine = before.embedding.cosine(&now.embedding)?;
    if before.camera != now.camera {
        return (cosine >= PUSHED_COSINE).then_some(0.5 * cosine);
    }
    let overlap = intersection_over_union(&before.box_px, &now.box_px);
    if overlap >= SAME_PLACE && cosine >= SAME_PLACE_COSINE {
        return Some(1.0 + overlap * cosine);
    }
    let middle = |b: &[f32; 4]| [(b[0] + b[2]) / 2.0, (b[1] + b[3]) / 2.0];
    let ([x0, y0], [x1, y1]) = (middle(&before.box_px), middle(&now.box_px));
    let [left, top, right, bottom] = before.box_px;
    let near = (x1 - x0).hypot(y1 - y0) <= PUSHED_BY * (right - left).hypot(bottom - top);
    (near && cosine >= PUSHED_COSINE).then_some(cosine)
}

fn is_covered(thing: &Crop, by: &[Crop]) -> bool {
    let over =
        by.iter().filter(|crop| crop.camera == thing.camera).map(|crop| shared_area(&thing.box_px, &crop.box_px));
    over.sum::<f32>() >= COVERED * area(&thing.box_px)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::Embedding;

    const RED: [f32; 3] = [1.0, 0.0, 0.0];
    const BLUE: [f32; 3] = [0.0, 1.0, 0.0];
    const GREEN: [f32; 3] = [0.0, 0.0, 1.0];

    /// A box of 40 x 40 about a place.
    fn at(x: f32, y: f32, look: [f32; 3]) -> Crop {
        let box_px = [x - 20.0, y - 20.0, x + 20.0, y + 20.0];
        Crop { camera: 0, box_px, score: 0.9, embedding: Embedding::new(look.to_vec()).unwrap() }
    }

    fn looks<'a>(crops: impl Iterator<Item = &'a Crop>) -> Vec<f32> {
        crops.flat_map(|crop| crop.embedding.values().to_vec()).collect()
    }

    #[test]
    fn each_thing_came_with_the_look_that_showed_it_first() {
        let mut tracks = Tracks::default();
        assert_eq!(tracks.look(&[at(50.0, 50.0, RED)], Since::Put), (1, 0));
        // It was pushed by a few pixels, and another one lies beside it.
        assert_eq!(tracks.look(&[at(150.0, 50.0, BLUE), at(56.0, 47.0, RED)], Since::Put), (1, 0));
        assert_eq!(looks(tracks.came_with(0)), RED);
        assert_eq!(looks(tracks.came_with(1)), BLUE);
        assert_eq!((tracks.there().count(), tracks.looks()), (2, 2));
    }

    /// What a camera has seen once it has seen, whatever is put on top of it.
    #[test]
    fn what_is_covered_is_not_forgotten() {
        let mut tracks = Tracks::default();
        tracks.look(&[at(50.0, 50.0, RED)], Since::Put);
        assert_eq!(
            tracks.look(&[at(52.0, 50.0, BLUE)], Since::Put),
            (1, 0),
            "another look at the same place is another thing"
        );
        assert_eq!(tracks.there().count(), 2);
        // Passed over by the detector once, found again: it did not come anew.
        tracks.look(&[], Since::Put);
        assert_eq!(tracks.look(&[at(52.0, 50.0, BLUE)], Since::Put), (0, 0));
    }

    #[test]
    fn what_is_taken_out_goes_and_what_lay_under_it_is_known_again() {
        let mut tracks = Tracks::default();
        tracks.look(&[at(50.0, 50.0, RED), at(150.0, 50.0, GREEN)], Since::Put);
        tracks.look(&[at(50.0, 50.0, BLUE), at(150.0, 50.0, GREEN)], Since::Put);
        assert_eq!(
            tracks.look(&[at(50.0, 50.0, RED), at(150.0, 50.0, GREEN)], Since::Removed),
            (0, 0),
            "it may lie below"
        );
        assert_eq!(tracks.look(&[at(150.0, 50.0, GREEN)], Since::Removed), (0, 2));
        assert_eq!(looks(tracks.there()), GREEN);
    }

    /// Two of a kind side by side are two; the same one pushed aside is one.
    #[test]
    fn one_more_of_a_kind_is_told_from_one_that_was_pushed() {
        let mut tracks = Tracks::default();
        tracks.look(&[at(50.0, 50.0, RED)], Since::Put);
        assert_eq!(tracks.look(&[at(50.0, 50.0, RED), at(92.0, 50.0, RED)], Since::Put), (1, 0));
        assert_eq!(tracks.look(&[at(90.0, 80.0, RED), at(50.0, 50.0, RED)], Since::Put), (0, 0));
        // Far off it is another one, and the first is hidden.
        let mut far = Tracks::default();
        far.look(&[at(50.0, 50.0, RED)], Since::Put);
        assert_eq!(far.look(&[at(300.0, 50.0, RED)], Since::Put), (1, 0));
    }

    /// A second look at the same shows what the first passed over, and that came no later.
    #[test]
    fn the_same_once_more_is_no_new_look() {
        let mut tracks = Tracks::default();
        tracks.look(&[at(50.0, 50.0, RED)], Since::Put);
        assert_eq!(tracks.look(&[at(50.0, 50.0, RED), at(150.0, 50.0, BLUE)], Since::Nothing), (1, 0));
        assert_eq!((tracks.looks(), tracks.came_with(0).count()), (1, 2));
    }

    /// The best view is kept; another camera's is the same thing if it looks very much like it.
    #[test]
    fn cameras_and_views_may_change() {
        let mut tracks = Tracks::default();
        tracks.look(&[at(50.0, 50.0, RED)], Since::Put);
        let better = Crop { camera: 1, score: 0.95, ..at(400.0, 300.0, [0.8, 0.6, 0.0]) };
        assert_eq!(tracks.look(&[better.clone(), Crop { camera: 1, ..at(90.0, 50.0, BLUE) }], Since::Put), (1, 0));
        assert_eq!(tracks.came_with(0).collect::<Vec<_>>(), [&better]);
    }
}
