//! What staff has decided, whether it holds, and whether the gate has let somebody through with it.

use super::audit::append;
use super::database::{Database, StoreError, json, parse};
use super::pass::{Pass, Redeemed, list_hash};
use augenmass_core::desk::audit::{Act, Did};
use augenmass_core::units::{ProductId, ValidationId, Wall};
use augenmass_core::verdict::{Action, Resolution, Staff};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::sync::Arc;

/// A decision is never changed; that it was taken back, or used at the gate, is noted once.
pub(super) const RESOLUTIONS: &str = "
CREATE TABLE resolution (validation_id TEXT NOT NULL, number INTEGER NOT NULL, action TEXT NOT NULL, reason TEXT NOT NULL,
  at_ms INTEGER NOT NULL, body TEXT NOT NULL, basket_hash TEXT, undone_at_ms INTEGER, redeemed_at_ms INTEGER,
  PRIMARY KEY (validation_id, number)) STRICT;
CREATE INDEX resolution_by_time ON resolution (at_ms);
CREATE TRIGGER resolution_stays BEFORE DELETE ON resolution BEGIN SELECT RAISE(ABORT, 'a resolution is never deleted'); END;
CREATE TRIGGER resolution_is_final BEFORE UPDATE ON resolution
  WHEN OLD.body IS NOT NEW.body OR OLD.basket_hash IS NOT NEW.basket_hash
    OR (OLD.undone_at_ms IS NOT NULL AND NEW.undone_at_ms IS NOT OLD.undone_at_ms)
    OR (OLD.redeemed_at_ms IS NOT NULL AND NEW.redeemed_at_ms IS NOT OLD.redeemed_at_ms)
  BEGIN SELECT RAISE(ABORT, 'a resolution is taken back or used once, and never changed'); END;
CREATE TABLE service (only INTEGER PRIMARY KEY CHECK (only = 1), why TEXT) STRICT;
CREATE TABLE weight_doubt (number INTEGER PRIMARY KEY AUTOINCREMENT, product_id TEXT NOT NULL, at_ms INTEGER NOT NULL, taken INTEGER NOT NULL
  DEFAULT 0) STRICT;
";

/// Keeps a decision in somebody's transaction. The list is written before it, so that the hash is that of the list it was about.
pub(super) fn note_resolution(connection: &Connection, resolution: &Resolution) -> Result<(), StoreError> {
    let hash = match resolution.action {
        Action::Approve => list_hash(connection, &resolution.basket_id, resolution.revision)?,
        Action::Correct | Action::Refuse => None,
    };
    connection.execute(
        "INSERT INTO resolution (validation_id, number, action, reason, at_ms, body, basket_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            resolution.validation_id.as_str(),
            resolution.number,
            resolution.action.as_str(),
            resolution.reason.as_str(),
            resolution.at.ms(),
            json("resolution", resolution)?,
            hash
        ],
    )?;
    let second = resolution.second.as_ref().map(|second| serde_json::json!(second));
    let act = Act::new(Did::Resolved, Some(&resolution.by), resolution.at)
        .with(&resolution.validation_id)
        .and("action", resolution.action.as_str())
        .and("age_checked", resolution.age_checked)
        .and("attempt", resolution.attempt)
        .and("number", resolution.number)
        .and("reason", resolution.reason.as_str())
        .and("revision", resolution.revision)
        .and("second", second)
        .and("value_minor", resolution.value_minor);
    append(connection, &act)
}

/// Notes that a decision does not hold any more.
pub(super) fn note_undone(
    connection: &Connection,
    id: &ValidationId,
    number: u32,
    by: Option<&Staff>,
    at: Wall,
) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE resolution SET undone_at_ms = ?3 WHERE validation_id = ?1 AND number = ?2 AND undone_at_ms IS NULL",
        params![id.as_str(), number, at.ms()],
    )?;
    append(connection, &Act::new(Did::Undone, by, at).with(id).and("number", number))
}

/// Notes whether the station serves.
pub(super) fn note_service(
    connection: &Connection,
    serves: bool,
    why: &str,
    by: &Staff,
    at: Wall,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO service (only, why) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET why = excluded.why",
        params![(!serves).then_some(why)],
    )?;
    let did = if serves { Did::InService } else { Did::OutOfService };
    append(connection, &Act::new(did, Some(by), at).and("why", why))
}

impl Database {
    /// The decision that ended a validation and holds, and how many there were.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn resolution(&self, id: &ValidationId) -> Result<(Option<Arc<Resolution>>, u32), StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT body, undone_at_ms IS NULL, number FROM resolution WHERE validation_id = ?1 ORDER BY number DESC LIMIT 1",
        )?;
        let last: Option<(String, bool, u32)> =
            query.query_row(params![id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((body, holds, number)) = last else { return Ok((None, 0)) };
        let resolution: Resolution = parse("resolution", &body)?;
        Ok((Some(resolution).filter(|resolution| holds && resolution.ends()).map(Arc::new), number))
    }

    /// Why the station is out of service, if it is.
    ///
    /// # Errors
    /// SQLite's.
    pub fn out_of_service(&self) -> Result<Option<String>, StoreError> {
        let why = self.connection.query_row("SELECT why FROM service", [], |row| row.get(0)).optional()?;
        Ok(why.flatten())
    }

    /// An approval as it stands at the gate.
    ///
    /// # Errors
    /// SQLite's.
    pub fn approval(&self, id: &ValidationId, number: u32) -> Result<Option<Pass>, StoreError> {
        read_approval(&self.connection, id, number)
    }

    /// Uses an approval at a gate: once.
    ///
    /// # Errors
    /// SQLite's.
    pub fn redeem_approval(&mut self, id: &ValidationId, number: u32, now: Wall) -> Result<Redeemed, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match read_approval(&transaction, id, number)? {
            None => return Ok(Redeemed::Unknown),
            Some(Pass { void: true, .. }) => return Ok(Redeemed::Void),
            Some(Pass { redeemed_at: Some(_), .. }) => return Ok(Redeemed::Before),
            Some(Pass { redeemed_at: None, void: false, .. }) => {}
        }
        transaction.execute(
            "UPDATE resolution SET redeemed_at_ms = ?3 WHERE validation_id = ?1 AND number = ?2",
            params![id.as_str(), number, now.ms()],
        )?;
        transaction.commit()?;
        Ok(Redeemed::Now)
    }

    /// Staff says that the catalogue's weight of a product is wrong.
    ///
    /// # Errors
    /// SQLite's.
    pub fn doubt_weight(&mut self, product: &ProductId, note: &str, by: &Staff, now: Wall) -> Result<(), StoreError> {
        let act = Act::new(Did::WeightWrong, Some(by), now).and("note", note).and("product_id", product.as_str());
        self.noting(&act, |connection| {
            let query = "INSERT INTO weight_doubt (product_id, at_ms) VALUES (?1, ?2)";
            connection.execute(query, params![product.as_str(), now.ms()])?;
            Ok(())
        })
    }

    /// Products whose weight staff has doubted since the last [`Database::doubts_taken`], with the number of the latest doubt.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn doubts(&self) -> Result<Vec<(i64, ProductId)>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT max(number), product_id FROM weight_doubt WHERE taken = 0 GROUP BY product_id ORDER BY 1",
        )?;
        let mut rows = query.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let product: String = row.get(1)?;
            found.push((row.get(0)?, product.try_into().map_err(|e| super::database::unreadable("weight_doubt", e))?));
        }
        Ok(found)
    }

    /// Doubts up to this number have found their way into what is believed.
    ///
    /// # Errors
    /// SQLite's.
    pub fn doubts_taken(&mut self, up_to: i64) -> Result<(), StoreError> {
        self.connection.execute("UPDATE weight_doubt SET taken = 1 WHERE number <= ?1", params![up_to])?;
        Ok(())
    }
}

fn read_approval(connection: &Connection, id: &ValidationId, number: u32) -> Result<Option<Pass>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT basket_hash, undone_at_ms IS NOT NULL, redeemed_at_ms FROM resolution
         WHERE validation_id = ?1 AND number = ?2 AND basket_hash IS NOT NULL",
    )?;
    let approval = query.query_row(params![id.as_str(), number], |row| {
        Ok(Pass {
            basket_hash: row.get(0)?,
            void: row.get(1)?,
            redeemed_at: row.get::<_, Option<i64>>(2)?.map(Wall::from_ms),
        })
    });
    Ok(approval.optional()?)
}
