//! Whether the cameras can be relied on: each is watched, and the machine is told how they stand together.

use super::Mounted;
use crate::app::wiring;
use crate::io::camera::{CameraEvent, Frame};
use crate::io::onnx::{Eyes, Glance};
use augenmass_core::station::Input;
use augenmass_core::vision::{FrameFault, hidden_share};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};

/// So often an idle station checks that the camera shows something and not always the same.
const GLANCE_EVERY: Duration = Duration::from_secs(2);
/// So many glances in a row without any difference, not even noise, are a camera that repeats one picture.
const FROZEN_AFTER: u32 = 3;
/// So many glances in a row that show nothing usable are a lens that is blocked.
const UNFIT_AFTER: u32 = 2;
/// The platform's edges lie off by so many pixels, in so many glances in a row: no basket's edge stays beside them for five minutes.
const MOVED_PX: f32 = 5.0;
const MOVED_AFTER: u32 = 150;
/// A share of the platform that no camera shows is told from here upwards; the plate's edge is no place for goods.
const HIDDEN_FROM: f64 = 0.02;

/// Whether what the camera shows can be relied on, from glance to glance.
#[derive(Debug, Default)]
struct Gates {
    /// Glances in a row without any difference.
    same: u32,
    /// Glances in a row that showed nothing usable: too much light, or nothing sharp.
    unfit: u32,
    /// Glances in a row in which the platform lay somewhere else.
    moved: u32,
}

impl Gates {
    /// What is wrong now, with the mend.
    fn judge(&mut self, glance: &Glance) -> Option<&'static str> {
        let fault = glance.quality.fault();
        self.same = if glance.change == Some(0.0) { self.same + 1 } else { 0 };
        self.unfit = if fault.is_some() { self.unfit + 1 } else { 0 };
        // A look at which no edge can be seen says neither yes nor no.
        self.moved = match glance.shift_px {
            Some(px) if px >= MOVED_PX => self.moved + 1,
            Some(_) => 0,
            None => self.moved,
        };
        if fault != Some(FrameFault::Dark) && self.same >= FROZEN_AFTER {
            return Some("the camera repeats one picture: restart it");
        }
        match fault {
            Some(FrameFault::Dark) => Some("the picture is dark: is the lamp on, is the lens free?"),
            // A hand or a bag that passes before the lens makes one glance unfit, and is no fault.
            Some(FrameFault::Glaring) if self.unfit >= UNFIT_AFTER => {
                Some("the picture is all light: does a lamp or the sun shine into the lens?")
            }
            Some(FrameFault::Blurred) if self.unfit >= UNFIT_AFTER => {
                Some("nothing in the picture is sharp: is the lens clean and free, and in focus?")
            }
            Some(FrameFault::Glaring | FrameFault::Blurred) | None => (self.moved >= MOVED_AFTER)
                .then_some("the platform is not where platform_px says: was the camera moved? turn it back, or set platform_px anew"),
        }
    }
}

/// How a camera stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Unopened,
    Fine,
    Out(String),
}

/// How all cameras of the station stand.
pub(super) struct Panel {
    mounted: Arc<[Mounted]>,
    /// Width and depth of the plate, millimetres.
    plate_mm: [f64; 2],
    standing: Mutex<Vec<Standing>>,
    inputs: mpsc::Sender<Input>,
}

impl Panel {
    pub(super) fn new(mounted: Arc<[Mounted]>, plate_mm: [f64; 2], inputs: mpsc::Sender<Input>) -> Self {
        let standing = Mutex::new(vec![Standing::Unopened; mounted.len()]);
        Self { mounted, plate_mm, standing, inputs }
    }

    /// Which cameras can be looked through, by their places; all, where none is known to be fit: one may be back this moment.
    pub(super) async fn usable(&self) -> Vec<usize> {
        let standing = self.standing.lock().await;
        let fine: Vec<usize> = (0..standing.len()).filter(|k| standing[*k] == Standing::Fine).collect();
        if fine.is_empty() { (0..standing.len()).collect() } else { fine }
    }

    /// Share of the platform that none of these cameras shows.
    pub(super) fn hidden_from(&self, cameras: &[usize]) -> f64 {
        let views: Vec<_> = cameras
            .iter()
            .filter_map(|k| self.mounted.get(*k))
            .map(|mounted| (&mounted.place, mounted.config.view_px))
            .collect();
        hidden_share(&views, self.plate_mm[0], self.plate_mm[1])
    }

    async fn set(&self, camera: usize, standing: Standing) {
        let mut all = self.standing.lock().await;
        all[camera] = standing;
        // Told under the lock: two cameras' news must not overtake each other.
        let _ = self.inputs.send(self.input(&all)).await;
    }

    /// What the machine is told.
    fn input(&self, standing: &[Standing]) -> Input {
        let fine: Vec<usize> = (0..standing.len()).filter(|k| standing[*k] == Standing::Fine).collect();
        let out = standing.iter().zip(self.mounted.iter()).filter_map(|(standing, mounted)| match standing {
            Standing::Fine => None,
            Standing::Unopened => Some(format!("{}: not opened yet", mounted.config.name)),
            Standing::Out(why) => Some(format!("{}: {why}", mounted.config.name)),
        });
        let mut out: Vec<String> = out.collect();
        if fine.is_empty() {
            return Input::EyesClosed { why: out.join("; ") };
        }
        if out.is_empty() {
            return Input::EyesOpened;
        }
        let hidden = self.hidden_from(&fine);
        if hidden >= HIDDEN_FROM {
            out.push(format!("{:.0} % of the platform is out of sight", hidden * 100.0));
        }
        Input::EyesImpaired { why: out.join("; ") }
    }
}

/// Tells whether one camera can be relied on: connected, not dark, not blocked, not repeating itself.
pub(super) struct Watcher {
    eyes: Eyes,
    camera: usize,
    frames: watch::Receiver<Option<Arc<Frame>>>,
    panel: Arc<Panel>,
    gates: Gates,
    fault: Option<String>,
}

impl Watcher {
    /// Of the camera at that place of the panel.
    pub(super) fn new(
        eyes: Eyes,
        camera: usize,
        frames: watch::Receiver<Option<Arc<Frame>>>,
        panel: Arc<Panel>,
    ) -> Self {
        Self { eyes, camera, frames, panel, gates: Gates::default(), fault: None }
    }

    pub(super) async fn run(mut self, mut heard: mpsc::Receiver<CameraEvent>) {
        let mut every = tokio::time::interval(GLANCE_EVERY);
        let mut up = false;
        loop {
            tokio::select! {
                event = heard.recv() => match event {
                    Some(CameraEvent::Up { .. }) => {
                        up = true;
                        (self.gates, self.fault) = (Gates::default(), None);
                        self.tell(None).await;
                    }
                    Some(CameraEvent::Down { why, .. }) => {
                        up = false;
                        self.tell(Some(why.to_string())).await;
                    }
                    None => return,
                },
                _ = every.tick(), if up => {
                    let fault = self.glance().await;
                    if fault != self.fault {
                        self.fault.clone_from(&fault);
                        self.tell(fault).await;
                    }
                }
            }
        }
    }

    async fn tell(&self, fault: Option<String>) {
        let camera = &self.panel.mounted[self.camera].config.name;
        match fault {
            None => {
                tracing::info!(camera, "the camera shows pictures");
                self.panel.set(self.camera, Standing::Fine).await;
            }
            Some(why) => {
                tracing::warn!(camera, why, "the camera is out");
                self.panel.set(self.camera, Standing::Out(why)).await;
            }
        }
    }

    async fn glance(&mut self) -> Option<String> {
        let jpeg = self.frames.borrow().as_ref().map(|f| f.jpeg.clone())?;
        let view = wiring::view(&self.panel.mounted[self.camera].config);
        match self.eyes.glance(self.camera, jpeg, view).await {
            Err(error) => Some(error.to_string()),
            Ok(glance) => self.gates.judge(&glance).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::vision::Quality;

    fn glance(brightness: f32, sharpness: f32, change: f32) -> Glance {
        Glance { quality: Quality { brightness, sharpness }, change: Some(change), shift_px: None }
    }

    /// What is wrong after each of these glances, up to the colon.
    fn after(glances: &[Glance]) -> Vec<&'static str> {
        let mut gates = Gates::default();
        let words = |fault: Option<&'static str>| fault.and_then(|told| told.split(':').next()).unwrap_or_default();
        glances.iter().map(|glance| words(gates.judge(glance))).collect()
    }

    #[test]
    fn a_dark_picture_is_told_at_once_and_forgotten_at_once() {
        let told = after(&[glance(120.0, 50.0, 1.0), glance(4.0, 0.5, 90.0), glance(120.0, 50.0, 90.0)]);
        assert_eq!(told, ["", "the picture is dark", ""]);
    }

    #[test]
    fn a_hand_that_passes_is_no_fault_and_a_covered_lens_is() {
        let (clear, covered) = (glance(120.0, 50.0, 1.0), glance(110.0, 0.3, 20.0));
        assert_eq!(after(&[clear, covered, clear]), ["", "", ""]);
        let told = after(&[clear, covered, covered, clear]);
        assert_eq!(told, ["", "", "nothing in the picture is sharp", ""]);
        let lamp = glance(252.0, 30.0, 2.0);
        assert_eq!(after(&[lamp, lamp]), ["", "the picture is all light"]);
    }

    #[test]
    fn the_same_picture_again_and_again_is_a_frozen_camera_and_noise_is_not() {
        let (noise, same) = (glance(120.0, 50.0, 0.6), glance(120.0, 50.0, 0.0));
        assert_eq!(after(&[noise, same, same, noise]), ["", "", "", ""]);
        assert_eq!(after(&[same, same, same, noise]), ["", "", "the camera repeats one picture", ""]);
    }

    /// Five minutes of a platform that lies elsewhere; baskets that hide its edges in between are no proof of either.
    #[test]
    fn a_camera_that_was_moved_is_told_after_a_while() {
        let (clear, hidden) = (glance(120.0, 50.0, 0.6), Glance { shift_px: None, ..glance(120.0, 50.0, 0.6) });
        let at = |px: f32| Glance { shift_px: Some(px), ..clear };
        let mut gates = Gates::default();
        let mut told = |glance: Glance| gates.judge(&glance);
        assert!((0..149).all(|_| told(at(8.0)).is_none()));
        assert_eq!((told(hidden), told(at(1.0))), (None, None), "it is back");
        assert!((0..149).all(|_| told(at(8.0)).is_none()));
        assert_eq!(told(hidden), None);
        assert!(told(at(8.0)).is_some_and(|why| why.starts_with("the platform is not where")));
        assert_eq!(told(at(0.0)), None);
    }

    fn panel() -> (Panel, mpsc::Receiver<Input>) {
        let text = include_str!("../../../hw-configs/trolley-150kg.toml");
        let config = crate::app::config::parse(text, "trolley-150kg.toml").unwrap();
        let (inputs, heard) = mpsc::channel(8);
        let platform = [config.platform.width_mm, config.platform.depth_mm];
        (Panel::new(wiring::cameras(&config).unwrap().into(), platform, inputs), heard)
    }

    /// One camera out: the eyes see on, and it is told which is out; all out: the eyes are closed.
    #[tokio::test]
    async fn one_of_two_cameras_out_is_told_and_stops_nothing() {
        let (panel, mut heard) = panel();
        panel.set(1, Standing::Out("it is dark".to_owned())).await;
        match heard.recv().await {
            Some(Input::EyesClosed { why }) => assert_eq!(why, "top: not opened yet; side: it is dark"),
            other => panic!("{other:?}"),
        }
        assert_eq!(panel.usable().await, [0, 1]);
        panel.set(0, Standing::Fine).await;
        match heard.recv().await {
            Some(Input::EyesImpaired { why }) => assert!(why.starts_with("side: it is dark"), "{why}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(panel.usable().await, [0]);
        panel.set(1, Standing::Fine).await;
        assert!(matches!(heard.recv().await, Some(Input::EyesOpened)));
        assert_eq!(panel.usable().await, [0, 1]);
        panel.set(0, Standing::Out("gone".to_owned())).await;
        assert!(matches!(heard.recv().await, Some(Input::EyesImpaired { why }) if why.starts_with("top: gone")));
    }

    /// What a lost camera alone showed is out of sight, and the words say how much.
    #[test]
    fn what_no_camera_shows_is_told() {
        let (panel, _heard) = panel();
        let all = panel.hidden_from(&[0, 1]);
        assert!(all <= panel.hidden_from(&[0]) && all <= panel.hidden_from(&[1]));
        assert_eq!(panel.hidden_from(&[]), 1.0);
        let mut narrow = panel.mounted.to_vec();
        narrow[0].config.view_px = [40, 10, 320, 470];
        let panel = Panel::new(narrow.into(), panel.plate_mm, panel.inputs.clone());
        match panel.input(&[Standing::Fine, Standing::Out("gone".to_owned())]) {
            Input::EyesImpaired { why } => assert!(why.ends_with("% of the platform is out of sight"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
