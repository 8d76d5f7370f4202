//! The whole sense of weight of a station: instruments, platform, zero, settling, steps, and whether it can be trusted now.

use super::align::Align;
use super::declared::Declared;
use super::health::{Health, HealthConfig};
use super::instrument::{Instrument, InstrumentConfig, InstrumentEvent};
use super::link::LinkCounters;
use super::platform::{Platform, Reading};
use super::settle::{Load, Settle, SettleConfig, SettleEvent};
use super::steps::{Step, Steps};
use super::unavailable::{Outage, Unavailable};
use super::zero::{Zero, ZeroEvent};
use crate::units::{Mass, Mono};

/// A station's scale as configured.
#[derive(Clone, Debug)]
pub struct ScaleConfig {
    /// One a serial port, in the order of the ports.
    pub instruments: Vec<InstrumentConfig>,
    /// How the plate rings, less the noise, which the cells say.
    pub settle: SettleConfig,
    /// Heavier is overload.
    pub max_g: f64,
    /// Verification interval.
    pub division_g: f64,
    /// Lighter counts as empty.
    pub empty_below_g: f64,
    /// Uncertainty that grows with the load: span, corners and creep, 1 sigma as a share of the mass.
    pub sigma_share: f64,
    /// Share of a load that the plate's own bending may bring into the twist.
    pub twist_share: f64,
    /// A load whose centre lies further out than this, along x or y, stands half beside the plate.
    pub centre_within_mm: Option<[f64; 2]>,
}

/// What the scale tells.
#[derive(Clone, Debug, PartialEq)]
pub enum ScaleEvent {
    /// Something rests on the plate, or the plate rests empty.
    Settled(Load),
    /// Goods were put in or taken out since the load before.
    Step(Step),
    /// What rested is touched.
    Disturbed {
        /// When.
        at: Mono,
    },
    /// There is no weight.
    Lost(Outage),
    /// There are weights again; what rests is not known yet.
    Back,
    /// Zero has moved, or has not returned.
    Zero(ZeroEvent),
}

/// Sound samples must follow a fault for so long before the scale counts as back.
const TRUST_AGAIN_MS: u64 = 100;
/// A plate that is believed to be empty, or to carry what it carried, must show it for so long.
const ZERO_SEEN_MS: u64 = 1_000;
/// How well a platform repeats a load that nobody moved, 1 sigma in grams; R 60's return error is far less within a visit.
const REPEATABILITY_G: f64 = 0.5;

/// How loads are found: by fitting the plate's ringing, or by what finished scales say.
#[derive(Clone, Debug)]
enum Rest {
    Fitted(Box<Settle>),
    Declared(Declared),
}

#[derive(Clone, Debug)]
struct Port {
    name: String,
    silence_ms: u64,
    instrument: Instrument,
    fault: Option<Unavailable>,
    last_sample: Option<Mono>,
}

/// The scale.
#[derive(Clone, Debug)]
pub struct Scale {
    config: ScaleConfig,
    ports: Vec<Port>,
    align: Align,
    platform: Platform,
    health: Health,
    rest: Rest,
    steps: Steps,
    zero: Zero,
    zero_may_move: bool,
    /// What is told at the moment.
    outage: Option<Outage>,
    sound_since: Option<Mono>,
    last_reading: Option<Reading>,
    unsteady_since: Option<Mono>,
    /// Whether the last that was known to rest was an empty plate.
    was_empty: bool,
    /// The last that was known to rest, even before an outage.
    last_load_g: Option<f64>,
    zero_lost: bool,
    zero_seen_since: Option<Mono>,
}

impl Scale {
    /// A scale whose ports are not open yet.
    pub fn new(config: ScaleConfig) -> Self {
        let platform = Platform::new(config.instruments.iter().flat_map(InstrumentConfig::supports).collect());
        let rates: Vec<f64> = config.instruments.iter().map(InstrumentConfig::rate_hz).collect();
        let fitted = config.instruments.iter().all(InstrumentConfig::rings);
        let rest = if fitted {
            Rest::Fitted(Box::new(Settle::new(SettleConfig { noise_g: platform.noise_g(), ..config.settle })))
        } else {
            Rest::Declared(Declared::new(config.division_g, config.settle.sigma_g))
        };
        let arm_mm = platform.arm_mm();
        let closed = || Unavailable::Disconnected("not opened yet".to_owned());
        let ports: Vec<Port> = config
            .instruments
            .iter()
            .map(|instrument| Port {
                name: instrument.name().to_owned(),
                silence_ms: instrument.silence_ms(),
                instrument: Instrument::new(instrument.clone()),
                fault: Some(closed()),
                last_sample: None,
            })
            .collect();
        let mut scale = Self {
            align: Align::new(&rates),
            health: Health::new(HealthConfig {
                max_g: config.max_g,
                division_g: config.division_g,
                empty_below_g: config.empty_below_g,
                twist_noise_g: platform.twist_noise_g(),
                twist_share: config.twist_share,
                centre_within_mm: config.centre_within_mm,
            }),
            steps: Steps::new(config.division_g, REPEATABILITY_G, 0.3 * platform.noise_g() * arm_mm),
            zero: Zero::new(config.division_g, config.max_g, config.settle.sigma_g),
            zero_may_move: true,
            outage: None,
            sound_since: None,
            last_reading: None,
            unsteady_since: None,
            was_empty: false,
            last_load_g: None,
            zero_lost: false,
            zero_seen_since: None,
            config,
            ports,
            platform,
            rest,
        };
        scale.outage = scale.why_out();
        scale
    }

    /// The load, if the scale is sound and something is known to rest. An empty plate is a load below [`ScaleConfig::empty_below_g`].
    pub fn load(&self) -> Option<Load> {
        if self.outage.is_some() {
            return None;
        }
        match &self.rest {
            Rest::Fitted(settle) => settle.load(),
            Rest::Declared(declared) => declared.load(),
        }
        .map(|load| self.with_share(load))
    }

    /// Why there is no weight, if there is none.
    pub fn fault(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    /// A live value for a display, never for a decision.
    pub fn live(&self) -> Option<Mass> {
        if self.outage.is_some() {
            return None;
        }
        match &self.rest {
            Rest::Fitted(settle) => settle.live_g(),
            Rest::Declared(_) => self.last_reading.map(|r| r.mass_g),
        }
        .and_then(Mass::from_g)
    }

    /// How long something has moved without coming to rest, milliseconds; 0 while something rests or there is no weight.
    pub fn unsteady_ms(&self) -> u64 {
        self.unsteady_since.zip(self.last_reading).map_or(0, |(since, reading)| reading.at.ms_since(since))
    }

    /// What all links together have seen.
    pub fn counters(&self) -> LinkCounters {
        let mut sum = LinkCounters::default();
        for port in &self.ports {
            sum += port.instrument.counters();
        }
        sum
    }

    /// The instruments' names in the order of their ports.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.ports.iter().map(|port| port.name.as_str())
    }

    /// The shift of zero followed so far, grams.
    pub fn zero_shift_g(&self) -> f64 {
        self.zero.shift_g()
    }

    /// What lies on the plate while it counts as empty, grams.
    pub fn residue_g(&self) -> Option<f64> {
        self.zero.residue_g()
    }

    /// How far the cells contradict a rigid plate in the last reading, grams.
    pub fn twist_g(&self) -> f64 {
        self.last_reading.map_or(0.0, |r| r.twist_g)
    }

    /// Whether a mass counts as an empty plate.
    pub fn is_empty(&self, mass: Mass) -> bool {
        mass.g() < self.config.empty_below_g
    }

    /// Lets zero follow the empty plate, or holds it: during a visit small goods must not be eaten by it.
    pub fn let_zero_follow(&mut self, may: bool) {
        self.zero_may_move = may;
    }

    /// Port number `port` is open.
    pub fn opened(&mut self, port: usize, at: Mono) -> Option<ScaleEvent> {
        self.ports.get_mut(port)?.instrument.opened(at);
        self.port_out(port, at, Unavailable::Identifying)
    }

    /// Port number `port` is gone.
    pub fn closed(&mut self, port: usize, at: Mono, why: String) -> Option<ScaleEvent> {
        self.ports.get_mut(port)?.instrument.closed(why.clone());
        self.port_out(port, at, Unavailable::Disconnected(why))
    }

    /// Bytes to send now, with the port to send them to.
    pub fn poll_send(&mut self, now: Mono) -> Option<(usize, Vec<u8>)> {
        self.ports
            .iter_mut()
            .enumerate()
            .find_map(|(index, port)| port.instrument.poll_send(now).map(|bytes| (index, bytes)))
    }

    /// When the scale must be looked after even if no byte arrives, and why.
    pub fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        let silence = self.ports.iter().filter_map(Port::silent_from).min().map(|at| (at, "scale silent"));
        let asking = self.ports.iter().filter_map(|p| p.instrument.poll_timeout()).min();
        [silence, asking.map(|at| (at, "ask the instrument"))].into_iter().flatten().min()
    }

    /// Looks after what time alone brings.
    pub fn handle_timeout(&mut self, now: Mono, out: &mut Vec<ScaleEvent>) {
        for index in 0..self.ports.len() {
            if self.ports[index].silent_from().is_some_and(|due| now >= due) {
                out.extend(self.port_out(index, now, Unavailable::Silent));
            }
            let mut events = Vec::new();
            self.ports[index].instrument.handle_timeout(now, |event| events.push(event));
            self.take_events(index, now, events, out);
        }
    }

    /// Takes, at `now`, bytes that arrived at port number `port` at `at`.
    pub fn push(&mut self, port: usize, now: Mono, at: Mono, bytes: &[u8], out: &mut Vec<ScaleEvent>) {
        let Some(here) = self.ports.get_mut(port) else { return };
        let mut events = Vec::new();
        here.instrument.push(at, bytes, |event| events.push(event));
        self.take_events(port, now, events, out);
    }

    fn take_events(&mut self, port: usize, now: Mono, events: Vec<InstrumentEvent>, out: &mut Vec<ScaleEvent>) {
        for event in events {
            match event {
                InstrumentEvent::Sample { at, masses_g, stable } => {
                    self.take_sample(port, now, at, masses_g, stable, out);
                }
                InstrumentEvent::Out(why) => out.extend(self.port_out(port, now, why)),
                InstrumentEvent::Moving { at } => {
                    self.port_sound(port, at);
                    self.moving(now, at, out);
                }
                InstrumentEvent::BelowMinimum { at, minimum_g } => {
                    self.port_sound(port, at);
                    self.below_minimum(now, at, minimum_g, out);
                }
                InstrumentEvent::Identified => self.sound_since = None,
                // Only an empty plate has the zero that a scale takes when it starts.
                InstrumentEvent::ZeroUnknown => self.zero_lost = !self.was_empty,
            }
        }
    }

    fn take_sample(
        &mut self,
        port: usize,
        now: Mono,
        at: Mono,
        masses_g: Vec<f64>,
        stable: Option<bool>,
        out: &mut Vec<ScaleEvent>,
    ) {
        // What queued up while the daemon was busy is history, not the present: data may become older, never fresher.
        if now.ms_since(at) > self.ports[port].silence_ms {
            out.extend(self.port_out(port, now, Unavailable::Silent));
            return;
        }
        self.port_sound(port, at);
        let mut joined = Vec::new();
        self.align.push(port, at, masses_g, stable, |sample| joined.push(sample));
        for sample in joined {
            let reading = self.platform.fuse(sample.at, &sample.masses_g);
            self.take_reading(now, reading, sample.stable, out);
        }
    }

    fn port_sound(&mut self, port: usize, at: Mono) {
        let here = &mut self.ports[port];
        let gap = here.last_sample.is_some_and(|last| at.ms_since(last) > here.silence_ms);
        here.last_sample = Some(at);
        here.fault = None;
        if gap {
            self.start_over(at);
        }
    }

    fn take_reading(&mut self, now: Mono, raw: Reading, stable: Option<bool>, out: &mut Vec<ScaleEvent>) {
        let reading = Reading { mass_g: raw.mass_g - self.zero.shift_g(), ..raw };
        self.last_reading = Some(reading);
        self.health.push(&reading);
        self.look_for_zero(&reading, stable);
        if !self.is_trusted(now, reading.at, out) {
            return;
        }
        let event = match &mut self.rest {
            Rest::Fitted(settle) => settle.push(reading),
            Rest::Declared(declared) => declared.push(reading, stable),
        };
        if event.is_none() {
            self.follow_zero(&reading, out);
        }
        self.rest_changed(now, event, out);
    }

    /// Whether there is no reason to doubt what comes; tells when a reason begins and when the last one has been gone for a while.
    fn is_trusted(&mut self, now: Mono, at: Mono, out: &mut Vec<ScaleEvent>) -> bool {
        if let Some(outage) = self.why_out() {
            out.extend(self.tell_outage(now, outage));
            return false;
        }
        if self.outage.is_some() {
            let since = *self.sound_since.get_or_insert(at);
            if at.ms_since(since) < TRUST_AGAIN_MS {
                return false;
            }
            self.outage = None;
            self.start_over(at);
            self.unsteady_since = Some(at);
            out.push(ScaleEvent::Back);
        }
        true
    }

    /// A scale that started anew under a load is believed again when its plate has shown zero, or that load, for a while.
    fn look_for_zero(&mut self, reading: &Reading, stable: Option<bool>) {
        // What it weighed before, it weighs again: it has kept its zero, or was never away (an answer that came late).
        let kept = self.last_load_g.is_some_and(|g| (reading.mass_g - g).abs() <= 1.5 * self.config.division_g);
        let at_zero = stable != Some(false) && (kept || reading.mass_g.abs() <= 1.5 * self.config.division_g);
        if !self.zero_lost || !at_zero {
            self.zero_seen_since = None;
        } else if reading.at.ms_since(*self.zero_seen_since.get_or_insert(reading.at)) >= ZERO_SEEN_MS {
            self.zero_lost = false;
        }
    }

    fn rest_changed(&mut self, now: Mono, event: Option<SettleEvent>, out: &mut Vec<ScaleEvent>) {
        match event {
            Some(SettleEvent::Disturbed { at }) => self.disturbed(at, out),
            Some(SettleEvent::Settled(load)) => self.settled(now, load, out),
            None => {}
        }
    }

    fn moving(&mut self, now: Mono, at: Mono, out: &mut Vec<ScaleEvent>) {
        if self.is_trusted(now, at, out)
            && let Rest::Declared(declared) = &mut self.rest
        {
            let event = declared.moving(at);
            self.rest_changed(now, event, out);
        }
    }

    fn below_minimum(&mut self, now: Mono, at: Mono, minimum_g: f64, out: &mut Vec<ScaleEvent>) {
        // Several scales under one load: what one of them lacks is not known, so that the load is not either.
        if self.ports.len() > 1 {
            return self.moving(now, at, out);
        }
        if self.is_trusted(now, at, out)
            && let Rest::Declared(declared) = &mut self.rest
        {
            let event = declared.below_minimum(at, minimum_g);
            self.rest_changed(now, event, out);
        }
    }

    fn disturbed(&mut self, at: Mono, out: &mut Vec<ScaleEvent>) {
        self.zero.waits();
        self.was_empty = false;
        self.unsteady_since = Some(at);
        out.push(ScaleEvent::Disturbed { at });
    }

    fn settled(&mut self, now: Mono, load: Load, out: &mut Vec<ScaleEvent>) {
        let load = self.with_share(load);
        self.unsteady_since = None;
        if self.health.stands_beside(&load) {
            out.extend(self.tell_outage(now, Outage { instrument: None, why: Unavailable::OffCentre }));
            return;
        }
        self.was_empty = self.is_empty(load.mass);
        self.last_load_g = Some(load.mass.g());
        if !self.was_empty {
            self.zero.loaded();
        }
        out.push(ScaleEvent::Settled(load));
        out.extend(self.steps.push(load).map(ScaleEvent::Step));
    }

    fn with_share(&self, load: Load) -> Load {
        let sigma_g = load.sigma.g().hypot(self.config.sigma_share * load.mass.g());
        Load { sigma: Mass::from_g_saturating(sigma_g), ..load }
    }

    fn follow_zero(&mut self, reading: &Reading, out: &mut Vec<ScaleEvent>) {
        let (load, quiet) = match &self.rest {
            Rest::Fitted(settle) => (settle.load(), settle.is_quiet()),
            Rest::Declared(declared) => (declared.load(), true),
        };
        let Some(load) = load.filter(|_| quiet) else { return self.zero.waits() };
        if !self.is_empty(load.mass) {
            return self.zero.loaded();
        }
        let event = self.zero.empty(reading.at, reading.mass_g, self.zero_may_move);
        if matches!(event, Some(ZeroEvent::Taken { .. })) {
            // The load that was told for the empty plate is off by what zero has moved.
            self.start_over(reading.at);
        }
        out.extend(event.map(ScaleEvent::Zero));
    }

    /// The first reason of all why there is no weight.
    fn why_out(&self) -> Option<Outage> {
        let port = self
            .ports
            .iter()
            .find_map(|port| port.fault.clone().map(|why| Outage { instrument: Some(port.name.clone()), why }));
        let whole = || self.health.fault().or(self.zero_lost.then_some(Unavailable::ZeroLost));
        port.or_else(|| whole().map(|why| Outage { instrument: None, why }))
    }

    fn port_out(&mut self, port: usize, at: Mono, why: Unavailable) -> Option<ScaleEvent> {
        let here = &mut self.ports[port];
        here.fault = Some(why);
        // What it said before says nothing about when it will be silent again.
        here.last_sample = None;
        self.align.reset();
        self.health.reset();
        let outage = self.why_out()?;
        self.tell_outage(at, outage)
    }

    fn tell_outage(&mut self, at: Mono, outage: Outage) -> Option<ScaleEvent> {
        self.sound_since = None;
        if self.outage.as_ref() == Some(&outage) {
            return None;
        }
        self.start_over(at);
        self.outage = Some(outage.clone());
        Some(ScaleEvent::Lost(outage))
    }

    /// Nothing that was known to rest is known any more.
    fn start_over(&mut self, at: Mono) {
        match &mut self.rest {
            Rest::Fitted(settle) => settle.reset(at),
            Rest::Declared(declared) => declared.reset(),
        }
        self.steps.forget();
        self.zero.waits();
        self.unsteady_since = None;
    }
}

impl Port {
    fn silent_from(&self) -> Option<Mono> {
        self.last_sample.filter(|_| self.fault.is_none()).map(|at| at.plus_ms(self.silence_ms))
    }
}
