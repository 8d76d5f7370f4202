//! Whether a frame is fit to be judged by.

use serde::{Deserialize, Serialize};

/// Measures of one frame inside the camera's view of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Mean luma, 0..=255.
    pub brightness: f32,
    /// Variance of the Laplacian of luma at half size; grows with sharpness.
    pub sharpness: f32,
}

/// Why a frame shows nothing that could be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameFault {
    /// Lamp out or lens covered.
    Dark,
    /// Looking into a lamp.
    Glaring,
    /// Out of focus, fogged, or something right before the lens.
    Blurred,
}

/// Mean luma below which a frame is dark. An 8-bit camera's noise floor is about 5.
const DARK_BELOW: f32 = 18.0;
/// Mean luma above which most of a frame is saturated.
const GLARING_ABOVE: f32 = 245.0;
/// Variance of the Laplacian below which not even the plate's own edge is drawn sharply.
const BLURRED_BELOW: f32 = 2.0;

impl Quality {
    /// The first reason for which the frame should not be judged by, if there is one.
    pub fn fault(&self) -> Option<FrameFault> {
        if !self.brightness.is_finite() || self.brightness < DARK_BELOW {
            Some(FrameFault::Dark)
        } else if self.brightness > GLARING_ABOVE {
            Some(FrameFault::Glaring)
        } else if !self.sharpness.is_finite() || self.sharpness < BLURRED_BELOW {
            Some(FrameFault::Blurred)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covered_lens_is_dark_and_a_good_frame_is_fine() {
        assert_eq!(Quality { brightness: 3.0, sharpness: 50.0 }.fault(), Some(FrameFault::Dark));
        assert_eq!(Quality { brightness: f32::NAN, sharpness: 50.0 }.fault(), Some(FrameFault::Dark));
        assert_eq!(Quality { brightness: 120.0, sharpness: 0.1 }.fault(), Some(FrameFault::Blurred));
        assert_eq!(Quality { brightness: 120.0, sharpness: 90.0 }.fault(), None);
    }
}
