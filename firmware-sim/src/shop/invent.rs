//! Goods that no shop has: for training models on other identities than the demo shop's.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Colour, Good, Kind, Look, Risk, Sale, Shape, Style, TrueMass, code, seed};

/// Which of two disjoint sets of identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Split {
    /// For training.
    Train,
    /// For measuring.
    Test,
}

/// A shape, how often it occurs, and the ranges of width, depth and height in millimetres.
type ShapeRow = (Shape, u32, [(f64, f64); 3]);

const SHAPES: &[ShapeRow] = &[
    (Shape::Box, 22, [(50.0, 210.0), (20.0, 90.0), (60.0, 270.0)]),
    (Shape::Box, 6, [(70.0, 180.0), (50.0, 140.0), (8.0, 45.0)]),
    (Shape::Box, 2, [(180.0, 300.0), (150.0, 290.0), (25.0, 50.0)]),
    (Shape::Carton, 4, [(62.0, 95.0), (62.0, 95.0), (110.0, 260.0)]),
    (Shape::Brick, 4, [(45.0, 95.0), (40.0, 75.0), (90.0, 240.0)]),
    (Shape::Bag, 13, [(90.0, 230.0), (35.0, 90.0), (130.0, 310.0)]),
    (Shape::Sack, 5, [(80.0, 130.0), (50.0, 80.0), (120.0, 210.0)]),
    (Shape::Tray, 5, [(120.0, 240.0), (90.0, 170.0), (30.0, 75.0)]),
    (Shape::Blister, 3, [(60.0, 130.0), (12.0, 35.0), (100.0, 210.0)]),
    (Shape::Rolls, 2, [(190.0, 300.0), (110.0, 210.0), (100.0, 240.0)]),
    (Shape::Can, 6, [(53.0, 102.0), (53.0, 102.0), (50.0, 125.0)]),
    (Shape::DrinkCan, 4, [(53.0, 68.0), (53.0, 68.0), (115.0, 170.0)]),
    (Shape::Pet, 6, [(58.0, 96.0), (58.0, 96.0), (180.0, 340.0)]),
    (Shape::Glass, 5, [(55.0, 90.0), (55.0, 90.0), (150.0, 330.0)]),
    (Shape::Jar, 6, [(50.0, 100.0), (50.0, 100.0), (70.0, 170.0)]),
    (Shape::Cup, 6, [(55.0, 120.0), (55.0, 120.0), (55.0, 140.0)]),
    (Shape::Tub, 4, [(90.0, 200.0), (70.0, 150.0), (40.0, 110.0)]),
    (Shape::Tube, 3, [(40.0, 65.0), (28.0, 48.0), (110.0, 190.0)]),
    (Shape::Flask, 6, [(55.0, 130.0), (38.0, 75.0), (130.0, 300.0)]),
    (Shape::Round, 7, [(35.0, 140.0), (35.0, 140.0), (35.0, 140.0)]),
    (Shape::Bananas, 2, [(160.0, 220.0), (90.0, 150.0), (45.0, 70.0)]),
    (Shape::Pepper, 2, [(65.0, 95.0), (65.0, 95.0), (75.0, 120.0)]),
    (Shape::Long, 4, [(130.0, 380.0), (28.0, 70.0), (28.0, 70.0)]),
    (Shape::Root, 2, [(120.0, 240.0), (22.0, 50.0), (22.0, 50.0)]),
    (Shape::Leafy, 3, [(110.0, 210.0), (110.0, 210.0), (90.0, 160.0)]),
    (Shape::Tuber, 3, [(50.0, 120.0), (40.0, 80.0), (38.0, 75.0)]),
    (Shape::Grapes, 2, [(140.0, 210.0), (90.0, 130.0), (60.0, 90.0)]),
    (Shape::Loaf, 2, [(180.0, 300.0), (100.0, 150.0), (80.0, 120.0)]),
    (Shape::Roll, 3, [(75.0, 140.0), (60.0, 90.0), (42.0, 65.0)]),
];

const PRINTS: &[Style] = &[
    Style::Panel,
    Style::Bands,
    Style::Photo,
    Style::Diagonal,
    Style::Stripes,
    Style::Dots,
    Style::Window,
    Style::Emblem,
    Style::Plain,
    Style::Rays,
];

const SYLLABLES: &[&str] = &[
    "BA", "RO", "MI", "LU", "TE", "KA", "VO", "SI", "NEL", "DOR", "FI", "GRA", "HAL", "JU", "PEN", "QUI", "STA", "TRI",
    "UM", "WES", "ZA", "OLI", "EN", "AR", "CO", "DE", "SCH", "TUR", "MAR", "LIN",
];

/// An invented good; the same split and number always give the same one, different ones never share an id.
///
/// Every fourth number is a look-alike of the one before: the same design with another band and word.
pub fn invented(split: Split, number: u64) -> Good {
    let world = match split {
        Split::Train => 0x7121,
        Split::Test => 0x7E57,
    };
    let twin = number % 4 == 3;
    let family = if twin { number - 1 } else { number };
    let mut rng = ChaCha8Rng::seed_from_u64(seed::mix(world, family));
    let look = draw_look(&mut rng);
    let mut own = ChaCha8Rng::seed_from_u64(seed::mix(world ^ 0xF00D, number));
    let look = if twin { Look { band: saturated(&mut own), sub: word(&mut own, 1), ..look } } else { look };
    let [w, d, h] = look.size_mm;
    let mean_g = (w * d * h / 1000.0 * rng.random_range(0.3..1.0)).clamp(10.0, 2500.0);
    let name = match split {
        Split::Train => "train",
        Split::Test => "test",
    };
    let body = format!("409998{:06}", number % 1_000_000);
    let digit = code::check_digit(&body).unwrap_or(0);
    Good {
        id: format!("invented-{name}-{number}"),
        code: format!("{body}{digit}"),
        name: format!("{} {}", look.word, look.sub),
        look_group: Some(format!("invented-{name}-{family}")),
        sale: Sale { kind: Kind::Piece, price_minor: 199, popularity: 1.0, risk: Risk::Normal },
        mass: TrueMass { net_g: mean_g, mean_g, sd_g: mean_g * 0.01, mean_sd_g: mean_g * 0.003 },
        look,
    }
}

fn draw_look(rng: &mut ChaCha8Rng) -> Look {
    let fallback = &SHAPES[0];
    let (shape, _, ranges) = SHAPES.choose_weighted(rng, |row| row.1).unwrap_or(fallback);
    let mut size_mm = ranges.map(|(low, high)| rng.random_range(low..high).round());
    let turned = matches!(
        shape,
        Shape::Can
            | Shape::DrinkCan
            | Shape::Pet
            | Shape::Glass
            | Shape::Jar
            | Shape::Cup
            | Shape::Round
            | Shape::Pepper
            | Shape::Leafy
    );
    if turned {
        size_mm[1] = size_mm[0];
    }
    if matches!(shape, Shape::Round) {
        size_mm[2] = (size_mm[0] * rng.random_range(0.75..1.25)).round();
    }
    let mut look = Look {
        shape: *shape,
        size_mm,
        pieces: 1,
        style: *PRINTS.choose(rng).unwrap_or(&Style::Plain),
        base: ground(rng),
        accent: saturated(rng),
        ink: if rng.random_bool(0.5) { saturated(rng).mix(Colour([0, 0, 0]), 0.4) } else { Colour([245, 244, 238]) },
        band: saturated(rng),
        word: word(rng, 2),
        sub: word(rng, 1),
    };
    if *shape == Shape::Tray {
        (look.base, look.accent) = food(rng);
    }
    if let Some((style, base, accent, ink)) = skin(*shape, rng) {
        let shift = |c: Colour, rng: &mut ChaCha8Rng| {
            Colour(c.0.map(|part| (i32::from(part) + rng.random_range(-28..=28)).clamp(4, 250) as u8))
        };
        look.style = style;
        look.base = shift(base, rng);
        look.accent = shift(accent, rng);
        look.ink = shift(ink, rng);
        let small = size_mm[0] < 110.0 || matches!(shape, Shape::Root);
        if small && rng.random_bool(0.45) {
            look.pieces = rng.random_range(2..9);
        }
    }
    look
}

/// Two shades of something to eat: meat, fish, cheese, berries, salad.
fn food(rng: &mut ChaCha8Rng) -> (Colour, Colour) {
    const FOODS: &[[[u8; 3]; 2]] = &[
        [[168, 52, 52], [204, 100, 88]],
        [[228, 184, 160], [242, 212, 192]],
        [[232, 132, 92], [246, 172, 132]],
        [[236, 212, 128], [248, 232, 176]],
        [[44, 52, 104], [84, 92, 148]],
        [[176, 28, 36], [216, 64, 60]],
        [[92, 132, 60], [164, 192, 108]],
        [[222, 206, 180], [246, 238, 224]],
        [[122, 78, 50], [168, 118, 80]],
    ];
    let [base, accent] = *FOODS.choose(rng).unwrap_or(&FOODS[0]);
    (Colour(base), Colour(accent))
}

/// A skin: main colour, second colour, stalk.
type SkinRow = (Style, [u8; 3], [u8; 3], [u8; 3]);

/// Style and colours of grown and baked goods; `None` for packs.
fn skin(shape: Shape, rng: &mut ChaCha8Rng) -> Option<(Style, Colour, Colour, Colour)> {
    const ROUND: &[SkinRow] = &[
        (Style::Apple, [196, 204, 82], [186, 40, 44], [92, 70, 40]),
        (Style::Apple, [126, 178, 60], [150, 196, 84], [90, 80, 40]),
        (Style::Apple, [226, 196, 90], [214, 110, 60], [96, 70, 40]),
        (Style::Citrus, [238, 146, 34], [244, 164, 50], [90, 110, 40]),
        (Style::Citrus, [244, 214, 60], [236, 200, 44], [140, 150, 50]),
        (Style::Citrus, [110, 160, 50], [130, 174, 60], [60, 90, 30]),
        (Style::Calyx, [206, 44, 34], [222, 70, 44], [70, 120, 46]),
        (Style::Onion, [206, 146, 76], [176, 110, 52], [120, 84, 50]),
        (Style::Onion, [146, 40, 82], [122, 30, 70], [90, 50, 60]),
        (Style::Smooth, [74, 40, 84], [96, 50, 92], [40, 60, 30]),
        (Style::Smooth, [120, 90, 54], [136, 104, 66], [80, 60, 40]),
        (Style::Leaves, [120, 160, 70], [176, 204, 120], [80, 120, 50]),
    ];
    let rgb = |[r, g, b]: [u8; 3]| Colour([r, g, b]);
    let one = |style, a, b, c| Some((style, Colour(a), Colour(b), Colour(c)));
    match shape {
        Shape::Round => ROUND.choose(rng).map(|(s, a, b, c)| (*s, rgb(*a), rgb(*b), rgb(*c))),
        Shape::Bananas => one(Style::Smooth, [236, 206, 66], [214, 190, 70], [92, 80, 40]),
        Shape::Pepper => {
            let tone = *[[196, 36, 32], [236, 180, 30], [64, 124, 48], [232, 118, 32]].choose(rng)?;
            one(Style::Smooth, tone, tone, [80, 116, 50])
        }
        Shape::Long => {
            let options = [
                (Style::Smooth, [52, 104, 48], [84, 134, 66]),
                (Style::Smooth, [70, 34, 82], [56, 28, 66]),
                (Style::Crust, [198, 136, 72], [226, 176, 106]),
                (Style::Smooth, [206, 216, 170], [100, 150, 70]),
            ];
            let (style, base, accent) = *options.choose(rng)?;
            one(style, base, accent, [70, 84, 40])
        }
        Shape::Root => one(Style::Smooth, [228, 118, 40], [236, 140, 60], [90, 130, 60]),
        Shape::Leafy => one(Style::Leaves, [96, 150, 60], [170, 204, 110], [60, 110, 44]),
        Shape::Tuber => one(Style::Earthy, [196, 162, 104], [174, 136, 82], [110, 84, 52]),
        Shape::Grapes => {
            let tone = *[[150, 180, 84], [74, 36, 70], [150, 50, 64]].choose(rng)?;
            one(Style::Smooth, tone, tone, [110, 90, 50])
        }
        Shape::Loaf | Shape::Roll => one(Style::Crust, [188, 124, 64], [216, 164, 96], [110, 66, 34]),
        Shape::Box
        | Shape::Carton
        | Shape::Brick
        | Shape::Bag
        | Shape::Sack
        | Shape::Tray
        | Shape::Blister
        | Shape::Rolls
        | Shape::Can
        | Shape::DrinkCan
        | Shape::Pet
        | Shape::Glass
        | Shape::Jar
        | Shape::Cup
        | Shape::Tub
        | Shape::Tube
        | Shape::Flask => None,
    }
}

fn hsv(hue: f32, saturation: f32, value: f32) -> Colour {
    let part = |shift: f32| {
        let k = (shift + hue * 6.0).rem_euclid(6.0);
        let share = value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0);
        (share * 255.0).round() as u8
    };
    Colour([part(5.0), part(3.0), part(1.0)])
}

fn saturated(rng: &mut ChaCha8Rng) -> Colour {
    hsv(rng.random(), rng.random_range(0.45..0.95), rng.random_range(0.35..0.95))
}

/// The main colour of a pack: white and pale as often as strong or black.
fn ground(rng: &mut ChaCha8Rng) -> Colour {
    match rng.random_range(0..10) {
        0..3 => hsv(rng.random(), rng.random_range(0.0..0.12), rng.random_range(0.88..0.99)),
        3 => hsv(rng.random(), rng.random_range(0.0..0.4), rng.random_range(0.1..0.22)),
        4 => hsv(0.09, rng.random_range(0.2..0.45), rng.random_range(0.55..0.85)),
        _ => saturated(rng),
    }
}

fn word(rng: &mut ChaCha8Rng, syllables: usize) -> String {
    let count = syllables + rng.random_range(0..2);
    (0..count).filter_map(|_| SYLLABLES.choose(rng).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::Shop;

    #[test]
    fn invented_goods_are_repeatable_valid_and_disjoint() {
        let demo = Shop::demo().unwrap();
        for number in 0..200 {
            let train = invented(Split::Train, number);
            assert_eq!(train, invented(Split::Train, number));
            train.check().unwrap();
            assert_ne!(train.look, invented(Split::Test, number).look);
            assert!(demo.index_of(&train.id).is_none());
        }
    }

    #[test]
    fn a_twin_differs_from_its_sibling_in_band_and_small_word_only() {
        let (first, twin) = (invented(Split::Train, 6), invented(Split::Train, 7));
        assert_eq!(first.design_seed(), twin.design_seed());
        assert_ne!(first.look.band, twin.look.band);
        let same = Look { band: first.look.band, sub: first.look.sub.clone(), ..twin.look };
        assert_eq!(same, first.look);
    }
}
