//! `augenmass bench looks`: what the looks of a large shop cost in memory and time, and what keeping fewer and coarser views costs in
//! telling products apart.

use super::{BenchError, Times};
use crate::app::enroll::{pictures_of, quarter_turns};
use crate::app::see::EyesChoice;
use crate::io::clock::Clock;
use crate::io::looks;
use crate::io::onnx::{DIMENSIONS, Eyes, decode_any};
use crate::io::store::{Database, LookChange};
use augenmass_core::goods::gallery::{ENROLLED_MAX, Probe, representatives};
use augenmass_core::goods::{Gallery, LookCalibration, LookVector};
use augenmass_core::units::ProductId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Products that are written to the store at once.
const AT_ONCE: u32 = 1_000;
/// Products that a judgement of a large basket asks for: those that the mass allows for what is missing, and for each of 20 lines' swaps.
const ASKED: usize = 160 + 20 * 64;
/// Crops of a large basket.
const CROPS: usize = 20;
/// Judgements that are timed.
const JUDGEMENTS: usize = 50;

/// What to measure with.
#[derive(Debug, clap::Args)]
pub struct LooksArguments {
    /// Invented products.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    products: u32,
    /// Keep the store with their looks in this folder, which must have none, to run a daemon on it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Measure on pictures instead: a folder that has one folder of pictures a product.
    #[arg(long, conflicts_with_all = ["products", "data"])]
    pictures: Option<PathBuf>,
    /// Pictures of each product that are enrolled; the others are recognised.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=12))]
    enrolled: u32,
    #[command(flatten)]
    eyes: EyesChoice,
}

#[derive(Debug, Serialize)]
struct Costs {
    products: u32,
    views_a_product: usize,
    file_bytes: u64,
    bytes_a_product: f64,
    stored_s: f64,
    made_s: f64,
    opened_ms: f64,
    resident_before: Resident,
    resident_opened: Resident,
    resident_judged: Resident,
    look_ups_of_a_large_basket: Times,
    whole_gallery_for_two_crops: Times,
}

/// Memory of this process that is in use, kilobytes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Resident {
    /// Its own.
    own_kb: u64,
    /// Pages of mapped files, which the system takes back when it needs them.
    mapped_kb: u64,
}

impl Resident {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
        };
        Self { own_kb: of("RssAnon"), mapped_kb: of("RssFile") }
    }
}

#[derive(Debug, Serialize)]
struct Recognised {
    kept: &'static str,
    views_a_product: f64,
    bytes_a_product: f64,
    first: f64,
    auc: f64,
    at_1_percent: f64,
    at_0_1_percent: f64,
}

/// Measures and reports JSON objects.
///
/// # Errors
/// A folder that cannot be written, pictures or models that are none.
pub async fn measure(arguments: &LooksArguments, out: &mut impl Write) -> Result<(), BenchError> {
    if let Some(pictures) = &arguments.pictures {
        let (eyes, _) = arguments.eyes.open()?;
        for row in recognise(&eyes, pictures, arguments.enrolled as usize).await? {
            writeln!(out, "{}", serde_json::to_string(&row).map_err(std::io::Error::from)?)?;
        }
        return Ok(());
    }
    let scratch;
    let folder = match &arguments.data {
        Some(folder) => folder.as_path(),
        None => {
            scratch = Scratch::new()?;
            scratch.0.as_path()
        }
    };
    let space_id = match &arguments.data {
        Some(_) => arguments.eyes.open()?.0.models().space_id.clone(),
        None => "invented".to_owned(),
    };
    let costs = costs(folder, &space_id, arguments.products)?;
    writeln!(out, "{}", serde_json::to_string_pretty(&costs).map_err(std::io::Error::from)?)?;
    Ok(())
}

/// A folder that is gone when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("augenmass-bench-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Directions of unit length, always the same.
struct Directions(u64);

impl Directions {
    fn uniform(&mut self) -> f32 {
        // Xorshift (Marsaglia 2003), 64 bits.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u32 << 24) as f32 - 0.5
    }

    fn next(&mut self) -> Vec<f32> {
        // Sums of four uniform draws are normal enough to have no direction that they prefer.
        let values: Vec<f32> = (0..DIMENSIONS).map(|_| (0..4).map(|_| self.uniform()).sum()).collect();
        unit(values)
    }

    /// A view of a product that looks like `own`: 0.6 of it, which is what two pictures of one product have in common.
    fn view(&mut self, own: &[f32]) -> Vec<f32> {
        let aside = self.next();
        unit(own.iter().zip(&aside).map(|(o, a)| 0.77 * o + 0.64 * a).collect())
    }
}

fn unit(values: Vec<f32>) -> Vec<f32> {
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    values.into_iter().map(|v| v / norm).collect()
}

fn name(k: u32) -> Result<ProductId, BenchError> {
    Ok(ProductId::try_from(format!("product-{k:06}")).map_err(|error| std::io::Error::other(error.to_string()))?)
}

fn costs(folder: &Path, space_id: &str, products: u32) -> Result<Costs, BenchError> {
    let mut database = Database::open(folder)?;
    if database.enrolled_for(space_id)?.0 {
        return Err(BenchError::NotEmpty(folder.to_owned()));
    }
    let mut directions = Directions(0x5eed);
    let begun = Instant::now();
    let now = Clock::start().now().wall;
    for first in (0..products).step_by(AT_ONCE as usize) {
        let mut looks = BTreeMap::new();
        for k in first..products.min(first + AT_ONCE) {
            let own = directions.next();
            let views = (0..ENROLLED_MAX).map(|_| LookVector::quantise(&directions.view(&own))).collect();
            looks.insert(name(k)?, views);
        }
        database.put_looks(space_id, &looks, (LookChange::Enrolled, None), now)?;
    }
    let stored_s = begun.elapsed().as_secs_f64();
    let calibration = LookCalibration { a: 13.972, b: -4.1435, curve: Vec::new() };
    let begun = Instant::now();
    looks::make(&database, folder, space_id, &calibration)?;
    let made_s = begun.elapsed().as_secs_f64();
    let resident_before = Resident::now();
    let begun = Instant::now();
    let (gallery, _) = looks::gallery(&database, folder, space_id, &calibration)?;
    let opened_ms = begun.elapsed().as_secs_f64() * 1e3;
    let resident_opened = Resident::now();
    let mut timed = Timed { gallery: &gallery, products, directions };
    let look_ups_of_a_large_basket = timed.judgements()?;
    let resident_judged = Resident::now();
    let whole_gallery_for_two_crops = timed.searches();
    let file_bytes = std::fs::metadata(folder.join(looks::FILE))?.len();
    let tenth = |value: f64| (value * 10.0).round() / 10.0;
    Ok(Costs {
        products,
        views_a_product: ENROLLED_MAX,
        file_bytes,
        bytes_a_product: tenth(file_bytes as f64 / f64::from(products)),
        stored_s: tenth(stored_s),
        made_s: tenth(made_s),
        opened_ms: tenth(opened_ms),
        resident_before,
        resident_opened,
        resident_judged,
        look_ups_of_a_large_basket,
        whole_gallery_for_two_crops,
    })
}

struct Timed<'a> {
    gallery: &'a Gallery,
    products: u32,
    directions: Directions,
}

impl Timed<'_> {
    fn judgements(&mut self) -> Result<Times, BenchError> {
        let crops: Vec<Probe> = (0..CROPS).map(|_| Probe::new(&self.directions.next())).collect();
        let mut times = Vec::new();
        for round in 0..JUDGEMENTS as u32 {
            let asked = (0..ASKED as u32).map(|k| name((round * 7919 + k * 104_729) % self.products));
            let asked = asked.collect::<Result<Vec<_>, _>>()?;
            let begun = Instant::now();
            let looks = asked.iter().filter_map(|product| self.gallery.looks(product.as_str()));
            let sum: f32 = looks.flat_map(|looks| crops.iter().filter_map(move |crop| looks.best(crop))).sum();
            std::hint::black_box(sum);
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        Ok(Times::of(times))
    }

    fn searches(&mut self) -> Times {
        let crops = [self.directions.next(), self.directions.next()].map(|crop| Probe::new(&crop));
        let search = || {
            let begun = Instant::now();
            let best =
                |crop: &Probe| self.gallery.iter().filter_map(|(_, looks)| looks.best(crop)).max_by(f32::total_cmp);
            std::hint::black_box(crops.each_ref().map(best));
            begun.elapsed().as_secs_f64() * 1e3
        };
        Times::of((0..5).map(|_| search()).collect())
    }
}

/// Embeddings of each product: those that are enrolled, in four directions each, and those that are to be recognised.
type Embedded = Vec<(ProductId, Vec<Vec<f32>>, Vec<Vec<f32>>)>;

async fn recognise(eyes: &Eyes, folder: &Path, enrolled: usize) -> Result<Vec<Recognised>, BenchError> {
    let mut products: Embedded = Vec::new();
    for (product, files) in pictures_of(folder)? {
        if files.len() <= enrolled {
            continue;
        }
        let mut pictures = Vec::with_capacity(files.len());
        for file in &files {
            pictures.push(decode_any(&std::fs::read(file)?)?);
        }
        // Every so many pictures, so that those of one series are on both sides.
        let step = files.len() / enrolled;
        let (mut known, mut asked) = (Vec::new(), Vec::new());
        for (k, picture) in pictures.into_iter().enumerate() {
            if k % step == 0 && k / step < enrolled {
                known.extend(eyes.embed(quarter_turns(picture).to_vec()).await?);
            } else {
                asked.extend(eyes.embed(vec![picture]).await?);
            }
        }
        products.push((product, known, asked));
    }
    let views = |most: usize| {
        let of = |known: &Vec<Vec<f32>>| {
            let views: Vec<LookVector> = known.iter().map(|v| LookVector::quantise(v)).collect();
            representatives(&views, most).into_iter().map(|at| views[at].clone()).collect::<Vec<_>>()
        };
        products.iter().map(|(_, known, _)| of(known)).collect::<Vec<Vec<LookVector>>>()
    };
    let whole_bytes = |known: &[Vec<LookVector>]| mean(known.iter().map(|views| views.len() * DIMENSIONS));
    let best = |views: &[LookVector], crop: &[f32]| views.iter().map(|view| view.cosine(crop)).fold(-1.0, f32::max);
    let (all, six) = (views(usize::MAX), views(6));
    let mut rows = vec![
        recognised("all views, a byte a component", &products, &all, whole_bytes(&all), |k, crop| best(&all[k], crop)),
        recognised("6 views, a byte a component", &products, &six, whole_bytes(&six), |k, crop| best(&six[k], crop)),
    ];
    let kept = views(ENROLLED_MAX);
    let calibration = eyes.models().calibration.clone();
    let ids = products.iter().map(|(product, ..)| product.clone());
    let gallery = Gallery::of(eyes.models().space_id.clone(), calibration, ids.zip(kept.clone()));
    let packed_bytes = mean(kept.iter().map(|views| views.len() * (DIMENSIONS / 2 + 4)));
    let packed = |k: usize, crop: &[f32]| {
        let looks = gallery.looks(products[k].0.as_str());
        looks.and_then(|looks| looks.best(&Probe::new(crop))).unwrap_or(-1.0)
    };
    rows.push(recognised("as kept: 12 views, half a byte a component", &products, &kept, packed_bytes, packed));
    Ok(rows)
}

fn mean(values: impl ExactSizeIterator<Item = usize>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<usize>() as f64 / count
}

/// How well the pictures that were not enrolled are told apart, with this cosine of product and picture.
fn recognised(
    kept: &'static str,
    products: &Embedded,
    views: &[Vec<LookVector>],
    bytes_a_product: f64,
    cosine: impl Fn(usize, &[f32]) -> f32,
) -> Recognised {
    let (mut own, mut others, mut first) = (Vec::new(), Vec::new(), 0usize);
    for (k, (_, _, asked)) in products.iter().enumerate() {
        for crop in asked {
            let scores: Vec<f32> = (0..products.len()).map(|product| cosine(product, crop)).collect();
            first += usize::from(scores.iter().all(|score| *score <= scores[k]));
            own.push(scores[k]);
            others.extend(scores.into_iter().enumerate().filter(|(product, _)| *product != k).map(|(_, s)| s));
        }
    }
    others.sort_by(f32::total_cmp);
    let below = |score: f32| others.partition_point(|other| *other < score) as f64 / others.len().max(1) as f64;
    let share =
        |limit: f64| own.iter().filter(|score| below(**score) >= 1.0 - limit).count() as f64 / own.len().max(1) as f64;
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    Recognised {
        kept,
        views_a_product: mean(views.iter().map(Vec::len)),
        bytes_a_product,
        first: rounded(first as f64 / own.len().max(1) as f64),
        auc: rounded(own.iter().map(|score| below(*score)).sum::<f64>() / own.len().max(1) as f64),
        at_1_percent: rounded(share(0.01)),
        at_0_1_percent: rounded(share(0.001)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_shop_is_measured_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let costs = costs(folder.path(), "s", 40).unwrap();
        // 12 views of 132 bytes, 16 bytes of index, 14 letters, and the header.
        assert_eq!(costs.file_bytes, 144 + 40 * (12 * 132 + 16 + 14));
        assert!(costs.look_ups_of_a_large_basket.p95_ms > 0.0 && costs.resident_judged.own_kb > 0);
        let again = super::costs(folder.path(), "s", 40);
        assert!(matches!(again, Err(BenchError::NotEmpty(_))));
    }

    #[test]
    fn recognition_is_counted_by_hand() {
        let axis = |k: usize| (0..4).map(|i| if i == k { 1.0f32 } else { 0.0 }).collect::<Vec<_>>();
        let product = |name: &str, asked: Vec<Vec<f32>>| (name.parse().unwrap(), Vec::new(), asked);
        // Of four pictures one is taken for the other product.
        let products = vec![product("a", vec![axis(0), axis(0)]), product("b", vec![axis(1), axis(0)])];
        let cosine = |k: usize, crop: &[f32]| crop[k];
        let row = recognised("x", &products, &[Vec::new(), Vec::new()], 0.0, cosine);
        assert_eq!(row.first, 0.75);
        // Own: 1, 1, 1, 0; others: 0, 0, 0, 1. Ties count for the others.
        assert_eq!(row.auc, 0.5625);
    }
}
