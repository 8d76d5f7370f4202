//! A virtual station's eyes: what looks at the demo shop's goods would show, drawn from the recorded figures of vision.
//!
//! A thing that comes lies on top and is mostly seen, as one crop; each later thing hides it with a probability
//! by which a full basket shows as many as was recorded of full baskets. What is seen again is the same crop, a little off.

use crate::evaluate::looks::{Looks, Recorded, Trait};
use anyhow::Result;
use augenmass_core::goods::Gallery;
use augenmass_core::units::Mono;
use augenmass_core::vision::{Crop, Scene};
use firmware_sim::shop::Shop;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Goods of so many neighbours in the shop's file stand in one aisle.
const AISLE: usize = 24;
/// The probability by which what comes hides one thing that lay there: with it three of five things of 20 are seen in the end.
const HIDES: f64 = 0.06;
/// Shares of goods that are seen as nothing, and as one thing at most, when they come; the others are seen as two. So it was with the shipped
/// models and 180 rendered goods put down one by one, whatever their mass.
const SEEN: [f64; 2] = [0.19, 0.87];
/// The platform in the picture, pixels, and half a thing's width there.
const PICTURE_PX: [f32; 2] = [560.0, 400.0];
const HALF_PX: f32 = 28.0;
/// A box is found so many pixels off, from look to look.
const JITTER_PX: f32 = 3.0;

/// How the goods of the demo shop look, and how often they are seen.
pub struct DrawnEyes {
    looks: Looks,
    places: BTreeMap<String, usize>,
    /// As the station has them.
    pub gallery: Arc<Gallery>,
}

/// One crop of a thing that lies there.
struct Shown {
    crop: Crop,
    hidden: bool,
}

/// What lies on one plate, as the camera would show it.
pub struct Plate {
    eyes: Arc<DrawnEyes>,
    shown: Vec<Shown>,
    rng: ChaCha8Rng,
}

impl DrawnEyes {
    /// Draws looks for the shop.
    ///
    /// # Errors
    /// None, unless the shipped figures are broken.
    pub fn new(shop: &Shop, seed: u64) -> Result<Self> {
        let group = |name: &String| shop.goods.iter().position(|g| g.look_group.as_ref() == Some(name)).unwrap_or(0);
        let traits: Result<Vec<Trait>> = shop
            .goods
            .iter()
            .enumerate()
            .map(|(index, good)| {
                let group = good.look_group.as_ref().map(|name| group(name) as u64);
                let aisle = (index / AISLE) as u64;
                Ok(Trait { id: good.id.parse()?, aisle, group, mean_g: good.mass.mean_g })
            })
            .collect();
        let looks = Looks::of(&traits?, Recorded::shipped()?, seed)?;
        let places = shop.goods.iter().enumerate().map(|(index, good)| (good.id.clone(), index)).collect();
        let gallery = Arc::new(looks.gallery.clone());
        Ok(Self { looks, places, gallery })
    }

    /// An empty plate under them.
    pub fn plate(self: &Arc<Self>, seed: u64) -> Plate {
        Plate { eyes: self.clone(), shown: Vec::new(), rng: ChaCha8Rng::seed_from_u64(seed) }
    }
}

impl Plate {
    /// How the goods look that it shows.
    pub fn gallery(&self) -> &Arc<Gallery> {
        &self.eyes.gallery
    }

    /// A unit is put down, somewhere.
    pub fn put(&mut self, good: &str) {
        let Some(&index) = self.eyes.places.get(good) else { return };
        let looks = &self.eyes.looks;
        for thing in &mut self.shown {
            thing.hidden |= self.rng.random::<f64>() < HIDES;
        }
        let drawn: f64 = self.rng.random();
        let count = SEEN.iter().filter(|share| drawn >= **share).count();
        let crops: Vec<Vec<f32>> = (0..count).map(|_| looks.crop(index, &mut self.rng)).collect();
        let crops = looks.scene(&crops).crops;
        for crop in crops {
            let place = PICTURE_PX.map(|side| self.rng.random_range(HALF_PX..side - HALF_PX));
            let box_px = [place[0] - HALF_PX, place[1] - HALF_PX, place[0] + HALF_PX, place[1] + HALF_PX];
            self.shown.push(Shown { crop: Crop { box_px, ..crop }, hidden: false });
        }
    }

    /// A look that arrives at `captured`.
    pub fn look(&mut self, captured: Mono) -> Scene {
        let rng = &mut self.rng;
        let mut off = || rng.random_range(-JITTER_PX..JITTER_PX);
        let mut seen = |thing: &Shown| Crop { box_px: thing.crop.box_px.map(|px| px + off()), ..thing.crop.clone() };
        let crops = self.shown.iter().filter(|thing| !thing.hidden).map(&mut seen).collect();
        Scene { captured, crops, ..self.eyes.looks.scene(&[]) }
    }
}
