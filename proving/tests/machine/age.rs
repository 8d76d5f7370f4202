//! Goods that are sold from an age on: the weight says whether the list is right, staff whether it may be sold.

use super::{PRODUCT, approval, hardware, placed, put, resolve, validate};
use augenmass_core::goods::{Catalogue, Terms, parse_ndjson};
use augenmass_core::station::{Deed, Input, Now, ValidationState};
use augenmass_core::units::{Mono, Wall};
use augenmass_core::verdict::{Message, Outcome, Policy, Reason};
use firmware_sim::shop::Shop;
use proving::station::{POLICY, VirtualStation};
use std::sync::Arc;

/// The demo shop, as if its butter were sold to adults alone: three on the list, so many on the plate.
fn judged(age_check: bool, units: u32) -> VirtualStation {
    let shop = Arc::new(Shop::demo().unwrap());
    let policy = Policy { age_check, ..POLICY };
    let mut station = VirtualStation::with_policy(&hardware(), &shop, 21, policy).unwrap();
    let mut products = parse_ndjson(&shop.catalogue_ndjson()).unwrap();
    let butter = products.iter_mut().find(|product| product.id.as_str() == PRODUCT).unwrap();
    butter.terms = Terms { age_limit: Some(18), ..butter.terms.clone() };
    let now = Now { mono: Mono::from_us(0), wall: Wall::from_ms(1_795_284_000_000) };
    station.machine.handle(now, Input::Goods { catalogue: Arc::new(Catalogue::new(products)), gallery: None });
    station.run_ms(1_200);
    put(&mut station, &shop, "b", 1, 3);
    validate(&mut station, "v", "b");
    station.stage.command(&placed(units, None)).unwrap();
    assert!(station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.attempt == 1)));
    station
}

#[test]
fn a_right_basket_with_goods_for_adults_waits_for_staff_and_ends_with_their_word() {
    let mut station = judged(true, 3);
    let view = station.published.last().unwrap().clone();
    let verdict = view.verdict.unwrap();
    assert_eq!((verdict.outcome, verdict.passed, view.state), (Outcome::Assist, false, ValidationState::Decided));
    assert_eq!(verdict.message, Message::AgeCheck { years: 18 });
    assert!(
        verdict.findings.is_empty() && verdict.exit_token.is_none(),
        "nothing is amiss but what only eyes can tell"
    );
    let weight = verdict.weight.unwrap();
    assert!((weight.measured_g - weight.expected_g).abs() < 3.0 * weight.sigma_g);
    let deed = Deed { reason: Reason::AgeOk, age_checked: true, attempt: Some(1), ..approval() };
    let ticket = resolve(&mut station, deed);
    assert!(station.run_until(2_000, |s| s.answers.contains_key(&ticket)));
    let view = station.published.last().unwrap();
    assert_eq!(view.state, ValidationState::Closed);
    assert!(view.resolution.as_ref().is_some_and(|resolution| resolution.age_checked));
}

#[test]
fn a_wrong_basket_is_put_right_first_and_who_checks_elsewhere_lets_it_pass() {
    let wrong = judged(true, 5).published.last().unwrap().verdict.clone().unwrap();
    assert_eq!(wrong.outcome, Outcome::Correct);
    assert!(!matches!(wrong.message, Message::AgeCheck { .. }));
    let elsewhere = judged(false, 3).published.last().unwrap().verdict.clone().unwrap();
    assert_eq!(elsewhere.outcome, Outcome::Pass);
}
