//! What goes over the wire on staff's side, as schemas.

use super::shapes::{Bags, Container, FindingKind, Id, Line, Outcome, PlateState, ValidationState, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What somebody of the store may do.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Role {
    Attendant,
    Supervisor,
    Technician,
}

/// What staff does with a basket.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It may go.
    Approve,
    /// Its list is put right; it is judged again at once.
    Correct,
    /// It may not go.
    Refuse,
}

/// Why. The first nine are reasons to approve, the last three to refuse, the others to correct.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    CatalogueWeight,
    Bag,
    PersonalItem,
    HandOnScale,
    SensorFault,
    VisionError,
    ControlSample,
    AgeOk,
    SupervisorOverride,
    DuplicateScan,
    Multipack,
    ProducePlu,
    ItemAdded,
    QuantityFixed,
    ItemRemoved,
    SwapFixed,
    CouponRemoved,
    BasketRefused,
    CustomerLeft,
    AgeRefused,
}

/// Why staff is needed, the most pressing first.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Need {
    SecondPerson,
    Called,
    Exhausted,
    AgeCheck,
    Assist,
    Unavailable,
    ControlSample,
}

/// Somebody of the store.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Staff {
    /// Number of the account.
    account: i64,
    name: String,
    role: Role,
}

/// A tablet to be paired.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairTablet {
    /// The code on the display.
    code: String,
    /// What the tablet is called, for people.
    #[schemars(length(min = 1, max = 64))]
    name: String,
}

/// A tablet that is paired; the cookie beside this makes it known.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct TabletPaired {
    tablet: i64,
}

/// A name and a PIN, or a badge.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
    /// The number that the reader gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    badge: Option<String>,
}

/// Who is logged in.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct LoggedIn {
    staff: Staff,
    /// Comes back as `x-csrf-token` with whatever changes something.
    csrf_token: String,
}

/// Who is logged in on this tablet, if anybody.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// The station's name.
    station: String,
    staff: Option<Staff>,
    csrf_token: Option<String>,
    /// Baskets worth more are approved by two people, minor units.
    four_eyes_above_minor: Option<i64>,
}

/// One basket that needs staff.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Entry {
    validation_id: Id,
    basket_id: Id,
    need: Need,
    /// Since when, milliseconds since 1970.
    since_ms: i64,
    /// How many attempts are decided.
    attempt: u32,
    /// What the latest one says.
    outcome: Option<Outcome>,
    /// Its likeliest finding.
    finding: Option<FindingKind>,
    /// What the plate carried beyond the list, grams.
    off_g: Option<f64>,
    /// Who looks after it.
    claimed_by: Option<String>,
    /// Until when, if they do nothing; milliseconds since 1970.
    claimed_until_ms: Option<i64>,
    /// Who has decided what waits for a second person.
    proposed_by: Option<String>,
}

/// Something that can still be taken back.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Done {
    validation_id: Id,
    basket_id: Id,
    number: u32,
    action: Action,
    reason: Reason,
    by: String,
    undo_until_ms: i64,
    /// Whether who asks may take it back.
    may_undo: bool,
}

/// The station beside the queue.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct StationLine {
    state: PlateState,
    /// Why it is out of service, if it is.
    out_of_service: Option<String>,
}

/// The queue, the most pressing first.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Queue {
    queue: Vec<Entry>,
    done: Vec<Done>,
    station: StationLine,
    /// The station's time, milliseconds since 1970.
    now_ms: i64,
}

/// Who looks after a basket.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Claim {
    by: String,
    /// Whether that is who asks.
    mine: bool,
    until_ms: i64,
}

/// A basket that somebody looks after.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Claimed {
    validation_id: Id,
    claim: Option<Claim>,
}

/// What staff has decided.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    action: Action,
    reason: Reason,
    /// The attempt that was seen; a later one is news, and refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// Whether the shopper's age was checked.
    #[serde(default)]
    age_checked: bool,
    /// The whole list put right, with `correct` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<Line>>,
}

/// A decision that is kept.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Resolution {
    validation_id: Id,
    /// Which decision of this validation, from 1.
    number: u32,
    basket_id: Id,
    attempt: u32,
    revision: u64,
    action: Action,
    reason: Reason,
    age_checked: bool,
    value_minor: i64,
    by: Staff,
    /// Who confirmed it.
    second: Option<Staff>,
    /// Since when staff was needed.
    #[schemars(extend("format" = "date-time"))]
    since: String,
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Opens the gate after an approval.
    exit_token: Option<String>,
}

/// A decision that waits.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Waits {
    validation_id: Id,
    /// `second_person`.
    waits_for: String,
}

/// Which decision is taken back.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    number: u32,
}

/// The decision that was taken back.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    validation_id: Id,
    undone: u32,
}

/// One line with what is known of it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct DossierLine {
    code: String,
    quantity: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scanned_at: Option<String>,
    product_id: Option<Id>,
    name: Option<String>,
    /// What the line should weigh, grams.
    expected_g: Option<f64>,
    price_minor: Option<i64>,
    /// Youngest age of a buyer, years.
    age_limit: Option<u8>,
    /// Deposits, vouchers, coupons and press have none.
    has_mass: bool,
}

/// The list.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Dossier {
    validation_id: Id,
    basket_id: Id,
    revision: u64,
    containers: Vec<Container>,
    bags: Bags,
    lines: Vec<DossierLine>,
    value_minor: i64,
    age_limit: Option<u8>,
}

/// What waits for a second person.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Proposal {
    by: String,
    action: Action,
    reason: Reason,
    value_minor: i64,
    /// Whether who asks may confirm it.
    may_confirm: bool,
}

/// A basket with everything that is known.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    dossier: Dossier,
    state: Option<ValidationState>,
    staff_called: bool,
    void: bool,
    /// The verdicts of all attempts.
    attempts: Vec<Verdict>,
    /// The latest one.
    verdict: Option<Verdict>,
    resolution: Option<Resolution>,
    claim: Option<Claim>,
    proposal: Option<Proposal>,
    since_ms: Option<i64>,
    four_eyes_above_minor: Option<i64>,
    now_ms: i64,
}

/// The day in numbers; nobody is in them by name.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Numbers {
    validations: i64,
    straight_passes: i64,
    self_corrected: i64,
    stopped: i64,
    resolutions: BTreeMap<String, i64>,
    reasons: BTreeMap<String, i64>,
    found_right: i64,
    taken_back: i64,
    /// Until somebody took the basket: up to 15 s, up to 60 s, longer.
    waits: [i64; 3],
}

/// A remark.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightWrong {
    #[serde(default)]
    #[schemars(length(max = 200))]
    note: String,
}

/// What was doubted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Doubted {
    product_id: Id,
}

/// Whether the station shall serve.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    serves: bool,
    /// For people.
    #[serde(default)]
    #[schemars(length(max = 200))]
    why: String,
}

/// Whether the station serves.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Serves {
    serves: bool,
}

/// What somebody did.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Act {
    did: String,
    by: Option<Staff>,
    at_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation_id: Option<Id>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    detail: Map<String, Value>,
}

/// One entry of the audit log.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct AuditEntry {
    /// From 1 without gaps.
    number: i64,
    act: Act,
    /// SHA-256 over the hash before and the act as canonical JSON (RFC 8785), hexadecimal.
    hash: String,
}

/// Entries of the audit log.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    entries: Vec<AuditEntry>,
}
