//! What the shop knows of its goods: weight beliefs, looks, containers. An immutable snapshot for the length of an attempt.

pub mod catalogue;
pub mod container;
pub mod diff;
pub mod gallery;
pub mod heft;
pub mod import;
pub mod learn;
pub mod look;
pub mod masses;
pub mod product;
pub mod row;

pub use catalogue::Catalogue;
pub use container::{BagBelief, BagKind, ContainerBelief};
pub use diff::{Change, diff};
pub use gallery::{Gallery, LookSet};
pub use heft::{Heft, Hefts};
pub use import::{ImportFault, ImportFaults, assemble, parse_ndjson, to_ndjson};
pub use look::{LookCalibration, LookVector};
pub use masses::{MassDensity, Masses};
pub use product::{Kind, Multipack, Product, Risk, Terms, WeightBelief, WeightSource};
pub use row::{Row, RowFaults, patched};
