//! What fuzzing found worth keeping, replayed: every input through every codec, held to the laws of `laws.rs`.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod basket_laws;
mod laws;

use augenmass_core::weighing::wire::Protocol;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All inputs, by their place.
fn corpus() -> BTreeMap<PathBuf, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    files.map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

#[test]
fn every_input_through_every_codec() {
    let corpus = corpus();
    for protocol in Protocol::ALL {
        let own = corpus.keys().filter(|file| file.parent().unwrap().ends_with(protocol.name())).count();
        // The dialogs are one codec.
        let shared = matches!(protocol, Protocol::Dialog04 | Protocol::Dialog02);
        assert!(own >= 5 || shared, "{}: the corpus has gone missing", protocol.name());
        for input in corpus.values() {
            laws::hold(protocol, input);
        }
    }
}

/// An input that repeats is where a decoder that forgets nothing would grow.
#[test]
fn nothing_grows() {
    for (file, input) in corpus() {
        let folder = file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let protocol = Protocol::parse(&folder).unwrap();
        if let [choice, split, bytes @ ..] = input.as_slice() {
            let long = bytes.iter().cycle().take(if bytes.is_empty() { 0 } else { 16_384 });
            laws::hold(protocol, &[*choice, *split].iter().chain(long).copied().collect::<Vec<u8>>());
        }
    }
}

/// Every list that was worth keeping, as it is.
fn lists() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/basket-corpus");
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 40, "the corpus has gone missing");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_list_keeps_the_laws() {
    lists().iter().for_each(|list| basket_laws::hold(list));
}

/// Bytes of one list in the middle of another, and single ones replaced.
fn spliced(
    lists: &[Vec<u8>],
    (one, other, cut, from, long): (usize, usize, usize, usize, usize),
    hits: &[(usize, u8)],
) -> Vec<u8> {
    let (mut bytes, other) = (lists[one % lists.len()].clone(), &lists[other % lists.len()]);
    if bytes.is_empty() || other.is_empty() {
        return bytes;
    }
    let from = from % other.len();
    let piece = other[from..other.len().min(from + long)].to_vec();
    let cut = cut % bytes.len();
    bytes.splice(cut..bytes.len().min(cut + long), piece);
    for (at, byte) in hits {
        let at = at % bytes.len().max(1);
        bytes.get_mut(at).into_iter().for_each(|place| *place = *byte);
    }
    bytes
}

proptest! {
    #[test]
    fn lists_that_are_spoilt_keep_the_laws(
        places in (any::<usize>(), any::<usize>(), any::<usize>(), any::<usize>(), 0usize..24),
        hits in proptest::collection::vec((any::<usize>(), prop_oneof![Just(b'0'), Just(b'9'), Just(b'"'), Just(b'-'), any::<u8>()]), 0..4),
    ) {
        thread_local!(static LISTS: Vec<Vec<u8>> = lists());
        LISTS.with(|lists| basket_laws::hold(&spliced(lists, places, &hits)));
    }
}
