//! From the station file to what each room wants to know.

use super::calibrations::Calibrations;
use super::config::{self, StationConfig, Tls};
use super::eyes::Mounted;
use super::secrets::{self, SecretError};
use crate::access::Mode;
use crate::access::loopback::{NotLoopback, only_loopback};
use crate::io::camera::CameraOptions;
use crate::io::onnx::View;
use crate::io::serial::{Parity, PortEvent, SerialLink, SerialOptions};
use augenmass_core::basket::{InStorePattern, PatternFault};
use augenmass_core::goods::{BagBelief, ContainerBelief};
use augenmass_core::station;
use augenmass_core::units::BadId;
use augenmass_core::verdict::{Policy, Versions};
use augenmass_core::vision::{PlaneFault, PlateCamera};
use augenmass_core::weighing::indicator::{BadIndicator, Indicator, IndicatorConfig};
use augenmass_core::weighing::settle::SettleConfig;
use augenmass_core::weighing::wire::hbm_aed::Output;
use augenmass_core::weighing::wire::{WeightKind, WireOptions};
use augenmass_core::weighing::{BoardConfig, CellConfig, InstrumentConfig, ScaleConfig};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// A station file that is sound in itself, but asks for what this version cannot do.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// A finished scale that no conversation can be held with.
    #[error("[[indicator]] {name}: {fault}")]
    Indicator {
        /// Its name.
        name: String,
        /// What is wrong.
        fault: BadIndicator,
    },
    /// A secret that is not there or none.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A camera whose four points cannot be.
    #[error("[[camera]] {name}: plate_points: {fault}")]
    Place {
        /// Its name.
        name: String,
        /// What is wrong.
        fault: PlaneFault,
    },
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
pub fn station(
    file: &StationConfig,
    calibrations: &Calibrations,
    versions: Versions,
) -> Result<station::StationConfig, WiringError> {
    if file.api.tls == Tls::Off || file.api.access == Mode::Open {
        only_loopback(file.api.listen)?;
    }
    let patterns = file.in_store_codes.iter().cloned().map(InStorePattern::try_from);
    Ok(station::StationConfig {
        id: file.station.id.parse()?,
        code: file.station.code.clone(),
        scale: scale(file, calibrations)?,
        has_camera: !file.cameras.is_empty(),
        without_camera: match file.policy.without_camera {
            config::WithoutCamera::Unavailable => station::WithoutCamera::Unavailable,
            config::WithoutCamera::WeightOnly => station::WithoutCamera::WeightOnly,
        },
        containers: file.containers.iter().map(container).collect(),
        bags: BagBelief::one(file.bags.mean_g, file.bags.sigma_g),
        in_store_codes: patterns.collect::<Result<_, _>>()?,
        policy: Policy {
            error_rate: file.policy.error_rate,
            false_alarm_cost: file.policy.false_alarm_cost,
            staff_cost: file.policy.staff_cost,
            waiting_cost_per_s: file.policy.waiting_cost_per_s,
            first_visit_grace: file.policy.first_visit_grace,
            control_sample: file.policy.control_sample,
            stale_weight_rate: file.policy.stale_weight_rate,
            wrong_label_rate: file.policy.wrong_label_rate,
            age_check: file.policy.age_check == config::AgeCheck::Staff,
            max_corrections: file.policy.max_corrections,
        },
        versions,
    })
}

fn container(file: &config::Container) -> ContainerBelief {
    ContainerBelief::of_kind(file.kind.as_str(), file.tare_g, file.sigma_g)
}

/// The sense of weight as the core wants it.
///
/// # Errors
/// A finished scale that cannot be talked to, a secret that is missing.
pub fn scale(file: &StationConfig, calibrations: &Calibrations) -> Result<ScaleConfig, WiringError> {
    let platform = &file.platform;
    let mut instruments: Vec<InstrumentConfig> =
        file.boards.iter().map(|board| InstrumentConfig::Board(self::board(board, calibrations))).collect();
    for scale in &file.indicators {
        let built = Indicator::new(indicator(scale, &file.data_directory)?);
        let indicator = built.map_err(|fault| WiringError::Indicator { name: scale.name.clone(), fault })?;
        instruments.push(InstrumentConfig::Indicator(Box::new(indicator)));
    }
    Ok(ScaleConfig {
        instruments,
        settle: SettleConfig {
            frequency_hz: platform.natural_frequency_hz,
            reference_mass_g: platform.reference_mass_g,
            dead_mass_g: platform.dead_mass_g,
            damping_ratio: platform.damping_ratio,
            noise_g: 1.0,
            sigma_g: calibrations.sigma_g().fold(platform.sigma_g, f64::max),
            quantum_g: 0.0,
        },
        max_g: platform.max_g,
        division_g: platform.division_g,
        empty_below_g: platform.empty_below_g,
        sigma_share: platform.sigma_share,
        twist_share: platform.twist_share,
        centre_within_mm: platform.centre_within_mm,
    })
}

fn board(board: &config::BoardConfig, calibrations: &Calibrations) -> BoardConfig {
    let cell = |cell: &config::Cell| {
        let measured = calibrations.cell(&cell.serial_number);
        CellConfig {
            serial_number: cell.serial_number.clone(),
            x_mm: cell.x_mm,
            y_mm: cell.y_mm,
            zero_counts: measured.map_or(cell.zero_counts as f64, |c| c.zero_counts),
            counts_per_g: measured.map_or(cell.counts_per_g, |c| c.counts_per_g),
            capacity_g: cell.capacity_g,
            noise_g: measured.map_or(cell.noise_g, |c| c.noise_g.max(cell.noise_g)),
        }
    };
    BoardConfig {
        name: board.name.clone(),
        plate: board.plate.clone(),
        serial_number: board.serial_number.clone(),
        sample_rate_hz: board.sample_rate_hz,
        bytes_per_s: bytes_per_s(&board.line),
        silence_ms: board.silence_ms,
        cells: board.cells.iter().map(cell).collect(),
    }
}

fn indicator(scale: &config::IndicatorConfig, data_directory: &Path) -> Result<IndicatorConfig, SecretError> {
    let polynomial = scale.polynomial_secret.as_deref().map(|name| secrets::polynomial(data_directory, name));
    Ok(IndicatorConfig {
        name: scale.name.clone(),
        protocol: scale.protocol,
        options: WireOptions {
            unit: scale.unit,
            decimals: scale.decimals,
            checksum: scale.checksum,
            address: scale.address,
            registers: scale.registers.clone(),
            // The one output that station files can have until one needs another.
            hbm: Some(Output::default()),
        },
        serial_number: scale.serial_number.clone(),
        poll_ms: scale.poll_ms,
        response_ms: scale.response_ms,
        silence_ms: scale.silence_ms,
        bytes_per_s: bytes_per_s(&scale.line),
        unit_price_minor: scale.unit_price_minor,
        polynomial: polynomial.transpose()?,
        expects: WeightKind::Gross,
        x_mm: scale.x_mm,
        y_mm: scale.y_mm,
        division_g: scale.division_g,
        max_g: scale.max_g,
        noise_g: scale.noise_g,
        grams_per_digit: scale.grams_per_digit,
    })
}

/// A byte takes its bits, a start bit, its stop bits and a parity bit if there is one.
fn bytes_per_s(line: &config::Line) -> f64 {
    let parity = match line.parity {
        config::Parity::None => 0,
        config::Parity::Even | config::Parity::Odd => 1,
    };
    f64::from(line.baud) / f64::from(1 + line.data_bits + parity + line.stop_bits)
}

/// Starts every instrument's port, in the order in which the core counts them.
pub fn open_ports(file: &StationConfig, events: &mpsc::Sender<PortEvent>) -> Vec<SerialLink> {
    let boards = file.boards.iter().map(|board| &board.line);
    let lines = boards.chain(file.indicators.iter().map(|scale| &scale.line));
    lines.enumerate().map(|(port, line)| SerialLink::start(port, options(line), events.clone())).collect()
}

/// How a port is opened.
pub fn options(line: &config::Line) -> SerialOptions {
    SerialOptions {
        path: line.path.clone(),
        baud: line.baud,
        data_bits: line.data_bits,
        parity: match line.parity {
            config::Parity::None => Parity::None,
            config::Parity::Even => Parity::Even,
            config::Parity::Odd => Parity::Odd,
        },
        stop_bits: line.stop_bits,
        exclusive: line.exclusive,
    }
}

/// Which part of a camera's picture is looked at.
pub fn view(camera: &config::CameraConfig) -> View {
    View { rectangle_px: camera.view_px, platform_px: camera.platform_px.clone() }
}

/// Where a camera is: by the four points that were measured, or as it is said to hang.
///
/// # Errors
/// Four points that leave it open, or that no such camera sees.
pub fn place(camera: &config::CameraConfig) -> Result<PlateCamera, PlaneFault> {
    let picture_px = [camera.width_px, camera.height_px];
    match &camera.plate_points {
        Some(points) => PlateCamera::from_points(points, picture_px, camera.focal_px, camera.height_mm),
        None => Ok(PlateCamera::aimed(picture_px, camera.focal_px, camera.height_mm, camera.at_mm)),
    }
}

/// How each camera is read and where it is, in the order of the station file.
///
/// # Errors
/// A login that is named and not there, a place that cannot be.
pub fn cameras(file: &StationConfig) -> Result<Vec<Mounted>, WiringError> {
    let mounted = |camera: &config::CameraConfig| {
        let login = camera.login_secret.as_deref().map(|name| secrets::camera_login(&file.data_directory, name));
        let stale = Duration::from_millis(camera.stale_ms);
        let options = CameraOptions { url: camera.url.clone(), login: login.transpose()?, stale };
        let place = place(camera).map_err(|fault| WiringError::Place { name: camera.name.clone(), fault })?;
        Ok(Mounted { config: camera.clone(), options, place })
    };
    file.cameras.iter().map(mounted).collect()
}
