//! LCB/1, the frame of our own load-cell board: `COBS( payload ‖ CRC-32/ISO-HDLC, little-endian ) 00`.
//!
//! Payloads, all little-endian:
//! - sample: `u8 1 | u8 1 | u16 seq | u32 t_us | u8 nch | u8 flags | i32 counts[nch] | u8 chstat[nch] | i16 temp_centi_C`
//! - info: `u8 1 | u8 2 | u16 seq | u32 t_us | u8 len | serial number | u32 firmware_hash | u8 adc_type |
//!   u16 sample_rate_hz_x10 | u8 gain | u8 nch | u32 cell_id[nch] | u16 group_delay_us`
//! - command: `u8 1 | u8 0x10 | u16 seq | u8 command`; ack `u8 1 | u8 0x11 | u16 seq`; nak the same with a reason.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// Most channels of one board.
pub const CHANNELS_MAX: usize = 8;
/// Longest stuffed frame without its delimiter. The longest payload is an info frame of 8 channels and a 64-character serial.
const FRAME_MAX: usize = 160;
/// Sixteen bytes a step: the CRC is most of what a frame costs.
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

/// One sample of all channels at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Counts up by one a frame, wraps.
    pub seq: u16,
    /// The board's own time in microseconds, wraps after 71.6 minutes.
    pub t_us: u32,
    /// Channels in use, 1..=8.
    pub channels: usize,
    /// Bit 0 all fresh, 1 excitation fine, 2 supply fine, 3 configuration changed, 7 reset since last asked for info.
    pub flags: u8,
    /// Raw counts; only the first `channels` mean anything.
    pub counts: [i32; CHANNELS_MAX],
    /// Status a channel; fine only when it is 1 (fresh and nothing else).
    pub status: [u8; CHANNELS_MAX],
    /// Temperature of the board in hundredths of a degree Celsius.
    pub temperature_centi_c: i16,
}

impl Sample {
    /// Whether a channel's count was measured just now and is neither saturated, late, open nor stuck.
    pub fn is_valid(&self, channel: usize) -> bool {
        channel < self.channels && self.status[channel] == 1
    }

    /// Whether any channel is at the end of its range.
    pub fn is_saturated(&self) -> bool {
        self.status[..self.channels].iter().any(|s| s & 0b110 != 0)
    }

    /// Whether the bridges have their voltage and the board its supply.
    pub fn is_powered(&self) -> bool {
        self.flags & 0b110 == 0b110
    }
}

/// Who the board is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Its serial number.
    pub serial_number: String,
    /// Identifies its firmware.
    pub firmware_hash: u32,
    /// Samples a second, times ten.
    pub sample_rate_hz_x10: u16,
    /// Channels in use.
    pub channels: u8,
    /// Which cell hangs on each channel, as [`cell_id`] of its serial number; 0 where the board does not know.
    pub cell_ids: [u32; CHANNELS_MAX],
    /// From a change of load to the middle of the converter's answer, microseconds.
    pub group_delay_us: u16,
}

/// How an info frame names a load cell: CRC-32/ISO-HDLC of its serial number.
pub fn cell_id(serial_number: &str) -> u32 {
    CRC.checksum(serial_number.as_bytes())
}

/// What came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A sample.
    Sample(Sample),
    /// Who the board is.
    Info(Info),
    /// A command was carried out.
    Ack {
        /// Sequence number of the command.
        seq: u16,
    },
    /// A command was refused.
    Nak {
        /// Sequence number of the command.
        seq: u16,
        /// 1 unknown command, 2 bad length.
        reason: u8,
    },
    /// A sound frame of a type that this version does not know.
    Unknown {
        /// Its type.
        kind: u8,
    },
    /// Bytes that are no frame.
    Error(WireError),
}

/// Why bytes were thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Arrived damaged.
    #[error("checksum")]
    Checksum,
    /// Not stuffed as COBS stuffs, or shorter than its own header says.
    #[error("framing")]
    Framing,
    /// More bytes without a delimiter than any frame has.
    #[error("overlong")]
    Overlong,
    /// A frame began and did not end in time.
    #[error("partial")]
    Partial,
    /// Another version of the protocol.
    #[error("version")]
    Version,
}

/// What the host may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Say who you are.
    Info,
    /// Start to stream samples.
    Start,
    /// Stop streaming.
    Stop,
    /// Start anew.
    Reset,
}

impl Command {
    /// The frame to send, delimiters on both sides so that it stands clear of noise before it.
    pub fn encode(self, seq: u16) -> Vec<u8> {
        let code = match self {
            Self::Info => 1,
            Self::Start => 2,
            Self::Stop => 3,
            Self::Reset => 4,
        };
        let [low, high] = seq.to_le_bytes();
        frame(&[1, 0x10, low, high, code])
    }
}

/// A payload of at most 160 bytes as a frame: checksum, stuffing, delimiters on both sides.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let checked = [payload, &CRC.checksum(payload).to_le_bytes()].concat();
    let mut frame = vec![0];
    for block in checked.split(|b| *b == 0) {
        // Blocks are shorter than 254 bytes, as payloads are.
        frame.push(block.len() as u8 + 1);
        frame.extend(block);
    }
    frame.push(0);
    frame
}

/// Takes frames out of a stream of bytes. Holds at most one frame; garbage cannot make it grow.
#[derive(Clone, Debug)]
pub struct Decoder {
    buffer: [u8; FRAME_MAX],
    length: usize,
    /// Set while what arrives belongs to no frame, up to the next delimiter.
    skipping: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { buffer: [0; FRAME_MAX], length: 0, skipping: false }
    }
}

impl Decoder {
    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, mut bytes: &[u8], mut out: impl FnMut(Event)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            self.keep(&bytes[..end], &mut out);
            if self.length > 0 && !self.skipping {
                out(self.close());
            }
            self.length = 0;
            self.skipping = false;
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes, &mut out);
    }

    /// Tells that the line has been quiet for longer than a frame may pause (50 ms): what is half there will not be completed.
    pub fn pause(&mut self) -> Option<Event> {
        let partial = self.length > 0 && !self.skipping;
        self.length = 0;
        self.skipping = false;
        partial.then_some(Event::Error(WireError::Partial))
    }

    /// Holds bytes of a frame, or gives the frame up if it is longer than any.
    fn keep(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) {
        if self.skipping {
            return;
        }
        match self.buffer.get_mut(self.length..self.length + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => {
                self.skipping = true;
                out(Event::Error(WireError::Overlong));
            }
        }
    }

    fn close(&mut self) -> Event {
        let Some((payload, crc)) = unstuff(&mut self.buffer[..self.length]).and_then(|frame| frame.split_last_chunk())
        else {
            return Event::Error(WireError::Framing);
        };
        if CRC.checksum(payload) != u32::from_le_bytes(*crc) {
            return Event::Error(WireError::Checksum);
        }
        read(payload).unwrap_or(Event::Error(WireError::Framing))
    }
}

/// Undoes COBS where the bytes lie, or gives `None` if a code points past the end.
///
/// Each code is the distance to the next one, which stands where a zero was. Only a code of 255 stands for no zero, and
/// frames are shorter than that.
fn unstuff(frame: &mut [u8]) -> Option<&[u8]> {
    const { assert!(FRAME_MAX < 255) };
    let mut at = 0;
    while at < frame.len() {
        let code = std::mem::replace(&mut frame[at], 0);
        if code == 0 {
            return None;
        }
        at += usize::from(code);
    }
    if at == frame.len() { frame.get(1..) } else { None }
}

/// Reads a payload whose checksum fits; `None` if it is shorter or longer than its type says.
fn read(payload: &[u8]) -> Option<Event> {
    let mut field = Fields(payload);
    if field.u8()? != 1 {
        return Some(Event::Error(WireError::Version));
    }
    let kind = field.u8()?;
    let seq = field.u16()?;
    let event = match kind {
        1 => Event::Sample(read_sample(seq, &mut field)?),
        2 => Event::Info(read_info(&mut field)?),
        0x11 => Event::Ack { seq },
        0x12 => Event::Nak { seq, reason: field.u8()? },
        kind => return Some(Event::Unknown { kind }),
    };
    field.0.is_empty().then_some(event)
}

fn read_sample(seq: u16, field: &mut Fields<'_>) -> Option<Sample> {
    let t_us = field.u32()?;
    let channels = usize::from(field.u8()?);
    let flags = field.u8()?;
    if !(1..=CHANNELS_MAX).contains(&channels) {
        return None;
    }
    let (mut counts, mut status) = ([0; CHANNELS_MAX], [0; CHANNELS_MAX]);
    for count in &mut counts[..channels] {
        *count = field.u32()?.cast_signed();
    }
    for state in &mut status[..channels] {
        *state = field.u8()?;
    }
    let temperature_centi_c = field.u16()?.cast_signed();
    Some(Sample { seq, t_us, channels, flags, counts, status, temperature_centi_c })
}

fn read_info(field: &mut Fields<'_>) -> Option<Info> {
    field.u32()?;
    let length = usize::from(field.u8()?);
    let serial = field.take(length)?;
    if length > 64 || !serial.iter().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let serial_number = String::from_utf8_lossy(serial).into_owned();
    let firmware_hash = field.u32()?;
    field.u8()?;
    let sample_rate_hz_x10 = field.u16()?;
    field.u8()?;
    let channels = field.u8()?;
    let mut cell_ids = [0; CHANNELS_MAX];
    for id in cell_ids.get_mut(..usize::from(channels))? {
        *id = field.u32()?;
    }
    let group_delay_us = field.u16()?;
    Some(Info { serial_number, firmware_hash, sample_rate_hz_x10, channels, cell_ids, group_delay_us })
}

/// What is left of a payload.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_command_is_stuffed_as_cobs_says() {
        // 01 10 07 00 01 ‖ CRC: one zero inside, so that two blocks stand between the delimiters.
        let frame = Command::Info.encode(7);
        assert_eq!(&frame[..7], &[0, 4, 1, 0x10, 7, frame[5], 1]);
        assert_eq!(frame.iter().filter(|b| **b == 0).count(), 2, "no zero but the delimiters");
        let mut stuffed = frame[1..frame.len() - 1].to_vec();
        let (payload, crc) = unstuff(&mut stuffed).unwrap().split_at(5);
        assert_eq!(payload, &[1, 0x10, 7, 0, 1]);
        assert_eq!(CRC.checksum(payload).to_le_bytes(), crc);
    }

    #[test]
    fn garbage_without_end_is_told_once_and_held_nowhere() {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        decoder.push(&[0x55; 100_000], |e| events.push(e));
        assert_eq!(events, [Event::Error(WireError::Overlong)]);
        assert_eq!(decoder.pause(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_sample_or_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut decoder = Decoder::default();
            // A random CRC-32 fits once in four thousand million: a sample out of noise would be a defect.
            decoder.push(&bytes, |event| assert!(!matches!(event, Event::Sample(_))));
        }
    }
}
