//! Reading a catalogue from NDJSON: whole or not at all, with every fault and its line.

use super::learn::prior;
use super::product::{Kind, Product, Risk, WeightBelief, WeightSource};
use crate::units::ProductId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// Most products of one catalogue.
pub const PRODUCTS_MAX: usize = 200_000;
/// Longest line of the file, bytes.
const LINE_MAX: usize = 16 * 1024;
/// After so many faults the rest of the file is not looked at: nobody reads further.
const FAULTS_MAX: usize = 1000;
/// Heaviest unit that is sold over a counter, grams.
const UNIT_MAX_G: f64 = 100_000.0;

/// One thing wrong with a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFault {
    /// Line in the file, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// Everything wrong with a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ImportFaults(pub Vec<ImportFault>);

impl fmt::Display for ImportFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.0 {
            writeln!(f, "line {}: {}", fault.line, fault.what)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: ProductId,
    code: String,
    name: String,
    kind: Kind,
    price_minor: i64,
    #[serde(default)]
    net_g: Option<f64>,
    #[serde(default)]
    gross_mean_g: Option<f64>,
    #[serde(default)]
    gross_sd_g: Option<f64>,
    #[serde(default)]
    mean_sd_g: Option<f64>,
    weight_source: WeightSource,
    #[serde(default)]
    look_group: Option<String>,
    #[serde(default)]
    risk: Risk,
    #[serde(default = "one")]
    popularity: f64,
}

fn one() -> f64 {
    1.0
}

/// Reads one product a line; blank lines are skipped.
///
/// # Errors
/// Every faulty line with what is wrong in it; then nothing of the file should be used.
pub fn parse_ndjson(text: &str) -> Result<Vec<Product>, ImportFaults> {
    let (mut products, mut faults) = (Vec::new(), Vec::new());
    let (mut ids, mut codes) = (BTreeMap::new(), BTreeMap::new());
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.trim().is_empty() {
            continue;
        }
        match parse_line(line) {
            Ok(product) => {
                if let Some(first) = ids.insert(product.id.clone(), number) {
                    faults.push(ImportFault {
                        line: number,
                        what: format!("id {} stands in line {first} already", product.id),
                    });
                }
                if let Some(first) = codes.insert(product.code.clone(), number) {
                    faults.push(ImportFault {
                        line: number,
                        what: format!("code {} stands in line {first} already", product.code),
                    });
                }
                products.push(product);
            }
            Err(found) => faults.extend(found.into_iter().map(|what| ImportFault { line: number, what })),
        }
        if products.len() > PRODUCTS_MAX {
            faults.push(ImportFault { line: number, what: format!("more than {PRODUCTS_MAX} products") });
            break;
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    if products.is_empty() && faults.is_empty() {
        faults.push(ImportFault { line: 1, what: "no products in the file".to_owned() });
    }
    if faults.is_empty() { Ok(products) } else { Err(ImportFaults(faults)) }
}

fn parse_line(line: &str) -> Result<Product, Vec<String>> {
    if line.len() > LINE_MAX {
        return Err(vec![format!("longer than {LINE_MAX} bytes")]);
    }
    let row: Row = serde_json::from_str(line).map_err(|error| vec![error.to_string()])?;
    let mut faults = Vec::new();
    let mut range = |name: &str, value: f64, low: f64, high: f64| {
        if !(low..=high).contains(&value) {
            faults.push(format!("{name}: {value} is outside {low}..={high}"));
        }
    };
    range("gross_mean_g", row.gross_mean_g.unwrap_or(1.0), 0.1, UNIT_MAX_G);
    range("gross_sd_g", row.gross_sd_g.unwrap_or(1.0), 0.01, UNIT_MAX_G);
    range("mean_sd_g", row.mean_sd_g.unwrap_or(1.0), 0.0, UNIT_MAX_G);
    range("net_g", row.net_g.unwrap_or(1.0), 0.0, UNIT_MAX_G);
    range("popularity", row.popularity, 1e-9, 1e9);
    range("price_minor", row.price_minor as f64, 0.0, 1e9);
    if row.name.is_empty() || row.name.chars().count() > 120 {
        faults.push("name: 1 to 120 characters".to_owned());
    }
    let code = match catalogue_code(&row.code, row.kind) {
        Ok(code) => code,
        Err(fault) => {
            faults.push(fault);
            String::new()
        }
    };
    let weight = weight(&row).unwrap_or_else(|fault| {
        faults.push(fault);
        prior::net_only(1.0)
    });
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Product {
        id: row.id,
        code,
        name: row.name,
        kind: row.kind,
        price_minor: row.price_minor,
        weight,
        look_group: row.look_group,
        risk: row.risk,
        popularity: row.popularity,
    })
}

/// What the row says of the mass; what it leaves out follows from the label (FIELD 3.5).
fn weight(row: &Row) -> Result<WeightBelief, String> {
    let printed = match (row.gross_mean_g, row.net_g.filter(|net_g| *net_g > 0.0)) {
        (Some(mean_g), None) => {
            return match (row.gross_sd_g, row.mean_sd_g) {
                (Some(sd_g), Some(mean_sd_g)) => {
                    Ok(WeightBelief { mean_g, sd_g, mean_sd_g, source: row.weight_source })
                }
                (_, _) => Err("net_g: without it gross_sd_g and mean_sd_g must be there".to_owned()),
            };
        }
        (None, None) => return Err("gross_mean_g or net_g: one of them must be there".to_owned()),
        (Some(gross_g), Some(net_g)) => WeightBelief { mean_g: gross_g, ..prior::gross(gross_g, net_g) },
        (None, Some(net_g)) => prior::net_only(net_g),
    };
    Ok(WeightBelief {
        mean_g: printed.mean_g,
        sd_g: row.gross_sd_g.unwrap_or(printed.sd_g),
        mean_sd_g: row.mean_sd_g.unwrap_or(printed.mean_sd_g),
        source: row.weight_source,
    })
}

/// Rooms on floor 0 do not know each other, so that the check digit of a GTIN is the basket's affair: here only the form is normalised.
fn catalogue_code(code: &str, kind: Kind) -> Result<String, String> {
    let digits = !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit());
    match kind {
        Kind::Weighed if digits && code.len() == 5 => Ok(code.to_owned()),
        Kind::Weighed => Err(format!("code: '{code}' is no five-digit article number, as goods sold by weight have")),
        Kind::Piece | Kind::Varying if digits && [8, 12, 13, 14].contains(&code.len()) => Ok(format!("{code:0>14}")),
        Kind::Piece | Kind::Varying => Err(format!("code: '{code}' is no GTIN of 8, 12, 13 or 14 digits")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUTTER: &str = r#"{"id":"butter-250","code":"4006381333931","name":"Butter 250 g","kind":"piece","price_minor":229,"net_g":250.0,"gross_mean_g":256.1,"gross_sd_g":1.9,"mean_sd_g":0.8,"weight_source":"seeded","look_group":"butter","risk":"normal","popularity":1.0}"#;

    #[test]
    fn a_row_becomes_a_product() {
        let products = parse_ndjson(&format!("\n{BUTTER}\n")).unwrap();
        assert_eq!(products.len(), 1);
        assert_eq!(products[0].code, "04006381333931");
        assert_eq!(products[0].weight.mean_g, 256.1);
    }

    /// 250 g of content: 252.5 g with the usual overfill, 20 g of packaging give or take 32 g, half of 9 g of tolerance (FIELD 3.5).
    #[test]
    fn what_a_label_does_not_say_follows_from_it() {
        let label =
            BUTTER.replace(r#""gross_mean_g":256.1,"gross_sd_g":1.9,"mean_sd_g":0.8,"#, "").replace("seeded", "label");
        let weight = parse_ndjson(&label).unwrap()[0].weight;
        assert_eq!((weight.mean_g, weight.sd_g, weight.mean_sd_g), (272.5, 4.5, 32.0));
        let gross = BUTTER.replace(r#""gross_sd_g":1.9,"mean_sd_g":0.8,"#, "");
        let weight = parse_ndjson(&gross).unwrap()[0].weight;
        assert_eq!((weight.mean_g, weight.sd_g), (256.1, 4.5));
        let nothing = label.replace(r#""net_g":250.0,"#, "");
        let ImportFaults(faults) = parse_ndjson(&nothing).unwrap_err();
        assert!(faults[0].what.contains("gross_mean_g or net_g"), "{faults:?}");
    }

    #[test]
    fn every_fault_comes_with_its_line() {
        let heavy = BUTTER.replace("256.1", "-1").replace("butter-250", "b2").replace("4006381333931", "96385074");
        let file = format!("{BUTTER}\n{{\n{BUTTER}\n{heavy}\n");
        let ImportFaults(faults) = parse_ndjson(&file).unwrap_err();
        let lines: Vec<usize> = faults.iter().map(|f| f.line).collect();
        assert_eq!(lines, [2, 3, 3, 4], "{faults:?}");
        assert!(faults[3].what.starts_with("gross_mean_g: -1"));
    }

    #[test]
    fn an_empty_file_is_a_fault_not_an_empty_shop() {
        assert!(parse_ndjson("\n\n").is_err());
    }
}
