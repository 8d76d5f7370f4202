//! Finished scales: converter, display and a protocol on a serial port, without any I/O or clock.
//!
//! One protocol a file, written from its makers' documents as collected in WEIGHING and held against
//! `tests/vectors/scales.json`: a device in the state that a vector describes must send exactly its bytes.

mod and;
mod cas;
mod dialog;
mod flintec;
mod hbm_aed;
mod laumas;
mod meter;
mod modbus;
mod mt_sics;
mod nci;
mod toledo_8217;
mod toledo_continuous;

use std::collections::BTreeMap;

use crate::board::ADC_RANGE;
use crate::hw::{self, ScaleProtocol};
pub use dialog::TEST_POLYNOMIAL;
pub use meter::{CONVERSIONS_HZ, Face, Meter, Reading, Refused, Span};

/// Dead from power to the first conversion, microseconds.
const BOOT_US: u64 = 1_500_000;

/// What one protocol's firmware does. Bytes go to `out` with the time that the scale takes before it sends them.
trait Speech {
    /// The scale has booted.
    fn powered(&mut self, _now_us: u64, _meter: &mut Meter, _out: &mut Answers) {}

    /// One character from the host; `sound` is false when its parity or stop bit was wrong.
    fn heard(&mut self, now_us: u64, byte: u8, sound: bool, meter: &mut Meter, out: &mut Answers);

    /// The display was renewed.
    fn shown(&mut self, _now_us: u64, _meter: &mut Meter, _out: &mut Answers) {}

    /// The display is renewed after so many conversions.
    fn conversions_a_display(&self) -> u64 {
        CONVERSIONS_HZ / 10
    }
}

/// Answers on their way out: how long after the question, and the bytes.
#[derive(Debug, Clone, Default)]
pub struct Answers(Vec<(u64, Vec<u8>)>);

impl Answers {
    /// Sends after a firmware's usual few milliseconds.
    fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        const USUAL_US: u64 = 4_000;
        self.send_after(USUAL_US, bytes);
    }

    fn send_after(&mut self, delay_us: u64, bytes: impl Into<Vec<u8>>) {
        self.0.push((delay_us, bytes.into()));
    }
}

#[derive(Debug, Clone)]
enum Language {
    MtSics(mt_sics::MtSics),
    Dialog(dialog::Dialog),
    Toledo8217(toledo_8217::Toledo8217),
    Nci(nci::Nci),
    Laumas(laumas::Laumas),
    Flintec(flintec::Flintec),
    ToledoContinuous(toledo_continuous::ToledoContinuous),
    Cas(cas::Cas),
    And(and::And),
    HbmAed(hbm_aed::HbmAed),
}

impl Language {
    fn of(indicator: &hw::Indicator, dialect: &str) -> Self {
        let serial = indicator.serial_number.clone().unwrap_or_default();
        match indicator.protocol {
            ScaleProtocol::MtSics => Self::MtSics(mt_sics::MtSics::new(&serial)),
            ScaleProtocol::Dialog06 => Self::Dialog(dialog::Dialog::with_challenge(TEST_POLYNOMIAL)),
            ScaleProtocol::Dialog04 | ScaleProtocol::Dialog02 => Self::Dialog(dialog::Dialog::plain()),
            ScaleProtocol::Toledo8217 => {
                Self::Toledo8217(toledo_8217::Toledo8217::new(dialect == toledo_8217::RICE_LAKE))
            }
            ScaleProtocol::Nci => Self::Nci(nci::Nci::new(dialect == nci::SCP_02)),
            ScaleProtocol::ModbusLaumas => {
                Self::Laumas(laumas::Laumas::new(indicator.address, indicator.register_map()))
            }
            ScaleProtocol::ModbusFlintec => {
                Self::Flintec(flintec::Flintec::new(indicator.address, indicator.register_map()))
            }
            ScaleProtocol::ToledoContinuous => {
                Self::ToledoContinuous(toledo_continuous::ToledoContinuous::new(indicator.checksum.unwrap_or(true)))
            }
            ScaleProtocol::Cas => Self::Cas(cas::Cas::default()),
            ScaleProtocol::And => Self::And(and::And::new(dialect == and::HW, indicator.poll_ms == 0)),
            ScaleProtocol::HbmAed => Self::HbmAed(hbm_aed::HbmAed::new(indicator.address)),
        }
    }

    fn speech(&mut self) -> &mut dyn Speech {
        match self {
            Self::MtSics(speech) => speech,
            Self::Dialog(speech) => speech,
            Self::Toledo8217(speech) => speech,
            Self::Nci(speech) => speech,
            Self::Laumas(speech) => speech,
            Self::Flintec(speech) => speech,
            Self::ToledoContinuous(speech) => speech,
            Self::Cas(speech) => speech,
            Self::And(speech) => speech,
            Self::HbmAed(speech) => speech,
        }
    }
}

fn meter(indicator: &hw::Indicator) -> Meter {
    let face = Face::of(indicator);
    match indicator.protocol {
        ScaleProtocol::ModbusLaumas | ScaleProtocol::ModbusFlintec | ScaleProtocol::HbmAed => Meter::transmitter(face),
        ScaleProtocol::MtSics
        | ScaleProtocol::Dialog06
        | ScaleProtocol::Dialog04
        | ScaleProtocol::Dialog02
        | ScaleProtocol::Toledo8217
        | ScaleProtocol::Nci
        | ScaleProtocol::ToledoContinuous
        | ScaleProtocol::Cas
        | ScaleProtocol::And => Meter::new(face),
    }
}

/// Dialects of a protocol that `[simulator] dialect` may name; the first is the usual one.
pub fn dialects(protocol: ScaleProtocol) -> &'static [&'static str] {
    match protocol {
        ScaleProtocol::Nci => &[nci::SCP_01, nci::SCP_02],
        ScaleProtocol::Toledo8217 => &[toledo_8217::TOLEDO, toledo_8217::RICE_LAKE],
        ScaleProtocol::And => &[and::STANDARD, and::HW],
        ScaleProtocol::MtSics
        | ScaleProtocol::Dialog06
        | ScaleProtocol::Dialog04
        | ScaleProtocol::Dialog02
        | ScaleProtocol::ModbusLaumas
        | ScaleProtocol::ModbusFlintec
        | ScaleProtocol::ToledoContinuous
        | ScaleProtocol::Cas
        | ScaleProtocol::HbmAed => &[],
    }
}

/// A finished scale. It lives in world time, microseconds since the simulation began.
#[derive(Debug, Clone)]
pub struct Indicator {
    indicator: hw::Indicator,
    dialect: String,
    counts_per_g: Vec<f64>,
    meter: Meter,
    language: Language,
    next_us: f64,
    conversions: u64,
    /// Between its own crystal and the world's time.
    clock_rate: f64,
    out: Answers,
}

impl Indicator {
    /// A scale that is switched on at `now_us`, its clock `clock_ppm` parts per million fast; `cells` as they stand under
    /// it, `dialects` by the names of indicators.
    pub fn switch_on(
        indicator: &hw::Indicator,
        cells: &[hw::Cell],
        dialects: &BTreeMap<String, String>,
        clock_ppm: f64,
        now_us: u64,
    ) -> Self {
        let dialect = dialects.get(&indicator.name).cloned().unwrap_or_default();
        let mut scale = Self {
            counts_per_g: cells.iter().map(|cell| cell.counts_per_g).collect(),
            meter: meter(indicator),
            language: Language::of(indicator, &dialect),
            indicator: indicator.clone(),
            dialect,
            next_us: 0.0,
            conversions: 0,
            clock_rate: 1.0 + clock_ppm * 1e-6,
            out: Answers::default(),
        };
        scale.reboot(now_us);
        scale
    }

    /// Starts anew at `now_us`: what was asked, tared and tracked is forgotten.
    pub fn reboot(&mut self, now_us: u64) {
        self.meter = meter(&self.indicator);
        self.language = Language::of(&self.indicator, &self.dialect);
        self.next_us = (now_us + BOOT_US) as f64;
        self.conversions = 0;
        self.out = Answers::default();
    }

    /// What it says from now on when asked who it is; tells after the next boot.
    pub fn set_serial_number(&mut self, serial_number: &str) {
        self.indicator.serial_number = Some(serial_number.to_owned());
    }

    /// Time of the next conversion.
    pub fn next_conversion_us(&self) -> u64 {
        self.next_us.round() as u64
    }

    /// Lets its clock run `ppm` parts per million fast.
    pub fn set_clock_ppm(&mut self, ppm: f64) {
        self.clock_rate = 1.0 + ppm * 1e-6;
    }

    /// Takes the conversion due at [`Indicator::next_conversion_us`]: one count a cell, and whether the converter answered.
    /// The cells of a finished scale are wired together, so it sees their sum only.
    pub fn convert(&mut self, counts: &[i32], answered: bool) {
        let now_us = self.next_conversion_us();
        self.next_us += 1e6 / (CONVERSIONS_HZ as f64 * self.clock_rate);
        let inside = counts.iter().all(|count| *count > ADC_RANGE.0 && *count < ADC_RANGE.1);
        let bears = || counts.iter().zip(&self.counts_per_g).map(|(count, per_g)| f64::from(*count) / per_g).sum();
        let bears_g = (answered && inside).then(bears);
        self.meter.convert(bears_g);
        if self.conversions == 0 {
            self.language.speech().powered(now_us, &mut self.meter, &mut self.out);
        }
        self.conversions += 1;
        if self.conversions.is_multiple_of(self.language.speech().conversions_a_display()) {
            self.language.speech().shown(now_us, &mut self.meter, &mut self.out);
        }
    }

    /// Takes characters from the host at `now_us`; each with whether parity and stop bit were right. Deaf until it has
    /// booted.
    pub fn receive(&mut self, now_us: u64, characters: impl IntoIterator<Item = (u8, bool)>) {
        if self.conversions == 0 {
            return;
        }
        for (byte, sound) in characters {
            self.language.speech().heard(now_us, byte, sound, &mut self.meter, &mut self.out);
        }
    }

    /// Messages for the host, oldest first, each with how long after now it begins to go out, microseconds.
    pub fn take_output(&mut self) -> Vec<(u64, Vec<u8>)> {
        std::mem::take(&mut self.out.0)
    }

    /// What its display shows.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }
}

#[cfg(test)]
mod tests;
