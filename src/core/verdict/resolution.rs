//! What staff concludes of a basket. As durable as a verdict, and as final unless it is taken back in time.

use super::answer::{from_rfc3339, rfc3339};
use crate::units::{BasketId, ValidationId, Wall};
use serde::{Deserialize, Serialize, Serializer};

/// What somebody of the store may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Helps shoppers.
    Attendant,
    /// The same, confirms what needs a second person, and sees who did what.
    Supervisor,
    /// Looks after the station.
    Technician,
}

impl Role {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Attendant, Self::Supervisor, Self::Technician];

    /// As in the store and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attendant => "attendant",
            Self::Supervisor => "supervisor",
            Self::Technician => "technician",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// Somebody of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// Number of the account; never given twice.
    pub account: i64,
    /// The name on it.
    pub name: String,
    /// The role at that time.
    pub role: Role,
}

/// What staff does with a basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It may go.
    Approve,
    /// Its list is put right; it is judged again at once.
    Correct,
    /// It may not go.
    Refuse,
}

impl Action {
    /// As in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Correct => "correct",
            Self::Refuse => "refuse",
        }
    }
}

/// Why staff did it: false alarms by their cause, then what was wrong. The outcome codes of store practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The list is right: the catalogue's weight is wrong.
    CatalogueWeight,
    /// The list is right: a bag was not declared.
    Bag,
    /// The list is right: something of the shopper's own lay there.
    PersonalItem,
    /// The list is right: a hand, a child, somebody leaning.
    HandOnScale,
    /// The list is right: a scale or camera was at fault.
    SensorFault,
    /// The list is right: the eyes took something for something else.
    VisionError,
    /// The list is right, and was thought right: a sample drawn by chance.
    ControlSample,
    /// The shopper is old enough.
    AgeOk,
    /// A supervisor's decision.
    SupervisorOverride,
    /// Something was scanned twice.
    DuplicateScan,
    /// A multipack was scanned as a single one, or the other way round.
    Multipack,
    /// Fruit or vegetables under another number.
    ProducePlu,
    /// Something was not scanned.
    ItemAdded,
    /// A number was wrong.
    QuantityFixed,
    /// Something was scanned and not taken.
    ItemRemoved,
    /// Something was scanned as something else.
    SwapFixed,
    /// A coupon does not hold.
    CouponRemoved,
    /// It was not to be cleared up.
    BasketRefused,
    /// The shopper has left.
    CustomerLeft,
    /// The shopper is not old enough.
    AgeRefused,
}

impl Reason {
    /// Every one.
    pub const ALL: [Self; 20] = [
        Self::CatalogueWeight,
        Self::Bag,
        Self::PersonalItem,
        Self::HandOnScale,
        Self::SensorFault,
        Self::VisionError,
        Self::ControlSample,
        Self::AgeOk,
        Self::SupervisorOverride,
        Self::DuplicateScan,
        Self::Multipack,
        Self::ProducePlu,
        Self::ItemAdded,
        Self::QuantityFixed,
        Self::ItemRemoved,
        Self::SwapFixed,
        Self::CouponRemoved,
        Self::BasketRefused,
        Self::CustomerLeft,
        Self::AgeRefused,
    ];

    /// What it is a reason for.
    pub const fn action(self) -> Action {
        match self {
            Self::CatalogueWeight
            | Self::Bag
            | Self::PersonalItem
            | Self::HandOnScale
            | Self::SensorFault
            | Self::VisionError
            | Self::ControlSample
            | Self::AgeOk
            | Self::SupervisorOverride => Action::Approve,
            Self::DuplicateScan
            | Self::Multipack
            | Self::ProducePlu
            | Self::ItemAdded
            | Self::QuantityFixed
            | Self::ItemRemoved
            | Self::SwapFixed
            | Self::CouponRemoved => Action::Correct,
            Self::BasketRefused | Self::CustomerLeft | Self::AgeRefused => Action::Refuse,
        }
    }

    /// As in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CatalogueWeight => "catalogue_weight",
            Self::Bag => "bag",
            Self::PersonalItem => "personal_item",
            Self::HandOnScale => "hand_on_scale",
            Self::SensorFault => "sensor_fault",
            Self::VisionError => "vision_error",
            Self::ControlSample => "control_sample",
            Self::AgeOk => "age_ok",
            Self::SupervisorOverride => "supervisor_override",
            Self::DuplicateScan => "duplicate_scan",
            Self::Multipack => "multipack",
            Self::ProducePlu => "produce_plu",
            Self::ItemAdded => "item_added",
            Self::QuantityFixed => "quantity_fixed",
            Self::ItemRemoved => "item_removed",
            Self::SwapFixed => "swap_fixed",
            Self::CouponRemoved => "coupon_removed",
            Self::BasketRefused => "basket_refused",
            Self::CustomerLeft => "customer_left",
            Self::AgeRefused => "age_refused",
        }
    }
}

/// What staff has concluded of a basket: stored before it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// The validation.
    pub validation_id: ValidationId,
    /// Which resolution of it, from 1.
    pub number: u32,
    /// The basket.
    pub basket_id: BasketId,
    /// The attempt that staff had before it; 0 before the first one.
    pub attempt: u32,
    /// The list that it is about; of a correction the corrected one.
    pub revision: u64,
    /// What was done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Whether the shopper's age was checked.
    pub age_checked: bool,
    /// What the list cost, minor units.
    pub value_minor: i64,
    /// Who did it.
    pub by: Staff,
    /// Who confirmed it, where two were needed.
    pub second: Option<Staff>,
    /// Since when staff was needed.
    #[serde(serialize_with = "rfc3339", deserialize_with = "from_rfc3339")]
    pub since: Wall,
    /// When it was done.
    #[serde(serialize_with = "rfc3339", deserialize_with = "from_rfc3339")]
    pub at: Wall,
    /// Opens the gate after an approval; never kept.
    #[serde(default)]
    pub exit_token: Option<String>,
}

impl Resolution {
    /// Whether the validation has ended by it.
    pub fn ends(&self) -> bool {
        match self.action {
            Action::Approve | Action::Refuse => true,
            Action::Correct => false,
        }
    }

    /// What the shopper's side is told: neither who did it nor why.
    pub fn told(&self) -> Told<'_> {
        Told {
            number: self.number,
            attempt: self.attempt,
            action: self.action,
            at: self.at,
            exit_token: self.exit_token.as_deref(),
        }
    }

    /// Serialises as [`Resolution::told`].
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize_told<S: Serializer>(
        this: &Option<std::sync::Arc<Self>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        this.as_ref().map(|resolution| resolution.told()).serialize(serializer)
    }
}

/// What the shopper's side is told of a resolution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told<'a> {
    number: u32,
    attempt: u32,
    action: Action,
    #[serde(serialize_with = "rfc3339")]
    at: Wall,
    exit_token: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_one_of_the_api_for_one_action() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        let count = |action| Reason::ALL.into_iter().filter(|reason| reason.action() == action).count();
        assert_eq!((count(Action::Approve), count(Action::Correct), count(Action::Refuse)), (9, 8, 3));
        for role in Role::ALL {
            assert_eq!(Role::named(role.as_str()), Some(role));
        }
        assert_eq!(Role::named("boss"), None);
    }

    #[test]
    fn a_shopper_is_told_neither_who_nor_why() {
        let staff = Staff { account: 7, name: "Anna".to_owned(), role: Role::Attendant };
        let resolution = Resolution {
            validation_id: "v".parse().unwrap(),
            number: 1,
            basket_id: "b".parse().unwrap(),
            attempt: 2,
            revision: 3,
            action: Action::Refuse,
            reason: Reason::AgeRefused,
            age_checked: true,
            value_minor: 100,
            by: staff,
            second: None,
            since: Wall::from_ms(1_795_284_000_000),
            at: Wall::from_ms(1_795_284_060_000),
            exit_token: None,
        };
        let told = serde_json::to_string(&resolution.told()).unwrap();
        assert_eq!(
            told,
            r#"{"number":1,"attempt":2,"action":"refuse","at":"2026-11-21T18:01:00.000Z","exit_token":null}"#
        );
        let kept: Resolution = serde_json::from_str(&serde_json::to_string(&resolution).unwrap()).unwrap();
        assert_eq!(kept, resolution);
    }
}
