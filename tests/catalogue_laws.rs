//! What holds for every catalogue file: the replay of the corpus (`tests/api/laws.rs`) and the fuzz target (`fuzz/`) hold the import to
//! these same laws.

use augenmass_core::goods::{Catalogue, ImportFaults, Product, to_ndjson};

/// Fails unless a file keeps all laws: one byte whose lowest bit says that it is CSV, and the file. `read` is the import.
pub fn hold(input: &[u8], read: impl Fn(&str, bool) -> Result<Vec<Product>, ImportFaults>) {
    let Some((choice, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let csv = choice & 1 == 1;
    let told = read(text, csv);
    assert_eq!(told, read(text, csv), "the same twice");
    match told {
        Err(ImportFaults(faults)) => {
            assert!(!faults.is_empty(), "refused for nothing");
            let lines = text.lines().count().max(1);
            for fault in faults {
                assert!(!fault.what.is_empty() && (1..=lines + 1).contains(&fault.line), "{fault:?} of {lines} lines");
            }
        }
        Ok(products) => {
            for product in &products {
                let weight = &product.weight;
                assert!(weight.mean_g > 0.0 && weight.mean_g <= 1e5, "{product:?}");
                assert!((0.0..=1e6).contains(&weight.sd_g) && (0.0..=1e6).contains(&weight.mean_sd_g), "{product:?}");
                assert!(product.price_minor >= 0 && product.popularity > 0.0, "{product:?}");
                let portion = product.mass_of_price(product.price_minor, 1);
                assert!(
                    portion.is_none_or(|(net_g, sigma_g)| net_g > 0.0 && net_g <= 1e5 && sigma_g > 0.0),
                    "{product:?}"
                );
            }
            // What is exported is imported as the same, with the same hash.
            let again = read(&to_ndjson(&products), false);
            assert!(again.as_ref().is_ok_and(|again| *again == products), "{products:?} {again:?}");
            let count = products.len();
            let catalogue = Catalogue::new(products.clone());
            assert_eq!(catalogue.hash(), Catalogue::new(products).hash());
            assert_eq!(catalogue.products().len(), count);
        }
    }
}
