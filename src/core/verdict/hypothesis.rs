//! What could be true other than the list, with how likely it is before anything is measured.

use super::expected::{Expected, ExpectedLine};
use super::policy::Policy;
use crate::goods::{Catalogue, Kind};

/// An edit of the scanned list.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Edit {
    /// The list is right.
    Nothing,
    /// Units of a product that is not on the list.
    Unscanned {
        /// The product.
        product: usize,
        /// How many.
        units: u32,
    },
    /// Several different things unscanned, or something no short list holds.
    UnscannedSomething,
    /// A line of which nothing is there.
    Absent {
        /// Index of the line.
        line: usize,
    },
    /// Several lines missing.
    AbsentSomething,
    /// A line of which another number is there.
    Quantity {
        /// Index of the line.
        line: usize,
        /// How many are there; not 0 and not what was scanned.
        found: u32,
    },
    /// One unit of a line replaced by a product.
    Swapped {
        /// Index of the line.
        line: usize,
        /// What lies there instead.
        instead: usize,
    },
    /// An own bag that was not declared.
    Bag,
    /// The catalogue's weight of a line is wrong: another pack, another recipe.
    StaleWeight {
        /// Index of the line.
        line: usize,
    },
    /// Something that the store does not sell: a handbag, a child's toy.
    Foreign,
}

/// An edit with what it says before measuring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hypothesis {
    /// The edit.
    pub edit: Edit,
    /// Natural logarithm of its prior probability.
    pub log_prior: f64,
    /// What it adds to the expected mass, grams.
    pub shift_g: f64,
    /// What it adds to the variance, g². May be negative where units are taken away.
    pub variance_g2: f64,
}

/// Shares of `Policy::error_rate`; they follow from which errors audits find (FIELD 3.2): a missed scan before all.
mod share {
    pub const UNSCANNED: f64 = 0.42;
    pub const UNSCANNED_SOMETHING: f64 = 0.04;
    pub const QUANTITY_MORE: f64 = 0.16;
    pub const QUANTITY_LESS: f64 = 0.10;
    pub const ABSENT: f64 = 0.10;
    pub const ABSENT_SOMETHING: f64 = 0.02;
    pub const SWAPPED: f64 = 0.10;
    pub const BAG: f64 = 0.03;
    pub const STALE_WEIGHT: f64 = 0.02;
    pub const FOREIGN: f64 = 0.01;
}

/// One, two or three units of the same unscanned product.
const UNITS: [(u32, f64); 3] = [(1, 0.85), (2, 0.11), (3, 0.04)];
/// A wrong catalogue weight is off by about this share of the unit, 1 sigma.
const STALE_SHARE: f64 = 0.12;
/// Spread of what "something" may weigh, grams, 1 sigma, in either direction.
const SOMETHING_SD_G: f64 = 900.0;
/// An undeclared bag: mean and spread in grams.
const BAG_G: (f64, f64) = (70.0, 40.0);
/// Something foreign: mean and spread in grams.
const FOREIGN_G: (f64, f64) = (1200.0, 900.0);
/// Beyond so many sigma an edit cannot explain a residual and is not listed.
const REACH_SIGMA: f64 = 7.0;

/// All edits that could explain a residual of `residual_g` known to `sigma_g`, [`Edit::Nothing`] first.
///
/// Priors of what is left out are not handed to what is listed: an edit that cannot explain the mass is refuted, not unheard.
pub fn hypotheses(
    expected: &Expected,
    catalogue: &Catalogue,
    policy: &Policy,
    residual_g: f64,
    sigma_g: f64,
) -> Vec<Hypothesis> {
    let mut list = vec![Hypothesis {
        edit: Edit::Nothing,
        log_prior: (1.0 - policy.error_rate).ln(),
        shift_g: 0.0,
        variance_g2: 0.0,
    }];
    let mut maker = Maker { expected, catalogue, rate: policy.error_rate, residual_g, sigma_g, list: &mut list };
    maker.unscanned();
    maker.lines();
    maker.swapped();
    maker.broad();
    list
}

struct Maker<'a> {
    expected: &'a Expected,
    catalogue: &'a Catalogue,
    rate: f64,
    residual_g: f64,
    sigma_g: f64,
    list: &'a mut Vec<Hypothesis>,
}

impl Maker<'_> {
    fn push(&mut self, edit: Edit, prior: f64, shift_g: f64, variance_g2: f64) {
        let sigma_g = (self.sigma_g * self.sigma_g + variance_g2).max(1e-6).sqrt();
        if prior > 0.0 && (self.residual_g - shift_g).abs() <= REACH_SIGMA * sigma_g {
            self.list.push(Hypothesis { edit, log_prior: (self.rate * prior).ln(), shift_g, variance_g2 });
        }
    }

    /// A product's mass reaches as far as its own spread: produce varies by tenths of its mean.
    fn near(&self, mass_g: f64) -> (f64, f64) {
        let reach_g = REACH_SIGMA * self.sigma_g + 0.5 * mass_g.abs();
        (mass_g - reach_g, mass_g + reach_g)
    }

    fn unscanned(&mut self) {
        for (units, share) in UNITS {
            let n = f64::from(units);
            let (from_g, to_g) = self.near(self.residual_g / n);
            let catalogue = self.catalogue;
            for &product in catalogue.weighing_between(from_g, to_g) {
                if self.expected.lists(product) {
                    continue;
                }
                let weight = catalogue.products()[product].weight;
                let prior = share::UNSCANNED * share * catalogue.share(product);
                let variance = n * weight.sd_g.powi(2) + (n * weight.mean_sd_g).powi(2);
                self.push(Edit::Unscanned { product, units }, prior, n * weight.mean_g, variance);
            }
        }
    }

    fn lines(&mut self) {
        let expected = self.expected;
        let count = expected.lines.len().max(1) as f64;
        let units = f64::from(expected.units().max(1));
        for (line, known) in expected.lines.iter().enumerate() {
            let n = f64::from(known.quantity);
            let all = known.variance_g2(known.quantity);
            self.push(Edit::Absent { line }, share::ABSENT / count, -n * known.unit_g, -all);
            let stale = (n * STALE_SHARE * known.unit_g).powi(2);
            self.push(Edit::StaleWeight { line }, share::STALE_WEIGHT / count, 0.0, stale);
            if self.catalogue.products()[known.product].kind == Kind::Weighed {
                continue;
            }
            for found in found_instead(known) {
                let difference = f64::from(found) - n;
                let distance = 0.5f64.powi((difference.abs() as i32 - 1).min(20));
                let share = if difference > 0.0 { share::QUANTITY_MORE } else { share::QUANTITY_LESS };
                let prior = share * 0.6 * distance * n / units;
                self.push(
                    Edit::Quantity { line, found },
                    prior,
                    difference * known.unit_g,
                    known.variance_g2(found) - all,
                );
            }
        }
    }

    fn swapped(&mut self) {
        let expected = self.expected;
        let catalogue = self.catalogue;
        let units = f64::from(expected.units().max(1));
        for (line, known) in expected.lines.iter().enumerate() {
            let n = f64::from(known.quantity);
            let without_one = known.variance_g2(known.quantity - 1) - known.variance_g2(known.quantity);
            let (from_g, to_g) = self.near(self.residual_g + known.unit_g);
            for &instead in catalogue.weighing_between(from_g, to_g) {
                if instead == known.product {
                    continue;
                }
                let weight = catalogue.products()[instead].weight;
                let prior = share::SWAPPED * n / units * catalogue.share(instead);
                let variance = without_one + weight.sd_g.powi(2) + weight.mean_sd_g.powi(2);
                self.push(Edit::Swapped { line, instead }, prior, weight.mean_g - known.unit_g, variance);
            }
        }
    }

    fn broad(&mut self) {
        // One-sided: half of a zero-centred Gaussian, so that twice its density holds on the side it is about.
        if self.residual_g > 0.0 {
            self.push(Edit::UnscannedSomething, 2.0 * share::UNSCANNED_SOMETHING, 0.0, SOMETHING_SD_G.powi(2));
        } else {
            self.push(Edit::AbsentSomething, 2.0 * share::ABSENT_SOMETHING, 0.0, SOMETHING_SD_G.powi(2));
        }
        self.push(Edit::Bag, share::BAG, BAG_G.0, BAG_G.1.powi(2));
        self.push(Edit::Foreign, share::FOREIGN, FOREIGN_G.0, FOREIGN_G.1.powi(2));
    }
}

/// Other numbers of units that a line may have: fewer down to one, and up to three more.
fn found_instead(line: &ExpectedLine) -> impl Iterator<Item = u32> {
    let scanned = line.quantity;
    (scanned.saturating_sub(6).max(1)..=scanned.saturating_add(3)).filter(move |found| *found != scanned)
}
