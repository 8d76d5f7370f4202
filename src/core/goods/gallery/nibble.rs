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

/// Cosine of a packed look with a vector of unit length, -1..=1; 0 for one of another length.
pub fn cosine(record: &[u8], unit: &[f32]) -> f32 {
    let (codes, scale) = split(record);
    if unit.len().div_ceil(2) != codes.len() {
        return 0.0;
    }
    let (low, high) = unit.split_at(codes.len());
    if low.len() != high.len() {
        let sum = |(i, byte): (usize, &u8)| {
            let [a, b] = halves(*byte);
            a * low[i] + b * high.get(i).unwrap_or(&0.0)
        };
        return codes.iter().enumerate().map(sum).sum::<f32>() * scale;
    }
    // Eight sums, which the compiler adds side by side.
    let mut sums = [0.0f32; 8];
    let ((bytes, bytes_rest), (lows, low_rest), (highs, high_rest)) =
        (codes.as_chunks::<8>(), low.as_chunks::<8>(), high.as_chunks::<8>());
    for ((byte, l), h) in bytes.iter().zip(lows).zip(highs) {
        for lane in 0..8 {
            let [a, b] = halves(byte[lane]);
            sums[lane] += a * l[lane] + b * h[lane];
        }
    }
    let rest: f32 = bytes_rest
        .iter()
        .zip(low_rest.iter().zip(high_rest))
        .map(|(byte, (l, h))| {
            let [a, b] = halves(*byte);
            a * l + b * h
        })
        .sum();
    (sums.iter().sum::<f32>() + rest) * scale
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
            assert!(cosine(&record, &own) > 0.985, "{dimensions}");
            // An error of a step's 1/sqrt(12) in each component, at right angles to nearly everything.
            assert!((cosine(&record, &other) - true_cosine).abs() < 0.12, "{dimensions}");
            let unpacked = unpack(&record);
            let along: f32 = unpacked.iter().zip(&own).map(|(a, b)| a * b).sum();
            assert!((along - cosine(&record, &own)).abs() < 1e-5, "{dimensions}");
        }
    }

    #[test]
    fn nothing_and_another_length_fit_nothing() {
        let mut record = Vec::new();
        pack(&LookVector::from_bytes(&[0; 8]), &mut record);
        assert_eq!(cosine(&record, &unit(8, 0.5)), 0.0);
        assert_eq!(cosine(&record, &unit(12, 0.5)), 0.0);
        assert_eq!(cosine(&[], &unit(12, 0.5)), 0.0);
    }
}
