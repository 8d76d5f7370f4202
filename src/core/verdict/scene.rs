//! What the look at the plate says for or against an edit.
//!
//! Every crop shows one of the goods that lie there, or something that is none (a hand, the basket's rim). With R(c, p) the
//! likelihood ratio of "crop c shows product p" from the gallery's calibrated cosine, a crop's likelihood under a list is
//! `ε + (1 - ε) · Σ n_p R(c, p) / N`; crops are taken as independent given the list, which overstates what they say, so that
//! the sum is tempered and bounded: looking alone never fails a basket.

use super::expected::Expected;
use super::hypothesis::Edit;
use crate::goods::{Catalogue, Gallery};
use crate::vision::{Embedding, Scene};
use std::collections::BTreeMap;

/// Share of crops that show none of the goods.
const CLUTTER: f64 = 0.15;
/// How much of the crops' summed evidence is believed.
const TEMPER: f64 = 0.6;
/// The most that a look may say, in nats.
const BOUND: f64 = 3.5;
/// The most that one crop may say of one product, in nats.
const CROP_BOUND: f64 = 4.0;

/// Compares crops with products, once for each pair.
pub struct SceneEvidence<'a> {
    catalogue: &'a Catalogue,
    gallery: &'a Gallery,
    embeddings: Vec<&'a Embedding>,
    expected: &'a Expected,
    /// Σ n_p R(c, p) over the list, one a crop.
    listed: Vec<f64>,
    units: f64,
    cache: BTreeMap<usize, Vec<f64>>,
}

impl<'a> SceneEvidence<'a> {
    /// `None` if the scene says nothing: unfit frame, no crops, another embedding space, nothing on the list.
    pub fn new(
        scene: &'a Scene,
        gallery: &'a Gallery,
        expected: &'a Expected,
        catalogue: &'a Catalogue,
    ) -> Option<Self> {
        let units = f64::from(expected.units());
        if scene.quality.fault().is_some()
            || scene.crops.is_empty()
            || scene.space_id != gallery.space_id
            || units < 1.0
        {
            return None;
        }
        let mut evidence = Self {
            catalogue,
            gallery,
            embeddings: scene.crops.iter().map(|c| &c.embedding).collect(),
            expected,
            listed: vec![0.0; scene.crops.len()],
            units,
            cache: BTreeMap::new(),
        };
        for line in &expected.lines {
            let ratios = evidence.ratios(line.product).to_vec();
            for (sum, ratio) in evidence.listed.iter_mut().zip(ratios) {
                *sum += f64::from(line.quantity) * ratio;
            }
        }
        Some(evidence)
    }

    /// Natural logarithm of P(scene | edit) / P(scene | list is right), within ±3.5.
    pub fn log_ratio(&mut self, edit: Edit) -> f64 {
        let (gone, come) = match edit {
            Edit::Unscanned { product, units } => (None, Some((product, units))),
            Edit::Absent { line } => (Some((line, self.expected.lines[line].quantity)), None),
            Edit::Quantity { line, found } => {
                let scanned = self.expected.lines[line].quantity;
                if found > scanned {
                    (None, Some((self.expected.lines[line].product, found - scanned)))
                } else {
                    (Some((line, scanned - found)), None)
                }
            }
            Edit::Swapped { line, instead } => (Some((line, 1)), Some((instead, 1))),
            Edit::Nothing
            | Edit::UnscannedSomething
            | Edit::AbsentSomething
            | Edit::Bag
            | Edit::StaleWeight { .. }
            | Edit::Foreign => return 0.0,
        };
        let gone =
            gone.map(|(line, units)| (self.ratios(self.expected.lines[line].product).to_vec(), f64::from(units)));
        let come = come.map(|(product, units)| (self.ratios(product).to_vec(), f64::from(units)));
        let less = gone.as_ref().map_or(0.0, |(_, n)| *n);
        let more = come.as_ref().map_or(0.0, |(_, n)| *n);
        let units = (self.units - less + more).max(0.5);
        let mut sum = 0.0;
        for (crop, listed) in self.listed.iter().enumerate() {
            let minus = gone.as_ref().map_or(0.0, |(r, n)| n * r[crop]);
            let plus = come.as_ref().map_or(0.0, |(r, n)| n * r[crop]);
            let edited = CLUTTER + (1.0 - CLUTTER) * (listed - minus + plus).max(0.0) / units;
            let plain = CLUTTER + (1.0 - CLUTTER) * listed / self.units;
            sum += (edited / plain).ln();
        }
        (TEMPER * sum).clamp(-BOUND, BOUND)
    }

    /// R(c, p) for all crops; 1 for goods that were never enrolled. Look-alikes share the best ratio of their group.
    fn ratios(&mut self, product: usize) -> &[f64] {
        let (catalogue, gallery, embeddings) = (self.catalogue, self.gallery, &self.embeddings);
        self.cache.entry(product).or_insert_with(|| {
            let alike = catalogue.look_alikes(product);
            let best = |embedding: &Embedding| {
                let ratios =
                    alike.iter().filter_map(|p| gallery.log_ratio(&catalogue.products()[*p].id, embedding.values()));
                ratios.max_by(f64::total_cmp)
            };
            embeddings
                .iter()
                .map(|embedding| best(embedding).map_or(1.0, |l| l.clamp(-CROP_BOUND, CROP_BOUND).exp()))
                .collect()
        })
    }
}
