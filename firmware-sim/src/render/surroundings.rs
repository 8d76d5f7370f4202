//! Plate and floor: what the camera sees where no good lies.

use std::sync::LazyLock;

use super::noise::noise2;
use super::raster::Eye;
use super::scene::{CameraModel, Plate, Surface};
use super::shade::LINEAR;
use crate::shop::{Colour, seed};

const WHITE: Colour = Colour([255, 255, 255]);
const BLACK: Colour = Colour([0, 0, 0]);

/// Side of a surface's sample, millimetres and texels; it is mirrored to go on for ever.
const TILE: i32 = 384;

/// A sample of a surface in linear light, [`TILE`] texels square, one a millimetre.
#[derive(Debug)]
pub struct Tile(Vec<[f32; 3]>);

static FLOOR: LazyLock<Tile> = LazyLock::new(|| Tile::paint(floor));

impl Tile {
    fn paint(colour: impl Fn(f32, f32) -> Colour) -> Self {
        let texel = |k: i32| colour((k % TILE) as f32, (k / TILE) as f32).0.map(|c| LINEAR[usize::from(c)]);
        Self((0..TILE * TILE).map(texel).collect())
    }

    /// The sample of a plate's surface.
    pub fn of(material: Surface) -> Self {
        Self::paint(|x, y| surface(material, x, y))
    }

    fn at(&self, x: f32, y: f32) -> [f32; 3] {
        let fold = |mm: f32| {
            let k = (mm as i32 + 8 * TILE).rem_euclid(2 * TILE);
            if k < TILE { k } else { 2 * TILE - 1 - k }
        };
        self.0[(fold(y) * TILE + fold(x)) as usize]
    }
}

/// Linear colours of plate and floor for each pixel, before light falls on them.
pub fn backdrop(camera: &CameraModel, plate: &Plate, tile: &Tile) -> Vec<[f32; 3]> {
    let eye = Eye::new(camera, 1);
    let (half_w, half_d) = (plate.width_mm as f32 / 2.0, plate.depth_mm as f32 / 2.0);
    let floor = &FLOOR;
    let mut pixels = Vec::with_capacity((camera.width_px * camera.height_px) as usize);
    for row in 0..camera.height_px {
        for column in 0..camera.width_px {
            let (px, py) = (column as f32 + 0.5, row as f32 + 0.5);
            let (x, y) = eye.meet(px, py, 0.0);
            let inside = (half_w - x.abs()).min(half_d - y.abs());
            pixels.push(if inside > 0.0 {
                // A pressed edge catches the light on a few millimetres.
                let edge = 0.3 * (1.0 - inside / 5.0).max(0.0);
                tile.at(x, y).map(|c| c + (1.0 - c) * edge)
            } else {
                let gap = 1.0 - 0.85 * (1.0 + inside / 9.0).max(0.0);
                let (x, y) = eye.meet(px, py, -60.0);
                floor.at(x, y).map(|c| c * gap)
            });
        }
    }
    pixels
}

fn hue(seed: u64, from: u8, span: u64) -> Colour {
    let part = |salt: u64| (u64::from(from) + seed::mix(seed, salt) % span).min(255) as u8;
    Colour([part(1), part(2), part(3)])
}

fn surface(surface: Surface, x: f32, y: f32) -> Colour {
    match surface {
        Surface::Steel => {
            let brush = noise2(x / 60.0, y * 1.6, 11) * 0.6 + noise2(x / 18.0, y * 3.1, 12) * 0.4;
            let sheen = noise2(x / 260.0 + 3.0, y / 260.0 + 3.0, 13);
            Colour([150, 153, 157]).mix(WHITE, 0.22 * brush + 0.12 * sheen).mix(BLACK, 0.16 * (1.0 - brush))
        }
        Surface::Plain(seed) => {
            let tone = hue(seed, 40, 200);
            let grey = Colour([(tone.luma() * 255.0) as u8; 3]);
            tone.mix(grey, 0.6).mix(BLACK, 0.06 * noise2(x / 70.0, y / 70.0, seed))
        }
        Surface::Belt(seed) => {
            let tone = hue(seed, 26, 26);
            let weave = ((x * 1.1).sin() * (y * 1.1).sin()) * 0.03 + 0.03;
            let wear = noise2(x / 120.0, y / 25.0, seed);
            tone.mix(WHITE, weave + 0.1 * wear * wear)
        }
        Surface::Wood(seed) => {
            let board = (y / 90.0).floor();
            let shade = noise2(board * 7.3, 0.5, seed) * 0.25;
            let grain = noise2(x / 90.0, y / 3.0 + board * 31.0, seed ^ 5);
            let joint = ((y / 90.0).fract() - 0.5).abs() > 0.49;
            let tone = Colour([178, 132, 88]).mix(hue(seed, 90, 110), 0.4);
            tone.mix(BLACK, shade + 0.2 * grain + if joint { 0.4 } else { 0.0 })
        }
        Surface::Stone(seed) => {
            let tone = hue(seed, 110, 110);
            let grey = Colour([(tone.luma() * 255.0) as u8; 3]);
            let speck = noise2(x / 3.0, y / 3.0, seed) * 0.5 + noise2(x / 11.0, y / 11.0, seed ^ 3) * 0.5;
            tone.mix(grey, 0.75).mix(if speck > 0.5 { WHITE } else { BLACK }, (speck - 0.5).abs() * 0.9)
        }
    }
}

fn floor(x: f32, y: f32) -> Colour {
    let (tx, ty) = ((x / 300.0 + 0.37).rem_euclid(1.0), (y / 300.0 + 0.21).rem_euclid(1.0));
    let joint = tx.min(1.0 - tx).min(ty).min(1.0 - ty) < 0.008;
    let tone = Colour([104, 101, 97]).mix(WHITE, 0.1 * noise2(x / 26.0, y / 26.0, 21));
    let tone = tone.mix(BLACK, 0.12 * noise2(x / 4.0, y / 4.0, 22));
    if joint { tone.mix(BLACK, 0.4) } else { tone }
}
