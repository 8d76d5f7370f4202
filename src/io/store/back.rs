//! The way back to an older format, for a release that has to be taken back, and the copy that is kept before each way forward.
//!
//! Going back takes out what the newer format has added and leaves all else as it is now: nothing that the older software knows is lost,
//! and nothing that was revoked, voided or used up since becomes good again, as it would with an old copy. What has to go is written into
//! files first.

use super::database::{Database, FORMAT, StoreError, unreadable};
use augenmass_core::units::Wall;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One format down.
struct Step {
    /// The format that it takes back.
    from: i64,
    /// What the older software will not know, for people.
    loses: &'static str,
    /// What is written into files before it goes: a name, and where it stands.
    keeps: &'static [(&'static str, &'static str)],
    sql: &'static str,
}

/// From the newest format downwards. The way ends above staff's decisions: without them baskets that staff has ended would be open again.
const STEPS: [Step; 6] = [
    Step {
        from: 16,
        loses: "what visits taught of how products look, and when who enrolled what; the enrolled pictures' looks stay. The audit log keeps who has \
                enrolled at the station, its chain is whole, and GET /v1/audit of the older software cannot show the entries from there on",
        keeps: &[
            ("learned_look", "SELECT * FROM learned_look ORDER BY number"),
            ("look_change", "SELECT * FROM look_change ORDER BY number"),
        ],
        sql: "DROP TABLE learned_look; DROP TABLE look_change;",
    },
    Step {
        from: 15,
        loses: "who looks after which basket just now, and what waits for a second person; verdicts that waited for a look at the buyer's age say no more \
                than that staff will help; what was learned of how much families of goods vary",
        keeps: &[
            ("desk", "SELECT kept FROM desk"),
            ("age_check", "SELECT validation_id, attempt, verdict FROM attempt WHERE json_extract(verdict, '$.message.key') = 'age_check'"),
            ("family_spreads", "SELECT subject, belief FROM belief WHERE subject GLOB 'spreads:*' AND subject <> 'spreads:labels'"),
        ],
        // The older software knows no such message and no such name, and would not start with what it cannot read.
        sql: "DROP TABLE desk;
DELETE FROM belief WHERE subject GLOB 'spreads:*' AND subject <> 'spreads:labels';
DELETE FROM belief_history WHERE subject GLOB 'spreads:*' AND subject <> 'spreads:labels';
DROP TRIGGER attempt_is_final;
UPDATE attempt SET verdict = json_set(verdict, '$.message', json('{\"key\":\"staff_will_help\",\"args\":{}}'))
  WHERE json_extract(verdict, '$.message.key') = 'age_check';
CREATE TRIGGER attempt_is_final BEFORE UPDATE ON attempt BEGIN SELECT RAISE(ABORT, 'an attempt is never changed'); END;",
    },
    Step {
        from: 14,
        loses: "client certificates: their names are revoked, and must be registered again after the next upgrade",
        keeps: &[(
            "certificate",
            "SELECT number, who, name, certificate, made_at_ms, revoked_at_ms FROM credential WHERE certificate IS NOT NULL",
        )],
        sql: "UPDATE credential SET revoked_at_ms = unixepoch() * 1000 WHERE certificate IS NOT NULL AND revoked_at_ms IS NULL;
DROP INDEX credential_by_certificate;
ALTER TABLE credential DROP COLUMN certificate;",
    },
    Step {
        from: 13,
        loses: "the numbers of GET /v1/verdicts and the lists as they were judged: the back office begins at 0 after the next upgrade",
        keeps: &[("told", "SELECT * FROM told ORDER BY sequence")],
        sql: "DROP TRIGGER attempt_is_told; DROP TRIGGER void_is_told; DROP TABLE told;",
    },
    Step {
        from: 12,
        loses: "up to which approval of staff's weights were learned: the approvals teach a second time after the next upgrade",
        keeps: &[("learned_approval", "SELECT * FROM learned_approval")],
        sql: "DROP TABLE learned_approval;",
    },
    Step { from: 11, loses: "pictures of what did not pass; they are not kept elsewhere", keeps: &[], sql: "DROP TABLE crop;" },
];

/// The oldest format that there is a way back to.
pub const OLDEST: i64 = FORMAT - STEPS.len() as i64;

// Whoever adds a format brings the step back from it.
const _: () = assert!(STEPS[0].from == FORMAT && STEPS[STEPS.len() - 1].from == OLDEST + 1);

const FILE: &str = "augenmass.sqlite";

/// One step that can be gone back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// The format behind it.
    pub to: i64,
    /// What is lost, for people.
    pub loses: &'static str,
    /// Rows that are written into files before.
    pub rows: Vec<(&'static str, u64)>,
}

/// What was found out about a store without changing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its format; this software knows up to `FORMAT`.
    pub format: i64,
    /// What SQLite finds wrong with the file; empty if nothing.
    pub faults: Vec<String>,
    /// The steps back, from here downwards; none for a file of a newer format.
    pub back: Vec<Back>,
    /// Copies that were kept, with their formats.
    pub copies: Vec<(i64, PathBuf)>,
}

/// What going back has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The steps.
    pub steps: Vec<Back>,
    /// Where the rows that had to go lie.
    pub kept: PathBuf,
    /// The store as it was before.
    pub copy: PathBuf,
}

fn format_of(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Where the copy of a store of this format is kept: one a format, the latest.
pub fn copy_path(directory: &Path, format: i64) -> PathBuf {
    directory.join(format!("{FILE}.format-{format}"))
}

/// Keeps a consistent copy of a store that is of this format, without pictures: those are kept for hours, and a copy for as long as
/// somebody leaves it. Durable when it returns, or not there.
///
/// # Errors
/// A full or broken disk.
pub(super) fn keep_copy(connection: &Connection, directory: &Path, format: i64) -> Result<PathBuf, StoreError> {
    let path = copy_path(directory, format);
    let fresh = directory.join(format!("{FILE}.{}.new", uuid::Uuid::now_v7().simple()));
    let failed = |source| StoreError::Copy { path: path.clone(), source };
    let made = (|| {
        let target = fresh.to_str().ok_or_else(|| unreadable("copy", "the folder's name is no text"))?;
        // Nobody else may read it, not even while it grows; SQLite takes an empty file.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(failed)?;
        connection.execute("VACUUM INTO ?1", [target])?;
        let copy = Connection::open(&fresh)?;
        let is_same = format_of(&copy)? == format;
        copy.pragma_update(None, "secure_delete", "ON")?;
        let has_pictures: bool =
            copy.query_row("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'crop'", [], |row| {
                row.get(0)
            })?;
        if has_pictures {
            copy.execute_batch("DELETE FROM crop; VACUUM;")?;
        }
        drop(copy);
        if is_same {
            File::open(&fresh).and_then(|file| file.sync_all()).map_err(failed)?;
            std::fs::rename(&fresh, &path).and_then(|()| File::open(directory)?.sync_all()).map_err(failed)?;
        }
        Ok(())
    })();
    // What is left of one that failed, or that somebody else was faster with, helps nobody.
    let _ = std::fs::remove_file(&fresh);
    made.map(|()| path)
}

/// Looks at a store, also of another format and while the daemon runs; changes nothing.
///
/// # Errors
/// A file that is not there or no store.
pub fn check(directory: &Path) -> Result<Checked, StoreError> {
    let connection = Connection::open_with_flags(directory.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let format = format_of(&connection)?;
    let mut query = connection.prepare("PRAGMA integrity_check")?;
    let told: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let faults = told.into_iter().filter(|line| line != "ok").collect();
    let back = steps(&connection, format, OLDEST)?;
    let copies = (1..=format).map(|format| (format, copy_path(directory, format)));
    Ok(Checked { format, faults, back, copies: copies.filter(|(_, path)| path.exists()).collect() })
}

fn steps(connection: &Connection, from: i64, to: i64) -> Result<Vec<Back>, StoreError> {
    STEPS
        .iter()
        .filter(|step| step.from <= from && step.from > to)
        .map(|step| {
            let count = |(name, query): &(&'static str, &str)| {
                let rows: i64 =
                    connection.query_row(&format!("SELECT count(*) FROM ({query})"), [], |row| row.get(0))?;
                Ok((*name, rows.unsigned_abs()))
            };
            let rows = step.keeps.iter().map(count).collect::<Result<_, StoreError>>()?;
            Ok(Back { to: step.from - 1, loses: step.loses, rows })
        })
        .collect()
}

/// Makes a store one of an older format, in one transaction; nobody else may have it open.
///
/// # Errors
/// A store that is in use, or newer; a format that there is no way to; a full or broken disk. The store is unchanged then.
pub fn go_back(directory: &Path, to: i64, now: Wall) -> Result<Gone, StoreError> {
    let mut connection = Connection::open_with_flags(directory.join(FILE), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let format = format_of(&connection)?;
    if format > FORMAT {
        return Err(StoreError::Newer { found: format });
    }
    if !(OLDEST..format).contains(&to) {
        return Err(StoreError::NoWayBack { found: format, to });
    }
    connection.busy_timeout(Duration::from_secs(1))?;
    // Only who is alone with a file can take it out of WAL: with the daemon running this fails.
    let mode: Result<String, _> = connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0));
    if mode.ok().is_none_or(|mode| mode != "delete") {
        return Err(StoreError::InUse);
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    let going = steps(&connection, format, to)?;
    let copy = keep_copy(&connection, directory, format)?;
    let kept = directory.join(format!("back-{format}-to-{to}-{}", now.ms()));
    std::fs::create_dir_all(&kept)
        .and_then(|()| std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o700)))
        .map_err(|source| StoreError::Copy { path: kept.clone(), source })?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    if format_of(&transaction)? != format {
        return Err(StoreError::InUse);
    }
    for step in STEPS.iter().filter(|step| step.from <= format && step.from > to) {
        for (name, query) in step.keeps {
            write_rows(&transaction, query, &kept.join(format!("{name}.ndjson")))?;
        }
        transaction.execute_batch(step.sql)?;
    }
    File::open(&kept)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| StoreError::Copy { path: kept.clone(), source })?;
    transaction.pragma_update(None, "user_version", to)?;
    transaction.commit()?;
    Ok(Gone { steps: going, kept, copy })
}

/// Writes rows as one JSON object a line, durable when it returns. Bytes are hexadecimal; times stay milliseconds since 1970.
fn write_rows(connection: &Connection, query: &str, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Copy { path: path.to_owned(), source };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let mut out = BufWriter::new(file);
    let mut query = connection.prepare(query)?;
    let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let mut told = Map::new();
        for (place, column) in columns.iter().enumerate() {
            told.insert(column.clone(), json_of(row.get_ref(place)?));
        }
        writeln!(out, "{}", Value::Object(told)).map_err(failed)?;
    }
    out.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)
}

fn json_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    }
}

impl Database {
    /// The newest format that this software knows.
    pub const fn format() -> i64 {
        FORMAT
    }
}
