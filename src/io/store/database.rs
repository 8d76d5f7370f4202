//! The SQLite file.

use super::pass::note_pass;
use super::resolution::{note_resolution, note_service, note_undone};
use augenmass_core::basket::Basket;
use augenmass_core::goods::ImportFaults;
use augenmass_core::station::{Mark, Record, Restored, RestoredVisit};
use augenmass_core::units::{BasketId, ValidationId, Wall};
use augenmass_core::verdict::Verdict;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What may go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made.
    #[error("cannot make the data folder {}: {source}; check [data].directory and its permissions", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite says no.
    #[error("the store says: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was written by a later version of this software.
    #[error(
        "the store has format {found}, this software knows up to {FORMAT}; install the newer version again, and let that one go back if you \
         must: augenmass store back --to {FORMAT}"
    )]
    Newer {
        /// The file's format.
        found: i64,
    },
    /// There is no way back to this format.
    #[error("there is no way from format {found} back to {to}: there is one down to {}", super::back::OLDEST)]
    NoWayBack {
        /// The file's format.
        found: i64,
        /// What was wanted.
        to: i64,
    },
    /// Somebody else has the file open.
    #[error("the store is in use: stop the daemon first")]
    InUse,
    /// What is kept before a change of format cannot be written.
    #[error("cannot keep {}: {source}; nothing was changed, make room and try again", path.display())]
    Copy {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row does not hold what it should.
    #[error("the store holds something unreadable in {table}: {detail}")]
    Unreadable {
        /// In which table.
        table: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// Whoever did it broke off.
    #[error("given up; it may be done or not")]
    GivenUp,
    /// A catalogue that cannot be taken.
    #[error("the catalogue has faults, nothing was changed:\n{0}")]
    Catalogue(#[from] ImportFaults),
}

/// The file's format, in SQLite's own `user_version`.
pub(super) const FORMAT: i64 = MIGRATIONS.len() as i64;

/// What each format adds to the one before it; never edited once released.
pub(super) const MIGRATIONS: [&str; 16] = [
    SCHEMA,
    VOIDS,
    super::catalogue::PATCHES,
    MARKS,
    super::pass::PASSES,
    super::credential::CREDENTIALS,
    BELIEFS,
    super::audit::AUDIT,
    super::staff::STAFF,
    super::resolution::RESOLUTIONS,
    super::crops::CROPS,
    super::beliefs::APPROVALS,
    super::told::TOLD,
    super::credential::CERTIFICATES,
    super::audit::DESK,
    super::looks::LOOKS,
];

/// Attempts and catalogues are append-only: the triggers stop slips, not somebody who has the file.
const SCHEMA: &str = "
CREATE TABLE basket (id TEXT PRIMARY KEY, revision INTEGER NOT NULL, kept_at_ms INTEGER NOT NULL, list TEXT NOT NULL) STRICT;
CREATE TABLE validation (id TEXT PRIMARY KEY, basket_id TEXT NOT NULL, opened_at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE attempt (validation_id TEXT NOT NULL, attempt INTEGER NOT NULL, outcome TEXT NOT NULL, decided_at_ms INTEGER NOT NULL,
  verdict TEXT NOT NULL, PRIMARY KEY (validation_id, attempt)) STRICT;
CREATE TABLE catalogue (version INTEGER PRIMARY KEY AUTOINCREMENT, imported_at_ms INTEGER NOT NULL, hash TEXT NOT NULL,
  products INTEGER NOT NULL, ndjson TEXT NOT NULL) STRICT;
CREATE TABLE look (space_id TEXT NOT NULL, product_id TEXT NOT NULL, view INTEGER NOT NULL, vector BLOB NOT NULL,
  PRIMARY KEY (space_id, product_id, view)) STRICT;
CREATE INDEX validation_by_time ON validation (opened_at_ms);
CREATE TRIGGER attempt_is_final BEFORE UPDATE ON attempt BEGIN SELECT RAISE(ABORT, 'an attempt is never changed'); END;
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt BEGIN SELECT RAISE(ABORT, 'an attempt is never deleted'); END;
CREATE TRIGGER catalogue_is_final BEFORE UPDATE ON catalogue BEGIN SELECT RAISE(ABORT, 'a catalogue version is never changed'); END;
";

/// A pass that holds no more is written beside its attempt, which stays as it was.
const VOIDS: &str = "
CREATE TABLE void (validation_id TEXT NOT NULL, attempt INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (validation_id, attempt)) STRICT;
CREATE TRIGGER void_is_final BEFORE UPDATE ON void BEGIN SELECT RAISE(ABORT, 'a void is never changed'); END;
CREATE TRIGGER void_stays BEFORE DELETE ON void BEGIN SELECT RAISE(ABORT, 'a void is never deleted'); END;
";

/// What shoppers said of their validations.
const MARKS: &str = "
CREATE TABLE mark (validation_id TEXT NOT NULL, mark TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (validation_id, mark)) STRICT;
";

/// What was learned, how it came about, and up to which attempt.
const BELIEFS: &str = "
CREATE TABLE belief (subject TEXT PRIMARY KEY, belief TEXT NOT NULL) STRICT;
CREATE TABLE belief_history (seq INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, at_ms INTEGER NOT NULL, why TEXT NOT NULL,
  belief TEXT) STRICT;
CREATE INDEX belief_history_by_subject ON belief_history (subject, seq);
CREATE TABLE learned (only INTEGER PRIMARY KEY CHECK (only = 1), place INTEGER NOT NULL) STRICT;
CREATE TRIGGER belief_history_is_final BEFORE UPDATE ON belief_history BEGIN SELECT RAISE(ABORT, 'history is never changed'); END;
";

/// Restored at start: baskets, and validations, of the last two days at most, and not more than these.
const RESTORED_MAX: i64 = 500;

/// The SQLite file, open.
#[derive(Debug)]
pub struct Database {
    pub(super) connection: Connection,
}

impl Database {
    /// Opens the file in `directory`, making both if they are not there.
    ///
    /// # Errors
    /// A folder that cannot be made, a file that is no store or a newer one.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory)
            .map_err(|source| StoreError::Folder { path: directory.to_owned(), source })?;
        let mut connection = Connection::open(directory.join("augenmass.sqlite"))?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > FORMAT {
            return Err(StoreError::Newer { found });
        }
        if (1..FORMAT).contains(&found) {
            super::back::keep_copy(&connection, directory, found)?;
        }
        if found < FORMAT {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Somebody else may have made it while this one waited for the lock.
            let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for migration in MIGRATIONS.iter().skip(found.max(0) as usize) {
                transaction.execute_batch(migration)?;
            }
            transaction.pragma_update(None, "user_version", FORMAT)?;
            transaction.commit()?;
        }
        Ok(Self { connection })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Writes records in one transaction: all of them are durable when it returns, or none is.
    ///
    /// # Errors
    /// SQLite's: a full or broken disk, an attempt that is there already.
    pub fn save(&mut self, records: &[&Record], now: Wall) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for record in records {
            save_one(&transaction, record, now)?;
        }
        Ok(transaction.commit()?)
    }

    /// Recent baskets and validations, oldest first.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn restore(&self) -> Result<Restored, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT id, list FROM (SELECT * FROM basket ORDER BY kept_at_ms DESC LIMIT ?1) ORDER BY kept_at_ms",
        )?;
        let mut baskets = Vec::new();
        let mut rows = query.query(params![RESTORED_MAX])?;
        while let Some(row) = rows.next()? {
            let (id, list): (String, String) = (row.get(0)?, row.get(1)?);
            baskets.push((basket_id(id)?, parse::<Basket>("basket", &list)?));
        }
        let mut query = self
            .connection
            .prepare("SELECT id, basket_id FROM (SELECT * FROM validation ORDER BY opened_at_ms DESC LIMIT ?1) ORDER BY opened_at_ms")?;
        let mut validations = Vec::new();
        let mut rows = query.query(params![RESTORED_MAX])?;
        while let Some(row) = rows.next()? {
            let (id, basket): (String, String) = (row.get(0)?, row.get(1)?);
            let id: ValidationId = id.try_into().map_err(|e| unreadable("validation", e))?;
            let (verdicts, void, marks) = (self.verdicts(&id)?, self.void(&id)?, self.marks(&id)?);
            let (resolution, resolutions) = self.resolution(&id)?;
            let basket_id = basket_id(basket)?;
            validations.push(RestoredVisit { id, basket_id, verdicts, void, marks, resolution, resolutions });
        }
        Ok(Restored { baskets, validations, out_of_service: self.out_of_service()? })
    }

    /// All verdicts of a validation in the order of their attempts; empty if there is no such validation or it has none.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn verdicts(&self, id: &ValidationId) -> Result<Vec<Arc<Verdict>>, StoreError> {
        self.verdicts_after(id, 0)
    }

    /// The verdicts of a validation later than attempt `after`, in their order.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn verdicts_after(&self, id: &ValidationId, after: u32) -> Result<Vec<Arc<Verdict>>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT verdict FROM attempt WHERE validation_id = ?1 AND attempt > ?2 ORDER BY attempt")?;
        let mut rows = query.query(params![id.as_str(), after])?;
        let mut verdicts = Vec::new();
        while let Some(row) = rows.next()? {
            let verdict: String = row.get(0)?;
            verdicts.push(Arc::new(parse("attempt", &verdict)?));
        }
        Ok(verdicts)
    }

    /// The last attempt of a validation whose pass holds no more.
    ///
    /// # Errors
    /// SQLite's.
    pub fn void(&self, id: &ValidationId) -> Result<Option<u32>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT max(attempt) FROM void WHERE validation_id = ?1")?;
        Ok(query.query_row(params![id.as_str()], |row| row.get(0))?)
    }

    /// What the shopper said of a validation.
    ///
    /// # Errors
    /// SQLite's.
    pub fn marks(&self, id: &ValidationId) -> Result<Vec<Mark>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT mark FROM mark WHERE validation_id = ?1")?;
        let names = query.query_map(params![id.as_str()], |row| row.get::<_, String>(0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        Ok(Mark::ALL.into_iter().filter(|mark| names.iter().any(|name| name == mark.as_str())).collect())
    }

    /// The basket of a validation, if there is such a validation.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn validation(&self, id: &ValidationId) -> Result<Option<BasketId>, StoreError> {
        let basket: Option<String> = self
            .connection
            .query_row("SELECT basket_id FROM validation WHERE id = ?1", params![id.as_str()], |row| row.get(0))
            .optional()?;
        basket.map(basket_id).transpose()
    }

    /// A basket's list.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn basket(&self, id: &BasketId) -> Result<Option<Basket>, StoreError> {
        let list: Option<String> = self
            .connection
            .query_row("SELECT list FROM basket WHERE id = ?1", params![id.as_str()], |row| row.get(0))
            .optional()?;
        list.map(|list| parse("basket", &list)).transpose()
    }
}

fn save_one(connection: &Connection, record: &Record, now: Wall) -> Result<(), StoreError> {
    match record {
        Record::Basket { id, basket } => save_basket(connection, id, basket, now)?,
        Record::BasketDeleted { id } => {
            execute(connection, "DELETE FROM basket WHERE id = ?1", params![id.as_str()])?;
        }
        Record::Validation { id, basket_id, opened_at } => {
            execute(
                connection,
                "INSERT INTO validation (id, basket_id, opened_at_ms) VALUES (?1, ?2, ?3)",
                params![id.as_str(), basket_id.as_str(), opened_at.ms()],
            )?;
        }
        Record::Marked { id, mark, at } => {
            execute(
                connection,
                "INSERT OR IGNORE INTO mark (validation_id, mark, at_ms) VALUES (?1, ?2, ?3)",
                params![id.as_str(), mark.as_str(), at.ms()],
            )?;
        }
        Record::Attempt(verdict) => {
            execute(
                connection,
                "INSERT INTO attempt (validation_id, attempt, outcome, decided_at_ms, verdict) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    verdict.validation_id.as_str(),
                    verdict.attempt,
                    verdict.outcome.as_str(),
                    verdict.decided_at.ms(),
                    json("attempt", verdict.as_ref())?
                ],
            )?;
            if verdict.passed {
                note_pass(connection, verdict)?;
            }
        }
        Record::Void { id, attempt, at } => {
            execute(
                connection,
                "INSERT INTO void (validation_id, attempt, at_ms) VALUES (?1, ?2, ?3)",
                params![id.as_str(), attempt, at.ms()],
            )?;
        }
        Record::Resolved { resolution, basket } => {
            if let Some(basket) = basket {
                save_basket(connection, &resolution.basket_id, basket, now)?;
            }
            note_resolution(connection, resolution)?;
        }
        Record::Undone { id, number, by, at } => note_undone(connection, id, *number, by.as_ref(), *at)?,
        Record::Service { serves, why, by, at } => note_service(connection, *serves, why, by, *at)?,
    }
    Ok(())
}

/// Prepares each statement once: preparing took the writer longer than writing.
fn execute(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn save_basket(connection: &Connection, id: &BasketId, basket: &Basket, now: Wall) -> Result<(), StoreError> {
    execute(
        connection,
        "INSERT INTO basket (id, revision, kept_at_ms, list) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, kept_at_ms = excluded.kept_at_ms, list = excluded.list",
        params![id.as_str(), basket.revision as i64, now.ms(), json("basket", basket)?],
    )
}

pub(super) fn json<T: serde::Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| unreadable(table, e))
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(table: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| unreadable(table, e))
}

fn basket_id(text: String) -> Result<BasketId, StoreError> {
    text.try_into().map_err(|e| unreadable("basket", e))
}

pub(super) fn unreadable(table: &'static str, error: impl std::fmt::Display) -> StoreError {
    StoreError::Unreadable { table, detail: error.to_string() }
}
