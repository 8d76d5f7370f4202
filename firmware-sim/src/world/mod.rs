//! The physical world: a plate on load cells, what stands on it, and hands. Sans-IO, seeded: time is an argument.
//!
//! World time is microseconds since the simulation began; it only moves forwards. The result does not depend on how often
//! [`World::advance_to`] is called, only on what was done when.

mod cells;
mod ground;
mod hand;
mod load;
mod plate;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::hw::Hardware;
pub use cells::Cells;
pub use ground::{Edge, Footing, Ground, Mischief, footings};
pub use hand::Hand;
pub use load::{Load, Lying, Standing, Thing};
pub use plate::{Creep, Plate, PlateExtras, Sharer, Tone, Wrench};

/// Integration step while a hand is on the plate; without one the motion is solved exactly in one go.
const STEP_US: u64 = 1_000;

/// Streams of the seed's generator: cells take those from 1 on.
const HAND_STREAM: u64 = 1 << 32;

/// The plates with their cells and everything on them.
#[derive(Debug, Clone)]
pub struct World {
    seed: u64,
    now_us: u64,
    ground: Ground,
    plates: Vec<Plate>,
    cells: Cells,
    load: Load,
    /// What each plate carries at rest.
    resting: Vec<Wrench>,
    hands: Vec<Hand>,
    hands_seen: u64,
    last_touch_us: Option<u64>,
    version: u64,
}

impl World {
    /// Empty plates at rest at time 0.
    pub fn new(hardware: &Hardware, seed: u64) -> Self {
        let footings = footings(hardware);
        let ground = Ground::new(&footings);
        Self {
            seed,
            now_us: 0,
            plates: vec![Plate::new(&hardware.platform); ground.count()],
            resting: vec![Wrench::default(); ground.count()],
            ground,
            cells: Cells::new(&footings, &hardware.simulator, seed),
            load: Load::default(),
            hands: Vec::new(),
            hands_seen: 0,
            last_touch_us: None,
            version: 0,
        }
    }

    /// The same world with plates that have more physics; meant for one that has just been made.
    #[must_use]
    pub fn with(mut self, extras: PlateExtras) -> Self {
        self.plates = self.plates.into_iter().map(|plate| plate.with(extras)).collect();
        self
    }

    /// World time.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// What rests on the plate.
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// Counts up whenever something visible changes; equal versions look alike.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether a hand is on the plate now.
    pub fn touching(&self) -> bool {
        self.hands.iter().any(|hand| hand.touches(self.now_us))
    }

    /// The last moment at which a hand was on the plate or something was put on or taken off it; now while a hand still is.
    /// `None` when nothing ever was.
    pub fn last_touch_us(&self) -> Option<u64> {
        if self.touching() { Some(self.now_us) } else { self.last_touch_us }
    }

    /// Changes what rests on the plate, at once: the plate rings. Counts as a touch.
    pub fn set_load(&mut self, load: Load) {
        self.load = load;
        self.resting = self.ground.carried(&self.load);
        self.last_touch_us = Some(self.now_us);
        self.version += 1;
    }

    /// A hand that has just put something down at `at_mm` and lets go after `held_us`.
    pub fn hold(&mut self, held_us: u64, at_mm: [f64; 2]) {
        let rng = self.hand_rng();
        self.hands.push(Hand::putting_down(self.now_us, held_us, at_mm, rng));
        self.version += 1;
    }

    /// A hand that presses with `newtons` at `at_mm` for `held_us`.
    pub fn press(&mut self, newtons: f64, held_us: u64, at_mm: [f64; 2]) {
        let rng = self.hand_rng();
        self.hands.push(Hand::pressing(self.now_us, held_us, at_mm, newtons, rng));
        self.version += 1;
    }

    fn hand_rng(&mut self) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(HAND_STREAM + self.hands_seen);
        self.hands_seen += 1;
        rng
    }

    /// Lets time pass up to `t_us`; nothing happens when that has gone by already.
    pub fn advance_to(&mut self, t_us: u64) {
        while self.now_us < t_us {
            let next_us = self.next_stop_us(t_us);
            let dt_s = (next_us - self.now_us) as f64 * 1e-6;
            let mut applied = self.resting.clone();
            for hand in &mut self.hands {
                if self.now_us.is_multiple_of(STEP_US) {
                    hand.tick(self.now_us, STEP_US as f64 * 1e-6);
                }
                let plate = self.ground.under(hand.at_mm());
                applied[plate] = applied[plate] + hand.wrench(self.now_us);
            }
            for ((plate, applied), resting) in self.plates.iter_mut().zip(applied).zip(&self.resting) {
                plate.advance(dt_s, applied, resting.load_g);
            }
            self.now_us = next_us;
            self.let_go();
        }
    }

    /// Forces are constant up to here: the next whole step or a hand's end while one is on the plate, else all the way.
    /// Whole steps, so that the force does not depend on who asked for the time in between.
    fn next_stop_us(&self, t_us: u64) -> u64 {
        let Some(end_us) = self.hands.iter().map(|hand| hand.end_us).min() else {
            return t_us;
        };
        let grid_us = (self.now_us / STEP_US + 1) * STEP_US;
        t_us.min(grid_us).min(end_us.max(self.now_us + 1))
    }

    fn let_go(&mut self) {
        let now_us = self.now_us;
        let before = self.hands.len();
        for hand in self.hands.extract_if(.., |hand| hand.end_us <= now_us) {
            self.last_touch_us = self.last_touch_us.max(Some(hand.end_us));
        }
        if self.hands.len() != before {
            self.version += 1;
        }
    }

    /// One conversion of every channel of port number `port` (boards in the station file's order, then indicators) at the
    /// present moment.
    pub fn counts(&mut self, port: usize) -> Vec<i32> {
        let plate = self.cells.plate(port);
        let carried = self.plates.get(plate).map(Plate::carried).unwrap_or_default();
        self.cells.counts(port, carried, self.now_us as f64 * 1e-6)
    }

    /// The number of the plate under port number `port`.
    pub fn plate(&self, port: usize) -> usize {
        self.cells.plate(port)
    }

    /// Natural frequency of the first plate with its present load, Hz.
    pub fn frequency_hz(&self) -> f64 {
        match (self.plates.first(), self.resting.first()) {
            (Some(plate), Some(resting)) => plate.frequency_hz(resting.load_g),
            (None, _) | (_, None) => 0.0,
        }
    }

    /// What is wrong at the plate under port number `port` from now on; the plate feels the change at once. No hand is in
    /// it, so it is no touch.
    pub fn set_mischief(&mut self, port: usize, mischief: Vec<Mischief>) {
        self.ground.set_mischief(self.cells.plate(port), mischief);
        self.resting = self.ground.carried(&self.load);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw;

    fn world(seed: u64) -> World {
        World::new(&hw::tests::plate(), seed)
    }

    fn weight(mass_g: f64, at_mm: [f64; 2]) -> Load {
        Load { things: vec![Thing { name: "weight".into(), mass_g, at_mm }], ..Load::default() }
    }

    /// Load and centre of gravity as the station file's constants give them from one reading.
    fn reading(counts: &[i32]) -> (f64, f64, f64) {
        let hardware = hw::tests::plate();
        let mut sums = (0.0, 0.0, 0.0);
        for (count, cell) in counts.iter().zip(&hardware.boards[0].cells) {
            let grams = f64::from(count - cell.zero_counts) / cell.counts_per_g;
            sums = (sums.0 + grams, sums.1 + grams * cell.x_mm, sums.2 + grams * cell.y_mm);
        }
        (sums.0, sums.1 / sums.0, sums.2 / sums.0)
    }

    #[test]
    fn settles_to_the_true_total_and_place() {
        let mut world = world(1);
        world.set_load(weight(7000.0, [80.0, -30.0]));
        world.hold(300_000, [80.0, -30.0]);
        world.advance_to(8_000_000);
        let (mass_g, x_mm, y_mm) = reading(&world.counts(0));
        // Noise 0.5 g a cell: 1 g in the total; gain errors up to 1.4 g; drift below 0.1 g after eight seconds.
        assert!((mass_g - 7000.0).abs() < 5.0, "{mass_g}");
        assert!((x_mm - 80.0).abs() < 0.2 && (y_mm + 30.0).abs() < 0.2, "{x_mm} {y_mm}");
    }

    #[test]
    fn rings_at_the_stated_frequency() {
        let mut world = world(2);
        world.set_load(weight(12_000.0, [0.0, 0.0]));
        let mut crossings = Vec::new();
        let mut before = -1.0;
        for t_us in (0..1_000_000).step_by(500) {
            world.advance_to(t_us);
            let away = reading(&world.counts(0)).0 - 12_000.0;
            if before < -100.0 && away >= -100.0 {
                crossings.push(t_us as f64 * 1e-6);
            }
            before = away;
        }
        // (5000 + 4000) / (12000 + 4000) = 9/16: three quarters of 10 Hz, damped.
        let expected_hz = 7.5 * (1.0_f64 - 0.06 * 0.06).sqrt();
        let hz = (crossings.len() - 1) as f64 / (crossings[crossings.len() - 1] - crossings[0]);
        assert!(crossings.len() >= 5);
        assert!((hz / expected_hz - 1.0).abs() < 0.01, "{hz} {expected_hz}");
    }

    #[test]
    fn the_last_touch_is_when_the_hand_lets_go() {
        let mut world = world(3);
        assert_eq!(world.last_touch_us(), None);
        world.advance_to(1_000_000);
        world.set_load(weight(1000.0, [0.0, 0.0]));
        world.hold(312_345, [0.0, 0.0]);
        world.advance_to(1_200_000);
        assert!(world.touching());
        assert_eq!(world.last_touch_us(), Some(1_200_000));
        world.advance_to(3_000_000);
        assert!(!world.touching());
        assert_eq!(world.last_touch_us(), Some(1_312_345));
    }

    #[test]
    fn a_hand_disturbs_and_a_press_weighs() {
        let mut world = world(4);
        world.set_load(weight(3000.0, [0.0, 0.0]));
        world.advance_to(5_000_000);
        world.press(9.80665, 4_000_000, [0.0, 0.0]);
        world.advance_to(8_900_000);
        let (mass_g, ..) = reading(&world.counts(0));
        assert!((mass_g - 4000.0).abs() < 150.0, "ten newtons are a kilogram: {mass_g}");
        world.advance_to(15_000_000);
        let (mass_g, ..) = reading(&world.counts(0));
        assert!((mass_g - 3000.0).abs() < 5.0, "{mass_g}");
    }

    #[test]
    fn the_same_seed_gives_the_same_counts_however_time_is_cut() {
        let run = |seed: u64, cut_us: usize| {
            let mut world = world(seed);
            world.set_load(weight(2500.0, [10.0, 20.0]));
            world.hold(300_000, [10.0, 20.0]);
            let mut counts = Vec::new();
            for t_us in (0..=600_000u64).step_by(cut_us) {
                world.advance_to(t_us);
                if t_us % 12_500 == 0 {
                    counts.push(world.counts(0));
                }
            }
            counts
        };
        assert_eq!(run(5, 12_500), run(5, 12_500));
        assert_ne!(run(5, 12_500), run(6, 12_500));
        let cut: Vec<i32> = run(5, 2_500).concat();
        assert!(run(5, 12_500).concat().iter().zip(cut).all(|(a, b)| a.abs_diff(b) <= 1));
    }
}
