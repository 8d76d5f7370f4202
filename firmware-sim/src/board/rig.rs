//! The world and its boards, advanced together so that every conversion sees the world of its own moment, however late the
//! process wakes up.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Firmware, Line};
use crate::hw::Hardware;
use crate::world::World;

/// A board's clock runs up to so many parts per million fast or slow.
const CLOCK_PPM: f64 = 300.0;

/// The seed's stream for clocks.
const CLOCK_STREAM: u64 = 1 << 33;

/// A world with its load-cell boards on their serial lines. Sans-IO; time is world time in microseconds.
#[derive(Debug, Clone)]
pub struct Rig {
    world: World,
    boards: Vec<Board>,
}

#[derive(Debug, Clone)]
struct Board {
    firmware: Firmware,
    line: Line,
    plugged: bool,
}

impl Rig {
    /// An empty plate, all boards booting at time 0.
    pub fn new(hardware: &Hardware, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(CLOCK_STREAM);
        let boards = hardware.boards.iter().map(|board| Board {
            firmware: Firmware::boot(board, rng.random_range(-CLOCK_PPM..CLOCK_PPM), 0),
            line: Line::new(board.baud),
            plugged: true,
        });
        Self { world: World::new(hardware, seed), boards: boards.collect() }
    }

    /// The world as it is at the time reached.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to do something to it at the time reached.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Lets time pass; the boards sample on their way.
    pub fn advance_to(&mut self, t_us: u64) {
        loop {
            let next = self.boards.iter().enumerate().filter(|(_, board)| board.plugged);
            let next = next.map(|(index, board)| (board.firmware.next_sample_us(), index)).min();
            let Some((at_us, index)) = next.filter(|(at_us, _)| *at_us <= t_us) else {
                break;
            };
            self.world.advance_to(at_us);
            let counts = self.world.counts(index);
            let board = &mut self.boards[index];
            board.firmware.sample(&counts);
            board.flush(at_us);
        }
        self.world.advance_to(t_us);
    }

    /// Bytes from the host to board number `board`, at the time reached.
    pub fn receive(&mut self, board: usize, bytes: &[u8]) {
        let now_us = self.world.now_us();
        if let Some(board) = self.boards.get_mut(board).filter(|board| board.plugged) {
            board.firmware.receive(now_us, bytes);
            board.flush(now_us);
        }
    }

    /// Bytes from board number `board` that have come over its line by the time reached.
    pub fn take_bytes(&mut self, board: usize) -> Vec<u8> {
        let now_us = self.world.now_us();
        self.boards.get_mut(board).map(|board| board.line.arrived(now_us)).unwrap_or_default()
    }

    /// When the next bytes come over board number `board`'s line, give or take a stop of its stream; `None` while it is
    /// unplugged.
    pub fn next_bytes_us(&self, board: usize) -> Option<u64> {
        let board = self.boards.get(board).filter(|board| board.plugged)?;
        let sample_us = board.firmware.next_sample_us() + board.line.duration_us(board.firmware.sample_wire_bytes());
        Some(board.line.next_us().unwrap_or(sample_us))
    }

    /// Whether board number `board` is plugged in.
    pub fn plugged(&self, board: usize) -> bool {
        self.boards.get(board).is_some_and(|board| board.plugged)
    }

    /// Pulls a board's cable: it goes dark, what is under way is lost.
    pub fn unplug(&mut self, board: usize) {
        if let Some(board) = self.boards.get_mut(board) {
            board.plugged = false;
            board.line.clear();
        }
    }

    /// Puts a board's cable back: it has its power from there, so it boots.
    pub fn replug(&mut self, board: usize) {
        let now_us = self.world.now_us();
        if let Some(board) = self.boards.get_mut(board).filter(|board| !board.plugged) {
            board.plugged = true;
            board.firmware.reboot(now_us);
            board.flush(now_us);
        }
    }
}

impl Board {
    fn flush(&mut self, now_us: u64) {
        for frame in self.firmware.take_output() {
            self.line.push(now_us, frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::wire::Deframer;
    use crate::hw;

    fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
        Deframer::default().push(bytes)
    }

    #[test]
    fn the_stream_is_the_same_however_late_it_is_fetched() {
        let run = |step_us: usize| {
            let mut rig = Rig::new(&hw::tests::plate(), 9);
            let mut bytes = Vec::new();
            for t_us in (0..=1_000_000).step_by(step_us) {
                rig.advance_to(t_us);
                bytes.extend(rig.take_bytes(0));
            }
            bytes
        };
        assert_eq!(run(1_000), run(250_000));
        assert_eq!(frames(&run(1_000)).iter().filter(|frame| frame[1] == 1).count(), 79);
    }

    #[test]
    fn a_cable_pulled_and_put_back() {
        let mut rig = Rig::new(&hw::tests::plate(), 9);
        rig.advance_to(500_000);
        rig.take_bytes(0);
        rig.unplug(0);
        rig.advance_to(2_000_000);
        assert!(rig.take_bytes(0).is_empty());
        assert_eq!(rig.next_bytes_us(0), None);
        rig.replug(0);
        rig.advance_to(2_200_000);
        let frames = frames(&rig.take_bytes(0));
        assert_eq!(frames[0][..8], [1, 2, 0, 0, 0, 0, 0, 0], "the boot info comes first");
        assert_eq!(frames.len(), 1 + 15);
        assert!(frames[1..].iter().all(|frame| frame[9] & 0x80 != 0));
    }
}
