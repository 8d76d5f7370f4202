//! A hand that leans on the plate for a while and then lets go.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::plate::Wrench;

/// Standard gravity, m/s^2: a newton is so many grams less.
const GRAVITY: f64 = 9.80665;

/// Time in which a hand follows its own will, seconds; fingers shake below 10 Hz.
const SLUGGISHNESS_S: f64 = 0.02;

/// A hand changes its mind so often, microseconds.
const WHIM_US: std::ops::Range<u64> = 30_000..80_000;

/// A hand with a random force that ends at a known moment.
#[derive(Debug, Clone)]
pub struct Hand {
    at_mm: [f64; 2],
    mean_g: f64,
    spread: f64,
    /// When it comes.
    pub start_us: u64,
    /// When it has let go.
    pub end_us: u64,
    force_g: f64,
    aim_g: f64,
    next_whim_us: u64,
    rng: ChaCha8Rng,
}

impl Hand {
    /// The hand that has just put something down: pushes 0 to 150 g, and now and then lifts a little, for `held_us`.
    pub fn putting_down(start_us: u64, held_us: u64, at_mm: [f64; 2], rng: ChaCha8Rng) -> Self {
        Self::new(start_us, held_us, at_mm, 75.0, 1.2, rng)
    }

    /// A hand that presses with about `newtons` (negative: lifts) for `held_us`, give or take a tenth.
    pub fn pressing(start_us: u64, held_us: u64, at_mm: [f64; 2], newtons: f64, rng: ChaCha8Rng) -> Self {
        Self::new(start_us, held_us, at_mm, newtons * 1000.0 / GRAVITY, 0.1, rng)
    }

    /// A hand that rests: `mass_g` without a tremor from the first moment until it lifts. Nothing tells it from goods meanwhile.
    pub fn resting(start_us: u64, held_us: u64, at_mm: [f64; 2], mass_g: f64, rng: ChaCha8Rng) -> Self {
        Self::new(start_us, held_us, at_mm, mass_g, 0.0, rng)
    }

    fn new(start_us: u64, held_us: u64, at_mm: [f64; 2], mean_g: f64, spread: f64, rng: ChaCha8Rng) -> Self {
        let end_us = start_us + held_us;
        Self { at_mm, mean_g, spread, start_us, end_us, force_g: mean_g, aim_g: mean_g, next_whim_us: start_us, rng }
    }

    /// Where it presses, millimetres.
    pub fn at_mm(&self) -> [f64; 2] {
        self.at_mm
    }

    /// Whether it is on the plate at `now_us`.
    pub fn touches(&self, now_us: u64) -> bool {
        (self.start_us..self.end_us).contains(&now_us)
    }

    /// The force for the next `dt_s` from `now_us` on.
    pub fn tick(&mut self, now_us: u64, dt_s: f64) {
        if now_us >= self.next_whim_us {
            self.aim_g = self.mean_g * (1.0 + self.spread * self.rng.random_range(-1.0..1.0));
            self.next_whim_us = now_us + self.rng.random_range(WHIM_US);
        }
        self.force_g += (self.aim_g - self.force_g) * (1.0 - (-dt_s / SLUGGISHNESS_S).exp());
    }

    /// What it does to the plate at `now_us`.
    pub fn wrench(&self, now_us: u64) -> Wrench {
        if self.touches(now_us) { Wrench::at(self.force_g, self.at_mm) } else { Wrench::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn forces(mut hand: Hand) -> Vec<f64> {
        (0..400)
            .map(|ms| {
                hand.tick(ms * 1000, 0.001);
                hand.wrench(ms * 1000).load_g
            })
            .collect()
    }

    #[test]
    fn a_resting_hand_is_as_still_as_goods_and_then_gone() {
        let forces = forces(Hand::resting(0, 300_000, [0.0; 2], 250.0, ChaCha8Rng::seed_from_u64(1)));
        assert!(forces[..300].iter().all(|f| (f - 250.0).abs() < 1e-9));
        assert!(forces[300..].iter().all(|f| *f == 0.0));
    }

    #[test]
    fn a_hand_that_puts_down_pushes_up_to_150_g_or_lifts_a_little() {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for seed in 0..50 {
            let hand = Hand::putting_down(0, 300_000, [0.0; 2], ChaCha8Rng::seed_from_u64(seed));
            for force in &forces(hand)[..300] {
                low = low.min(*force);
                high = high.max(*force);
            }
        }
        assert!((-15.0..0.0).contains(&low) && (140.0..=165.0).contains(&high), "{low} {high}");
    }
}
