//! How all products look: a block of packed vectors, read in place, and beside it what has changed since it was made.

pub mod alike;
pub mod build;
mod hints;
mod nibble;
pub mod packed;
mod pick;
pub mod teach;
#[cfg(test)]
mod tests;

pub use alike::Pair;
pub use build::Builder;
pub use nibble::Probe;
pub use packed::{Block, GalleryFault, HEAD_BYTES, Head, LookMark, Packed};
pub use pick::representatives;

use super::look::{LookCalibration, LookVector};
use crate::units::ProductId;
use hints::Hints;
use std::collections::BTreeMap;

/// Enrolled views of a product that are kept, those that stand for all best: with what is learned 50 000 products stay below 100 MB.
pub const ENROLLED_MAX: usize = 12;
/// Learned views beside them.
pub const LEARNED_MAX: usize = 2;

/// What is known of one product's looks, as the store has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LookSet {
    /// From pictures that somebody took of it.
    pub enrolled: Vec<LookVector>,
    /// From visits that were right; never instead of an enrolled one.
    pub learned: Vec<LookVector>,
}

impl LookSet {
    /// The same with as many views as are kept.
    pub fn bounded(&self) -> Self {
        let enrolled = representatives(&self.enrolled, ENROLLED_MAX);
        Self {
            enrolled: enrolled.into_iter().map(|at| self.enrolled[at].clone()).collect(),
            learned: self.learned.iter().take(LEARNED_MAX).cloned().collect(),
        }
    }
}

/// The packed looks of one product, enrolled before learned.
#[derive(Clone, Copy, Debug)]
pub struct Looks<'a> {
    bytes: &'a [u8],
    size: usize,
    learned: usize,
}

impl<'a> Looks<'a> {
    fn new(bytes: &'a [u8], size: usize, learned: usize) -> Self {
        Self { bytes, size, learned }
    }

    /// Views that were enrolled.
    pub fn enrolled(&self) -> usize {
        (self.bytes.len() / self.size.max(1)).saturating_sub(self.learned)
    }

    /// Views that were learned.
    pub fn learned(&self) -> usize {
        self.learned
    }

    fn records(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.bytes.chunks_exact(self.size.max(1))
    }

    /// Cosine of the view that a crop is nearest to; `None` without any.
    pub fn best(&self, crop: &Probe) -> Option<f32> {
        self.records().map(|record| nibble::cosine(record, crop)).max_by(f32::total_cmp)
    }

    /// The same for several crops at once: raises `best`, one a crop, to the cosine of the nearest view where that is more. Every view is
    /// unpacked but once, into `codes`, of which nothing is expected.
    pub fn raise_best(&self, crops: &[Probe], codes: &mut Vec<i16>, best: &mut [f32]) {
        for record in self.records() {
            let scale = nibble::codes(record, codes);
            for (had, crop) in best.iter_mut().zip(crops) {
                *had = had.max(nibble::cosine_of(codes, scale, crop));
            }
        }
    }

    /// The same among enrolled views alone.
    pub fn best_enrolled(&self, crop: &Probe) -> Option<f32> {
        self.records().take(self.enrolled()).map(|record| nibble::cosine(record, crop)).max_by(f32::total_cmp)
    }

    /// The enrolled views as vectors of unit length.
    pub fn enrolled_units(&self) -> impl Iterator<Item = Vec<f32>> + use<'a> {
        self.records().take(self.enrolled()).map(nibble::unpack)
    }
}

/// A product that has changed since the block was made.
#[derive(Clone, Debug, PartialEq)]
struct Fresh {
    bytes: Vec<u8>,
    size: usize,
    learned: usize,
}

impl Fresh {
    fn new(looks: &LookSet) -> Self {
        let looks = looks.bounded();
        let mut bytes = Vec::new();
        for look in looks.enrolled.iter().chain(&looks.learned) {
            nibble::pack(look, &mut bytes);
        }
        let size = looks.enrolled.first().map_or(0, |look| nibble::bytes_of(look.values().len()));
        Self { bytes, size, learned: looks.learned.len() }
    }

    fn looks(&self) -> Looks<'_> {
        Looks::new(&self.bytes, self.size, self.learned)
    }
}

/// Where a product's looks lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// So many places down among those that have changed.
    Fresh(usize),
    /// In the block.
    Block(usize),
}

/// All looks, of one embedding space.
#[derive(Clone, Debug)]
pub struct Gallery {
    /// The embedding space of the vectors; crops of another space cannot be compared.
    pub space_id: String,
    /// How cosines of this space are to be read.
    pub calibration: LookCalibration,
    packed: Option<Packed>,
    /// What counts instead of the block, by name; one without vectors is gone.
    fresh: Vec<(String, Fresh)>,
    /// Look-alikes of which one or both have changed, in both directions.
    kin: BTreeMap<String, Vec<(String, f32)>>,
    /// Where products asked for by number were found last.
    hints: Hints,
}

impl Gallery {
    /// Of nothing.
    pub fn empty(space_id: impl Into<String>, calibration: LookCalibration) -> Self {
        Self {
            space_id: space_id.into(),
            calibration,
            packed: None,
            fresh: Vec::new(),
            kin: BTreeMap::new(),
            hints: Hints::default(),
        }
    }

    /// Of enrolled views, held in memory; look-alikes are not looked for.
    pub fn of(
        space_id: impl Into<String>,
        calibration: LookCalibration,
        looks: impl IntoIterator<Item = (ProductId, Vec<LookVector>)>,
    ) -> Self {
        let fresh = |(product, enrolled): (ProductId, Vec<LookVector>)| {
            (String::from(product), Fresh::new(&LookSet { enrolled, learned: Vec::new() }))
        };
        let named: BTreeMap<String, Fresh> = looks.into_iter().map(fresh).collect();
        Self { fresh: named.into_iter().collect(), ..Self::empty(space_id, calibration) }
    }

    /// Of a block.
    ///
    /// # Errors
    /// A block of another space.
    pub fn packed(space_id: &str, calibration: LookCalibration, packed: Packed) -> Result<Self, GalleryFault> {
        if packed.head().space_id != space_id {
            let (found, wanted) = (packed.head().space_id.clone(), space_id.to_owned());
            return Err(GalleryFault::OtherSpace { found, wanted });
        }
        Ok(Self { packed: Some(packed), ..Self::empty(space_id, calibration) })
    }

    /// The same with products that have changed since; one without enrolled views is gone. Their look-alikes are found.
    pub fn with(mut self, changed: &BTreeMap<ProductId, LookSet>) -> Self {
        let mut named: BTreeMap<String, Fresh> = std::mem::take(&mut self.fresh).into_iter().collect();
        named.extend(changed.iter().map(|(product, looks)| (product.to_string(), Fresh::new(looks))));
        self.fresh = named.into_iter().collect();
        self.hints = Hints::default();
        let pairs: Vec<(String, String, f32)> = {
            let means: Vec<(&str, Looks<'_>, alike::Mean)> =
                self.iter().map(|(name, looks)| (name, looks, alike::Mean::of(&looks))).collect();
            let own = means.iter().filter(|(name, ..)| self.fresh_at(name).is_some());
            own.flat_map(|one| self.neighbours(one, &means)).collect()
        };
        self.kin.clear();
        for (one, other, cosine) in pairs {
            for (from, to) in [(&one, &other), (&other, &one)] {
                let known = self.kin.entry(from.clone()).or_default();
                if known.iter().all(|(name, _)| name != to) {
                    known.push((to.clone(), cosine));
                }
            }
        }
        self
    }

    fn neighbours(
        &self,
        (name, looks, mean): &(&str, Looks<'_>, alike::Mean),
        means: &[(&str, Looks<'_>, alike::Mean)],
    ) -> Vec<(String, String, f32)> {
        let from = alike::alike_from(&self.calibration);
        let near = means.iter().filter(|(other, _, at)| other != name && mean.may_be_alike(at, from));
        let pair = |(other, views, _): &(&str, Looks<'_>, _)| {
            ((*name).to_owned(), (*other).to_owned(), alike::likeness(looks, views))
        };
        near.map(pair).filter(|(_, _, cosine)| *cosine >= from).collect()
    }

    /// How many products have changed since the block was made.
    pub fn changed(&self) -> usize {
        self.fresh.len()
    }

    /// How many products have looks.
    pub fn len(&self) -> usize {
        let Some(packed) = &self.packed else {
            return self.fresh.iter().filter(|(_, fresh)| !fresh.bytes.is_empty()).count();
        };
        let change = |(name, fresh): &(String, Fresh)| {
            isize::from(!fresh.bytes.is_empty()) - isize::from(packed.find(name).is_some())
        };
        packed.len().saturating_add_signed(self.fresh.iter().map(change).sum())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of a product.
    pub fn looks(&self, product: &str) -> Option<Looks<'_>> {
        self.at(self.place(product)?, product)
    }

    /// The same of a product that is the `number`-th of so many in its catalogue, for who asks for thousands: where it was found is
    /// remembered. Another catalogue, of another order, costs time alone.
    pub fn looks_of(&self, product: &str, number: usize, of: usize) -> Option<Looks<'_>> {
        if let Some(looks) = self.hints.get(number).and_then(|place| self.at(place, product)) {
            return Some(looks);
        }
        let place = self.place(product)?;
        self.hints.set(number, of, place);
        self.at(place, product)
    }

    fn fresh_at(&self, product: &str) -> Option<usize> {
        self.fresh.binary_search_by(|(name, _)| name.as_str().cmp(product)).ok()
    }

    fn place(&self, product: &str) -> Option<Place> {
        let block = || Some(Place::Block(self.packed.as_ref()?.find(product)?));
        self.fresh_at(product).map(Place::Fresh).or_else(block)
    }

    /// What lies at a place if it is this product's.
    fn at(&self, place: Place, product: &str) -> Option<Looks<'_>> {
        match place {
            Place::Fresh(at) => {
                let (_, fresh) = self.fresh.get(at).filter(|(name, _)| name == product)?;
                Some(fresh.looks()).filter(|looks| !looks.bytes.is_empty())
            }
            Place::Block(at) => {
                let packed = self.packed.as_ref().filter(|packed| at < packed.len() && packed.name(at) == product)?;
                Some(packed.looks(at))
            }
        }
    }

    /// All products with their looks; those of the block first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Looks<'_>)> {
        let block =
            self.packed.iter().flat_map(|packed| (0..packed.len()).map(|at| (packed.name(at), packed.looks(at))));
        let block = block.filter(|(name, _)| self.fresh_at(name).is_none());
        let fresh = self.fresh.iter().map(|(name, fresh)| (name.as_str(), fresh.looks()));
        block.chain(fresh.filter(|(_, looks)| !looks.bytes.is_empty()))
    }

    /// The products that look like this one, itself left out, with how alike they are (a cosine).
    pub fn alikes(&self, product: &str) -> Vec<(&str, f32)> {
        let packed = self.packed.as_ref().filter(|_| self.fresh_at(product).is_none());
        let block = packed.and_then(|packed| Some(packed.alikes(packed.find(product)?)));
        let block = block.into_iter().flatten().filter(|(name, _)| self.fresh_at(name).is_none());
        let kin = self.kin.get(product).into_iter().flatten().map(|(name, cosine)| (name.as_str(), *cosine));
        block.chain(kin).collect()
    }
}
