//! What the look at the plate says for or against an edit.
//!
//! A good that lies there gives a Poisson number of crops, most often one or none (hidden); what is no good gives a few more. The crops
//! of a plate are then a Poisson process whose intensity is summed over what lies there, and P(crops | edit) / P(crops | list) is a
//! product over the crops. How well a crop fits a product is the gallery's calibrated likelihood ratio against "some other product";
//! it is bounded, and so is the whole: the eye may tell where the scale is undecided, it never outweighs it.

use crate::goods::{Catalogue, Gallery};
use crate::vision::Scene;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The most that one crop may say of one product, in nats.
const CROP_BOUND: f64 = 4.5;
/// The most that a look may say for or against an edit, in nats.
const BOUND: f64 = 7.0;
/// Crops a unit that lies there gives, before anything is seen: hidden ones give none.
const CROPS_A_UNIT: f64 = 0.65;
/// How many units' experience that is worth.
const UNITS_KNOWN: f64 = 6.0;
/// Crops of what is no good, a look.
const CLUTTER: f64 = 0.3;

/// How many crops a unit gives, from how many were seen for how many units on the list.
pub fn crops_a_unit(crops: usize, units: u32) -> f64 {
    let seen = (crops as f64 - CLUTTER).max(0.0);
    ((seen + UNITS_KNOWN * CROPS_A_UNIT) / (f64::from(units) + UNITS_KNOWN)).clamp(0.05, 1.5)
}

/// The crops of a plate, or of goods put down together, compared with products as they are asked for.
pub struct View<'a> {
    catalogue: &'a Catalogue,
    gallery: &'a Gallery,
    embeddings: Vec<&'a [f32]>,
    /// Crops that a unit gives.
    rate: f64,
    /// Intensity at each crop under the list, over that of some other product.
    listed: Vec<f64>,
    /// Where a product's ratios stand in `ratios`, one a crop.
    places: RefCell<BTreeMap<usize, usize>>,
    ratios: RefCell<Vec<f64>>,
}

impl<'a> View<'a> {
    /// Compares a scene with scanned goods, (product, units). `None` if the scene says nothing: unfit frame, another embedding space.
    pub fn new(
        scene: &'a Scene,
        gallery: &'a Gallery,
        catalogue: &'a Catalogue,
        rate: f64,
        listed: impl Iterator<Item = (usize, u32)>,
    ) -> Option<Self> {
        if scene.quality.fault().is_some() || scene.space_id != gallery.space_id {
            return None;
        }
        let mut view = Self {
            catalogue,
            gallery,
            embeddings: scene.crops.iter().map(|c| c.embedding.values()).collect(),
            rate,
            listed: vec![CLUTTER; scene.crops.len()],
            places: RefCell::default(),
            ratios: RefCell::default(),
        };
        for (product, units) in listed {
            let place = view.asked(product);
            let ratios = view.ratios.borrow();
            for (sum, r) in view.listed.iter_mut().zip(&ratios[place..]) {
                *sum += f64::from(units) * rate * r;
            }
        }
        Some(view)
    }

    /// P(crops | so many units of one product gone, of another come) / P(crops | list), within e^±7.
    pub fn change(&self, gone: Option<(usize, u32)>, come: Option<(usize, u32)>) -> f64 {
        let place = |(product, units): (usize, u32)| (self.asked(product), f64::from(units) * self.rate);
        let (gone_at, less) = gone.map_or((0, 0.0), place);
        let (come_at, more) = come.map_or((0, 0.0), place);
        let ratios = self.ratios.borrow();
        let mut product = 1.0;
        for (crop, listed) in self.listed.iter().enumerate() {
            let now = listed - less * ratios[gone_at + crop] + more * ratios[come_at + crop];
            // What is left is clutter at least; rounding must not make it less.
            product *= now.max(CLUTTER) / listed;
        }
        bounded(product * (less - more).exp())
    }

    /// The same for so many units that look like nothing in particular come.
    pub fn change_by_something(&self, units: u32) -> f64 {
        let more = f64::from(units) * self.rate;
        let product: f64 = self.listed.iter().map(|listed| (listed + more) / listed).product();
        bounded(product * (-more).exp())
    }

    /// Where the likelihood ratios of all crops for a product stand: 1 for one that was never enrolled. Look-alikes share the best of their
    /// group: within it the eye tells nothing apart.
    fn asked(&self, product: usize) -> usize {
        if let Some(place) = self.places.borrow().get(&product) {
            return *place;
        }
        let looks: Vec<_> = self
            .catalogue
            .look_alikes(product)
            .iter()
            .filter_map(|p| self.gallery.looks.get(&self.catalogue.products()[*p].id))
            .collect();
        let best = |crop: &&[f32]| {
            let cosines = looks.iter().flat_map(|views| views.iter()).map(|look| look.cosine(crop));
            let ratio = cosines.max_by(f32::total_cmp).map(|cosine| self.gallery.calibration.log_ratio(cosine));
            ratio.map_or(1.0, |l| l.clamp(-CROP_BOUND, CROP_BOUND).exp())
        };
        let mut ratios = self.ratios.borrow_mut();
        let place = ratios.len();
        ratios.extend(self.embeddings.iter().map(best));
        self.places.borrow_mut().insert(product, place);
        place
    }
}

fn bounded(ratio: f64) -> f64 {
    ratio.clamp((-BOUND).exp(), BOUND.exp())
}
