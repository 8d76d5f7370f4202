//! Certificates by which handhelds, gates and servers of the retailer's show who they are, instead of a token.
//!
//! What is registered is the name in a certificate and not its fingerprint: device management renews certificates every few months, and
//! nobody should have to go round all stations each time. The retailer's authority vouches for the name; that it is this station's, and
//! what it may do, only the station's list of credentials says. A certificate of the right authority that is not on it opens nothing.

use augenmass_core::units::Wall;
use rustls::RootCertStore;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::sync::Arc;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use super::certificate::CertificateError;

/// A name with its kind is not longer, characters.
const NAME_MAX: usize = 256;
/// More names than these are not looked up.
const NAMES_MAX: usize = 8;

/// What a client showed during the handshake, already verified against the retailer's authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Names in it, as [`name`] writes them: those of the subject alternative name, or the common name of one without.
    pub names: Vec<String>,
    /// When it expires: connections may outlive it.
    pub expires_at: Wall,
}

/// What every request of a connection carries: `None` without a certificate. Only the door puts it there, from the handshake; no header can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer(pub Option<Arc<PeerCertificate>>);

impl Peer {
    /// The certificate while it is good.
    pub fn now(&self, now: Wall) -> Option<&PeerCertificate> {
        self.0.as_deref().filter(|certificate| now < certificate.expires_at)
    }
}

/// Reads the first certificate of a chain that a client showed; `None` if nothing in it can be registered.
pub fn peer(chain: &[CertificateDer<'_>]) -> Option<PeerCertificate> {
    let (_, parsed) = parse_x509_certificate(chain.first()?).ok()?;
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    let mut names: Vec<String> = alternatives
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|general| match general {
            GeneralName::DNSName(text) => name(&format!("dns:{text}")),
            GeneralName::URI(text) => name(&format!("uri:{text}")),
            _ => None,
        })
        .take(NAMES_MAX)
        .collect();
    if alternatives.is_none() {
        let common = parsed.subject().iter_common_name().next().and_then(|common| common.as_str().ok());
        names.extend(common.and_then(|text| name(&format!("cn:{text}"))));
    }
    let expires_at = Wall::from_ms(parsed.validity().not_after.timestamp().saturating_mul(1000));
    (!names.is_empty()).then_some(PeerCertificate { names, expires_at })
}

/// A name as it is registered: `dns:` (in lower case), `uri:` or `cn:`, and the text. `None` if it is none.
pub fn name(text: &str) -> Option<String> {
    let (kind, rest) = text.split_once(':')?;
    let good = !rest.is_empty() && text.chars().count() <= NAME_MAX && !rest.chars().any(char::is_control);
    match kind {
        "dns" if good => Some(format!("dns:{}", rest.to_ascii_lowercase())),
        "uri" | "cn" if good => Some(text.to_owned()),
        _ => None,
    }
}

/// Asks clients for a certificate of these authorities (PEM). Who has none is let through to the routes' own rules; who shows one of
/// somebody else's, an expired one, or one that is not for clients, gets no connection.
///
/// # Errors
/// A text that holds no certificate.
pub fn verifier(authorities: &str) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
        roots.add(certificate?)?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
        .allow_unauthenticated()
        .build()
        .map_err(|_| CertificateError::NoAuthority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

    fn shown(common: &str, alternatives: Vec<SanType>) -> Option<PeerCertificate> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common);
        params.subject_alt_names = alternatives;
        params.not_after = date_time_ymd(2027, 1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        peer(&[certificate.der().clone()])
    }

    #[test]
    fn the_alternative_names_count_and_the_common_name_only_without_them() {
        let dns = SanType::DnsName("MC33-42.Devices.Example".try_into().unwrap());
        let uri = SanType::URI("urn:device:42".try_into().unwrap());
        let both = shown("somebody", vec![dns, uri]).unwrap();
        assert_eq!(both.names, ["dns:mc33-42.devices.example", "uri:urn:device:42"]);
        assert_eq!(both.expires_at, Wall::from_ms(1_798_761_600_000), "2027-01-01T00:00:00Z");
        assert_eq!(shown("MC33 42", Vec::new()).unwrap().names, ["cn:MC33 42"]);
        // A mail address is nothing that is registered here, and does not let the common name in by the back door.
        let mail = SanType::Rfc822Name("a@example.com".try_into().unwrap());
        assert_eq!(shown("somebody", vec![mail]), None);
        let peer = Peer(Some(Arc::new(both)));
        assert!(peer.now(Wall::from_ms(1_798_761_599_999)).is_some());
        assert!(peer.now(Wall::from_ms(1_798_761_600_000)).is_none() && Peer(None).now(Wall::from_ms(0)).is_none());
    }

    #[test]
    fn a_name_says_of_which_kind_it_is() {
        assert_eq!(name("dns:A.b").as_deref(), Some("dns:a.b"));
        assert_eq!(name("uri:urn:X").as_deref(), Some("uri:urn:X"));
        for bad in ["a.b", "dns:", "ip:10.0.0.1", "cn:a\nb", &format!("cn:{}", "x".repeat(254))] {
            assert_eq!(name(bad), None, "{bad}");
        }
        assert!(verifier("").is_err() && verifier("nothing").is_err());
    }
}
