//! Our own board's events in the vocabulary of all scales. The fast path does without: `board` reads [`lcb::Decoder`] itself.

use super::lcb::{self, WireError};
use super::{ErrorKind, Event};

/// [`lcb::Decoder`] with the face of the others.
#[derive(Clone, Debug, Default)]
pub struct Lcb(lcb::Decoder);

impl Lcb {
    /// Takes bytes as they come and tells every event to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        self.0.push(bytes, |event| out(translate(event)));
    }

    /// Tells that the line has been quiet for longer than a frame may pause (50 ms): what is half there will not be completed.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        if let Some(event) = self.0.pause() {
            out(translate(event));
        }
    }
}

fn translate(event: lcb::Event) -> Event {
    match event {
        lcb::Event::Sample(sample) => Event::Sample {
            seq: sample.seq,
            t_us: sample.t_us,
            counts: sample.counts[..sample.channels].to_vec(),
            status: sample.status[..sample.channels].to_vec(),
        },
        lcb::Event::Info(info) => Event::Identity { serial_number: info.serial_number },
        lcb::Event::Ack { seq: _ } => Event::Ack,
        lcb::Event::Nak { seq: _, reason } => Event::Refused {
            command: String::new(),
            reason: match reason {
                1 => "unknown_command".to_owned(),
                2 => "bad_length".to_owned(),
                other => format!("reason_{other}"),
            },
        },
        lcb::Event::Unknown { kind } => Event::Text { command: format!("type_{kind}"), text: String::new() },
        lcb::Event::Error(error) => Event::Error {
            kind: match error {
                WireError::Checksum => ErrorKind::Checksum,
                WireError::Framing => ErrorKind::Framing,
                WireError::Overlong => ErrorKind::Overlong,
                WireError::Partial => ErrorKind::Partial,
                WireError::Version => ErrorKind::Version,
            },
        },
    }
}
