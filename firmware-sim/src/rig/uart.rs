//! What a receiver makes of characters sent with other settings than its own: bits on a line, sampled at its own speed.

use crate::hw::{LineFormat, Parity};

/// One character as a receiver has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Its data bits.
    pub byte: u8,
    /// Whether parity and stop bit were right.
    pub sound: bool,
}

impl Heard {
    /// What a Linux tty hands to a program: a character with a wrong parity or stop bit reads as NUL where parity is
    /// checked (INPCK without IGNPAR and PARMRK, termios(3)), else as it is.
    pub fn as_read(self, host: &LineFormat) -> u8 {
        if self.sound || host.parity == Parity::None { self.byte } else { 0 }
    }
}

fn parity_bit(byte: u8, parity: Parity) -> Option<bool> {
    let odd_ones = byte.count_ones() % 2 == 1;
    match parity {
        Parity::None => None,
        Parity::Even => Some(odd_ones),
        Parity::Odd => Some(!odd_ones),
    }
}

/// The levels of a burst without gaps, one a bit of the sender; the line rests high.
fn levels(bytes: &[u8], sender: &LineFormat) -> Vec<bool> {
    let mut levels = Vec::with_capacity(bytes.len() * sender.bits_a_byte() as usize);
    for byte in bytes {
        let byte = byte & sender.data_mask();
        levels.push(false);
        levels.extend((0..sender.data_bits).map(|bit| byte >> bit & 1 == 1));
        levels.extend(parity_bit(byte, sender.parity));
        levels.extend((0..sender.stop_bits).map(|_| true));
    }
    levels
}

/// What `receiver` hears of a burst that `sender` sends.
pub fn hear(bytes: &[u8], sender: &LineFormat, receiver: &LineFormat) -> Vec<Heard> {
    if sender == receiver {
        return bytes.iter().map(|byte| Heard { byte: byte & sender.data_mask(), sound: true }).collect();
    }
    let levels = levels(bytes, sender);
    // Time counts in bits of the sender.
    let bit = f64::from(sender.baud) / f64::from(receiver.baud.max(1));
    let level = |at: f64| levels.get(at as usize).copied().unwrap_or(true);
    let mut heard = Vec::new();
    let mut from = 0.0;
    while let Some(start) = falling_edge(&levels, from) {
        let sample = |index: u8| level(start + (f64::from(index) + 0.5) * bit);
        if sample(0) {
            // Too short for a start bit: a disturbance.
            from = start + bit;
            continue;
        }
        let byte = (0..receiver.data_bits).filter(|bit| sample(1 + bit)).fold(0, |byte, bit| byte | 1 << bit);
        let parity = parity_bit(byte, receiver.parity);
        let after_data = 1 + receiver.data_bits;
        let parity_right = parity.is_none_or(|expected| sample(after_data) == expected);
        let stop = after_data + u8::from(parity.is_some());
        heard.push(Heard { byte, sound: parity_right && sample(stop) });
        from = start + (f64::from(stop) + 0.5) * bit;
    }
    heard
}

/// The next moment from `from` on at which the line is low.
fn falling_edge(levels: &[bool], from: f64) -> Option<f64> {
    let first = from as usize;
    let low = levels.iter().skip(first).position(|level| !level)?;
    Some(if low == 0 { from } else { (first + low) as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn line(baud: u32, data_bits: u8, parity: Parity) -> LineFormat {
        LineFormat { baud, data_bits, parity, stop_bits: 1 }
    }

    const E71: LineFormat = line(9600, 7, Parity::Even);
    const N81: LineFormat = line(9600, 8, Parity::None);

    fn bytes(heard: &[Heard]) -> Vec<u8> {
        heard.iter().map(|heard| heard.byte).collect()
    }

    #[test]
    fn parity_shows_as_bit_7_where_eight_bits_are_expected() {
        // Vector fault-06 of the shared file: `STX 01.234 CR` sent 7E1, read 8N1.
        let heard = hear(b"\x0201.234\r", &E71, &N81);
        assert_eq!(bytes(&heard), [0x82, 0x30, 0xB1, 0x2E, 0xB2, 0x33, 0xB4, 0x8D]);
        assert!(heard.iter().all(|heard| heard.sound));
    }

    #[test]
    fn eight_bits_read_as_seven_with_parity_are_half_wrong() {
        let heard = hear(b"\x0201.234\r", &N81, &E71);
        // Bit 7 is 0 here and passes for parity where the ones are even: in `0`, `.`, `3` alone.
        let read: Vec<u8> = heard.iter().map(|heard| heard.as_read(&E71)).collect();
        assert_eq!(read, [0, b'0', 0, b'.', 0, b'3', 0, 0]);
    }

    #[test]
    fn another_speed_is_noise() {
        let text = b"S S      1.250 kg\r\n";
        for host_baud in [2400, 4800, 19_200, 115_200] {
            let heard = hear(text, &N81, &line(host_baud, 8, Parity::None));
            assert!(!heard.is_empty(), "something is heard at {host_baud}");
            let read = bytes(&heard);
            assert!(!read.windows(4).any(|four| text.windows(4).any(|sent| sent == four)), "{read:?}");
        }
        // Twice as fast by hand: `U` is 0 10101010 1, each bit heard twice: start 0, then 0 1 1 0 0 1 1 0 and stop 0.
        let heard = hear(b"U", &N81, &line(19_200, 8, Parity::None));
        assert_eq!(heard[0], Heard { byte: 0x66, sound: false });
    }

    #[test]
    fn two_percent_off_does_no_harm() {
        let heard = hear(b"S S      1.250 kg\r\n", &N81, &line(9792, 8, Parity::None));
        assert_eq!(bytes(&heard), b"S S      1.250 kg\r\n");
    }

    proptest! {
        #[test]
        fn any_bytes_at_any_speeds_end(sent in proptest::collection::vec(any::<u8>(), 0..40), speed in 1200u32..500_000) {
            let heard = hear(&sent, &N81, &line(speed, 7, Parity::Odd));
            let most = 2 + sent.len() * 10 * speed as usize / 9600;
            prop_assert!(heard.len() <= most);
            prop_assert!(heard.iter().all(|heard| heard.byte < 0x80));
        }
    }
}
