//! The API in process: the real router, driver, machine and SQLite file; no port and no camera, so that the scale is out.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod access;
mod catalogue;
mod contract;
mod devices;
mod events;
mod exit;
mod laws;
mod limits;
mod office;
mod pages;
mod staff;
mod staff_desk;
mod station;
mod tls;
mod visits;
