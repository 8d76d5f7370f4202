//! Credentials of this station: what is kept of them is a hash, who holds them, and whether they are still good.

use super::database::{Database, StoreError};
use augenmass_core::units::Wall;
use rusqlite::{OptionalExtension, params};

/// Rows are never deleted: it shall be known who once had access.
pub(super) const CREDENTIALS: &str = "
CREATE TABLE credential (number INTEGER PRIMARY KEY AUTOINCREMENT, who TEXT NOT NULL, name TEXT NOT NULL, digest BLOB NOT NULL UNIQUE,
  made_at_ms INTEGER NOT NULL, revoked_at_ms INTEGER) STRICT;
CREATE TRIGGER credential_stays BEFORE DELETE ON credential BEGIN SELECT RAISE(ABORT, 'a credential is revoked, never deleted'); END;
";

/// Most credentials that are good at one time.
pub const CREDENTIALS_MAX: i64 = 1000;

/// A credential, without what opens anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its number.
    pub number: i64,
    /// Who holds it, as [`crate::access::who::Who`] names it.
    pub who: String,
    /// A name for people.
    pub name: String,
    /// When it was made.
    pub made_at: Wall,
    /// Since when it is not good any more.
    pub revoked_at: Option<Wall>,
}

impl Database {
    /// Keeps a new credential; `None` if there are too many.
    ///
    /// # Errors
    /// SQLite's.
    pub fn add_credential(
        &mut self,
        who: &str,
        name: &str,
        digest: &[u8; 32],
        now: Wall,
    ) -> Result<Option<i64>, StoreError> {
        let done = self.connection.execute(
            "INSERT INTO credential (who, name, digest, made_at_ms) SELECT ?1, ?2, ?3, ?4
             WHERE (SELECT count(*) FROM credential WHERE revoked_at_ms IS NULL) < ?5",
            params![who, name, digest.as_slice(), now.ms(), CREDENTIALS_MAX],
        )?;
        Ok((done == 1).then(|| self.connection.last_insert_rowid()))
    }

    /// Who holds the credential of this hash, if it is good.
    ///
    /// # Errors
    /// SQLite's.
    pub fn holder(&self, digest: &[u8; 32]) -> Result<Option<String>, StoreError> {
        let mut query =
            self.connection.prepare_cached("SELECT who FROM credential WHERE digest = ?1 AND revoked_at_ms IS NULL")?;
        Ok(query.query_row(params![digest.as_slice()], |row| row.get(0)).optional()?)
    }

    /// All credentials, the revoked ones too.
    ///
    /// # Errors
    /// SQLite's.
    pub fn credentials(&self) -> Result<Vec<Credential>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT number, who, name, made_at_ms, revoked_at_ms FROM credential ORDER BY number")?;
        let found = query.query_map([], |row| {
            Ok(Credential {
                number: row.get(0)?,
                who: row.get(1)?,
                name: row.get(2)?,
                made_at: Wall::from_ms(row.get(3)?),
                revoked_at: row.get::<_, Option<i64>>(4)?.map(Wall::from_ms),
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Takes a credential back at once; whether there was one.
    ///
    /// # Errors
    /// SQLite's.
    pub fn revoke_credential(&mut self, number: i64, now: Wall) -> Result<bool, StoreError> {
        let done = self.connection.execute(
            "UPDATE credential SET revoked_at_ms = ?2 WHERE number = ?1 AND revoked_at_ms IS NULL",
            params![number, now.ms()],
        )?;
        Ok(done == 1)
    }
}
