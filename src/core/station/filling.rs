//! How what rests on the plate came onto it: put by put, and which scans came when. What is guessed of the two together.
//!
//! Nothing of this is kept over a restart: the plate is then judged by its total, as whenever the record has a gap.

use super::limits;
use crate::basket::{Basket, Checked, ContainerKind};
use crate::units::{Mass, Mono};
use crate::verdict::{Expected, StepEvidence};
use crate::vision::{Scene, Since, Tracks};
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
    /// Which look was taken after it and before the next hand came, counted from 0.
    pub look: Option<usize>,
}

/// All that was put down since the plate was empty, and what was seen of it.
#[derive(Clone, Debug, Default)]
pub struct Filling {
    puts: Vec<Put>,
    /// Something was taken out, or was not seen: what lies there is more or less than was put down.
    broken: bool,
    touched: Option<Mono>,
    /// Since when what lies there rests, and when it was touched again.
    rested: Option<(Mono, Option<Mono>)>,
    tracks: Tracks,
    /// The last look, without its crops: which cameras, in which space, how good.
    look: Option<Scene>,
    /// What was done since that look.
    since: Option<Since>,
    /// Looks were asked for so often since the last hand.
    asked: u32,
}

impl Filling {
    /// The plate is empty.
    pub fn emptied(&mut self) {
        *self = Self::default();
    }

    /// There is no telling what comes and goes.
    pub fn lost(&mut self) {
        self.broken = true;
        self.forget_looks();
    }

    /// What rested is touched as of `at`.
    pub fn touched(&mut self, at: Mono) {
        self.touched = Some(at);
        if let Some((_, until @ None)) = &mut self.rested {
            *until = Some(at);
        }
    }

    /// The plate rests, untouched since `since`.
    pub fn rests(&mut self, since: Mono) {
        self.rested = Some((since, None));
        self.asked = 0;
    }

    fn forget_looks(&mut self) {
        self.tracks = Tracks::default();
        self.look = None;
        self.since = self.since.or(Some(Since::Nothing));
        self.puts.iter_mut().for_each(|put| put.look = None);
    }

    /// The plate rests again, and its load is another one. A hand that was weighed with what it had put down and is gone now took nothing out.
    pub fn took(&mut self, step: &Step) {
        let began = self.touched.take().unwrap_or(step.ended);
        if step.mass > Mass::default() {
            self.since = self.since.or(Some(Since::Put));
            self.broken |= self.puts.len() >= limits::STEPS_MAX;
            if !self.broken {
                self.puts.push(Put { began, ended: step.ended, mass: step.mass, sigma: step.sigma, look: None });
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
                self.since = self.since.or(Some(Since::Nothing));
            }
            None => {
                self.broken = true;
                self.since = Some(Since::Removed);
            }
        }
    }

    /// Whether a look is wanted of what rests there: it was not seen yet, nobody has touched it since, and it was not asked for too often.
    pub fn wants_look(&self) -> bool {
        self.since.is_some() && matches!(self.rested, Some((_, None))) && self.asked < limits::STEP_LOOKS_MAX
    }

    /// From when the frame of a look must be that is wanted and is asked for now.
    pub fn poll_look(&mut self) -> Option<Mono> {
        let (since, _) = self.rested.filter(|_| self.wants_look())?;
        self.asked += 1;
        Some(since)
    }

    /// Takes a look, if it is fit and shows what rests, or rested last.
    pub fn saw(&mut self, scene: &Scene) {
        let shows = |(since, until): (Mono, Option<Mono>)| {
            scene.captured >= since && until.is_none_or(|until| scene.captured < until)
        };
        if !self.rested.is_some_and(shows) || scene.quality.fault().is_some() {
            return;
        }
        let other_eyes = |last: &Scene| last.cameras != scene.cameras || last.space_id != scene.space_id;
        if self.look.as_ref().is_some_and(other_eyes) {
            // What one camera shows and another does not is nothing that came.
            self.forget_looks();
        }
        self.tracks.look(&scene.crops, self.since.take().unwrap_or(Since::Nothing));
        self.look = Some(Scene { crops: Vec::new(), ..scene.clone() });
        if let Some(last) = self.puts.last_mut() {
            last.look = self.tracks.looks().checked_sub(1);
        }
    }

    /// All that was seen to come and not to go, as one look, if the last look was taken since `untouched_since`.
    pub fn seen(&self, untouched_since: Mono) -> Option<Scene> {
        let last = self.look.as_ref().filter(|look| look.captured >= untouched_since && self.since.is_none())?;
        Some(Scene { crops: self.tracks.there().cloned().collect(), ..last.clone() })
    }

    /// How many things were first seen with each put; `None` where no look was taken.
    pub fn came(&self) -> Vec<Option<usize>> {
        self.puts.iter().map(|put| Some(self.tracks.came_with(put.look?).count())).collect()
    }

    /// What came with each of these puts, if a look was taken after each.
    fn came_with(&self, puts: &[Put]) -> Option<Vec<Scene>> {
        let last = self.look.as_ref()?;
        let came = |put: &Put| {
            let crops = self.tracks.came_with(put.look?).cloned().collect();
            Some(Scene { crops, ..last.clone() })
        };
        puts.iter().map(came).collect()
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
    let scenes = filling.came_with(puts);
    let orders = [Order::ScanThenPut, Order::PutThenScan];
    let mut guesses: Vec<Vec<StepEvidence>> =
        orders.into_iter().filter_map(|order| guess(order, puts, arrivals, goods, expected)).collect();
    guesses.dedup_by(|a, b| a.iter().map(|s| &s.lines).eq(b.iter().map(|s| &s.lines)));
    for guess in &mut guesses {
        let mut came = scenes.clone().into_iter().flatten();
        guess.iter_mut().for_each(|step| step.scene = came.next());
    }
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
    use crate::vision::{Crop, Embedding, Quality};

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

    /// A look at so many things in a row, each like none of the others.
    fn look(captured_ms: u64, things: &[usize]) -> Scene {
        let crop = |which: &usize| {
            let left = 60.0 * *which as f32;
            let embedding = Embedding::new((0..4).map(|i| if i == *which { 1.0 } else { 0.0 }).collect()).unwrap();
            Crop { camera: 0, box_px: [left, 0.0, left + 50.0, 50.0], score: 0.9, embedding }
        };
        Scene {
            cameras: vec!["top".to_owned()],
            missing: Vec::new(),
            captured: ms(captured_ms),
            crops: things.iter().map(crop).collect(),
            quality: Quality { brightness: 120.0, sharpness: 80.0 },
            space_id: "test".to_owned(),
        }
    }

    /// A put is touched, comes to rest, and is looked at.
    fn put(filling: &mut Filling, (grams, began_ms, ended_ms): (f64, u64, u64)) {
        filling.touched(ms(began_ms));
        filling.rests(ms(ended_ms));
        filling.took(&step(grams, ended_ms));
    }

    fn came(filling: &Filling) -> Option<Vec<usize>> {
        let scenes = filling.came_with(&filling.puts)?;
        let counts: Vec<usize> = scenes.iter().map(|s| s.crops.len()).collect();
        assert_eq!(filling.came(), counts.iter().map(|n| Some(*n)).collect::<Vec<_>>());
        Some(counts)
    }

    #[test]
    fn each_put_has_what_came_with_it_and_the_rest_is_remembered() {
        let mut filling = Filling::default();
        assert_eq!(filling.poll_look(), None, "nothing lies there");
        put(&mut filling, (1_000.0, 1_000, 2_000));
        assert_eq!(filling.poll_look(), Some(ms(2_000)));
        filling.saw(&look(2_200, &[]));
        assert!(!filling.wants_look(), "it was seen");
        put(&mut filling, (300.0, 4_000, 5_000));
        filling.saw(&look(5_100, &[0]));
        put(&mut filling, (400.0, 7_000, 8_000));
        // The first one is hidden now.
        filling.saw(&look(8_100, &[1, 2]));
        assert_eq!(came(&filling), Some(vec![0, 1, 2]));
        assert_eq!(filling.seen(ms(8_000)).map(|scene| scene.crops.len()), Some(3));
        assert_eq!(filling.seen(ms(8_200)), None, "it was touched since");
    }

    /// A frame that shows a hand, or what came later, shows nothing of a put; one that was under way when the hand came does.
    #[test]
    fn a_look_belongs_to_the_rest_in_which_its_frame_was_taken() {
        let mut filling = Filling::default();
        put(&mut filling, (300.0, 1_000, 2_000));
        filling.touched(ms(4_000));
        assert!(!filling.wants_look());
        filling.saw(&look(4_100, &[0]));
        filling.saw(&look(1_900, &[0]));
        assert_eq!(came(&filling), None);
        filling.saw(&look(3_900, &[0]));
        assert_eq!(came(&filling), Some(vec![1]));
        put(&mut filling, (300.0, 4_000, 5_000));
        assert_eq!(came(&filling), None, "of the second nothing was seen yet");
        for _ in 0..limits::STEP_LOOKS_MAX {
            assert_eq!(filling.poll_look(), Some(ms(5_000)));
        }
        assert_eq!(filling.poll_look(), None, "no look came so often");
        let dark = Scene { quality: Quality { brightness: 2.0, sharpness: 0.1 }, ..look(5_100, &[0]) };
        filling.saw(&dark);
        assert_eq!(came(&filling), None);
    }

    #[test]
    fn what_is_taken_out_is_not_believed_to_lie_there() {
        let mut filling = Filling::default();
        put(&mut filling, (300.0, 1_000, 2_000));
        filling.saw(&look(2_100, &[0]));
        put(&mut filling, (400.0, 4_000, 5_000));
        filling.saw(&look(5_100, &[0, 1]));
        put(&mut filling, (-300.0, 9_000, 10_000));
        assert_eq!(filling.seen(ms(10_000)), None);
        filling.saw(&look(10_100, &[1]));
        let left = filling.seen(ms(10_000)).unwrap().crops;
        assert_eq!(left.iter().map(|crop| crop.embedding.values()[1]).collect::<Vec<_>>(), [1.0]);
    }

    /// What another camera shows is nothing that came, and after the scale was out nobody knows what did.
    #[test]
    fn other_eyes_and_a_lost_scale_begin_anew() {
        let mut filling = Filling::default();
        put(&mut filling, (300.0, 1_000, 2_000));
        filling.saw(&look(2_100, &[0]));
        put(&mut filling, (400.0, 4_000, 5_000));
        filling.saw(&Scene { cameras: vec!["side".to_owned()], ..look(5_100, &[0, 1]) });
        assert_eq!(came(&filling), None);
        assert_eq!(filling.seen(ms(5_000)).map(|scene| scene.crops.len()), Some(2));
        filling.lost();
        assert_eq!(filling.seen(ms(5_000)), None);
        assert!(filling.wants_look());
    }
}
