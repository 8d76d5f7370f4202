//! True masses of what the shop's master data do not know, and labels.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;

use crate::hw;
use crate::shop::{Good, Kind, seed};

/// Lightest bag that is still one.
const LIGHTEST_BAG_G: f64 = 5.0;

/// Tares and bags keep within so many sigma: a store weeds out the odd ones.
const TAIL_SIGMA: f64 = 2.5;

/// True mass of one of the store's containers, grams: the same id and seed give the same mass.
pub fn container_mass_g(container: &hw::Container, id: Option<&str>, seed: u64) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ seed::of_text(id.unwrap_or(&container.kind)));
    (container.tare_g + normal_z(&mut rng) * container.sigma_g).max(1.0)
}

/// Draws a shopper's own bag, grams.
pub fn draw_bag_g<R: Rng + ?Sized>(bags: &hw::Bags, rng: &mut R) -> f64 {
    (bags.mean_g + normal_z(rng) * bags.sigma_g).max(LIGHTEST_BAG_G)
}

/// What one unit's label says: the pack's EAN-13, or the scale's label with the mass in whole grams.
pub fn unit_code(good: &Good, mass_g: f64) -> String {
    match good.sale.kind {
        Kind::Piece | Kind::Varying => good.code.clone(),
        Kind::Weighed => good.label_code(mass_g.round() as u32).unwrap_or_else(|| good.code.clone()),
    }
}

fn normal_z<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    let z: f64 = rand_distr::StandardNormal.sample(rng);
    z.clamp(-TAIL_SIGMA, TAIL_SIGMA)
}
