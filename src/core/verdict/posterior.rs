//! Bayes' rule over the edits of a list: prior × density of the mass × ratio of the crops, summed over the whole catalogue.
//!
//! A basket that comes whole is one part. Goods that come one after the other are as many parts as steps, independent given the list; a
//! step without a scan is a part without lines. Everything is taken relative to "the list is right".

use super::expected::{Expected, Nature};
use super::noise::{Component, mixture};
use super::part::{Candidate, Pair, Part};
use super::policy::Policy;
use super::priors::{self, share};
use crate::goods::BagBelief;
use std::cell::OnceCell;

/// Most candidates that are handed on for naming.
const CANDIDATES_MAX: usize = 8;
/// Two products less probable than this are not looked for.
const TOLD_FROM: f64 = 0.05;
/// A way in which goods were weighed together that is less probable names nothing.
const COUNTS_FROM: f64 = 1e-3;

/// What is believed of one line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinePosterior {
    /// Nothing of it is there.
    pub absent: f64,
    /// Another number is there: (units found, probability).
    pub counts: Vec<(u32, f64)>,
    /// One unit is something else.
    pub swapped: f64,
}

impl LinePosterior {
    /// Another number, whichever, but some.
    pub fn quantity(&self) -> f64 {
        self.counts.iter().map(|c| c.1).sum()
    }
}

/// Probabilities of all edits; they sum to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Posterior {
    /// The list is right, and nothing else lies there.
    pub right: f64,
    /// The list is right, and so is an undeclared bag.
    pub bag: f64,
    /// The list is right, and a thing lies there that the store does not sell.
    pub foreign: f64,
    /// One product, or two, were not scanned.
    pub unscanned: f64,
    /// Several things were not scanned.
    pub several: f64,
    /// Several lines are not there.
    pub less_several: f64,
    /// The lines, in the list's order.
    pub lines: Vec<LinePosterior>,
}

impl Posterior {
    fn values(&mut self) -> impl Iterator<Item = &mut f64> {
        let own = [
            &mut self.right,
            &mut self.bag,
            &mut self.foreign,
            &mut self.unscanned,
            &mut self.several,
            &mut self.less_several,
        ];
        own.into_iter().chain(
            self.lines
                .iter_mut()
                .flat_map(|l| l.counts.iter_mut().map(|c| &mut c.1).chain([&mut l.absent, &mut l.swapped])),
        )
    }

    /// Adds so much of another one over the same lines.
    fn add(&mut self, other: &Self, weight: f64) {
        self.right += weight * other.right;
        self.bag += weight * other.bag;
        self.foreign += weight * other.foreign;
        self.unscanned += weight * other.unscanned;
        self.several += weight * other.several;
        self.less_several += weight * other.less_several;
        for (line, more) in self.lines.iter_mut().zip(&other.lines) {
            line.absent += weight * more.absent;
            line.swapped += weight * more.swapped;
            for (found, probability) in &more.counts {
                match line.counts.iter_mut().find(|c| c.0 == *found) {
                    Some(known) => known.1 += weight * probability,
                    None => line.counts.push((*found, weight * probability)),
                }
            }
        }
    }

    fn normalise(&mut self) {
        let total: f64 = self.values().map(|v| *v).sum();
        if total > 0.0 && total.is_finite() {
            self.values().for_each(|v| *v /= total);
        }
    }

    /// The shopper owes nothing and is owed nothing.
    pub fn fine(&self) -> f64 {
        self.right + self.bag + self.foreign
    }

    /// The store would lose something.
    pub fn loss(&self, expected: &Expected) -> f64 {
        let lines = self.lines.iter().zip(&expected.lines).map(|(line, known)| {
            line.swapped + line.counts.iter().filter(|c| c.0 > known.quantity).map(|c| c.1).sum::<f64>()
        });
        self.unscanned + self.several + lines.sum::<f64>()
    }
}

/// A judgement before anything is made of it.
pub struct Judged<'a> {
    /// Probabilities of all edits.
    pub posterior: Posterior,
    /// Ways in which goods may have been weighed together; one where that is known.
    ways: Vec<Way<'a>>,
    listed: Vec<usize>,
    unscanned: OnceCell<Vec<Candidate>>,
    instead: Vec<OnceCell<Vec<Candidate>>>,
}

/// One way in which goods were weighed together.
struct Way<'a> {
    /// Its probability.
    weight: f64,
    /// Probabilities of all edits if it was so.
    posterior: Posterior,
    parts: Vec<Part<'a>>,
    /// Joint odds of each part with "one product was not scanned", as `posterior.unscanned` was summed.
    unscanned_odds: Vec<f64>,
    /// The same with "two were not".
    pair_odds: Vec<f64>,
    total: f64,
    /// Logarithm of its prior and of all that was weighed.
    ln_joint: f64,
}

impl<'a> Judged<'a> {
    /// Weighs all edits, by each way in which goods were perhaps weighed together, given with the logarithm of its prior. Of each way
    /// the parts with lines hold each line of `expected` once.
    pub fn mixed(ways: Vec<(f64, Vec<Part<'a>>)>, expected: &Expected, bag: &BagBelief, error_rate: f64) -> Self {
        let mut listed: Vec<usize> = expected.lines.iter().map(|l| l.product).collect();
        listed.sort_unstable();
        listed.dedup();
        let weigh = |(ln_prior, parts)| Way::new(ln_prior, parts, &listed, expected, bag, error_rate);
        let mut ways: Vec<Way<'a>> = ways.into_iter().map(weigh).collect();
        let best = ways.iter().map(|way| way.ln_joint).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = ways.iter().map(|way| (way.ln_joint - best).exp()).sum();
        if ways.len() > 1 {
            ways.iter_mut().for_each(|way| way.weight = (way.ln_joint - best).exp() / sum);
        }
        let mut posterior =
            Posterior { lines: vec![LinePosterior::default(); expected.lines.len()], ..Posterior::default() };
        ways.iter().for_each(|way| posterior.add(&way.posterior, way.weight));
        let instead = vec![OnceCell::new(); expected.lines.len()];
        Self { posterior, ways, listed, unscanned: OnceCell::new(), instead }
    }

    /// Whether a camera had a say in it.
    pub fn has_seen(&self) -> bool {
        self.ways.iter().flat_map(|way| &way.parts).any(Part::has_seen)
    }

    /// How many weighings there were in the likeliest of the ways in which goods were perhaps weighed together.
    pub fn weighings(&self) -> usize {
        let likeliest = self.ways.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
        likeliest.map_or(0, |way| way.parts.len())
    }

    /// What was perhaps not scanned, likeliest first, with probabilities; two that are missing together each have theirs.
    pub fn unscanned(&self) -> &[Candidate] {
        self.unscanned.get_or_init(|| {
            let mut all: Vec<Candidate> = Vec::new();
            for way in self.ways.iter().filter(|way| way.counts()) {
                for (part, odds) in way.parts.iter().zip(&way.unscanned_odds) {
                    let found = part.candidates(&self.listed, 4 * CANDIDATES_MAX);
                    add(&mut all, shared(found, way.weight * odds / way.total));
                }
                for (part, odds) in way.parts.iter().zip(&way.pair_odds) {
                    add(&mut all, pairs(part, &self.listed, way.weight * odds / way.total));
                }
            }
            likeliest(all)
        })
    }

    /// What lies there instead of a line's unit, likeliest first, with probabilities.
    pub fn instead(&self, line: usize) -> &[Candidate] {
        self.instead[line].get_or_init(|| {
            let mut all: Vec<Candidate> = Vec::new();
            for way in self.ways.iter().filter(|way| way.counts()) {
                let Some(part) = way.parts.iter().find(|p| p.lines.contains(&line)) else { continue };
                let probability = way.weight * way.posterior.lines[line].swapped;
                add(&mut all, shared(part.instead(line, 4 * CANDIDATES_MAX), probability));
            }
            likeliest(all)
        })
    }

    /// For each line how probable it is that the list is right and its weight in the catalogue (or on its label) is not.
    pub fn stale(&self, policy: &Policy) -> Vec<(usize, f64)> {
        let mut all = vec![0.0; self.posterior.lines.len()];
        for way in self.ways.iter().filter(|way| way.counts()) {
            for part in &way.parts {
                let by = way.posterior.right / part.right;
                for line in &part.lines {
                    all[*line] += way.weight * (part.changed(*line, policy) * by).min(1.0);
                }
            }
        }
        all.into_iter().enumerate().collect()
    }

    /// By how much the weighing is off at which something likeliest came without a scan: the whole's where goods came at once, grams.
    pub fn unscanned_g(&self, whole_g: f64) -> f64 {
        let way = self.ways.iter().max_by(|a, b| a.weight.total_cmp(&b.weight)).filter(|way| way.parts.len() > 1);
        let likeliest = way.and_then(|way| {
            let all: f64 = way.unscanned_odds.iter().sum();
            let odds = way.parts.iter().zip(&way.unscanned_odds).max_by(|a, b| a.1.total_cmp(b.1));
            odds.filter(|(_, odds)| **odds > 0.5 * all).map(|(part, _)| part.off_g)
        });
        likeliest.unwrap_or(whole_g)
    }
}

impl<'a> Way<'a> {
    fn new(
        ln_prior: f64,
        parts: Vec<Part<'a>>,
        listed: &[usize],
        expected: &Expected,
        bag: &BagBelief,
        error_rate: f64,
    ) -> Self {
        let mut weigher = Weigher {
            expected,
            rate: error_rate,
            parts: &parts,
            listed,
            bag: mixture(bag.kinds.iter().map(|k| (k.share, k.mean_g, k.sigma_g))),
            foreign: mixture(priors::FOREIGN_G.into_iter()),
            odds: vec![0.0; parts.len()],
            pair_odds: vec![0.0; parts.len()],
        };
        let mut posterior = weigher.weigh();
        let unscanned_odds = std::mem::take(&mut weigher.odds);
        let pair_odds = std::mem::take(&mut weigher.pair_odds);
        let total: f64 = posterior.values().map(|v| *v).sum();
        posterior.normalise();
        // Odds are relative to "the list is right" at the parts that have something to be right.
        let ln_right: f64 = parts.iter().filter(|part| !part.is_lone()).map(|part| part.right.ln()).sum();
        let ln_joint = ln_prior + ln_right + total.ln();
        Self { weight: 1.0, posterior, parts, unscanned_odds, pair_odds, total, ln_joint }
    }

    /// Whether it is worth a closer look.
    fn counts(&self) -> bool {
        self.weight > COUNTS_FROM
    }
}

/// Both products of pairs that were seen, with the probability of all pairs shared out among them.
fn pairs(part: &Part<'_>, listed: &[usize], probability: f64) -> Vec<Candidate> {
    if probability < TOLD_FROM {
        return Vec::new();
    }
    let by = probability / part.pair(listed).max(1e-300);
    let of = |pair: Pair| pair.products.map(|product| Candidate { product, units: 1, joint: pair.joint * by });
    part.pairs(listed).into_iter().flat_map(of).collect()
}

/// Adds up what several weighings say of the same products.
fn add(all: &mut Vec<Candidate>, more: Vec<Candidate>) {
    for candidate in more {
        match all.iter_mut().find(|c| c.product == candidate.product) {
            Some(known) => known.joint += candidate.joint,
            None => all.push(candidate),
        }
    }
}

fn likeliest(mut all: Vec<Candidate>) -> Vec<Candidate> {
    all.sort_by(|a, b| b.joint.total_cmp(&a.joint).then(a.product.cmp(&b.product)));
    all.truncate(CANDIDATES_MAX);
    all
}

/// Candidates with their share of `probability`.
fn shared(mut candidates: Vec<Candidate>, probability: f64) -> Vec<Candidate> {
    let sum: f64 = candidates.iter().map(|c| c.joint).sum();
    candidates.iter_mut().for_each(|c| c.joint *= probability / sum.max(1e-300));
    candidates
}

/// What is not scanned at one part, relative to its list being right: one product of any number of units, one unit, two products.
struct Unlisted {
    one: f64,
    unit: f64,
    two: f64,
}

struct Weigher<'w, 'a> {
    expected: &'w Expected,
    rate: f64,
    parts: &'w [Part<'a>],
    listed: &'w [usize],
    bag: Vec<Component>,
    foreign: Vec<Component>,
    odds: Vec<f64>,
    pair_odds: Vec<f64>,
}

impl Weigher<'_, '_> {
    fn weigh(&mut self) -> Posterior {
        let mut joint =
            Posterior { lines: vec![LinePosterior::default(); self.expected.lines.len()], ..Posterior::default() };
        let lone: Vec<usize> = (0..self.parts.len()).filter(|i| self.parts[*i].is_lone()).collect();
        let scanned: Vec<usize> = (0..self.parts.len()).filter(|i| !self.parts[*i].is_lone()).collect();
        self.fine(&mut joint, &scanned, &lone);
        self.unscanned(&mut joint, &scanned, &lone);
        match lone.as_slice() {
            [] => scanned.iter().for_each(|part| self.lines(&mut joint, &self.parts[*part])),
            [alone] => self.more_alone(&mut joint, &self.parts[*alone]),
            [_, _, ..] => {}
        }
        joint
    }

    fn fine(&self, joint: &mut Posterior, scanned: &[usize], lone: &[usize]) {
        let honest = 1.0 - self.rate;
        let each = |thing: &[Component], shown: f64| {
            let came = |part: &Part<'_>| part.with(thing) * part.seen_stray(shown);
            let odds = |i: &usize| came(&self.parts[*i]) / self.parts[*i].right;
            let at = |places: &[usize]| places.iter().map(odds).sum::<f64>() / places.len().max(1) as f64;
            let stray = |i: usize| self.parts[i].stray * came(&self.parts[i]);
            let one_weighing = scanned.len() == 1 && lone.is_empty();
            match lone {
                [] if one_weighing => at(scanned),
                [] => (1.0 - priors::STRAY_ALONE) * at(scanned),
                [alone] => priors::STRAY_ALONE * stray(*alone),
                [_, _, ..] => lone.iter().map(|i| stray(*i)).product::<f64>() * priors::STRAY_BAG,
            }
        };
        joint.right = if lone.is_empty() { honest * (1.0 - priors::STRAY_BAG - priors::FOREIGN) } else { 0.0 };
        joint.bag = honest * priors::STRAY_BAG * each(&self.bag, priors::BAG_SHOWN);
        joint.foreign = honest * priors::FOREIGN * each(&self.foreign, priors::FOREIGN_SHOWN);
    }

    /// `here` is the probability that what was not scanned lies at this part.
    fn unlisted(&self, part: &Part<'_>, here: f64) -> Unlisted {
        let odds = here * self.rate * share::UNSCANNED / (1.0 - self.rate).max(1e-9);
        let mut found = Unlisted { one: 0.0, unit: 0.0, two: part.pair(self.listed) };
        for (units, share) in (1..).zip(priors::UNSCANNED_UNITS) {
            let density = part.unscanned(units, self.listed, odds * share);
            found.one += share * density;
            if units == 1 {
                found.unit = density;
            }
        }
        found
    }

    fn unscanned(&mut self, joint: &mut Posterior, scanned: &[usize], lone: &[usize]) {
        let one_weighing = scanned.len() == 1 && lone.is_empty();
        let alone = if one_weighing { 0.0 } else { priors::ALONE };
        let joined = 1.0 - alone;
        let groups = scanned.len().max(1) as f64;
        let odds: Vec<(usize, Unlisted)> = scanned
            .iter()
            .map(|i| {
                let found = self.unlisted(&self.parts[*i], joined / groups);
                let by = 1.0 / (self.parts[*i].right * groups);
                (*i, Unlisted { one: found.one * by, unit: found.unit * by, two: found.two * by / groups })
            })
            .collect();
        let sum = |f: &dyn Fn(&Unlisted) -> f64| odds.iter().map(|(_, o)| f(o)).sum::<f64>();
        let (one, unit) = (sum(&|o| o.one), sum(&|o| o.unit));
        let apart = (unit * unit - sum(&|o| o.unit * o.unit)).max(0.0);
        let singles: Vec<(usize, Unlisted)> = lone.iter().map(|i| (*i, self.unlisted(&self.parts[*i], 1.0))).collect();
        let rate = self.rate * share::UNSCANNED;
        let (single, pair) = match singles.as_slice() {
            [] => (joined * one, joined * joined * (apart + sum(&|o| o.two))),
            [(_, a)] => (alone * a.one, 2.0 * alone * joined * a.unit * unit),
            [(_, a), (_, b)] => (0.0, alone * alone * a.unit * b.unit),
            [_, _, _, ..] => (0.0, 0.0),
        };
        joint.unscanned = rate * ((1.0 - priors::PAIR) * single + priors::PAIR * pair);
        let by = rate * (1.0 - priors::PAIR);
        match singles.as_slice() {
            [] => odds.iter().for_each(|(i, o)| {
                self.odds[*i] = by * joined * o.one;
                self.pair_odds[*i] = rate * priors::PAIR * joined * joined * o.two;
            }),
            [(i, a)] => self.odds[*i] = by * alone * a.one,
            [_, _, ..] => {}
        }
        self.several(joint, scanned, &singles, alone);
    }

    /// Three or more things: what no sum over pairs covers, so that nothing goes unexplained.
    fn several(&self, joint: &mut Posterior, scanned: &[usize], singles: &[(usize, Unlisted)], alone: f64) {
        let spread = |x_g: f64| (1.0 + x_g / priors::SEVERAL_MEDIAN_G).powi(-2) / priors::SEVERAL_MEDIAN_G;
        if singles.len() > 1 {
            let things: f64 = singles.iter().map(|(_, a)| alone * a.unit.max(1e-9)).product();
            joint.several = self.rate * share::SEVERAL * things;
            return;
        }
        let groups = scanned.len().max(1) as f64;
        let lone: f64 = singles.iter().map(|(_, a)| alone * a.unit).product();
        for part in scanned.iter().map(|i| &self.parts[*i]) {
            let by = self.rate * lone / (part.right * groups);
            if part.off_g > 0.0 {
                joint.several += share::SEVERAL * by * spread(part.off_g);
            } else {
                joint.less_several += share::LESS_SEVERAL * by * spread(-part.off_g);
            }
        }
    }

    /// Lines without a weight label.
    fn packs(&self) -> f64 {
        self.expected.lines.iter().filter(|l| l.nature != Nature::Labelled).count().max(1) as f64
    }

    /// What came by itself without a scan is more of something that was scanned.
    fn more_alone(&self, joint: &mut Posterior, alone: &Part<'_>) {
        let rate = self.rate * share::MORE * priors::MORE_ALONE / self.packs();
        for (line, known) in joint.lines.iter_mut().zip(&self.expected.lines) {
            if known.nature != Nature::Labelled {
                let more = (1..).zip(priors::MORE_UNITS);
                line.counts.extend(more.map(|(more, share)| {
                    (known.quantity.saturating_add(more), rate * share * alone.besides(known.product, more))
                }));
            }
        }
    }

    fn lines(&self, joint: &mut Posterior, part: &Part<'_>) {
        let lines = &self.expected.lines;
        let (each, of_packs) = (self.rate * share::LESS / lines.len().max(1) as f64, self.rate / self.packs());
        let joined = if self.parts.len() > 1 { 1.0 - priors::MORE_ALONE } else { 1.0 };
        for &index in &part.lines {
            let (known, by) = (&lines[index], 1.0 / part.right);
            let n = known.quantity;
            let line = &mut joint.lines[index];
            let (one, some) = match n {
                0 | 1 => (0.0, 0.0),
                2 => (priors::ONE_FEWER, 0.0),
                3.. => (priors::ONE_FEWER, priors::SOME_FEWER),
            };
            line.absent = by * each * (1.0 - one - some) * part.counted(index, 0);
            if n > 1 {
                line.counts.push((n - 1, by * each * one * part.counted(index, n - 1)));
            }
            // Of many units the first few and the last few are told apart; weight would not tell more.
            let fewer = n.saturating_sub(5).max(1)..n.saturating_sub(1);
            let among = f64::from(fewer.end.saturating_sub(fewer.start)).max(1.0);
            for found in fewer {
                line.counts.push((found, by * each * some / among * part.counted(index, found)));
            }
            if known.nature == Nature::Labelled {
                continue;
            }
            for (more, share) in (1..).zip(priors::MORE_UNITS) {
                let found = n.saturating_add(more);
                line.counts.push((found, by * of_packs * joined * share::MORE * share * part.counted(index, found)));
            }
            let odds = of_packs * share::SWAPPED / (1.0 - self.rate).max(1e-9);
            line.swapped = by * of_packs * share::SWAPPED * part.swapped(index, odds);
        }
    }
}
