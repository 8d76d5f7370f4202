//! What holds for every text that is read as a code: the replay of the corpus (`tests/codes.rs`) and the fuzz target (`fuzz/`) hold
//! the reader to these same laws.

use augenmass_core::basket::codes::{CodeFault, InStorePattern, Reading, read};

/// Fails unless the reader keeps all laws on this input: one byte that chooses templates, and the text.
pub fn hold(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let templates = templates(*choice);
    let told = read(text, &templates);
    assert_eq!(told, read(text, &templates), "the same twice");
    match told {
        Ok(reading) => understood(&reading),
        Err(fault) => refused(text, &fault),
    }
}

fn templates(choice: u8) -> Vec<InStorePattern> {
    let all =
        ["2IIIIIVPPPPPC", "29IIIIIWWWWWC g=10", "voucher 26_____PPPPPC", "97EEEEEEEEEEEEEPPPPPP_", "2IIIIIVPPPPC"];
    let chosen = all.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1);
    chosen.filter_map(|(_, text)| InStorePattern::try_from((*text).to_owned()).ok()).collect()
}

fn refused(text: &str, fault: &CodeFault) {
    assert!(fault.at <= text.len() && !fault.to_string().is_empty(), "{text}: {fault:?}");
}

fn understood(reading: &Reading) {
    assert!(!reading.is_massless() || reading.goods().is_none(), "{reading:?}");
    assert!(reading.weight_g.is_none_or(|grams| (0.0..1e9).contains(&grams)), "{reading:?}");
    if let Some(gtin) = &reading.gtin {
        assert!(gtin.len() == 14 && gtin.bytes().all(|byte| byte.is_ascii_digit()), "{reading:?}");
    }
    // What was understood of an element string or a link, written in brackets, is understood the same.
    if !reading.ais.is_empty() {
        let element = |(ai, value): (&String, &String)| format!("({ai}){}", value.replace('(', "\\("));
        let again = read(&reading.ais.iter().map(element).collect::<String>(), &[]);
        assert!(again.as_ref().is_ok_and(|again| again.ais == reading.ais), "{reading:?} {again:?}");
    }
}
