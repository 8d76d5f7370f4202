//! `augenmass run`: opens all doors, restores what was, and drives the station until it is told to stop.

use super::access::{AccessError, of_station};
use super::calibrations::{CalibrationFileError, Calibrations};
use super::config::{ConfigFaults, StationConfig, Tls, parse};
use super::driver::{Driver, Sinks, Sources};
use super::enrolment::Enroller;
use super::eyes::StationEyes;
use super::goods::{GoodsWatch, LooksWatch};
use super::look_school::LookSchool;
use super::scanner;
use super::school::House;
use super::serve::{self, TlsError};
use super::telemetry;
use super::wiring::{self, WiringError};
use crate::access::Mode;
use crate::api::{Hub, ServiceInfo, Views, router};
use crate::io::clock::Clock;
use crate::io::journal::{Journal, JournalOptions};
use crate::io::onnx::{Eyes, EyesError, EyesOptions};
use crate::io::store::{Database, StoreError, Writer};
use augenmass_core::goods::catalogue::hex;
use augenmass_core::station::{Machine, Restored, StationView};
use augenmass_core::verdict::Versions;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The station file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The station file has faults.
    #[error("{0}")]
    Config(#[from] ConfigFaults),
    /// A calibration that the station file names cannot be used.
    #[error(transparent)]
    Calibration(#[from] CalibrationFileError),
    /// The station file asks for what this version cannot do.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The models do not load.
    #[error("{0}")]
    Eyes(#[from] EyesError),
    /// The address is taken.
    #[error("cannot listen on {address}: {source}; does another station run here? Change [api].listen")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The journal cannot be written.
    #[error("cannot write the journal in {}: {source}", path.display())]
    Journal {
        /// Its folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no TLS to start with.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is no access control to start with.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The runtime or the server broke.
    #[error("the daemon cannot go on: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Reads and checks a station file; also gives its SHA-256.
///
/// # Errors
/// A file that cannot be read, and all its faults.
pub fn load_config(path: &Path) -> Result<(StationConfig, String), StartError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| StartError::Unreadable { path: path.to_owned(), source })?;
    let config = parse(&text, &path.display().to_string())?;
    Ok((config, hex(&Sha256::digest(text.as_bytes()))))
}

/// The hash that stands for a station file with its calibrations: what was calibrated anew weighs differently.
pub fn config_hash(file_hash: String, calibrations: &Calibrations) -> String {
    match calibrations.text() {
        "" => file_hash,
        text => hex(&Sha256::digest(format!("{file_hash}{text}").as_bytes())),
    }
}

/// Loads the models of a station.
///
/// # Errors
/// See [`EyesError`].
pub fn open_eyes(config: &StationConfig) -> Result<Eyes, EyesError> {
    Eyes::start(&EyesOptions {
        models_directory: config.models.directory.clone(),
        onnxruntime: config.models.onnxruntime.clone(),
    })
}

/// Runs the station until SIGINT or SIGTERM.
///
/// # Errors
/// Everything that keeps it from starting, with the mend. Once it runs, faults are states and no errors.
pub async fn run(path: &Path) -> Result<(), StartError> {
    let (config, file_hash) = load_config(path)?;
    let calibrations = Calibrations::read(&config)?;
    let config_hash = config_hash(file_hash, &calibrations);
    let clock = Clock::start();
    let eyes = if config.cameras.is_empty() { None } else { Some(open_eyes(&config)?) };
    let models_hash = eyes.as_ref().map(|e| e.models().manifest_sha256.clone()).unwrap_or_default();
    let versions = Versions {
        catalogue: String::new(),
        models: models_hash.clone(),
        config: config_hash.clone(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let station = wiring::station(&config, &calibrations, versions)?;
    let listen = config.api.listen;
    let listener = TcpListener::bind(listen).await.map_err(|source| StartError::Listen { address: listen, source })?;
    let info = ServiceInfo {
        station_id: config.station.id.clone(),
        station_code: config.station.code.clone(),
        station_name: config.station.name.clone(),
        software: env!("CARGO_PKG_VERSION"),
        config_hash,
        models_hash,
    };
    let database = Database::open(&config.data_directory)?;
    let restored: Restored = database.restore()?;
    let house = House::new(&station);
    let machine = Machine::new(station, restored, clock.now());

    let journal = open_journal(&config, &info.config_hash, clock)?;
    let cameras = wiring::cameras(&config)?;
    let (inputs, heard) = mpsc::channel(64);
    let looks = eyes.as_ref().map(|eyes| LooksWatch::new(&config.data_directory, eyes.models()));
    let (seen, seen_visits) = mpsc::channel(64);
    let look_school = config.models.learn_looks.then(|| LookSchool::new(seen_visits));
    let seen = look_school.is_some().then_some(seen);
    let goods = GoodsWatch { database, looks, look_school, inputs: inputs.clone(), clock, house };
    let goods = tokio::task::spawn_blocking(move || goods.run());
    let (serial_events, serial) = mpsc::channel(1024);
    let (store_events, store) = mpsc::unbounded_channel();
    let (calls, requests) = mpsc::channel(256);
    let (views, views_seen) = watch::channel(Views::new());
    let (station_view, station_seen) = watch::channel(machine.view());
    let station_eyes = eyes.clone().map(|eyes| {
        let hours = Duration::from_secs(u64::from(config.privacy.crops_hours) * 3600);
        let plate_mm = [config.platform.width_mm, config.platform.depth_mm];
        StationEyes::start(eyes, cameras, plate_mm, hours, clock, inputs)
    });
    let enrolment = enroller(&config, eyes, station_eyes.as_ref(), &station_seen, clock).map(Enroller::start);
    let sinks = Sinks {
        serial: wiring::open_ports(&config, &serial_events),
        writer: Writer::start(&config.data_directory, clock, store_events)?,
        journal,
        eyes: station_eyes,
        seen,
        views,
        station: station_view,
    };
    let driver =
        tokio::spawn(Driver::new(machine, clock, sinks).run(Sources { serial, inputs: heard, calls: requests, store }));
    let page = Arc::new(|| telemetry::metrics_page().map(|p| p.render()).unwrap_or_default());
    let access = of_station(&config)?;
    let door = serve::open(&config).await?;
    let hub = Hub::new(calls, views_seen, station_seen, info, config.data_directory.clone(), page, access)
        .with_certificate(door.certificate.clone())
        .with_enrolment(enrolment);
    if let Some(wanted) = config.scanner.clone() {
        tokio::spawn(scanner::serve(wanted, hub.clone()));
    }
    let address = listener.local_addr()?;
    match config.api.access {
        Mode::Required => {
            tracing::info!(%address, station = config.station.id, tls = config.api.tls != Tls::Off, "listening")
        }
        Mode::Open => tracing::warn!(
            %address,
            station = config.station.id,
            "listening on this machine only, and open to everybody on it: [api].access says so"
        ),
    }
    door.serve(listener.into_std()?, router(hub), told_to_stop()).await?;
    goods.abort();
    driver.abort();
    let _ = driver.await;
    Ok(())
}

/// Who enrols products under the first camera.
fn enroller(
    config: &StationConfig,
    eyes: Option<Eyes>,
    station_eyes: Option<&StationEyes>,
    station: &watch::Receiver<StationView>,
    clock: Clock,
) -> Option<Enroller> {
    Some(Enroller {
        eyes: eyes?,
        frames: station_eyes?.frames()?,
        view: wiring::view(config.cameras.first()?),
        station: station.clone(),
        data: config.data_directory.clone(),
        clock,
    })
}

/// Begins the journal if the station file wants one.
fn open_journal(config: &StationConfig, config_hash: &str, clock: Clock) -> Result<Option<Journal>, StartError> {
    let Some(wanted) = &config.journal else { return Ok(None) };
    let boards = config.boards.iter().map(|b| b.name.clone());
    let options = JournalOptions {
        directory: wanted.directory.clone(),
        max_bytes: wanted.max_mb.saturating_mul(1_000_000),
        station: config.station.id.clone(),
        config_hash: config_hash.to_owned(),
        ports: boards.chain(config.indicators.iter().map(|i| i.name.clone())).collect(),
    };
    let now = clock.now();
    let directory = wanted.directory.clone();
    let failed = |source| StartError::Journal { path: directory, source };
    Journal::start(options, now.mono, now.wall).map(Some).map_err(failed)
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
    tracing::info!("stopping");
}
