//! A simulated stage and the root machine on one virtual clock.

use anyhow::{Context, Result};
use augenmass_core::basket::InStorePattern;
use augenmass_core::goods::{BagBelief, Catalogue, ContainerBelief, parse_ndjson};
use augenmass_core::station::{
    Answer, Input, Machine, Now, Output, Record, Refusal, Request, Restored, StationConfig, ValidationView,
    WithoutCamera,
};
use augenmass_core::units::{Mono, Wall};
use augenmass_core::verdict::{Policy, Versions};
use augenmass_core::weighing::settle::SettleConfig;
use augenmass_core::weighing::{BoardConfig, CellConfig, ScaleConfig};
use firmware_sim::hw::Hardware;
use firmware_sim::shop::Shop;
use firmware_sim::stage::Stage;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a retailer with a usual store sets.
pub const POLICY: Policy = Policy { error_rate: 0.05, false_alarm_cost: 6.0, max_corrections: 3 };

/// The disk flushes in so many microseconds.
const FLUSH_US: u64 = 5_000;
/// The host reads its port at least so often.
const READ_EVERY_US: u64 = 5_000;
/// 2026-11-21T18:00:00Z, so that records are the same in every run.
const WALL_START_MS: i64 = 1_795_284_000_000;

/// A stage with the daemon's machine behind it. No camera: what vision adds is measured where it can be.
pub struct VirtualStation {
    /// The hardware.
    pub stage: Stage,
    /// The daemon's core.
    pub machine: Machine,
    now_us: u64,
    plugged: bool,
    disk_works: bool,
    flushing: Vec<(u64, u64, Record)>,
    next_ticket: u64,
    /// Answers by ticket.
    pub answers: BTreeMap<u64, Result<Answer, Refusal>>,
    /// Everything published, in order.
    pub published: Vec<ValidationView>,
    /// Views that came out with a verdict that was not on the disk at that moment. There must never be one.
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
        let products = parse_ndjson(&shop.catalogue_ndjson()).context("the demo shop's catalogue")?;
        let stage = Stage::new(hardware.clone(), shop.clone(), seed);
        let mut machine = Machine::new(config(hardware)?, Restored::default(), at(0));
        machine.handle(at(0), Input::Goods { catalogue: Arc::new(Catalogue::new(products)), gallery: None });
        let mut station = Self {
            stage,
            machine,
            now_us: 0,
            plugged: false,
            disk_works: true,
            flushing: Vec::new(),
            next_ticket: 1,
            answers: BTreeMap::new(),
            published: Vec::new(),
            hasty: Vec::new(),
            durable: Vec::new(),
        };
        station.drain();
        Ok(station)
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
        let plugged = self.stage.rig().plugged(0);
        if plugged != self.plugged {
            self.plugged = plugged;
            let input = if plugged { Input::PortOpened } else { Input::PortClosed { why: "pulled".to_owned() } };
            self.machine.handle(now, input);
            self.drain();
        }
        let bytes = self.stage.rig_mut().take_bytes(0);
        if !bytes.is_empty() {
            self.machine.handle(now, Input::Bytes { at: now.mono, bytes });
            self.drain();
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
        if self.machine.poll_timeout().is_some_and(|(due, _)| due <= now.mono) {
            self.machine.handle_timeout(now);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Send(bytes) => self.stage.rig_mut().receive(0, &bytes),
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
                    self.published.push(view);
                }
                Output::Look { .. } => {}
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
            .map(|c| ContainerBelief { kind: c.kind.clone(), tare_g: c.tare_g, sigma_g: c.sigma_g })
            .collect(),
        bags: BagBelief { mean_g: hardware.bags.mean_g, sigma_g: hardware.bags.sigma_g },
        in_store_codes: vec![InStorePattern::try_from("29IIIIIWWWWWC".to_owned())?],
        policy: POLICY,
        versions: Versions::default(),
    })
}

/// The core's scale for this hardware, as the station file describes it.
///
/// # Errors
/// A station without a board.
pub fn scale(hardware: &Hardware) -> Result<ScaleConfig> {
    let board = hardware.boards.first().context("the station has no board")?;
    let platform = &hardware.platform;
    Ok(ScaleConfig {
        board: BoardConfig {
            name: board.name.clone(),
            serial_number: board.serial_number.clone(),
            sample_rate_hz: board.sample_rate_hz,
            silence_ms: 300,
            cells: board
                .cells
                .iter()
                .map(|c| CellConfig {
                    x_mm: c.x_mm,
                    y_mm: c.y_mm,
                    zero_counts: f64::from(c.zero_counts),
                    counts_per_g: c.counts_per_g,
                    capacity_g: c.capacity_g,
                    noise_g: c.noise_g,
                })
                .collect(),
        },
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
    })
}
