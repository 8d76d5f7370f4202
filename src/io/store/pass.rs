//! Passes: the list that passed, as a hash, and whether the gate has let somebody through with it.

use super::database::{Database, StoreError};
use augenmass_core::goods::catalogue::hex;
use augenmass_core::units::{BasketId, ValidationId, Wall};
use augenmass_core::verdict::Verdict;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};

/// What a pass was for is kept with it: lists may go on changing.
pub(super) const PASSES: &str = "
CREATE TABLE pass (validation_id TEXT NOT NULL, attempt INTEGER NOT NULL, basket_hash TEXT NOT NULL, redeemed_at_ms INTEGER,
  PRIMARY KEY (validation_id, attempt)) STRICT;
CREATE TRIGGER pass_is_used_once BEFORE UPDATE ON pass WHEN OLD.redeemed_at_ms IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'a pass is used once'); END;
";

/// A pass as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// SHA-256 of the list as JSON, 64 hexadecimal digits.
    pub basket_hash: String,
    /// Whether goods were added before the basket left the plate.
    pub void: bool,
    /// When it was used at a gate.
    pub redeemed_at: Option<Wall>,
}

/// What became of a wish to use a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// Done, and never again.
    Now,
    /// It was used before.
    Before,
    /// It does not hold any more.
    Void,
    /// There is no such pass.
    Unknown,
}

/// Notes the list of a pass, in the transaction that keeps the verdict. Lists and verdicts are written in the order in which they came
/// about, so the list that stands here is the one that was judged; one of another revision is not.
pub(super) fn note_pass(connection: &Connection, verdict: &Verdict) -> Result<(), StoreError> {
    let Some(hash) = list_hash(connection, &verdict.basket_id, verdict.revision)? else { return Ok(()) };
    connection.execute(
        "INSERT INTO pass (validation_id, attempt, basket_hash) VALUES (?1, ?2, ?3)",
        params![verdict.validation_id.as_str(), verdict.attempt, hash],
    )?;
    Ok(())
}

/// The hash of a list, if it stands at this revision.
pub(super) fn list_hash(connection: &Connection, id: &BasketId, revision: u64) -> Result<Option<String>, StoreError> {
    let list: Option<String> = connection
        .query_row(
            "SELECT list FROM basket WHERE id = ?1 AND revision = ?2",
            params![id.as_str(), revision as i64],
            |row| row.get(0),
        )
        .optional()?;
    Ok(list.map(|list| hex(&Sha256::digest(list.as_bytes()))))
}

fn read_pass(connection: &Connection, id: &ValidationId, attempt: u32) -> Result<Option<Pass>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT basket_hash, redeemed_at_ms, EXISTS (SELECT 1 FROM void WHERE validation_id = ?1 AND attempt = ?2)
         FROM pass WHERE validation_id = ?1 AND attempt = ?2",
    )?;
    let pass = query.query_row(params![id.as_str(), attempt], |row| {
        Ok(Pass {
            basket_hash: row.get(0)?,
            redeemed_at: row.get::<_, Option<i64>>(1)?.map(Wall::from_ms),
            void: row.get(2)?,
        })
    });
    Ok(pass.optional()?)
}

impl Database {
    /// A pass as it stands.
    ///
    /// # Errors
    /// SQLite's.
    pub fn pass(&self, id: &ValidationId, attempt: u32) -> Result<Option<Pass>, StoreError> {
        read_pass(&self.connection, id, attempt)
    }

    /// Uses a pass at a gate: once.
    ///
    /// # Errors
    /// SQLite's.
    pub fn redeem(&mut self, id: &ValidationId, attempt: u32, now: Wall) -> Result<Redeemed, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match read_pass(&transaction, id, attempt)? {
            None => return Ok(Redeemed::Unknown),
            Some(Pass { void: true, .. }) => return Ok(Redeemed::Void),
            Some(Pass { redeemed_at: Some(_), .. }) => return Ok(Redeemed::Before),
            Some(Pass { redeemed_at: None, void: false, .. }) => {}
        }
        transaction.execute(
            "UPDATE pass SET redeemed_at_ms = ?3 WHERE validation_id = ?1 AND attempt = ?2",
            params![id.as_str(), attempt, now.ms()],
        )?;
        transaction.commit()?;
        Ok(Redeemed::Now)
    }
}
