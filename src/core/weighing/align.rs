//! Several instruments under one load, put on one time: their samples never fall together by themselves.

use crate::units::Mono;
use std::collections::VecDeque;

/// Samples held for an instrument; more than its partners may lag behind.
const HELD_MAX: usize = 64;

/// What instruments say at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The moment.
    pub at: Mono,
    /// Grams a support.
    pub masses_g: Vec<f64>,
    /// What those that can say it say of their rest: `Some(false)` if one of them moves.
    pub stable: Option<bool>,
}

/// Joins the samples of several instruments. The slowest one leads: for each of its samples the others are interpolated
/// linearly between the two of theirs that enclose it, so that nothing is ever extrapolated.
#[derive(Clone, Debug)]
pub struct Align {
    lead: usize,
    held: Vec<VecDeque<Joined>>,
}

impl Align {
    /// For instruments with these sample rates, in the order of their ports.
    pub fn new(rates_hz: &[f64]) -> Self {
        let slowest = rates_hz.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index);
        Self { lead: slowest, held: vec![VecDeque::new(); rates_hz.len()] }
    }

    /// Takes a sample of instrument `port` and tells every joined sample that is complete now: the moment, and the cells of
    /// all instruments in the order of their ports.
    pub fn push(
        &mut self,
        port: usize,
        at: Mono,
        masses_g: Vec<f64>,
        stable: Option<bool>,
        mut out: impl FnMut(Joined),
    ) {
        let sample = Joined { at, masses_g, stable };
        if self.held.len() == 1 {
            out(sample);
            return;
        }
        let Some(queue) = self.held.get_mut(port) else { return };
        if queue.back().is_some_and(|last| at <= last.at) {
            return;
        }
        queue.push_back(sample);
        if queue.len() > HELD_MAX {
            queue.pop_front();
        }
        while let Some(joined) = self.joined() {
            out(joined);
        }
    }

    /// Forgets what is held: an instrument was lost, or is another one now.
    pub fn reset(&mut self) {
        self.held.iter_mut().for_each(VecDeque::clear);
    }

    fn joined(&mut self) -> Option<Joined> {
        let at = self.held[self.lead].front()?.at;
        for (port, queue) in self.held.iter_mut().enumerate() {
            if port == self.lead {
                continue;
            }
            // Of what is older than the moment only the last one encloses it.
            while queue.get(1).is_some_and(|second| second.at <= at) {
                queue.pop_front();
            }
            if queue.front().is_some_and(|first| first.at > at) {
                // The others began later: nothing encloses this moment.
                self.held[self.lead].pop_front();
                return self.joined();
            }
            queue.get(1).or_else(|| queue.front().filter(|first| first.at == at))?;
        }
        let mut joined = Joined { at, masses_g: Vec::new(), stable: None };
        for (port, queue) in self.held.iter().enumerate() {
            let before = queue.front()?;
            joined.stable = match (joined.stable, before.stable) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, None) => None,
            };
            match queue.get(1).filter(|_| port != self.lead) {
                None => joined.masses_g.extend(&before.masses_g),
                Some(after) => {
                    let share = at.seconds_since(before.at) / after.at.seconds_since(before.at).max(1e-6);
                    let pairs = before.masses_g.iter().zip(&after.masses_g);
                    joined.masses_g.extend(pairs.map(|(b, a)| b + share * (a - b)));
                }
            }
        }
        self.held[self.lead].pop_front();
        Some(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Mono {
        Mono::from_us(ms * 1000)
    }

    #[test]
    fn the_others_are_read_at_the_moment_of_the_slowest() {
        let mut align = Align::new(&[80.0, 40.0]);
        let mut joined = Vec::new();
        let mut push = |align: &mut Align, port, at, value| {
            align.push(port, ms(at), vec![value], None, |j| joined.push((j.at.us() / 1000, j.masses_g)));
        };
        push(&mut align, 1, 0, 100.0);
        push(&mut align, 0, 5, 0.0);
        push(&mut align, 0, 15, 10.0);
        push(&mut align, 1, 12, 200.0);
        push(&mut align, 1, 37, 300.0);
        push(&mut align, 0, 36, 31.0);
        push(&mut align, 0, 40, 35.0);
        // At 0 nothing of port 0 encloses it. At 12 port 0 stands at 7 (0 at 5, 10 at 15); at 37 at 32 (31 at 36, 35 at 40).
        assert_eq!(joined, [(12, vec![7.0, 200.0]), (37, vec![32.0, 300.0])]);
    }

    #[test]
    fn one_instrument_alone_is_not_delayed() {
        let mut align = Align::new(&[80.0]);
        let mut count = 0;
        align.push(0, ms(1), vec![1.0], None, |_| count += 1);
        assert_eq!(count, 1);
    }

    #[test]
    fn a_partner_that_stays_away_costs_no_memory() {
        let mut align = Align::new(&[80.0, 80.0]);
        for n in 0..10_000 {
            align.push(0, ms(n), vec![1.0], None, |_| panic!("half a load is no load"));
        }
        assert!(align.held.iter().all(|q| q.len() <= HELD_MAX));
    }
}
