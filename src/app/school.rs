//! Learns from the visits that the store has kept, and gives the goods as they are known then.

use crate::io::store::{Database, Lessons, StoreError};
use augenmass_core::basket::{Basket, InStorePattern};
use augenmass_core::goods::learn::{Change, Learner, Subject};
use augenmass_core::goods::{BagBelief, Catalogue, ContainerBelief, WeightBelief, WeightSource};
use augenmass_core::station::lesson::{Circumstances, Grounds, lesson};
use augenmass_core::station::{StationConfig, limits};
use augenmass_core::units::Wall;
use augenmass_core::verdict::{Policy, Verdict};

/// A pass may become void while the basket stands there; after so long it is gone.
const SETTLED_MS: i64 = 60_000;
/// What families have in common is looked at so often: once a day says as much as once an hour.
const REVISED_EVERY_MS: u64 = 86_400_000;
/// So many beliefs are kept at once: the verdicts' own writing waits no longer than for these.
const KEPT_AT_ONCE: usize = 500;
/// How unsure the station file's mean tare of a kind is, as a share of the spread between containers.
const TARE_SURE: f64 = 0.3;

/// What a station believes and wants beside its goods.
#[derive(Clone, Debug)]
pub struct House {
    /// Containers of the store.
    pub containers: Vec<ContainerBelief>,
    /// Own bags without a stated weight.
    pub bags: BagBelief,
    /// Codes printed by the store's scales.
    pub patterns: Vec<InStorePattern>,
    /// What the retailer wants.
    pub policy: Policy,
}

impl House {
    /// As the station is configured.
    pub fn new(station: &StationConfig) -> Self {
        Self {
            containers: station.containers.clone(),
            bags: station.bags.clone(),
            patterns: station.in_store_codes.clone(),
            policy: station.policy,
        }
    }
}

/// The catalogue as it was imported, what was learned since, and what both make together.
#[derive(Debug)]
pub struct School {
    house: House,
    imported: Catalogue,
    learner: Learner,
    present: Catalogue,
    /// The store's count of changes that [`School::learner`] holds.
    version: i64,
    /// When families were last looked at.
    revised: Option<Wall>,
    /// Visits that were gone through and were right, until somebody takes them.
    confirmed: Vec<Confirmed>,
}

/// A visit that was right.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// Its verdict.
    pub verdict: Verdict,
    /// Its list, as it is now.
    pub basket: Basket,
    /// Why it is thought to be right.
    pub grounds: Grounds,
}

/// Visits that nobody takes are let go beyond so many.
const CONFIRMED_MAX: usize = 256;

impl School {
    /// Reads what was learned so far; a product of which the catalogue now says something else begins anew.
    ///
    /// # Errors
    /// The store's.
    pub fn open(database: &mut Database, imported: Catalogue, house: House, now: Wall) -> Result<Self, StoreError> {
        let mut learner = Learner::new(database.beliefs()?);
        let anew = begin(&mut learner, &imported, &house, now);
        database.keep_learned(&anew, None)?;
        let present = learner.applied_to(&imported);
        Ok(Self {
            house,
            version: database.beliefs_version()?,
            imported,
            learner,
            present,
            revised: None,
            confirmed: Vec::new(),
        })
    }

    /// The goods as they are known now.
    pub fn catalogue(&self) -> &Catalogue {
        &self.present
    }

    /// The store's containers as they are known now: each kind, and those that say who they are and were weighed before.
    pub fn containers(&self) -> Vec<ContainerBelief> {
        let known = |file: &ContainerBelief| match self.learner.weight(&Subject::Kind(file.kind.clone())) {
            Some(tare) => {
                ContainerBelief { tare_g: tare.mean_g, sigma_g: tare.sd_g.hypot(tare.mean_sd_g), ..file.clone() }
            }
            None => file.clone(),
        };
        let kinds = self.house.containers.iter().map(known);
        let own = self.learner.beliefs().iter().filter_map(|(subject, belief)| {
            let Subject::Container(name) = subject else { return None };
            let (kind, id) = name.split_once(':')?;
            let tare = belief.weight();
            let belief = ContainerBelief::of_kind(kind, tare.mean_g, tare.sd_g.hypot(tare.mean_sd_g));
            Some(ContainerBelief { id: Some(id.to_owned()), ..belief })
        });
        kinds.chain(own).collect()
    }

    /// Learns from what has passed since, and takes over what others have changed in the store; says whether anything is different.
    ///
    /// # Errors
    /// The store's; then nothing was learned.
    pub fn go_on(&mut self, database: &mut Database, now: Wall) -> Result<bool, StoreError> {
        let mut different = false;
        if database.beliefs_version()? != self.version {
            self.reload(database, now)?;
            different = true;
        }
        different |= self.take_doubts(database, now)?;
        for lessons in [Lessons::Passes, Lessons::Approvals] {
            different |= self.learn(database, lessons, now)?;
        }
        let due = self.revised.is_none_or(|then| now.ms().abs_diff(then.ms()) >= REVISED_EVERY_MS);
        if different && due {
            self.revise(database, now)?;
        }
        if different {
            self.present = self.learner.applied_to(&self.imported);
        }
        Ok(different)
    }

    /// What lessons are read by, with these containers.
    pub fn circumstances<'a>(&'a self, containers: &'a [ContainerBelief]) -> Circumstances<'a> {
        Circumstances {
            catalogue: &self.present,
            containers,
            bags: &self.house.bags,
            patterns: &self.house.patterns,
            policy: &self.house.policy,
        }
    }

    /// The visits that were right among those gone through since this was asked last.
    pub fn take_confirmed(&mut self) -> Vec<Confirmed> {
        std::mem::take(&mut self.confirmed)
    }

    /// Learns from the next visits of one order, and keeps what they have changed.
    fn learn(&mut self, database: &mut Database, lessons: Lessons, now: Wall) -> Result<bool, StoreError> {
        let visits = database.unlearned(lessons, Wall::from_ms(now.ms() - SETTLED_MS))?;
        let Some(last) = visits.last().map(|visit| visit.place) else { return Ok(false) };
        let mut changes: Vec<Change> = Vec::new();
        let containers = self.containers();
        for visit in visits {
            let grounds = visit.approved.map_or(Some(Grounds::Passed), Grounds::of);
            let (Some((verdict, basket)), Some(grounds)) = (visit.visit, grounds) else { continue };
            let equation = lesson(&basket, &verdict, grounds, &self.circumstances(&containers));
            let validation = verdict.validation_id.clone();
            if verdict.seen.is_some() && self.confirmed.len() < CONFIRMED_MAX {
                self.confirmed.push(Confirmed { verdict, basket, grounds });
            }
            let Some(equation) = equation else { continue };
            for term in &equation.terms {
                begin_container(&mut self.learner, &self.house, &term.subject, equation.at);
            }
            match self.learner.learn(&equation) {
                Ok(learned) => changes.extend(learned),
                Err(why) => {
                    tracing::debug!(%validation, %why, "nothing is learned from this visit")
                }
            }
        }
        if let Err(error) = database.keep_learned(&changes, Some((lessons, last))) {
            self.reload(database, now)?;
            return Err(error);
        }
        self.version = database.beliefs_version()?;
        for container in database.forget_containers(limits::CONTAINERS_KNOWN_MAX)? {
            self.learner.put(container, None);
        }
        Ok(!changes.is_empty())
    }

    /// Puts what families have in common under the beliefs of their goods.
    fn revise(&mut self, database: &mut Database, now: Wall) -> Result<(), StoreError> {
        let changes = self.learner.revise(now);
        for some in changes.chunks(KEPT_AT_ONCE) {
            if let Err(error) = database.keep_learned(some, None) {
                self.reload(database, now)?;
                return Err(error);
            }
        }
        self.version = database.beliefs_version()?;
        self.revised = Some(now);
        Ok(())
    }

    /// What staff has said is wrong is believed less from now on.
    fn take_doubts(&mut self, database: &mut Database, now: Wall) -> Result<bool, StoreError> {
        let doubts = database.doubts()?;
        let Some(last) = doubts.last().map(|(number, _)| *number) else { return Ok(false) };
        let doubted = doubts.into_iter().filter_map(|(_, product)| self.learner.doubt(&Subject::Product(product), now));
        let changes: Vec<Change> = doubted.collect();
        // Told twice it is the same: what was doubted is doubted no more by doubting it again.
        if let Err(error) = database.keep_learned(&changes, None).and_then(|()| database.doubts_taken(last)) {
            self.reload(database, now)?;
            return Err(error);
        }
        self.version = database.beliefs_version()?;
        Ok(!changes.is_empty())
    }

    fn reload(&mut self, database: &Database, now: Wall) -> Result<(), StoreError> {
        self.learner = Learner::new(database.beliefs()?);
        begin(&mut self.learner, &self.imported, &self.house, now);
        self.version = database.beliefs_version()?;
        Ok(())
    }
}

/// What the catalogue and the station file say where nothing was learned yet, or where they have changed their mind since.
fn begin(learner: &mut Learner, catalogue: &Catalogue, house: &House, now: Wall) -> Vec<Change> {
    let products = catalogue.products().iter();
    let mut anew: Vec<Change> = products.filter_map(|product| learner.begin_product(product, now)).collect();
    for container in &house.containers {
        anew.extend(learner.begin(&Subject::Kind(container.kind.clone()), tare(container), now));
    }
    anew
}

fn tare(container: &ContainerBelief) -> WeightBelief {
    WeightBelief {
        mean_g: container.tare_g,
        sd_g: container.sigma_g,
        mean_sd_g: TARE_SURE * container.sigma_g,
        source: WeightSource::Seeded,
    }
}

/// One container is unsure by what its kind spreads, and itself the same every time but for what sticks to it.
fn begin_container(learner: &mut Learner, house: &House, subject: &Subject, at: Wall) {
    const STICKS_G: f64 = 3.0;
    let Subject::Container(name) = subject else { return };
    if learner.belief(subject).is_some() {
        return;
    }
    let kind = house.containers.iter().find(|c| name.split(':').next() == Some(c.kind.as_str()));
    if let Some(kind) = kind {
        let start =
            WeightBelief { mean_g: kind.tare_g, sd_g: STICKS_G, mean_sd_g: kind.sigma_g, source: WeightSource::Seeded };
        learner.begin(subject, start, at);
    }
}
