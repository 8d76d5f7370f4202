//! The print on packs: layouts out of a look and a design seed.
//!
//! Look-alikes share the design seed, so they differ in nothing but band colour and words.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::canvas::{Area, Canvas};
use super::lettering::{TextBox, small_print, write};
use super::mesh::{Face, Patch};
use super::noise::noise2;
use super::skin;
use crate::shop::{Colour, Good, Look, Style, seed};

const WHITE: Colour = Colour([248, 247, 243]);
const BLACK: Colour = Colour([28, 27, 30]);

/// Paints all parts of a good's texture.
pub fn paint(canvas: &mut Canvas, patches: &[Patch], good: &Good) {
    let design = good.design_seed();
    for (place, patch) in patches.iter().enumerate() {
        let mut area = canvas.area(patch);
        let look = &good.look;
        match patch.face {
            Face::Front => front(&mut area, look, design),
            Face::Side => side(&mut area, look, design),
            Face::End => end(&mut area, look, design, &good.code),
            Face::Wrap => wrap(&mut area, look, design, &good.code),
            Face::Lid => lid(&mut area, look, design),
            Face::Metal => skin::metal(&mut area, design),
            Face::Cap => skin::cap(&mut area, look.band),
            Face::Content => skin::content(&mut area, look.accent),
            Face::Skin => skin::grown(&mut area, look, seed::mix(design, 7)),
            Face::Food => food(&mut area, look, design, &good.code),
            Face::Bare => skin::bare(&mut area, look.base, seed::mix(design, place as u64)),
            Face::Stalk => skin::bare(&mut area, look.ink, seed::mix(design, place as u64)),
        }
    }
}

/// The colour of words on a ground: the wanted one where it can be read, else black or white.
fn readable(wanted: Colour, ground: Colour) -> Colour {
    if (wanted.luma() - ground.luma()).abs() > 0.28 {
        wanted
    } else if ground.luma() > 0.5 {
        BLACK
    } else {
        WHITE
    }
}

fn text_at(x: f32, y: f32, width: f32, height: f32) -> TextBox {
    TextBox { at: (x, y), width, height, turned: false }
}

/// A pack's main face. Faces much higher or wider than the other way get a layout that suits.
fn front(area: &mut Area<'_>, look: &Look, design: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(design);
    ground(area, look, &mut rng);
    let wide = area.width() > 1.7 * area.height();
    let word_y = if wide { rng.random_range(0.3..0.42) } else { rng.random_range(0.16..0.34) };
    picture(area, look, wide, &mut rng);
    word(area, look, word_y, wide, &mut rng);
    band(area, look, &mut rng);
}

/// What lies behind everything.
fn ground(area: &mut Area<'_>, look: &Look, rng: &mut ChaCha8Rng) {
    let (base, accent) = (look.base, look.accent);
    let whole = [0.0, 0.0, 1.0, 1.0];
    area.gradient(whole, base.mix(WHITE, 0.08), base.mix(BLACK, 0.06));
    let (a, b) = (rng.random_range(0.25..0.75), rng.random_range(-0.5_f32..0.5));
    match look.style {
        Style::Bands => {
            let edge = 0.45 + 0.2 * a;
            area.rect([0.0, edge, 1.0, 1.0], accent);
            area.rect([0.0, edge, 1.0, edge + 0.025], readable(WHITE, accent));
        }
        Style::Diagonal => area.paint(whole, |u, v, old| if v > a + b * (u - 0.5) { accent } else { old }),
        Style::Stripes => {
            let count = rng.random_range(5..14) as f32;
            area.paint(whole, |u, _, old| if (u * count).fract() < 0.42 { accent } else { old });
        }
        Style::Dots => {
            let grain = rng.random_range(6.0..14.0);
            let seed = rng.random();
            let aspect = area.height() / area.width();
            area.paint(
                whole,
                |u, v, old| {
                    if noise2(u * grain, v * grain * aspect, seed) > 0.66 { accent } else { old }
                },
            );
        }
        Style::Rays => {
            let count = rng.random_range(5..12) as f32;
            let foot = (rng.random_range(0.2..0.8), rng.random_range(0.6..1.3));
            area.paint(whole, |u, v, old| {
                let angle = (v - foot.1).atan2(u - foot.0) / std::f32::consts::PI;
                if (angle * count).rem_euclid(1.0) < 0.5 { old.mix(accent, 0.8) } else { old }
            });
        }
        Style::Panel => area.frame([0.03, 0.03, 0.97, 0.97], 0.035, accent),
        Style::Photo
        | Style::Window
        | Style::Emblem
        | Style::Plain
        | Style::Apple
        | Style::Citrus
        | Style::Calyx
        | Style::Onion
        | Style::Earthy
        | Style::Smooth
        | Style::Leaves
        | Style::Crust => {}
    }
}

/// The picture or ornament in the lower part.
fn picture(area: &mut Area<'_>, look: &Look, wide: bool, rng: &mut ChaCha8Rng) {
    let at = if wide {
        (rng.random_range(0.74..0.84), 0.5)
    } else {
        (rng.random_range(0.4..0.6), rng.random_range(0.66..0.76))
    };
    let seed = rng.random();
    match look.style {
        Style::Photo => {
            let rim = readable(WHITE, look.base).mix(look.base, 0.15);
            area.disc(at, 0.36, 0.8, rim.mix(BLACK, 0.25));
            area.disc((at.0, at.1 - 0.012), 0.36, 0.8, rim);
            morsels(area, at, 0.27, look, 26, seed);
        }
        Style::Window => {
            let (w, h) = if wide { (0.2, 0.36) } else { (0.34, 0.2) };
            let pane = [at.0 - w, at.1 - h, at.0 + w, at.1 + h];
            area.rect(pane, look.accent.mix(BLACK, 0.35));
            let food = look.accent;
            let aspect = area.height() / area.width();
            area.paint(pane, |u, v, old| {
                let n = noise2(u * 22.0, v * 22.0 * aspect, seed);
                old.mix(food.mix(WHITE, (n - 0.5).max(0.0)), (n * 1.8 - 0.3).clamp(0.0, 1.0))
            });
            area.frame(pane, 0.02, readable(look.ink, look.base));
        }
        Style::Emblem => {
            area.disc(at, 0.3, 1.0, look.ink);
            area.disc(at, 0.27, 1.0, look.accent);
            area.disc(at, 0.2, 1.0, look.accent.mix(WHITE, 0.6));
            morsels(area, at, 0.13, look, 7, seed);
        }
        Style::Panel | Style::Rays | Style::Bands => morsels(area, at, 0.2, look, 12, seed),
        Style::Diagonal | Style::Stripes | Style::Dots => {
            area.disc(at, 0.22, 0.9, look.accent.mix(BLACK, 0.3));
            area.disc(at, 0.2, 0.9, look.accent.mix(WHITE, 0.35));
        }
        Style::Plain
        | Style::Apple
        | Style::Citrus
        | Style::Calyx
        | Style::Onion
        | Style::Earthy
        | Style::Smooth
        | Style::Leaves
        | Style::Crust => {}
    }
}

/// A handful of rounded pieces in shades of accent and band: the food, as far as print goes.
fn morsels(area: &mut Area<'_>, at: (f32, f32), radius: f32, look: &Look, count: u32, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let side = area.width().min(area.height());
    let (sx, sy) = (side / area.width(), side / area.height());
    let flat = rng.random_range(0.5..1.0);
    for k in 0..count {
        let angle: f32 = rng.random_range(0.0..std::f32::consts::TAU);
        let out = radius * rng.random::<f32>().sqrt();
        let place = (at.0 + out * angle.cos() * sx, at.1 + out * angle.sin() * sy * 0.8);
        let shade = if k % 4 == 3 { look.band } else { look.accent };
        let colour = shade.mix(if k % 2 == 0 { BLACK } else { WHITE }, rng.random_range(0.0..0.35));
        let size = radius * rng.random_range(0.22..0.42);
        area.disc((place.0 + 0.01, place.1 + 0.012), size, flat, colour.mix(BLACK, 0.45));
        area.disc(place, size, flat, colour);
        area.disc((place.0 - 0.3 * size * sx, place.1 - 0.3 * size * sy), size * 0.35, flat, colour.mix(WHITE, 0.5));
    }
}

fn word(area: &mut Area<'_>, look: &Look, y: f32, wide: bool, rng: &mut ChaCha8Rng) {
    let x = if wide { 0.36 } else { 0.5 };
    let width = if wide { 0.6 } else { 0.86 };
    let shielded = rng.random_bool(0.45) || matches!(look.style, Style::Stripes | Style::Dots | Style::Rays);
    let mut ground = look.base;
    if shielded {
        ground = if rng.random_bool(0.5) { readable(WHITE, look.ink) } else { look.ink };
        let half = if wide { 0.26 } else { 0.13 };
        let sides = [x - width / 2.0 - 0.02, y - half, x + width / 2.0 + 0.02, y + half];
        area.rect(sides, ground);
        area.frame(sides, 0.018, readable(look.accent, ground));
    }
    let colour = readable(look.ink, ground);
    let tall = area.height() > 2.4 * area.width();
    if tall && !shielded && look.word.len() > 6 {
        let place = TextBox { at: (0.32, 0.4), width: 0.42, height: 0.66, turned: true };
        write(area, &look.word, place, colour);
    } else {
        write(area, &look.word, text_at(x, y, width * 0.94, if wide { 0.42 } else { 0.2 }), colour);
    }
}

/// The stripe by which look-alikes differ, with the small word on it.
fn band(area: &mut Area<'_>, look: &Look, rng: &mut ChaCha8Rng) {
    let colour = readable(WHITE, look.band);
    match rng.random_range(0..4) {
        0 => {
            area.rect([0.0, 0.87, 1.0, 0.985], look.band);
            write(area, &look.sub, text_at(0.5, 0.928, 0.9, 0.085), colour);
        }
        1 => {
            area.rect([0.0, 0.44, 1.0, 0.54], look.band);
            write(area, &look.sub, text_at(0.5, 0.49, 0.9, 0.08), colour);
        }
        2 => {
            area.rect([0.0, 0.0, 1.0, 0.09], look.band);
            area.rect([0.0, 0.86, 1.0, 0.95], look.band);
            write(area, &look.sub, text_at(0.5, 0.905, 0.9, 0.075), colour);
        }
        _ => {
            area.disc((0.8, 0.82), 0.19, 1.0, WHITE);
            area.disc((0.8, 0.82), 0.175, 1.0, look.band);
            area.rect([0.0, 0.95, 1.0, 1.0], look.band);
            let side = area.width().min(area.height());
            write(area, &look.sub, text_at(0.8, 0.82, 0.3 * side / area.width(), 0.1), colour);
        }
    }
}

fn side(area: &mut Area<'_>, look: &Look, design: u64) {
    area.fill(look.base);
    let ink = readable(look.ink, look.base);
    let tall = area.height() > area.width();
    if tall {
        area.rect([0.0, 0.0, 1.0, 0.12], look.band);
        let place = TextBox { at: (0.5, 0.36), width: 0.6, height: 0.42, turned: true };
        write(area, &look.word, place, ink);
        small_print(area, [0.14, 0.62, 0.86, 0.92], ink, design);
    } else {
        area.rect([0.0, 0.0, 0.1, 1.0], look.band);
        write(area, &look.word, text_at(0.42, 0.5, 0.55, 0.6), ink);
        small_print(area, [0.74, 0.2, 0.96, 0.85], ink, design);
    }
}

fn end(area: &mut Area<'_>, look: &Look, design: u64, code: &str) {
    let ground = look.base.mix(WHITE, 0.12);
    area.fill(ground);
    let ink = readable(look.ink, ground);
    area.rect([0.0, 0.0, 1.0, 0.14], look.band);
    small_print(area, [0.08, 0.22, 0.92, 0.52], ink, seed::mix(design, 3));
    // Bars are 37 mm wide in print at most: on a broad face they take a corner only.
    let (wide, high) = (area.width(), area.height());
    let w = (52.0 / wide).clamp(0.2, 0.84);
    let h = (34.0 / high).clamp(0.18, 0.38);
    area.barcode([0.94 - w, 0.94 - h, 0.94, 0.94], code);
    if wide.min(high) > 70.0 {
        // A broad back names the good once more.
        write(area, &look.word, text_at(0.5, 0.62, 0.8, 0.12), ink);
        write(area, &look.sub, text_at(0.5, 0.07, 0.7, 0.1), readable(WHITE, look.band));
    } else if wide > 2.0 * high {
        write(area, &look.word, text_at(0.36, 0.56, 0.5, 0.5), ink);
    }
}

fn wrap(area: &mut Area<'_>, look: &Look, design: u64, code: &str) {
    area.fill(look.base);
    front(&mut area.part(0.0, 0.0, 0.4, 1.0), look, design);
    front(&mut area.part(0.5, 0.0, 0.9, 1.0), look, design);
    for from in [0.4, 0.9] {
        let mut rest = area.part(from, 0.0, from + 0.1, 1.0);
        rest.fill(look.base.mix(WHITE, 0.1));
        rest.rect([0.0, 0.88, 1.0, 1.0], look.band);
        small_print(&mut rest, [0.1, 0.1, 0.9, 0.45], readable(look.ink, look.base), design);
        rest.barcode([0.08, 0.5, 0.92, 0.82], code);
    }
}

fn lid(area: &mut Area<'_>, look: &Look, design: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed::mix(design, 5));
    area.fill(look.base);
    area.disc((0.5, 0.5), 0.5, 1.0, look.band);
    area.disc((0.5, 0.5), rng.random_range(0.38..0.46), 1.0, look.base);
    let at = (0.5, 0.66);
    if look.style == Style::Plain {
        area.disc((0.5, 0.5), 0.36, 1.0, look.base.mix(WHITE, 0.2));
    } else {
        let seed = rng.random();
        morsels(area, at, 0.15, look, 8, seed);
    }
    write(area, &look.word, text_at(0.5, 0.36, 0.72, 0.2), readable(look.ink, look.base));
    write(area, &look.sub, text_at(0.5, 0.52, 0.6, 0.11), readable(look.band, look.base));
}

fn food(area: &mut Area<'_>, look: &Look, design: u64, code: &str) {
    let (low, high) = (look.base, look.accent);
    let (w, h) = (area.width() / 14.0, area.height() / 14.0);
    area.paint([0.0, 0.0, 1.0, 1.0], |u, v, _| {
        let coarse = noise2(u * w, v * h, design);
        let fine = noise2(u * w * 3.0, v * h * 3.0, design ^ 1);
        let share = ((coarse * 0.65 + fine * 0.35) * 2.4 - 0.8).clamp(0.0, 1.0);
        low.mix(high, share).mix(BLACK, (0.5 - coarse).max(0.0) * 0.6)
    });
    area.frame([0.0, 0.0, 1.0, 1.0], 0.045, look.base.mix(WHITE, 0.35));
    let mut label = area.part(0.52, 0.1, 0.94, 0.62);
    label.fill(WHITE);
    label.rect([0.0, 0.0, 1.0, 0.2], look.band);
    write(&mut label, &look.word, text_at(0.5, 0.1, 0.9, 0.16), readable(WHITE, look.band));
    write(&mut label, &look.sub, text_at(0.5, 0.32, 0.8, 0.16), BLACK);
    label.barcode([0.08, 0.46, 0.92, 0.96], code);
}
