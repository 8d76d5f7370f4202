//! Steps whose scans are guessed: what they tell, and that a wrong guess alarms nobody and hides nothing.

use super::*;
use crate::goods::Gallery;
use crate::verdict::judge::weigh;
use crate::verdict::sequence::groupings;

/// Butter, milk, pasta, and two things like them, one after the other into a basket.
const LIST: [(&str, u32); 5] = [("1", 1), ("2", 1), ("3", 1), ("6", 1), ("7", 1)];
const STEPS_G: [f64; 6] = [1000.0, 256.5, 1059.0, 511.0, 749.0, 330.5];

fn shop_of_seven() -> Catalogue {
    let mut products = shop().products().to_vec();
    products.extend([product("rice", "6", 750.0), product("jam", "7", 330.0)]);
    Catalogue::new(products)
}

fn step(lines: &[usize], mass_g: f64, carrier: bool) -> StepEvidence {
    let sigma = Mass::from_mg(900);
    StepEvidence { lines: lines.to_vec(), mass: Mass::from_g_saturating(mass_g), sigma, carrier, scene: None }
}

/// The container, and a good after the other, each with its line.
fn one_by_one() -> Vec<StepEvidence> {
    let mut steps = vec![step(&[], STEPS_G[0], true)];
    steps.extend((0..5).map(|line| step(&[line], STEPS_G[line + 1], false)));
    steps
}

fn judged_by(guesses: &[Vec<StepEvidence>]) -> Conclusion {
    judged_of(&LIST, guesses)
}

fn judged_of(list: &[(&str, u32)], guesses: &[Vec<StepEvidence>]) -> Conclusion {
    let catalogue = shop_of_seven();
    let expected = expected(&catalogue, list);
    let total_g = guesses[0].iter().map(|s| s.mass.g()).sum();
    let bag = BagBelief::one(60.0, 35.0);
    let evidence = Evidence {
        measured: Mass::from_g_saturating(total_g),
        sigma: Mass::from_mg(2_000),
        scene: None,
        expected: &expected,
        catalogue: &catalogue,
        steps: &[],
        guesses,
        bag: &bag,
        gallery: None,
        corrections: 0,
    };
    let posterior = weigh(&evidence, true, &POLICY).posterior;
    let fewer =
        |l: &posterior::LinePosterior| l.absent + l.counts.iter().filter(|c| c.0 == 0).map(|c| c.1).sum::<f64>();
    let less: f64 = posterior.less_several + posterior.lines.iter().map(fewer).sum::<f64>();
    let all = posterior.fine() + posterior.loss(&expected) + less;
    assert!((all - 1.0).abs() < 1e-9, "a mixture of posteriors is one: {all}");
    judge(&evidence, &POLICY)
}

#[test]
fn a_small_thing_put_down_between_scans_is_found() {
    let mut steps = one_by_one();
    steps.insert(3, step(&[], 22.0, false));
    let conclusion = judged_by(&[steps.clone()]);
    assert_eq!(first(&conclusion), (FindingKind::Unscanned, Some("gum")), "{conclusion:?}");
    assert!((conclusion.findings[0].grams - 22.0).abs() < 0.1);
    // Put down with something that was scanned, it stands out against that as well.
    let mut steps = one_by_one();
    steps[3] = step(&[2], 511.0 + 22.0, false);
    assert_eq!(first(&judged_by(&[steps])), (FindingKind::Unscanned, Some("gum")));
}

#[test]
fn whatever_the_order_a_right_total_passes() {
    let right = one_by_one();
    assert_eq!(judged_by(std::slice::from_ref(&right)).outcome, Outcome::Pass);
    let with = |masses_g: &[f64]| {
        let mut steps = right.clone();
        steps.iter_mut().zip(masses_g).for_each(|(step, mass_g)| step.mass = Mass::from_g_saturating(*mass_g));
        steps
    };
    // Every order in which five goods can be put down, the basket first.
    let mut orders = vec![vec![]];
    for good in 1..6 {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, good);
                    longer
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 120);
    for order in orders {
        let masses: Vec<f64> = [STEPS_G[0]].into_iter().chain(order.iter().map(|good| STEPS_G[*good])).collect();
        let conclusion = judged_by(&[with(&masses)]);
        assert_eq!(conclusion.outcome, Outcome::Pass, "{order:?} {conclusion:?}");
    }
    // One good in two goes: a hand that bore some of it.
    let mut halves = right.clone();
    halves[2].mass = Mass::from_g_saturating(700.0);
    halves.insert(3, step(&[], 359.0, false));
    assert_eq!(judged_by(&[halves]).outcome, Outcome::Pass);
    // Two goods at once, scanned one after the other and told apart by a scan that came late.
    let mut at_once = right.clone();
    at_once.remove(3);
    at_once[2] = step(&[1, 2], 1059.0 + 511.0, false);
    assert_eq!(judged_by(&[at_once]).outcome, Outcome::Pass);
}

/// Told of the chewing gum, the shopper scans it: its line comes last, and it lies where it lay.
#[test]
fn what_was_forgotten_and_is_scanned_at_last_is_right() {
    let list = [LIST.as_slice(), &[("4", 1)]].concat();
    let mut steps = one_by_one();
    steps.insert(3, step(&[], 22.0, false));
    steps[6].lines.push(5);
    assert_eq!(judged_of(&list, &[steps.clone()]).outcome, Outcome::Pass);
    // Another thing was scanned, and what nobody scanned lies there still.
    let list = [LIST.as_slice(), &[("1", 1)]].concat();
    steps[6].lines = vec![0, 4];
    assert_ne!(judged_of(&list, &[steps]).outcome, Outcome::Pass);
}

/// The second way fits where the first does not: it is the one that counts, for the whole visit.
#[test]
fn the_order_that_fits_is_taken() {
    let right = one_by_one();
    let mut shifted = right.clone();
    for at in 0..5 {
        shifted[at].lines = right[at + 1].lines.clone();
    }
    shifted[5].lines = Vec::new();
    let catalogue = shop_of_seven();
    let expected = expected(&catalogue, &LIST);
    let chosen = groupings(&[shifted.clone(), right.clone()], &expected, &POLICY).unwrap();
    assert!(chosen.iter().any(|g| g.groups.len() == 6 && g.groups[1].lines == [0]), "{chosen:?}");
    let mut thief = right;
    thief.insert(3, step(&[], 22.0, false));
    shifted.insert(3, step(&[], 22.0, false));
    assert_eq!(first(&judged_by(&[shifted, thief])), (FindingKind::Unscanned, Some("gum")));
}

/// Butter scanned twice and put down at different times is one weighing of two, and a third one alone is one too many.
#[test]
fn units_of_one_line_may_come_now_and_then() {
    let catalogue = shop_of_seven();
    let expected = expected(&catalogue, &[("1", 2), ("2", 1), ("3", 1)]);
    let bag = BagBelief::one(60.0, 35.0);
    let judged = |steps: Vec<StepEvidence>| {
        let evidence = Evidence {
            measured: Mass::from_g_saturating(steps.iter().map(|s| s.mass.g()).sum()),
            sigma: Mass::from_mg(2_000),
            scene: None,
            expected: &expected,
            catalogue: &catalogue,
            steps: &[],
            guesses: &[steps],
            bag: &bag,
            gallery: None,
            corrections: 0,
        };
        judge(&evidence, &POLICY)
    };
    let mut steps = vec![
        step(&[], 1000.0, true),
        step(&[0], 255.0, false),
        step(&[1], 1060.0, false),
        step(&[0], 257.5, false),
        step(&[2], 510.0, false),
    ];
    assert_eq!(judged(steps.clone()).outcome, Outcome::Pass);
    steps.push(step(&[], 256.5, false));
    let conclusion = judged(steps);
    assert_eq!(
        (conclusion.outcome, conclusion.findings[0].kind),
        (Outcome::Correct, FindingKind::Quantity),
        "{conclusion:?}"
    );
    assert_eq!((conclusion.findings[0].scanned, conclusion.findings[0].found), (Some(2), Some(3)));
}

/// Five goods leave six places. Of strays four in five come at the first or the last, so that these have 0.4 · 6 of what goods have, and the
/// other four 0.2 · 6 / 4.
#[test]
fn a_bag_comes_before_the_goods_or_after_them() {
    let catalogue = shop_of_seven();
    let expected = expected(&catalogue, &LIST);
    for (at, wanted) in [(1, 2.4), (2, 0.3), (4, 0.3), (6, 2.4)] {
        let mut steps = one_by_one();
        steps.insert(at, step(&[], 60.0, false));
        let all = groupings(&[steps], &expected, &POLICY).unwrap();
        let as_is = all.iter().find(|g| g.groups.len() == 7).unwrap();
        let lone = as_is.groups.iter().position(|g| g.is_lone()).unwrap();
        assert!((sequence::strays(&as_is.groups)[lone] - wanted).abs() < 1e-9, "{at}");
    }
}

/// By hand: two parts of 300 g together are one of 300 divisions to a gram; three are one of 300² / 2.
#[test]
fn a_division_of_a_mass_has_the_density_of_its_simplex() {
    let catalogue = shop_of_seven();
    let expected = expected(&catalogue, &LIST);
    let mut halves = one_by_one();
    halves[5].mass = Mass::from_g_saturating(200.0);
    halves.push(step(&[], 130.5, false));
    let all = groupings(&[halves], &expected, &POLICY).unwrap();
    let total_g: f64 = STEPS_G.iter().sum();
    assert!((all[0].ln_weight - (0.05f64.ln() + 720.0f64.ln() - 6.0 * total_g.ln())).abs() < 1e-9, "all seven in one");
    let joined = all.iter().find(|g| g.groups.len() == 6).unwrap();
    assert!((joined.ln_weight - (0.95f64.ln() + 0.03f64.ln() - 330.5f64.ln())).abs() < 1e-9, "{joined:?}");
}

/// What was seen to come with each step names what came by itself though the last look does not show it any more; the scale alone cannot.
#[test]
fn what_came_with_a_step_is_known_though_it_is_hidden_now() {
    use super::eyes::{gallery, seen};
    let catalogue = shop_of_seven();
    let expected = expected(&catalogue, &LIST[2..]);
    let bag = BagBelief::one(60.0, 35.0);
    // Pasta, something of a kilogram, rice, jam; milk and its twin weigh the same.
    let looked = |which: &[usize], lines: &[usize], mass_g: f64, carrier: bool| StepEvidence {
        scene: Some(seen(which)),
        ..step(lines, mass_g, carrier)
    };
    let steps = vec![
        looked(&[], &[], 1000.0, true),
        looked(&[], &[0], 511.0, false),
        looked(&[2], &[], 1060.2, false),
        looked(&[], &[1], 749.0, false),
        looked(&[], &[2], 330.5, false),
    ];
    let last = seen(&[]);
    let blind: Vec<StepEvidence> = steps.iter().map(|s| StepEvidence { scene: None, ..s.clone() }).collect();
    let told = |guess: Vec<StepEvidence>, gallery: &Gallery| {
        let total_g: f64 = guess.iter().map(|s| s.mass.g()).sum();
        let evidence = Evidence {
            measured: Mass::from_g_saturating(total_g),
            sigma: Mass::from_mg(2_000),
            scene: Some(&last),
            expected: &expected,
            catalogue: &catalogue,
            steps: &[],
            guesses: &[guess],
            bag: &bag,
            gallery: Some(gallery),
            corrections: 0,
        };
        judge(&evidence, &POLICY)
    };
    let conclusion = told(steps.clone(), &gallery());
    assert_eq!(first(&conclusion), (FindingKind::Unscanned, Some("twin")), "{conclusion:#?}");
    assert!(conclusion.findings[0].named);
    let unseen = told(blind, &gallery());
    assert_ne!(unseen.outcome, Outcome::Pass);
    assert!(unseen.findings.iter().all(|f| f.probability < 0.7), "{unseen:#?}");
    // Embeddings of another model's space say nothing, of steps as of the whole.
    let elsewhere = Gallery::of("other", gallery().calibration, Vec::new());
    assert_eq!(told(steps, &elsewhere).findings, unseen.findings);
}
