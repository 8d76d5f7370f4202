//! Weighing transmitters over Modbus RTU (LAUMAS, Flintec, others by their register map): `address function … CRC-16`.
//!
//! Modbus RTU knows where a frame ends by silence, which USB adapters and pseudo-terminals do not keep. So a reply's
//! length comes from its own byte count, and nothing is believed before its CRC fits; after damage the decoder looks for
//! a frame at every following byte. Source: Modbus over Serial Line 1.02, Modbus Application Protocol 1.1b3.

use super::registers::{REGISTERS_MAX, RegisterMap, WordOrder};
use super::text::weigh_bare;
use super::window::Window;
use super::{Decimal, ErrorKind, Event, MassUnit, Reason, WireOptions};
use crc::{CRC_16_MODBUS, Crc};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);
/// Address, function, byte count, registers, CRC.
const FRAME_MAX: usize = 3 + 2 * REGISTERS_MAX as usize + 2;
const EXCEPTION: u8 = 0x80;
const EXCEPTION_LENGTH: usize = 5;

/// The frame that asks a transmitter for the registers of its map.
pub fn request(map: &RegisterMap, address: u8) -> Vec<u8> {
    let mut frame = vec![address, map.function.code()];
    frame.extend(map.first.to_be_bytes());
    frame.extend(map.count.to_be_bytes());
    frame.extend(CRC.checksum(&frame).to_le_bytes());
    frame
}

/// Takes replies to [`request`] out of a stream of bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    map: RegisterMap,
    address: u8,
    unit: Option<MassUnit>,
    decimals: Option<u8>,
    window: Window<FRAME_MAX>,
    /// Set while a run of bytes that belong to nothing has been told.
    noisy: bool,
}

/// What the bytes at the front of the window are.
enum Front {
    /// Perhaps a frame that is not all here.
    Incomplete,
    /// A frame of so many bytes whose CRC fits.
    Frame(usize),
    /// A frame by its head, but its CRC does not fit.
    Damaged,
    /// No frame of ours.
    Noise,
}

impl Decoder {
    /// A decoder for LAUMAS transmitters, unless the station file has a map of its own.
    pub fn laumas(options: &WireOptions) -> Self {
        Self::with_map(options.registers.clone().unwrap_or_else(RegisterMap::laumas), options)
    }

    /// A decoder for Flintec transmitters, unless the station file has a map of its own.
    pub fn flintec(options: &WireOptions) -> Self {
        Self::with_map(options.registers.clone().unwrap_or_else(RegisterMap::flintec), options)
    }

    /// A decoder for any transmitter. Registers hold digits alone: there are weights only if `options` give unit *and* decimals.
    pub fn with_map(map: RegisterMap, options: &WireOptions) -> Self {
        let &WireOptions { unit, decimals, address, .. } = options;
        Self { map, address: address.unwrap_or(1), unit, decimals, window: Window::new(), noisy: false }
    }

    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            self.window.take(byte);
            self.judge(out);
        }
    }

    /// The line has been quiet for longer than a frame may pause. What looked like the beginning of a longer frame was
    /// none, so that a whole frame may stand behind it.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        if !self.window.is_empty() {
            out(Event::Error { kind: ErrorKind::Partial });
            self.noisy = true;
        }
        while !self.window.is_empty() {
            self.window.forget(1);
            self.judge(out);
        }
        self.noisy = false;
    }

    fn judge(&mut self, out: &mut dyn FnMut(Event)) {
        while !self.window.is_empty() {
            match self.front() {
                Front::Incomplete => return,
                Front::Frame(length) => {
                    self.read(&self.window.held()[..length - 2], out);
                    self.window.forget(length);
                    self.noisy = false;
                }
                Front::Damaged => {
                    out(Event::Error { kind: ErrorKind::Checksum });
                    self.window.forget(1);
                    self.noisy = true;
                }
                Front::Noise => {
                    if !self.noisy {
                        out(Event::Error { kind: ErrorKind::Framing });
                    }
                    self.window.forget(1);
                    self.noisy = true;
                }
            }
        }
    }

    fn front(&self) -> Front {
        let bytes = self.window.held();
        let function = self.map.function.code();
        if bytes[0] != self.address {
            return Front::Noise;
        }
        let (Some(told), Some(third)) = (bytes.get(1), bytes.get(2)) else {
            let ours = bytes.get(1).is_none_or(|told| *told & !EXCEPTION == function);
            return if ours { Front::Incomplete } else { Front::Noise };
        };
        let length = match *told {
            f if f == function && third % 2 == 0 && (2..=2 * REGISTERS_MAX as u8).contains(third) => {
                3 + usize::from(*third) + 2
            }
            f if f == function | EXCEPTION && (1..=11).contains(third) => EXCEPTION_LENGTH,
            _ => return Front::Noise,
        };
        match bytes.get(..length).and_then(<[u8]>::split_last_chunk::<2>) {
            None => Front::Incomplete,
            Some((body, crc)) if CRC.checksum(body) == u16::from_le_bytes(*crc) => Front::Frame(length),
            Some(_) => Front::Damaged,
        }
    }

    /// Reads a frame without its CRC.
    fn read(&self, frame: &[u8], out: &mut dyn FnMut(Event)) {
        match frame {
            [_, function, code] if function & EXCEPTION != 0 => out(exception(*code)),
            // A reply of another length answers a question that we did not ask.
            [_, _, count, data @ ..] if u16::from(*count) == 2 * self.map.count => self.registers(data, out),
            _ => out(Event::Error { kind: ErrorKind::Framing }),
        }
    }

    fn registers(&self, data: &[u8], out: &mut dyn FnMut(Event)) {
        let register = |at: u16| {
            let (pairs, _) = data.as_chunks::<2>();
            pairs.get(usize::from(at)).copied().map(u16::from_be_bytes)
        };
        let Some(status) = register(self.map.status) else {
            return out(Event::Error { kind: ErrorKind::Framing });
        };
        if let Some(fault) = self.map.faults.iter().find(|fault| status & fault.mask == fault.equals) {
            return out(Event::Unavailable { reason: fault.reason });
        }
        let stable = self.map.stable.map(|condition| condition.holds(status));
        for value in self.map.values.iter().filter(|v| v.only.is_none_or(|condition| condition.holds(status))) {
            let (Some(first), Some(second)) = (register(value.at), register(value.at.saturating_add(1))) else {
                return out(Event::Error { kind: ErrorKind::Framing });
            };
            let bits = match self.map.word_order {
                WordOrder::HighFirst => u32::from(first) << 16 | u32::from(second),
                WordOrder::LowFirst => u32::from(second) << 16 | u32::from(first),
            };
            let mantissa = match value.negative {
                None => i64::from(bits.cast_signed()),
                Some(negative) if negative.holds(status) => -i64::from(bits),
                Some(_) => i64::from(bits),
            };
            let number = Decimal { mantissa, decimals: self.decimals.unwrap_or(0).min(9) };
            // Digits whose point is unknown are no weight, whatever their unit.
            let unit = self.unit.filter(|_| self.decimals.is_some());
            out(weigh_bare(number, unit, stable, value.kind));
        }
    }
}

fn exception(code: u8) -> Event {
    let refused = |reason: String| Event::Refused { command: String::new(), reason };
    match code {
        1 => refused("illegal_function".to_owned()),
        2 => Event::Error { kind: ErrorKind::IllegalAddress },
        3 => refused("illegal_value".to_owned()),
        4 => Event::Unavailable { reason: Reason::Device },
        5 | 6 => Event::Unavailable { reason: Reason::Busy },
        code => refused(format!("exception_{code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::WeightKind;
    use super::super::testing::{each_split, hex};
    use super::*;
    use crate::units::Mass;

    fn laumas(bytes: &[u8]) -> Vec<Event> {
        let options = WireOptions { unit: Some(MassUnit::Kg), decimals: Some(3), ..WireOptions::default() };
        each_split(bytes, || Decoder::laumas(&options), Decoder::push, Decoder::pause)
    }

    fn flintec(bytes: &[u8], options: &WireOptions) -> Vec<Event> {
        each_split(bytes, || Decoder::flintec(options), Decoder::push, Decoder::pause)
    }

    /// A reply of address 1 with these registers.
    fn reply(registers: &[u16]) -> Vec<u8> {
        let mut frame = vec![1, 3, registers.len() as u8 * 2];
        frame.extend(registers.iter().flat_map(|r| r.to_be_bytes()));
        frame.extend(CRC.checksum(&frame).to_le_bytes());
        frame
    }

    fn weight(mg: i64, stable: bool, kind: WeightKind) -> Event {
        Event::Weight { mass: Mass::from_mg(mg), stable: Some(stable), kind }
    }

    fn both(gross_mg: i64, net_mg: i64, stable: bool) -> [Event; 2] {
        [weight(gross_mg, stable, WeightKind::Gross), weight(net_mg, stable, WeightKind::Net)]
    }

    const GOOD: &str = "01 03 0A 08 00 00 00 30 D4 00 00 30 D4 84 E1";

    #[test]
    fn requests_by_the_manuals() {
        assert_eq!(request(&RegisterMap::laumas(), 1), hex("01 03 00 06 00 05 65 C8"));
        assert_eq!(request(&RegisterMap::flintec(), 1), hex("01 03 00 00 00 03 05 CB"));
    }

    #[test]
    fn laumas_sends_magnitudes_with_their_signs_in_the_status() {
        assert_eq!(laumas(&hex(GOOD)), both(12_500_000, 12_500_000, true));
        // Bit 7 gross negative, bit 8 net negative, no bit 11: moving.
        assert_eq!(laumas(&reply(&[0x0080, 0, 20, 0, 30])), both(-20_000, 30_000, false));
        assert_eq!(laumas(&reply(&[0x0900, 1, 0, 0, 500])), both(65_536_000, -500_000, true));
    }

    #[test]
    fn a_fault_in_the_status_leaves_no_weight() {
        let reason = |status| match laumas(&reply(&[status, 0, 0, 0, 0])).as_slice() {
            [Event::Unavailable { reason }] => *reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(0x0001), Reason::LoadCell);
        assert_eq!(reason(0x0803), Reason::LoadCell);
        assert_eq!(reason(0x0002), Reason::Device);
        assert_eq!(reason(0x0004), Reason::Overload);
        assert_eq!(reason(0x0808), Reason::Overload);
        assert_eq!(reason(0x0010), Reason::OutOfRange);
        assert_eq!(reason(0x0020), Reason::OutOfRange);
        assert_eq!(laumas(&hex("01 03 0A 00 04 00 00 F4 24 00 00 F4 24 35 DE")).len(), 1);
    }

    #[test]
    fn exceptions() {
        assert_eq!(laumas(&hex("01 83 02 C0 F1")), [Event::Error { kind: ErrorKind::IllegalAddress }]);
        let told = |code| {
            let mut frame = vec![1, 0x83, code];
            frame.extend(CRC.checksum(&frame).to_le_bytes());
            laumas(&frame).remove(0)
        };
        assert_eq!(told(6), Event::Unavailable { reason: Reason::Busy });
        assert_eq!(told(4), Event::Unavailable { reason: Reason::Device });
        assert_eq!(told(1), Event::Refused { command: String::new(), reason: "illegal_function".to_owned() });
    }

    #[test]
    fn damage_costs_the_damaged_frame_only() {
        let checksum = Event::Error { kind: ErrorKind::Checksum };
        let [gross, net] = both(12_500_000, 12_500_000, true);
        let bad = hex("01 03 0A 08 00 00 00 30 D4 00 00 30 D4 84 1E");
        assert_eq!(laumas(&bad), std::slice::from_ref(&checksum));
        assert_eq!(laumas(&[bad, hex(GOOD)].concat()), [checksum.clone(), gross.clone(), net.clone()]);
        let mut short = hex(GOOD);
        short.remove(5);
        assert_eq!(laumas(&[short, hex(GOOD)].concat()), [checksum, gross.clone(), net.clone()]);
        let framing = Event::Error { kind: ErrorKind::Framing };
        assert_eq!(laumas(&[vec![0x41; 500], hex(GOOD)].concat()), [framing, gross.clone(), net.clone()]);
        // What looks like the head of the longest reply must not swallow the frame behind it.
        let partial = Event::Error { kind: ErrorKind::Partial };
        assert_eq!(laumas(&[hex("01 03 40"), hex(GOOD)].concat()), [partial.clone(), gross, net]);
        assert_eq!(laumas(&hex(GOOD)[..13]), [partial]);
    }

    #[test]
    fn replies_of_others_and_to_others_are_not_ours() {
        let framing = [Event::Error { kind: ErrorKind::Framing }];
        assert_eq!(laumas(&request(&RegisterMap::laumas(), 1)), framing, "our own request, echoed");
        assert_eq!(laumas(&reply(&[0x0800, 0, 500])), framing, "sound, but three registers");
        let options = WireOptions { address: Some(2), ..WireOptions::default() };
        let other = each_split(&hex(GOOD), || Decoder::laumas(&options), Decoder::push, Decoder::pause);
        assert_eq!(other, framing);
    }

    #[test]
    fn digits_without_unit_or_point_are_no_weight() {
        let bytes = hex("01 03 06 00 00 30 D4 00 02 EF 8C");
        let number =
            Event::Number { value: "12500".to_owned(), unit: None, stable: Some(true), kind: WeightKind::Gross };
        assert_eq!(flintec(&bytes, &WireOptions::default()), std::slice::from_ref(&number));
        let unit_only = WireOptions { unit: Some(MassUnit::Kg), ..WireOptions::default() };
        assert_eq!(flintec(&bytes, &unit_only), [number]);
        let all = WireOptions { decimals: Some(1), ..unit_only };
        assert_eq!(flintec(&bytes, &all), [weight(1_250_000_000, true, WeightKind::Gross)]);
    }

    #[test]
    fn flintec_shows_gross_or_net_in_the_same_registers() {
        let options = WireOptions { unit: Some(MassUnit::G), decimals: Some(0), ..WireOptions::default() };
        let told = |registers: &[u16]| flintec(&reply(registers), &options).remove(0);
        // −20 in two's complement; data ok, moving, net.
        assert_eq!(told(&[0xffff, 0xffec, 0b1110]), weight(-20_000, false, WeightKind::Net));
        assert_eq!(told(&[0, 20, 0b0010]), weight(20_000, true, WeightKind::Gross));
        for (status, reason) in [
            (0b0000, Reason::Device),
            (0b0011, Reason::Busy),
            (1 << 13, Reason::OutOfRange),
            (2 << 13, Reason::Overload),
            (3 << 13, Reason::Underload),
            (5 << 13, Reason::Device),
        ] {
            assert_eq!(told(&[0, 0, status]), Event::Unavailable { reason }, "{status:#x}");
        }
    }

    #[test]
    fn a_map_of_its_own_may_swap_the_words_and_use_input_registers() {
        let text = r#"{"function": "input", "first": 0, "count": 3, "word_order": "low_first", "status": 2,
            "values": [{"at": 0, "kind": "gross"}]}"#;
        let map: RegisterMap = serde_json::from_str(text).unwrap();
        assert_eq!(map.check(), Ok(()));
        let options = WireOptions {
            unit: Some(MassUnit::G),
            decimals: Some(0),
            registers: Some(map.clone()),
            ..WireOptions::default()
        };
        let mut frame = vec![1, 4, 6, 0x30, 0xd4, 0, 1, 0, 0];
        frame.extend(CRC.checksum(&frame).to_le_bytes());
        let weight = Event::Weight { mass: Mass::from_mg(78_036_000), stable: None, kind: WeightKind::Gross };
        assert_eq!(laumas_with(&frame, &options), [weight]);
        assert_eq!(request(&map, 1)[1], 4);
    }

    fn laumas_with(bytes: &[u8], options: &WireOptions) -> Vec<Event> {
        each_split(bytes, || Decoder::laumas(options), Decoder::push, Decoder::pause)
    }
}
