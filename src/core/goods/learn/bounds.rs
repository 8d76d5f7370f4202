//! What one day and one shopper may move at most.

use super::belief::Belief;
use super::equation::Subject;
use std::collections::BTreeMap;

/// In one day a mean may move by its uncertainty at the day's start and this share of the spread.
const DAY_SPREADS: f64 = 0.25;
/// One shopper may move it by this share of that.
const SHOPPER_SHARE: f64 = 0.5;
/// After so many days half of what a shopper has moved is forgiven.
const SHOPPER_DAYS: f64 = 30.0;
/// Shoppers and products remembered; beyond it the oldest are forgotten.
const SHOPPERS_MAX: usize = 100_000;

/// How far something may still move, and has moved.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    most_g: f64,
    moved_g: f64,
}

/// Who has moved what. Not kept over a restart.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds {
    day: i64,
    today: BTreeMap<Subject, Allowance>,
    shoppers: BTreeMap<(u64, Subject), (i64, f64)>,
}

impl Bounds {
    /// A new day gives new allowances.
    pub fn begin_day(&mut self, day: i64) {
        if day != self.day {
            self.day = day;
            self.today.clear();
        }
    }

    /// How much of a wish to move `subject` by `by_g` may come true, 0..=1; it counts as moved. `shopper` stands for who wishes it, if
    /// he has a name.
    pub fn grant(&mut self, subject: &Subject, belief: &Belief, by_g: f64, shopper: Option<u64>) -> f64 {
        if by_g == 0.0 {
            return 1.0;
        }
        let most_g = belief.mean_variance_g2.sqrt() + DAY_SPREADS * belief.variance_g2.sqrt();
        let today = match self.today.get_mut(subject) {
            Some(today) => today,
            None => self.today.entry(subject.clone()).or_insert(Allowance { most_g, moved_g: 0.0 }),
        };
        let mut granted_g = within(today.moved_g, by_g, today.most_g);
        if let Some(shopper) = shopper {
            let key = (shopper, subject.clone());
            let (day, moved_g) = self.shoppers.get(&key).copied().unwrap_or((self.day, 0.0));
            let moved_g = moved_g * 0.5f64.powf((self.day - day).max(0) as f64 / SHOPPER_DAYS);
            granted_g = within(moved_g, granted_g, SHOPPER_SHARE * today.most_g);
            self.shoppers.insert(key, (self.day, moved_g + granted_g));
        }
        today.moved_g += granted_g;
        if self.shoppers.len() > SHOPPERS_MAX {
            self.forget();
        }
        granted_g / by_g
    }

    fn forget(&mut self) {
        let mut days: Vec<i64> = self.shoppers.values().map(|(day, _)| *day).collect();
        let middle = days.len() / 2;
        let (_, keep, _) = days.select_nth_unstable(middle);
        let keep = *keep;
        self.shoppers.retain(|_, (day, _)| *day > keep);
    }
}

/// The part of `by` after which `moved` is still within `most` of zero; a way back is always open.
fn within(moved: f64, by: f64, most: f64) -> f64 {
    if by > 0.0 { by.min((most - moved).max(0.0)) } else { by.max((-most - moved).min(0.0)) }
}
