//! Many cells under one rigid plate: mass, centre of gravity, and how far the cells contradict each other.

use super::board::{CellConfig, CellSample};
use crate::units::Mono;
use nalgebra::{DMatrix, DVector};

/// What the plate feels at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When it was measured.
    pub at: Mono,
    /// All cells together, grams.
    pub mass_g: f64,
    /// First moments about the plate's middle, gram-millimetres along x and y; divided by the mass they are the centre of gravity.
    pub moment_g_mm: [f64; 2],
    /// What no load on a rigid plate could cause, grams: the length of the cells' residual.
    pub twist_g: f64,
}

impl Reading {
    /// Centre of gravity in millimetres from the plate's middle; `None` for less than 50 g, where it is only noise.
    pub fn centre_mm(&self) -> Option<[f64; 2]> {
        (self.mass_g > 50.0).then(|| self.moment_g_mm.map(|m| m / self.mass_g))
    }
}

/// Geometry of the cells.
#[derive(Clone, Debug)]
pub struct Platform {
    x_mm: Vec<f64>,
    y_mm: Vec<f64>,
    /// Projects the cells' masses onto what a rigid plate on equal supports cannot produce.
    twist: DMatrix<f64>,
    noise_g: f64,
}

impl Platform {
    /// From the cells' places. On a rigid plate on equal springs a cell's share is `a + b·x + c·y`; the twist is what is left
    /// after the best such plane. Fewer than four cells, or cells in one line, leave no twist to see.
    pub fn new(cells: &[CellConfig]) -> Self {
        let plane = DMatrix::from_fn(cells.len(), 3, |row, column| match column {
            0 => 1.0,
            1 => cells[row].x_mm / 100.0,
            _ => cells[row].y_mm / 100.0,
        });
        let identity = DMatrix::identity(cells.len(), cells.len());
        let twist = (plane.transpose() * &plane).try_inverse().map_or_else(
            || DMatrix::zeros(cells.len(), cells.len()),
            |inverse| identity - &plane * inverse * plane.transpose(),
        );
        Self {
            x_mm: cells.iter().map(|c| c.x_mm).collect(),
            y_mm: cells.iter().map(|c| c.y_mm).collect(),
            twist,
            noise_g: cells.iter().map(|c| c.noise_g * c.noise_g).sum::<f64>().sqrt(),
        }
    }

    /// Idle noise of one reading's mass, 1 sigma in grams.
    pub fn noise_g(&self) -> f64 {
        self.noise_g
    }

    /// Fuses one sample of all cells.
    pub fn fuse(&self, sample: &CellSample) -> Reading {
        let cells = &sample.cells_g;
        let along = |places: &[f64]| cells.iter().zip(places).map(|(m, p)| m * p).sum();
        Reading {
            at: sample.at,
            mass_g: cells.iter().sum(),
            moment_g_mm: [along(&self.x_mm), along(&self.y_mm)],
            twist_g: (&self.twist * DVector::from_column_slice(cells)).norm(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(x_mm: f64, y_mm: f64) -> CellConfig {
        CellConfig { x_mm, y_mm, zero_counts: 0.0, counts_per_g: 1.0, capacity_g: 1e5, noise_g: 0.5 }
    }

    fn plate() -> Platform {
        Platform::new(&[cell(-200.0, -100.0), cell(200.0, -100.0), cell(200.0, 100.0), cell(-200.0, 100.0)])
    }

    fn reading(cells_g: [f64; 4]) -> Reading {
        plate().fuse(&CellSample { at: Mono::default(), cells_g: cells_g.to_vec() })
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
        assert!((plate().noise_g() - 1.0).abs() < 1e-12);
    }
}
