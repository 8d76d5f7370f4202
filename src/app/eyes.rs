//! The station's eyes: a camera and the models behind it, looked through on demand.

use super::config::CameraConfig;
use super::crops::{self, Kept};
use super::wiring;
use crate::io::camera::{CameraEvent, CameraLink, CameraOptions, Frame};
use crate::io::clock::Clock;
use crate::io::onnx::{Eyes, Glance, Look, LookError, Seen};
use crate::io::store::CropSet;
use augenmass_core::goods::Gallery;
use augenmass_core::station::Input;
use augenmass_core::units::{Mono, Wall};
use augenmass_core::verdict::Verdict;
use augenmass_core::vision::{Crop, Embedding, FrameFault, Scene};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// So often an idle station checks that the camera shows something and not always the same.
const GLANCE_EVERY: Duration = Duration::from_secs(2);
/// So many glances in a row without any difference, not even noise, are a camera that repeats one picture.
const FROZEN_AFTER: u32 = 3;
/// A frame that the looker waits for longer than this is not coming; the machine asks again.
const FRAME_WITHIN: Duration = Duration::from_secs(2);
/// So many glances in a row that show nothing usable are a lens that is blocked.
const UNFIT_AFTER: u32 = 2;
/// The platform's edges lie off by so many pixels, in so many glances in a row: no basket's edge stays beside them for five minutes.
const MOVED_PX: f32 = 5.0;
const MOVED_AFTER: u32 = 150;

/// A camera with models. Dropping it ends its tasks.
pub struct StationEyes {
    link: CameraLink,
    eyes: Eyes,
    camera: CameraConfig,
    clock: Clock,
    inputs: mpsc::Sender<Input>,
    /// What was seen last.
    kept: Arc<Mutex<Option<Kept>>>,
    /// How long pictures of what did not pass are kept.
    crops_for: Duration,
    /// The look under way, and from when its frame must be.
    looking: Option<(Mono, JoinHandle<()>)>,
    watching: JoinHandle<()>,
}

impl StationEyes {
    /// Starts to read the camera; what happens is told to `inputs`.
    pub fn start(
        eyes: Eyes,
        camera: CameraConfig,
        options: CameraOptions,
        crops_for: Duration,
        clock: Clock,
        inputs: mpsc::Sender<Input>,
    ) -> Self {
        let (events, heard) = mpsc::channel(16);
        let link = CameraLink::start(options, events);
        let watcher = Watcher {
            eyes: eyes.clone(),
            camera: camera.clone(),
            frames: link.frames(),
            inputs: inputs.clone(),
            gates: Gates::default(),
            fault: None,
        };
        let watching = tokio::spawn(watcher.run(heard));
        let kept = Arc::default();
        Self { link, eyes, camera, clock, inputs, kept, crops_for, looking: None, watching }
    }

    /// Looks at the next frame that arrived at `since` or later. A look under way is let finish if it will do, so that a
    /// busy machine is slow and not blind; else it is given up, for the plate was touched.
    pub fn look(&mut self, since: Mono) {
        if let Some((from, old)) = self.looking.take() {
            if from >= since && !old.is_finished() {
                self.looking = Some((from, old));
                return;
            }
            old.abort();
        }
        let (eyes, camera, clock, inputs) = (self.eyes.clone(), self.camera.clone(), self.clock, self.inputs.clone());
        let (frames, slot) = (self.link.frames(), self.kept.clone());
        let look = tokio::spawn(async move {
            match look_once(&eyes, &camera, clock, frames, since).await {
                Ok(Some((scene, kept))) => {
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
                    let _ = inputs.send(Input::Scene(scene)).await;
                }
                Ok(None) => tracing::debug!("no frame to look at in time"),
                Err(error) => tracing::warn!(%error, camera = camera.name, "cannot make anything of the picture"),
            }
        });
        self.looking = Some((since, look));
    }
}

impl StationEyes {
    /// What makes the pictures of a flagged verdict, if they are wanted and the frame it was judged by, which arrived at `judged`, is
    /// the last one.
    pub fn evidence(
        &self,
        verdict: &Arc<Verdict>,
        judged: Option<Mono>,
        gallery: Option<Arc<Gallery>>,
    ) -> Option<impl FnOnce() -> CropSet + Send + 'static> {
        if self.crops_for.is_zero() || !crops::is_flagged(verdict) {
            return None;
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let kept = kept.filter(|kept| Some(kept.captured) == judged && verdict.seen == Some(kept.crops.len()))?;
        let until = Wall::from_ms(verdict.decided_at.ms().saturating_add(self.crops_for.as_millis() as i64));
        let verdict = verdict.clone();
        Some(move || crops::pictures(&kept, &verdict, gallery.as_deref(), until))
    }
}

impl Drop for StationEyes {
    fn drop(&mut self) {
        self.watching.abort();
        if let Some((_, looking)) = self.looking.take() {
            looking.abort();
        }
    }
}

async fn look_once(
    eyes: &Eyes,
    camera: &CameraConfig,
    clock: Clock,
    mut frames: watch::Receiver<Option<Arc<Frame>>>,
    since: Mono,
) -> Result<Option<(Scene, Kept)>, LookError> {
    let fresh = |frame: &Option<Arc<Frame>>| frame.as_ref().is_some_and(|f| clock.mono(f.arrived) >= since);
    let frame = match tokio::time::timeout(FRAME_WITHIN, frames.wait_for(fresh)).await {
        Ok(Ok(frame)) => frame.clone(),
        Ok(Err(_)) | Err(_) => None,
    };
    let Some(frame) = frame else { return Ok(None) };
    let look = Look { jpeg: frame.jpeg.clone(), captured: frame.arrived, view: wiring::view(camera) };
    let seen = eyes.look(look).await?;
    tracing::debug!(found = seen.found, timings = ?seen.timings, "looked");
    let frame = seen.frame.clone();
    let scene = scene(seen, camera, clock, &eyes.models().space_id);
    let kept = Kept { captured: scene.captured, frame, crops: Arc::new(scene.crops.clone()) };
    Ok(Some((scene, kept)))
}

fn scene(seen: Seen, camera: &CameraConfig, clock: Clock, space_id: &str) -> Scene {
    let crops = seen.detections.into_iter().filter_map(|crop| {
        let embedding = Embedding::new(crop.embedding)?;
        Some(Crop { box_px: crop.box_px, score: crop.score, embedding })
    });
    Scene {
        camera: camera.name.clone(),
        captured: clock.mono(seen.captured),
        crops: crops.collect(),
        quality: seen.quality,
        space_id: space_id.to_owned(),
    }
}

/// Whether what the camera shows can be relied on, from glance to glance.
#[derive(Debug, Default)]
struct Gates {
    /// Glances in a row without any difference.
    same: u32,
    /// Glances in a row that showed nothing usable: too much light, or nothing sharp.
    unfit: u32,
    /// Glances in a row in which the platform lay somewhere else.
    moved: u32,
}

impl Gates {
    /// What is wrong now, with the mend.
    fn judge(&mut self, glance: &Glance) -> Option<&'static str> {
        let fault = glance.quality.fault();
        self.same = if glance.change == Some(0.0) { self.same + 1 } else { 0 };
        self.unfit = if fault.is_some() { self.unfit + 1 } else { 0 };
        // A look at which no edge can be seen says neither yes nor no.
        self.moved = match glance.shift_px {
            Some(px) if px >= MOVED_PX => self.moved + 1,
            Some(_) => 0,
            None => self.moved,
        };
        if fault != Some(FrameFault::Dark) && self.same >= FROZEN_AFTER {
            return Some("the camera repeats one picture: restart it");
        }
        match fault {
            Some(FrameFault::Dark) => Some("the picture is dark: is the lamp on, is the lens free?"),
            // A hand or a bag that passes before the lens makes one glance unfit, and is no fault.
            Some(FrameFault::Glaring) if self.unfit >= UNFIT_AFTER => {
                Some("the picture is all light: does a lamp or the sun shine into the lens?")
            }
            Some(FrameFault::Blurred) if self.unfit >= UNFIT_AFTER => {
                Some("nothing in the picture is sharp: is the lens clean and free, and in focus?")
            }
            Some(FrameFault::Glaring | FrameFault::Blurred) | None => (self.moved >= MOVED_AFTER)
                .then_some("the platform is not where platform_px says: was the camera moved? turn it back, or set platform_px anew"),
        }
    }
}

/// Tells whether the camera can be relied on: connected, not dark, not blocked, not repeating itself.
struct Watcher {
    eyes: Eyes,
    camera: CameraConfig,
    frames: watch::Receiver<Option<Arc<Frame>>>,
    inputs: mpsc::Sender<Input>,
    gates: Gates,
    fault: Option<String>,
}

impl Watcher {
    async fn run(mut self, mut heard: mpsc::Receiver<CameraEvent>) {
        let mut every = tokio::time::interval(GLANCE_EVERY);
        let mut up = false;
        loop {
            tokio::select! {
                event = heard.recv() => match event {
                    Some(CameraEvent::Up { .. }) => {
                        up = true;
                        (self.gates, self.fault) = (Gates::default(), None);
                        self.tell(None).await;
                    }
                    Some(CameraEvent::Down { why, .. }) => {
                        up = false;
                        self.tell(Some(why.to_string())).await;
                    }
                    None => return,
                },
                _ = every.tick(), if up => {
                    let fault = self.glance().await;
                    if fault != self.fault {
                        self.fault.clone_from(&fault);
                        self.tell(fault).await;
                    }
                }
            }
        }
    }

    async fn tell(&self, fault: Option<String>) {
        let input = match fault {
            None => {
                tracing::info!(camera = self.camera.name, "the camera shows pictures");
                Input::EyesOpened
            }
            Some(why) => {
                tracing::warn!(camera = self.camera.name, why, "the camera is out");
                Input::EyesClosed { why: format!("{}: {why}", self.camera.name) }
            }
        };
        let _ = self.inputs.send(input).await;
    }

    async fn glance(&mut self) -> Option<String> {
        let jpeg = self.frames.borrow().as_ref().map(|f| f.jpeg.clone())?;
        match self.eyes.glance(0, jpeg, wiring::view(&self.camera)).await {
            Err(error) => Some(error.to_string()),
            Ok(glance) => self.gates.judge(&glance).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::vision::Quality;

    fn glance(brightness: f32, sharpness: f32, change: f32) -> Glance {
        Glance { quality: Quality { brightness, sharpness }, change: Some(change), shift_px: None }
    }

    /// What is wrong after each of these glances, up to the colon.
    fn after(glances: &[Glance]) -> Vec<&'static str> {
        let mut gates = Gates::default();
        let words = |fault: Option<&'static str>| fault.and_then(|told| told.split(':').next()).unwrap_or_default();
        glances.iter().map(|glance| words(gates.judge(glance))).collect()
    }

    #[test]
    fn a_dark_picture_is_told_at_once_and_forgotten_at_once() {
        let told = after(&[glance(120.0, 50.0, 1.0), glance(4.0, 0.5, 90.0), glance(120.0, 50.0, 90.0)]);
        assert_eq!(told, ["", "the picture is dark", ""]);
    }

    #[test]
    fn a_hand_that_passes_is_no_fault_and_a_covered_lens_is() {
        let (clear, covered) = (glance(120.0, 50.0, 1.0), glance(110.0, 0.3, 20.0));
        assert_eq!(after(&[clear, covered, clear]), ["", "", ""]);
        let told = after(&[clear, covered, covered, clear]);
        assert_eq!(told, ["", "", "nothing in the picture is sharp", ""]);
        let lamp = glance(252.0, 30.0, 2.0);
        assert_eq!(after(&[lamp, lamp]), ["", "the picture is all light"]);
    }

    #[test]
    fn the_same_picture_again_and_again_is_a_frozen_camera_and_noise_is_not() {
        let (noise, same) = (glance(120.0, 50.0, 0.6), glance(120.0, 50.0, 0.0));
        assert_eq!(after(&[noise, same, same, noise]), ["", "", "", ""]);
        assert_eq!(after(&[same, same, same, noise]), ["", "", "the camera repeats one picture", ""]);
    }

    /// Five minutes of a platform that lies elsewhere; baskets that hide its edges in between are no proof of either.
    #[test]
    fn a_camera_that_was_moved_is_told_after_a_while() {
        let (clear, hidden) = (glance(120.0, 50.0, 0.6), Glance { shift_px: None, ..glance(120.0, 50.0, 0.6) });
        let at = |px: f32| Glance { shift_px: Some(px), ..clear };
        let mut gates = Gates::default();
        let mut told = |glance: Glance| gates.judge(&glance);
        assert!((0..149).all(|_| told(at(8.0)).is_none()));
        assert_eq!((told(hidden), told(at(1.0))), (None, None), "it is back");
        assert!((0..149).all(|_| told(at(8.0)).is_none()));
        assert_eq!(told(hidden), None);
        assert!(told(at(8.0)).is_some_and(|why| why.starts_with("the platform is not where")));
        assert_eq!(told(at(0.0)), None);
    }
}
