//! The journal's format: what came over each port with its time, so that a fault in a shop is replayed on a desk.
//!
//! A file is `AUGENJ1⏎` followed by records. A record is, all numbers little-endian,
//!
//! ```text
//! u16 length of body | body | u32 CRC-32/ISO-HDLC over length and body
//! body: u8 kind | u64 t_us | by kind
//!   0 header  i64 wall_ms | text station | text config hash | u8 ports | that many (u8 open | text name)
//!   1 opened  u8 port
//!   2 closed  u8 port | text why
//!   3 bytes   u8 port | the bytes, 1 to 4096
//!   4 gap     u64 records | u64 bytes
//! text: u16 length | UTF-8
//! ```
//!
//! The first record is the header, and there is only one. `t_us` is the daemon's monotonic clock, so that it never goes back
//! within a file. Records are only ever appended: what a power cut leaves of the last one is found by its length or CRC, and
//! everything before it is read. Damage in the middle (a bad sector) is passed over up to the next record that is sound.

use crate::units::{Mono, Wall};
use crc::{CRC_32_ISO_HDLC, Crc};

const MAGIC: &[u8; 8] = b"AUGENJ1\n";
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// Most bytes in one record; longer pieces become several.
pub const BYTES_MAX: usize = 4096;
/// Longest text; longer ones are cut.
const TEXT_MAX: usize = 512;
const HEAD: usize = 2;
const TAIL: usize = 4;
/// Kind and time.
const BODY_MIN: usize = 9;
/// A header with the most ports has the longest body.
const BODY_MAX: usize = 60_000;
/// Most ports a header can name.
pub const PORTS_MAX: usize = 64;

/// What a file begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The clock of the records at the file's beginning.
    pub at: Mono,
    /// The wall's at the same moment.
    pub wall: Wall,
    /// The station's identifier.
    pub station: String,
    /// SHA-256 of the station file, hexadecimal.
    pub config_hash: String,
    /// Ports in the order of their numbers, at most 64.
    pub ports: Vec<PortHead>,
}

/// One port at the file's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortHead {
    /// The instrument's name in the station file.
    pub name: String,
    /// Whether the port was open already: files are rotated while the station runs.
    pub open: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A port was opened.
    Opened {
        /// Its number.
        port: u8,
    },
    /// A port was lost.
    Closed {
        /// Its number.
        port: u8,
        /// What was said about it.
        why: &'a str,
    },
    /// Bytes arrived.
    Bytes {
        /// The port's number.
        port: u8,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The disk did not keep up, so that something is missing here.
    Gap {
        /// Records that are missing.
        records: u64,
        /// Bytes in them.
        bytes: u64,
    },
}

/// What a file holds, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A sound record.
    Record {
        /// When it happened.
        at: Mono,
        /// What.
        record: Record<'a>,
    },
    /// Bytes that are no record, in the middle of the file.
    Damaged {
        /// How many.
        bytes: usize,
    },
    /// Bytes at the end that are no whole record, as a power cut leaves them.
    Torn {
        /// How many.
        bytes: usize,
    },
}

/// A file that is no journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// It begins with something else.
    #[error("this is no journal of this version")]
    NotAJournal,
    /// It ends before its header does, or the header is damaged.
    #[error("the journal's beginning is damaged")]
    NoHeader,
}

/// The beginning of a file. Of more than 64 ports the first 64 are named.
pub fn encode_header(header: &Header) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    encode_record(&mut file, 0, header.at, |body| {
        body.extend(header.wall.ms().to_le_bytes());
        put_text(body, &header.station);
        put_text(body, &header.config_hash);
        let ports = &header.ports[..header.ports.len().min(PORTS_MAX)];
        body.push(ports.len() as u8);
        for port in ports {
            body.push(u8::from(port.open));
            put_text(body, &port.name);
        }
    });
    file
}

/// Appends a record to `file`; bytes beyond [`BYTES_MAX`] become records of the same time.
pub fn encode(file: &mut Vec<u8>, at: Mono, record: Record<'_>) {
    match record {
        Record::Opened { port } => encode_record(file, 1, at, |body| body.push(port)),
        Record::Closed { port, why } => encode_record(file, 2, at, |body| {
            body.push(port);
            put_text(body, why);
        }),
        Record::Bytes { port, bytes } => {
            for piece in bytes.chunks(BYTES_MAX) {
                encode_record(file, 3, at, |body| {
                    body.push(port);
                    body.extend_from_slice(piece);
                });
            }
        }
        Record::Gap { records, bytes } => encode_record(file, 4, at, |body| {
            body.extend(records.to_le_bytes());
            body.extend(bytes.to_le_bytes());
        }),
    }
}

fn encode_record(file: &mut Vec<u8>, kind: u8, at: Mono, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = file.len();
    file.extend([0, 0, kind]);
    file.extend(at.us().to_le_bytes());
    fill(file);
    let length = (file.len() - start - HEAD) as u16;
    file[start..start + HEAD].copy_from_slice(&length.to_le_bytes());
    let crc = CRC.checksum(&file[start..]);
    file.extend(crc.to_le_bytes());
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    let end = text.floor_char_boundary(TEXT_MAX);
    body.extend((end as u16).to_le_bytes());
    body.extend_from_slice(&text.as_bytes()[..end]);
}

/// Reads a file that lies in memory: its header, then everything in it, in order.
///
/// # Errors
/// A file that is no journal, or whose header is damaged.
pub fn read(file: &[u8]) -> Result<(Header, Items<'_>), JournalError> {
    let rest = file.strip_prefix(MAGIC).ok_or(JournalError::NotAJournal)?;
    let (body, rest) = split(rest).ok_or(JournalError::NoHeader)?;
    let header = read_header(body).ok_or(JournalError::NoHeader)?;
    Ok((header, Items { rest }))
}

/// What is left of a file.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        if let Some((item, rest)) = first(self.rest) {
            self.rest = rest;
            return Some(item);
        }
        let bad = self.rest;
        // A sound record by chance is one in four thousand million.
        let next = (1..bad.len()).find(|skipped| first(&bad[*skipped..]).is_some());
        self.rest = next.map_or(&[], |skipped| &bad[skipped..]);
        Some(next.map_or(Item::Torn { bytes: bad.len() }, |bytes| Item::Damaged { bytes }))
    }
}

fn first(file: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (body, rest) = split(file)?;
    let (at, record) = read_record(body)?;
    Some((Item::Record { at, record }, rest))
}

/// The first record's body, and what follows; `None` if no sound record stands there.
fn split(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_le_bytes(*file.first_chunk()?));
    // Looked at before the checksum, which is what costs when damage is passed over.
    if !(BODY_MIN..=BODY_MAX).contains(&length) || *file.get(HEAD)? > 4 {
        return None;
    }
    let (covered, rest) = file.split_at_checked(HEAD + length)?;
    let (crc, rest) = rest.split_first_chunk::<TAIL>()?;
    (CRC.checksum(covered) == u32::from_le_bytes(*crc)).then_some((&covered[HEAD..], rest))
}

fn read_header(body: &[u8]) -> Option<Header> {
    let mut fields = Fields(body);
    let (0, at) = (fields.u8()?, fields.u64()?) else { return None };
    let wall = Wall::from_ms(fields.u64()?.cast_signed());
    let station = fields.text()?.to_owned();
    let config_hash = fields.text()?.to_owned();
    let count = fields.u8()?;
    let port = |fields: &mut Fields<'_>| Some(PortHead { open: fields.u8()? != 0, name: fields.text()?.to_owned() });
    let ports = (0..count).map(|_| port(&mut fields)).collect::<Option<Vec<_>>>()?;
    fields.0.is_empty().then_some(Header { at: Mono::from_us(at), wall, station, config_hash, ports })
}

fn read_record(body: &[u8]) -> Option<(Mono, Record<'_>)> {
    let mut fields = Fields(body);
    let (kind, at) = (fields.u8()?, Mono::from_us(fields.u64()?));
    let record = match kind {
        1 => Record::Opened { port: fields.u8()? },
        2 => Record::Closed { port: fields.u8()?, why: fields.text()? },
        3 => Record::Bytes { port: fields.u8()?, bytes: std::mem::take(&mut fields.0) },
        4 => Record::Gap { records: fields.u64()?, bytes: fields.u64()? },
        _ => return None,
    };
    fields.0.is_empty().then_some((at, record))
}

/// What is left of a body.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    fn u64(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::from(u16::from_le_bytes(self.chunk()?));
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> Header {
        Header {
            at: Mono::from_us(77),
            wall: Wall::from_ms(1_795_284_000_000),
            station: "basket-1".to_owned(),
            config_hash: "ab12".to_owned(),
            ports: vec![
                PortHead { name: "plate".to_owned(), open: true },
                PortHead { name: "second".to_owned(), open: false },
            ],
        }
    }

    const RECORDS: [Record<'_>; 5] = [
        Record::Opened { port: 1 },
        Record::Bytes { port: 0, bytes: &[0, 1, 2, 255] },
        Record::Gap { records: 3, bytes: 900 },
        Record::Closed { port: 1, why: "pulled" },
        Record::Bytes { port: 0, bytes: &[9; 40] },
    ];

    /// The file, and where each record ends.
    fn file() -> (Vec<u8>, Vec<usize>) {
        let mut file = encode_header(&header());
        let mut ends = vec![file.len()];
        for (i, record) in RECORDS.into_iter().enumerate() {
            encode(&mut file, Mono::from_us(1000 + i as u64), record);
            ends.push(file.len());
        }
        (file, ends)
    }

    fn records<'a>(items: impl Iterator<Item = Item<'a>>) -> Vec<Record<'a>> {
        items
            .filter_map(|item| match item {
                Item::Record { record, .. } => Some(record),
                Item::Damaged { .. } | Item::Torn { .. } => None,
            })
            .collect()
    }

    /// Worked out by hand but for the checksum, which `crc32` of the same bytes gives elsewhere.
    #[test]
    fn a_record_is_laid_out_as_described() {
        let mut bytes = Vec::new();
        encode(&mut bytes, Mono::from_us(0x0102), Record::Bytes { port: 5, bytes: b"W\r" });
        assert_eq!(bytes[..14], [12, 0, 3, 2, 1, 0, 0, 0, 0, 0, 0, 5, b'W', b'\r']);
        assert_eq!(bytes[14..], CRC.checksum(&bytes[..14]).to_le_bytes());
        assert_eq!(&file().0[..8], b"AUGENJ1\n");
    }

    #[test]
    fn what_was_written_is_read() {
        let (file, _) = file();
        let (read_header, items) = read(&file).unwrap();
        assert_eq!(read_header, header());
        let times: Vec<u64> = items
            .clone()
            .filter_map(|item| match item {
                Item::Record { at, .. } => Some(at.us()),
                Item::Damaged { .. } | Item::Torn { .. } => None,
            })
            .collect();
        assert_eq!(times, [1000, 1001, 1002, 1003, 1004]);
        assert_eq!(records(items), RECORDS);
    }

    #[test]
    fn a_file_torn_anywhere_keeps_all_whole_records() {
        let (file, ends) = file();
        for cut in ends[0]..=file.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            let (_, items) = read(&file[..cut]).unwrap();
            assert_eq!(records(items.clone()), RECORDS[..whole], "cut at {cut}");
            let torn = cut - ends[whole];
            let last = items.last();
            assert_eq!(matches!(last, Some(Item::Torn { bytes }) if bytes == torn), torn > 0, "cut at {cut}: {last:?}");
        }
        for cut in 0..ends[0] {
            assert!(read(&file[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn damage_in_the_middle_costs_one_record() {
        let (sound, ends) = file();
        for at in ends[1]..ends[2] {
            let mut file = sound.clone();
            file[at] ^= 0x40;
            let (_, items) = read(&file).unwrap();
            assert!(items.clone().any(|i| i == Item::Damaged { bytes: ends[2] - ends[1] }), "flipped at {at}");
            let rest = [&RECORDS[..1], &RECORDS[2..]].concat();
            assert_eq!(records(items), rest, "flipped at {at}");
        }
    }

    #[test]
    fn long_pieces_and_texts_fit() {
        let mut file = encode_header(&header());
        let long = vec![7; BYTES_MAX + 10];
        encode(&mut file, Mono::from_us(1), Record::Bytes { port: 0, bytes: &long });
        let umlauts = "ü".repeat(TEXT_MAX);
        encode(&mut file, Mono::from_us(2), Record::Closed { port: 0, why: &umlauts });
        let (_, items) = read(&file).unwrap();
        let found = records(items);
        assert!(matches!(found[1], Record::Bytes { bytes, .. } if bytes.len() == 10));
        assert!(matches!(found[2], Record::Closed { why, .. } if why == &umlauts[..TEXT_MAX]));
        assert_eq!(read(b"GIF89a").unwrap_err(), JournalError::NotAJournal);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_record_or_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut file = encode_header(&header());
            file.extend(&bytes);
            let (_, items) = read(&file).unwrap();
            prop_assert!(records(items).is_empty());
        }
    }
}
