//! One decoder for whatever a station file says is spoken.

use super::{Event, Protocol, WireOptions, adapter, dialog, mt_sics, nci, toledo_8217};

/// The decoder of one protocol.
#[derive(Clone, Debug)]
pub enum Decoder {
    /// Our own board.
    Lcb(adapter::Lcb),
    /// MT-SICS and KCP.
    MtSics(mt_sics::Decoder),
    /// Checkout-Dialog 06, 04 and 02.
    Dialog(dialog::Decoder),
    /// Toledo 8217 and 8213.
    Toledo8217(toledo_8217::Decoder),
    /// NCI SCP-01, SCP-02 and ECR.
    Nci(nci::Decoder),
}

impl Decoder {
    /// A decoder between two frames.
    pub fn new(protocol: Protocol, options: &WireOptions) -> Option<Self> {
        match protocol {
            Protocol::Lcb => Some(Self::Lcb(adapter::Lcb::default())),
            Protocol::MtSics => Some(Self::MtSics(mt_sics::Decoder::new(options))),
            Protocol::Dialog06 | Protocol::Dialog04 | Protocol::Dialog02 => {
                Some(Self::Dialog(dialog::Decoder::new(protocol, options)))
            }
            Protocol::Toledo8217 => Some(Self::Toledo8217(toledo_8217::Decoder::new(options))),
            Protocol::Nci => Some(Self::Nci(nci::Decoder::new(options))),
            Protocol::ModbusLaumas
            | Protocol::ModbusFlintec
            | Protocol::ToledoContinuous
            | Protocol::Cas
            | Protocol::And
            | Protocol::HbmAed => None,
        }
    }

    /// Takes bytes as they come, in any split, and tells every event to `out`. Memory is bounded whatever comes.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event)) {
        match self {
            Self::Lcb(decoder) => decoder.push(bytes, out),
            Self::MtSics(decoder) => decoder.push(bytes, out),
            Self::Dialog(decoder) => decoder.push(bytes, out),
            Self::Toledo8217(decoder) => decoder.push(bytes, out),
            Self::Nci(decoder) => decoder.push(bytes, out),
        }
    }

    /// Tells that the line has been quiet for longer than a frame may pause (50 ms), or has ended: what is half there
    /// becomes an error and will not be completed by what comes later.
    pub fn pause(&mut self, out: &mut dyn FnMut(Event)) {
        match self {
            Self::Lcb(decoder) => decoder.pause(out),
            Self::MtSics(decoder) => decoder.pause(out),
            Self::Dialog(decoder) => decoder.pause(out),
            Self::Toledo8217(decoder) => decoder.pause(out),
            Self::Nci(decoder) => decoder.pause(out),
        }
    }
}
