//! The best possible detector: it knows every distribution, popularity and error rate of the generator, and never a realised draw.
//!
//! The list is a random set of laws; what the plate carries under each edit of it is a sum of independent masses, whose density is taken
//! from the product of their characteristic functions (module `density`). Batches, silent changes of pack, wrong labels, bags and tares are
//! marginalised because their laws are factors of that product. Crops are a Poisson process (module `view`). Posterior = prior × density ×
//! ratio of the crops, summed over every good of the shop. A basket that comes whole is one part; goods that come one after the other are
//! as many parts as steps, independent given the list.
//!
//! Two places are not exact: two different unscanned goods are matched with crops by a systematic sample of pairs, and with crops a swap's
//! goods within one line are weighed against each other by mean and variance.

use super::claims::{Claim, Edits, Opinion};
use super::density::Fourier;
use super::law::{Component, Mixture};
use super::looks::{Looks, Sight};
use super::masses::Masses;
use super::nearby::{Near, Nearby, thick};
use super::shop::Shop;
use super::trip::{self, Line, Setting, Trip, Wanted, rates};
use super::view::View;
use super::weighing::Weighing;
use augenmass_core::verdict::judge::UNSUSPICIOUS;

/// Pairs of two unscanned goods are sampled by so many first ones.
const FIRSTS: usize = 8;
/// So many times what is left out may be missed by the estimate that leaves it out.
const DIM: f64 = 10.0;
/// What adds less than this to the posterior is not computed: thousands of such together are a millionth.
const DUST: f64 = 1e-9;
/// The most that crops say for a whole line of thought before it is followed.
const LOOKS_MAX: f64 = 1e3;
/// A density so small is rounding.
const NOTHING: f64 = 1e-30;

/// What cameras saw of a trip.
pub struct Seen<'a> {
    /// The looks they were drawn from.
    pub looks: &'a Looks,
    /// How much is seen.
    pub sight: Sight,
    /// Crops of each part: of the whole plate, or of each step.
    pub parts: &'a [Vec<Vec<f32>>],
}

/// The oracle of one shop.
pub struct Oracle<'a> {
    shop: &'a Shop,
    /// Laws of one, two and three units of each good that were not scanned; one, and all three, by mean and variance.
    added: Vec<[Mixture; 3]>,
    plain: Vec<Component>,
    plain_units: Vec<[Component; 3]>,
    /// Goods by their mean mass.
    by_mass: Vec<usize>,
    any: Masses,
    unscanned: Masses,
    repeated: Masses,
    aisles: Vec<Masses>,
    bag: Mixture,
    foreign: Mixture,
    fourier: Fourier,
    nearby: Nearby,
}

/// What an edit at a part weighs before anything is measured, relative to the list being right there.
#[derive(Clone, Copy)]
struct Odds {
    one: f64,
    two: f64,
}

/// A plate, or one step, with what is known of it.
pub(super) struct Part<'a> {
    /// Indices of the lines that came with it.
    lines: Vec<usize>,
    weighing: Weighing<'a>,
    view: Option<View<'a>>,
    /// Density if its lines are right.
    right: f64,
}

/// What is not scanned, summed over all goods that are not on the list: one good (of any number of units), one unit, two different goods.
struct Unlisted {
    one: f64,
    unit: f64,
    two: f64,
}

/// The list's goods and their share of what shoppers draw.
struct Listed {
    goods: Vec<usize>,
    share: f64,
}

impl Odds {
    /// Of what was not scanned if it may lie at this part with this probability.
    fn of(here: f64) -> Self {
        let all = rates::ERROR * rates::KINDS[0] / (1.0 - rates::ERROR);
        Self { one: all * (1.0 - rates::REPEATED) * here, two: all * rates::REPEATED * here * here }
    }
}

impl<'a> Oracle<'a> {
    /// Prepares what is the same for all baskets of a shop.
    pub fn new(shop: &'a Shop) -> Self {
        let added: Vec<[Mixture; 3]> =
            shop.goods.iter().map(|g| [g.law.units(1), g.law.units(2), g.law.units(3)]).collect();
        let by_units =
            |units: usize| Masses::new(shop.goods.iter().zip(&added).map(move |(g, a)| (g.share, &a[units])));
        let (any, two, three) = (by_units(0), by_units(1), by_units(2));
        let [one, more, most] = rates::UNSCANNED_UNITS;
        let unscanned = Masses::blend(&[(one, &any), (more, &two), (most, &three)]);
        let aisles = shop.aisles.iter().zip(&shop.aisle_shares).map(|(indices, sum)| {
            Masses::new(indices.iter().map(|&i| (shop.goods[i].share / sum.max(1e-300), &added[i][0])))
        });
        let aisles = aisles.collect();
        let plain_units: Vec<[Component; 3]> =
            added.iter().map(|a| a.each_ref().map(|law| law.gaussian().components()[0])).collect();
        let plain: Vec<Component> = plain_units.iter().map(|units| units[0]).collect();
        let mut by_mass: Vec<usize> = (0..shop.goods.len()).collect();
        by_mass.sort_by(|a, b| shop.goods[*a].law.mean_g.total_cmp(&shop.goods[*b].law.mean_g));
        let repeated = any.twice();
        let (bag, foreign) = (trip::bag_law(), trip::foreign_law());
        let fourier = Fourier::default();
        let nearby = Nearby::new(shop, &plain);
        Self {
            shop,
            added,
            plain,
            by_mass,
            any,
            unscanned,
            repeated,
            aisles,
            bag,
            foreign,
            fourier,
            nearby,
            plain_units,
        }
    }

    /// Judges a basket that came whole.
    pub fn whole(&self, trip: &Trip, setting: Setting, seen: Option<&Seen<'_>>) -> Opinion {
        let around = [trip::scale_law(), trip::container_law(setting), trip::bags_law(setting, trip.bags)];
        let bags_g = trip.bags_g.unwrap_or(f64::from(trip.bags) * self.bag.mean_g());
        let lines: Vec<usize> = (0..trip.lines.len()).collect();
        let part = self.part(trip, setting, lines, &around, trip.measured_g - trip.tare_g - bags_g, seen, 0);
        let listed = self.listed(trip);
        let mut edits = Edits::new(trip.lines.len());
        let x = part.weighing.x_g;
        let all = &part.weighing.all;
        let stray = rates::STRAY_BAG * all.with(&self.bag, x) + rates::FOREIGN * all.with(&self.foreign, x);
        let usual = (1.0 - rates::STRAY_BAG - rates::FOREIGN) * part.right;
        edits.honest = (1.0 - rates::ERROR) * (usual + stray);
        let unlisted = self.unlisted(&part, &listed, Odds::of(1.0));
        edits.unscanned =
            rates::ERROR * rates::KINDS[0] * ((1.0 - rates::REPEATED) * unlisted.one + rates::REPEATED * unlisted.two);
        self.line_edits(trip, &part, 1.0, &mut edits);
        let claim = edits.claim(trip, |total| self.unscanned_claim(&[(&part, 1.0)], &listed, total));
        let claim = self.with_instead(claim, trip, &part, 1.0, edits.total());
        let opinion = edits.opinion(trip, self.shop, claim, NOTHING);
        self.not_by_looks_alone(opinion, seen, || self.whole(trip, setting, None))
    }

    /// As the judge's policy has it: looking by itself stops no basket of which the scale has no suspicion.
    fn not_by_looks_alone(&self, seeing: Opinion, seen: Option<&Seen<'_>>, blind: impl FnOnce() -> Opinion) -> Opinion {
        let stops = seeing.stops && (seen.is_none() || blind().error >= UNSUSPICIOUS * rates::ERROR);
        Opinion { stops, ..seeing }
    }

    /// Judges goods that came one after the other. Densities are taken relative to those of a list that is right.
    pub fn one_by_one(&self, trip: &Trip, setting: Setting, seen: Option<&Seen<'_>>) -> Opinion {
        let around = [trip::step_law()];
        let listed = self.listed(trip);
        let parts: Vec<Part<'_>> = trip
            .steps
            .iter()
            .enumerate()
            .map(|(i, step)| self.part(trip, setting, step.lines.clone(), &around, step.mass_g, seen, i))
            .collect();
        let (scanned, alone): (Vec<&Part<'_>>, Vec<&Part<'_>>) = parts.iter().partition(|p| !p.lines.is_empty());
        let mut edits = Edits::new(trip.lines.len());
        let groups = scanned.len().max(1) as f64;
        let odds: Vec<Unlisted> = scanned
            .iter()
            .map(|part| {
                let odds = Odds::of((1.0 - trip::ALONE) / groups);
                let odds = Odds { two: if alone.is_empty() { odds.two } else { 0.0 }, ..odds };
                let found = self.unlisted(part, &listed, odds);
                let by = 1.0 / (part.right * groups);
                Unlisted { one: found.one * by, unit: found.unit * by, two: found.two * by / groups }
            })
            .collect();
        let sum = |f: &dyn Fn(&Unlisted) -> f64| odds.iter().map(f).sum::<f64>();
        let (one, unit) = (sum(&|o| o.one), sum(&|o| o.unit));
        let apart = (unit * unit - sum(&|o| o.unit * o.unit)).max(0.0);
        let joined = 1.0 - trip::ALONE;
        let factor = rates::ERROR * rates::KINDS[0];
        let lone: Vec<Unlisted> =
            alone.iter().map(|part| self.unlisted(part, &listed, Odds { two: 0.0, ..Odds::of(1.0) })).collect();
        let (single, pair) = match lone.as_slice() {
            [] => (joined * one, joined * joined * (apart + sum(&|o| o.two))),
            [a] => (trip::ALONE * a.one, 2.0 * trip::ALONE * joined * a.unit * unit),
            [a, b] => (0.0, trip::ALONE * trip::ALONE * a.unit * b.unit),
            _ => (0.0, 0.0),
        };
        edits.unscanned = factor * ((1.0 - rates::REPEATED) * single + rates::REPEATED * pair);
        edits.honest = (1.0 - rates::ERROR)
            * match alone.as_slice() {
                [] => 1.0 - rates::STRAY_BAG - rates::FOREIGN,
                [one] => {
                    let (density, x) = (&one.weighing.all, one.weighing.x_g);
                    rates::STRAY_BAG * density.with(&self.bag, x) + rates::FOREIGN * density.with(&self.foreign, x)
                }
                _ => 0.0,
            };
        let mut parts_of_unscanned: Vec<(&Part<'_>, f64)> = Vec::new();
        if alone.is_empty() {
            for (part, found) in scanned.iter().zip(&odds) {
                self.line_edits(trip, part, 1.0 / part.right, &mut edits);
                // Where hardly any of it is, no good comes to one half.
                if found.one > 1e-6 * one {
                    parts_of_unscanned.push((*part, joined / (part.right * groups)));
                }
            }
        } else if let [one] = alone.as_slice() {
            parts_of_unscanned.push((*one, trip::ALONE));
        }
        let claim = edits.claim(trip, |total| self.unscanned_claim(&parts_of_unscanned, &listed, total));
        let of_line =
            claim.and_then(|c| scanned.iter().find(|p| p.lines.iter().any(|i| trip.lines[*i].product == c.product)));
        let claim = match of_line {
            Some(part) => self.with_instead(claim, trip, part, 1.0 / part.right, edits.total()),
            None => claim,
        };
        let opinion = edits.opinion(trip, self.shop, claim, NOTHING);
        self.not_by_looks_alone(opinion, seen, || self.one_by_one(trip, setting, None))
    }

    #[allow(clippy::too_many_arguments, reason = "what a part is made of")]
    fn part<'b>(
        &'b self,
        trip: &'b Trip,
        setting: Setting,
        lines: Vec<usize>,
        around: &[Mixture],
        measured_g: f64,
        seen: Option<&Seen<'b>>,
        index: usize,
    ) -> Part<'b> {
        let listed: Vec<&Line> = lines.iter().map(|i| &trip.lines[*i]).collect();
        let weighing = Weighing::new(self.shop, &listed, around, measured_g, &self.fourier);
        let view = seen.and_then(|seen| {
            let goods = listed.iter().map(|l| (l.product, l.quantity));
            Some(View::new(self.shop, seen.looks, seen.sight, setting.items, seen.parts.get(index)?, goods))
        });
        let right = weighing.all.at(weighing.x_g).max(NOTHING);
        Part { lines, weighing, view, right }
    }

    fn listed(&self, trip: &Trip) -> Listed {
        let mut goods: Vec<usize> = trip.lines.iter().map(|l| l.product).collect();
        goods.sort_unstable();
        goods.dedup();
        let share = goods.iter().map(|p| self.shop.goods[*p].share).sum();
        Listed { goods, share }
    }

    /// Probability that `instead` is drawn to lie in place of `product`.
    fn instead_share(&self, product: usize, instead: usize) -> f64 {
        let (own, other) = (&self.shop.goods[product], &self.shop.goods[instead]);
        let within = if own.aisle == other.aisle { other.share / self.shop.aisle_shares[own.aisle] } else { 0.0 };
        rates::SAME_AISLE * within + (1.0 - rates::SAME_AISLE) * other.share
    }

    /// Prior of a swap of one line: a good that would be swapped for itself is drawn again, line and all.
    fn swap_prior(&self, trip: &Trip) -> f64 {
        let packs = trip.lines.iter().filter(|l| l.label_g.is_none());
        let refused: f64 = packs.clone().map(|l| self.instead_share(l.product, l.product)).sum();
        rates::ERROR * rates::KINDS[1] / (packs.count() as f64 - refused).max(1e-9)
    }

    /// Goods so many units of which could make `x_g` on a part's density, with about how dense they are there.
    fn near(&self, w: &Weighing<'_>, x_g: f64, units: usize) -> impl Iterator<Item = (&Near, f64)> {
        let (sd_g, n) = (w.all.sd_g(), units as f64);
        self.nearby.around(x_g, sd_g, n).map(move |good| (good, self.nearby.about(good, x_g, sd_g, n)))
    }

    /// Density if these units of a good were not scanned, crops included; 0 where the mass alone makes it less than `floor`.
    fn unscanned_units(&self, part: &Part<'_>, product: usize, units: usize, floor: f64) -> f64 {
        let w = &part.weighing;
        let density = w.all.with(&self.added[product][units - 1], w.x_g);
        // What weight refutes need not be looked at.
        if density <= floor { 0.0 } else { density * seen(&part.view, None, &[(product, units as u32)]) }
    }

    /// The same of any good of the shop, be it near or not.
    fn unscanned_any(&self, part: &Part<'_>, product: usize, units: usize) -> f64 {
        let (floor, w, plain) = (1e-14, &part.weighing, &self.plain[product]);
        let good = Near { product, share: 1.0, mean_g: plain.mean_g, variance_g2: plain.variance_g2 };
        let about = self.nearby.about(&good, w.x_g, w.all.sd_g(), units as f64);
        if about <= DIM * floor { 0.0 } else { self.unscanned_units(part, product, units, floor) }
    }

    fn unscanned_good(&self, part: &Part<'_>, product: usize) -> f64 {
        let shares = rates::UNSCANNED_UNITS.iter().zip(1..);
        shares.map(|(share, k)| share * self.unscanned_any(part, product, k)).sum()
    }

    fn unlisted(&self, part: &Part<'_>, listed: &Listed, odds: Odds) -> Unlisted {
        let (all, x) = (&part.weighing.all, part.weighing.x_g);
        let unlisted = (1.0 - listed.share).max(1e-9);
        let blind_two = if odds.two > 0.0 { all.against(&self.repeated, x) } else { 0.0 };
        let Some(view) = &part.view else {
            let on_list =
                |f: &dyn Fn(usize) -> f64| listed.goods.iter().map(|p| self.shop.goods[*p].share * f(*p)).sum::<f64>();
            let one = all.against(&self.unscanned, x) - on_list(&|p| self.unscanned_good(part, p));
            let unit = all.against(&self.any, x) - on_list(&|p| self.unscanned_any(part, p, 1));
            return Unlisted { one: one.max(0.0) / unlisted, unit: unit.max(0.0) / unlisted, two: blind_two };
        };
        let (mut one, mut unit) = (0.0, 0.0);
        let floor = DUST * (part.right / odds.one.min(1.0) + all.against(&self.unscanned, x));
        for (units, share) in (1..).zip(rates::UNSCANNED_UNITS) {
            for (good, about) in self.near(&part.weighing, x, units) {
                let limit = floor / (share * good.share);
                // A crop may speak for a good as loudly as mass speaks against it.
                if about <= DIM * limit * odds.one.min(1.0) || listed.goods.binary_search(&good.product).is_ok() {
                    continue;
                }
                let look = view.change(None, &[(good.product, units as u32)]);
                let limit = limit / look.max(1.0);
                if about <= DIM * limit {
                    continue;
                }
                let plain = &self.plain_units[good.product][units - 1];
                let density = if all.feels_no_more_than_variance(plain.variance_g2) {
                    all.with_gaussian(plain, x)
                } else if all.about(x - plain.mean_g, plain.variance_g2) <= DIM * limit {
                    0.0
                } else {
                    all.with(&self.added[good.product][units - 1], x)
                };
                let joint = good.share * density * look;
                one += share * joint;
                unit += if units == 1 { joint } else { 0.0 };
            }
        }
        let matter = odds.two * blind_two * LOOKS_MAX > 1e-6 * (part.right + odds.one * one);
        let factor = if matter { self.two_seen(part, view, listed) } else { 1.0 };
        Unlisted { one: one / unlisted, unit: unit / unlisted, two: blind_two * factor }
    }

    /// What crops say of two unscanned goods, averaged over the pairs that make the mass: firsts by a systematic sample of
    /// share × crops, seconds all.
    fn two_seen(&self, part: &Part<'_>, view: &View<'_>, listed: &Listed) -> f64 {
        let w = &part.weighing;
        let reach = w.x_g + 4.0 * w.all.sd_g();
        let light = self.by_mass.partition_point(|i| self.shop.goods[*i].law.mean_g <= reach);
        let unlisted = |p: &&usize| listed.goods.binary_search(p).is_err();
        let firsts: Vec<(usize, f64, f64)> = self.by_mass[..light]
            .iter()
            .filter(unlisted)
            .map(|&p| (p, self.shop.goods[p].share, view.change(None, &[(p, 1)])))
            .collect();
        let sum: f64 = firsts.iter().map(|f| f.1 * f.2).sum();
        let (mut seen, mut blind) = (0.0, 0.0);
        let (mut passed, mut next) = (0.0, 0.5);
        for (first, share, alone) in firsts {
            passed += share * alone * FIRSTS as f64 / sum.max(1e-300);
            while passed > next {
                next += 1.0;
                let (s, b) = self.seconds(w, view, first);
                // The sample is by share × crops: the crops of the pair count over those of the first alone.
                seen += s / alone;
                blind += b / alone;
            }
        }
        if blind > 0.0 { (seen / blind).clamp(1e-6, 1e9) } else { 1.0 }
    }

    /// Densities of a first good with every second one, with and without crops.
    fn seconds(&self, w: &Weighing<'_>, view: &View<'_>, first: usize) -> (f64, f64) {
        let one = self.plain[first];
        let (mut seen, mut blind) = (0.0, 0.0);
        for (second, about) in self.near(w, w.x_g - one.mean_g, 1) {
            if about <= 1e-14 {
                continue;
            }
            let both = Component {
                weight: second.share,
                mean_g: one.mean_g + second.mean_g,
                variance_g2: one.variance_g2 + second.variance_g2,
            };
            let joint = w.all.with_gaussian(&both, w.x_g);
            if joint > 1e-14 {
                blind += joint;
                seen += joint * view.change(None, &[(first, 1), (second.product, 1)]);
            }
        }
        (seen, blind)
    }

    /// Adds the edits of a part's lines, densities times `by`.
    fn line_edits(&self, trip: &Trip, part: &Part<'_>, by: f64, edits: &mut Edits) {
        let packs = trip.lines.iter().filter(|l| l.label_g.is_none()).count() as f64;
        let swap = self.swap_prior(trip);
        let of_fewer = rates::ERROR * rates::KINDS[3] / trip.lines.len() as f64;
        for (place, &index) in part.lines.iter().enumerate() {
            let (line, w) = (&trip.lines[index], &part.weighing);
            let (n, mean_g) = (line.quantity, w.laws[place].mean_g);
            let (gone_g, one_gone_g) = (w.x_g + f64::from(n) * mean_g, w.x_g + mean_g);
            let one = if n > 1 { rates::ONE_FEWER } else { 0.0 };
            let less = |units: u32| seen(&part.view, Some((line.product, units)), &[]);
            edits.absent[index] += by * of_fewer * (1.0 - one) * w.without(place).at(gone_g) * less(n);
            if n > 1 {
                edits.fewer[index] += by * of_fewer * one * w.fewer(place).at(one_gone_g) * less(1);
            }
            if line.label_g.is_some() {
                continue;
            }
            for (share, k) in rates::MORE_UNITS.iter().zip(1..) {
                let prior = rates::ERROR * rates::KINDS[2] / packs * share;
                let spread_g2 = w.without(place).sd_g().powi(2) + w.laws[place].variance_g2(n + k);
                let about = thick((gone_g - f64::from(n + k) * mean_g).powi(2) / spread_g2) / spread_g2.sqrt();
                if prior * about <= DUST * part.right {
                    continue;
                }
                let density = w.without(place).with(&w.laws[place].units(n + k), gone_g);
                edits.more[index] += by * prior * density * seen(&part.view, None, &[(line.product, k)]);
            }
            edits.swapped[index] += by * swap * self.swapped(part, place, line, one_gone_g, swap);
        }
    }

    /// Density if one unit of a line is any other good; `odds` are those of that before anything is measured.
    fn swapped(&self, part: &Part<'_>, place: usize, line: &Line, at_g: f64, odds: f64) -> f64 {
        let fewer = part.weighing.fewer(place);
        let aisle = self.shop.goods[line.product].aisle;
        let own = self.instead_share(line.product, line.product);
        let blind = (rates::SAME_AISLE * fewer.against(&self.aisles[aisle], at_g)
            + (1.0 - rates::SAME_AISLE) * fewer.against(&self.any, at_g)
            - own * fewer.with(&self.added[line.product][0], at_g))
        .max(0.0);
        let Some(view) = &part.view else { return blind };
        if odds * blind * LOOKS_MAX < 1e-6 * part.right {
            return blind;
        }
        let (mut with, mut without) = (0.0, 0.0);
        let (low, floor) = (DUST * (part.right + blind), DUST * (part.right / odds.min(1.0) + blind));
        for (good, about) in self.near(&part.weighing, at_g, 1) {
            let share = self.instead_share(line.product, good.product);
            if share * about <= DIM * low || good.product == line.product {
                continue;
            }
            let look = view.change(Some((line.product, 1)), &[(good.product, 1)]);
            if share * about * look.max(1.0) <= DIM * floor {
                continue;
            }
            let joint = share * fewer.with_gaussian(&self.plain[good.product], at_g);
            without += joint;
            with += joint * look;
        }
        if without > 0.0 { blind * with / without } else { blind }
    }

    /// The unscanned good of one half or more; each part with what its densities are times.
    fn unscanned_claim(&self, parts: &[(&Part<'_>, f64)], listed: &Listed, total: f64) -> Option<Claim> {
        let factor = rates::ERROR * rates::KINDS[0] * (1.0 - rates::REPEATED) / (1.0 - listed.share).max(1e-9);
        let mut goods: Vec<usize> = parts
            .iter()
            .flat_map(|(p, _)| (1..4).flat_map(|k| self.near(&p.weighing, p.weighing.x_g, k)))
            .map(|(good, _)| good.product)
            .collect();
        goods.sort_unstable();
        goods.dedup();
        let joint = |product: usize| {
            let sum: f64 = parts.iter().map(|(part, by)| by * self.unscanned_good(part, product)).sum();
            factor * self.shop.goods[product].share * sum
        };
        // No sum with a good is denser than the densest part of what it is added to: most goods are too rare whatever their mass.
        let at_most = |product: usize| {
            let look = |part: &Part<'_>| {
                let units = [1, 2, 3].map(|k| seen(&part.view, None, &[(product, k)]));
                units.into_iter().fold(0.0, f64::max)
            };
            let sum: f64 = parts.iter().map(|(part, by)| by * part.weighing.all.peak() * look(part)).sum();
            factor * self.shop.goods[product].share * sum
        };
        let unlisted = goods.into_iter().filter(|p| listed.goods.binary_search(p).is_err());
        let product = unlisted
            .filter(|p| at_most(*p) >= 0.5 * total)
            .map(|p| (p, joint(p)))
            .find(|(_, joint)| *joint >= 0.5 * total)?
            .0;
        Some(Claim { kind: Wanted::Unscanned, product, instead: None })
    }

    /// A claimed swap with what lies there instead, if that alone has a posterior of one half.
    fn with_instead(&self, claim: Option<Claim>, trip: &Trip, part: &Part<'_>, by: f64, total: f64) -> Option<Claim> {
        let claim = claim?;
        let own = |i: &usize| trip.lines[*i].product == claim.product && trip.lines[*i].label_g.is_none();
        let (Wanted::Swapped, Some(place)) = (claim.kind, part.lines.iter().position(own)) else { return Some(claim) };
        let (w, prior) = (&part.weighing, by * self.swap_prior(trip));
        let at_g = w.x_g + w.laws[place].mean_g;
        let joint = |p: usize| {
            let density = w.fewer(place).with(&self.added[p][0], at_g);
            prior
                * self.instead_share(claim.product, p)
                * density
                * seen(&part.view, Some((claim.product, 1)), &[(p, 1)])
        };
        let near = self.near(w, at_g, 1).filter(|(_, about)| *about > 0.0);
        let mut goods = near.map(|(good, _)| good.product).filter(|p| *p != claim.product);
        Some(Claim { instead: goods.find(|p| joint(*p) >= 0.5 * total), ..claim })
    }
}

/// What the crops say, if there are any.
fn seen(view: &Option<View<'_>>, gone: Option<(usize, u32)>, come: &[(usize, u32)]) -> f64 {
    view.as_ref().map_or(1.0, |v| v.change(gone, come))
}

#[cfg(test)]
mod tests {
    use super::super::looks::Recorded;
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// What is passed over, and what is added by mean and variance, does not matter to a posterior: against every good within seven spreads with its whole law.
    #[test]
    fn the_screened_sum_is_that_over_all_goods() {
        let shop = Shop::new(400, 7);
        let looks = Looks::new(&shop, Recorded::shipped().unwrap(), 7).unwrap();
        let oracle = Oracle::new(&shop);
        let setting = Setting { items: 12, bag_known: true, tare_known: false };
        let sight = looks.recorded.one_by_one;
        let mut compared = 0;
        for seed in 0..20 {
            let trip = trip::draw(&shop, setting, Wanted::ALL[seed as usize % 5], seed);
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mean = |(product, units): &(usize, u32)| (*product, f64::from(*units) * looks.size(*product));
            let drawn = |step: &trip::Step| step.goods.iter().map(mean).collect::<Vec<_>>();
            let parts: Vec<_> = trip.steps.iter().map(|step| looks.draw(&sight, &drawn(step), &mut rng).0).collect();
            let seen = Seen { looks: &looks, sight, parts: &parts };
            let listed = oracle.listed(&trip);
            for (i, step) in trip.steps.iter().enumerate() {
                let lines = step.lines.clone();
                let part = oracle.part(&trip, setting, lines, &[trip::step_law()], step.mass_g, Some(&seen), i);
                let odds = Odds { two: 0.0, ..Odds::of(0.05) };
                let fast = oracle.unlisted(&part, &listed, odds).one * (1.0 - listed.share);
                let w = &part.weighing;
                let slow: f64 = (0..shop.goods.len())
                    .filter(|product| listed.goods.binary_search(product).is_err())
                    .flat_map(|product| (1..4).map(move |units| (product, units)))
                    .filter(|(product, units)| within_seven_spreads(&oracle, &part, *product, *units as f64))
                    .map(|(product, units)| {
                        let density = w.all.with(&oracle.added[product][units - 1], w.x_g);
                        let look = seen_units(&part, product, units);
                        rates::UNSCANNED_UNITS[units - 1] * shop.goods[product].share * density * look
                    })
                    .sum();
                let weight = |one: f64| odds.one * one / (part.right + odds.one * one);
                let (fast, slow) = (weight(fast), weight(slow));
                assert!((fast - slow).abs() < 1e-3 * slow + 1e-5, "{seed} {i}: {fast} {slow}");
                compared += u32::from(slow > 0.01);
            }
        }
        assert!(compared > 5, "{compared}");
    }

    /// Beyond them the oracle knows of nothing, whatever crops say.
    fn within_seven_spreads(oracle: &Oracle<'_>, part: &Part<'_>, product: usize, units: f64) -> bool {
        let (w, plain) = (&part.weighing, &oracle.plain[product]);
        let variance = w.all.sd_g().powi(2) + units * units * plain.variance_g2;
        (w.x_g - units * plain.mean_g).powi(2) <= 49.0 * variance
    }

    fn seen_units(part: &Part<'_>, product: usize, units: usize) -> f64 {
        seen(&part.view, None, &[(product, units as u32)])
    }
}
