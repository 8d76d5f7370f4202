//! The only place that reads clocks.

use augenmass_core::station::Now;
use augenmass_core::units::{Mono, Wall};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Both clocks of this process; the monotonic one counts from its start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts counting. One clock serves the whole process, or moments could not be compared.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// This moment.
    pub fn now(&self) -> Now {
        // A wall clock before 1970 is a flat battery; zero says so as well as any other value.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Now { mono: self.mono(Instant::now()), wall: Wall::from_ms(wall.as_millis() as i64) }
    }

    /// A moment as the core reckons it.
    pub fn mono(&self, at: Instant) -> Mono {
        Mono::from_us(at.saturating_duration_since(self.start).as_micros() as u64)
    }

    /// A moment as the operating system reckons it.
    pub fn instant(&self, at: Mono) -> Instant {
        self.start + Duration::from_micros(at.us())
    }
}
