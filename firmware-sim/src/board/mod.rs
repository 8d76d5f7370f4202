//! The load-cell board: frames and firmware, without any I/O or clock.
//!
//! # LCB/1
//! On the wire a frame is `COBS(payload || CRC-32/ISO-HDLC of the payload, little-endian) 00`. All integers are
//! little-endian; further `00` are idle. `seq` is one counter over everything that the board sends of its own (samples and
//! infos), starting at 0 at boot and wrapping; ack and nak carry the command's instead. `t_us` is the board's own time since
//! boot at the moment of measuring; it wraps after 71.6 minutes.
//!
//! | frame | payload |
//! |---|---|
//! | sample | `u8 ver=1, u8 type=1, u16 seq, u32 t_us, u8 nch, u8 flags, i32 counts[nch], u8 chstat[nch], i16 temp_centi_C` |
//! | info | `u8 ver=1, u8 type=2, u16 seq, u32 t_us, u8 serial_len, ASCII serial, u32 firmware_hash, u8 adc_type, u16 sample_rate_hz_x10, u8 gain, u8 nch, u32 cell_id[nch], u16 group_delay_us` |
//! | command | `u8 ver=1, u8 type=0x10, u16 seq, u8 command` (1 info, 2 start stream, 3 stop stream, 4 reset) |
//! | ack | `u8 ver=1, u8 type=0x11, u16 seq` |
//! | nak | `u8 ver=1, u8 type=0x12, u16 seq, u8 reason` (1 unknown command, 2 wrong length) |
//!
//! `flags`: bit 0 all channels fresh, 1 excitation good, 2 supply good, 3 configuration changed, 7 reset since last read.
//! The last one stays set from boot until the first `info` command is answered. `chstat`: bit 0 fresh, 1 saturated high,
//! 2 saturated low, 3 timed out, 4 open or short, 5 unchanged for too long. `adc_type` 1 is the simulated 24-bit converter.
//! `cell_id` is the CRC-32/ISO-HDLC of the serial number of the cell on that channel, 0 if the board does not know it.
//!
//! The board streams from boot on, sends an info frame at boot and, after its ack, on request. A frame of unknown type or
//! with a wrong CRC is dropped in silence.

mod firmware;
pub mod wire;

pub use firmware::Firmware;

/// `ver` of every frame.
pub(crate) const VERSION: u8 = 1;

/// `type` of a frame.
pub(crate) mod kind {
    pub const SAMPLE: u8 = 1;
    pub const INFO: u8 = 2;
    pub const COMMAND: u8 = 0x10;
    pub const ACK: u8 = 0x11;
    pub const NAK: u8 = 0x12;
}

/// Extremes of the simulated 24-bit converter; a reading there is saturated.
pub const ADC_RANGE: (i32, i32) = (-8_388_608, 8_388_607);

/// `chstat` of one channel: a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellStatus(u8);

impl CellStatus {
    /// A new conversion, nothing wrong.
    pub const FRESH: Self = Self(1);
    /// At the upper end of the converter.
    pub const SATURATED_HIGH: Self = Self(1 << 1);
    /// At the lower end of the converter.
    pub const SATURATED_LOW: Self = Self(1 << 2);
    /// The converter did not answer; the count is an old one.
    pub const TIMED_OUT: Self = Self(1 << 3);
    /// A wire is off, or two touch.
    pub const OPEN: Self = Self(1 << 4);

    /// The bits of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What the converter says of a count.
    pub fn of_count(count: i32) -> Self {
        match count {
            count if count >= ADC_RANGE.1 => Self::FRESH.with(Self::SATURATED_HIGH),
            count if count <= ADC_RANGE.0 => Self::FRESH.with(Self::SATURATED_LOW),
            _ => Self::FRESH,
        }
    }
}

/// One reading of all channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// One count a channel.
    pub counts: Vec<i32>,
    /// As many as `counts`.
    pub status: Vec<CellStatus>,
    /// Whether the cells' supply is what it should be.
    pub excitation_ok: bool,
}

impl Conversion {
    /// Nothing wrong but what the counts themselves say.
    pub fn of_counts(counts: &[i32]) -> Self {
        let status = counts.iter().map(|&count| CellStatus::of_count(count)).collect();
        Self { counts: counts.to_vec(), status, excitation_ok: true }
    }

    /// Whether every channel's converter answered.
    pub fn all_answered(&self) -> bool {
        !self.status.iter().any(|status| status.has(CellStatus::TIMED_OUT))
    }
}

/// One sample frame.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Counter of the board's own frames.
    pub seq: u16,
    /// Board time of the measurement.
    pub t_us: u32,
    /// Reset since the host last asked for the info frame.
    pub reset: bool,
    /// Whether the cells' supply is what it should be.
    pub excitation_ok: bool,
    /// One count a channel.
    pub counts: &'a [i32],
    /// As many as `counts`.
    pub status: &'a [CellStatus],
    /// Board temperature in hundredths of a degree Celsius.
    pub temp_centi_c: i16,
}

impl Sample<'_> {
    /// The payload; layout in the [module text](self).
    pub fn payload(&self) -> Vec<u8> {
        const SUPPLY_GOOD: u8 = 1 << 2;
        let all_fresh = self.status.iter().all(|status| status.has(CellStatus::FRESH));
        let flags = SUPPLY_GOOD | u8::from(all_fresh) | u8::from(self.excitation_ok) << 1 | u8::from(self.reset) << 7;
        let mut payload = vec![VERSION, kind::SAMPLE];
        payload.extend(self.seq.to_le_bytes());
        payload.extend(self.t_us.to_le_bytes());
        payload.extend([self.counts.len() as u8, flags]);
        payload.extend(self.counts.iter().flat_map(|count| count.to_le_bytes()));
        payload.extend(self.status.iter().map(|status| status.0));
        payload.extend(self.temp_centi_c.to_le_bytes());
        payload
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    /// Wire bytes of the shared vectors by id.
    pub(crate) fn vectors() -> BTreeMap<String, Vec<u8>> {
        let file: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/lcb.json")).unwrap();
        let bytes = |hex: &str| hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        let vectors = file["vectors"].as_array().unwrap().iter();
        vectors.map(|v| (v["id"].as_str().unwrap().to_owned(), bytes(v["hex"].as_str().unwrap()))).collect()
    }
}
