//! The best possible detector: it knows every distribution, popularity and error rate of the generator, and never a realised draw.
//!
//! The list is a random set of laws; what the plate carries under each edit of it is a sum of independent masses, whose density is taken
//! from the product of their characteristic functions (module `density`). Batches, silent changes of pack, wrong labels, bags and tares are
//! marginalised because their laws are factors of that product. Posterior = prior × density, summed over every good of the shop.

use super::density::{Density, Fourier, Grid, Spectrum, multiply, replaced, spectrum, units_spectrum};
use super::law::{Mixture, UnitLaw};
use super::masses::Masses;
use super::shop::Shop;
use super::trip::{self, Line, Setting, Trip, Wanted, rates};
use std::borrow::Cow;

/// A named difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What kind.
    pub kind: Wanted,
    /// The good it is about: the unscanned one, or the line's.
    pub product: usize,
    /// What lies there instead.
    pub instead: Option<usize>,
}

/// What a detector that has a posterior makes of a basket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion {
    /// Log odds of "the shop loses by it" against "the list is right": what baskets are ranked by.
    pub score: f64,
    /// Posterior probability of any error, 0..=1.
    pub error: f64,
    /// The difference that it is sure of to one half or more.
    pub claim: Option<Claim>,
}

/// The oracle of one shop.
pub struct Oracle<'a> {
    pub(super) shop: &'a Shop,
    /// Laws of one, two and three units of each good that were not scanned.
    pub(super) added: Vec<[Mixture; 3]>,
    any: Masses,
    unscanned: Masses,
    repeated: Masses,
    aisles: Vec<Masses>,
    bag: Mixture,
    foreign: Mixture,
    fourier: Fourier,
}

/// What the total says under every edit: prior × density, per gram.
pub(super) struct Weighing<'a> {
    pub(super) laws: Vec<Cow<'a, UnitLaw>>,
    /// Measured less the list's true expectation, grams.
    pub(super) x_g: f64,
    pub(super) all: Density,
    /// For each line: without it, and with one unit fewer where it has several.
    pub(super) reduced: Vec<(Density, Option<Density>)>,
    /// Probability that a good drawn as shoppers draw is on the list.
    pub(super) listed: f64,
}

impl Weighing<'_> {
    /// Density with one unit of the line taken away.
    pub(super) fn fewer(&self, line: usize) -> &Density {
        let (none, fewer) = &self.reduced[line];
        fewer.as_ref().unwrap_or(none)
    }
}

impl<'a> Oracle<'a> {
    /// Prepares what is the same for all baskets of a shop.
    pub fn new(shop: &'a Shop) -> Self {
        let added: Vec<[Mixture; 3]> =
            shop.goods.iter().map(|g| [g.law.units(1), g.law.units(2), g.law.units(3)]).collect();
        let by_units = |units: usize| Masses::new(shop.goods.iter().zip(&added).map(move |(g, a)| (g.share, &a[units])));
        let any = by_units(0);
        let parts = [(rates::UNSCANNED_UNITS[1], by_units(1)), (rates::UNSCANNED_UNITS[2], by_units(2))];
        let unscanned =
            Masses::blend(&[(rates::UNSCANNED_UNITS[0], &any), (parts[0].0, &parts[0].1), (parts[1].0, &parts[1].1)]);
        let aisles = shop.aisles.iter().zip(&shop.aisle_shares).map(|(indices, sum)| {
            Masses::new(indices.iter().map(|&i| (shop.goods[i].share / sum.max(1e-300), &added[i][0])))
        });
        let aisles = aisles.collect();
        let repeated = any.twice();
        let (bag, foreign) = (trip::bag_law(), trip::foreign_law());
        Self { shop, any, unscanned, repeated, aisles, bag, foreign, fourier: Fourier::default(), added }
    }

    /// Judges a trip by its total.
    pub fn judge(&self, trip: &Trip, setting: Setting) -> Opinion {
        let weighing = self.weigh(trip, setting);
        let edits = self.edits(trip, &weighing);
        self.conclude(trip, &weighing, &edits)
    }

    /// All densities of a trip.
    pub(super) fn weigh(&self, trip: &Trip, setting: Setting) -> Weighing<'a> {
        let laws: Vec<Cow<'a, UnitLaw>> = trip.lines.iter().map(|l| l.law(self.shop)).collect();
        let around =
            [trip::scale_law(), trip::container_law(setting), trip::bags_law(setting, trip.bags)];
        let core = |law: &UnitLaw, units: u32| {
            let n = f64::from(units);
            n * law.own.core_g2() + n * n * law.batch.core_g2()
        };
        let lines = || trip.lines.iter().zip(&laws);
        let core_g2 = around.iter().map(Mixture::core_g2).sum::<f64>() + lines().map(|(l, w)| core(w, l.quantity)).sum::<f64>();
        let total_g2 =
            around.iter().map(Mixture::variance_g2).sum::<f64>() + lines().map(|(l, w)| w.variance_g2(l.quantity)).sum::<f64>();
        let widest_line = lines().map(|(l, w)| core(w, l.quantity)).fold(0.0, f64::max);
        let grid = Grid::new((core_g2 - widest_line).sqrt(), total_g2.sqrt());
        let spectra: Vec<Spectrum> = lines().map(|(l, w)| units_spectrum(&grid, w, l.quantity)).collect();
        let mut whole = spectrum(&grid, &around[0], 1.0);
        for law in &around[1..] {
            multiply(&mut whole, &spectrum(&grid, law, 1.0));
        }
        for line in &spectra {
            multiply(&mut whole, line);
        }
        let mut wanted: Vec<(Spectrum, f64)> = vec![(whole.clone(), core_g2.sqrt())];
        for ((line, law), own) in lines().zip(&spectra) {
            let rest_g2 = core_g2 - core(law, line.quantity);
            wanted.push((replaced(&whole, own, None), rest_g2.sqrt()));
            if line.quantity > 1 {
                let fewer = units_spectrum(&grid, law, line.quantity - 1);
                let core_g = (rest_g2 + core(law, line.quantity - 1)).sqrt();
                wanted.push((replaced(&whole, own, Some(&fewer)), core_g));
            }
        }
        let mut densities = self.transform(&grid, &wanted).into_iter();
        let mut next = || densities.next();
        let all = next();
        let reduced = trip.lines.iter().map_while(|line| {
            let none = next()?;
            Some((none, if line.quantity > 1 { next() } else { None }))
        });
        let reduced: Vec<(Density, Option<Density>)> = reduced.collect();
        let expected_g = trip.tare_g
            + trip.bags_g.unwrap_or(f64::from(trip.bags) * self.bag.mean_g())
            + lines().map(|(l, w)| f64::from(l.quantity) * w.mean_g).sum::<f64>();
        let listed = listed(&trip.lines).iter().map(|p| self.shop.goods[*p].share).sum();
        let all = all.unwrap_or_else(|| unreachable!("a density was asked for first"));
        Weighing { laws, x_g: trip.measured_g - expected_g, all, reduced, listed }
    }

    fn transform(&self, grid: &Grid, wanted: &[(Spectrum, f64)]) -> Vec<Density> {
        let mut densities = Vec::with_capacity(wanted.len() + 1);
        for two in wanted.chunks(2) {
            let (a, b) = (&two[0], two.last().unwrap_or(&two[0]));
            let (first, second) = Density::pair(grid, (&a.0, a.1), (&b.0, b.1), &self.fourier);
            densities.push(first);
            densities.push(second);
        }
        densities.truncate(wanted.len());
        densities
    }

    fn edits(&self, trip: &Trip, w: &Weighing<'_>) -> Edits {
        let lines: Vec<LineEdits> = (0..trip.lines.len()).map(|i| self.line_edits(trip, w, i)).collect();
        let (packs, refused) = self.packs(trip);
        let factor = 1.0 / (packs - refused).max(1e-9);
        Edits {
            honest: (1.0 - rates::ERROR) * self.honest(w),
            unscanned: rates::ERROR * rates::KINDS[0] * self.unscanned(trip, w),
            swapped: lines.iter().map(|l| rates::ERROR * rates::KINDS[1] * factor * l.swapped).collect(),
            more: lines.iter().map(|l| rates::ERROR * rates::KINDS[2] / packs * l.more).collect(),
            fewer: lines.iter().map(|l| rates::ERROR * rates::KINDS[3] / trip.lines.len() as f64 * l.fewer).collect(),
            absent: lines.iter().map(|l| rates::ERROR * rates::KINDS[3] / trip.lines.len() as f64 * l.absent).collect(),
        }
    }

    /// Number of lines without a label, and how much of a swap's probability is drawn again because the good would be swapped for itself.
    pub(super) fn packs(&self, trip: &Trip) -> (f64, f64) {
        let packs = trip.lines.iter().filter(|l| l.label_g.is_none());
        let refused = packs.clone().map(|l| self.instead_share(l.product, l.product)).sum();
        (packs.count() as f64, refused)
    }

    /// Probability that `instead` is drawn to lie in place of `product`.
    pub(super) fn instead_share(&self, product: usize, instead: usize) -> f64 {
        let (own, other) = (&self.shop.goods[product], &self.shop.goods[instead]);
        let within = if own.aisle == other.aisle { other.share / self.shop.aisle_shares[own.aisle] } else { 0.0 };
        rates::SAME_AISLE * within + (1.0 - rates::SAME_AISLE) * other.share
    }

    pub(super) fn honest(&self, w: &Weighing<'_>) -> f64 {
        (1.0 - rates::STRAY_BAG - rates::FOREIGN) * w.all.at(w.x_g)
            + rates::STRAY_BAG * w.all.with(&self.bag, w.x_g)
            + rates::FOREIGN * w.all.with(&self.foreign, w.x_g)
    }

    /// Density if one, two or three units of one good were not scanned.
    pub(super) fn unscanned_good(&self, w: &Weighing<'_>, product: usize) -> f64 {
        let laws = rates::UNSCANNED_UNITS.iter().zip(&self.added[product]);
        laws.map(|(share, law)| share * w.all.with(law, w.x_g)).sum::<f64>()
    }

    fn unscanned(&self, trip: &Trip, w: &Weighing<'_>) -> f64 {
        let on_list: f64 = listed(&trip.lines)
            .iter()
            .map(|product| self.shop.goods[*product].share * self.unscanned_good(w, *product))
            .sum();
        let one = (w.all.against(&self.unscanned, w.x_g) - on_list).max(0.0) / (1.0 - w.listed).max(1e-9);
        (1.0 - rates::REPEATED) * one + rates::REPEATED * w.all.against(&self.repeated, w.x_g)
    }

    /// Densities under the edits of one line, for a line chosen.
    pub(super) fn line_edits(&self, trip: &Trip, w: &Weighing<'_>, index: usize) -> LineEdits {
        let (line, law) = (&trip.lines[index], &w.laws[index]);
        let n = line.quantity;
        let without = &w.reduced[index].0;
        let gone_g = w.x_g + f64::from(n) * law.mean_g;
        let one_gone_g = w.x_g + law.mean_g;
        let one = if n > 1 { rates::ONE_FEWER } else { 0.0 };
        let mut edits = LineEdits {
            absent: (1.0 - one) * without.at(gone_g),
            fewer: if n > 1 { one * w.fewer(index).at(one_gone_g) } else { 0.0 },
            more: 0.0,
            swapped: 0.0,
        };
        if line.label_g.is_none() {
            let more = rates::MORE_UNITS.iter().zip(1..);
            edits.more = more.map(|(share, k)| share * without.with(&law.units(n + k), gone_g)).sum();
            let own = self.instead_share(line.product, line.product);
            let fewer = w.fewer(index);
            edits.swapped = (rates::SAME_AISLE
                * fewer.against(&self.aisles[self.shop.goods[line.product].aisle], one_gone_g)
                + (1.0 - rates::SAME_AISLE) * fewer.against(&self.any, one_gone_g)
                - own * fewer.with(&self.added[line.product][0], one_gone_g))
            .max(0.0);
        }
        edits
    }

    fn conclude(&self, trip: &Trip, w: &Weighing<'_>, edits: &Edits) -> Opinion {
        let total = edits.total();
        let mut claim = edits.line_claim(trip, total);
        if claim.is_none() && edits.unscanned >= 0.5 * total {
            let factor = rates::ERROR * rates::KINDS[0] * (1.0 - rates::REPEATED) / (1.0 - w.listed).max(1e-9);
            let on_list = listed(&trip.lines);
            let best = (0..self.shop.goods.len())
                .filter(|p| !on_list.contains(p))
                .map(|p| (p, self.shop.goods[p].share * factor))
                // The prior alone must reach: no density of a sum exceeds that of its smoothest part.
                .filter(|(_, prior)| prior * w.all.peak() >= 0.5 * total)
                .map(|(p, prior)| (p, prior * self.unscanned_good(w, p)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            claim = best
                .filter(|(_, joint)| *joint >= 0.5 * total)
                .map(|(product, _)| Claim { kind: Wanted::Unscanned, product, instead: None });
        }
        if let Some(Claim { kind: Wanted::Swapped, product, .. }) = claim {
            claim = Some(Claim { kind: Wanted::Swapped, product, instead: self.instead(trip, w, product, total) });
        }
        edits.opinion(claim)
    }

    /// What lies there instead, if that alone has a posterior of one half.
    fn instead(&self, trip: &Trip, w: &Weighing<'_>, product: usize, total: f64) -> Option<usize> {
        let line = trip.lines.iter().position(|l| l.product == product)?;
        let (packs, refused) = self.packs(trip);
        let factor = rates::ERROR * rates::KINDS[1] / (packs - refused).max(1e-9);
        let fewer = w.fewer(line);
        let at = w.x_g + w.laws[line].mean_g;
        (0..self.shop.goods.len()).find(|&p| {
            let prior = factor * self.instead_share(product, p);
            p != product && prior * fewer.peak() >= 0.5 * total && prior * fewer.with(&self.added[p][0], at) >= 0.5 * total
        })
    }
}

/// The different goods of a list.
pub(super) fn listed(lines: &[Line]) -> Vec<usize> {
    let mut products: Vec<usize> = lines.iter().map(|l| l.product).collect();
    products.sort_unstable();
    products.dedup();
    products
}

/// Densities under the edits of one line, if it is this line that is edited.
pub(super) struct LineEdits {
    pub(super) absent: f64,
    pub(super) fewer: f64,
    pub(super) more: f64,
    pub(super) swapped: f64,
}

/// Prior × density of all edits.
pub(super) struct Edits {
    pub(super) honest: f64,
    pub(super) unscanned: f64,
    pub(super) swapped: Vec<f64>,
    pub(super) more: Vec<f64>,
    pub(super) fewer: Vec<f64>,
    pub(super) absent: Vec<f64>,
}

impl Edits {
    fn losses(&self) -> f64 {
        self.unscanned + self.swapped.iter().sum::<f64>() + self.more.iter().sum::<f64>()
    }

    fn total(&self) -> f64 {
        self.honest + self.losses() + self.fewer.iter().sum::<f64>() + self.absent.iter().sum::<f64>()
    }

    /// A line's edit of one half or more.
    fn line_claim(&self, trip: &Trip, total: f64) -> Option<Claim> {
        (0..trip.lines.len()).find_map(|i| {
            let kinds = [
                (Wanted::Swapped, self.swapped[i]),
                (Wanted::Quantity, self.more[i] + self.fewer[i]),
                (Wanted::Absent, self.absent[i]),
            ];
            let kind = kinds.into_iter().find(|(_, joint)| *joint >= 0.5 * total && total > 0.0)?.0;
            Some(Claim { kind, product: trip.lines[i].product, instead: None })
        })
    }

    pub(super) fn opinion(&self, claim: Option<Claim>) -> Opinion {
        // So small a density is rounding; both sides share it, so that what nothing explains decides nothing.
        const NOTHING: f64 = 1e-30;
        let total = self.total() + 2.0 * NOTHING;
        Opinion {
            score: ((self.losses() + NOTHING) / (self.honest + NOTHING)).ln(),
            error: (total - self.honest - NOTHING) / total,
            claim,
        }
    }
}
