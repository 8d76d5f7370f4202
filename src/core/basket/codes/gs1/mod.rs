//! GS1 element strings: one table of application identifiers, the rules of their values, and the three ways to write them (raw with
//! FNC1, in brackets, as a GS1 Digital Link).
//!
//! Formats after the GS1 General Specifications, the GS1 Barcode Syntax Dictionary, and GS1 Digital Link: URI Syntax.

mod associations;
mod coupon;
mod element;
mod link;
mod lists;
mod rule;
mod table;

pub use element::{Element, bracketed, raw};
pub use link::{digital_link, looks_like_a_link};
pub use rule::Rule;
