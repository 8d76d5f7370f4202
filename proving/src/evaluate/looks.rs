//! What cameras would see, drawn from recorded figures: how well a crop fits its own good, how often a good is seen at all.
//!
//! A good's look is a direction in a space whose dimension makes strangers' cosines as wide as recorded; a crop is drawn at a recorded
//! cosine to its good's look, and in any direction about it. So a crop's fit to every other good follows, and the likelihood of a crop
//! under each good is known exactly: density of the recorded cosine over that of a random direction.

use super::reading::{self, Compared};
use super::shop::{Good, Shop};
use anyhow::{Context, Result, ensure};
use augenmass_core::goods::{Gallery, LookCalibration, LookVector};
use augenmass_core::units::{Mono, ProductId};
use augenmass_core::vision::{Crop, Embedding, Quality, Scene};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::Deserialize;

/// The figures that ship with this program.
const SHIPPED: &str = include_str!("../../data/vision.json");
/// Most crops of one look, as of the detector.
const CROPS_MAX: usize = 64;
/// Components of the shipped embedder's vectors. Of so many the gallery keeps half a byte each; in a space of fewer that would cost more than it
/// does.
const COMPONENTS: usize = 256;
/// What tells the seed of the space's axes from the others.
const AXES: u64 = 3 << 40;
/// Steps of the table of likelihood ratios over cosines -1..=1.
const TABLE: usize = 4000;
/// Goods of the shop that the curve is measured in, as many as share a set of the trial's scenes; and what tells its seed from the
/// evaluated shop's.
const CALIBRATED_GOODS: usize = 100;
const CALIBRATED_ON: u64 = 0x5eed_0ca1;
/// The name of the space.
const SPACE: &str = "recorded";

/// How much of a plate is seen.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sight {
    /// Crops of a unit of 300 g on an uncrowded plate, on average; 0 for hidden ones, 2 for things detected in parts.
    pub crops_a_unit: f64,
    /// Units above which they hide each other.
    pub crowded_above: f64,
    /// How fast the visible share falls beyond that: (crowded_above / units) to this power.
    pub crowding: f64,
    /// Crops of what is no good, on average.
    pub clutter_crops: f64,
}

/// The recorded file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Where the figures come from.
    pub source: String,
    /// Dimension of the space: strangers' cosines have a spread of 1/√dimensions.
    pub dimensions: usize,
    /// Cosine between the looks of two goods of one aisle, on average.
    pub aisle_cosine: f64,
    /// (share, cosine) points of the distribution of a crop's cosine with its own good's enrolled look, ascending from 0 to 1.
    pub genuine_cosine: Vec<[f64; 2]>,
    /// How cosines are to be read; not given, it is measured on `crops` crops of a shop of other goods, as the models' own is.
    pub calibration: Option<LookCalibration>,
    /// Crops by which the models' own curve was measured.
    pub crops: usize,
    /// A whole basket at once.
    pub whole: Sight,
    /// Goods put down one after the other.
    pub one_by_one: Sight,
}

impl Recorded {
    /// The figures that ship.
    ///
    /// # Errors
    /// None, unless the shipped file is broken.
    pub fn shipped() -> Result<Self> {
        Self::parse(SHIPPED)
    }

    /// Reads a recorded file.
    ///
    /// # Errors
    /// What is no such file, or has figures out of range.
    pub fn parse(text: &str) -> Result<Self> {
        let recorded: Self = serde_json::from_str(text).context("the recorded figures of vision")?;
        let points = &recorded.genuine_cosine;
        let rising = points.windows(2).all(|w| w[0][0] < w[1][0] && w[0][1] < w[1][1]);
        let ends = points.first().is_some_and(|p| p[0] == 0.0 && p[1] > -1.0)
            && points.last().is_some_and(|p| p[0] == 1.0 && p[1] < 1.0);
        ensure!(
            rising && ends && points.len() > 1,
            "genuine_cosine: rising points from share 0 to share 1, cosines within -1..1"
        );
        ensure!((4..=256).contains(&recorded.dimensions), "dimensions: 4 to 256");
        ensure!((50..=100_000).contains(&recorded.crops), "crops: 50 to 100 000");
        ensure!((0.0..1.0).contains(&recorded.aisle_cosine), "aisle_cosine: 0 to 1");
        for sight in [&recorded.whole, &recorded.one_by_one] {
            ensure!(
                (0.01..5.0).contains(&sight.crops_a_unit) && (0.01..20.0).contains(&sight.clutter_crops),
                "crops: 0.01 to 5 and 20"
            );
        }
        Ok(recorded)
    }

    fn draw_cosine(&self, rng: &mut impl Rng) -> f64 {
        let share: f64 = rng.random();
        let at = self.genuine_cosine.partition_point(|p| p[0] <= share).clamp(1, self.genuine_cosine.len() - 1);
        let ([s0, c0], [s1, c1]) = (self.genuine_cosine[at - 1], self.genuine_cosine[at]);
        c0 + (c1 - c0) * (share - s0) / (s1 - s0)
    }

    /// Density of a crop's cosine with its own good.
    fn genuine_density(&self, cosine: f64) -> f64 {
        let slope = |w: &[[f64; 2]]| (w[1][0] - w[0][0]) / (w[1][1] - w[0][1]);
        self.genuine_cosine.windows(2).find(|w| (w[0][1]..w[1][1]).contains(&cosine)).map_or(0.0, slope)
    }

    /// Density of a random direction's cosine: (1 - c²)^((d - 3) / 2), normalised.
    fn stranger_density(&self) -> impl Fn(f64) -> f64 + use<> {
        let power = (self.dimensions as f64 - 3.0) / 2.0;
        let shape = move |c: f64| (1.0 - c * c).max(0.0).powf(power);
        let n = 20_000;
        let sum: f64 =
            (0..n).map(|i| shape(-1.0 + (2.0 * f64::from(i) + 1.0) / f64::from(n))).sum::<f64>() * 2.0 / f64::from(n);
        move |c| shape(c) / sum
    }
}

/// All looks of a shop.
pub struct Looks {
    /// The figures.
    pub recorded: Recorded,
    directions: Vec<f32>,
    /// The axes of the space among as many components as the embedder gives, at right angles and of unit length: cosines are the same there.
    axes: Vec<Vec<f32>>,
    /// How much more often than a good of 300 g each is seen.
    sizes: Vec<f64>,
    ratios: Vec<f32>,
    /// As the judge has them.
    pub gallery: Gallery,
}

/// What a good's look is drawn from.
#[derive(Clone, Debug)]
pub struct Trait {
    /// The product that it is enrolled as.
    pub id: ProductId,
    /// Goods of one aisle look a little alike.
    pub aisle: u64,
    /// Goods of one group look the same.
    pub group: Option<u64>,
    /// Small things hide; grams.
    pub mean_g: f64,
}

fn traits(shop: &Shop) -> Result<Vec<Trait>> {
    let of = |(index, good): (usize, &Good)| {
        let (aisle, group) = (good.aisle as u64, good.look_group.map(u64::from));
        Ok(Trait { id: ProductId::try_from(format!("p{index}"))?, aisle, group, mean_g: good.law.mean_g })
    };
    shop.goods.iter().enumerate().map(of).collect()
}

impl Looks {
    /// Draws a look for each good; goods of one look group share theirs. How they are to be read is measured on other goods.
    ///
    /// # Errors
    /// None for a shop's own identifiers.
    pub fn new(shop: &Shop, recorded: Recorded, seed: u64) -> Result<Self> {
        Self::of(&traits(shop)?, recorded, seed)
    }

    /// The same of goods of any shop.
    ///
    /// # Errors
    /// None.
    pub fn of(goods: &[Trait], recorded: Recorded, seed: u64) -> Result<Self> {
        let calibration = match &recorded.calibration {
            Some(given) => given.clone(),
            None => {
                let other = seed ^ CALIBRATED_ON;
                let calibrated = Shop::new(CALIBRATED_GOODS, other);
                let unread = LookCalibration { a: 1.0, b: 0.0, curve: Vec::new() };
                Self::drawn(&traits(&calibrated)?, recorded.clone(), other, unread).reading(&calibrated, other)
            }
        };
        Ok(Self::drawn(goods, recorded, seed, calibration))
    }

    /// How cosines are to be read, from as many crops as were recorded.
    fn reading(&self, shop: &Shop, seed: u64) -> LookCalibration {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let d = self.recorded.dimensions;
        let compared = |_| {
            let shown = rng.random_range(0..shop.goods.len());
            let crop = self.crop(shown, &mut rng);
            let cosine = |product: usize| f64::from(dot(&self.directions[product * d..(product + 1) * d], &crop));
            let group = shop.goods[shown].look_group;
            let other = |p: &usize| *p != shown && (group.is_none() || shop.goods[*p].look_group != group);
            Compared { own: cosine(shown), others: (0..shop.goods.len()).filter(other).map(cosine).collect() }
        };
        reading::measure(&(0..self.recorded.crops).map(compared).collect::<Vec<_>>())
    }

    fn drawn(goods: &[Trait], recorded: Recorded, seed: u64, calibration: LookCalibration) -> Self {
        let d = recorded.dimensions;
        let direction = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            unit((0..d).map(|_| rng.sample::<f64, _>(StandardNormal)).collect())
        };
        let axes = axes(d, seed ^ AXES);
        let mut directions = Vec::with_capacity(goods.len() * d);
        let mut looks = Vec::with_capacity(goods.len());
        for (index, good) in goods.iter().enumerate() {
            let own = good.group.map_or(index as u64, |g| (1 << 32) + g);
            let (aisle, own) = (direction(seed ^ (1 << 40) ^ good.aisle), direction(seed ^ (2 << 40) ^ own));
            let (a, b) = (recorded.aisle_cosine.sqrt(), (1.0 - recorded.aisle_cosine).sqrt());
            let look = unit(aisle.iter().zip(&own).map(|(x, y)| a * x + b * y).collect());
            let look: Vec<f32> = look.iter().map(|v| *v as f32).collect();
            looks.push((good.id.clone(), vec![LookVector::quantise(&widened(&axes, &look))]));
            directions.extend(look);
        }
        let gallery = Gallery::of(SPACE, calibration, looks);
        let stranger = recorded.stranger_density();
        let ratio = |i: usize| {
            let c = -1.0 + 2.0 * (i as f64 + 0.5) / TABLE as f64;
            (recorded.genuine_density(c) / stranger(c).max(1e-12)).min(1e9) as f32
        };
        let ratios = (0..TABLE).map(ratio).collect();
        let sizes = goods.iter().map(|g| (g.mean_g / 300.0).powf(0.2).clamp(0.5, 1.4)).collect();
        Self { recorded, directions, axes, sizes, ratios, gallery }
    }

    /// How much likelier a crop is if it shows the good than if it shows a random direction.
    pub fn ratio(&self, product: usize, crop: &[f32]) -> f64 {
        let d = self.recorded.dimensions;
        let look = &self.directions[product * d..(product + 1) * d];
        let cosine = dot(look, crop);
        let place = ((cosine + 1.0) * 0.5 * TABLE as f32) as usize;
        f64::from(self.ratios[place.min(TABLE - 1)])
    }

    /// How many crops a unit of 300 g gives on average among so many: goods in a crowd hide each other.
    pub fn crowded(sight: &Sight, units: u32) -> f64 {
        sight.crops_a_unit * (sight.crowded_above / f64::from(units.max(1))).min(1.0).powf(sight.crowding)
    }

    /// How much more often a good is seen for its size: small ones hide.
    pub fn size(&self, product: usize) -> f64 {
        self.sizes[product]
    }

    /// Crops of goods, (index, mean number of crops) each, and of clutter, in no order that tells anything; and how many each good gave.
    pub fn draw(&self, sight: &Sight, goods: &[(usize, f64)], rng: &mut impl Rng) -> (Vec<Vec<f32>>, Vec<u32>) {
        let mut crops = Vec::new();
        let mut given = Vec::with_capacity(goods.len());
        for (product, mean) in goods {
            let count = poisson(*mean, rng);
            crops.extend((0..count).map(|_| self.crop(*product, rng)));
            given.push(count);
        }
        for _ in 0..poisson(sight.clutter_crops, rng) {
            crops.push(self.random(rng).iter().map(|v| *v as f32).collect());
        }
        for i in (1..crops.len()).rev() {
            crops.swap(i, rng.random_range(0..=i));
        }
        crops.truncate(CROPS_MAX);
        (crops, given)
    }

    fn random(&self, rng: &mut impl Rng) -> Vec<f64> {
        unit((0..self.recorded.dimensions).map(|_| rng.sample::<f64, _>(StandardNormal)).collect())
    }

    /// One crop of a good.
    pub fn crop(&self, product: usize, rng: &mut impl Rng) -> Vec<f32> {
        let d = self.recorded.dimensions;
        let look = &self.directions[product * d..(product + 1) * d];
        let cosine = self.recorded.draw_cosine(rng);
        let aside = self.random(rng);
        let along: f64 = aside.iter().zip(look).map(|(a, l)| a * f64::from(*l)).sum();
        let across = unit(aside.iter().zip(look).map(|(a, l)| a - along * f64::from(*l)).collect());
        let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
        across.iter().zip(look).map(|(a, l)| (cosine * f64::from(*l) + sine * a) as f32).collect()
    }

    /// The crops as the daemon's eyes would hand them over.
    pub fn scene(&self, crops: &[Vec<f32>]) -> Scene {
        let crop = |values: &Vec<f32>| {
            Some(Crop {
                camera: 0,
                box_px: [0.0, 0.0, 64.0, 64.0],
                score: 0.9,
                embedding: Embedding::new(widened(&self.axes, values))?,
            })
        };
        Scene {
            cameras: vec!["top".to_owned()],
            missing: Vec::new(),
            captured: Mono::default(),
            crops: crops.iter().filter_map(crop).collect(),
            quality: Quality { brightness: 120.0, sharpness: 80.0 },
            space_id: SPACE.to_owned(),
        }
    }
}

/// So many axes at right angles, by the method of Gram and Schmidt.
fn axes(dimensions: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut found: Vec<Vec<f64>> = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        let mut axis: Vec<f64> = (0..COMPONENTS).map(|_| rng.sample::<f64, _>(StandardNormal)).collect();
        for before in &found {
            let along: f64 = axis.iter().zip(before).map(|(a, b)| a * b).sum();
            axis.iter_mut().zip(before).for_each(|(a, b)| *a -= along * b);
        }
        found.push(unit(axis));
    }
    found.into_iter().map(|axis| axis.into_iter().map(|v| v as f32).collect()).collect()
}

/// A vector of the space as the embedder would give it.
fn widened(axes: &[Vec<f32>], values: &[f32]) -> Vec<f32> {
    let mut wide = vec![0.0; COMPONENTS];
    for (axis, value) in axes.iter().zip(values) {
        wide.iter_mut().zip(axis).for_each(|(w, a)| *w += value * a);
    }
    wide
}

/// Scalar product in eight sums, which the compiler adds side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (whole_a, rest_a) = a.as_chunks::<8>();
    let (whole_b, rest_b) = b.as_chunks::<8>();
    for (x, y) in whole_a.iter().zip(whole_b) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum::<f32>()
}

fn unit(values: Vec<f64>) -> Vec<f64> {
    let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-12);
    values.into_iter().map(|v| v / norm).collect()
}

/// A Poisson draw by Knuth's product of uniforms: means are small.
fn poisson(mean: f64, rng: &mut impl Rng) -> u32 {
    let limit = (-mean).exp();
    let (mut count, mut product) = (0, rng.random::<f64>());
    while product > limit && count < 50 {
        count += 1;
        product *= rng.random::<f64>();
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The drawn crops verify as well, and as badly, as was recorded.
    #[test]
    fn drawn_crops_are_as_good_as_recorded() {
        let shop = Shop::new(600, 1);
        let looks = Looks::new(&shop, Recorded::shipped().unwrap(), 1).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let d = looks.recorded.dimensions;
        let cosine = |p: usize, crop: &[f32]| -> f32 {
            looks.directions[p * d..(p + 1) * d].iter().zip(crop).map(|(a, b)| a * b).sum()
        };
        let (mut own, mut others, mut near) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..6000 {
            let p = rng.random_range(0..600);
            let crop = looks.crop(p, &mut rng);
            own.push(cosine(p, &crop));
            let q = rng.random_range(0..600);
            let alike = shop.goods[p].look_group.is_some() && shop.goods[p].look_group == shop.goods[q].look_group;
            if p != q && !alike {
                let list = if shop.goods[p].aisle == shop.goods[q].aisle { &mut near } else { &mut others };
                list.push(cosine(q, &crop));
            }
        }
        let auc = |a: &[f32], b: &[f32]| {
            let wins: usize = a.iter().map(|x| b.iter().filter(|y| x > y).count()).sum();
            wins as f64 / (a.len() * b.len()) as f64
        };
        let (all, class) = (auc(&own, &others), auc(&own, &near));
        assert!((0.91..0.95).contains(&all), "{all}");
        assert!((0.74..0.90).contains(&class), "{class}");
        others.sort_by(f32::total_cmp);
        let limit = others[others.len() * 99 / 100];
        let tar = own.iter().filter(|c| **c > limit).count() as f64 / own.len() as f64;
        assert!((0.50..0.62).contains(&tar), "{tar}");
    }

    /// What the judge is shown has the cosines of the space, but for half a byte a component.
    #[test]
    fn the_judge_is_shown_the_same_cosines() {
        let shop = Shop::new(120, 2);
        let looks = Looks::new(&shop, Recorded::shipped().unwrap(), 2).unwrap();
        let d = looks.recorded.dimensions;
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut squares = 0.0;
        for product in 0..120 {
            let crop = looks.crop(rng.random_range(0..120), &mut rng);
            let scene = looks.scene(std::slice::from_ref(&crop));
            let values = scene.crops[0].embedding.values();
            assert_eq!(values.len(), COMPONENTS);
            let right = dot(&looks.directions[product * d..(product + 1) * d], &crop);
            let found = looks.gallery.looks(&format!("p{product}")).unwrap().best(&values.into()).unwrap();
            squares += (found - right).powi(2);
        }
        // A step's 1/sqrt(12) of each component, a third of what they are on average, over the root of their number.
        assert!((squares / 120.0).sqrt() < 0.012, "{}", (squares / 120.0).sqrt());
    }

    /// A ratio is the density of own crops over that of random directions: averaged over own crops its inverse is the share of random directions
    /// that lie where own crops can lie. (Averaged over random directions it is 1, but what counts most there is too rare to be drawn.)
    #[test]
    fn likelihood_ratios_are_ratios_of_densities() {
        let shop = Shop::new(30, 1);
        let looks = Looks::new(&shop, Recorded::shipped().unwrap(), 1).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let (n, d, points) = (100_000, looks.recorded.dimensions, &looks.recorded.genuine_cosine);
        let own = &looks.directions[3 * d..4 * d];
        let within = (0..n)
            .filter(|_| {
                let random: Vec<f32> = looks.random(&mut rng).iter().map(|v| *v as f32).collect();
                (points[0][1]..points[points.len() - 1][1]).contains(&f64::from(dot(own, &random)))
            })
            .count() as f64
            / f64::from(n);
        let inverse = (0..n).map(|_| 1.0 / looks.ratio(3, &looks.crop(3, &mut rng))).sum::<f64>() / f64::from(n);
        assert!((inverse / within - 1.0).abs() < 0.03, "{inverse} {within}");
    }

    #[test]
    fn broken_records_are_refused() {
        let mut record: serde_json::Value = serde_json::from_str(SHIPPED).unwrap();
        assert!(Recorded::parse(&record.to_string()).is_ok());
        // The last point lies below the one before it.
        record["genuine_cosine"].as_array_mut().unwrap().last_mut().unwrap()[1] = serde_json::json!(0.0);
        assert!(Recorded::parse(&record.to_string()).is_err() && Recorded::parse("{}").is_err());
    }
}
