//! Triangle meshes with one texture each, and the few ways in which bodies are made of them.
//!
//! Seen from outside, `u` runs to the right and `v` downwards, and the numeric cross product of the two
//! directions is the outward normal (the plate's axes are left-handed: x right, y down, z to the viewer).

use nalgebra::Vector3;

/// Single-precision vector, millimetres or unitless.
pub type V3 = Vector3<f32>;

/// A corner of a triangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vertex {
    /// Position, millimetres from the body's middle.
    pub pos: V3,
    /// Outward unit normal.
    pub normal: V3,
    /// Texture coordinates, texels.
    pub uv: [f32; 2],
}

/// A body's surface.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mesh {
    /// Corners.
    pub vertices: Vec<Vertex>,
    /// Indices of three corners each, counter-clockwise in the sense of the module's cross product.
    pub triangles: Vec<[u32; 3]>,
}

/// What a part of the texture shows; the painter decides how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// A pack's front or back, with the whole design.
    Front,
    /// A narrow side: words along it.
    Side,
    /// Top and bottom of a pack: barcode or date.
    End,
    /// A label that runs around a vessel: two fronts and a barcode.
    Wrap,
    /// A printed lid.
    Lid,
    /// Bare metal.
    Metal,
    /// A one-coloured part in the band colour: a cap.
    Cap,
    /// A vessel's wall that shows its content.
    Content,
    /// A fruit's or bread's skin.
    Skin,
    /// Food under film.
    Food,
    /// A part in the base colour without print.
    Bare,
    /// A part in the ink colour: a stalk.
    Stalk,
}

/// A rectangle of the texture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patch {
    /// What it shows.
    pub face: Face,
    /// Left edge, texels.
    pub x: u32,
    /// Upper edge, texels.
    pub y: u32,
    /// Width, texels.
    pub w: u32,
    /// Height, texels.
    pub h: u32,
}

impl Patch {
    /// Texture coordinates of a point given in shares (0..1) of the patch, kept half a texel inside.
    pub fn uv(&self, u: f32, v: f32) -> [f32; 2] {
        let place = |from: u32, len: u32, share: f32| from as f32 + 0.5 + share.clamp(0.0, 1.0) * (len as f32 - 1.0);
        [place(self.x, self.w, u), place(self.y, self.h, v)]
    }
}

/// Collects parts into one mesh and one texture plan.
#[derive(Debug)]
pub struct Builder {
    /// The mesh so far.
    pub mesh: Mesh,
    /// The texture's parts so far.
    pub patches: Vec<Patch>,
    texels_per_mm: f32,
    shelf: (u32, u32, u32),
    height: u32,
}

/// Width of every texture, texels.
pub const ATLAS_WIDTH: u32 = 512;

impl Builder {
    /// An empty body whose texture has `texels_per_mm`.
    pub fn new(texels_per_mm: f32) -> Self {
        Self { mesh: Mesh::default(), patches: Vec::new(), texels_per_mm, shelf: (0, 0, 0), height: 1 }
    }

    /// Height of the texture that the patches need, texels.
    pub fn atlas_height(&self) -> u32 {
        self.height
    }

    /// Reserves a part of the texture for a surface of the given size.
    pub fn patch(&mut self, face: Face, width_mm: f32, height_mm: f32) -> Patch {
        let texels = |mm: f32| ((mm * self.texels_per_mm).round() as u32).clamp(4, ATLAS_WIDTH);
        let (w, h) = (texels(width_mm), texels(height_mm));
        let (mut x, mut y, mut row) = self.shelf;
        if x + w > ATLAS_WIDTH {
            (x, y, row) = (0, y + row, 0);
        }
        self.shelf = (x + w, y, row.max(h));
        self.height = self.height.max(y + h);
        let patch = Patch { face, x, y, w, h };
        self.patches.push(patch);
        patch
    }

    fn push(&mut self, pos: V3, normal: V3, uv: [f32; 2]) -> u32 {
        self.mesh.vertices.push(Vertex { pos, normal, uv });
        self.mesh.vertices.len() as u32 - 1
    }

    /// A flat quadrilateral; corners from top left clockwise as seen from outside.
    pub fn quad(&mut self, patch: &Patch, corners: [V3; 4]) {
        // The diagonals' product serves for a quadrilateral with two corners in one place, too.
        let normal = (corners[2] - corners[0]).cross(&(corners[3] - corners[1])).normalize();
        let uvs = [patch.uv(0.0, 0.0), patch.uv(1.0, 0.0), patch.uv(1.0, 1.0), patch.uv(0.0, 1.0)];
        let ids: [u32; 4] = std::array::from_fn(|k| self.push(corners[k], normal, uvs[k]));
        self.mesh.triangles.extend([[ids[0], ids[1], ids[2]], [ids[0], ids[2], ids[3]]]);
    }

    /// A curved sheet: `at(u, v)` for u, v in 0..1 gives the position; columns x rows cells.
    ///
    /// The normals are those of the surface, by finite differences.
    pub fn sheet(&mut self, patch: &Patch, columns: u32, rows: u32, at: impl Fn(f32, f32) -> V3) {
        let first = self.mesh.vertices.len() as u32;
        for row in 0..=rows {
            for column in 0..=columns {
                let (u, v) = (column as f32 / columns as f32, row as f32 / rows as f32);
                let step = 0.02;
                let along_u = at(u + step, v) - at(u - step, v);
                let along_v = at(u, v + step) - at(u, v - step);
                let here = at(u, v);
                // At a pole the sheet has no direction; the way out from the middle serves.
                let normal = along_u.cross(&along_v).try_normalize(1e-6);
                let normal = normal.or_else(|| here.try_normalize(1e-6)).unwrap_or_else(V3::z);
                self.push(here, normal, patch.uv(u, v));
            }
        }
        let id = |column: u32, row: u32| first + row * (columns + 1) + column;
        for row in 0..rows {
            for column in 0..columns {
                let (a, b) = (id(column, row), id(column + 1, row));
                let (c, d) = (id(column + 1, row + 1), id(column, row + 1));
                self.mesh.triangles.extend([[a, b, c], [a, c, d]]);
            }
        }
    }

    /// A body of revolution about z, from the top down: `profile` holds (z, radius) in millimetres.
    ///
    /// `squash` scales x and y, for flat bottles.
    pub fn lathe(&mut self, patch: &Patch, segments: u32, profile: &[(f32, f32)], squash: (f32, f32)) {
        let lengths: Vec<f32> = profile.windows(2).map(|p| (p[0].0 - p[1].0).hypot(p[0].1 - p[1].1)).collect();
        let total: f32 = lengths.iter().sum::<f32>().max(1e-6);
        let first = self.mesh.vertices.len() as u32;
        let mut v = 0.0;
        for (k, &(z, radius)) in profile.iter().enumerate() {
            let before = profile[k.saturating_sub(1)];
            let after = profile[(k + 1).min(profile.len() - 1)];
            // The surface's normal stands across the profile's direction.
            let (dz, dr) = (after.0 - before.0, after.1 - before.1);
            for segment in 0..=segments {
                let u = segment as f32 / segments as f32;
                let (sin, cos) = (-u * std::f32::consts::TAU).sin_cos();
                let pos = V3::new(radius * cos * squash.0, radius * sin * squash.1, z);
                let normal = V3::new(-dz * cos / squash.0, -dz * sin / squash.1, dr);
                self.push(pos, normal.try_normalize(1e-9).unwrap_or_else(V3::z), patch.uv(u, v / total));
            }
            v += lengths.get(k).copied().unwrap_or(0.0);
        }
        let id = |segment: u32, row: u32| first + row * (segments + 1) + segment;
        for row in 0..profile.len() as u32 - 1 {
            for segment in 0..segments {
                let (a, b) = (id(segment, row), id(segment + 1, row));
                let (c, d) = (id(segment + 1, row + 1), id(segment, row + 1));
                self.mesh.triangles.extend([[a, b, c], [a, c, d]]);
            }
        }
    }

    /// A flat elliptic disc at height `z`, facing up or down.
    pub fn disc(&mut self, patch: &Patch, z: f32, radii: (f32, f32), up: bool) {
        let side = if up { 1.0 } else { -1.0 };
        let normal = V3::new(0.0, 0.0, side);
        let middle = self.push(V3::new(0.0, 0.0, z), normal, patch.uv(0.5, 0.5));
        let segments = 20;
        for k in 0..=segments {
            let (sin, cos) = (k as f32 / segments as f32 * std::f32::consts::TAU).sin_cos();
            let uv = patch.uv(0.5 + 0.5 * cos * side, 0.5 + 0.5 * sin);
            let id = self.push(V3::new(radii.0 * cos, radii.1 * sin, z), normal, uv);
            if k > 0 {
                let triangle = if up { [middle, id - 1, id] } else { [middle, id, id - 1] };
                self.mesh.triangles.push(triangle);
            }
        }
    }

    /// Adds a finished part, moved and turned by `place`.
    pub fn add_part(&mut self, part: &Mesh, place: impl Fn(V3) -> V3, turn: impl Fn(V3) -> V3) {
        let first = self.mesh.vertices.len() as u32;
        self.mesh.vertices.extend(part.vertices.iter().map(|v| Vertex {
            pos: place(v.pos),
            normal: turn(v.normal),
            uv: v.uv,
        }));
        self.mesh.triangles.extend(part.triangles.iter().map(|t| t.map(|k| first + k)));
    }
}

impl Mesh {
    /// Smallest and largest coordinates.
    pub fn bounds(&self) -> (V3, V3) {
        let mut low = V3::repeat(f32::INFINITY);
        let mut high = V3::repeat(f32::NEG_INFINITY);
        for vertex in &self.vertices {
            low = low.inf(&vertex.pos);
            high = high.sup(&vertex.pos);
        }
        (low, high)
    }

    /// Moves the mesh so that the middle of its bounds is the origin.
    pub fn centre(&mut self) {
        let (low, high) = self.bounds();
        let middle = (low + high) / 2.0;
        for vertex in &mut self.vertices {
            vertex.pos -= middle;
        }
    }
}
