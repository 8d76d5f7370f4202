//! Enrols a product that somebody holds under the station's camera: looks, tells what to do, and keeps the sides that it has seen.

use super::crops::jpeg;
use super::enroll::{kept, quarter_turns};
use crate::api::enrolment::{EnrolmentDoor, Hint, NotDone, Progress, Wish, Wished};
use crate::io::camera::Frame;
use crate::io::clock::Clock;
use crate::io::onnx::{Eyes, Look, Seen, SeenCrop, View, cut_out};
use crate::io::store::{Database, StoreError};
use augenmass_core::station::{PlateState, StationView, ValidationState};
use augenmass_core::units::{ProductId, Wall};
use augenmass_core::verdict::Staff;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};

/// So often somebody looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Without a new view it is given up after so long.
const GIVEN_UP_MS: i64 = 180_000;
/// Fewer sides are not enough to know a product by.
const NEEDED: usize = 3;
/// More sides are of no use: four directions of each are looked through for those that are kept.
const MOST: usize = 12;
/// A view so near to one that was taken, in any direction, is the same side.
const SAME_FROM: f32 = 0.9;
/// So near to the edge of what is looked at a thing may reach over it, pixels.
const EDGE_PX: f32 = 3.0;

/// What enrolling needs of the station.
pub struct Enroller {
    /// The models.
    pub eyes: Eyes,
    /// The camera's pictures.
    pub frames: watch::Receiver<Option<Arc<Frame>>>,
    /// What of them is looked at.
    pub view: View,
    /// The station as of now.
    pub station: watch::Receiver<StationView>,
    /// The data folder.
    pub data: PathBuf,
    /// The time.
    pub clock: Clock,
}

/// A product that is being enrolled.
struct Underway {
    progress: Progress,
    /// The directions of each side that was taken.
    sides: Vec<Vec<Vec<f32>>>,
    /// When the frame arrived that was looked at last; frames of before the beginning do not count.
    looked: Instant,
    /// The plate moved when it was looked at last: a hand may still be over it.
    moved: bool,
}

impl Underway {
    fn drop_view(&mut self, view: usize) -> Result<usize, NotDone> {
        let place = view.checked_sub(1).filter(|place| *place < self.sides.len()).ok_or(NotDone::UnknownView)?;
        self.sides.remove(place);
        self.progress.pictures.remove(place);
        self.progress.views = self.sides.len();
        self.progress.hint = Hint::ShowIt;
        Ok(self.sides.len())
    }
}

impl Enroller {
    /// Starts it; gives the routes' side.
    pub fn start(self) -> EnrolmentDoor {
        let (wishes, heard) = mpsc::channel(4);
        let (tell, progress) = watch::channel(None);
        tokio::spawn(self.run(heard, tell));
        EnrolmentDoor { wishes, progress }
    }

    async fn run(self, mut wishes: mpsc::Receiver<Wished>, tell: watch::Sender<Option<Progress>>) {
        let mut underway: Option<Underway> = None;
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                wished = wishes.recv() => {
                    let Some((wish, reply)) = wished else { return };
                    self.grant(wish, reply, &mut underway, &tell).await;
                }
                _ = every.tick(), if underway.is_some() => {
                    if let Some(present) = &mut underway {
                        self.look(present).await;
                        if self.clock.now().wall.ms() > present.progress.until_ms || self.is_busy() {
                            underway = None;
                        }
                    }
                    told(&tell, underway.as_ref());
                }
            }
        }
    }

    async fn grant(
        &self,
        wish: Wish,
        reply: oneshot::Sender<Result<usize, NotDone>>,
        underway: &mut Option<Underway>,
        tell: &watch::Sender<Option<Progress>>,
    ) {
        let done = match wish {
            Wish::Begin { .. } if underway.is_some() => Err(NotDone::Enrolling),
            Wish::Begin { .. } if self.is_busy() => Err(NotDone::PlateBusy),
            Wish::Begin { product, name, by } => {
                *underway = Some(self.begin(product, name, &by));
                Ok(0)
            }
            Wish::Drop { view } => match underway {
                None => Err(NotDone::NotEnrolling),
                Some(present) => present.drop_view(view),
            },
            Wish::Cancel => underway.take().map(|_| 0).ok_or(NotDone::NotEnrolling),
            Wish::Finish { by } => match underway {
                None => Err(NotDone::NotEnrolling),
                Some(present) if present.sides.len() < NEEDED => Err(NotDone::TooFewViews),
                Some(present) => {
                    let kept = self.keep(present, by).await;
                    if kept.is_ok() {
                        *underway = None;
                    }
                    kept
                }
            },
        };
        // Told first: who has the answer asks for the progress next.
        told(tell, underway.as_ref());
        let _ = reply.send(done);
    }

    fn begin(&self, product_id: ProductId, name: String, by: &Staff) -> Underway {
        let until_ms = self.clock.now().wall.ms() + GIVEN_UP_MS;
        let by = by.name.clone();
        let (views, needed, hint, weight_g) = (0, NEEDED, Hint::ShowIt, None);
        let pictures = Vec::new();
        let progress = Progress { product_id, name, by, views, needed, hint, weight_g, until_ms, pictures };
        Underway { progress, sides: Vec::new(), looked: Instant::now(), moved: false }
    }

    /// Whether a basket is being validated.
    fn is_busy(&self) -> bool {
        let station = self.station.borrow();
        let validating = station.active.as_ref().is_some_and(|active| active.state != ValidationState::Closed);
        validating || station.verdict_on_plate
    }

    /// Whether the plate moves, as when somebody puts something on it.
    fn is_moving(&self) -> bool {
        match self.station.borrow().state {
            PlateState::Weighing | PlateState::Unsteady => true,
            PlateState::Idle | PlateState::Occupied | PlateState::Out => false,
        }
    }

    /// Looks at the newest picture and takes what is new on it, if it is of a plate that has rested for a while.
    async fn look(&self, present: &mut Underway) {
        let moves = self.is_moving();
        if moves || std::mem::replace(&mut present.moved, moves) {
            present.moved = moves;
            present.looked = Instant::now();
            present.progress.hint = Hint::HoldStill;
            return;
        }
        let frame = self.frames.borrow().clone().filter(|frame| frame.arrived > present.looked);
        let Some(frame) = frame else { return };
        present.looked = frame.arrived;
        let look = Look { jpeg: frame.jpeg.clone(), captured: frame.arrived, view: self.view.clone() };
        let seen = match self.eyes.look(look).await {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(%error, "cannot make anything of the picture");
                present.progress.hint = Hint::HoldStill;
                return;
            }
        };
        let one = one_alone(&seen, self.view.rectangle_px);
        present.progress.weight_g = one.is_ok().then(|| self.weight_g()).flatten();
        let crop = match one {
            Ok(crop) => crop,
            Err(hint) => {
                present.progress.hint = hint;
                return;
            }
        };
        if present.sides.len() >= MOST {
            present.progress.hint = Hint::Enough;
            return;
        }
        if is_known(&present.sides, &crop.embedding) {
            present.progress.hint = Hint::TurnIt;
            return;
        }
        let Some(cut) = cut_out(&seen.frame, crop.box_px) else { return };
        let Some(picture) = jpeg(cut.clone()) else { return };
        match self.eyes.embed(quarter_turns(cut).to_vec()).await {
            Ok(directions) => present.sides.push(directions),
            Err(error) => {
                tracing::warn!(%error, "cannot embed what was cut out");
                return;
            }
        }
        present.progress.pictures.push(picture.into());
        present.progress.views = present.sides.len();
        present.progress.hint = if present.sides.len() >= MOST { Hint::Enough } else { Hint::TurnIt };
        present.progress.until_ms = self.clock.now().wall.ms() + GIVEN_UP_MS;
    }

    fn weight_g(&self) -> Option<f64> {
        let station = self.station.borrow();
        station.live_g.filter(|_| station.state == PlateState::Occupied)
    }

    async fn keep(&self, present: &Underway, by: Staff) -> Result<usize, NotDone> {
        let views = kept(&present.sides.concat());
        let (product, sides) = (present.progress.product_id.clone(), present.sides.len());
        let (data, space_id) = (self.data.clone(), self.eyes.models().space_id.clone());
        let now: Wall = self.clock.now().wall;
        let deed = move || -> Result<(), StoreError> {
            Database::open(&data)?.enrol_here(&space_id, &product, &views, &by, now)
        };
        match tokio::task::spawn_blocking(deed).await {
            Ok(Ok(())) => Ok(sides),
            Ok(Err(error)) => {
                tracing::error!(%error, "cannot keep what was enrolled");
                Err(NotDone::NotKept)
            }
            Err(_) => Err(NotDone::NotKept),
        }
    }
}

/// Tells how far it has come, where that is news.
fn told(tell: &watch::Sender<Option<Progress>>, underway: Option<&Underway>) {
    let present = underway.map(|underway| &underway.progress);
    tell.send_if_modified(|told| {
        let news = told.as_ref() != present;
        if news {
            *told = present.cloned();
        }
        news
    });
}

/// The one thing that a picture shows whole and clear, or what to do until it does.
fn one_alone(seen: &Seen, view_px: [u32; 4]) -> Result<&SeenCrop, Hint> {
    if seen.quality.fault().is_some() {
        return Err(Hint::HoldStill);
    }
    let crop = match seen.detections.as_slice() {
        [] => return Err(Hint::ShowIt),
        [one] => one,
        [_, _, ..] => return Err(Hint::OneAlone),
    };
    let view = view_px.map(|px| px as f32);
    let [left, top, right, bottom] = crop.box_px;
    let within =
        left > view[0] + EDGE_PX && top > view[1] + EDGE_PX && right < view[2] - EDGE_PX && bottom < view[3] - EDGE_PX;
    if within { Ok(crop) } else { Err(Hint::Centre) }
}

/// Whether this side was taken already, in whatever direction it lay then.
fn is_known(sides: &[Vec<Vec<f32>>], embedding: &[f32]) -> bool {
    let cosine = |view: &Vec<f32>| view.iter().zip(embedding).map(|(a, b)| a * b).sum::<f32>();
    sides.iter().flatten().any(|view| cosine(view) >= SAME_FROM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::onnx::Timings;
    use augenmass_core::vision::{Count, Quality};

    fn seen(boxes: &[[f32; 4]], sharpness: f32) -> Seen {
        let crop = |box_px: &[f32; 4]| SeenCrop { box_px: *box_px, score: 0.9, embedding: vec![1.0, 0.0] };
        Seen {
            captured: Instant::now(),
            detections: boxes.iter().map(crop).collect(),
            found: boxes.len(),
            count: Count::default(),
            quality: Quality { brightness: 120.0, sharpness },
            frame: Arc::default(),
            timings: Timings::default(),
        }
    }

    #[test]
    fn one_thing_alone_whole_and_clear_is_taken_and_else_somebody_is_told_what_to_do() {
        let view = [100, 50, 900, 650];
        let (middle, aside, edge) =
            ([300.0, 200.0, 400.0, 300.0], [500.0, 200.0, 600.0, 300.0], [101.0, 200.0, 200.0, 300.0]);
        let hint = |seen: Seen| one_alone(&seen, view).err();
        assert_eq!(hint(seen(&[middle], 50.0)), None);
        assert_eq!(hint(seen(&[], 50.0)), Some(Hint::ShowIt));
        assert_eq!(hint(seen(&[middle, aside], 50.0)), Some(Hint::OneAlone));
        assert_eq!(hint(seen(&[edge], 50.0)), Some(Hint::Centre));
        assert_eq!(hint(seen(&[middle], 0.2)), Some(Hint::HoldStill));
    }

    #[test]
    fn a_side_is_known_in_every_direction_that_it_was_taken_in() {
        let sides = vec![vec![vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0]]];
        assert!(is_known(&sides, &[0.1, 0.99, 0.0]) && is_known(&sides, &[0.99, 0.1, 0.0]));
        assert!(!is_known(&sides, &[0.0, 0.1, 0.99]) && !is_known(&[], &[1.0, 0.0, 0.0]));
    }
}
