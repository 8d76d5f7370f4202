//! `firmware-sim render` (training scenes) and `firmware-sim looks` (pictures for enrolment).

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::lens::Lens;
use super::portrait;
use super::{Renderer, studio};
use crate::shop::{Shop, Split, invented, seed};

/// Whose goods are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GoodsSource {
    /// The demo shop's.
    Shop,
    /// Invented ones, never the demo shop's.
    Random,
}

/// How scenes are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Manner {
    /// Upright station, decent light. Figures are measured on these: what is drawn for a seed stays as it is.
    Usual,
    /// Any angle, bags, empty containers, odd light, unsharp and bent pictures.
    Rough,
}

/// Options of `firmware-sim render`.
#[derive(Debug, Clone, Args)]
pub struct RenderArgs {
    /// Folder for pictures and labels.ndjson; made if missing, added to if not.
    #[arg(long)]
    pub out: PathBuf,
    /// How many scenes.
    #[arg(long, default_value_t = 10)]
    pub scenes: u64,
    /// Scene k of one seed is always the same.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Number of the first scene.
    #[arg(long, default_value_t = 1)]
    pub first: u64,
    /// Whose goods.
    #[arg(long, value_enum, default_value_t = GoodsSource::Shop)]
    pub goods: GoodsSource,
    /// Which invented goods.
    #[arg(long, value_enum, default_value_t = Split::Train)]
    pub split: Split,
    /// How far the scenes are from the usual one.
    #[arg(long, value_enum, default_value_t = Manner::Usual)]
    pub manner: Manner,
}

/// Options of `firmware-sim looks`.
#[derive(Debug, Clone, Args)]
pub struct LooksArgs {
    /// Folder that gets one folder per product.
    #[arg(long)]
    pub out: PathBuf,
    /// Pictures per product.
    #[arg(long, default_value_t = 6)]
    pub per_product: u64,
    /// Whose goods.
    #[arg(long, value_enum, default_value_t = GoodsSource::Shop)]
    pub goods: GoodsSource,
    /// How many invented goods.
    #[arg(long, default_value_t = 100)]
    pub identities: u64,
    /// Number of the first invented good.
    #[arg(long, default_value_t = 0)]
    pub first: u64,
    /// Which invented goods.
    #[arg(long, value_enum, default_value_t = Split::Train)]
    pub split: Split,
    /// Chooses poses and lights.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Scenes that share one set of invented goods, and how many goods that is.
const SCENES_PER_SET: u64 = 25;
const GOODS_PER_SET: u64 = 140;

/// Writes training scenes with their labels.
///
/// # Errors
/// If the goods file is broken or the folder cannot be written.
pub fn run(args: &RenderArgs) -> anyhow::Result<()> {
    make_folder(&args.out)?;
    let path = args.out.join("labels.ndjson");
    let labels = OpenOptions::new().create(true).append(true).open(&path);
    let mut labels = labels.with_context(|| format!("cannot write {}", path.display()))?;
    let mut renderer = Renderer::new(Arc::new(goods_of(args, set_of(args, args.first))?));
    for number in args.first..args.first + args.scenes {
        if number > args.first && set_of(args, number) != set_of(args, number - 1) {
            renderer.change_shop(Arc::new(goods_of(args, set_of(args, number))?));
        }
        write_scene(args, number, &mut renderer, &mut labels)?;
    }
    Ok(())
}

/// Which set of goods a scene is made of.
fn set_of(args: &RenderArgs, number: u64) -> u64 {
    match args.goods {
        GoodsSource::Shop => 0,
        GoodsSource::Random => number / SCENES_PER_SET,
    }
}

fn goods_of(args: &RenderArgs, set: u64) -> anyhow::Result<Shop> {
    Ok(match args.goods {
        GoodsSource::Shop => Shop::demo()?,
        GoodsSource::Random => {
            let first = seed::mix(args.seed, set) % 900_000;
            Shop { goods: (first..first + GOODS_PER_SET).map(|n| invented(args.split, n)).collect() }
        }
    })
}

fn write_scene(args: &RenderArgs, number: u64, renderer: &mut Renderer, labels: &mut File) -> anyhow::Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed::mix(seed::mix(args.seed, 0x5CE7E), number));
    let shop = Arc::clone(renderer.shop());
    let (scene, lens) = match args.manner {
        Manner::Usual => (studio::scene(&shop, &mut rng), Lens::default()),
        Manner::Rough => studio::rough_scene(&shop, &mut rng),
    };
    let rendered = lens.through(renderer.draw(&scene));
    let lone = renderer.lone_pixels(&scene);
    let name = format!("scene-{number:06}.jpg");
    let jpeg = rendered.to_jpeg(rng.random(), rng.random_range(70..95))?;
    write_file(&args.out.join(&name), &jpeg)?;
    let line = serde_json::to_string(&studio::label(name, &rendered, &scene, &lone, &shop))?;
    writeln!(labels, "{line}").context("cannot write labels.ndjson")
}

/// Writes pictures of single products, cropped to the product with a margin.
///
/// # Errors
/// If the goods file is broken or the folder cannot be written.
pub fn run_looks(args: &LooksArgs) -> anyhow::Result<()> {
    let shop = match args.goods {
        GoodsSource::Shop => Shop::demo()?,
        GoodsSource::Random => {
            Shop { goods: (args.first..args.first + args.identities).map(|n| invented(args.split, n)).collect() }
        }
    };
    let shop = Arc::new(shop);
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        // A picture depends on its product and number alone, so that how the work is shared leaves no trace in it.
        let shares = (0..workers).map(|worker| {
            let shop = Arc::clone(&shop);
            scope.spawn(move || photograph(args, &shop, (worker..shop.goods.len()).step_by(workers)))
        });
        let shares: Vec<_> = shares.collect();
        shares
            .into_iter()
            .try_for_each(|share| share.join().unwrap_or_else(|_| bail!("a thread that draws has failed")))
    })
}

fn photograph(args: &LooksArgs, shop: &Arc<Shop>, goods: impl Iterator<Item = usize>) -> anyhow::Result<()> {
    let mut renderer = Renderer::new(Arc::clone(shop));
    for good in goods {
        let folder = args.out.join(&shop.goods[good].id);
        make_folder(&folder)?;
        for picture in 0..args.per_product {
            let crop = portrait::take(&mut renderer, good, args.seed, picture);
            let path = folder.join(format!("{picture}.png"));
            crop.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        renderer.forget(good);
    }
    Ok(())
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))
}

fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
