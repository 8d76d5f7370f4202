//! What is wrong with a station file, for the person who writes it.

use std::fmt;

/// One fault of a station file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Line in the file, from 1; for something that is missing, the line of the section that lacks it.
    pub line: usize,
    /// Where in the tree, as in `board[0].cell[2].x_mm` (both counted from 0); empty for faults of syntax.
    pub key: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// All faults of a station file, in the order of its lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigFaults {
    /// The file as the caller named it.
    pub file_name: String,
    /// The faults.
    pub faults: Vec<ConfigFault>,
}

impl fmt::Display for ConfigFaults {
    /// One line a fault: `hw-configs/x.toml:31: board[0].parity: 'evn' is none of none, even, odd`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            let key = if fault.key.is_empty() { String::new() } else { format!("{}: ", fault.key) };
            write!(formatter, "{separator}{}:{}: {key}{}", self.file_name, fault.line, fault.problem)?;
        }
        Ok(())
    }
}

/// The one of `known` that `word` was most likely meant to be, if any comes near.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = 1 + word.chars().count() / 4;
    known
        .iter()
        .map(|candidate| (edit_distance(word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance in characters (V. I. Levenshtein, 1966), by Wagner and Fischer's table.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, left_char) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right_char) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(left_char != *right_char);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}
