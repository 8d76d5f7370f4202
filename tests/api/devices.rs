//! Devices that show a certificate, over real TLS.

use crate::station::{basket, station_with};
use augenmass::access::who::Who;
use augenmass::app::{config, serve};
use augenmass::io::store::Database;
use augenmass_core::units::Wall;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

type Authority = CertifiedIssuer<'static, KeyPair>;
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a device gets from its authority, with changes.
fn device(
    authority: &Authority,
    common: &str,
    dns: Option<&str>,
    change: impl FnOnce(&mut CertificateParams),
) -> Identity {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params.subject_alt_names = dns.into_iter().map(|name| SanType::DnsName(name.try_into().unwrap())).collect();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

struct Shop {
    folder: tempfile::TempDir,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Shop {
    async fn open(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("devices.pem");
        std::fs::write(&file, authority.pem()).unwrap();
        let closed = format!("access = \"required\"\ntls = \"self-made\"\nclient_ca = \"{}\"", file.display());
        let text = include_str!("../../hw-configs/basket-plate.toml").replace("access = \"open\"", &closed);
        let mut station = config::parse(&text, "basket-plate.toml").unwrap();
        station.data_directory = folder.path().to_owned();
        let door = serve::open(&station).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = station_with(folder.path(), &[("access = \"open\"", &closed)]);
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(door.serve(listener, router, async {
            let _ = stopped.await;
        }));
        Self { folder, address, _stop: stop }
    }

    fn register(&self, who: Who, name: &str) -> Option<i64> {
        let mut database = Database::open(self.folder.path()).unwrap();
        let digest = augenmass::access::credential::digest(&augenmass::access::credential::generate().unwrap());
        database.add_certificate(who.as_str(), "x", name, &digest, Wall::from_ms(1)).unwrap()
    }

    /// Status and body of one request on a connection of its own; `None` if the station does not talk to this client.
    async fn ask(&self, shown: Option<&Identity>, head: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let mut stream = connect(self.address, self.folder.path(), shown).await?;
        request(&mut stream, head, body, true).await
    }

    async fn code(&self, shown: Option<&Identity>, head: &str, body: Option<&Value>) -> (u16, String) {
        let (status, answer) = self.ask(shown, head, body).await.unwrap();
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    }
}

type Stream = tokio_rustls::client::TlsStream<TcpStream>;

async fn connect(address: SocketAddr, folder: &Path, shown: Option<&Identity>) -> Option<Stream> {
    let mut roots = RootCertStore::empty();
    let own = folder.join("station-certificate.pem");
    roots.add(CertificateDer::from_pem_file(own).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots);
    let client = match shown {
        None => client.with_no_client_auth(),
        Some((certificate, key)) => client.with_client_auth_cert(vec![certificate.clone()], key.clone_key()).unwrap(),
    };
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(client)).connect(name, stream).await.ok()
}

async fn request(stream: &mut Stream, head: &str, body: Option<&Value>, last: bool) -> Option<(u16, Value)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let headers: String = headers.lines().map(|line| format!("{line}\r\n")).collect();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let close = if last { "connection: close\r\n" } else { "" };
    let text = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n{kind}{close}{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.ok()?;
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let whole = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return Some((status, serde_json::from_str(body).unwrap_or(Value::Null)));
            }
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => answer.extend(&part[..read]),
        }
    }
}

#[tokio::test]
async fn who_shows_a_registered_name_of_the_right_authority_gets_in_and_nobody_else() {
    let (retailer, stranger) = (authority("Retailer devices"), authority("Retailer devices"));
    let shop = Shop::open(&retailer).await;
    shop.register(Who::Handheld, "dns:mc33-42.devices.example").unwrap();
    shop.register(Who::Handheld, "cn:MC33 43").unwrap();
    shop.register(Who::BackOffice, "uri:urn:office").unwrap();
    let name = Some("MC33-42.devices.example");
    let good = device(&retailer, "any", name, |_| {});
    let read = "GET /v1/baskets/b-1";
    // In, where its holder may go and nowhere else.
    assert_eq!(shop.code(Some(&good), read, None).await, (404, "unknown_basket".to_owned()));
    let put = shop.ask(Some(&good), "PUT /v1/baskets/b-1", Some(&basket(1, 1))).await.unwrap();
    assert_eq!(put.0, 201);
    assert_eq!(shop.code(Some(&good), "GET /v1/station", None).await, (403, "forbidden".to_owned()));
    let renewed = device(&retailer, "any", name, |_| {});
    assert_eq!(shop.ask(Some(&renewed), read, None).await.unwrap().0, 200, "renewed by its authority, same name");
    let common = device(&retailer, "MC33 43", None, |_| {});
    assert_eq!(shop.ask(Some(&common), read, None).await.unwrap().0, 200);
    let office = device(&retailer, "any", None, |params| {
        params.subject_alt_names = vec![SanType::URI("urn:office".try_into().unwrap())];
    });
    for path in ["GET /v1/station", "GET /v1/audit", "GET /v1/staff/numbers"] {
        assert_eq!(shop.ask(Some(&office), path, None).await.unwrap().0, 200, "{path}");
        assert_eq!(shop.code(Some(&good), path, None).await.0, if path.ends_with("station") { 403 } else { 401 });
    }
    // Not in, though the handshake is right: nobody registered the name, or there is none.
    let refused = (401, "unauthorised".to_owned());
    for unknown in [
        device(&retailer, "any", Some("other.devices.example"), |_| {}),
        device(&retailer, "MC33 43", Some("other.devices.example"), |_| {}),
    ] {
        assert_eq!(shop.code(Some(&unknown), read, None).await, refused);
        assert_eq!(shop.ask(Some(&unknown), "GET /live", None).await.unwrap().0, 200, "what anybody may ask");
    }
    assert_eq!(shop.code(None, read, None).await, refused);
    // Headers by which proxies speak of certificates are words.
    let words = "x-forwarded-client-cert: Subject=\"CN=MC33 43\"\nx-ssl-client-verify: SUCCESS\nx-ssl-client-s-dn: CN=MC33 43\nclient-cert: :MIIB:";
    assert_eq!(shop.code(None, &format!("{read}\n{words}"), None).await, refused);
    // A token goes first: a bad one is not made good by a certificate.
    let bad = format!("{read}\nauthorization: Bearer aug_made-up");
    assert_eq!(shop.code(Some(&good), &bad, None).await, (401, "bad_credential".to_owned()));
    // A page of somebody else's in that device's browser.
    let foreign = "PUT /v1/baskets/b-2\norigin: https://evil.example";
    assert_eq!(shop.code(Some(&good), foreign, Some(&basket(1, 1))).await, (403, "cross_site".to_owned()));
    // No connection at all.
    for bad in [
        device(&stranger, "any", name, |_| {}),
        device(&retailer, "any", name, |params| {
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        }),
        device(&retailer, "any", name, |params| params.not_before = date_time_ymd(3000, 1, 1)),
        device(&retailer, "any", name, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }),
        (device(&retailer, "any", name, |_| {}).0, device(&retailer, "any", name, |_| {}).1),
    ] {
        let Some(mut stream) = connected(&shop, &bad).await else { continue };
        assert_eq!(request(&mut stream, "GET /live", None, true).await, None);
    }
}

/// A key that does not belong to the certificate is found by the client itself: then there is nothing to send.
async fn connected(shop: &Shop, shown: &Identity) -> Option<Stream> {
    let key = rustls::crypto::ring::sign::any_supported_type(&shown.1).unwrap();
    let fits = rustls::sign::CertifiedKey::new(vec![shown.0.clone()], key).keys_match().is_ok();
    if fits { connect(shop.address, shop.folder.path(), Some(shown)).await } else { None }
}

#[tokio::test]
async fn a_handheld_pairs_its_certificate_by_the_code_and_is_out_when_it_is_revoked() {
    let retailer = authority("Retailer devices");
    let shop = Shop::open(&retailer).await;
    let shown = device(&retailer, "any", Some("mc33-7.devices.example"), |_| {});
    let (_, screen) = shop.ask(None, "GET /v1/display", None).await.unwrap();
    let pair = |code: &str| json!({ "code": code, "name": "MC33 no. 7", "certificate": true });
    let code = screen["pairing_code"].as_str().unwrap();
    let post = "POST /v1/handhelds";
    assert_eq!(shop.code(None, post, Some(&pair(code))).await, (422, "no_certificate".to_owned()));
    assert_eq!(shop.code(Some(&shown), post, Some(&pair("00"))).await, (403, "bad_pairing_code".to_owned()));
    let (status, paired) = shop.ask(Some(&shown), post, Some(&pair(code))).await.unwrap();
    assert_eq!((status, &paired["certificate"]), (201, &json!("dns:mc33-7.devices.example")), "{paired}");
    assert!(paired.get("token").is_none());
    assert_eq!(shop.code(Some(&shown), post, Some(&pair(code))).await, (409, "certificate_known".to_owned()));
    // Revoked while it is connected.
    let mut open = connect(shop.address, shop.folder.path(), Some(&shown)).await.unwrap();
    let put = ("PUT /v1/baskets/b-1", basket(1, 1));
    assert_eq!(request(&mut open, put.0, Some(&put.1), false).await.unwrap().0, 201);
    let number = paired["number"].as_i64().unwrap();
    let mut database = Database::open(shop.folder.path()).unwrap();
    assert!(database.revoke_credential(number, Wall::from_ms(2)).unwrap());
    assert_eq!(request(&mut open, put.0, Some(&put.1), false).await.unwrap().0, 401);
    // The same name may come again, as another credential; nobody has it twice.
    assert!(shop.register(Who::Gate, "dns:mc33-7.devices.example").unwrap() > number);
    assert_eq!(shop.register(Who::Handheld, "dns:mc33-7.devices.example"), None);
    assert_eq!(request(&mut open, put.0, Some(&put.1), true).await.unwrap().1["code"], "forbidden");
}

#[tokio::test]
async fn devices_are_asked_for_certificates_only_where_there_is_tls_and_an_authority() {
    let text = include_str!("../../hw-configs/basket-plate.toml");
    let with = |how: &str| config::parse(&text.replace("access = \"open\"", how), "basket-plate.toml");
    assert!(with("client_ca = \"devices.pem\"").unwrap_err().to_string().contains("over TLS alone"));
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for file in [empty, folder.path().join("none.pem")] {
        let mut station = with(&format!("tls = \"self-made\"\nclient_ca = \"{}\"", file.display())).unwrap();
        station.data_directory = folder.path().to_owned();
        assert!(
            serve::open(&station).await.is_err(),
            "a station that would let nobody in by certificate does not start"
        );
    }
}
