//! How high things stand at each place, and how low and high a body reaches there.

use nalgebra::{Matrix3, Vector3};

use crate::render::{Mesh, V3};

/// Side of a cell, millimetres.
pub const CELL_MM: f64 = 6.0;

/// Share of its height above the rim by which a heap gives way under what comes on top: without walls it spreads.
const SAG: f32 = 0.25;

/// How far goods press into each other, millimetres.
const GIVE_MM: f32 = 12.0;

/// A body's lower and upper surface on the grid, about its centre.
#[derive(Debug, Clone)]
pub struct Footprint {
    /// Cell of the first column and row, counted from the centre's cell.
    pub first: (i32, i32),
    /// Columns and rows.
    pub size: (usize, usize),
    /// Lowest z of the body in each cell, millimetres from its centre; infinite where it is not.
    low: Vec<f32>,
    /// Highest z in each cell; minus infinite where it is not.
    high: Vec<f32>,
}

impl Footprint {
    /// Both surfaces of a mesh in the given orientation.
    pub fn of(mesh: &Mesh, rotation: &Matrix3<f32>) -> Self {
        let points: Vec<V3> = mesh.vertices.iter().map(|v| rotation * v.pos).collect();
        let cell = CELL_MM as f32;
        let mut from = V3::repeat(f32::INFINITY);
        let mut to = V3::repeat(f32::NEG_INFINITY);
        for point in &points {
            from = from.inf(point);
            to = to.sup(point);
        }
        // Rounds to the nearest cell; bodies are far smaller than the shift that keeps numbers positive.
        let at = |mm: f32| (mm / cell + 1024.5) as i32 - 1024;
        let first = (at(from.x), at(from.y));
        let size = ((at(to.x) - first.0 + 1).max(1) as usize, (at(to.y) - first.1 + 1).max(1) as usize);
        let mut footprint = Self {
            first,
            size,
            low: vec![f32::INFINITY; size.0 * size.1],
            high: vec![f32::NEG_INFINITY; size.0 * size.1],
        };
        for point in &points {
            footprint.touch(at(point.x), at(point.y), point.z);
        }
        for triangle in &mesh.triangles {
            footprint.cover(triangle.map(|k| points[k as usize]));
        }
        footprint
    }

    /// How far the body reaches above its centre, millimetres.
    pub fn top(&self) -> f64 {
        f64::from(self.high.iter().copied().fold(f32::NEG_INFINITY, f32::max))
    }

    fn touch(&mut self, column: i32, row: i32, z: f32) {
        let (c, r) = (column - self.first.0, row - self.first.1);
        if c < 0 || r < 0 || c as usize >= self.size.0 || r as usize >= self.size.1 {
            return;
        }
        let k = r as usize * self.size.0 + c as usize;
        self.low[k] = self.low[k].min(z);
        self.high[k] = self.high[k].max(z);
    }

    /// Enters a triangle at the middles of the cells that it covers.
    fn cover(&mut self, [a, b, c]: [V3; 3]) {
        let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        if area.abs() < 1e-3 {
            return;
        }
        let cell = CELL_MM as f32;
        let span = |p: f32, q: f32, r: f32| {
            (1024 - (1024.0 - p.min(q).min(r) / cell) as i32, (p.max(q).max(r) / cell + 1024.0) as i32 - 1024)
        };
        let (left, right) = span(a.x, b.x, c.x);
        let (top, bottom) = span(a.y, b.y, c.y);
        for row in top..=bottom {
            for column in left..=right {
                let (x, y) = (column as f32 * cell, row as f32 * cell);
                let wb = ((x - a.x) * (c.y - a.y) - (y - a.y) * (c.x - a.x)) / area;
                let wc = ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)) / area;
                if wb >= 0.0 && wc >= 0.0 && wb + wc <= 1.0 {
                    self.touch(column, row, a.z + (b.z - a.z) * wb + (c.z - a.z) * wc);
                }
            }
        }
    }
}

/// Height of everything that lies there already.
#[derive(Debug, Clone)]
pub struct HeightMap {
    columns: i32,
    rows: i32,
    floor: f32,
    sag_from: f32,
    heights: Vec<f32>,
}

impl HeightMap {
    /// A map about the origin that reaches `half_mm` each way; `height` gives the start, of which nothing in the
    /// room is below `floor_mm`. Above `sag_from_mm` heaps spread.
    pub fn new(half_mm: (f64, f64), floor_mm: f64, sag_from_mm: f64, height: impl Fn(f64, f64) -> f64) -> Self {
        let cells = |mm: f64| (mm / CELL_MM).ceil() as i32;
        let (columns, rows) = (cells(half_mm.0), cells(half_mm.1));
        let mut heights = Vec::new();
        for row in -rows..=rows {
            for column in -columns..=columns {
                heights.push(height(f64::from(column) * CELL_MM, f64::from(row) * CELL_MM) as f32);
            }
        }
        Self { columns, rows, floor: floor_mm as f32, sag_from: sag_from_mm as f32, heights }
    }

    fn index(&self, column: i32, row: i32) -> Option<usize> {
        let inside = column.abs() <= self.columns && row.abs() <= self.rows;
        inside.then(|| ((row + self.rows) * (2 * self.columns + 1) + column + self.columns) as usize)
    }

    /// About the height at which the body would first touch something, from every other cell.
    pub fn guess(&self, footprint: &Footprint, cell: (i32, i32)) -> f64 {
        let mut height = f32::NEG_INFINITY;
        for r in (0..footprint.size.1).step_by(2) {
            let row = cell.1 + footprint.first.1 + r as i32;
            let lows = &footprint.low[r * footprint.size.0..][..footprint.size.0];
            for (c, low) in lows.iter().enumerate().step_by(2) {
                let ground = self.index(cell.0 + footprint.first.0 + c as i32, row).map_or(0.0, |k| self.heights[k]);
                height = height.max(ground - low);
            }
        }
        f64::from(height)
    }

    /// Height of the body's centre when it is let down at a cell until it rests.
    ///
    /// Goods give way a little: a few high cells may reach up to [`GIVE_MM`] into it, the floor never does.
    pub fn rest(&self, footprint: &Footprint, cell: (i32, i32), scratch: &mut Vec<f32>) -> f64 {
        scratch.clear();
        let mut lowest = f32::INFINITY;
        for r in 0..footprint.size.1 {
            let row = cell.1 + footprint.first.1 + r as i32;
            for c in 0..footprint.size.0 {
                let low = footprint.low[r * footprint.size.0 + c];
                if low.is_finite() {
                    let column = cell.0 + footprint.first.0 + c as i32;
                    let ground = self.index(column, row).map_or(0.0, |k| self.heights[k]);
                    scratch.push(ground - low);
                    lowest = lowest.min(low);
                }
            }
        }
        let touching = scratch.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let ignored = scratch.len() / 20;
        let yielding =
            if ignored > 0 { *scratch.select_nth_unstable_by(ignored, |a, b| b.total_cmp(a)).1 } else { touching };
        f64::from(yielding.max(touching - GIVE_MM).max(self.floor - lowest))
    }

    /// Enters a body whose centre is at `centre` (of which x and y are rounded to cells).
    pub fn add(&mut self, footprint: &Footprint, centre: Vector3<f64>) {
        let cell = (cell_of(centre.x), cell_of(centre.y));
        for r in 0..footprint.size.1 {
            for c in 0..footprint.size.0 {
                let high = footprint.high[r * footprint.size.0 + c];
                let place = self.index(cell.0 + footprint.first.0 + c as i32, cell.1 + footprint.first.1 + r as i32);
                if let Some(k) = place {
                    let top = high + centre.z as f32;
                    let above = (top - self.sag_from).max(0.0);
                    self.heights[k] = self.heights[k].max(top - above * SAG);
                }
            }
        }
    }
}

/// The cell of a coordinate.
pub fn cell_of(mm: f64) -> i32 {
    (mm / CELL_MM).round() as i32
}
