//! From a posterior to findings: what is probably wrong, and how sure that is.

use super::answer::{Finding, FindingKind, ProductRef};
use super::expected::Expected;
use super::message::{Message, about};
use super::part::Candidate;
use super::policy::Policy;
use super::posterior::Judged;
use crate::goods::Catalogue;
use std::collections::BTreeMap;

/// A product is named only at a posterior of one half or more: below it a name would be wrong more often than right.
const NAMED_FROM: f64 = 0.5;
/// Findings less probable than this are not worth reading.
const TOLD_FROM: f64 = 0.05;
/// Most findings of one verdict.
const FINDINGS_MAX: usize = 4;

/// What is found of one product, or of none.
#[derive(Clone, Debug)]
struct Claim {
    kind: FindingKind,
    probability: f64,
    grams: f64,
    product: Option<usize>,
    instead: Option<usize>,
    scanned: Option<u32>,
    found: Option<u32>,
}

impl Claim {
    fn of(kind: FindingKind, probability: f64, grams: f64) -> Self {
        Self { kind, probability, grams, product: None, instead: None, scanned: None, found: None }
    }
}

/// Findings, likeliest first; none if the list being right is all that is probable.
pub fn findings(
    judged: &Judged<'_>,
    expected: &Expected,
    catalogue: &Catalogue,
    policy: &Policy,
    residual_g: f64,
) -> Vec<Finding> {
    let mut claims = unscanned(judged, catalogue, residual_g);
    claims.extend(lines(judged, expected, catalogue, policy));
    let named: Vec<Claim> =
        claims.iter().filter(|c| c.product.is_some() && c.probability >= NAMED_FROM).cloned().collect();
    // What no single product explains to one half is told by its kind alone.
    let mut kinds: BTreeMap<FindingKind, f64> = BTreeMap::new();
    for claim in claims.iter().chain(&others(judged, residual_g)) {
        *kinds.entry(claim.kind).or_default() += claim.probability;
    }
    let unnamed = kinds.into_iter().filter(|(kind, p)| *p >= TOLD_FROM && named.iter().all(|n| n.kind != *kind)).map(
        |(kind, p)| match kind {
            FindingKind::Unscanned => Claim::of(kind, p, judged.unscanned_g(residual_g)),
            FindingKind::Absent
            | FindingKind::Quantity
            | FindingKind::Swapped
            | FindingKind::Bag
            | FindingKind::Foreign
            | FindingKind::StaleWeight
            | FindingKind::Sensor => Claim::of(kind, p, residual_g),
        },
    );
    let mut all: Vec<Claim> = named.iter().cloned().chain(unnamed).collect();
    all.sort_by(|a, b| b.product.is_some().cmp(&a.product.is_some()).then(b.probability.total_cmp(&a.probability)));
    all.truncate(FINDINGS_MAX);
    all.into_iter().map(|claim| finding(&claim, catalogue)).collect()
}

fn unscanned(judged: &Judged<'_>, catalogue: &Catalogue, residual_g: f64) -> Vec<Claim> {
    let (all, residual_g) = (judged.posterior.unscanned, judged.unscanned_g(residual_g));
    if all < TOLD_FROM {
        return vec![Claim::of(FindingKind::Unscanned, all, residual_g)];
    }
    let named = |c: &Candidate| {
        let grams = f64::from(c.units) * catalogue.products()[c.product].weight.mean_g;
        let claim = Claim::of(FindingKind::Unscanned, c.joint, grams);
        Claim { product: Some(c.product), scanned: Some(0), found: Some(c.units), ..claim }
    };
    // Two are named where two were seen that weigh it together: else only one can have one half.
    let best: Vec<Claim> = judged.unscanned().iter().filter(|c| c.joint >= NAMED_FROM).take(2).map(named).collect();
    if best.is_empty() { vec![Claim::of(FindingKind::Unscanned, all, residual_g)] } else { best }
}

fn lines(judged: &Judged<'_>, expected: &Expected, catalogue: &Catalogue, policy: &Policy) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (index, (line, known)) in judged.posterior.lines.iter().zip(&expected.lines).enumerate() {
        let of = |kind, probability, grams| Claim {
            product: Some(known.product),
            scanned: Some(known.quantity),
            ..Claim::of(kind, probability, grams)
        };
        let unit_g = known.unit.mean_g;
        let absent = of(FindingKind::Absent, line.absent, -f64::from(known.quantity) * unit_g);
        claims.push(Claim { found: Some(0), ..absent });
        let likeliest = line.counts.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((found, _)) = likeliest {
            let grams = (f64::from(found) - f64::from(known.quantity)) * unit_g;
            claims.push(Claim { found: Some(found), ..of(FindingKind::Quantity, line.quantity(), grams) });
        }
        let mut swapped = of(FindingKind::Swapped, line.swapped, 0.0);
        if line.swapped >= NAMED_FROM
            && let Some(best) = judged.instead(index).first()
        {
            swapped.grams = catalogue.products()[best.product].weight.mean_g - unit_g;
            swapped.instead = (best.joint >= NAMED_FROM).then_some(best.product);
        }
        claims.push(swapped);
    }
    claims.extend(judged.stale(policy).into_iter().map(|(line, probability)| {
        let known = &expected.lines[line];
        let claim = Claim::of(FindingKind::StaleWeight, probability, 0.0);
        Claim { product: Some(known.product), scanned: Some(known.quantity), ..claim }
    }));
    claims
}

fn others(judged: &Judged<'_>, residual_g: f64) -> [Claim; 4] {
    let p = &judged.posterior;
    [
        Claim::of(FindingKind::Bag, p.bag, residual_g),
        Claim::of(FindingKind::Foreign, p.foreign, residual_g),
        Claim::of(FindingKind::Unscanned, p.several, residual_g),
        Claim::of(FindingKind::Absent, p.less_several, residual_g),
    ]
}

/// The one or two articles whose check tells most: where the named product may be wrong, the likeliest ones.
pub fn check(judged: &Judged<'_>, expected: &Expected, catalogue: &Catalogue, policy: &Policy) -> Vec<ProductRef> {
    let mut by_product: BTreeMap<usize, f64> = BTreeMap::new();
    let mut add = |product: usize, probability: f64| *by_product.entry(product).or_default() += probability;
    if judged.posterior.unscanned >= TOLD_FROM {
        judged.unscanned().iter().for_each(|c| add(c.product, c.joint));
    }
    for (index, (line, known)) in judged.posterior.lines.iter().zip(&expected.lines).enumerate() {
        add(known.product, line.absent + line.quantity() + line.swapped);
        if line.swapped >= TOLD_FROM {
            judged.instead(index).iter().for_each(|c| add(c.product, c.joint));
        }
    }
    judged.stale(policy).into_iter().for_each(|(line, p)| add(expected.lines[line].product, p));
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

fn finding(claim: &Claim, catalogue: &Catalogue) -> Finding {
    Finding {
        kind: claim.kind,
        product: claim.product.map(|p| reference(p, catalogue)),
        instead: claim.instead.map(|p| reference(p, catalogue)),
        scanned: claim.scanned,
        found: claim.found,
        grams: tenth(claim.grams),
        probability: hundredth(claim.probability),
        named: claim.product.is_some(),
        image: None,
        detail: None,
    }
}

fn reference(product: usize, catalogue: &Catalogue) -> ProductRef {
    let product = &catalogue.products()[product];
    let code = match product.code.strip_prefix('0') {
        Some(short) if product.code.len() == 14 => short.to_owned(),
        Some(_) | None => product.code.clone(),
    };
    ProductRef { id: Some(product.id.to_string()), code, name: product.name.clone() }
}

/// Rounded to a tenth: what leaves this room is quantised, so that the same evidence gives the same bytes.
pub fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Rounded down to a hundredth, so that 0.50 is never said of less than one half.
fn hundredth(value: f64) -> f64 {
    (value * 100.0 + 1e-9).floor() / 100.0
}
