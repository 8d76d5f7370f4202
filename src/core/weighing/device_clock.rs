//! Puts a board's own time on ours.

use crate::units::Mono;

/// The board's crystal is off by less than this share, so that the estimate of its clock may creep by so much.
const CLOCK_CREEP: f64 = 0.001;

/// Puts the board's wrapping microseconds on our clock. What arrives late arrived late because of the line, the driver or
/// the scheduler; the least delay seen is the truest, and may only creep as fast as crystals differ.
#[derive(Clone, Debug, Default)]
pub struct DeviceClock {
    last: Option<Placed>,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    t_us: u32,
    device_us: u64,
    /// Ours less the board's, microseconds.
    offset_us: i64,
}

impl DeviceClock {
    /// When a sample was measured on our clock, never later than it arrived; and whether the board's time jumped, as after a reboot.
    pub fn place(&mut self, arrived: Mono, t_us: u32) -> (Mono, bool) {
        let ours = arrived.us() as i64;
        let fresh = |device_us: u64| Placed { t_us, device_us, offset_us: ours - device_us as i64 };
        let (placed, jumped) = match self.last {
            None => (fresh(u64::from(t_us)), false),
            Some(last) => {
                let step_us = u64::from(t_us.wrapping_sub(last.t_us));
                // Steps of a minute are no steps but a clock that went back.
                if step_us > 60_000_000 {
                    (fresh(u64::from(t_us)), true)
                } else {
                    let device_us = last.device_us + step_us;
                    let creep_us = (step_us as f64 * CLOCK_CREEP).ceil() as i64;
                    let offset_us = (last.offset_us + creep_us).min(ours - device_us as i64);
                    (Placed { t_us, device_us, offset_us }, false)
                }
            }
        };
        self.last = Some(placed);
        let at_us = (placed.device_us as i64 + placed.offset_us).max(0);
        (Mono::from_us(at_us as u64), jumped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_chunk_does_not_bend_time() {
        let mut clock = DeviceClock::default();
        // 80 Hz; the third sample is delivered 40 ms late together with the fourth to sixth.
        let arrivals = [0u64, 12_500, 65_000, 65_000, 65_000, 65_000];
        let mut times = Vec::new();
        for (i, arrived) in arrivals.into_iter().enumerate() {
            let (at, jumped) = clock.place(Mono::from_us(1_000_000 + arrived), i as u32 * 12_500);
            assert!(!jumped);
            times.push(at.us());
        }
        for pair in times.windows(2) {
            let step = pair[1] - pair[0];
            assert!((12_400..=12_600).contains(&step), "{times:?}");
        }
    }

    #[test]
    fn the_board_clock_may_wrap_and_may_restart() {
        let mut clock = DeviceClock::default();
        clock.place(Mono::from_us(10_000_000), u32::MAX - 6_249);
        let (at, jumped) = clock.place(Mono::from_us(10_012_500), 6_250);
        assert!(!jumped);
        assert_eq!(at.us(), 10_012_500);
        let (_, jumped) = clock.place(Mono::from_us(10_025_000), 0);
        assert!(jumped);
    }
}
