//! The eyes: finds goods on a picture and says how they look, with two models in ONNX Runtime.
//!
//! One thread owns all sessions, for running them blocks and needs them exclusively; callers send it
//! jobs and wait. For the crops of one picture it takes a second thread to help. What the models must be is a contract (`itemdet`, `itememb` in ARCHITECTURE.md), and
//! models that do not keep it, or do not compute what the manifest says, are refused at the start.

mod edges;
mod error;
mod manifest;
mod model;
mod picture;
mod runtime;
mod worker;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use augenmass_core::vision::{Count, Quality};
use bytes::Bytes;
use image::RgbImage;
use tokio::sync::{mpsc, oneshot};

pub use error::{EyesError, LookError};
pub use manifest::{ModelInfo, ModelsInfo};
pub use model::{CROP_PX, DIMENSIONS, FRAME_PX};
pub use picture::{cut_out, decode_any};

use worker::Job;

/// Most things of one picture that are looked at closely, best score first.
pub const MOST_CROPS: usize = 32;
/// Jobs that may wait for the thread; a caller beyond that waits until one is taken.
const QUEUE: usize = 4;

/// Where the models and the library that runs them lie.
#[derive(Clone, Debug)]
pub struct EyesOptions {
    /// Folder with `manifest.json` and the files it names.
    pub models_directory: PathBuf,
    /// ONNX Runtime's library; `None` looks in the usual places.
    pub onnxruntime: Option<PathBuf>,
}

/// One picture to look at.
#[derive(Clone, Debug)]
pub struct Look {
    /// As the camera sent it.
    pub jpeg: Bytes,
    /// When it had reached the daemon; comes back unchanged.
    pub captured: Instant,
    /// Outside it everything is masked.
    pub view: View,
}

/// The part of a camera's picture that is looked at. What lies outside is made grey as soon as the picture is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Left, top, right, bottom (right and bottom exclusive).
    pub rectangle_px: [u32; 4],
    /// Corners of the platform, at least three, in either direction; empty if the whole rectangle is looked at.
    pub platform_px: Vec<[u32; 2]>,
}

impl View {
    /// All within a rectangle: left, top, right, bottom (right and bottom exclusive).
    pub fn rectangle(rectangle_px: [u32; 4]) -> Self {
        Self { rectangle_px, platform_px: Vec::new() }
    }
}

/// What a picture shows.
#[derive(Clone, Debug)]
pub struct Seen {
    /// As in [`Look`].
    pub captured: Instant,
    /// Goods, best score first, at most [`MOST_CROPS`].
    pub detections: Vec<SeenCrop>,
    /// Goods found in all, also those beyond [`MOST_CROPS`].
    pub found: usize,
    /// How many goods lie in sight, also those that no box above the threshold is sure of.
    pub count: Count,
    /// Of the part within the view.
    pub quality: Quality,
    /// The picture, masked.
    pub frame: std::sync::Arc<RgbImage>,
    /// What it took.
    pub timings: Timings,
}

/// One thing on a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenCrop {
    /// Left, top, right, bottom in pixels of the camera's picture, within the view.
    pub box_px: [f32; 4],
    /// Confidence of the detector, 0..=1.
    pub score: f32,
    /// How it looks: [`DIMENSIONS`] components, unit length.
    pub embedding: Vec<f32>,
}

/// What one look took, without waiting for the thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// JPEG to pixels; none for a picture that came decoded.
    pub decode: Duration,
    /// Masking, quality, and fitting into the detector's square.
    pub fit: Duration,
    /// Finding goods.
    pub detect: Duration,
    /// Cutting them out and embedding them.
    pub embed: Duration,
}

/// What a short look at an idle platform shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glance {
    /// Of the part within the view, as in [`Seen`].
    pub quality: Quality,
    /// Mean absolute difference of luma to the camera's last glance on a coarse grid, 0..=255; `None` the
    /// first time and when the picture's size has changed. Noise alone gives about 1.
    pub change: Option<f32>,
    /// How far the platform's edges lie from where the station file says, two of them so far at least, pixels; `None` where fewer than two
    /// can be seen, or none are told.
    pub shift_px: Option<f32>,
}

/// The loaded models and their thread, which ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Eyes {
    jobs: mpsc::Sender<Job>,
    models: std::sync::Arc<ModelsInfo>,
}

/// What a folder's manifest says of its models, which are not loaded.
///
/// # Errors
/// A manifest that is missing or none.
pub fn models_info(folder: &std::path::Path) -> Result<ModelsInfo, EyesError> {
    Ok(manifest::Manifest::load(folder)?.info())
}

impl Eyes {
    /// Loads the library and the models, checks them, and warms them up. Blocks for some 100 ms.
    ///
    /// # Errors
    /// A library or model that is missing, is not the one the manifest names, does not keep the contract,
    /// or fails its self-test. Each says what to do.
    pub fn start(options: &EyesOptions) -> Result<Self, EyesError> {
        let environment = runtime::environment(options.onnxruntime.as_deref())?;
        let models = manifest::Manifest::load(&options.models_directory)?;
        let mut detector = model::Detector::load(&environment, &models)?;
        let mut embedder = model::Embedder::load(&environment, &models)?;
        detector.warm_up()?;
        embedder.self_test(&models)?;
        let info = std::sync::Arc::new(models.info());
        let (jobs, queue) = mpsc::channel(QUEUE);
        let worker = worker::Worker::new(detector, embedder);
        std::thread::Builder::new()
            .name("eyes".to_owned())
            .spawn(move || worker.run(queue))
            .map_err(|error| EyesError::NoThread(error.to_string()))?;
        Ok(Self { jobs, models: info })
    }

    /// Which models these are.
    pub fn models(&self) -> &ModelsInfo {
        &self.models
    }

    /// Finds the goods on a picture and embeds them.
    ///
    /// # Errors
    /// A picture that is broken or of another size than the view needs, or a model that gives nonsense.
    pub async fn look(&self, look: Look) -> Result<Seen, LookError> {
        self.ask(|reply| Job::Look { look, reply }).await
    }

    /// As [`Eyes::look`], for a picture that is decoded already.
    ///
    /// # Errors
    /// As [`Eyes::look`].
    pub async fn see(&self, picture: RgbImage, view: View) -> Result<Seen, LookError> {
        self.ask(|reply| Job::See { picture, view, reply }).await
    }

    /// Embeds whole pictures, each squared with grey; for enrolling. One embedding each, in their order.
    ///
    /// # Errors
    /// As [`Eyes::look`].
    pub async fn embed(&self, pictures: Vec<RgbImage>) -> Result<Vec<Vec<f32>>, LookError> {
        self.ask(|reply| Job::Embed { pictures, reply }).await
    }

    /// Decodes a picture and compares it with the last glance of the same `camera` (its place in the
    /// station file); runs no model.
    ///
    /// # Errors
    /// As [`Eyes::look`].
    pub async fn glance(&self, camera: usize, jpeg: Bytes, view: View) -> Result<Glance, LookError> {
        self.ask(|reply| Job::Glance { camera, jpeg, view, reply }).await
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T, LookError>>) -> Job) -> Result<T, LookError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).await.map_err(|_| LookError::Stopped)?;
        answer.await.map_err(|_| LookError::Stopped)?
    }
}

#[cfg(test)]
mod tests;
