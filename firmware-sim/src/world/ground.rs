//! Which rigid plate carries what: several may stand side by side on the station's plane.

use super::load::{Load, Standing};
use super::plate::Wrench;
use crate::hw::{Cell, Hardware};

/// Wheels (or the bottom's edges) stand so far from a container's middle, in shares of its size.
const WHEELS_AT: f64 = 0.5;

/// An edge of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// Small x.
    Left,
    /// Large x.
    Right,
    /// Small y.
    Front,
    /// Large y.
    Back,
}

/// What keeps a plate from feeling all that stands on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mischief {
    /// The frame carries this share of the load at a place: a wheel touches it, or debris lies under the plate there.
    Touches {
        /// Of the load, 0 to 1.
        share: f64,
        /// Where, millimetres.
        at_mm: [f64; 2],
    },
    /// The container stands with this edge beside the plate.
    HalfOn(Edge),
}

/// One port's cells and the plate they stand under.
#[derive(Debug, Clone)]
pub struct Footing {
    /// Which plate.
    pub plate: usize,
    /// The cells in the order of the channels.
    pub cells: Vec<Cell>,
}

/// The footings of all ports: boards in the station file's order, then indicators.
pub fn footings(hardware: &Hardware) -> Vec<Footing> {
    let mut names: Vec<&str> = Vec::new();
    let mut footings = Vec::new();
    for board in &hardware.boards {
        let plate = names.iter().position(|name| *name == board.plate).unwrap_or_else(|| {
            names.push(&board.plate);
            names.len() - 1
        });
        footings.push(Footing { plate, cells: board.cells.clone() });
    }
    let boards_middle = |plate| Outline::of(plate, &footings).map(|outline| outline.middle_mm());
    let middles: Vec<[f64; 2]> = (0..names.len()).filter_map(boards_middle).collect();
    let indicators = &hardware.indicators;
    for (index, indicator) in indicators.iter().enumerate() {
        let beside = indicators.iter().enumerate().filter(|(other, _)| *other != index);
        let others = beside.map(|(_, other)| [other.x_mm, other.y_mm]).chain(middles.iter().copied());
        let cells = indicator.cells(&hardware.platform, &others.collect::<Vec<_>>());
        footings.push(Footing { plate: names.len() + index, cells });
    }
    footings
}

/// The rectangle around a plate's cells.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Outline {
    x_mm: [f64; 2],
    y_mm: [f64; 2],
}

impl Outline {
    fn of(plate: usize, footings: &[Footing]) -> Option<Self> {
        let cells = || footings.iter().filter(|footing| footing.plate == plate).flat_map(|footing| &footing.cells);
        cells().next()?;
        let span = |of: fn(&Cell) -> f64| {
            cells().map(of).fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], mm| [low.min(mm), high.max(mm)])
        };
        Some(Self { x_mm: span(|cell| cell.x_mm), y_mm: span(|cell| cell.y_mm) })
    }

    fn middle_mm(&self) -> [f64; 2] {
        [(self.x_mm[0] + self.x_mm[1]) / 2.0, (self.y_mm[0] + self.y_mm[1]) / 2.0]
    }

    /// How far outside a place lies, squared; 0 inside.
    fn distance2(&self, [x_mm, y_mm]: [f64; 2]) -> f64 {
        let outside = |mm: f64, [low, high]: [f64; 2]| (low - mm).max(mm - high).max(0.0);
        outside(x_mm, self.x_mm).powi(2) + outside(y_mm, self.y_mm).powi(2)
    }
}

/// All plates of the station.
#[derive(Debug, Clone)]
pub struct Ground {
    outlines: Vec<Outline>,
    mischief: Vec<Vec<Mischief>>,
}

impl Ground {
    /// The plates under these footings.
    pub fn new(footings: &[Footing]) -> Self {
        let count = footings.iter().map(|footing| footing.plate + 1).max().unwrap_or(0);
        let outlines: Vec<Outline> = (0..count).filter_map(|plate| Outline::of(plate, footings)).collect();
        Self { mischief: vec![Vec::new(); outlines.len()], outlines }
    }

    /// How many plates there are.
    pub fn count(&self) -> usize {
        self.outlines.len()
    }

    /// What is wrong at a plate from now on.
    pub fn set_mischief(&mut self, plate: usize, mischief: Vec<Mischief>) {
        if let Some(current) = self.mischief.get_mut(plate) {
            *current = mischief;
        }
    }

    /// The plate under a place: the one over whose cells it lies, else the nearest.
    pub fn under(&self, at_mm: [f64; 2]) -> usize {
        let distance2 = |plate: &usize| self.outlines[*plate].distance2(at_mm);
        (0..self.outlines.len()).min_by(|a, b| distance2(a).total_cmp(&distance2(b))).unwrap_or(0)
    }

    /// What each plate carries of a load at rest.
    pub fn carried(&self, load: &Load) -> Vec<Wrench> {
        let mut carried = vec![Wrench::default(); self.outlines.len()];
        let half_on = |mischief: &Mischief| matches!(mischief, Mischief::HalfOn(_));
        let lost_wheels = self.mischief.iter().flatten().any(half_on);
        if self.outlines.len() == 1 && !lost_wheels {
            carried[0] = load.wrench();
        } else {
            self.by_wheels(load, &mut carried);
        }
        for (wrench, mischief) in carried.iter_mut().zip(&self.mischief) {
            for mischief in mischief {
                if let Mischief::Touches { share, at_mm } = *mischief {
                    *wrench = *wrench + Wrench::at(-share * wrench.load_g, at_mm);
                }
            }
        }
        carried
    }

    fn by_wheels(&self, load: &Load, carried: &mut [Wrench]) {
        let Some(container) = &load.container else {
            for wrench in load.wrenches() {
                let plate = self.under(place(wrench));
                carried[plate] = carried[plate] + wrench;
            }
            return;
        };
        for (wheel_mm, share_g) in wheels(container, load.wrench()) {
            let plate = self.under(wheel_mm);
            let beside = |mischief: &Mischief| match mischief {
                Mischief::HalfOn(edge) => is_at(*edge, container, wheel_mm),
                Mischief::Touches { .. } => false,
            };
            if !self.mischief[plate].iter().any(beside) {
                carried[plate] = carried[plate] + Wrench::at(share_g, wheel_mm);
            }
        }
    }
}

fn place(wrench: Wrench) -> [f64; 2] {
    [wrench.moment_x_gmm / wrench.load_g, wrench.moment_y_gmm / wrench.load_g]
}

fn is_at(edge: Edge, container: &Standing, [x_mm, y_mm]: [f64; 2]) -> bool {
    let [middle_x_mm, middle_y_mm] = container.shape.at_mm;
    match edge {
        Edge::Left => x_mm < middle_x_mm,
        Edge::Right => x_mm > middle_x_mm,
        Edge::Front => y_mm < middle_y_mm,
        Edge::Back => y_mm > middle_y_mm,
    }
}

/// Places of a container's four wheels and what each carries: the load with its centre of gravity on four equal springs at
/// the corners, `F/4 (1 + x/a + y/b)`.
fn wheels(container: &Standing, total: Wrench) -> [([f64; 2], f64); 4] {
    let shape = &container.shape;
    let (half_x, half_y) = (WHEELS_AT * shape.width_mm, WHEELS_AT * shape.depth_mm);
    let [middle_x_mm, middle_y_mm] = shape.at_mm;
    let [x_mm, y_mm] = if total.load_g > 0.0 { place(total) } else { shape.at_mm };
    let (toward_x, toward_y) = ((x_mm - middle_x_mm) / half_x, (y_mm - middle_y_mm) / half_y);
    [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(right, back)| {
        let at_mm = [middle_x_mm + right * half_x, middle_y_mm + back * half_y];
        (at_mm, total.load_g / 4.0 * (1.0 + right * toward_x + back * toward_y))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw;
    use crate::render::{ContainerKind, ContainerShape};
    use crate::world::Thing;

    fn two_plates() -> Vec<Footing> {
        let mut hardware = hw::tests::plate();
        let mut right = hardware.boards[0].clone();
        right.plate = "right".into();
        for cell in &mut right.cells {
            cell.x_mm += 600.0;
        }
        hardware.boards.push(right);
        footings(&hardware)
    }

    fn weight(mass_g: f64, at_mm: [f64; 2]) -> Thing {
        Thing { name: "weight".into(), mass_g, at_mm }
    }

    fn trolley(at_mm: [f64; 2]) -> Standing {
        let mut shape = ContainerShape::centred(ContainerKind::Trolley, 600.0, 200.0, 400.0);
        shape.at_mm = at_mm;
        Standing { kind: "trolley".into(), id: None, mass_g: 20_000.0, shape }
    }

    fn grams(carried: &[Wrench]) -> Vec<f64> {
        carried.iter().map(|wrench| (wrench.load_g * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn each_plate_carries_what_lies_over_its_cells() {
        let ground = Ground::new(&two_plates());
        let things = vec![weight(300.0, [100.0, 0.0]), weight(500.0, [450.0, 0.0]), weight(70.0, [290.0, 20.0])];
        let carried = ground.carried(&Load { things, ..Load::default() });
        // Outlines reach from -210 to 210 and from 390 to 810: 290 is nearer to the left one.
        assert_eq!(grams(&carried), [370.0, 500.0]);
        assert!((carried[1].moment_x_gmm - 500.0 * 450.0).abs() < 1e-6);
    }

    #[test]
    fn a_trolley_across_two_plates_is_shared_by_its_wheels() {
        let ground = Ground::new(&two_plates());
        // Wheels at x = 0 and 600; the weight in it stands a quarter of the way: 15 kg left, 5 kg right.
        let load = Load {
            container: Some(trolley([300.0, 0.0])),
            things: vec![weight(20_000.0, [150.0, 0.0])],
            goods: vec![],
        };
        let carried = ground.carried(&load);
        assert_eq!(grams(&carried), [10_000.0 + 15_000.0, 10_000.0 + 5_000.0]);
        let total = carried.iter().map(|wrench| wrench.moment_x_gmm).sum::<f64>();
        assert!((total - load.wrench().moment_x_gmm).abs() < 1e-3);
    }

    #[test]
    fn a_trolley_half_beside_loses_the_wheels_there() {
        let mut ground = Ground::new(&two_plates()[..1]);
        let load = Load { container: Some(trolley([0.0, 0.0])), ..Load::default() };
        ground.set_mischief(0, vec![Mischief::HalfOn(Edge::Right)]);
        let carried = ground.carried(&load);
        assert_eq!(grams(&carried), [10_000.0]);
        assert!((place(carried[0])[0] + 300.0).abs() < 1e-9, "what is left stands on the left wheels");
        ground.set_mischief(0, vec![Mischief::Touches { share: 0.1, at_mm: [210.0, 140.0] }]);
        assert_eq!(grams(&ground.carried(&load)), [18_000.0]);
    }

    #[test]
    fn finished_scales_side_by_side_keep_apart() {
        let mut hardware = hw::tests::plate();
        hardware.boards.clear();
        for x_mm in [-150.0, 150.0] {
            let mut indicator = hw::tests::indicator("mt-sics");
            indicator.x_mm = x_mm;
            hardware.indicators.push(indicator);
        }
        let ground = Ground::new(&footings(&hardware));
        let things = vec![weight(300.0, [-20.0, 0.0]), weight(500.0, [20.0, 0.0])];
        assert_eq!(grams(&ground.carried(&Load { things, ..Load::default() })), [300.0, 500.0]);
    }
}
