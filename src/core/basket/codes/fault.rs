//! What is wrong with a code, and where.

use super::gs1::Rule;
use serde::Serialize;

/// A fault and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{kind}")]
pub struct CodeFault {
    /// Byte offset in the text as it was given, from 0; its length where something is missing at the end.
    pub at: usize,
    /// What is wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl CodeFault {
    /// A fault at a byte of the text.
    pub fn new(at: usize, kind: FaultKind) -> Self {
        Self { at, kind }
    }
}

/// What is wrong with a code. Names in JSON are stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing was given.
    #[error("the code is empty")]
    Empty,
    /// Longer than any code.
    #[error("longer than {max} bytes")]
    TooLong {
        /// The greatest length.
        max: usize,
    },
    /// Neither digits nor anything else that is known here.
    #[error("not a digit, and no other known form of a code")]
    NotADigit,
    /// No code has this length.
    #[error("{length} digits; a code has 4, 5, 8, 12, 13 or 14")]
    Length {
        /// How many there are.
        length: usize,
    },
    /// The check digit does not belong to the others.
    #[error("wrong check digit; it would be {expected}")]
    CheckDigit {
        /// The digit that would fit.
        expected: u8,
    },
    /// The verifier of a price or weight does not belong to it.
    #[error("wrong price or weight verifier; it would be {expected}")]
    Verifier {
        /// The digit that would fit.
        expected: u8,
    },
    /// The symbology identifier promises something else than what follows.
    #[error("this is not what the symbology identifier promises")]
    Symbology,
    /// No such application identifier.
    #[error("no such application identifier")]
    UnknownAi,
    /// Brackets that do not enclose two to four digits.
    #[error("an application identifier in brackets has two to four digits, as in (01)")]
    Bracket,
    /// An application identifier without its value.
    #[error("({ai}) has no value")]
    NoValue {
        /// The application identifier.
        ai: String,
    },
    /// A value that is too short or too long.
    #[error("({ai}): a value of another length was expected")]
    ValueLength {
        /// The application identifier.
        ai: String,
    },
    /// A character that the value must not hold.
    #[error("({ai}): this character is not allowed here")]
    Character {
        /// The application identifier.
        ai: String,
    },
    /// A value against its own rule.
    #[error("({ai}): {rule}")]
    Value {
        /// The application identifier.
        ai: String,
        /// The rule.
        rule: Rule,
    },
    /// The same application identifier with another value.
    #[error("({ai}) stands here a second time")]
    Repeated {
        /// The application identifier.
        ai: String,
    },
    /// Two application identifiers that exclude each other.
    #[error("({ai}) and ({other}) exclude each other")]
    Excluded {
        /// The application identifier.
        ai: String,
        /// The other one.
        other: String,
    },
    /// An application identifier that is nothing without others.
    #[error("({ai}) needs one of {needs}")]
    Requires {
        /// The application identifier.
        ai: String,
        /// What it needs: alternatives with commas, `+` where several belong together, `n` for any digit.
        needs: String,
    },
    /// A character that no address holds, or a percent sign without two hexadecimal digits that mean a character.
    #[error("not a character of an address")]
    LinkCharacter,
    /// Another scheme than http or https.
    #[error("a GS1 Digital Link begins with https:// or http://")]
    LinkScheme,
    /// No host.
    #[error("the address names no host")]
    LinkHost,
    /// No GS1 key in the path.
    #[error("no GS1 key in the path of the address")]
    LinkKey,
    /// The compressed form.
    #[error("this looks like a compressed GS1 Digital Link; they are not read here, use the plain form")]
    LinkCompressed,
    /// Qualifiers in an order, or of a kind, that the key does not have.
    #[error("({ai}) is no qualifier of this key, or not in this place")]
    LinkQualifier {
        /// The application identifier.
        ai: String,
    },
    /// An attribute that belongs into the path or nowhere.
    #[error("({ai}) is no attribute of a GS1 Digital Link")]
    LinkAttribute {
        /// The application identifier.
        ai: String,
    },
}
