//! What the shop wants to know of a station's day, counted.

use super::database::{Database, StoreError};
use augenmass_core::units::Wall;
use rusqlite::params;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts since some time. Nobody of the staff is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// Validations that were opened.
    pub validations: i64,
    /// Those that passed at their first attempt.
    pub straight_passes: i64,
    /// Those that passed after the shopper had put something right.
    pub self_corrected: i64,
    /// Those that were stopped at least once.
    pub stopped: i64,
    /// Decisions of staff that hold, by what was done.
    pub resolutions: BTreeMap<String, i64>,
    /// The same by reason.
    pub reasons: BTreeMap<String, i64>,
    /// Baskets that were stopped and found right: the false alarms that are known.
    pub found_right: i64,
    /// Decisions that were taken back.
    pub taken_back: i64,
    /// How long shoppers waited until somebody took their basket: up to 15 s, up to 60 s, longer.
    pub waits: [i64; 3],
}

impl Database {
    /// Counts since `since`.
    ///
    /// # Errors
    /// SQLite's.
    pub fn numbers(&self, since: Wall) -> Result<Numbers, StoreError> {
        let count = |query: &str| -> Result<i64, StoreError> {
            Ok(self.connection.prepare_cached(query)?.query_row(params![since.ms()], |row| row.get(0))?)
        };
        let by = |query: &str| -> Result<BTreeMap<String, i64>, StoreError> {
            let mut query = self.connection.prepare_cached(query)?;
            let counted = query.query_map(params![since.ms()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(counted.collect::<Result<_, _>>()?)
        };
        const HOLD: &str = "FROM resolution WHERE at_ms >= ?1 AND undone_at_ms IS NULL";
        const OPENED: &str = "FROM validation v WHERE v.opened_at_ms >= ?1";
        const PASS: &str = "a.validation_id = v.id AND a.outcome = 'pass'";
        const STOP: &str = "EXISTS (SELECT 1 FROM attempt s WHERE s.validation_id = v.id AND s.outcome <> 'pass')";
        const WAITED: &str = "json_extract(entry, '$.detail.waited_ms')";
        let waits = |range: &str| {
            count(&format!(
                "SELECT count(*) FROM audit WHERE json_extract(entry, '$.at_ms') >= ?1
                 AND json_extract(entry, '$.did') = 'claimed' AND {WAITED} {range}"
            ))
        };
        Ok(Numbers {
            validations: count(&format!("SELECT count(*) {OPENED}"))?,
            straight_passes: count(&format!(
                "SELECT count(*) {OPENED} AND EXISTS (SELECT 1 FROM attempt a WHERE {PASS} AND a.attempt = 1)"
            ))?,
            self_corrected: count(&format!(
                "SELECT count(*) {OPENED} AND EXISTS (SELECT 1 FROM attempt a WHERE {PASS} AND a.attempt > 1)
                 AND EXISTS (SELECT 1 FROM attempt c WHERE c.validation_id = v.id AND c.outcome = 'correct')
                 AND NOT EXISTS (SELECT 1 FROM resolution r WHERE r.validation_id = v.id)"
            ))?,
            stopped: count(&format!("SELECT count(*) {OPENED} AND {STOP}"))?,
            resolutions: by(&format!("SELECT action, count(*) {HOLD} GROUP BY action"))?,
            reasons: by(&format!("SELECT reason, count(*) {HOLD} GROUP BY reason"))?,
            found_right: count(&format!(
                "SELECT count(*) {HOLD} AND action = 'approve' AND reason NOT IN ('supervisor_override', 'age_ok')"
            ))?,
            taken_back: count("SELECT count(*) FROM resolution WHERE at_ms >= ?1 AND undone_at_ms IS NOT NULL")?,
            waits: [waits("<= 15000")?, waits("BETWEEN 15001 AND 60000")?, waits("> 60000")?],
        })
    }
}
