//! What stands beside what: values that repeat, identifiers that exclude or need each other.

use super::super::fault::{CodeFault, FaultKind};
use super::element::Element;
use super::table::find;

/// One symbol can be one of several on an item, and needs are to be judged over all of them: so a lone element is let be, unless it is
/// one that means nothing without its item.
const NOTHING_ALONE: [&str; 4] = ["02", "21", "250", "37"];

/// Checks the elements of one symbol against each other.
///
/// # Errors
/// The first fault.
pub fn check(elements: &[Element]) -> Result<(), CodeFault> {
    for (index, element) in elements.iter().enumerate() {
        if let Some(other) = elements[..index].iter().find(|other| other.ai == element.ai)
            && other.value != element.value
        {
            return Err(CodeFault::new(element.at, FaultKind::Repeated { ai: element.ai.clone() }));
        }
    }
    let alone = elements.iter().all(|element| element.ai == elements[0].ai);
    for element in elements {
        let Some(row) = find(&element.ai) else { continue };
        let excluded = |other: &&Element| other.ai != element.ai && names(row.excludes, &other.ai);
        if let Some(other) = elements.iter().find(excluded) {
            let kind = FaultKind::Excluded { ai: element.ai.clone(), other: other.ai.clone() };
            return Err(CodeFault::new(element.at, kind));
        }
        if alone && !NOTHING_ALONE.contains(&element.ai.as_str()) {
            continue;
        }
        for needs in row.needs {
            if !is_met(needs, elements) {
                let kind = FaultKind::Requires { ai: element.ai.clone(), needs: (*needs).to_owned() };
                return Err(CodeFault::new(element.at, kind));
            }
        }
    }
    Ok(())
}

fn is_met(needs: &str, elements: &[Element]) -> bool {
    let there = |pattern: &str| elements.iter().any(|element| names(pattern, &element.ai));
    needs.split(',').any(|together| together.split('+').all(there))
}

/// Whether a list of patterns names an identifier; `n` stands for any digit.
fn names(patterns: &str, ai: &str) -> bool {
    patterns.split(',').any(|pattern| {
        pattern.len() == ai.len()
            && pattern.bytes().zip(ai.bytes()).all(|(wanted, digit)| wanted == b'n' || wanted == digit)
    })
}
