//! What the judge is told of the shop: learned from visits, or only what labels and law say.

use super::shop::{Good, Shop};
use augenmass_core::goods::learn::prior;
use augenmass_core::goods::{Catalogue, Kind, Product, Terms, WeightBelief, WeightSource};
use augenmass_core::units::ProductId;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Confirmed observations of each product before it counts as learned.
pub const OBSERVATIONS: u32 = 200;

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

/// What the daemon itself would believe of a good from its label.
fn label(good: &Good) -> WeightBelief {
    let packed = if good.net_only {
        prior::net_only(good.net_g)
    } else {
        prior::gross(good.net_g + good.packaging_g, good.net_g)
    };
    let sd_g = match good.kind {
        Kind::Piece => packed.sd_g,
        Kind::Varying => 0.15 * good.net_g,
        Kind::Weighed => 0.35 * good.net_g,
    };
    WeightBelief { sd_g: sd_g.max(0.5), ..packed }
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
}
