//! What the shopper says: lines, containers, bags, and what their codes mean.

pub mod codes;
pub mod list;
pub mod scanner;

pub use codes::{Code, CodeFault, InStorePattern, PatternFault};
pub use list::{Bags, Basket, BasketFault, Checked, Container, ContainerKind, Line, Shopper, Source, Today};
