//! A shop drawn by seed: what its goods truly weigh, how they vary, how often they are bought, what looks alike.

use super::law::{Mixture, UnitLaw};
use augenmass_core::goods::{Kind, Risk};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Share of products whose pack has silently changed since its weight was learned.
pub const REPACKED: f64 = 0.01;
/// Share of weight labels that belong to something else.
pub const WRONG_LABEL: f64 = 0.01;
/// Share of products of which only the net content is known, not what the packaging weighs.
const NET_ONLY: f64 = 0.5;
/// How steeply popularity falls with rank (Zipf).
const ZIPF: f64 = 0.9;

/// What goods of one aisle have in common: masses are log-normal, spreads shares of the mass (FIELD 3.5).
struct Aisle {
    name: &'static str,
    kind: Kind,
    share: f64,
    median_g: f64,
    log_sd: f64,
    own: f64,
    batch: f64,
    packaging: f64,
    price_a_kg: f64,
    risk: Risk,
}

const fn aisle(
    name: &'static str,
    kind: Kind,
    [share, median_g, log_sd, own, batch, packaging, price_a_kg]: [f64; 7],
    risk: Risk,
) -> Aisle {
    Aisle { name, kind, share, median_g, log_sd, own, batch, packaging, price_a_kg, risk }
}

const AISLES: [Aisle; 14] = [
    aisle("dairy", Kind::Piece, [0.14, 230.0, 0.65, 0.010, 0.006, 0.05, 6.0], Risk::Normal),
    aisle("drinks", Kind::Piece, [0.12, 1000.0, 0.45, 0.004, 0.003, 0.08, 1.6], Risk::Normal),
    aisle("cans and jars", Kind::Piece, [0.08, 420.0, 0.35, 0.012, 0.008, 0.25, 4.0], Risk::Normal),
    aisle("dry goods", Kind::Piece, [0.09, 520.0, 0.35, 0.006, 0.004, 0.02, 3.0], Risk::Low),
    aisle("sweets", Kind::Piece, [0.12, 120.0, 0.60, 0.012, 0.008, 0.06, 11.0], Risk::Normal),
    aisle("snacks", Kind::Piece, [0.06, 170.0, 0.40, 0.020, 0.010, 0.06, 9.0], Risk::Normal),
    aisle("bakery", Kind::Varying, [0.06, 260.0, 0.80, 0.050, 0.030, 0.02, 5.0], Risk::Low),
    aisle("produce by piece", Kind::Varying, [0.05, 330.0, 0.60, 0.110, 0.050, 0.01, 4.0], Risk::Low),
    aisle("produce by weight", Kind::Weighed, [0.05, 700.0, 0.45, 0.300, 0.0, 0.0, 3.5], Risk::Low),
    aisle("counter", Kind::Weighed, [0.03, 240.0, 0.40, 0.300, 0.0, 0.0, 16.0], Risk::Normal),
    aisle("frozen", Kind::Piece, [0.07, 450.0, 0.45, 0.014, 0.010, 0.07, 7.0], Risk::Normal),
    aisle("spices", Kind::Piece, [0.04, 50.0, 0.45, 0.020, 0.015, 0.60, 45.0], Risk::High),
    aisle("cosmetics", Kind::Piece, [0.05, 140.0, 0.70, 0.008, 0.010, 0.20, 40.0], Risk::High),
    aisle("household", Kind::Piece, [0.04, 1000.0, 0.70, 0.010, 0.008, 0.08, 5.0], Risk::Low),
];

/// Contents that makers like to print, grams.
const USUAL_G: [f64; 24] = [
    20.0, 40.0, 50.0, 75.0, 100.0, 125.0, 150.0, 180.0, 200.0, 250.0, 300.0, 330.0, 400.0, 450.0, 500.0, 600.0, 750.0,
    800.0, 1000.0, 1250.0, 1500.0, 2000.0, 2500.0, 5000.0,
];

/// A product as it truly is.
#[derive(Clone, Debug)]
pub struct Good {
    /// Name for people.
    pub name: String,
    /// How it is sold.
    pub kind: Kind,
    /// Which aisle, 0..14.
    pub aisle: usize,
    /// What the label says it contains, grams; a typical portion for goods sold by weight.
    pub net_g: f64,
    /// True long-run packaging, grams.
    pub packaging_g: f64,
    /// Whether the shop knows only the net content.
    pub net_only: bool,
    /// True law of its mass.
    pub law: UnitLaw,
    /// Price of a unit in minor units.
    pub price_minor: i64,
    /// How much losing one is minded.
    pub risk: Risk,
    /// Goods of the same group look alike.
    pub look_group: Option<u32>,
    /// Probability that a good drawn as shoppers draw is this one; sums to 1.
    pub share: f64,
}

/// All goods, with what drawing from them needs.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The goods.
    pub goods: Vec<Good>,
    /// Indices of the goods of each aisle.
    pub aisles: Vec<Vec<usize>>,
    /// Sum of the shares of each aisle.
    pub aisle_shares: Vec<f64>,
    cumulative: Vec<f64>,
    aisle_cumulative: Vec<Vec<f64>>,
}

impl Shop {
    /// A shop of so many products (at least 20).
    pub fn new(products: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5408_5408);
        let products = products.max(20);
        let mut shares: Vec<f64> = (1..=products).map(|rank| (rank as f64).powf(-ZIPF)).collect();
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|s| *s /= sum);
        shares.shuffle(&mut rng);
        let mut goods: Vec<Good> = Vec::with_capacity(products);
        let mut group = 0;
        while goods.len() < products {
            let first = draw_good(goods.len(), &mut rng);
            let alike = if rng.random::<f64>() < 0.18 { rng.random_range(2..=5) } else { 1 };
            if alike > 1 {
                group += 1;
            }
            for _ in 0..alike.min(products - goods.len()) {
                goods.push(variant(&first, goods.len(), (alike > 1).then_some(group), &mut rng));
            }
        }
        for (good, share) in goods.iter_mut().zip(shares) {
            good.share = share;
        }
        Self::with(goods)
    }

    fn with(goods: Vec<Good>) -> Self {
        let mut aisles = vec![Vec::new(); AISLES.len()];
        for (index, good) in goods.iter().enumerate() {
            aisles[good.aisle].push(index);
        }
        let running = |indices: &mut dyn Iterator<Item = usize>| {
            let mut sum = 0.0;
            indices
                .map(|i| {
                    sum += goods[i].share;
                    sum
                })
                .collect::<Vec<f64>>()
        };
        let cumulative = running(&mut (0..goods.len()));
        let aisle_cumulative: Vec<Vec<f64>> = aisles.iter().map(|a| running(&mut a.iter().copied())).collect();
        let aisle_shares = aisle_cumulative.iter().map(|c| c.last().copied().unwrap_or(0.0)).collect();
        Self { goods, aisles, aisle_shares, cumulative, aisle_cumulative }
    }

    /// A good, drawn as shoppers draw.
    pub fn draw(&self, rng: &mut impl Rng) -> usize {
        pick(&self.cumulative, rng)
    }

    /// A good of an aisle, drawn as shoppers draw.
    pub fn draw_of(&self, aisle: usize, rng: &mut impl Rng) -> usize {
        self.aisles[aisle][pick(&self.aisle_cumulative[aisle], rng)]
    }
}

fn pick(cumulative: &[f64], rng: &mut impl Rng) -> usize {
    let at = rng.random::<f64>() * cumulative.last().copied().unwrap_or(0.0);
    cumulative.partition_point(|c| *c <= at).min(cumulative.len().saturating_sub(1))
}

fn normal(rng: &mut impl Rng) -> f64 {
    rng.sample(StandardNormal)
}

fn draw_good(number: usize, rng: &mut impl Rng) -> Good {
    let mut left: f64 = rng.random();
    let mut index = 0;
    for (i, aisle) in AISLES.iter().enumerate() {
        index = i;
        left -= aisle.share;
        if left < 0.0 {
            break;
        }
    }
    let aisle = &AISLES[index];
    let drawn_g = (aisle.median_g * (aisle.log_sd * normal(rng)).exp()).clamp(12.0, 16_000.0);
    let nearest = USUAL_G.iter().copied().min_by(|a, b| (a / drawn_g).ln().abs().total_cmp(&(b / drawn_g).ln().abs()));
    let net_g = match nearest {
        Some(usual) if aisle.kind == Kind::Piece && rng.random::<f64>() < 0.7 => usual,
        Some(_) | None => drawn_g.round(),
    };
    let price = (aisle.price_a_kg * net_g / 10.0 * (0.4 * normal(rng)).exp()).max(29.0);
    Good {
        name: format!("{} {number}", aisle.name),
        kind: aisle.kind,
        aisle: index,
        net_g,
        packaging_g: 0.0,
        net_only: rng.random::<f64>() < NET_ONLY,
        law: UnitLaw {
            mean_g: net_g,
            own: Mixture::heavy(1.0, 0.0, 1.0),
            batch: Mixture::heavy(1.0, 0.0, 1.0),
            change: Mixture::heavy(1.0, 0.0, 1.0),
            changed: 0.0,
        },
        price_minor: price as i64,
        risk: aisle.risk,
        look_group: None,
        share: 0.0,
    }
}

/// A flavour of a good: same content, a mass, a spread and a popularity of its own.
fn variant(of: &Good, number: usize, look_group: Option<u32>, rng: &mut impl Rng) -> Good {
    let aisle = &AISLES[of.aisle];
    let net_g = of.net_g;
    let packaging_g = aisle.packaging * net_g * (0.35 * normal(rng)).exp();
    let mean_g = net_g * (1.0 + 0.012 + 0.006 * normal(rng)) + packaging_g;
    let scatter = (0.35 * normal(rng)).exp();
    let own_g = (aisle.own * scatter * mean_g).max(0.25);
    let batch_g = aisle.batch * scatter * mean_g;
    let grown = of.kind != Kind::Piece;
    let own = if grown { Mixture::skewed(own_g) } else { Mixture::heavy(own_g, 0.06, 3.0) };
    let law = UnitLaw {
        mean_g,
        own,
        batch: Mixture::heavy(batch_g, 0.08, 3.0),
        change: Mixture::new(&[(0.7, -0.11 * mean_g, 0.05 * mean_g), (0.3, 0.14 * mean_g, 0.07 * mean_g)]),
        changed: if grown { 0.0 } else { REPACKED },
    };
    Good { name: format!("{} {number}", aisle.name), packaging_g, law, look_group, ..of.clone() }
}

/// The law of a labelled portion: its bag, the counter's rounding, moisture lost, and rarely a label that belongs to something else.
pub fn portion(label_g: f64) -> UnitLaw {
    UnitLaw {
        mean_g: label_g + 2.5,
        own: Mixture::heavy(2.0, 0.08, 4.0),
        batch: Mixture::new(&[(1.0, 0.0, 0.05)]),
        change: Mixture::new(&[(1.0, 0.0, 0.35 * label_g + 20.0)]),
        changed: WRONG_LABEL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_is_made_by_its_seed_and_has_what_shops_have() {
        let (a, b) = (Shop::new(2000, 7), Shop::new(2000, 7));
        assert!(a.goods.iter().zip(&b.goods).all(|(x, y)| x.law == y.law && x.share == y.share));
        assert_ne!(a.goods[5].law, Shop::new(2000, 8).goods[5].law);
        assert!((a.goods.iter().map(|g| g.share).sum::<f64>() - 1.0).abs() < 1e-9);
        let alike = a.goods.iter().filter(|g| g.look_group.is_some()).count();
        assert!((600..1200).contains(&alike), "{alike}");
        let mut masses: Vec<f64> = a.goods.iter().map(|g| g.law.mean_g).collect();
        let median = crate::statistics::quantile(&mut masses, 0.5).unwrap();
        assert!((200.0..450.0).contains(&median), "{median}");
    }

    #[test]
    fn popular_goods_are_drawn_often() {
        let shop = Shop::new(500, 3);
        let top = (0..500).max_by(|a, b| shop.goods[*a].share.total_cmp(&shop.goods[*b].share)).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let hits = (0..20_000).filter(|_| shop.draw(&mut rng) == top).count() as f64;
        let expected = 20_000.0 * shop.goods[top].share;
        assert!((hits - expected).abs() < 5.0 * expected.sqrt(), "{hits} {expected}");
    }
}
