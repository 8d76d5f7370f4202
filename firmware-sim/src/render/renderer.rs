//! Draws scenes; keeps the bodies, textures and buffers that it needs again.

use std::collections::BTreeMap;
use std::sync::Arc;

use nalgebra::{Matrix3, Rotation3};

use super::body::{self, Body};
use super::canvas::Canvas;
use super::fixtures::{self, Fixture};
use super::mesh::{ATLAS_WIDTH, V3};
use super::picture::Rendered;
use super::print;
use super::raster::{Extent, Eye, Instance, Raster};
use super::scene::{CameraModel, ContainerShape, Placed, Plate, Scene, Surface};
use super::shade::{self, LINEAR, Lamp, Material, Shadows};
use super::surroundings::{self, Tile};
use crate::shop::{Shop, seed};

/// Samples per pixel in each direction.
const SAMPLES: u32 = 2;

#[derive(Debug)]
struct Model {
    body: Body,
    texture: Canvas,
}

/// A software rasteriser with the looks of one shop.
#[derive(Debug)]
pub struct Renderer {
    shop: Arc<Shop>,
    models: BTreeMap<(usize, u64), Arc<Model>>,
    tiles: BTreeMap<Surface, Tile>,
    backdrop: Option<(CameraModel, Plate, Vec<[f32; 3]>)>,
    container: Option<(ContainerShape, Arc<Fixture>)>,
    hand: Option<(u64, Arc<Fixture>)>,
    bag: Option<(u64, Arc<Fixture>)>,
    raster: Raster,
    lone: Raster,
    shadows: Shadows,
    pixels: Vec<[f32; 3]>,
    scratch: Vec<[f32; 3]>,
}

/// What a scene is drawn from, kept alive while it is shaded.
struct Props {
    models: Vec<Arc<Model>>,
    container: Option<Arc<Fixture>>,
    hand: Option<Arc<Fixture>>,
    bag: Option<Arc<Fixture>>,
}

impl Renderer {
    /// A renderer of the shop's goods; bodies and textures are made when first needed.
    pub fn new(shop: Arc<Shop>) -> Self {
        Self {
            shop,
            models: BTreeMap::new(),
            tiles: BTreeMap::new(),
            backdrop: None,
            container: None,
            hand: None,
            bag: None,
            raster: Raster::new(0, 0),
            lone: Raster::new(0, 0),
            shadows: Shadows::default(),
            pixels: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The shop whose goods it draws.
    pub fn shop(&self) -> &Arc<Shop> {
        &self.shop
    }

    /// Goes on with another shop's goods.
    pub fn change_shop(&mut self, shop: Arc<Shop>) {
        self.shop = shop;
        self.models.clear();
    }

    /// Drops the bodies and textures of a good that is not needed again soon.
    pub fn forget(&mut self, good: usize) {
        self.models.retain(|(known, _), _| *known != good);
    }

    /// Draws a scene. Placed goods that the shop does not have are left out.
    pub fn draw(&mut self, scene: &Scene) -> Rendered {
        let camera = scene.camera;
        let (width, height) = (camera.width_px as usize, camera.height_px as usize);
        let scale = SAMPLES as usize;
        if (self.raster.width, self.raster.height) != (width * scale, height * scale) {
            self.raster = Raster::new(width * scale, height * scale);
        }
        self.raster.clear();
        let props = self.props(scene);
        let eye = Eye::new(&camera, SAMPLES);
        let materials = self.rasterise(scene, &props, &eye);
        let mm_per_sample = (camera.height_mm / camera.focal_px) as f32 / SAMPLES as f32;
        let height_mm = camera.height_mm as f32;
        // Straight down a depth is a height: what training scenes are made with stays as it is, to the bit.
        let level = |x: f32, y: f32, depth: f32| match camera.is_aside() {
            true => eye.level(x, y, depth),
            false => height_mm - depth,
        };
        self.shadows.measure(&self.raster, level, mm_per_sample, &scene.light);
        self.prepare_backdrop(&camera, &scene.plate);
        let ids = self.resolve(scene, &materials);
        shade::blur(&mut self.pixels, width, height, scene.light.blur_px, &mut self.scratch);
        let rgb = shade::to_srgb(&self.pixels);
        Rendered { width: camera.width_px, height: camera.height_px, rgb, ids, noise_levels: scene.light.noise_levels }
    }

    /// How many pixels each placed good would cover if nothing were in front of it.
    pub fn lone_pixels(&mut self, scene: &Scene) -> Vec<u32> {
        let (width, height) = (scene.camera.width_px as usize, scene.camera.height_px as usize);
        if (self.lone.width, self.lone.height) != (width, height) {
            self.lone = Raster::new(width, height);
        }
        let eye = Eye::new(&scene.camera, 1);
        let props = self.props(scene);
        let mut counts = Vec::with_capacity(scene.placed.len());
        for (placed, model) in scene.placed.iter().zip(&props.models) {
            let extent = self.lone.draw(&eye, &instance_of(placed, model, 0));
            let [left, top, right, low]: Extent = extent;
            let rows = (top..low).map(|row| &self.lone.seen[row * width + left..row * width + right]);
            counts.push(rows.map(|row| row.iter().filter(|s| **s > 0).count() as u32).sum());
            self.lone.clear_extent(extent);
        }
        counts
    }

    fn props(&mut self, scene: &Scene) -> Props {
        let container = scene.container.map(|shape| match &self.container {
            Some((known, fixture)) if *known == shape => Arc::clone(fixture),
            Some(_) | None => {
                let fixture = Arc::new(fixtures::container(&shape));
                self.container = Some((shape, Arc::clone(&fixture)));
                fixture
            }
        });
        let hand = scene.hand.map(|pose| match &self.hand {
            Some((known, fixture)) if *known == pose.seed => Arc::clone(fixture),
            Some(_) | None => {
                let fixture = Arc::new(fixtures::hand(pose.seed));
                self.hand = Some((pose.seed, Arc::clone(&fixture)));
                fixture
            }
        });
        let bag = scene.bag.map(|pose| match &self.bag {
            Some((known, fixture)) if *known == pose.seed => Arc::clone(fixture),
            Some(_) | None => {
                let fixture = Arc::new(fixtures::bag(pose.seed));
                self.bag = Some((pose.seed, Arc::clone(&fixture)));
                fixture
            }
        });
        let models = scene.placed.iter().filter_map(|placed| self.model(placed)).collect();
        Props { models, container, hand, bag }
    }

    fn model(&mut self, placed: &Placed) -> Option<Arc<Model>> {
        let good = self.shop.goods.get(placed.good)?;
        let variant = body::variant_of(&good.look, placed.unit_seed);
        let make = || {
            let body = body::build(&good.look, good.design_seed(), variant);
            let mut texture = Canvas::new(ATLAS_WIDTH, body.atlas_height);
            print::paint(&mut texture, &body.patches, good);
            Arc::new(Model { body, texture })
        };
        Some(Arc::clone(self.models.entry((placed.good, variant)).or_insert_with(make)))
    }

    fn rasterise<'a>(&mut self, scene: &Scene, props: &'a Props, eye: &Eye) -> Vec<Material<'a>> {
        let mut materials = Vec::with_capacity(scene.placed.len() + 2);
        // The highest first: what they hide is then skipped instead of overdrawn.
        let mut order: Vec<usize> = (0..props.models.len()).collect();
        order.sort_by(|a, b| scene.placed[*b].pose.centre_mm.z.total_cmp(&scene.placed[*a].pose.centre_mm.z));
        for k in order {
            let (placed, model) = (&scene.placed[k], &props.models[k]);
            self.raster.draw(eye, &instance_of(placed, model, materials.len() as u32));
            let tint = tint_of(placed, body::variant_of(&self.shop.goods[placed.good].look, 1) == 1);
            materials.push(Material { texture: &model.texture, gloss: model.body.gloss, tint, id: k as u16 + 1 });
        }
        let mut fixture = |fixture: &'a Fixture, at: V3, yaw: f64| {
            let owner = materials.len() as u32;
            let rotation = Rotation3::from_euler_angles(0.0, 0.0, yaw as f32).into_inner();
            self.raster.draw(eye, &Instance { mesh: &fixture.mesh, rotation, at, scale: 1.0, owner });
            materials.push(Material { texture: &fixture.texture, gloss: fixture.gloss, tint: [1.0; 3], id: 0 });
        };
        if let (Some(body), Some(shape)) = (&props.container, &scene.container) {
            fixture(body, V3::new(shape.at_mm[0] as f32, shape.at_mm[1] as f32, 0.0), shape.yaw_rad);
        }
        if let (Some(body), Some(pose)) = (&props.hand, &scene.hand) {
            let [x, y, z] = pose.at_mm.map(|mm| mm as f32);
            fixture(body, V3::new(x, y, z), pose.yaw_rad);
        }
        if let (Some(body), Some(pose)) = (&props.bag, &scene.bag) {
            let [x, y, z] = pose.at_mm.map(|mm| mm as f32);
            fixture(body, V3::new(x, y, z), pose.yaw_rad);
        }
        materials
    }

    fn prepare_backdrop(&mut self, camera: &CameraModel, plate: &Plate) {
        let known = self.backdrop.as_ref().is_some_and(|(c, p, _)| c == camera && p == plate);
        if !known {
            let tile = self.tiles.entry(plate.surface).or_insert_with(|| Tile::of(plate.surface));
            self.backdrop = Some((*camera, *plate, surroundings::backdrop(camera, plate, tile)));
        }
    }

    /// Shades each pixel: once where its samples agree, once per facet where they do not.
    fn resolve(&mut self, scene: &Scene, materials: &[Material<'_>]) -> Vec<u16> {
        let lamp = Lamp::new(&scene.light);
        let backdrop = self.backdrop.as_ref().map(|(_, _, pixels)| pixels.as_slice()).unwrap_or_default();
        let (width, height) = (scene.camera.width_px as usize, scene.camera.height_px as usize);
        let mut ids = Vec::with_capacity(width * height);
        self.pixels.clear();
        self.pixels.reserve(width * height);
        let linear: &[f32; 256] = &LINEAR;
        let (raster, shadows) = (&self.raster, &self.shadows);
        let mut shares_line = Vec::new();
        for (row, (lines, ground)) in
            raster.seen.chunks_exact(2 * raster.width).zip(backdrop.chunks_exact(width)).enumerate()
        {
            let (upper, lower) = lines.split_at(raster.width);
            let y = 2.0 * row as f32 + 1.0;
            shadows.line(y, &mut shares_line);
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2)).zip(ground);
            for (column, ((up, low), ground)) in pairs.enumerate() {
                let seen = [up[0], up[1], low[0], low[1]];
                let x = 2.0 * column as f32 + 1.0;
                let shares = shade::shares_at(&shares_line, x);
                let shade = |facet: u32, (x, y): (f32, f32)| -> ([f32; 3], u16) {
                    let Some(facet) = facet.checked_sub(1).map(|k| &raster.facets[k as usize]) else {
                        return (lamp.reflect_level(*ground, shares), 0);
                    };
                    let material = &materials[facet.owner as usize];
                    let (normal, uv) = facet.at(x, y);
                    let albedo = shade::sample(material.texture, uv, linear);
                    let albedo = std::array::from_fn(|k| albedo[k] * material.tint[k]);
                    (lamp.reflect(albedo, normal.normalize(), material.gloss, shares), material.id)
                };
                let alike = (seen[0] ^ seen[1]) | (seen[0] ^ seen[2]) | (seen[0] ^ seen[3]) == 0;
                let (colour, id) = if alike { shade(seen[0], (x, y)) } else { blend(seen, (x, y), shade) };
                self.pixels.push(colour);
                ids.push(id);
            }
        }
        ids
    }
}

/// Shades the distinct facets of a pixel's four samples and weighs them; the most frequent owner gets it.
fn blend(seen: [u32; 4], (x, y): (f32, f32), shade: impl Fn(u32, (f32, f32)) -> ([f32; 3], u16)) -> ([f32; 3], u16) {
    const AT: [(f32, f32); 4] = [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)];
    let mut sum = [0.0; 3];
    let mut owners = [0_u16; 4];
    for k in 0..4 {
        let first = seen.iter().position(|f| *f == seen[k]).unwrap_or(k);
        if first < k {
            owners[k] = owners[first];
            continue;
        }
        let count = seen.iter().filter(|f| **f == seen[k]).count() as f32;
        let (colour, id) = shade(seen[k], (x + AT[k].0, y + AT[k].1));
        owners[k] = id;
        for n in 0..3 {
            sum[n] += colour[n] * count / 4.0;
        }
    }
    let frequency = |id: u16| owners.iter().filter(|o| **o == id).count();
    let owner = owners.iter().copied().max_by_key(|id| (frequency(*id), *id)).unwrap_or(0);
    (sum, owner)
}

fn instance_of<'a>(placed: &Placed, model: &'a Model, owner: u32) -> Instance<'a> {
    let rotation: Matrix3<f32> = placed.pose.rotation.to_rotation_matrix().into_inner().cast();
    Instance { mesh: &model.body.mesh, rotation, at: placed.pose.centre_mm.cast(), scale: 1.0, owner }
}

/// Grown goods differ a little in colour from unit to unit.
fn tint_of(placed: &Placed, grown: bool) -> [f32; 3] {
    if !grown {
        return [1.0; 3];
    }
    let part = |salt: u64| 0.92 + 0.16 * (seed::mix(placed.unit_seed, salt) % 1000) as f32 / 1000.0;
    let common = part(1);
    [common * (0.5 + 0.5 * part(2)), common, common * (0.5 + 0.5 * part(3))]
}
