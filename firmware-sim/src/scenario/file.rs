//! Scenario files.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::stage::{Command, GoodsLine};

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the scenario {path}: {source}")]
    Read {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, or not a scenario; the message names line and column.
    #[error("the scenario {path} is not understood:\n{source}")]
    Parse {
        /// The file asked for.
        path: PathBuf,
        /// What the parser said.
        source: Box<toml::de::Error>,
    },
    /// A visit that cannot be.
    #[error("the scenario {path}, visit {visit}: {fault}")]
    Visit {
        /// The file asked for.
        path: PathBuf,
        /// Its number, from 1.
        visit: usize,
        /// What is wrong.
        fault: &'static str,
    },
}

/// A scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// One shopper after the other.
    #[serde(rename = "visit")]
    pub visits: Vec<Visit>,
}

/// One shopper.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// What is true: a [`Truth`] where goods are drawn, free text where steps are given.
    pub truth: String,
    /// Units to draw and scan; only where no steps are given.
    pub items: Option<u32>,
    /// Outcome of each attempt; only where no steps are given (they say it themselves).
    #[serde(default)]
    pub expect: Vec<String>,
    /// What happens, in order.
    #[serde(rename = "step", default)]
    pub steps: Vec<Step>,
}

/// One step of a visit; exactly one of `plate`, `app` and `expect` is given.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Not before so many seconds after the visit began.
    #[serde(default)]
    pub at_s: f64,
    /// Something is done at the station.
    pub plate: Option<Command>,
    /// The shopper uses the app.
    pub app: Option<AppStep>,
    /// The next attempt's outcome.
    pub expect: Option<String>,
}

impl Step {
    /// A deed at the station.
    pub(super) fn plate(at_s: f64, command: Command) -> Self {
        Self { at_s, plate: Some(command), ..Self::default() }
    }

    /// A use of the app.
    pub(super) fn app(step: AppStep) -> Self {
        Self { app: Some(step), ..Self::default() }
    }

    /// The next attempt's outcome.
    pub(super) fn expect(outcome: &str) -> Self {
        Self { expect: Some(outcome.to_owned()), ..Self::default() }
    }
}

/// What a shopper does with the app.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AppStep {
    /// Sends the whole list, as a new revision. Units sold by weight need `unit_g`: it stands on their label.
    Scan {
        /// What was scanned.
        goods: Vec<GoodsLine>,
        /// Own bags declared.
        #[serde(default)]
        bags: u32,
        /// Container declared; the station's first kind when left out.
        container: Option<String>,
        /// Which of the store's own.
        container_id: Option<String>,
    },
    /// Asks the station to validate.
    Validate,
    /// "I have put it right."
    Retry,
}

/// What a drawn visit plants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Everything scanned, once.
    Honest,
    /// One article too many lies there.
    Unscanned,
    /// One article was scanned, another lies there.
    Swapped,
    /// A scanned line is not there.
    Absent,
    /// A line's count is wrong.
    Quantity,
    /// Honest, with a declared own bag.
    BagDeclared,
    /// Unscanned at first; told so, the shopper scans it.
    Corrected,
    /// Honest; a board's cable is pulled while the basket stands there, and put back.
    Cable,
}

impl Truth {
    /// The name in scenario files.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            ("honest", Self::Honest),
            ("unscanned", Self::Unscanned),
            ("swapped", Self::Swapped),
            ("absent", Self::Absent),
            ("quantity", Self::Quantity),
            ("bag_declared", Self::BagDeclared),
            ("corrected", Self::Corrected),
            ("cable", Self::Cable),
        ];
        all.into_iter().find(|(known, _)| *known == name).map(|(_, truth)| truth)
    }
}

impl Script {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// See [`ScriptError`].
    pub fn read(path: &Path) -> Result<Self, ScriptError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ScriptError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// As [`Script::read`], from text; `path` only stands in messages.
    ///
    /// # Errors
    /// See [`ScriptError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScriptError> {
        let script: Self = toml::from_str(text)
            .map_err(|source| ScriptError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        for (index, visit) in script.visits.iter().enumerate() {
            if let Some(fault) = visit.fault() {
                return Err(ScriptError::Visit { path: path.to_owned(), visit: index + 1, fault });
            }
        }
        Ok(script)
    }
}

impl Visit {
    fn fault(&self) -> Option<&'static str> {
        if self.steps.is_empty() {
            return match (Truth::parse(&self.truth), self.items) {
                (None, _) => Some(
                    "without steps, truth is one of honest, unscanned, swapped, absent, quantity, bag_declared, corrected, cable",
                ),
                (Some(_), None | Some(0)) => Some("without steps, items must say how many units are scanned"),
                (Some(_), Some(201..)) => Some("at most 200 items"),
                (Some(_), Some(_)) if self.expect.is_empty() => {
                    Some("without steps, expect must name an outcome an attempt")
                }
                (Some(_), Some(_)) => None,
            };
        }
        if self.items.is_some() || !self.expect.is_empty() {
            return Some("with steps, items and expect have no place beside them");
        }
        let said = |step: &Step| [step.plate.is_some(), step.app.is_some(), step.expect.is_some()];
        if self.steps.iter().any(|step| said(step).into_iter().filter(|said| *said).count() != 1) {
            return Some("each step needs exactly one of plate, app and expect");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Script, ScriptError> {
        Script::parse(text, Path::new("test.toml"))
    }

    #[test]
    fn reads_drawn_visits_and_steps() {
        let script = parse(
            r#"
            [[visit]]
            truth = "honest"
            items = 12
            expect = ["pass"]

            [[visit]]
            truth = "cable, by hand"
            [[visit.step]]
            app = { scan = { goods = [{ id = "butter-250", quantity = 2 }], bags = 1 } }
            [[visit.step]]
            app = "validate"
            [[visit.step]]
            at_s = 1.5
            plate = { do = "unplug", board = "plate" }
            [[visit.step]]
            expect = "unavailable"
            "#,
        )
        .unwrap();
        assert_eq!(script.visits[0].items, Some(12));
        let steps = &script.visits[1].steps;
        assert_eq!(steps[1].app, Some(AppStep::Validate));
        assert_eq!(steps[2].plate, Some(Command::Unplug { board: "plate".into() }));
        assert_eq!(steps[2].at_s, 1.5);
        assert!(matches!(&steps[0].app, Some(AppStep::Scan { goods, bags: 1, .. }) if goods[0].quantity == 2));
    }

    #[test]
    fn refuses_what_cannot_be_played() {
        for (text, word) in [
            ("[[visit]]\ntruth = \"theft\"\nitems = 3\nexpect = [\"pass\"]", "bag_declared"),
            ("[[visit]]\ntruth = \"honest\"\nexpect = [\"pass\"]", "items"),
            ("[[visit]]\ntruth = \"honest\"\nitems = 3", "expect"),
            ("[[visit]]\ntruth = \"x\"\n[[visit.step]]\nat_s = 1.0", "exactly one"),
            ("[[visit]]\ntruth = \"x\"\n[[visit.step]]\nplate = { do = \"fly\" }", "fly"),
            ("[[visit]]\ntruth = \"honest\"\nitem = 3", "item"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn the_demo_is_a_scenario() {
        let script = parse(include_str!("../../scenarios/demo.toml")).unwrap();
        assert!(script.visits.len() >= 10);
        let expected = |truth: &str| script.visits.iter().filter(|visit| visit.truth == truth).count();
        assert_eq!(expected("unscanned"), 2);
        assert_eq!(expected("cable"), 1);
    }
}
