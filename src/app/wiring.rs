//! From the station file to what each room wants to know.

use super::config::{self, StationConfig};
use crate::access::loopback::{NotLoopback, only_loopback};
use crate::io::camera::CameraOptions;
use crate::io::serial::{Parity, SerialOptions};
use augenmass_core::basket::{InStorePattern, PatternFault};
use augenmass_core::goods::{BagBelief, ContainerBelief};
use augenmass_core::station;
use augenmass_core::units::BadId;
use augenmass_core::verdict::{Policy, Versions};
use augenmass_core::weighing::settle::SettleConfig;
use augenmass_core::weighing::{BoardConfig, CellConfig, ScaleConfig};
use std::time::Duration;

/// A station file that is sound in itself, but asks for what this version cannot do.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// One board for now.
    #[error("[[board]] stands {0} times; this version reads exactly one board a station")]
    Boards(usize),
    /// One camera for now.
    #[error("[[camera]] stands {0} times; this version looks through one camera at most")]
    Cameras(usize),
    /// An identifier that would not survive a URL.
    #[error("[station].id: {0}")]
    Id(#[from] BadId),
    /// A pattern that is none.
    #[error("[[in_store_code]].pattern: {0}")]
    Pattern(#[from] PatternFault),
    /// An address that would let strangers in.
    #[error("[api].listen: {0}")]
    Listen(#[from] NotLoopback),
}

/// The station as the core wants it.
///
/// # Errors
/// What this version cannot do.
pub fn station(file: &StationConfig, versions: Versions) -> Result<station::StationConfig, WiringError> {
    only_loopback(file.api.listen)?;
    let [board] = file.boards.as_slice() else { return Err(WiringError::Boards(file.boards.len())) };
    if file.cameras.len() > 1 {
        return Err(WiringError::Cameras(file.cameras.len()));
    }
    let patterns = file.in_store_codes.iter().cloned().map(InStorePattern::try_from);
    Ok(station::StationConfig {
        id: file.station.id.parse()?,
        code: file.station.code.clone(),
        scale: scale(file, board),
        has_camera: !file.cameras.is_empty(),
        without_camera: match file.policy.without_camera {
            config::WithoutCamera::Unavailable => station::WithoutCamera::Unavailable,
            config::WithoutCamera::WeightOnly => station::WithoutCamera::WeightOnly,
        },
        containers: file.containers.iter().map(container).collect(),
        bags: BagBelief { mean_g: file.bags.mean_g, sigma_g: file.bags.sigma_g },
        in_store_codes: patterns.collect::<Result<_, _>>()?,
        policy: Policy {
            error_rate: file.policy.error_rate,
            false_alarm_cost: file.policy.false_alarm_cost,
            max_corrections: file.policy.max_corrections,
        },
        versions,
    })
}

fn container(file: &config::Container) -> ContainerBelief {
    ContainerBelief { kind: file.kind.as_str().to_owned(), tare_g: file.tare_g, sigma_g: file.sigma_g }
}

fn scale(file: &StationConfig, board: &config::BoardConfig) -> ScaleConfig {
    let platform = &file.platform;
    let cell = |cell: &config::Cell| CellConfig {
        x_mm: cell.x_mm,
        y_mm: cell.y_mm,
        zero_counts: cell.zero_counts as f64,
        counts_per_g: cell.counts_per_g,
        capacity_g: cell.capacity_g,
        noise_g: cell.noise_g,
    };
    ScaleConfig {
        board: BoardConfig {
            name: board.name.clone(),
            serial_number: board.serial_number.clone(),
            sample_rate_hz: board.sample_rate_hz,
            silence_ms: board.silence_ms,
            cells: board.cells.iter().map(cell).collect(),
        },
        settle: SettleConfig {
            frequency_hz: platform.natural_frequency_hz,
            reference_mass_g: platform.reference_mass_g,
            dead_mass_g: platform.dead_mass_g,
            damping_ratio: platform.damping_ratio,
            noise_g: 1.0,
            sigma_g: platform.sigma_g,
            quantum_g: 0.0,
        },
        max_g: platform.max_g,
        division_g: platform.division_g,
        empty_below_g: platform.empty_below_g,
    }
}

/// How the board's port is opened.
pub fn serial(board: &config::BoardConfig) -> SerialOptions {
    SerialOptions {
        path: board.path.clone(),
        baud: board.baud,
        data_bits: board.data_bits,
        parity: match board.parity {
            config::Parity::None => Parity::None,
            config::Parity::Even => Parity::Even,
            config::Parity::Odd => Parity::Odd,
        },
        stop_bits: board.stop_bits,
        exclusive: board.exclusive,
    }
}

/// How the camera is read.
pub fn camera(camera: &config::CameraConfig) -> CameraOptions {
    CameraOptions { url: camera.url.clone(), stale: Duration::from_millis(camera.stale_ms) }
}
