//! LCB/1 on the wire: COBS framing and CRC-32/ISO-HDLC, written apart from the daemon's codec so that the shared vectors
//! check one against the other. Layouts: see [`crate::board`].

use crc::{CRC_32_ISO_HDLC, Crc};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Bytes a host may send without a delimiter before they are thrown away; the longest command is 11 bytes on the wire.
const LONGEST_FRAME: usize = 256;

/// `COBS(payload || CRC) 00` of a payload.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let mut body = payload.to_vec();
    body.extend_from_slice(&CRC.checksum(payload).to_le_bytes());
    let mut wire = cobs(&body);
    wire.push(0);
    wire
}

/// Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999), without the delimiter.
fn cobs(body: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(body.len() + body.len() / 254 + 1);
    let mut code_at = 0;
    wire.push(1);
    for (index, &byte) in body.iter().enumerate() {
        if byte == 0 {
            code_at = wire.len();
            wire.push(1);
            continue;
        }
        wire.push(byte);
        wire[code_at] += 1;
        // A full block ends without an implied zero, so that nothing follows it when the body ends here.
        if wire[code_at] == 0xFF && index + 1 < body.len() {
            code_at = wire.len();
            wire.push(1);
        }
    }
    wire
}

/// The payload of one block between delimiters; `None` when stuffing or CRC is wrong.
fn unframe(block: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(block.len());
    let mut rest = block;
    while let Some((&code, after)) = rest.split_first() {
        let run = usize::from(code).checked_sub(1)?;
        if after.len() < run {
            return None;
        }
        let (bytes, next) = after.split_at(run);
        body.extend_from_slice(bytes);
        if code != 0xFF && !next.is_empty() {
            body.push(0);
        }
        rest = next;
    }
    let split = body.len().checked_sub(4)?;
    let crc = body.split_off(split);
    (CRC.checksum(&body).to_le_bytes() == crc[..]).then_some(body)
}

/// Cuts a byte stream at its delimiters and keeps what is intact.
#[derive(Debug, Default, Clone)]
pub struct Deframer {
    block: Vec<u8>,
}

impl Deframer {
    /// Takes bytes as they come; gives the payloads of the intact frames among them. Broken frames are dropped in silence,
    /// as firmware would.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut payloads = Vec::new();
        for &byte in bytes {
            if byte != 0 {
                if self.block.len() < LONGEST_FRAME {
                    self.block.push(byte);
                }
                continue;
            }
            if !self.block.is_empty() {
                payloads.extend(unframe(&self.block));
                self.block.clear();
            }
        }
        payloads
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{CellStatus, Sample, tests::vectors};

    fn sample(seq: u16, t_us: u32, counts: [i32; 4], status: [CellStatus; 4], temp: i16) -> Vec<u8> {
        let sample = Sample {
            seq,
            t_us,
            reset: false,
            excitation_ok: true,
            counts: &counts,
            status: &status,
            temp_centi_c: temp,
        };
        frame(&sample.payload())
    }

    #[test]
    fn encodes_the_shared_vectors() {
        let vectors = vectors();
        let fresh = [CellStatus::FRESH; 4];
        assert_eq!(sample(1, 1_000_000, [123_456, 120_001, -345, 99_999], fresh, 2150), vectors["lcb-cobs-01"]);
        let high = CellStatus::FRESH.with(CellStatus::SATURATED_HIGH);
        let low = CellStatus::FRESH.with(CellStatus::SATURATED_LOW);
        let late = CellStatus::FRESH.with(CellStatus::TIMED_OUT);
        let wire = sample(2, 1_012_500, [8_388_607, 0, 0, -8_388_608], [high, late, CellStatus::FRESH, low], 2150);
        assert_eq!(wire, vectors["lcb-cobs-02"]);
    }

    #[test]
    fn keeps_what_is_intact_in_the_shared_vectors() {
        let seqs = |id: &str| -> Vec<u16> {
            let payloads = Deframer::default().push(&vectors()[id]);
            payloads.iter().map(|payload| u16::from_le_bytes([payload[2], payload[3]])).collect()
        };
        assert_eq!(seqs("lcb-cobs-01"), [1]);
        assert_eq!(seqs("lcb-cobs-02"), [2]);
        assert!(seqs("lcb-cobs-03").is_empty());
        assert!(seqs("lcb-cobs-04").is_empty());
        assert_eq!(seqs("lcb-cobs-05"), [2]);
        assert_eq!(seqs("lcb-cobs-06"), [1, 1]);
        assert_eq!(seqs("lcb-cobs-07"), [1]);
    }

    #[test]
    fn stuffing_at_the_edge_of_a_block() {
        // The examples of Cheshire and Baker's paper, as they stand in the usual tables.
        assert_eq!(cobs(&[0]), [1, 1]);
        assert_eq!(cobs(&[0x11, 0x22, 0, 0x33]), [3, 0x11, 0x22, 2, 0x33]);
        let run: Vec<u8> = (1..=254).collect();
        let mut expected = vec![0xFF];
        expected.extend(&run);
        assert_eq!(cobs(&run), expected);
        let mut with_zero = run.clone();
        with_zero.push(0);
        expected.extend([1, 1]);
        assert_eq!(cobs(&with_zero), expected);
    }

    proptest::proptest! {
        #[test]
        fn whole_or_byte_by_byte(payload in proptest::collection::vec(0u8..4, 0..200)) {
            let wire = frame(&payload);
            proptest::prop_assert_eq!(Deframer::default().push(&wire), vec![payload.clone()]);
            let mut deframer = Deframer::default();
            let single: Vec<Vec<u8>> = wire.iter().flat_map(|byte| deframer.push(&[*byte])).collect();
            proptest::prop_assert_eq!(single, vec![payload]);
        }
    }
}
