//! Without TLS the API is for this machine alone, and for a proxy on it that has TLS.

use std::net::SocketAddr;

/// An address that would let strangers in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} can be reached from other machines; without TLS only a loopback address such as 127.0.0.1 is allowed")]
pub struct NotLoopback(pub SocketAddr);

/// Lets only loopback addresses be listened on.
///
/// # Errors
/// Any other address.
pub fn only_loopback(address: SocketAddr) -> Result<SocketAddr, NotLoopback> {
    if address.ip().is_loopback() { Ok(address) } else { Err(NotLoopback(address)) }
}

/// Whether a request's `Host` names this machine. A page of somebody else's in a browser here can reach loopback under a
/// name of its own (DNS rebinding); what it cannot do is send our name.
pub fn is_own_host(host: &str) -> bool {
    let name = without_port(host);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

/// The name in a `Host`.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_network_cannot_be_listened_on() {
        assert!(only_loopback("127.0.0.1:8787".parse().unwrap()).is_ok());
        assert!(only_loopback("[::1]:0".parse().unwrap()).is_ok());
        for open in ["0.0.0.0:8787", "192.168.1.7:80", "[::]:80"] {
            assert!(only_loopback(open.parse().unwrap()).is_err(), "{open}");
        }
    }

    #[test]
    fn a_foreign_name_for_this_machine_is_refused() {
        for own in ["127.0.0.1:8787", "localhost", "localhost:1", "[::1]:8787", "[::1]"] {
            assert!(is_own_host(own), "{own}");
        }
        for foreign in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "127.0.0.1:x"] {
            assert!(!is_own_host(foreign), "{foreign}");
        }
    }
}
