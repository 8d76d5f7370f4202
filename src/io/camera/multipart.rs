//! Takes `multipart/x-mixed-replace` apart (RFC 2046 section 5.1, and what cameras make of it).
//!
//! Pure, bounded, and liberal: parts with or without a length, line ends with or without a carriage
//! return, boundaries with dashes too many. What cannot be a part is skipped up to the next boundary.

use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};

/// Longest part; a sharp 12-megapixel JPEG is about this.
pub const PART_LIMIT: usize = 4 << 20;
/// Longest header of a part.
pub const HEADER_LIMIT: usize = 8 << 10;

/// One part of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What is between the header and the next boundary.
    pub body: Bytes,
    /// When its first byte had come: what it shows is at least that old.
    pub began: Instant,
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultipartFault {
    /// A part is longer than [`PART_LIMIT`].
    #[error("a part is longer than {PART_LIMIT} bytes")]
    PartTooLong,
    /// A part's header is longer than [`HEADER_LIMIT`].
    #[error("the header of a part is longer than {HEADER_LIMIT} bytes")]
    HeaderTooLong,
}

/// Where in the stream the next byte stands.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Before a boundary; bytes are skipped.
    Boundary,
    /// After a boundary, in the part's header.
    Header,
    /// In a part that said how long it is.
    Measured { length: usize, began: Instant },
    /// In a part that ends where the next boundary is; `scanned` bytes hold none.
    Open { scanned: usize, began: Instant },
    /// After the last boundary.
    End,
}

/// The parts of one stream, as they come in. Holds at most one part and one chunk.
#[derive(Debug)]
pub struct Multipart {
    delimiter: Vec<u8>,
    buffer: BytesMut,
    state: State,
}

impl Multipart {
    /// For a stream whose `Content-Type` names `boundary`.
    pub fn new(boundary: &str) -> Self {
        // Some cameras name the boundary with its dashes and send it without two more.
        let core = boundary.strip_prefix("--").unwrap_or(boundary);
        Self { delimiter: [b"--", core.as_bytes()].concat(), buffer: BytesMut::new(), state: State::Boundary }
    }

    /// Takes the stream's next bytes. Call [`Multipart::next_part`] until it gives `None`
    /// before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole part, if there is one; `now` is when the last push came.
    ///
    /// # Errors
    /// What goes beyond the limits; the stream must then be given up.
    pub fn next_part(&mut self, now: Instant) -> Result<Option<Part>, MultipartFault> {
        loop {
            match self.state {
                State::Boundary => {
                    if !self.skip_boundary() {
                        return Ok(None);
                    }
                }
                State::Header => match self.take_header(now)? {
                    Some(state) => self.state = state,
                    None => return Ok(None),
                },
                State::Measured { length, began } => {
                    if self.buffer.len() < length {
                        self.buffer.reserve(length - self.buffer.len());
                        return Ok(None);
                    }
                    self.state = State::Boundary;
                    return Ok(Some(Part { body: self.buffer.split_to(length).freeze(), began }));
                }
                State::Open { scanned, began } => match self.take_open(scanned)? {
                    Some(body) => return Ok(Some(Part { body, began })),
                    None => {
                        let scanned = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
                        self.state = State::Open { scanned, began };
                        return Ok(None);
                    }
                },
                State::End => {
                    self.buffer.clear();
                    return Ok(None);
                }
            }
        }
    }

    /// Whether the stream has said that it is over.
    pub fn ended(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Skips to behind the next boundary's line; `false` when more bytes are needed.
    fn skip_boundary(&mut self) -> bool {
        let Some(at) = find(&self.buffer, &self.delimiter, 0) else {
            let keep = self.delimiter.len() - 1;
            self.buffer.advance(self.buffer.len().saturating_sub(keep));
            return false;
        };
        self.buffer.advance(at);
        let after = &self.buffer[self.delimiter.len()..];
        if after.starts_with(b"--") {
            self.state = State::End;
            return true;
        }
        let Some(line_end) = after.iter().position(|byte| *byte == b'\n') else {
            return self.drop_if_no_line();
        };
        self.buffer.advance(self.delimiter.len() + line_end + 1);
        self.state = State::Header;
        true
    }

    /// A boundary whose line does not end is picture data that looks like one.
    fn drop_if_no_line(&mut self) -> bool {
        if self.buffer.len() > self.delimiter.len() + 256 {
            self.buffer.advance(self.delimiter.len());
            return true;
        }
        false
    }

    /// Takes a part's header; `None` when more bytes are needed.
    fn take_header(&mut self, now: Instant) -> Result<Option<State>, MultipartFault> {
        let Some((length, header_end)) = header(&self.buffer) else {
            if self.buffer.len() > HEADER_LIMIT {
                return Err(MultipartFault::HeaderTooLong);
            }
            return Ok(None);
        };
        if header_end > HEADER_LIMIT {
            return Err(MultipartFault::HeaderTooLong);
        }
        self.buffer.advance(header_end);
        match length {
            Some(length) if length > PART_LIMIT => Err(MultipartFault::PartTooLong),
            Some(length) => Ok(Some(State::Measured { length, began: now })),
            None => Ok(Some(State::Open { scanned: 0, began: now })),
        }
    }

    /// Takes the part up to the next boundary, which stays; `None` when more bytes are needed.
    fn take_open(&mut self, scanned: usize) -> Result<Option<Bytes>, MultipartFault> {
        match find(&self.buffer, &self.delimiter, scanned) {
            Some(at) if at > PART_LIMIT => Err(MultipartFault::PartTooLong),
            Some(at) => {
                let mut body = self.buffer.split_to(at);
                for end in [b'\n', b'\r'] {
                    if body.last() == Some(&end) {
                        body.truncate(body.len() - 1);
                    }
                }
                self.state = State::Boundary;
                Ok(Some(body.freeze()))
            }
            None if self.buffer.len() > PART_LIMIT + self.delimiter.len() => Err(MultipartFault::PartTooLong),
            None => Ok(None),
        }
    }
}

/// The boundary that a `Content-Type` names, if it is one of a multipart stream.
pub fn boundary(content_type: &str) -> Option<&str> {
    let mut fields = content_type.split(';').map(str::trim);
    let kind = fields.next()?;
    if !kind.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    fields
        .filter_map(|field| field.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim().trim_matches('"'))
        .filter(|value| !value.trim_start_matches('-').is_empty())
}

/// The `Content-Length` in a part's header, and where the header ends; `None` while it has not ended.
fn header(bytes: &[u8]) -> Option<(Option<usize>, usize)> {
    let mut length = None;
    let mut start = 0;
    loop {
        let end = start + bytes[start..].iter().position(|byte| *byte == b'\n')?;
        let line = bytes[start..end].strip_suffix(b"\r").unwrap_or(&bytes[start..end]);
        start = end + 1;
        if line.is_empty() {
            return Some((length, start));
        }
        let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':')) else {
            continue;
        };
        if name.trim().eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let from = from.min(bytes.len());
    bytes[from..].windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(boundary: &str, chunks: &[&[u8]]) -> Result<Vec<Vec<u8>>, MultipartFault> {
        let mut parser = Multipart::new(boundary);
        let mut found = Vec::new();
        let now = Instant::now();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(part) = parser.next_part(now)? {
                found.push(part.body.to_vec());
            }
        }
        Ok(found)
    }

    /// Two parts with a length, one without, an empty one; bodies that look like boundaries and headers.
    const STREAM: &[u8] = b"preamble --frame\x00\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 12\r\n\r\n\
        ab\r\n--frame-\n\r\n--frame\r\ncontent-length:3\r\n\r\nxyz\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n\
        \xff\xd8 --fram \r\n\r\n\xff\xd9\r\n--frame\nContent-Length: 0\n\n\n--frame--\r\n--frame\r\n\r\nlate";

    fn expected() -> Vec<Vec<u8>> {
        vec![b"ab\r\n--frame-".to_vec(), b"xyz".to_vec(), b"\xff\xd8 --fram \r\n\r\n\xff\xd9".to_vec(), Vec::new()]
    }

    #[test]
    fn whole_and_byte_by_byte_and_split_at_every_point() {
        assert_eq!(parts("frame", &[STREAM]).unwrap(), expected());
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(parts("frame", &bytes).unwrap(), expected());
        for at in 0..=STREAM.len() {
            let (left, right) = STREAM.split_at(at);
            assert_eq!(parts("frame", &[left, right]).unwrap(), expected(), "split at {at}");
        }
    }

    #[test]
    fn garbage_before_a_boundary_is_skipped_and_not_kept() {
        let garbage = vec![b'-'; 3 << 20];
        let mut parser = Multipart::new("frame");
        for chunk in garbage.chunks(1000) {
            parser.push(chunk);
            assert_eq!(parser.next_part(Instant::now()), Ok(None));
            assert!(parser.buffer.len() < 2000);
        }
        parser.push(b"\r\n--frame\r\n\r\nbody\r\n--frame\r\n");
        assert_eq!(parser.next_part(Instant::now()).unwrap().unwrap().body, &b"body"[..]);
    }

    #[test]
    fn a_length_that_lies_costs_one_part_only() {
        let stream = b"--f\r\nContent-Length: 2\r\n\r\nlonger\r\n--f\r\nContent-Length: 4\r\n\r\ngood\r\n--f\r\n";
        assert_eq!(parts("f", &[stream]).unwrap(), [b"lo".to_vec(), b"good".to_vec()]);
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_kept() {
        let announced = format!("--f\r\nContent-Length: {}\r\n\r\n", PART_LIMIT + 1);
        assert_eq!(parts("f", &[announced.as_bytes()]), Err(MultipartFault::PartTooLong));
        let endless = [b"--f\r\n\r\n".to_vec(), vec![0; PART_LIMIT + 100]].concat();
        let chunks: Vec<&[u8]> = endless.chunks(1 << 16).collect();
        assert_eq!(parts("f", &chunks), Err(MultipartFault::PartTooLong));
        let header = [b"--f\r\nX: ".to_vec(), vec![b'a'; HEADER_LIMIT]].concat();
        assert_eq!(parts("f", &[&header]), Err(MultipartFault::HeaderTooLong));
        let longest =
            [format!("--f\r\nContent-Length: {PART_LIMIT}\r\n\r\n").into_bytes(), vec![7; PART_LIMIT]].concat();
        assert_eq!(parts("f", &[&longest]).unwrap()[0].len(), PART_LIMIT);
    }

    #[test]
    fn a_part_is_as_old_as_its_first_byte() {
        let mut parser = Multipart::new("f");
        let early = Instant::now();
        parser.push(b"--f\r\n\r\nslow");
        assert_eq!(parser.next_part(early), Ok(None));
        parser.push(b"\r\n--f\r\n");
        let part = parser.next_part(early + std::time::Duration::from_secs(1)).unwrap().unwrap();
        assert_eq!(part.began, early);
    }

    #[test]
    fn boundaries_as_cameras_name_them() {
        assert_eq!(boundary("multipart/x-mixed-replace; boundary=frame"), Some("frame"));
        assert_eq!(boundary("Multipart/X-Mixed-Replace;BOUNDARY=\"--my b\""), Some("--my b"));
        assert_eq!(boundary("multipart/x-mixed-replace"), None);
        assert_eq!(boundary("image/jpeg; boundary=frame"), None);
        let dashes_in_the_name = b"--cam\r\nContent-Length: 1\r\n\r\na\r\n--cam\r\n";
        assert_eq!(parts("--cam", &[dashes_in_the_name]).unwrap(), [b"a".to_vec()]);
        let two_more_dashes = b"----cam\r\nContent-Length: 1\r\n\r\na\r\n----cam\r\n";
        assert_eq!(parts("--cam", &[two_more_dashes]).unwrap(), [b"a".to_vec()]);
    }
}
