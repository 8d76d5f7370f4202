//! What a mass says under the edits of a list: the densities that the oracle needs of a plate, or of one step.

use super::density::{Density, Fourier, Grid, Spectrum, multiply, replaced, spectrum, units_spectrum};
use super::law::{Mixture, UnitLaw};
use super::shop::Shop;
use super::trip::Line;
use std::borrow::Cow;

/// Densities of what was measured less what the lines truly make on average.
pub struct Weighing<'a> {
    /// The law of a unit of each line.
    pub laws: Vec<Cow<'a, UnitLaw>>,
    /// Measured less expected, grams.
    pub x_g: f64,
    /// If the list is right.
    pub all: Density,
    /// For each line: without it, and with one unit fewer where it has several.
    reduced: Vec<(Density, Option<Density>)>,
}

impl<'a> Weighing<'a> {
    /// `around` are the laws of everything but the goods; `measured_g` is already less what is believed of that.
    pub fn new(shop: &'a Shop, lines: &[&Line], around: &[Mixture], measured_g: f64, fourier: &Fourier) -> Self {
        let laws: Vec<Cow<'a, UnitLaw>> = lines.iter().map(|l| l.law(shop)).collect();
        let core = |law: &UnitLaw, units: u32| {
            let n = f64::from(units);
            n * law.own.core_g2() + n * n * law.batch.core_g2()
        };
        let pairs = || lines.iter().zip(&laws);
        let sum = |f: &dyn Fn(&Mixture) -> f64| around.iter().map(f).sum::<f64>();
        let core_g2 = sum(&Mixture::core_g2) + pairs().map(|(l, w)| core(w, l.quantity)).sum::<f64>();
        let total_g2 = sum(&Mixture::variance_g2) + pairs().map(|(l, w)| w.variance_g2(l.quantity)).sum::<f64>();
        let widest_line = pairs().map(|(l, w)| core(w, l.quantity)).fold(0.0, f64::max);
        // What rarely happens lies far outside the spread of a narrow sum.
        let rarest_g = pairs().map(|(l, w)| f64::from(l.quantity) * w.furthest_g()).fold(0.0, f64::max);
        let grid = Grid::new((core_g2 - widest_line).sqrt(), total_g2.sqrt(), rarest_g);
        let spectra: Vec<Spectrum> = pairs().map(|(l, w)| units_spectrum(&grid, w, l.quantity)).collect();
        let mut whole = spectrum(&grid, &around[0], 1.0);
        for law in &around[1..] {
            multiply(&mut whole, &spectrum(&grid, law, 1.0));
        }
        for line in &spectra {
            multiply(&mut whole, line);
        }
        let mut wanted: Vec<(Spectrum, f64)> = Vec::with_capacity(2 * lines.len() + 1);
        for ((line, law), own) in pairs().zip(&spectra) {
            let rest_g2 = core_g2 - core(law, line.quantity);
            wanted.push((replaced(&whole, own, None), rest_g2.sqrt()));
            if line.quantity > 1 {
                let fewer = units_spectrum(&grid, law, line.quantity - 1);
                let core_g = (rest_g2 + core(law, line.quantity - 1)).sqrt();
                wanted.push((replaced(&whole, own, Some(&fewer)), core_g));
            }
        }
        wanted.push((whole, core_g2.sqrt()));
        let mut densities = transform(&grid, &wanted, fourier);
        let all = densities.remove(wanted.len() - 1);
        let mut densities = densities.into_iter();
        let reduced = lines.iter().map_while(|line| {
            let none = densities.next()?;
            Some((none, if line.quantity > 1 { densities.next() } else { None }))
        });
        let reduced = reduced.collect();
        let expected_g = pairs().map(|(l, w)| f64::from(l.quantity) * w.mean_g).sum::<f64>();
        Self { laws, x_g: measured_g - expected_g, all, reduced }
    }

    /// Density without a line.
    pub fn without(&self, line: usize) -> &Density {
        &self.reduced[line].0
    }

    /// Density with one unit of the line taken away.
    pub fn fewer(&self, line: usize) -> &Density {
        let (none, fewer) = &self.reduced[line];
        fewer.as_ref().unwrap_or(none)
    }
}

fn transform(grid: &Grid, wanted: &[(Spectrum, f64)], fourier: &Fourier) -> Vec<Density> {
    let mut densities = Vec::with_capacity(wanted.len() + 1);
    for two in wanted.chunks(2) {
        let (a, b) = (&two[0], two.last().unwrap_or(&two[0]));
        let (first, second) = Density::pair(grid, (&a.0, a.1), (&b.0, b.1), fourier);
        densities.push(first);
        densities.push(second);
    }
    densities.truncate(wanted.len());
    densities
}

#[cfg(test)]
mod tests {
    use super::super::shop::Shop;
    use super::super::trip::{self, Setting, Wanted};
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Totals of one list drawn a hundred thousand times fall where the density says, with all units and with a line taken away.
    #[test]
    fn densities_are_those_of_drawn_totals() {
        let shop = Shop::new(300, 6);
        let setting = Setting { items: 9, bag_known: false, tare_known: false };
        let trip = trip::draw(&shop, setting, Wanted::Honest, 3);
        let lines: Vec<&Line> = trip.lines.iter().collect();
        let around = [trip::scale_law(), trip::container_law(setting), trip::bags_law(setting, 1)];
        let weighing = Weighing::new(&shop, &lines, &around, 0.0, &Fourier::default());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let draws = 100_000;
        for skip in [None, Some(0), Some(1)] {
            let density = skip.map_or(&weighing.all, |i| weighing.without(i));
            let kept = || lines.iter().enumerate().filter(|(i, _)| Some(*i) != skip).map(|(_, l)| l);
            let laws: Vec<(u32, Cow<'_, UnitLaw>)> = kept().map(|l| (l.quantity, l.law(&shop))).collect();
            let mut total = || {
                let goods: f64 = laws.iter().map(|(n, law)| law.draw(*n, &mut rng)).sum();
                goods + around.iter().map(|a| a.draw(&mut rng)).sum::<f64>()
            };
            let totals: Vec<f64> = (0..draws).map(|_| total()).collect();
            for (from, to) in
                [(-400.0, -60.0), (-60.0, -20.0), (-20.0, 10.0), (10.0, 50.0), (50.0, 120.0), (120.0, 400.0)]
            {
                let found = totals.iter().filter(|t| (from..to).contains(*t)).count() as f64 / f64::from(draws);
                let (n, width) = (400, (to - from) / 400.0);
                let told: f64 = (0..n).map(|i| density.at(from + (f64::from(i) + 0.5) * width) * width).sum();
                let doubt = 5.0 * (told / f64::from(draws)).sqrt() + 2e-4;
                assert!((found - told).abs() < doubt, "{skip:?} {from}..{to}: {found} {told}");
            }
        }
    }
}
