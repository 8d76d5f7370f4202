//! Learning from visits as they come: the shop begins with labels, the judge decides what passes, what passed (or was flagged and found
//! right) is learned, and what the judge catches then is compared with what it catches when every weight is known from 200 weighings.

use super::beliefs::{self, Knowledge};
use super::judge::{Brought, Judge, expected};
use super::metrics::{FALSE_ALARMS, Scored, interval, resampled_catches};
use super::shop::{Good, Shop};
use super::trip::{self, Setting, Trip, Wanted, container_law, rates};
use augenmass_core::goods::learn::{Confirmed, Equation, Learner, Subject, Term, Why, prior};
use augenmass_core::goods::{Catalogue, Kind, Product, WeightBelief, WeightSource};
use augenmass_core::units::{ProductId, Wall};
use augenmass_core::verdict::Outcome;
use augenmass_core::verdict::expected::{LABEL_SIGMA_G, LABEL_WRAP_G};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::fmt::Write;

/// Sizes of the baskets that are learned from, each as often.
const SIZES: [u32; 4] = [5, 10, 20, 40];
/// Visits of a day.
const A_DAY: u64 = 200;
/// Shoppers with a name.
const SHOPPERS: u32 = 3000;
/// Share of visits that are poisoned on purpose, where any are.
const POISONED: f64 = 0.05;
/// A poisoned basket carries so much of what would still pass.
const POISON_REACH: f64 = 0.97;
/// A printed spread for goods that differ by nature, as a share of the mass.
const VARYING: f64 = 0.15;
/// Variances of what is weighed with the goods, g²: scale, stated bags, a step.
const SCALE_G2: f64 = 20.0;
const BAGS_G2: f64 = 9.0;
const STEP_G2: f64 = 13.0;
/// The judge's thresholds are looked up so often, in visits.
const LIMITS_EVERY: u64 = 8;
/// They have not been looked up.
const NO_LIMITS: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];
/// Errors by which the shop loses.
const LOSSES: [Wanted; 3] = [Wanted::Unscanned, Wanted::Swapped, Wanted::Quantity];

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Chooses everything that is drawn.
    pub seed: u64,
    /// Products of the shop.
    pub products: usize,
    /// Honest baskets that the judge is measured with; a quarter as many of each cheat.
    pub baskets: u64,
    /// Units of the baskets that the judge is measured with.
    pub items: u32,
    /// Visits a product at which it is measured: the mean over all products, each visited as often as shoppers happen to buy it.
    pub visits: Vec<u32>,
}

/// How a shop learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct School {
    /// Whether a pack's gross mass is known from the start, or only what is in it.
    pub gross: bool,
    /// What is weighed.
    pub weighed: Weighed,
    /// Whether some visits are poisoned on purpose.
    pub poison: Poison,
}

/// What is weighed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighed {
    /// Whole baskets as shoppers bring them.
    Totals,
    /// The same baskets, put down one good after the other.
    OneByOne,
    /// Each product alone on the plate, all of them equally often.
    Singly,
}

/// Who tries to teach nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// Nobody.
    None,
    /// One visit in twenty, whatever is in it.
    Any,
    /// One visit in twenty of those that hold one of a tenth of the products, always with too much.
    Aimed,
}

/// Where the shop stands after some visits.
#[derive(Clone, Debug)]
pub struct Point {
    /// Visits a product, mean over the products.
    pub visits: f64,
    /// The same, each product counting by how often it is bought.
    pub visits_bought: f64,
    /// Catch at 1 % false alarms.
    pub catch: f64,
    /// Over that of the learned shop, with the paired 95 % interval.
    pub ratio: f64,
    /// Its interval.
    pub interval: [f64; 2],
    /// Share of honest visits stopped on the way here since the point before.
    pub stopped: f64,
    /// How far the believed means are off over how far units are spread, both root mean squares in grams by how often they are bought.
    pub off_spreads: f64,
    /// How far means are off by their own account: root mean square of the standardised error.
    pub account: f64,
    /// Believed over true spread, mean by how often they are bought.
    pub spread: f64,
    /// Packs thought to be new ones so far.
    pub new_packs: u64,
    /// The beliefs.
    means_g: Vec<f64>,
}

/// A shop's course.
#[derive(Clone, Debug)]
pub struct Course {
    /// How it learned.
    pub school: School,
    /// Where it stood.
    pub points: Vec<Point>,
}

/// Measures the schools of the promise whose names have `only` in them, two at a time.
pub fn run(plan: &Plan, only: Option<&str>) -> Vec<Course> {
    let school = |gross, weighed, poison| School { gross, weighed, poison };
    let mut schools = vec![
        school(true, Weighed::Totals, Poison::None),
        school(false, Weighed::Totals, Poison::None),
        school(true, Weighed::Singly, Poison::None),
        school(false, Weighed::Singly, Poison::None),
        school(true, Weighed::OneByOne, Poison::None),
        school(false, Weighed::OneByOne, Poison::None),
        school(true, Weighed::Totals, Poison::Any),
        school(true, Weighed::Totals, Poison::Aimed),
    ];
    schools.retain(|school| only.is_none_or(|text| school.name().contains(text)));
    let mut courses = Vec::with_capacity(schools.len());
    for pair in schools.chunks(2) {
        std::thread::scope(|scope| {
            let threads: Vec<_> = pair.iter().map(|school| scope.spawn(|| course(plan, *school))).collect();
            courses
                .extend(threads.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
        });
    }
    courses
}

/// The shop with its labels alone.
fn labelled(shop: &Shop, gross: bool) -> Catalogue {
    let weight = |good: &Good| {
        let printed =
            if gross { prior::gross(good.net_g + good.packaging_g, good.net_g) } else { prior::net_only(good.net_g) };
        match good.kind {
            Kind::Piece => printed,
            Kind::Varying => WeightBelief { sd_g: VARYING * good.net_g, ..printed },
            Kind::Weighed => WeightBelief { sd_g: 0.35 * good.net_g, ..printed },
        }
    };
    let known = beliefs::catalogue(shop, Knowledge::Label, 0);
    let product = |(good, product): (&Good, &Product)| Product { weight: weight(good), ..product.clone() };
    Catalogue::new(shop.goods.iter().zip(known.products()).map(product).collect())
}

fn subject(product: usize) -> Option<Subject> {
    ProductId::try_from(format!("p{product}")).ok().map(Subject::Product)
}

/// One shop on its way.
struct Pupil<'a> {
    plan: &'a Plan,
    shop: &'a Shop,
    school: School,
    labels: Catalogue,
    catalogue: Catalogue,
    learner: Learner,
    seen: Vec<u64>,
    visits: u64,
    honest: (u64, u64),
    new_packs: u64,
    /// Thresholds of the judge in sigma by basket size, looked up from time to time: that costs a dozen judgements.
    limits: [[f64; 2]; 4],
}

fn course(plan: &Plan, school: School) -> Course {
    let shop = Shop::new(plan.products, plan.seed);
    let labels = labelled(&shop, school.gross);
    let mut learner = Learner::default();
    for product in labels.products() {
        learner.begin_product(product, Wall::default());
    }
    for (kind, items) in [("basket", 20), ("trolley", 21)] {
        let setting = Setting { items, bag_known: true, tare_known: false };
        let start = WeightBelief {
            mean_g: trip::TARE_G[usize::from(items > 20)],
            sd_g: container_law(setting).variance_g2().sqrt(),
            mean_sd_g: 1.0,
            source: WeightSource::Seeded,
        };
        learner.begin(&Subject::Kind(kind.to_owned()), start, Wall::default());
    }
    let mut pupil = Pupil {
        plan,
        shop: &shop,
        school,
        catalogue: labels.clone(),
        labels,
        learner,
        seen: vec![0; shop.goods.len()],
        visits: 0,
        honest: (0, 0),
        new_packs: 0,
        limits: [NO_LIMITS; 4],
    };
    let reference = beliefs::catalogue(&shop, Knowledge::Learned(beliefs::OBSERVATIONS), plan.seed);
    let exam = Exam::new(plan, &shop, &reference);
    let points = plan.visits.iter().map(|visits| pupil.go_on(*visits, &exam)).collect();
    Course { school, points }
}

impl Pupil<'_> {
    /// Learns until products have been visited so often on average.
    fn go_on(&mut self, visits: u32, exam: &Exam<'_>) -> Point {
        let packs = self.shop.goods.iter().filter(|g| g.kind != Kind::Weighed).count() as u64;
        let mut learned = 0;
        while self.seen.iter().sum::<u64>() < u64::from(visits) * packs {
            match self.school.weighed {
                Weighed::Totals | Weighed::OneByOne => self.visit(),
                Weighed::Singly => self.weigh_all(),
            }
            learned += 1;
            // A new snapshot of the catalogue between attempts, some times a day.
            if learned % A_DAY == 0 {
                self.learner.revise(self.now());
            }
            if learned % 10 == 0 {
                self.catalogue = self.learner.applied_to(&self.labels);
            }
        }
        self.learner.revise(self.now());
        self.catalogue = self.learner.applied_to(&self.labels);
        let (catch, ratio, interval) = exam.take(&self.catalogue);
        let (stopped, honest) = std::mem::take(&mut self.honest);
        let packs = || self.shop.goods.iter().enumerate().filter(|(_, g)| g.kind != Kind::Weighed);
        let shares: f64 = packs().map(|(_, g)| g.share).sum();
        let by_share = |f: &dyn Fn(usize, &Good) -> f64| packs().map(|(i, g)| g.share * f(i, g)).sum::<f64>() / shares;
        let sd_g = |good: &Good| (good.law.own.variance_g2() + good.law.batch.variance_g2()).sqrt();
        let weight = |i: usize| self.catalogue.products()[i].weight;
        Point {
            visits: packs().map(|(i, _)| self.seen[i] as f64).sum::<f64>() / packs().count().max(1) as f64,
            visits_bought: by_share(&|i, _| self.seen[i] as f64),
            catch,
            ratio,
            interval,
            stopped: stopped as f64 / honest.max(1) as f64,
            off_spreads: (by_share(&|i, g| (weight(i).mean_g - g.law.mean_g).powi(2))
                / by_share(&|_, g| sd_g(g).powi(2)))
            .sqrt(),
            account: by_share(&|i, g| ((weight(i).mean_g - g.law.mean_g) / weight(i).mean_sd_g.max(1e-6)).powi(2))
                .sqrt(),
            spread: by_share(&|i, g| weight(i).sd_g / sd_g(g)),
            new_packs: self.new_packs,
            means_g: self.catalogue.products().iter().map(|p| p.weight.mean_g).collect(),
        }
    }

    fn now(&self) -> Wall {
        Wall::from_ms((self.visits / A_DAY) as i64 * 86_400_000)
    }

    /// Puts one unit of each product on the plate alone, once.
    fn weigh_all(&mut self) {
        self.visits += 1;
        let mut rng = ChaCha8Rng::seed_from_u64(self.plan.seed.wrapping_mul(0x51E1_4617).wrapping_add(self.visits));
        let scale = trip::scale_law();
        for (index, good) in self.shop.goods.iter().enumerate().filter(|(_, g)| g.kind != Kind::Weighed) {
            let Some(subject) = subject(index) else { continue };
            let equation = Equation {
                terms: vec![Term { subject, units: 1 }],
                measured_g: good.law.mean_g + good.law.draw(1, &mut rng) + scale.draw(&mut rng),
                variance_g2: SCALE_G2,
                confirmed: Confirmed::Unchosen,
                shopper: None,
                at: Wall::from_ms(self.visits as i64 * 86_400_000),
            };
            if let Ok(changes) = self.learner.learn(&equation) {
                self.new_packs += changes.iter().filter(|c| c.why == Why::NewPack).count() as u64;
            }
            self.seen[index] += 1;
        }
    }

    fn visit(&mut self) {
        self.visits += 1;
        let mut rng = ChaCha8Rng::seed_from_u64(self.plan.seed.wrapping_mul(0x9E37_79B9).wrapping_add(self.visits));
        let setting = Setting { items: SIZES[rng.random_range(0..SIZES.len())], bag_known: true, tare_known: false };
        let wanted = if rng.random::<f64>() < rates::ERROR { kind_of_error(&mut rng) } else { Wanted::Honest };
        let mut trip = trip::draw(self.shop, setting, wanted, rng.random());
        let shopper = format!("s{}", rng.random_range(0..SHOPPERS));
        let poisoned = rng.random::<f64>() < POISONED && self.aims_at(&trip);
        let judge = Judge { catalogue: &self.catalogue, gallery: None };
        let mut passes = |measured_g: f64| {
            let trip = Trip { measured_g, ..trip.clone() };
            let brought = Brought::new(&trip, setting, self.shop, &self.catalogue, Vec::new(), true);
            judge.judge(&brought).outcome == Outcome::Pass
        };
        let believed = expected(&trip, setting, self.shop, &self.catalogue);
        let sigma_g = (believed.variance_g2() + SCALE_G2).sqrt();
        let passed = passes(trip.measured_g);
        let size = usize::from(setting.items > 7) + usize::from(setting.items > 15) + usize::from(setting.items > 30);
        if self.visits.is_multiple_of(LIMITS_EVERY) || self.limits[size] == NO_LIMITS {
            let at = |z: f64| believed.mean_g + z * sigma_g;
            let z = |g: f64| (g - believed.mean_g) / sigma_g;
            self.limits[size] = [z(limit(&mut passes, at(0.0), at(-4.5))), z(limit(&mut passes, at(0.0), at(4.5)))];
        }
        let confirmed = if passed {
            let [low_g, high_g] = self.limits[size].map(|z| believed.mean_g + z * sigma_g);
            if poisoned {
                let reach_g = believed.mean_g + POISON_REACH * (high_g - believed.mean_g);
                trip.measured_g = trip.measured_g.max(reach_g);
            }
            Some(Confirmed::Passed { low_g, high_g })
        } else {
            (wanted == Wanted::Honest).then_some(Confirmed::Approved)
        };
        if wanted == Wanted::Honest {
            self.honest.0 += u64::from(!passed);
            self.honest.1 += 1;
        }
        let Some(confirmed) = confirmed else { return };
        for equation in equations(&trip, self.school.weighed, confirmed, &shopper, self.now()) {
            if let Ok(changes) = self.learner.learn(&equation) {
                self.new_packs += changes.iter().filter(|c| c.why == Why::NewPack).count() as u64;
            }
        }
        trip.lines.iter().filter(|l| l.label_g.is_none()).for_each(|l| self.seen[l.product] += 1);
    }

    fn aims_at(&self, trip: &Trip) -> bool {
        match self.school.poison {
            Poison::None => false,
            Poison::Any => true,
            Poison::Aimed => trip.lines.iter().any(|l| l.product % 10 == 0),
        }
    }
}

fn kind_of_error(rng: &mut impl Rng) -> Wanted {
    let mut left: f64 = rng.random();
    for (wanted, share) in Wanted::ALL.into_iter().skip(1).zip(rates::KINDS) {
        left -= share;
        if left < 0.0 {
            return wanted;
        }
    }
    Wanted::Absent
}

/// The mass nearest to `from_g` on the way to `to_g` at which a basket would not pass any more; beyond everything if it still passes there.
fn limit(passes: &mut impl FnMut(f64) -> bool, from_g: f64, to_g: f64) -> f64 {
    let (mut inside, mut outside) = (from_g, to_g);
    if passes(to_g) {
        return if to_g > from_g { f64::INFINITY } else { f64::NEG_INFINITY };
    }
    for _ in 0..4 {
        let middle = 0.5 * (inside + outside);
        if passes(middle) { inside = middle } else { outside = middle }
    }
    inside
}

/// What a visit says: one equation for all of it, or one a step.
fn equations(trip: &Trip, weighed: Weighed, confirmed: Confirmed, shopper: &str, at: Wall) -> Vec<Equation> {
    let of_lines = |indices: &mut dyn Iterator<Item = usize>,
                    measured_g: f64,
                    variance_g2: f64,
                    confirmed: Confirmed| {
        let mut equation =
            Equation { terms: Vec::new(), measured_g, variance_g2, confirmed, shopper: Some(shopper.to_owned()), at };
        for line in indices.map(|i| &trip.lines[i]) {
            match line.label_g {
                Some(label_g) => {
                    equation.measured_g -= label_g + LABEL_WRAP_G;
                    equation.variance_g2 += LABEL_SIGMA_G * LABEL_SIGMA_G;
                }
                None => {
                    equation.terms.extend(subject(line.product).map(|subject| Term { subject, units: line.quantity }));
                }
            }
        }
        equation
    };
    if weighed == Weighed::OneByOne {
        let step = |s: &trip::Step| {
            let only = (s.lines.len() == 1)
                .then(|| of_lines(&mut s.lines.iter().copied(), s.mass_g, STEP_G2, Confirmed::Unchosen));
            only.filter(|e| !e.terms.is_empty())
        };
        return trip.steps.iter().filter_map(step).collect();
    }
    let bags_g = trip.bags_g.unwrap_or(0.0);
    let bags_g2 = if trip.bags > 0 { BAGS_G2 } else { 0.0 };
    let moved = match confirmed {
        Confirmed::Passed { low_g, high_g } => {
            let portions_g: f64 = trip.lines.iter().filter_map(|l| l.label_g).map(|g| g + LABEL_WRAP_G).sum();
            let off_g = bags_g + portions_g;
            Confirmed::Passed { low_g: low_g - off_g, high_g: high_g - off_g }
        }
        Confirmed::Approved | Confirmed::Unchosen | Confirmed::Weighed => confirmed,
    };
    let mut whole = of_lines(&mut (0..trip.lines.len()), trip.measured_g - bags_g, SCALE_G2 + bags_g2, moved);
    let kind = if trip.trolley { "trolley" } else { "basket" };
    whole.terms.push(Term { subject: Subject::Kind(kind.to_owned()), units: 1 });
    vec![whole]
}

/// The baskets that the judge is measured with, never learned from, and how it does with everything learned.
struct Exam<'a> {
    plan: &'a Plan,
    shop: &'a Shop,
    setting: Setting,
    reference: Scored,
}

impl<'a> Exam<'a> {
    fn new(plan: &'a Plan, shop: &'a Shop, reference: &Catalogue) -> Self {
        let setting = Setting { items: plan.items, bag_known: true, tare_known: false };
        let mut exam = Self { plan, shop, setting, reference: Scored { honest: Vec::new(), cheats: Vec::new() } };
        exam.reference = exam.scores(reference);
        exam
    }

    fn scores(&self, catalogue: &Catalogue) -> Scored {
        let judge = Judge { catalogue, gallery: None };
        let of = |wanted: Wanted, count: u64| {
            let score = |index: u64| {
                let seed = self.plan.seed ^ 0xE0A5_0000_0000_0000 ^ index << 3 ^ wanted as u64;
                let trip = trip::draw(self.shop, self.setting, wanted, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                judge.judge(&Brought::new(&trip, self.setting, self.shop, catalogue, Vec::new(), true)).opinion.score
            };
            (0..count).map(score).collect::<Vec<f64>>()
        };
        let cheats = LOSSES.into_iter().zip(rates::KINDS).map(|(w, share)| (share, of(w, self.plan.baskets / 4)));
        Scored { honest: of(Wanted::Honest, self.plan.baskets), cheats: cheats.collect() }
    }

    /// Catch, its ratio to the learned shop's, and the interval of that.
    fn take(&self, catalogue: &Catalogue) -> (f64, f64, [f64; 2]) {
        let own = self.scores(catalogue);
        let catch = own.catch_at(FALSE_ALARMS);
        let catches = resampled_catches(&[&own, &self.reference], self.plan.seed);
        let ratios: Vec<f64> = catches[0].iter().zip(&catches[1]).map(|(a, b)| a / b.max(1e-12)).collect();
        (catch, catch / self.reference.catch_at(FALSE_ALARMS).max(1e-12), interval(&ratios))
    }
}

impl School {
    /// For people.
    pub fn name(&self) -> String {
        let known = if self.gross { "gross mass known" } else { "net content only" };
        let how = match self.weighed {
            Weighed::Totals => "totals",
            Weighed::OneByOne => "one by one",
            Weighed::Singly => "singly",
        };
        let poison = match self.poison {
            Poison::None => "",
            Poison::Any => ", 5 % poisoned",
            Poison::Aimed => ", 5 % poisoned at a tenth of the goods",
        };
        format!("{known}, {how}{poison}")
    }
}

/// By how much the poisoned shop's means differ from those of the same shop without poison, the worst product, in true sigma of a unit.
pub fn worst_move(plan: &Plan, clean: &Course, poisoned: &Course) -> Option<f64> {
    let shop = Shop::new(plan.products, plan.seed);
    let (a, b) = (clean.points.last()?, poisoned.points.last()?);
    let sd_g = |good: &Good| (good.law.own.variance_g2() + good.law.batch.variance_g2()).sqrt();
    let moves = shop.goods.iter().zip(a.means_g.iter().zip(&b.means_g)).map(|(g, (a, b))| (a - b).abs() / sd_g(g));
    moves.reduce(f64::max)
}

/// All courses for people.
pub fn table(plan: &Plan, courses: &[Course]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "seed {}, {} products, measured with {} honest baskets of {} items; ratio to 200 weighings of each product",
        plan.seed, plan.products, plan.baskets, plan.items
    );
    let _ = writeln!(
        text,
        "{:62} {:>7} {:>8} {:>7} {:>22} {:>8} {:>6} {:>8} {:>7} {:>9}",
        "", "visits", "(bought)", "caught", "ratio", "stopped", "off", "account", "spread", "new packs"
    );
    for course in courses {
        for p in &course.points {
            let ratio = format!("{:.3} ({:.3}-{:.3})", p.ratio, p.interval[0], p.interval[1]);
            let _ = writeln!(
                text,
                "{:62} {:>7.1} {:>8.0} {:>6.1}% {ratio:>22} {:>7.2}% {:>6.2} {:>8.2} {:>7.2} {:>9}",
                course.school.name(),
                p.visits,
                p.visits_bought,
                100.0 * p.catch,
                100.0 * p.stopped,
                p.off_spreads,
                p.account,
                p.spread,
                p.new_packs
            );
        }
    }
    for (course, worst) in poisoned(plan, courses) {
        let _ = writeln!(text, "{}: no mean moved by more than {worst:.2} of its own spread", course.school.name());
    }
    text
}

fn poisoned<'a>(plan: &'a Plan, courses: &'a [Course]) -> impl Iterator<Item = (&'a Course, f64)> {
    courses.iter().filter(|c| c.school.poison != Poison::None).filter_map(move |course| {
        let clean = School { poison: Poison::None, ..course.school };
        let clean = courses.iter().find(|c| c.school == clean)?;
        Some((course, worst_move(plan, clean, course)?))
    })
}

/// All courses for programs.
pub fn json(plan: &Plan, courses: &[Course]) -> Value {
    let point = |p: &Point| {
        json!({
            "visits": p.visits, "visits_bought": p.visits_bought, "catch_at_1pct": p.catch, "ratio": p.ratio,
            "ratio_ci": p.interval, "honest_stopped": p.stopped, "off_spreads": p.off_spreads, "account": p.account, "spread": p.spread,
            "new_packs": p.new_packs,
        })
    };
    let course =
        |c: &Course| json!({"school": c.school.name(), "points": c.points.iter().map(point).collect::<Vec<_>>()});
    let moved: Vec<Value> =
        poisoned(plan, courses).map(|(c, worst)| json!({"school": c.school.name(), "worst_sigma": worst})).collect();
    json!({
        "seed": plan.seed, "products": plan.products, "baskets": plan.baskets, "items": plan.items,
        "courses": courses.iter().map(course).collect::<Vec<_>>(), "poison": moved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small shop, a few visits: what is learned is learned, the same seed gives the same, and poison moves little.
    #[test]
    fn totals_teach() {
        let plan = Plan { seed: 5, products: 40, baskets: 100, items: 10, visits: vec![0, 40] };
        let school = School { gross: false, weighed: Weighed::Totals, poison: Poison::None };
        let course = course(&plan, school);
        let [before, after] = &course.points[..] else { panic!("{course:?}") };
        assert!(after.off_spreads < 0.6 * before.off_spreads, "{} to {}", before.off_spreads, after.off_spreads);
        assert!((0.5..2.0).contains(&after.account), "{}", after.account);
        assert!(after.visits >= 40.0 && after.visits < 41.5, "{}", after.visits);
        let again = super::course(&plan, school);
        assert_eq!(again.points[1].means_g, after.means_g);
        let poisoned = super::course(&plan, School { poison: Poison::Any, ..school });
        assert!(poisoned.points[1].off_spreads < 1.5 * after.off_spreads + 0.2, "{}", poisoned.points[1].off_spreads);
    }
}
