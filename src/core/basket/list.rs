//! The whole list as an app or handheld sends it, checked once and then trusted.

use super::code::{Code, CodeFault, InStorePattern};
use serde::{Deserialize, Serialize};

/// Most lines of one basket.
pub const LINES_MAX: usize = 500;
/// Most units of one line.
pub const QUANTITY_MAX: u32 = 999;
/// Most containers of one basket.
pub const CONTAINERS_MAX: usize = 4;
/// Most own bags of one basket.
pub const BAGS_MAX: u32 = 20;
/// Heaviest declared weight of all own bags together, grams.
pub const BAGS_MAX_G: f64 = 5000.0;

/// Who sent the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The shopper's own phone.
    App,
    /// A scanner lent by the store.
    Handheld,
}

/// What the goods lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerKind {
    /// A shopping trolley.
    Trolley,
    /// A hand basket.
    Basket,
    /// Goods right on the plate.
    None,
}

impl ContainerKind {
    /// As in the station file and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trolley => "trolley",
            Self::Basket => "basket",
            Self::None => "none",
        }
    }
}

/// One container of the visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// What it is.
    pub kind: ContainerKind,
    /// Which one it is, where the store marks them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The shopper's own bags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bags {
    /// How many.
    pub count: u32,
    /// What they weigh together in grams, where the shopper or the store knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grams: Option<f64>,
}

/// What is known of the shopper: nothing that names a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shopper {
    /// A name that means nothing outside the store's own system.
    pub pseudonym: String,
    /// Whether this is the first visit with scan-and-go.
    #[serde(default)]
    pub first_visit: bool,
}

/// One scanned line as sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The code as scanned.
    pub code: String,
    /// How many units; two portions with the same weight label are two.
    pub quantity: u32,
    /// When it was scanned, RFC 3339; kept for staff, decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanned_at: Option<String>,
}

/// The whole list of one basket at one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    /// Counts up with each change of the list.
    pub revision: u64,
    /// Who sent it.
    pub source: Source,
    /// What the goods lie in.
    #[serde(default)]
    pub containers: Vec<Container>,
    /// Own bags.
    #[serde(default)]
    pub bags: Bags,
    /// The shopper, if the store's system says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shopper: Option<Shopper>,
    /// What was scanned.
    pub lines: Vec<Line>,
}

/// One thing wrong with a list, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BasketFault {
    /// A code that is none.
    #[error("lines[{line}].code: {fault}")]
    Code {
        /// Index of the line.
        line: usize,
        /// What is wrong with it.
        fault: CodeFault,
    },
    /// A quantity that no basket has.
    #[error("lines[{line}].quantity: {quantity} is outside 1..={QUANTITY_MAX}")]
    Quantity {
        /// Index of the line.
        line: usize,
        /// What was sent.
        quantity: u32,
    },
    /// More than any basket holds.
    #[error("{what}: more than {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// A weight of bags that bags do not have.
    #[error("bags.grams: outside 0..={BAGS_MAX_G}, or given without a bag")]
    BagGrams,
    /// A text that is longer than anything meaningful.
    #[error("{what}: 1 to 64 characters")]
    Text {
        /// Which field.
        what: &'static str,
    },
}

impl Basket {
    /// Checks everything and reads the codes.
    ///
    /// # Errors
    /// All faults at once, in the order of the list.
    pub fn check(&self, patterns: &[InStorePattern]) -> Result<Vec<(Code, u32)>, Vec<BasketFault>> {
        let mut faults = self.check_frame();
        let mut codes = Vec::with_capacity(self.lines.len().min(LINES_MAX));
        for (line, sent) in self.lines.iter().enumerate().take(LINES_MAX) {
            if !(1..=QUANTITY_MAX).contains(&sent.quantity) {
                faults.push(BasketFault::Quantity { line, quantity: sent.quantity });
            }
            match Code::parse(&sent.code, patterns) {
                Ok(code) => codes.push((code, sent.quantity)),
                Err(fault) => faults.push(BasketFault::Code { line, fault }),
            }
        }
        if faults.is_empty() { Ok(codes) } else { Err(faults) }
    }

    fn check_frame(&self) -> Vec<BasketFault> {
        let mut faults = Vec::new();
        if self.lines.len() > LINES_MAX {
            faults.push(BasketFault::TooMany { what: "lines", max: LINES_MAX });
        }
        if self.containers.len() > CONTAINERS_MAX {
            faults.push(BasketFault::TooMany { what: "containers", max: CONTAINERS_MAX });
        }
        if self.bags.count > BAGS_MAX {
            faults.push(BasketFault::TooMany { what: "bags.count", max: BAGS_MAX as usize });
        }
        if let Some(grams) = self.bags.grams
            && (!(0.0..=BAGS_MAX_G).contains(&grams) || self.bags.count == 0)
        {
            faults.push(BasketFault::BagGrams);
        }
        let short = |text: &str| (1..=64).contains(&text.chars().count());
        if self.containers.iter().filter_map(|c| c.id.as_deref()).any(|id| !short(id)) {
            faults.push(BasketFault::Text { what: "containers[].id" });
        }
        if self.shopper.as_ref().is_some_and(|s| !short(&s.pseudonym)) {
            faults.push(BasketFault::Text { what: "shopper.pseudonym" });
        }
        if self.lines.iter().filter_map(|l| l.scanned_at.as_deref()).any(|at| !short(at)) {
            faults.push(BasketFault::Text { what: "lines[].scanned_at" });
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basket(lines: Vec<(&str, u32)>) -> Basket {
        Basket {
            revision: 1,
            source: Source::App,
            containers: vec![Container { kind: ContainerKind::Basket, id: None }],
            bags: Bags::default(),
            shopper: None,
            lines: lines
                .into_iter()
                .map(|(code, quantity)| Line { code: code.to_owned(), quantity, scanned_at: None })
                .collect(),
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut bad = basket(vec![("4006381333931", 0), ("nonsense", 1), ("4006381333931", 1000)]);
        bad.bags = Bags { count: 0, grams: Some(100.0) };
        let faults = bad.check(&[]).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert_eq!(faults[0], BasketFault::BagGrams);
        assert_eq!(faults[1].to_string(), "lines[0].quantity: 0 is outside 1..=999");
        assert_eq!(faults[2].to_string(), "lines[1].code: character 1 is no digit");
    }

    #[test]
    fn absurd_bags_are_refused() {
        for grams in [f64::NAN, -1.0, 1e9] {
            let mut bad = basket(vec![]);
            bad.bags = Bags { count: 1, grams: Some(grams) };
            assert_eq!(bad.check(&[]), Err(vec![BasketFault::BagGrams]));
        }
    }
}
