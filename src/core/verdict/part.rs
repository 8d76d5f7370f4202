//! One weighing with the lines that came with it: the whole plate, or one step where goods come one after the other. What its mass and its
//! crops say under each edit of its lines.

use super::expected::{Expected, ExpectedLine};
use super::noise::{Component, Noise, Spread};
use super::policy::Policy;
use super::priors;
use super::view::View;
use crate::goods::{Catalogue, Heft, WeightBelief};

/// So many of the products whose mass could explain a weighing are also looked at; the rest looks like nothing in particular.
const LOOKED_AT: usize = 160;
/// The same for what may lie there instead of one line.
const LOOKED_AT_INSTEAD: usize = 48;
/// A product further away than this many sigma cannot explain a mass.
const REACH_SIGMA: f64 = 5.0;
/// Densities below this are rounding.
const NOTHING: f64 = 1e-60;
/// What is less likely than the list by this factor is not looked at more closely.
const NEGLIGIBLE: f64 = 1e-5;

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
    view: Option<View<'a>>,
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

const AS_IS: Spread = Spread { variance_g2: 0.0, fourth_g4: 0.0 };

impl<'a> Part<'a> {
    /// What was weighed together with these lines, and seen if anything was.
    pub fn new(
        expected: &'a Expected,
        catalogue: &'a Catalogue,
        lines: Vec<usize>,
        Weighed { off_g, around, bags }: Weighed<'_>,
        view: Option<View<'a>>,
        policy: &Policy,
    ) -> Self {
        let core = lines.iter().map(|i| &expected.lines[*i]).fold(around, |sum, l| sum.plus(l.spread(l.quantity)));
        let rare: Vec<Component> = lines.iter().flat_map(|i| expected.lines[*i].rare(policy)).collect();
        let noise = Noise::new(core, bags, &rare);
        let right = noise.density(off_g, AS_IS).max(NOTHING);
        Self { lines, off_g, right, expected, catalogue, noise, view }
    }

    /// Whether a camera looked.
    pub fn has_seen(&self) -> bool {
        self.view.is_some()
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

    /// Density if `units` of some product that is not on the list came besides; `listed` are the list's products, sorted.
    pub fn unscanned(&self, units: u32, listed: &[usize]) -> f64 {
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
        let near = self.near(self.off_g, units, AS_IS, |heft| {
            if listed.binary_search(&heft.product).is_ok() { 0.0 } else { heft.share }
        });
        blind * self.looked_at(near, LOOKED_AT, |p| self.seen(None, Some((p, units))), self.seen_something(units))
    }

    /// Density if two different products that are not on the list came besides.
    pub fn pair(&self) -> f64 {
        self.noise.convolved(self.catalogue.masses().of_pairs(), self.off_g, AS_IS) * self.seen_something(2)
    }

    /// Density if one unit of a line is some other product.
    pub fn swapped(&self, line: usize) -> f64 {
        let known = self.line(line);
        let (change, at_g) = self.without_one(line);
        let category = self.catalogue.masses().category(known.product);
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
        let near = self.near(at_g, 1, change, |heft| {
            if heft.product == known.product { 0.0 } else { self.instead_share(category, heft) }
        });
        blind * self.looked_at(near, LOOKED_AT_INSTEAD, look, something)
    }

    /// What came unscanned, likeliest first, by share × density × look.
    pub fn candidates(&self, listed: &[usize], most: usize) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = Vec::new();
        for (units, share) in (1..).zip(priors::UNSCANNED_UNITS) {
            let near = self.near(self.off_g, units, AS_IS, |heft| {
                if listed.binary_search(&heft.product).is_ok() { 0.0 } else { share * heft.share }
            });
            all.extend(likeliest(near, LOOKED_AT).into_iter().map(|(product, joint)| Candidate {
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
        let category = self.catalogue.masses().category(known.product);
        let near = self.near(at_g, 1, change, |heft| {
            if heft.product == known.product { 0.0 } else { self.instead_share(category, heft) }
        });
        let look = |p: usize| self.seen(Some((known.product, 1)), Some((p, 1)));
        let all = likeliest(near, LOOKED_AT).into_iter().map(|(product, joint)| Candidate {
            product,
            units: 1,
            joint: joint * look(product),
        });
        rank(all.collect(), most)
    }

    fn without_one(&self, line: usize) -> (Spread, f64) {
        let known = self.line(line);
        let change = known.spread(known.quantity.saturating_sub(1)).less(known.spread(known.quantity));
        (change, self.off_g + known.unit.mean_g)
    }

    /// Probability that `instead` lies there in place of a product of this category.
    fn instead_share(&self, category: Option<usize>, instead: &Heft) -> f64 {
        let any = (1.0 - priors::SAME_CATEGORY) * instead.share;
        match category {
            Some(own) if instead.category == Some(own) => {
                any + priors::SAME_CATEGORY * instead.share / self.catalogue.masses().category_share(own)
            }
            Some(_) => any,
            None => instead.share,
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

    /// Products so many units of which could make `at_g`, with share × density by one Gaussian, in the catalogue's order of mass.
    fn near(&self, at_g: f64, units: u32, change: Spread, share: impl Fn(&Heft) -> f64) -> Vec<(usize, f64)> {
        let usual_g2 = self.noise.usual_g2(change);
        let reach_g = REACH_SIGMA * usual_g2.sqrt();
        let mut near: Vec<(usize, f64)> = Vec::new();
        let n = f64::from(units);
        for heft in self.catalogue.could_make(at_g, units, reach_g) {
            let d = at_g - n * heft.mean_g;
            let variance = usual_g2 + n * heft.own_g2 + n * n * heft.shared_g2;
            if d * d < REACH_SIGMA * REACH_SIGMA * variance {
                let joint = share(heft) * (-0.5 * d * d / variance).exp() / variance.sqrt();
                if joint > 0.0 {
                    near.push((heft.product, joint));
                }
            }
        }
        near
    }

    /// Mean of what looking says over products by their likelihood; `rest` is what it says of those that are not looked at.
    fn looked_at(&self, near: Vec<(usize, f64)>, most: usize, look: impl Fn(usize) -> f64, rest: f64) -> f64 {
        let all: f64 = near.iter().map(|(_, w)| w).sum();
        if all <= 0.0 {
            return rest;
        }
        let (mut seen, mut weight) = (0.0, 0.0);
        for (product, w) in likeliest(near, most) {
            seen += w * look(product);
            weight += w;
        }
        (seen + (all - weight).max(0.0) * rest) / all
    }
}

/// The so many likeliest, in no order that matters; of equals those that come first.
fn likeliest(mut near: Vec<(usize, f64)>, most: usize) -> Vec<(usize, f64)> {
    if near.len() > most {
        near.select_nth_unstable_by(most, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(most);
    }
    near
}

fn rank(mut all: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    // Equals in the catalogue's order, so that the same evidence gives the same words.
    all.sort_by(|a, b| b.joint.total_cmp(&a.joint).then(a.product.cmp(&b.product)).then(a.units.cmp(&b.units)));
    all.truncate(most);
    all
}
