//! `tests/laws.rs` on toledo-continuous.
#![no_main]

#[path = "../../tests/laws.rs"]
mod laws;

use augenmass_core::weighing::wire::Protocol;

libfuzzer_sys::fuzz_target!(|input: &[u8]| laws::hold(Protocol::ToledoContinuous, input));
