//! One view of a product as a vector, and what a cosine with it says.

use serde::{Deserialize, Serialize};

/// One view of a product as the store keeps it, one signed byte a component: 1/127 of the largest representable cosine step is
/// far below what two photographs of the same pack differ by. What the judge reads is packed closer still (`gallery::nibble`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<i8>", into = "Vec<i8>")]
pub struct LookVector {
    values: Vec<i8>,
    /// One over its length; 0 for a vector without any.
    scale: f32,
}

impl From<Vec<i8>> for LookVector {
    fn from(values: Vec<i8>) -> Self {
        let norm2: f32 = values.iter().map(|v| f32::from(*v) * f32::from(*v)).sum();
        Self { values, scale: if norm2 > 0.0 { norm2.sqrt().recip() } else { 0.0 } }
    }
}

impl From<LookVector> for Vec<i8> {
    fn from(look: LookVector) -> Self {
        look.values
    }
}

impl LookVector {
    /// Quantises a vector of unit length; components scale with the largest one, the cosine is taken of what is stored.
    pub fn quantise(values: &[f32]) -> Self {
        let peak = values.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        values.iter().map(|v| (v / peak * 127.0).round() as i8).collect::<Vec<i8>>().into()
    }

    /// From stored bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        bytes.iter().map(|b| i8::from_ne_bytes([*b])).collect::<Vec<i8>>().into()
    }

    /// Its components, each in steps of 1/127 of the largest.
    pub fn values(&self) -> &[i8] {
        &self.values
    }

    /// Its components with a length of one together; all zero for a vector without any.
    pub fn to_unit(&self) -> Vec<f32> {
        self.values.iter().map(|v| f32::from(*v) * self.scale).collect()
    }

    /// As bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.values.iter().map(|v| v.to_ne_bytes()[0]).collect()
    }

    /// Cosine with a vector of unit length, -1..=1; of vectors of different length it is 0, which fits nothing.
    pub fn cosine(&self, unit: &[f32]) -> f32 {
        if unit.len() != self.values.len() {
            return 0.0;
        }
        // Eight sums, which the compiler adds side by side.
        let mut sums = [0.0f32; 8];
        let ((a, a_rest), (b, b_rest)) = (self.values.as_chunks::<8>(), unit.as_chunks::<8>());
        for (q, v) in a.iter().zip(b) {
            for lane in 0..8 {
                sums[lane] += f32::from(q[lane]) * v[lane];
            }
        }
        let rest: f32 = a_rest.iter().zip(b_rest).map(|(q, v)| f32::from(*q) * v).sum();
        (sums.iter().sum::<f32>() + rest) * self.scale
    }
}

/// So far a straight line is trusted, in nats: what lies beyond was guessed from what lies between.
const LINE_TRUSTED: f64 = 4.5;
/// So far a measured curve is trusted, in nats: no set of pictures is large enough to say more.
const CURVE_TRUSTED: f64 = 9.0;

/// Turns a cosine into evidence: log likelihood ratio of "shows this product" against "shows another", by a measured curve where there is
/// one, else a · cos + b.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookCalibration {
    /// Slope, above 0.
    pub a: f64,
    /// Offset.
    pub b: f64,
    /// Points (cosine, ratio) of the curve, both rising; straight lines between them, level beyond the ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<[f64; 2]>,
}

impl LookCalibration {
    /// Whether slope and curve rise, and all are figures.
    pub fn is_sound(&self) -> bool {
        let rising = |w: &[[f64; 2]]| w[0][0] < w[1][0] && w[0][1] <= w[1][1];
        self.a > 0.0
            && self.a.is_finite()
            && self.b.is_finite()
            && self.curve.iter().flatten().all(|v| v.is_finite())
            && self.curve.windows(2).all(rising)
    }

    /// Log likelihood ratio that a crop of this cosine shows the product rather than some other, within what is trusted.
    pub fn log_ratio(&self, cosine: f32) -> f64 {
        let cosine = f64::from(cosine);
        let Some(([_, first], [_, last])) = self.curve.first().zip(self.curve.last()) else {
            return (self.a * cosine + self.b).clamp(-LINE_TRUSTED, LINE_TRUSTED);
        };
        let ratio = match self.curve.partition_point(|[at, _]| *at <= cosine) {
            0 => *first,
            after if after == self.curve.len() => *last,
            after => {
                let ([c0, r0], [c1, r1]) = (self.curve[after - 1], self.curve[after]);
                r0 + (r1 - r0) * (cosine - c0) / (c1 - c0)
            }
        };
        ratio.clamp(-CURVE_TRUSTED, CURVE_TRUSTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantised_look_still_fits_itself_and_not_its_opposite() {
        let unit: Vec<f32> = (0..256).map(|i| (i as f32 * 0.37).sin()).collect();
        let norm = unit.iter().map(|v| v * v).sum::<f32>().sqrt();
        let unit: Vec<f32> = unit.iter().map(|v| v / norm).collect();
        let look = LookVector::from_bytes(&LookVector::quantise(&unit).to_bytes());
        assert!(look.cosine(&unit) > 0.9995);
        let opposite: Vec<f32> = unit.iter().map(|v| -v).collect();
        assert!(look.cosine(&opposite) < -0.9995);
        assert_eq!(look.cosine(&unit[..8]), 0.0);
    }

    #[test]
    fn a_cosine_is_read_by_the_curve_where_there_is_one_and_never_beyond_what_was_measured() {
        let line = LookCalibration { a: 10.0, b: -4.0, curve: Vec::new() };
        assert!((line.log_ratio(0.5) - 1.0).abs() < 1e-6);
        assert_eq!((line.log_ratio(-1.0), line.log_ratio(1.0)), (-4.5, 4.5));
        let curve = LookCalibration { curve: vec![[0.0, -3.0], [0.5, 1.0], [0.75, 6.0]], ..line };
        assert_eq!((curve.log_ratio(-0.5), curve.log_ratio(0.9)), (-3.0, 6.0));
        assert!((curve.log_ratio(0.25) + 1.0).abs() < 1e-6 && (curve.log_ratio(0.625) - 3.5).abs() < 1e-6);
        assert!(curve.is_sound());
        let back = LookCalibration { curve: vec![[0.5, 1.0], [0.4, 2.0]], ..curve };
        assert!(!back.is_sound());
    }
}
