//! Where a camera's pixels lie on the platform: a homography of its plane, and the lens above it.
//!
//! Platform coordinates are millimetres: origin in the middle of the plate, x along its width, y along its depth, z upwards.
//! A picture's origin is its upper left corner; seen straight from above x goes to the right and y downwards. (Both triads are
//! left-handed in the same way, so that rotations between them are rotations.)

use nalgebra::{Matrix3, SMatrix, SVector, Vector3};

/// Three points nearer to one line than this share of their distance leave the plane open.
const LEAST_AREA: f64 = 1e-3;
/// What a picture's scale across may differ from its scale along, or its axes from a right angle, once the focal length is allowed for.
const LEAST_AGREEMENT: f64 = 0.15;
/// What the lens's height may differ from what is told: the points are set with a ruler, and a gentle slope tells a focal length badly.
const HEIGHT_AGREEMENT: f64 = 0.25;

/// Why a camera's place cannot be had from its four points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaneFault {
    /// They leave the homography open.
    #[error("three of the four points lie on one line, on the platform or in the picture")]
    OnOneLine,
    /// A camera of this focal length and height, its axis through the picture's middle, never sees them so.
    #[error(
        "a camera with this focal_px and height_mm never sees the four points so: is one of them, or one of those, wrong?"
    )]
    Impossible,
}

/// One camera over the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct PlateCamera {
    /// From (x, y, 1) on the plate, millimetres, to depth × (x, y, 1) in the picture, pixels.
    to_picture: Matrix3<f64>,
    to_plate: Matrix3<f64>,
    /// Where the lens is.
    lens_mm: [f64; 3],
}

/// Projection of a camera's own axes (x right, y down, looking along -z), its axis through the picture's middle.
fn lens(picture_px: [u32; 2], focal_px: f64) -> Matrix3<f64> {
    let [x, y] = picture_px.map(|side| f64::from(side) / 2.0);
    Matrix3::new(focal_px, 0.0, -x, 0.0, focal_px, -y, 0.0, 0.0, -1.0)
}

impl PlateCamera {
    /// A camera `height_mm` above the plate, `at_mm` beside its middle, turned the shortest way from straight down until its axis meets
    /// the plate's middle. `picture_px` is width and height; all lengths are positive.
    pub fn aimed(picture_px: [u32; 2], focal_px: f64, height_mm: f64, at_mm: [f64; 2]) -> Self {
        let at = Vector3::new(at_mm[0], at_mm[1], height_mm);
        // Rodrigues' rotation of the axis onto straight down: I + [v]x + [v]x² / (1 + c).
        let (axis, down) = (-at / at.norm(), -Vector3::z());
        let cross = axis.cross(&down).cross_matrix();
        let turn = Matrix3::identity() + cross + cross * cross / (1.0 + axis.dot(&down));
        let plane = Matrix3::from_columns(&[turn.column(0).into(), turn.column(1).into(), -(turn * at)]);
        let to_picture = lens(picture_px, focal_px) * plane;
        // Invertible, for the lens lies above the plane and looks down on it.
        let to_plate = to_picture.try_inverse().unwrap_or_else(Matrix3::identity);
        Self { to_picture, to_plate, lens_mm: at.into() }
    }

    /// A camera that sees four places of the plate (millimetres) at four places of its picture (pixels): `[x_mm, y_mm, x_px, y_px]`.
    ///
    /// # Errors
    /// [`PlaneFault`], where the points leave it open or contradict `focal_px` or `height_mm`.
    pub fn from_points(
        points: &[[f64; 4]; 4],
        picture_px: [u32; 2],
        focal_px: f64,
        height_mm: f64,
    ) -> Result<Self, PlaneFault> {
        if on_one_line(&points.map(|p| [p[0], p[1]])) || on_one_line(&points.map(|p| [p[2], p[3]])) {
            return Err(PlaneFault::OnOneLine);
        }
        let homography = through(points).ok_or(PlaneFault::OnOneLine)?;
        let inverse = lens(picture_px, focal_px).try_inverse().ok_or(PlaneFault::Impossible)?;
        let plane = inverse * homography;
        let (across, along) = (plane.column(0), plane.column(1));
        let scale = (across.norm() * along.norm()).sqrt();
        let uneven = (across.norm() / along.norm() - 1.0).abs().max((across.dot(&along) / (scale * scale)).abs());
        // A camera looks along -z: what it sees lies at negative z.
        let depth: f64 = -points.iter().map(|p| (plane * Vector3::new(p[0], p[1], 1.0)).z).sum::<f64>();
        let to_picture = homography / (scale * depth.signum());
        let plane = plane / (scale * depth.signum());
        let (x, y) = (plane.column(0).normalize(), plane.column(1).normalize());
        let turn = Matrix3::from_columns(&[x, y, x.cross(&y)]);
        let at = -(turn.transpose() * plane.column(2));
        let before = points.iter().all(|p| (to_picture * Vector3::new(p[0], p[1], 1.0)).z > 0.0);
        let high = (at.z / height_mm - 1.0).abs() < HEIGHT_AGREEMENT;
        let sound = uneven < LEAST_AGREEMENT && before && high;
        let to_plate = to_picture.try_inverse().filter(|_| sound).ok_or(PlaneFault::Impossible)?;
        Ok(Self { to_picture, to_plate, lens_mm: at.into() })
    }

    /// Where the lens is, millimetres.
    pub fn lens_mm(&self) -> [f64; 3] {
        self.lens_mm
    }

    /// Where a place of the plate is seen; `None` for what lies behind the lens.
    pub fn to_picture(&self, at_mm: [f64; 2]) -> Option<[f64; 2]> {
        let seen = self.to_picture * Vector3::new(at_mm[0], at_mm[1], 1.0);
        (seen.z > 1e-9).then(|| [seen.x / seen.z, seen.y / seen.z])
    }

    /// Where the ray through a pixel meets the level `z_mm` above the plate, below the lens; `None` for a ray that never does.
    pub fn at_level(&self, at_px: [f64; 2], z_mm: f64) -> Option<[f64; 2]> {
        let met = self.to_plate * Vector3::new(at_px[0], at_px[1], 1.0);
        if met.z <= 1e-12 {
            return None;
        }
        let [x, y, height] = self.lens_mm;
        let share = z_mm / height;
        let towards = |on_plate: f64, lens: f64| on_plate + (lens - on_plate) * share;
        Some([towards(met.x / met.z, x), towards(met.y / met.z, y)])
    }

    /// The upright rectangle around a box's corners at a level: left, top, right, bottom, millimetres.
    pub fn box_at_level(&self, box_px: [f32; 4], z_mm: f64) -> Option<[f64; 4]> {
        let [left, top, right, bottom] = box_px.map(f64::from);
        let mut around = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for corner in [[left, top], [right, top], [right, bottom], [left, bottom]] {
            let [x, y] = self.at_level(corner, z_mm)?;
            around = [around[0].min(x), around[1].min(y), around[2].max(x), around[3].max(y)];
        }
        Some(around)
    }
}

fn on_one_line(points: &[[f64; 2]; 4]) -> bool {
    (0..4).any(|left_out| {
        let [a, b, c] = [1, 2, 3].map(|k| points[(left_out + k) % 4]);
        let (ab, ac) = ([b[0] - a[0], b[1] - a[1]], [c[0] - a[0], c[1] - a[1]]);
        let (long, short) = (ab[0].hypot(ab[1]), ac[0].hypot(ac[1]));
        let area = (ab[0] * ac[1] - ab[1] * ac[0]).abs();
        // Not a number is no place either.
        !(area > LEAST_AREA * long * short && area > 0.0)
    })
}

/// The homography through four pairs of points, its last element 1 (the direct linear transformation).
fn through(points: &[[f64; 4]; 4]) -> Option<Matrix3<f64>> {
    let mut system = SMatrix::<f64, 8, 8>::zeros();
    let mut seen = SVector::<f64, 8>::zeros();
    for (k, [x, y, u, v]) in points.iter().enumerate() {
        let rows = [[*x, *y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y], [0.0, 0.0, 0.0, *x, *y, 1.0, -v * x, -v * y]];
        for (offset, (row, value)) in rows.iter().zip([*u, *v]).enumerate() {
            system.row_mut(2 * k + offset).copy_from_slice(row);
            seen[2 * k + offset] = value;
        }
    }
    let h = system.full_piv_lu().solve(&seen)?;
    Some(Matrix3::new(h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1.0))
}

/// Share of a plate, 0..=1, that none of the cameras has in its view, judged at the plate's own level on a grid of 40 × 40.
/// `views` are a camera and the rectangle of its picture that it shows: left, top, right, bottom.
pub fn hidden_share(views: &[(&PlateCamera, [u32; 4])], width_mm: f64, depth_mm: f64) -> f64 {
    const CELLS: u32 = 40;
    let middle = |k: u32, side: f64| ((f64::from(k) + 0.5) / f64::from(CELLS) - 0.5) * side;
    let seen = |at: [f64; 2]| {
        views.iter().any(|(camera, view)| {
            let [left, top, right, bottom] = view.map(f64::from);
            camera.to_picture(at).is_some_and(|[x, y]| x >= left && x < right && y >= top && y < bottom)
        })
    };
    let cells = (0..CELLS).flat_map(|row| (0..CELLS).map(move |column| (row, column)));
    let hidden = cells.filter(|(row, column)| !seen([middle(*column, width_mm), middle(*row, depth_mm)])).count();
    hidden as f64 / f64::from(CELLS * CELLS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<[f64; 2]>, wanted: [f64; 2], within: f64) {
        let found = found.unwrap();
        let off = (found[0] - wanted[0]).hypot(found[1] - wanted[1]);
        assert!(off < within, "{found:?} is not {wanted:?}");
    }

    /// At 900 mm and 900 px a millimetre is a pixel; 450 mm higher it is two.
    #[test]
    fn straight_down_it_is_a_matter_of_scale() {
        let camera = PlateCamera::aimed([640, 480], 900.0, 900.0, [0.0, 0.0]);
        near(camera.to_picture([100.0, -40.0]), [420.0, 200.0], 1e-9);
        near(camera.at_level([420.0, 200.0], 0.0), [100.0, -40.0], 1e-9);
        near(camera.at_level([420.0, 200.0], 450.0), [50.0, -20.0], 1e-9);
        assert_eq!(camera.box_at_level([320.0, 240.0, 420.0, 440.0], 450.0), Some([0.0, 0.0, 50.0, 100.0]));
    }

    /// A lens 1 000 mm high and 1 000 mm to the front looks down at 45°. By hand: the middle is seen in the middle; the plate's point
    /// (0, 200) lies 200/√2 nearer and 200/√2 below the axis, at a depth of 1000√2 - 200/√2 = 1272.79, so at
    /// 240 + 1000 · 141.42 / 1272.79 = 351.11; (200, 0) lies in the plane through the middle: 320 + 1000 · 200 / 1414.21 = 461.42.
    #[test]
    fn from_the_front_it_is_as_reckoned_by_hand() {
        let camera = PlateCamera::aimed([640, 480], 1000.0, 1000.0, [0.0, 1000.0]);
        near(camera.to_picture([0.0, 0.0]), [320.0, 240.0], 1e-9);
        near(camera.to_picture([0.0, 200.0]), [320.0, 351.111], 1e-3);
        near(camera.to_picture([200.0, 0.0]), [461.421, 240.0], 1e-3);
        // 500 mm above the plate the axis is half-way to the lens.
        near(camera.at_level([320.0, 240.0], 500.0), [0.0, 500.0], 1e-9);
        // What lies beyond the lens's foot and higher than 45° is never met.
        assert_eq!(camera.at_level([320.0, -800.0], 0.0), None);
        assert_eq!(camera.to_picture([0.0, 2100.0]), None);
    }

    /// Four points that a camera sees give that camera back, its lens included.
    #[test]
    fn four_points_give_the_camera() {
        let camera = PlateCamera::aimed([800, 600], 950.0, 1300.0, [-400.0, 700.0]);
        let corners = [[-300.0, -200.0], [310.0, -190.0], [280.0, 220.0], [-290.0, 180.0]];
        let points = corners.map(|[x, y]| {
            let [u, v] = camera.to_picture([x, y]).unwrap();
            [x, y, u, v]
        });
        let found = PlateCamera::from_points(&points, [800, 600], 950.0, 1300.0).unwrap();
        for (k, wanted) in [-400.0, 700.0, 1300.0].into_iter().enumerate() {
            assert!((found.lens_mm()[k] - wanted).abs() < 1e-3, "{:?}", found.lens_mm());
        }
        near(found.to_picture([50.0, 90.0]), camera.to_picture([50.0, 90.0]).unwrap(), 1e-6);
        near(found.at_level([222.0, 333.0], 120.0), camera.at_level([222.0, 333.0], 120.0).unwrap(), 1e-3);
    }

    #[test]
    fn points_that_leave_it_open_or_cannot_be_are_refused() {
        let camera = PlateCamera::aimed([800, 600], 950.0, 1300.0, [0.0, 700.0]);
        let seen = |corners: [[f64; 2]; 4]| {
            corners.map(|[x, y]| {
                let [u, v] = camera.to_picture([x, y]).unwrap();
                [x, y, u, v]
            })
        };
        let line = seen([[-300.0, 0.0], [0.0, 0.0], [300.0, 0.0], [0.0, 200.0]]);
        assert_eq!(PlateCamera::from_points(&line, [800, 600], 950.0, 1300.0), Err(PlaneFault::OnOneLine));
        let good = seen([[-300.0, -200.0], [300.0, -200.0], [300.0, 200.0], [-300.0, 200.0]]);
        assert!(PlateCamera::from_points(&good, [800, 600], 950.0, 1300.0).is_ok());
        assert_eq!(PlateCamera::from_points(&good, [800, 600], 300.0, 1300.0), Err(PlaneFault::Impossible));
        assert_eq!(PlateCamera::from_points(&good, [800, 600], 950.0, 2000.0), Err(PlaneFault::Impossible));
        let mut crossed = good;
        (crossed[0][2], crossed[1][2]) = (good[1][2], good[0][2]);
        assert_eq!(PlateCamera::from_points(&crossed, [800, 600], 950.0, 1300.0), Err(PlaneFault::Impossible));
        let nan = [[f64::NAN; 4]; 4];
        assert_eq!(PlateCamera::from_points(&nan, [800, 600], 950.0, 1300.0), Err(PlaneFault::OnOneLine));
    }

    /// 640 pixels at one millimetre each show 640 of 800 mm; a second camera that shows the rest leaves nothing hidden.
    #[test]
    fn hidden_is_what_no_camera_shows() {
        let top = PlateCamera::aimed([640, 480], 900.0, 900.0, [0.0, 0.0]);
        let all = [0, 0, 640, 480];
        assert!((hidden_share(&[(&top, all)], 800.0, 400.0) - 0.2).abs() < 1e-9);
        assert!((hidden_share(&[(&top, [0, 0, 320, 480])], 800.0, 400.0) - 0.6).abs() < 1e-9);
        let wide = PlateCamera::aimed([640, 480], 600.0, 900.0, [0.0, 0.0]);
        assert_eq!(hidden_share(&[(&top, all), (&wide, all)], 800.0, 400.0), 0.0);
        assert_eq!(hidden_share(&[], 800.0, 400.0), 1.0);
    }
}
