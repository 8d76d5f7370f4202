//! The serial line between device and host: bytes take time.

use std::collections::VecDeque;

use crate::hw::LineFormat;

/// A device's transmit buffer holds so much line time; what comes on top is lost, as on a slow line.
const BUFFER_US: u64 = 200_000;

/// One direction of a serial line at its speed. A pty is instant, so the shell writes a frame only when its last bit would
/// have gone over a real line.
#[derive(Debug, Clone)]
pub struct Line {
    format: LineFormat,
    free_at_us: u64,
    under_way: VecDeque<(u64, Vec<u8>)>,
}

impl Line {
    /// An idle line.
    pub fn new(format: LineFormat) -> Self {
        Self { format, free_at_us: 0, under_way: VecDeque::new() }
    }

    /// How long so many bytes take.
    pub fn duration_us(&self, bytes: usize) -> u64 {
        (bytes as u64 * self.format.bits_a_byte() * 1_000_000).div_ceil(u64::from(self.format.baud.max(1)))
    }

    /// Sends bytes at `now_us` behind what is on the line already; gives when their last bit arrives, `None` when the
    /// transmit buffer is full and they are dropped.
    pub fn send(&mut self, now_us: u64, bytes: usize) -> Option<u64> {
        let start_us = self.free_at_us.max(now_us);
        if start_us - now_us > BUFFER_US {
            return None;
        }
        self.free_at_us = start_us + self.duration_us(bytes);
        Some(self.free_at_us)
    }

    /// Bytes come out of the line at `at_us`, never ahead of what went before.
    pub fn deliver(&mut self, at_us: u64, bytes: Vec<u8>) {
        let at_us = self.under_way.back().map_or(at_us, |(last_us, _)| at_us.max(*last_us));
        self.under_way.push_back((at_us, bytes));
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

    /// Lets what is held back come at `now_us` at the latest.
    pub fn release(&mut self, now_us: u64) {
        for (at_us, _) in &mut self.under_way {
            *at_us = (*at_us).min(now_us);
        }
    }

    /// Loses what is under way.
    pub fn clear(&mut self) {
        self.under_way.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::Parity;

    fn line(baud: u32) -> Line {
        Line::new(LineFormat { baud, data_bits: 8, parity: Parity::None, stop_bits: 1 })
    }

    fn push(line: &mut Line, now_us: u64, bytes: Vec<u8>) {
        if let Some(at_us) = line.send(now_us, bytes.len()) {
            line.deliver(at_us, bytes);
        }
    }

    #[test]
    fn a_frame_takes_ten_bits_a_byte() {
        let mut line = line(115_200);
        push(&mut line, 1000, vec![7; 38]);
        // 38 bytes at 115200 baud take 3.3 ms (WEIGHING 1.4); behind them the next frame waits.
        assert_eq!(line.next_us(), Some(1000 + 3299));
        push(&mut line, 1000, vec![8; 38]);
        assert_eq!(line.arrived(4298), Vec::<u8>::new());
        assert_eq!(line.arrived(4299), vec![7; 38]);
        assert_eq!(line.arrived(1000 + 2 * 3299), vec![8; 38]);
    }

    #[test]
    fn a_slow_line_loses_what_does_not_fit() {
        let mut line = line(1200);
        for _ in 0..100 {
            push(&mut line, 0, vec![1; 38]);
        }
        let sent = line.arrived(u64::MAX).len();
        assert!(sent < 38 * 5, "200 ms of buffer hold no {sent} bytes at 1200 baud");
    }

    #[test]
    fn eighteen_characters_at_9600_take_18_8_ms() {
        // WEIGHING 5.
        assert_eq!(line(9600).duration_us(18), 18_750);
    }
}
