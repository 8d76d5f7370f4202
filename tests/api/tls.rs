//! The door with TLS, over a real socket.

use crate::station::station_with;
use augenmass::app::{calibrations::Calibrations, config, serve, wiring};
use augenmass_core::verdict::Versions;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

const CLOSED: &str = "access = \"required\"\ntls = \"self-made\"\nhosts = [\"station.store.example\"]";

/// Serves with TLS until the sender is dropped.
async fn served(folder: &Path) -> (SocketAddr, oneshot::Sender<()>) {
    let text = include_str!("../../hw-configs/basket-plate.toml").replace("access = \"open\"", CLOSED);
    let mut file = config::parse(&text, "basket-plate.toml").unwrap();
    file.data_directory = folder.to_owned();
    let door = serve::open(&file).await.unwrap();
    assert!(door.certificate.borrow().is_some());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let router = station_with(folder, &[("access = \"open\"", CLOSED)]);
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(door.serve(listener, router, async {
        let _ = stopped.await;
    }));
    (address, stop)
}

/// The answer to `GET /live`, if the station shows a certificate of this file for this name.
async fn live(address: SocketAddr, chain: &Path, name: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(chain).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TcpStream::connect(address).await?;
    let mut stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await?;
    stream.write_all(b"GET /live HTTP/1.1\r\nhost: station.store.example\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    // A server that closes without a farewell is an error to TLS, and none to us.
    let _ = stream.read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_station_shows_a_certificate_of_its_own_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let (address, stop) = served(folder.path()).await;
    let chain = folder.path().join("station-certificate.pem");
    let answer = live(address, &chain, "station.store.example").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"live\":true"), "{answer}");
    assert!(live(address, &chain, "other.example").await.is_err(), "not a name of this station");
    // Without TLS nobody is answered.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("live"));
    let first = std::fs::read(&chain).unwrap();
    drop(stop);
    let (address, _stop) = served(folder.path()).await;
    assert_eq!(std::fs::read(&chain).unwrap(), first, "who has accepted it need not again");
    assert!(live(address, &chain, "localhost").await.is_ok());
}

#[tokio::test]
async fn a_key_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(served(folder.path()).await);
    let key = folder.path().join("secrets/tls-key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let text = include_str!("../../hw-configs/basket-plate.toml").replace("access = \"open\"", CLOSED);
    let mut file = config::parse(&text, "basket-plate.toml").unwrap();
    file.data_directory = folder.path().to_owned();
    assert!(serve::open(&file).await.is_err());
}

#[test]
fn the_store_network_is_listened_on_only_behind_tls_and_access_control() {
    let with = |listen: &str, how: &str| {
        let text = include_str!("../../hw-configs/basket-plate.toml");
        let text = text.replace("127.0.0.1:8787", listen).replace("access = \"open\"", how);
        config::parse(&text, "basket-plate.toml").map_err(|faults| faults.to_string())
    };
    let (closed, open) = ("0.0.0.0:8787", "access = \"open\"\ntls = \"self-made\"");
    let open_to_the_store = with(closed, CLOSED).unwrap();
    assert!(wiring::station(&open_to_the_store, &Calibrations::default(), Versions::default()).is_ok());
    assert!(with(closed, "access = \"required\"").unwrap_err().contains("that needs tls"));
    assert!(with(closed, open).unwrap_err().contains("access = \"required\""));
    assert!(with("127.0.0.1:1", "tls = \"retailer\"").unwrap_err().contains("certificate"));
    assert!(with("127.0.0.1:1", "tls = \"retailer\"\ncertificate = \"chain.pem\"").is_ok());
}
