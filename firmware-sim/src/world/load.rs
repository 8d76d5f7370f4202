//! What stands on the plate.

use super::plate::Wrench;
use crate::render::{ContainerShape, Placed};

/// A container with its true mass.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// `trolley` or `basket`, as in the station file.
    pub kind: String,
    /// The one of the store's own that it is.
    pub id: Option<String>,
    /// True mass of this very one.
    pub mass_g: f64,
    /// What it looks like and where it stands.
    pub shape: ContainerShape,
}

/// One unit of a good with its true mass.
#[derive(Debug, Clone, PartialEq)]
pub struct Lying {
    /// Which good, and where it lies.
    pub placed: Placed,
    /// True mass of this very unit.
    pub mass_g: f64,
}

/// Something without a look of its own: a shopper's folded bag, a weight put down by an engineer.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// For people.
    pub name: String,
    /// True mass.
    pub mass_g: f64,
    /// Where it presses on the plate.
    pub at_mm: [f64; 2],
}

/// Everything that rests on the plate; hands are not part of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Load {
    /// At most one container.
    pub container: Option<Standing>,
    /// Goods in the order in which they were put down.
    pub goods: Vec<Lying>,
    /// Bags and other things.
    pub things: Vec<Thing>,
}

impl Load {
    /// Whether nothing rests on the plate.
    pub fn is_empty(&self) -> bool {
        self.container.is_none() && self.goods.is_empty() && self.things.is_empty()
    }

    /// The same somewhere else.
    #[must_use]
    pub fn shifted(&self, [by_x_mm, by_y_mm]: [f64; 2]) -> Self {
        let mut load = self.clone();
        for at_mm in load.container.iter_mut().map(|standing| &mut standing.shape.at_mm) {
            *at_mm = [at_mm[0] + by_x_mm, at_mm[1] + by_y_mm];
        }
        for lying in &mut load.goods {
            lying.placed.pose.centre_mm.x += by_x_mm;
            lying.placed.pose.centre_mm.y += by_y_mm;
        }
        for thing in &mut load.things {
            thing.at_mm = [thing.at_mm[0] + by_x_mm, thing.at_mm[1] + by_y_mm];
        }
        load
    }

    /// True total, grams.
    pub fn total_g(&self) -> f64 {
        self.wrench().load_g
    }

    /// What it does to the plate at rest.
    pub fn wrench(&self) -> Wrench {
        self.wrenches().sum()
    }

    /// The same, one by one: the container, the goods, the things.
    pub fn wrenches(&self) -> impl Iterator<Item = Wrench> {
        let container = self.container.iter().map(|standing| Wrench::at(standing.mass_g, standing.shape.at_mm));
        let goods = self.goods.iter().map(|lying| {
            let centre = lying.placed.pose.centre_mm;
            Wrench::at(lying.mass_g, [centre.x, centre.y])
        });
        let things = self.things.iter().map(|thing| Wrench::at(thing.mass_g, thing.at_mm));
        container.chain(goods).chain(things)
    }

    /// Centre of gravity, millimetres; the plate's middle when there is no load.
    pub fn centre_mm(&self) -> [f64; 2] {
        let wrench = self.wrench();
        if wrench.load_g > 0.0 {
            [wrench.moment_x_gmm / wrench.load_g, wrench.moment_y_gmm / wrench.load_g]
        } else {
            [0.0; 2]
        }
    }
}
