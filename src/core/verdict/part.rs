//! One weighing with the lines that came with it: the whole plate, or one step where goods come one after the other. What its mass and its
//! crops say under each edit of its lines.

use super::expected::{Expected, ExpectedLine};
use super::noise::{Component, Noise, Spread};
use super::policy::Policy;
use super::priors;
use super::view::View;
use crate::goods::{Catalogue, Heft, WeightBelief};
use std::collections::BTreeSet;
use std::rc::Rc;

/// So many of the products whose mass could explain a weighing are also looked at; the rest looks like nothing in particular.
const LOOKED_AT: usize = 160;
/// The same for what may lie there instead of one line.
const LOOKED_AT_INSTEAD: usize = 64;
/// A product further away than this many sigma cannot explain a mass.
const REACH_SIGMA: f64 = 5.0;
/// Densities below this are rounding.
const NOTHING: f64 = 1e-60;
/// What is less likely than the list by this factor is not looked at more closely.
const NEGLIGIBLE: f64 = 1e-5;
/// What adds less than this to the posterior, however well it fits what was seen, is not looked at.
const UNSEEN: f64 = 1e-7;
/// What is less likely than the list by this factor is not searched for among all that is enrolled: there is no doubt of the list then.
const UNLIKELY: f64 = 1.0;

/// One weighing.
pub struct Part<'a> {
    /// The lines that came with it, by their place in the list.
    pub lines: Vec<usize>,
    /// Measured less expected, grams.
    pub off_g: f64,
    /// Density per gram if its lines are right.
    pub right: f64,
    expected: &'a Expected,
    catalogue: &'a Catalogue,
    noise: Noise,
    /// Whether container and bags came with it.
    carrier: bool,
    /// How much likelier an own bag or thing came at its place than goods did that nobody scanned.
    pub stray: f64,
    view: Option<Rc<View<'a>>>,
}

/// A weighing before it is compared with the list.
#[derive(Clone, Copy, Debug)]
pub struct Weighed<'a> {
    /// Measured less expected, grams.
    pub off_g: f64,
    /// What everything but the goods may be off by.
    pub around: Spread,
    /// The mixture of what bags of unknown weight may be off by; empty without any.
    pub bags: &'a [Component],
    /// Whether container and bags came with it: then it is no wonder that something came though no line did.
    pub carrier: bool,
    /// How much likelier an own bag or thing comes at its place, by itself, than goods do that nobody scanned; 1 where places say nothing.
    pub stray: f64,
}

/// A product that was perhaps not scanned, or lies there instead, with how likely that is relative to others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Index of the product.
    pub product: usize,
    /// Units of it.
    pub units: u32,
    /// Share × density × look.
    pub joint: f64,
}

/// Two products that were perhaps not scanned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Indices of the products.
    pub products: [usize; 2],
    /// Share × density.
    pub blind: f64,
    /// Share × density × look.
    pub joint: f64,
}

const AS_IS: Spread = Spread { variance_g2: 0.0, fourth_g4: 0.0 };

impl<'a> Part<'a> {
    /// What was weighed together with these lines, and seen if anything was.
    pub fn new(
        expected: &'a Expected,
        catalogue: &'a Catalogue,
        lines: Vec<usize>,
        Weighed { off_g, around, bags, carrier, stray }: Weighed<'_>,
        view: Option<Rc<View<'a>>>,
        policy: &Policy,
    ) -> Self {
        let core = lines.iter().map(|i| &expected.lines[*i]).fold(around, |sum, l| sum.plus(l.spread(l.quantity)));
        let rare: Vec<Component> = lines.iter().flat_map(|i| expected.lines[*i].rare(policy)).collect();
        let noise = Noise::new(core, bags, &rare);
        let right = noise.density(off_g, AS_IS).max(NOTHING);
        Self { lines, off_g, right, expected, catalogue, noise, carrier, stray, view }
    }

    /// Whether a camera looked.
    pub fn has_seen(&self) -> bool {
        self.view.is_some()
    }

    /// Whether it came without a scan.
    pub fn is_lone(&self) -> bool {
        self.lines.is_empty() && !self.carrier
    }

    fn line(&self, line: usize) -> &'a ExpectedLine {
        &self.expected.lines[line]
    }

    fn seen(&self, gone: Option<(usize, u32)>, come: Option<(usize, u32)>) -> f64 {
        self.view.as_ref().map_or(1.0, |v| v.change(gone, come))
    }

    fn seen_something(&self, units: u32) -> f64 {
        self.view.as_ref().map_or(1.0, |v| v.change_by_something(units))
    }

    /// What was seen if a thing came that the shop does not sell, which a detector of goods takes for one with probability `shown`.
    pub fn seen_stray(&self, shown: f64) -> f64 {
        1.0 - shown + shown * self.seen_something(1)
    }

    /// Density with one independent thing of this mixture on top, which no camera knows.
    pub fn with(&self, thing: &[Component]) -> f64 {
        self.noise.with(thing, self.off_g, AS_IS)
    }

    /// Density if so many units of a line are there instead of what was scanned; 0 for none of it.
    pub fn counted(&self, line: usize, found: u32) -> f64 {
        let known = self.line(line);
        let change = known.spread(found).less(known.spread(known.quantity));
        let at_g = self.off_g - (f64::from(found) - f64::from(known.quantity)) * known.unit.mean_g;
        let density = self.noise.density(at_g, change);
        let look = match found.checked_sub(known.quantity) {
            Some(more) => self.seen(None, Some((known.product, more))),
            None => self.seen(Some((known.product, known.quantity - found)), None),
        };
        density * look
    }

    /// Density if the weights of its lines have rarely but surely changed in line `line`.
    pub fn changed(&self, line: usize, policy: &Policy) -> f64 {
        self.noise.with(&self.line(line).rare(policy), self.off_g, AS_IS)
    }

    /// Density if `units` of some product that is not on the list came besides; `listed` are the list's products, sorted. `odds` are those of it
    /// against the list being right before anything is weighed: what cannot matter is not looked at.
    pub fn unscanned(&self, units: u32, listed: &[usize], odds: f64) -> f64 {
        let masses = self.catalogue.masses().of_units(units);
        let on_list: f64 = listed
            .iter()
            .map(|p| self.catalogue.share(*p) * self.noise.with(&[self.thing(*p, units)], self.off_g, AS_IS))
            .sum();
        let share: f64 = listed.iter().map(|p| self.catalogue.share(*p)).sum();
        let blind = (self.noise.convolved(masses, self.off_g, AS_IS) - on_list).max(0.0) / (1.0 - share).max(1e-9);
        if self.view.is_none() {
            return blind;
        }
        if blind < NEGLIGIBLE * self.right {
            return blind * self.seen_something(units);
        }
        let mut near = Shortlist::with_all(LOOKED_AT);
        self.near(self.off_g, units, AS_IS, &Among { any: 1.0, category: None, not: listed }, &mut near);
        let at_most = odds * blind / self.right * self.view.as_ref().map_or(1.0, |v| v.change_at_most(None, units));
        blind * near.looked_at(|p| self.seen(None, Some((p, units))), self.seen_something(units), UNSEEN / at_most)
    }

    /// Density if so many units of a product came besides.
    pub fn besides(&self, product: usize, units: u32) -> f64 {
        self.with(&[self.thing(product, units)]) * self.seen(None, Some((product, units)))
    }

    /// Density if two different products that are not on the list came besides.
    pub fn pair(&self, listed: &[usize]) -> f64 {
        let blind = self.noise.convolved(self.catalogue.masses().of_pairs(), self.off_g, AS_IS);
        let rest = self.seen_something(2);
        if blind < UNLIKELY * self.right {
            return blind * rest;
        }
        let looked_at = self.pairs(listed);
        let known: f64 = looked_at.iter().map(|pair| pair.blind).sum();
        (blind - known).max(0.0) * rest + looked_at.iter().map(|pair| pair.joint).sum::<f64>()
    }

    /// Pairs of products that two crops resemble which nothing on the list explains, if any do.
    pub fn pairs(&self, listed: &[usize]) -> Vec<Pair> {
        let strangers = self.view.as_ref().map_or(&[][..], |view| view.strangers());
        let mut both: BTreeSet<(usize, usize)> = BTreeSet::new();
        for (crop, ones) in strangers.iter().enumerate() {
            for others in &strangers[crop + 1..] {
                let pairs =
                    ones.iter().flat_map(|one| others.iter().map(move |other| (*one.min(other), *one.max(other))));
                both.extend(pairs.filter(|(one, other)| one != other));
            }
        }
        let known = |product: &usize| listed.binary_search(product).is_ok();
        both.retain(|(one, other)| !known(one) && !known(other));
        let pair = |(one, other): (usize, usize)| {
            let (a, b) = (self.thing(one, 1), self.thing(other, 1));
            let share = 2.0 * self.catalogue.share(one) * self.catalogue.share(other);
            let sum =
                Component { weight: share, mean_g: a.mean_g + b.mean_g, variance_g2: a.variance_g2 + b.variance_g2 };
            let blind = self.with(&[sum]);
            let look =
                if blind > NOTHING { self.view.as_ref().map_or(1.0, |v| v.change_by_two(one, other)) } else { 0.0 };
            Pair { products: [one, other], blind, joint: blind * look }
        };
        both.into_iter().map(pair).collect()
    }

    /// Density if one unit of a line is some other product; `odds` as for [`Part::unscanned`].
    pub fn swapped(&self, line: usize, odds: f64) -> f64 {
        let known = self.line(line);
        let (change, at_g) = self.without_one(line);
        let masses = self.catalogue.masses();
        let any = self.noise.convolved(masses.of_units(1), at_g, change);
        let blind = match masses.of_category(known.product) {
            Some(category) => {
                priors::SAME_CATEGORY * self.noise.convolved(category, at_g, change)
                    + (1.0 - priors::SAME_CATEGORY) * any
            }
            None => any,
        };
        let itself = self.itself_share(known.product);
        let own = itself * self.noise.with(&[self.thing(known.product, 1)], at_g, change);
        let blind = (blind - own).max(0.0) / (1.0 - itself).max(1e-9);
        if self.view.is_none() {
            return blind;
        }
        let look = |p: usize| self.seen(Some((known.product, 1)), Some((p, 1)));
        let something = self.seen(Some((known.product, 1)), None) * self.seen_something(1);
        if blind < NEGLIGIBLE * self.right {
            return blind * something;
        }
        let mut near = Shortlist::with_all(LOOKED_AT_INSTEAD);
        self.near(at_g, 1, change, &self.instead_of(&known.product), &mut near);
        let gone = Some((known.product, 1));
        let at_most = odds * blind / self.right * self.view.as_ref().map_or(1.0, |v| v.change_at_most(gone, 1));
        blind * near.looked_at(look, something, UNSEEN / at_most)
    }

    /// What came unscanned, likeliest first, by share × density × look.
    pub fn candidates(&self, listed: &[usize], most: usize) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = Vec::new();
        for (units, share) in (1..).zip(priors::UNSCANNED_UNITS) {
            let mut near = Shortlist::of_likeliest(LOOKED_AT);
            self.near(self.off_g, units, AS_IS, &Among { any: share, category: None, not: listed }, &mut near);
            all.extend(near.likeliest().map(|(product, joint)| Candidate {
                product,
                units,
                joint: joint * self.seen(None, Some((product, units))),
            }));
        }
        rank(all, most)
    }

    /// What lies there instead of a line's unit, likeliest first.
    pub fn instead(&self, line: usize, most: usize) -> Vec<Candidate> {
        let known = self.line(line);
        let (change, at_g) = self.without_one(line);
        let mut near = Shortlist::of_likeliest(LOOKED_AT);
        self.near(at_g, 1, change, &self.instead_of(&known.product), &mut near);
        let look = |p: usize| self.seen(Some((known.product, 1)), Some((p, 1)));
        let all =
            near.likeliest().map(|(product, joint)| Candidate { product, units: 1, joint: joint * look(product) });
        rank(all.collect(), most)
    }

    fn without_one(&self, line: usize) -> (Spread, f64) {
        let known = self.line(line);
        let change = known.spread(known.quantity.saturating_sub(1)).less(known.spread(known.quantity));
        (change, self.off_g + known.unit.mean_g)
    }

    /// What may lie in place of a line's unit.
    fn instead_of<'p>(&self, product: &'p usize) -> Among<'p> {
        let masses = self.catalogue.masses();
        let not = std::slice::from_ref(product);
        match masses.category(*product) {
            Some(own) => {
                let within = priors::SAME_CATEGORY / masses.category_share(own);
                Among { any: 1.0 - priors::SAME_CATEGORY, category: Some((own, within)), not }
            }
            None => Among { any: 1.0, category: None, not },
        }
    }

    /// Probability that what lies there in place of a product is drawn to be that product itself.
    fn itself_share(&self, product: usize) -> f64 {
        let share = self.catalogue.share(product);
        match self.catalogue.masses().category(product) {
            Some(own) => {
                (1.0 - priors::SAME_CATEGORY) * share
                    + priors::SAME_CATEGORY * share / self.catalogue.masses().category_share(own)
            }
            None => share,
        }
    }

    fn thing(&self, product: usize, units: u32) -> Component {
        let weight: &WeightBelief = &self.catalogue.products()[product].weight;
        Component { weight: 1.0, mean_g: f64::from(units) * weight.mean_g, variance_g2: weight.variance_g2(units) }
    }

    /// Adds the products so many units of which could make `at_g`, with share × density by one Gaussian.
    fn near(&self, at_g: f64, units: u32, change: Spread, among: &Among<'_>, list: &mut Shortlist) {
        let usual_g2 = self.noise.usual_g2(change);
        let (reach_g, n) = (REACH_SIGMA * usual_g2.sqrt(), f64::from(units));
        for block in self.catalogue.hefts().could_make(at_g, units, reach_g) {
            if !list.wants(among.share_at_most(block.share) * block.density_at_most(at_g, units, usual_g2)) {
                continue;
            }
            for heft in block.hefts {
                let d = at_g - n * heft.mean_g;
                let variance = usual_g2 + n * heft.own_g2 + n * n * heft.shared_g2;
                if d * d < REACH_SIGMA * REACH_SIGMA * variance {
                    list.add(heft.product, among.share(heft) * (-0.5 * d * d / variance).exp() / variance.sqrt());
                }
            }
        }
    }
}

/// What a product is drawn from.
struct Among<'a> {
    /// Share of a product of any category.
    any: f64,
    /// Share of one of this category, besides.
    category: Option<(usize, f64)>,
    /// Products that it is not, sorted.
    not: &'a [usize],
}

impl Among<'_> {
    fn share(&self, heft: &Heft) -> f64 {
        if self.not.binary_search(&heft.product).is_ok() {
            return 0.0;
        }
        let own =
            self.category.filter(|(category, _)| heft.category == Some(*category)).map_or(0.0, |(_, share)| share);
        (self.any + own) * heft.share
    }

    /// The most that a product of this share of the whole can have.
    fn share_at_most(&self, share: f64) -> f64 {
        (self.any + self.category.map_or(0.0, |(_, own)| own)) * share
    }
}

/// The likeliest of many products, found in one walk.
struct Shortlist {
    most: usize,
    kept: Vec<(usize, f64)>,
    /// What is not above this is not among the likeliest.
    floor: f64,
    /// Sum over all, those that were not kept too; not known where only the likeliest were asked for.
    all: Option<f64>,
}

impl Shortlist {
    /// The so many likeliest; the others may be passed over.
    fn of_likeliest(most: usize) -> Self {
        Self { most, kept: Vec::with_capacity(4 * most), floor: 0.0, all: None }
    }

    /// The so many likeliest, and what all make together.
    fn with_all(most: usize) -> Self {
        Self { all: Some(0.0), ..Self::of_likeliest(most) }
    }

    /// Whether a product of at most this likelihood matters.
    fn wants(&self, at_most: f64) -> bool {
        at_most > if self.all.is_some() { 0.0 } else { self.floor }
    }

    fn add(&mut self, product: usize, joint: f64) {
        if let Some(all) = &mut self.all {
            *all += joint;
        }
        if joint > self.floor {
            self.kept.push((product, joint));
            if self.kept.len() == 4 * self.most {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.most {
            self.kept.select_nth_unstable_by(self.most - 1, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            self.kept.truncate(self.most);
            self.floor = self.kept[self.most - 1].1;
        }
    }

    /// (Product, likelihood) of the likeliest, in no order that matters.
    fn likeliest(mut self) -> impl Iterator<Item = (usize, f64)> {
        self.cut();
        self.kept.into_iter()
    }

    /// Mean of what looking says over all products by their likelihood; `rest` is what it says of those that are not looked at: of no great
    /// likelihood, or of less than `least` of all.
    fn looked_at(mut self, look: impl Fn(usize) -> f64, rest: f64, least: f64) -> f64 {
        self.cut();
        let least = least * self.all.unwrap_or(0.0);
        self.kept.retain(|(_, weight)| *weight >= least);
        let weight: f64 = self.kept.iter().map(|(_, w)| w).sum();
        let seen: f64 = self.kept.iter().map(|(product, w)| w * look(*product)).sum();
        let all = self.all.unwrap_or(weight);
        if all > 0.0 { (seen + (all - weight).max(0.0) * rest) / all } else { rest }
    }
}

fn rank(mut all: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    // Equals in the catalogue's order, so that the same evidence gives the same words.
    all.sort_by(|a, b| b.joint.total_cmp(&a.joint).then(a.product.cmp(&b.product)).then(a.units.cmp(&b.units)));
    all.truncate(most);
    all
}
