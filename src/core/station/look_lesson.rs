//! What a visit that was right teaches of how its goods look.

use super::lesson::{Circumstances, Grounds};
use crate::basket::{Basket, Checked, Today};
use crate::goods::Gallery;
use crate::goods::gallery::teach::{self, Unfit};
use crate::units::ProductId;
use crate::verdict::certain::certain;
use crate::verdict::{Expected, Verdict};
use crate::vision::Scene;

/// A crop that shows a product for certain.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The product.
    pub product: ProductId,
    /// How it looked, a vector of unit length.
    pub crop: Vec<f32>,
    /// Whether it may become a view of the product, and why not.
    pub fit: Result<(), Unfit>,
}

/// The crops of the look that a verdict rests on which show a product on the list for certain; none if the list is another one by now or
/// holds something that nobody knows.
pub fn look_lesson(
    basket: &Basket,
    verdict: &Verdict,
    grounds: Grounds,
    scene: &Scene,
    gallery: &Gallery,
    now: &Circumstances<'_>,
) -> Vec<Shown> {
    if !grounds.fit(verdict) || verdict.revision != basket.revision || verdict.seen != Some(scene.crops.len()) {
        return Vec::new();
    }
    let Ok(Checked { goods, codes }) = basket.check(now.patterns, Today::of(verdict.decided_at)) else {
        return Vec::new();
    };
    let expected = Expected::new(&goods, &codes, now.catalogue, now.containers, now.bags);
    if !expected.unknown.is_empty() {
        return Vec::new();
    }
    let listed: Vec<(usize, u32)> = expected.lines.iter().map(|line| (line.product, line.quantity)).collect();
    let shown = |(product, crop): (usize, usize)| {
        let product = now.catalogue.products()[product].id.clone();
        let crop = scene.crops[crop].embedding.values().to_vec();
        let fit = teach::fits(gallery, product.as_str(), &crop);
        Shown { product, crop, fit }
    };
    certain(scene, gallery, now.catalogue, &listed).into_iter().map(shown).collect()
}
