//! Many cells under one or several rigid plates: mass, centre of gravity, and how far the cells contradict each other.

use crate::units::Mono;
use nalgebra::{DMatrix, DVector};
use std::collections::BTreeMap;

/// What the platform feels at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When it was measured.
    pub at: Mono,
    /// All cells together, grams.
    pub mass_g: f64,
    /// First moments about the common origin, gram-millimetres along x and y; divided by the mass they are the centre of gravity.
    pub moment_g_mm: [f64; 2],
    /// What no load on rigid plates could cause, grams: the length of the cells' residual, of the plate where it is longest.
    pub twist_g: f64,
}

impl Reading {
    /// Centre of gravity in millimetres from the common origin; `None` for less than 50 g, where it is only noise.
    pub fn centre_mm(&self) -> Option<[f64; 2]> {
        (self.mass_g > 50.0).then(|| self.moment_g_mm.map(|m| m / self.mass_g))
    }
}

/// A cell, or a finished scale that counts as one, as the platform knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Support {
    /// Supports of the same name carry one rigid plate.
    pub plate: String,
    /// Where it carries.
    pub x_mm: f64,
    /// Where it carries.
    pub y_mm: f64,
    /// Idle noise of one sample, 1 sigma in grams.
    pub noise_g: f64,
}

/// Geometry of the supports.
#[derive(Clone, Debug)]
pub struct Platform {
    supports: Vec<Support>,
    plates: Vec<Plate>,
}

#[derive(Clone, Debug)]
struct Plate {
    members: Vec<usize>,
    /// Projects the members' masses onto what a rigid plate on equal supports cannot produce.
    twist: DMatrix<f64>,
    /// What noise alone does to the twist's length, 1 sigma in grams.
    noise_g: f64,
}

impl Plate {
    /// On a rigid plate on equal springs a cell's share is `a + b·x + c·y`; the twist is what is left after the best such
    /// plane. Fewer than four cells, or cells in one line, leave no twist to see: `None`.
    fn new(supports: &[Support], members: Vec<usize>) -> Option<Self> {
        let plane = DMatrix::from_fn(members.len(), 3, |row, column| match column {
            0 => 1.0,
            1 => supports[members[row]].x_mm / 100.0,
            _ => supports[members[row]].y_mm / 100.0,
        });
        if members.len() < 4 {
            return None;
        }
        let inverse = (plane.transpose() * &plane).try_inverse()?;
        let twist = DMatrix::identity(members.len(), members.len()) - &plane * inverse * plane.transpose();
        let variance = |(index, &member): (usize, &usize)| twist[(index, index)] * supports[member].noise_g.powi(2);
        let noise_g = members.iter().enumerate().map(variance).sum::<f64>().sqrt();
        Some(Self { members, twist, noise_g })
    }
}

impl Platform {
    /// From where the supports carry, in the order in which their masses will come.
    pub fn new(supports: Vec<Support>) -> Self {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, support) in supports.iter().enumerate() {
            members.entry(&support.plate).or_default().push(index);
        }
        let plates = members.into_values().filter_map(|members| Plate::new(&supports, members)).collect();
        Self { supports, plates }
    }

    /// Idle noise of one reading's mass, 1 sigma in grams.
    pub fn noise_g(&self) -> f64 {
        self.supports.iter().map(|s| s.noise_g * s.noise_g).sum::<f64>().sqrt()
    }

    /// Mean distance of the supports from the common origin, millimetres.
    pub fn arm_mm(&self) -> f64 {
        let sum: f64 = self.supports.iter().map(|s| s.x_mm.hypot(s.y_mm)).sum();
        sum / self.supports.len().max(1) as f64
    }

    /// What noise alone makes of the twist, 1 sigma in grams.
    pub fn twist_noise_g(&self) -> f64 {
        self.plates.iter().map(|p| p.noise_g).fold(0.0, f64::max)
    }

    /// Fuses the masses of all supports at one moment, as many and in the order as given at the start.
    pub fn fuse(&self, at: Mono, masses_g: &[f64]) -> Reading {
        let along = |place: fn(&Support) -> f64| masses_g.iter().zip(&self.supports).map(|(m, s)| m * place(s)).sum();
        let twist = |plate: &Plate| {
            let own = DVector::from_iterator(plate.members.len(), plate.members.iter().map(|&m| masses_g[m]));
            (&plate.twist * own).norm()
        };
        Reading {
            at,
            mass_g: masses_g.iter().sum(),
            moment_g_mm: [along(|s| s.x_mm), along(|s| s.y_mm)],
            twist_g: self.plates.iter().map(twist).fold(0.0, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn support(plate: &str, x_mm: f64, y_mm: f64) -> Support {
        Support { plate: plate.to_owned(), x_mm, y_mm, noise_g: 0.5 }
    }

    fn square(plate: &str, x_mm: f64) -> Vec<Support> {
        [(-200.0, -100.0), (200.0, -100.0), (200.0, 100.0), (-200.0, 100.0)]
            .map(|(x, y)| support(plate, x_mm + x, y))
            .to_vec()
    }

    fn reading(cells_g: [f64; 4]) -> Reading {
        Platform::new(square("plate", 0.0)).fuse(Mono::default(), &cells_g)
    }

    /// 1 kg at (100, -50): shares by bilinear statics, worked out by hand.
    #[test]
    fn a_load_off_the_middle_is_found_where_it_lies() {
        let r = reading([187.5, 562.5, 187.5, 62.5]);
        assert_eq!(r.mass_g, 1000.0);
        let centre = r.centre_mm().unwrap();
        assert!((centre[0] - 100.0).abs() < 1e-9 && (centre[1] + 50.0).abs() < 1e-9, "{centre:?}");
    }

    #[test]
    fn a_rigid_plate_has_no_twist_and_a_dead_cell_has() {
        // a + b·x + c·y with a 250, b 0.5, c -0.25.
        let sound = reading([175.0, 375.0, 325.0, 125.0]);
        assert!(sound.twist_g < 1e-9, "{sound:?}");
        let dead = reading([175.0, 375.0, 0.0, 125.0]);
        // The residual of one missing corner is a quarter of it on each cell: 325 / 2 in length.
        assert!((dead.twist_g - 162.5).abs() < 1e-9, "{dead:?}");
    }

    #[test]
    fn noise_adds_in_squares() {
        let platform = Platform::new(square("plate", 0.0));
        assert!((platform.noise_g() - 1.0).abs() < 1e-12);
        // Of the four cells' noise one direction in four is twist.
        assert!((platform.twist_noise_g() - 0.5).abs() < 1e-12);
    }

    /// A trolley with its front wheels on one plate and its rear wheels on the other: together a plane is no model of it.
    #[test]
    fn two_plates_are_each_rigid_alone() {
        let supports = [square("front", -500.0), square("rear", 500.0)].concat();
        let cells = [2000.0, 2000.0, 2000.0, 2000.0, 5000.0, 5000.0, 5000.0, 5000.0];
        let r = Platform::new(supports.clone()).fuse(Mono::default(), &cells);
        assert!(r.twist_g < 1e-9, "{r:?}");
        assert_eq!(r.mass_g, 28_000.0);
        // (8 kg · -500 mm + 20 kg · 500 mm) / 28 kg.
        assert!((r.centre_mm().unwrap()[0] - 214.285_714).abs() < 1e-3);
        let mut dead = cells;
        dead[6] = 0.0;
        assert!((Platform::new(supports).fuse(Mono::default(), &dead).twist_g - 2500.0).abs() < 1e-6);
    }

    #[test]
    fn three_cells_carry_without_a_check() {
        let supports = vec![support("p", 0.0, 0.0), support("p", 300.0, 0.0), support("p", 0.0, 300.0)];
        let r = Platform::new(supports).fuse(Mono::default(), &[100.0, 100.0, 100.0]);
        assert_eq!((r.mass_g, r.twist_g), (300.0, 0.0));
        assert_eq!(r.centre_mm(), Some([100.0, 100.0]));
    }
}
