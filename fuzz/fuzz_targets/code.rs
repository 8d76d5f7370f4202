//! `tests/code_laws.rs` on the reader of codes.
#![no_main]

#[path = "../../tests/code_laws.rs"]
mod code_laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| code_laws::hold(input));
