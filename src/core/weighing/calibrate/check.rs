//! What makes placements unfit to calibrate with.

use super::fault::{CalibrationFault as Fault, Phase, Spot, Which};
use super::fit::{self, Report};
use super::{MASS_SHARE_MIN, Placement, REPEATS_MIN, Site};

/// A cell whose largest answer is below this share of the mass is dead.
const DEAD_SHARE: f64 = 0.05;
/// A cell that answers a mass right over it with less than minus this share is reversed. The far corner of a rigid plate is
/// lifted by up to a fifth of the mass, so that a cell on the wrong cable answers a little the wrong way too.
const REVERSED_SHARE: f64 = 0.25;
/// A cell's gain may differ so much from its kin.
const GAIN_OFF_MAX: f64 = 0.1;
/// All cells together may differ so much from what the station file says.
const SCALE_OFF_MAX: f64 = 0.25;
/// A mass may stand so far from its mark, as a share of the shortest way from the middle to a cell.
const AWAY_MAX: f64 = 0.3;
/// More cells than this are not tried in every order: 8! = 40 320 orders are a moment's work.
const PERMUTED_MAX: usize = 8;

/// Everything wrong with one placement by itself, for a guide that can ask for it again at once. `time` counts from 1.
pub fn check_placement(site: &Site, placement: &Placement, time: usize) -> Vec<Fault> {
    let which = Which { spot: placement.spot, time };
    let stills =
        [(Phase::Before, &placement.before), (Phase::Loaded, &placement.loaded), (Phase::After, &placement.after)];
    let expected = site.cells.len();
    let odd = stills.iter().map(|(_, s)| s.mean_counts.len()).find(|found| *found != expected);
    if let Some(found) = odd {
        return vec![Fault::Channels { which, found, expected }];
    }
    if !(placement.mass_g.is_finite() && placement.mass_g > 0.0) {
        return vec![Fault::NoMass { which, mass_g: placement.mass_g }];
    }
    let mut faults = Vec::new();
    for (phase, still) in stills {
        if !(still.scatter_g <= site.division_g && still.drift_g.abs() <= site.division_g / 2.0) {
            let (scatter_g, drift_g) = (still.scatter_g, still.drift_g);
            faults.push(Fault::Unsettled { which, phase, scatter_g, drift_g });
        }
    }
    let nominal: Vec<f64> = site.cells.iter().map(|c| c.counts_per_g).collect();
    let saturated = |channel: &usize| {
        let beyond = placement.response(*channel) / nominal[*channel] > site.cells[*channel].capacity_g;
        beyond || stills.iter().any(|(_, s)| s.saturated.contains(channel))
    };
    let cells = (0..expected).filter(saturated).map(|channel| Fault::Saturated { which, cell: site.name(channel) });
    faults.extend(cells);
    let by_g = fit::return_g(placement, &nominal);
    if by_g.abs() > site.division_g {
        faults.push(Fault::ZeroNotReturning { which, by_g });
    }
    faults
}

/// Everything wrong that shows before any gain is worked out.
pub(super) fn all(site: &Site, placements: &[Placement]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if site.cells.len() < 3 {
        faults.push(Fault::TooFewCells(site.cells.len()));
    }
    faults.extend(coverage(site, placements));
    faults.extend(masses(site, placements));
    let before = faults.len();
    for (j, placement) in placements.iter().enumerate() {
        faults.extend(check_placement(site, placement, fit::which(placements, j).time));
    }
    let unreadable = faults[before..].iter().any(|f| matches!(f, Fault::Channels { .. } | Fault::NoMass { .. }));
    if !unreadable && !placements.is_empty() && site.cells.len() >= 3 {
        faults.extend(cells(site, placements));
    }
    faults
}

fn coverage(site: &Site, placements: &[Placement]) -> Vec<Fault> {
    let fault = |spot: Spot| {
        let found = placements.iter().filter(|p| p.spot == spot).count();
        match (found, spot) {
            (0, Spot::Centre) => Some(Fault::MissingCentre),
            (0, Spot::Cell(channel)) => Some(Fault::MissingCorner(site.name(channel))),
            (1..REPEATS_MIN, spot) => Some(Fault::TooFewRepeats { spot, found, needed: REPEATS_MIN }),
            (REPEATS_MIN.., _) => None,
        }
    };
    site.spots().into_iter().filter_map(fault).collect()
}

fn masses(site: &Site, placements: &[Placement]) -> Option<Fault> {
    let needed_g = MASS_SHARE_MIN * site.max_g;
    let lightest = placements.iter().map(|p| p.mass_g).fold(f64::INFINITY, f64::min);
    // A set of weights that is a milligram short is no reason.
    (lightest < 0.999 * needed_g).then_some(Fault::TooLight { mass_g: lightest, needed_g })
}

/// Cells that do not answer, answer the wrong way, or in each other's place; and masses beside their marks.
fn cells(site: &Site, placements: &[Placement]) -> Vec<Fault> {
    let share = fit::common_share(site, placements);
    // As a share of the mass, by what all cells together say; where they say nothing, by the station file.
    let unit = if share > 0.05 { share } else { 1.0 };
    let answers = |channel: usize| {
        let gain = site.cells[channel].counts_per_g * unit;
        placements.iter().map(move |p| p.response(channel) / (gain * p.mass_g))
    };
    let mut faults = Vec::new();
    for channel in 0..site.cells.len() {
        let name = site.name(channel);
        let own = placements.iter().zip(answers(channel)).filter(|(p, _)| p.spot == Spot::Cell(channel));
        if own.map(|(_, answer)| answer).any(|answer| answer < -REVERSED_SHARE) {
            faults.push(Fault::ReversedCell(name));
        } else if answers(channel).fold(0.0, f64::max) < DEAD_SHARE {
            faults.push(Fault::DeadCell(name));
        }
    }
    if !faults.is_empty() {
        return faults;
    }
    if (share - 1.0).abs() > SCALE_OFF_MAX {
        faults.push(Fault::ScaleImplausible { share });
    }
    faults.extend(places(site, placements, share));
    faults
}

fn places(site: &Site, placements: &[Placement], share: f64) -> Vec<Fault> {
    let same: Vec<usize> = (0..site.cells.len()).collect();
    let limit_mm = AWAY_MAX * site.arm_mm();
    let order = permutation(site, placements);
    let moved: Vec<usize> = same.iter().copied().filter(|i| order[*i] != *i).collect();
    match moved.as_slice() {
        [] => {}
        [a, b] => return vec![Fault::SwappedCables(site.name(*a), site.name(*b))],
        many => {
            return vec![Fault::PermutedCables(many.iter().map(|i| (site.name(*i), site.name(order[*i]))).collect())];
        }
    }
    let fault = |(j, placement): (usize, &Placement)| {
        let away_mm = away_mm(site, placement, &same, share);
        (away_mm > limit_mm).then(|| Fault::Misplaced { which: fit::which(placements, j), away_mm })
    };
    placements.iter().enumerate().filter_map(fault).collect()
}

/// Which cell's place each channel's readings fit, by the centres of gravity: the identity where the cables are right.
/// Another order is only believed when it explains the placements and the true one does not.
pub fn permutation(site: &Site, placements: &[Placement]) -> Vec<usize> {
    let share = fit::common_share(site, placements);
    let off_mm = |order: &[usize]| {
        let squares: f64 = placements.iter().map(|p| away_mm(site, p, order, share).powi(2)).sum();
        (squares / placements.len().max(1) as f64).sqrt()
    };
    let same: Vec<usize> = (0..site.cells.len()).collect();
    let limit_mm = AWAY_MAX * site.arm_mm();
    let now_mm = off_mm(&same);
    if !now_mm.is_finite() || now_mm <= limit_mm || same.len() > PERMUTED_MAX {
        return same;
    }
    let mut best = (now_mm / 2.0, same.clone());
    let mut order = same;
    permute(&mut order, 0, &mut |order| {
        let mm = off_mm(order);
        if mm < best.0 && mm <= limit_mm {
            best = (mm, order.to_vec());
        }
    });
    best.1
}

/// Every order of `items[from..]`.
fn permute(items: &mut [usize], from: usize, tell: &mut impl FnMut(&[usize])) {
    if from == items.len() {
        tell(items);
    }
    for with in from..items.len() {
        items.swap(from, with);
        permute(items, from + 1, tell);
        items.swap(from, with);
    }
}

/// Distance from the mark to the centre of gravity when channel i is taken for cell `order[i]`, millimetres.
fn away_mm(site: &Site, placement: &Placement, order: &[usize], share: f64) -> f64 {
    let (mut x, mut y) = (0.0, 0.0);
    for (channel, place) in order.iter().enumerate() {
        let mass_g = placement.response(channel) / (site.cells[channel].counts_per_g * share);
        x += mass_g * (site.cells[*place].x_mm - placement.at_mm[0]);
        y += mass_g * (site.cells[*place].y_mm - placement.at_mm[1]);
    }
    x.hypot(y) / placement.mass_g
}

/// What shows in the gains only.
pub(super) fn fitted(site: &Site, placements: &[Placement], report: &Report) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (channel, share) in report.gain_share.iter().copied().enumerate() {
        if (share - 1.0).abs() > GAIN_OFF_MAX {
            faults.push(Fault::GainImplausible { cell: site.name(channel), share });
        }
    }
    let (worst, worst_g) = report.worst;
    // One placement far out is a slip of the hand and not chance, however well the others fit.
    let slip = placements.len() > 3 && worst_g.abs() > 3.0 * site.division_g;
    if report.residual_g > site.division_g || slip {
        let (residual_g, division_g) = (report.residual_g, site.division_g);
        faults.push(Fault::Residual { residual_g, division_g, worst, worst_g });
    }
    faults
}
