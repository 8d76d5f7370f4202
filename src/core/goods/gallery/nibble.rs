//! A look in half a byte a component: what is kept of 50 000 products must fit into memory that is shared with everything else.

use crate::goods::LookVector;

/// The largest code; the smallest is its negative.
const TOP: f32 = 7.0;
/// What is added to a code, so that it has no sign.
const MIDDLE: i16 = 8;
/// Where the largest component may be cut off, as a share of it: what one component loses, all others gain in fineness.
const CUTS: [f32; 3] = [1.0, 0.85, 0.7];
/// Bytes of one over the length of the codes, which stands behind them.
const SCALE_BYTES: usize = 4;

/// Bytes that a vector of so many components takes.
pub const fn bytes_of(dimensions: usize) -> usize {
    dimensions.div_ceil(2) + SCALE_BYTES
}

/// Writes a look: the codes of the first half of its components in the low halves of the bytes, those of the second half in the high
/// ones, then one over the codes' length as a little-endian `f32`.
pub fn pack(look: &LookVector, out: &mut Vec<u8>) {
    let values = look.values();
    let peak = values.iter().map(|v| f32::from(*v).abs()).fold(0.0, f32::max);
    let codes_at = |cut: f32| -> Vec<i16> {
        let step = if peak > 0.0 { peak * cut / TOP } else { 1.0 };
        values.iter().map(|v| (f32::from(*v) / step).round().clamp(-TOP, TOP) as i16).collect()
    };
    let length = |codes: &[i16]| codes.iter().map(|q| f32::from(*q) * f32::from(*q)).sum::<f32>().sqrt();
    let likeness = |codes: &[i16]| {
        let along: f32 = codes.iter().zip(values).map(|(q, v)| f32::from(*q) * f32::from(*v)).sum();
        along / length(codes).max(f32::MIN_POSITIVE)
    };
    let mut best = codes_at(CUTS[0]);
    for cut in &CUTS[1..] {
        let codes = codes_at(*cut);
        if likeness(&codes) > likeness(&best) {
            best = codes;
        }
    }
    let (low, high) = best.split_at(best.len().div_ceil(2));
    let byte = |i: usize| ((low[i] + MIDDLE) | ((high.get(i).unwrap_or(&0) + MIDDLE) << 4)) as u8;
    out.extend((0..low.len()).map(byte));
    let norm = length(&best);
    out.extend((if norm > 0.0 { norm.recip() } else { 0.0 }).to_le_bytes());
}

fn halves(byte: u8) -> [f32; 2] {
    [f32::from(i16::from(byte & 15) - MIDDLE), f32::from(i16::from(byte >> 4) - MIDDLE)]
}

fn split(record: &[u8]) -> (&[u8], f32) {
    let (codes, scale) = record.split_at(record.len().saturating_sub(SCALE_BYTES));
    (codes, scale.try_into().map_or(0.0, f32::from_le_bytes))
}

/// A crop made ready to be compared with many looks: its components in steps of 1/127 of the largest, so that a comparison is one of whole
/// numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    values: Vec<i16>,
    /// [`MIDDLE`] times the sum of all values: what the codes' own offset adds to a product.
    offset: i32,
    /// One over their length.
    scale: f32,
}

impl Probe {
    /// Of a vector of whatever length but zero, with as many components as the looks.
    pub fn new(vector: &[f32]) -> Self {
        let peak = vector.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let values: Vec<i16> = vector.iter().map(|v| (v / peak * 127.0).round() as i16).collect();
        let offset = i32::from(MIDDLE) * values.iter().map(|v| i32::from(*v)).sum::<i32>();
        let norm = values.iter().map(|v| f32::from(*v) * f32::from(*v)).sum::<f32>().sqrt();
        Self { values, offset, scale: if norm > 0.0 { norm.recip() } else { 0.0 } }
    }
}

impl From<&[f32]> for Probe {
    fn from(vector: &[f32]) -> Self {
        Self::new(vector)
    }
}

/// Cosine of a packed look with a crop, -1..=1; 0 for one of another length.
pub fn cosine(record: &[u8], probe: &Probe) -> f32 {
    let (codes, scale) = split(record);
    if probe.values.len().div_ceil(2) != codes.len() {
        return 0.0;
    }
    let (low, high) = probe.values.split_at(codes.len());
    let lows: i32 = codes.iter().zip(low).map(|(byte, v)| i32::from(i16::from(byte & 15)) * i32::from(*v)).sum();
    let highs: i32 = codes.iter().zip(high).map(|(byte, v)| i32::from(i16::from(byte >> 4)) * i32::from(*v)).sum();
    (lows + highs - probe.offset) as f32 * scale * probe.scale
}

/// Unpacks the codes of a look into `codes`, and gives one over their length. There is one more than components, a zero, if these are odd in
/// number.
pub fn codes(record: &[u8], codes: &mut Vec<i16>) -> f32 {
    let (bytes, scale) = split(record);
    codes.clear();
    codes.extend(bytes.iter().map(|byte| i16::from(byte & 15) - MIDDLE));
    codes.extend(bytes.iter().map(|byte| i16::from(byte >> 4) - MIDDLE));
    scale
}

/// Cosine of an unpacked look with a crop, -1..=1; 0 for one of another length.
pub fn cosine_of(codes: &[i16], scale: f32, probe: &Probe) -> f32 {
    if probe.values.len().next_multiple_of(2) != codes.len() {
        return 0.0;
    }
    let sum: i32 = codes.iter().zip(&probe.values).map(|(code, v)| i32::from(*code) * i32::from(*v)).sum();
    sum as f32 * scale * probe.scale
}

/// The components of a packed look, of unit length together; one more than it had, a zero, if their number is odd.
pub fn unpack(record: &[u8]) -> Vec<f32> {
    let (codes, scale) = split(record);
    let half = |which: usize| codes.iter().map(move |byte| halves(*byte)[which] * scale);
    half(0).chain(half(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(dimensions: usize, seed: f32) -> Vec<f32> {
        let values: Vec<f32> = (0..dimensions).map(|i| ((i as f32 + 1.3) * seed).sin()).collect();
        let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        values.iter().map(|v| v / norm).collect()
    }

    #[test]
    fn half_a_byte_keeps_the_direction() {
        for dimensions in [1, 3, 16, 31, 256] {
            let (own, other) = (unit(dimensions, 0.37), unit(dimensions, 1.91));
            let mut record = Vec::new();
            pack(&LookVector::quantise(&own), &mut record);
            assert_eq!(record.len(), bytes_of(dimensions));
            let true_cosine: f32 = own.iter().zip(&other).map(|(a, b)| a * b).sum();
            assert!(cosine(&record, &Probe::new(&own)) > 0.985, "{dimensions}");
            // An error of a step's 1/sqrt(12) in each component, at right angles to nearly everything.
            assert!((cosine(&record, &Probe::new(&other)) - true_cosine).abs() < 0.12, "{dimensions}");
            let unpacked = unpack(&record);
            let along: f32 = unpacked.iter().zip(&own).map(|(a, b)| a * b).sum();
            assert!((along - cosine(&record, &Probe::new(&own))).abs() < 2e-3, "{dimensions}");
        }
    }

    /// Many crops at once are compared as one by one, to the last bit.
    #[test]
    fn an_unpacked_look_says_the_same() {
        for dimensions in [1, 3, 16, 31, 256] {
            let (mut record, mut unpacked) = (Vec::new(), vec![9; 5]);
            pack(&LookVector::quantise(&unit(dimensions, 0.37)), &mut record);
            let scale = codes(&record, &mut unpacked);
            for seed in [0.37, 1.91, 0.2] {
                let probe = Probe::new(&unit(dimensions, seed));
                assert_eq!(cosine_of(&unpacked, scale, &probe), cosine(&record, &probe), "{dimensions}");
            }
            assert_eq!(cosine_of(&unpacked, scale, &Probe::new(&unit(dimensions + 2, 0.5))), 0.0);
        }
    }

    #[test]
    fn nothing_and_another_length_fit_nothing() {
        let mut record = Vec::new();
        pack(&LookVector::from_bytes(&[0; 8]), &mut record);
        assert_eq!(cosine(&record, &Probe::new(&unit(8, 0.5))), 0.0);
        assert_eq!(cosine(&record, &Probe::new(&unit(12, 0.5))), 0.0);
        assert_eq!(cosine(&[], &Probe::new(&unit(12, 0.5))), 0.0);
    }
}
