//! The record of what staff did: each entry's hash covers the one before it, so that nobody changes or takes out one unnoticed.
//!
//! hash(n) = SHA-256(hash(n-1) ‖ canonical JSON of entry n), hash(0) = 32 zero bytes. Canonical is what RFC 8785 says of objects,
//! strings, whole numbers, booleans and null: keys in order of their UTF-16 units, no white space. Other numbers do not occur.
//! Who cuts off the end cuts it off unnoticed unless somebody else knows a later hash: the back office pulls the record, and keeps it.

use crate::units::{ValidationId, Wall};
use crate::verdict::Staff;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A link of the chain, 32 bytes.
pub type Hash = [u8; 32];

/// Before the first entry.
pub const START: Hash = [0; 32];

/// What staff did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// Paired a tablet.
    TabletPaired,
    /// Made an account, on the command line.
    AccountAdded,
    /// Closed an account, on the command line.
    AccountRemoved,
    /// Logged in.
    LoggedIn,
    /// Tried to, and failed.
    LogInFailed,
    /// Logged out.
    LoggedOut,
    /// Took a basket.
    Claimed,
    /// Let go of it.
    Released,
    /// Decided what a second person has to confirm.
    Proposed,
    /// Decided.
    Resolved,
    /// Took it back; or it was void because goods were added.
    Undone,
    /// Said that the catalogue's weight of a product is wrong.
    WeightWrong,
    /// Enrolled a product under the station's camera.
    LookEnrolled,
    /// Took the station out of service.
    OutOfService,
    /// Put it back.
    InService,
}

/// One thing that was done. Nothing in it is a fraction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// What.
    pub did: Did,
    /// Who; `None` where nobody was known, or the station did it itself.
    pub by: Option<Staff>,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// With which validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_id: Option<ValidationId>,
    /// What else is worth knowing: texts, whole numbers, truth values, and objects of these.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
}

impl Act {
    /// Something that was done now.
    pub fn new(did: Did, by: Option<&Staff>, at: Wall) -> Self {
        Self { did, by: by.cloned(), at_ms: at.ms(), validation_id: None, detail: Map::new() }
    }

    /// With this validation.
    pub fn with(self, id: &ValidationId) -> Self {
        Self { validation_id: Some(id.clone()), ..self }
    }

    /// And this to know.
    pub fn and(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// As it is written and hashed.
    pub fn canonical(&self) -> String {
        // It always serialises: its keys are texts.
        let value = serde_json::to_value(self).unwrap_or_default();
        let mut text = String::new();
        write(&value, &mut text);
        text
    }
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            text.push('{');
            for (place, name) in names.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                write(&fields[name], text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(value, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

/// The hash of an entry behind another one.
pub fn link(before: &Hash, canonical: &str) -> Hash {
    Sha256::new().chain_update(before).chain_update(canonical.as_bytes()).finalize().into()
}

/// What is wrong with a chain, at its first broken entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An entry is missing.
    #[error("entry {expected} is missing")]
    Missing {
        /// Its number.
        expected: i64,
    },
    /// An entry is not what it was.
    #[error("entry {number} was changed: its hash does not fit")]
    Changed {
        /// Its number.
        number: i64,
    },
}

impl Broken {
    /// The number of the first broken entry.
    pub fn number(&self) -> i64 {
        match self {
            Self::Missing { expected } => *expected,
            Self::Changed { number } => *number,
        }
    }
}

/// Checks a chain entry by entry, in the order of their numbers from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Entries so far.
    pub entries: i64,
    /// The hash of the last one.
    pub head: Hash,
}

impl Default for Check {
    fn default() -> Self {
        Self { entries: 0, head: START }
    }
}

impl Check {
    /// The next entry as it was kept.
    ///
    /// # Errors
    /// An entry that is missing, or that is not what it was.
    pub fn next(&mut self, number: i64, canonical: &str, hash: &[u8]) -> Result<(), Broken> {
        let expected = self.entries + 1;
        if number != expected {
            return Err(Broken::Missing { expected });
        }
        let linked = link(&self.head, canonical);
        if linked != hash {
            return Err(Broken::Changed { number });
        }
        *self = Self { entries: number, head: linked };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(n: i64) -> Act {
        let id = "v-1".parse().unwrap();
        Act::new(Did::Claimed, None, Wall::from_ms(n)).with(&id).and("zeta", 1).and("alpha", "ä\"\n")
    }

    #[test]
    fn what_is_hashed_has_one_form() {
        assert_eq!(
            act(7).canonical(),
            r#"{"at_ms":7,"by":null,"detail":{"alpha":"ä\"\n","zeta":1},"did":"claimed","validation_id":"v-1"}"#
        );
        let read: Act = serde_json::from_str(&act(7).canonical()).unwrap();
        assert_eq!(read, act(7));
    }

    /// By hand: `(head -c 32 /dev/zero; printf x) | sha256sum`.
    #[test]
    fn a_link_covers_the_one_before_it() {
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(link(&START, "x")), "fdded6faced1af47fdaaac589602f58e0e040a882627806c42ddcc38da604cf0");
        assert_ne!(link(&link(&START, "x"), "y"), link(&START, "y"));
    }

    #[test]
    fn the_first_broken_entry_is_named() {
        let mut chain = Vec::new();
        let mut head = START;
        for n in 1..=5 {
            head = link(&head, &act(n).canonical());
            chain.push((n, act(n).canonical(), head));
        }
        let check = |chain: &[(i64, String, Hash)]| {
            let mut check = Check::default();
            chain.iter().try_for_each(|(n, text, hash)| check.next(*n, text, hash)).map(|()| check)
        };
        assert_eq!(check(&chain), Ok(Check { entries: 5, head }));
        let mut changed = chain.clone();
        changed[2].1 = act(99).canonical();
        assert_eq!(check(&changed), Err(Broken::Changed { number: 3 }));
        // Who changes an entry and its hash breaks the next one.
        let before = changed[1].2;
        changed[2].2 = link(&before, &changed[2].1);
        assert_eq!(check(&changed), Err(Broken::Changed { number: 4 }));
        let mut shorter = chain.clone();
        shorter.remove(1);
        assert_eq!(check(&shorter).unwrap_err().number(), 2);
        assert!(check(&chain[..3]).is_ok(), "a cut end is noticed by who knows a later hash alone");
    }
}
