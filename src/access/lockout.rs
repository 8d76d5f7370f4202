//! Who guesses PINs waits longer each time, by account and by address; accounts that are not there are locked like those that are.

use augenmass_core::units::Mono;
use std::collections::BTreeMap;

/// So many failures are forgiven: fingers slip.
const FORGIVEN: u32 = 4;
/// The first wait, seconds; each further failure doubles it.
const FIRST_S: u64 = 5;
/// The longest wait, seconds.
const LONGEST_S: u64 = 900;
/// What nobody has failed at for so long is forgotten, seconds: longer than the longest wait.
const FORGET_S: f64 = 3600.0;
/// Most accounts and addresses remembered; those that come when there are more count as one.
const KEPT_MAX: usize = 1024;

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Mono,
    until: Mono,
}

/// Failures of late, by what was tried and where from.
#[derive(Debug, Default)]
pub struct Lockout {
    failures: BTreeMap<String, Failures>,
}

impl Lockout {
    /// How many seconds nobody is listened to under one of these names, if so.
    pub fn wait_s(&self, names: &[String], now: Mono) -> Option<u64> {
        let until =
            names.iter().filter_map(|name| self.failures.get(self.place(name))).map(|failures| failures.until).max()?;
        (now < until).then(|| until.ms_since(now).div_ceil(1000).max(1))
    }

    /// Notes a failure under all of these names.
    pub fn failed(&mut self, names: &[String], now: Mono) {
        self.failures.retain(|_, failures| now.seconds_since(failures.last) < FORGET_S);
        for name in names {
            let place = self.place(name).to_owned();
            let failures = self.failures.entry(place).or_insert(Failures { count: 0, last: now, until: now });
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
            if let Some(over) = failures.count.checked_sub(FORGIVEN + 1) {
                let wait_s = FIRST_S.saturating_mul(1 << over.min(16)).min(LONGEST_S);
                failures.until = now.plus_ms(wait_s * 1000);
            }
        }
    }

    /// Forgives what was tried under a name.
    pub fn succeeded(&mut self, name: &str) {
        self.failures.remove(name);
    }

    fn place<'a>(&self, name: &'a str) -> &'a str {
        if self.failures.contains_key(name) || self.failures.len() < KEPT_MAX { name } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Mono {
        Mono::from_us(s * 1_000_000)
    }

    fn names(account: &str, address: &str) -> [String; 2] {
        [format!("name {account}"), format!("from {address}")]
    }

    #[test]
    fn each_failure_costs_more_and_success_is_forgiven() {
        let mut lockout = Lockout::default();
        let anna = names("anna", "10.0.0.1");
        for _ in 0..4 {
            lockout.failed(&anna, at(0));
        }
        assert_eq!(lockout.wait_s(&anna, at(0)), None);
        let mut waits = Vec::new();
        let mut now = 0;
        for _ in 0..9 {
            lockout.failed(&anna, at(now));
            let wait = lockout.wait_s(&anna, at(now)).unwrap();
            assert_eq!(lockout.wait_s(&anna, at(now + wait)), None, "then one is listened to again");
            waits.push(wait);
            now += wait;
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900]);
        // From elsewhere the account is locked all the same, and from there other accounts are.
        lockout.failed(&anna, at(now));
        assert!(lockout.wait_s(&names("anna", "10.0.0.9"), at(now)).is_some());
        assert!(lockout.wait_s(&names("ben", "10.0.0.1"), at(now)).is_some());
        assert!(lockout.wait_s(&names("ben", "10.0.0.9"), at(now)).is_none());
        lockout.succeeded(&anna[0]);
        assert!(lockout.wait_s(&names("anna", "10.0.0.9"), at(now)).is_none());
        assert!(lockout.wait_s(&anna, at(now)).is_some(), "the address is not forgiven by one who knows a PIN");
        // An hour later it is forgotten.
        lockout.failed(&names("x", "y"), at(now + 4000));
        assert!(lockout.wait_s(&anna, at(now + 4000)).is_none());
    }

    #[test]
    fn many_names_do_not_make_it_grow() {
        let mut lockout = Lockout::default();
        for n in 0..5000 {
            lockout.failed(&names(&n.to_string(), "10.0.0.1"), at(1));
        }
        assert!(lockout.failures.len() <= KEPT_MAX + 1);
        assert!(lockout.wait_s(&["name yet another".to_owned()], at(2)).is_some());
    }
}
