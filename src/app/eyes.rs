//! The station's eyes: cameras and the models behind them, looked through on demand.

mod watcher;

use super::config::CameraConfig;
use super::crops::{self, Kept};
use super::wiring;
use crate::io::camera::{CameraLink, CameraOptions, Frame};
use crate::io::clock::Clock;
use crate::io::onnx::{Eyes, Look, LookError, Seen, SeenCrop};
use crate::io::store::CropSet;
use augenmass_core::goods::Gallery;
use augenmass_core::station::Input;
use augenmass_core::units::{Mono, Wall};
use augenmass_core::verdict::Verdict;
use augenmass_core::vision::{Crop, Embedding, PlateCamera, Scene, Sight, merge};
use futures_util::future::join_all;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use watcher::{Panel, Watcher};

/// A frame that the looker waits for longer than this is not coming; the machine asks again.
const FRAME_WITHIN: Duration = Duration::from_secs(2);

/// With one camera's look in hand no other one is begun after this: on a machine that has other work a verdict by fewer eyes serves better than none.
const TOGETHER_WITHIN: Duration = Duration::from_secs(2);

/// One camera, how it is read, and where it is.
#[derive(Clone, Debug)]
pub struct Mounted {
    /// As in the station file.
    pub config: CameraConfig,
    /// How it is read.
    pub options: CameraOptions,
    /// How its pixels lie on the platform.
    pub place: PlateCamera,
}

/// Cameras with models. Dropping it ends their tasks.
pub struct StationEyes {
    looker: Arc<Looker>,
    inputs: mpsc::Sender<Input>,
    /// What was seen last.
    kept: Arc<Mutex<Option<Kept>>>,
    /// How long pictures of what did not pass are kept.
    crops_for: Duration,
    /// The look under way, and from when its frame must be.
    looking: Option<(Mono, JoinHandle<()>)>,
    watching: Vec<JoinHandle<()>>,
    /// Keeps the cameras read.
    _links: Vec<CameraLink>,
}

/// What a look needs.
struct Looker {
    eyes: Eyes,
    mounted: Arc<[Mounted]>,
    frames: Vec<watch::Receiver<Option<Arc<Frame>>>>,
    panel: Arc<Panel>,
    clock: Clock,
}

impl StationEyes {
    /// Starts to read the cameras, which look at a plate of that width and depth in millimetres; what happens is told to `inputs`.
    pub fn start(
        eyes: Eyes,
        mounted: Vec<Mounted>,
        plate_mm: [f64; 2],
        crops_for: Duration,
        clock: Clock,
        inputs: mpsc::Sender<Input>,
    ) -> Self {
        let mounted: Arc<[Mounted]> = mounted.into();
        let panel = Arc::new(Panel::new(mounted.clone(), plate_mm, inputs.clone()));
        let all: Vec<usize> = (0..mounted.len()).collect();
        let hidden = panel.hidden_from(&all);
        tracing::info!(
            cameras = mounted.len(),
            hidden_percent = (hidden * 100.0).round(),
            "the cameras' views of the platform"
        );
        let (mut links, mut frames, mut watching) = (Vec::new(), Vec::new(), Vec::new());
        for (camera, mount) in mounted.iter().enumerate() {
            let (events, heard) = mpsc::channel(16);
            let link = CameraLink::start(mount.options.clone(), events);
            let watcher = Watcher::new(eyes.clone(), camera, link.frames(), panel.clone());
            watching.push(tokio::spawn(watcher.run(heard)));
            frames.push(link.frames());
            links.push(link);
        }
        let looker = Arc::new(Looker { eyes, mounted, frames, panel, clock });
        Self { looker, inputs, kept: Arc::default(), crops_for, looking: None, watching, _links: links }
    }

    /// The first camera's pictures, for who enrols products under it.
    pub fn frames(&self) -> Option<watch::Receiver<Option<Arc<Frame>>>> {
        self.looker.frames.first().cloned()
    }

    /// Looks at the next frames that arrived at `since` or later. A look under way is let finish if it will do, so that a
    /// busy machine is slow and not blind; else it is given up, for the plate was touched.
    pub fn look(&mut self, since: Mono) {
        if let Some((from, old)) = self.looking.take() {
            if from >= since && !old.is_finished() {
                self.looking = Some((from, old));
                return;
            }
            old.abort();
        }
        let (looker, inputs, slot) = (self.looker.clone(), self.inputs.clone(), self.kept.clone());
        let look = tokio::spawn(async move {
            match looker.look_once(since).await {
                Ok(Some((scene, kept))) => {
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
                    let _ = inputs.send(Input::Scene(scene)).await;
                }
                Ok(None) => tracing::debug!("no frame to look at in time"),
                // Which camera it was has been told.
                Err(error) => tracing::debug!(%error, "nothing to judge by"),
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
        self.watching.iter().for_each(JoinHandle::abort);
        if let Some((_, looking)) = self.looking.take() {
            looking.abort();
        }
    }
}

impl Looker {
    /// One look through all cameras that are fit. What one of them cannot show is left out as long as another shows something.
    async fn look_once(&self, since: Mono) -> Result<Option<(Scene, Kept)>, LookError> {
        let usable = self.panel.usable().await;
        let frames = join_all(usable.iter().map(|camera| self.fresh_frame(*camera, since))).await;
        let begun = Instant::now();
        let unfit = |seen: &Seen| seen.quality.fault().is_some();
        let (mut looks, mut failed): (Vec<(usize, Seen)>, _) = (Vec::new(), None);
        for (camera, frame) in usable.into_iter().zip(frames) {
            let (Some(frame), mount) = (frame, &self.mounted[camera]) else { continue };
            if begun.elapsed() > TOGETHER_WITHIN && looks.iter().any(|(_, seen)| !unfit(seen)) {
                tracing::warn!(camera = mount.config.name, "no time to look through this camera, too");
                continue;
            }
            let look = Look { jpeg: frame.jpeg.clone(), captured: frame.arrived, view: wiring::view(&mount.config) };
            match self.eyes.look(look).await {
                Ok(seen) => {
                    tracing::debug!(camera = mount.config.name, found = seen.found, count = ?seen.count, timings = ?seen.timings, "looked");
                    looks.push((camera, seen));
                }
                Err(error) => {
                    tracing::warn!(%error, camera = mount.config.name, "cannot make anything of the picture");
                    failed = Some(error);
                }
            }
        }
        if looks.iter().any(|(_, seen)| !unfit(seen)) {
            looks.retain(|(_, seen)| !unfit(seen));
        }
        match (looks.is_empty(), failed) {
            (true, Some(error)) => Err(error),
            (true, None) => Ok(None),
            (false, _) => Ok(self.together(looks)),
        }
    }

    async fn fresh_frame(&self, camera: usize, since: Mono) -> Option<Arc<Frame>> {
        let mut frames = self.frames[camera].clone();
        let fresh = |frame: &Option<Arc<Frame>>| frame.as_ref().is_some_and(|f| self.clock.mono(f.arrived) >= since);
        match tokio::time::timeout(FRAME_WITHIN, frames.wait_for(fresh)).await {
            Ok(Ok(frame)) => frame.clone(),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// All looks as one: each thing once.
    fn together(&self, looks: Vec<(usize, Seen)>) -> Option<(Scene, Kept)> {
        let name = |camera: usize| self.mounted[camera].config.name.clone();
        let cameras: Vec<String> = looks.iter().map(|(camera, _)| name(*camera)).collect();
        let missing = (0..self.mounted.len()).map(name).filter(|name| !cameras.contains(name)).collect();
        let captured = self.clock.mono(looks.iter().map(|(_, seen)| seen.captured).min()?);
        let quality = looks.first()?.1.quality;
        let frames = looks.iter().map(|(_, seen)| seen.frame.clone()).collect();
        let crops_of =
            |camera: usize, seen: &Seen| seen.detections.iter().cloned().filter_map(|s| crop(camera, s)).collect();
        let crops: Vec<Vec<Crop>> = looks.iter().map(|(camera, seen)| crops_of(*camera, seen)).collect();
        let sights =
            looks.iter().zip(&crops).map(|((camera, _), crops)| Sight { camera: &self.mounted[*camera].place, crops });
        let things = merge(&sights.collect::<Vec<_>>());
        let twice = things.iter().filter(|thing| thing.seen_by > 1).count();
        tracing::debug!(?cameras, things = things.len(), twice, "brought together");
        let from = things.iter().map(|thing| thing.camera).collect();
        let crops: Vec<Crop> = things.into_iter().map(|thing| thing.crop).collect();
        let kept = Kept { captured, frames, from, crops: Arc::new(crops.clone()) };
        let space_id = self.eyes.models().space_id.clone();
        Some((Scene { cameras, missing, captured, crops, quality, space_id }, kept))
    }
}

fn crop(camera: usize, seen: SeenCrop) -> Option<Crop> {
    let embedding = Embedding::new(seen.embedding)?;
    Some(Crop { camera, box_px: seen.box_px, score: seen.score, embedding })
}
