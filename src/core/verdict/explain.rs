//! From a posterior to findings: what is probably wrong, and how sure that is.

use super::answer::{Finding, FindingKind, ProductRef};
use super::expected::Expected;
use super::hypothesis::Edit;
use super::message::{Message, about};
use super::posterior::Weighted;
use crate::goods::Catalogue;
use std::collections::BTreeMap;

/// A product is named only at a posterior of one half or more: below it a name would be wrong more often than right.
const NAMED_FROM: f64 = 0.5;
/// Findings less probable than this are not worth reading.
const TOLD_FROM: f64 = 0.05;
/// Most findings of one verdict.
const FINDINGS_MAX: usize = 4;

/// What several edits have in common: kind, product, and what lies there instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    kind: FindingKind,
    product: Option<usize>,
    instead: Option<usize>,
}

/// The likeliest edit of a claim, and the probability of all of them.
#[derive(Clone, Copy, Debug)]
struct Weight {
    probability: f64,
    best: Weighted,
}

/// Findings, likeliest first; none if the list being right is all that is probable.
pub fn findings(posterior: &[Weighted], expected: &Expected, catalogue: &Catalogue, residual_g: f64) -> Vec<Finding> {
    let exact = gather(posterior, expected, |claim| claim);
    let by_product = gather(posterior, expected, |claim| Claim { instead: None, ..claim });
    let by_kind = gather(posterior, expected, |claim| Claim { product: None, instead: None, ..claim });
    let named = [&exact, &by_product]
        .into_iter()
        .flat_map(|claims| claims.iter())
        .find(|(claim, weight)| claim.product.is_some() && weight.probability >= NAMED_FROM);
    let mut found: Vec<Finding> =
        named.map(|(claim, weight)| named_finding(*claim, weight, expected, catalogue)).into_iter().collect();
    let named_kind = named.map(|(claim, _)| claim.kind);
    let mut rest: Vec<Finding> = by_kind
        .iter()
        .filter(|(claim, weight)| Some(claim.kind) != named_kind && weight.probability >= TOLD_FROM)
        .map(|(claim, weight)| unnamed_finding(claim.kind, weight.probability, residual_g))
        .collect();
    rest.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    found.extend(rest);
    found.truncate(FINDINGS_MAX);
    found
}

/// The one or two articles whose check tells most: where the named product may be wrong, the likeliest ones.
pub fn check(posterior: &[Weighted], expected: &Expected, catalogue: &Catalogue) -> Vec<ProductRef> {
    let mut by_product: BTreeMap<usize, f64> = BTreeMap::new();
    for weighted in posterior {
        let Some(claim) = claim_of(weighted.edit, expected) else { continue };
        for product in [claim.product, claim.instead].into_iter().flatten() {
            *by_product.entry(product).or_default() += weighted.probability;
        }
    }
    let mut ranked: Vec<(usize, f64)> = by_product.into_iter().filter(|(_, p)| *p >= TOLD_FROM).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(2);
    ranked.into_iter().map(|(product, _)| reference(product, catalogue)).collect()
}

/// What the shopper reads of the first finding.
pub fn message(findings: &[Finding]) -> Message {
    let Some(first) = findings.first() else { return Message::AllRight {} };
    let name = first.product.as_ref().map(|p| p.name.clone());
    let vague = |grams: f64| {
        if grams < 0.0 {
            Message::LessThanList { grams: about(grams) }
        } else {
            Message::MoreThanList { grams: about(grams) }
        }
    };
    match (first.kind, name) {
        (FindingKind::Unscanned, Some(name)) => Message::MaybeMissing { name },
        (FindingKind::Absent, Some(name)) => Message::NotThere { name },
        (FindingKind::Quantity, Some(name)) => match (first.scanned, first.found) {
            (Some(scanned), Some(found)) => Message::OtherQuantity { name, scanned, found },
            (None, _) | (_, None) => vague(first.grams),
        },
        (FindingKind::Swapped, Some(name)) => match &first.instead {
            Some(instead) => Message::MaybeOther { name, instead: instead.name.clone() },
            None => vague(first.grams),
        },
        (FindingKind::Sensor, _) => Message::StationBusy {},
        (FindingKind::StaleWeight, _) => Message::StaffWillHelp {},
        (FindingKind::Foreign | FindingKind::Bag, _)
        | (FindingKind::Unscanned | FindingKind::Absent | FindingKind::Quantity | FindingKind::Swapped, None) => {
            vague(first.grams)
        }
    }
}

/// A product as clients know it: EAN-13 without the leading zero of its 14 digits.
pub fn reference(product: usize, catalogue: &Catalogue) -> ProductRef {
    let product = &catalogue.products()[product];
    let code = match product.code.strip_prefix('0') {
        Some(short) if product.code.len() == 14 => short.to_owned(),
        Some(_) | None => product.code.clone(),
    };
    ProductRef { id: Some(product.id.to_string()), code, name: product.name.clone() }
}

fn claim_of(edit: Edit, expected: &Expected) -> Option<Claim> {
    let listed = |line: usize| Some(expected.lines[line].product);
    let claim = |kind, product, instead| Some(Claim { kind, product, instead });
    match edit {
        Edit::Nothing => None,
        Edit::Unscanned { product, .. } => claim(FindingKind::Unscanned, Some(product), None),
        Edit::UnscannedSomething => claim(FindingKind::Unscanned, None, None),
        Edit::Absent { line } => claim(FindingKind::Absent, listed(line), None),
        Edit::AbsentSomething => claim(FindingKind::Absent, None, None),
        Edit::Quantity { line, .. } => claim(FindingKind::Quantity, listed(line), None),
        Edit::Swapped { line, instead } => claim(FindingKind::Swapped, listed(line), Some(instead)),
        Edit::Bag => claim(FindingKind::Bag, None, None),
        Edit::StaleWeight { line } => claim(FindingKind::StaleWeight, listed(line), None),
        Edit::Foreign => claim(FindingKind::Foreign, None, None),
    }
}

fn gather(posterior: &[Weighted], expected: &Expected, group: impl Fn(Claim) -> Claim) -> BTreeMap<Claim, Weight> {
    let mut claims: BTreeMap<Claim, Weight> = BTreeMap::new();
    for weighted in posterior {
        let Some(claim) = claim_of(weighted.edit, expected) else { continue };
        claims
            .entry(group(claim))
            .and_modify(|w| w.probability += weighted.probability)
            .or_insert(Weight { probability: weighted.probability, best: *weighted });
    }
    claims
}

fn named_finding(claim: Claim, weight: &Weight, expected: &Expected, catalogue: &Catalogue) -> Finding {
    let scanned = |line: usize| Some(expected.lines[line].quantity);
    let (scanned, found) = match weight.best.edit {
        Edit::Unscanned { units, .. } => (Some(0), Some(units)),
        Edit::Absent { line } => (scanned(line), Some(0)),
        Edit::Quantity { line, found } => (scanned(line), Some(found)),
        Edit::Swapped { line, .. } | Edit::StaleWeight { line } => (scanned(line), None),
        Edit::Nothing | Edit::UnscannedSomething | Edit::AbsentSomething | Edit::Bag | Edit::Foreign => (None, None),
    };
    Finding {
        kind: claim.kind,
        product: claim.product.map(|p| reference(p, catalogue)),
        instead: claim.instead.map(|p| reference(p, catalogue)),
        scanned,
        found,
        grams: tenth(weight.best.shift_g),
        probability: hundredth(weight.probability),
        named: true,
        image: None,
        detail: None,
    }
}

fn unnamed_finding(kind: FindingKind, probability: f64, residual_g: f64) -> Finding {
    Finding {
        kind,
        product: None,
        instead: None,
        scanned: None,
        found: None,
        grams: tenth(residual_g),
        probability: hundredth(probability),
        named: false,
        image: None,
        detail: None,
    }
}

/// Rounded to a tenth: what leaves this room is quantised, so that the same evidence gives the same bytes.
pub fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Rounded down to a hundredth, so that 0.50 is never said of less than one half.
fn hundredth(value: f64) -> f64 {
    (value * 100.0 + 1e-9).floor() / 100.0
}
