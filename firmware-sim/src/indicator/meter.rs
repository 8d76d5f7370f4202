//! What is behind a finished scale's display: filter, motion, zero, tare, rounding.

use std::collections::VecDeque;

use crate::hw::{self, Unit};

/// The converter delivers so often.
pub const CONVERSIONS_HZ: u64 = 50;

/// The display's moving average, conversions: 0.24 s.
const AVERAGE_OVER: usize = 12;

/// NT: the display must keep still for so many conversions (0.6 s) ...
const STILL_FOR: usize = 30;
/// ... NR: within so many divisions, to be called stable (WEIGHING 3.1).
const STILL_WITHIN_D: f64 = 1.0;

/// Above Max by so many divisions there is no weight any more.
const OVER_BY_D: f64 = 9.0;
/// Below zero by so many divisions there is none either.
const UNDER_BY_D: f64 = 20.0;
/// Min, in divisions (WEIGHING 2.1: Min = 20 e).
const MIN_D: f64 = 20.0;

/// A scale takes so much of Max for its zero when it is switched on ...
const INITIAL_ZERO: f64 = 0.10;
/// ... and so much on request, counted from there.
const ZERO_RANGE: f64 = 0.02;

/// Zero tracking works within so many divisions of zero ...
const TRACK_WITHIN_D: f64 = 0.5;
/// ... and moves zero by so many divisions a second at most.
const TRACK_D_PER_S: f64 = 0.5;

/// Where a load lies between the ends of the scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Below zero by more than 20 d.
    Under,
    /// On the scale.
    Within,
    /// Above Max by more than 9 d.
    Over,
}

/// What the display shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Multiple of d.
    pub gross_g: f64,
    /// Multiple of d; 0 while no tare is set.
    pub tare_g: f64,
    /// Whether a tare is set.
    pub net: bool,
    /// Whether it has kept still.
    pub stable: bool,
    /// Whether the load is on the scale.
    pub span: Span,
    /// Whether it found its zero after it was switched on.
    pub zeroed: bool,
    /// Whether the converter delivers.
    pub cell_ok: bool,
    /// Within a quarter of a division of zero.
    pub at_zero: bool,
    /// How often the load has begun to move since the scale was switched on.
    pub motions: u64,
}

impl Reading {
    /// What the display shows: net while a tare is set.
    pub fn shown_g(&self) -> f64 {
        self.gross_g - self.tare_g
    }

    /// Whether there is a weight at all, moving or not.
    pub fn valid(&self) -> bool {
        self.span == Span::Within && self.zeroed && self.cell_ok
    }
}

/// How a scale shows numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// d.
    pub division_g: f64,
    /// Max.
    pub max_g: f64,
    /// Unit.
    pub unit: Unit,
    /// Digits after the point.
    pub decimals: u8,
}

impl Face {
    /// As the station file says.
    pub fn of(indicator: &hw::Indicator) -> Self {
        Self {
            division_g: indicator.division_g,
            max_g: indicator.max_g,
            unit: indicator.unit,
            decimals: indicator.decimals,
        }
    }

    /// A mass as the digits of the display without the point: 1.234 kg with three decimals is 1234.
    pub fn digits(&self, mass_g: f64) -> i64 {
        (mass_g / self.unit.grams() * 10f64.powi(i32::from(self.decimals))).round() as i64
    }

    /// A mass as the display shows it, without the unit: `-0.020`, `12.345`.
    pub fn number(&self, mass_g: f64) -> String {
        point(self.digits(mass_g), self.decimals)
    }

    /// The mass of a number as a host writes it in this unit.
    pub fn mass_g(&self, number: &str) -> Option<f64> {
        number.trim().parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value * self.unit.grams())
    }
}

/// Digits with the point put in: `(-20, 3)` is `-0.020`.
pub fn point(digits: i64, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let sign = if digits < 0 { "-" } else { "" };
    let padded = format!("{:0width$}", digits.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Why zero was not set or a tare not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The load is above what the range allows.
    TooHigh,
    /// The load is below it.
    TooLow,
    /// The scale has no weight to work with.
    NotReady,
}

/// The measuring part of a finished scale.
#[derive(Debug, Clone)]
pub struct Meter {
    face: Face,
    /// Whether it looks for zero at power-up and tracks it; a transmitter does neither.
    keeps_zero: bool,
    average: VecDeque<f64>,
    still: VecDeque<f64>,
    /// Taken for the zero at power-up.
    initial_g: f64,
    /// Set or tracked since, on top.
    zero_g: f64,
    reading: Reading,
}

impl Meter {
    /// A scale that has just been switched on.
    pub fn new(face: Face) -> Self {
        let reading = Reading {
            gross_g: 0.0,
            tare_g: 0.0,
            net: false,
            stable: false,
            span: Span::Within,
            zeroed: false,
            cell_ok: true,
            at_zero: false,
            motions: 0,
        };
        Self {
            face,
            keeps_zero: true,
            average: VecDeque::new(),
            still: VecDeque::new(),
            initial_g: 0.0,
            zero_g: 0.0,
            reading,
        }
    }

    /// A transmitter: its zero is that of its adjustment until it is told otherwise.
    pub fn transmitter(face: Face) -> Self {
        let mut meter = Self::new(face);
        meter.keeps_zero = false;
        meter.reading.zeroed = true;
        meter
    }

    /// How it shows numbers.
    pub fn face(&self) -> Face {
        self.face
    }

    /// What the display shows.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Whether the shown weight reaches Min.
    pub fn reaches_min(&self) -> bool {
        self.reading.shown_g() >= MIN_D * self.face.division_g - 1e-9
    }

    /// Takes one conversion: what the cells bear, in grams above the constants of the adjustment; `None` when the converter
    /// is at its end or does not deliver.
    pub fn convert(&mut self, bears_g: Option<f64>) {
        self.reading.cell_ok = bears_g.is_some();
        let Some(bears_g) = bears_g else {
            self.average.clear();
            self.still.clear();
            self.set_stable(false);
            return;
        };
        push(&mut self.average, bears_g, AVERAGE_OVER);
        let filtered_g = self.average.iter().sum::<f64>() / self.average.len() as f64;
        push(&mut self.still, filtered_g, STILL_FOR);
        let (low, high) = self.still.iter().fold((f64::MAX, f64::MIN), |(low, high), g| (low.min(*g), high.max(*g)));
        let still = self.still.len() == STILL_FOR && high - low <= STILL_WITHIN_D * self.face.division_g;
        self.set_stable(still);
        self.find_zero(filtered_g);
        self.track_zero(filtered_g);
        self.show(filtered_g);
    }

    fn set_stable(&mut self, stable: bool) {
        self.reading.motions += u64::from(self.reading.stable && !stable);
        self.reading.stable = stable;
    }

    fn find_zero(&mut self, filtered_g: f64) {
        if !self.reading.zeroed && self.reading.stable && filtered_g.abs() <= INITIAL_ZERO * self.face.max_g {
            self.initial_g = filtered_g;
            self.reading.zeroed = true;
        }
    }

    fn track_zero(&mut self, filtered_g: f64) {
        let away_g = filtered_g - self.initial_g - self.zero_g;
        let idle = self.keeps_zero && self.reading.zeroed && self.reading.stable && !self.reading.net;
        let within = away_g.abs() <= TRACK_WITHIN_D * self.face.division_g;
        let step_g = away_g.clamp(-1.0, 1.0) * (TRACK_D_PER_S * self.face.division_g / CONVERSIONS_HZ as f64);
        let next_g = self.zero_g + step_g;
        if idle && within && next_g.abs() <= ZERO_RANGE * self.face.max_g {
            self.zero_g = next_g;
        }
    }

    fn show(&mut self, filtered_g: f64) {
        let Face { division_g, max_g, .. } = self.face;
        let gross_g = filtered_g - self.initial_g - self.zero_g;
        self.reading.gross_g = (gross_g / division_g).round() * division_g;
        self.reading.at_zero = gross_g.abs() <= division_g / 4.0;
        self.reading.span = match gross_g / division_g {
            d if d > max_g / division_g + OVER_BY_D => Span::Over,
            d if d < -UNDER_BY_D => Span::Under,
            _ => Span::Within,
        };
    }

    /// Takes what it bears now for zero.
    ///
    /// # Errors
    /// See [`Refused`]; zero is where it was.
    pub fn zero(&mut self) -> Result<(), Refused> {
        let Some(filtered_g) = self.still.back().copied().filter(|_| self.reading.zeroed && self.reading.cell_ok)
        else {
            return Err(Refused::NotReady);
        };
        let zero_g = filtered_g - self.initial_g;
        let range_g = ZERO_RANGE * self.face.max_g;
        if zero_g > range_g {
            return Err(Refused::TooHigh);
        }
        if zero_g < -range_g {
            return Err(Refused::TooLow);
        }
        self.zero_g = zero_g;
        self.clear_tare();
        self.show(filtered_g);
        Ok(())
    }

    /// Takes the shown gross weight for the tare; gives it in grams.
    ///
    /// # Errors
    /// See [`Refused`]; the tare is what it was.
    pub fn tare(&mut self) -> Result<f64, Refused> {
        if !self.reading.zeroed || !self.reading.cell_ok {
            return Err(Refused::NotReady);
        }
        if self.reading.span == Span::Over {
            return Err(Refused::TooHigh);
        }
        if self.reading.gross_g < 0.0 {
            return Err(Refused::TooLow);
        }
        self.preset_tare(self.reading.gross_g);
        Ok(self.reading.tare_g)
    }

    /// Sets a known tare, rounded to d.
    pub fn preset_tare(&mut self, tare_g: f64) {
        self.reading.tare_g = (tare_g / self.face.division_g).round() * self.face.division_g;
        self.reading.net = self.reading.tare_g > 0.0;
    }

    /// Back to gross.
    pub fn clear_tare(&mut self) {
        (self.reading.tare_g, self.reading.net) = (0.0, false);
    }
}

fn push(queue: &mut VecDeque<f64>, value: f64, longest: usize) {
    if queue.len() == longest {
        queue.pop_front();
    }
    queue.push_back(value);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A quiet, zeroed scale.
    pub(crate) const AT_REST: Reading = Reading {
        gross_g: 0.0,
        tare_g: 0.0,
        net: false,
        stable: true,
        span: Span::Within,
        zeroed: true,
        cell_ok: true,
        at_zero: false,
        motions: 1,
    };

    impl Meter {
        /// A scale with this on its display, for encoders.
        pub(crate) fn showing(face: Face, reading: Reading) -> Self {
            let mut meter = Self::new(face);
            meter.reading = reading;
            meter.still.push_back(reading.gross_g);
            meter
        }
    }

    pub(crate) fn face(unit: Unit, decimals: u8) -> Face {
        Face { division_g: 5.0, max_g: 30_000.0, unit, decimals }
    }

    fn meter() -> Meter {
        Meter::new(face(Unit::Kg, 3))
    }

    fn run(meter: &mut Meter, seconds: f64, bears_g: impl Fn(f64) -> f64) {
        for step in 0..(seconds * 50.0) as u32 {
            meter.convert(Some(bears_g(f64::from(step) / 50.0)));
        }
    }

    #[test]
    fn finds_its_zero_and_shows_multiples_of_d() {
        let mut meter = meter();
        assert!(!meter.reading().valid());
        run(&mut meter, 1.0, |_| 41.0);
        assert!(meter.reading().valid() && meter.reading().stable && meter.reading().at_zero);
        run(&mut meter, 1.0, |_| 41.0 + 1232.4);
        assert_eq!(meter.reading().gross_g, 1230.0);
        assert_eq!(meter.face().number(meter.reading().shown_g()), "1.230");
        run(&mut meter, 1.0, |_| 41.0 + 1232.6);
        assert_eq!(meter.reading().gross_g, 1235.0);
    }

    #[test]
    fn switched_on_under_a_load_it_takes_a_small_one_for_zero_and_waits_under_a_large_one() {
        let mut small = meter();
        run(&mut small, 1.0, |_| 2_900.0);
        assert_eq!((small.reading().valid(), small.reading().gross_g), (true, 0.0));
        let mut large = meter();
        run(&mut large, 5.0, |_| 3_100.0);
        assert!(!large.reading().zeroed);
        run(&mut large, 1.0, |_| 10.0);
        assert!(large.reading().zeroed);
    }

    #[test]
    fn motion_is_a_range_over_a_time() {
        let mut meter = meter();
        run(&mut meter, 1.0, |_| 0.0);
        run(&mut meter, 1.0, |t| 1000.0 + 90.0 * (t * 20.0).sin());
        assert!(!meter.reading().stable);
        run(&mut meter, 0.6, |_| 1000.0);
        assert!(!meter.reading().stable, "0.24 s of average and 0.6 s of stillness have not gone by");
        run(&mut meter, 0.3, |_| 1000.0);
        assert!(meter.reading().stable);
        assert_eq!(meter.reading().motions, 1);
    }

    #[test]
    fn the_ends_of_the_scale() {
        let mut meter = meter();
        run(&mut meter, 1.0, |_| 0.0);
        for (bears_g, span) in
            [(30_044.0, Span::Within), (30_046.0, Span::Over), (-99.0, Span::Within), (-101.0, Span::Under)]
        {
            run(&mut meter, 1.0, |_| bears_g);
            assert_eq!(meter.reading().span, span, "{bears_g}");
        }
        meter.convert(None);
        assert!(!meter.reading().valid() && !meter.reading().stable);
    }

    #[test]
    fn tracking_follows_a_drift_and_leaves_a_load_alone() {
        let mut meter = meter();
        run(&mut meter, 1.0, |_| 0.0);
        run(&mut meter, 60.0, |t| 0.5 * t);
        assert!(meter.reading().gross_g.abs() < 1e-9, "30 g in a minute, 0.1 d a second, are tracked");
        run(&mut meter, 30.0, |_| 30.0 + 500.0);
        assert_eq!(meter.reading().gross_g, 500.0);
    }

    #[test]
    fn a_transmitter_keeps_its_zero() {
        let mut meter = Meter::transmitter(face(Unit::Kg, 3));
        run(&mut meter, 60.0, |_| 12.0);
        assert_eq!((meter.reading().valid(), meter.reading().gross_g), (true, 10.0));
    }

    #[test]
    fn zero_and_tare_have_their_ranges() {
        let mut meter = meter();
        assert_eq!(meter.zero(), Err(Refused::NotReady));
        run(&mut meter, 1.0, |_| 0.0);
        run(&mut meter, 1.0, |_| 700.0);
        assert_eq!(meter.zero(), Err(Refused::TooHigh));
        assert_eq!(meter.tare(), Ok(700.0));
        assert_eq!((meter.reading().shown_g(), meter.reading().net), (0.0, true));
        run(&mut meter, 1.0, |_| 500.0);
        assert_eq!(meter.zero(), Ok(()));
        assert_eq!((meter.reading().gross_g, meter.reading().net), (0.0, false));
    }

    #[test]
    fn numbers_as_displays_show_them() {
        assert_eq!(face(Unit::Kg, 3).number(-20.0), "-0.020");
        assert_eq!(face(Unit::Lb, 2).number(1247.379), "2.75");
        assert_eq!(face(Unit::G, 0).number(12_345.0), "12345");
        assert_eq!(face(Unit::Kg, 3).mass_g("1.5"), Some(1500.0));
    }
}
