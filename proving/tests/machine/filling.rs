//! Goods that are scanned and put down one after the other.

use super::hardware;
use augenmass_core::verdict::{FindingKind, Outcome};
use firmware_sim::shop::Shop;
use proptest::prelude::*;
use proving::eyes::DrawnEyes;
use proving::filling::{self, Deed as Turn, Fillings, Judging, Lists, Unit};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Packs of which the shop knows the weight well, and a shopper's errors cannot hide in each other.
const PACKS: [&str; 8] = [
    "butter-250",
    "milk-35-1l",
    "chocolate-milk-100",
    "sponges-5",
    "gummy-bears-200",
    "chocolate-bars-5",
    "spice-paprika",
    "candles-10",
];

/// By steps, without eyes.
const STEPS: Judging<'_> = Judging { lists: Lists::EachScan, eyes: None };

fn packs(shop: &Shop, names: &[&str], seed: u64) -> Vec<Unit> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    names.iter().map(|id| Unit::draw(shop, shop.index_of(id).unwrap(), &mut rng)).collect()
}

/// Scans and puts in an order of each, with time to come to rest after each put.
fn interleaved(scans: &[usize], puts: &[usize], bits: u64) -> Vec<Turn> {
    let (mut scans, mut puts) = (scans.iter().peekable(), puts.iter().peekable());
    let mut turns = Vec::new();
    for bit in 0.. {
        let scan_now = puts.peek().is_none() || (scans.peek().is_some() && (bits >> (bit % 64)) & 1 == 1);
        let next =
            if scan_now { scans.next().map(|s| Turn::Scan(*s)) } else { puts.next().map(|p| Turn::Put(vec![*p])) };
        let Some(turn) = next else { return turns };
        turns.extend([turn, Turn::Wait(if scan_now { 300 } else { 1_800 })]);
    }
    turns
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Scanned in one order and put down in any other, at any time: what lies there is what was scanned, and nobody is stopped for the rest.
    #[test]
    fn whose_scans_and_goods_come_in_any_order_is_not_stopped(seed in 0..1000u64, bits in any::<u64>()) {
        let shop = Arc::new(Shop::demo().unwrap());
        let units = packs(&shop, &PACKS, seed);
        let mut order: Vec<usize> = (0..units.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let scans: Vec<usize> = (0..units.len()).collect();
        let turns = interleaved(&scans, &order, bits);
        let verdict = filling::visit(&hardware(), &shop, &units, &turns, STEPS, seed).unwrap();
        prop_assert_eq!(verdict.outcome, Outcome::Pass, "{:?} {:?}", turns, verdict.findings);
    }

    /// A pack of 38 g that nobody scanned, put down by itself between others: the steps tell, whoever scans first. (Before or after all others it
    /// might as well be a bag.)
    #[test]
    fn what_is_put_down_between_scans_is_found(seed in 0..1000u64, at in 1..8usize, scan_first in any::<bool>()) {
        let shop = Arc::new(Shop::demo().unwrap());
        let mut units = packs(&shop, &PACKS, seed);
        units.extend(packs(&shop, &["razor-blades-4"], seed));
        let mut turns = Vec::new();
        for unit in 0..8 {
            let mut turn = [vec![Turn::Scan(unit), Turn::Wait(700)], vec![Turn::Put(vec![unit]), Turn::Wait(1_800)]];
            turn[..].rotate_left(usize::from(!scan_first));
            turns.push(turn.concat());
        }
        turns.insert(at, vec![Turn::Put(vec![8]), Turn::Wait(1_800)]);
        let verdict = filling::visit(&hardware(), &shop, &units, &turns.concat(), STEPS, seed).unwrap();
        prop_assert_ne!(verdict.outcome, Outcome::Pass);
        let found = verdict.findings.iter().find(|f| f.kind == FindingKind::Unscanned).unwrap();
        prop_assert!((found.grams - 38.0).abs() < 4.0, "{:?}", found);
    }
}

/// The same 38 g in a heavy basket of things that vary: its total says nothing, and each of its steps does.
#[test]
fn what_the_total_cannot_see_a_step_can() {
    let shop = Arc::new(Shop::demo().unwrap());
    let known = ["melon-honeydew", "cauliflower", "melon-honeydew", "milk-35-1l", "cauliflower", "butter-250"];
    let mut told = [0, 0];
    for seed in 0..8 {
        let mut units = packs(&shop, &known, seed);
        let scanned = units.len();
        units.extend(packs(&shop, &["razor-blades-4"], seed));
        let mut turns: Vec<Turn> = (0..scanned)
            .flat_map(|unit| [Turn::Scan(unit), Turn::Wait(600), Turn::Put(vec![unit]), Turn::Wait(1_800)])
            .collect();
        turns.splice(12..12, [Turn::Put(vec![scanned]), Turn::Wait(1_800)]);
        for (told, lists) in told.iter_mut().zip([Lists::EachScan, Lists::AtTheEnd]) {
            let verdict =
                filling::visit(&hardware(), &shop, &units, &turns, Judging { lists, eyes: None }, seed).unwrap();
            *told += u32::from(verdict.outcome != Outcome::Pass);
        }
    }
    assert!(told[0] >= 4 && told[1] <= 1, "stopped of 8 by steps and by the total: {told:?}");
}

/// Drawn shoppers, each basket judged by steps without looks and with: what was seen to come with each step names what nobody scanned, stops no
/// less of it, and stops nobody who is honest.
#[test]
fn what_was_seen_to_come_with_a_step_names_it() {
    let shop = Arc::new(Shop::demo().unwrap());
    let eyes = Arc::new(DrawnEyes::new(&shop, 1).unwrap());
    let ways = [STEPS, Judging { eyes: Some(&eyes), ..STEPS }];
    let [blind, seeing] = filling::play(&hardware(), &shop, (48, 12), &ways, 3).unwrap();
    let named = |f: &Fillings| f.light_named.hits + f.heavy_named.hits;
    let stopped = |f: &Fillings| f.light_stopped.hits + f.heavy_stopped.hits;
    assert!(named(&blind) <= 2 && named(&seeing) >= 6, "{blind:?} {seeing:?}");
    assert!(stopped(&seeing) >= stopped(&blind), "{blind:?} {seeing:?}");
    assert_eq!((blind.honest_stopped.hits, seeing.honest_stopped.hits), (0, 0));
}

/// A look after each put, whether anybody waits for a verdict or not; and with the list at the end one at the total.
#[test]
fn each_put_is_looked_at() {
    let shop = Arc::new(Shop::demo().unwrap());
    let eyes = Arc::new(DrawnEyes::new(&shop, 1).unwrap());
    let units = packs(&shop, &PACKS, 1);
    let turns: Vec<Turn> =
        (0..8).flat_map(|unit| [Turn::Scan(unit), Turn::Wait(700), Turn::Put(vec![unit]), Turn::Wait(1_800)]).collect();
    for (lists, basis) in [(Lists::EachScan, (9, 9)), (Lists::AtTheEnd, (1, 1))] {
        let judging = Judging { lists, eyes: Some(&eyes) };
        let verdict = filling::visit(&hardware(), &shop, &units, &turns, judging, 1).unwrap();
        assert_eq!(verdict.outcome, Outcome::Pass);
        assert_eq!((verdict.basis.weighings, verdict.basis.looks), basis);
    }
}
