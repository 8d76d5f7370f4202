//! All looks of a shop in one block of bytes, as it stands in a file: read in place, so that it can be mapped and costs memory only
//! where it is looked at.
//!
//! Little-endian throughout. 144 bytes of header ([`Head`]); the vectors, product by product, enrolled before learned (`nibble`); one
//! index entry a product in the order of their names: ends of its name, vectors and look-alikes in their sections (`u32` each), how many
//! of its vectors were learned (`u8`), three zeros; look-alikes, a product's place (`u32`) and how alike (`f32`) each; the names.

use super::{Looks, nibble};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What such a block begins with.
const MAGIC: &[u8; 8] = b"AMLOOKS1";
/// Length of the header, bytes.
pub const HEAD_BYTES: usize = 144;
/// Of which so many go into the digest.
const DIGESTED: usize = 112;
const SPACE_BYTES: usize = 64;
pub(super) const ENTRY_BYTES: usize = 16;
pub(super) const ALIKE_BYTES: usize = 8;
/// Larger blocks are nobody's: 100 000 products of the longest names and the most views have 200 MB.
const COUNT_MAX: u32 = 1 << 26;
const DIMENSIONS_MAX: u32 = 4096;

/// Why a block of bytes is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GalleryFault {
    /// It begins otherwise, or is of another format.
    #[error("this is no gallery of looks, or one of another version")]
    NotOurs,
    /// It ends too early, or too late.
    #[error("it has {found} bytes and should have {wanted}")]
    Length {
        /// Bytes there.
        found: u64,
        /// Bytes that its header means.
        wanted: u64,
    },
    /// Its content is not what its digest says, or makes no sense.
    #[error("its content is damaged")]
    Damaged,
    /// It holds the looks of another model.
    #[error("it holds looks of the space '{found}', and the model's is '{wanted}'")]
    OtherSpace {
        /// Its space.
        found: String,
        /// The model's.
        wanted: String,
    },
}

/// Up to which change of the store a gallery holds the looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookMark {
    /// The change's number; 0 before the first.
    pub number: i64,
    /// When it was, milliseconds since 1970: tells two stores apart that have counted as far.
    pub at_ms: i64,
}

/// What a block says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Components of a vector.
    pub dimensions: u32,
    /// Products.
    pub products: u32,
    /// Vectors of all of them.
    pub vectors: u32,
    /// Look-alikes of all of them.
    pub alikes: u32,
    /// Bytes of all names.
    pub names: u32,
    /// Which changes are in it.
    pub mark: LookMark,
    /// The embedding space.
    pub space_id: String,
    /// SHA-256 over all that follows the header and then its first 112 bytes.
    pub digest: [u8; 32],
}

impl Head {
    /// Reads a header.
    ///
    /// # Errors
    /// Bytes that are none, or sizes that nobody has.
    pub fn parse(bytes: &[u8]) -> Result<Self, GalleryFault> {
        let head = bytes.get(..HEAD_BYTES).filter(|head| head.starts_with(MAGIC)).ok_or(GalleryFault::NotOurs)?;
        let word = |at: usize| u32_at(head, at);
        let long = |at: usize| head[at..at + 8].try_into().map_or(0, i64::from_le_bytes);
        let space = &head[44..44 + SPACE_BYTES];
        let space = &space[..space.iter().position(|b| *b == 0).unwrap_or(SPACE_BYTES)];
        let found = Self {
            dimensions: word(8),
            products: word(12),
            vectors: word(16),
            alikes: word(20),
            names: word(24),
            mark: LookMark { number: long(28), at_ms: long(36) },
            space_id: String::from_utf8(space.to_vec()).map_err(|_| GalleryFault::Damaged)?,
            digest: head[DIGESTED..].try_into().map_err(|_| GalleryFault::NotOurs)?,
        };
        let counts = [found.products, found.vectors, found.alikes, found.names];
        if found.dimensions > DIMENSIONS_MAX || counts.iter().any(|count| *count > COUNT_MAX) {
            return Err(GalleryFault::Damaged);
        }
        // What it does not say must be zero, or the digest would not be one of these bytes.
        if found.to_bytes() == head { Ok(found) } else { Err(GalleryFault::Damaged) }
    }

    /// As it stands at the beginning of a block. A name of the space beyond 64 bytes is cut, and then fits no model.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend(MAGIC);
        for word in [self.dimensions, self.products, self.vectors, self.alikes, self.names] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(self.mark.number.to_le_bytes());
        bytes.extend(self.mark.at_ms.to_le_bytes());
        bytes.extend(self.space_id.bytes().take(SPACE_BYTES));
        bytes.resize(DIGESTED, 0);
        bytes.extend(self.digest);
        bytes
    }

    /// The digest of a block whose bytes behind the header have gone into `body`.
    pub fn digest_with(&self, mut body: Sha256) -> [u8; 32] {
        body.update(&self.to_bytes()[..DIGESTED]);
        body.finalize().into()
    }

    /// Bytes of the whole block.
    pub fn length(&self) -> u64 {
        self.names_at() as u64 + u64::from(self.names)
    }

    /// Bytes of one vector.
    pub fn vector_bytes(&self) -> usize {
        nibble::bytes_of(self.dimensions as usize)
    }

    fn index_at(&self) -> usize {
        HEAD_BYTES + self.vectors as usize * self.vector_bytes()
    }

    fn alikes_at(&self) -> usize {
        self.index_at() + self.products as usize * ENTRY_BYTES
    }

    fn names_at(&self) -> usize {
        self.alikes_at() + self.alikes as usize * ALIKE_BYTES
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// Bytes that may be a mapping.
pub type Block = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A block that is sound: every place in it lies within it.
#[derive(Clone)]
pub struct Packed {
    block: Block,
    head: Head,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").field("head", &self.head).finish_non_exhaustive()
    }
}

/// Where one product's things end in their sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    name: usize,
    vectors: usize,
    alikes: usize,
    learned: usize,
}

impl Packed {
    /// Takes a block whose header has been read, and whose digest has been compared by whoever read its bytes.
    ///
    /// # Errors
    /// A block of another length, or one whose index leads out of it.
    pub fn new(block: Block, head: Head) -> Result<Self, GalleryFault> {
        let found = (*block).as_ref().len() as u64;
        if found != head.length() {
            return Err(GalleryFault::Length { found, wanted: head.length() });
        }
        let packed = Self { block, head };
        if packed.is_sound() { Ok(packed) } else { Err(GalleryFault::Damaged) }
    }

    fn is_sound(&self) -> bool {
        let mut before = Entry::default();
        for place in 0..self.len() {
            let entry = self.entry(place);
            let rises = entry.name > before.name && entry.vectors >= before.vectors && entry.alikes >= before.alikes;
            if !rises || entry.name > self.head.names as usize || entry.learned > entry.vectors - before.vectors {
                return false;
            }
            if place > 0 && self.name(place - 1) >= self.name(place) {
                return false;
            }
            before = entry;
        }
        let ends = (before.name, before.vectors, before.alikes);
        let all = (self.head.names as usize, self.head.vectors as usize, self.head.alikes as usize);
        ends == all && (0..all.2).all(|at| self.alike(at).0 < self.len())
    }

    /// What it says of itself.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// How many products it holds.
    pub fn len(&self) -> usize {
        self.head.products as usize
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bytes(&self) -> &[u8] {
        (*self.block).as_ref()
    }

    fn entry(&self, place: usize) -> Entry {
        let at = self.head.index_at() + place * ENTRY_BYTES;
        let word = |k: usize| u32_at(self.bytes(), at + 4 * k) as usize;
        let learned = self.bytes().get(at + 12).map_or(0, |byte| usize::from(*byte));
        Entry { name: word(0), vectors: word(1), alikes: word(2), learned }
    }

    fn before(&self, place: usize) -> Entry {
        place.checked_sub(1).map_or(Entry::default(), |before| self.entry(before))
    }

    /// The name of the product at a place.
    pub fn name(&self, place: usize) -> &str {
        let (from, to) = (self.before(place).name, self.entry(place).name);
        let names = &self.bytes()[self.head.names_at()..];
        names.get(from..to).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// The place of a product.
    pub fn find(&self, name: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The looks of the product at a place.
    pub fn looks(&self, place: usize) -> Looks<'_> {
        let (before, entry) = (self.before(place), self.entry(place));
        let size = self.head.vector_bytes();
        let at = |vector: usize| HEAD_BYTES + vector * size;
        let bytes = self.bytes().get(at(before.vectors)..at(entry.vectors)).unwrap_or_default();
        Looks::new(bytes, size, entry.learned)
    }

    fn alike(&self, at: usize) -> (usize, f32) {
        let at = self.head.alikes_at() + at * ALIKE_BYTES;
        (u32_at(self.bytes(), at) as usize, f32::from_bits(u32_at(self.bytes(), at + 4)))
    }

    /// The look-alikes of the product at a place, with how alike they are (a cosine).
    pub fn alikes(&self, place: usize) -> impl Iterator<Item = (&str, f32)> {
        let range = self.before(place).alikes..self.entry(place).alikes;
        range.map(|at| self.alike(at)).map(|(other, cosine)| (self.name(other), cosine))
    }
}
