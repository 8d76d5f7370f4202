//! Where the pictures of a verdict's findings are: asked of the store once for all who wait for the same verdict.

use super::hub::Hub;
use super::problem::Problem;
use augenmass_core::units::{Mono, ValidationId};
use augenmass_core::verdict::Verdict;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Verdicts whose pictures are remembered: the one that everybody waits for, and a few before it.
const REMEMBERED: usize = 16;
/// Pictures are deleted when their time is over; what was asked longer ago is asked again.
const FOR_MS: u64 = 10_000;

/// Finding and number of a picture, as the store has them.
type Places = Arc<OnceCell<Vec<(u32, u32)>>>;

/// What the store said lately, or is being asked just now.
#[derive(Debug, Default)]
pub struct Pictures {
    asked: Mutex<VecDeque<(ValidationId, u32, Mono, Places)>>,
}

impl Pictures {
    /// The place that everybody who asks for this attempt shares.
    fn places(&self, id: &ValidationId, attempt: u32, now: Mono) -> Places {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|(_, _, at, _)| now.ms_since(*at) < FOR_MS);
        if let Some((_, _, _, places)) = asked.iter().find(|(of, number, _, _)| of == id && *number == attempt) {
            return places.clone();
        }
        if asked.len() == REMEMBERED {
            asked.pop_front();
        }
        let places = Places::default();
        asked.push_back((id.clone(), attempt, now, places.clone()));
        places
    }
}

impl Hub {
    /// A verdict that did not pass, with where the pictures of its findings are.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn with_pictures(&self, verdict: Arc<Verdict>) -> Result<Arc<Verdict>, Problem> {
        if verdict.findings.is_empty() {
            return Ok(verdict);
        }
        let (id, attempt, now) = (&verdict.validation_id, verdict.attempt, self.clock.now());
        let places = self.pictures.places(id, attempt, now.mono);
        let ask = || {
            let id = id.clone();
            self.read(move |store| store.crops_of_findings(&id, attempt, now.wall))
        };
        let pictures = places.get_or_try_init(ask).await?;
        if pictures.is_empty() {
            return Ok(verdict);
        }
        let mut told = verdict.as_ref().clone();
        for &(finding, number) in pictures {
            if let Some(finding) = told.findings.get_mut(finding as usize) {
                finding.image = Some(format!("/v1/validations/{id}/attempts/{attempt}/crops/{number}"));
            }
        }
        Ok(Arc::new(told))
    }
}
