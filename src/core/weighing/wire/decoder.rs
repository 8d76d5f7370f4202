//! One decoder for whatever a station file says is spoken.

use super::{Event, Protocol, WireOptions};
use super::{adapter, and, cas, dialog, hbm_aed, modbus, mt_sics, nci, toledo_8217, toledo_continuous};

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
    /// LAUMAS and Flintec transmitters, and others by their register map.
    Modbus(modbus::Decoder),
    /// Toledo continuous.
    ToledoContinuous(toledo_continuous::Decoder),
    /// CAS AP-1.
    Cas(cas::Decoder),
    /// A&D standard.
    And(and::Decoder),
    /// HBM digital load cells.
    HbmAed(hbm_aed::Decoder),
}

impl Decoder {
    /// A decoder between two frames.
    pub fn new(protocol: Protocol, options: &WireOptions) -> Self {
        match protocol {
            Protocol::Lcb => Self::Lcb(adapter::Lcb::default()),
            Protocol::MtSics => Self::MtSics(mt_sics::Decoder::new(options)),
            Protocol::Dialog06 | Protocol::Dialog04 | Protocol::Dialog02 => {
                Self::Dialog(dialog::Decoder::new(protocol, options))
            }
            Protocol::Toledo8217 => Self::Toledo8217(toledo_8217::Decoder::new(options)),
            Protocol::Nci => Self::Nci(nci::Decoder::new(options)),
            Protocol::ModbusLaumas => Self::Modbus(modbus::Decoder::laumas(options)),
            Protocol::ModbusFlintec => Self::Modbus(modbus::Decoder::flintec(options)),
            Protocol::ToledoContinuous => Self::ToledoContinuous(toledo_continuous::Decoder::new(options)),
            Protocol::Cas => Self::Cas(cas::Decoder::new(options)),
            Protocol::And => Self::And(and::Decoder::new(options)),
            Protocol::HbmAed => Self::HbmAed(hbm_aed::Decoder::new(options)),
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
            Self::Modbus(decoder) => decoder.push(bytes, out),
            Self::ToledoContinuous(decoder) => decoder.push(bytes, out),
            Self::Cas(decoder) => decoder.push(bytes, out),
            Self::And(decoder) => decoder.push(bytes, out),
            Self::HbmAed(decoder) => decoder.push(bytes, out),
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
            Self::Modbus(decoder) => decoder.pause(out),
            Self::ToledoContinuous(decoder) => decoder.pause(out),
            Self::Cas(decoder) => decoder.pause(out),
            Self::And(decoder) => decoder.pause(out),
            Self::HbmAed(decoder) => decoder.pause(out),
        }
    }
}
