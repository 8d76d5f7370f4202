//! Visits drawn from the shop: an honest basket by popularity and, where asked for, one planted difference that is large
//! enough to be seen: at least [`PLANTED_SIGMA`] times the basket's uncertainty and, where the basket is too heavy, more than an own bag
//! that nobody declared, which a lighter difference may just as well be.

use super::file::{AppStep, Step, Truth};
use super::shelf::{ATTEMPTS, Shelf, Units};
use crate::hw::Hardware;
use crate::shop::Shop;
use crate::stage::Command;

/// A planted difference is at least so many standard deviations of what the catalogue expects of the basket.
pub const PLANTED_SIGMA: f64 = 6.0;

/// Own bags weigh less, grams: cotton ones 150 on average.
pub const OWN_BAG_G: f64 = 200.0;

/// The basket stands on the plate so long after the visit began, seconds.
const PLACE_AT_S: f64 = 0.4;

/// A cable is pulled so long after the basket was put down, seconds.
const PULL_AFTER_S: f64 = 0.05;

/// Why a visit cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// The shop's goods do not allow it.
    #[error("no basket of {items} goods in this shop lets a difference of {PLANTED_SIGMA} sigma be planted")]
    Shop {
        /// Units asked for.
        items: u32,
    },
}

/// A visit that can be played.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// What is true, in words.
    pub truth: String,
    /// Units scanned (at first).
    pub items: u32,
    /// What happens.
    pub steps: Vec<Step>,
}

/// Draws visit number `visit` (from 1): `items` units are scanned, `expect` has one outcome an attempt. The same arguments
/// give the same visit.
///
/// # Errors
/// See [`DrawError`].
pub fn draw(
    shop: &Shop,
    hardware: &Hardware,
    seed: u64,
    visit: usize,
    (truth, items, expect): (Truth, u32, &[String]),
) -> Result<Drawn, DrawError> {
    let mut shelf = Shelf::new(shop, hardware, seed, visit);
    for _ in 0..ATTEMPTS {
        if let Some(drawn) = shelf.visit(truth, items, expect) {
            return Ok(drawn);
        }
    }
    Err(DrawError::Shop { items })
}

impl Shelf<'_> {
    fn visit(&mut self, truth: Truth, items: u32, expect: &[String]) -> Option<Drawn> {
        let bags = u32::from(truth == Truth::BagDeclared);
        let basket = self.basket(items)?;
        let (basket, bag_g) = self.natural(basket, bags)?;
        let sigma_g = self.expected(&basket, bags).sigma_g;
        let units = |count: u32| format!("{count} goods");
        let (words, placed, rescanned) = match truth {
            Truth::Honest => (format!("honest, {}", units(items)), basket.clone(), None),
            Truth::BagDeclared => (format!("honest, own bag declared, {}", units(items)), basket.clone(), None),
            Truth::Cable => (format!("cable, {}", units(items)), basket.clone(), None),
            Truth::Unscanned | Truth::Corrected => {
                let (extra, mut placed) = (self.extra(&basket, sigma_g)?, basket.clone());
                let name = self.in_words(&extra);
                placed.push(extra);
                match truth {
                    Truth::Corrected => (format!("unscanned, then corrected: {name}"), placed.clone(), Some(placed)),
                    _ => (format!("unscanned: {name}"), placed, None),
                }
            }
            Truth::Swapped => self.swap(&basket, sigma_g).map(|(words, placed)| (words, placed, None))?,
            Truth::Absent => {
                let gone = self.line_where(&basket, |shelf, line| shelf.mean_g(line) >= PLANTED_SIGMA * sigma_g)?;
                let mut placed = basket.clone();
                let line = placed.remove(gone);
                (format!("absent: {}", self.in_words(&line)), placed, None)
            }
            Truth::Quantity => self.miscount(&basket, sigma_g).map(|(words, placed)| (words, placed, None))?,
        };
        let honest = matches!(truth, Truth::Honest | Truth::BagDeclared | Truth::Cable);
        let off_g = self.true_g(&placed, &bag_g) - self.expected(&basket, bags).mean_g;
        let is_seen = off_g.abs() >= PLANTED_SIGMA * sigma_g && !(0.0..OWN_BAG_G).contains(&off_g);
        if !honest && !is_seen {
            // Too light a good, or nature took too much of what was planted away.
            return None;
        }
        let steps = self.steps(truth, &basket, &placed, rescanned.as_deref(), bag_g, expect);
        Some(Drawn { truth: words, items, steps })
    }

    fn extra(&mut self, basket: &[Units], sigma_g: f64) -> Option<Units> {
        let good = self.other(basket, |mean_g| mean_g >= PLANTED_SIGMA * sigma_g)?;
        Some(self.units_of(good, 1))
    }

    fn swap(&mut self, basket: &[Units], sigma_g: f64) -> Option<(String, Vec<Units>)> {
        let line = self.line_where(basket, |_, line| line.unit_g.len() == 1)?;
        let scanned_g = self.mean_g(&basket[line]);
        let good = self.other(basket, |mean_g| (mean_g - scanned_g).abs() >= PLANTED_SIGMA * sigma_g)?;
        let mut placed = basket.to_vec();
        placed[line] = self.units_of(good, 1);
        Some((format!("swapped: {} for {}", self.in_words(&placed[line]), self.in_words(&basket[line])), placed))
    }

    fn miscount(&mut self, basket: &[Units], sigma_g: f64) -> Option<(String, Vec<Units>)> {
        let line = self.line_where(basket, |shelf, line| {
            shelf.mean_g(line) / line.unit_g.len() as f64 >= PLANTED_SIGMA * sigma_g
        })?;
        let (good, scanned) = (basket[line].good, basket[line].unit_g.len());
        let mut placed = basket.to_vec();
        if scanned > 1 {
            placed[line].unit_g.pop();
        } else {
            let more = self.units_of(good, 1);
            placed[line].unit_g.extend(more.unit_g);
        }
        let name = &self.shop.goods[good].name;
        Some((format!("quantity: {scanned} x {name} scanned, {} there", placed[line].unit_g.len()), placed))
    }

    fn steps(
        &self,
        truth: Truth,
        scanned: &[Units],
        placed: &[Units],
        rescanned: Option<&[Units]>,
        bag_g: Vec<f64>,
        expect: &[String],
    ) -> Vec<Step> {
        let container = Some(self.container.map_or("none", |container| container.kind.as_str()).to_owned());
        let container_id = self.container.map(|_| self.container_id.clone());
        let bags = bag_g.len() as u32;
        let scan = |lines: &[Units]| {
            Step::app(AppStep::Scan {
                goods: self.goods_lines(lines),
                bags,
                container: container.clone(),
                container_id: container_id.clone(),
            })
        };
        let place = Command::Place {
            container: container.clone(),
            container_id: container_id.clone(),
            goods: self.goods_lines(placed),
            bags,
            bag_g: bag_g.first().copied(),
            hold_ms: None,
        };
        let mut steps = vec![scan(scanned), Step::app(AppStep::Validate), Step::plate(PLACE_AT_S, place)];
        let board = self.hardware.boards.first().map(|board| board.name.clone()).unwrap_or_default();
        if truth == Truth::Cable {
            steps.push(Step::plate(PLACE_AT_S + PULL_AFTER_S, Command::Unplug { board: board.clone() }));
        }
        for (attempt, outcome) in expect.iter().enumerate() {
            match (attempt, truth, rescanned) {
                (1, Truth::Cable, _) => steps.push(Step::plate(0.0, Command::Replug { board: board.clone() })),
                (1, _, Some(lines)) => steps.push(scan(lines)),
                _ => {}
            }
            steps.push(Step::expect(outcome));
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::hw;
    use crate::scenario::Script;
    use crate::shop::code::check_digit;
    use crate::stage::container_mass_g;

    /// A hundred packs between 30 g and 2 kg whose spread is 0.8 %, and one good sold by weight.
    fn shop() -> Shop {
        let mut text = String::new();
        let look = r##"look = { shape = "box", size_mm = [80, 60, 50], style = "bands", base = "#ffffff", accent = "#c9a227", ink = "#1d3c7a", band = "#2f7a3b" }"##;
        for index in 0..100 {
            let mean_g = 30.0 * (2000.0_f64 / 30.0).powf(f64::from(index) / 99.0);
            let body = format!("4099990{index:05}");
            let digit = check_digit(&body).unwrap();
            text += &format!(
                "[[good]]\nid = \"g{index}\"\ncode = \"{body}{digit}\"\nname = \"Good {index}\"\n\
                 sale = {{ kind = \"piece\", price_minor = 99, popularity = 1.0 }}\n\
                 mass = {{ net_g = {mean_g:.1}, mean_g = {mean_g:.1}, sd_g = {:.2}, mean_sd_g = 0.5 }}\n{look}\n",
                mean_g * 0.008,
            );
        }
        text += "[[good]]\nid = \"apples\"\ncode = \"04131\"\nname = \"Apples\"\n\
                 sale = { kind = \"weighed\", price_minor = 299, popularity = 20.0 }\n\
                 mass = { net_g = 900.0, mean_g = 900.0, sd_g = 250.0, mean_sd_g = 20.0 }\n";
        text += look;
        Shop::parse(&text).unwrap()
    }

    struct Played {
        expected_g: f64,
        sigma_g: f64,
        true_g: f64,
        scanned: u32,
    }

    /// Adds up what a visit scans and what it places, from its steps alone.
    fn played(shop: &Shop, seed: u64, drawn: &Drawn) -> Played {
        let hardware = hw::tests::plate();
        let Some(AppStep::Scan { goods, bags, .. }) = &drawn.steps[0].app else { panic!("the first step scans") };
        let Some(Command::Place { goods: placed, container_id, bag_g, .. }) = &drawn.steps[2].plate else {
            panic!("the third step places")
        };
        let (mut expected_g, mut variance) =
            (1010.0 + 60.0 * f64::from(*bags), 4.0 * 4.0 + 2.0 * 2.0 + 35.0 * 35.0 * f64::from(*bags));
        for line in goods {
            let row = shop.goods[shop.index_of(&line.id).unwrap()].catalogue_row();
            let count = f64::from(line.quantity);
            if row.id == "apples" {
                expected_g += line.unit_g.iter().map(|grams| grams.round()).sum::<f64>();
                variance += 9.0 * count;
            } else {
                expected_g += count * row.gross_mean_g;
                variance += count * row.gross_sd_g.powi(2) + (count * row.mean_sd_g).powi(2);
            }
        }
        let tare_g = container_mass_g(hardware.container("basket").unwrap(), container_id.as_deref(), seed);
        let placed_g: f64 = placed.iter().flat_map(|line| &line.unit_g).sum();
        Played {
            expected_g,
            sigma_g: variance.sqrt(),
            true_g: tare_g + placed_g + bag_g.unwrap_or(0.0),
            scanned: goods.iter().map(|line| line.quantity).sum(),
        }
    }

    fn drawn(shop: &Shop, seed: u64, truth: Truth, items: u32) -> Drawn {
        draw(shop, &hw::tests::plate(), seed, 5, (truth, items, &["x".to_owned(), "y".to_owned()])).unwrap()
    }

    #[test]
    fn honest_visits_are_ordinary() {
        let shop = shop();
        for seed in 0..40 {
            for (truth, items) in [(Truth::Honest, 25), (Truth::Honest, 4), (Truth::BagDeclared, 9), (Truth::Cable, 8)]
            {
                let drawn = drawn(&shop, seed, truth, items);
                let visit = played(&shop, seed, &drawn);
                assert_eq!(visit.scanned, items);
                assert!((visit.true_g - visit.expected_g).abs() <= 1.5 * visit.sigma_g + 1e-6, "{drawn:?}");
            }
        }
    }

    #[test]
    fn planted_differences_are_large() {
        let shop = shop();
        for seed in 0..40 {
            for truth in [Truth::Unscanned, Truth::Swapped, Truth::Absent, Truth::Quantity, Truth::Corrected] {
                let drawn = drawn(&shop, seed, truth, 12);
                let visit = played(&shop, seed, &drawn);
                let off_g = visit.true_g - visit.expected_g;
                assert!(off_g.abs() >= 6.0 * visit.sigma_g, "{truth:?} {off_g} {drawn:?}");
                assert!(!(0.0..199.9).contains(&off_g), "an own bag weighs as much: {truth:?} {off_g} {drawn:?}");
                assert_eq!(visit.scanned, 12);
            }
        }
    }

    #[test]
    fn the_words_begin_with_what_is_true() {
        let shop = shop();
        let begins = |truth, word: &str| assert!(drawn(&shop, 1, truth, 8).truth.starts_with(word));
        begins(Truth::Honest, "honest, 8 goods");
        begins(Truth::BagDeclared, "honest, own bag declared");
        begins(Truth::Unscanned, "unscanned: Good ");
        begins(Truth::Corrected, "unscanned, then corrected: Good ");
        begins(Truth::Swapped, "swapped: Good ");
        begins(Truth::Absent, "absent: ");
        begins(Truth::Quantity, "quantity: ");
        begins(Truth::Cable, "cable, 8 goods");
    }

    #[test]
    fn a_seed_is_a_visit() {
        let shop = shop();
        assert_eq!(drawn(&shop, 3, Truth::Quantity, 8), drawn(&shop, 3, Truth::Quantity, 8));
        assert_ne!(drawn(&shop, 3, Truth::Quantity, 8), drawn(&shop, 4, Truth::Quantity, 8));
    }

    #[test]
    fn a_corrected_visit_scans_what_was_missing() {
        let drawn = drawn(&shop(), 2, Truth::Corrected, 6);
        let scans: Vec<u32> = drawn
            .steps
            .iter()
            .filter_map(|step| match &step.app {
                Some(AppStep::Scan { goods, .. }) => Some(goods.iter().map(|line| line.quantity).sum()),
                Some(AppStep::Validate | AppStep::Retry) | None => None,
            })
            .collect();
        assert_eq!(scans, [6, 7]);
    }

    #[test]
    fn the_demo_can_be_drawn_from_the_demo_shop_with_any_seed() {
        let script = include_str!("../../scenarios/demo.toml");
        let script = Script::parse(script, Path::new("demo.toml")).unwrap();
        let (shop, hardware) = (Shop::demo().unwrap(), hw::tests::plate());
        for seed in 0..40 {
            for (index, visit) in script.visits.iter().enumerate() {
                let what = (Truth::parse(&visit.truth).unwrap(), visit.items.unwrap(), &visit.expect[..]);
                draw(&shop, &hardware, seed, index + 1, what).unwrap();
            }
        }
    }

    #[test]
    fn a_shop_without_a_heavy_good_is_told() {
        let text = crate::stage::tests::SHOP;
        let shop = Shop::parse(text).unwrap();
        let error = draw(&shop, &hw::tests::plate(), 1, 1, (Truth::Honest, 12, &["pass".to_owned()])).unwrap_err();
        assert_eq!(error, DrawError::Shop { items: 12 });
    }
}
