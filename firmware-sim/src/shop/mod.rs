//! The demo shop: its goods with true weights, codes and looks, and the catalogue the daemon is given.
//!
//! The catalogue is deliberately not the truth: its means are a little off and its spreads a little
//! wide, as a shop's own master data are.

pub mod code;
pub mod command;
mod invent;
mod look;
pub mod seed;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use invent::{Split, invented};
pub use look::{Colour, Look, Shape, Style};

/// Why a shop's goods cannot be used.
#[derive(Debug, Error)]
pub enum ShopError {
    /// The file is no valid TOML or lacks a field; the message names line and field.
    #[error("goods file: {0}")]
    Parse(#[from] toml::de::Error),
    /// A good contradicts itself or another.
    #[error("good `{id}`: {fault}")]
    Good {
        /// The good's id.
        id: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

/// How a good is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A pack; all weigh nearly the same.
    Piece,
    /// By the piece, but grown: each weighs what it weighs.
    Varying,
    /// By weight, with a label from the shop's scale.
    Weighed,
}

/// How often a good is stolen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Hardly ever.
    Low,
    /// As others.
    #[default]
    Normal,
    /// Small and dear.
    High,
}

/// Price and popularity.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sale {
    /// How it is sold.
    pub kind: Kind,
    /// Price of one unit (of a kilogram where sold by weight) in the currency's minor unit.
    pub price_minor: u32,
    /// How often it is bought, relative to others; above 0.
    pub popularity: f64,
    /// How often it is stolen.
    #[serde(default)]
    pub risk: Risk,
}

/// True masses of one unit (of a typical portion where sold by weight), grams.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrueMass {
    /// What the pack says.
    pub net_g: f64,
    /// Mean with packaging.
    pub mean_g: f64,
    /// Standard deviation from unit to unit.
    pub sd_g: f64,
    /// Standard deviation of the catalogue's error in the mean.
    pub mean_sd_g: f64,
}

/// One good of the shop.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Good {
    /// Stable name for machines.
    pub id: String,
    /// EAN-13, or the five-digit article number of a good sold by weight.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Goods of one group look alike to the eye.
    #[serde(default)]
    pub look_group: Option<String>,
    /// How it is sold.
    pub sale: Sale,
    /// What it weighs.
    pub mass: TrueMass,
    /// What it looks like.
    pub look: Look,
}

/// One line of the catalogue that the daemon imports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CatalogueRow<'a> {
    /// Stable name for machines.
    pub id: &'a str,
    /// EAN-13 or five-digit article number.
    pub code: &'a str,
    /// Name for people.
    pub name: &'a str,
    /// How it is sold.
    pub kind: Kind,
    /// Price in the currency's minor unit.
    pub price_minor: u32,
    /// What the pack says, grams.
    pub net_g: f64,
    /// What the shop believes one unit weighs, grams.
    pub gross_mean_g: f64,
    /// What the shop believes its standard deviation is, grams.
    pub gross_sd_g: f64,
    /// Uncertainty of that mean, grams.
    pub mean_sd_g: f64,
    /// Where the belief comes from: always `seeded` here.
    pub weight_source: &'static str,
    /// Look-alikes.
    pub look_group: Option<&'a str>,
    /// How often it is stolen.
    pub risk: Risk,
    /// How often it is bought, relative to others.
    pub popularity: f64,
}

/// Grams that a shop's portion label may be off, 1 sigma: half a division of its scale and the bag.
pub const LABEL_SD_G: f64 = 3.0;

impl Good {
    /// The code on a label for `grams` of this good; `None` unless it is sold by weight and below 100 kg.
    pub fn label_code(&self, grams: u32) -> Option<String> {
        match self.sale.kind {
            Kind::Weighed => code::portion_code(&self.code, grams),
            Kind::Piece | Kind::Varying => None,
        }
    }

    /// Draws the true mass of one unit (of a portion where sold by weight), grams, always positive.
    pub fn draw_mass_g<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // Truncated at four sigma: a real batch is checked, a Gaussian's tail is not.
        let z = standard_normal(rng).clamp(-4.0, 4.0);
        (self.mass.mean_g + z * self.mass.sd_g).max(self.mass.mean_g * 0.2)
    }

    /// The catalogue's line for this good, with the catalogue's deterministic errors.
    pub fn catalogue_row(&self) -> CatalogueRow<'_> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed::of_text(&self.id));
        let error_g = standard_normal(&mut rng).clamp(-2.0, 2.0) * self.mass.mean_sd_g;
        let widening = rng.random_range(1.05..1.25);
        CatalogueRow {
            id: &self.id,
            code: &self.code,
            name: &self.name,
            kind: self.sale.kind,
            price_minor: self.sale.price_minor,
            net_g: self.mass.net_g,
            gross_mean_g: tenths(self.mass.mean_g + error_g),
            gross_sd_g: tenths(self.mass.sd_g * widening).max(0.1),
            mean_sd_g: self.mass.mean_sd_g,
            weight_source: "seeded",
            look_group: self.look_group.as_deref(),
            risk: self.sale.risk,
            popularity: self.sale.popularity,
        }
    }

    /// Seed of the print's layout: look-alikes share it.
    pub fn design_seed(&self) -> u64 {
        seed::of_text(self.look_group.as_deref().unwrap_or(&self.id))
    }

    fn check(&self) -> Result<(), ShopError> {
        let fault = |fault| Err(ShopError::Good { id: self.id.clone(), fault });
        let code_is_right = match self.sale.kind {
            Kind::Piece | Kind::Varying => code::is_ean13(&self.code),
            Kind::Weighed => self.code.len() == 5 && self.code.bytes().all(|b| b.is_ascii_digit()),
        };
        let mass = self.mass;
        if self.id.is_empty() || self.name.is_empty() {
            return fault("has no id or no name");
        }
        if !code_is_right {
            return fault("has a code that is no EAN-13 (or no five-digit article where weighed)");
        }
        if [mass.net_g, mass.mean_g, mass.sd_g, mass.mean_sd_g].iter().any(|g| !(*g > 0.0 && *g < 30_000.0)) {
            return fault("has a mass that is not between 0 and 30 kg");
        }
        if !self.sale.popularity.is_finite() || self.sale.popularity <= 0.0 {
            return fault("has no popularity");
        }
        if self.look.size_mm.iter().any(|mm| !(2.0..=700.0).contains(mm)) || self.look.pieces == 0 {
            return fault("has a size outside 2..700 mm or no pieces");
        }
        Ok(())
    }
}

/// A shop's goods, in the order of their file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The goods; other modules name them by index.
    #[serde(rename = "good")]
    pub goods: Vec<Good>,
}

impl Shop {
    /// The demo shop that is built in.
    ///
    /// # Errors
    /// If the built-in file is broken, which a test excludes.
    pub fn demo() -> Result<Self, ShopError> {
        Self::parse(include_str!("../../shop/goods.toml"))
    }

    /// Reads a goods file.
    ///
    /// # Errors
    /// The first fault: syntax, a missing or unknown field, a wrong code, an impossible mass or size, an
    /// id or code used twice.
    pub fn parse(text: &str) -> Result<Self, ShopError> {
        let shop: Self = toml::from_str(text)?;
        let mut seen = std::collections::BTreeSet::new();
        for good in &shop.goods {
            good.check()?;
            if !seen.insert(good.id.as_str()) || !seen.insert(good.code.as_str()) {
                return Err(ShopError::Good { id: good.id.clone(), fault: "has an id or code used before" });
            }
        }
        Ok(shop)
    }

    /// The catalogue as NDJSON, one good a line.
    pub fn catalogue_ndjson(&self) -> String {
        let mut out = String::new();
        for good in &self.goods {
            // Serialising strings and finite numbers into memory cannot fail.
            out.push_str(&serde_json::to_string(&good.catalogue_row()).unwrap_or_default());
            out.push('\n');
        }
        out
    }

    /// Index of the good with this id.
    pub fn index_of(&self, id: &str) -> Option<usize> {
        self.goods.iter().position(|good| good.id == id)
    }

    /// Draws a good as shoppers do, by popularity; `None` in an empty shop.
    pub fn draw_good<R: Rng + ?Sized>(&self, rng: &mut R) -> Option<usize> {
        let total: f64 = self.goods.iter().map(|good| good.sale.popularity).sum();
        let mut left = rng.random::<f64>() * total;
        for (index, good) in self.goods.iter().enumerate() {
            left -= good.sale.popularity;
            if left < 0.0 {
                return Some(index);
            }
        }
        self.goods.len().checked_sub(1)
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn standard_normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    rand_distr::StandardNormal.sample(rng)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn the_demo_shop_is_large_varied_and_valid() {
        let shop = Shop::demo().unwrap();
        assert!(shop.goods.len() >= 220, "{}", shop.goods.len());
        for good in shop.goods.iter().filter(|good| good.sale.kind != Kind::Weighed) {
            assert!(good.code.starts_with("409999") && code::is_ean13(&good.code), "{}: {}", good.id, good.code);
        }
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        for group in shop.goods.iter().filter_map(|good| good.look_group.as_deref()) {
            *groups.entry(group).or_default() += 1;
        }
        assert!(groups.values().filter(|members| **members >= 2).count() >= 20);
        let shapes: BTreeSet<Shape> = shop.goods.iter().map(|good| good.look.shape).collect();
        assert!(shapes.len() >= 20, "{shapes:?}");
        let kinds = shop.goods.iter().filter(|good| good.sale.kind == Kind::Varying).count();
        assert!(kinds >= 10);
    }

    #[test]
    fn twenty_five_honest_goods_are_known_to_within_33_g() {
        let shop = Shop::demo().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(42);
        let mut sigmas: Vec<f64> = (0..1000)
            .map(|_| {
                let mut basket: BTreeMap<usize, f64> = BTreeMap::new();
                for _ in 0..25 {
                    *basket.entry(shop.draw_good(&mut rng).unwrap()).or_default() += 1.0;
                }
                let variance = |(good, count): (&usize, &f64)| match shop.goods[*good].sale.kind {
                    Kind::Weighed => count * LABEL_SD_G.powi(2),
                    Kind::Piece | Kind::Varying => {
                        let row = shop.goods[*good].catalogue_row();
                        count * row.gross_sd_g.powi(2) + (count * row.mean_sd_g).powi(2)
                    }
                };
                basket.iter().map(variance).sum::<f64>().sqrt()
            })
            .collect();
        sigmas.sort_by(f64::total_cmp);
        assert!(sigmas[989] <= 33.0, "99th percentile {} g", sigmas[989]);
    }

    #[test]
    fn the_catalogue_is_near_the_truth_but_not_the_truth() {
        let shop = Shop::demo().unwrap();
        let errors: Vec<f64> = shop
            .goods
            .iter()
            .map(|good| (good.catalogue_row().gross_mean_g - good.mass.mean_g) / good.mass.mean_sd_g)
            .collect();
        let rms = (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt();
        assert!((0.7..1.3).contains(&rms), "catalogue errors have {rms} of their stated sigma");
        assert!(shop.goods.iter().all(|good| good.catalogue_row().gross_sd_g >= good.mass.sd_g * 0.9));
    }

    #[test]
    fn the_catalogue_has_a_line_per_good_with_the_agreed_fields() {
        let shop = Shop::demo().unwrap();
        let text = shop.catalogue_ndjson();
        assert_eq!(text.lines().count(), shop.goods.len());
        let butter = text.lines().find(|line| line.contains("\"butter-250\"")).unwrap();
        let row: serde_json::Value = serde_json::from_str(butter).unwrap();
        for field in ["id", "code", "name", "kind", "price_minor", "net_g", "gross_mean_g", "gross_sd_g", "mean_sd_g"] {
            assert!(!row[field].is_null(), "{field}");
        }
        assert_eq!(row["kind"], "piece");
        assert_eq!(row["weight_source"], "seeded");
        assert_eq!(row["risk"], "normal");
        assert_eq!(row["look_group"], "butter");
    }

    #[test]
    fn drawn_masses_have_the_stated_mean_and_spread() {
        let shop = Shop::demo().unwrap();
        let good = &shop.goods[shop.index_of("pepper-red").unwrap()];
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let drawn: Vec<f64> = (0..20_000).map(|_| good.draw_mass_g(&mut rng)).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let sd = (drawn.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt();
        assert!((mean - good.mass.mean_g).abs() < 0.3 && (sd / good.mass.sd_g - 1.0).abs() < 0.03, "{mean} {sd}");
    }

    #[test]
    fn a_portion_of_bananas_gets_a_label_and_a_pack_does_not() {
        let shop = Shop::demo().unwrap();
        let bananas = &shop.goods[shop.index_of("bananas").unwrap()];
        let label = bananas.label_code(850).unwrap();
        assert!(label.starts_with("290401100850") && code::is_ean13(&label), "{label}");
        assert_eq!(shop.goods[shop.index_of("butter-250").unwrap()].label_code(250), None);
    }

    #[test]
    fn a_goods_file_with_a_wrong_check_digit_is_refused_by_name() {
        let text = include_str!("../../shop/goods.toml").replacen("4099990000011", "4099990000012", 1);
        let fault = Shop::parse(&text).unwrap_err().to_string();
        assert!(fault.contains("milk-35-1l") && fault.contains("EAN-13"), "{fault}");
    }
}
