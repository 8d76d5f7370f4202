//! Whether the station can weigh and look now.

use super::filling::Filling;
use super::limits;
use super::view::SenseView;
use crate::units::Mono;
use crate::vision::Scene;
use crate::weighing::zero::ZeroEvent;
use crate::weighing::{Load, Scale, Step, Unavailable};
use serde::{Deserialize, Serialize};

/// What the retailer wants done while the eyes are out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutCamera {
    /// Nothing is judged.
    Unavailable,
    /// Weight alone decides, and the verdict says so.
    WeightOnly,
}

/// The eyes as the machine knows them.
#[derive(Clone, Debug)]
enum Eyes {
    /// This station has no camera.
    None,
    Open {
        /// Which of several cameras are out, and why.
        impaired: Option<String>,
    },
    Closed {
        why: String,
        since: Mono,
    },
}

/// All senses of a station.
#[derive(Clone, Debug)]
pub struct Senses {
    /// The sense of weight.
    pub scale: Scale,
    scale_out_since: Option<Mono>,
    eyes: Eyes,
    /// Why nobody knows how goods look, and since when; with a camera alone.
    looks_out: Option<(String, Mono)>,
    rule: WithoutCamera,
    scene: Option<Scene>,
    asked: Option<Mono>,
    /// What was put down since the plate was empty.
    filling: Filling,
    zero_not_returned: u64,
}

/// What there is to judge by.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// Everything that is needed.
    Ready {
        /// What rests on the plate.
        load: Load,
        /// Whether the eyes are left out, as the retailer allows.
        without_eyes: bool,
    },
    /// The weight is known, and a look is on its way.
    Awaiting {
        /// What rests on the plate.
        load: Load,
    },
    /// Not yet.
    Wait,
    /// A sense is out, and has been for long enough to say so.
    Out {
        /// Which.
        sense: &'static str,
        /// Why.
        why: String,
    },
}

impl Senses {
    /// All senses out until they report.
    pub fn new(scale: Scale, has_camera: bool, rule: WithoutCamera) -> Self {
        let eyes = if has_camera {
            Eyes::Closed { why: "not opened yet".to_owned(), since: Mono::default() }
        } else {
            Eyes::None
        };
        Self {
            scale,
            scale_out_since: Some(Mono::default()),
            eyes,
            looks_out: None,
            rule,
            scene: None,
            asked: None,
            filling: Filling::default(),
            zero_not_returned: 0,
        }
    }

    /// The scale was lost (or not) as of now.
    pub fn scale_changed(&mut self, now: Mono) {
        if self.scale.fault().is_none() {
            self.scale_out_since = None;
        } else if self.scale_out_since.is_none() {
            self.scale_out_since = Some(now);
        }
        self.filling.lost();
        self.forget_look();
    }

    /// Goods were put in or taken out. The step that empties the plate is none of what comes next.
    pub fn took_step(&mut self, step: &Step) {
        if !self.is_empty() {
            self.filling.took(step);
        }
    }

    /// Something rests on the plate, untouched since `since`.
    pub fn rests(&mut self, since: Mono) {
        self.filling.rests(since);
    }

    /// How what rests on the plate came there.
    pub fn filling(&self) -> &Filling {
        &self.filling
    }

    /// The plate is empty.
    pub fn plate_emptied(&mut self) {
        self.filling.emptied();
    }

    /// Zero was taken anew, or did not return.
    pub fn zero_moved(&mut self, event: ZeroEvent) {
        match event {
            // Steps and loads before it were measured from another zero.
            ZeroEvent::Taken { .. } => self.filling.emptied(),
            ZeroEvent::NotReturned { .. } => self.zero_not_returned += 1,
        }
    }

    /// How often zero did not return when a load left: a case for service when it grows.
    pub fn zero_not_returned(&self) -> u64 {
        self.zero_not_returned
    }

    /// The plate is touched as of `at`: what was seen does not hold any more.
    pub fn touched(&mut self, at: Mono) {
        self.filling.touched(at);
        self.forget_look();
    }

    fn forget_look(&mut self) {
        self.scene = None;
        self.asked = None;
    }

    /// The eyes can see; `impaired` says which of several cameras cannot, and why.
    pub fn eyes_opened(&mut self, impaired: Option<String>) {
        match self.eyes {
            Eyes::None => return,
            Eyes::Closed { .. } => self.asked = None,
            Eyes::Open { .. } => {}
        }
        self.eyes = Eyes::Open { impaired };
    }

    /// The eyes are out.
    pub fn eyes_closed(&mut self, now: Mono, why: String) {
        let since = match &self.eyes {
            Eyes::Closed { since, .. } => *since,
            Eyes::None | Eyes::Open { .. } => now,
        };
        self.eyes = Eyes::Closed { why, since };
        self.scene = None;
    }

    /// Nobody knows how goods look, or somebody does again: without that the eyes see and say nothing.
    pub fn looks_are(&mut self, now: Mono, out: Option<String>) {
        let since = self.looks_out.as_ref().map_or(now, |(_, since)| *since);
        self.looks_out = out.filter(|_| !matches!(self.eyes, Eyes::None)).map(|why| (why, since));
    }

    /// Why the eyes cannot be relied on, and since when.
    fn blind(&self) -> Option<(&str, Mono)> {
        match &self.eyes {
            Eyes::Closed { why, since } => Some((why, *since)),
            Eyes::None => None,
            Eyes::Open { .. } => self.looks_out.as_ref().map(|(why, since)| (why.as_str(), *since)),
        }
    }

    /// Takes a look, unless the plate was touched after its frame.
    pub fn take_scene(&mut self, scene: Scene) {
        self.filling.saw(&scene);
        self.scene = Some(scene);
    }

    /// The latest look, if it was taken since the load was last touched.
    pub fn scene_of(&self, load: &Load) -> Option<&Scene> {
        self.scene.as_ref().filter(|s| s.captured >= load.untouched_since)
    }

    /// The same with what earlier looks of this visit showed and later goods hide.
    pub fn seen_of(&self, load: &Load) -> Option<Scene> {
        let latest = self.scene_of(load)?;
        Some(self.filling.seen(load.untouched_since).unwrap_or_else(|| latest.clone()))
    }

    /// What there is to judge by, for an attempt that began at `began`.
    pub fn evidence(&self, now: Mono, began: Mono) -> Evidence {
        if let Some(fault) = self.scale.fault() {
            let since = self.scale_out_since.unwrap_or(now).max(began);
            return out_after(now, since, limits::SENSE_OUT_MS, "scale", || fault.to_string());
        }
        let weight_only = self.rule == WithoutCamera::WeightOnly;
        let blind = self.blind();
        if let Some((why, since)) = blind.filter(|_| !weight_only) {
            return out_after(now, since.max(began), limits::SENSE_OUT_MS, "vision", || why.to_owned());
        }
        let Some(load) = self.scale.load().filter(|l| !self.scale.is_empty(l.mass)) else { return Evidence::Wait };
        if blind.is_some() || matches!(self.eyes, Eyes::None) {
            return Evidence::Ready { load, without_eyes: blind.is_some() };
        }
        match self.scene_of(&load).map(|scene| scene.quality.fault()) {
            Some(None) => Evidence::Ready { load, without_eyes: false },
            Some(Some(_)) if weight_only => Evidence::Ready { load, without_eyes: true },
            Some(Some(fault)) => {
                Evidence::Out { sense: "vision", why: format!("the picture is {fault:?}").to_lowercase() }
            }
            None if weight_only && now.ms_since(load.at.max(began)) >= limits::LOOK_MS => {
                Evidence::Ready { load, without_eyes: true }
            }
            None if now.ms_since(load.at.max(began)) >= limits::LOOK_MS => {
                Evidence::Out { sense: "vision", why: "no picture in time".to_owned() }
            }
            None => Evidence::Awaiting { load },
        }
    }

    /// Whether a look should be asked for now, and from which moment its frame must be. Asks again when none came.
    pub fn poll_look(&mut self, now: Mono) -> Option<Mono> {
        let load = self.scale.load().filter(|l| !self.scale.is_empty(l.mass))?;
        let asked_lately = self.asked.is_some_and(|at| now.ms_since(at) < limits::LOOK_AGAIN_MS);
        if !matches!(self.eyes, Eyes::Open { .. })
            || asked_lately
            || self.scene_of(&load).is_some_and(|s| s.quality.fault().is_none())
        {
            return None;
        }
        self.asked = Some(now);
        Some(load.untouched_since)
    }

    /// Whether a look should be asked for now of goods that came to rest, though nobody waits for a verdict: what comes next hides them.
    pub fn poll_step_look(&mut self, now: Mono) -> Option<Mono> {
        let asked_lately = self.asked.is_some_and(|at| now.ms_since(at) < limits::LOOK_AGAIN_MS);
        if asked_lately || !self.wants_step_look() {
            return None;
        }
        let since = self.filling.poll_look()?;
        self.asked = Some(now);
        Some(since)
    }

    /// When such a look is asked for again.
    pub fn poll_step_timeout(&self) -> Option<(Mono, &'static str)> {
        let asked = self.asked.filter(|_| self.wants_step_look())?;
        Some((asked.plus_ms(limits::LOOK_AGAIN_MS), "look again"))
    }

    fn wants_step_look(&self) -> bool {
        let sees = matches!(self.eyes, Eyes::Open { .. }) && self.looks_out.is_none();
        sees && self.is_loaded() && self.filling.wants_look()
    }

    /// When waiting for evidence ends, and why.
    pub fn poll_timeout(&self, began: Mono) -> Option<(Mono, &'static str)> {
        if self.scale.fault().is_some() {
            let since = self.scale_out_since.unwrap_or(began).max(began);
            return Some((since.plus_ms(limits::SENSE_OUT_MS), "scale out"));
        }
        if let Some((_, since)) = self.blind() {
            return Some((since.max(began).plus_ms(limits::SENSE_OUT_MS), "eyes out"));
        }
        let load = self.scale.load()?;
        let again = self.asked.map(|at| at.plus_ms(limits::LOOK_AGAIN_MS));
        let end = load.at.max(began).plus_ms(limits::LOOK_MS);
        Some((again.map_or(end, |a| a.min(end)), "look late"))
    }

    /// All senses, for people.
    pub fn views(&self) -> Vec<SenseView> {
        let scale = SenseView {
            name: "scale",
            ok: self.scale.fault().is_none(),
            why: self.scale.fault().map(ToString::to_string),
        };
        let impaired = match &self.eyes {
            Eyes::None => return vec![scale],
            Eyes::Open { impaired } => impaired.clone(),
            Eyes::Closed { .. } => None,
        };
        let why = self.blind().map(|(why, _)| why.to_owned());
        vec![scale, SenseView { name: "vision", ok: why.is_none(), why: why.or(impaired) }]
    }

    /// Whether the weight is out because more stands on the plate than it may bear.
    pub fn is_overloaded(&self) -> bool {
        self.scale.fault().is_some_and(|fault| fault.why == Unavailable::Overload)
    }

    /// Whether something rests on the plate, with the sense of weight sound.
    pub fn is_loaded(&self) -> bool {
        self.scale.load().is_some_and(|l| !self.scale.is_empty(l.mass))
    }

    /// Whether the plate is known to be empty.
    pub fn is_empty(&self) -> bool {
        self.scale.load().is_some_and(|l| self.scale.is_empty(l.mass))
    }
}

fn out_after(now: Mono, since: Mono, ms: u64, sense: &'static str, why: impl FnOnce() -> String) -> Evidence {
    if now >= since.plus_ms(ms) { Evidence::Out { sense, why: why() } } else { Evidence::Wait }
}
