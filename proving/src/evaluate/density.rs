//! Densities of sums of independent masses, exact up to a grid: characteristic functions are multiplied (and divided, to take a line away
//! again) and transformed back. Nothing is assumed Gaussian.

use super::law::{Component, Mixture, UnitLaw};
use super::masses::Masses;
use super::nearby::thick;
use std::f64::consts::TAU;

/// Grid step as a share of the narrowest spread that has to be drawn: at the Nyquist frequency a Gaussian has fallen to e^-40.
const STEP: f64 = 0.35;
/// The grid reaches this many total spreads to either side.
const REACH: f64 = 9.0;
/// Beyond what lies furthest away the grid still reaches this many total spreads.
const NEAR: f64 = 3.0;
/// Parts of a mixture rarer than this are added by mean and variance.
const RARE: f64 = 0.012;
/// Parts narrower than this share of a density's core are added by mean and variance.
const NARROW: f64 = 0.15;
/// Sums that are added up side by side.
const LANES: usize = 4;
/// Fewest and most points of a grid.
const POINTS: (usize, usize) = (256, 8192);

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

impl Complex {
    const ONE: Self = Self { re: 1.0, im: 0.0 };

    fn times(self, o: Self) -> Self {
        Self { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re }
    }

    fn over(self, o: Self) -> Self {
        let norm = o.re * o.re + o.im * o.im;
        if norm < 1e-280 {
            return Self::default();
        }
        Self { re: (self.re * o.re + self.im * o.im) / norm, im: (self.im * o.re - self.re * o.im) / norm }
    }

    fn scaled(self, by: f64) -> Self {
        Self { re: self.re * by, im: self.im * by }
    }

    fn plus(self, o: Self) -> Self {
        Self { re: self.re + o.re, im: self.im + o.im }
    }

    fn power(self, n: u32) -> Self {
        (1..n).fold(self, |product, _| product.times(self))
    }
}

/// The grid that a basket's densities live on.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Number of points, a power of two.
    pub points: usize,
    /// Distance of points, grams.
    pub step_g: f64,
}

impl Grid {
    /// A grid for densities as narrow as `narrowest_g` and as wide as `widest_g` (1 sigma), with parts `furthest_g` away.
    pub fn new(narrowest_g: f64, widest_g: f64, furthest_g: f64) -> Self {
        let step_g = STEP * narrowest_g;
        let reach_g = (REACH * widest_g).max(furthest_g + NEAR * widest_g);
        let points = ((2.0 * reach_g / step_g) as usize).next_power_of_two().clamp(POINTS.0, POINTS.1);
        Self { points, step_g }
    }

    /// Distance of frequencies, radians a gram.
    fn step_t(&self) -> f64 {
        TAU / (self.points as f64 * self.step_g)
    }

    fn half(&self) -> usize {
        self.points / 2 + 1
    }
}

/// A characteristic function at the frequencies of a grid, from 0 up to the Nyquist frequency.
pub type Spectrum = Vec<Complex>;

/// The spectrum of a mixture, of which every mass is taken `factor` times.
pub fn spectrum(grid: &Grid, mixture: &Mixture, factor: f64) -> Spectrum {
    let mut sum = vec![Complex::default(); grid.half()];
    for component in mixture.components() {
        add_gaussian(grid, component, factor, &mut sum);
    }
    sum
}

/// Adds w·exp(i·m·t - v·t²/2) at t = 0, dt, 2dt, …: both exponents by recurrence, so that no exponential is taken in the loop.
fn add_gaussian(grid: &Grid, component: &Component, factor: f64, sum: &mut [Complex]) {
    let dt = grid.step_t();
    let variance = component.variance_g2 * factor * factor;
    let (sin, cos) = (component.mean_g * factor * dt).sin_cos();
    let turn = Complex { re: cos, im: sin };
    let mut ratio = (-0.5 * variance * dt * dt).exp();
    let shrink = (-variance * dt * dt).exp();
    let mut value = Complex { re: component.weight, im: 0.0 };
    if component.mean_g == 0.0 {
        let mut real = component.weight;
        for slot in sum.iter_mut() {
            slot.re += real;
            real *= ratio;
            ratio *= shrink;
        }
        return;
    }
    for slot in sum.iter_mut() {
        *slot = slot.plus(value);
        value = value.times(turn).scaled(ratio);
        ratio *= shrink;
    }
}

/// Multiplies in place.
pub fn multiply(spectrum: &mut Spectrum, by: &Spectrum) {
    for (a, b) in spectrum.iter_mut().zip(by) {
        *a = a.times(*b);
    }
}

/// The spectrum of so many units of one batch, less their mean.
pub fn units_spectrum(grid: &Grid, law: &UnitLaw, units: u32) -> Spectrum {
    if units == 0 {
        return vec![Complex::ONE; grid.half()];
    }
    let n = f64::from(units);
    let mut product = spectrum(grid, &law.own, 1.0);
    product.iter_mut().for_each(|v| *v = v.power(units));
    multiply(&mut product, &spectrum(grid, &law.batch, n));
    if law.changed > 0.0 {
        let change = spectrum(grid, &law.change, n);
        for (value, c) in product.iter_mut().zip(&change) {
            *value = value.times(Complex { re: 1.0 - law.changed, im: 0.0 }.plus(c.scaled(law.changed)));
        }
    }
    product
}

/// `whole` without `part`, times `instead`.
pub fn replaced(whole: &Spectrum, part: &Spectrum, instead: Option<&Spectrum>) -> Spectrum {
    let quotient = whole.iter().zip(part).map(|(w, p)| w.over(*p));
    match instead {
        Some(instead) => quotient.zip(instead).map(|(q, i)| q.times(*i)).collect(),
        None => quotient.collect(),
    }
}

/// A density over grams about zero.
#[derive(Clone, Debug)]
pub struct Density {
    grid: Grid,
    values: Vec<f64>,
    /// Spread of its narrowest part: how smooth it is, grams.
    core_g: f64,
    mean_g: f64,
    variance_g2: f64,
    peak: f64,
}

impl Density {
    /// Transforms two spectra back at once. `core_g` says how smooth each is, grams.
    pub fn pair(grid: &Grid, a: (&Spectrum, f64), b: (&Spectrum, f64), fourier: &Fourier) -> (Self, Self) {
        let n = grid.points;
        let mut work = vec![Complex::default(); n];
        for k in 0..=n / 2 {
            // The alternating sign puts zero into the middle of the grid.
            let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
            let (x, y) = (a.0[k].scaled(sign), b.0[k].scaled(sign));
            work[k] = Complex { re: x.re - y.im, im: x.im + y.re };
            if k > 0 && k < n / 2 {
                work[n - k] = Complex { re: x.re + y.im, im: y.re - x.im };
            }
        }
        fourier.transform(&mut work);
        let scale = 1.0 / (n as f64 * grid.step_g);
        let first = work.iter().map(|v| (v.re * scale).max(0.0)).collect();
        let second = work.iter().map(|v| (v.im * scale).max(0.0)).collect();
        (Self::new(*grid, first, a.1), Self::new(*grid, second, b.1))
    }

    fn new(grid: Grid, values: Vec<f64>, core_g: f64) -> Self {
        let (mut mass, mut mean, mut square, mut peak) = (0.0, 0.0, 0.0, 0.0f64);
        let half = (grid.points / 2) as f64;
        for (i, value) in values.iter().enumerate() {
            let x = (i as f64 - half) * grid.step_g;
            mass += value;
            mean += value * x;
            square += value * x * x;
            peak = peak.max(*value);
        }
        let mass = mass.max(1e-300);
        let mean_g = mean / mass;
        let variance_g2 = (square / mass - mean_g * mean_g).max(core_g * core_g);
        Self { grid, values, core_g, mean_g, variance_g2, peak }
    }

    /// Total spread, grams.
    pub fn sd_g(&self) -> f64 {
        self.variance_g2.sqrt()
    }

    /// Its greatest value, per gram: no sum with anything independent is denser anywhere.
    pub fn peak(&self) -> f64 {
        self.peak
    }

    /// Whether something of this variance, a pack with what rarely happens to it, moves this density by its mean and variance alone, to a thousandth.
    pub fn feels_no_more_than_variance(&self, variance_g2: f64) -> bool {
        variance_g2 < NARROW * NARROW * self.core_g * self.core_g
    }

    /// About the density at `x_g` of the sum with something of mean 0 and this variance whose tails are no longer than a few spreads, rather too
    /// much than too little: the smooth core by a bell with thick tails, what is rare by its values around.
    pub fn about(&self, x_g: f64, variance_g2: f64) -> f64 {
        let both_g2 = self.core_g * self.core_g + variance_g2;
        let off_g = 3.0 * variance_g2.sqrt();
        let rare = self.at(x_g).max(self.at(x_g - off_g)).max(self.at(x_g + off_g));
        thick(x_g * x_g / both_g2) / both_g2.sqrt() + rare
    }

    /// Density at `x_g` per gram, by cubic interpolation; nothing beyond the grid.
    pub fn at(&self, x_g: f64) -> f64 {
        let place = x_g / self.grid.step_g + (self.grid.points / 2) as f64;
        if !(place >= 1.0 && place < (self.grid.points - 2) as f64) {
            return 0.0;
        }
        let index = place as usize;
        let u = place - index as f64;
        let v = &self.values[index - 1..index + 3];
        let cubic = -u * (u - 1.0) * (u - 2.0) / 6.0 * v[0] + (u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0 * v[1]
            - (u + 1.0) * u * (u - 2.0) / 2.0 * v[2]
            + (u + 1.0) * u * (u - 1.0) / 6.0 * v[3];
        cubic.max(0.0)
    }

    /// Density at `x_g` of the sum with something independent.
    pub fn with(&self, other: &Mixture, x_g: f64) -> f64 {
        other.components().iter().map(|c| self.with_gaussian(c, x_g)).sum()
    }

    /// Density at `x_g` of the sum with one Gaussian, the Gaussian's weight included.
    pub fn with_gaussian(&self, c: &Component, x_g: f64) -> f64 {
        let sd = c.variance_g2.sqrt();
        let x = x_g - c.mean_g;
        if sd < 0.5 * self.core_g {
            // Gauss-Hermite with three points: exact for a density that is of fifth degree within the narrow Gaussian.
            let off = 3f64.sqrt() * sd;
            return c.weight * (2.0 / 3.0 * self.at(x) + (self.at(x - off) + self.at(x + off)) / 6.0);
        }
        // So wide a part, or so rare a one (a changed pack), feels no more of this density than its mean and variance.
        if sd > 3.0 * self.sd_g() || c.weight < RARE {
            let wide =
                Component { mean_g: c.mean_g + self.mean_g, variance_g2: c.variance_g2 + self.variance_g2, ..*c };
            return wide.density(x_g);
        }
        self.summed(c, x)
    }

    /// By the trapezoidal rule on the grid, which converges exponentially for what is this smooth.
    fn summed(&self, c: &Component, x: f64) -> f64 {
        let (h, middle) = (self.grid.step_g, (self.grid.points / 2) as f64);
        let sd = c.variance_g2.sqrt();
        let reach = (6.5 * sd).min(x.abs() + REACH * self.sd_g());
        let clamp = |g: f64| ((g / h + middle).max(0.0) as usize).min(self.grid.points - 1);
        let (from, to) = (clamp(x - reach), clamp(x + reach));
        let first = x - (from as f64 - middle) * h;
        // Four Gaussians side by side, each every fourth point, so that no product waits for the one before it.
        let start = (-0.5 * first * first / c.variance_g2).exp();
        let step = ((first * h - 0.5 * h * h) / c.variance_g2).exp();
        let shrink = (-h * h / c.variance_g2).exp();
        let (mut values, mut ratios) = ([start; LANES], [step.powi(4) * shrink.powi(6); LANES]);
        let mut ratio = step;
        for lane in 1..LANES {
            values[lane] = values[lane - 1] * ratio;
            ratios[lane] = ratios[lane - 1] * shrink.powi(4);
            ratio *= shrink;
        }
        let further = shrink.powi(16);
        let mut sums = [0.0; LANES];
        let (fours, rest) = self.values[from..=to].as_chunks::<LANES>();
        for four in fours {
            for lane in 0..LANES {
                sums[lane] += four[lane] * values[lane];
                values[lane] *= ratios[lane];
                ratios[lane] *= further;
            }
        }
        let sum =
            sums.iter().sum::<f64>() + rest.iter().zip(values).map(|(density, value)| density * value).sum::<f64>();
        c.weight * sum * h / (TAU * c.variance_g2).sqrt()
    }

    /// Density at `x_g` of the sum with a good drawn from `masses`, their total weight included.
    pub fn against(&self, masses: &Masses, x_g: f64) -> f64 {
        let level = masses.level(0.4 * self.core_g);
        let reach = REACH * self.sd_g();
        let bin = level.bin_g;
        let from = ((x_g - reach) / bin).ceil().max(0.0) as usize;
        let to = ((x_g + reach) / bin).floor();
        if to < 0.0 || from >= level.weights.len() {
            return 0.0;
        }
        let to = (to as usize).min(level.weights.len() - 1);
        if from > to {
            return 0.0;
        }
        level.weights[from..=to].iter().enumerate().map(|(i, w)| w * self.at(x_g - (from + i) as f64 * bin)).sum()
    }
}

/// Turning factors of the fast Fourier transform for all sizes up to the greatest grid.
#[derive(Clone, Debug)]
pub struct Fourier {
    roots: Vec<Complex>,
}

impl Default for Fourier {
    fn default() -> Self {
        let n = POINTS.1;
        let root = |k: usize| {
            let (sin, cos) = (-TAU * k as f64 / n as f64).sin_cos();
            Complex { re: cos, im: sin }
        };
        Self { roots: (0..n / 2).map(root).collect() }
    }
}

impl Fourier {
    /// Σ_k a_k·exp(-2πi·k·j/n) in place, for a power of two up to 8192 (Cooley and Tukey, 1965).
    pub fn transform(&self, work: &mut [Complex]) {
        let n = work.len();
        let bits = n.trailing_zeros();
        for i in 0..n {
            let j = i.reverse_bits() >> (usize::BITS - bits);
            if j > i {
                work.swap(i, j);
            }
        }
        let mut size = 2;
        while size <= n {
            let stride = POINTS.1 / size;
            for block in work.chunks_exact_mut(size) {
                let (low, high) = block.split_at_mut(size / 2);
                for (i, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let turned = b.times(self.roots[i * stride]);
                    (*a, *b) = (a.plus(turned), a.plus(turned.scaled(-1.0)));
                }
            }
            size *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(mixture: &Mixture, narrowest_g: f64) -> Density {
        let grid = Grid::new(narrowest_g, mixture.variance_g2().sqrt(), 0.0);
        let s = spectrum(&grid, mixture, 1.0);
        Density::pair(&grid, (&s, narrowest_g), (&s, narrowest_g), &Fourier::default()).1
    }

    #[test]
    fn a_mixture_comes_back_as_itself() {
        let mixture = Mixture::new(&[(0.8, 0.0, 5.0), (0.15, 30.0, 9.0), (0.05, -60.0, 20.0)]);
        let density = single(&mixture, 5.0);
        for x in [-90.0, -20.0, 0.0, 3.3, 17.0, 31.0, 55.5] {
            let (found, right) = (density.at(x), mixture.density(x));
            assert!((found - right).abs() < 1e-2 * right + 1e-9, "{x}: {found} {right}");
        }
    }

    /// Narrow, middling and wide additions, against the mixture added up by hand.
    #[test]
    fn sums_are_as_added_by_hand() {
        let mixture = Mixture::new(&[(0.9, 0.0, 10.0), (0.1, 0.0, 30.0)]);
        let density = single(&mixture, 10.0);
        for sd in [1.0, 4.0, 8.0, 25.0, 80.0] {
            let other = Mixture::new(&[(1.0, 250.0, sd)]);
            let sum = mixture.plus(&other);
            for off in [-2.0, 0.0, 1.0, 3.0] {
                let x = 250.0 + off * (100.0 + sd * sd).sqrt();
                let (found, right) = (density.with(&other, x), sum.density(x));
                assert!((found / right - 1.0).abs() < 0.03, "{sd} {off}: {found} {right}");
            }
        }
    }

    /// A line taken away again leaves what was there before it.
    #[test]
    fn division_undoes_multiplication() {
        let (a, b) = (Mixture::heavy(8.0, 0.05, 3.0), Mixture::skewed(12.0));
        let grid = Grid::new(6.0, 40.0, 0.0);
        let (sa, sb) = (spectrum(&grid, &a, 1.0), spectrum(&grid, &b, 1.0));
        let mut both = sa.clone();
        multiply(&mut both, &sb);
        let back = replaced(&both, &sb, None);
        let (sum, alone) = Density::pair(&grid, (&both, 8.0), (&back, 8.0), &Fourier::default());
        for x in [-25.0, 0.0, 10.0, 30.0] {
            assert!((alone.at(x) / a.density(x) - 1.0).abs() < 1e-2, "{x}");
            assert!((sum.at(x) / a.plus(&b).density(x) - 1.0).abs() < 1e-2, "{x}");
        }
    }

    #[test]
    fn units_of_a_batch_have_their_variance() {
        let law = UnitLaw {
            mean_g: 100.0,
            own: Mixture::heavy(4.0, 0.1, 2.0),
            batch: Mixture::heavy(3.0, 0.1, 2.0),
            change: Mixture::new(&[(1.0, -10.0, 5.0)]),
            changed: 0.05,
        };
        let grid = Grid::new(5.0, 40.0, 0.0);
        let s = units_spectrum(&grid, &law, 3);
        let density = Density::pair(&grid, (&s, 8.0), (&s, 8.0), &Fourier::default()).0;
        assert!((density.variance_g2 / law.variance_g2(3) - 1.0).abs() < 0.01);
    }
}
