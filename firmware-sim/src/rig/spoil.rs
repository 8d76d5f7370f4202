//! What faults do to conversions before the device sees them.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::fault::{Fault, Planted};
use crate::board::{ADC_RANGE, CellStatus, Conversion};
use crate::hw;

/// A bridge without a signal still has the converter's noise, counts.
const BARE_NOISE: i32 = 12;

/// One conversion of a port's cells, spoilt by those of `faults` that have begun.
pub fn spoil(
    mut counts: Vec<i32>,
    faults: &mut [Planted],
    cells: &[hw::Cell],
    period_s: f64,
    now_us: u64,
    rng: &mut ChaCha8Rng,
) -> Conversion {
    let mut status = vec![None; counts.len()];
    let mut excitation_ok = true;
    for planted in faults.iter_mut().filter(|planted| planted.begun) {
        let since_s = now_us.saturating_sub(planted.from_us) as f64 * 1e-6;
        if planted.counts.is_empty() {
            planted.counts.clone_from(&counts);
        }
        match planted.fault {
            Fault::SwapCells { channels: [a, b] } => counts.swap(a, b),
            Fault::DeadCell { channel } => counts[channel] = rng.random_range(-BARE_NOISE..=BARE_NOISE),
            Fault::OpenCell { channel } => {
                counts[channel] = ADC_RANGE.1;
                status[channel] = Some(CellStatus::of_count(ADC_RANGE.1).with(CellStatus::OPEN));
            }
            Fault::StuckCell { channel } => counts[channel] = planted.counts[channel],
            Fault::TimedOutCell { channel } => {
                counts[channel] = planted.counts[channel];
                status[channel] = Some(CellStatus::FRESH.with(CellStatus::TIMED_OUT));
            }
            Fault::Spikes { per_s, grams, channel } => {
                if rng.random_bool((per_s * period_s).min(1.0)) {
                    let grams = if rng.random_bool(0.5) { grams } else { -grams };
                    add(&mut counts, cells, channel, |_| grams);
                }
            }
            Fault::Saturate { low, channel } => {
                let end = if low { ADC_RANGE.0 } else { ADC_RANGE.1 };
                chosen(&mut counts, channel).for_each(|(_, count)| *count = end);
            }
            Fault::BrownOut { ratio, told } => {
                excitation_ok &= !told;
                counts.iter_mut().for_each(|count| *count = (f64::from(*count) * ratio).round() as i32);
            }
            Fault::ZeroDrift { g_per_min, channel } => add(&mut counts, cells, channel, |_| g_per_min * since_s / 60.0),
            Fault::FreezeCounts => counts.clone_from(&planted.counts),
            Fault::LoseBytes { .. }
            | Fault::FlipBits { .. }
            | Fault::DuplicateFrames { .. }
            | Fault::Late { .. }
            | Fault::HoldBack
            | Fault::Join { .. }
            | Fault::Split { .. }
            | Fault::Garbage { .. }
            | Fault::HostLine { .. }
            | Fault::Silent
            | Fault::FreezeFrame
            | Fault::Reboot
            | Fault::ClockJump { .. }
            | Fault::ClockDrift { .. }
            | Fault::Unplug
            | Fault::OtherDevice { .. }
            | Fault::FrameTouches { .. }
            | Fault::HalfOn { .. } => {}
        }
    }
    let status = counts.iter().zip(status).map(|(count, said)| said.unwrap_or(CellStatus::of_count(*count))).collect();
    Conversion { counts, status, excitation_ok }
}

fn chosen(counts: &mut [i32], channel: Option<usize>) -> impl Iterator<Item = (usize, &mut i32)> {
    counts.iter_mut().enumerate().filter(move |(index, _)| channel.is_none_or(|at| at == *index))
}

fn add(counts: &mut [i32], cells: &[hw::Cell], channel: Option<usize>, grams: impl Fn(usize) -> f64) {
    for (index, count) in chosen(counts, channel) {
        let off = grams(index) * cells[index].counts_per_g;
        let spoilt = f64::from(*count) + off;
        *count = spoilt.round().clamp(f64::from(ADC_RANGE.0), f64::from(ADC_RANGE.1)) as i32;
    }
}
