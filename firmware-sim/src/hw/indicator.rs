//! A finished scale on a serial port, as the station file describes it.

use std::path::PathBuf;

use serde::Deserialize;

use super::line::{LineFormat, Parity, eight, one};
use super::{Cell, Platform};

/// Cells stand so far from the middle, in shares of the plate's width and depth.
const CELLS_AT: f64 = 0.42;

/// Resolution of the converter: so many counts at Max.
const COUNTS_AT_MAX: f64 = 2_000_000.0;

/// What a finished scale speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleProtocol {
    /// Mettler-Toledo Standard Interface Command Set, levels 0 and 1; KERN's KCP.
    MtSics,
    /// Checkout-Dialog 06: with challenge.
    #[serde(rename = "dialog06")]
    Dialog06,
    /// Checkout-Dialog 04.
    #[serde(rename = "dialog04")]
    Dialog04,
    /// Checkout-Dialog 02.
    #[serde(rename = "dialog02")]
    Dialog02,
    /// Toledo 8217 and 8213.
    #[serde(rename = "toledo-8217")]
    Toledo8217,
    /// NCI / Weigh-Tronix.
    Nci,
    /// LAUMAS transmitters.
    ModbusLaumas,
    /// Flintec transmitters.
    ModbusFlintec,
    /// Toledo continuous output.
    ToledoContinuous,
    /// CAS AP-1.
    Cas,
    /// A&D standard output.
    And,
    /// HBM AED and AD10x.
    HbmAed,
}

/// Unit in which a scale shows and sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Kilogram.
    Kg,
    /// Gram.
    G,
    /// Avoirdupois pound.
    Lb,
}

impl Unit {
    /// Grams in one.
    pub fn grams(self) -> f64 {
        match self {
            Self::Kg => 1000.0,
            Self::G => 1.0,
            Self::Lb => 453.592_37,
        }
    }

    /// As printed, in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kg => "kg",
            Self::G => "g",
            Self::Lb => "lb",
        }
    }
}

/// Order of the two words of a 32-bit value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordOrder {
    /// The upper half stands in the lower register.
    #[default]
    HighFirst,
    /// The lower half stands in the lower register.
    LowFirst,
}

/// Where a Modbus transmitter keeps what. Words count from `first_register`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Registers {
    /// Address of the first register as it goes over the wire: 6 is what manuals print as 40007.
    pub first_register: u16,
    /// How many registers one request asks for.
    pub registers: u16,
    /// Word of the status.
    pub status_word: u16,
    /// First of the two words of the gross weight (of the only weight, where there is one).
    pub gross_word: u16,
    /// First of the two words of the net weight.
    pub net_word: Option<u16>,
    /// Order of the halves.
    #[serde(default)]
    pub word_order: WordOrder,
}

impl Registers {
    /// What the protocol's makers use: LAUMAS 40007 status, 40008 gross, 40010 net; Flintec 40001 value, 40003 status.
    pub fn usual(protocol: ScaleProtocol) -> Self {
        let word_order = WordOrder::HighFirst;
        if protocol == ScaleProtocol::ModbusFlintec {
            Self { first_register: 0, registers: 3, status_word: 2, gross_word: 0, net_word: None, word_order }
        } else {
            Self { first_register: 6, registers: 5, status_word: 0, gross_word: 1, net_word: Some(3), word_order }
        }
    }

    fn fits(&self) -> bool {
        let last = self.net_word.unwrap_or(0).max(self.gross_word).saturating_add(1).max(self.status_word);
        (1..=125).contains(&self.registers) && last < self.registers && self.first_register <= 9_998
    }
}

/// One finished scale: its own plate, cells, converter and display, and a serial port.
#[derive(Debug, Clone, Deserialize)]
pub struct Indicator {
    /// Names the sensor; the name of its cable in the control interface.
    pub name: String,
    /// Where its port is published.
    pub path: PathBuf,
    /// What it speaks.
    pub protocol: ScaleProtocol,
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
    /// What it says when asked who it is.
    pub serial_number: Option<String>,
    /// How often the daemon asks; 0 where the scale talks by itself.
    #[serde(default)]
    pub poll_ms: u64,
    /// Unit in which it sends.
    pub unit: Unit,
    /// Digits after the point.
    pub decimals: u8,
    /// Whether frames end with a checksum, where that is a setting; the protocol's usual when left out.
    pub checksum: Option<bool>,
    /// Address on a bus.
    #[serde(default = "one")]
    pub address: u8,
    /// d: it shows multiples of this.
    pub division_g: f64,
    /// Middle of its plate on the station's plane.
    pub x_mm: f64,
    /// Middle of its plate on the station's plane.
    pub y_mm: f64,
    /// Max; above Max + 9 d it shows no weight.
    pub max_g: f64,
    /// Noise of one internal conversion before its filter, 1 sigma.
    pub noise_g: f64,
    /// Modbus register map; the maker's when left out.
    pub registers: Option<Registers>,
}

impl Indicator {
    /// Its line.
    pub fn line(&self) -> LineFormat {
        LineFormat { baud: self.baud, data_bits: self.data_bits, parity: self.parity, stop_bits: self.stop_bits }
    }

    /// Its register map.
    pub fn register_map(&self) -> Registers {
        self.registers.clone().unwrap_or_else(|| Registers::usual(self.protocol))
    }

    /// The four cells under its plate. The station file does not give their places: they stand near the corners of the
    /// platform, nearer together where another plate (its middle in `others_mm`) is close by.
    pub fn cells(&self, platform: &Platform, others_mm: &[[f64; 2]]) -> Vec<Cell> {
        let room = |whole_mm: f64, away: &dyn Fn(&[f64; 2]) -> f64| {
            let apart = others_mm.iter().map(away).filter(|mm| *mm > 1.0);
            CELLS_AT * apart.fold(whole_mm, f64::min)
        };
        let half_x = room(platform.width_mm, &|[x_mm, _]| (x_mm - self.x_mm).abs());
        let half_y = room(platform.depth_mm, &|[_, y_mm]| (y_mm - self.y_mm).abs());
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        let cell = |(index, (right, back)): (usize, &(f64, f64))| Cell {
            serial_number: format!("{}-{}", self.name, index + 1),
            x_mm: self.x_mm + right * half_x,
            y_mm: self.y_mm + back * half_y,
            zero_counts: 0,
            counts_per_g: COUNTS_AT_MAX / self.max_g,
            capacity_g: self.max_g,
            // Four of them add up to the noise that the station file states.
            noise_g: self.noise_g / 2.0,
        };
        corners.iter().enumerate().map(cell).collect()
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut need = |holds: bool, fault: &str| {
            if !holds {
                faults.push(format!("indicator {}: {fault}", self.name));
            }
        };
        if let Some(fault) = self.line().fault() {
            need(false, fault);
        }
        need(self.division_g > 0.0 && self.max_g >= 100.0 * self.division_g, "max_g must be 100 division_g or more");
        need(self.noise_g >= 0.0, "noise_g must not be below 0");
        need(self.decimals <= 6, "decimals must be 6 or less");
        need(
            self.serial_number.as_ref().is_none_or(|serial| serial.is_ascii() && serial.len() <= 64),
            "serial_number must be ASCII, 64 characters at most",
        );
        need(self.register_map().fits(), "[indicator.registers]: a word lies outside the registers");
        faults
    }
}
