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
    known: RefCell<BTreeMap<usize, Vec<f64>>>,
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
            known: RefCell::default(),
        };
        let mut sums = std::mem::take(&mut view.listed);
        for (product, units) in listed {
            view.asked(product, |ratios| {
                sums.iter_mut().zip(ratios).for_each(|(sum, r)| *sum += f64::from(units) * rate * r);
            });
        }
        view.listed = sums;
        Some(view)
    }

    /// P(crops | so many units of one product gone, of others come) / P(crops | list), within e^±7.
    pub fn change(&self, gone: Option<(usize, u32)>, come: &[(usize, u32)]) -> f64 {
        let mut now = self.listed.clone();
        let mut more = 0.0;
        let gone = gone.map(|(product, units)| (product, -f64::from(units)));
        for (product, units) in come.iter().map(|(p, n)| (*p, f64::from(*n))).chain(gone) {
            more += units;
            self.asked(product, |ratios| {
                now.iter_mut().zip(ratios).for_each(|(sum, r)| *sum += units * self.rate * r);
            });
        }
        self.ratio(&now, more)
    }

    /// The same for so many units that look like nothing in particular come.
    pub fn change_by_something(&self, units: u32) -> f64 {
        let n = f64::from(units);
        let now: Vec<f64> = self.listed.iter().map(|sum| sum + n * self.rate).collect();
        self.ratio(&now, n)
    }

    fn ratio(&self, now: &[f64], more: f64) -> f64 {
        // What is left is clutter at least; rounding must not make it less.
        let crops: f64 = now.iter().zip(&self.listed).map(|(a, b)| (a.max(CLUTTER) / b).ln()).sum();
        (crops - more * self.rate).clamp(-BOUND, BOUND).exp()
    }

    /// Likelihood ratios of all crops for a product; 1 for one that was never enrolled. Look-alikes share the best of their group: within
    /// it the eye tells nothing apart.
    fn asked(&self, product: usize, mut with: impl FnMut(&[f64])) {
        if let Some(known) = self.known.borrow().get(&product) {
            return with(known);
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
        let ratios: Vec<f64> = self.embeddings.iter().map(best).collect();
        with(&ratios);
        self.known.borrow_mut().insert(product, ratios);
    }
}
