//! Shoppers who fill their basket on the plate, good by good, scanning each: what the steps tell beyond the total.

use crate::eyes::DrawnEyes;
use crate::station::VirtualStation;
use crate::statistics::Share;
use anyhow::{Context, Result};
use augenmass_core::basket::{Bags, Basket, Container, ContainerKind, Line, Source};
use augenmass_core::station::Request;
use augenmass_core::verdict::{Finding, FindingKind, Outcome, Verdict};
use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use firmware_sim::stage::{Command, GoodsLine, unit_code};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// One unit of a good, as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// The good's name in the shop.
    pub id: String,
    /// What stands on it.
    pub code: String,
    /// What it weighs, grams.
    pub mass_g: f64,
}

impl Unit {
    /// One of those on the shelf.
    pub fn draw(shop: &Shop, good: usize, rng: &mut impl Rng) -> Self {
        let good = &shop.goods[good];
        let mass_g = good.draw_mass_g(rng);
        Self { id: good.id.clone(), code: unit_code(good, mass_g), mass_g }
    }
}

/// What a shopper does, by the places of the units.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Scans a unit; the list goes to the station.
    Scan(usize),
    /// Puts units down together.
    Put(Vec<usize>),
    /// Does nothing for so many milliseconds.
    Wait(u64),
}

/// How the lists come to the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// One after each scan.
    EachScan,
    /// One at the end, of all that was scanned.
    AtTheEnd,
}

/// Who judges what a shopper does.
#[derive(Clone, Copy)]
pub struct Judging<'a> {
    /// How the lists come.
    pub lists: Lists,
    /// What the camera shows, where there is one.
    pub eyes: Option<&'a Arc<DrawnEyes>>,
}

/// An empty basket on the plate, what the shopper does, and then the validation; gives its first verdict.
///
/// # Errors
/// Deeds that the stage refuses, and a station that does not answer.
pub fn visit(
    hardware: &Hardware,
    shop: &Arc<Shop>,
    units: &[Unit],
    deeds: &[Deed],
    Judging { lists, eyes }: Judging<'_>,
    seed: u64,
) -> Result<Arc<Verdict>> {
    let mut station = match eyes {
        Some(eyes) => VirtualStation::seeing(hardware, shop, seed, eyes.plate(seed))?,
        None => VirtualStation::new(hardware, shop, seed)?,
    };
    station.run_ms(1_200);
    let container = Some("basket".to_owned());
    let empty = Command::Place { container, container_id: None, goods: vec![], bags: 0, bag_g: None, hold_ms: None };
    station.stage.command(&empty)?;
    station.run_ms(2_000);
    let mut list = Basket {
        revision: 0,
        source: Source::Handheld,
        containers: vec![Container { kind: ContainerKind::Basket, id: None }],
        bags: Bags::default(),
        shopper: None,
        lines: Vec::new(),
    };
    for deed in deeds {
        match deed {
            Deed::Scan(unit) => {
                scan(&mut list, &units[*unit].code);
                if lists == Lists::EachScan {
                    station.ask(Request::PutBasket { id: "b-1".parse()?, basket: list.clone() });
                }
            }
            Deed::Put(which) => {
                let line =
                    |u: &usize| GoodsLine { id: units[*u].id.clone(), quantity: 1, unit_g: vec![units[*u].mass_g] };
                let goods = which.iter().map(line).collect();
                station.stage.command(&Command::Add { goods, hold_ms: None })?;
                if let Some(plate) = &mut station.camera {
                    which.iter().for_each(|u| plate.put(&units[*u].id));
                }
            }
            Deed::Wait(ms) => station.run_ms(*ms),
        }
    }
    if lists == Lists::AtTheEnd {
        station.ask(Request::PutBasket { id: "b-1".parse()?, basket: list });
    }
    let station_code = hardware.station.code.clone();
    station.ask(Request::Validate { id: "v-1".parse()?, basket_id: "b-1".parse()?, station_code });
    station.run_until(6_000, |s| s.published.iter().any(|v| v.verdict.is_some()));
    station.published.iter().find_map(|v| v.verdict.clone()).context("no verdict in six seconds")
}

fn scan(list: &mut Basket, code: &str) {
    list.revision += 1;
    match list.lines.iter_mut().find(|line| line.code == code) {
        Some(line) => line.quantity += 1,
        None => list.lines.push(Line { code: code.to_owned(), quantity: 1, scanned_at: None }),
    }
}

/// How often two goods are put down at once.
const AT_ONCE: f64 = 0.12;
/// How often two goods are put down in the other order than they were scanned.
const OTHER_ORDER: f64 = 0.04;
/// How many shoppers scan a good before they put it down; the others have it lie there already.
const SCAN_FIRST: f64 = 0.7;
/// How often what is not scanned is put down by itself.
const ALONE: f64 = 0.5;

/// What a shopper does with `scanned` units, and with one more that is not scanned, the last one, if `hidden`.
pub fn deeds(scanned: usize, hidden: bool, rng: &mut impl Rng) -> Vec<Deed> {
    let scan_first = rng.random::<f64>() < SCAN_FIRST;
    let mut turns: Vec<(Vec<usize>, Vec<Vec<usize>>)> = Vec::new();
    let mut next = 0;
    while next < scanned {
        let two = next + 1 < scanned;
        let turn = match rng.random::<f64>() {
            x if two && x < AT_ONCE => (vec![next, next + 1], vec![vec![next, next + 1]]),
            x if two && x < AT_ONCE + OTHER_ORDER => (vec![next, next + 1], vec![vec![next + 1], vec![next]]),
            _ => (vec![next], vec![vec![next]]),
        };
        next += turn.0.len();
        turns.push(turn);
    }
    if hidden {
        let place = rng.random_range(0..turns.len());
        if rng.random::<f64>() < ALONE {
            turns.insert(place, (Vec::new(), vec![vec![scanned]]));
        } else {
            turns[place].1[0].push(scanned);
        }
    }
    let mut deeds = Vec::new();
    for (scans, puts) in turns {
        let mut scan = Vec::new();
        for unit in scans {
            scan.extend([Deed::Scan(unit), Deed::Wait(rng.random_range(500..1_500))]);
        }
        let mut put = Vec::new();
        for which in puts {
            put.extend([Deed::Put(which), Deed::Wait(rng.random_range(1_200..2_600))]);
        }
        deeds.extend(if scan_first { [scan, put] } else { [put, scan] }.concat());
    }
    deeds
}

/// What a number of shoppers came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fillings {
    /// Honest baskets that were stopped.
    pub honest_stopped: Share,
    /// Baskets with one unscanned good of at most [`LIGHT_G`] that were stopped.
    pub light_stopped: Share,
    /// Those of them that were stopped with the right good named.
    pub light_named: Share,
    /// Baskets with a heavier one that were stopped.
    pub heavy_stopped: Share,
    /// Those of them that were stopped with the right good named.
    pub heavy_named: Share,
}

/// Goods up to this are light, grams.
pub const LIGHT_G: f64 = 60.0;

/// Plays `shoppers` with `items` goods each; every second one has one more that is not scanned, a light one every second time. The same
/// baskets are judged in each of these ways.
///
/// # Errors
/// A shopper who gets no verdict.
pub fn play<const N: usize>(
    hardware: &Hardware,
    shop: &Arc<Shop>,
    (shoppers, items): (u64, usize),
    ways: &[Judging<'_>; N],
    seed: u64,
) -> Result<[Fillings; N]> {
    let mut all = [Fillings::default(); N];
    for shopper in 0..shoppers {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(6_151).wrapping_add(shopper));
        let hidden = shopper % 2 == 1;
        let mut units: Vec<Unit> = Vec::with_capacity(items + 1);
        while units.len() < items {
            units.extend(shop.draw_good(&mut rng).map(|good| Unit::draw(shop, good, &mut rng)));
        }
        while hidden && units.len() == items {
            let unit = shop.draw_good(&mut rng).map(|good| Unit::draw(shop, good, &mut rng));
            units.extend(unit.filter(|unit| (unit.mass_g <= LIGHT_G) == (shopper % 4 == 1)));
        }
        let deeds = deeds(items, hidden, &mut rng);
        let station_seed = rng.random();
        for (all, way) in all.iter_mut().zip(ways) {
            let verdict = visit(hardware, shop, &units, &deeds, *way, station_seed);
            let verdict = verdict.with_context(|| format!("shopper {shopper}"))?;
            let stopped = verdict.outcome != Outcome::Pass;
            let right = |id: &str| verdict.findings.iter().any(|f| f.named && is_product(f, id));
            let named = stopped && hidden && units.last().is_some_and(|unit| right(&unit.id));
            let shares = match (hidden, shopper % 4) {
                (false, _) => vec![(&mut all.honest_stopped, stopped)],
                (true, 1) => vec![(&mut all.light_stopped, stopped), (&mut all.light_named, named)],
                (true, _) => vec![(&mut all.heavy_stopped, stopped), (&mut all.heavy_named, named)],
            };
            for (share, hit) in shares {
                share.of += 1;
                share.hits += u64::from(hit);
            }
        }
    }
    Ok(all)
}

/// Whether a finding names this product as too much.
fn is_product(finding: &Finding, id: &str) -> bool {
    let too_much = matches!(finding.kind, FindingKind::Unscanned | FindingKind::Quantity);
    too_much && finding.product.as_ref().is_some_and(|product| product.id.as_deref() == Some(id))
}
