//! The door itself: connections counted, slow ones cut off, TLS where the station file wants it.

use super::config::{StationConfig, Tls};
use super::secrets::{SecretError, tls_key};
use crate::access::certificate::{self, CertificateError, CertificateInfo};
use crate::access::client_certificate::{Peer, peer};
use crate::api::BodyWithin;
use crate::io::clock::Clock;
use axum::middleware::AddExtension;
use axum::{Extension, Router};
use axum_server::Handle;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use std::future::{Future, Ready, ready};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::server::TlsStream;
use tower::{Layer, Service};

/// Most connections at one time: 200 that poll, streams of events, and some to spare.
const CONNECTIONS_MAX: usize = 512;
/// How long a connection may keep its place without getting on.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Who has not sent the head of a request in this time is cut off; also who is silent between two requests.
    pub head: Duration,
    /// A body of JSON must have come in this time.
    pub body: Duration,
    /// Who takes nothing of an answer for so long is cut off: a stream would hold its place for ever.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), body: BodyWithin::default().0, write: Duration::from_secs(20) }
    }
}

/// Connections that are busy when the daemon is told to stop have so long.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// So often the certificate is looked at.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(3600);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("cannot read or write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A certificate in use, looked after.
pub struct Door {
    tls: Option<RustlsConfig>,
    patience: Patience,
    /// What is told of the certificate; `None` without TLS.
    pub certificate: watch::Receiver<Option<CertificateInfo>>,
}

/// Makes ready what the station file wants, and looks after it: what was renewed is used without a restart.
///
/// # Errors
/// A certificate or key that cannot be read, made or used.
pub async fn open(config: &StationConfig) -> Result<Door, TlsError> {
    let (told, certificate) = watch::channel(None);
    if config.api.tls == Tls::Off {
        return Ok(Door { tls: None, patience: Patience::default(), certificate });
    }
    let shown = load(config)?;
    let tls = RustlsConfig::from_config(shown.server()?);
    told.send_replace(Some(certificate::inspect(&shown.chain)?));
    tokio::spawn(look_after(config.clone(), shown, tls.clone(), told));
    Ok(Door { tls: Some(tls), patience: Patience::default(), certificate })
}

async fn look_after(
    config: StationConfig,
    mut used: Shown,
    tls: RustlsConfig,
    told: watch::Sender<Option<CertificateInfo>>,
) {
    loop {
        tokio::time::sleep(CERTIFICATE_EVERY).await;
        let fresh = load(&config).and_then(|shown| Ok((certificate::inspect(&shown.chain)?, shown.server()?, shown)));
        match fresh {
            Ok((info, server, shown)) if shown != used => {
                tracing::info!(fingerprint = info.fingerprint, "other certificates are used from now on");
                tls.reload_from_config(server);
                told.send_replace(Some(info));
                used = shown;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the certificate cannot be renewed; the one in use stays"),
        }
    }
}

/// What the door shows, and by whose word it knows clients; all PEM.
#[derive(PartialEq, Eq)]
struct Shown {
    chain: String,
    key: String,
    authorities: Option<String>,
}

impl Shown {
    fn server(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        certificate::server(&self.chain, &self.key, self.authorities.as_deref())
    }
}

/// What the files hold now; a certificate of its own is made where it is not there yet, or is about to expire.
fn load(config: &StationConfig) -> Result<Shown, TlsError> {
    let read =
        |path: &PathBuf| std::fs::read_to_string(path).map_err(|source| TlsError::File { path: path.clone(), source });
    let authorities = config.api.client_ca.as_ref().map(read).transpose()?;
    let (chain, key) = own(config)?;
    Ok(Shown { chain, key, authorities })
}

fn own(config: &StationConfig) -> Result<(String, String), TlsError> {
    let key = tls_key(&config.data_directory, config.api.tls == Tls::SelfMade)?;
    let path = match &config.api.certificate {
        Some(path) => path.clone(),
        None => config.data_directory.join("station-certificate.pem"),
    };
    let failed = |source| TlsError::File { path: path.clone(), source };
    let now = Clock::start().now().wall;
    match std::fs::read_to_string(&path) {
        Ok(chain) if config.api.tls != Tls::SelfMade => return Ok((chain, key)),
        Ok(chain) if certificate::inspect(&chain).is_ok_and(|info| !certificate::is_due(&info, now)) => {
            return Ok((chain, key));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound && config.api.tls == Tls::SelfMade => {}
        Err(error) => return Err(failed(error)),
    }
    let mut names = config.api.hosts.clone();
    names.extend(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    if !config.api.listen.ip().is_unspecified() && !config.api.listen.ip().is_loopback() {
        names.push(config.api.listen.ip().to_string());
    }
    let chain = certificate::make(&key, &config.station.id, &names, now)?;
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, &chain).and_then(|()| std::fs::rename(&fresh, &path)).map_err(failed)?;
    Ok((chain, key))
}

impl Door {
    /// The same with other patience.
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Serves until `stop` is done.
    ///
    /// # Errors
    /// A listener that breaks.
    pub async fn serve(self, listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
        let handle = Handle::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let stopper = handle.clone();
        let stopping = async {
            stop.await;
            stopper.graceful_shutdown(Some(STOP_WITHIN));
            std::future::pending::<io::Result<()>>().await
        };
        let serving = async {
            let mut server = axum_server::from_tcp(listener)?.handle(handle);
            server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(self.patience.head);
            let router = router.layer(Extension(BodyWithin(self.patience.body)));
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let capped = Capped { places, write_within: self.patience.write };
            match self.tls {
                None => server.acceptor(capped).serve(service).await,
                Some(tls) => {
                    server.acceptor(Introduced(RustlsAcceptor::new(tls).acceptor(capped))).serve(service).await
                }
            }
        };
        tokio::select! {
            done = serving => done,
            never = stopping => never,
        }
    }
}

/// Takes connections while there are places; others are closed at once, before they cost a handshake.
#[derive(Clone)]
struct Capped {
    places: Arc<Semaphore>,
    write_within: Duration,
}

impl<I: AsyncRead + AsyncWrite, S> Accept<I, S> for Capped {
    type Stream = Pin<Box<TimeoutStream<I>>>;
    type Service = Held<S>;
    type Future = Ready<io::Result<(Self::Stream, Held<S>)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.write_within));
        let stream = Box::pin(stream);
        let full = |_| io::Error::other("too many connections");
        ready(
            self.places
                .clone()
                .try_acquire_owned()
                .map_err(full)
                .map(|place| (stream, Held { service, _place: Arc::new(place) })),
        )
    }
}

/// A connection's service, which holds its place until the connection is gone.
#[derive(Clone)]
struct Held<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<S: Service<R>, R> Service<R> for Held<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}

/// Tells each request which certificate its connection showed: what the handshake proved, and nothing that the request says.
#[derive(Clone)]
struct Introduced(RustlsAcceptor<Capped>);

/// A connection that is let in, with what serves it.
type Accepted<I, S> = io::Result<(TlsStream<Pin<Box<TimeoutStream<I>>>>, AddExtension<Held<S>, Peer>)>;

impl<I, S> Accept<I, S> for Introduced
where
    I: AsyncRead + AsyncWrite + Send + 'static,
    S: Send + 'static,
{
    type Stream = TlsStream<Pin<Box<TimeoutStream<I>>>>;
    type Service = AddExtension<Held<S>, Peer>;
    type Future = Pin<Box<dyn Future<Output = Accepted<I, S>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let handshake = self.0.accept(stream, service);
        Box::pin(async move {
            let (stream, held) = handshake.await?;
            let shown = stream.get_ref().1.peer_certificates().and_then(peer).map(Arc::new);
            Ok((stream, Extension(Peer(shown)).layer(held)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_is_sent_away() {
        let capped = Capped { places: Arc::new(Semaphore::new(1)), write_within: Duration::from_secs(1) };
        let (_, held) = capped.accept(tokio::io::empty(), "service").await.unwrap();
        let again = held.clone();
        drop(held);
        assert!(capped.accept(tokio::io::empty(), "service").await.is_err(), "a copy of the service still serves");
        drop(again);
        assert!(capped.accept(tokio::io::empty(), "service").await.is_ok());
    }
}
