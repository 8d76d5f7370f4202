//! Steps of which it is only guessed what was scanned for each, and how far the guess is to be believed.
//!
//! A guess says which lines came with which step. It may be wrong as a whole (the list came from elsewhere, scans came late) or here and
//! there (two goods put down in the other order, one good put down in two goes, a hand that stayed on it). All of these leave the sum of
//! the steps alone concerned right, so that each hypothesis is a *grouping*: steps that are weighed together, with the lines of all of them.
//! Of `k` steps of masses `x` in groups `g` of `m` steps with the sum `S`,
//!
//! ```text
//! p(x | grouping) = Π over groups of  p(S | lines of g, edit) · (m - 1)! / S^(m - 1)
//! ```
//!
//! where the first factor is the judge's own, summed over all edits of the list, and the second is the density of any division of `S` into `m`
//! positive parts in order (uniform on the simplex): what is known of how a group came about is its sum and nothing else. All steps in
//! one group are the plain total. A priori the guess holds but for `m - 1` failures a group, [`FAILS_BESIDE`] each for neighbours,
//! [`FAILS_FAR`] among all others for steps further apart; and with [`HOLDS_NOT`] it does not hold at all. Of the groupings three are
//! weighed: the guess as it is, with what misfits joined to what makes it fit (found greedily), and all in one. What is told is the mixture.
//! So a good that was put down by itself without a scan stands out against its step's few grams as long as the others fit, and a
//! basket whose steps contradict the guess is judged by its total, as if there were no steps.

use super::expected::{Expected, ExpectedLine};
use super::judge::StepEvidence;
use super::noise::{Noise, Spread};
use super::policy::Policy;
use super::priors;

/// Probability that the scans have nothing to do with the steps.
const HOLDS_NOT: f64 = 0.05;
/// Probability that a step is to be weighed together with the one beside it.
const FAILS_BESIDE: f64 = 0.03;
/// Probability that it is to be weighed together with one further off, whichever.
const FAILS_FAR: f64 = 0.01;
/// A step less likely than this, against its lines' weighing to a gram what they should, misfits.
const MISFITS: f64 = 1e-3;
/// More misfits than this and the guess is none.
const MISFITS_MAX: usize = 8;
/// Neighbours that are joined at one go.
const BESIDE_MAX: usize = 3;
/// Half of what is wrong with a step weighs less, grams: only to compare groupings before they are judged.
const WRONG_MEDIAN_G: f64 = 400.0;

/// Steps that are weighed together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Their places in the guess, in order.
    pub steps: Vec<usize>,
    /// Lines that came with them, by their place in the list.
    pub lines: Vec<usize>,
    /// Their mass, grams.
    pub mass_g: f64,
    /// Variance of that by the scale, g².
    pub variance_g2: f64,
    /// Whether container and bags came with them.
    pub carrier: bool,
}

/// One hypothesis of which steps belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// In the order of their first steps.
    pub groups: Vec<Group>,
    /// Logarithm of its prior and of how its groups' masses are divided.
    pub ln_weight: f64,
}

/// The groupings that are weighed of several guesses, of which the one that fits best is taken for the whole visit. `None` if none of them
/// says more than the total.
pub fn groupings(guesses: &[Vec<StepEvidence>], expected: &Expected, policy: &Policy) -> Option<Vec<Grouping>> {
    let judged = guesses.iter().filter_map(|guess| Fit::of(guess, expected, policy).groupings());
    let (best, _) = judged.max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(best)
}

struct Fit<'a> {
    expected: &'a Expected,
    policy: &'a Policy,
    masses_g: Vec<f64>,
    finest: Vec<Group>,
}

/// How well a group fits: logarithm of its density, right or wrong, and whether it misfits.
#[derive(Clone, Copy)]
struct Weight {
    ln: f64,
    misfits: bool,
}

impl<'a> Fit<'a> {
    fn of(guess: &[StepEvidence], expected: &'a Expected, policy: &'a Policy) -> Self {
        Self { expected, policy, masses_g: guess.iter().map(|s| s.mass.g()).collect(), finest: finest(guess) }
    }

    /// With the logarithm of the best one's density.
    fn groupings(&self) -> Option<(Vec<Grouping>, f64)> {
        if !self.says_something() {
            return None;
        }
        let (joined, ln_failures) = self.joined()?;
        let ln = self.ln_of(&joined) + ln_failures;
        let holds = (1.0 - HOLDS_NOT).ln();
        let mut all = vec![Grouping {
            ln_weight: HOLDS_NOT.ln() + self.ln_division(&one(&self.finest)),
            groups: one(&self.finest),
        }];
        if self.is_explicable(&joined) {
            all.push(Grouping { ln_weight: holds + ln_failures + self.ln_division(&joined), groups: joined.clone() });
        }
        if joined != self.finest && self.is_explicable(&self.finest) {
            all.push(Grouping { ln_weight: holds + self.ln_division(&self.finest), groups: self.finest.clone() });
        }
        (all.len() > 1).then_some((all, ln))
    }

    /// Whether scans are spread over the steps at all, and every step brought something.
    fn says_something(&self) -> bool {
        let with_lines = self.finest.iter().filter(|g| !g.lines.is_empty()).count();
        let lines: usize = self.finest.iter().map(|g| g.lines.len()).sum();
        with_lines > 1 && lines == self.expected.lines.len() && self.masses_g.iter().all(|g| *g > 0.0)
    }

    fn weight(&self, group: &Group) -> Weight {
        let off_g = off_g(group, self.expected);
        let wrong = self.policy.error_rate / (1.0 + off_g.abs() / WRONG_MEDIAN_G).powi(2) / (2.0 * WRONG_MEDIAN_G);
        if group.is_lone() {
            return Weight { ln: (priors::ALONE * wrong).ln(), misfits: true };
        }
        let noise = noise(group, self.expected, self.policy);
        let (right, best) = (noise.density(off_g, Spread::default()), noise.density(0.0, Spread::default()));
        Weight { ln: (right + wrong).ln(), misfits: right < MISFITS * best }
    }

    fn ln_of(&self, groups: &[Group]) -> f64 {
        groups.iter().map(|g| self.weight(g).ln).sum::<f64>() + self.ln_division(groups)
    }

    fn ln_division(&self, groups: &[Group]) -> f64 {
        groups.iter().map(|g| ln_division(g.steps.len(), g.mass_g)).sum()
    }

    /// Joins what misfits with what makes it fit, best first; with the logarithm of how probable so many failures are. `None` if hardly
    /// anything fits.
    fn joined(&self) -> Option<(Vec<Group>, f64)> {
        let mut groups = self.finest.clone();
        let mut ln_failures = 0.0;
        loop {
            let weights: Vec<Weight> = groups.iter().map(|g| self.weight(g)).collect();
            let misfits = weights.iter().filter(|w| w.misfits).count();
            if misfits > MISFITS_MAX {
                return None;
            }
            let mut best: Option<(f64, f64, Vec<usize>)> = None;
            for (members, ln_prior) in candidates(&weights) {
                let apart: f64 = members
                    .iter()
                    .map(|i| weights[*i].ln + ln_division(groups[*i].steps.len(), groups[*i].mass_g))
                    .sum();
                let whole = together(members.iter().map(|i| &groups[*i]));
                let gain = self.weight(&whole).ln + ln_division(whole.steps.len(), whole.mass_g) + ln_prior - apart;
                if gain > best.as_ref().map_or(0.0, |b| b.0) {
                    best = Some((gain, ln_prior, members));
                }
            }
            let Some((_, ln_prior, members)) = best else { return Some((groups, ln_failures)) };
            ln_failures += ln_prior;
            let whole = together(members.iter().map(|i| &groups[*i]));
            let mut place = 0..;
            groups.retain(|_| place.next().is_some_and(|at| !members.contains(&at)));
            groups.push(whole);
            groups.sort_by_key(|g| g.steps[0]);
        }
    }

    /// Whether the judge has an edit that explains all that misfits: it has none for more than two weighings, and none but "several things" for
    /// more than one without a scan. A grouping that nothing explains would be believed for want of a better one.
    fn is_explicable(&self, groups: &[Group]) -> bool {
        let lone = groups.iter().filter(|g| g.is_lone()).count();
        let wrong = groups.iter().filter(|g| !g.is_lone() && self.weight(g).misfits).count();
        wrong + lone.min(2) <= 2
    }
}

impl Group {
    /// Nothing was scanned for it.
    pub fn is_lone(&self) -> bool {
        self.lines.is_empty() && !self.carrier
    }
}

/// For each group how much likelier an own bag or thing comes by itself at its place than goods do that nobody scanned, which may come at any.
pub fn strays(groups: &[Group]) -> Vec<f64> {
    let scanned: Vec<usize> = groups.iter().filter(|g| !g.lines.is_empty()).map(|g| g.steps[0]).collect();
    let places = scanned.len() as f64 + 1.0;
    let between = (1.0 - priors::STRAY_BESIDE) * places / (places - 2.0).max(1.0);
    let stray = |group: &Group| {
        let after = scanned.iter().filter(|at| **at < group.steps[0]).count();
        if after == 0 || after == scanned.len() { 0.5 * priors::STRAY_BESIDE * places } else { between }
    };
    groups.iter().map(stray).collect()
}

/// What may be joined, with the logarithm of how probable that is: what misfits, with its neighbours or with any other.
fn candidates(weights: &[Weight]) -> Vec<(Vec<usize>, f64)> {
    let n = weights.len();
    let far = (FAILS_FAR / n.max(1) as f64).ln();
    let mut all = Vec::new();
    for length in 2..=BESIDE_MAX {
        for from in 0..(n + 1).saturating_sub(length) {
            let members: Vec<usize> = (from..from + length).collect();
            if members.iter().any(|i| weights[*i].misfits) {
                all.push((members, (length - 1) as f64 * FAILS_BESIDE.ln()));
            }
        }
    }
    for i in (0..n).filter(|i| weights[*i].misfits) {
        let others = (0..n).filter(|j| j.abs_diff(i) > 1 && (*j > i || !weights[*j].misfits));
        all.extend(others.map(|j| (vec![i.min(j), i.max(j)], far)));
    }
    all
}

/// Logarithm of the density of any division of a mass into so many parts in order, per gram of each but one.
fn ln_division(parts: usize, whole_g: f64) -> f64 {
    (1..parts).map(|i| (i as f64).ln() - whole_g.max(1.0).ln()).sum()
}

/// The guess as it is: a line that came with several steps, units scanned now and then, makes one group of them.
fn finest(guess: &[StepEvidence]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, step) in guess.iter().enumerate() {
        let own = Group {
            steps: vec![at],
            lines: step.lines.clone(),
            mass_g: step.mass.g(),
            variance_g2: step.sigma.g().powi(2),
            carrier: step.carrier,
        };
        let shares = |g: &Group| (g.carrier && own.carrier) || g.lines.iter().any(|line| own.lines.contains(line));
        let (with, others): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(shares);
        groups = others;
        groups.push(together(with.iter().chain([&own])));
    }
    groups.sort_by_key(|g| g.steps[0]);
    groups
}

fn one(groups: &[Group]) -> Vec<Group> {
    vec![together(groups)]
}

fn together<'g>(groups: impl IntoIterator<Item = &'g Group>) -> Group {
    let mut whole = Group { steps: Vec::new(), lines: Vec::new(), mass_g: 0.0, variance_g2: 0.0, carrier: false };
    for group in groups {
        whole.steps.extend(&group.steps);
        whole.lines.extend(&group.lines);
        whole.mass_g += group.mass_g;
        whole.variance_g2 += group.variance_g2;
        whole.carrier |= group.carrier;
    }
    whole.steps.sort_unstable();
    whole.lines.sort_unstable();
    whole.lines.dedup();
    whole
}

/// What a group weighs more than it should, grams.
pub fn off_g(group: &Group, expected: &Expected) -> f64 {
    let lines_g = |lines: &mut dyn Iterator<Item = &ExpectedLine>| -> f64 {
        lines.map(|l| f64::from(l.quantity) * l.unit.mean_g).sum()
    };
    let own_g = lines_g(&mut group.lines.iter().map(|i| &expected.lines[*i]));
    let carrier_g = if group.carrier { expected.mean_g - lines_g(&mut expected.lines.iter()) } else { 0.0 };
    group.mass_g - own_g - carrier_g
}

/// What everything but its goods may be off by.
pub fn around(group: &Group, expected: &Expected) -> Spread {
    let scale = Spread::new(group.variance_g2, priors::EXCESS);
    if group.carrier { scale.plus(expected.around) } else { scale }
}

fn noise(group: &Group, expected: &Expected, policy: &Policy) -> Noise {
    let lines = || group.lines.iter().map(|i| &expected.lines[*i]);
    let core = lines().fold(around(group, expected), |sum, l| sum.plus(l.spread(l.quantity)));
    let rare: Vec<_> = lines().flat_map(|l| l.rare(policy)).collect();
    Noise::new(core, if group.carrier { &expected.bags } else { &[] }, &rare)
}
