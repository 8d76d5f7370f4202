//! One shopping trip drawn by seed: the list, what truly lies on the plate, and what the scale says.

use super::law::{Mixture, UnitLaw};
use super::shop::{Shop, portion};
use augenmass_core::goods::Kind;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;

/// How often shoppers err and how (FIELD 0 and 3.2); the oracle knows these figures, the judge has its own.
pub mod rates {
    /// Share of baskets with an error.
    pub const ERROR: f64 = 0.05;
    /// Of the errors: something was not scanned, something else lies there, more of a line lies there, less or nothing of a line does.
    pub const KINDS: [f64; 4] = [0.55, 0.14, 0.16, 0.15];
    /// One, two or three units of what was not scanned.
    pub const UNSCANNED_UNITS: [f64; 3] = [0.84, 0.12, 0.04];
    /// Two different goods not scanned: who forgets once forgets again.
    pub const REPEATED: f64 = 0.10;
    /// One, two or three units more than scanned.
    pub const MORE_UNITS: [f64; 3] = [0.80, 0.15, 0.05];
    /// What lies there instead is of the same aisle.
    pub const SAME_AISLE: f64 = 0.6;
    /// Of a line of several units one is missing, rather than all.
    pub const ONE_FEWER: f64 = 0.5;
    /// An honest shopper's bag that nobody declared.
    pub const STRAY_BAG: f64 = 0.006;
    /// An honest shopper's own thing on the plate.
    pub const FOREIGN: f64 = 0.002;
}

/// The goods of a basket above which it takes a trolley.
const TROLLEY_ABOVE: u32 = 20;
/// Mean tare of a hand basket and of a trolley, grams.
pub const TARE_G: [f64; 2] = [1000.0, 22_000.0];

/// What is known beside the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Units scanned.
    pub items: u32,
    /// Whether own bags were weighed or are merely counted.
    pub bag_known: bool,
    /// Whether this very container was weighed empty, or only its kind is known.
    pub tare_known: bool,
}

/// A line of the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Index of the good.
    pub product: usize,
    /// Units scanned.
    pub quantity: u32,
    /// Net mass on the label, for goods sold by weight.
    pub label_g: Option<f64>,
}

impl Line {
    /// The law of a unit of it.
    pub fn law<'a>(&self, shop: &'a Shop) -> Cow<'a, UnitLaw> {
        match self.label_g {
            Some(label_g) => Cow::Owned(portion(label_g)),
            None => Cow::Borrowed(&shop.goods[self.product].law),
        }
    }
}

/// What is true of a basket.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// The list is right.
    Honest,
    /// Goods that were not scanned, with their numbers.
    Unscanned(Vec<(usize, u32)>),
    /// One unit of a line is another good.
    Swapped {
        /// Index of the line.
        line: usize,
        /// The good that lies there.
        instead: usize,
    },
    /// More of a line than scanned.
    Quantity {
        /// Index of the line.
        line: usize,
        /// Units more.
        more: u32,
    },
    /// Fewer of a line than scanned, mostly none.
    Absent {
        /// Index of the line.
        line: usize,
        /// Units missing.
        missing: u32,
    },
}

/// What kind of basket is asked for; the four errors in the order of [`rates::KINDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// No error.
    Honest,
    /// Not scanned.
    Unscanned,
    /// Something else instead.
    Swapped,
    /// More than scanned.
    Quantity,
    /// Less than scanned.
    Absent,
}

impl Wanted {
    /// All, honest first.
    pub const ALL: [Self; 5] = [Self::Honest, Self::Unscanned, Self::Swapped, Self::Quantity, Self::Absent];
}

/// How often two lines that follow each other are put down at once.
const TOGETHER: f64 = 0.15;
/// How often something that was not scanned is put down by itself, rather than with a line.
pub const ALONE: f64 = 0.4;

/// One increase of the weight, where goods come one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Lines scanned since the step before.
    pub lines: Vec<usize>,
    /// What truly came, (good, units).
    pub goods: Vec<(usize, u32)>,
    /// How much the weight rose, grams.
    pub mass_g: f64,
}

/// Goods on the plate that were put there together: a whole line, or what was not scanned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// The line that it was put down for, if any was scanned for it.
    pub line: Option<usize>,
    /// Index of the good.
    pub product: usize,
    /// Units.
    pub units: u32,
    /// What they weigh, grams.
    pub mass_g: f64,
}

/// A trip.
#[derive(Clone, Debug)]
pub struct Trip {
    /// What is true.
    pub truth: Truth,
    /// The list.
    pub lines: Vec<Line>,
    /// What lies on the plate, in the order in which it was put there.
    pub placed: Vec<Placed>,
    /// The same as it came one after the other, own bags first and not among them.
    pub steps: Vec<Step>,
    /// Whether it came in a trolley.
    pub trolley: bool,
    /// What is believed of the container, grams: its own tare or its kind's.
    pub tare_g: f64,
    /// Own bags declared.
    pub bags: u32,
    /// What they weigh together, where that is known.
    pub bags_g: Option<f64>,
    /// What the scale says, grams.
    pub measured_g: f64,
    /// What the error is about by the goods' means, grams, never negative.
    pub error_g: f64,
}

impl Trip {
    /// What the shop loses if the basket is let go, in its currency; nothing where the shopper would pay too much.
    pub fn loss(&self, shop: &Shop) -> f64 {
        let price = |product: usize| shop.goods[product].price_minor as f64 / 100.0;
        match &self.truth {
            Truth::Honest | Truth::Absent { .. } => 0.0,
            Truth::Unscanned(goods) => goods.iter().map(|(p, units)| f64::from(*units) * price(*p)).sum(),
            Truth::Swapped { line, instead } => (price(*instead) - price(self.lines[*line].product)).max(0.0),
            Truth::Quantity { line, more } => f64::from(*more) * price(self.lines[*line].product),
        }
    }
}

/// What an own bag weighs: paper, thin plastic, woven, cotton (FIELD 3.5).
pub fn bag_law() -> Mixture {
    Mixture::new(&[(0.40, 45.0, 6.0), (0.15, 30.0, 5.0), (0.30, 90.0, 18.0), (0.15, 150.0, 30.0)])
}

/// What a shopper's own thing on the plate weighs: a phone, a handbag, a child's toy.
pub fn foreign_law() -> Mixture {
    Mixture::new(&[(0.4, 220.0, 60.0), (0.4, 900.0, 350.0), (0.2, 2200.0, 700.0)])
}

/// The scale's own error.
pub fn scale_law() -> Mixture {
    Mixture::heavy(3.5, 0.04, 3.0)
}

/// The error of a difference of two readings.
pub fn step_law() -> Mixture {
    Mixture::heavy(3.0, 0.04, 3.0)
}

/// What a container weighs more than is believed of it.
pub fn container_law(setting: Setting) -> Mixture {
    match (setting.tare_known, setting.items > TROLLEY_ABOVE) {
        (true, _) => Mixture::heavy(3.0, 0.03, 4.0),
        (false, false) => Mixture::heavy(9.0, 0.06, 3.0),
        (false, true) => Mixture::heavy(35.0, 0.06, 3.0),
    }
}

/// What declared bags weigh more than is believed of them.
pub fn bags_law(setting: Setting, bags: u32) -> Mixture {
    let none = Mixture::new(&[(1.0, 0.0, 0.05)]);
    match (bags, setting.bag_known) {
        (0, _) => none,
        (_, true) => Mixture::heavy(2.5, 0.05, 4.0),
        (_, false) => {
            let centred = bag_law().moved(-bag_law().mean_g());
            (1..bags).fold(centred.clone(), |sum, _| sum.plus(&centred))
        }
    }
}

/// Draws a trip; the same arguments give the same one, and trips of another setting differ only in what the setting changes.
pub fn draw(shop: &Shop, setting: Setting, wanted: Wanted, seed: u64) -> Trip {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let lines = draw_list(shop, setting.items, &mut rng);
    let (truth, placed) = place(shop, &lines, wanted, &mut rng);
    let trolley = setting.items > TROLLEY_ABOVE;
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x7A5E);
    let goods_g: f64 = placed.iter().map(|p| p.mass_g).sum();
    let scale_g = scale_law().draw(&mut rng);
    let stray_g = match (wanted, rng.random::<f64>()) {
        (Wanted::Honest, x) if x < rates::STRAY_BAG => bag_law().draw(&mut rng),
        (Wanted::Honest, x) if x < rates::STRAY_BAG + rates::FOREIGN => foreign_law().draw(&mut rng).max(30.0),
        (Wanted::Honest | Wanted::Unscanned | Wanted::Swapped | Wanted::Quantity | Wanted::Absent, _) => 0.0,
    };
    let container_g = container_law(setting).draw(&mut rng);
    let tare_g = TARE_G[usize::from(trolley)];
    let (bags, bags_g, bags_true_g) = draw_bags(setting, &mut rng);
    let measured_g = tare_g + container_g + bags_true_g + goods_g + stray_g + scale_g;
    let error_g = error_g(shop, &lines, &truth);
    let steps = draw_steps(&lines, &placed, stray_g, &mut rng);
    Trip { truth, lines, placed, steps, trolley, tare_g, bags, bags_g, measured_g, error_g }
}

fn error_g(shop: &Shop, lines: &[Line], truth: &Truth) -> f64 {
    let unit_g = |line: usize| lines[line].law(shop).mean_g;
    match truth {
        Truth::Honest => 0.0,
        Truth::Unscanned(goods) => goods.iter().map(|(p, units)| f64::from(*units) * shop.goods[*p].law.mean_g).sum(),
        Truth::Swapped { line, instead } => (shop.goods[*instead].law.mean_g - unit_g(*line)).abs(),
        Truth::Quantity { line, more } => f64::from(*more) * unit_g(*line),
        Truth::Absent { line, missing } => f64::from(*missing) * unit_g(*line),
    }
}

/// How the goods come one after the other. Which lines come together does not depend on what is true of them.
fn draw_steps(lines: &[Line], placed: &[Placed], stray_g: f64, rng: &mut impl Rng) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let empty = |lines: Vec<usize>| Step { lines, goods: Vec::new(), mass_g: 0.0 };
    for index in 0..lines.len() {
        match steps.last_mut() {
            Some(last) if last.lines.len() == 1 && rng.random::<f64>() < TOGETHER => last.lines.push(index),
            Some(_) | None => steps.push(empty(vec![index])),
        }
    }
    let scanned = steps.len();
    for good in placed {
        let place = match good.line {
            Some(line) => steps.iter().position(|s| s.lines.contains(&line)).unwrap_or(0),
            None if rng.random::<f64>() < ALONE => {
                steps.push(empty(Vec::new()));
                steps.len() - 1
            }
            None => rng.random_range(0..scanned),
        };
        steps[place].goods.push((good.product, good.units));
        steps[place].mass_g += good.mass_g;
    }
    if stray_g > 0.0 {
        steps.push(Step { mass_g: stray_g, ..empty(Vec::new()) });
    }
    for step in &mut steps {
        step.mass_g += step_law().draw(rng);
    }
    steps
}

fn draw_bags(setting: Setting, rng: &mut impl Rng) -> (u32, Option<f64>, f64) {
    let x: f64 = rng.random();
    if setting.bag_known {
        let bags = u32::from(x > 0.5) + u32::from(x > 0.85);
        let stated_g: f64 = (0..bags).map(|_| bag_law().draw(rng)).sum::<f64>().clamp(0.0, 4000.0);
        (
            bags,
            (bags > 0).then_some(stated_g),
            if bags > 0 { stated_g + bags_law(setting, bags).draw(rng) } else { 0.0 },
        )
    } else {
        let bags = 1 + u32::from(x > 0.65);
        (bags, None, (0..bags).map(|_| bag_law().draw(rng)).sum())
    }
}

/// Units of a line, as shoppers buy: mostly one.
fn draw_quantity(rng: &mut impl Rng) -> u32 {
    match rng.random::<f64>() {
        x if x < 0.80 => 1,
        x if x < 0.92 => 2,
        x if x < 0.96 => 3,
        x if x < 0.985 => 4,
        _ => 6,
    }
}

/// Exactly `items` units; at least one line that has no weight label, because every kind of error must be possible.
fn draw_list(shop: &Shop, items: u32, rng: &mut impl Rng) -> Vec<Line> {
    loop {
        let mut lines: Vec<Line> = Vec::new();
        let mut left = items.max(1);
        while left > 0 {
            let product = shop.draw(rng);
            let good = &shop.goods[product];
            if good.kind == Kind::Weighed {
                let label_g = (good.law.mean_g + good.law.own.draw(rng)).max(15.0).round();
                lines.push(Line { product, quantity: 1, label_g: Some(label_g) });
                left -= 1;
                continue;
            }
            let quantity = draw_quantity(rng).min(left);
            left -= quantity;
            match lines.iter_mut().find(|l| l.product == product) {
                Some(line) => line.quantity += quantity,
                None => lines.push(Line { product, quantity, label_g: None }),
            }
        }
        if lines.iter().any(|l| l.label_g.is_none()) {
            return lines;
        }
    }
}

/// An index by shares that sum to 1.
fn choose(shares: &[f64], rng: &mut impl Rng) -> usize {
    let mut left: f64 = rng.random();
    for (index, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return index;
        }
    }
    shares.len() - 1
}

/// One of the lines without a weight label.
fn choose_pack(lines: &[Line], rng: &mut impl Rng) -> usize {
    loop {
        let line = rng.random_range(0..lines.len());
        if lines[line].label_g.is_none() {
            return line;
        }
    }
}

fn draw_truth(shop: &Shop, lines: &[Line], wanted: Wanted, rng: &mut impl Rng) -> Truth {
    let listed = |product: usize| lines.iter().any(|l| l.product == product);
    let unlisted = |rng: &mut ChaCha8Rng| loop {
        let product = shop.draw(rng);
        if !listed(product) {
            return product;
        }
    };
    let mut own = ChaCha8Rng::seed_from_u64(rng.random());
    let rng = &mut own;
    match wanted {
        Wanted::Honest => Truth::Honest,
        Wanted::Unscanned if rng.random::<f64>() < rates::REPEATED => {
            Truth::Unscanned(vec![(unlisted(rng), 1), (unlisted(rng), 1)])
        }
        Wanted::Unscanned => {
            let units = choose(&rates::UNSCANNED_UNITS, rng) as u32 + 1;
            Truth::Unscanned(vec![(unlisted(rng), units)])
        }
        Wanted::Swapped => loop {
            let line = choose_pack(lines, rng);
            let own = lines[line].product;
            let same = rng.random::<f64>() < rates::SAME_AISLE;
            let aisle = shop.goods[own].aisle;
            let instead = if same { shop.draw_of(aisle, rng) } else { shop.draw(rng) };
            if instead != own {
                return Truth::Swapped { line, instead };
            }
        },
        Wanted::Quantity => {
            Truth::Quantity { line: choose_pack(lines, rng), more: choose(&rates::MORE_UNITS, rng) as u32 + 1 }
        }
        Wanted::Absent => {
            let line = rng.random_range(0..lines.len());
            let quantity = lines[line].quantity;
            let one = quantity > 1 && rng.random::<f64>() < rates::ONE_FEWER;
            Truth::Absent { line, missing: if one { 1 } else { quantity } }
        }
    }
}

/// What truly lies there. Units of one good are of one batch, wherever they stand on the list.
fn place(shop: &Shop, lines: &[Line], wanted: Wanted, rng: &mut impl Rng) -> (Truth, Vec<Placed>) {
    let truth = draw_truth(shop, lines, wanted, rng);
    let mut placed = Vec::with_capacity(lines.len() + 2);
    let unlisted = |product: usize, units: u32, rng: &mut ChaCha8Rng| {
        let law = &shop.goods[product].law;
        let mass_g = (f64::from(units) * law.mean_g + law.draw(units, rng)).max(1.0);
        Placed { line: None, product, units, mass_g }
    };
    let mut own = ChaCha8Rng::seed_from_u64(rng.random());
    let rng = &mut own;
    for (index, line) in lines.iter().enumerate() {
        let units = match &truth {
            Truth::Quantity { line, more } if *line == index => lines[index].quantity + more,
            Truth::Absent { line, missing } if *line == index => lines[index].quantity - missing,
            Truth::Swapped { line, .. } if *line == index => lines[index].quantity - 1,
            Truth::Honest
            | Truth::Unscanned(_)
            | Truth::Quantity { .. }
            | Truth::Absent { .. }
            | Truth::Swapped { .. } => line.quantity,
        };
        if units > 0 {
            let law = line.law(shop);
            let mass_g = (f64::from(units) * law.mean_g + law.draw(units, rng)).max(1.0);
            placed.push(Placed { line: Some(index), product: line.product, units, mass_g });
        }
        match &truth {
            // It is put down as if it were the line.
            Truth::Swapped { line, instead } if *line == index => {
                placed.push(Placed { line: Some(index), ..unlisted(*instead, 1, rng) });
            }
            Truth::Honest
            | Truth::Unscanned(_)
            | Truth::Quantity { .. }
            | Truth::Absent { .. }
            | Truth::Swapped { .. } => {}
        }
    }
    if let Truth::Unscanned(goods) = &truth {
        for (product, units) in goods {
            let extra = unlisted(*product, *units, rng);
            placed.insert(rng.random_range(0..=placed.len()), extra);
        }
    }
    (truth, placed)
}
