//! `tests/basket_laws.rs` on the check of lists.
#![no_main]

#[path = "../../tests/basket_laws.rs"]
mod basket_laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| basket_laws::hold(input));
