//! CAS AP-1 and its kin (ER, SW-II): `ENQ` → `ACK` → `DC1` → one frame of 15 bytes.
//!
//! `SOH STX status sign weight(6) unit(2) BCC ETX EOT`; status `S` at rest or `U`; sign space, `-`, or `F` for overload (the
//! digits then mean nothing and may be zeros); BCC is the XOR of status to unit. Format 2, with prices, is not asked for.
//! Source: the interface description in the service manual of the Ohaus Aviator 7000, page 36; CAS SW-II manual, page 15.

use super::text::{weigh, weigh_bare};
use super::window::Window;
use super::{Decimal, ErrorKind, Event, MassUnit, Reason, WeightKind, WireOptions};

const SOH: u8 = 0x01;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const DC1: u8 = 0x11;
const NAK: u8 = 0x15;
const FRAME: usize = 15;

/// Asks whether the scale is there; it answers `ACK`.
pub fn request_attention() -> Vec<u8> {
    vec![ENQ]
}

/// After `ACK`: asks for the weight.
pub fn request_weight() -> Vec<u8> {
    vec![DC1]
}

/// Takes replies out of a stream of bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    unit: Option<MassUnit>,
    window: Window<FRAME>,
    /// Set while a run of bytes that belong to nothing has been told.
    noisy: bool,
}

impl Decoder {
    /// With the unit that a station file says, if it says one.
    pub fn new(options: &WireOptions) -> Self {
        Self { unit: options.unit, window: Window::new(), noisy: false }
    }

    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            self.window.take(byte);
            self.judge(out);
        }
    }

    /// The line has been quiet for longer than a frame may pause: what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        if !self.window.is_empty() {
            out(Event::Error { kind: ErrorKind::Partial });
        }
        self.window.clear();
        self.noisy = false;
    }

    fn judge(&mut self, out: &mut dyn FnMut(Event)) {
        while let [first, rest @ ..] = self.window.held() {
            match (*first, rest) {
                (ACK, _) => self.told(Event::Ack, 1, out),
                (NAK, _) => self.told(Event::Nak, 1, out),
                (SOH, []) => return,
                (SOH, [STX, ..]) => {
                    if !self.window.is_full() {
                        return;
                    }
                    self.close(out);
                }
                (byte, _) => self.noise(byte, out),
            }
        }
    }

    fn told(&mut self, event: Event, bytes: usize, out: &mut dyn FnMut(Event)) {
        self.window.forget(bytes);
        self.noisy = false;
        out(event);
    }

    fn noise(&mut self, byte: u8, out: &mut dyn FnMut(Event)) {
        if !self.noisy {
            let kind = if byte > 0x7f { ErrorKind::Parity } else { ErrorKind::Framing };
            out(Event::Error { kind });
        }
        self.noisy = true;
        self.window.forget(1);
    }

    /// A full window that begins like a frame.
    fn close(&mut self, out: &mut dyn FnMut(Event)) {
        let frame = self.window.held();
        let bcc = frame[2..12].iter().fold(0, |x, b| x ^ b);
        let kind = if frame.iter().any(|b| *b > 0x7f) {
            Some(ErrorKind::Parity)
        } else if bcc != frame[12] {
            Some(ErrorKind::Checksum)
        } else if frame[13..] != [ETX, EOT] {
            Some(ErrorKind::Framing)
        } else {
            None
        };
        let Some(kind) = kind else {
            let event = read(frame, self.unit).unwrap_or(Event::Error { kind: ErrorKind::Syntax });
            self.told(event, FRAME, out);
            return;
        };
        // If a byte was lost, the next frame has begun in here. An ACK or NAK in here is a damaged frame's BCC.
        let next = frame.iter().skip(1).position(|b| *b == SOH).map_or(FRAME, |at| at + 1);
        self.told(Event::Error { kind }, next, out);
        self.noisy = true;
    }
}

/// Reads a frame whose check fits.
fn read(frame: &[u8], unit: Option<MassUnit>) -> Option<Event> {
    let stable = match frame[2] {
        b'S' => true,
        b'U' => false,
        _ => return None,
    };
    let sign = match frame[3] {
        b' ' | b'+' => 1,
        b'-' => -1,
        b'F' => return Some(Event::Unavailable { reason: Reason::Overload }),
        _ => return None,
    };
    let digits = std::str::from_utf8(&frame[4..10]).ok().filter(|d| !d.contains(['+', '-']))?;
    let Decimal { mantissa, decimals } = Decimal::parse(digits)?;
    let number = Decimal { mantissa: sign * mantissa, decimals };
    let named = std::str::from_utf8(&frame[10..12]).ok()?.trim_matches(' ');
    Some(match named {
        "" => weigh_bare(number, unit, Some(stable), WeightKind::Gross),
        named => weigh(number, named, unit, Some(stable), WeightKind::Gross),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{each_split, hex};
    use super::*;
    use crate::units::Mass;

    fn decode(bytes: &[u8]) -> Vec<Event> {
        let options = WireOptions::default();
        each_split(bytes, || Decoder::new(&options), Decoder::push, Decoder::pause)
    }

    fn frame(status: &str) -> Vec<u8> {
        let bcc = status.bytes().fold(0, |x, b| x ^ b);
        [&[SOH, STX], status.as_bytes(), &[bcc, ETX, EOT]].concat()
    }

    fn weight(mg: i64, stable: bool) -> Event {
        Event::Weight { mass: Mass::from_mg(mg), stable: Some(stable), kind: WeightKind::Gross }
    }

    #[test]
    fn replies_by_the_manual() {
        assert_eq!(decode(&hex("01 02 53 20 30 31 2E 32 33 34 6B 67 65 03 04")), [weight(1_234_000, true)]);
        assert_eq!(decode(&hex("01 02 55 20 30 31 2E 32 33 30 6B 67 67 03 04")), [weight(1_230_000, false)]);
        assert_eq!(decode(&hex("01 02 53 2D 30 30 2E 30 32 30 6B 67 6E 03 04")), [weight(-20_000, true)]);
        assert_eq!(decode(&[ACK, NAK]), [Event::Ack, Event::Nak]);
        assert_eq!(decode(&frame("U   1.25lb")), [weight(566_990, false)], "1.25 lb = 566.990 4625 g");
    }

    #[test]
    fn an_overload_is_never_a_weight_of_zero() {
        assert_eq!(decode(&frame("SF00.000kg")), [Event::Unavailable { reason: Reason::Overload }]);
    }

    #[test]
    fn damage_is_told_and_costs_one_frame_only() {
        let checksum = Event::Error { kind: ErrorKind::Checksum };
        let good = hex("01 02 53 20 30 31 2E 32 33 34 6B 67 65 03 04");
        let mut flipped = good.clone();
        flipped[5] ^= 0x01;
        assert_eq!(decode(&[flipped, good.clone()].concat()), [checksum.clone(), weight(1_234_000, true)]);
        let mut short = good.clone();
        short.remove(6);
        assert_eq!(decode(&[short, good.clone()].concat()), [checksum, weight(1_234_000, true)]);
        let garbage = [&[0xff, 0x13, SOH, 0x00][..], &good].concat();
        assert_eq!(decode(&garbage), [Event::Error { kind: ErrorKind::Parity }, weight(1_234_000, true)]);
        assert_eq!(decode(&good[..9]), [Event::Error { kind: ErrorKind::Partial }]);
    }

    #[test]
    fn sound_frames_that_say_nonsense_are_syntax() {
        for status in ["X 01.234kg", "SX01.234kg", "S -1.234kg", "S 01.2.4kg", "S       kg"] {
            assert_eq!(decode(&frame(status)), [Event::Error { kind: ErrorKind::Syntax }], "{status}");
        }
    }

    #[test]
    fn a_number_without_unit_is_no_weight() {
        let number =
            Event::Number { value: "1.234".to_owned(), unit: None, stable: Some(true), kind: WeightKind::Gross };
        assert_eq!(decode(&frame("S 01.234  ")), [number]);
    }
}
