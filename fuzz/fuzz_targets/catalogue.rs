//! `tests/catalogue_laws.rs` on the import of catalogues.
#![no_main]

#[path = "../../tests/catalogue_laws.rs"]
mod catalogue_laws;
#[path = "../../src/io/store/csv.rs"]
mod rows;

use augenmass_core::basket::codes::check_digit;
use augenmass_core::goods::import::ndjson_rows;
use augenmass_core::goods::{ImportFaults, Product, assemble};

fn is_gtin(gtin: &str) -> bool {
    gtin.len() > 1 && gtin.ends_with(&check_digit(&gtin[..gtin.len() - 1]).to_string())
}

fn read(text: &str, csv: bool) -> Result<Vec<Product>, ImportFaults> {
    if csv { assemble(rows::csv_rows(text), &is_gtin) } else { assemble(ndjson_rows(text), &is_gtin) }
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| catalogue_laws::hold(input, read));
