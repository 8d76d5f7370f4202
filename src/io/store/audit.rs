//! The chained record of what staff did.

use super::database::{Database, StoreError, json, parse, unreadable};
use augenmass_core::desk::Kept;
use augenmass_core::desk::audit::{Act, Broken, Check, Hash, START, link};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

/// Entries are never changed and never deleted; the chain shows who does it all the same.
pub(super) const AUDIT: &str = "
CREATE TABLE audit (number INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;
";

/// Who looks after what, and what waits for a second person: one row, replaced with each change.
pub(super) const DESK: &str = "
CREATE TABLE desk (only INTEGER PRIMARY KEY CHECK (only = 1), kept TEXT NOT NULL) STRICT;
";

/// One entry as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Audited {
    /// Its number, from 1 without gaps.
    pub number: i64,
    /// What was done.
    pub act: Act,
    /// Its hash.
    pub hash: Hash,
}

/// What came of checking the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Sound entries from the start.
    pub check: Check,
    /// The first one that is not sound.
    pub broken: Option<Broken>,
    /// Whether a hash that was looked for stands in the sound part.
    pub met: bool,
}

/// Appends an entry inside somebody's transaction.
pub(super) fn append(connection: &Connection, act: &Act) -> Result<(), StoreError> {
    let last: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (number, before) = match last {
        Some((number, hash)) => (number, hash.try_into().map_err(|_| unreadable("audit", "a hash of another length"))?),
        None => (0, START),
    };
    let entry = act.canonical();
    let hash = link(&before, &entry);
    connection.prepare_cached("INSERT INTO audit (number, entry, hash) VALUES (?1, ?2, ?3)")?.execute(params![
        number + 1,
        entry,
        hash.as_slice()
    ])?;
    Ok(())
}

impl Database {
    /// Notes what was done.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note(&mut self, act: &Act) -> Result<(), StoreError> {
        self.noting(act, |_| Ok(()))
    }

    /// Keeps what of the board is to outlive a restart, with what was done, if it is to be noted, in one transaction.
    ///
    /// # Errors
    /// SQLite's.
    pub fn keep_desk(&mut self, kept: &Kept, act: Option<&Act>) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO desk (only, kept) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET kept = excluded.kept",
            params![json("desk", kept)?],
        )?;
        if let Some(act) = act {
            append(&transaction, act)?;
        }
        Ok(transaction.commit()?)
    }

    /// What of the board was kept; nothing before the first time.
    ///
    /// # Errors
    /// SQLite's, and a row that cannot be read.
    pub fn desk(&self) -> Result<Kept, StoreError> {
        let kept: Option<String> =
            self.connection.query_row("SELECT kept FROM desk", [], |row| row.get(0)).optional()?;
        kept.map_or_else(|| Ok(Kept::default()), |kept| parse("desk", &kept))
    }

    /// Does something and notes it, in one transaction.
    pub(super) fn noting<T>(
        &mut self,
        act: &Act,
        deed: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = deed(&transaction)?;
        append(&transaction, act)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Entries behind a number, in their order, so many at most.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn audit(&self, after: i64, most: u32) -> Result<Vec<Audited>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT number, entry, hash FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2")?;
        let mut rows = query.query(params![after, most])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (entry, hash): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
            let act = serde_json::from_str(&entry).map_err(|error| unreadable("audit", error))?;
            let hash = hash.try_into().map_err(|_| unreadable("audit", "a hash of another length"))?;
            found.push(Audited { number: row.get(0)?, act, hash });
        }
        Ok(found)
    }

    /// Checks the whole chain, and looks for a hash in it that somebody has kept.
    ///
    /// # Errors
    /// SQLite's.
    pub fn check_audit(&self, kept: Option<&[u8]>) -> Result<Audit, StoreError> {
        let mut query = self.connection.prepare("SELECT number, entry, hash FROM audit ORDER BY number")?;
        let mut rows = query.query([])?;
        let mut audit = Audit { check: Check::default(), broken: None, met: false };
        while let Some(row) = rows.next()? {
            let (number, entry, hash): (i64, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Err(broken) = audit.check.next(number, &entry, &hash) {
                audit.broken = Some(broken);
                break;
            }
            audit.met |= kept == Some(hash.as_slice());
        }
        Ok(audit)
    }
}
