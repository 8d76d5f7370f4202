//! Floor 3: who may do what. Until accounts and TLS exist, that is: whoever sits on this machine, and nobody else.

pub mod exit_token;
pub mod loopback;
