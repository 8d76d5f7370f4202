//! The daemon around [`augenmass_core`]: rooms with doors (`io`), who may do what (`access`),
//! the local API (`api`) and the wiring (`app`). See ARCHITECTURE.md for the floors.

pub mod access;
pub mod api;
pub mod app;
pub mod io;
