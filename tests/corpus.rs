//! What fuzzing found worth keeping, replayed: every input through every codec, held to the laws of `laws.rs`.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod laws;

use augenmass_core::weighing::wire::Protocol;
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
