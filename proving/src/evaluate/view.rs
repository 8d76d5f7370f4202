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
    /// For each good its mean number of crops times the likelihood ratio of each crop, once asked for.
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
            known: RefCell::new(vec![0.0; crops.len() * shop.goods.len()]),
            asked: RefCell::new(vec![false; shop.goods.len()]),
        };
        for (product, n) in goods {
            let place = view.ask(product);
            let known = view.known.borrow();
            for (sum, v) in view.listed.iter_mut().zip(&known[place..]) {
                *sum += f64::from(n) * v;
            }
        }
        view
    }

    fn mean_crops(&self, product: usize) -> f64 {
        self.crowded * self.looks.size(product)
    }

    /// Where the good's figures stand.
    fn ask(&self, product: usize) -> usize {
        let place = product * self.crops.len();
        if !std::mem::replace(&mut self.asked.borrow_mut()[product], true) {
            let mean = self.mean_crops(product);
            for (slot, crop) in self.known.borrow_mut()[place..].iter_mut().zip(self.crops) {
                *slot = mean * self.looks.ratio(product, crop);
            }
        }
        place
    }

    /// P(crops | edit) / P(crops | list): so many units of one good gone, so many of another come. Negative units do the opposite.
    pub fn change(&self, gone: Option<(usize, u32)>, come: &[(usize, u32)]) -> f64 {
        let mut expected = 0.0;
        let gone = gone.map(|(product, n)| {
            expected += f64::from(n) * self.mean_crops(product);
            (self.ask(product), f64::from(n))
        });
        let mut come_at = [(0, 0.0); 2];
        for (slot, (product, n)) in come_at.iter_mut().zip(come) {
            expected -= f64::from(*n) * self.mean_crops(*product);
            *slot = (self.ask(*product), f64::from(*n));
        }
        let known = self.known.borrow();
        let mut ratio = expected.exp();
        for (crop, listed) in self.listed.iter().enumerate() {
            let mut now = *listed;
            if let Some((place, n)) = gone {
                now -= n * known[place + crop];
            }
            for (place, n) in &come_at[..come.len().min(2)] {
                now += n * known[place + crop];
            }
            // What is left is clutter at least; rounding must not make it less.
            ratio *= now.max(self.sight.clutter_crops) / listed;
        }
        ratio
    }
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
            looks.draw(&Sight { clutter_crops: 0.01, ..sight }, &[(7, 3.0)], &mut rng)[..1].to_vec()
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
