//! Every cap and every delay of the desk, in one place.

/// Who has claimed a basket and does nothing with it for so long loses it, milliseconds.
pub const CLAIM_MS: i64 = 5 * 60_000;
/// So long a resolution can be taken back, milliseconds.
pub const UNDO_MS: i64 = 60_000;
/// A second person has so long to confirm, milliseconds.
pub const CONFIRM_MS: i64 = 10 * 60_000;
/// Longest text that staff may write, characters.
pub const NOTE_MAX: usize = 200;
