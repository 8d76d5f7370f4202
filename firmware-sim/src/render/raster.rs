//! Which triangle does each sample see? A z-buffer over perspective projections.

use nalgebra::Matrix3;

use super::mesh::{Mesh, V3, Vertex};
use super::scene::CameraModel;

/// A mesh somewhere on the plate.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    /// The body.
    pub mesh: &'a Mesh,
    /// From the body's axes to the plate's.
    pub rotation: Matrix3<f32>,
    /// Where its origin is, millimetres on the plate.
    pub at: V3,
    /// Uniform scale.
    pub scale: f32,
    /// Number that the samples it covers carry on to the shader.
    pub owner: u32,
}

/// A visible triangle, ready to be interpolated.
#[derive(Debug, Clone, Copy)]
pub struct Facet {
    /// Plane coefficients (x, y, 1) of the screen-space weights of the second and third corner.
    weights: [[f32; 3]; 2],
    /// Reciprocal depths of the corners.
    inverse_depth: [f32; 3],
    normals: [V3; 3],
    uvs: [[f32; 2]; 3],
    /// [`Instance::owner`].
    pub owner: u32,
}

impl Facet {
    /// Normal (not unit) and texture coordinates at a sample position.
    pub fn at(&self, x: f32, y: f32) -> (V3, [f32; 2]) {
        let plane = |p: &[f32; 3]| p[0] * x + p[1] * y + p[2];
        let (b, c) = (plane(&self.weights[0]), plane(&self.weights[1]));
        // An edge sample may lie just outside: keep it on the triangle.
        let (b, c) = (b.clamp(0.0, 1.0), c.clamp(0.0, 1.0));
        let a = (1.0 - b - c).max(0.0);
        let w = [a * self.inverse_depth[0], b * self.inverse_depth[1], c * self.inverse_depth[2]];
        let total = 1.0 / (w[0] + w[1] + w[2]);
        let [a, b, c] = w.map(|part| part * total);
        let normal = self.normals[0] * a + self.normals[1] * b + self.normals[2] * c;
        let [p, q, r] = self.uvs;
        (normal, [p[0] * a + q[0] * b + r[0] * c, p[1] * a + q[1] * b + r[1] * c])
    }
}

/// The eye: projects points of the plate to samples.
#[derive(Debug, Clone, Copy)]
pub struct Eye {
    turn: Matrix3<f32>,
    back: Matrix3<f32>,
    lens: V3,
    focal: f32,
    middle: (f32, f32),
}

impl Eye {
    /// The camera's projection with `scale` samples per pixel in each direction.
    pub fn new(camera: &CameraModel, scale: u32) -> Self {
        let [lean_x, lean_y] = camera.tilt_rad.map(|angle| angle as f32);
        let lean = nalgebra::Rotation3::from_euler_angles(lean_y, -lean_x, 0.0).into_inner();
        let [x, y] = camera.at_mm.map(|mm| mm as f32);
        let lens = V3::new(x, y, camera.height_mm as f32);
        let turn = match camera.is_aside() {
            // The two directions are never opposite: the lens hangs above the plate.
            true => {
                nalgebra::Rotation3::rotation_between(&-lens, &-V3::z()).map_or(lean, |aim| lean * aim.into_inner())
            }
            false => lean,
        };
        let scale = scale as f32;
        Self {
            turn,
            back: turn.transpose(),
            lens,
            focal: camera.focal_px as f32 * scale,
            middle: (camera.width_px as f32 * scale / 2.0, camera.height_px as f32 * scale / 2.0),
        }
    }

    /// Sample position and reciprocal depth (1/mm) of a point; `None` behind or right before the lens.
    pub fn project(&self, point: V3) -> Option<(f32, f32, f32)> {
        let seen = self.turn * (point - self.lens);
        let depth = -seen.z;
        if depth < 60.0 {
            return None;
        }
        let inverse = 1.0 / depth;
        Some((self.middle.0 + self.focal * seen.x * inverse, self.middle.1 + self.focal * seen.y * inverse, inverse))
    }

    /// Where the ray through a sample meets the level `z`, millimetres.
    pub fn meet(&self, x: f32, y: f32, z: f32) -> (f32, f32) {
        let ray = self.back * V3::new((x - self.middle.0) / self.focal, (y - self.middle.1) / self.focal, -1.0);
        let reach = (self.lens.z - z) / -ray.z;
        (self.lens.x + ray.x * reach, self.lens.y + ray.y * reach)
    }

    /// How high above the plate a sample of that depth lies, millimetres.
    pub fn level(&self, x: f32, y: f32, depth: f32) -> f32 {
        let ray = self.back * V3::new((x - self.middle.0) / self.focal, (y - self.middle.1) / self.focal, -1.0);
        self.lens.z + ray.z * depth
    }
}

/// Depth and facet of every sample.
#[derive(Debug)]
pub struct Raster {
    /// Samples across.
    pub width: usize,
    /// Samples down.
    pub height: usize,
    /// Reciprocal depth, 1/mm; 0 where nothing is.
    pub depth: Vec<f32>,
    /// 1 + index into [`Raster::facets`]; 0 where nothing is.
    pub seen: Vec<u32>,
    /// Triangles that face the camera.
    pub facets: Vec<Facet>,
    projected: Vec<Option<(f32, f32, f32)>>,
}

/// `f32::ceil` for numbers of moderate size, without the call that baseline x86-64 makes of it.
fn ceil(value: f32) -> f32 {
    let value = value.clamp(-1e6, 1e6);
    let cut = value as i32 as f32;
    if cut < value { cut + 1.0 } else { cut }
}

/// A rectangle of samples: left, top, right, bottom, the last two exclusive.
pub type Extent = [usize; 4];

impl Raster {
    /// An empty raster.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            depth: vec![0.0; width * height],
            seen: vec![0; width * height],
            facets: Vec::new(),
            projected: Vec::new(),
        }
    }

    /// Forgets everything drawn.
    pub fn clear(&mut self) {
        self.depth.fill(0.0);
        self.seen.fill(0);
        self.facets.clear();
    }

    /// Forgets what was drawn within an extent.
    pub fn clear_extent(&mut self, [left, top, right, low]: Extent) {
        for row in top..low {
            let line = row * self.width;
            self.depth[line + left..line + right].fill(0.0);
            self.seen[line + left..line + right].fill(0);
        }
        self.facets.clear();
    }

    /// Draws a mesh; returns the extent that it may have touched.
    pub fn draw(&mut self, eye: &Eye, instance: &Instance<'_>) -> Extent {
        let matrix = instance.rotation * instance.scale;
        let mut projected = std::mem::take(&mut self.projected);
        projected.clear();
        let points = instance.mesh.vertices.iter().map(|v| eye.project(matrix * v.pos + instance.at));
        projected.extend(points);
        let mut extent = [self.width, self.height, 0, 0];
        for triangle in &instance.mesh.triangles {
            let corners = triangle.map(|k| projected[k as usize]);
            let [Some(a), Some(b), Some(c)] = corners else { continue };
            if let Some(touched) = self.fill([a, b, c], triangle.map(|k| &instance.mesh.vertices[k as usize]), instance)
            {
                extent[0] = extent[0].min(touched[0]);
                extent[1] = extent[1].min(touched[1]);
                extent[2] = extent[2].max(touched[2]);
                extent[3] = extent[3].max(touched[3]);
            }
        }
        self.projected = projected;
        if extent[0] >= extent[2] || extent[1] >= extent[3] { [0; 4] } else { extent }
    }

    fn fill(
        &mut self,
        [a, b, c]: [(f32, f32, f32); 3],
        corners: [&Vertex; 3],
        instance: &Instance<'_>,
    ) -> Option<Extent> {
        let area = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
        // Facing away, or too thin to be seen.
        if area <= 1e-4 {
            return None;
        }
        let low = |p: f32, q: f32, r: f32| p.min(q).min(r);
        let high = |p: f32, q: f32, r: f32| p.max(q).max(r);
        let top = (low(a.1, b.1, c.1) - 0.5).ceil().max(0.0) as usize;
        let bottom = (high(a.1, b.1, c.1) + 0.5).floor().clamp(0.0, self.height as f32) as usize;
        let left = (low(a.0, b.0, c.0) - 0.5).ceil().max(0.0) as usize;
        let right = (high(a.0, b.0, c.0) + 0.5).floor().clamp(0.0, self.width as f32) as usize;
        if top >= bottom || left >= right {
            return None;
        }
        let inverse = 1.0 / area;
        // Weight of a corner: the edge function of the opposite side.
        let edge = |p: (f32, f32, f32), q: (f32, f32, f32)| {
            let (dx, dy) = ((p.1 - q.1) * inverse, (q.0 - p.0) * inverse);
            [dx, dy, -(dx * p.0 + dy * p.1)]
        };
        let (wa, wb, wc) = (edge(b, c), edge(c, a), edge(a, b));
        let slope: [f32; 3] = std::array::from_fn(|k| wa[k] * a.2 + wb[k] * b.2 + wc[k] * c.2);
        self.facets.push(Facet {
            weights: [wb, wc],
            inverse_depth: [a.2, b.2, c.2],
            normals: corners.map(|v| instance.rotation * v.normal),
            uvs: corners.map(|v| v.uv),
            owner: instance.owner,
        });
        let number = self.facets.len() as u32;
        for row in top..bottom {
            let y = row as f32 + 0.5;
            let (mut from, mut to) = (left as f32, right as f32 - 1.0);
            for w in [wa, wb, wc] {
                let rest = w[1] * y + w[2] + w[0] * 0.5;
                if w[0] > 0.0 {
                    from = from.max(ceil(-rest / w[0]));
                } else if w[0] < 0.0 {
                    to = to.min(-ceil(rest / w[0]));
                } else if rest < 0.0 {
                    to = -1.0;
                }
            }
            if from > to {
                continue;
            }
            let line = row * self.width;
            let span = line + from as usize..=line + to as usize;
            let mut near = slope[0] * (from + 0.5) + slope[1] * y + slope[2];
            for (depth, seen) in self.depth[span.clone()].iter_mut().zip(&mut self.seen[span]) {
                if near > *depth {
                    *depth = near;
                    *seen = number;
                }
                near += slope[0];
            }
        }
        Some([left, top, right, bottom])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::mesh::{Builder, Face};

    fn square(side: f32) -> Mesh {
        let mut builder = Builder::new(1.0);
        let patch = builder.patch(Face::Bare, side, side);
        let h = side / 2.0;
        let p = V3::new;
        builder.quad(&patch, [p(-h, -h, 0.0), p(h, -h, 0.0), p(h, h, 0.0), p(-h, h, 0.0)]);
        builder.mesh
    }

    fn instance(mesh: &Mesh, z: f32, owner: u32) -> Instance<'_> {
        Instance { mesh, rotation: Matrix3::identity(), at: V3::new(0.0, 0.0, z), scale: 1.0, owner }
    }

    #[test]
    fn a_square_covers_the_pinhole_cameras_pixels_and_the_nearer_one_wins() {
        let camera = CameraModel::straight_down(640, 480, 900.0, 1000.0);
        let mut raster = Raster::new(640, 480);
        let eye = Eye::new(&camera, 1);
        let mesh = square(100.0);
        raster.draw(&eye, &instance(&mesh, 100.0, 7));
        // At 900 mm a millimetre is one pixel: 100 x 100 pixels about the middle.
        let covered = raster.seen.iter().filter(|s| **s > 0).count();
        assert_eq!(covered, 100 * 100);
        raster.draw(&eye, &instance(&mesh, 0.0, 8));
        let middle = 240 * 640 + 320;
        let owner = |raster: &Raster| raster.facets[raster.seen[middle] as usize - 1].owner;
        assert_eq!(owner(&raster), 7);
        raster.draw(&eye, &instance(&mesh, 200.0, 9));
        assert_eq!(owner(&raster), 9);
    }

    /// A lens 1 000 mm high and 1 000 mm to the front (y), 1 000 px: by hand, (0, 200) of the plate lies 141.42 mm below the axis at a depth
    /// of 1272.79 mm, so 111.11 px below the middle, and (200, 0) at the middle's depth, so 141.42 px beside it.
    #[test]
    fn from_aside_the_eye_looks_at_the_plates_middle() {
        let camera = CameraModel { at_mm: [0.0, 1000.0], ..CameraModel::straight_down(640, 480, 1000.0, 1000.0) };
        let eye = Eye::new(&camera, 1);
        for (point, wanted) in
            [((0.0, 0.0), (320.0, 240.0)), ((0.0, 200.0), (320.0, 351.11)), ((200.0, 0.0), (461.42, 240.0))]
        {
            let (x, y, inverse) = eye.project(V3::new(point.0, point.1, 0.0)).unwrap();
            assert!((x - wanted.0).abs() < 0.02 && (y - wanted.1).abs() < 0.02, "{point:?}: {x} {y}");
            assert!(eye.level(x, y, 1.0 / inverse).abs() < 0.05);
            let (mx, my) = eye.meet(x, y, 0.0);
            assert!((mx - point.0).abs() < 0.05 && (my - point.1).abs() < 0.05);
        }
        let (x, y, inverse) = eye.project(V3::new(50.0, -80.0, 300.0)).unwrap();
        assert!((eye.level(x, y, 1.0 / inverse) - 300.0).abs() < 0.05);
    }

    #[test]
    fn the_eye_meets_the_level_where_it_projects_from_also_when_leaning() {
        let camera = CameraModel { tilt_rad: [0.03, -0.05], ..CameraModel::basket_plate() };
        let eye = Eye::new(&camera, 2);
        let (x, y, _) = eye.project(V3::new(120.0, -80.0, 55.0)).unwrap();
        let (px, py) = eye.meet(x, y, 55.0);
        assert!((px - 120.0).abs() < 0.05 && (py + 80.0).abs() < 0.05, "{px} {py}");
    }
}
