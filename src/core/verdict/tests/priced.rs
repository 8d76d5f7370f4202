//! Labels that say a price and no mass, worked out by hand.

use super::*;
use crate::basket::{InStorePattern, Today};
use crate::units::Wall;

fn of_kind(kind: Kind, price_per_kg_minor: Option<i64>) -> Catalogue {
    let terms = Terms { price_per_kg_minor, ..Terms::default() };
    let cheese = Product { code: "04011".to_owned(), kind, terms: terms.clone(), ..product("cheese", "0", 200.0) };
    Catalogue::new(vec![
        Product { code: "94006381333934".to_owned(), kind, terms, ..product("ham", "0", 200.0) },
        cheese,
    ])
}

/// 3.99 on the label of article 04011.
const LABEL: &str = "2804011003993";

fn list(code: &str, template: &str, catalogue: &Catalogue) -> Expected {
    let basket = Basket {
        revision: 1,
        source: Source::App,
        containers: Vec::new(),
        bags: Bags::default(),
        shopper: None,
        lines: vec![Line { code: code.to_owned(), quantity: 1, scanned_at: None }],
    };
    let template = InStorePattern::try_from(template.to_owned()).unwrap();
    let checked = basket.check(&[template], Today::of(Wall::from_ms(1_795_284_000_000))).unwrap();
    Expected::new(&checked.goods, &checked.codes, catalogue, &[], &BagBelief::one(60.0, 35.0))
}

fn judged_on(expected: &Expected, catalogue: &Catalogue, measured_g: f64) -> Conclusion {
    let evidence = Evidence {
        measured: Mass::from_g(measured_g).unwrap(),
        sigma: Mass::from_mg(2_000),
        scene: None,
        expected,
        catalogue,
        steps: &[],
        guesses: &[],
        bag: &BagBelief::one(60.0, 35.0),
        gallery: None,
        corrections: 0,
    };
    judge(&evidence, &POLICY)
}

#[test]
fn a_price_by_weight_says_the_mass() {
    let catalogue = of_kind(Kind::Weighed, Some(1290));
    // 3.99 at 12.90 a kilogram: 309.302 g net and 2.5 g of wrap; a step of 0.01 is 0.775 g, its rounding 0.775 / sqrt(12) = 0.2238 g.
    let expected = list(LABEL, "28IIIIIPPPPPC", &catalogue);
    assert!((expected.mean_g - 311.802).abs() < 0.001, "{}", expected.mean_g);
    assert!((expected.variance_g2() - (9.0 + 0.05008)).abs() < 1e-4, "{}", expected.variance_g2());
    assert_eq!((expected.lines[0].nature, expected.unknown.len()), (Nature::Labelled, 0));
    assert_eq!(judged_on(&expected, &catalogue, 311.8).outcome, Outcome::Pass);
    assert_ne!(judged_on(&expected, &catalogue, 511.8).outcome, Outcome::Pass, "twice as much cheese as was paid for");
    // The same digits in steps of 0.10: ten times the mass, and ten times the rounding.
    let coarse = list(LABEL, "28IIIIIPPPPPC minor=10", &catalogue);
    assert!((coarse.mean_g - (3093.023 + 2.5)).abs() < 0.001, "{}", coarse.mean_g);
    assert!((coarse.variance_g2() - (9.0 + 5.008)).abs() < 1e-3, "{}", coarse.variance_g2());
}

#[test]
fn without_a_price_of_a_kilogram_the_mass_is_unknown_and_nothing_passes() {
    for per_kg in [None, Some(0)] {
        let catalogue = of_kind(Kind::Weighed, per_kg);
        let expected = list(LABEL, "28IIIIIPPPPPC", &catalogue);
        assert!(expected.lines.is_empty());
        for measured_g in [0.0, 200.0, 309.3, 311.8] {
            let told = judged_on(&expected, &catalogue, measured_g);
            let finding = &told.findings[0];
            assert_eq!((told.outcome, first(&told)), (Outcome::Assist, (FindingKind::StaleWeight, Some("cheese"))));
            assert!(finding.detail.as_deref().is_some_and(|detail| detail.starts_with("unknown mass")), "{finding:?}");
        }
    }
    // A free portion, and one of a hundredweight and more, are no portions.
    for code in ["2804011000008", "2804011999999"] {
        let expected = list(code, "28IIIIIPPPPPC", &of_kind(Kind::Weighed, Some(1)));
        assert_eq!(expected.unknown.len(), 1, "{code}");
    }
}

#[test]
fn what_is_sold_by_the_piece_weighs_what_the_catalogue_says_whatever_it_costs() {
    for kind in [Kind::Piece, Kind::Varying] {
        let expected = list(LABEL, "28IIIIIPPPPPC", &of_kind(kind, None));
        assert_eq!((expected.mean_g, expected.unknown.len()), (200.0, 0));
    }
}
