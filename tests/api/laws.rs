//! What holds for every catalogue file and every token, on what was worth keeping and on spoilt forms of it.

#[path = "../catalogue_laws.rs"]
mod catalogue_laws;
#[path = "../token_laws.rs"]
mod token_laws;

use augenmass::access::{app_token, exit_token};
use augenmass::io::store::{CatalogueFormat, read_catalogue};
use proptest::prelude::*;
use std::path::Path;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let files: Vec<Vec<u8>> = files.collect();
    assert!(files.len() >= 40, "the corpus has gone missing");
    files
}

fn hold_catalogue(input: &[u8]) {
    let format = |csv| if csv { CatalogueFormat::Csv } else { CatalogueFormat::Ndjson };
    catalogue_laws::hold(input, |text, csv| read_catalogue(text, format(csv)));
}

#[test]
fn every_input_of_the_corpus_keeps_the_laws() {
    corpus("catalogue-corpus").iter().for_each(|input| hold_catalogue(input));
    corpus("token-corpus").iter().for_each(|input| token_laws::hold(input));
}

/// Where another input is cut in, from where and how much of it, and single bytes that are replaced.
type Spoiling = ((usize, usize, usize, usize, usize), Vec<(usize, u8)>);

fn spoiling() -> impl Strategy<Value = Spoiling> {
    let byte = prop_oneof![Just(b'0'), Just(b'9'), Just(b'"'), Just(b'-'), Just(b','), Just(b'\n'), any::<u8>()];
    let places = (any::<usize>(), any::<usize>(), any::<usize>(), any::<usize>(), 0usize..24);
    (places, proptest::collection::vec((any::<usize>(), byte), 0..4))
}

fn spoilt(inputs: &[Vec<u8>], ((one, other, cut, from, long), hits): Spoiling) -> Vec<u8> {
    let (mut bytes, other) = (inputs[one % inputs.len()].clone(), &inputs[other % inputs.len()]);
    let (cut, from) = (cut % bytes.len(), from % other.len());
    let end = bytes.len().min(cut + long);
    bytes.splice(cut..end, other[from..other.len().min(from + long)].to_vec());
    for (at, byte) in hits {
        let at = at % bytes.len().max(1);
        bytes.get_mut(at).into_iter().for_each(|place| *place = byte);
    }
    bytes
}

proptest! {
    #[test]
    fn catalogues_that_are_spoilt_keep_the_laws(spoiling in spoiling()) {
        thread_local!(static INPUTS: Vec<Vec<u8>> = corpus("catalogue-corpus"));
        INPUTS.with(|inputs| hold_catalogue(&spoilt(inputs, spoiling)));
    }

    #[test]
    fn tokens_that_are_spoilt_keep_the_laws(spoiling in spoiling()) {
        thread_local!(static INPUTS: Vec<Vec<u8>> = corpus("token-corpus"));
        INPUTS.with(|inputs| token_laws::hold(&spoilt(inputs, spoiling)));
    }
}
