//! Which crops of a visit that was right show which product on its list, where there is hardly a doubt.

use super::view::{Sight, View};
use crate::goods::{Catalogue, Gallery};
use crate::vision::Scene;

/// A crop shows a product for certain at this posterior.
const CERTAIN: f64 = 0.99;
/// A second crop that may show it leaves open which of the two does.
const DOUBTFUL: f64 = 0.2;

/// The crops (by their places in the scene) that show a product for certain, at most one a product, of a list of (product, units): one
/// unit of it is on the list, it has no look-alikes, and no other crop may be it. Empty for a scene that says nothing.
pub fn certain(
    scene: &Scene,
    gallery: &Gallery,
    catalogue: &Catalogue,
    listed: &[(usize, u32)],
) -> Vec<(usize, usize)> {
    let units: u32 = listed.iter().map(|(_, units)| units).sum();
    let sight = Sight::WHOLE.after(scene.crops.len(), 1, units);
    let Some(view) = View::new(scene, gallery, catalogue, sight, listed.iter().copied()) else { return Vec::new() };
    let alone = |product: usize| {
        let once = listed.iter().filter(|(other, _)| *other == product).map(|(_, units)| units).sum::<u32>() == 1;
        let id = catalogue.products()[product].id.as_str();
        once && catalogue.look_alikes(product).len() == 1 && gallery.alikes(id).is_empty()
    };
    let of = |(product, _): &(usize, u32)| {
        if !alone(*product) || gallery.looks(catalogue.products()[*product].id.as_str()).is_none() {
            return None;
        }
        let shows = view.shows(*product, 1);
        let sure = (0..shows.len()).find(|crop| shows[*crop] >= CERTAIN)?;
        let only = shows.iter().filter(|p| **p >= DOUBTFUL).count() == 1;
        only.then_some((*product, sure))
    };
    listed.iter().filter_map(of).collect()
}
