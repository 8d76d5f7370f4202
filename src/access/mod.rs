//! Floor 3: who may do what. Deny by default: each route names who gets in ([`who::Who`]), and [`Access`] finds out who asks.

pub mod app_token;
pub mod certificate;
pub mod client_certificate;
pub mod credential;
pub mod exit_token;
pub mod lockout;
pub mod loopback;
pub mod pairing;
pub mod pin;
pub mod rate;
pub mod session;
pub mod throttle;
pub mod who;

use app_token::AppKeys;
use augenmass_core::desk::Rules;
use augenmass_core::units::Mono;
use exit_token::ExitKey;
use lockout::Lockout;
use pairing::Pairing;
use rate::{Asker, Rates};
use session::BadgeKey;
use std::sync::{Mutex, PoisonError};
use throttle::Throttle;

/// Whether access control is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Each route lets in whom it names. What a station file that says nothing gets.
    #[default]
    Required,
    /// Everybody on this machine may do everything: for demonstrations and development, and only by saying so.
    Open,
}

/// What decides who may do what on this station.
#[derive(Debug)]
pub struct Access {
    /// Whether it is on.
    pub mode: Mode,
    /// By which the retailer's app servers sign for shoppers.
    pub app_keys: AppKeys,
    /// The code on the display by which handhelds are paired.
    pub pairing: Pairing,
    /// Signs what opens the gate.
    pub exit: ExitKey,
    /// Names of this station besides those of this machine, as in `Host`.
    pub hosts: Vec<String>,
    /// Hides the numbers of badges.
    pub badges: BadgeKey,
    /// What staff may decide alone.
    pub rules: Rules,
    throttle: Mutex<Throttle>,
    /// Who logs in waits for who does so already: guessing many at once gains nothing, and one hash's memory is all that is needed.
    pub lockout: tokio::sync::Mutex<Lockout>,
    rates: Mutex<Rates>,
}

impl Access {
    /// Access as the station file wants it.
    pub fn new(
        mode: Mode,
        app_keys: AppKeys,
        pairing: Pairing,
        exit: ExitKey,
        hosts: Vec<String>,
        (badges, rules): (BadgeKey, Rules),
    ) -> Self {
        let (throttle, rates, lockout) = (Mutex::default(), Mutex::default(), tokio::sync::Mutex::default());
        Self { mode, app_keys, pairing, exit, hosts, badges, rules, throttle, rates, lockout }
    }

    /// Whether a `Host` names this station.
    pub fn is_own_host(&self, host: &str) -> bool {
        let name = loopback::without_port(host);
        loopback::is_own_host(host) || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Counts a request of somebody's.
    ///
    /// # Errors
    /// After how many seconds there may be another.
    pub fn take(&self, asker: Asker, now: Mono) -> Result<(), u32> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).take(asker, now)
    }

    /// The failed attempts of late.
    pub fn throttle<T>(&self, look: impl FnOnce(&mut Throttle) -> T) -> T {
        look(&mut self.throttle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
