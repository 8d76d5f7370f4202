//! The stage in real time, shared by all doors.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::stage::{Armful, Brought, Command, CommandError, Stage};

/// A [`Stage`] whose world time goes on in real time. Cheap to clone; all clones are the same stage.
#[derive(Debug, Clone)]
pub struct Live {
    stage: Arc<Mutex<Stage>>,
    start: Instant,
}

impl Live {
    /// Lets the clock go on from the world time that the stage has reached.
    pub fn start(stage: Stage) -> Self {
        let now = Instant::now();
        let start = now.checked_sub(Duration::from_micros(stage.rig().world().now_us())).unwrap_or(now);
        Self { stage: Arc::new(Mutex::new(stage)), start }
    }

    /// World time now, microseconds.
    pub fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// The real moment of a world time.
    pub fn instant(&self, world_us: u64) -> Instant {
        self.start + Duration::from_micros(world_us)
    }

    /// Looks at (or changes) the stage as it is at this moment. `act` must be quick: boards and cameras wait for it.
    pub fn with<R>(&self, act: impl FnOnce(&mut Stage) -> R) -> R {
        // A panic in another task leaves the stage whole: commands check before they change it.
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.advance_to(self.now_us());
        act(&mut stage)
    }

    /// Does a command; gives what it brought and the world time at which it was done, microseconds. Laying many goods takes
    /// up to some hundred milliseconds, so call it from where blocking is allowed; boards and cameras go on meanwhile.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn command(&self, command: &Command) -> Result<(u64, Vec<Brought>), CommandError> {
        let armful = self.with(|stage| stage.prepare(command))?.map(Armful::laid);
        self.with(|stage| {
            let brought = armful.map_or(Ok(vec![]), |armful| stage.put(armful))?;
            Ok((stage.rig().world().now_us(), brought))
        })
    }
}
