//! The thread that owns the models, and the jobs it does one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use augenmass_core::vision::{Detection, non_maximum_suppression};
use bytes::Bytes;
use image::RgbImage;
use tokio::sync::{mpsc, oneshot};

use super::edges;
use super::error::LookError;
use super::model::{Detector, Embedder, Part};
use super::picture::{self, Scaler};
use super::{Glance, Look, MOST_CROPS, Seen, SeenCrop, Timings, View};

/// Boxes that overlap by more mean the same thing (model contract).
const IOU_LIMIT: f32 = 0.6;
/// A box that is narrower in the picture shows nothing that could be told apart.
const NARROWEST_PX: f32 = 4.0;
/// Every so many pixels of half-size luma one is compared with the last glance.
const GLANCE_STEP: usize = 4;

type Reply<T> = oneshot::Sender<Result<T, LookError>>;

/// Something to do for somebody who waits.
#[derive(Debug)]
pub(super) enum Job {
    Look { look: Look, reply: Reply<Seen> },
    See { picture: RgbImage, view: View, reply: Reply<Seen> },
    Embed { pictures: Vec<RgbImage>, reply: Reply<Vec<Vec<f32>>> },
    Glance { camera: usize, jpeg: Bytes, view: View, reply: Reply<Glance> },
}

/// What the thread holds.
pub(super) struct Worker {
    detector: Detector,
    embedder: Embedder,
    scaler: Scaler,
    /// What each camera showed at its last glance.
    glances: BTreeMap<usize, Vec<u8>>,
}

impl Worker {
    pub(super) fn new(detector: Detector, embedder: Embedder) -> Self {
        Self { detector, embedder, scaler: Scaler::default(), glances: BTreeMap::new() }
    }

    /// Works until nobody can send a job any more.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.blocking_recv() {
            // Whoever has stopped waiting does not need the answer.
            match job {
                Job::Look { reply, .. } if reply.is_closed() => {}
                Job::Look { look, reply } => drop(reply.send(self.look(&look))),
                Job::See { picture, view, reply } => {
                    let now = Instant::now();
                    drop(reply.send(self.see(picture, &view, (now, now))));
                }
                Job::Embed { pictures, reply } => drop(reply.send(self.embed(&pictures))),
                Job::Glance { camera, jpeg, view, reply } => {
                    drop(reply.send(self.glance(camera, &jpeg, &view)));
                }
            }
        }
    }

    fn look(&mut self, look: &Look) -> Result<Seen, LookError> {
        let begun = Instant::now();
        let frame = picture::decode_jpeg(&look.jpeg)?;
        let seen = self.see(frame, &look.view, (begun, Instant::now()))?;
        Ok(Seen { captured: look.captured, ..seen })
    }

    /// `begun` and `decoded`: when the picture's decoding began and ended.
    fn see(
        &mut self,
        mut frame: RgbImage,
        view: &View,
        (begun, decoded): (Instant, Instant),
    ) -> Result<Seen, LookError> {
        let view_px = view.rectangle_px;
        picture::check_view(&frame, view_px)?;
        picture::mask(&mut frame, view);
        let (luma, width) = picture::half_luma(&frame, view_px);
        let quality = picture::quality(&luma, width);
        let letterbox = self.scaler.letterbox(&frame, view_px);
        let fitted = Instant::now();
        let candidates: Vec<Detection> = self
            .detector
            .detect(&letterbox.pixels)?
            .into_iter()
            .map(|found| Detection { box_px: letterbox.back(found.box_px), score: found.score })
            .filter(|found| {
                let [left, top, right, bottom] = found.box_px;
                right - left >= NARROWEST_PX && bottom - top >= NARROWEST_PX
            })
            .collect();
        let mut kept = non_maximum_suppression(&candidates, 0.0, IOU_LIMIT);
        let count = self.detector.counting.of(kept.iter().map(|found| found.score));
        kept.retain(|found| found.score >= self.detector.threshold);
        let found = kept.len();
        kept.truncate(MOST_CROPS);
        let detected = Instant::now();

        let detections = self.embed_boxes(&frame, &kept)?;
        let timings = Timings {
            decode: decoded - begun,
            fit: fitted - decoded,
            detect: detected - fitted,
            embed: detected.elapsed(),
        };
        Ok(Seen { captured: begun, detections, found, count, quality, frame: Arc::new(frame), timings })
    }

    fn embed_boxes(&mut self, frame: &RgbImage, boxes: &[Detection]) -> Result<Vec<SeenCrop>, LookError> {
        let (width, height) = frame.dimensions();
        let (found, parts): (Vec<&Detection>, Vec<Part<'_>>) = boxes
            .iter()
            .filter_map(|found| Some((found, (frame, picture::crop_region(found.box_px, width, height)?))))
            .unzip();
        let embeddings = self.embedder.embed(&parts)?;
        Ok(found
            .into_iter()
            .zip(embeddings)
            .map(|(found, embedding)| SeenCrop { box_px: found.box_px, score: found.score, embedding })
            .collect())
    }

    fn embed(&mut self, pictures: &[RgbImage]) -> Result<Vec<Vec<f32>>, LookError> {
        let whole = |picture: &RgbImage| [0, 0, picture.width(), picture.height()];
        let parts: Vec<Part<'_>> = pictures.iter().map(|picture| (picture, whole(picture))).collect();
        self.embedder.embed(&parts)
    }

    fn glance(&mut self, camera: usize, jpeg: &[u8], view: &View) -> Result<Glance, LookError> {
        let mut frame = picture::decode_jpeg(jpeg)?;
        let view_px = view.rectangle_px;
        picture::check_view(&frame, view_px)?;
        let shift_px = edges::shift_px(&frame, &view.platform_px);
        picture::mask(&mut frame, view);
        let (luma, width) = picture::half_luma(&frame, view_px);
        let quality = picture::quality(&luma, width);
        let coarse = coarse(&luma, width);
        let last = self.glances.insert(camera, coarse);
        let now = self.glances.get(&camera).map_or(&[][..], Vec::as_slice);
        let change = last
            .filter(|last| last.len() == now.len())
            .map(|last| mean(last.iter().zip(now).map(|(before, after)| f32::from(before.abs_diff(*after)))));
        Ok(Glance { quality, change, shift_px })
    }
}

/// Means of [`GLANCE_STEP`] square pixels: noise averages out, a hand does not.
fn coarse(luma: &[u8], width: usize) -> Vec<u8> {
    let rows: Vec<&[u8]> = luma.chunks_exact(width.max(1)).collect();
    let mut means = Vec::new();
    for band in rows.chunks_exact(GLANCE_STEP) {
        for x in (0..width - width % GLANCE_STEP).step_by(GLANCE_STEP) {
            let sum: u32 = band.iter().flat_map(|row| &row[x..x + GLANCE_STEP]).map(|value| u32::from(*value)).sum();
            means.push((sum / (GLANCE_STEP * GLANCE_STEP) as u32) as u8);
        }
    }
    means
}

fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len().max(1) as f32;
    values.sum::<f32>() / count
}
