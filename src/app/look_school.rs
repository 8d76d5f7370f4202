//! Learns how goods look from visits that were right, in the shadow of how it learns what they weigh.
//!
//! The looks that verdicts were based on are held in memory until it is known what became of the visit, and never written down: what is
//! kept is at most one vector a product and day.

use super::school::Confirmed;
use crate::io::store::{Database, LearnedLook, StoreError};
use augenmass_core::goods::catalogue::hex;
use augenmass_core::goods::{Gallery, LookVector};
use augenmass_core::station::lesson::Circumstances;
use augenmass_core::station::look_lesson::look_lesson;
use augenmass_core::units::{ProductId, ValidationId, Wall};
use augenmass_core::vision::Scene;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Looks that wait for what becomes of their visits; a full one is some 30 kB.
const WAITING_MAX: usize = 128;

/// The look that a verdict was based on.
#[derive(Clone, Debug)]
pub struct SeenVisit {
    /// The validation.
    pub validation_id: ValidationId,
    /// The attempt.
    pub attempt: u32,
    /// What was seen.
    pub scene: Scene,
}

/// Learns looks.
#[derive(Debug)]
pub struct LookSchool {
    seen: mpsc::Receiver<SeenVisit>,
    waiting: VecDeque<SeenVisit>,
}

impl LookSchool {
    /// Takes what was seen from `seen`.
    pub fn new(seen: mpsc::Receiver<SeenVisit>) -> Self {
        Self { seen, waiting: VecDeque::new() }
    }

    /// Takes in what was seen since.
    pub fn listen(&mut self) {
        while let Ok(seen) = self.seen.try_recv() {
            if self.waiting.len() == WAITING_MAX {
                self.waiting.pop_front();
            }
            self.waiting.push_back(seen);
        }
    }

    /// Learns from visits that were right; gives how many views were learned.
    ///
    /// # Errors
    /// The store's.
    pub fn learn(
        &mut self,
        database: &mut Database,
        confirmed: &[Confirmed],
        gallery: &Gallery,
        circumstances: &Circumstances<'_>,
        now: Wall,
    ) -> Result<usize, StoreError> {
        let mut learned = 0;
        for Confirmed { verdict, basket, grounds } in confirmed {
            let is_its =
                |seen: &SeenVisit| seen.validation_id == verdict.validation_id && seen.attempt == verdict.attempt;
            let Some(seen) = self.waiting.iter().position(is_its).and_then(|at| self.waiting.remove(at)) else {
                continue;
            };
            let shopper = basket.shopper.as_ref().map(|shopper| shopper.pseudonym.as_str());
            for shown in look_lesson(basket, verdict, *grounds, &seen.scene, gallery, circumstances) {
                if let Err(why) = &shown.fit {
                    tracing::debug!(product = %shown.product, %why, "no look is learned");
                    continue;
                }
                let look = LearnedLook {
                    view: LookVector::quantise(&shown.crop),
                    visit: verdict.validation_id.clone(),
                    shopper: shopper.map(|shopper| stands_for(shopper, &shown.product)),
                    product: shown.product,
                };
                match database.learn_look(&gallery.space_id, &look, now)? {
                    Ok(()) => {
                        tracing::info!(product = %look.product, "a look is learned");
                        learned += 1;
                    }
                    Err(why) => tracing::debug!(product = %look.product, %why, "no look is learned"),
                }
            }
        }
        Ok(learned)
    }
}

/// Tells one product's teachers apart, and nobody across products.
fn stands_for(shopper: &str, product: &ProductId) -> String {
    hex(&Sha256::digest(format!("{product}\n{shopper}").as_bytes())[..16])
}
