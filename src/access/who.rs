//! Who asks, and who is let in where.

use augenmass_core::units::BasketId;

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
}

impl Who {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Anyone, Self::Display, Self::App, Self::Handheld, Self::Gate, Self::BackOffice];

    /// As in the store and on the command line; those that hold a credential.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Display => "display",
            Self::App => "app",
            Self::Handheld => "handheld",
            Self::Gate => "gate",
            Self::BackOffice => "back-office",
        }
    }

    /// Those that come with a credential of this station.
    pub fn with_credential(name: &str) -> Option<Self> {
        [Self::Handheld, Self::Gate, Self::BackOffice].into_iter().find(|who| who.as_str() == name)
    }
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
        }
    }

    /// Whether he may touch this basket.
    pub fn owns(&self, basket: &BasketId) -> bool {
        match self {
            Self::Trusted | Self::Holder(_) => true,
            Self::App(own) => own == basket,
            Self::Stranger | Self::Display => false,
        }
    }
}
