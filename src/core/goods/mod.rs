//! What the shop knows of its goods: weight beliefs, looks, containers. An immutable snapshot for the length of an attempt.

pub mod catalogue;
pub mod container;
pub mod import;
pub mod learn;
pub mod look;
pub mod masses;
pub mod product;

pub use catalogue::Catalogue;
pub use container::{BagBelief, BagKind, ContainerBelief};
pub use import::{ImportFault, ImportFaults, parse_ndjson};
pub use look::{Gallery, LookCalibration, LookVector};
pub use masses::{MassDensity, Masses};
pub use product::{Kind, Product, Risk, WeightBelief, WeightSource};
