//! What crops say for or against an edit, exactly: every good gives a Poisson number of crops, so that the crops of a plate are a Poisson
//! process whose intensity is the sum over the goods.

use super::looks::{Looks, Sight};
use super::shop::Shop;
use std::cell::RefCell;

/// The crops of a plate, or of one good put down, compared with goods.
pub struct View<'a> {
    looks: &'a Looks,
    sight: Sight,
    /// Crops of a unit of 300 g among so many.
    crowded: f64,
    crops: &'a [Vec<f32>],
    /// Intensity at each crop under the list, over that of a random direction.
    listed: Vec<f64>,
    /// One over that.
    inverse: Vec<f64>,
    /// For each good, once asked for, the probability that a unit gives no crop, and its mean number of crops times the likelihood ratio of
    /// each crop.
    known: RefCell<Vec<f64>>,
    asked: RefCell<Vec<bool>>,
}

impl<'a> View<'a> {
    /// `units` are on the list altogether, `goods` the scanned ones, (index, units).
    pub fn new(
        shop: &'a Shop,
        looks: &'a Looks,
        sight: Sight,
        units: u32,
        crops: &'a [Vec<f32>],
        goods: impl Iterator<Item = (usize, u32)>,
    ) -> Self {
        let mut view = Self {
            looks,
            sight,
            crowded: Looks::crowded(&sight, units),
            crops,
            listed: vec![sight.clutter_crops; crops.len()],
            inverse: Vec::new(),
            known: RefCell::new(vec![0.0; (crops.len() + 1) * shop.goods.len()]),
            asked: RefCell::new(vec![false; shop.goods.len()]),
        };
        for (product, n) in goods {
            let place = view.ask(product);
            let known = view.known.borrow();
            for (sum, v) in view.listed.iter_mut().zip(&known[place + 1..]) {
                *sum += f64::from(n) * v;
            }
        }
        view.inverse = view.listed.iter().map(|listed| listed.recip()).collect();
        view
    }

    /// Where the good's figures stand.
    fn ask(&self, product: usize) -> usize {
        let place = product * (self.crops.len() + 1);
        if !std::mem::replace(&mut self.asked.borrow_mut()[product], true) {
            let mean = self.crowded * self.looks.size(product);
            let known = &mut self.known.borrow_mut()[place..];
            known[0] = (-mean).exp();
            for (slot, crop) in known[1..].iter_mut().zip(self.crops) {
                *slot = mean * self.looks.ratio(product, crop);
            }
        }
        place
    }

    /// P(crops | edit) / P(crops | list): so many units of one good gone, so many of another come.
    pub fn change(&self, gone: Option<(usize, u32)>, come: &[(usize, u32)]) -> f64 {
        let place = |(product, n): (usize, u32)| (self.ask(product), n);
        let gone = gone.map(place);
        let come_at = match come {
            [] => [None; 2],
            [one] => [Some(place(*one)), None],
            [one, other, ..] => [Some(place(*one)), Some(place(*other))],
        };
        let known = self.known.borrow();
        let mut ratio = 1.0;
        if let Some((place, n)) = gone {
            ratio /= power(known[place], n);
        }
        for (place, n) in come_at.into_iter().flatten() {
            ratio *= power(known[place], n);
        }
        for (crop, (listed, inverse)) in self.listed.iter().zip(&self.inverse).enumerate() {
            let mut now = *listed;
            if let Some((place, n)) = gone {
                now -= f64::from(n) * known[place + 1 + crop];
            }
            for (place, n) in come_at.into_iter().flatten() {
                now += f64::from(n) * known[place + 1 + crop];
            }
            // What is left is clutter at least; rounding must not make it less.
            ratio *= now.max(self.sight.clutter_crops) * inverse;
        }
        ratio
    }
}

fn power(base: f64, n: u32) -> f64 {
    (1..n).fold(base, |product, _| product * base)
}

#[cfg(test)]
mod tests {
    use super::super::looks::Recorded;
    use super::*;

    /// One crop, one scanned good: ratios worked out by hand from the intensities.
    #[test]
    fn ratios_are_those_of_a_poisson_process() {
        let shop = Shop::new(40, 3);
        let looks = Looks::new(&shop, Recorded::shipped().unwrap(), 3).unwrap();
        let sight = looks.recorded.whole;
        let crop = {
            use rand::SeedableRng;
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
            looks.draw(&Sight { clutter_crops: 0.01, ..sight }, &[(7, 3.0)], &mut rng).0[..1].to_vec()
        };
        let view = View::new(&shop, &looks, sight, 1, &crop, [(5, 1)].into_iter());
        let mean = |p: usize| Looks::crowded(&sight, 1) * looks.size(p);
        let at = |p: usize| mean(p) * looks.ratio(p, &crop[0]);
        let before = sight.clutter_crops + at(5);
        let come = (-mean(7)).exp() * (before + at(7)) / before;
        assert!((view.change(None, &[(7, 1)]) / come - 1.0).abs() < 1e-9);
        let swapped = (mean(5) - mean(7)).exp() * (sight.clutter_crops + at(7)) / before;
        assert!((view.change(Some((5, 1)), &[(7, 1)]) / swapped - 1.0).abs() < 1e-9);
        assert!((view.change(None, &[]) - 1.0).abs() < 1e-12);
    }
}
