//! Every cap and every delay of the station, in one place.

/// Baskets held in memory; beyond it the one untouched for longest and not under validation is left to the store.
pub const BASKETS_MAX: usize = 2_000;
/// Open validations; more shoppers do not stand around one station.
pub const OPEN_VALIDATIONS_MAX: usize = 64;
/// Closed validations held in memory for late readers; older ones are in the store.
pub const CLOSED_VALIDATIONS_MAX: usize = 256;
/// Requests waiting for the disk at one time.
pub const WAITING_REQUESTS_MAX: usize = 512;
/// A sense must be out for so long before a basket is told `unavailable`: a plug that wiggles is no fault.
pub const SENSE_OUT_MS: u64 = 600;
/// After a load is known, so long may a look take before the eyes count as out: on a machine that has other work a late
/// verdict serves better than none.
pub const LOOK_MS: u64 = 5_000;
/// What a look usually takes: what waiting for it is weighed against, seconds.
pub const LOOK_USUAL_S: f64 = 0.2;
/// A look that did not arrive is asked for again after so long.
pub const LOOK_AGAIN_MS: u64 = 1_000;
/// Of goods that rest and that nobody waits for a verdict on, a look is asked for so often at most.
pub const STEP_LOOKS_MAX: u32 = 3;
/// What could not be saved is tried again after so long.
pub const SAVE_AGAIN_MS: u64 = 500;
/// A load must differ from the judged one by so much at least to be a new one, grams; a touch is not a change.
pub const NEW_LOAD_G: f64 = 8.0;
/// And by so many sigma.
pub const NEW_LOAD_SIGMA: f64 = 3.0;
/// Goods put down one after the other that are held for the load on the plate; beyond it the total alone is judged.
pub const STEPS_MAX: usize = 256;
/// Of these so many at most are weighed one by one: what a judgement may take is bounded.
pub const STEPS_JUDGED_MAX: usize = 64;
/// The sum of what was put down may differ by so much from the load, or by three sigma, grams: a division.
pub const STEPS_OFF_G: f64 = 5.0;
/// A load that becomes less so soon after something was put down was a hand on it.
pub const HAND_MS: u64 = 2_000;
/// A list arrives so late after its last scan: network and app.
pub const SCAN_LATE_MS: u64 = 300;
/// Times at which units of one list came; beyond it they are not told apart.
pub const ARRIVALS_MAX: usize = 256;
/// So long without rest is worth telling the shopper: milliseconds.
pub const UNSTEADY_MS: u64 = 4_000;
/// Containers that say who they are of which a tare is learned; beyond it the one unseen for longest is forgotten. A large store has some 500.
pub const CONTAINERS_KNOWN_MAX: u32 = 5_000;
