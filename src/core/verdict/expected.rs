//! What the plate should carry if the list is right.

use super::noise::{Component, Spread, merged, mixture, sum};
use super::policy::Policy;
use super::priors;
use crate::basket::{Basket, Code, ContainerKind};
use crate::goods::{BagBelief, Catalogue, ContainerBelief, Kind, WeightBelief, WeightSource};

/// What a labelled portion weighs more than its printed net mass, grams: a produce bag or a sheet of paper (FIELD 3.5).
pub const LABEL_WRAP_G: f64 = 2.5;
/// How far a labelled portion is off that, 1 sigma in grams: its wrap, and the rounding of the counter's scale.
pub const LABEL_SIGMA_G: f64 = 3.0;
/// A stated weight of bags is a kitchen scale's or the store's own, 1 sigma in grams.
const STATED_BAGS_SIGMA_G: f64 = 3.0;

/// What a unit's mass owes itself to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A filling machine: even, but a pack may silently change.
    Pack,
    /// It grew or was baked: units differ widely.
    Grown,
    /// Somebody weighed it and printed a label.
    Labelled,
}

/// All units of one product on the list; labelled portions stand alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedLine {
    /// Index of the product in the catalogue.
    pub product: usize,
    /// Units scanned.
    pub quantity: u32,
    /// What is believed of a unit's mass.
    pub unit: WeightBelief,
    /// What a unit's mass owes itself to.
    pub nature: Nature,
}

impl ExpectedLine {
    /// How far so many of its units may be off together.
    pub fn spread(&self, units: u32) -> Spread {
        let excess = match self.nature {
            Nature::Pack | Nature::Labelled => priors::EXCESS,
            Nature::Grown => priors::EXCESS_GROWN,
        };
        Spread::new(self.unit.variance_g2(units), excess)
    }

    /// What is rarely but surely wrong with all its units: probabilities, means and variances of the change.
    pub fn rare(&self, policy: &Policy) -> Vec<Component> {
        let all_g = f64::from(self.quantity) * self.unit.mean_g;
        let changed = |(share, mean, sd): (f64, f64, f64)| Component {
            weight: policy.stale_weight_rate * share,
            mean_g: mean * all_g,
            variance_g2: (sd * all_g).powi(2),
        };
        match self.nature {
            Nature::Pack => priors::REPACKED.map(changed).to_vec(),
            Nature::Labelled => {
                let (share, grams) = priors::WRONG_LABEL;
                let variance_g2 = f64::from(self.quantity) * (share * self.unit.mean_g + grams).powi(2);
                vec![Component { weight: policy.wrong_label_rate, mean_g: 0.0, variance_g2 }]
            }
            Nature::Grown => Vec::new(),
        }
    }
}

/// Why nobody knows what a line weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutMass {
    /// The catalogue does not know the code.
    Code,
    /// The code says a price alone, and the catalogue knows no price a kilogram that fits; index of the product in the catalogue.
    Price(usize),
}

/// A line whose mass nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLine {
    /// The code as scanned.
    pub code: String,
    /// Units scanned.
    pub quantity: u32,
    /// Why.
    pub why: WithoutMass,
}

/// What the plate should carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Lines the catalogue knows, in the list's order.
    pub lines: Vec<ExpectedLine>,
    /// Where each line of the list stands in `lines`: units of one product are one line there. `None` for those that are unknown.
    pub places: Vec<Option<usize>>,
    /// Lines whose mass nobody knows: without it nothing can be judged.
    pub unknown: Vec<UnknownLine>,
    /// Mean of the whole in grams, containers and bags included.
    pub mean_g: f64,
    /// What containers and bags of known weight may be off by.
    pub around: Spread,
    /// What bags of unknown weight may be off by, about their mean, and containers that may be others than was said; empty without any.
    pub bags: Vec<Component>,
}

impl Expected {
    /// Adds up a checked list. `codes` are the codes of `basket.lines` in order.
    pub fn new(
        basket: &Basket,
        codes: &[(Code, u32)],
        catalogue: &Catalogue,
        containers: &[ContainerBelief],
        bags: &BagBelief,
    ) -> Self {
        let mut expected = Self {
            lines: Vec::new(),
            places: Vec::new(),
            unknown: Vec::new(),
            mean_g: 0.0,
            around: Spread::default(),
            bags: Vec::new(),
        };
        for ((code, quantity), line) in codes.iter().zip(&basket.lines) {
            let found = catalogue.find_code(code.key());
            let place = found.and_then(|product| expected.add(product, code, *quantity, catalogue));
            if place.is_none() {
                let why = found.map_or(WithoutMass::Code, WithoutMass::Price);
                expected.unknown.push(UnknownLine { code: line.code.clone(), quantity: *quantity, why });
            }
            expected.places.push(place);
        }
        expected.mean_g += expected.lines.iter().map(|l| f64::from(l.quantity) * l.unit.mean_g).sum::<f64>();
        for container in basket.containers.iter().filter(|c| c.kind != ContainerKind::None) {
            let kind = ContainerBelief::find(containers, container.kind.as_str());
            let id = container.id.as_deref();
            let own = id.and_then(|id| ContainerBelief::find_one(containers, container.kind.as_str(), id));
            if let Some(belief) = own.or(kind) {
                expected.mean_g += belief.tare_g;
                expected.around = expected.around.plus(Spread::new(belief.sigma_g * belief.sigma_g, priors::EXCESS));
            }
            if let Some((own, kind)) = own.zip(kind) {
                expected.perhaps_another(own, kind);
            }
        }
        match basket.bags.grams {
            Some(grams) => {
                expected.mean_g += grams;
                expected.around = expected.around.plus(Spread::new(STATED_BAGS_SIGMA_G.powi(2), priors::EXCESS));
            }
            None => expected.add_bags(basket.bags.count, bags),
        }
        expected
    }

    /// Somebody says which container it is, and is mistaken now and then: then it is any of its kind.
    fn perhaps_another(&mut self, own: &ContainerBelief, kind: &ContainerBelief) {
        let more_g2 = (kind.sigma_g * kind.sigma_g - own.sigma_g * own.sigma_g).max(0.0);
        let other =
            Component { weight: priors::OTHER_CONTAINER, mean_g: kind.tare_g - own.tare_g, variance_g2: more_g2 };
        let right = Component { weight: 1.0 - priors::OTHER_CONTAINER, mean_g: 0.0, variance_g2: 0.0 };
        self.add_kinds(&[right, other]);
    }

    fn add_kinds(&mut self, kinds: &[Component]) {
        self.bags = if self.bags.is_empty() { kinds.to_vec() } else { sum(&self.bags, kinds) };
    }

    fn add_bags(&mut self, count: u32, belief: &BagBelief) {
        let one = mixture(belief.kinds.iter().map(|k| (k.share, k.mean_g, k.sigma_g)));
        let one_bag = merged(&one);
        self.mean_g += f64::from(count) * one_bag.mean_g;
        let centred: Vec<Component> =
            one.iter().map(|c| Component { mean_g: c.mean_g - one_bag.mean_g, ..*c }).collect();
        for _ in 0..count {
            self.add_kinds(&centred);
        }
    }

    /// Adds units of a product; says where they stand, or nothing if nobody knows what they weigh.
    fn add(&mut self, product: usize, code: &Code, quantity: u32, catalogue: &Catalogue) -> Option<usize> {
        let known = &catalogue.products()[product];
        let by_label = match code {
            Code::Weighed { mass, .. } => Some((mass.g(), 0.0)),
            Code::Priced { price, .. } if known.kind == Kind::Weighed => {
                Some(known.mass_of_price(price.minor, price.step_minor)?)
            }
            Code::Priced { .. } | Code::Gtin(_) => None,
        };
        let line = match by_label {
            Some((net_g, rounding_g)) => {
                let unit = WeightBelief {
                    mean_g: net_g + LABEL_WRAP_G,
                    sd_g: LABEL_SIGMA_G.hypot(rounding_g),
                    mean_sd_g: 0.0,
                    source: WeightSource::Label,
                };
                ExpectedLine { product, quantity, unit, nature: Nature::Labelled }
            }
            None => {
                let same = |l: &ExpectedLine| l.product == product && l.nature != Nature::Labelled;
                if let Some(place) = self.lines.iter().position(same) {
                    self.lines[place].quantity = self.lines[place].quantity.saturating_add(quantity);
                    return Some(place);
                }
                let nature = match known.kind {
                    Kind::Piece => Nature::Pack,
                    Kind::Varying | Kind::Weighed => Nature::Grown,
                };
                ExpectedLine { product, quantity, unit: known.weight, nature }
            }
        };
        self.lines.push(line);
        Some(self.lines.len() - 1)
    }

    /// How far the whole may be off, 1 sigma² in g², the scale's own left out.
    pub fn variance_g2(&self) -> f64 {
        let lines: f64 = self.lines.iter().map(|l| l.unit.variance_g2(l.quantity)).sum();
        lines + self.around.variance_g2 + merged(&self.bags).variance_g2
    }

    /// Units on the list.
    pub fn units(&self) -> u32 {
        self.lines.iter().map(|l| l.quantity).sum()
    }
}
