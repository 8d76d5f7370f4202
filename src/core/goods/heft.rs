//! Products by their mass, for searches of what could explain a weighing.
//!
//! Sorted by mean mass and cut into blocks of which the greatest share is known: a search for the likeliest passes over whole blocks that
//! cannot hold one. Products that vary widely stand apart, so that a few of them do not make every search long.

use super::masses::Masses;
use super::product::Product;

/// Classes of spread: five sigma of a unit over its mean.
const WIDEST: [f64; 4] = [0.08, 0.25, 0.7, f64::INFINITY];
/// Products of one block.
const BLOCK: usize = 32;

/// What a search by mass needs of a product, close together in memory: it passes over thousands of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heft {
    /// Index of the product.
    pub product: usize,
    /// Mean mass of a unit in grams.
    pub mean_g: f64,
    /// Variance in g² that each unit has of its own.
    pub own_g2: f64,
    /// Variance in g² that all units share.
    pub shared_g2: f64,
    /// Probability that a product, drawn as shoppers draw, is this one.
    pub share: f64,
    /// Number of its category.
    pub category: Option<usize>,
}

/// Products of about one mass.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The products, lightest first.
    pub hefts: &'a [Heft],
    /// The greatest share of any of them.
    pub share: f64,
    /// Five sigma of a unit over its mean, at most.
    widest: f64,
}

impl Block<'_> {
    /// The greatest density per gram that so many units of any of them can have at `at_g` on a Gaussian error of `error_g2`, shares left out.
    pub fn density_at_most(&self, at_g: f64, units: u32, error_g2: f64) -> f64 {
        let n = f64::from(units);
        let (first, last) = self.hefts.first().zip(self.hefts.last()).map_or((0.0, 0.0), |(a, b)| (a.mean_g, b.mean_g));
        let away_g = (at_g - n * last).max(n * first - at_g).max(0.0);
        let variance_g2 = error_g2 + (n * self.widest * last.max(1e-6) / 5.0).powi(2);
        (-0.5 * away_g * away_g / variance_g2).exp() / error_g2.sqrt()
    }
}

/// Products of one class of spread.
#[derive(Clone, Debug)]
struct Class {
    widest: f64,
    hefts: Vec<Heft>,
    shares: Vec<f64>,
}

/// All products of a catalogue by their mass.
#[derive(Clone, Debug)]
pub struct Hefts(Vec<Class>);

impl Hefts {
    /// Sorts them. `share` says how probable it is that a drawn product is the `i`-th.
    pub(super) fn new(products: &[Product], masses: &Masses, share: impl Fn(usize) -> f64) -> Self {
        let mut classes = WIDEST.map(|widest| (widest, Vec::new()));
        for (product, known) in products.iter().enumerate() {
            let weight = &known.weight;
            let wide = 5.0 * weight.variance_g2(1).sqrt() / weight.mean_g.max(1e-6);
            let (one_g2, two_g2) = (weight.variance_g2(1), weight.variance_g2(2));
            // n own parts and n² of what units share: solved from one and two units.
            let shared_g2 = 0.5 * (two_g2 - 2.0 * one_g2);
            let heft = Heft {
                product,
                mean_g: weight.mean_g,
                own_g2: one_g2 - shared_g2,
                shared_g2,
                share: share(product),
                category: masses.category(product),
            };
            if let Some((_, list)) = classes.iter_mut().find(|(widest, _)| wide <= *widest) {
                list.push(heft);
            }
        }
        let class = |(widest, mut hefts): (f64, Vec<Heft>)| {
            hefts.sort_by(|a, b| a.mean_g.total_cmp(&b.mean_g));
            let shares = hefts.chunks(BLOCK).map(|b| b.iter().map(|h| h.share).fold(0.0, f64::max)).collect();
            Class { widest, hefts, shares }
        };
        Self(classes.into_iter().map(class).collect())
    }

    /// Blocks of products so many units of which could make `at_g` within `reach_g`, about the likeliest first: those whose own spread, five
    /// sigma of it, bridges the rest. Not all of a block do; none that does is left out.
    pub fn could_make(&self, at_g: f64, units: u32, reach_g: f64) -> impl Iterator<Item = Block<'_>> {
        let n = f64::from(units.max(1));
        self.0.iter().flat_map(move |class| {
            let from_g = (at_g - reach_g) / n / (1.0 + class.widest);
            let to_g = if class.widest < 1.0 { (at_g + reach_g) / n / (1.0 - class.widest) } else { f64::INFINITY };
            let block_of = |mass_g: f64| class.hefts.partition_point(|h| h.mean_g < mass_g) / BLOCK;
            let end = class.hefts.partition_point(|h| h.mean_g <= to_g).div_ceil(BLOCK);
            let start = block_of(from_g).min(end);
            let middle = block_of(at_g / n).clamp(start, end);
            (middle..end).chain((start..middle).rev()).map(move |block| Block {
                hefts: &class.hefts[block * BLOCK..class.hefts.len().min((block + 1) * BLOCK)],
                share: class.shares[block],
                widest: class.widest,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Kind, Risk, Terms, WeightBelief, WeightSource};
    use super::*;

    fn shop() -> Catalogue {
        let product = |i: u32| {
            let mean_g = 10.0 * 1.01f64.powi(i as i32 % 600);
            Product {
                id: format!("p{i}").parse().unwrap(),
                code: format!("{i:014}"),
                name: String::new(),
                kind: Kind::Piece,
                price_minor: 100,
                weight: WeightBelief {
                    mean_g,
                    sd_g: mean_g * [0.005, 0.02, 0.1, 0.3][i as usize % 4],
                    mean_sd_g: 0.002 * mean_g,
                    source: WeightSource::Learned,
                },
                look_group: None,
                category: None,
                risk: Risk::Normal,
                popularity: f64::from(1 + i % 17),
                terms: Terms::default(),
            }
        };
        Catalogue::new((0..900).map(product).collect())
    }

    /// Against a walk over every product.
    #[test]
    fn no_product_within_five_sigma_is_left_out_and_no_bound_is_too_low() {
        let catalogue = shop();
        for (at_g, units, error_g2) in [(250.0, 1, 100.0), (31.0, 2, 4.0), (3_600.0, 1, 900.0), (-20.0, 1, 25.0)] {
            let n = f64::from(units);
            let reach_g = 5.0 * f64::sqrt(error_g2);
            let mut found = vec![false; 900];
            for block in catalogue.hefts().could_make(at_g, units, reach_g) {
                for heft in block.hefts {
                    found[heft.product] = true;
                    let variance = error_g2 + n * heft.own_g2 + n * n * heft.shared_g2;
                    let density = (-0.5 * (at_g - n * heft.mean_g).powi(2) / variance).exp() / variance.sqrt();
                    assert!(density <= block.density_at_most(at_g, units, error_g2) * (1.0 + 1e-9));
                    assert!(heft.share <= block.share);
                }
            }
            for (index, product) in catalogue.products().iter().enumerate() {
                let weight = &product.weight;
                let off = (at_g - n * weight.mean_g).abs();
                let within = off < 5.0 * (error_g2 + weight.variance_g2(units)).sqrt();
                assert!(found[index] || !within, "{at_g} {units}: {index}");
            }
        }
    }
}
