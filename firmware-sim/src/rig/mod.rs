//! The world and the devices on its serial ports, advanced together so that every conversion sees the world of its own
//! moment, however late the process wakes up; and what goes wrong with them, seeded, from a stated time to a stated time.

mod device;
mod fault;
mod line;
mod port;
mod spoil;
mod uart;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::board::Firmware;
use crate::hw::{Cell, Hardware, LineFormat};
use crate::indicator::Indicator;
use crate::world::{World, footings};
pub use device::Device;
pub use fault::{Fault, Planted};
pub use line::Line;
use port::Parts;
pub use port::Port;
pub use uart::{Heard, hear};

/// A device's clock runs up to so many parts per million fast or slow.
const CLOCK_PPM: f64 = 300.0;

/// The seed's stream for clocks.
const CLOCK_STREAM: u64 = 1 << 33;

/// A world with the devices on its serial ports: boards in the station file's order, then indicators. Sans-IO; time is
/// world time in microseconds.
#[derive(Debug, Clone)]
pub struct Rig {
    world: World,
    ports: Vec<Port>,
}

impl Rig {
    /// Empty plates, all devices switched on at time 0.
    pub fn new(hardware: &Hardware, seed: u64) -> Self {
        let mut clocks = ChaCha8Rng::seed_from_u64(seed);
        clocks.set_stream(CLOCK_STREAM);
        let cells: Vec<Vec<Cell>> = footings(hardware).into_iter().map(|footing| footing.cells).collect();
        let boards = hardware.boards.iter().zip(&cells).map(|(board, cells)| {
            let clock_ppm = clocks.random_range(-CLOCK_PPM..CLOCK_PPM);
            Parts {
                name: board.name.clone(),
                path: board.path.clone(),
                format: board.line(),
                device: Device::Board(Box::new(Firmware::boot(board, clock_ppm, 0))),
                cells: cells.clone(),
                serial_number: board.serial_number.clone(),
                clock_ppm,
            }
        });
        let mut parts: Vec<Parts> = boards.collect();
        for (indicator, cells) in hardware.indicators.iter().zip(&cells[parts.len()..]) {
            let clock_ppm = clocks.random_range(-CLOCK_PPM..CLOCK_PPM);
            let scale = Indicator::switch_on(indicator, cells, &hardware.simulator.dialect, clock_ppm, 0);
            parts.push(Parts {
                name: indicator.name.clone(),
                path: indicator.path.clone(),
                format: indicator.line(),
                device: Device::Scale(Box::new(scale)),
                cells: cells.clone(),
                serial_number: indicator.serial_number.clone().unwrap_or_default(),
                clock_ppm,
            });
        }
        let port = |(index, parts)| Port::new(parts, index, seed);
        Self { world: World::new(hardware, seed), ports: parts.into_iter().enumerate().map(port).collect() }
    }

    /// The world as it is at the time reached.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to do something to it at the time reached.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// All ports: boards in the station file's order, then indicators. A port's number is its place here.
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }

    /// The number of the port of that name in the station file.
    pub fn port_named(&self, name: &str) -> Option<usize> {
        self.ports.iter().position(|port| port.name == name)
    }

    /// Lets time pass; the devices convert and faults come and go on their way.
    pub fn advance_to(&mut self, t_us: u64) {
        loop {
            let next = self.ports.iter().enumerate().filter_map(|(index, port)| Some((port.next_us()?, index))).min();
            let Some((at_us, index)) = next.filter(|(at_us, _)| *at_us <= t_us) else {
                break;
            };
            self.world.advance_to(at_us);
            self.step(index);
        }
        self.world.advance_to(t_us);
    }

    fn step(&mut self, index: usize) {
        let now_us = self.world.now_us();
        if self.ports[index].turn_faults(now_us) {
            self.press_on_plate(index);
        }
        let port = &mut self.ports[index];
        port.litter(now_us);
        if port.converts_at(now_us) {
            let counts = self.world.counts(index);
            port.convert(now_us, counts);
        }
    }

    /// Tells the world what is wrong at the plate under a port.
    fn press_on_plate(&mut self, index: usize) {
        let plate = self.world.plate(index);
        let under = (0..self.ports.len()).filter(|port| self.world.plate(*port) == plate);
        let mischief = under.flat_map(|port| self.ports[port].begun()).filter_map(Fault::mischief).collect();
        self.world.set_mischief(index, mischief);
    }

    /// Bytes from the host to port number `port`, at the time reached.
    pub fn receive(&mut self, port: usize, bytes: &[u8]) {
        let now_us = self.world.now_us();
        if let Some(port) = self.ports.get_mut(port) {
            port.receive(now_us, bytes);
        }
    }

    /// Bytes from port number `port` that have come over its line by the time reached.
    pub fn take_bytes(&mut self, port: usize) -> Vec<u8> {
        let now_us = self.world.now_us();
        self.ports.get_mut(port).map(|port| port.take_bytes(now_us)).unwrap_or_default()
    }

    /// When the next bytes may come over port number `port`'s line; `None` while it is unplugged.
    pub fn next_bytes_us(&self, port: usize) -> Option<u64> {
        self.ports.get(port)?.next_bytes_us()
    }

    /// With what settings the host has opened port number `port`; the device's own until this is called.
    pub fn set_host_line(&mut self, port: usize, host: LineFormat) {
        if let Some(port) = self.ports.get_mut(port) {
            port.set_host(host);
        }
    }

    /// Whether port number `port` is plugged in.
    pub fn plugged(&self, port: usize) -> bool {
        self.ports.get(port).is_some_and(Port::plugged)
    }

    /// Pulls a port's cable: what is under way is lost. A board goes dark; a finished scale goes on for itself.
    pub fn unplug(&mut self, port: usize) {
        if let Some(port) = self.ports.get_mut(port) {
            port.unplug();
        }
    }

    /// Puts a port's cable back: a board has its power from there, so it boots.
    pub fn replug(&mut self, port: usize) {
        let now_us = self.world.now_us();
        if let Some(port) = self.ports.get_mut(port) {
            port.replug(now_us);
        }
    }

    /// Plants a fault at port number `port` from world time `from_us` (not before now) to `until_us`; without an end it
    /// stays until [`Rig::mend`]. Faults on one port add up. It takes hold when time next passes.
    ///
    /// # Errors
    /// What is impossible about it.
    pub fn plant(
        &mut self,
        port: usize,
        fault: Fault,
        from_us: u64,
        until_us: Option<u64>,
    ) -> Result<(), &'static str> {
        let now_us = self.world.now_us();
        let port = self.ports.get_mut(port).ok_or("there is no such port")?;
        fault.check(port.channels())?;
        port.faults.push(Planted::new(fault, from_us.max(now_us), until_us));
        Ok(())
    }

    /// Ends all faults of port number `port` now and forgets those to come.
    pub fn mend(&mut self, port: usize) {
        let now_us = self.world.now_us();
        if port < self.ports.len() {
            self.ports[port].mend(now_us);
            self.press_on_plate(port);
        }
    }
}

#[cfg(test)]
mod tests;
