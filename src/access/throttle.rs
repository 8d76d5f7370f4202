//! Who fails too often waits.

use augenmass_core::units::Mono;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// So many failures within the window are forgiven.
const FAILURES_MAX: u32 = 10;
/// The window, seconds.
const WINDOW_S: f64 = 60.0;
/// Most addresses remembered; when there are more, all are treated as one.
const ADDRESSES_MAX: usize = 1024;

/// Failures of late by address; `None` where the address is not known.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: BTreeMap<Option<IpAddr>, (Mono, u32)>,
}

impl Throttle {
    /// Whether this address has to wait.
    pub fn is_blocked(&self, address: Option<IpAddr>, now: Mono) -> bool {
        let held = |address| {
            self.failures
                .get(&address)
                .is_some_and(|(since, count)| *count >= FAILURES_MAX && now.seconds_since(*since) < WINDOW_S)
        };
        held(address) || (self.failures.len() >= ADDRESSES_MAX && held(None))
    }

    /// Notes a failure.
    pub fn failed(&mut self, address: Option<IpAddr>, now: Mono) {
        if self.failures.len() >= ADDRESSES_MAX {
            self.failures.retain(|_, (since, _)| now.seconds_since(*since) < WINDOW_S);
        }
        let room = self.failures.len() < ADDRESSES_MAX || self.failures.contains_key(&address);
        let entry = self.failures.entry(if room { address } else { None }).or_insert((now, 0));
        if now.seconds_since(entry.0) >= WINDOW_S {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_cost_the_rest_of_a_minute() {
        let (one, other) = (Some::<IpAddr>("10.0.0.1".parse().unwrap()), Some("10.0.0.2".parse().unwrap()));
        let at = |s: u64| Mono::from_us(s * 1_000_000);
        let mut throttle = Throttle::default();
        for _ in 0..9 {
            throttle.failed(one, at(0));
        }
        assert!(!throttle.is_blocked(one, at(1)));
        throttle.failed(one, at(1));
        assert!(throttle.is_blocked(one, at(59)) && !throttle.is_blocked(other, at(59)));
        assert!(!throttle.is_blocked(one, at(60)));
        throttle.failed(one, at(61));
        assert!(!throttle.is_blocked(one, at(61)));
    }

    #[test]
    fn many_addresses_do_not_make_it_grow() {
        let mut throttle = Throttle::default();
        for n in 0..5000u32 {
            throttle.failed(Some(IpAddr::from(n.to_be_bytes())), Mono::from_us(1));
        }
        assert!(throttle.failures.len() <= ADDRESSES_MAX + 1);
        // Whoever comes from yet another address is one of them.
        assert!(throttle.is_blocked(Some("192.0.2.1".parse().unwrap()), Mono::from_us(2)));
    }
}
