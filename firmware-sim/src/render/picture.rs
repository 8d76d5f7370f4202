//! What the camera hands over: colours, owners, and a JPEG with the sensor's noise.

use std::sync::LazyLock;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::baseline;
use crate::shop::seed;

/// A rendered frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// sRGB, row by row, three bytes a pixel, without sensor noise.
    pub rgb: Vec<u8>,
    /// Whose pixel it is: 0 nobody's, k for `placed[k - 1]`; row by row.
    pub ids: Vec<u16>,
    /// Standard deviation of the sensor's noise, grey levels.
    pub noise_levels: f32,
}

/// Sixteenths of a grey level, normally distributed with standard deviation 16.
static NOISE: LazyLock<Vec<i8>> = LazyLock::new(|| {
    let mut rng = ChaCha8Rng::seed_from_u64(0x5EED);
    let draw = |_| {
        let z: f32 = StandardNormal.sample(&mut rng);
        (z * 16.0).round().clamp(-64.0, 64.0) as i8
    };
    (0..1 << 16).map(draw).collect()
});

impl Rendered {
    /// The frame with the sensor's noise, three bytes a pixel.
    pub fn noisy(&self, noise_seed: u64) -> Vec<u8> {
        let mut bytes = self.rgb.clone();
        if self.noise_levels <= 0.0 {
            return bytes;
        }
        let gain = (self.noise_levels * 16.0).round() as i32;
        let row_bytes = self.width as usize * 3;
        let table = &NOISE;
        for (row, line) in bytes.chunks_mut(row_bytes.max(1)).enumerate() {
            let mut place = seed::mix(noise_seed, row as u64) as usize;
            for byte in line {
                place = (place + 1) & 0xFFFF;
                let shift = (i32::from(table[place]) * gain) >> 8;
                *byte = (i32::from(*byte) + shift).clamp(0, 255) as u8;
            }
        }
        bytes
    }

    /// The frame as a baseline JPEG with the sensor's noise; `quality` 1..100.
    ///
    /// # Errors
    /// Only if the frame has no pixels.
    pub fn to_jpeg(&self, noise_seed: u64, quality: u8) -> Result<Vec<u8>, image::ImageError> {
        let mut out = Vec::with_capacity(96 * 1024);
        let encoder = JpegEncoder::new_with_quality(&mut out, quality);
        encoder.write_image(&self.noisy(noise_seed), self.width, self.height, ExtendedColorType::Rgb8)?;
        Ok(out)
    }

    /// As [`Rendered::to_jpeg`], with chroma halved both ways, as RTP carries it.
    pub fn to_halved_jpeg(&self, noise_seed: u64, quality: u8) -> Vec<u8> {
        baseline::encode(&self.noisy(noise_seed), self.width, self.height, quality)
    }
}
