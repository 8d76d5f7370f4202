//! What the plate should carry if the list is right.

use crate::basket::{Basket, Code, ContainerKind};
use crate::goods::{BagBelief, Catalogue, ContainerBelief, Kind};

/// What a labelled portion weighs besides its printed net mass, 1 sigma in grams: its bag, and the rounding of the counter's scale.
const LABEL_SIGMA_G: f64 = 3.0;
/// A stated weight of bags is a kitchen scale's or the store's own, 1 sigma in grams.
const STATED_BAGS_SIGMA_G: f64 = 3.0;

/// All units of one product on the list; labelled portions stand alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedLine {
    /// Index of the product in the catalogue.
    pub product: usize,
    /// Units scanned.
    pub quantity: u32,
    /// Mean mass of a unit in grams.
    pub unit_g: f64,
    /// Spread from unit to unit, 1 sigma in grams.
    pub unit_sd_g: f64,
    /// Uncertainty of the mean, shared by the units, 1 sigma in grams.
    pub mean_sd_g: f64,
}

impl ExpectedLine {
    /// Variance in g² of so many of its units.
    pub fn variance_g2(&self, units: u32) -> f64 {
        let n = f64::from(units);
        n * self.unit_sd_g * self.unit_sd_g + (n * self.mean_sd_g).powi(2)
    }
}

/// A line whose code the catalogue does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLine {
    /// The code as scanned.
    pub code: String,
    /// Units scanned.
    pub quantity: u32,
}

/// What the plate should carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Lines the catalogue knows, in the list's order.
    pub lines: Vec<ExpectedLine>,
    /// Lines it does not know: without their mass nothing can be judged.
    pub unknown: Vec<UnknownLine>,
    /// Mean of the whole in grams, containers and bags included.
    pub mean_g: f64,
    /// Variance of the whole in g², the scale's own left out.
    pub variance_g2: f64,
}

impl Expected {
    /// Adds up a checked list. `codes` are the codes of `basket.lines` in order.
    pub fn new(
        basket: &Basket,
        codes: &[(Code, u32)],
        catalogue: &Catalogue,
        containers: &[ContainerBelief],
        bags: BagBelief,
    ) -> Self {
        let mut expected = Self { lines: Vec::new(), unknown: Vec::new(), mean_g: 0.0, variance_g2: 0.0 };
        for ((code, quantity), line) in codes.iter().zip(&basket.lines) {
            match catalogue.find_code(code.key()) {
                Some(product) => expected.add(product, code, *quantity, catalogue),
                None => expected.unknown.push(UnknownLine { code: line.code.clone(), quantity: *quantity }),
            }
        }
        for line in &expected.lines {
            expected.mean_g += f64::from(line.quantity) * line.unit_g;
            expected.variance_g2 += line.variance_g2(line.quantity);
        }
        for container in basket.containers.iter().filter(|c| c.kind != ContainerKind::None) {
            if let Some(belief) = containers.iter().find(|b| b.kind == container.kind.as_str()) {
                expected.mean_g += belief.tare_g;
                expected.variance_g2 += belief.sigma_g * belief.sigma_g;
            }
        }
        let count = f64::from(basket.bags.count);
        match basket.bags.grams {
            Some(grams) => {
                expected.mean_g += grams;
                expected.variance_g2 += STATED_BAGS_SIGMA_G * STATED_BAGS_SIGMA_G;
            }
            None => {
                expected.mean_g += count * bags.mean_g;
                expected.variance_g2 += count * bags.sigma_g * bags.sigma_g;
            }
        }
        expected
    }

    fn add(&mut self, product: usize, code: &Code, quantity: u32, catalogue: &Catalogue) {
        let known = &catalogue.products()[product];
        match code {
            Code::Weighed { mass, .. } => {
                self.lines.push(ExpectedLine {
                    product,
                    quantity,
                    unit_g: mass.g(),
                    unit_sd_g: LABEL_SIGMA_G,
                    mean_sd_g: 0.0,
                });
            }
            Code::Gtin(_) => {
                match self.lines.iter_mut().find(|l| l.product == product && known.kind != Kind::Weighed) {
                    Some(line) => line.quantity += quantity,
                    None => self.lines.push(ExpectedLine {
                        product,
                        quantity,
                        unit_g: known.weight.mean_g,
                        unit_sd_g: known.weight.sd_g,
                        mean_sd_g: known.weight.mean_sd_g,
                    }),
                }
            }
        }
    }

    /// Units on the list.
    pub fn units(&self) -> u32 {
        self.lines.iter().map(|l| l.quantity).sum()
    }

    /// Whether a product stands on the list.
    pub fn lists(&self, product: usize) -> bool {
        self.lines.iter().any(|l| l.product == product)
    }
}
