//! Takes typed values out of a TOML tree and notes every fault instead of stopping at the first.
//!
//! A getter that finds a fault notes it and gives `None`; a section is built with `?` only after all
//! its keys have been asked for, so that one fault never hides another.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::faults::{ConfigFault, ConfigFaults, nearest};

/// Faults found so far in one file.
pub(super) struct Faults<'a> {
    text: &'a str,
    syntax_lines: RefCell<BTreeSet<usize>>,
    found: RefCell<Vec<(ConfigFault, Cause)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Syntax,
    Missing,
    Value,
}

impl<'a> Faults<'a> {
    /// None yet.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, syntax_lines: RefCell::default(), found: RefCell::default() }
    }

    /// Notes that the text at byte `start` is no TOML.
    pub(super) fn syntax(&self, start: usize, problem: &str) {
        self.syntax_lines.borrow_mut().insert(self.line(start));
        let problem = problem.split('\n').collect::<Vec<_>>().join("; ");
        self.add(start, String::new(), problem, Cause::Syntax);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All faults in the order of their lines. Where the text is no TOML, what is missing or odd on that
    /// very line is a consequence, not a second fault.
    pub(super) fn into_report(self, file_name: &str) -> ConfigFaults {
        let broken = self.syntax_lines.into_inner();
        let mut faults: Vec<ConfigFault> = self
            .found
            .into_inner()
            .into_iter()
            .filter(|(fault, cause)| match cause {
                Cause::Syntax => true,
                Cause::Missing => broken.is_empty(),
                Cause::Value => !broken.contains(&fault.line),
            })
            .map(|(fault, _)| fault)
            .collect();
        faults.sort_by_key(|fault| fault.line);
        faults.dedup();
        ConfigFaults { file_name: file_name.to_owned(), faults }
    }

    fn add(&self, start: usize, key: String, problem: String, cause: Cause) {
        let line = self.line(start);
        self.found.borrow_mut().push((ConfigFault { line, key, problem }, cause));
    }

    /// Takes back that `key` is missing: it is there, misspelt, and one mistake is one fault.
    fn forgive_missing(&self, key: &str) {
        self.found.borrow_mut().retain(|(fault, cause)| *cause != Cause::Missing || fault.key != key);
    }

    fn line(&self, start: usize) -> usize {
        1 + self.text.bytes().take(start).filter(|byte| *byte == b'\n').count()
    }
}

/// A section of the file and what has been asked of it.
pub(super) struct Table<'a> {
    table: &'a DeTable<'a>,
    start: usize,
    path: String,
    asked: RefCell<Vec<&'static str>>,
    faults: &'a Faults<'a>,
}

impl<'a> Table<'a> {
    /// The file itself.
    pub(super) fn top(table: &'a DeTable<'a>, faults: &'a Faults<'a>) -> Self {
        Self { table, start: 0, path: String::new(), asked: RefCell::default(), faults }
    }

    /// Notes a fault at `key`, or at the section's head if it has no such key.
    pub(super) fn fault(&self, key: &str, problem: impl Into<String>) {
        let start = self.table.get(key).map_or(self.start, |value| value.span().start);
        self.faults.add(start, self.path_of(key), problem.into(), Cause::Value);
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if asked.contains(&name) {
                continue;
            }
            let problem = match nearest(name, &asked) {
                Some(meant) => {
                    self.faults.forgive_missing(&self.path_of(meant));
                    format!("unknown key, did you mean `{meant}`?")
                }
                None if asked.is_empty() => "unknown key".to_owned(),
                None => format!("unknown key; there are {}", asked.join(", ")),
            };
            self.faults.add(key.span().start, self.path_of(name), problem, Cause::Value);
        }
    }

    /// A text that is not blank.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        let value = self.required(key)?;
        self.text_of(key, value)
    }

    /// Like [`Table::text`], for a key that may be left out.
    pub(super) fn optional_text(&self, key: &'static str) -> Option<String> {
        let value = self.lookup(key)?;
        self.text_of(key, value)
    }

    /// A number within `range`, whole or not.
    pub(super) fn number(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.required(key)?;
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            DeValue::Integer(integer) => whole(integer).map(|whole| whole as f64),
            _ => return self.wrong_type(key, value, "a number"),
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let found = self.source(value);
                self.fault(key, format!("{found} is not within {} to {}", range.start(), range.end()));
                None
            }
        }
    }

    /// A whole number within `range`.
    pub(super) fn whole(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.required(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            return self.wrong_type(key, value, "a whole number");
        };
        match whole(integer) {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let found = self.source(value);
                self.fault(key, format!("{found} is not within {} to {}", range.start(), range.end()));
                None
            }
        }
    }

    /// Like [`Table::whole`], converted to the type that the range fits.
    pub(super) fn whole_as<T: TryFrom<i64>>(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<T> {
        T::try_from(self.whole(key, range)?).ok()
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.required(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong_type(key, value, "true or false"),
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.fault(key, format!("'{word}' is none of {}", names.join(", ")));
        }
        found
    }

    /// `[a, b, c, d]`, whole numbers from 0 to `max`.
    pub(super) fn four_whole(&self, key: &'static str, max: u32) -> Option<[u32; 4]> {
        let value = self.required(key)?;
        let numbers: Option<Vec<u32>> = value.get_ref().as_array().and_then(|array| {
            array
                .iter()
                .map(|entry| entry.get_ref().as_integer().and_then(whole).and_then(|n| u32::try_from(n).ok()))
                .collect()
        });
        match numbers.and_then(|numbers| <[u32; 4]>::try_from(numbers).ok()) {
            Some(four) if four.iter().all(|number| *number <= max) => Some(four),
            _ => self.wrong_type(key, value, &format!("four whole numbers from 0 to {max}")),
        }
    }

    /// `[a, b]`, numbers within `range`, for a key that may be left out.
    pub(super) fn optional_pair(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<[f64; 2]> {
        let value = self.lookup(key)?;
        let number = |value: &DeValue<'_>| match value {
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            DeValue::Integer(integer) => whole(integer).map(|whole| whole as f64),
            _ => None,
        };
        let numbers: Option<Vec<f64>> =
            value.get_ref().as_array().and_then(|array| array.iter().map(|entry| number(entry.get_ref())).collect());
        match numbers.and_then(|numbers| <[f64; 2]>::try_from(numbers).ok()) {
            Some(two) if two.iter().all(|number| range.contains(number)) => Some(two),
            _ => self.wrong_type(key, value, &format!("two numbers within {} to {}", range.start(), range.end())),
        }
    }

    /// Whether a key that may be left out is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.lookup(key).is_some()
    }

    /// Like [`Table::number`], for a key that may be left out.
    pub(super) fn optional_number(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        if self.has(key) { self.number(key, range) } else { None }
    }

    /// Like [`Table::whole_as`], for a key that may be left out.
    pub(super) fn optional_whole<T: TryFrom<i64>>(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<T> {
        if self.has(key) { self.whole_as(key, range) } else { None }
    }

    /// A value with a shape of its own that may be left out.
    pub(super) fn optional_as<T: serde::de::DeserializeOwned>(&self, key: &'static str) -> Option<T> {
        let value = self.lookup(key)?;
        match T::deserialize(toml::de::ValueDeserializer::from(value.clone())) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, error.message().to_owned());
                None
            }
        }
    }

    /// The section `[key]`, which must be there.
    pub(super) fn section(&self, key: &'static str) -> Option<Table<'a>> {
        self.asked.borrow_mut().push(key);
        let Some(value) = self.table.get(key) else {
            self.faults.add(
                self.start,
                self.path_of(key),
                format!("missing: a section [{}] is needed", self.path_of(key)),
                Cause::Missing,
            );
            return None;
        };
        match value.get_ref() {
            DeValue::Table(table) => Some(self.within(table, value.span().start, self.path_of(key))),
            _ => {
                let wanted = format!("a section: write [{}]", self.path_of(key));
                self.wrong_type(key, value, &wanted)
            }
        }
    }

    /// The sections `[[key]]`, in the order of the file; none when there are none.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Table<'a>> {
        let Some(value) = self.lookup(key) else {
            return Vec::new();
        };
        let entries = value.get_ref().as_array().map(|array| {
            array
                .iter()
                .enumerate()
                .map(|(index, entry)| {
                    let path = format!("{}[{index}]", self.path_of(key));
                    entry.get_ref().as_table().map(|table| self.within(table, entry.span().start, path))
                })
                .collect::<Option<Vec<_>>>()
        });
        entries.flatten().unwrap_or_else(|| {
            let bare = self.bare_path_of(key);
            self.wrong_type::<()>(key, value, &format!("a list of sections: write [[{bare}]]"));
            Vec::new()
        })
    }

    /// Leaves `key` to another program.
    pub(super) fn leave(&self, key: &'static str) {
        self.asked.borrow_mut().push(key);
    }

    fn within(&self, table: &'a DeTable<'a>, start: usize, path: String) -> Table<'a> {
        Table { table, start, path, asked: RefCell::default(), faults: self.faults }
    }

    fn lookup(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    fn required(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        let value = self.lookup(key);
        if value.is_none() {
            let problem = "missing".to_owned();
            self.faults.add(self.start, self.path_of(key), problem, Cause::Missing);
        }
        value
    }

    fn text_of(&self, key: &'static str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            Some(_) => {
                self.fault(key, "is empty");
                None
            }
            None => self.wrong_type(key, value, "a text in quotes"),
        }
    }

    fn wrong_type<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) -> Option<T> {
        let found = self.source(value);
        self.fault(key, format!("{found} is not {wanted}"));
        None
    }

    /// The value as it is written in the file, if it is short.
    fn source(&self, value: &Spanned<DeValue<'_>>) -> String {
        let written = self.faults.text.get(value.span()).unwrap_or_default().trim();
        if written.is_empty()
            || written.len() > 40
            || written.contains('\n')
            || written.starts_with('[') && !written.contains(',')
        {
            format!("this {}", value.get_ref().type_str())
        } else {
            written.to_owned()
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The path without the numbers, as it stands in a section's head.
    fn bare_path_of(&self, key: &str) -> String {
        let path = self.path_of(key);
        path.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect::<Vec<_>>().join(".")
    }
}

fn whole(integer: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
