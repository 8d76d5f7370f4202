//! What the shopper says: lines, containers, bags, and what their codes mean.

pub mod code;
pub mod list;

pub use code::{Code, CodeFault, InStorePattern, PatternFault};
pub use list::{Bags, Basket, BasketFault, Container, ContainerKind, Line, Shopper, Source};
