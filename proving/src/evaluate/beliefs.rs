//! What the judge is told of the shop: learned from visits, or only what labels and law say.

use super::shop::{Good, Shop};
use augenmass_core::goods::{Catalogue, Kind, Product, Terms, WeightBelief, WeightSource};
use augenmass_core::units::ProductId;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Confirmed observations of each product before it counts as learned.
pub const OBSERVATIONS: u32 = 200;
/// A pack's filling lies this much above its label on average.
const OVERFILL: f64 = 1.01;
/// What packaging weighs where nobody said: share of the content, and how unsure that is.
const PACKAGING: (f64, f64) = (0.08, 0.07);
/// How unsure a printed gross mass is, share of it.
const GROSS_SURE: f64 = 0.006;

/// How well the shop knows its goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// From so many confirmed observations of each product, at least 1, beside its label.
    Learned(u32),
    /// From labels and the law's tolerance alone.
    Label,
}

/// The shop as its own catalogue describes it. Product `i` of the catalogue is good `i` of the shop.
pub fn catalogue(shop: &Shop, knowledge: Knowledge, seed: u64) -> Catalogue {
    let products = shop.goods.iter().enumerate().filter_map(|(index, good)| {
        let weight = match knowledge {
            Knowledge::Learned(n) => learned(good, n, seed ^ (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            Knowledge::Label => label(good),
        };
        Some(Product {
            id: ProductId::try_from(format!("p{index}")).ok()?,
            code: code(index, good.kind),
            name: good.name.clone(),
            kind: good.kind,
            price_minor: good.price_minor,
            weight,
            look_group: good.look_group.map(|g| format!("g{g}")),
            category: Some(format!("aisle-{}", good.aisle)),
            risk: good.risk,
            popularity: good.share,
            terms: Terms::default(),
        })
    });
    Catalogue::new(products.collect())
}

/// The code under which the catalogue knows a good.
pub fn code(index: usize, kind: Kind) -> String {
    match kind {
        Kind::Piece | Kind::Varying => format!("{index:014}"),
        Kind::Weighed => format!("{index:05}"),
    }
}

/// Mean and spread of simulated observations, each of another batch and none of a changed pack, weighed with what the label says:
/// the label's mean by its uncertainty, its spread as if three packs had been seen.
fn learned(good: &Good, observations: u32, seed: u64) -> WeightBelief {
    const PRIOR: f64 = 3.0;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let prior = label(good);
    let n = f64::from(observations);
    let (mut sum, mut squares) = (0.0, 0.0);
    for _ in 0..observations {
        let x = good.law.batch.draw(&mut rng) + good.law.own.draw(&mut rng);
        sum += x;
        squares += x * x;
    }
    let scatter = (squares - sum * sum / n).max(0.0);
    let variance = ((scatter + PRIOR * prior.sd_g * prior.sd_g) / (n - 1.0 + PRIOR)).max(0.01);
    let (own, other) = (n / variance, 1.0 / (prior.mean_sd_g * prior.mean_sd_g).max(1e-6));
    WeightBelief {
        mean_g: (((good.law.mean_g + sum / n) * own + prior.mean_g * other) / (own + other)).max(0.1),
        sd_g: variance.sqrt(),
        mean_sd_g: (own + other).recip().sqrt(),
        source: WeightSource::Learned,
    }
}

/// Label and law (FIELD 3.5): half the tolerable negative error is one sigma of the content.
fn label(good: &Good) -> WeightBelief {
    let sd_g = match good.kind {
        Kind::Piece => tolerable_error_g(good.net_g) / 2.0,
        Kind::Varying => 0.15 * good.net_g,
        Kind::Weighed => 0.35 * good.net_g,
    };
    let content_g = good.net_g * OVERFILL;
    let (mean_g, mean_sd_g) = if good.net_only {
        (content_g + PACKAGING.0 * good.net_g, PACKAGING.1 * good.net_g)
    } else {
        // A printed gross mass: right but for a rounding that depends on the product.
        (content_g + good.packaging_g, GROSS_SURE * good.net_g)
    };
    WeightBelief { mean_g, sd_g: sd_g.max(0.5), mean_sd_g, source: WeightSource::Label }
}

/// Tolerable negative error of a content in grams (Directive 76/211/EEC, Annex I 2.4).
fn tolerable_error_g(net_g: f64) -> f64 {
    match net_g {
        n if n < 50.0 => 0.09 * n,
        n if n < 100.0 => 4.5,
        n if n < 200.0 => 0.045 * n,
        n if n < 300.0 => 9.0,
        n if n < 500.0 => 0.03 * n,
        n if n < 1000.0 => 15.0,
        n => 0.015 * n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_is_near_the_truth_and_says_how_near() {
        let shop = Shop::new(400, 2);
        let catalogue = catalogue(&shop, Knowledge::Learned(OBSERVATIONS), 9);
        let off: Vec<f64> = shop
            .goods
            .iter()
            .zip(catalogue.products())
            .map(|(g, p)| (p.weight.mean_g - g.law.mean_g) / p.weight.mean_sd_g)
            .collect();
        let rms = (off.iter().map(|z| z * z).sum::<f64>() / off.len() as f64).sqrt();
        assert!((0.85..1.15).contains(&rms), "{rms}");
        assert_eq!(catalogue.find_code(&code(17, shop.goods[17].kind)), Some(17));
    }

    /// The table of FIELD 3.5 at its own steps.
    #[test]
    fn the_laws_tolerance_is_the_laws() {
        for (net_g, error_g) in [(20.0, 1.8), (75.0, 4.5), (150.0, 6.75), (250.0, 9.0), (400.0, 12.0), (2000.0, 30.0)] {
            assert!((tolerable_error_g(net_g) - error_g).abs() < 1e-9, "{net_g}");
        }
    }
}
