//! What the routes see of the station: requests go one way, views come the other. No route touches the machine itself.

use super::enrolment::EnrolmentDoor;
use super::pictures::Pictures;
use super::problem::Problem;
use crate::access::Access;
use crate::access::certificate::CertificateInfo;
use crate::io::clock::Clock;
use crate::io::store::{Database, StoreError};
use augenmass_core::desk::{Board, Kept};
use augenmass_core::station::{Answer, Refusal, Request, StationView, ValidationView};
use augenmass_core::units::ValidationId;
use axum::body::Bytes;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// A request on its way to the station, with where its answer goes.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub request: Request,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Answer, Refusal>>,
}

/// Published validations.
pub type Views = BTreeMap<ValidationId, ValidationView>;

/// What does not change while the daemon runs.
#[derive(Clone, Debug)]
pub struct ServiceInfo {
    /// The station's identifier.
    pub station_id: String,
    /// The code by which a handheld asks for it.
    pub station_code: String,
    /// For people.
    pub station_name: String,
    /// Version of the software.
    pub software: &'static str,
    /// SHA-256 of the station file.
    pub config_hash: String,
    /// SHA-256 of the models' manifest, empty without.
    pub models_hash: String,
}

/// The routes' side of the station; as cheap to clone as each layer of each request does it.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

impl Deref for Hub {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What all routes share.
#[derive(Clone)]
pub struct Shared {
    calls: mpsc::Sender<Call>,
    /// Published validations.
    pub views: watch::Receiver<Views>,
    /// The station as of now.
    pub station: watch::Receiver<StationView>,
    /// What does not change.
    pub info: Arc<ServiceInfo>,
    data: Arc<PathBuf>,
    reader: Arc<Mutex<Option<Database>>>,
    /// Writes the metrics page.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// The certificate in use; `None` without TLS.
    pub certificate: watch::Receiver<Option<CertificateInfo>>,
    /// By which credentials are judged.
    pub clock: Clock,
    /// Whoever enrols products under the camera; `None` without one.
    pub enrolment: Option<Arc<EnrolmentDoor>>,
    /// A place for each stream of events.
    pub streams: Arc<Semaphore>,
    /// What is on staff's mind.
    pub board: Arc<tokio::sync::Mutex<Board>>,
    /// Where the pictures of the last verdicts are.
    pub(super) pictures: Arc<Pictures>,
    /// Counts up with each change of it.
    pub board_news: watch::Sender<u64>,
    /// The API's description, once somebody has asked for it.
    pub description: Arc<OnceLock<Bytes>>,
}

/// Most streams of events at one time.
const STREAMS_MAX: usize = 64;

/// A request that the disk does not finish in this time is given up; it may still be done.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

impl Hub {
    /// The routes' side of a station whose requests are taken from `calls` and whose data lies in `data`.
    pub fn new(
        calls: mpsc::Sender<Call>,
        views: watch::Receiver<Views>,
        station: watch::Receiver<StationView>,
        info: ServiceInfo,
        data: PathBuf,
        metrics: Arc<dyn Fn() -> String + Send + Sync>,
        access: Access,
    ) -> Self {
        let kept = Database::open(&data).and_then(|store| store.desk()).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read who looks after which basket; nobody does");
            Kept::default()
        });
        Self(Arc::new(Shared {
            calls,
            views,
            station,
            info: Arc::new(info),
            data: Arc::new(data),
            reader: Arc::default(),
            board: Arc::new(tokio::sync::Mutex::new(Board::restored(access.rules, kept))),
            board_news: watch::channel(0).0,
            access: Arc::new(access),
            certificate: watch::channel(None).1,
            clock: Clock::start(),
            metrics,
            enrolment: None,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            pictures: Arc::default(),
            description: Arc::default(),
        }))
    }

    /// The same behind a door with TLS, whose certificate is told.
    pub fn with_certificate(self, certificate: watch::Receiver<Option<CertificateInfo>>) -> Self {
        Self(Arc::new(Shared { certificate, ..Arc::unwrap_or_clone(self.0) }))
    }

    /// The same with a camera under which products can be enrolled.
    pub fn with_enrolment(self, door: Option<EnrolmentDoor>) -> Self {
        Self(Arc::new(Shared { enrolment: door.map(Arc::new), ..Arc::unwrap_or_clone(self.0) }))
    }

    /// Asks the station.
    ///
    /// # Errors
    /// What the station refuses, and a station that does not answer.
    pub async fn ask(&self, request: Request) -> Result<Answer, Problem> {
        let (reply, answer) = oneshot::channel();
        self.calls.try_send(Call { request, reply }).map_err(|_| Problem::busy())?;
        match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(refusal))) => Err(Problem::from(refusal)),
            Ok(Err(_)) | Err(_) => Err(Problem::no_answer()),
        }
    }

    /// Reads from the store, off the runtime's own threads.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let (reader, data) = (self.reader.clone(), self.data.clone());
        let done = tokio::task::spawn_blocking(move || {
            let mut held = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let database = match held.take() {
                Some(database) => database,
                None => Database::open(&data)?,
            };
            query(held.insert(database))
        });
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::error!(%error, "cannot read from the store");
                Err(Problem::no_answer())
            }
            Err(_) => Err(Problem::no_answer()),
        }
    }

    /// Writes to the store, off the runtime's own threads and on a connection of its own, so that readers do not wait for it.
    ///
    /// # Errors
    /// The store's.
    pub async fn write<T: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let data = self.data.clone();
        let done = tokio::task::spawn_blocking(move || deed(&mut Database::open(&data)?));
        done.await.map_err(|_| StoreError::GivenUp)?
    }
}
