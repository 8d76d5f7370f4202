//! The station file: what stands where, and what the retailer wants.
//!
//! Written by hand by people who install stations, so a file with several mistakes is answered with
//! all of them at once, each with its line and its mend.

mod faults;
mod instruments;
mod reader;
mod sections;
mod station;

pub use faults::{ConfigFault, ConfigFaults};
pub use station::{
    AgeCheck, Api, Bags, BoardConfig, CameraConfig, Cell, Container, ContainerKind, IndicatorConfig, Journal, Line,
    Models, Parity, Platform, Policy, Privacy, Scanner, Station, StationConfig, Tls, WithoutCamera,
};

use reader::{Faults, Table};
use toml::de::DeTable;

/// Reads and checks a whole station file. Pure: paths are checked for form only, not for existence.
///
/// `text` is the file's content (TOML 1.0), `file_name` is only for the messages.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines: syntax, unknown or missing keys,
/// wrong types, values out of range, and values that contradict each other.
pub fn parse(text: &str, file_name: &str) -> Result<StationConfig, ConfigFaults> {
    let faults = Faults::new(text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let start = error.span().map_or(0, |span| span.start);
        faults.syntax(start, error.message());
    }
    let top = Table::top(document.get_ref(), &faults);
    let station = sections::station_file(&top);
    match station {
        Some(station) if faults.is_empty() => Ok(station),
        _ => Err(faults.into_report(file_name)),
    }
}

#[cfg(test)]
mod tests;
