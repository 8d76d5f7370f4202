//! Runs the cells: every basket drawn by a seed of its own, so that the number of threads changes nothing but the time.

use super::baselines::{self, Scores};
use super::beliefs::{self, Knowledge};
use super::cells::{Arrival, Cell, Plan};
use super::claims::{Claim, Opinion};
use super::judge::{Brought, Judge};
use super::looks::{Looks, Sight};
use super::metrics::{FALSE_ALARMS, Forecasts, Scored, Threshold, interval, resampled_catches};
use super::oracle::{Oracle, Seen};
use super::shop::Shop;
use super::trip::{self, Setting, Trip, Truth, Wanted, rates};
use augenmass_core::goods::Catalogue;
use augenmass_core::verdict::Outcome;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

/// Baskets that a thread takes at a time.
const CHUNK: usize = 32;

/// What every detector made of one basket.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What kind of basket.
    pub wanted: Wanted,
    /// What the error is about, grams.
    pub error_g: f64,
    /// What is lost if it is let go, in the shop's currency.
    pub loss: f64,
    /// Whether a crop shows what was not scanned.
    pub visible: bool,
    /// The judge's posterior.
    pub judge: Opinion,
    /// The judge's answer.
    pub outcome: Outcome,
    /// Whether the judge stopped the basket and named what is true.
    pub judge_right: bool,
    /// Whether it would have named what is true, stopped or not: policy lets go what is not worth a stop.
    pub judge_knows: bool,
    /// The oracle's posterior.
    pub oracle: Opinion,
    /// Whether the oracle named what is true.
    pub oracle_right: bool,
    /// The simple rules.
    pub simple: Scores,
}

/// All baskets of a cell, honest ones first, then the errors in the order of [`Wanted::ALL`].
#[derive(Clone, Debug)]
pub struct CellResult {
    /// The cell.
    pub cell: Cell,
    /// The baskets.
    pub rows: Vec<Row>,
}

/// Where the time goes, nanoseconds over all threads.
#[derive(Debug, Default)]
pub struct Clock {
    /// Drawing baskets.
    pub drawing: AtomicU64,
    /// The judge.
    pub judge: AtomicU64,
    /// The oracle.
    pub oracle: AtomicU64,
    /// Baskets done.
    pub baskets: AtomicU64,
}

impl Clock {
    fn add(&self, drawing: u128, judge: u128, oracle: u128) {
        for (sum, ns) in [(&self.drawing, drawing), (&self.judge, judge), (&self.oracle, oracle)] {
            sum.fetch_add(ns as u64, Ordering::Relaxed);
        }
        self.baskets.fetch_add(1, Ordering::Relaxed);
    }
}

/// Observations of each product at which the learning curve is measured; 0 for labels alone.
const LEARNED: [u32; 8] = [0, 2, 5, 10, 20, 50, 200, 500];
/// The errors by which the shop loses.
const LOSSES: [Wanted; 3] = [Wanted::Unscanned, Wanted::Swapped, Wanted::Quantity];

/// A point of a learning curve: observations of each product, and the judge's catch over the oracle's with its interval.
#[derive(Clone, Copy, Debug)]
pub struct Learned {
    /// Observations of each product; 0 for labels alone.
    pub observations: u32,
    /// Judge's catch over the oracle's at 1 % false alarms.
    pub ratio: f64,
    /// Its paired 95 % interval.
    pub interval: [f64; 2],
}

/// Everything that cells of one shop share.
struct Stage<'a> {
    shop: &'a Shop,
    oracle: Oracle<'a>,
    looks: Looks,
    learned: Catalogue,
    label: Catalogue,
}

/// Measures all cells, one after the other; `watch` is called from time to time with the clock and the number of baskets in all.
pub fn run(plan: &Plan, clock: &Clock, watch: &(dyn Fn(&Clock, u64) + Sync)) -> anyhow::Result<Vec<CellResult>> {
    let shop = Shop::new(plan.catalogue, plan.seed);
    let stage = Stage {
        oracle: Oracle::new(&shop),
        looks: Looks::new(&shop, plan.vision.clone(), plan.seed)?,
        learned: beliefs::catalogue(&shop, Knowledge::Learned(beliefs::OBSERVATIONS), plan.seed),
        label: beliefs::catalogue(&shop, Knowledge::Label, plan.seed),
        shop: &shop,
    };
    let (_, all) = wanted(plan.baskets);
    let total = all as u64 * plan.cells.len() as u64;
    let results = plan
        .cells
        .iter()
        .map(|cell| {
            let mut rows = rows(plan, cell, &stage, clock, &|clock| watch(clock, total));
            let mut simple: Vec<Scores> = rows.iter().map(|r| r.simple).collect();
            baselines::join(&mut simple, plan.baskets as usize);
            rows.iter_mut().zip(simple).for_each(|(row, scores)| row.simple = scores);
            CellResult { cell: *cell, rows }
        })
        .collect();
    Ok(results)
}

/// What kind of basket the `index`-th is, and how many there are.
fn wanted(baskets: u64) -> (impl Fn(usize) -> Wanted, usize) {
    let honest = baskets.max(4) as usize;
    let each = (honest / 4).max(1);
    let kind = move |index: usize| match index.checked_sub(honest) {
        None => Wanted::Honest,
        Some(rest) => Wanted::ALL[(1 + rest / each).min(4)],
    };
    (kind, honest + 4 * each)
}

fn rows(plan: &Plan, cell: &Cell, stage: &Stage<'_>, clock: &Clock, watch: &(dyn Fn(&Clock) + Sync)) -> Vec<Row> {
    let (kind, count) = wanted(plan.baskets);
    parallel(plan.threads, count, &|index| row(plan, cell, stage, kind(index), index as u64, clock), &|| watch(clock))
}

/// Values for 0..count, made by several threads, in order.
fn parallel<T: Send>(
    threads: usize,
    count: usize,
    make: &(dyn Fn(usize) -> T + Sync),
    watch: &(dyn Fn() + Sync),
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done: Vec<(usize, T)> = Vec::new();
        loop {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            if from >= count {
                return done;
            }
            done.extend((from..(from + CHUNK).min(count)).map(|index| (index, make(index))));
            watch();
        }
    };
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let joined =
            threads.into_iter().flat_map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.chain(own).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, value)| value).collect()
}

/// One basket's scores: the oracle's, and the judge's with each catalogue.
struct Schooled {
    wanted: Wanted,
    oracle: f64,
    scores: Vec<f64>,
}

/// How what the judge catches grows with what it has learned: a whole basket by weight alone, bags known, the container's usual tare.
pub fn learning(plan: &Plan, items: u32, baskets: u64, watch: &(dyn Fn() + Sync)) -> Vec<Learned> {
    let shop = Shop::new(plan.catalogue, plan.seed);
    let oracle = Oracle::new(&shop);
    let know = |n: u32| if n == 0 { Knowledge::Label } else { Knowledge::Learned(n) };
    let catalogues: Vec<(u32, Catalogue)> =
        LEARNED.iter().map(|n| (*n, beliefs::catalogue(&shop, know(*n), plan.seed))).collect();
    let (kind, count) = wanted(baskets);
    let setting = Setting { items, bag_known: true, tare_known: false };
    let rows: Vec<Schooled> = parallel(
        plan.threads,
        count,
        &|index| {
            let trip = trip::draw(&shop, setting, kind(index), basket_seed(plan, items, index as u64));
            let judge = |catalogue| {
                let brought = Brought::new(&trip, setting, &shop, catalogue, Vec::new(), true);
                Judge { catalogue, gallery: None }.judge(&brought).opinion.score
            };
            let scores = catalogues.iter().map(|(_, catalogue)| judge(catalogue)).collect();
            Schooled { wanted: kind(index), oracle: oracle.whole(&trip, setting, None).score, scores }
        },
        watch,
    );
    let scored = |score: &dyn Fn(&Schooled) -> f64| {
        let of = |wanted: Wanted| rows.iter().filter(|r| r.wanted == wanted).map(score).collect::<Vec<f64>>();
        let cheats = LOSSES.into_iter().zip(rates::KINDS).map(|(w, share)| (share, of(w))).collect();
        Scored { honest: of(Wanted::Honest), cheats }
    };
    let best = scored(&|r| r.oracle);
    let point = |(place, observations): (usize, &u32)| {
        let judge = scored(&|r| r.scores[place]);
        let catches = resampled_catches(&[&judge, &best], plan.seed);
        let ratios: Vec<f64> = catches[0].iter().zip(&catches[1]).map(|(a, b)| a / b.max(1e-12)).collect();
        let ratio = judge.catch_at(FALSE_ALARMS) / best.catch_at(FALSE_ALARMS).max(1e-12);
        Learned { observations: *observations, ratio, interval: interval(&ratios) }
    };
    LEARNED.iter().enumerate().map(point).collect()
}

/// Spreads seeds that differ in little (Steele, Lea and Flood, 2014).
fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Cells of the same size share their baskets, whatever else is known.
fn basket_seed(plan: &Plan, items: u32, index: u64) -> u64 {
    mixed(mixed(plan.seed).wrapping_add(u64::from(items) << 40).wrapping_add(index))
}

fn row(plan: &Plan, cell: &Cell, stage: &Stage<'_>, wanted: Wanted, index: u64, clock: &Clock) -> Row {
    let start = Instant::now();
    let setting = cell.setting();
    let seed = basket_seed(plan, cell.items, index);
    let trip = trip::draw(stage.shop, setting, wanted, seed);
    let sight = match cell.arrival {
        Arrival::Whole => stage.looks.recorded.whole,
        Arrival::OneByOne => stage.looks.recorded.one_by_one,
    };
    let (crops, visible) =
        if cell.vision { look(cell, stage, &trip, &sight, mixed(seed)) } else { (Vec::new(), false) };
    let scenes = crops.iter().map(|crops| stage.looks.scene(crops)).collect();
    let mut simple = baselines::totals(&trip, setting, stage.shop);
    if cell.vision {
        simple[baselines::LIST] = baselines::list(&trip, &stage.looks, &crops);
    }
    if cell.arrival == Arrival::OneByOne {
        simple[baselines::STEPS] = baselines::steps(&trip, stage.shop);
    }
    let drawn = start.elapsed();
    let seen = Seen { looks: &stage.looks, sight, parts: &crops };
    let seen = cell.vision.then_some(&seen);
    let oracle = match cell.arrival {
        Arrival::Whole => stage.oracle.whole(&trip, setting, seen),
        Arrival::OneByOne => stage.oracle.one_by_one(&trip, setting, seen),
    };
    let asked = start.elapsed();
    let catalogue = if cell.learned { &stage.learned } else { &stage.label };
    let judge = Judge { catalogue, gallery: cell.vision.then_some(&stage.looks.gallery) };
    let whole = cell.arrival == Arrival::Whole;
    let brought = Brought::new(&trip, setting, stage.shop, catalogue, scenes, whole);
    let answer = judge.judge(&brought);
    clock.add(drawn.as_nanos(), (start.elapsed() - asked).as_nanos(), (asked - drawn).as_nanos());
    let is_right = |claim: Option<Claim>| claim.is_some_and(|c| right(&c, &trip));
    Row {
        wanted,
        error_g: trip.error_g,
        loss: trip.loss(stage.shop),
        visible,
        judge: answer.opinion,
        outcome: answer.outcome,
        judge_right: answer.outcome != Outcome::Pass && is_right(answer.opinion.claim),
        judge_knows: is_right(answer.opinion.claim),
        oracle,
        oracle_right: is_right(oracle.claim),
        simple,
    }
}

/// The crops of each part of a trip: of the whole plate, or of each step. And whether any shows what was not scanned.
fn look(cell: &Cell, stage: &Stage<'_>, trip: &Trip, sight: &Sight, seed: u64) -> (Vec<Vec<Vec<f32>>>, bool) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let crowded = Looks::crowded(sight, cell.items);
    let parts: Vec<Vec<(usize, u32)>> = match cell.arrival {
        Arrival::Whole => vec![trip.placed.iter().map(|p| (p.product, p.units)).collect()],
        Arrival::OneByOne => trip.steps.iter().map(|step| step.goods.clone()).collect(),
    };
    let unscanned = |product: usize| match &trip.truth {
        Truth::Unscanned(goods) => goods.iter().any(|(p, _)| *p == product),
        Truth::Honest | Truth::Swapped { .. } | Truth::Quantity { .. } | Truth::Absent { .. } => false,
    };
    let mut visible = false;
    let mut draw = |part: &Vec<(usize, u32)>| {
        let mean =
            |(product, units): &(usize, u32)| (*product, f64::from(*units) * crowded * stage.looks.size(*product));
        let (crops, given) = stage.looks.draw(sight, &part.iter().map(mean).collect::<Vec<_>>(), &mut rng);
        visible |= part.iter().zip(given).any(|((product, _), given)| given > 0 && unscanned(*product));
        crops
    };
    let crops = parts.iter().map(&mut draw).collect();
    (crops, visible)
}

/// Whether a named difference is the true one.
pub fn right(claim: &Claim, trip: &Trip) -> bool {
    let product = |line: usize| trip.lines[line].product;
    match &trip.truth {
        Truth::Honest => false,
        Truth::Unscanned(goods) => {
            claim.kind == Wanted::Unscanned && goods.iter().any(|(product, _)| *product == claim.product)
        }
        Truth::Swapped { line, instead } => {
            claim.kind == Wanted::Swapped
                && claim.product == product(*line)
                && claim.instead.is_none_or(|named| named == *instead)
        }
        Truth::Quantity { line, .. } => claim.kind == Wanted::Quantity && claim.product == product(*line),
        Truth::Absent { line, missing } => {
            let all = *missing == trip.lines[*line].quantity;
            let kind = if all { Wanted::Absent } else { Wanted::Quantity };
            claim.kind == kind && claim.product == product(*line)
        }
    }
}

impl CellResult {
    /// Rows of a kind.
    pub fn of(&self, wanted: Wanted) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |r| r.wanted == wanted)
    }

    /// Scores by which a detector ranks baskets.
    pub fn scored(&self, score: impl Fn(&Row) -> f64) -> Scored {
        let of = |wanted: Wanted| self.of(wanted).map(&score).collect::<Vec<f64>>();
        Scored {
            honest: of(Wanted::Honest),
            cheats: LOSSES.into_iter().zip(rates::KINDS).map(|(w, s)| (s, of(w))).collect(),
        }
    }

    /// Probabilities of any error, each basket weighing what its kind weighs in the world.
    pub fn forecasts(&self, opinion: impl Fn(&Row) -> Opinion) -> Forecasts {
        let mut forecasts = Forecasts::default();
        for (wanted, share) in Wanted::ALL.into_iter().zip(world()) {
            let weight = share / self.of(wanted).count().max(1) as f64;
            self.of(wanted).for_each(|r| forecasts.add(opinion(r).error, wanted != Wanted::Honest, weight));
        }
        forecasts
    }

    /// Thresholds of judge and oracle at the compared operating point.
    pub fn thresholds(&self) -> (Threshold, Threshold) {
        (self.scored(|r| r.judge.score).threshold(), self.scored(|r| r.oracle.score).threshold())
    }
}

/// Share of each kind of basket in the world, in the order of [`Wanted::ALL`].
pub fn world() -> [f64; 5] {
    let [a, b, c, d] = rates::KINDS;
    let e = rates::ERROR;
    [1.0 - e, e * a, e * b, e * c, e * d]
}
