//! What goes into the root machine and what comes out of it.

use super::dossier::Dossier;
use super::view::ValidationView;
use crate::basket::{Basket, BasketFault, Line};
use crate::goods::{Catalogue, ContainerBelief, Gallery};
use crate::units::{BasketId, Mono, ValidationId, Wall};
use crate::verdict::{Action, Reason, Resolution, Staff, Verdict};
use crate::vision::Scene;
use std::sync::Arc;

/// A moment on both clocks: one to reckon with, one to write down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Never goes back.
    pub mono: Mono,
    /// May jump.
    pub wall: Wall,
}

/// Names a request until it is answered; chosen by the caller, unique among those waiting.
pub type Ticket = u64;

/// Names a record on its way to the disk; chosen by the machine.
pub type SaveId = u64;

/// What may happen to a station.
#[derive(Clone, Debug)]
pub enum Input {
    /// An instrument's port is open.
    PortOpened {
        /// Which, in the order of the station file.
        port: usize,
    },
    /// An instrument's port is gone, or could not be opened.
    PortClosed {
        /// Which.
        port: usize,
        /// What the port said.
        why: String,
    },
    /// Bytes from an instrument.
    Bytes {
        /// Its port.
        port: usize,
        /// When the last of them arrived; handling may be later, never earlier.
        at: Mono,
        /// As they came, split anywhere.
        bytes: Vec<u8>,
    },
    /// A look that was asked for.
    Scene(Scene),
    /// The eyes (camera and models) can see again.
    EyesOpened,
    /// Some of several cameras can be looked through, and others cannot.
    EyesImpaired {
        /// Which cannot, and why.
        why: String,
    },
    /// The eyes are out.
    EyesClosed {
        /// Why.
        why: String,
    },
    /// Whether anybody knows how goods look.
    Looks {
        /// Why nobody does; `None` if somebody does, or nothing was ever enrolled.
        out: Option<String>,
    },
    /// The shop's products as from now; takes effect with the next attempt.
    Goods {
        /// Products.
        catalogue: Arc<Catalogue>,
        /// Their looks.
        gallery: Option<Arc<Gallery>>,
    },
    /// What the store's containers weigh as far as is known now; takes effect with the next attempt.
    Containers(Vec<ContainerBelief>),
    /// Somebody asks something.
    Request {
        /// To be answered under this name.
        ticket: Ticket,
        /// What is asked.
        request: Request,
    },
    /// A record is safe on the disk.
    Saved(SaveId),
    /// A record could not be written.
    SaveFailed(SaveId),
}

/// What may be asked over the API.
#[derive(Clone, Debug)]
pub enum Request {
    /// Keep this list.
    PutBasket {
        /// The basket.
        id: BasketId,
        /// The whole list.
        basket: Basket,
    },
    /// Forget a basket.
    DeleteBasket {
        /// The basket.
        id: BasketId,
    },
    /// Validate a basket here.
    Validate {
        /// How the validation will be named if none is open for the basket.
        id: ValidationId,
        /// The basket.
        basket_id: BasketId,
        /// The code on the station.
        station_code: String,
    },
    /// "I have put it right."
    Retry {
        /// The validation.
        id: ValidationId,
    },
    /// Something to keep beside a validation that is open.
    Mark {
        /// The validation.
        id: ValidationId,
        /// What.
        mark: Mark,
    },
    /// What lies behind a validation, for staff.
    Dossier {
        /// The validation.
        id: ValidationId,
    },
    /// Staff has decided.
    Resolve {
        /// The validation.
        id: ValidationId,
        /// What.
        deed: Box<Deed>,
    },
    /// Staff takes the resolution back that ended a validation.
    Undo {
        /// The validation.
        id: ValidationId,
        /// The resolution.
        number: u32,
        /// Who.
        by: Staff,
    },
    /// Staff takes the station out of service, or puts it back.
    Service {
        /// Whether it serves.
        serves: bool,
        /// Why, in staff's words.
        why: String,
        /// Who.
        by: Staff,
    },
}

/// What staff has decided of a basket; whether they may is for others to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// What.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The attempt that they had before them; a later one is news that they have not seen.
    pub attempt: Option<u32>,
    /// The list that they had before them; a later one is another basket.
    pub revision: u64,
    /// Whether the shopper's age was checked.
    pub age_checked: bool,
    /// The corrected list, of a correction alone.
    pub lines: Option<Vec<Line>>,
    /// What the list cost, minor units.
    pub value_minor: i64,
    /// Since when staff was needed.
    pub since: Wall,
    /// Who.
    pub by: Staff,
    /// Who confirmed it, where two were needed.
    pub second: Option<Staff>,
}

/// What a shopper may say of a validation; kept beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// "Somebody please come."
    StaffCalled,
    /// "I give it up."
    Cancelled,
}

impl Mark {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::StaffCalled, Self::Cancelled];

    /// As in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StaffCalled => "staff_called",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What the machine wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Bytes for an instrument.
    Send {
        /// Its port, in the order of the station file.
        port: usize,
        /// To be written at once.
        bytes: Vec<u8>,
    },
    /// Look at the plate, on a frame that arrived at this moment or later.
    Look {
        /// The earliest moment of arrival.
        since: Mono,
    },
    /// Write a record durably, then say [`Input::Saved`].
    Save {
        /// Its name.
        save: SaveId,
        /// What to write.
        record: Record,
    },
    /// Answer a request.
    Answer {
        /// The request.
        ticket: Ticket,
        /// The answer.
        answer: Result<Answer, Refusal>,
    },
    /// A validation has news. A verdict in it is durable.
    Publish(ValidationView),
}

/// What is kept on disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A basket's list; replaces an older revision.
    Basket {
        /// The basket.
        id: BasketId,
        /// Its list.
        basket: Basket,
    },
    /// A basket is gone.
    BasketDeleted {
        /// The basket.
        id: BasketId,
    },
    /// A validation was opened.
    Validation {
        /// The validation.
        id: ValidationId,
        /// The basket.
        basket_id: BasketId,
        /// When.
        opened_at: Wall,
    },
    /// Something the shopper said of a validation.
    Marked {
        /// The validation.
        id: ValidationId,
        /// What.
        mark: Mark,
        /// When.
        at: Wall,
    },
    /// An attempt was decided; never changed after.
    Attempt(Arc<Verdict>),
    /// A pass does not hold any more: goods were added before the basket left the plate.
    Void {
        /// The validation.
        id: ValidationId,
        /// The attempt that had passed.
        attempt: u32,
        /// When.
        at: Wall,
    },
    /// Staff has decided of a basket; with the corrected list, if it was corrected.
    Resolved {
        /// What.
        resolution: Arc<Resolution>,
        /// The list as from now.
        basket: Option<Basket>,
    },
    /// A resolution does not hold any more.
    Undone {
        /// The validation.
        id: ValidationId,
        /// The resolution.
        number: u32,
        /// Who took it back; `None` if goods were added before the basket left the plate.
        by: Option<Staff>,
        /// When.
        at: Wall,
    },
    /// The station serves or serves not.
    Service {
        /// Whether it serves.
        serves: bool,
        /// Why.
        why: String,
        /// Who said so.
        by: Staff,
        /// When.
        at: Wall,
    },
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The list is kept.
    BasketKept {
        /// Whether the basket is new.
        created: bool,
    },
    /// The basket is gone.
    BasketDeleted,
    /// The validation.
    Validation {
        /// Its name.
        id: ValidationId,
        /// Whether it is new.
        created: bool,
    },
    /// Another attempt is on its way.
    Retrying,
    /// It is noted.
    Marked,
    /// What lies behind a validation.
    Dossier(Box<Dossier>),
    /// Staff's decision is kept.
    Resolved(Arc<Resolution>),
    /// Staff's decision is taken back.
    Undone,
    /// The station serves or serves not, as was asked.
    Service,
}

/// Why something was not done. State is untouched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The list is not one.
    #[error("the list has {} faults", .0.len())]
    BadBasket(Vec<BasketFault>),
    /// A newer revision is here already.
    #[error("revision {current} is here already")]
    OlderRevision {
        /// The revision that is kept.
        current: u64,
    },
    /// The same revision with other content.
    #[error("revision {current} was sent before with other content")]
    OtherContent {
        /// The revision that is kept.
        current: u64,
    },
    /// No such basket.
    #[error("no such basket")]
    UnknownBasket,
    /// No such validation.
    #[error("no such validation")]
    UnknownValidation,
    /// The code is not this station's.
    #[error("this is another station")]
    OtherStation,
    /// The validation has ended.
    #[error("the validation has ended")]
    ValidationClosed,
    /// A basket under validation cannot be deleted.
    #[error("the basket is under validation")]
    ValidationOpen,
    /// An attempt or a resolution is on its way to the disk.
    #[error("it is being decided just now; look again")]
    Deciding,
    /// There was another attempt since.
    #[error("attempt {attempt} has been decided since; look again")]
    NewsSince {
        /// The latest one.
        attempt: u32,
    },
    /// The resolution to be taken back is not the one that holds.
    #[error("there is no such resolution to take back")]
    UnknownResolution,
    /// Staff has taken the station out of service.
    #[error("this station is out of service")]
    OutOfService,
    /// More than the station takes at one time.
    #[error("too much at one time; try again in a moment")]
    Busy,
}
