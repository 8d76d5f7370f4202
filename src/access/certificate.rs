//! The station's TLS certificate: made by itself, or the retailer's own.

use augenmass_core::units::Wall;
use jiff::tz::TimeZone;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use x509_parser::parse_x509_certificate;

use super::client_certificate::verifier;

/// A self-made certificate lives for so long, days: what browsers and phones accept at most.
const LIFE_DAYS: i64 = 397;
/// It is made anew when it has less than so many days left.
const RENEW_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The certificate or key is none.
    #[error("no certificate chain or key in PEM: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The certificate and the key do not belong together, or are of a kind that is not supported.
    #[error("the certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// The certificate cannot be read.
    #[error("the certificate cannot be understood")]
    Unreadable,
    /// The file of authorities holds none.
    #[error("the file in [api].client_ca holds no certificate of an authority")]
    NoAuthority,
}

/// What is told of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// When it expires.
    pub expires_at: Wall,
    /// SHA-256 of it, hexadecimal: what is compared on the first visit.
    pub fingerprint: String,
}

/// A new private key, PEM.
///
/// # Errors
/// A system that makes none.
pub fn make_key() -> Result<String, CertificateError> {
    Ok(KeyPair::generate()?.serialize_pem())
}

/// A certificate that the station signs for itself, PEM, for these names and addresses. The key stays the same over renewals, so that
/// whoever has pinned it need not do so again.
///
/// # Errors
/// A key that is none, or a name that is none.
pub fn make(key: &str, station: &str, names: &[String], now: Wall) -> Result<String, CertificateError> {
    let mut params = CertificateParams::new(names.to_vec())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, station);
    params.distinguished_name = subject;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let day = |days: i64| {
        let at = jiff::Timestamp::from_millisecond(now.ms() + days * DAY_MS).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let date = at.to_zoned(TimeZone::UTC).date();
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    // From yesterday on: a phone's clock may be behind.
    (params.not_before, params.not_after) = (day(-1), day(LIFE_DAYS));
    Ok(params.self_signed(&KeyPair::from_pem(key)?)?.pem())
}

/// What is told of the first certificate of a chain in PEM.
///
/// # Errors
/// Something else than a certificate.
pub fn inspect(chain: &str) -> Result<CertificateInfo, CertificateError> {
    let first = CertificateDer::pem_slice_iter(chain.as_bytes()).next().ok_or(CertificateError::Unreadable)??;
    let (_, parsed) = parse_x509_certificate(&first).map_err(|_| CertificateError::Unreadable)?;
    let expires_at = Wall::from_ms(parsed.validity().not_after.timestamp().saturating_mul(1000));
    let fingerprint = Sha256::digest(&first).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(CertificateInfo { expires_at, fingerprint })
}

/// Whether a self-made certificate is to be made anew.
pub fn is_due(info: &CertificateInfo, now: Wall) -> bool {
    info.expires_at.ms() - now.ms() < RENEW_DAYS * DAY_MS
}

/// What a server needs; with `authorities` (PEM), clients may show a certificate of theirs.
///
/// # Errors
/// A chain and a key that are none, or do not belong together; authorities that are none.
pub fn server(chain: &str, key: &str, authorities: Option<&str>) -> Result<Arc<ServerConfig>, CertificateError> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
    let builder =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()?;
    let builder = match authorities {
        None => builder.with_no_client_auth(),
        Some(authorities) => builder.with_client_cert_verifier(verifier(authorities)?),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T18:00:00Z.
    const NOW: Wall = Wall::from_ms(1_795_284_000_000);

    #[test]
    fn a_self_made_certificate_serves_and_is_renewed_in_time() {
        let key = make_key().unwrap();
        let names = ["station-1.store.example".to_owned(), "127.0.0.1".to_owned()];
        let chain = make(&key, "basket-1", &names, NOW).unwrap();
        let info = inspect(&chain).unwrap();
        let days = (info.expires_at.ms() - NOW.ms()) / DAY_MS;
        assert!((396..=397).contains(&days), "{days}");
        assert!(!is_due(&info, NOW) && is_due(&info, Wall::from_ms(NOW.ms() + 368 * DAY_MS)));
        assert_eq!(info.fingerprint.len(), 64);
        assert!(server(&chain, &key, None).is_ok());
    }

    #[test]
    fn a_foreign_key_and_other_texts_are_refused() {
        let (key, other) = (make_key().unwrap(), make_key().unwrap());
        let chain = make(&key, "basket-1", &["localhost".to_owned()], NOW).unwrap();
        assert!(matches!(server(&chain, &other, None), Err(CertificateError::Tls(_))));
        assert!(server("", &key, None).is_err() && server(&chain, "nothing", None).is_err());
        assert!(inspect("nothing").is_err() && make("nothing", "s", &[], NOW).is_err());
    }
}
