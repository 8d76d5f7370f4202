//! The station file (`hw-configs/*.toml`) as the simulator needs it.
//!
//! The daemon parses the same file on its own; sections it alone needs are passed over here, so that the file can grow
//! without touching the simulator. Lengths are millimetres, masses grams; the origin is the middle of the plate, x to the
//! right along its width, y along its depth.

use std::path::{Path, PathBuf};

use serde::Deserialize;

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
    /// Cameras above the plate.
    #[serde(rename = "camera", default)]
    pub cameras: Vec<Camera>,
    /// What shoppers put on the plate around their goods.
    #[serde(rename = "container", default)]
    pub containers: Vec<Container>,
    /// Shoppers' own bags.
    #[serde(default)]
    pub bags: Bags,
    /// The simulator's own settings.
    #[serde(default)]
    pub simulator: Simulator,
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
    /// Line speed, ten bits a byte.
    pub baud: u32,
    /// The board's own serial number, at most 255 ASCII characters.
    pub serial_number: String,
    /// Samples a second by the board's own clock.
    pub sample_rate_hz: f64,
    /// Load cells in channel order.
    #[serde(rename = "cell", default)]
    pub cells: Vec<Cell>,
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

/// One camera that looks straight down on the middle of the plate.
#[derive(Debug, Clone, Deserialize)]
pub struct Camera {
    /// Names the camera in the control interface.
    pub name: String,
    /// `http://host:port/path` under which its MJPEG stream is served.
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

/// The simulator's own settings.
#[derive(Debug, Clone, Deserialize)]
pub struct Simulator {
    /// `host:port` of its control interface.
    pub control: String,
}

impl Default for Simulator {
    fn default() -> Self {
        Self { control: "127.0.0.1:8791".to_owned() }
    }
}

impl Camera {
    /// Address and path parts of [`Camera::url`]: `("127.0.0.1:8790", "/top.mjpeg")`; `None` when it is not `http://host:port/path`.
    pub fn address(&self) -> Option<(&str, &str)> {
        let rest = self.url.strip_prefix("http://")?;
        let slash = rest.find('/')?;
        let (address, path) = rest.split_at(slash);
        address.contains(':').then_some((address, path))
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
        let mut faults = Vec::new();
        let mut need = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        let plate = &self.platform;
        need(plate.width_mm > 0.0 && plate.depth_mm > 0.0, "[platform] width_mm and depth_mm must be above 0".into());
        need(plate.natural_frequency_hz > 0.0, "[platform] natural_frequency_hz must be above 0".into());
        need(
            plate.reference_mass_g >= 0.0 && plate.dead_mass_g > 0.0,
            "[platform] dead_mass_g must be above 0, reference_mass_g not below".into(),
        );
        need(
            plate.damping_ratio > 0.0 && plate.damping_ratio < 1.0,
            "[platform] damping_ratio must lie between 0 and 1".into(),
        );
        need(!self.boards.is_empty(), "at least one [[board]] is needed".into());
        for board in &self.boards {
            let name = &board.name;
            need(
                board.protocol == "lcb",
                format!("board {name}: protocol {:?} is not played, only \"lcb\" is", board.protocol),
            );
            need(
                !board.cells.is_empty() && board.cells.len() <= 255,
                format!("board {name}: 1 to 255 [[board.cell]] are needed"),
            );
            need(
                board.sample_rate_hz >= 1.0 && board.sample_rate_hz <= 2000.0,
                format!("board {name}: sample_rate_hz must lie between 1 and 2000"),
            );
            need(board.baud >= 1200, format!("board {name}: baud must be 1200 or more"));
            need(
                board.serial_number.is_ascii() && board.serial_number.len() <= 64,
                format!("board {name}: serial_number must be ASCII, 64 characters at most"),
            );
            for (channel, cell) in board.cells.iter().enumerate() {
                need(
                    cell.counts_per_g != 0.0 && cell.capacity_g > 0.0 && cell.noise_g >= 0.0,
                    format!(
                        "board {name}, cell {channel}: counts_per_g must not be 0, capacity_g above 0, noise_g not below 0"
                    ),
                );
            }
        }
        for camera in &self.cameras {
            let name = &camera.name;
            need(
                camera.address().is_some(),
                format!("camera {name}: url must read http://HOST:PORT/PATH, it is {:?}", camera.url),
            );
            need(
                camera.frames_per_s > 0.0 && camera.frames_per_s <= 60.0,
                format!("camera {name}: frames_per_s must lie between 0 and 60"),
            );
            need(
                camera.width_px >= 16 && camera.height_px >= 16,
                format!("camera {name}: width_px and height_px must be 16 or more"),
            );
            need(
                camera.height_mm > 0.0 && camera.focal_px > 0.0,
                format!("camera {name}: height_mm and focal_px must be above 0"),
            );
        }
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
    fn names_every_impossible_value() {
        let text = PLATE
            .replace("damping_ratio = 0.06", "damping_ratio = 1.5")
            .replace("http://127.0.0.1:8790", "rtsp://camera");
        let error = Hardware::parse(&text, Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("damping_ratio"), "{error}");
        assert!(error.contains("camera top"), "{error}");
    }

    #[test]
    fn names_the_line_of_a_wrong_type() {
        let text = PLATE.replace("baud = 115200", "baud = \"fast\"");
        let error = Hardware::parse(&text, Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("baud"), "{error}");
        assert!(error.contains("line"), "{error}");
    }
}
