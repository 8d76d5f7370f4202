//! Goods between the shopper's hands and the plate: the slow search for their places.

use std::sync::Arc;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::command::Brought;
use crate::placement::{Space, arrange_more};
use crate::render::{Placed, Plate};
use crate::shop::Shop;
use crate::world::{Load, Lying};

/// Goods on their way to the plate.
#[derive(Debug)]
pub struct Armful {
    pub(super) before: Load,
    pub(super) after: Load,
    pub(super) units: Vec<(usize, f64)>,
    pub(super) brought: Vec<Brought>,
    pub(super) hold_us: u64,
    pub(super) shop: Arc<Shop>,
    pub(super) plate: Plate,
    pub(super) rng: ChaCha8Rng,
}

impl Armful {
    /// Finds each unit's place: the slow part, up to some hundred milliseconds.
    #[must_use]
    pub fn laid(mut self) -> Self {
        let space = Space::of(&self.plate, self.after.container.as_ref().map(|standing| &standing.shape));
        let units: Vec<(usize, u64)> = self.units.iter().map(|(good, _)| (*good, self.rng.random())).collect();
        let lying: Vec<Placed> = self.after.goods.iter().map(|lying| lying.placed).collect();
        let placed = arrange_more(&self.shop, &space, &lying, &units, &mut self.rng);
        let masses = self.units.drain(..).map(|(_, mass_g)| mass_g);
        self.after.goods.extend(placed.into_iter().zip(masses).map(|(placed, mass_g)| Lying { placed, mass_g }));
        self
    }
}
