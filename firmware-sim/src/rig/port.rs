//! One serial port: the device behind it, its line, what is wrong with them.

use std::path::PathBuf;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::device::Device;
use super::fault::{Fault, Planted};
use super::line::Line;
use super::spoil::spoil;
use super::uart::{Heard, hear};
use crate::hw::{Cell, LineFormat};

/// The seed's streams for what faults draw: one a port from here on.
const FAULT_STREAM: u64 = 1 << 36;

/// Garbage comes in lumps this far apart.
const GARBAGE_US: u64 = 10_000;

/// A serial port with its device, in world time (microseconds).
#[derive(Debug, Clone)]
pub struct Port {
    /// Name in the station file.
    pub name: String,
    /// Where the station file publishes it.
    pub path: PathBuf,
    /// The device's settings.
    pub format: LineFormat,
    pub(super) device: Device,
    pub(super) plugged: bool,
    pub(super) faults: Vec<Planted>,
    cells: Vec<Cell>,
    serial_number: String,
    clock_ppm: f64,
    host: LineFormat,
    line: Line,
    garbage_us: Option<u64>,
    last_conversion_us: u64,
    rng: ChaCha8Rng,
}

/// What a port is made of.
pub(super) struct Parts {
    pub name: String,
    pub path: PathBuf,
    pub format: LineFormat,
    pub device: Device,
    pub cells: Vec<Cell>,
    pub serial_number: String,
    pub clock_ppm: f64,
}

impl Port {
    pub(super) fn new(parts: Parts, index: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(FAULT_STREAM + index as u64);
        let Parts { name, path, format, device, cells, serial_number, clock_ppm } = parts;
        Self {
            name,
            path,
            format,
            device,
            plugged: true,
            faults: Vec::new(),
            cells,
            serial_number,
            clock_ppm,
            host: format,
            line: Line::new(format),
            garbage_us: None,
            last_conversion_us: 0,
            rng,
        }
    }

    /// How many cells it reads.
    pub fn channels(&self) -> usize {
        self.cells.len()
    }

    /// Whether the cable is in.
    pub fn plugged(&self) -> bool {
        self.plugged
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What is planted: begun, or still to come.
    pub fn faults(&self) -> &[Planted] {
        &self.faults
    }

    /// Whether the device runs: a board has its power from the cable.
    fn powered(&self) -> bool {
        self.plugged || !self.device.is_fed_by_cable()
    }

    /// The host's settings as they are now.
    fn host(&self) -> LineFormat {
        self.begun().fold(self.host, |host, fault| fault.host_line(host))
    }

    pub(super) fn set_host(&mut self, host: LineFormat) {
        self.host = host;
    }

    pub(super) fn begun(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|planted| planted.begun).map(|planted| &planted.fault)
    }

    /// When something happens here next of itself.
    pub(super) fn next_us(&self) -> Option<u64> {
        let conversion_us = self.powered().then(|| self.device.next_conversion_us());
        let fault_us = self.faults.iter().filter_map(Planted::next_us).min();
        [conversion_us, fault_us, self.garbage_us].into_iter().flatten().min()
    }

    /// When bytes come next, give or take.
    pub(super) fn next_bytes_us(&self) -> Option<u64> {
        let next_us = self.line.next_us().or_else(|| self.next_us());
        next_us.filter(|_| self.plugged)
    }

    /// Begins and ends faults whose time has come; says whether any did.
    pub(super) fn turn_faults(&mut self, now_us: u64) -> bool {
        let mut turned = false;
        while let Some(index) = self.faults.iter().position(|planted| !planted.begun && planted.from_us <= now_us) {
            turned = true;
            self.faults[index].begun = true;
            let fault = self.faults[index].fault.clone();
            self.begin(&fault, now_us);
            if fault.is_over_at_once() {
                self.faults.remove(index);
            }
        }
        let over = |planted: &mut Planted| planted.begun && planted.until_us.is_some_and(|until_us| until_us <= now_us);
        let ended: Vec<Planted> = self.faults.extract_if(.., over).collect();
        for planted in &ended {
            self.end(&planted.fault, now_us);
        }
        turned || !ended.is_empty()
    }

    /// Ends all faults at once and forgets those to come.
    pub(super) fn mend(&mut self, now_us: u64) {
        for planted in std::mem::take(&mut self.faults) {
            if planted.begun {
                self.end(&planted.fault, now_us);
            }
        }
    }

    fn begin(&mut self, fault: &Fault, now_us: u64) {
        if let Fault::Garbage { .. } = fault {
            self.garbage_us = Some(now_us + GARBAGE_US);
        } else if *fault == Fault::Reboot {
            self.reboot(now_us);
        } else if let Fault::ClockJump { ms } = fault {
            self.device.jump_clock(*ms);
        } else if let Fault::ClockDrift { ppm } = fault {
            self.device.set_clock_ppm(now_us, *ppm);
        } else if *fault == Fault::Unplug {
            self.unplug();
        } else if let Fault::OtherDevice { serial_number } = fault {
            self.device.set_serial_number(serial_number);
            self.reboot(now_us);
        }
    }

    fn end(&mut self, fault: &Fault, now_us: u64) {
        if let Fault::Garbage { .. } = fault {
            self.garbage_us = None;
        } else if *fault == Fault::HoldBack {
            self.line.release(now_us);
        } else if let Fault::ClockDrift { .. } = fault {
            self.device.set_clock_ppm(now_us, self.clock_ppm);
        } else if *fault == Fault::Unplug {
            self.replug(now_us);
        } else if let Fault::OtherDevice { .. } = fault {
            self.device.set_serial_number(&self.serial_number);
            self.reboot(now_us);
        }
    }

    fn reboot(&mut self, now_us: u64) {
        self.line.clear();
        self.device.reboot(now_us);
        self.flush(now_us);
    }

    pub(super) fn unplug(&mut self) {
        self.plugged = false;
        self.line.clear();
    }

    pub(super) fn replug(&mut self, now_us: u64) {
        if self.plugged {
            return;
        }
        self.plugged = true;
        if self.device.is_fed_by_cable() {
            self.reboot(now_us);
        }
    }

    /// Whether the device reads its cells at `now_us`.
    pub(super) fn converts_at(&self, now_us: u64) -> bool {
        self.powered() && self.device.next_conversion_us() <= now_us
    }

    /// The device reads its cells.
    pub(super) fn convert(&mut self, now_us: u64, counts: Vec<i32>) {
        let period_s = now_us.saturating_sub(self.last_conversion_us) as f64 * 1e-6;
        self.last_conversion_us = now_us;
        let conversion = spoil(counts, &mut self.faults, &self.cells, period_s, now_us, &mut self.rng);
        self.device.convert(&conversion);
        self.flush(now_us);
    }

    /// Bytes from the host.
    pub(super) fn receive(&mut self, now_us: u64, bytes: &[u8]) {
        if !self.plugged || self.begun().any(|fault| *fault == Fault::Silent) {
            return;
        }
        let mut heard = hear(bytes, &self.host(), &self.format);
        self.disturb(&mut heard);
        self.device.receive(now_us, &heard);
        // The answer cannot begin before the question has come over the line.
        self.flush(now_us + self.line.duration_us(bytes.len()));
    }

    /// Bytes for the host that have arrived.
    pub(super) fn take_bytes(&mut self, now_us: u64) -> Vec<u8> {
        self.line.arrived(now_us)
    }

    /// Random bytes on the line, if they are due.
    pub(super) fn litter(&mut self, now_us: u64) {
        let Some(at_us) = self.garbage_us.filter(|at_us| *at_us <= now_us) else {
            return;
        };
        self.garbage_us = Some(at_us + GARBAGE_US);
        let mut per_s = 0.0;
        for fault in self.begun() {
            if let Fault::Garbage { bytes_per_s } = fault {
                per_s += f64::from(*bytes_per_s);
            }
        }
        let mean = per_s * GARBAGE_US as f64 * 1e-6;
        let count = mean as usize + usize::from(self.rng.random_bool(mean.fract()));
        let bytes = (0..count).map(|_| self.rng.random()).collect();
        if self.plugged {
            self.line.deliver(now_us, bytes);
        }
    }

    /// Sends what the device has to say.
    fn flush(&mut self, now_us: u64) {
        for (delay_us, message) in self.device.take_output() {
            let silent = self.begun().any(|fault| *fault == Fault::Silent);
            if self.plugged && !silent {
                self.send(now_us + delay_us, message);
            }
        }
    }

    fn send(&mut self, now_us: u64, message: Vec<u8>) {
        let message = self.frozen(message);
        let mut again = false;
        for planted in self.faults.iter().filter(|planted| planted.begun) {
            if let Fault::DuplicateFrames { rate } = planted.fault {
                again |= self.rng.random_bool(rate);
            }
        }
        for _ in 0..1 + usize::from(again) {
            let Some(at_us) = self.line.send(now_us, message.len()) else {
                return;
            };
            let host = self.host();
            let mut heard = hear(&message, &self.format, &host);
            self.disturb(&mut heard);
            self.deliver(at_us, heard.iter().map(|heard| heard.as_read(&host)).collect());
        }
    }

    /// The message, or the one that it froze at.
    fn frozen(&mut self, message: Vec<u8>) -> Vec<u8> {
        let freezes = |planted: &&mut Planted| planted.begun && planted.fault == Fault::FreezeFrame;
        match self.faults.iter_mut().find(freezes) {
            Some(planted) if planted.message.is_empty() => {
                planted.message.clone_from(&message);
                message
            }
            Some(planted) => planted.message.clone(),
            None => message,
        }
    }

    /// Loses and turns bits of characters under way.
    fn disturb(&mut self, heard: &mut Vec<Heard>) {
        for planted in self.faults.iter().filter(|planted| planted.begun) {
            if let Fault::LoseBytes { rate } = planted.fault {
                heard.retain(|_| !self.rng.random_bool(rate));
            } else if let Fault::FlipBits { rate } = planted.fault {
                for heard in heard.iter_mut() {
                    if self.rng.random_bool(rate) {
                        heard.byte ^= 1 << self.rng.random_range(0..self.format.data_bits);
                        // One turned bit is what parity notices; without parity nobody does.
                        heard.sound = false;
                    }
                }
            }
        }
    }

    /// Lets characters arrive when line and faults let them.
    fn deliver(&mut self, at_us: u64, mut bytes: Vec<u8>) {
        let (mut at_us, mut tail) = (at_us, None);
        for planted in self.faults.iter().filter(|planted| planted.begun) {
            if let Fault::Late { ms } = planted.fault {
                at_us += ms * 1000;
            } else if let Fault::Join { ms } = planted.fault {
                at_us = at_us.next_multiple_of(ms * 1000);
            } else if planted.fault == Fault::HoldBack {
                at_us = at_us.max(planted.until_us.unwrap_or(u64::MAX));
            } else if let Fault::Split { gap_ms } = planted.fault
                && bytes.len() > 1
            {
                tail = Some((gap_ms * 1000, bytes.split_off(self.rng.random_range(1..bytes.len()))));
            }
        }
        self.line.deliver(at_us, bytes);
        if let Some((gap_us, tail)) = tail {
            self.line.deliver(at_us.saturating_add(gap_us), tail);
        }
    }
}
