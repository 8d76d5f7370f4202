//! One visit with one fault planted somewhere in it, in virtual time.

use super::rows::Row;
use crate::station::VirtualStation;
use anyhow::{Context, Result};
use augenmass_core::basket::{Bags, Basket, Container, ContainerKind, Line, Source};
use augenmass_core::station::{Record, Request};
use augenmass_core::verdict::{Outcome, Verdict};
use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use firmware_sim::stage::{Command, GoodsLine};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// A weight this far from the truth is wrong, in sigma ...
const WRONG_SIGMAS: f64 = 5.0;
/// ... and grams.
const WRONG_G: f64 = 15.0;
/// A link must be back so long after its fault has ended.
const BACK_WITHIN_MS: u64 = 3_000;
/// Verdicts carry the wall clock; this is the virtual one's start.
const SETTLE_IN_MS: u64 = 2_500;

/// What a visit with a fault came to.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// Verdicts with a wrong weight, later than promised.
    pub wrong: Vec<String>,
    /// Honest baskets told to be put right or sent to staff, later than promised.
    pub alarmed: Vec<String>,
    /// From the fault's end to weights again, milliseconds; `None` if not within the limit.
    pub back_ms: Option<u64>,
    /// Whether the basket had passed in the end.
    pub passed: bool,
    /// Whether the basket was told `unavailable` on the way.
    pub unavailable: bool,
}

/// Plays a visit of an honest shopper with `row`'s fault on port 0.
///
/// # Errors
/// A fault that cannot be planted.
pub fn play(hardware: &Hardware, shop: &Arc<Shop>, row: &Row, seed: u64) -> Result<Outcomes> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut station = VirtualStation::new(hardware, shop, seed)?;
    station.run_ms(SETTLE_IN_MS);
    let lines = draw_goods(shop, &mut rng);
    station.ask(Request::PutBasket { id: "b".parse()?, basket: basket(shop, &lines)? });
    let code = hardware.station.code.clone();
    station.ask(Request::Validate { id: "v".parse()?, basket_id: "b".parse()?, station_code: code });
    // Before the basket comes, while it rings, when it has been judged: anywhere.
    let begins_ms = rng.random_range(0..2_500);
    let lasts_ms = rng.random_range(200..3_000);
    let placed_ms = 800;
    let from_us = station.now_us() + begins_ms * 1_000;
    let until_us = from_us + lasts_ms * 1_000;
    let planted = station.stage.rig_mut().plant(0, row.fault.clone(), from_us, Some(until_us));
    planted.map_err(|why| anyhow::anyhow!("{}: {why}", row.name))?;
    station.run_ms(placed_ms);
    let goods = lines.iter().map(|(id, n)| GoodsLine { id: id.clone(), quantity: *n, unit_g: Vec::new() }).collect();
    station.stage.command(&Command::Place {
        container: Some("basket".to_owned()),
        container_id: None,
        goods,
        bags: 0,
        bag_g: None,
        hold_ms: None,
    })?;
    let true_g = station.stage.rig().world().load().total_g();
    let left_ms = (until_us.saturating_sub(station.now_us())).div_ceil(1_000);
    station.run_ms(left_ms.max(1));
    let ended_us = station.now_us().max(until_us);
    let back = station.run_until(BACK_WITHIN_MS, |s| s.machine.scale().load().is_some());
    let back_ms = back.then(|| (station.now_us() - ended_us) / 1_000);
    station.run_until(4_000, |s| s.published.last().is_some_and(|v| v.verdict.as_ref().is_some_and(|v| v.passed)));
    let verdicts =
        station.durable.iter().filter_map(|r| if let Record::Attempt(v) = r { Some(v.clone()) } else { None });
    Ok(assess(row, verdicts.collect(), true_g, (from_us, until_us), back_ms))
}

fn assess(row: &Row, verdicts: Vec<Arc<Verdict>>, true_g: f64, fault_us: (u64, u64), back_ms: Option<u64>) -> Outcomes {
    let mut outcomes = Outcomes { back_ms, ..Outcomes::default() };
    for verdict in verdicts {
        let at_us = VirtualStation::us_of(verdict.decided_at);
        // A spoilt weight may be in a verdict from the fault's beginning until it is noticed, and nowhere else.
        let excused = match row.noticed_within_ms {
            None => true,
            Some(0) => false,
            Some(ms) => (fault_us.0..=fault_us.0 + ms * 1_000).contains(&at_us),
        };
        let what = || format!("attempt {} at {:.2} s, {:?}", verdict.attempt, at_us as f64 / 1e6, verdict.weight);
        if let Some(weight) = verdict.weight
            && !excused
            && (weight.measured_g - true_g).abs() > (WRONG_SIGMAS * weight.sigma_g).max(WRONG_G)
        {
            outcomes.wrong.push(format!("{} for {true_g:.1} g", what()));
        }
        match verdict.outcome {
            Outcome::Correct | Outcome::Assist if !excused => outcomes.alarmed.push(what()),
            Outcome::Pass => outcomes.passed = true,
            Outcome::Unavailable => outcomes.unavailable = true,
            Outcome::Correct | Outcome::Assist => {}
        }
    }
    outcomes
}

/// Three to six packs whose weights vary little, so that an alarm can only come from the fault.
fn draw_goods(shop: &Shop, rng: &mut ChaCha8Rng) -> Vec<(String, u32)> {
    const STEADY: [&str; 3] = ["butter-250", "milk-1000", "sugar-1000"];
    let there: Vec<&str> = STEADY.into_iter().filter(|id| shop.index_of(id).is_some()).collect();
    let mut lines = Vec::new();
    for id in there {
        let count = rng.random_range(0..3);
        if count > 0 {
            lines.push((id.to_owned(), count));
        }
    }
    if lines.is_empty() {
        lines.push(("butter-250".to_owned(), 3));
    }
    lines
}

fn basket(shop: &Shop, lines: &[(String, u32)]) -> Result<Basket> {
    let line = |(id, quantity): &(String, u32)| {
        let good = &shop.goods[shop.index_of(id).context("a good of the demo shop")?];
        Ok(Line { code: good.code.clone(), quantity: *quantity, scanned_at: None })
    };
    Ok(Basket {
        revision: 1,
        source: Source::App,
        containers: vec![Container { kind: ContainerKind::Basket, id: None }],
        bags: Bags::default(),
        shopper: None,
        lines: lines.iter().map(line).collect::<Result<_>>()?,
    })
}
