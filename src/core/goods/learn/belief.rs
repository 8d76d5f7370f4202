//! What is believed of one product's or container's mass, and what may be believed before anything was weighed.

use super::kin::Footing;
use super::rival::Rival;
use crate::goods::product::{WeightBelief, WeightSource};
use serde::{Deserialize, Serialize};

/// How unsure a mean is that staff has doubted, as a share of it: as that of a pack of which only the content is known.
const DOUBTED: f64 = 0.12;

/// A belief about the mass of one unit of a product, or about the tare of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    /// Mean mass of a unit in grams.
    pub mean_g: f64,
    /// Variance of what is believed of that mean, g².
    pub mean_variance_g2: f64,
    /// Variance from unit to unit, g².
    pub variance_g2: f64,
    /// So many single weighings would tell the spread as well.
    pub spread_observations: f64,
    /// Visits behind the mean; old ones fade.
    pub observations: f64,
    /// Where it comes from.
    pub source: WeightSource,
    /// What was believed before the first visit. A catalogue that says something else now starts the belief anew.
    pub start: WeightBelief,
    /// Another pack that the visits since some time may come from.
    pub rival: Option<Rival>,
    /// Goods that it has something in common with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Box<str>>,
    /// What the mean stands on beside its own visits.
    #[serde(default)]
    pub footing: Footing,
}

impl Belief {
    /// What the catalogue, the station file or a label says.
    pub fn new(start: WeightBelief) -> Self {
        let spread_observations = match start.source {
            WeightSource::Label => 3.0,
            WeightSource::Seeded => 10.0,
            WeightSource::Learned | WeightSource::StaffVerified => 30.0,
        };
        Self {
            mean_g: start.mean_g,
            mean_variance_g2: start.mean_sd_g * start.mean_sd_g,
            variance_g2: (start.sd_g * start.sd_g).max(1e-4),
            spread_observations,
            observations: 0.0,
            source: start.source,
            start,
            rival: None,
            family: None,
            footing: Footing::Start,
        }
    }

    /// Forgets how sure it was.
    pub fn doubt(&mut self) {
        let unsure_g = DOUBTED * self.mean_g;
        self.mean_variance_g2 = self.mean_variance_g2.max(unsure_g * unsure_g);
        self.observations = 0.0;
        self.source = WeightSource::Label;
        self.rival = None;
        self.footing = Footing::Own;
    }

    /// As the judge uses it.
    pub fn weight(&self) -> WeightBelief {
        WeightBelief {
            mean_g: self.mean_g,
            sd_g: self.variance_g2.sqrt(),
            mean_sd_g: self.mean_variance_g2.sqrt(),
            source: self.source,
        }
    }
}

/// What may be believed of a pack from what is printed on it.
pub mod prior {
    use super::{WeightBelief, WeightSource};

    /// Fillings lie this much above the label on average: a batch's mean may not lie below it (Directive 76/211/EEC, Annex I 1).
    const OVERFILL: f64 = 1.01;
    /// What packaging weighs where nobody said, as a share of the content: films next to nothing, glass a half.
    const PACKAGING: (f64, f64) = (0.08, 0.12);
    /// The same of a few grams that even the smallest pack has.
    const PACKAGING_LEAST_G: f64 = 2.0;
    /// How unsure a printed gross mass is, as a share of it.
    const GROSS_SURE: f64 = 0.006;

    /// Tolerable negative error of a net content in grams or millilitres (Directive 76/211/EEC, Annex I 2.4).
    pub fn tolerable_error_g(net_g: f64) -> f64 {
        match net_g {
            n if n < 50.0 => 0.09 * n,
            n if n < 100.0 => 4.5,
            n if n < 200.0 => 0.045 * n,
            n if n < 300.0 => 9.0,
            n if n < 500.0 => 0.03 * n,
            n if n < 1000.0 => 15.0,
            n => 0.015 * n,
        }
    }

    /// Half the tolerable error: one pack in fifty may lie below it, which is two sigma.
    fn spread_g(net_g: f64) -> f64 {
        (tolerable_error_g(net_g) / 2.0).max(0.5)
    }

    /// The most that a pack of this mass can vary by and still be one of a filling machine's, 1 sigma in grams: the law allows 9 % of the
    /// smallest contents, which is two sigma.
    pub fn greatest_spread_g(mass_g: f64) -> f64 {
        (0.045 * mass_g).max(0.5)
    }

    /// From the net content alone: what the packaging weighs is not known.
    pub fn net_only(net_g: f64) -> WeightBelief {
        WeightBelief {
            mean_g: OVERFILL * net_g + PACKAGING.0 * net_g,
            sd_g: spread_g(net_g),
            mean_sd_g: PACKAGING.1 * net_g + PACKAGING_LEAST_G,
            source: WeightSource::Label,
        }
    }

    /// From the net content and a stated gross mass of a pack.
    pub fn gross(gross_g: f64, net_g: f64) -> WeightBelief {
        let packaging_g = (gross_g - net_g).max(0.0);
        WeightBelief {
            mean_g: OVERFILL * net_g + packaging_g,
            sd_g: spread_g(net_g),
            mean_sd_g: (GROSS_SURE * gross_g).max(0.3),
            source: WeightSource::Label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::prior::*;
    use super::*;

    #[test]
    fn a_belief_that_staff_doubts_keeps_its_mean_and_not_its_certainty() {
        let mut belief =
            Belief::new(WeightBelief { mean_g: 250.0, sd_g: 2.0, mean_sd_g: 0.2, source: WeightSource::StaffVerified });
        belief.doubt();
        let weight = belief.weight();
        assert_eq!((weight.mean_g, weight.sd_g, weight.source), (250.0, 2.0, WeightSource::Label));
        assert!((weight.mean_sd_g - 30.0).abs() < 1e-9);
        // What was less sure still stays as it was.
        let mut unsure = Belief::new(net_only(450.0));
        let before = unsure.weight().mean_sd_g;
        unsure.doubt();
        assert_eq!(unsure.weight().mean_sd_g, before.max(0.12 * unsure.mean_g));
    }

    /// FIELD's table at its own steps, halved; a jar of 450 g that weighs 680 g is 2.9 sigma of what a label lets expect, no miracle.
    #[test]
    fn labels_leave_room_for_glass_and_gross_masses_do_not() {
        for (net_g, error_g) in [(20.0, 1.8), (75.0, 4.5), (150.0, 6.75), (250.0, 9.0), (400.0, 12.0), (2000.0, 30.0)] {
            assert!((tolerable_error_g(net_g) - error_g).abs() < 1e-9, "{net_g}");
        }
        let jar = net_only(450.0);
        assert!((680.0 - jar.mean_g) / jar.mean_sd_g < 4.0 && jar.sd_g == 6.75);
        let known = gross(680.0, 450.0);
        assert!((known.mean_g - 684.5).abs() < 1e-9 && known.mean_sd_g < 5.0);
        let belief = Belief::new(known);
        assert_eq!(belief.weight(), known);
    }
}
