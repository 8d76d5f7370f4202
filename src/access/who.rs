//! Who asks, and who is let in where.

use augenmass_core::units::BasketId;
use augenmass_core::verdict::{Role, Staff};
use std::sync::Arc;

/// Who gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Everybody who reaches the station.
    Anyone,
    /// A browser on this very machine, as the station's own display is.
    Display,
    /// A shopper's app, for the basket that its token names.
    App,
    /// A handheld of the store that was paired.
    Handheld,
    /// An exit gate.
    Gate,
    /// The retailer's back office, and who runs the stations.
    BackOffice,
    /// A tablet of the staff that was paired; nobody need be logged in on it.
    Tablet,
    /// Somebody of the staff, logged in.
    Attendant,
    /// A supervisor, logged in.
    Supervisor,
    /// A technician, logged in.
    Technician,
}

impl Who {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::Anyone,
        Self::Display,
        Self::App,
        Self::Handheld,
        Self::Gate,
        Self::BackOffice,
        Self::Tablet,
        Self::Attendant,
        Self::Supervisor,
        Self::Technician,
    ];

    /// As in the store and on the command line; those that hold a credential.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Display => "display",
            Self::App => "app",
            Self::Handheld => "handheld",
            Self::Gate => "gate",
            Self::BackOffice => "back-office",
            Self::Tablet => "tablet",
            Self::Attendant => Role::Attendant.as_str(),
            Self::Supervisor => Role::Supervisor.as_str(),
            Self::Technician => Role::Technician.as_str(),
        }
    }

    /// Those that come with a credential of this station.
    pub fn with_credential(name: &str) -> Option<Self> {
        [Self::Handheld, Self::Gate, Self::BackOffice].into_iter().find(|who| who.as_str() == name)
    }
}

impl Who {
    /// Whether it is staff's side: who comes there logs in, whatever the station file says.
    pub const fn is_staff(self) -> bool {
        match self {
            Self::Tablet | Self::Attendant | Self::Supervisor | Self::Technician => true,
            Self::Anyone | Self::Display | Self::App | Self::Handheld | Self::Gate | Self::BackOffice => false,
        }
    }

    /// Staff of this role.
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Attendant => Self::Attendant,
            Role::Supervisor => Self::Supervisor,
            Role::Technician => Self::Technician,
        }
    }
}

/// Somebody of the staff who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub staff: Staff,
    /// The number of the tablet.
    pub tablet: i64,
    /// Hash of the session's secret.
    pub digest: [u8; 32],
    /// What must come back in a header with whatever changes something.
    pub csrf: String,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Access control is off.
    Trusted,
    /// Nobody known.
    Stranger,
    /// The display.
    Display,
    /// An app, with the one basket it may touch.
    App(BasketId),
    /// Somebody with a credential of this station.
    Holder(Who),
    /// A tablet of this number, with nobody logged in on it.
    Tablet(i64),
    /// Somebody of the staff.
    Staff(Arc<Person>),
}

impl Caller {
    /// Whether a route that names these lets him in.
    pub fn may(&self, named: &[Who]) -> bool {
        match self {
            Self::Trusted => true,
            Self::Stranger => named.contains(&Who::Anyone),
            Self::Display => named.contains(&Who::Anyone) || named.contains(&Who::Display),
            Self::App(_) => named.contains(&Who::Anyone) || named.contains(&Who::App),
            Self::Holder(who) => named.contains(&Who::Anyone) || named.contains(who),
            Self::Tablet(_) => named.contains(&Who::Anyone) || named.contains(&Who::Tablet),
            Self::Staff(person) => {
                let own = [Who::Anyone, Who::of(person.staff.role)];
                own.iter().any(|who| named.contains(who))
            }
        }
    }

    /// Whether he may touch this basket.
    pub fn owns(&self, basket: &BasketId) -> bool {
        match self {
            Self::Trusted | Self::Holder(_) => true,
            Self::App(own) => own == basket,
            Self::Stranger | Self::Display | Self::Tablet(_) | Self::Staff(_) => false,
        }
    }
}
