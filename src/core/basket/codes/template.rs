//! How a retailer's own scales and printers lay out their codes. There is no common scheme: each retailer writes templates.
//!
//! A template is a pattern, with words around it where the plain meaning does not fit: `[kind] PATTERN [g=N] [minor=N]`.
//!
//! | character | stands for |
//! |---|---|
//! | `0`–`9` | itself |
//! | `I` | article number |
//! | `E` | a whole EAN-13 or EAN-8 with its own check digit, in place of an article number |
//! | `W` | net mass, in grams or what `g=` says one step is |
//! | `P` | price, in minor units or what `minor=` says one step is |
//! | `N` | pieces |
//! | `V` | verifier of the price or mass behind it, of four or five digits; checked |
//! | `_` | anything; also a verifier that is not to be checked |
//! | `C` | mod-10 check digit, last |
//!
//! Kinds: `item` (the plain one), `deposit`, `voucher`, `coupon`, `press`; all but `item` have no mass.

use super::check::{check_digit, verifier};
use super::fault::{CodeFault, FaultKind};
use crate::units::Mass;
use serde::{Deserialize, Serialize};

/// What a template's codes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateKind {
    /// Goods.
    Item,
    /// A deposit that is paid.
    Deposit,
    /// Money back, as for empties.
    Voucher,
    /// A price reduction.
    Coupon,
    /// Newspapers and magazines: goods too light and too many to weigh.
    Press,
}

/// How the store's own scales print a code, such as `29IIIIIWWWWWC`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InStorePattern {
    text: String,
    kind: TemplateKind,
    pattern: Vec<u8>,
    step_mg: i64,
    step_minor: i64,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no in-store pattern: {why}")]
pub struct PatternFault {
    text: String,
    why: &'static str,
}

/// What a template read out of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What it is.
    pub kind: TemplateKind,
    /// Digits of the article number, or 14 digits of an embedded GTIN.
    pub article: String,
    /// Whether the article is a GTIN.
    pub is_gtin: bool,
    /// Net mass as printed.
    pub mass: Option<Mass>,
    /// Price as printed, in minor units.
    pub price_minor: Option<i64>,
    /// What that price is rounded to, minor units.
    pub step_minor: i64,
    /// Pieces as printed.
    pub pieces: Option<u32>,
}

/// Longest pattern, characters.
const PATTERN_MAX: usize = 48;
/// Largest `g=` and `minor=`.
const STEP_MAX: i64 = 10_000;

impl TryFrom<String> for InStorePattern {
    type Error = PatternFault;

    fn try_from(text: String) -> Result<Self, PatternFault> {
        match Self::understand(&text) {
            Ok(pattern) => Ok(pattern),
            Err(why) => Err(PatternFault { text, why }),
        }
    }
}

impl From<InStorePattern> for String {
    fn from(pattern: InStorePattern) -> Self {
        pattern.text
    }
}

impl InStorePattern {
    fn understand(text: &str) -> Result<Self, &'static str> {
        let mut read =
            Self { text: text.to_owned(), kind: TemplateKind::Item, pattern: Vec::new(), step_mg: 1000, step_minor: 1 };
        for (place, word) in text.split_whitespace().enumerate() {
            let step =
                |number: &str| number.parse().ok().filter(|n| (1..=STEP_MAX).contains(n)).ok_or("a step is 1 to 10000");
            match (word.split_once('='), place) {
                (Some(("g", number)), 1..) => read.step_mg = step(number)? * 1000,
                (Some(("minor", number)), 1..) => read.step_minor = step(number)?,
                (Some(_), _) => return Err("behind the pattern stand g= and minor="),
                (None, 0) if kind(word).is_some() => read.kind = kind(word).unwrap_or(TemplateKind::Item),
                (None, _) if read.pattern.is_empty() => read.pattern = word.as_bytes().to_vec(),
                (None, _) => return Err("one pattern, with a kind before it"),
            }
        }
        check(&read.pattern, read.kind)?;
        Ok(read)
    }

    fn field(&self, code: &str, character: u8) -> String {
        self.pattern.iter().zip(code.chars()).filter(|(expected, _)| **expected == character).map(|(_, c)| c).collect()
    }

    /// Whether a code has the form of this template, check digits aside.
    fn fits(&self, code: &str) -> bool {
        code.len() == self.pattern.len()
            && self.pattern.iter().zip(code.bytes()).all(|(expected, given)| match expected {
                b'0'..=b'9' => *expected == given,
                b'_' => given.is_ascii_alphanumeric(),
                _ => given.is_ascii_digit(),
            })
    }

    /// Reads a code; `None` if it is not of this template.
    ///
    /// # Errors
    /// A wrong check digit or verifier in a code of this template.
    pub fn read(&self, code: &str) -> Option<Result<Label, CodeFault>> {
        self.fits(code).then(|| self.read_fitting(code))
    }

    fn read_fitting(&self, code: &str) -> Result<Label, CodeFault> {
        let place = |character: u8| self.pattern.iter().position(|c| *c == character).unwrap_or(0);
        let last = code.len().saturating_sub(1);
        if self.pattern.last() == Some(&b'C') {
            let expected = check_digit(&code[..last]);
            if code.as_bytes()[last] != b'0' + expected {
                return Err(CodeFault::new(last, FaultKind::CheckDigit { expected }));
            }
        }
        let (price, mass) = (self.field(code, b'P'), self.field(code, b'W'));
        if self.pattern.contains(&b'V') {
            let expected = verifier(if price.is_empty() { &mass } else { &price });
            if let Some(expected) = expected.filter(|digit| self.field(code, b'V') != digit.to_string()) {
                return Err(CodeFault::new(place(b'V'), FaultKind::Verifier { expected }));
            }
        }
        let embedded = self.field(code, b'E');
        if let Some((body, digit)) = embedded.len().checked_sub(1).map(|at| embedded.split_at(at)) {
            let expected = check_digit(body);
            if digit != expected.to_string() {
                return Err(CodeFault::new(place(b'E') + body.len(), FaultKind::CheckDigit { expected }));
            }
        }
        let is_gtin = !embedded.is_empty();
        let number = |field: &str| field.parse::<i64>().ok();
        Ok(Label {
            kind: self.kind,
            article: if is_gtin { format!("{embedded:0>14}") } else { self.field(code, b'I') },
            is_gtin,
            mass: number(&mass).map(|steps| Mass::from_mg(steps * self.step_mg)),
            price_minor: number(&price).map(|steps| steps * self.step_minor),
            step_minor: self.step_minor,
            pieces: number(&self.field(code, b'N')).and_then(|pieces| pieces.try_into().ok()),
        })
    }
}

fn kind(word: &str) -> Option<TemplateKind> {
    match word {
        "item" => Some(TemplateKind::Item),
        "deposit" => Some(TemplateKind::Deposit),
        "voucher" => Some(TemplateKind::Voucher),
        "coupon" => Some(TemplateKind::Coupon),
        "press" => Some(TemplateKind::Press),
        _ => None,
    }
}

fn check(pattern: &[u8], kind: TemplateKind) -> Result<(), &'static str> {
    let count = |character: u8| pattern.iter().filter(|c| **c == character).count();
    let together = |character: u8| pattern.split(|c| *c != character).filter(|run| !run.is_empty()).count() <= 1;
    let value = |character: u8, most: usize| count(character) <= most && together(character);
    if pattern.is_empty() || pattern.len() > PATTERN_MAX {
        return Err("1 to 48 characters, as in 29IIIIIWWWWWC");
    }
    if !pattern.iter().all(|c| c.is_ascii_digit() || b"IEWPNV_C".contains(c)) {
        return Err("only digits and I E W P N V _ C, as in 29IIIIIWWWWWC");
    }
    if !pattern[0].is_ascii_digit() {
        return Err("it begins with the digits by which its codes are known, as in 29IIIIIWWWWWC");
    }
    if count(b'C') > 1 || (count(b'C') == 1 && pattern.last() != Some(&b'C')) {
        return Err("C stands once and last");
    }
    if !(value(b'I', 13) && value(b'W', 7) && value(b'P', 7) && value(b'N', 4) && value(b'V', 1)) {
        return Err("I up to 13 times, W and P up to 7, N up to 4, V once, each in one run");
    }
    if !together(b'E') || ![0, 8, 13].contains(&count(b'E')) {
        return Err("E stands 8 or 13 times in one run");
    }
    let articles = usize::from(count(b'I') > 0) + usize::from(count(b'E') > 0);
    if articles > 1 || (articles == 0 && kind == TemplateKind::Item) {
        return Err("an item has an article number, either I or E");
    }
    let verified = if count(b'P') > 0 { count(b'P') } else { count(b'W') };
    if count(b'V') == 1 && ![4, 5].contains(&verified) {
        return Err("V verifies a price or mass of four or five digits");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str, code: &str) -> Option<Result<Label, CodeFault>> {
        InStorePattern::try_from(template.to_owned()).unwrap().read(code)
    }

    #[test]
    fn labels_of_the_field() {
        for (template, code, article, mass_g, price, pieces) in [
            ("2IIIIIVPPPPPC", "2123456005004", "12345", None, Some(500), None),
            ("2IIIIIVPPPPPC", "2800420003999", "80042", None, Some(399), None),
            ("29IIIIVWWWWWC", "2940111012340", "4011", Some(1234), None, None),
            ("28IIIIIPPPPPC", "2804011003993", "04011", None, Some(399), None),
            ("29IIIIIWWWWWC", "2904011012343", "04011", Some(1234), None, None),
            ("21IIIIVPPPPPC", "2112340003998", "1234", None, Some(399), None),
            ("2IIIIIVPPPPC", "212345928752", "12345", None, Some(2875), None),
            ("29IIIIIWWWWWC g=10", "2904011012343", "04011", Some(12_340), None, None),
            ("28IIIIIPPPPPC minor=10", "2804011003993", "04011", None, Some(3990), None),
            ("28IIIII_NNNNC", "2804011003993", "04011", None, None, Some(399)),
        ] {
            let label = read(template, code).unwrap_or_else(|| panic!("{code}")).unwrap();
            assert_eq!(label.article, article, "{code}");
            assert_eq!(label.mass.map(|m| m.mg() / 1000), mass_g, "{code}");
            assert_eq!((label.price_minor, label.pieces), (price, pieces), "{code}");
        }
    }

    #[test]
    fn a_printed_label_carries_the_article_it_reduces() {
        let label = read("97EEEEEEEEEEEEEPPPPPP_", "9740063813339310012997").unwrap().unwrap();
        assert_eq!((label.article.as_str(), label.is_gtin, label.price_minor), ("04006381333931", true, Some(1299)));
        let fault = read("97EEEEEEEEEEEEEPPPPPP_", "9740063813339320012997").unwrap().unwrap_err();
        assert_eq!(fault, CodeFault::new(14, FaultKind::CheckDigit { expected: 1 }));
        let press = read("press 419_____PPPPC", "4191234504207").unwrap().unwrap();
        assert_eq!((press.kind, press.price_minor, press.mass), (TemplateKind::Press, Some(420), None));
    }

    #[test]
    fn a_verifier_is_checked_or_not_as_the_template_says() {
        // The example of a vendor's documents with a verifier of 5 where 6 is right.
        let fault = read("2IIIIIVPPPPPC", "2123455005005").unwrap().unwrap_err();
        assert_eq!(fault, CodeFault::new(6, FaultKind::Verifier { expected: 6 }));
        assert_eq!(read("2IIIII_PPPPPC", "2123455005005").unwrap().unwrap().price_minor, Some(500));
        assert!(read("29IIIIIWWWWWC", "2804011003993").is_none());
        let fault = read("29IIIIIWWWWWC", "2904011012344").unwrap().unwrap_err();
        assert_eq!(fault, CodeFault::new(12, FaultKind::CheckDigit { expected: 3 }));
    }

    #[test]
    fn templates_that_mean_nothing_are_refused() {
        for bad in [
            "",
            "IIIIIWWWWWWWC",
            "29WWWWWC",
            "29IIWIIWC",
            "29IIIIIWWWWWCC",
            "29IIIIICWWWWW",
            "29IIIIIVWWWC",
            "29IIIIIXXXXXC",
            "29EEEEC",
            "29IIIIIWWWWWC g=0",
            "29IIIIIWWWWWC g=x",
            "g=10 29IIIIIWWWWWC",
            "29IIIIIWWWWWC 28IIIIIPPPPPC",
            "thing 29IIIIIWWWWWC",
        ] {
            assert!(InStorePattern::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
