//! `augenmass see`: what the eyes make of pictures, for people who set a station up.

use super::config::StationConfig;
use super::run::{StartError, load_config};
use super::wiring;
use crate::io::looks::{self, LooksError};
use crate::io::onnx::{Eyes, EyesError, EyesOptions, LookError, Seen, SeenCrop, View, decode_any};
use crate::io::store::{Database, StoreError};
use augenmass_core::goods::Gallery;
use augenmass_core::goods::gallery::Probe;
use augenmass_core::vision::{Count, FrameFault};
use image::{Rgb, RgbImage};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// So many products a thing may be are told.
const TOLD: usize = 3;

/// Which models look.
#[derive(Debug, Clone, clap::Args)]
pub struct EyesChoice {
    /// A station file: its models, its camera's view, its enrolled products.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of the models, where no station file names it.
    #[arg(long, default_value = "models", conflicts_with = "config")]
    models: PathBuf,
    /// ONNX Runtime's library, where no station file names it.
    #[arg(long, conflicts_with = "config")]
    onnxruntime: Option<PathBuf>,
}

impl EyesChoice {
    /// Opens the eyes, and reads the station file if one was named.
    ///
    /// # Errors
    /// A station file or models that are broken.
    pub fn open(&self) -> Result<(Eyes, Option<StationConfig>), SeeError> {
        let config = self.config.as_deref().map(load_config).transpose()?.map(|(config, _)| config);
        let (models_directory, onnxruntime) = match &config {
            Some(config) => (config.models.directory.clone(), config.models.onnxruntime.clone()),
            None => (self.models.clone(), self.onnxruntime.clone()),
        };
        Ok((Eyes::start(&EyesOptions { models_directory, onnxruntime })?, config))
    }
}

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct SeeArguments {
    #[command(flatten)]
    eyes: EyesChoice,
    /// Folder for the annotated pictures; beside each picture if not given.
    #[arg(long)]
    out: Option<PathBuf>,
    /// JPEG or PNG pictures from above.
    #[arg(required = true)]
    images: Vec<PathBuf>,
}

/// Why something cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum SeeError {
    /// The station file.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The models.
    #[error(transparent)]
    Eyes(#[from] EyesError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The enrolled looks.
    #[error(transparent)]
    Looks(#[from] LooksError),
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is no picture, or not one that the models take.
    #[error("{}: {source}", path.display())]
    Look {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: LookError,
    },
    /// The annotated picture cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: image::ImageError,
    },
    /// Standard output is closed.
    #[error("cannot write what was seen: {0}")]
    Report(#[from] std::io::Error),
}

#[derive(Debug, Serialize)]
struct SeenPicture<'a> {
    image: &'a Path,
    annotated: &'a Path,
    width_px: u32,
    height_px: u32,
    view_px: [u32; 4],
    brightness: f32,
    sharpness: f32,
    fault: Option<FrameFault>,
    found: usize,
    count: Count,
    fit_ms: f64,
    detect_ms: f64,
    embed_ms: f64,
    things: Vec<Thing>,
}

#[derive(Debug, Serialize)]
struct Thing {
    number: usize,
    box_px: [f32; 4],
    score: f32,
    /// What it resembles most, best first; empty without enrolled products.
    resembles: Vec<Resembled>,
}

#[derive(Debug, Serialize, PartialEq)]
struct Resembled {
    product: String,
    cosine: f32,
    log_likelihood_ratio: f64,
}

/// Looks at each picture; writes the annotated copy and one JSON object a line.
///
/// # Errors
/// The first picture that is none, or models that do not open.
pub async fn see(arguments: &SeeArguments, out: &mut impl Write) -> Result<(), SeeError> {
    let (eyes, config) = arguments.eyes.open()?;
    let (space_id, calibration) = (&eyes.models().space_id, &eyes.models().calibration);
    let gallery = match &config {
        Some(StationConfig { data_directory, .. }) => {
            looks::gallery(&Database::open(data_directory)?, data_directory, space_id, calibration)?.0
        }
        None => Gallery::empty(space_id.clone(), calibration.clone()),
    };
    for image in &arguments.images {
        let bytes = std::fs::read(image).map_err(|source| SeeError::File { path: image.clone(), source })?;
        let look_error = |source| SeeError::Look { path: image.clone(), source };
        let mut picture = decode_any(&bytes).map_err(look_error)?;
        let view = view(config.as_ref(), &picture);
        let view_px = view.rectangle_px;
        let seen = eyes.see(picture.clone(), view).await.map_err(look_error)?;
        let annotated = annotated_path(image, arguments.out.as_deref());
        annotate(&mut picture, &seen);
        picture.save(&annotated).map_err(|source| SeeError::Write { path: annotated.clone(), source })?;
        let told = told(image, &annotated, &picture, view_px, &seen, &|crop| resembles(crop, &gallery));
        writeln!(out, "{}", serde_json::to_string(&told).map_err(std::io::Error::from)?)?;
    }
    Ok(())
}

/// The camera's view if the picture has the camera's size, else all of it.
fn view(config: Option<&StationConfig>, picture: &RgbImage) -> View {
    let (width, height) = picture.dimensions();
    config
        .and_then(|c| c.cameras.iter().find(|camera| (camera.width_px, camera.height_px) == (width, height)))
        .map_or_else(|| View::rectangle([0, 0, width, height]), wiring::view)
}

fn annotated_path(image: &Path, folder: Option<&Path>) -> PathBuf {
    let stem = image.file_stem().unwrap_or_default().to_string_lossy();
    folder.or_else(|| image.parent()).unwrap_or(Path::new("")).join(format!("{stem}.seen.png"))
}

fn told<'a>(
    image: &'a Path,
    annotated: &'a Path,
    picture: &RgbImage,
    view_px: [u32; 4],
    seen: &Seen,
    resembles: &dyn Fn(&SeenCrop) -> Vec<Resembled>,
) -> SeenPicture<'a> {
    let hundredths = |value: f64| (value * 100.0).round() / 100.0;
    let ms = |time: std::time::Duration| hundredths(time.as_secs_f64() * 1e3);
    let thing = |(k, crop): (usize, &SeenCrop)| Thing {
        number: k + 1,
        box_px: crop.box_px,
        score: crop.score,
        resembles: resembles(crop),
    };
    SeenPicture {
        image,
        annotated,
        width_px: picture.width(),
        height_px: picture.height(),
        view_px,
        brightness: seen.quality.brightness,
        sharpness: seen.quality.sharpness,
        fault: seen.quality.fault(),
        found: seen.found,
        count: Count { mean: hundredths(seen.count.mean), sd: hundredths(seen.count.sd) },
        fit_ms: ms(seen.timings.fit),
        detect_ms: ms(seen.timings.detect),
        embed_ms: ms(seen.timings.embed),
        things: seen.detections.iter().enumerate().map(thing).collect(),
    }
}

/// The products that a crop fits best by their best view.
fn resembles(crop: &SeenCrop, gallery: &Gallery) -> Vec<Resembled> {
    let crop = Probe::new(&crop.embedding);
    let mut all: Vec<(&str, f32)> =
        gallery.iter().filter_map(|(product, looks)| Some((product, looks.best(&crop)?))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    all.into_iter()
        .take(TOLD)
        .map(|(product, cosine)| Resembled {
            product: product.to_owned(),
            cosine,
            log_likelihood_ratio: gallery.calibration.log_ratio(cosine),
        })
        .collect()
}

/// Draws a numbered frame around each thing, the surer the greener.
fn annotate(picture: &mut RgbImage, seen: &Seen) {
    for (k, crop) in seen.detections.iter().enumerate() {
        let sure = (crop.score.clamp(0.0, 1.0) * 255.0) as u8;
        let colour = Rgb([255 - sure, sure, 40]);
        frame(picture, crop.box_px, colour);
        number(picture, k + 1, (crop.box_px[0] as u32 + 3, crop.box_px[1] as u32 + 3), colour);
    }
}

/// Lines of two pixels along a box's edges, inside it.
fn frame(picture: &mut RgbImage, [left, top, right, bottom]: [f32; 4], colour: Rgb<u8>) {
    let (left, top) = (left as u32, top as u32);
    let (right, bottom) = ((right as u32).min(picture.width()), (bottom as u32).min(picture.height()));
    for y in top..bottom {
        for x in left..right {
            if x < left + 2 || y < top + 2 || x + 2 >= right || y + 2 >= bottom {
                picture.put_pixel(x, y, colour);
            }
        }
    }
}

/// Digits of 3 x 5 dots, rows from the top, the left dot in the highest of three bits.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 3, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];
/// Side of a digit's dot, pixels.
const DOT_PX: u32 = 2;

/// A number on a dark ground.
fn number(picture: &mut RgbImage, value: usize, (x0, y0): (u32, u32), colour: Rgb<u8>) {
    for (place, digit) in value.to_string().bytes().enumerate() {
        let glyph = DIGITS[usize::from(digit - b'0')];
        let left = x0 + place as u32 * 4 * DOT_PX;
        for y in 0..7 * DOT_PX {
            for x in 0..5 * DOT_PX {
                let (column, row) = ((x / DOT_PX).wrapping_sub(1), (y / DOT_PX).wrapping_sub(1));
                let lit = column < 3 && glyph.get(row as usize).is_some_and(|bits| bits >> (2 - column) & 1 == 1);
                if let Some(pixel) = picture.get_pixel_mut_checked(left + x, y0 + y) {
                    *pixel = if lit { colour } else { Rgb([16; 3]) };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::goods::{LookCalibration, LookVector};

    fn crop(box_px: [f32; 4], embedding: Vec<f32>) -> SeenCrop {
        SeenCrop { box_px, score: 1.0, embedding }
    }

    #[test]
    fn a_frame_lies_on_the_box_and_a_number_in_it_also_at_the_edge() {
        let mut picture = RgbImage::new(60, 50);
        frame(&mut picture, [10.0, 10.0, 50.0, 60.0], Rgb([0, 255, 0]));
        let green = |x, y| picture.get_pixel(x, y).0 == [0, 255, 0];
        assert!(green(10, 30) && green(11, 30) && !green(12, 30) && green(49, 30) && !green(50, 30) && green(30, 49));
        // "1" has its lowest row full and its top row only in the middle; what hangs over the edge is left out.
        number(&mut picture, 1, (20, 20), Rgb([9, 9, 9]));
        let lit = |column: u32, row: u32| picture.get_pixel(20 + (column + 1) * 2, 20 + (row + 1) * 2).0 == [9, 9, 9];
        assert_eq!([lit(0, 0), lit(1, 0), lit(2, 0)], [false, true, false]);
        assert_eq!([lit(0, 4), lit(1, 4), lit(2, 4)], [true, true, true]);
        number(&mut picture, 23, (55, 45), Rgb([9, 9, 9]));
    }

    #[test]
    fn a_crop_resembles_the_nearest_products_first() {
        let axis = |k: usize| (0..8).map(|i| if i == k { 1.0f32 } else { 0.0 }).collect::<Vec<_>>();
        let look = |v: Vec<f32>| LookVector::quantise(&v);
        let looks = [("near", vec![look(axis(5)), look(axis(0))]), ("far", vec![look(axis(1))]), ("none", Vec::new())];
        let line = LookCalibration { a: 8.0, b: -4.0, curve: Vec::new() };
        let looks = looks.map(|(name, views)| (name.parse().unwrap(), views));
        let found = resembles(&crop([0.0; 4], axis(0)), &Gallery::of("s", line, looks));
        let names: Vec<&str> = found.iter().map(|r| r.product.as_str()).collect();
        assert_eq!(names, ["near", "far"]);
        assert!(
            (found[0].log_likelihood_ratio - 4.0).abs() < 1e-3 && (found[1].log_likelihood_ratio + 4.0).abs() < 1e-3
        );
    }

    #[test]
    fn the_annotated_picture_lies_beside_its_original_or_where_told() {
        assert_eq!(annotated_path(Path::new("a/b.jpg"), None), Path::new("a/b.seen.png"));
        assert_eq!(annotated_path(Path::new("a/b.jpg"), Some(Path::new("c"))), Path::new("c/b.seen.png"));
    }
}
