//! What a good looks like: its shape, size, colours and print.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The body of a good. `size_mm` of [`Look`] is always width (x), depth (y), height (z) of one piece as it
/// stands on the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A folding box.
    Box,
    /// A drinks carton with a gable top.
    Carton,
    /// A drinks carton with a flat top and a cap.
    Brick,
    /// A pillow bag: crisps, pasta, frozen goods.
    Bag,
    /// A filled paper bag with a folded top: flour, sugar.
    Sack,
    /// A shallow tray under film: meat, mushrooms.
    Tray,
    /// A card with a bubble: razor blades, batteries.
    Blister,
    /// Rolls or bottles in film: toilet paper.
    Rolls,
    /// A food can with a paper label.
    Can,
    /// A drinks can.
    DrinkCan,
    /// A plastic bottle.
    Pet,
    /// A glass bottle.
    Glass,
    /// A glass jar with a screw lid.
    Jar,
    /// A cup with a foil lid: yoghurt.
    Cup,
    /// A rectangular tub with a lid: margarine, ice cream.
    Tub,
    /// A squeezed tube: toothpaste.
    Tube,
    /// A flat bottle with shoulders: detergent, shampoo.
    Flask,
    /// A more or less round fruit.
    Round,
    /// A hand of bananas.
    Bananas,
    /// A lobed bell pepper.
    Pepper,
    /// Long and thick: cucumber, courgette, baguette.
    Long,
    /// Long and pointed, often several: carrots.
    Root,
    /// A head of leaves: lettuce, cabbage.
    Leafy,
    /// Irregular: potato, ginger.
    Tuber,
    /// Many small balls: grapes.
    Grapes,
    /// A loaf of bread.
    Loaf,
    /// A bread roll.
    Roll,
}

/// How a pack is printed or a fruit's skin is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// One colour, a framed panel with the words.
    Panel,
    /// Broad bands across.
    Bands,
    /// A picture of the food below the words.
    Photo,
    /// Two colours meeting on a slant.
    Diagonal,
    /// Many thin stripes.
    Stripes,
    /// Dots or flakes all over.
    Dots,
    /// A window that shows what is inside.
    Window,
    /// A round emblem in the middle.
    Emblem,
    /// Sparse: little but the words.
    Plain,
    /// Rays from a corner.
    Rays,
    /// Apple skin: speckles and a blush of the accent colour.
    Apple,
    /// Citrus skin: pores.
    Citrus,
    /// Smooth skin with a green calyx.
    Calyx,
    /// Dry skin with meridians: onion, garlic.
    Onion,
    /// Earthy spots.
    Earthy,
    /// Smooth and even.
    Smooth,
    /// Ribbed green leaves.
    Leaves,
    /// Baked crust.
    Crust,
}

/// A colour as a designer writes it: `#rrggbb`, sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// Towards `other` by `share` (0..1), in sRGB.
    pub fn mix(self, other: Self, share: f32) -> Self {
        // In 256ths: painting textures mixes by the million.
        let weight = (share * 256.0) as i32;
        let mut out = [0; 3];
        for (channel, value) in out.iter_mut().enumerate() {
            let (from, to) = (i32::from(self.0[channel]), i32::from(other.0[channel]));
            *value = (from + ((to - from) * weight + 128) / 256).clamp(0, 255) as u8;
        }
        Self(out)
    }

    /// Brightness as the eye sees it, 0..1 (Rec. 601 weights).
    pub fn luma(self) -> f32 {
        let [r, g, b] = self.0.map(f32::from);
        (0.299 * r + 0.587 * g + 0.114 * b) / 255.0
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii());
        let value = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        match value {
            Some(value) => {
                let [_, r, g, b] = value.to_be_bytes();
                Ok(Self([r, g, b]))
            }
            None => Err(serde::de::Error::custom(format!("`{text}` is no colour of the form #rrggbb"))),
        }
    }
}

/// The look of a good.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The body.
    pub shape: Shape,
    /// Width, depth, height of one piece as it stands on the shelf, millimetres.
    pub size_mm: [f64; 3],
    /// Pieces that lie together in one unit: apples in a bag; 1 for packs.
    #[serde(default = "one")]
    pub pieces: u8,
    /// Print or skin.
    pub style: Style,
    /// Main colour.
    pub base: Colour,
    /// Second colour.
    pub accent: Colour,
    /// Colour of words, stalks, spots.
    pub ink: Colour,
    /// Colour by which look-alikes differ: a band, a cap.
    pub band: Colour,
    /// Big word on the pack.
    #[serde(default)]
    pub word: String,
    /// Small word on the pack.
    #[serde(default)]
    pub sub: String,
}

impl Look {
    /// Room that one unit takes up in a basket, litres: its enclosing box, all pieces.
    pub fn bulk_l(&self) -> f64 {
        self.size_mm.iter().product::<f64>() * f64::from(self.pieces) / 1e6
    }
}

fn one() -> u8 {
    1
}
