//! Credentials of this station: what is kept of them is a hash, who holds them, and whether they are still good.

use super::database::{Database, StoreError, unreadable};
use augenmass_core::units::Wall;
use rusqlite::{OptionalExtension, params};

/// Rows are never deleted: it shall be known who once had access.
pub(super) const CREDENTIALS: &str = "
CREATE TABLE credential (number INTEGER PRIMARY KEY AUTOINCREMENT, who TEXT NOT NULL, name TEXT NOT NULL, digest BLOB NOT NULL UNIQUE,
  made_at_ms INTEGER NOT NULL, revoked_at_ms INTEGER) STRICT;
CREATE TRIGGER credential_stays BEFORE DELETE ON credential BEGIN SELECT RAISE(ABORT, 'a credential is revoked, never deleted'); END;
";

/// One that is shown as a certificate is found by the name in it, as `access::client_certificate` writes it, and its digest is a random
/// number that no token has. A name that was revoked can be registered again.
pub(super) const CERTIFICATES: &str = "
ALTER TABLE credential ADD COLUMN certificate TEXT;
CREATE UNIQUE INDEX credential_by_certificate ON credential (certificate) WHERE certificate IS NOT NULL AND revoked_at_ms IS NULL;
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
    /// The name in the certificate by which it is shown; `None` of a token.
    pub certificate: Option<String>,
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

    /// Registers the name in a certificate; `None` if it is registered already, or there are too many credentials. `digest` is random.
    ///
    /// # Errors
    /// SQLite's.
    pub fn add_certificate(
        &mut self,
        who: &str,
        name: &str,
        certificate: &str,
        digest: &[u8; 32],
        now: Wall,
    ) -> Result<Option<i64>, StoreError> {
        let done = self.connection.execute(
            "INSERT INTO credential (who, name, digest, made_at_ms, certificate) SELECT ?1, ?2, ?3, ?4, ?6
             WHERE (SELECT count(*) FROM credential WHERE revoked_at_ms IS NULL) < ?5
             ON CONFLICT (certificate) WHERE certificate IS NOT NULL AND revoked_at_ms IS NULL DO NOTHING",
            params![who, name, digest.as_slice(), now.ms(), CREDENTIALS_MAX, certificate],
        )?;
        Ok((done == 1).then(|| self.connection.last_insert_rowid()))
    }

    /// Who is registered with the first of these names that anybody is registered with, and the digest of that credential.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn holder_of_certificate(&self, names: &[String]) -> Result<Option<(String, [u8; 32])>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT who, digest FROM credential WHERE certificate = ?1 AND revoked_at_ms IS NULL")?;
        for name in names {
            let found: Option<(String, Vec<u8>)> =
                query.query_row(params![name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            if let Some((who, digest)) = found {
                let digest = digest.try_into().map_err(|_| unreadable("credential", "a hash of another length"))?;
                return Ok(Some((who, digest)));
            }
        }
        Ok(None)
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
        let mut query = self.connection.prepare(
            "SELECT number, who, name, made_at_ms, revoked_at_ms, certificate FROM credential ORDER BY number",
        )?;
        let found = query.query_map([], |row| {
            Ok(Credential {
                number: row.get(0)?,
                who: row.get(1)?,
                name: row.get(2)?,
                certificate: row.get(5)?,
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
