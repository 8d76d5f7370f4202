//! What goes over the wire, as schemas. The core's own types live where no schema library may go, so each has its shape here once more;
//! every answer that a test gets from a station is read into its shape and written again, and must be the same.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An identifier: 1 to 64 characters out of `A-Z a-z 0-9 . _ : -`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(example = "b-1")]
pub struct Id(#[schemars(regex(pattern = r"^[A-Za-z0-9._:\-]{1,64}$"))] String);

/// Who sent the list.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Source {
    App,
    Handheld,
}

/// What the goods lie in; `none` is for goods right on the plate.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ContainerKind {
    Trolley,
    Basket,
    None,
}

/// One container of the visit.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    kind: ContainerKind,
    /// Which one it is, where the store marks them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    id: Option<String>,
}

/// The shopper's own bags.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bags {
    /// How many.
    #[schemars(range(max = 20))]
    count: u32,
    /// What they weigh together in grams, where somebody knows; only with at least one bag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 5000.0))]
    grams: Option<f64>,
}

/// What is known of the shopper: nothing that names a person.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shopper {
    /// A name that means nothing outside the store's own system.
    #[schemars(length(min = 1, max = 64))]
    pseudonym: String,
    /// Whether this is the first visit with scan-and-go.
    #[serde(default)]
    first_visit: bool,
}

/// One scanned line.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The code as scanned: EAN, UPC, GTIN-14, in-store code, label of the store, GS1 element string, Digital Link, PLU.
    code: String,
    /// How many units; two portions with the same weight label are two.
    #[schemars(range(min = 1, max = 999))]
    quantity: u32,
    /// When it was scanned, RFC 3339; kept for staff, decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    scanned_at: Option<String>,
}

/// The whole list of one basket at one revision.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    /// Counts up with each change of the list.
    revision: u64,
    source: Source,
    /// What the goods lie in.
    #[serde(default)]
    #[schemars(length(max = 4))]
    containers: Vec<Container>,
    #[serde(default)]
    bags: Bags,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shopper: Option<Shopper>,
    /// What was scanned.
    #[schemars(length(max = 500))]
    lines: Vec<Line>,
}

/// A list that is kept.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct BasketKept {
    basket_id: Id,
    revision: u64,
}

/// A validation by its name.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ValidationNamed {
    validation_id: Id,
}

/// `pass`: the basket may go. `correct`: the shopper can put it right. `assist`: staff should look. `unavailable`: the unit cannot judge.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Pass,
    Correct,
    Assist,
    Unavailable,
}

/// What kind of difference it is. `absent`: a whole line is not there, an over-charge; `quantity`: a line's count differs, either way;
/// `foreign`: not in the catalogue; `stale_weight`: the catalogue is wrong; `sensor`: a sensor is out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    Unscanned,
    Absent,
    Quantity,
    Swapped,
    Bag,
    Foreign,
    StaleWeight,
    Sensor,
}

/// A product.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProductRef {
    /// The retailer's identifier; `null` for a code that the catalogue does not know.
    id: Option<String>,
    code: String,
    name: String,
}

/// One difference.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Finding {
    kind: FindingKind,
    /// What it is about; `null` below a posterior of one half.
    product: Option<ProductRef>,
    /// For `swapped`: what seems to lie there instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instead: Option<ProductRef>,
    /// Units on the list.
    scanned: Option<u32>,
    /// Units that seem to be there.
    found: Option<u32>,
    /// What it makes in grams against the list; negative for less.
    grams: f64,
    /// Posterior probability.
    #[schemars(range(min = 0.0, max = 1.0))]
    probability: f64,
    /// Whether a product is named.
    named: bool,
    /// Where its picture is.
    image: Option<String>,
    /// For `sensor` and unknown codes: what is wrong, for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Masses behind a verdict, grams.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct WeightEvidence {
    /// On the plate.
    measured_g: f64,
    /// What the list makes, containers and bags included.
    expected_g: f64,
    /// 1 sigma of their difference.
    sigma_g: f64,
}

/// What the shopper reads, by key and arguments. New keys may come: show `more_than_list` or nothing for one that is not known.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "key", content = "args", rename_all = "snake_case")]
enum Message {
    AllRight {},
    MaybeMissing { name: String },
    MoreThanList { grams: i64 },
    LessThanList { grams: i64 },
    NotThere { name: String },
    OtherQuantity { name: String, scanned: u32, found: u32 },
    MaybeOther { name: String, instead: String },
    StaffWillHelp {},
    StationBusy {},
    AgeCheck { years: u8 },
    TooHeavy {},
}

/// What a verdict rests on.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Basis {
    /// Weighings that were compared with the list, each by itself: 1 for a total, more where goods came one after the other and were told
    /// apart, 0 without a weight.
    weighings: u64,
    /// Looks behind them: one at the total, or one after each put.
    looks: u64,
}

/// Which versions stood behind a verdict: hashes, and the version of the software.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Versions {
    catalogue: String,
    models: String,
    config: String,
    software: String,
}

/// One attempt's verdict: made once, stored before it is told, never changed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    validation_id: Id,
    /// Which attempt of the validation.
    #[schemars(range(min = 1))]
    attempt: u32,
    basket_id: Id,
    /// The revision of the list that was judged.
    revision: u64,
    station_id: Id,
    outcome: Outcome,
    /// True for `pass` alone.
    passed: bool,
    /// When, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    decided_at: String,
    /// From the last touch, or from what started the attempt if that was later, milliseconds.
    elapsed_ms: u64,
    /// `null` without a weight.
    weight: Option<WeightEvidence>,
    /// Differences, likeliest first.
    findings: Vec<Finding>,
    /// The one or two articles whose check tells most.
    check: Vec<ProductRef>,
    message: Message,
    /// Senses that were missing: `scale`, `vision`; or `camera:NAME` for one of several cameras.
    degraded: Vec<String>,
    /// Opens the gate: a JWS, on a pass that holds.
    exit_token: Option<String>,
    /// It would have passed; staff looks all the same, as the retailer has asked for one in so many.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    control_sample: bool,
    /// How many things the camera saw; `null` without eyes.
    seen: Option<u64>,
    #[serde(default)]
    basis: Basis,
    versions: Versions,
}

/// Where a validation stands.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValidationState {
    /// Nothing of this basket is on the plate yet.
    WaitingForLoad,
    /// Something moves on the plate.
    Weighing,
    /// At rest; being looked at and judged.
    Judging,
    /// Another basket stands on the plate.
    PlateOccupied,
    /// Another validation was asked for later; this one waits for `retry` or a new revision.
    Aside,
    /// An attempt is decided; put it right, then it is judged again.
    Decided,
    /// Passed, resolved by staff, or given up.
    Closed,
}

/// A validation.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    validation_id: Id,
    basket_id: Id,
    state: ValidationState,
    /// How many attempts are decided.
    attempt: u32,
    /// Whether the latest verdict was a pass that holds no more, because goods were added before the basket left the plate.
    void: bool,
    /// Whether somebody of the store was asked to come.
    staff_called: bool,
    /// Whether the shopper has given it up.
    cancelled: bool,
    /// How many attempts were `correct`.
    corrections: u32,
    /// The latest attempt's.
    verdict: Option<Verdict>,
    /// What staff has concluded, as long as it holds.
    resolution: Option<ResolutionTold>,
}

/// What the shopper's side is told of a decision of staff's.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ResolutionTold {
    /// Which decision of this validation, from 1.
    number: u32,
    /// The attempt that staff had before it.
    attempt: u32,
    action: super::staff_shapes::Action,
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Opens the gate after an approval that holds.
    exit_token: Option<String>,
}

/// One sense.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Sense {
    /// `scale` or `vision`.
    name: String,
    /// Whether it can be relied on now.
    ok: bool,
    /// Why not.
    why: Option<String>,
}

/// The process runs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Live {
    live: bool,
}

/// Whether the station can judge now.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ready {
    ready: bool,
    senses: Vec<Sense>,
    /// Why staff has taken it out of service, if they have.
    out_of_service: Option<String>,
}

/// What the plate is doing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlateState {
    Idle,
    Weighing,
    Unsteady,
    Occupied,
    Out,
}

/// The certificate in use.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Certificate {
    /// RFC 3339.
    expires_at: Option<String>,
    /// Fingerprint.
    sha256: String,
}

/// Version of the software; hashes of the station file and of the models' manifest, the last one empty without eyes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct StationVersions {
    software: String,
    config: String,
    models: String,
}

/// The station as of now.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Station {
    station_id: Id,
    /// What a handheld sends to start a validation here.
    station_code: String,
    name: String,
    state: PlateState,
    /// For people; never for a decision.
    live_g: Option<f64>,
    sensors: Vec<Sense>,
    open_validations: u64,
    /// `null` without TLS.
    certificate: Option<Certificate>,
    versions: StationVersions,
}

/// What the display shows.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ScreenView {
    Idle,
    Weighing,
    Pass,
    Correct,
    Help,
    Wait,
}

/// The display's picture of the station.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Screen {
    view: ScreenView,
    headline: String,
    text: String,
    /// Articles to look at, by name.
    look_at: Vec<String>,
    /// The station's name.
    station: String,
    /// By which a handheld is paired, while nobody is served.
    pairing_code: Option<String>,
}

/// A handheld that was paired.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Paired {
    /// By which it is revoked: `augenmass access revoke NUMBER`.
    number: u64,
    /// Told once; only its hash is kept. Not there for one that is known by its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The name in the certificate that was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

/// A public key (RFC 7517, RFC 8037).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Jwk {
    kty: String,
    crv: String,
    #[serde(rename = "use")]
    usage: String,
    alg: String,
    kid: String,
    x: String,
}

/// Keys by which exit tokens are verified.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// A token that has let somebody through.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct TokenRedeemed {
    validation_id: Id,
    attempt: u32,
    basket_id: Id,
    /// SHA-256 of the list that passed.
    basket_hash: String,
}

/// A catalogue that was taken.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct CatalogueTaken {
    /// Counts up.
    version: i64,
    products: u64,
    /// SHA-256.
    hash: String,
}

/// How a product is sold: `piece` a pack, `varying` by the piece but grown or baked, `weighed` by weight with a label.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Piece,
    Varying,
    Weighed,
}

/// Where a weight comes from.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum WeightSource {
    Label,
    Seeded,
    Learned,
    StaffVerified,
}

/// How much the retailer minds losing one.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Risk {
    Low,
    Normal,
    High,
}

/// One product: a row of NDJSON, or the columns of CSV. Money in the currency's smallest unit, masses in grams.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Product {
    id: Id,
    /// GTIN, or an article number of the store of four to seven digits.
    code: String,
    name: String,
    kind: Kind,
    price_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price_per_kg_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposit_minor: Option<i64>,
    /// Youngest age of a buyer, years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age_limit: Option<u8>,
    /// Code of the single unit of a multipack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    multipack_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    multipack_count: Option<u32>,
    /// Net content, as on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    net_g: Option<f64>,
    /// Mean gross mass of a unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gross_mean_g: Option<f64>,
    /// Spread from unit to unit, 1 sigma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gross_sd_g: Option<f64>,
    /// Uncertainty of the mean, 1 sigma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean_sd_g: Option<f64>,
    weight_source: WeightSource,
    /// Products that look alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    look_group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    risk: Risk,
    /// Relative to other products.
    popularity: f64,
}

/// Members of a product to change; `null` removes one (RFC 7396).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ProductPatch(std::collections::BTreeMap<String, serde_json::Value>);

/// What a client gets when something is not done (RFC 9457).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `urn:augenmass:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    status: u16,
    /// Stable; what programs go by.
    code: String,
    /// For the person who reads the log.
    detail: String,
    /// Everything that is wrong with what was sent, each with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
}
