//! What is not printed: metal, caps, glass, fruit, leaves and crust.

use super::canvas::Area;
use super::noise::{noise2, noise3};
use crate::shop::{Colour, Look, Style};

const WHITE: Colour = Colour([250, 250, 246]);
const BLACK: Colour = Colour([20, 20, 22]);
const WHOLE: [f32; 4] = [0.0, 0.0, 1.0, 1.0];

/// A can's end: rings, and a ring pull on every other design.
pub fn metal(area: &mut Area<'_>, design: u64) {
    let gold = design.is_multiple_of(3);
    let tone = if gold { Colour([206, 182, 122]) } else { Colour([188, 191, 195]) };
    area.paint(WHOLE, |u, v, _| {
        let (x, y) = (u - 0.5, v - 0.5);
        let away = x.hypot(y) * 2.0;
        let ring = ((away * 26.0).sin() * 0.5 + 0.5) * if away > 0.55 { 0.16 } else { 0.04 };
        // A brushed disc throws two opposite sheaves of light.
        let sheaf = (2.0 * y.atan2(x)).cos() * 0.16;
        tone.mix(BLACK, ring).mix(WHITE, sheaf.max(0.0) * 1.6).mix(BLACK, (-sheaf).max(0.0) * 1.2)
    });
    if design.is_multiple_of(2) {
        area.disc((0.5, 0.32), 0.15, 1.2, tone.mix(BLACK, 0.45));
        area.disc((0.5, 0.32), 0.12, 1.2, tone.mix(WHITE, 0.35));
        area.disc((0.5, 0.28), 0.06, 1.1, tone.mix(BLACK, 0.55));
        area.disc((0.5, 0.49), 0.035, 1.0, tone.mix(BLACK, 0.5));
    }
}

/// A screw cap: ribs all around.
pub fn cap(area: &mut Area<'_>, colour: Colour) {
    area.paint(WHOLE, |u, v, _| {
        let rib = ((u * 160.0).sin() * 0.5 + 0.5) * 0.14;
        let top = if v < 0.45 { 0.0 } else { rib };
        colour.mix(BLACK, top).mix(WHITE, if v < 0.08 { 0.1 } else { 0.0 })
    });
}

/// A filled transparent wall: dark edges, light streaks.
pub fn content(area: &mut Area<'_>, colour: Colour) {
    area.paint(WHOLE, |u, v, _| {
        let streak = ((u * std::f32::consts::TAU * 3.0).sin() * 0.5 + 0.5).powi(8);
        colour.mix(BLACK, 0.12 * (v * 9.0).sin().abs()).mix(WHITE, 0.42 * streak)
    });
}

/// One colour, hardly uneven.
pub fn bare(area: &mut Area<'_>, colour: Colour, seed: u64) {
    let (w, h) = (area.width() / 9.0, area.height() / 9.0);
    area.paint(WHOLE, |u, v, _| colour.mix(BLACK, noise2(u * w, v * h, seed) * 0.1));
}

/// The skin of a grown or baked good; u runs around, v from pole to pole.
pub fn grown(area: &mut Area<'_>, look: &Look, seed: u64) {
    let (base, accent, ink, band) = (look.base, look.accent, look.ink, look.band);
    let style = look.style;
    area.paint(WHOLE, |u, v, _| {
        let (sin, cos) = (u * std::f32::consts::TAU).sin_cos();
        let noise =
            |grain: f32, salt: u64| noise3(cos * grain + 50.0, sin * grain + 50.0, v * grain * 1.6 + 50.0, seed ^ salt);
        match style {
            Style::Apple => {
                let blush = (noise(1.1, 1) * 2.6 - 0.8).clamp(0.0, 1.0);
                let streak = (noise3(u * 34.0, v * 3.0, 0.5, seed) - 0.5) * 0.4;
                let speck = if noise(17.0, 2) > 0.85 { 0.35 } else { 0.0 };
                let dimple = (1.0 - (v / 0.13).min(1.0)) * 0.55;
                base.mix(accent, (blush + streak).clamp(0.0, 1.0)).mix(WHITE, speck).mix(ink, dimple)
            }
            Style::Citrus => {
                let pore = (noise(24.0, 1) - 0.5) * 0.3;
                base.mix(accent, noise(1.5, 2)).mix(BLACK, pore.max(0.0)).mix(WHITE, (-pore).max(0.0) * 0.5)
            }
            Style::Calyx => {
                let star = 0.1 + 0.07 * (u * std::f32::consts::TAU * 5.0).sin();
                if v < star { ink } else { base.mix(accent, noise(1.4, 1) * 0.8) }
            }
            Style::Onion => {
                let rib = ((u * std::f32::consts::TAU * 16.0 + noise(2.0, 3) * 5.0).sin() * 0.5 + 0.5) * 0.3;
                base.mix(accent, rib + 0.4 * noise(2.0, 1)).mix(ink, (0.12 - v).max(0.0) * 5.0)
            }
            Style::Earthy => {
                let spot = if noise(9.0, 1) > 0.72 { 0.5 } else { 0.0 };
                base.mix(accent, noise(2.6, 2)).mix(ink, spot)
            }
            Style::Leaves => {
                let vein = ((u * std::f32::consts::TAU * 7.0 + (noise(2.6, 1) - 0.5) * 9.0).sin() * 0.5 + 0.5).powi(2);
                let fold = (noise(5.0, 2) * 2.2 - 0.6).clamp(0.0, 1.0);
                base.mix(accent, fold).mix(ink, 0.55 * vein * (1.0 - fold)).mix(band, 0.3 * (1.0 - v))
            }
            Style::Crust => {
                let flour = (noise(4.0, 1) * 3.0 - 1.9).clamp(0.0, 0.7);
                let cut = ((v * 7.0 + 0.35 * (u * std::f32::consts::TAU).sin()).fract() - 0.5).abs();
                let cut = if cut < 0.06 && u > 0.1 { 0.6 } else { 0.0 };
                base.mix(accent, noise(2.2, 2)).mix(ink, 0.25 * noise(14.0, 3)).mix(band, cut).mix(WHITE, flour * 0.6)
            }
            Style::Smooth
            | Style::Panel
            | Style::Bands
            | Style::Photo
            | Style::Diagonal
            | Style::Stripes
            | Style::Dots
            | Style::Window
            | Style::Emblem
            | Style::Plain
            | Style::Rays => {
                let ends = ((v - 0.5).abs() * 2.0).powi(8) * 0.6;
                base.mix(accent, (noise(1.6, 1) * 1.6 - 0.5).clamp(0.0, 1.0)).mix(ink, ends)
            }
        }
    });
}
