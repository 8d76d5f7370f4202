//! The retailer's products as one immutable, hashed snapshot.

use super::masses::Masses;
use super::product::Product;
use crate::units::ProductId;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a search by mass needs of a product, close together in memory: it passes over thousands of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heft {
    /// Index of the product.
    pub product: usize,
    /// Mean mass of a unit in grams.
    pub mean_g: f64,
    /// Variance in g² that each unit has of its own.
    pub own_g2: f64,
    /// Variance in g² that all units share.
    pub shared_g2: f64,
    /// Probability that a product, drawn as shoppers draw, is this one.
    pub share: f64,
    /// Number of its category.
    pub category: Option<usize>,
}

/// All products at one moment. Index `usize` into [`Catalogue::products`] is how the judge speaks of a product.
#[derive(Clone, Debug)]
pub struct Catalogue {
    products: Vec<Product>,
    by_code: BTreeMap<String, usize>,
    by_id: BTreeMap<ProductId, usize>,
    /// Indices of all products, lightest mean first, apart by how widely they spread (five sigma over the mean, at most): short lists of what
    /// could explain a residual are slices of these.
    by_mass: Vec<(f64, Vec<Heft>)>,
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
        let by_mass = by_mass(&products, &masses, popularity_sum);
        let hash = hash_of(&products);
        let dearest_minor = products.iter().map(|p| p.price_minor).max().unwrap_or(0);
        Self {
            dearest_minor,
            products,
            by_code,
            by_id,
            by_mass,
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

    /// The products so many units of which could make `at_g` within `reach_g`: those whose own spread, five sigma of it, bridges the rest. Not
    /// all of them do; none that does is left out.
    pub fn could_make(&self, at_g: f64, units: u32, reach_g: f64) -> impl Iterator<Item = &Heft> + '_ {
        let n = f64::from(units.max(1));
        self.by_mass.iter().flat_map(move |(widest, list)| {
            let from_g = (at_g - reach_g) / n / (1.0 + widest);
            let to_g = if *widest < 1.0 { (at_g + reach_g) / n / (1.0 - widest) } else { f64::INFINITY };
            let start = list.partition_point(|heft| heft.mean_g < from_g);
            let end = list.partition_point(|heft| heft.mean_g <= to_g);
            list.get(start..end.max(start)).unwrap_or_default()
        })
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

/// Classes of spread: five sigma of a unit over its mean. A few that vary widely must not make the slices of all others long.
const WIDEST: [f64; 4] = [0.08, 0.25, 0.7, f64::INFINITY];

fn by_mass(products: &[Product], masses: &Masses, popularity_sum: f64) -> Vec<(f64, Vec<Heft>)> {
    let mut classes: Vec<(f64, Vec<Heft>)> = WIDEST.iter().map(|widest| (*widest, Vec::new())).collect();
    for (product, known) in products.iter().enumerate() {
        let weight = &known.weight;
        let wide = 5.0 * weight.variance_g2(1).sqrt() / weight.mean_g.max(1e-6);
        let (one_g2, two_g2) = (weight.variance_g2(1), weight.variance_g2(2));
        // n own parts and n² of what units share: solved from one and two units.
        let shared_g2 = 0.5 * (two_g2 - 2.0 * one_g2);
        let heft = Heft {
            product,
            mean_g: weight.mean_g,
            own_g2: one_g2 - shared_g2,
            shared_g2,
            share: share_of(known.popularity, popularity_sum),
            category: masses.category(product),
        };
        if let Some((_, list)) = classes.iter_mut().find(|(widest, _)| wide <= *widest) {
            list.push(heft);
        }
    }
    for (_, list) in &mut classes {
        list.sort_by(|a, b| a.mean_g.total_cmp(&b.mean_g));
    }
    classes
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
