//! How cosines are to be read, measured as the models' own curve is (`models/training/embedder.py`): the rising chain of lines by which
//! one best says which of a shop's goods a crop shows, or that it shows none of them. From crops alone: whoever calibrates knows no law.

use augenmass_core::goods::LookCalibration;

/// Lines of the chain.
const PIECES: usize = 8;
/// Level at the chain's beginning, and the logarithm of each line's slope.
const UNKNOWNS: usize = PIECES + 1;
/// Price of neighbouring slopes that differ.
const STIFFNESS: f64 = 2e-3;
/// Steps of the search; the loss is smooth in nine unknowns.
const STEPS: usize = 200;

type Unknowns = [f64; UNKNOWNS];

/// One crop's best cosines to the goods of its shop.
#[derive(Clone, Debug)]
pub struct Compared {
    /// To the good that it shows.
    pub own: f64,
    /// To those that it does not show, declared look-alikes left out.
    pub others: Vec<f64>,
}

/// The curve from so many crops.
pub fn measure(crops: &[Compared]) -> LookCalibration {
    let mut own: Vec<f64> = crops.iter().map(|c| c.own).collect();
    let mut others: Vec<f64> = crops.iter().flat_map(|c| c.others.iter().copied()).collect();
    own.sort_by(f64::total_cmp);
    others.sort_by(f64::total_cmp);
    let chain = Chain { first: quantile(&others, 0.02), last: quantile(&own, 0.98) };
    let found = descend(|unknowns| chain.loss(unknowns, crops));
    let point = |k: usize| {
        let at = chain.first + chain.width() * k as f64;
        [at, chain.at(&found, at).0]
    };
    let curve: Vec<[f64; 2]> = (0..=PIECES).map(point).collect();
    let (low, high) = (curve[0], curve[PIECES]);
    let a = (high[1] - low[1]) / (high[0] - low[0]);
    LookCalibration { a, b: low[1] - a * low[0], curve }
}

fn quantile(ascending: &[f64], share: f64) -> f64 {
    let last = ascending.len().saturating_sub(1);
    ascending.get((last as f64 * share) as usize).copied().unwrap_or_default()
}

/// Lines of one width between two cosines, level beyond.
struct Chain {
    first: f64,
    last: f64,
}

impl Chain {
    fn width(&self) -> f64 {
        (self.last - self.first) / PIECES as f64
    }

    /// Log likelihood ratio at a cosine, and how it changes with each unknown.
    fn at(&self, unknowns: &Unknowns, cosine: f64) -> (f64, Unknowns) {
        let mut slopes = [0.0; UNKNOWNS];
        slopes[0] = 1.0;
        let mut ratio = unknowns[0];
        for (k, slope) in slopes.iter_mut().enumerate().skip(1) {
            let from = self.first + self.width() * (k - 1) as f64;
            *slope = unknowns[k].exp() * (cosine - from).clamp(0.0, self.width());
            ratio += *slope;
        }
        (ratio, slopes)
    }

    /// Minus the mean log probability of the truth, its good being in the shop or not with even odds, and its gradient. "None" weighs as
    /// much as all other goods together, so that the curve is a ratio against "some other product" in a shop of any size.
    fn loss(&self, unknowns: &Unknowns, crops: &[Compared]) -> (f64, Unknowns) {
        let (mut loss, mut gradient) = (0.0, [0.0; UNKNOWNS]);
        for crop in crops {
            let (own, own_slopes) = self.at(unknowns, crop.own);
            let none = crop.others.len() as f64;
            let mut sum = none;
            let mut sum_slopes = [0.0; UNKNOWNS];
            for cosine in &crop.others {
                let (ratio, slopes) = self.at(unknowns, *cosine);
                let likelihood = ratio.exp();
                sum += likelihood;
                sum_slopes.iter_mut().zip(slopes).for_each(|(s, slope)| *s += likelihood * slope);
            }
            let with_own = sum + own.exp();
            loss += 0.5 * (with_own.ln() - own) + 0.5 * (sum / none).ln();
            for k in 0..UNKNOWNS {
                let there = (sum_slopes[k] + own.exp() * own_slopes[k]) / with_own - own_slopes[k];
                gradient[k] += 0.5 * there + 0.5 * sum_slopes[k] / sum;
            }
        }
        let count = crops.len().max(1) as f64;
        gradient.iter_mut().for_each(|g| *g /= count);
        loss /= count;
        for k in 2..UNKNOWNS {
            let bend = unknowns[k] - unknowns[k - 1];
            loss += STIFFNESS * bend * bend;
            gradient[k] += 2.0 * STIFFNESS * bend;
            gradient[k - 1] -= 2.0 * STIFFNESS * bend;
        }
        (loss, gradient)
    }
}

/// The unknowns of least loss, by quasi-Newton steps (BFGS: Nocedal and Wright, Numerical Optimization, 6.1).
fn descend(loss: impl Fn(&Unknowns) -> (f64, Unknowns)) -> Unknowns {
    let mut at: Unknowns = [12.0f64.ln(); UNKNOWNS];
    at[0] = -3.0;
    let (mut value, mut gradient) = loss(&at);
    let identity = || std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    let mut inverse: [Unknowns; UNKNOWNS] = identity();
    for _ in 0..STEPS {
        let direction: Unknowns = std::array::from_fn(|i| -dot(&inverse[i], &gradient));
        let fall = dot(&direction, &gradient);
        if fall > -1e-14 {
            break;
        }
        let mut share = 1.0;
        let (next, next_value, next_gradient) = loop {
            let next: Unknowns = std::array::from_fn(|i| at[i] + share * direction[i]);
            let (next_value, next_gradient) = loss(&next);
            if next_value <= value + 1e-4 * share * fall {
                break (next, next_value, next_gradient);
            }
            share *= 0.5;
            if share < 1e-10 {
                return at;
            }
        };
        let moved: Unknowns = std::array::from_fn(|i| next[i] - at[i]);
        let turned: Unknowns = std::array::from_fn(|i| next_gradient[i] - gradient[i]);
        let curvature = dot(&moved, &turned);
        if curvature > 1e-12 {
            let bent: Unknowns = std::array::from_fn(|i| dot(&inverse[i], &turned));
            let scale = (1.0 + dot(&turned, &bent) / curvature) / curvature;
            for i in 0..UNKNOWNS {
                for j in 0..UNKNOWNS {
                    inverse[i][j] +=
                        scale * moved[i] * moved[j] - (bent[i] * moved[j] + moved[i] * bent[j]) / curvature;
                }
            }
        } else {
            inverse = identity();
        }
        (at, value, gradient) = (next, next_value, next_gradient);
    }
    at
}

fn dot(a: &Unknowns, b: &Unknowns) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    /// Of two Gaussians, one spread wide and 3 spreads apart, the log ratio is (3 x - 4.5) nats.
    #[test]
    fn the_law_of_two_gaussians_is_found() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut normal = |mean: f64| mean + rng.sample::<f64, _>(StandardNormal);
        let crops: Vec<Compared> =
            (0..1500).map(|_| Compared { own: normal(3.0), others: (0..60).map(|_| normal(0.0)).collect() }).collect();
        let curve = measure(&crops);
        assert!(curve.is_sound());
        for x in [0.5f32, 1.5, 2.5, 3.5] {
            let wanted = 3.0 * f64::from(x) - 4.5;
            let found = curve.log_ratio(x);
            assert!((found - wanted).abs() < 0.5, "at {x}: {found} instead of {wanted}");
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let crops =
            [Compared { own: 0.6, others: vec![0.1, 0.3, -0.1] }, Compared { own: 0.2, others: vec![0.15, 0.5] }];
        let chain = Chain { first: -0.2, last: 0.8 };
        let mut at = [2.0, 1.0, 1.5, 2.0, 2.5, 2.0, 1.0, 2.0, 2.5];
        at[0] = -3.0;
        let (_, gradient) = chain.loss(&at, &crops);
        for k in 0..UNKNOWNS {
            let nudged = |by: f64| {
                let mut at = at;
                at[k] += by;
                chain.loss(&at, &crops).0
            };
            let slope = (nudged(1e-5) - nudged(-1e-5)) / 2e-5;
            assert!((slope - gradient[k]).abs() < 1e-6, "{k}: {slope} and {}", gradient[k]);
        }
    }
}
