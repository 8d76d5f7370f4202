//! How often somebody may ask: a bucket each, filled at a steady rate.

use augenmass_core::units::{BasketId, Mono};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Most buckets; when there are more callers than that, those who come late share one.
const BUCKETS_MAX: usize = 4096;

/// Whose bucket it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asker {
    /// Everything that comes from an address.
    Address(IpAddr),
    /// Who comes from an address and shows no credential.
    Stranger(Option<IpAddr>),
    /// The app of a basket.
    Basket(BasketId),
    /// Who holds a credential of this station, by its digest.
    Credential([u8; 32]),
    /// All for whom there is no bucket left.
    Others,
}

/// How fast a bucket fills, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second.
    pub per_s: f64,
    /// Requests at once after a rest.
    pub burst: f64,
}

impl Asker {
    /// What is allowed. An app polls and sends its list; a credential may be a relay that speaks for all phones of the store.
    pub const fn rate(&self) -> Rate {
        match self {
            Self::Address(_) => Rate { per_s: 1_000.0, burst: 2_000.0 },
            Self::Stranger(_) | Self::Others => Rate { per_s: 20.0, burst: 100.0 },
            Self::Basket(_) => Rate { per_s: 20.0, burst: 60.0 },
            Self::Credential(_) => Rate { per_s: 200.0, burst: 600.0 },
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Mono,
}

impl Bucket {
    fn filled(self, rate: Rate, now: Mono) -> f64 {
        (self.tokens + rate.per_s * now.seconds_since(self.at)).min(rate.burst)
    }
}

/// All buckets that are not full.
#[derive(Debug, Default)]
pub struct Rates {
    buckets: BTreeMap<Asker, Bucket>,
}

impl Rates {
    /// Takes one request out of somebody's bucket.
    ///
    /// # Errors
    /// After how many seconds, one or more, there will be one again.
    pub fn take(&mut self, asker: Asker, now: Mono) -> Result<(), u32> {
        let asker = if self.buckets.contains_key(&asker) || self.has_room(now) { asker } else { Asker::Others };
        let rate = asker.rate();
        let bucket = self.buckets.entry(asker).or_insert(Bucket { tokens: rate.burst, at: now });
        let tokens = bucket.filled(rate, now);
        *bucket = Bucket { tokens, at: now };
        if tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(((1.0 - tokens) / rate.per_s).ceil().max(1.0) as u32)
    }

    fn has_room(&mut self, now: Mono) -> bool {
        if self.buckets.len() >= BUCKETS_MAX {
            // A full bucket says no more than none.
            self.buckets.retain(|asker, bucket| bucket.filled(asker.rate(), now) < asker.rate().burst);
        }
        self.buckets.len() < BUCKETS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono::from_us(ms * 1000)
    }

    fn basket(name: &str) -> Asker {
        Asker::Basket(name.parse().unwrap())
    }

    #[test]
    fn a_burst_is_let_through_and_then_a_steady_rate() {
        let mut rates = Rates::default();
        let through = |rates: &mut Rates, ms| (0..1000).filter(|_| rates.take(basket("b-1"), at(ms)).is_ok()).count();
        assert_eq!(through(&mut rates, 0), 60);
        assert_eq!(rates.take(basket("b-1"), at(0)), Err(1));
        assert_eq!(through(&mut rates, 500), 10, "twenty a second");
        assert!(rates.take(basket("b-2"), at(500)).is_ok(), "another's bucket is another");
        assert_eq!(through(&mut rates, 3_600_000), 60, "a rest fills it, and not more");
    }

    #[test]
    fn many_callers_do_not_make_it_grow_and_old_ones_make_room() {
        let mut rates = Rates::default();
        for n in 0..10_000 {
            let _ = rates.take(basket(&format!("b-{n}")), at(0));
        }
        assert!(rates.buckets.len() <= BUCKETS_MAX + 1);
        assert!(rates.take(basket("b-late"), at(0)).is_err(), "late callers share a bucket, which is empty");
        assert!(rates.take(basket("b-late"), at(10_000)).is_ok());
        assert!(rates.buckets.contains_key(&basket("b-late")), "idle ones have made room");
    }
}
