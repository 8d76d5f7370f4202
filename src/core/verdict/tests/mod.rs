//! The judge on small shops, where the right answer can be worked out by hand.

mod beyond;
mod eyes;
mod guessed;
mod priced;

use super::*;
use crate::basket::{Bags, Basket, Code, Container, ContainerKind, Line, Source};
use crate::goods::{BagBelief, Catalogue, ContainerBelief, Kind, Product, Risk, Terms, WeightBelief, WeightSource};
use crate::units::Mass;

const POLICY: Policy = Policy::usual(0.05, 6.0, 3);

fn product(id: &str, code: &str, mean_g: f64) -> Product {
    Product {
        id: id.parse().unwrap(),
        code: format!("{code:0>14}"),
        name: id.to_owned(),
        kind: Kind::Piece,
        price_minor: 250,
        weight: WeightBelief { mean_g, sd_g: 2.0, mean_sd_g: 0.5, source: WeightSource::Seeded },
        look_group: None,
        category: None,
        risk: Risk::Normal,
        popularity: 1.0,
        terms: Terms::default(),
    }
}

/// Masses far enough apart that weight alone names them.
fn shop() -> Catalogue {
    Catalogue::new(vec![
        product("butter", "1", 256.0),
        product("milk", "2", 1060.0),
        product("pasta", "3", 510.0),
        product("gum", "4", 22.0),
        product("twin", "5", 1060.5),
    ])
}

fn expected(catalogue: &Catalogue, lines: &[(&str, u32)]) -> Expected {
    let basket = Basket {
        revision: 1,
        source: Source::App,
        containers: vec![Container { kind: ContainerKind::Basket, id: None }],
        bags: Bags::default(),
        shopper: None,
        lines: lines
            .iter()
            .map(|(code, quantity)| Line { code: (*code).to_owned(), quantity: *quantity, scanned_at: None })
            .collect(),
    };
    let codes: Vec<(Code, u32)> = lines.iter().map(|(code, n)| (Code::Gtin(format!("{code:0>14}")), *n)).collect();
    let containers = [ContainerBelief::of_kind("basket", 1000.0, 4.0)];
    Expected::new(&basket, &codes, catalogue, &containers, &BagBelief::one(60.0, 35.0))
}

fn judged(lines: &[(&str, u32)], measured_g: f64) -> Conclusion {
    let catalogue = shop();
    let expected = expected(&catalogue, lines);
    judge(
        &Evidence {
            measured: Mass::from_g(measured_g).unwrap(),
            sigma: Mass::from_mg(2_000),
            scene: None,
            expected: &expected,
            catalogue: &catalogue,
            steps: &[],
            guesses: &[],
            bag: &BagBelief::one(60.0, 35.0),
            gallery: None,
            corrections: 0,
        },
        &POLICY,
    )
}

fn first(conclusion: &Conclusion) -> (FindingKind, Option<&str>) {
    let finding = &conclusion.findings[0];
    (finding.kind, finding.product.as_ref().map(|p| p.name.as_str()))
}

#[test]
fn what_a_list_makes_is_added_up_by_hand() {
    let expected = expected(&shop(), &[("1", 2), ("2", 1), ("1", 1)]);
    assert_eq!(expected.mean_g, 1000.0 + 3.0 * 256.0 + 1060.0);
    // 4² + 3 · 0.7 · 2² + 3² · (0.3 · 2² + 0.5²) + 2² + 0.5²: three tenths of a variance are the batch's.
    assert!((expected.variance_g2() - (16.0 + 8.4 + 13.05 + 4.25)).abs() < 1e-9);
    assert_eq!(expected.lines.len(), 2, "the same code twice is one line");
}

/// A trolley of 22 kg give or take 35 g that was weighed before, and is 60 g heavier: who says so is believed, and who is mistaken is no thief.
#[test]
fn a_container_that_says_who_it_is_weighs_what_it_weighed_before() {
    let kind = ContainerBelief::of_kind("trolley", 22_000.0, 35.0);
    let own = ContainerBelief { id: Some("T17".to_owned()), tare_g: 22_060.0, sigma_g: 3.0, ..kind.clone() };
    let of = |id: Option<&str>| {
        let container = Container { kind: ContainerKind::Trolley, id: id.map(str::to_owned) };
        let basket = Basket {
            revision: 1,
            source: Source::App,
            containers: vec![container],
            bags: Bags::default(),
            shopper: None,
            lines: Vec::new(),
        };
        Expected::new(&basket, &[], &shop(), &[kind.clone(), own.clone()], &BagBelief::one(60.0, 35.0))
    };
    assert_eq!((of(None).mean_g, of(Some("T18")).mean_g), (22_000.0, 22_000.0));
    assert_eq!((of(None).variance_g2(), of(Some("T18")).variance_g2()), (1225.0, 1225.0));
    let known = of(Some("T17"));
    assert_eq!(known.mean_g, 22_060.0);
    // 9 g² if it is the one; with two in a hundred another one, 60 g lighter on average: 0.02 · (1216 + 0.98 · 3600).
    assert!((known.variance_g2() - 9.0 - 0.02 * (1216.0 + 0.98 * 3600.0)).abs() < 1e-6, "{}", known.variance_g2());
}

#[test]
fn a_list_that_fits_passes_and_so_does_one_that_is_a_little_off() {
    // σ is about 5.8 g.
    for off in [0.0, 6.0, -9.0, 15.0] {
        let conclusion = judged(&[("1", 1), ("3", 1)], 1766.0 + off);
        assert_eq!(conclusion.outcome, Outcome::Pass, "{off}");
        assert!(conclusion.findings.is_empty());
    }
}

#[test]
fn each_error_is_found_for_what_it_is() {
    let extra = judged(&[("1", 1), ("3", 1)], 1766.0 + 1060.0);
    assert_eq!(extra.outcome, Outcome::Correct);
    assert_eq!(extra.findings[0].kind, FindingKind::Unscanned);
    let missing = judged(&[("1", 1), ("3", 1), ("2", 1)], 2826.0 - 510.0);
    assert_eq!((missing.outcome, first(&missing)), (Outcome::Correct, (FindingKind::Absent, Some("pasta"))));
    assert_eq!(missing.message, Message::NotThere { name: "pasta".to_owned() });
    let more = judged(&[("1", 2), ("3", 1)], 2022.0 + 256.0);
    assert_eq!(first(&more), (FindingKind::Quantity, Some("butter")));
    assert_eq!((more.findings[0].scanned, more.findings[0].found), (Some(2), Some(3)));
    let swapped = judged(&[("1", 1), ("3", 1)], 1766.0 - 256.0 + 1060.3);
    assert_eq!(first(&swapped), (FindingKind::Swapped, Some("butter")));
}

/// Milk and its twin weigh the same: a name would be wrong every second time.
#[test]
fn no_product_is_named_below_one_half() {
    let conclusion = judged(&[("1", 1), ("3", 1)], 1766.0 + 1060.2);
    let finding = &conclusion.findings[0];
    assert_eq!(
        (finding.kind, finding.named, finding.product.is_none()),
        (FindingKind::Unscanned, false, true),
        "{finding:?}"
    );
    assert!((finding.grams - 1060.2).abs() < 0.1);
    assert_eq!(conclusion.message, Message::MoreThanList { grams: 1060 });
    let check: Vec<&str> = conclusion.check.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(check.len(), 2);
    assert!(check.contains(&"milk") && check.contains(&"twin"), "{check:?}");
}

#[test]
fn probabilities_are_probabilities() {
    for off in [-1500.0, -200.0, 60.0, 256.0, 700.0, 5000.0] {
        let conclusion = judged(&[("1", 2), ("3", 1), ("2", 2)], 4142.0 + off);
        let sum: f64 = conclusion.findings.iter().map(|f| f.probability).sum();
        assert!(
            sum <= 1.0 + 1e-9 && conclusion.findings.iter().all(|f| (0.0..=1.0).contains(&f.probability)),
            "{off}: {sum}"
        );
        assert!(conclusion.findings.iter().all(|f| !f.named || f.probability >= 0.5));
    }
}

#[test]
fn an_unknown_code_is_for_staff_and_never_a_pass() {
    let conclusion = judged(&[("1", 1), ("99", 2)], 1256.0);
    assert_eq!((conclusion.outcome, conclusion.findings[0].kind), (Outcome::Assist, FindingKind::Foreign));
    assert_eq!(conclusion.findings[0].product.as_ref().map(|p| (p.id.clone(), p.code.as_str())), Some((None, "99")));
}

#[test]
fn after_enough_corrections_somebody_comes() {
    let catalogue = shop();
    let expected = expected(&catalogue, &[("1", 1)]);
    let evidence = Evidence {
        measured: Mass::from_mg(2_316_000),
        sigma: Mass::from_mg(2_000),
        scene: None,
        expected: &expected,
        catalogue: &catalogue,
        steps: &[],
        guesses: &[],
        bag: &BagBelief::one(60.0, 35.0),
        gallery: None,
        corrections: 3,
    };
    let conclusion = judge(&evidence, &POLICY);
    assert_eq!((conclusion.outcome, &conclusion.message), (Outcome::Assist, &Message::StaffWillHelp {}));
    assert!(!conclusion.findings.is_empty(), "staff is told what it is about");
}

#[test]
fn a_sensor_that_is_out_accuses_nobody() {
    let conclusion = Conclusion::unavailable("scale", "disconnected");
    assert_eq!((conclusion.outcome, &conclusion.message), (Outcome::Unavailable, &Message::StationBusy {}));
    assert_eq!(conclusion.findings[0].kind, FindingKind::Sensor);
}
