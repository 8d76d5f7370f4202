//! `augenmass bench vision`: how long looking takes on this computer.

mod looks;

pub use looks::{LooksArguments, measure as looks};

use super::enroll::EnrollError;
use super::see::{EyesChoice, SeeError};
use crate::io::looks::LooksError;
use crate::io::onnx::{CROP_PX, Look, LookError, View, decode_any};
use crate::io::store::StoreError;
use bytes::Bytes;
use image::{Rgb, RgbImage};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// A basket under the simulator's camera, 1280 x 720 pixels, as network cameras pack it: half the colours' resolution, quality 85.
const PLATE: &[u8] = include_bytes!("plate.jpg");
/// Crops that are embedded, however many things the picture shows.
const CROPS: usize = 20;
/// Runs that are not counted: memory is laid out in them.
const WARM_UP: usize = 3;

/// What to measure with.
#[derive(Debug, clap::Args)]
pub struct VisionArguments {
    #[command(flatten)]
    eyes: EyesChoice,
    /// How often.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    runs: u32,
    /// A JPEG of the station's own camera to measure with, instead of the simulator's of 1280 x 720 pixels.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The eyes do not open.
    #[error(transparent)]
    Eyes(#[from] SeeError),
    /// The models fail on the picture.
    #[error("the models fail: {0}")]
    Look(#[from] LookError),
    /// The picture to measure with cannot be read.
    #[error("{}: {why}", .path.display())]
    PictureFile {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
    /// A folder of pictures that is none.
    #[error(transparent)]
    Pictures(#[from] EnrollError),
    /// The store that is measured with.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file of looks that is measured with.
    #[error(transparent)]
    Looks(#[from] LooksError),
    /// A folder that holds a shop's looks already.
    #[error("{}: products are enrolled here already; name a folder of its own", .0.display())]
    NotEmpty(PathBuf),
    /// A file cannot be read, or the report cannot be written.
    #[error("cannot read or write: {0}")]
    Report(#[from] std::io::Error),
}

/// Median and 95th percentile, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Times {
    p50_ms: f64,
    p95_ms: f64,
}

impl Times {
    /// Of at least one time, milliseconds; percentiles by nearest rank.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let rank = |share: f64| ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len());
        let at = |share: f64| times.get(rank(share) - 1).map_or(0.0, |t| (t * 100.0).round() / 100.0);
        Self { p50_ms: at(0.5), p95_ms: at(0.95) }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    models: String,
    runs: u32,
    crops: usize,
    picture_px: [u32; 2],
    picture_bytes: usize,
    decode_and_fit: Times,
    detect: Times,
    embed_20_crops: Times,
    detect_and_embed: Times,
}

/// Measures and reports one JSON object.
///
/// # Errors
/// Models that do not open or do not work.
pub async fn vision(arguments: &VisionArguments, out: &mut impl Write) -> Result<(), BenchError> {
    let (eyes, _) = arguments.eyes.open()?;
    let jpeg = match &arguments.picture {
        Some(path) => std::fs::read(path).map_err(|why| BenchError::PictureFile { path: path.clone(), why })?.into(),
        None => Bytes::from_static(PLATE),
    };
    let (width, height) = decode_any(&jpeg)?.dimensions();
    let view = View::rectangle([0, 0, width, height]);
    let crop = RgbImage::from_fn(CROP_PX * 2 / 3, CROP_PX / 2, |x, y| Rgb([(x * 2) as u8, (y * 2) as u8, 90]));
    let [mut fit, mut detect, mut embed, mut both] = [const { Vec::new() }; 4];
    for run in 0..WARM_UP + arguments.runs as usize {
        let look = Look { jpeg: jpeg.clone(), captured: Instant::now(), view: view.clone() };
        let timings = eyes.look(look).await?.timings;
        let begun = Instant::now();
        eyes.embed(vec![crop.clone(); CROPS]).await?;
        let embedded = begun.elapsed();
        if run >= WARM_UP {
            let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
            fit.push(ms(timings.decode + timings.fit));
            detect.push(ms(timings.detect));
            embed.push(ms(embedded));
            both.push(ms(timings.detect + embedded));
        }
    }
    let report = Report {
        models: eyes.models().manifest_sha256.clone(),
        runs: arguments.runs,
        crops: CROPS,
        picture_px: [width, height],
        picture_bytes: jpeg.len(),
        decode_and_fit: Times::of(fit),
        detect: Times::of(detect),
        embed_20_crops: Times::of(embed),
        detect_and_embed: Times::of(both),
    };
    writeln!(out, "{}", serde_json::to_string_pretty(&report).map_err(std::io::Error::from)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_nearest_rank() {
        let times = Times::of((1..=100).rev().map(f64::from).collect());
        assert_eq!(times, Times { p50_ms: 50.0, p95_ms: 95.0 });
        assert_eq!(Times::of(vec![3.0]), Times { p50_ms: 3.0, p95_ms: 3.0 });
    }
}
