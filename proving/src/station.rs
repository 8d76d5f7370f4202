//! A simulated stage and the root machine on one virtual clock.

use crate::eyes::Plate;
use anyhow::{Context, Result};
use augenmass_core::basket::InStorePattern;
use augenmass_core::goods::{BagBelief, Catalogue, ContainerBelief, parse_ndjson};
use augenmass_core::station::{
    Answer, Input, Machine, Now, Output, Record, Refusal, Request, Restored, StationConfig, ValidationView,
    WithoutCamera,
};
use augenmass_core::units::{Mono, Wall};
use augenmass_core::verdict::{Policy, Resolution, Versions};
use augenmass_core::vision::Scene;
use augenmass_core::weighing::indicator::{Indicator, IndicatorConfig};
use augenmass_core::weighing::settle::SettleConfig;
use augenmass_core::weighing::wire::dialog::Polynomial;
use augenmass_core::weighing::wire::{MassUnit, Protocol, WeightKind, WireOptions};
use augenmass_core::weighing::{BoardConfig, CellConfig, InstrumentConfig, ScaleConfig};
use firmware_sim::hw::{self, Hardware};
use firmware_sim::indicator::TEST_POLYNOMIAL;
use firmware_sim::shop::Shop;
use firmware_sim::stage::Stage;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the shipped station files set for the demo shop, whose goods were weighed lately.
pub const POLICY: Policy = Policy { stale_weight_rate: 0.001, wrong_label_rate: 0.001, ..Policy::usual(0.05, 6.0, 3) };

/// The disk flushes in so many microseconds.
const FLUSH_US: u64 = 5_000;
/// The host reads its port at least so often.
const READ_EVERY_US: u64 = 5_000;
/// 2026-11-21T18:00:00Z, so that records are the same in every run.
const WALL_START_MS: i64 = 1_795_284_000_000;

/// From the question for a look to its frame, and from there to what the models make of it, microseconds.
const FRAME_US: u64 = 60_000;
const LOOK_US: u64 = 250_000;

/// A stage with the daemon's machine behind it. Its camera shows what whoever plays with it says.
pub struct VirtualStation {
    /// The hardware.
    pub stage: Stage,
    /// The daemon's core.
    pub machine: Machine,
    now_us: u64,
    plugged: Vec<bool>,
    disk_works: bool,
    flushing: Vec<(u64, u64, Record)>,
    next_ticket: u64,
    /// What its camera shows, if it has one.
    pub camera: Option<Plate>,
    /// When the frame is taken that was asked for.
    asked_look: Option<u64>,
    /// When what was seen is told.
    seen: Option<(u64, Scene)>,
    /// Answers by ticket.
    pub answers: BTreeMap<u64, Result<Answer, Refusal>>,
    /// Everything published, in order.
    pub published: Vec<ValidationView>,
    /// Views that came out with a verdict or a resolution that was not on the disk at that moment. There must never be one.
    pub hasty: Vec<ValidationView>,
    /// What is on the disk, in order.
    pub durable: Vec<Record>,
}

impl VirtualStation {
    /// A station of this hardware with the demo shop, at time 0.
    ///
    /// # Errors
    /// A shop whose catalogue the daemon does not take.
    pub fn new(hardware: &Hardware, shop: &Arc<Shop>, seed: u64) -> Result<Self> {
        Self::with_policy(hardware, shop, seed, POLICY)
    }

    /// The same of a retailer who wants something else.
    ///
    /// # Errors
    /// A shop whose catalogue the daemon does not take.
    pub fn with_policy(hardware: &Hardware, shop: &Arc<Shop>, seed: u64, policy: Policy) -> Result<Self> {
        Self::made(hardware, shop, seed, policy, None)
    }

    /// The same with a camera over this plate.
    ///
    /// # Errors
    /// A shop whose catalogue the daemon does not take.
    pub fn seeing(hardware: &Hardware, shop: &Arc<Shop>, seed: u64, plate: Plate) -> Result<Self> {
        Self::made(hardware, shop, seed, POLICY, Some(plate))
    }

    fn made(hardware: &Hardware, shop: &Arc<Shop>, seed: u64, policy: Policy, camera: Option<Plate>) -> Result<Self> {
        let products = parse_ndjson(&shop.catalogue_ndjson()).context("the demo shop's catalogue")?;
        let stage = Stage::new(hardware.clone(), shop.clone(), seed);
        let config = StationConfig { policy, has_camera: camera.is_some(), ..config(hardware)? };
        let mut machine = Machine::new(config, Restored::default(), at(0));
        let gallery = camera.as_ref().map(|plate| plate.gallery().clone());
        machine.handle(at(0), Input::Goods { catalogue: Arc::new(Catalogue::new(products)), gallery });
        if camera.is_some() {
            machine.handle(at(0), Input::EyesOpened);
        }
        let mut station = Self {
            stage,
            machine,
            now_us: 0,
            plugged: vec![false; hardware.boards.len() + hardware.indicators.len()],
            disk_works: true,
            flushing: Vec::new(),
            next_ticket: 1,
            camera,
            asked_look: None,
            seen: None,
            answers: BTreeMap::new(),
            published: Vec::new(),
            hasty: Vec::new(),
            durable: Vec::new(),
        };
        station.drain();
        Ok(station)
    }

    /// Virtual time of a moment in a record, microseconds.
    pub fn us_of(wall: Wall) -> u64 {
        ((wall.ms() - WALL_START_MS).max(0) as u64) * 1_000
    }

    /// Virtual time in microseconds.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Lets the disk fail, or mends it.
    pub fn disk_works(&mut self, works: bool) {
        self.disk_works = works;
    }

    /// Asks the station; the answer comes to [`VirtualStation::answers`] under the ticket given back.
    pub fn ask(&mut self, request: Request) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.machine.handle(at(self.now_us), Input::Request { ticket, request });
        self.drain();
        ticket
    }

    /// Lets so many milliseconds pass.
    pub fn run_ms(&mut self, ms: u64) {
        let end_us = self.now_us + ms * 1000;
        while self.now_us < end_us {
            self.step((self.now_us + READ_EVERY_US).min(end_us));
        }
    }

    /// Lets time pass until `done` or until so many milliseconds have gone by; says whether it was done.
    pub fn run_until(&mut self, limit_ms: u64, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end_us = self.now_us + limit_ms * 1000;
        while self.now_us < end_us {
            if done(self) {
                return true;
            }
            self.step(self.now_us + READ_EVERY_US);
        }
        done(self)
    }

    fn step(&mut self, to_us: u64) {
        self.now_us = to_us;
        self.stage.advance_to(to_us);
        let now = at(to_us);
        for port in 0..self.plugged.len() {
            let plugged = self.stage.rig().plugged(port);
            if plugged != self.plugged[port] {
                self.plugged[port] = plugged;
                let why = "pulled".to_owned();
                let input = if plugged { Input::PortOpened { port } } else { Input::PortClosed { port, why } };
                self.machine.handle(now, input);
                self.drain();
            }
            let bytes = self.stage.rig_mut().take_bytes(port);
            if !bytes.is_empty() {
                self.machine.handle(now, Input::Bytes { port, at: now.mono, bytes });
                self.drain();
            }
        }
        while let Some(index) = self.flushing.iter().position(|(due, ..)| *due <= to_us) {
            let (_, save, record) = self.flushing.remove(index);
            if self.disk_works {
                self.durable.push(record);
                self.machine.handle(now, Input::Saved(save));
            } else {
                self.machine.handle(now, Input::SaveFailed(save));
            }
            self.drain();
        }
        if self.asked_look.take_if(|due| *due <= to_us).is_some() {
            self.seen = self.camera.as_mut().map(|plate| (to_us + LOOK_US, plate.look(now.mono)));
        }
        if let Some((_, scene)) = self.seen.take_if(|(due, _)| *due <= to_us) {
            self.machine.handle(now, Input::Scene(scene));
            self.drain();
        }
        if self.machine.poll_timeout().is_some_and(|(due, _)| due <= now.mono) {
            self.machine.handle_timeout(now);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Send { port, bytes } => self.stage.rig_mut().receive(port, &bytes),
                Output::Save { save, record } => self.flushing.push((self.now_us + FLUSH_US, save, record)),
                Output::Answer { ticket, answer } => {
                    self.answers.insert(ticket, answer);
                }
                Output::Publish(view) => {
                    if let Some(verdict) = &view.verdict
                        && !self.durable.contains(&Record::Attempt(verdict.clone()))
                    {
                        self.hasty.push(view.clone());
                    }
                    let kept = |told: &Arc<Resolution>| {
                        let is_it = |r: &Record| matches!(r, Record::Resolved { resolution, .. } if resolution == told);
                        self.durable.iter().any(is_it)
                    };
                    if view.resolution.as_ref().is_some_and(|told| !kept(told)) {
                        self.hasty.push(view.clone());
                    }
                    self.published.push(view);
                }
                Output::Look { .. } => self.asked_look = self.asked_look.or(Some(self.now_us + FRAME_US)),
            }
        }
    }
}

fn at(us: u64) -> Now {
    Now { mono: Mono::from_us(us), wall: Wall::from_ms(WALL_START_MS + (us / 1000) as i64) }
}

fn config(hardware: &Hardware) -> Result<StationConfig> {
    Ok(StationConfig {
        id: hardware.station.id.parse()?,
        code: hardware.station.code.clone(),
        scale: scale(hardware)?,
        has_camera: false,
        without_camera: WithoutCamera::WeightOnly,
        containers: hardware
            .containers
            .iter()
            .map(|c| ContainerBelief::of_kind(&c.kind, c.tare_g, c.sigma_g))
            .collect(),
        bags: BagBelief::one(hardware.bags.mean_g, hardware.bags.sigma_g),
        in_store_codes: vec![InStorePattern::try_from("29IIIIIWWWWWC".to_owned())?],
        policy: POLICY,
        versions: Versions::default(),
    })
}

/// The core's scale for this hardware, as the station file describes it.
///
/// # Errors
/// A finished scale that cannot be talked to.
pub fn scale(hardware: &Hardware) -> Result<ScaleConfig> {
    let platform = &hardware.platform;
    let mut instruments: Vec<InstrumentConfig> =
        hardware.boards.iter().map(|b| InstrumentConfig::Board(board(b))).collect();
    for scale in &hardware.indicators {
        instruments.push(InstrumentConfig::Indicator(Box::new(Indicator::new(indicator(scale)?)?)));
    }
    Ok(ScaleConfig {
        instruments,
        settle: SettleConfig {
            frequency_hz: platform.natural_frequency_hz,
            reference_mass_g: platform.reference_mass_g,
            dead_mass_g: platform.dead_mass_g,
            damping_ratio: platform.damping_ratio,
            noise_g: 1.0,
            sigma_g: platform.sigma_g,
            quantum_g: 0.0,
        },
        max_g: platform.max_g,
        division_g: 5.0,
        empty_below_g: 150.0,
        sigma_share: 2e-4,
        twist_share: 0.05,
        centre_within_mm: None,
    })
}

fn indicator(scale: &hw::Indicator) -> Result<IndicatorConfig> {
    let protocol = protocol(scale.protocol);
    Ok(IndicatorConfig {
        name: scale.name.clone(),
        protocol,
        options: WireOptions {
            unit: Some(match scale.unit {
                hw::Unit::Kg => MassUnit::Kg,
                hw::Unit::G => MassUnit::G,
                hw::Unit::Lb => MassUnit::Lb,
            }),
            decimals: Some(scale.decimals),
            checksum: scale.checksum,
            address: Some(scale.address),
            registers: None,
            hbm: None,
        },
        serial_number: scale.serial_number.clone().filter(|_| protocol == Protocol::MtSics),
        poll_ms: scale.poll_ms.max(50),
        response_ms: 300,
        silence_ms: 1_000,
        bytes_per_s: f64::from(scale.baud) / 10.0,
        unit_price_minor: 1,
        polynomial: Some(Polynomial::new(u32::from(TEST_POLYNOMIAL))),
        expects: WeightKind::Gross,
        x_mm: scale.x_mm,
        y_mm: scale.y_mm,
        division_g: scale.division_g,
        max_g: scale.max_g,
        noise_g: scale.noise_g.max(0.1),
        grams_per_digit: None,
    })
}

fn protocol(spoken: hw::ScaleProtocol) -> Protocol {
    use hw::ScaleProtocol as S;
    match spoken {
        S::MtSics => Protocol::MtSics,
        S::Dialog06 => Protocol::Dialog06,
        S::Dialog04 => Protocol::Dialog04,
        S::Dialog02 => Protocol::Dialog02,
        S::Toledo8217 => Protocol::Toledo8217,
        S::Nci => Protocol::Nci,
        S::ModbusLaumas => Protocol::ModbusLaumas,
        S::ModbusFlintec => Protocol::ModbusFlintec,
        S::ToledoContinuous => Protocol::ToledoContinuous,
        S::Cas => Protocol::Cas,
        S::And => Protocol::And,
        S::HbmAed => Protocol::HbmAed,
    }
}

fn board(board: &hw::Board) -> BoardConfig {
    let cell = |c: &hw::Cell| CellConfig {
        serial_number: c.serial_number.clone(),
        x_mm: c.x_mm,
        y_mm: c.y_mm,
        zero_counts: f64::from(c.zero_counts),
        counts_per_g: c.counts_per_g,
        capacity_g: c.capacity_g,
        noise_g: c.noise_g,
    };
    BoardConfig {
        name: board.name.clone(),
        plate: board.plate.clone(),
        serial_number: board.serial_number.clone(),
        sample_rate_hz: board.sample_rate_hz,
        bytes_per_s: f64::from(board.baud) / 10.0,
        silence_ms: 300,
        cells: board.cells.iter().map(cell).collect(),
    }
}
