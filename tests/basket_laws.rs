//! What holds for every body that is sent as a list: the replay of the corpus (`tests/corpus.rs`) and the fuzz target (`fuzz/`) hold the
//! checks to these same laws.

use augenmass_core::basket::codes::Code;
use augenmass_core::basket::{Basket, InStorePattern, Today};
use augenmass_core::units::Wall;

/// Most units of a line, as the API documents it.
const QUANTITY_MAX: u32 = 999;
/// Most lines of a list, as the API documents it.
const LINES_MAX: usize = 500;

/// Fails unless a body keeps all laws.
pub fn hold(input: &[u8]) {
    let Ok(basket) = serde_json::from_slice::<Basket>(input) else { return };
    let written = serde_json::to_vec(&basket).unwrap_or_default();
    let again = serde_json::from_slice::<Basket>(&written);
    assert!(again.as_ref().is_ok_and(|again| *again == basket), "kept otherwise than it was sent: {basket:?}");
    let templates =
        ["2IIIIIVPPPPPC", "29IIIIIWWWWWC g=10", "28IIIIIPPPPPC minor=10", "24IIIII_NNNNC", "voucher 26_____PPPPPC"];
    let templates: Vec<InStorePattern> =
        templates.iter().filter_map(|text| InStorePattern::try_from((*text).to_owned()).ok()).collect();
    // 2026-11-21T18:00:00Z.
    let today = Today::of(Wall::from_ms(1_795_284_000_000));
    let told = basket.check(&templates, today);
    assert_eq!(told, basket.check(&templates, today), "the same twice");
    match told {
        Err(faults) => {
            assert!(!faults.is_empty(), "refused for nothing");
            // Every fault is told in words, and of a line that is there.
            for fault in faults {
                let text = fault.to_string();
                let line = text.strip_prefix("lines[").and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
                assert!(!text.is_empty() && line.is_none_or(|line| line < basket.lines.len()), "{text}");
            }
        }
        Ok(checked) => {
            assert!(basket.lines.len() <= LINES_MAX);
            assert_eq!(checked.goods.lines.len(), checked.codes.len());
            let mut sent = basket.lines.iter();
            for (line, (code, units)) in checked.goods.lines.iter().zip(&checked.codes) {
                assert!(sent.any(|sent| sent == line), "a line that was not sent, or not in its place: {line:?}");
                assert!((1..=QUANTITY_MAX).contains(units) && *units >= line.quantity, "{units} of {line:?}");
                assert!(!code.key().is_empty(), "{line:?}");
                match code {
                    Code::Weighed { mass, .. } => assert!(mass.mg() >= 0, "{line:?}"),
                    Code::Priced { price, .. } => assert!(price.minor >= 0 && price.step_minor >= 1, "{line:?}"),
                    Code::Gtin(_) => {}
                }
            }
            assert!((0.0..=1e9).contains(&checked.goods.bags.grams.unwrap_or(0.0)), "{:?}", checked.goods.bags);
        }
    }
}
