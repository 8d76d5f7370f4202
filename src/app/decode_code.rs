//! `augenmass decode code`: what a scanned text means, as JSON.

use super::config::StationConfig;
use augenmass_core::basket::codes::{self, InStorePattern};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// The text, and by whose templates it is read.
#[derive(Clone, Debug, Args)]
pub struct CodeArguments {
    /// What the scanner gave: digits, a GS1 element string (raw with FNC1 as group separator or `^`, or in brackets), a GS1 Digital
    /// Link; with or without a symbology identifier such as `]C1`.
    #[arg(allow_hyphen_values = true)]
    pub text: String,
    /// A station file, for its `in_store_codes`.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// A template of the store's own codes, such as `29IIIIIWWWWWC`; before those of the station file.
    #[arg(long)]
    pub template: Vec<InStoreText>,
}

/// A template as an argument.
#[derive(Clone, Debug)]
pub struct InStoreText(InStorePattern);

impl std::str::FromStr for InStoreText {
    type Err = codes::PatternFault;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        InStorePattern::try_from(text.to_owned()).map(Self)
    }
}

/// The answer as one JSON object, and whether the text is a code.
pub fn decode_code(arguments: &CodeArguments, station: Option<&StationConfig>) -> (serde_json::Value, bool) {
    let of_station = station.iter().flat_map(|station| &station.in_store_codes);
    let of_station = of_station.filter_map(|text| InStorePattern::try_from(text.clone()).ok());
    let templates: Vec<InStorePattern> =
        arguments.template.iter().map(|text| text.0.clone()).chain(of_station).collect();
    match codes::read(&arguments.text, &templates) {
        Ok(reading) => (json!(reading), true),
        Err(fault) => {
            let mut told = json!(fault);
            told["message"] = json!(fault.to_string());
            (json!({ "fault": told }), false)
        }
    }
}
