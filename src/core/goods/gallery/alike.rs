//! Products that look so alike that the eye cannot tell them apart, found from their enrolled looks.
//!
//! How alike one product is to another is the mean, over its enrolled views, of the cosine with the nearest enrolled view of the other:
//! what a picture of it would score as a picture of the other. Where the calibrated curve reads that nearly as strongly as it reads
//! anything, a crop says nothing of which of the two it shows.

use super::{Looks, Probe};
use crate::goods::LookCalibration;

/// A picture of the one speaks for the other with this share of the most that the curve ever says: it takes it for that. With the
/// shipped curve that is 6 nats.
const ALIKE_SHARE: f64 = 0.75;
/// Halvings by which the cosine for that is found: to a millionth.
const HALVINGS: u32 = 21;
/// Most look-alikes of one product, the nearest ones: more are a sign of bad pictures.
const ALIKE_MAX: usize = 16;
/// Products whose mean looks are further apart by this than what is asked for are not compared view by view.
const MEAN_SLACK: f32 = 0.15;
/// Up to so many products each is compared with each.
const EACH_WITH_EACH: usize = 3_000;
/// Beyond that each is compared with those that lie around the same of so many anchors as it, the nearest ones.
const NEAREST_ANCHORS: usize = 2;

/// Two products that look alike, by their places; each pair stands twice, once in either direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The one.
    pub one: usize,
    /// The other.
    pub other: usize,
    /// How alike, the larger of both directions.
    pub cosine: f32,
}

/// From which cosine upwards products are look-alikes.
pub fn alike_from(calibration: &LookCalibration) -> f32 {
    let limit = (ALIKE_SHARE * calibration.log_ratio(1.0)).max(0.0);
    let (mut below, mut from) = (-1.0f32, 1.0f32);
    for _ in 0..HALVINGS {
        let middle = f32::midpoint(below, from);
        if calibration.log_ratio(middle) >= limit { from = middle } else { below = middle }
    }
    from
}

/// The mean direction of a product's enrolled looks, one signed byte a component.
#[derive(Clone, Debug)]
pub struct Mean {
    values: Vec<i8>,
    scale: f32,
}

impl Mean {
    /// Of these looks.
    pub fn of(looks: &Looks<'_>) -> Self {
        let mut sum: Vec<f32> = Vec::new();
        for unit in looks.enrolled_units() {
            sum.resize(unit.len().max(sum.len()), 0.0);
            sum.iter_mut().zip(&unit).for_each(|(s, v)| *s += v);
        }
        let peak = sum.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let values: Vec<i8> = sum.iter().map(|v| (v / peak * 127.0).round() as i8).collect();
        let norm = values.iter().map(|v| f32::from(*v) * f32::from(*v)).sum::<f32>().sqrt();
        Self { values, scale: if norm > 0.0 { norm.recip() } else { 0.0 } }
    }

    /// Cosine with another one.
    pub fn cosine(&self, other: &Self) -> f32 {
        let sum: i32 = self.values.iter().zip(&other.values).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        sum as f32 * self.scale * other.scale
    }

    /// Whether two products are near enough to be compared view by view.
    pub fn may_be_alike(&self, other: &Self, alike_from: f32) -> bool {
        self.cosine(other) + MEAN_SLACK >= alike_from
    }
}

/// How alike two products are, a cosine: the larger of both directions.
pub fn likeness(one: &Looks<'_>, other: &Looks<'_>) -> f32 {
    let towards = |from: &Looks<'_>, to: &Looks<'_>| {
        let (mut sum, mut count) = (0.0, 0.0f32);
        for unit in from.enrolled_units() {
            sum += to.best_enrolled(&Probe::new(&unit)).unwrap_or(-1.0);
            count += 1.0;
        }
        if count > 0.0 { sum / count } else { -1.0 }
    };
    towards(one, other).max(towards(other, one))
}

/// All pairs of look-alikes, in the order of their places; the same looks give the same pairs.
pub fn pairs(looks: &[Looks<'_>], calibration: &LookCalibration) -> Vec<Pair> {
    let means: Vec<Mean> = looks.iter().map(Mean::of).collect();
    let alike_from = alike_from(calibration);
    let mut found = Vec::new();
    for cell in cells(&means) {
        for (k, one) in cell.iter().enumerate() {
            for other in &cell[k + 1..] {
                if !means[*one].may_be_alike(&means[*other], alike_from) {
                    continue;
                }
                let cosine = likeness(&looks[*one], &looks[*other]);
                if cosine >= alike_from {
                    found.push(Pair { one: *one, other: *other, cosine });
                    found.push(Pair { one: *other, other: *one, cosine });
                }
            }
        }
    }
    nearest_only(found)
}

fn nearest_only(mut found: Vec<Pair>) -> Vec<Pair> {
    found.sort_by(|a, b| a.one.cmp(&b.one).then(b.cosine.total_cmp(&a.cosine)).then(a.other.cmp(&b.other)));
    found.dedup_by_key(|pair| (pair.one, pair.other));
    let mut kept: Vec<Pair> = Vec::with_capacity(found.len());
    for pair in found {
        let has = kept.iter().rev().take_while(|before| before.one == pair.one).count();
        if has < ALIKE_MAX {
            kept.push(pair);
        }
    }
    kept
}

/// Groups of products within which look-alikes are looked for.
fn cells(means: &[Mean]) -> Vec<Vec<usize>> {
    if means.len() <= EACH_WITH_EACH {
        return vec![(0..means.len()).collect()];
    }
    let count = means.len().isqrt();
    let anchors: Vec<usize> = (0..count).map(|k| k * means.len() / count).collect();
    let mut cells = vec![Vec::new(); count];
    for (place, mean) in means.iter().enumerate() {
        let mut nearest: Vec<(f32, usize)> =
            anchors.iter().enumerate().map(|(cell, at)| (mean.cosine(&means[*at]), cell)).collect();
        nearest.select_nth_unstable_by(NEAREST_ANCHORS, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, cell) in &nearest[..NEAREST_ANCHORS] {
            cells[*cell].push(place);
        }
    }
    cells
}
