//! A JPEG as RTP packets (RFC 2435 over RFC 3550), quantisation tables in band.

/// Payload type of JPEG (RFC 3551, table 5).
pub const PAYLOAD_TYPE: u8 = 26;
/// Ticks a second of its clock (RFC 2435, section 3).
pub const CLOCK_HZ: u32 = 90_000;
/// Bytes of scan in one packet: what an Ethernet frame takes, headers and tables included.
const SCAN_BYTES: usize = 1_200;
/// Q that says "the tables are in this packet, and for this picture alone" (RFC 2435, section 3.1.8).
const Q_IN_BAND: u8 = 255;

/// A JPEG taken apart into what RFC 2435 sends.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    /// 0 for chroma halved across, 1 for chroma halved both ways (RFC 2435, section 4.1).
    kind: u8,
    width: u16,
    height: u16,
    /// Tables of luma and chroma, in zigzag order.
    tables: [&'a [u8]; 2],
    scan: &'a [u8],
}

/// Reads the segments of a baseline JPEG; `None` for what RFC 2435 has no number for.
fn parts(jpeg: &[u8]) -> Option<Parts<'_>> {
    let mut rest = jpeg.strip_prefix(&[0xff, 0xd8])?;
    let mut tables: [Option<&[u8]>; 4] = [None; 4];
    let mut frame = None;
    loop {
        let [0xff, marker, high, low, ..] = *rest else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let content = rest.get(4..2 + length)?;
        rest = &rest[2 + length..];
        match marker {
            0xdb => {
                for table in content.chunks(65) {
                    let (number, values) = table.split_first()?;
                    // The upper half of the number is the precision: 16 bits a value are not sent here.
                    *tables.get_mut(usize::from(*number))? = Some(values).filter(|values| values.len() == 64);
                }
            }
            0xc0 => frame = Some(content),
            0xc1..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xdd => return None,
            0xda => break,
            // Huffman tables are the usual ones or the receiver sees nonsense; application data stays here.
            0xc4 | 0xe0..=0xef | 0xfe => {}
            0..=0xbf | 0xc8 | 0xcc | 0xd0..=0xd9 | 0xdc | 0xde | 0xdf | 0xf0..=0xfd | 0xff => return None,
        }
    }
    let &[8, h1, h0, w1, w0, 3, _, luma, luma_table, _, 0x11, blue_table, _, 0x11, red_table] = frame? else {
        return None;
    };
    let kind = match luma {
        0x21 => 0,
        0x22 => 1,
        0..=0x20 | 0x23..=0xff => return None,
    };
    let scan = rest.strip_suffix(&[0xff, 0xd9]).unwrap_or(rest);
    let table = |number: u8| tables.get(usize::from(number)).copied().flatten();
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    (blue_table == red_table).then_some(())?;
    Some(Parts { kind, width, height, tables: [table(luma_table)?, table(blue_table)?], scan })
}

/// Numbers the packets of one stream.
#[derive(Debug)]
pub struct Packetiser {
    sequence: u16,
    source: u32,
}

impl Packetiser {
    /// A stream whose packets begin with `sequence` and name `source` as theirs (SSRC).
    pub fn new(sequence: u16, source: u32) -> Self {
        Self { sequence, source }
    }

    /// Number of the next packet.
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// The packets of a picture taken at `ticks` of [`CLOCK_HZ`]; `None` if RFC 2435 cannot carry it: chroma must be halved, sides be
    /// multiples of eight up to 2040, tables of eight bits, the coding baseline without restarts.
    pub fn picture(&mut self, jpeg: &[u8], ticks: u32) -> Option<Vec<Vec<u8>>> {
        let parts = parts(jpeg)?;
        let eighths = |side: u16| u8::try_from(side / 8).ok().filter(|n| *n > 0 && side.is_multiple_of(8));
        let (width, height) = (eighths(parts.width)?, eighths(parts.height)?);
        let count = parts.scan.len().div_ceil(SCAN_BYTES);
        let packet = |(index, piece): (usize, &[u8])| {
            let offset = u32::try_from(index * SCAN_BYTES).ok().filter(|offset| *offset < 1 << 24)?;
            let [_, o2, o1, o0] = offset.to_be_bytes();
            let mut bytes = self.header(ticks, index + 1 == count);
            bytes.extend_from_slice(&[0, o2, o1, o0, parts.kind, Q_IN_BAND, width, height]);
            if index == 0 {
                // No precision bits set: both tables have eight bits a value.
                bytes.extend_from_slice(&[0, 0, 0, 128]);
                bytes.extend_from_slice(&parts.tables.concat());
            }
            bytes.extend_from_slice(piece);
            Some(bytes)
        };
        parts.scan.chunks(SCAN_BYTES).enumerate().map(packet).collect()
    }

    /// A packet that no receiver can read as a picture: a broken camera's.
    pub fn garbage(&mut self, bytes: &[u8], ticks: u32) -> Vec<u8> {
        let mut packet = self.header(ticks, true);
        // Far too short to be a header of its own kind.
        packet.extend_from_slice(&bytes[..bytes.len().min(5)]);
        packet
    }

    fn header(&mut self, ticks: u32, last: bool) -> Vec<u8> {
        let mut bytes = vec![0x80, PAYLOAD_TYPE | if last { 0x80 } else { 0 }];
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&ticks.to_be_bytes());
        bytes.extend_from_slice(&self.source.to_be_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::baseline::encode;

    fn picture() -> Vec<u8> {
        let rgb: Vec<u8> = (0..64 * 48 * 3).map(|k: u32| (k.wrapping_mul(k).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        encode(&rgb, 64, 48, 90)
    }

    /// By hand after RFC 2435, section 3.1, and RFC 3550, section 5.1.
    #[test]
    fn packets_stand_as_the_rfc_draws_them() {
        let jpeg = picture();
        let packets = Packetiser::new(65_535, 0x0102_0304).picture(&jpeg, 0x0a0b_0c0d).unwrap();
        assert!(packets.len() > 2);
        let (first, second, last) = (&packets[0], &packets[1], packets.last().unwrap());
        assert_eq!(first[..12], [0x80, 26, 0xff, 0xff, 0x0a, 0x0b, 0x0c, 0x0d, 1, 2, 3, 4]);
        assert_eq!(second[..4], [0x80, 26, 0, 0], "the number wraps");
        assert_eq!(last[1], 0x80 | 26, "the marker ends the picture");
        // Offset 0, type 1, Q 255, 8 x 6 blocks; no precision bits, 128 bytes of tables.
        assert_eq!(first[12..24], [0, 0, 0, 0, 1, 255, 8, 6, 0, 0, 0, 128]);
        assert_eq!(second[12..20], [0, 0, 0x04, 0xb0, 1, 255, 8, 6]);
        // The tables stand in the file behind their markers, five bytes in.
        let at = jpeg.windows(2).position(|two| two == [0xff, 0xdb]).unwrap() + 5;
        assert_eq!(first[24..88], jpeg[at..at + 64]);
        let scan = first[152..].iter().chain(packets[1..].iter().flat_map(|packet| &packet[20..]));
        let scan: Vec<u8> = scan.copied().collect();
        assert!(jpeg.ends_with(&[&scan[..], &[0xff, 0xd9]].concat()));
    }

    #[test]
    fn what_the_rfc_has_no_number_for_is_refused() {
        let rgb = vec![90; 64 * 48 * 3];
        let mut whole = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new(&mut whole);
        image::ImageEncoder::write_image(encoder, &rgb, 64, 48, image::ExtendedColorType::Rgb8).unwrap();
        let mut packets = Packetiser::new(0, 0);
        assert!(packets.picture(&whole, 0).is_none(), "chroma is not halved");
        assert!(packets.picture(&encode(&rgb, 60, 48, 90), 0).is_none(), "no multiple of eight");
        assert!(packets.picture(&picture()[..100], 0).is_none());
        assert!(packets.picture(b"no picture", 0).is_none());
        assert_eq!(packets.sequence(), 0, "nothing was sent");
    }
}
