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
    /// How well the listed product that fits a crop best does so, as a likelihood ratio.
    fits: Vec<f64>,
    /// Where a product's ratios stand in `ratios`, one a crop.
    places: RefCell<BTreeMap<usize, usize>>,
    ratios: RefCell<Vec<f64>>,
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
            mean_crops: sight.clutter,
            fits: vec![0.0; crops.len()],
            places: RefCell::default(),
            ratios: RefCell::default(),
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
        for (crop, listed) in self.listed.iter().enumerate() {
            let now = listed - less * ratios[gone_at + crop] + more * ratios[come_at + crop];
            // What is left is clutter at least; rounding must not make it less.
            product *= now.max(self.sight.clutter) / listed;
        }
        bounded(product * (less - more).exp())
    }

    /// The same for so many units that look like nothing in particular come.
    pub fn change_by_something(&self, units: u32) -> f64 {
        let more = f64::from(units) * self.sight.crops_a_unit;
        let product: f64 = self.listed.iter().map(|listed| (listed + more) / listed).product();
        bounded(product * (-more).exp())
    }

    /// The same for one unit each of two products come.
    pub fn change_by_two(&self, one: usize, other: usize) -> f64 {
        let places = [self.asked(one), self.asked(other)];
        let more = self.sight.crops_a_unit;
        let ratios = self.ratios.borrow();
        let grown = |(crop, listed): (usize, &f64)| {
            (listed + more * places.iter().map(|place| ratios[place + crop]).sum::<f64>()) / listed
        };
        bounded(self.listed.iter().enumerate().map(grown).product::<f64>() * (-2.0 * more).exp())
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
        for (index, product) in self.catalogue.products().iter().enumerate() {
            let Some(looks) = self.gallery.looks(product.id.as_str()) else { continue };
            for (found, crop) in fitting.iter_mut().zip(&strange) {
                let cosine = looks.best(&self.crops[*crop]);
                let ratio = cosine.map_or(0.0, |cosine| self.gallery.calibration.log_ratio(cosine));
                if ratio > FITS_FROM {
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
        let id = |product: usize| self.catalogue.products()[product].id.as_str();
        let declared = self.catalogue.look_alikes(product).iter().map(|p| id(*p));
        let found = self.gallery.alikes(id(product)).into_iter().map(|(name, _)| name);
        let looks: Vec<_> = declared.chain(found).filter_map(|name| self.gallery.looks(name)).collect();
        let best = |crop: &Probe| {
            let cosines = looks.iter().filter_map(|looks| looks.best(crop));
            let ratio = cosines.max_by(f32::total_cmp).map(|cosine| self.gallery.calibration.log_ratio(cosine));
            ratio.map_or(1.0, f64::exp)
        };
        let mut ratios = self.ratios.borrow_mut();
        let place = ratios.len();
        ratios.extend(self.crops.iter().map(best));
        self.places.borrow_mut().insert(product, place);
        place
    }
}

fn bounded(ratio: f64) -> f64 {
    ratio.clamp((-BOUND).exp(), BOUND.exp())
}
