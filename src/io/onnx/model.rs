//! The two models behind their contract: sessions that are what their role demands, and plain results.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use augenmass_core::vision::{Counting, Detection};
use image::RgbImage;
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use super::error::{EyesError, LookError};
use super::manifest::Manifest;
use super::picture::{GREY, Scaler, decode_any};

/// Side of the detector's square picture.
pub const FRAME_PX: u32 = 320;
/// Side of the embedder's square crops.
pub const CROP_PX: u32 = 192;
/// Length of an embedding.
pub const DIMENSIONS: usize = 256;
/// Boxes the detector gives, good or not.
const CANDIDATES: usize = 64;
/// Threads that look: with spinning off more than two gain nothing at these sizes.
const THREADS: usize = 2;
/// Squared length of an embedding may differ from 1 by this.
const UNIT_TOLERANCE: f32 = 0.01;

/// Name, type and shape of an input or output; `-1` is a size that is free.
struct Port {
    name: &'static str,
    kind: TensorElementType,
    shape: &'static [i64],
}

/// Finds goods.
pub(super) struct Detector {
    session: Session,
    path: PathBuf,
    pub(super) threshold: f32,
    pub(super) counting: Counting,
}

impl Detector {
    /// # Errors
    /// A file that is missing or another one, or a model that does not keep the contract of `itemdet`.
    pub(super) fn load(environment: &Environment, manifest: &Manifest) -> Result<Self, EyesError> {
        const INPUT: Port = Port { name: "image", kind: TensorElementType::Uint8, shape: &[1, 320, 320, 3] };
        const OUTPUTS: [Port; 2] = [
            Port { name: "boxes", kind: TensorElementType::Float32, shape: &[1, 64, 4] },
            Port { name: "scores", kind: TensorElementType::Float32, shape: &[1, 64] },
        ];
        let (path, bytes) = manifest.read(manifest.detector())?;
        let session = open(environment, &path, &bytes, THREADS, true)?;
        check("itemdet", &path, &session, &INPUT, &OUTPUTS)?;
        Ok(Self { session, path, threshold: manifest.threshold(), counting: manifest.counting() })
    }

    /// Runs once on grey, so that the first shopper does not wait for memory to be laid out.
    pub(super) fn warm_up(&mut self) -> Result<(), EyesError> {
        let grey = vec![GREY; (FRAME_PX * FRAME_PX * 3) as usize];
        self.detect(&grey)
            .map(drop)
            .map_err(|error| EyesError::SelfTest { path: self.path.clone(), what: error.to_string() })
    }

    /// All candidates on a picture of [`FRAME_PX`] square RGB pixels, in its pixels.
    pub(super) fn detect(&mut self, pixels: &[u8]) -> Result<Vec<Detection>, LookError> {
        let side = i64::from(FRAME_PX);
        let input = TensorRef::from_array_view(([1, side, side, 3], pixels)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs!["image" => input]).map_err(failed)?;
        let (_, boxes) = outputs["boxes"].try_extract_tensor::<f32>().map_err(failed)?;
        let (_, scores) = outputs["scores"].try_extract_tensor::<f32>().map_err(failed)?;
        if boxes.len() != CANDIDATES * 4 || scores.len() != CANDIDATES {
            return Err(LookError::Model("the detector gave another number of boxes".to_owned()));
        }
        let (boxes, _) = boxes.as_chunks::<4>();
        Ok(boxes.iter().zip(scores).map(|(box_px, score)| Detection { box_px: *box_px, score: *score }).collect())
    }
}

/// A picture, and the part of it that shows one thing: left, top, right, bottom, exclusive.
pub(super) type Part<'a> = (&'a RgbImage, [u32; 4]);

/// Says how things look.
///
/// Its two sessions have one thread each and share a picture's crops between them. One session on two threads would
/// wait at each of its fifty layers for the slower one.
pub(super) struct Embedder {
    lanes: Vec<Lane>,
    path: PathBuf,
}

/// Cuts things out and embeds them, one after the other.
struct Lane {
    scaler: Scaler,
    session: Session,
}

impl Embedder {
    /// # Errors
    /// A file that is missing or another one, or a model that does not keep the contract of `itememb`.
    pub(super) fn load(environment: &Environment, manifest: &Manifest) -> Result<Self, EyesError> {
        const INPUT: Port = Port { name: "crops", kind: TensorElementType::Uint8, shape: &[-1, 192, 192, 3] };
        const OUTPUTS: [Port; 1] = [Port { name: "embedding", kind: TensorElementType::Float32, shape: &[-1, 256] }];
        let (path, bytes) = manifest.read(manifest.embedder())?;
        let open_one = || open(environment, &path, &bytes, 1, false);
        let sessions = (0..THREADS).map(|_| open_one()).collect::<Result<Vec<_>, _>>()?;
        for session in &sessions {
            check("itememb", &path, session, &INPUT, &OUTPUTS)?;
        }
        let metadata = sessions.first().and_then(|session| session.metadata().ok());
        let own = metadata.and_then(|metadata| metadata.custom("space_id"));
        if let Some(own) = own
            && own != manifest.space_id()
        {
            let what = format!("its space_id is '{own}', and the manifest says '{}'", manifest.space_id());
            return Err(EyesError::OffContract { path, role: "itememb", what });
        }
        let lanes = sessions.into_iter().map(|session| Lane { scaler: Scaler::default(), session }).collect();
        Ok(Self { lanes, path })
    }

    /// Embeds the manifest's picture and compares.
    pub(super) fn self_test(&mut self, manifest: &Manifest) -> Result<(), EyesError> {
        let test = &manifest.self_test;
        let bytes = manifest.read_self_test()?;
        let path = self.path.clone();
        let failed = |what: String| EyesError::SelfTest { path: path.clone(), what };
        let picture = decode_any(&bytes).map_err(|error| failed(error.to_string()))?;
        // By every session, which warms each of them up.
        for lane in &mut self.lanes {
            let found = lane.embed((&picture, [0, 0, picture.width(), picture.height()]));
            let cosine = cosine(&found.map_err(|error| failed(error.to_string()))?, &test.embedding);
            let least = test.min_cosine;
            if cosine.is_nan() || cosine < least {
                return Err(failed(format!("cosine {cosine:.5} to the released embedding, at least {least} needed")));
            }
        }
        Ok(())
    }

    /// Embeds any number of things, in their order.
    ///
    /// One run a crop: batches are no faster, cost 10 MB a crop, and would let what lies beside a thing change the
    /// last bits of its embedding.
    pub(super) fn embed(&mut self, parts: &[Part<'_>]) -> Result<Vec<Vec<f32>>, LookError> {
        let next = AtomicUsize::new(0);
        let Some((first, others)) = self.lanes.split_first_mut() else { return Ok(Vec::new()) };
        let others = &mut others[..parts.len().saturating_sub(1).min(THREADS - 1)];
        let shares = std::thread::scope(|scope| {
            let help = |lane| std::thread::Builder::new().spawn_scoped(scope, || Lane::embed_next(lane, parts, &next));
            // Where no thread can be had, the first does it alone.
            let helpers: Vec<_> = others.iter_mut().filter_map(|lane| help(lane).ok()).collect();
            let mut shares = vec![first.embed_next(parts, &next)];
            shares.extend(helpers.into_iter().map(|helper| match helper.join() {
                Ok(share) => share,
                Err(panic) => std::panic::resume_unwind(panic),
            }));
            shares
        });
        let mut embedded: Vec<_> = shares.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        embedded.sort_by_key(|(number, _)| *number);
        Ok(embedded.into_iter().map(|(_, embedding)| embedding).collect())
    }
}

impl Lane {
    /// Embeds the next thing that nobody has taken, with its number, until none is left.
    fn embed_next(&mut self, parts: &[Part<'_>], next: &AtomicUsize) -> Result<Vec<(usize, Vec<f32>)>, LookError> {
        let mut share = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(number) else { return Ok(share) };
            share.push((number, self.embed(*part)?));
        }
    }

    fn embed(&mut self, (picture, region): Part<'_>) -> Result<Vec<f32>, LookError> {
        let crop = self.scaler.square(picture, region);
        let side = i64::from(CROP_PX);
        let input = TensorRef::from_array_view(([1, side, side, 3], crop.as_slice())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs!["crops" => input]).map_err(failed)?;
        let (_, embedding) = outputs["embedding"].try_extract_tensor::<f32>().map_err(failed)?;
        if embedding.len() != DIMENSIONS {
            return Err(LookError::Model("the embedder gave another number of values".to_owned()));
        }
        let length2: f32 = embedding.iter().map(|value| value * value).sum();
        // Not `>`: what is no number has failed as well.
        if length2.is_nan() || (length2 - 1.0).abs() > UNIT_TOLERANCE {
            return Err(LookError::Model("an embedding is not of unit length".to_owned()));
        }
        Ok(embedding.to_vec())
    }
}

/// Opens a session on a model's bytes. `fixed` says that all its sizes are known beforehand.
fn open(
    environment: &Environment,
    path: &Path,
    bytes: &[u8],
    threads: usize,
    fixed: bool,
) -> Result<Session, EyesError> {
    let session = || -> ort::Result<Session> {
        let session = Session::builder(environment)?
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            // Spinning threads would burn a core between pictures.
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            // Lays memory out beforehand, which a free size forbids.
            .with_memory_pattern(fixed)?
            // Every run has the same sizes, so the arena stops growing after the first; the system's allocator
            // would keep 50 MB more in pieces.
            .with_execution_providers([ort::ep::CPU::default().with_arena_allocator(true).build()])?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .commit_from_memory(bytes)?;
        Ok(session)
    };
    session().map_err(|error| EyesError::Refused { path: path.to_owned(), why: error.to_string() })
}

fn check(role: &'static str, path: &Path, session: &Session, input: &Port, outputs: &[Port]) -> Result<(), EyesError> {
    let off = |what: String| EyesError::OffContract { path: path.to_owned(), role, what };
    let inputs = session.inputs();
    check_port("input", inputs, input).map_err(off)?;
    if inputs.len() != 1 {
        return Err(off(format!("it has {} inputs, and must have 1", inputs.len())));
    }
    outputs.iter().try_for_each(|output| check_port("output", session.outputs(), output).map_err(off))
}

fn check_port(what: &str, found: &[Outlet], wanted: &Port) -> Result<(), String> {
    let Some(outlet) = found.iter().find(|outlet| outlet.name() == wanted.name) else {
        return Err(format!("it has no {what} `{}`", wanted.name));
    };
    match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } if *ty == wanted.kind && **shape == *wanted.shape => Ok(()),
        other => Err(format!(
            "its {what} `{}` is {other}, and must be {:?} {:?} (-1: any)",
            wanted.name, wanted.kind, wanted.shape
        )),
    }
}

fn failed(error: ort::Error) -> LookError {
    LookError::Model(error.to_string())
}

/// Cosine of two vectors; no number when their lengths differ or one of them is nothing.
fn cosine(left: &[f32], right: &[f32]) -> f32 {
    if left.len() != right.len() {
        return f32::NAN;
    }
    let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
}
