//! Puts a block together, product by product, without holding it.

use super::alike::{self, Pair};
use super::packed::{ENTRY_BYTES, Head, LookMark};
use super::{LookSet, Looks, nibble};
use crate::goods::LookCalibration;
use crate::units::ProductId;

/// A product whose vectors are written already.
#[derive(Clone, Debug)]
struct Written {
    name_end: u32,
    vector_end: u32,
    learned: u8,
}

/// Writes the vectors of products as they come, in the order of their names, and at the end what is needed to find them.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    dimensions: Option<usize>,
    names: String,
    index: Vec<Written>,
}

impl Builder {
    /// Adds a product; what goes into the block behind everything before is put into `out`. One that does not come after the last by
    /// its name, or whose vectors are of another length, is left out; says whether it was added.
    pub fn add(&mut self, product: &ProductId, looks: &LookSet, out: &mut Vec<u8>) -> bool {
        let last = self.index.len().checked_sub(2).map_or(0, |at| self.index[at].name_end as usize);
        let in_order = self.index.is_empty() || self.names[last..] < *product.as_str();
        let looks = looks.bounded();
        let Some(first) = looks.enrolled.first().filter(|_| in_order) else { return false };
        let dimensions = *self.dimensions.get_or_insert(first.values().len());
        let all = || looks.enrolled.iter().chain(&looks.learned);
        if all().any(|look| look.values().len() != dimensions) {
            return false;
        }
        for look in all() {
            nibble::pack(look, out);
        }
        self.names.push_str(product.as_str());
        let vectors = self.index.last().map_or(0, |written| written.vector_end) as usize + all().count();
        self.index.push(Written {
            name_end: self.names.len() as u32,
            vector_end: vectors as u32,
            learned: looks.learned.len() as u8,
        });
        true
    }

    /// What comes behind the vectors, and the header, whose digest is still to be made. `vectors` are all that [`Builder::add`] gave,
    /// one behind the other; look-alikes are found among them.
    pub fn finish(
        self,
        vectors: &[u8],
        space_id: &str,
        calibration: &LookCalibration,
        mark: LookMark,
    ) -> (Vec<u8>, Head) {
        let dimensions = self.dimensions.unwrap_or(0);
        let size = nibble::bytes_of(dimensions);
        let starts = std::iter::once(0).chain(self.index.iter().map(|written| written.vector_end as usize));
        let looks: Vec<Looks<'_>> = starts
            .zip(&self.index)
            .map(|(from, to)| {
                let bytes = vectors.get(from * size..to.vector_end as usize * size).unwrap_or_default();
                Looks::new(bytes, size, usize::from(to.learned))
            })
            .collect();
        let pairs = alike::pairs(&looks, calibration);
        let mut tail = Vec::with_capacity(self.index.len() * ENTRY_BYTES + self.names.len());
        let mut alike_end = 0;
        for (place, written) in self.index.iter().enumerate() {
            alike_end += pairs[alike_end..].iter().take_while(|pair| pair.one == place).count();
            for word in [written.name_end, written.vector_end, alike_end as u32] {
                tail.extend(word.to_le_bytes());
            }
            tail.extend([written.learned, 0, 0, 0]);
        }
        for Pair { other, cosine, .. } in &pairs {
            tail.extend((*other as u32).to_le_bytes());
            tail.extend(cosine.to_le_bytes());
        }
        tail.extend(self.names.bytes());
        let head = Head {
            dimensions: dimensions as u32,
            products: self.index.len() as u32,
            vectors: self.index.last().map_or(0, |written| written.vector_end),
            alikes: pairs.len() as u32,
            names: self.names.len() as u32,
            mark,
            space_id: space_id.to_owned(),
            digest: [0; 32],
        };
        (tail, head)
    }
}
