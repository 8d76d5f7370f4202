//! Honest baskets: what shoppers take from the shelf, and what the catalogue expects of it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::hw::{self, Hardware};
use crate::shop::{Good, Kind, LABEL_SD_G, Shop};
use crate::stage::{GoodsLine, container_mass_g, draw_bag_g, unit_code};

/// Baskets are drawn anew so often until the wanted difference can be planted.
pub(super) const ATTEMPTS: usize = 500;

/// What nature adds stays within so many: these visits show the usual case, the tails are the judge's evaluation's business.
const NATURAL_SIGMA: f64 = 1.5;

/// Share of the container's volume that boxes around the goods may take.
const FILLING: f64 = 0.8;

/// More than this nobody carries in a hand basket.
const HEAVIEST_BASKET_G: f64 = 16_000.0;

/// Share of the platform's Max that shoppers use.
const HEAVIEST_SHARE: f64 = 0.8;

/// The seed's streams for visits.
const VISIT_STREAM: u64 = 1 << 35;

/// Chance that a line has two units.
const TWO: f64 = 0.2;

/// Some units of one good with their true masses; portions sold by weight are a line each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Units {
    pub good: usize,
    pub unit_g: Vec<f64>,
}

/// What the catalogue expects of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Expected {
    pub mean_g: f64,
    pub sigma_g: f64,
}

/// One shopper before the shelves.
pub(super) struct Shelf<'a> {
    pub shop: &'a Shop,
    pub hardware: &'a Hardware,
    pub container: Option<&'a hw::Container>,
    pub container_id: String,
    container_g: f64,
    rng: ChaCha8Rng,
}

impl<'a> Shelf<'a> {
    /// Visit number `visit` of a run.
    pub fn new(shop: &'a Shop, hardware: &'a Hardware, seed: u64, visit: usize) -> Self {
        let container = hardware.containers.iter().find(|container| container.kind != "none");
        let container_id = format!("K-{visit}");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(VISIT_STREAM + visit as u64);
        let container_g = container.map_or(0.0, |container| container_mass_g(container, Some(&container_id), seed));
        Self { shop, hardware, container, container_id, container_g, rng }
    }

    /// Lines of an honest list that fits the container, masses still to be drawn.
    pub fn basket(&mut self, items: u32) -> Option<Vec<Units>> {
        let mut room_mm3 = self.container.map_or(f64::INFINITY, |c| c.width_mm * c.depth_mm * c.height_mm * FILLING);
        let heaviest_g = match self.container {
            Some(container) if container.kind == "basket" => {
                HEAVIEST_BASKET_G.min(HEAVIEST_SHARE * self.hardware.platform.max_g)
            }
            Some(_) | None => HEAVIEST_SHARE * self.hardware.platform.max_g,
        };
        let mut room_g = heaviest_g - self.container.map_or(0.0, |container| container.tare_g);
        let mut lines: Vec<Units> = Vec::new();
        let mut left = items;
        for _ in 0..50 * items {
            if left == 0 {
                return Some(lines);
            }
            let index = self.shop.draw_good(&mut self.rng)?;
            let good = &self.shop.goods[index];
            if lines.iter().any(|line| line.good == index) || !self.fits(good) {
                continue;
            }
            let two = good.sale.kind != Kind::Weighed && left >= 2 && items >= 8 && self.rng.random_bool(TWO);
            let count = 1 + u32::from(two);
            let (mm3, grams) = (f64::from(count) * volume_mm3(good), f64::from(count) * good.mass.mean_g);
            // The rest must still fit: what one line takes is bounded by its share of the room, generously.
            let share = 4.0 * f64::from(count) / f64::from(left);
            if mm3 > room_mm3 * share.min(1.0) || grams > room_g * share.min(1.0) {
                continue;
            }
            room_mm3 -= mm3;
            room_g -= grams;
            left -= count;
            lines.push(Units { good: index, unit_g: vec![0.0; count as usize] });
        }
        None
    }

    /// Whether it can lie in the container.
    pub fn fits(&self, good: &Good) -> bool {
        let Some(container) = self.container else {
            return true;
        };
        let longest = good.look.size_mm.iter().fold(0.0_f64, |longest, &mm| longest.max(mm));
        longest <= 0.85 * container.width_mm.max(container.depth_mm)
    }

    /// Gives the units masses (and the bags theirs) so that the honest total is an ordinary one.
    pub fn natural(&mut self, mut lines: Vec<Units>, bags: u32) -> Option<(Vec<Units>, Vec<f64>)> {
        for _ in 0..ATTEMPTS {
            for line in &mut lines {
                for mass_g in &mut line.unit_g {
                    *mass_g = self.shop.goods[line.good].draw_mass_g(&mut self.rng);
                }
            }
            let bag_g: Vec<f64> = (0..bags).map(|_| draw_bag_g(&self.hardware.bags, &mut self.rng)).collect();
            let expected = self.expected(&lines, bags);
            if (self.true_g(&lines, &bag_g) - expected.mean_g).abs() <= NATURAL_SIGMA * expected.sigma_g {
                return Some((lines, bag_g));
            }
        }
        None
    }

    /// True mass of container, goods and bags, grams.
    pub fn true_g(&self, lines: &[Units], bag_g: &[f64]) -> f64 {
        let units_g: f64 = lines.iter().flat_map(|line| &line.unit_g).sum();
        self.container_g + units_g + bag_g.iter().sum::<f64>()
    }

    /// Mean and standard deviation of what should stand on the plate when `lines` are scanned (DESIGN.md section 4): platform,
    /// tare and bags, unit spreads, and the uncertainty of the catalogue's means, which all units of a line share.
    pub fn expected(&self, lines: &[Units], bags: u32) -> Expected {
        let (tare_g, tare_sd_g) = self.container.map_or((0.0, 0.0), |container| (container.tare_g, container.sigma_g));
        let bag = &self.hardware.bags;
        let mut mean_g = tare_g + f64::from(bags) * bag.mean_g;
        let mut variance =
            tare_sd_g.powi(2) + self.hardware.platform.sigma_g.powi(2) + f64::from(bags) * bag.sigma_g.powi(2);
        for line in lines {
            let count = line.unit_g.len() as f64;
            let row = self.shop.goods[line.good].catalogue_row();
            match row.kind {
                Kind::Weighed => {
                    mean_g += line.unit_g.iter().map(|mass_g| mass_g.round()).sum::<f64>();
                    variance += count * LABEL_SD_G.powi(2);
                }
                Kind::Piece | Kind::Varying => {
                    mean_g += count * row.gross_mean_g;
                    variance += count * row.gross_sd_g.powi(2) + (count * row.mean_sd_g).powi(2);
                }
            }
        }
        Expected { mean_g, sigma_g: variance.sqrt() }
    }

    /// What the catalogue expects of a line of packs, grams.
    pub fn mean_g(&self, line: &Units) -> f64 {
        line.unit_g.len() as f64 * self.shop.goods[line.good].catalogue_row().gross_mean_g
    }

    /// Takes so many units of a good from the shelf.
    pub fn units_of(&mut self, good: usize, count: usize) -> Units {
        let unit_g = (0..count).map(|_| self.shop.goods[good].draw_mass_g(&mut self.rng)).collect();
        Units { good, unit_g }
    }

    /// A pack that is not on the list and for which `wanted` holds, by popularity.
    pub fn other(&mut self, basket: &[Units], wanted: impl Fn(f64) -> bool) -> Option<usize> {
        (0..300).find_map(|_| {
            let index = self.shop.draw_good(&mut self.rng)?;
            let good = &self.shop.goods[index];
            let known = basket.iter().any(|line| line.good == index);
            let pack = good.sale.kind == Kind::Piece && self.fits(good) && !known;
            (pack && wanted(good.catalogue_row().gross_mean_g)).then_some(index)
        })
    }

    /// A random line of packs for which `wanted` holds.
    pub fn line_where(&mut self, basket: &[Units], wanted: impl Fn(&Self, &Units) -> bool) -> Option<usize> {
        let packs = basket.iter().enumerate().filter(|(_, line)| self.shop.goods[line.good].sale.kind == Kind::Piece);
        let fitting: Vec<usize> = packs.filter(|(_, line)| wanted(self, line)).map(|(index, _)| index).collect();
        (!fitting.is_empty()).then(|| fitting[self.rng.random_range(0..fitting.len())])
    }

    /// For people: `2 x Butter 250 g`.
    pub fn in_words(&self, line: &Units) -> String {
        let name = &self.shop.goods[line.good].name;
        match line.unit_g.len() {
            1 => name.clone(),
            count => format!("{count} x {name}"),
        }
    }

    /// As commands and the app's list say it.
    pub fn goods_lines(&self, lines: &[Units]) -> Vec<GoodsLine> {
        let line = |line: &Units| GoodsLine {
            id: self.shop.goods[line.good].id.clone(),
            quantity: line.unit_g.len() as u32,
            unit_g: line.unit_g.clone(),
        };
        lines.iter().map(line).collect()
    }
}

/// Volume of the boxes around a unit's pieces.
fn volume_mm3(good: &Good) -> f64 {
    good.look.size_mm.iter().product::<f64>() * f64::from(good.look.pieces)
}

/// Lines as the app sends them: packs by their code, each portion sold by weight by its own label.
pub(super) fn codes(good: &Good, line: &GoodsLine) -> Vec<(String, u32)> {
    match good.sale.kind {
        Kind::Piece | Kind::Varying => vec![(good.code.clone(), line.quantity)],
        Kind::Weighed => line.unit_g.iter().map(|mass_g| (unit_code(good, *mass_g), 1)).collect(),
    }
}
