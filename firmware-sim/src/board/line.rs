//! The serial line between board and host: bytes take time.

use std::collections::VecDeque;

/// Start bit, eight data bits, stop bit.
const BITS_A_BYTE: u64 = 10;

/// A board's transmit buffer holds so much line time; what comes on top is lost, as on a slow line.
const BUFFER_US: u64 = 200_000;

/// One direction of a serial line at its speed. A pty is instant, so the shell writes a frame only when its last bit would
/// have gone over a real line.
#[derive(Debug, Clone)]
pub struct Line {
    baud: u64,
    free_at_us: u64,
    under_way: VecDeque<(u64, Vec<u8>)>,
}

impl Line {
    /// An idle line of `baud` bits a second.
    pub fn new(baud: u32) -> Self {
        Self { baud: u64::from(baud.max(1)), free_at_us: 0, under_way: VecDeque::new() }
    }

    /// How long so many bytes take.
    pub fn duration_us(&self, bytes: usize) -> u64 {
        (bytes as u64 * BITS_A_BYTE * 1_000_000).div_ceil(self.baud)
    }

    /// Hands bytes to the line at `now_us`; they are dropped when the transmit buffer is full.
    pub fn push(&mut self, now_us: u64, bytes: Vec<u8>) {
        let start_us = self.free_at_us.max(now_us);
        if start_us - now_us > BUFFER_US {
            return;
        }
        self.free_at_us = start_us + self.duration_us(bytes.len());
        self.under_way.push_back((self.free_at_us, bytes));
    }

    /// The bytes that have arrived by `now_us`.
    pub fn arrived(&mut self, now_us: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some((_, frame)) = self.under_way.pop_front_if(|(at_us, _)| *at_us <= now_us) {
            bytes.extend(frame);
        }
        bytes
    }

    /// When the next bytes arrive; `None` while the line is idle.
    pub fn next_us(&self) -> Option<u64> {
        self.under_way.front().map(|(at_us, _)| *at_us)
    }

    /// Loses what is under way.
    pub fn clear(&mut self) {
        self.under_way.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_takes_ten_bits_a_byte() {
        let mut line = Line::new(115_200);
        line.push(1000, vec![7; 38]);
        // 38 bytes at 115200 baud take 3.3 ms (WEIGHING 1.4); behind them the next frame waits.
        assert_eq!(line.next_us(), Some(1000 + 3299));
        line.push(1000, vec![8; 38]);
        assert_eq!(line.arrived(4298), Vec::<u8>::new());
        assert_eq!(line.arrived(4299), vec![7; 38]);
        assert_eq!(line.arrived(1000 + 2 * 3299), vec![8; 38]);
    }

    #[test]
    fn a_slow_line_loses_what_does_not_fit() {
        let mut line = Line::new(1200);
        for _ in 0..100 {
            line.push(0, vec![1; 38]);
        }
        let sent = line.arrived(u64::MAX).len();
        assert!(sent < 38 * 5, "200 ms of buffer hold no {sent} bytes at 1200 baud");
    }
}
