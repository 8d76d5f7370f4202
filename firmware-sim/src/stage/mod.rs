//! Everything in front of and under the station, on one clock: world, ports, shop, cameras' scene. Sans-IO and seeded; the
//! shell adds real time, virtual time drives it directly.

mod armful;
mod command;
mod mass;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::hw::{self, Hardware};
use crate::render::{CameraModel, ContainerKind, ContainerShape, HandPose, Light, Plate, Scene};
use crate::rig::{Fault, Rig};
use crate::shop::Shop;
use crate::world::{Load, Standing, Thing};
pub use armful::Armful;
pub use command::{Brought, CameraFault, Command, CommandError, GoodsLine};
pub use mass::{container_mass_g, draw_bag_g, unit_code};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A hand that has put something down stays on it so long, milliseconds.
const HOLD_MS: std::ops::Range<u64> = 200..450;

/// More units than any shopper puts down at once.
const MOST_UNITS: usize = 400;

/// An hour.
const LONGEST_PUSH_MS: u64 = 3_600_000;

/// The seed's stream for what shoppers draw without saying so.
const DRAW_STREAM: u64 = 1 << 34;

/// World, ports, shop and cameras together.
#[derive(Debug, Clone)]
pub struct Stage {
    hardware: Hardware,
    shop: Arc<Shop>,
    rig: Rig,
    seed: u64,
    rng: ChaCha8Rng,
    camera_faults: BTreeMap<String, CameraFault>,
    hand: Option<HandPose>,
}

impl Stage {
    /// An empty station at time 0.
    pub fn new(hardware: Hardware, shop: Arc<Shop>, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(DRAW_STREAM);
        let camera_faults = hardware.cameras.iter().map(|camera| (camera.name.clone(), CameraFault::None)).collect();
        Self { rig: Rig::new(&hardware, seed), hardware, shop, seed, rng, camera_faults, hand: None }
    }

    /// The station file.
    pub fn hardware(&self) -> &Hardware {
        &self.hardware
    }

    /// The shop's goods.
    pub fn shop(&self) -> &Arc<Shop> {
        &self.shop
    }

    /// World and ports.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// World and ports, to pass bytes and to plant faults.
    pub fn rig_mut(&mut self) -> &mut Rig {
        &mut self.rig
    }

    /// Lets time pass; nothing happens when that has gone by already.
    pub fn advance_to(&mut self, t_us: u64) {
        self.rig.advance_to(t_us);
    }

    /// How a camera fails now; a camera that is not known does not.
    pub fn camera_fault(&self, name: &str) -> CameraFault {
        self.camera_faults.get(name).copied().unwrap_or_default()
    }

    /// Does a command at the time reached; gives what it brought.
    ///
    /// # Errors
    /// See [`CommandError`]; nothing has changed then.
    pub fn command(&mut self, command: &Command) -> Result<Vec<Brought>, CommandError> {
        match self.prepare(command)? {
            Some(armful) => self.put(armful.laid()),
            None => Ok(vec![]),
        }
    }

    /// First half of [`Stage::command`]: does what is quick at once; goods to be put down are handed over instead, for
    /// [`Armful::laid`] and [`Stage::put`], so that nobody need hold the stage while they are laid.
    ///
    /// # Errors
    /// See [`CommandError`]; nothing has changed then.
    pub fn prepare(&mut self, command: &Command) -> Result<Option<Armful>, CommandError> {
        match command {
            Command::Place { container, container_id, goods, bags, bag_g, hold_ms } => {
                if !self.rig.world().load().is_empty() {
                    return Err(CommandError::Occupied);
                }
                let container = self.container(container.as_deref(), container_id.clone())?;
                let things = self.bags(*bags, *bag_g)?;
                self.armful(Load { container, things, goods: vec![] }, goods, *hold_ms).map(Some)
            }
            Command::Add { goods, hold_ms } => {
                let load = self.rig.world().load().clone();
                self.armful(load, goods, *hold_ms).map(Some)
            }
            Command::Remove { goods } => self.remove(goods).map(|()| None),
            Command::Weight { grams, at_mm } => self.weight(*grams, *at_mm).map(|()| None),
            Command::Shift { by_mm } => self.shift(*by_mm).map(|()| None),
            Command::Push { newtons, ms, at_mm } => self.push(*newtons, *ms, *at_mm).map(|()| None),
            Command::Camera { name, fault } => self.break_camera(name, *fault).map(|()| None),
            Command::Lift => {
                self.rig.world_mut().set_load(Load::default());
                Ok(None)
            }
            Command::Unplug { board } => {
                let port = self.port(board)?;
                self.rig.unplug(port);
                Ok(None)
            }
            Command::Replug { board } => {
                let port = self.port(board)?;
                self.rig.replug(port);
                Ok(None)
            }
            Command::Fault { port, fault, after_ms, for_ms } => {
                self.plant(port, fault, *after_ms, *for_ms).map(|()| None)
            }
            Command::Mend { port } => {
                let port = self.port(port)?;
                self.rig.mend(port);
                Ok(None)
            }
        }
    }

    /// Second half: puts down what was laid and keeps a hand on it for a moment.
    ///
    /// # Errors
    /// [`CommandError::Occupied`] when what stands on the plate has changed since.
    pub fn put(&mut self, armful: Armful) -> Result<Vec<Brought>, CommandError> {
        if *self.rig.world().load() != armful.before {
            return Err(CommandError::Occupied);
        }
        let at_mm = armful.after.centre_mm();
        let world = self.rig.world_mut();
        world.set_load(armful.after);
        world.hold(armful.hold_us, at_mm);
        self.hand = Some(self.draw_hand(at_mm));
        Ok(armful.brought)
    }

    fn weight(&mut self, mass_g: f64, at_mm: [f64; 2]) -> Result<(), CommandError> {
        if !(mass_g.is_finite() && mass_g > 0.0) || at_mm.iter().any(|mm| !mm.is_finite()) {
            return Err(CommandError::Impossible("a weight needs a mass above 0 and a place"));
        }
        let mut load = self.rig.world().load().clone();
        load.things.push(Thing { name: "weight".to_owned(), mass_g, at_mm });
        self.rig.world_mut().set_load(load);
        Ok(())
    }

    fn shift(&mut self, by_mm: [f64; 2]) -> Result<(), CommandError> {
        if by_mm.iter().any(|mm| !mm.is_finite()) {
            return Err(CommandError::Impossible("a shift needs two lengths"));
        }
        let load = self.rig.world().load().shifted(by_mm);
        self.rig.world_mut().set_load(load);
        Ok(())
    }

    fn push(&mut self, newtons: f64, ms: u64, at_mm: [f64; 2]) -> Result<(), CommandError> {
        if !newtons.is_finite() || ms > LONGEST_PUSH_MS || at_mm.iter().any(|mm| !mm.is_finite()) {
            return Err(CommandError::Impossible("a push needs newtons, a place and at most an hour"));
        }
        self.hand = Some(self.draw_hand(at_mm));
        self.rig.world_mut().press(newtons, ms * 1000, at_mm);
        Ok(())
    }

    fn break_camera(&mut self, name: &str, fault: CameraFault) -> Result<(), CommandError> {
        match self.camera_faults.get_mut(name) {
            Some(current) => *current = fault,
            None => {
                return Err(unknown("camera", name, self.hardware.cameras.iter().map(|camera| &camera.name)));
            }
        }
        Ok(())
    }

    /// What a camera sees at the time reached.
    pub fn scene(&self, camera: &hw::Camera) -> Scene {
        let world = self.rig.world();
        let load = world.load();
        Scene {
            camera: CameraModel {
                at_mm: camera.at_mm,
                ..CameraModel::straight_down(camera.width_px, camera.height_px, camera.focal_px, camera.height_mm)
            },
            plate: self.plate(),
            container: load.container.as_ref().map(|standing| standing.shape),
            placed: load.goods.iter().map(|lying| lying.placed).collect(),
            hand: self.hand.filter(|_| world.touching()),
            bag: None,
            light: Light::shop(),
        }
    }

    fn port(&self, name: &str) -> Result<usize, CommandError> {
        let names = self.rig.ports().iter().map(|port| &port.name);
        self.rig.port_named(name).ok_or_else(|| unknown("port", name, names))
    }

    fn plant(&mut self, port: &str, fault: &Fault, after_ms: u64, for_ms: Option<u64>) -> Result<(), CommandError> {
        let port = self.port(port)?;
        let from_us = self.rig.world().now_us().saturating_add(after_ms.saturating_mul(1000));
        let until_us = for_ms.map(|ms| from_us.saturating_add(ms.saturating_mul(1000)));
        self.rig.plant(port, fault.clone(), from_us, until_us).map_err(CommandError::Impossible)
    }

    fn container(&self, kind: Option<&str>, id: Option<String>) -> Result<Option<Standing>, CommandError> {
        let containers = &self.hardware.containers;
        let Some(kind) = kind.or_else(|| containers.first().map(|container| container.kind.as_str())) else {
            return Ok(None);
        };
        let shape = match kind {
            "none" => return Ok(None),
            "trolley" => ContainerKind::Trolley,
            _ => ContainerKind::Basket,
        };
        let Some(container) = self.hardware.container(kind) else {
            return Err(unknown("container", kind, containers.iter().map(|container| &container.kind)));
        };
        Ok(Some(Standing {
            kind: kind.to_owned(),
            mass_g: container_mass_g(container, id.as_deref(), self.seed),
            id,
            shape: ContainerShape::centred(shape, container.width_mm, container.depth_mm, container.height_mm),
        }))
    }

    fn bags(&mut self, count: u32, mass_g: Option<f64>) -> Result<Vec<Thing>, CommandError> {
        if count > 20 || mass_g.is_some_and(|mass_g| !(mass_g.is_finite() && mass_g > 0.0)) {
            return Err(CommandError::Impossible("at most 20 bags, each with a mass above 0"));
        }
        let bags = &self.hardware.bags;
        let draw = |_| Thing {
            name: "own bag".to_owned(),
            mass_g: mass_g.unwrap_or_else(|| draw_bag_g(bags, &mut self.rng)),
            at_mm: [0.0, 0.0],
        };
        Ok((0..count).map(draw).collect())
    }

    /// Draws what is to be put down to what `load` holds.
    fn armful(&mut self, load: Load, lines: &[GoodsLine], hold_ms: Option<u64>) -> Result<Armful, CommandError> {
        let mut brought = Vec::new();
        let mut units = Vec::new();
        for line in lines {
            let (good, masses) = self.units(line)?;
            brought.push(Brought {
                id: line.id.clone(),
                codes: masses.iter().map(|mass_g| unit_code(&self.shop.goods[good], *mass_g)).collect(),
                unit_g: masses.clone(),
            });
            units.extend(masses.into_iter().map(|mass_g| (good, mass_g)));
        }
        if units.len() + load.goods.len() > MOST_UNITS {
            return Err(CommandError::Impossible("more than 400 units do not fit on the plate"));
        }
        Ok(Armful {
            before: self.rig.world().load().clone(),
            after: load,
            units,
            brought,
            hold_us: self.hold_us(hold_ms),
            shop: Arc::clone(&self.shop),
            plate: self.plate(),
            rng: ChaCha8Rng::seed_from_u64(self.rng.random()),
        })
    }

    fn plate(&self) -> Plate {
        Plate::steel(self.hardware.platform.width_mm, self.hardware.platform.depth_mm)
    }

    fn units(&mut self, line: &GoodsLine) -> Result<(usize, Vec<f64>), CommandError> {
        let good = self.shop.index_of(&line.id).ok_or_else(|| CommandError::UnknownGood(line.id.clone()))?;
        let count = line.quantity as usize;
        if count == 0 || count > MOST_UNITS {
            return Err(CommandError::Impossible("a quantity lies between 1 and 400"));
        }
        if line.unit_g.is_empty() {
            let rng = &mut self.rng;
            return Ok((good, (0..count).map(|_| self.shop.goods[good].draw_mass_g(rng)).collect()));
        }
        if line.unit_g.len() != count || line.unit_g.iter().any(|mass_g| !(mass_g.is_finite() && *mass_g > 0.0)) {
            return Err(CommandError::Impossible("unit_g needs one mass above 0 for each unit"));
        }
        Ok((good, line.unit_g.clone()))
    }

    fn remove(&mut self, lines: &[GoodsLine]) -> Result<(), CommandError> {
        let mut load = self.rig.world().load().clone();
        for line in lines {
            let good = self.shop.index_of(&line.id).ok_or_else(|| CommandError::UnknownGood(line.id.clone()))?;
            for _ in 0..line.quantity {
                let last = load.goods.iter().rposition(|lying| lying.placed.good == good);
                load.goods.remove(last.ok_or_else(|| CommandError::NotThere(line.id.clone()))?);
            }
        }
        let at_mm = load.centre_mm();
        let hold_us = self.hold_us(None);
        self.hand = Some(self.draw_hand(at_mm));
        let world = self.rig.world_mut();
        world.set_load(load);
        world.hold(hold_us, at_mm);
        Ok(())
    }

    fn hold_us(&mut self, asked_ms: Option<u64>) -> u64 {
        asked_ms.unwrap_or_else(|| self.rng.random_range(HOLD_MS)) * 1000
    }

    fn draw_hand(&mut self, [x_mm, y_mm]: [f64; 2]) -> HandPose {
        let height_mm =
            self.rig.world().load().container.as_ref().map_or(60.0, |standing| standing.shape.height_mm + 40.0);
        HandPose { at_mm: [x_mm, y_mm, height_mm], yaw_rad: self.rng.random_range(-2.2..-0.9), seed: self.rng.random() }
    }
}

fn unknown<'a>(what: &'static str, name: &str, known: impl Iterator<Item = &'a String>) -> CommandError {
    let known: Vec<&str> = known.map(String::as_str).collect();
    CommandError::Unknown { what, name: name.to_owned(), known: known.join(", ") }
}

#[cfg(test)]
pub(crate) mod tests;
