//! The retailer's products as one immutable, hashed snapshot.

use super::heft::Hefts;
use super::masses::Masses;
use super::product::Product;
use crate::units::ProductId;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// All products at one moment. Index `usize` into [`Catalogue::products`] is how the judge speaks of a product.
#[derive(Clone, Debug)]
pub struct Catalogue {
    products: Vec<Product>,
    by_code: BTreeMap<String, usize>,
    by_id: BTreeMap<ProductId, usize>,
    hefts: Hefts,
    /// Products that look alike; one without a declared group is alone.
    look_groups: Vec<Vec<usize>>,
    look_group_of: Vec<usize>,
    popularity_sum: f64,
    masses: Masses,
    dearest_minor: i64,
    hash: String,
}

impl Catalogue {
    /// Builds the snapshot; later products of the same id or code are ignored (import refuses them with their line).
    pub fn new(products: Vec<Product>) -> Self {
        let mut by_code = BTreeMap::new();
        let mut by_id = BTreeMap::new();
        for (index, product) in products.iter().enumerate() {
            by_code.entry(product.code.clone()).or_insert(index);
            by_id.entry(product.id.clone()).or_insert(index);
        }
        let (look_groups, look_group_of) = look_groups(&products);
        let popularity_sum: f64 = products.iter().map(|p| p.popularity).sum();
        let masses = Masses::new(&products, |i| share_of(products[i].popularity, popularity_sum));
        let hefts = Hefts::new(&products, &masses, |i| share_of(products[i].popularity, popularity_sum));
        let hash = hash_of(&products);
        let dearest_minor = products.iter().map(|p| p.price_minor).max().unwrap_or(0);
        Self {
            dearest_minor,
            products,
            by_code,
            by_id,
            hefts,
            look_groups,
            look_group_of,
            popularity_sum,
            masses,
            hash,
        }
    }

    /// All products.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The product that a normalised code (14-digit GTIN or five-digit article number) stands for.
    pub fn find_code(&self, code: &str) -> Option<usize> {
        self.by_code.get(code).copied()
    }

    /// The product of this identifier.
    pub fn find_id(&self, id: &ProductId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// All products by their mass.
    pub fn hefts(&self) -> &Hefts {
        &self.hefts
    }

    /// Probability that some product, drawn as shoppers draw, is this one.
    pub fn share(&self, index: usize) -> f64 {
        share_of(self.products[index].popularity, self.popularity_sum)
    }

    /// Price of the dearest unit, minor units.
    pub fn dearest_minor(&self) -> i64 {
        self.dearest_minor
    }

    /// How the masses of all products are spread.
    pub fn masses(&self) -> &Masses {
        &self.masses
    }

    /// SHA-256 over all that decides, as 64 hexadecimal digits: two stations with the same hash judge alike.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The products that look like this one, itself among them: within such a group the eye tells nothing apart.
    pub fn look_alikes(&self, index: usize) -> &[usize] {
        &self.look_groups[self.look_group_of[index]]
    }
}

fn share_of(popularity: f64, sum: f64) -> f64 {
    if sum > 0.0 { popularity / sum } else { 0.0 }
}

fn look_groups(products: &[Product]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of = Vec::with_capacity(products.len());
    for (index, product) in products.iter().enumerate() {
        let fresh = groups.len();
        let group = product.look_group.as_deref().map_or(fresh, |name| *named.entry(name).or_insert(fresh));
        if group == fresh {
            groups.push(Vec::new());
        }
        groups[group].push(index);
        group_of.push(group);
    }
    (groups, group_of)
}

fn hash_of(products: &[Product]) -> String {
    let mut sha = Sha256::new();
    for product in products {
        // A product always serialises: it holds only strings, finite numbers and enums without data.
        sha.update(serde_json::to_vec(product).unwrap_or_default());
        sha.update(b"\n");
    }
    hex(&sha.finalize())
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
