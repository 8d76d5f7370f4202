//! Shoppers in virtual time: whole baskets, by weight alone.

use crate::station::VirtualStation;
use crate::statistics::Share;
use anyhow::{Context, Result};
use augenmass_core::basket::{Bags, Basket, Container, ContainerKind, Line, Source};
use augenmass_core::station::Request;
use augenmass_core::verdict::{Outcome, Verdict};
use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use firmware_sim::stage::{Command, GoodsLine};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// What a number of shoppers came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Visits {
    /// Honest baskets that were stopped.
    pub honest_stopped: Share,
    /// Baskets with one unscanned good, by grams, that were stopped: up to 50, 100, 200, 400, more.
    pub unscanned_stopped: [Share; 5],
}

/// Upper ends of the classes of [`Visits::unscanned_stopped`], grams.
pub const CLASSES_G: [f64; 4] = [50.0, 100.0, 200.0, 400.0];

/// Plays `shoppers` with `items` goods each, half of them with one more good that is not scanned.
///
/// # Errors
/// A shopper who gets no verdict.
pub fn play(hardware: &Hardware, shop: &Arc<Shop>, shoppers: u64, items: usize, seed: u64) -> Result<Visits> {
    let none = Share { hits: 0, of: 0 };
    let mut visits = Visits { honest_stopped: none, unscanned_stopped: [none; 5] };
    let count = |share: &mut Share, hit: bool| {
        share.of += 1;
        share.hits += u64::from(hit);
    };
    for shopper in 0..shoppers {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(7_919).wrapping_add(shopper));
        let cheats = shopper % 2 == 1;
        let goods: Vec<usize> = (0..items + usize::from(cheats)).filter_map(|_| shop.draw_good(&mut rng)).collect();
        let (verdict, hidden_g) =
            visit(hardware, shop, &goods, cheats, rng.random()).with_context(|| format!("shopper {shopper}"))?;
        let stopped = verdict.outcome != Outcome::Pass;
        let Some(hidden_g) = hidden_g else {
            count(&mut visits.honest_stopped, stopped);
            continue;
        };
        let class = CLASSES_G.iter().position(|end| hidden_g <= *end).unwrap_or(CLASSES_G.len());
        count(&mut visits.unscanned_stopped[class], stopped);
    }
    Ok(visits)
}

/// One shopper; with `cheats` the last good is not scanned, and its grams are given back.
fn visit(
    hardware: &Hardware,
    shop: &Arc<Shop>,
    goods: &[usize],
    cheats: bool,
    seed: u64,
) -> Result<(Arc<Verdict>, Option<f64>)> {
    let mut station = VirtualStation::new(hardware, shop, seed)?;
    station.run_ms(1_200);
    let lines =
        goods.iter().map(|g| GoodsLine { id: shop.goods[*g].id.clone(), quantity: 1, unit_g: Vec::new() }).collect();
    let place = Command::Place {
        container: Some("basket".to_owned()),
        container_id: None,
        goods: lines,
        bags: 0,
        bag_g: None,
        hold_ms: None,
    };
    let brought = station.stage.command(&place)?;
    let scanned = goods.len() - usize::from(cheats);
    let list: Vec<Line> = brought
        .iter()
        .take(scanned)
        .flat_map(|b| b.codes.iter().map(|code| Line { code: code.clone(), quantity: 1, scanned_at: None }))
        .collect();
    let hidden_g = cheats.then(|| brought.last().map_or(0.0, |b| b.unit_g.iter().sum()));
    let basket = Basket {
        revision: 1,
        source: Source::Handheld,
        containers: vec![Container { kind: ContainerKind::Basket, id: None }],
        bags: Bags::default(),
        shopper: None,
        lines: list,
    };
    station.ask(Request::PutBasket { id: "b-1".parse()?, basket });
    station.ask(Request::Validate {
        id: "v-1".parse()?,
        basket_id: "b-1".parse()?,
        station_code: hardware.station.code.clone(),
    });
    station.run_until(6_000, |s| s.published.iter().any(|v| v.verdict.is_some()));
    let verdict = station.published.iter().find_map(|v| v.verdict.clone()).context("no verdict in six seconds")?;
    Ok((verdict, hidden_g))
}
