//! Which goods could make a mass, found without passing over the whole shop, and about how dense they are there: what a screen makes nothing of
//! need not be computed.

use super::law::Component;
use super::shop::Shop;

/// Classes of goods by their spread over their mean: most are packs, and what grows must not make every search long.
const WIDEST: [f64; 6] = [0.013, 0.018, 0.03, 0.06, 0.13, f64::INFINITY];
/// Goods so many spreads away make nothing.
const SPREADS: f64 = 7.0;
/// Steps of the table of [`Bump`] for a square of one.
const STEPS: f64 = 16.0;

/// A good as the screen knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// Its index in the shop.
    pub product: usize,
    /// Probability that it is drawn.
    pub share: f64,
    /// Mean of a unit, grams.
    pub mean_g: f64,
    /// Variance of a unit, g².
    pub variance_g2: f64,
}

struct Class {
    widest: f64,
    goods: Vec<Near>,
}

/// All goods of a shop by spread and mean.
pub struct Nearby {
    classes: Vec<Class>,
    bump: Bump,
}

impl Nearby {
    /// From the mean and variance of a unit of each good.
    pub fn new(shop: &Shop, plain: &[Component]) -> Self {
        let mut classes: Vec<Class> = WIDEST.map(|widest| Class { widest, goods: Vec::new() }).into();
        for (product, (good, law)) in shop.goods.iter().zip(plain).enumerate() {
            let wide = law.variance_g2.sqrt() / law.mean_g.max(1e-6);
            let near = Near { product, share: good.share, mean_g: law.mean_g, variance_g2: law.variance_g2 };
            if let Some(class) = classes.iter_mut().find(|class| wide <= class.widest) {
                class.goods.push(near);
            }
        }
        for class in &mut classes {
            class.goods.sort_by(|a, b| a.mean_g.total_cmp(&b.mean_g));
        }
        Self { classes, bump: Bump::new() }
    }

    /// Goods so many units of which could make `x_g` on an error of spread `sd_g`: all of which [`Nearby::about`] makes something, and some more.
    pub fn around(&self, x_g: f64, sd_g: f64, units: f64) -> impl Iterator<Item = &Near> {
        self.classes.iter().flat_map(move |class| {
            let (reach_g, wide) = (SPREADS * sd_g, SPREADS * class.widest);
            let from = (x_g - reach_g) / units / (1.0 + wide);
            let to = if wide < 1.0 { (x_g + reach_g) / units / (1.0 - wide) } else { f64::INFINITY };
            let start = class.goods.partition_point(|good| good.mean_g < from);
            let end = class.goods.partition_point(|good| good.mean_g <= to);
            &class.goods[start..end.max(start)]
        })
    }

    /// About how dense so many units of a good are at `x_g` on an error of spread `sd_g`, per gram, tails rather too thick than too thin; 0 beyond
    /// seven spreads.
    pub fn about(&self, good: &Near, x_g: f64, sd_g: f64, units: f64) -> f64 {
        let variance = sd_g * sd_g + units * units * good.variance_g2;
        let off = x_g - units * good.mean_g;
        self.bump.at(off * off / variance) / variance.sqrt()
    }
}

/// A bell with thick tails over the square of the deviation in spreads, by table.
struct Bump(Vec<f64>);

impl Bump {
    fn new() -> Self {
        let last = (SPREADS * SPREADS * STEPS) as usize;
        Self((0..=last).map(|i| thick(i as f64 / STEPS)).collect())
    }

    /// Never less than [`thick`] within seven spreads.
    fn at(&self, square: f64) -> f64 {
        if square > SPREADS * SPREADS { 0.0 } else { self.0[(square * STEPS) as usize] }
    }
}

/// A bell with tails three times as wide.
pub fn thick(square: f64) -> f64 {
    (-0.5 * square).exp() + 0.05 * (-square / 18.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the screen passes over is nowhere near, whatever its spread.
    #[test]
    fn nothing_within_seven_spreads_is_passed_over() {
        let shop = Shop::new(700, 5);
        let plain: Vec<Component> = shop.goods.iter().map(|g| g.law.units(1).gaussian().components()[0]).collect();
        let nearby = Nearby::new(&shop, &plain);
        for (x_g, sd_g, units) in
            [(0.0, 6.0, 1.0), (40.0, 3.0, 2.0), (333.0, 12.0, 1.0), (900.0, 50.0, 3.0), (-30.0, 9.0, 1.0)]
        {
            let found: Vec<usize> = nearby.around(x_g, sd_g, units).map(|near| near.product).collect();
            let mut could = 0;
            for (product, law) in plain.iter().enumerate() {
                let variance = sd_g * sd_g + units * units * law.variance_g2;
                let square = (x_g - units * law.mean_g).powi(2) / variance;
                if square <= 49.0 {
                    could += 1;
                    assert!(found.contains(&product), "{product} at {x_g}");
                    let near = Near { product, share: 0.0, mean_g: law.mean_g, variance_g2: law.variance_g2 };
                    let (about, right) = (nearby.about(&near, x_g, sd_g, units), thick(square) / variance.sqrt());
                    assert!(about >= right && about < 1.04 * right, "{about} {right}");
                }
            }
            assert!(found.len() <= 2 * could + 40, "{} for {could}", found.len());
        }
    }
}
