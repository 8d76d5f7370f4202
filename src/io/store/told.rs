//! What is told to the back office, numbered in the order in which it became durable: verdicts, and passes that became void.

use super::database::{Database, StoreError, parse, unreadable};
use augenmass_core::basket::Basket;
use augenmass_core::units::Wall;
use augenmass_core::verdict::Verdict;
use rusqlite::params;

/// The number is given within the transaction that keeps what it stands for, by the one thread that writes: numbers are in the order of
/// time, and who has read up to one misses nothing by going on behind it. The list is kept as it was judged: the basket goes on changing.
pub(super) const TOLD: &str = "
CREATE TABLE told (sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, validation_id TEXT NOT NULL, attempt INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, list TEXT) STRICT;
INSERT INTO told (kind, validation_id, attempt, at_ms) SELECT kind, validation_id, attempt, at_ms FROM (
  SELECT 'verdict' AS kind, validation_id, attempt, decided_at_ms AS at_ms, rowid AS place FROM attempt
  UNION ALL SELECT 'void', validation_id, attempt, at_ms, rowid FROM void) ORDER BY at_ms, kind, place;
CREATE TRIGGER attempt_is_told AFTER INSERT ON attempt BEGIN
  INSERT INTO told (kind, validation_id, attempt, at_ms, list) VALUES ('verdict', NEW.validation_id, NEW.attempt, NEW.decided_at_ms,
    (SELECT list FROM basket WHERE id = json_extract(NEW.verdict, '$.basket_id') AND revision = json_extract(NEW.verdict, '$.revision')));
END;
CREATE TRIGGER void_is_told AFTER INSERT ON void BEGIN
  INSERT INTO told (kind, validation_id, attempt, at_ms) VALUES ('void', NEW.validation_id, NEW.attempt, NEW.at_ms);
END;
CREATE TRIGGER told_is_final BEFORE UPDATE ON told BEGIN SELECT RAISE(ABORT, 'what was told is never changed'); END;
CREATE TRIGGER told_stays BEFORE DELETE ON told BEGIN SELECT RAISE(ABORT, 'what was told is never deleted'); END;
";

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldKind {
    /// An attempt was decided.
    Verdict,
    /// A pass holds no more.
    Void,
}

/// One thing that is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its number, from 1; later ones are greater, some may be missing.
    pub sequence: i64,
    /// What it is.
    pub kind: ToldKind,
    /// When the validation was opened.
    pub opened_at: Wall,
    /// When it happened.
    pub at: Wall,
    /// The list that was judged; not known of a void, nor of what was told before lists were kept.
    pub list: Option<Basket>,
    /// The verdict that it is about.
    pub verdict: Verdict,
}

impl Database {
    /// At most so many things behind a number, in their order.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn told_after(&self, sequence: i64, limit: u32) -> Result<Vec<Told>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT t.sequence, t.kind, v.opened_at_ms, t.at_ms, t.list, a.verdict FROM told t
             JOIN attempt a ON a.validation_id = t.validation_id AND a.attempt = t.attempt
             LEFT JOIN validation v ON v.id = t.validation_id
             WHERE t.sequence > ?1 ORDER BY t.sequence LIMIT ?2",
        )?;
        let mut rows = query.query(params![sequence, limit])?;
        let mut told = Vec::new();
        while let Some(row) = rows.next()? {
            let kind: String = row.get(1)?;
            let (opened_at, at): (Option<i64>, i64) = (row.get(2)?, row.get(3)?);
            let (list, verdict): (Option<String>, String) = (row.get(4)?, row.get(5)?);
            told.push(Told {
                sequence: row.get(0)?,
                kind: match kind.as_str() {
                    "verdict" => ToldKind::Verdict,
                    "void" => ToldKind::Void,
                    other => return Err(unreadable("told", other)),
                },
                opened_at: Wall::from_ms(opened_at.unwrap_or(at)),
                at: Wall::from_ms(at),
                list: list.map(|list| parse("told", &list)).transpose()?,
                verdict: parse("attempt", &verdict)?,
            });
        }
        Ok(told)
    }

    /// The number of what was told last; 0 if nothing was.
    ///
    /// # Errors
    /// SQLite's.
    pub fn last_told(&self) -> Result<i64, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT coalesce(max(sequence), 0) FROM told")?;
        Ok(query.query_row([], |row| row.get(0))?)
    }
}
