//! What the shopper reads: a type of its own, so that internal reasons cannot leak into it. Never accusing.

use serde::{Deserialize, Serialize};

/// A message by key and arguments, so that apps can say it in their own language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "key", content = "args", rename_all = "snake_case")]
pub enum Message {
    /// Everything fits.
    AllRight {},
    /// One article may not have been scanned.
    MaybeMissing {
        /// Its name.
        name: String,
    },
    /// Something more than the list.
    MoreThanList {
        /// About how many grams, rounded to ten.
        grams: i64,
    },
    /// Something less than the list.
    LessThanList {
        /// About how many grams, rounded to ten.
        grams: i64,
    },
    /// Scanned, but it does not seem to be there: nobody should pay for it.
    NotThere {
        /// Its name.
        name: String,
    },
    /// The number of one article may differ.
    OtherQuantity {
        /// Its name.
        name: String,
        /// Units scanned.
        scanned: u32,
        /// Units that seem to be there.
        found: u32,
    },
    /// Another article may lie there than was scanned.
    MaybeOther {
        /// The scanned article.
        name: String,
        /// The other one.
        instead: String,
    },
    /// Staff will have a look.
    StaffWillHelp {},
    /// The basket is right, and something in it is sold from an age on: staff will see to that.
    AgeCheck {
        /// That age.
        years: u8,
    },
    /// The station cannot weigh or look just now.
    StationBusy {},
    /// More stands on the plate than the station may weigh.
    TooHeavy {},
}

impl Message {
    /// In plain English, for the display and for people with a terminal.
    pub fn english(&self) -> String {
        match self {
            Self::AllRight {} => "Everything fits. Thank you!".to_owned(),
            Self::MaybeMissing { name } => {
                format!("{name} may not be on your list yet. Please scan it, or take it out.")
            }
            Self::MoreThanList { grams } => {
                format!("There is about {grams} g more here than on your list. Please have a quick look.")
            }
            Self::LessThanList { grams } => format!(
                "There is about {grams} g less here than on your list. Please have a quick look, so that you don't pay too much."
            ),
            Self::NotThere { name } => {
                format!("{name} is on your list, but does not seem to be here. You need not pay for it.")
            }
            Self::OtherQuantity { name, scanned, found } => {
                format!("{name}: {scanned} on your list, {found} here, it seems. Please check the number.")
            }
            Self::MaybeOther { name, instead } => {
                format!("{name} is on your list; here it looks like {instead}. Please check.")
            }
            Self::StaffWillHelp {} => "Someone will come and help you in a moment.".to_owned(),
            Self::AgeCheck { years } => {
                format!(
                    "Everything fits. Someone will check your age in a moment: some of it is sold from {years} years on."
                )
            }
            Self::TooHeavy {} => {
                "This is more than this station can weigh. Please take something off, or ask for help.".to_owned()
            }
            Self::StationBusy {} => {
                "One moment, please: the station is not ready. Your basket stays as it is.".to_owned()
            }
        }
    }
}

/// Grams as a shopper reads them: to ten, never zero.
pub fn about(grams: f64) -> i64 {
    (((grams.abs() / 10.0).round() * 10.0) as i64).max(10)
}
