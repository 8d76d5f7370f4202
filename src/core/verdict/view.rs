//! What the look at the plate says for or against an edit.
//!
//! A good that lies there gives a Poisson number of crops, most often one or none (hidden); what is no good gives a few more. The crops
//! of a plate are then a Poisson process whose intensity is summed over what lies there, and P(crops | edit) / P(crops | list) is a
//! product over the crops. How well a crop fits a product is the gallery's calibrated likelihood ratio against "some other product";
//! it is bounded, and so is the whole: the eye may tell where the scale is
//! undecided, and by itself it stops nothing (`judge::seen_only`).

use crate::goods::gallery::Probe;
use crate::goods::{Catalogue, Gallery};
use crate::vision::{Crop, Scene};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

/// The most that a look may say for or against an edit, in nats.
pub const BOUND: f64 = 13.0;
/// A cosine above all that are measured, which rounding may take a little above 1.
const BEST_COSINE: f32 = 2.0;
/// With more strangers than this it is not two goods that are missing from the list.
const STRANGERS_MAX: usize = 6;
/// A product fits a crop from so many nats upwards.
const FITS_FROM: f64 = 1.0;
/// So many products that a crop resembles are thought of.
const RESEMBLING_MAX: usize = 12;
/// Of a unit's crops so many are first seen with one certain other step: the detector had passed it over, or it was moved. Of the shipped models
/// one in eight came late somewhere among ten steps (rendered goods put down one by one).
const LATE: f64 = 0.0125;
/// How many units' experience is what is believed of them before anything is seen.
const UNITS_KNOWN: f64 = 6.0;

/// What crops are to be expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// Crops that a unit gives which lies there: hidden ones give none.
    pub crops_a_unit: f64,
    /// Crops of what is no good, a look.
    pub clutter: f64,
}

impl Sight {
    /// A look at a whole basket: goods hide each other, and baskets have handles, rims and bags.
    pub const WHOLE: Self = Self { crops_a_unit: 0.65, clutter: 0.4 };
    /// What came with one step: it lies on top, and what lay there before is known.
    pub const STEP: Self = Self { crops_a_unit: 0.9, clutter: 0.1 };

    /// What came with so many steps together, container and bags among them or not: these are no goods.
    pub fn of_steps(self, steps: usize, carrier: bool) -> Self {
        let first = if carrier { Self::WHOLE.clutter } else { self.clutter };
        Self { clutter: first + steps.saturating_sub(1) as f64 * self.clutter, ..self }
    }

    /// The same once so many crops were seen in so many looks for so many units on the list.
    pub fn after(self, crops: usize, looks: usize, units: u32) -> Self {
        let seen = (crops as f64 - looks as f64 * self.clutter).max(0.0);
        let crops_a_unit = (seen + UNITS_KNOWN * self.crops_a_unit) / (f64::from(units) + UNITS_KNOWN);
        Self { crops_a_unit: crops_a_unit.clamp(0.05, 1.5), ..self }
    }
}

/// Room for comparing a product with all crops, kept so that it need not be asked for again.
#[derive(Default)]
struct Scratch {
    codes: Vec<i16>,
    cosines: Vec<f32>,
}

/// The crops of a plate, or of goods put down together, compared with products as they are asked for.
pub struct View<'a> {
    catalogue: &'a Catalogue,
    gallery: &'a Gallery,
    crops: Vec<Probe>,
    sight: Sight,
    /// Intensity at each crop under the list, over that of some other product.
    listed: Vec<f64>,
    /// Crops to be expected under the list.
    mean_crops: f64,
    /// One over the intensity at each crop under the list.
    inverse: Vec<f64>,
    /// How well the listed product that fits a crop best does so, as a likelihood ratio.
    fits: Vec<f64>,
    /// Where a product's ratios stand in `ratios`, one a crop.
    places: RefCell<BTreeMap<usize, usize>>,
    ratios: RefCell<Vec<f64>>,
    scratch: RefCell<Scratch>,
    strangers: OnceCell<Vec<Vec<usize>>>,
}

impl<'a> View<'a> {
    /// Compares a scene with scanned goods, (product, units). `None` if the scene says nothing: unfit frame, another embedding space.
    pub fn new(
        scene: &'a Scene,
        gallery: &'a Gallery,
        catalogue: &'a Catalogue,
        sight: Sight,
        listed: impl Iterator<Item = (usize, u32)>,
    ) -> Option<Self> {
        if scene.quality.fault().is_some() || scene.space_id != gallery.space_id {
            return None;
        }
        Some(Self::of(&scene.crops.iter().collect::<Vec<_>>(), gallery, catalogue, sight, listed, std::iter::empty()))
    }

    /// The same of crops that came together; goods that came at another time, (product, units), are `elsewhere`.
    pub fn of(
        crops: &[&Crop],
        gallery: &'a Gallery,
        catalogue: &'a Catalogue,
        sight: Sight,
        listed: impl Iterator<Item = (usize, u32)>,
        elsewhere: impl Iterator<Item = (usize, u32)>,
    ) -> Self {
        let mut view = Self {
            catalogue,
            gallery,
            crops: crops.iter().map(|c| Probe::new(c.embedding.values())).collect(),
            sight,
            listed: vec![sight.clutter; crops.len()],
            inverse: Vec::new(),
            mean_crops: sight.clutter,
            fits: vec![0.0; crops.len()],
            places: RefCell::default(),
            ratios: RefCell::default(),
            scratch: RefCell::default(),
            strangers: OnceCell::new(),
        };
        let here = listed.map(|line| (line, 1.0));
        for ((product, units), share) in here.chain(elsewhere.map(|line| (line, LATE))) {
            let place = view.asked(product);
            let more = f64::from(units) * share * sight.crops_a_unit;
            view.mean_crops += more;
            let ratios = view.ratios.borrow();
            for ((sum, best), r) in view.listed.iter_mut().zip(&mut view.fits).zip(&ratios[place..]) {
                *sum += more * r;
                *best = best.max(*r);
            }
        }
        view.inverse = view.listed.iter().map(|listed| listed.recip()).collect();
        view
    }

    /// Logarithm of how probable these crops are if the list is right: comparable between ways of sharing the same crops and lines out.
    pub fn ln_listed(&self) -> f64 {
        self.listed.iter().map(|listed| listed.ln()).sum::<f64>() - self.mean_crops
    }

    /// P(crops | so many units of one product gone, of another come) / P(crops | list), within e^±13.
    pub fn change(&self, gone: Option<(usize, u32)>, come: Option<(usize, u32)>) -> f64 {
        let place = |(product, units): (usize, u32)| (self.asked(product), f64::from(units) * self.sight.crops_a_unit);
        let (gone_at, less) = gone.map_or((0, 0.0), place);
        let (come_at, more) = come.map_or((0, 0.0), place);
        let ratios = self.ratios.borrow();
        let mut product = 1.0;
        for (crop, (listed, inverse)) in self.listed.iter().zip(&self.inverse).enumerate() {
            let now = listed - less * ratios[gone_at + crop] + more * ratios[come_at + crop];
            // What is left is clutter at least; rounding must not make it less.
            product *= now.max(self.sight.clutter) * inverse;
        }
        bounded(product * (less - more).exp())
    }

    /// The most that [`View::change`] can say of so many units come of any product, if so many of one are gone; no product is looked at for it
    /// but that one.
    pub fn change_at_most(&self, gone: Option<(usize, u32)>, units: u32) -> f64 {
        let (gone_at, less) = gone.map_or((0, 0.0), |(product, n)| (self.asked(product), f64::from(n)));
        let (less, more) = (less * self.sight.crops_a_unit, f64::from(units) * self.sight.crops_a_unit);
        // The curve rises, and no crop fits better than this.
        let best = self.gallery.calibration.log_ratio(BEST_COSINE).exp();
        let ratios = self.ratios.borrow();
        let mut product = 1.0;
        for (crop, (listed, inverse)) in self.listed.iter().zip(&self.inverse).enumerate() {
            let kept = if less > 0.0 { listed - less * ratios[gone_at + crop] } else { *listed };
            product *= (kept.max(0.0) + more * best).max(self.sight.clutter) * inverse;
        }
        bounded(product * (less - more).exp())
    }

    /// The same for so many units that look like nothing in particular come.
    pub fn change_by_something(&self, units: u32) -> f64 {
        let more = f64::from(units) * self.sight.crops_a_unit;
        let product: f64 = self.inverse.iter().map(|inverse| 1.0 + more * inverse).product();
        bounded(product * (-more).exp())
    }

    /// The same for one unit each of two products come.
    pub fn change_by_two(&self, one: usize, other: usize) -> f64 {
        let places = [self.asked(one), self.asked(other)];
        let more = self.sight.crops_a_unit;
        let ratios = self.ratios.borrow();
        let grown = |(crop, inverse): (usize, &f64)| {
            1.0 + more * places.iter().map(|place| ratios[place + crop]).sum::<f64>() * inverse
        };
        bounded(self.inverse.iter().enumerate().map(grown).product::<f64>() * (-2.0 * more).exp())
    }

    /// For each crop the probability that it shows one of so many listed units of a product, and neither another thing on the list nor
    /// something else: its share in the intensity there.
    pub fn shows(&self, product: usize, units: u32) -> Vec<f64> {
        let place = self.asked(product);
        let more = f64::from(units) * self.sight.crops_a_unit;
        let ratios = self.ratios.borrow();
        self.listed.iter().zip(&ratios[place..]).map(|(listed, ratio)| more * ratio / listed).collect()
    }

    /// The products that best fit a crop which nothing on the list fits, by how well they do, for each such crop; none for fewer than
    /// two. This looks through all that is enrolled, and is for baskets of which it is doubted that they are right.
    pub fn strangers(&self) -> &[Vec<usize>] {
        self.strangers.get_or_init(|| self.search())
    }

    fn search(&self) -> Vec<Vec<usize>> {
        let strange: Vec<usize> = (0..self.fits.len()).filter(|c| self.fits[*c] < FITS_FROM.exp()).collect();
        if !(2..=STRANGERS_MAX).contains(&strange.len()) {
            return Vec::new();
        }
        let mut fitting: Vec<Vec<(f64, usize)>> = vec![Vec::new(); strange.len()];
        let crops: Vec<Probe> = strange.iter().map(|crop| self.crops[*crop].clone()).collect();
        let (mut codes, mut cosines) = (Vec::new(), vec![0.0f32; crops.len()]);
        let products = self.catalogue.products();
        for (index, product) in products.iter().enumerate() {
            let Some(looks) = self.gallery.looks_of(product.id.as_str(), index, products.len()) else { continue };
            cosines.fill(f32::NEG_INFINITY);
            looks.raise_best(&crops, &mut codes, &mut cosines);
            for (found, cosine) in fitting.iter_mut().zip(&cosines) {
                let ratio = self.gallery.calibration.log_ratio(*cosine);
                if *cosine > f32::NEG_INFINITY && ratio > FITS_FROM {
                    found.push((ratio, index));
                }
            }
        }
        let best = |mut found: Vec<(f64, usize)>| {
            found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            found.into_iter().take(RESEMBLING_MAX).map(|(_, product)| product).collect()
        };
        fitting.into_iter().map(best).collect()
    }

    /// Where the likelihood ratios of all crops for a product stand: 1 for one that was never enrolled. Look-alikes, declared or found,
    /// share the best of their group: within it the eye tells nothing apart.
    fn asked(&self, product: usize) -> usize {
        if let Some(place) = self.places.borrow().get(&product) {
            return *place;
        }
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { codes, cosines } = &mut *scratch;
        cosines.clear();
        cosines.resize(self.crops.len(), f32::NEG_INFINITY);
        let products = self.catalogue.products();
        let declared = self.catalogue.look_alikes(product).iter();
        let declared = declared.filter_map(|p| self.gallery.looks_of(products[*p].id.as_str(), *p, products.len()));
        let found = self.gallery.alikes(products[product].id.as_str());
        let found = found.into_iter().filter_map(|(name, _)| self.gallery.looks(name));
        for looks in declared.chain(found) {
            looks.raise_best(&self.crops, codes, cosines);
        }
        let ratio = |cosine: &f32| {
            if *cosine == f32::NEG_INFINITY { 1.0 } else { self.gallery.calibration.log_ratio(*cosine).exp() }
        };
        let mut ratios = self.ratios.borrow_mut();
        let place = ratios.len();
        ratios.extend(cosines.iter().map(ratio));
        self.places.borrow_mut().insert(product, place);
        place
    }
}

fn bounded(ratio: f64) -> f64 {
    ratio.clamp((-BOUND).exp(), BOUND.exp())
}
