//! `tests/token_laws.rs` on tokens of apps and for the exit.
#![no_main]
#![allow(dead_code, reason = "the daemon uses more of them than the laws do")]

#[path = "../../src/access/app_token.rs"]
mod app_token;
#[path = "../../src/access/exit_token.rs"]
mod exit_token;
#[path = "../../tests/token_laws.rs"]
mod token_laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| token_laws::hold(input));
