//! One basket with everything that it is judged by.

use super::filling::{self, Arrivals, Filling};
use super::limits;
use super::machine::StationConfig;
use crate::basket::{Basket, Code};
use crate::goods::{Catalogue, Gallery};
use crate::units::ValidationId;
use crate::verdict::judge::{self, Conclusion};
use crate::verdict::{Expected, Message, Outcome, Policy, StepEvidence};
use crate::vision::Scene;
use crate::weighing::Load;
use sha2::{Digest, Sha256};

/// A basket under validation.
pub struct Case<'a> {
    /// The validation.
    pub validation_id: &'a ValidationId,
    /// Which revision of the list.
    pub revision: u64,
    /// The list, what has no mass left out.
    pub basket: &'a Basket,
    /// Its codes in order, with units.
    pub codes: &'a [(Code, u32)],
    /// When its units came.
    pub arrivals: &'a Arrivals,
    /// How what rests on the plate came there.
    pub filling: &'a Filling,
    /// `correct` answers so far.
    pub corrections: u32,
    /// What the shop sells.
    pub catalogue: &'a Catalogue,
    /// How it looks.
    pub gallery: Option<&'a Gallery>,
    /// What the station is set to.
    pub config: &'a StationConfig,
}

impl Case<'_> {
    fn policy(&self) -> Policy {
        let first_visit = self.basket.shopper.as_ref().is_some_and(|shopper| shopper.first_visit);
        self.config.policy.for_shopper(first_visit)
    }

    fn expected(&self) -> Expected {
        Expected::new(self.basket, self.codes, self.catalogue, &self.config.containers, &self.config.bags)
    }

    fn guesses(&self, load: &Load, expected: &Expected) -> Vec<Vec<StepEvidence>> {
        filling::guesses(self.filling, self.arrivals, self.basket, expected, load)
    }

    fn evidence<'e>(
        &'e self,
        load: &Load,
        scene: Option<&'e Scene>,
        expected: &'e Expected,
        guesses: &'e [Vec<StepEvidence>],
    ) -> judge::Evidence<'e> {
        judge::Evidence {
            measured: load.mass,
            sigma: load.sigma,
            scene,
            expected,
            catalogue: self.catalogue,
            steps: &[],
            guesses,
            bag: &self.config.bags,
            gallery: self.gallery,
            corrections: self.corrections,
        }
    }

    /// Judges what lies on the plate.
    pub fn judge(&self, load: &Load, scene: Option<&Scene>) -> Conclusion {
        let expected = self.expected();
        let guesses = self.guesses(load, &expected);
        let conclusion = judge::judge(&self.evidence(load, scene, &expected, &guesses), &self.policy());
        if conclusion.outcome == Outcome::Pass && self.is_control_sample() {
            return Conclusion {
                outcome: Outcome::Assist,
                message: Message::StaffWillHelp {},
                control_sample: true,
                ..conclusion
            };
        }
        match self.age_limit() {
            Some(years) if conclusion.outcome == Outcome::Pass => {
                Conclusion { outcome: Outcome::Assist, message: Message::AgeCheck { years }, ..conclusion }
            }
            Some(_) | None => conclusion,
        }
    }

    /// From which age on all of it may be sold, where staff is to look at that: what the weight says is one thing, who buys it another.
    fn age_limit(&self) -> Option<u8> {
        let products = self.codes.iter().filter_map(|(code, _)| self.catalogue.find_code(code.key()));
        let limits = products.filter_map(|place| self.catalogue.products()[place].terms.age_limit);
        limits.max().filter(|_| self.config.policy.age_check)
    }

    /// Whether this list came scan by scan while what rests there was put down: then it is this shopper's.
    pub fn was_filled_here(&self, load: &Load) -> bool {
        !self.guesses(load, &self.expected()).is_empty()
    }

    /// Whether the weight is so clear that the look under way is not worth waiting for.
    pub fn passes_at_once(&self, load: &Load) -> bool {
        let expected = self.expected();
        let guesses = self.guesses(load, &expected);
        let evidence = self.evidence(load, None, &expected, &guesses);
        judge::pass_at_once(&evidence, &self.policy(), limits::LOOK_USUAL_S)
    }

    /// Drawn from the validation's identifier, which the station makes and nobody can choose: the same basket is always the same case.
    fn is_control_sample(&self) -> bool {
        let digest = Sha256::digest(self.validation_id.as_str().as_bytes());
        let drawn = digest.iter().take(6).fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
        (drawn as f64) < self.config.policy.control_sample * (1u64 << 48) as f64
    }
}
