//! A product as a row of a catalogue file, checked.

use super::learn::prior;
use super::product::{Kind, Multipack, Product, Risk, Terms, WeightBelief, WeightSource};
use crate::units::ProductId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Lightest unit that is sold over a counter, grams.
const UNIT_MIN_G: f64 = 0.1;
/// Least spread between two units, 1 sigma in grams.
const SPREAD_MIN_G: f64 = 0.01;
/// Heaviest unit that is sold over a counter, grams.
const UNIT_MAX_G: f64 = 100_000.0;
/// What is sold by the piece and varies by nature varies by about this share of its mass, 1 sigma (FIELD 3.5: loose produce).
const GROWN: f64 = 0.15;
/// Dearest unit, minor units.
const PRICE_MAX: i64 = 1_000_000_000;

/// One row: the columns of CSV and the members of NDJSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    id: ProductId,
    code: String,
    name: String,
    kind: Kind,
    price_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price_per_kg_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposit_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age_limit: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    multipack_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    multipack_count: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    net_g: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gross_mean_g: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gross_sd_g: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean_sd_g: Option<f64>,
    weight_source: WeightSource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    look_group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default)]
    risk: Risk,
    #[serde(default = "one")]
    popularity: f64,
}

fn one() -> f64 {
    1.0
}

/// Columns whose values are numbers; all others are text.
pub const NUMBERS: [&str; 10] = [
    "price_minor",
    "price_per_kg_minor",
    "deposit_minor",
    "age_limit",
    "multipack_count",
    "net_g",
    "gross_mean_g",
    "gross_sd_g",
    "mean_sd_g",
    "popularity",
];

/// Everything that is wrong with a row.
pub type RowFaults = Vec<String>;

impl Row {
    /// The product, if everything is as it should be. `is_gtin` says whether fourteen digits have a right check digit.
    ///
    /// # Errors
    /// All faults.
    pub fn check(self, is_gtin: &dyn Fn(&str) -> bool) -> Result<Product, RowFaults> {
        let mut faults = self.check_numbers();
        let text = |faults: &mut RowFaults, name: &str, text: &str| {
            if text.is_empty() || text.chars().count() > 120 {
                faults.push(format!("{name}: 1 to 120 characters"));
            }
        };
        text(&mut faults, "name", &self.name);
        if let Some(group) = &self.look_group {
            text(&mut faults, "look_group", group);
        }
        if let Some(category) = &self.category {
            text(&mut faults, "category", category);
        }
        let mut code = |name: &str, code: &str| {
            normalised(code, is_gtin).unwrap_or_else(|fault| {
                faults.push(format!("{name}: {fault}"));
                String::new()
            })
        };
        let own = code("code", &self.code);
        let multipack = match (&self.multipack_code, self.multipack_count) {
            (None, None) => None,
            (Some(single), Some(count @ 2..=999)) => Some(Multipack { code: code("multipack_code", single), count }),
            (Some(_) | None, Some(_) | None) => {
                faults.push("multipack_code and multipack_count: both, and 2 to 999 units".to_owned());
                None
            }
        };
        if self.price_per_kg_minor.is_some() && self.kind != Kind::Weighed {
            faults.push("price_per_kg_minor: only goods of kind weighed have one".to_owned());
        }
        let weight = self.weight().unwrap_or_else(|fault| {
            faults.push(fault);
            prior::net_only(1.0)
        });
        if faults.is_empty() && !is_a_unit(&weight) {
            faults.push(format!("net_g: it makes a unit of {} g, which is none", weight.mean_g));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Product {
            id: self.id,
            code: own,
            name: self.name,
            kind: self.kind,
            price_minor: self.price_minor,
            weight,
            look_group: self.look_group,
            category: self.category,
            risk: self.risk,
            popularity: self.popularity,
            terms: Terms {
                net_g: self.net_g,
                age_limit: self.age_limit,
                deposit_minor: self.deposit_minor,
                price_per_kg_minor: self.price_per_kg_minor,
                multipack,
            },
        })
    }

    /// What the row says of the mass; what it leaves out follows from the label (FIELD 3.5).
    fn weight(&self) -> Result<WeightBelief, String> {
        let source = self.weight_source;
        let printed = match (self.gross_mean_g, self.net_g.filter(|net_g| *net_g > 0.0)) {
            (Some(mean_g), None) => {
                return match (self.gross_sd_g, self.mean_sd_g) {
                    (Some(sd_g), Some(mean_sd_g)) => Ok(WeightBelief { mean_g, sd_g, mean_sd_g, source }),
                    (_, _) => Err("net_g: without it gross_sd_g and mean_sd_g must be there".to_owned()),
                };
            }
            (None, None) => return Err("gross_mean_g or net_g: one of them must be there".to_owned()),
            (Some(gross_g), Some(net_g)) => WeightBelief { mean_g: gross_g, ..prior::gross(gross_g, net_g) },
            (None, Some(net_g)) => prior::net_only(net_g),
        };
        let usual_sd_g = match self.kind {
            Kind::Piece | Kind::Weighed => printed.sd_g,
            Kind::Varying => GROWN * printed.mean_g,
        };
        Ok(WeightBelief {
            mean_g: printed.mean_g,
            sd_g: self.gross_sd_g.unwrap_or(usual_sd_g),
            mean_sd_g: self.mean_sd_g.unwrap_or(printed.mean_sd_g),
            source,
        })
    }

    fn check_numbers(&self) -> RowFaults {
        let mut faults = Vec::new();
        let mut range = |name: &str, value: f64, low: f64, high: f64| {
            if !(low..=high).contains(&value) {
                faults.push(format!("{name}: {value} is outside {low}..={high}"));
            }
        };
        range("gross_mean_g", self.gross_mean_g.unwrap_or(1.0), UNIT_MIN_G, UNIT_MAX_G);
        range("gross_sd_g", self.gross_sd_g.unwrap_or(1.0), SPREAD_MIN_G, UNIT_MAX_G);
        range("mean_sd_g", self.mean_sd_g.unwrap_or(1.0), 0.0, UNIT_MAX_G);
        range("net_g", self.net_g.unwrap_or(1.0), 0.0, UNIT_MAX_G);
        range("popularity", self.popularity, 1e-9, 1e9);
        let mut money = |name: &str, minor: i64| range(name, minor as f64, 0.0, PRICE_MAX as f64);
        money("price_minor", self.price_minor);
        money("price_per_kg_minor", self.price_per_kg_minor.unwrap_or(0));
        money("deposit_minor", self.deposit_minor.unwrap_or(0));
        range("age_limit", f64::from(self.age_limit.unwrap_or(18)), 1.0, 99.0);
        faults
    }
}

impl From<&Product> for Row {
    fn from(product: &Product) -> Self {
        let terms = &product.terms;
        Self {
            id: product.id.clone(),
            code: product.code.clone(),
            name: product.name.clone(),
            kind: product.kind,
            price_minor: product.price_minor,
            price_per_kg_minor: terms.price_per_kg_minor,
            deposit_minor: terms.deposit_minor,
            age_limit: terms.age_limit,
            multipack_code: terms.multipack.as_ref().map(|pack| pack.code.clone()),
            multipack_count: terms.multipack.as_ref().map(|pack| pack.count),
            net_g: terms.net_g,
            gross_mean_g: Some(product.weight.mean_g),
            gross_sd_g: Some(product.weight.sd_g),
            mean_sd_g: Some(product.weight.mean_sd_g),
            weight_source: product.weight.source,
            look_group: product.look_group.clone(),
            category: product.category.clone(),
            risk: product.risk,
            popularity: product.popularity,
        }
    }
}

/// Whether what follows from the label is what a row may say: what is kept of a product must be taken again.
fn is_a_unit(weight: &WeightBelief) -> bool {
    (UNIT_MIN_G..=UNIT_MAX_G).contains(&weight.mean_g)
        && (SPREAD_MIN_G..=UNIT_MAX_G).contains(&weight.sd_g)
        && (0.0..=UNIT_MAX_G).contains(&weight.mean_sd_g)
}

/// A product with some members of its row changed (RFC 7396: `null` takes one away).
///
/// # Errors
/// All faults; an id that would change is one.
pub fn patched(
    product: &Product,
    patch: &Map<String, Value>,
    is_gtin: &dyn Fn(&str) -> bool,
) -> Result<Product, RowFaults> {
    let told = |error: serde_json::Error| vec![error.to_string()];
    let Value::Object(mut row) = serde_json::to_value(Row::from(product)).map_err(told)? else {
        return Err(Vec::new());
    };
    for (name, value) in patch {
        match value {
            Value::Null => row.remove(name),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                row.insert(name.clone(), value.clone())
            }
        };
    }
    let changed: Row = serde_json::from_value(Value::Object(row)).map_err(told)?;
    if changed.id != product.id {
        return Err(vec!["id: a product keeps its id".to_owned()]);
    }
    changed.check(is_gtin)
}

/// A GTIN as 14 digits, or an article number of the store as it is.
fn normalised(code: &str, is_gtin: &dyn Fn(&str) -> bool) -> Result<String, String> {
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("'{code}' has something else than digits"));
    }
    match code.len() {
        4..=7 => Ok(code.to_owned()),
        8 | 12 | 13 | 14 => {
            let gtin = format!("{code:0>14}");
            if is_gtin(&gtin) { Ok(gtin) } else { Err(format!("'{code}' has a wrong check digit")) }
        }
        _ => Err(format!("'{code}' is neither a GTIN of 8, 12, 13 or 14 digits nor an article number of 4 to 7")),
    }
}
