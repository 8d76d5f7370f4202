//! The gains themselves: sums with a ridge, then the open patterns from the moments.

use super::{Placement, Site, Spot, Which};
use nalgebra::{DMatrix, DVector};

/// The ridge, as a share of the mass: it holds a pattern of gains that moves no sum by as much as chance does, and bends those
/// that do by less than a thousandth of themselves (WEIGHING 3.4).
const RIDGE_SHARE: f64 = 0.02;
/// How far cells of one kind differ in gain, 1 sigma; only matters where the sums say nothing.
const GAIN_SPREAD: f64 = 0.02;
/// A mass is put no closer to its mark than this, 1 sigma.
const PLACING_MM: f64 = 1.0;
/// How well it is put is judged by what the moments leave unexplained, which needs a second look, and a third to be sure.
const LOOKS: usize = 3;
/// Expectation of the greatest of two independent deviates: the corners of a rigid plate differ along two diagonals.
const GREATEST_EXPECTED: f64 = 1.128;
/// What the greatest of three stays below in 95 % of cases: the corners of a plate that bends differ along its twist too.
const GREATEST_P95: f64 = 2.388;

/// What a calibration came to, for people to judge it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How well each pattern of gains shows in the sums, in descending order, as a share of the mass; the last ones are near 0 on
    /// a rigid plate with more than three cells.
    pub singular_values: Vec<f64>,
    /// The largest of them over the smallest; large is usual on a rigid plate and no fault.
    pub condition: f64,
    /// Patterns of gains that the sums did not show and the moments had to say.
    pub open_patterns: usize,
    /// All cells' counts over what the nominal gains expect.
    pub common_share: f64,
    /// Each cell's gain over the nominal, the common share taken out.
    pub gain_share: Vec<f64>,
    /// What the sums are off by, 1 sigma.
    pub residual_g: f64,
    /// The placement that is off most, and by how much.
    pub worst: (Which, f64),
    /// How far the same mass is expected to differ between spots, largest less smallest.
    pub corner_spread_g: f64,
    /// That difference stays below this in 95 % of calibrations like this one.
    pub corner_spread_p95_g: f64,
    /// What one load may be off by, 1 sigma.
    pub sigma_g: f64,
    /// How much of a mass over one cell the plate hands to the cells against its being rigid; 0 for a rigid plate.
    pub twist_share: f64,
    /// Idle noise of one sample, 1 sigma, a cell.
    pub noise_g: Vec<f64>,
    /// The largest difference between the empty plate after and before.
    pub return_g: f64,
    /// How far the mass was from its marks by the cells, root mean square.
    pub placing_mm: f64,
}

/// Counts a gram for every cell, and the report. The placements have passed [`super::check::all`].
pub(super) fn fit(site: &Site, placements: &[Placement]) -> (Vec<f64>, Report) {
    let problem = Problem::new(site, placements);
    let stage_1 = problem.sums();
    let relative = problem.moments(site, placements, &stage_1);
    let gains = nominal(site).zip(relative.iter()).map(|(g, h)| g * problem.share / h).collect::<Vec<f64>>();
    let report = problem.report(site, placements, &stage_1, &relative, &gains);
    (gains, report)
}

/// Raw counts of a channel with nothing on the plate, over all empty readings.
pub(super) fn zero_counts(placements: &[Placement], channel: usize) -> f64 {
    let stills = placements.iter().flat_map(|p| [&p.before, &p.after]);
    let (count, sum) = stills
        .filter_map(|s| s.mean_counts.get(channel))
        .fold((0_u32, 0.0), |(count, sum), counts| (count + 1, sum + counts));
    sum / f64::from(count.max(1))
}

/// All cells' counts over what the nominal gains expect of the masses.
pub(super) fn common_share(site: &Site, placements: &[Placement]) -> f64 {
    let (mut seen, mut expected) = (0.0, 0.0);
    for p in placements {
        let sum_g: f64 = nominal(site).enumerate().map(|(i, gain)| p.response(i) / gain).sum();
        seen += sum_g * p.mass_g;
        expected += p.mass_g * p.mass_g;
    }
    if expected > 0.0 { seen / expected } else { 1.0 }
}

fn nominal(site: &Site) -> impl Iterator<Item = f64> {
    site.cells.iter().map(|c| c.counts_per_g)
}

/// `readings · (1 + e) = masses`, readings in grams by the nominal gains and the common share.
struct Problem {
    share: f64,
    /// Placements × cells.
    readings: DMatrix<f64>,
    masses: DVector<f64>,
    ridge_g: f64,
}

/// The sums' answer.
struct Sums {
    relative: DVector<f64>,
    singular_values: Vec<f64>,
    /// Patterns of gains, one a column, in the order of the singular values.
    patterns: DMatrix<f64>,
}

impl Problem {
    fn new(site: &Site, placements: &[Placement]) -> Self {
        let share = common_share(site, placements);
        let readings = DMatrix::from_fn(placements.len(), site.cells.len(), |j, i| {
            placements[j].response(i) / (site.cells[i].counts_per_g * share)
        });
        let masses = DVector::from_iterator(placements.len(), placements.iter().map(|p| p.mass_g));
        let ridge_g = RIDGE_SHARE * masses.mean();
        Self { share, readings, masses, ridge_g }
    }

    /// `min |R (1 + e) - M|² + ridge² |e|²`, by the spectrum of `R'R` (N × N, N ≤ some dozens).
    fn sums(&self) -> Sums {
        let missing = &self.masses - self.readings.column_sum();
        let spectrum = (self.readings.transpose() * &self.readings).symmetric_eigen();
        let mut order: Vec<usize> = (0..spectrum.eigenvalues.len()).collect();
        order.sort_by(|a, b| spectrum.eigenvalues[*b].total_cmp(&spectrum.eigenvalues[*a]));
        let patterns =
            DMatrix::from_columns(&order.iter().map(|k| spectrum.eigenvectors.column(*k)).collect::<Vec<_>>());
        let eigenvalues: Vec<f64> = order.iter().map(|k| spectrum.eigenvalues[*k].max(0.0)).collect();
        let seen = patterns.transpose() * self.readings.transpose() * missing;
        let amounts = DVector::from_iterator(
            seen.len(),
            seen.iter().zip(&eigenvalues).map(|(seen, value)| seen / (value + self.ridge_g * self.ridge_g)),
        );
        let relative = (&patterns * amounts).add_scalar(1.0);
        Sums { relative, singular_values: eigenvalues.into_iter().map(f64::sqrt).collect(), patterns }
    }

    /// Columns of the patterns that the sums do not show.
    fn open(&self, sums: &Sums) -> DMatrix<f64> {
        let open = sums.singular_values.iter().filter(|s| **s <= self.ridge_g).count();
        let count = sums.patterns.ncols();
        sums.patterns.columns(count - open, open).into_owned()
    }

    /// Moves the open patterns so that the centres of gravity fall on the marks, as far as the placing of masses can be trusted.
    fn moments(&self, site: &Site, placements: &[Placement], sums: &Sums) -> DVector<f64> {
        let open = self.open(sums);
        if open.ncols() == 0 {
            return sums.relative.clone();
        }
        let mut relative = sums.relative.clone();
        for _ in 0..LOOKS {
            let placing_mm = self.placing_mm(site, placements, &relative).max(PLACING_MM);
            relative = self.turned(site, placements, sums, &open, placing_mm);
        }
        relative
    }

    /// The sums' answer with the open patterns moved, masses being put `placing_mm` beside their marks, 1 sigma an axis.
    fn turned(
        &self,
        site: &Site,
        placements: &[Placement],
        sums: &Sums,
        open: &DMatrix<f64>,
        placing_mm: f64,
    ) -> DVector<f64> {
        // A mass stands beside its mark the same way every time: repeats tell nothing new.
        let repeats = placements.len() as f64 / spots(placements).len() as f64;
        let mut normal = DMatrix::identity(open.ncols(), open.ncols()) / (GAIN_SPREAD * GAIN_SPREAD);
        let mut wanted = DVector::zeros(open.ncols());
        for (j, placement) in placements.iter().enumerate() {
            let sigma = placement.mass_g * placing_mm * repeats.sqrt();
            for axis in 0..2 {
                let arms = self.arms(site, placement, j, axis);
                let missing = -arms.dot(&sums.relative);
                let slope = open.transpose() * arms;
                normal += &slope * slope.transpose() / (sigma * sigma);
                wanted += slope * (missing / (sigma * sigma));
            }
        }
        let amounts = normal.cholesky().map_or_else(|| DVector::zeros(open.ncols()), |c| c.solve(&wanted));
        &sums.relative + open * amounts
    }

    /// Each cell's reading times its arm about the mark: their sum is nothing when the mass stands on the mark.
    fn arms(&self, site: &Site, placement: &Placement, j: usize, axis: usize) -> DVector<f64> {
        DVector::from_iterator(
            site.cells.len(),
            site.cells
                .iter()
                .enumerate()
                .map(|(i, cell)| self.readings[(j, i)] * ([cell.x_mm, cell.y_mm][axis] - placement.at_mm[axis])),
        )
    }

    /// Root mean square distance of the centres of gravity from the marks, a coordinate.
    fn placing_mm(&self, site: &Site, placements: &[Placement], relative: &DVector<f64>) -> f64 {
        let squares: f64 = placements
            .iter()
            .enumerate()
            .flat_map(|(j, p)| (0..2).map(move |axis| (j, p, axis)))
            .map(|(j, p, axis)| (self.arms(site, p, j, axis).dot(relative) / p.mass_g).powi(2))
            .sum();
        (squares / (2 * placements.len()) as f64).sqrt()
    }

    fn report(
        &self,
        site: &Site,
        placements: &[Placement],
        sums: &Sums,
        relative: &DVector<f64>,
        gains: &[f64],
    ) -> Report {
        let off = &self.readings * relative - &self.masses;
        let ridge_2 = self.ridge_g * self.ridge_g;
        let used: f64 = sums.singular_values.iter().map(|s| s * s / (s * s + ridge_2)).sum();
        let freedom = (placements.len() as f64 - used).max(1.0);
        let residual_g = (off.norm_squared() / freedom).sqrt();
        let noise_g = noise_g(placements, gains);
        let sigma_g = residual_g.max(reading_noise_g(placements, &noise_g));
        let (expected, p95, one) = self.spread(placements, sums, sigma_g, freedom);
        let worst = off.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).map_or(0, |(j, _)| j);
        let largest = sums.singular_values.first().copied().unwrap_or_default();
        let smallest = sums.singular_values.last().copied().unwrap_or_default();
        let scale = self.masses.norm();
        Report {
            singular_values: sums.singular_values.iter().map(|s| s / scale).collect(),
            condition: if smallest > 0.0 { largest / smallest } else { f64::INFINITY },
            open_patterns: self.open(sums).ncols(),
            common_share: self.share,
            gain_share: relative.iter().map(|h| 1.0 / h).collect(),
            residual_g,
            worst: (which(placements, worst), off[worst]),
            corner_spread_g: expected,
            corner_spread_p95_g: p95,
            sigma_g: sigma_g.hypot(one),
            twist_share: self.twist_share(site, placements, relative),
            noise_g,
            return_g: placements.iter().map(|p| return_g(p, gains).abs()).fold(0.0, f64::max),
            placing_mm: self.placing_mm(site, placements, relative) * std::f64::consts::SQRT_2,
        }
    }

    /// Expected and 95 % corner spread, and the largest error of one spot (1 sigma), grams. A spot's error is its mean reading
    /// times the gains' errors, whose covariance is `sigma² (R'R + ridge²)⁻¹`.
    fn spread(&self, placements: &[Placement], sums: &Sums, sigma_g: f64, freedom: f64) -> (f64, f64, f64) {
        let ridge_2 = self.ridge_g * self.ridge_g;
        let spots: Vec<DVector<f64>> = spots(placements)
            .into_iter()
            .map(|members| {
                let mean: DVector<f64> =
                    members.iter().map(|j| self.readings.row(*j).transpose()).sum::<DVector<f64>>()
                        / members.len() as f64;
                let mut seen = sums.patterns.transpose() * mean;
                for (amount, s) in seen.iter_mut().zip(&sums.singular_values) {
                    *amount *= sigma_g / (s * s + ridge_2).sqrt();
                }
                seen
            })
            .collect();
        let pairs = spots.iter().enumerate().flat_map(|(k, a)| spots[..k].iter().map(move |b| (a - b).norm()));
        let widest = pairs.fold(0.0, f64::max);
        let one = spots.iter().map(DVector::norm).fold(0.0, f64::max);
        // Sigma is itself an estimate: Student's quantile to first order (Fisher's expansion).
        let p95 = GREATEST_P95 * (1.0 + (GREATEST_P95 * GREATEST_P95 + 1.0) / (4.0 * freedom));
        (GREATEST_EXPECTED * widest, p95 * widest, one)
    }

    /// What is left of the readings after the best plane `a + b·x + c·y`, as a share of the mass, root mean square over the
    /// placements over cells.
    fn twist_share(&self, site: &Site, placements: &[Placement], relative: &DVector<f64>) -> f64 {
        let [x, y] = site.centre_mm();
        let scale = site.arm_mm().max(1.0);
        let plane = DMatrix::from_fn(site.cells.len(), 3, |i, column| match column {
            0 => 1.0,
            1 => (site.cells[i].x_mm - x) / scale,
            _ => (site.cells[i].y_mm - y) / scale,
        });
        let Ok(inverse) = plane.clone().pseudo_inverse(1e-9) else { return 0.0 };
        let corners: Vec<usize> = (0..placements.len()).filter(|j| placements[*j].spot != Spot::Centre).collect();
        let squares: f64 = corners
            .iter()
            .map(|j| {
                let cells_g = self.readings.row(*j).transpose().component_mul(relative);
                let left = &cells_g - &plane * (&inverse * &cells_g);
                left.norm_squared() / placements[*j].mass_g.powi(2)
            })
            .sum();
        (squares / corners.len().max(1) as f64).sqrt()
    }
}

/// Placements by spot, spots in their order.
pub(super) fn spots(placements: &[Placement]) -> Vec<Vec<usize>> {
    let mut found = std::collections::BTreeMap::<Spot, Vec<usize>>::new();
    for (j, placement) in placements.iter().enumerate() {
        found.entry(placement.spot).or_default().push(j);
    }
    found.into_values().collect()
}

/// How a placement is named among those on its spot.
pub(super) fn which(placements: &[Placement], j: usize) -> Which {
    let spot = placements[j].spot;
    Which { spot, time: placements[..=j].iter().filter(|p| p.spot == spot).count() }
}

/// The empty plate after less before, grams.
pub(super) fn return_g(placement: &Placement, gains: &[f64]) -> f64 {
    let (after, before) = (&placement.after.mean_counts, &placement.before.mean_counts);
    after.iter().zip(before).zip(gains).map(|((after, before), gain)| (after - before) / gain).sum()
}

/// Scatter of one sample a cell in the quieter quarter of all readings: in others the plate may still have rung a little.
fn noise_g(placements: &[Placement], gains: &[f64]) -> Vec<f64> {
    let quiet = |(i, gain): (usize, &f64)| {
        let stills = placements.iter().flat_map(|p| [&p.before, &p.loaded, &p.after]);
        let mut sds: Vec<f64> = stills.filter_map(|s| s.sd_counts.get(i).copied()).collect();
        sds.sort_by(f64::total_cmp);
        sds.get(sds.len() / 4).copied().unwrap_or_default() / gain
    };
    gains.iter().enumerate().map(quiet).collect()
}

/// What the cells' noise alone makes of one placement's sum, 1 sigma, grams.
fn reading_noise_g(placements: &[Placement], noise_g: &[f64]) -> f64 {
    let one_2: f64 = noise_g.iter().map(|n| n * n).sum();
    let per = |p: &Placement| {
        let of = |samples: usize| one_2 / samples.max(1) as f64;
        of(p.loaded.samples) + (of(p.before.samples) + of(p.after.samples)) / 4.0
    };
    (placements.iter().map(per).sum::<f64>() / placements.len().max(1) as f64).sqrt()
}
