//! How what rests on the plate came onto it: put by put, and which scans came when. What is guessed of the two together.
//!
//! Nothing of this is kept over a restart: the plate is then judged by its total, as whenever the record has a gap.

use super::limits;
use crate::basket::{Basket, Checked, ContainerKind};
use crate::units::{Mass, Mono};
use crate::verdict::{Expected, StepEvidence};
use crate::weighing::{Load, Step};
use std::collections::BTreeMap;

/// Something that was put down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Put {
    /// When the plate was touched for it.
    pub began: Mono,
    /// When the last hand had left.
    pub ended: Mono,
    /// What it weighs.
    pub mass: Mass,
    /// Uncertainty of that, 1 sigma.
    pub sigma: Mass,
}

/// All that was put down since the plate was empty.
#[derive(Clone, Debug, Default)]
pub struct Filling {
    puts: Vec<Put>,
    /// Something was taken out, or was not seen: what lies there is more or less than was put down.
    broken: bool,
    touched: Option<Mono>,
}

impl Filling {
    /// The plate is empty.
    pub fn emptied(&mut self) {
        *self = Self::default();
    }

    /// There is no telling what comes and goes.
    pub fn lost(&mut self) {
        self.broken = true;
    }

    /// What rested is touched as of `at`.
    pub fn touched(&mut self, at: Mono) {
        self.touched = Some(at);
    }

    /// The plate rests again, and its load is another one. A hand that was weighed with what it had put down and is gone now took nothing out.
    pub fn took(&mut self, step: &Step) {
        let began = self.touched.take().unwrap_or(step.ended);
        if step.mass > Mass::default() {
            self.broken |= self.puts.len() >= limits::STEPS_MAX;
            if !self.broken {
                self.puts.push(Put { began, ended: step.ended, mass: step.mass, sigma: step.sigma });
            }
            return;
        }
        let hand =
            self.puts.last_mut().filter(|last| began.ms_since(last.ended) < limits::HAND_MS && last.mass > -step.mass);
        match hand {
            Some(last) => {
                last.mass = last.mass + step.mass;
                last.sigma = Mass::from_g_saturating(last.sigma.g().hypot(step.sigma.g()));
                last.ended = step.ended;
            }
            None => self.broken = true,
        }
    }

    /// What was put down, oldest first, if that and nothing else is what rests there now.
    pub fn of(&self, load: &Load) -> Option<&[Put]> {
        let sum_g: f64 = self.puts.iter().map(|put| put.mass.g()).sum();
        let variance_g2: f64 = self.puts.iter().map(|put| put.sigma.g().powi(2)).sum();
        let same = (load.mass.g() - sum_g).abs() <= limits::STEPS_OFF_G.max(3.0 * variance_g2.sqrt());
        (!self.broken && same && self.puts.len() > 1).then_some(&self.puts)
    }
}

/// When the units of a list came to the station, on its own clock.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    /// (Code as scanned, when units of it came).
    came: Vec<(String, Mono)>,
    /// Units were taken off the list, or came too often to be told apart.
    broken: bool,
}

impl Arrivals {
    /// A list came at `at`, perhaps in place of one before.
    pub fn came(&mut self, before: Option<&Checked>, now: &Checked, at: Mono) {
        let units = |list: &Checked| {
            list.goods.lines.iter().fold(BTreeMap::<String, u32>::new(), |mut sum, line| {
                let all = sum.entry(line.code.clone()).or_default();
                *all = all.saturating_add(line.quantity);
                sum
            })
        };
        let (before, now) = (before.map(units).unwrap_or_default(), units(now));
        self.broken |= before.iter().any(|(code, units)| now.get(code).is_none_or(|left| left < units));
        let more = now.into_iter().filter(|(code, units)| before.get(code).is_none_or(|known| known < units));
        self.came.extend(more.map(|(code, _)| (code, at)));
        if self.broken || self.came.len() > limits::ARRIVALS_MAX {
            *self = Self { came: Vec::new(), broken: true };
        }
    }
}

/// Which of the two comes first when goods come one by one. A shopper does one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    ScanThenPut,
    PutThenScan,
}

impl Order {
    /// The put that a scan belongs to which came at `at`. What is scanned when all lies there already was forgotten before, and is joined to
    /// where it lies as any misfit is.
    fn put(self, puts: &[Put], at: Mono) -> Option<usize> {
        match self {
            Self::ScanThenPut => {
                let next = puts.iter().position(|put| put.ended.plus_ms(limits::SCAN_LATE_MS) >= at);
                next.or(puts.len().checked_sub(1))
            }
            Self::PutThenScan => puts.iter().rposition(|put| put.began.plus_ms(limits::SCAN_LATE_MS) <= at),
        }
    }
}

/// Each way in which scans may belong to puts, if they may at all: the list whole before anything was put down belongs to none.
pub fn guesses(
    filling: &Filling,
    arrivals: &Arrivals,
    goods: &Basket,
    expected: &Expected,
    load: &Load,
) -> Vec<Vec<StepEvidence>> {
    let Some(puts) = filling.of(load).filter(|puts| puts.len() <= limits::STEPS_JUDGED_MAX && !arrivals.broken) else {
        return Vec::new();
    };
    let orders = [Order::ScanThenPut, Order::PutThenScan];
    let mut guesses: Vec<Vec<StepEvidence>> =
        orders.into_iter().filter_map(|order| guess(order, puts, arrivals, goods, expected)).collect();
    guesses.dedup_by(|a, b| a.iter().map(|s| &s.lines).eq(b.iter().map(|s| &s.lines)));
    guesses
}

fn guess(
    order: Order,
    puts: &[Put],
    arrivals: &Arrivals,
    goods: &Basket,
    expected: &Expected,
) -> Option<Vec<StepEvidence>> {
    let step =
        |put: &Put| StepEvidence { lines: Vec::new(), mass: put.mass, sigma: put.sigma, carrier: false, scene: None };
    let mut steps: Vec<StepEvidence> = puts.iter().map(step).collect();
    for (code, at) in &arrivals.came {
        let step = &mut steps[order.put(puts, *at)?];
        let lines = goods.lines.iter().zip(&expected.places).filter(|(line, _)| line.code == *code);
        step.lines.extend(lines.filter_map(|(_, place)| *place));
    }
    for step in &mut steps {
        step.lines.sort_unstable();
        step.lines.dedup();
    }
    let containers = goods.containers.iter().filter(|c| c.kind != ContainerKind::None).count();
    let carriers = containers + goods.bags.count as usize;
    if carriers > 0 {
        steps[0].carrier = true;
    }
    if carriers > 1 {
        // Bags and a second container are nothing that is scanned, and come when they come.
        steps.iter_mut().filter(|step| step.lines.is_empty()).for_each(|step| step.carrier = true);
    }
    steps.iter().filter(|step| !step.lines.is_empty()).nth(1).is_some().then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basket::{Bags, Code, Container, Line, Source};
    use crate::goods::{BagBelief, Catalogue, ContainerBelief, Kind, Product, Risk, Terms, WeightBelief, WeightSource};

    fn ms(ms: u64) -> Mono {
        Mono::from_us(ms * 1000)
    }

    fn step(grams: f64, ended_ms: u64) -> Step {
        let mass = Mass::from_g_saturating(grams);
        let sigma = Mass::from_mg(900);
        Step { mass, sigma, place_mm: None, place_sigma_mm: 0.0, ended: ms(ended_ms), at: ms(ended_ms + 400) }
    }

    fn load(grams: f64) -> Load {
        let mass = Mass::from_g_saturating(grams);
        let (sigma, own_sigma) = (Mass::from_mg(2_000), Mass::from_mg(500));
        Load { mass, sigma, own_sigma, at: ms(0), untouched_since: ms(0), centre_mm: None }
    }

    /// (Grams, touched at, untouched since), milliseconds.
    fn filled(puts: &[(f64, u64, u64)]) -> Filling {
        let mut filling = Filling::default();
        for (grams, began_ms, ended_ms) in puts {
            filling.touched(ms(*began_ms));
            filling.took(&step(*grams, *ended_ms));
        }
        filling
    }

    fn list(codes: &[(&str, u32)]) -> Checked {
        let line =
            |(code, quantity): &(&str, u32)| Line { code: (*code).to_owned(), quantity: *quantity, scanned_at: None };
        let goods = Basket {
            revision: 1,
            source: Source::Handheld,
            containers: vec![Container { kind: ContainerKind::Basket, id: None }],
            bags: Bags::default(),
            shopper: None,
            lines: codes.iter().map(line).collect(),
        };
        Checked { goods, codes: codes.iter().map(|(code, n)| (Code::Gtin((*code).to_owned()), *n)).collect() }
    }

    /// A list that grew as told: (milliseconds, lines).
    fn scanned(lists: &[(u64, &[(&str, u32)])]) -> (Arrivals, Checked) {
        let (mut arrivals, mut before) = (Arrivals::default(), None);
        for (at, codes) in lists {
            let now = list(codes);
            arrivals.came(before.as_ref(), &now, ms(*at));
            before = Some(now);
        }
        (arrivals, before.unwrap())
    }

    fn expected(list: &Checked) -> Expected {
        let product = |id: &str| Product {
            id: id.parse().unwrap(),
            code: id.to_owned(),
            name: id.to_owned(),
            kind: Kind::Piece,
            price_minor: 100,
            weight: WeightBelief { mean_g: 300.0, sd_g: 2.0, mean_sd_g: 0.5, source: WeightSource::Seeded },
            look_group: None,
            category: None,
            risk: Risk::Normal,
            popularity: 1.0,
            terms: Terms::default(),
        };
        let catalogue = Catalogue::new(["a", "b", "c"].map(product).to_vec());
        let containers = [ContainerBelief::of_kind("basket", 1000.0, 4.0)];
        Expected::new(&list.goods, &list.codes, &catalogue, &containers, &BagBelief::one(60.0, 35.0))
    }

    /// What lines come with what step, in every way that is thought of.
    fn lines(filling: &Filling, arrivals: &Arrivals, list: &Checked, load_g: f64) -> Vec<Vec<Vec<usize>>> {
        let all = guesses(filling, arrivals, &list.goods, &expected(list), &load(load_g));
        all.into_iter().map(|guess| guess.into_iter().map(|step| step.lines).collect()).collect()
    }

    /// Basket from 1 to 2 s; goods from 4 to 5, 8 to 9, 12 to 13 s.
    const PUTS: [(f64, u64, u64); 4] =
        [(1000.0, 1_000, 2_000), (300.0, 4_000, 5_000), (301.0, 8_000, 9_000), (299.0, 12_000, 13_000)];

    #[test]
    fn who_scans_first_and_who_puts_first() {
        let filling = filled(&PUTS);
        // Scanned 1 s before each put; the list of the last one comes 200 ms after the good, for the network was slow.
        let (arrivals, list) =
            scanned(&[(3_000, &[("a", 1)]), (7_000, &[("a", 1), ("b", 1)]), (13_200, &[("a", 1), ("b", 1), ("c", 1)])]);
        let found = lines(&filling, &arrivals, &list, 1900.0);
        assert_eq!(found[0], [vec![], vec![0], vec![1], vec![2]]);
        assert_eq!(found[1], [vec![0], vec![1], vec![], vec![2]], "the other way round");
        // Scanned while it lies there already.
        let (arrivals, list) = scanned(&[
            (6_000, &[("a", 1)]),
            (10_000, &[("a", 1), ("b", 1)]),
            (15_000, &[("a", 1), ("b", 1), ("c", 1)]),
        ]);
        let found = lines(&filling, &arrivals, &list, 1900.0);
        assert_eq!(found, [[vec![], vec![], vec![0], vec![1, 2]], [vec![], vec![0], vec![1], vec![2]]]);
        let carriers = |bags: u32| {
            let mut list = list.clone();
            list.goods.bags.count = bags;
            let all = guesses(&filling, &arrivals, &list.goods, &expected(&list), &load(1900.0));
            all[0].iter().map(|step| step.carrier).collect::<Vec<_>>()
        };
        assert_eq!(carriers(0), [true, false, false, false]);
    }

    #[test]
    fn units_of_one_product_come_with_each_of_their_scans() {
        let (arrivals, list) =
            scanned(&[(3_000, &[("a", 1)]), (7_000, &[("a", 1), ("b", 1)]), (11_000, &[("b", 1), ("a", 2)])]);
        assert_eq!(lines(&filled(&PUTS), &arrivals, &list, 1900.0)[0], [vec![], vec![1], vec![0], vec![1]]);
    }

    /// Whatever leaves a gap in the record, or makes it none, leaves the total alone.
    #[test]
    fn what_is_not_known_for_sure_is_no_step() {
        let one_by_one: &[(u64, &[(&str, u32)])] =
            &[(3_000, &[("a", 1)]), (7_000, &[("a", 1), ("b", 1)]), (11_000, &[("a", 1), ("b", 1), ("c", 1)])];
        let (arrivals, list) = scanned(one_by_one);
        let none = |filling: &Filling, load_g: f64| lines(filling, &arrivals, &list, load_g).is_empty();
        assert!(!none(&filled(&PUTS), 1904.0));
        assert!(none(&filled(&PUTS), 1906.0), "the load is not the sum of what was put down");
        let mut lost = filled(&PUTS);
        lost.lost();
        assert!(none(&lost, 1900.0));
        let mut removed = filled(&PUTS);
        removed.touched(ms(20_000));
        removed.took(&step(-299.0, 21_000));
        assert!(none(&removed, 1601.0));
        let mut many = Filling::default();
        (0..=limits::STEPS_MAX as u64).for_each(|i| many.took(&step(300.0, 1_000 * i)));
        assert!(none(&many, 300.0 * (limits::STEPS_MAX + 1) as f64) && many.puts.len() == limits::STEPS_MAX);
        many.emptied();
        assert!(many.puts.is_empty() && !many.broken);
        let filling = filled(&PUTS);
        let (whole, list) = scanned(&[(500, &[("a", 1), ("b", 1), ("c", 1)])]);
        assert!(lines(&filling, &whole, &list, 1900.0).is_empty(), "the list came first");
        let (fewer, list) =
            scanned(&[(3_000, &[("a", 2)]), (7_000, &[("a", 2), ("b", 1)]), (11_000, &[("a", 1), ("b", 1)])]);
        assert!(lines(&filling, &fewer, &list, 1900.0).is_empty(), "a unit was taken off the list");
    }

    /// The fit took a hand for goods: when it is gone, what it had put down is what is left.
    #[test]
    fn a_hand_that_leaves_takes_nothing_out() {
        let mut filling = filled(&PUTS);
        filling.touched(ms(13_900));
        filling.took(&step(-40.0, 14_000));
        let puts = filling.of(&load(1860.0)).unwrap();
        assert_eq!((puts.len(), puts[3].mass, puts[3].ended), (4, Mass::from_mg(259_000), ms(14_000)));
    }
}
