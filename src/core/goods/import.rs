//! Rows of a catalogue file, made into products: all of them, or none and everything that is wrong.

use super::product::Product;
use super::row::{Row, RowFaults};
use std::collections::BTreeMap;
use std::fmt;

/// Most products of one catalogue.
pub const PRODUCTS_MAX: usize = 200_000;
/// Longest line of the file, bytes.
const LINE_MAX: usize = 16 * 1024;
/// After so many faults the rest of the file is not looked at: nobody reads further.
const FAULTS_MAX: usize = 1000;

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

/// Reads one product a line; blank lines are skipped. Check digits are not looked at.
///
/// # Errors
/// Every faulty line with what is wrong in it; then nothing of the file should be used.
pub fn parse_ndjson(text: &str) -> Result<Vec<Product>, ImportFaults> {
    assemble(ndjson_rows(text), &|_| true)
}

/// The rows of NDJSON with their lines.
pub fn ndjson_rows(text: &str) -> impl Iterator<Item = (usize, Result<Row, RowFaults>)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| (index + 1, ndjson_row(line)))
}

fn ndjson_row(line: &str) -> Result<Row, RowFaults> {
    if line.len() > LINE_MAX {
        return Err(vec![format!("longer than {LINE_MAX} bytes")]);
    }
    serde_json::from_str(line).map_err(|error| vec![error.to_string()])
}

/// Products as NDJSON, as [`parse_ndjson`] reads it.
pub fn to_ndjson(products: &[Product]) -> String {
    let mut text = String::new();
    for product in products {
        // A row always serialises: it holds only strings, finite numbers and enums without data.
        text.push_str(&serde_json::to_string(&Row::from(product)).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Products from rows with their lines. `is_gtin` says whether fourteen digits have a right check digit: that is the basket's affair.
///
/// # Errors
/// Every faulty row, and ids and codes that stand twice.
pub fn assemble(
    rows: impl Iterator<Item = (usize, Result<Row, RowFaults>)>,
    is_gtin: &dyn Fn(&str) -> bool,
) -> Result<Vec<Product>, ImportFaults> {
    let (mut products, mut faults): (Vec<Product>, Vec<ImportFault>) = (Vec::new(), Vec::new());
    let (mut ids, mut codes) = (BTreeMap::new(), BTreeMap::new());
    for (line, row) in rows {
        match row.and_then(|row| row.check(is_gtin)) {
            Ok(product) => {
                if let Some(first) = ids.insert(product.id.clone(), line) {
                    faults
                        .push(ImportFault { line, what: format!("id {} stands in line {first} already", product.id) });
                }
                if let Some(first) = codes.insert(product.code.clone(), line) {
                    let what = format!("code {} stands in line {first} already", product.code);
                    faults.push(ImportFault { line, what });
                }
                products.push(product);
            }
            Err(found) => faults.extend(found.into_iter().map(|what| ImportFault { line, what })),
        }
        if products.len() > PRODUCTS_MAX {
            faults.push(ImportFault { line, what: format!("more than {PRODUCTS_MAX} products") });
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

#[cfg(test)]
mod tests {
    use super::super::row::patched;
    use super::*;

    const BUTTER: &str = r#"{"id":"butter-250","code":"4006381333931","name":"Butter 250 g","kind":"piece","price_minor":229,"net_g":250.0,"gross_mean_g":256.1,"gross_sd_g":1.9,"mean_sd_g":0.8,"weight_source":"seeded","look_group":"butter","risk":"normal","popularity":1.0}"#;
    const CRATE: &str = r#"{"id":"beer-20","code":"4008400401621","name":"Beer 20x0.5 l","kind":"piece","price_minor":1599,"deposit_minor":310,"age_limit":16,"multipack_code":"40084015","multipack_count":20,"gross_mean_g":17500,"gross_sd_g":60,"mean_sd_g":20,"weight_source":"label"}"#;

    #[test]
    fn a_row_becomes_a_product() {
        let products = parse_ndjson(&format!("\n{BUTTER}\n{CRATE}\n")).unwrap();
        assert_eq!(products.len(), 2);
        assert_eq!((products[0].code.as_str(), products[0].terms.net_g), ("04006381333931", Some(250.0)));
        assert_eq!(products[0].weight.mean_g, 256.1);
        let crate_of_beer = &products[1].terms;
        assert_eq!((crate_of_beer.age_limit, crate_of_beer.deposit_minor), (Some(16), Some(310)));
        assert_eq!(
            crate_of_beer.multipack.as_ref().map(|pack| (pack.code.as_str(), pack.count)),
            Some(("00000040084015", 20))
        );
    }

    #[test]
    fn what_was_written_is_read_the_same() {
        let products = parse_ndjson(&format!("{BUTTER}\n{CRATE}")).unwrap();
        assert_eq!(parse_ndjson(&to_ndjson(&products)).unwrap(), products);
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
    fn codes_are_gtins_or_article_numbers() {
        let with =
            |code: &str| assemble(ndjson_rows(&BUTTER.replace("4006381333931", code)), &|gtin| gtin.ends_with('1'));
        for (code, kept) in [("04011", "04011"), ("4011", "4011"), ("4006381333931", "04006381333931")] {
            assert_eq!(with(code).unwrap()[0].code, kept);
        }
        for (code, says) in [("4006381333932", "check digit"), ("123", "neither"), ("12a45", "digits"), ("", "neither")]
        {
            assert!(with(code).unwrap_err().0[0].what.contains(says), "{code}");
        }
    }

    #[test]
    fn terms_that_contradict_themselves_are_refused() {
        for (from, to, says) in [
            (r#""multipack_count":20,"#, "", "both"),
            (r#""multipack_count":20"#, r#""multipack_count":1"#, "2 to 999"),
            (r#""age_limit":16"#, r#""age_limit":0"#, "age_limit"),
            (r#""deposit_minor":310"#, r#""deposit_minor":-1"#, "deposit_minor"),
            (r#""deposit_minor":310"#, r#""price_per_kg_minor":310"#, "weighed"),
            (r#""deposit_minor""#, r#""pfand_minor""#, "unknown field"),
        ] {
            let ImportFaults(faults) = parse_ndjson(&CRATE.replace(from, to)).unwrap_err();
            assert!(faults[0].what.contains(says), "{to}: {faults:?}");
        }
    }

    /// What follows from a label is kept in full and must be taken again: found by the laws on catalogues.
    #[test]
    fn a_label_that_makes_no_unit_is_refused() {
        let row = |net_g: &str| {
            let text = r#"{"id":"x","code":"4011","name":"X","kind":"piece","price_minor":1,"net_g":N,"weight_source":"label"}"#;
            parse_ndjson(&text.replace('N', net_g))
        };
        for net_g in ["1e-300", "0.05", "100000"] {
            assert!(row(net_g).unwrap_err().0[0].what.starts_with("net_g: it makes a unit of"), "{net_g}");
        }
        let kept = row("0.5").unwrap();
        assert_eq!(parse_ndjson(&to_ndjson(&kept)).unwrap(), kept);
    }

    #[test]
    fn an_empty_file_is_a_fault_not_an_empty_shop() {
        assert!(parse_ndjson("\n\n").is_err());
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let beer = parse_ndjson(CRATE).unwrap().remove(0);
        let patch = |json: &str| patched(&beer, &serde_json::from_str(json).unwrap(), &|_| true);
        let cheaper = patch(r#"{"price_minor":1499,"age_limit":null}"#).unwrap();
        assert_eq!(
            (cheaper.price_minor, cheaper.terms.age_limit, cheaper.terms.deposit_minor),
            (1499, None, Some(310))
        );
        for bad in [r#"{"id":"other"}"#, r#"{"name":null}"#, r#"{"gross_mean_g":-1}"#, r#"{"colour":"red"}"#] {
            assert!(patch(bad).is_err(), "{bad}");
        }
    }
}
