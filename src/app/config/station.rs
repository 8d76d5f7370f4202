//! A station as its file describes it: plain data, checked.
//!
//! Serialised it has the shape of the file again, so that `print-config` shows what can be copied.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::access::Mode;
use augenmass_core::basket::scanner::ScannerProtocol;
use augenmass_core::weighing::wire::{MassUnit, Protocol, RegisterMap};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

/// Everything the daemon takes from a station file. Masses in grams, lengths in millimetres.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StationConfig {
    /// Who the station is.
    pub station: Station,
    /// Where it answers.
    pub api: Api,
    /// Folder of the station's own data (SQLite file).
    #[serde(rename = "data", serialize_with = "as_directory")]
    pub data_directory: PathBuf,
    /// Where the models and their engine lie.
    pub models: Models,
    /// The weighing platform.
    pub platform: Platform,
    /// Load-cell boards.
    #[serde(rename = "board", skip_serializing_if = "Vec::is_empty")]
    pub boards: Vec<BoardConfig>,
    /// Finished scales. Boards come first wherever instruments are counted; there is at least one of both together.
    #[serde(rename = "indicator", skip_serializing_if = "Vec::is_empty")]
    pub indicators: Vec<IndicatorConfig>,
    /// Cameras, none to three.
    #[serde(rename = "camera")]
    pub cameras: Vec<CameraConfig>,
    /// What shoppers put on the platform around their goods; one or more, each kind once.
    #[serde(rename = "container")]
    pub containers: Vec<Container>,
    /// A declared own bag without a stated weight.
    pub bags: Bags,
    /// Templates of the store's own codes and labels, as in `29IIIIIWWWWWC` or `deposit 24_____PPPPPC`; the language stands in
    /// `core/basket/codes/template.rs`.
    #[serde(rename = "in_store_code", serialize_with = "as_patterns")]
    pub in_store_codes: Vec<String>,
    /// What the retailer wants.
    pub policy: Policy,
    /// What is kept of pictures.
    pub privacy: Privacy,
    /// A scanner for older handhelds, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanner: Option<Scanner>,
    /// Where what comes over the ports is kept, if anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<Journal>,
}

/// A record of what came over the ports, for `augenmass replay`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Journal {
    /// Folder of its files.
    pub directory: PathBuf,
    /// All files together, megabytes; the oldest go first.
    pub max_mb: u64,
}

/// A scanner on a serial port, 8N1: handhelds that cannot reach the station show their list as a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scanner {
    /// What it speaks: `lines` or `ssi`.
    pub protocol: ScannerProtocol,
    /// The serial port, best as `/dev/serial/by-path/…`.
    pub path: PathBuf,
    /// Bits per second.
    pub baud: u32,
    /// Before the basket's identifier in the code of a list: 1 to 16 printable characters.
    pub prefix: String,
}

/// Who the station is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Station {
    /// Unique in the store: 1 to 64 letters, digits, `-`, `_`, `.`.
    pub id: String,
    /// What a handheld sends to start a validation here: 1 to 16 letters, digits, `-`, `_`, `.`.
    pub code: String,
    /// For people.
    pub name: String,
}

/// Where the local API answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Api {
    /// Loopback address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether everybody on this machine may do everything; no, if nothing is said.
    #[serde(serialize_with = "as_mode")]
    pub access: Mode,
    /// Whose certificate is shown; without one only this machine is listened to.
    #[serde(serialize_with = "as_tls")]
    pub tls: Tls,
    /// The retailer's certificate with its chain, PEM; its key is the secret `tls-key.pem`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Certificates (PEM) of the authorities by which the retailer's devices show who they are; without it nobody is asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Names of this station besides `localhost`, as a proxy before it passes them on in `Host`.
    pub hosts: Vec<String>,
    /// JWK set with the public keys by which the retailer signs for apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_keys: Option<PathBuf>,
    /// How long an exit token is good, minutes, 1 to 120; 10 if nothing is said.
    pub exit_token_minutes: u32,
}

/// Where the models and the library that runs them lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Models {
    /// Folder with `manifest.json` and the files it names.
    pub directory: PathBuf,
    /// ONNX Runtime's library, when it is not to be found in the usual places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onnxruntime: Option<PathBuf>,
    /// Whether visits that were right teach how goods look.
    pub learn_looks: bool,
}

/// The weighing platform. Its origin is the middle of the plate, x along `width_mm`, y along `depth_mm`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Platform {
    /// Above it the load is overload, never a weight.
    pub max_g: f64,
    /// Division e that a display would show; no limit of resolution.
    pub division_g: f64,
    /// Lighter than this the plate counts as empty.
    pub empty_below_g: f64,
    /// Extent along x.
    pub width_mm: f64,
    /// Extent along y.
    pub depth_mm: f64,
    /// Natural frequency of the plate with `reference_mass_g` on it.
    pub natural_frequency_hz: f64,
    /// Load at which `natural_frequency_hz` holds.
    pub reference_mass_g: f64,
    /// Mass of the plate itself, which rings along.
    pub dead_mass_g: f64,
    /// Share of critical damping, above 0 and below 1.
    pub damping_ratio: f64,
    /// Calibration, corner error, creep and temperature together, 1 sigma.
    pub sigma_g: f64,
    /// The part of it that grows with the load, 1 sigma as a share of the mass.
    pub sigma_share: f64,
    /// Share of a load that the plate's own bending may bring into the contradiction between its cells.
    pub twist_share: f64,
    /// A load whose centre lies further out, along x or y, is not wholly on the plate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub centre_within_mm: Option<[f64; 2]>,
}

/// A serial port and how its line is set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The serial port, best as `/dev/serial/by-path/…`: the place says which instrument it is.
    pub path: PathBuf,
    /// Bits per second.
    pub baud: u32,
    /// 7 or 8.
    pub data_bits: u8,
    /// Parity bit.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
    /// Whether the port is refused while another program holds it, and locked against others.
    pub exclusive: bool,
}

/// One load-cell board on one serial port, speaking LCB/1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoardConfig {
    /// Names the sensor in `/ready` and findings; unique among instruments and cameras.
    pub name: String,
    /// Boards of the same plate name carry one rigid plate together.
    pub plate: String,
    /// What is spoken: always `lcb`.
    pub protocol: Protocol,
    /// Its port.
    #[serde(flatten)]
    pub line: Line,
    /// The board's own number.
    pub serial_number: String,
    /// Samples of all cells per second.
    pub sample_rate_hz: f64,
    /// Without a sample for so many milliseconds the weight is unavailable.
    pub silence_ms: u64,
    /// File with the calibration of its cells, written by `augenmass calibrate`; it overrides what stands at the cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<PathBuf>,
    /// In channel order of the board, 1 to 8.
    #[serde(rename = "cell")]
    pub cells: Vec<Cell>,
}

/// One finished scale on one serial port.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndicatorConfig {
    /// Names the sensor in `/ready` and findings; unique among instruments and cameras.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Its port.
    #[serde(flatten)]
    pub line: Line,
    /// Its own number, for scales that tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// How often it is asked, milliseconds.
    pub poll_ms: u64,
    /// How long an answer may take, milliseconds.
    pub response_ms: u64,
    /// Without news for so many milliseconds the weight is unavailable.
    pub silence_ms: u64,
    /// Unit of its numbers, where they come without one; a scale that names another is not believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<MassUnit>,
    /// Digits after the point, where it sends digits alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Whether its frames end with a checksum, where that is a setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<bool>,
    /// Address on a bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<u8>,
    /// What it rounds to.
    pub division_g: f64,
    /// What it may carry.
    pub max_g: f64,
    /// Middle of its plate.
    pub x_mm: f64,
    /// Middle of its plate.
    pub y_mm: f64,
    /// Noise of one weight, 1 sigma.
    pub noise_g: f64,
    /// Price a kilogram in the smallest unit, for scales that weigh only for a price.
    pub unit_price_minor: u32,
    /// Name of the file in the folder of secrets that holds the polynomial agreed with the scale's maker, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polynomial_secret: Option<String>,
    /// Grams a digit, for digital load cells that send digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grams_per_digit: Option<f64>,
    /// Modbus register map, if it is not the maker's usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registers: Option<RegisterMap>,
}

/// Parity bit of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Parity {
    /// No parity bit.
    None,
    /// Even number of ones.
    Even,
    /// Odd number of ones.
    Odd,
}

/// One load cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The cell's own number; unique in the file.
    pub serial_number: String,
    /// Where it carries the plate, within the plate.
    pub x_mm: f64,
    /// Where it carries the plate, within the plate.
    pub y_mm: f64,
    /// Reading with nothing on the plate, in the range of an i32.
    pub zero_counts: i64,
    /// Counts per gram, positive.
    pub counts_per_g: f64,
    /// What it bears.
    pub capacity_g: f64,
    /// Idle noise of one sample, 1 sigma.
    pub noise_g: f64,
}

/// One camera.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CameraConfig {
    /// Names the sensor in `/ready` and findings; unique among boards and cameras.
    pub name: String,
    /// `http://` address of a `multipart/x-mixed-replace` stream of JPEG pictures, `rtsp://` address of a stream of JPEG over RTP, or
    /// `file://` and the absolute path of a folder into which something puts them; the newest one is shown.
    pub url: String,
    /// Name of the file in the folder of secrets that holds the camera's user name and password, `user:password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_secret: Option<String>,
    /// Width of its picture.
    pub width_px: u32,
    /// Height of its picture.
    pub height_px: u32,
    /// Pictures per second.
    pub frames_per_s: f64,
    /// Without a picture for so many milliseconds the camera counts as out.
    pub stale_ms: u64,
    /// Of the lens above the plate.
    pub height_mm: f64,
    /// Focal length in pixels; the optical axis meets the plate's middle.
    pub focal_px: f64,
    /// How far the lens hangs beside the plate's middle, along x and y; nothing, if nothing is said. Such a camera is turned the shortest
    /// way from straight down until its axis meets the middle.
    #[serde(skip_serializing_if = "is_middle")]
    pub at_mm: [f64; 2],
    /// Four places of the plate and where the camera sees them, `[x_mm, y_mm, x_px, y_px]` each: instead of `at_mm`, for a camera that
    /// hangs otherwise. No three of them on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plate_points: Option<[[f64; 4]; 4]>,
    /// Left, top, right, bottom (right and bottom exclusive): outside it everything is masked.
    pub view_px: [u32; 4],
    /// Corners of the platform in the picture, 3 to 16, where a rectangle would show more than the platform; outside them everything is
    /// masked as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platform_px: Vec<[u32; 2]>,
}

/// What is kept of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Privacy {
    /// Hours for which the things in baskets that did not pass are kept as pictures, 0 (none are) to 72; 24 if nothing is said.
    pub crops_hours: u32,
}

/// What holds the goods.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Container {
    /// Which kind.
    pub kind: ContainerKind,
    /// Mean over the store's own.
    pub tare_g: f64,
    /// Spread, 1 sigma.
    pub sigma_g: f64,
    /// Inside, along x.
    pub width_mm: f64,
    /// Inside, along y.
    pub depth_mm: f64,
    /// Inside, upwards.
    pub height_mm: f64,
}

/// Kinds of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerKind {
    /// A trolley on wheels.
    Trolley,
    /// A hand basket.
    Basket,
    /// Goods straight on the plate.
    None,
}

impl ContainerKind {
    /// As in the station file and on the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trolley => "trolley",
            Self::Basket => "basket",
            Self::None => "none",
        }
    }
}

/// A declared own bag without a stated weight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bags {
    /// Mean.
    pub mean_g: f64,
    /// Spread, 1 sigma.
    pub sigma_g: f64,
}

/// What the retailer wants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// Share of baskets with some honest or dishonest error, above 0 and below 1.
    pub error_rate: f64,
    /// Of stopping an honest shopper, in the shop's currency.
    pub false_alarm_cost: f64,
    /// When a member of staff comes, in the shop's currency.
    pub staff_cost: f64,
    /// Of a second that a shopper waits, in the shop's currency.
    pub waiting_cost_per_s: f64,
    /// A false alarm on somebody's first visit costs so many times as much; 1 to 100.
    pub first_visit_grace: f64,
    /// Share of baskets that would pass and are looked at by staff all the same, 0 to 1.
    pub control_sample: f64,
    /// Share of packs that have silently changed since their weight was learned, 0 to 0.5.
    pub stale_weight_rate: f64,
    /// Share of weight labels that belong to something else, 0 to 0.5.
    pub wrong_label_rate: f64,
    /// After so many `correct` answers in one validation comes `assist`; 1 to 20.
    pub max_corrections: u32,
    /// Baskets worth more than this are approved by two people of the staff, in the currency's minor unit; by one, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub four_eyes_above_minor: Option<i64>,
    /// Who sees to the age of who buys what is sold from an age on.
    pub age_check: AgeCheck,
    /// What is done while the camera is out.
    pub without_camera: WithoutCamera,
}

/// Who sees to the age of who buys what is sold from an age on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeCheck {
    /// The station's staff, before there is an exit token. What a file that says nothing gets: who sells has to look.
    #[default]
    Staff,
    /// Somebody else, in another way: the app has proved it, or a till at the exit.
    Elsewhere,
}

/// What is done while the camera is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutCamera {
    /// Every basket is `unavailable` until it is back.
    Unavailable,
    /// Weight alone decides, and the verdict says so.
    WeightOnly,
}

fn is_middle(at_mm: &[f64; 2]) -> bool {
    *at_mm == [0.0; 2]
}

fn as_directory<S: Serializer>(path: &std::path::Path, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Section<'a> {
        directory: &'a std::path::Path,
    }
    Section { directory: path }.serialize(serializer)
}

fn as_patterns<S: Serializer>(patterns: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Section<'a> {
        pattern: &'a str,
    }
    let mut sequence = serializer.serialize_seq(Some(patterns.len()))?;
    for pattern in patterns {
        sequence.serialize_element(&Section { pattern })?;
    }
    sequence.end()
}

/// Whose certificate is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// None: no TLS.
    Off,
    /// One that the station makes and renews itself.
    SelfMade,
    /// One of the retailer's own authority.
    Retailer,
}

fn as_tls<S: Serializer>(tls: &Tls, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match tls {
        Tls::Off => "off",
        Tls::SelfMade => "self-made",
        Tls::Retailer => "retailer",
    })
}

fn as_mode<S: Serializer>(mode: &Mode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match mode {
        Mode::Required => "required",
        Mode::Open => "open",
    })
}
