//! The station file (`hw-configs/*.toml`) as the simulator needs it.
//!
//! The daemon parses the same file on its own; sections it alone needs are passed over here, so that the file can grow
//! without touching the simulator. Lengths are millimetres, masses grams; the origin is the middle of the plate, x to the
//! right along its width, y along its depth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

mod indicator;
mod line;

pub use indicator::{Indicator, Registers, ScaleProtocol, Unit, WordOrder};
pub use line::{LineFormat, Parity};
use line::{eight, one};

/// Why a station file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HardwareError {
    /// The file cannot be read.
    #[error("cannot read the station file {path}: {source}")]
    Read {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, or a field is missing or of another type; the message names line and column.
    #[error("the station file {path} is not understood:\n{source}")]
    Parse {
        /// The file asked for.
        path: PathBuf,
        /// What the parser said.
        source: Box<toml::de::Error>,
    },
    /// Understood, yet impossible; every fault found is listed.
    #[error("the station file {path} cannot be played:\n  {}", faults.join("\n  "))]
    Invalid {
        /// The file asked for.
        path: PathBuf,
        /// One sentence a fault.
        faults: Vec<String>,
    },
}

/// Everything the simulator plays, from one station file.
#[derive(Debug, Clone, Deserialize)]
pub struct Hardware {
    /// Names of the station.
    pub station: Station,
    /// Where its daemon listens.
    pub api: Api,
    /// The plate.
    pub platform: Platform,
    /// Load-cell boards, one a serial port.
    #[serde(rename = "board", default)]
    pub boards: Vec<Board>,
    /// Finished scales, one a serial port.
    #[serde(rename = "indicator", default)]
    pub indicators: Vec<Indicator>,
    /// Cameras above the plate.
    #[serde(rename = "camera", default)]
    pub cameras: Vec<Camera>,
    /// What shoppers put on the plate around their goods.
    #[serde(rename = "container", default)]
    pub containers: Vec<Container>,
    /// Shoppers' own bags.
    #[serde(default)]
    pub bags: Bags,
    /// A scanner for shoppers' older handhelds.
    pub scanner: Option<Scanner>,
    /// The simulator's own settings.
    #[serde(default)]
    pub simulator: Simulator,
}

/// A scanner on a serial port.
#[derive(Debug, Clone, Deserialize)]
pub struct Scanner {
    /// What it speaks.
    pub protocol: crate::scanner::ScannerProtocol,
    /// Where its port is published.
    pub path: PathBuf,
    /// Line speed.
    pub baud: u32,
}

/// Names of the station.
#[derive(Debug, Clone, Deserialize)]
pub struct Station {
    /// Unique in the store.
    pub id: String,
    /// What a handheld sends as `station_code`.
    pub code: String,
}

/// Where the daemon listens.
#[derive(Debug, Clone, Deserialize)]
pub struct Api {
    /// `host:port` of its HTTP interface.
    pub listen: String,
}

/// The plate: a mass on springs, carried by the cells.
#[derive(Debug, Clone, Deserialize)]
pub struct Platform {
    /// Most it may carry.
    pub max_g: f64,
    /// Size along x.
    pub width_mm: f64,
    /// Size along y.
    pub depth_mm: f64,
    /// Of the plate with `reference_mass_g` on it.
    pub natural_frequency_hz: f64,
    /// The load at which `natural_frequency_hz` holds.
    pub reference_mass_g: f64,
    /// The plate itself; rings along with the load.
    pub dead_mass_g: f64,
    /// Share of critical damping, 0 to 1 (both excluded).
    pub damping_ratio: f64,
    /// Platform uncertainty the judge assumes, 1 sigma.
    pub sigma_g: f64,
}

/// One load-cell board on one serial port.
#[derive(Debug, Clone, Deserialize)]
pub struct Board {
    /// Names the sensor; the name of its cable in the control interface.
    pub name: String,
    /// Where its port is published.
    pub path: PathBuf,
    /// Only `lcb` is played today.
    pub protocol: String,
    /// Name of the rigid plate under which its cells stand; cells of one name carry one plate.
    #[serde(default = "the_plate")]
    pub plate: String,
    /// Line speed.
    pub baud: u32,
    /// 7 or 8.
    #[serde(default = "eight")]
    pub data_bits: u8,
    /// Parity bit.
    #[serde(default)]
    pub parity: Parity,
    /// 1 or 2.
    #[serde(default = "one")]
    pub stop_bits: u8,
    /// The board's own serial number, at most 255 ASCII characters.
    pub serial_number: String,
    /// Samples a second by the board's own clock.
    pub sample_rate_hz: f64,
    /// Load cells in channel order.
    #[serde(rename = "cell", default)]
    pub cells: Vec<Cell>,
}

fn the_plate() -> String {
    "plate".to_owned()
}

impl Board {
    /// Its line.
    pub fn line(&self) -> LineFormat {
        LineFormat { baud: self.baud, data_bits: self.data_bits, parity: self.parity, stop_bits: self.stop_bits }
    }
}

/// One load cell.
#[derive(Debug, Clone, Deserialize)]
pub struct Cell {
    /// Stamped on the cell; stands for its calibration in the info frame.
    pub serial_number: String,
    /// Where it carries the plate.
    pub x_mm: f64,
    /// Where it carries the plate.
    pub y_mm: f64,
    /// Counts with nothing on the plate.
    pub zero_counts: i32,
    /// Counts a gram.
    pub counts_per_g: f64,
    /// Rated load.
    pub capacity_g: f64,
    /// Idle noise of one sample, 1 sigma.
    pub noise_g: f64,
}

/// One camera that looks at the middle of the plate.
#[derive(Debug, Clone, Deserialize)]
pub struct Camera {
    /// Names the camera in the control interface.
    pub name: String,
    /// `http://host:port/path` under which its MJPEG stream is served, or `rtsp://host:port/path` for JPEG over RTP.
    pub url: String,
    /// Picture width.
    pub width_px: u32,
    /// Picture height.
    pub height_px: u32,
    /// Pictures a second.
    pub frames_per_s: f64,
    /// Of the lens above the plate.
    pub height_mm: f64,
    /// Focal length in pixels.
    pub focal_px: f64,
    /// How far the lens hangs beside the plate's middle; turned the shortest way from straight down until its axis meets the middle.
    #[serde(default)]
    pub at_mm: [f64; 2],
}

/// A kind of container.
#[derive(Debug, Clone, Deserialize)]
pub struct Container {
    /// `trolley`, `basket` or `none`.
    pub kind: String,
    /// Mean over the store's own.
    pub tare_g: f64,
    /// Spread over the store's own, 1 sigma.
    pub sigma_g: f64,
    /// Inner size along x.
    pub width_mm: f64,
    /// Inner size along y.
    pub depth_mm: f64,
    /// Height of the rim above the plate.
    pub height_mm: f64,
}

/// Shoppers' own bags, as the retailer assumes them.
#[derive(Debug, Clone, Deserialize)]
pub struct Bags {
    /// Mean mass of one.
    pub mean_g: f64,
    /// Spread, 1 sigma.
    pub sigma_g: f64,
}

impl Default for Bags {
    fn default() -> Self {
        Self { mean_g: 60.0, sigma_g: 35.0 }
    }
}

/// The simulator's own settings; the daemon passes this section over.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Simulator {
    /// `host:port` of its control interface.
    pub control: String,
    /// Cells' gains are off by up to this share of what the station file says: 2e-4 is what a good calibration leaves, 0.01
    /// is a cell that never saw one.
    pub hidden_gain_error: f64,
    /// Cells' zeros are off by up to so many counts.
    pub hidden_zero_counts: f64,
    /// What a cell under its rated load creeps in the long run; less load, less creep.
    pub hidden_creep_g: f64,
    /// How far a cell stays above zero after its load has gone (hysteresis).
    pub hidden_return_g: f64,
    /// Dialects of finished scales by the name of the indicator: `nci` knows "scp-01" (usual) and "scp-02", `toledo-8217`
    /// "rice-lake", `and` "hw".
    pub dialect: BTreeMap<String, String>,
}

impl Default for Simulator {
    fn default() -> Self {
        Self {
            control: "127.0.0.1:8791".to_owned(),
            hidden_gain_error: 2e-4,
            hidden_zero_counts: 0.0,
            hidden_creep_g: 0.0,
            hidden_return_g: 0.0,
            dialect: BTreeMap::new(),
        }
    }
}

impl Camera {
    /// Address and path parts of [`Camera::url`]: `("127.0.0.1:8790", "/top.mjpeg")`; `None` when it is neither
    /// `http://host:port/path` nor `rtsp://host:port/path`.
    pub fn address(&self) -> Option<(&str, &str)> {
        let rest = self.url.strip_prefix("http://").or_else(|| self.url.strip_prefix("rtsp://"))?;
        let slash = rest.find('/')?;
        let (address, path) = rest.split_at(slash);
        address.contains(':').then_some((address, path))
    }

    /// Whether it speaks RTSP instead of HTTP.
    pub fn is_rtsp(&self) -> bool {
        self.url.starts_with("rtsp://")
    }
}

impl Hardware {
    /// Reads and checks a station file.
    ///
    /// # Errors
    /// See [`HardwareError`]; every impossible value is reported at once.
    pub fn read(path: &Path) -> Result<Self, HardwareError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| HardwareError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// As [`Hardware::read`], from text; `path` only stands in messages.
    ///
    /// # Errors
    /// See [`HardwareError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, HardwareError> {
        let hardware: Self = toml::from_str(text)
            .map_err(|source| HardwareError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        let faults = hardware.faults();
        if faults.is_empty() { Ok(hardware) } else { Err(HardwareError::Invalid { path: path.to_owned(), faults }) }
    }

    /// The container of a kind.
    pub fn container(&self, kind: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.kind == kind)
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = self.platform.faults();
        if self.boards.is_empty() && self.indicators.is_empty() {
            faults.push("at least one [[board]] or [[indicator]] is needed".into());
        }
        let mut names = BTreeSet::new();
        let ports = self.boards.iter().map(|board| &board.name);
        for name in ports.chain(self.indicators.iter().map(|indicator| &indicator.name)) {
            if !names.insert(name) {
                faults.push(format!("{name:?} names two ports"));
            }
        }
        faults.extend(self.boards.iter().flat_map(Board::faults));
        faults.extend(self.indicators.iter().flat_map(Indicator::faults));
        faults.extend(self.cameras.iter().flat_map(Camera::faults));
        faults.extend(self.simulator.faults());
        for (name, dialect) in &self.simulator.dialect {
            let indicator = self.indicators.iter().find(|indicator| indicator.name == *name);
            let known = indicator.map_or(&[][..], |indicator| crate::indicator::dialects(indicator.protocol));
            need(
                &mut faults,
                known.contains(&dialect.as_str()),
                format!("[simulator] dialect: indicator {name:?} knows {known:?}, not {dialect:?}"),
            );
        }
        faults
    }
}

/// Notes a fault unless `holds`.
fn need(faults: &mut Vec<String>, holds: bool, fault: impl Into<String>) {
    if !holds {
        faults.push(fault.into());
    }
}

impl Platform {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut need = |holds, fault: &str| need(&mut faults, holds, format!("[platform] {fault}"));
        need(self.width_mm > 0.0 && self.depth_mm > 0.0, "width_mm and depth_mm must be above 0");
        need(self.natural_frequency_hz > 0.0, "natural_frequency_hz must be above 0");
        need(
            self.reference_mass_g >= 0.0 && self.dead_mass_g > 0.0,
            "dead_mass_g must be above 0, reference_mass_g not below",
        );
        need(self.damping_ratio > 0.0 && self.damping_ratio < 1.0, "damping_ratio must lie between 0 and 1");
        faults
    }
}

impl Board {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut need = |holds, fault: &str| need(&mut faults, holds, format!("board {}: {fault}", self.name));
        need(self.protocol == "lcb", "only protocol \"lcb\" is played on a board");
        need(!self.cells.is_empty() && self.cells.len() <= 255, "1 to 255 [[board.cell]] are needed");
        need(self.sample_rate_hz >= 1.0 && self.sample_rate_hz <= 2000.0, "sample_rate_hz must lie between 1 and 2000");
        if let Some(fault) = self.line().fault() {
            need(false, fault);
        }
        need(
            self.serial_number.is_ascii() && self.serial_number.len() <= 64,
            "serial_number must be ASCII, 64 characters at most",
        );
        let sound = |cell: &Cell| cell.counts_per_g != 0.0 && cell.capacity_g > 0.0 && cell.noise_g >= 0.0;
        need(
            self.cells.iter().all(sound),
            "a cell's counts_per_g must not be 0, its capacity_g above 0, its noise_g not below 0",
        );
        faults
    }
}

impl Camera {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut need = |holds, fault: &str| need(&mut faults, holds, format!("camera {}: {fault}", self.name));
        need(
            self.address().is_some(),
            &format!("url must read http://HOST:PORT/PATH or rtsp://HOST:PORT/PATH, it is {:?}", self.url),
        );
        need(self.frames_per_s > 0.0 && self.frames_per_s <= 60.0, "frames_per_s must lie between 0 and 60");
        need(self.width_px >= 16 && self.height_px >= 16, "width_px and height_px must be 16 or more");
        need(self.height_mm > 0.0 && self.focal_px > 0.0, "height_mm and focal_px must be above 0");
        need(self.at_mm.iter().all(|mm| mm.abs() <= 5_000.0), "at_mm must lie within 5000 mm of the middle");
        faults
    }
}

impl Simulator {
    fn faults(&self) -> Vec<String> {
        let hidden = [self.hidden_gain_error, self.hidden_zero_counts, self.hidden_creep_g, self.hidden_return_g];
        let sound = hidden.iter().all(|value| value.is_finite() && *value >= 0.0) && self.hidden_gain_error < 0.5;
        let mut faults = Vec::new();
        need(&mut faults, sound, "[simulator] hidden_... must not be below 0, hidden_gain_error below 0.5");
        faults
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const PLATE: &str = include_str!("../../hw-configs/basket-plate.toml");

    pub(crate) fn plate() -> Hardware {
        Hardware::parse(PLATE, Path::new("basket-plate.toml")).unwrap()
    }

    /// A 30 kg scale with d = 5 g that speaks `protocol`.
    pub(crate) fn indicator(protocol: &str) -> Indicator {
        let text = format!(
            "name = \"scale\"\npath = \"run/scale\"\nprotocol = \"{protocol}\"\nbaud = 9600\nserial_number = \"1234567\"\n\
             unit = \"kg\"\ndecimals = 3\ndivision_g = 5.0\nx_mm = 0.0\ny_mm = 0.0\nmax_g = 30000.0\nnoise_g = 1.0\n"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn reads_the_basket_plate() {
        let hardware = plate();
        assert_eq!(hardware.boards.len(), 1);
        assert_eq!(hardware.boards[0].cells.len(), 4);
        assert_eq!(hardware.cameras[0].address(), Some(("127.0.0.1:8790", "/top.mjpeg")));
        assert_eq!(hardware.container("basket").unwrap().tare_g, 1010.0);
    }

    #[test]
    fn reads_the_trolley_platform() {
        let text = include_str!("../../hw-configs/trolley-150kg.toml");
        let hardware = Hardware::parse(text, Path::new("trolley-150kg.toml")).unwrap();
        assert_eq!(hardware.container("trolley").unwrap().kind, "trolley");
        assert_eq!(hardware.platform.max_g, 150_000.0);
    }

    #[test]
    fn reads_the_finished_scales() {
        for (text, protocol, baud, parity) in [
            (include_str!("../../hw-configs/indicator-mt-sics.toml"), ScaleProtocol::MtSics, 9600, Parity::None),
            (include_str!("../../hw-configs/indicator-dialog06.toml"), ScaleProtocol::Dialog06, 9600, Parity::Odd),
            (
                include_str!("../../hw-configs/indicator-modbus-laumas.toml"),
                ScaleProtocol::ModbusLaumas,
                19_200,
                Parity::None,
            ),
        ] {
            let hardware = Hardware::parse(text, Path::new("indicator.toml")).unwrap();
            assert!(hardware.boards.is_empty());
            let indicator = &hardware.indicators[0];
            assert_eq!((indicator.protocol, indicator.baud, indicator.parity), (protocol, baud, parity));
            assert_eq!(indicator.register_map(), Registers::usual(protocol));
        }
    }

    #[test]
    fn reads_two_plates() {
        let text = include_str!("../../hw-configs/two-plates.toml");
        let hardware = Hardware::parse(text, Path::new("two-plates.toml")).unwrap();
        let plates: Vec<usize> = crate::world::footings(&hardware).iter().map(|footing| footing.plate).collect();
        assert_eq!(plates, [0, 1]);
    }

    #[test]
    fn a_dialect_must_be_one_that_the_scale_knows() {
        let text = include_str!("../../hw-configs/indicator-mt-sics.toml").replace("\"mt-sics\"", "\"nci\"");
        let with = |dialect: &str| {
            Hardware::parse(&format!("{text}dialect = {{ scale = \"{dialect}\" }}\n"), Path::new("x.toml"))
        };
        assert_eq!(with("scp-02").unwrap().simulator.dialect["scale"], "scp-02");
        assert!(with("scp-03").unwrap_err().to_string().contains("scp-02"));
    }

    #[test]
    fn names_every_impossible_value() {
        let text = PLATE
            .replace("damping_ratio = 0.06", "damping_ratio = 1.5")
            .replace("http://127.0.0.1:8790", "rtsp://camera");
        let error = Hardware::parse(&text, Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("damping_ratio"), "{error}");
        assert!(error.contains("camera top"), "{error}");
    }

    #[test]
    fn a_station_needs_a_port_and_ports_need_names_of_their_own() {
        let board = PLATE.split_once("[[board]]").unwrap().1.split_once("[[camera]]").unwrap().0;
        let without = PLATE.replace(&format!("[[board]]{board}"), "");
        let error = Hardware::parse(&without, Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("[[indicator]]"), "{error}");
        let twice = PLATE.replace("[[camera]]", &format!("[[board]]{board}[[camera]]"));
        let error = Hardware::parse(&twice, Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("two ports"), "{error}");
    }

    #[test]
    fn names_the_line_of_a_wrong_type() {
        let text = PLATE.replace("baud = 115200", "baud = \"fast\"");
        let error = Hardware::parse(&text, Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("baud"), "{error}");
        assert!(error.contains("line"), "{error}");
    }
}
