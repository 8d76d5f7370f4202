//! The plates of the figure, and one placement on one of them as a list of readings.

use augenmass_core::units::Mono;
use augenmass_core::weighing::Reading;
use augenmass_core::weighing::settle::SettleConfig;
use firmware_sim::hw;
use firmware_sim::world::{Creep, Hand, Plate, PlateExtras, Sharer, Tone, Wrench};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// Readings come at 80 Hz.
pub const READING_US: u64 = 12_500;
/// Forces change on this grid.
const STEP_US: u64 = 500;
/// The plate itself.
const DEAD_MASS_G: f64 = 4000.0;
/// What the station file says of the damping, whatever the plate has.
const BELIEVED_DAMPING: f64 = 0.05;
/// What it says of creep, as a share of what has stood on the plate.
const BELIEVED_CREEP: f64 = 2e-4;
/// The station file's frequency is off by so much, 1 sigma of its logarithm.
const FREQUENCY_ERROR: f64 = 0.05;
/// The plate stands idle for so long before anything happens.
const IDLE_US: u64 = 2_000_000;
/// It is watched for so long after the last touch.
const AFTER_US: u64 = 4_000_000;

/// What a plate has beyond noise and one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Nothing.
    None,
    /// A second mode with 5 to 20 % of the load at 1.6 to 3.2 times the frequency (at most 34 Hz), damping 0.02 to 0.06.
    SecondMode,
    /// A floor tone of 0.5 to 2 g at 4 to 30 Hz.
    Tone,
    /// A liquid with 0.5 to 3 % of the step sloshing at 1 to 3 Hz, damping 0.02 to 0.06.
    Slosh,
    /// Creep of 0.01 to 0.03 % with a time constant of 1 to 10 minutes; the station file's `sigma_g` is
    /// 0.02 % of what has stood there.
    Creep,
    /// Readings rounded to 1 to 5 g.
    Quantised,
    /// All of these together.
    All,
}

/// What touches the plate in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// The hand that puts the goods down: up to 150 g for about 0.3 s, in half of the runs a second time.
    Pushes,
    /// A hand that rests on the goods for 0.8 to 2 s without a tremor: 30 g to 1.5 kg.
    Rest,
    /// A body that leans on the plate for 4 s: 40 to 600 g swelling and falling at 0.15 to 0.5 Hz.
    Lean,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Frequency with the whole load on the plate, hertz; `None`: each run draws 5, 8 or 12.
    pub frequency_hz: Option<f64>,
    /// Damping; `None`: 0.03 or 0.08.
    pub damping_ratio: Option<f64>,
    /// The step; `None`: 1000 or 300.
    pub step_g: Option<f64>,
    /// What else the plate has.
    pub extra: Extra,
    /// Who touches it.
    pub touch: Touch,
}

impl Cell {
    /// For the table's first column.
    pub fn name(&self) -> String {
        let plate = match (self.frequency_hz, self.damping_ratio, self.step_g) {
            (Some(f), Some(d), Some(s)) => format!("{f:.0} Hz, {d:.2}, {s:.0} g"),
            _ => "5-12 Hz".to_owned(),
        };
        let extra = match self.extra {
            Extra::None => "",
            Extra::SecondMode => ", second mode",
            Extra::Tone => ", floor tone",
            Extra::Slosh => ", slosh",
            Extra::Creep => ", creep",
            Extra::Quantised => ", quantised",
            Extra::All => ", all of these",
        };
        let touch = match self.touch {
            Touch::Pushes => "",
            Touch::Rest => ", resting hand",
            Touch::Lean => ", leaning",
        };
        format!("{plate}{extra}{touch}")
    }
}

const FREQUENCIES_HZ: [f64; 3] = [5.0, 8.0, 12.0];
const DAMPINGS: [f64; 2] = [0.03, 0.08];
const STEPS_G: [f64; 2] = [1000.0, 300.0];

/// Every combination of frequency, damping and step, with one mode.
pub fn single() -> Vec<Cell> {
    let mut cells = Vec::new();
    for frequency_hz in FREQUENCIES_HZ {
        for damping_ratio in DAMPINGS {
            for step_g in STEPS_G {
                cells.push(Cell {
                    frequency_hz: Some(frequency_hz),
                    damping_ratio: Some(damping_ratio),
                    step_g: Some(step_g),
                    extra: Extra::None,
                    touch: Touch::Pushes,
                });
            }
        }
    }
    cells
}

/// The hard plates, each over all frequencies, dampings and steps.
pub fn hard() -> Vec<Cell> {
    [Extra::SecondMode, Extra::Tone, Extra::Slosh, Extra::Creep, Extra::Quantised, Extra::All]
        .into_iter()
        .map(|extra| over_all(extra, Touch::Pushes))
        .collect()
}

/// What must not be taken for goods.
pub fn people() -> Vec<Cell> {
    vec![over_all(Extra::None, Touch::Rest), over_all(Extra::None, Touch::Lean)]
}

fn over_all(extra: Extra, touch: Touch) -> Cell {
    Cell { frequency_hz: None, damping_ratio: None, step_g: None, extra, touch }
}

/// One placement.
#[derive(Clone, Debug)]
pub struct Placement {
    /// What the daemon knows of the plate.
    pub config: SettleConfig,
    /// What it reads.
    pub readings: Vec<Reading>,
    /// What rests on the plate in the end.
    pub mass_g: f64,
    /// When it is touched for the first time.
    pub first_touch_us: u64,
    /// When it is touched for the last time.
    pub last_touch_us: u64,
}

/// Plays run number `run` of a cell.
pub fn place(cell: &Cell, noise_g: f64, seed: u64, run: u64) -> Placement {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(run);
    let pick: usize = rng.random_range(0..12);
    let frequency_hz = cell.frequency_hz.unwrap_or(FREQUENCIES_HZ[pick % 3]);
    let damping_ratio = cell.damping_ratio.unwrap_or(DAMPINGS[pick / 3 % 2]);
    let step_g = cell.step_g.unwrap_or(STEPS_G[pick / 6 % 2]);
    let preload_g = if rng.random_bool(0.5) { rng.random_range(1000.0..6000.0) } else { 0.0 };
    let (before_g, mass_g) = if preload_g > 0.0 && rng.random_bool(0.5) {
        (preload_g + step_g, preload_g)
    } else {
        (preload_g, preload_g + step_g)
    };
    let true_hz = frequency_hz * (FREQUENCY_ERROR * gauss(&mut rng)).exp();
    let extras = extras(cell.extra, true_hz, &mut rng);
    let quantum_g = match cell.extra {
        Extra::Quantised => rng.random_range(1.0..5.0),
        Extra::All => rng.random_range(0.5..2.0),
        _ => 0.0,
    };
    let mut plate = Plate::new(&platform(true_hz, mass_g, damping_ratio)).with(extras);
    plate.advance(600.0, Wrench::at(before_g, [0.0; 2]), before_g);
    let mut hands = Hands::new(cell.touch, &mut rng);
    let (first_touch_us, last_touch_us) = (hands.first_us, hands.last_us);
    let mut readings = Vec::new();
    let mut now_us = 0;
    while now_us <= last_touch_us + AFTER_US {
        if now_us.is_multiple_of(READING_US) {
            let carried = plate.carried();
            let raw_g = carried.load_g + noise_g * gauss(&mut rng);
            let mass_g = if quantum_g > 0.0 { (raw_g / quantum_g).round() * quantum_g } else { raw_g };
            let moment_g_mm =
                [carried.moment_x_gmm, carried.moment_y_gmm].map(|m| m + 200.0 * noise_g * gauss(&mut rng));
            readings.push(Reading { at: Mono::from_us(now_us), mass_g, moment_g_mm, twist_g: 0.0 });
        }
        let resting_g = if now_us < first_touch_us { before_g } else { mass_g };
        // Without a hand the motion is solved in one go up to the next reading.
        let alone =
            now_us.is_multiple_of(READING_US) && (now_us + READING_US <= first_touch_us || now_us >= last_touch_us);
        let step_us = if alone { READING_US } else { STEP_US };
        let pushed_g = hands.tick(now_us, step_us);
        let applied = Wrench::at(resting_g, [0.0; 2]) + Wrench::at(pushed_g, [120.0, -60.0]);
        plate.advance(step_us as f64 * 1e-6, applied, resting_g);
        now_us += step_us;
    }
    let config = SettleConfig {
        frequency_hz,
        reference_mass_g: mass_g,
        dead_mass_g: DEAD_MASS_G,
        damping_ratio: BELIEVED_DAMPING,
        noise_g,
        sigma_g: if extras.creep.is_some() { BELIEVED_CREEP * before_g } else { 0.0 },
        quantum_g,
    };
    Placement { config, readings, mass_g, first_touch_us, last_touch_us }
}

fn platform(frequency_hz: f64, mass_g: f64, damping_ratio: f64) -> hw::Platform {
    hw::Platform {
        max_g: 30_000.0,
        width_mm: 500.0,
        depth_mm: 350.0,
        natural_frequency_hz: frequency_hz,
        reference_mass_g: mass_g,
        dead_mass_g: DEAD_MASS_G,
        damping_ratio,
        sigma_g: 0.0,
    }
}

fn extras(extra: Extra, first_hz: f64, rng: &mut ChaCha8Rng) -> PlateExtras {
    let all = extra == Extra::All;
    let second_mode = Sharer {
        frequency_hz: (first_hz * rng.random_range(1.6..3.2)).min(34.0),
        damping_ratio: rng.random_range(0.02..0.06),
        share: rng.random_range(0.05..0.2),
    };
    let tone = Tone {
        amplitude_g: rng.random_range(0.5..2.0),
        frequency_hz: rng.random_range(4.0..30.0),
        phase_rad: rng.random_range(0.0..TAU),
    };
    // What stood there before is still, so that only the step sloshes.
    let slosh = Sharer {
        frequency_hz: rng.random_range(1.0..3.0),
        damping_ratio: rng.random_range(0.02..0.06),
        share: rng.random_range(0.005..0.03),
    };
    let creep = Creep { share: rng.random_range(1e-4..3e-4), tau_s: rng.random_range(60.0..600.0) };
    PlateExtras {
        second_mode: (all || extra == Extra::SecondMode).then_some(second_mode),
        tone: (all || extra == Extra::Tone).then_some(tone),
        slosh: (all || extra == Extra::Slosh).then_some(slosh),
        creep: (all || extra == Extra::Creep).then_some(creep),
    }
}

/// The forces of people over one run.
struct Hands {
    hands: Vec<Hand>,
    lean: Option<(f64, f64)>,
    first_us: u64,
    last_us: u64,
}

impl Hands {
    fn new(touch: Touch, rng: &mut ChaCha8Rng) -> Self {
        let us = |rng: &mut ChaCha8Rng, ms: std::ops::Range<u64>| rng.random_range(ms) * 1000;
        let first_us = IDLE_US + rng.random_range(0..25) * STEP_US;
        let own = ChaCha8Rng::seed_from_u64(rng.random());
        let (mut hands, mut lean) = (Vec::new(), None);
        let last_us = match touch {
            Touch::Pushes => {
                let mut hand = Hand::putting_down(first_us, us(rng, 150..450), [0.0; 2], own);
                let mut end_us = hand.end_us;
                hands.push(hand);
                if rng.random_bool(0.5) {
                    let again_us = end_us + us(rng, 50..600);
                    let own = ChaCha8Rng::seed_from_u64(rng.random());
                    hand = Hand::putting_down(again_us, us(rng, 100..400), [0.0; 2], own);
                    end_us = hand.end_us;
                    hands.push(hand);
                }
                end_us
            }
            Touch::Rest => {
                let mass_g = 30.0 * 50.0f64.powf(rng.random());
                hands.push(Hand::resting(first_us, us(rng, 800..2000), [0.0; 2], mass_g, own));
                hands[0].end_us
            }
            Touch::Lean => {
                let amplitude_g = 40.0 * 15.0f64.powf(rng.random());
                lean = Some((amplitude_g, rng.random_range(0.15..0.5)));
                first_us + 4_000_000
            }
        };
        Self { hands, lean, first_us, last_us }
    }

    /// Mean force from `now_us` on for `dt_us`, grams.
    fn tick(&mut self, now_us: u64, dt_us: u64) -> f64 {
        let mut force_g = 0.0;
        for hand in &mut self.hands {
            if hand.touches(now_us) {
                hand.tick(now_us, dt_us as f64 * 1e-6);
                force_g += hand.wrench(now_us).load_g;
            }
        }
        if let Some((amplitude_g, hz)) = self.lean
            && (self.first_us..self.last_us).contains(&now_us)
        {
            let t_s = (now_us - self.first_us) as f64 * 1e-6;
            force_g += amplitude_g * 0.5 * (1.0 - (TAU * hz * t_s).cos());
        }
        force_g
    }
}

fn gauss(rng: &mut ChaCha8Rng) -> f64 {
    // Box and Muller; the open interval keeps the logarithm finite.
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
}
