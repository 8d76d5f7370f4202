//! Accounts of staff, and who is logged in. Of PINs, badges and sessions only hashes are kept.

use super::audit::append;
use super::database::{Database, StoreError, unreadable};
use augenmass_core::desk::audit::{Act, Did};
use augenmass_core::units::Wall;
use augenmass_core::verdict::{Role, Staff};
use rusqlite::{OptionalExtension, Row, TransactionBehavior, params};

/// Accounts are closed, never deleted: the record of what was done names them.
pub(super) const STAFF: &str = "
CREATE TABLE account (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL COLLATE NOCASE, role TEXT NOT NULL, pin TEXT NOT NULL,
  badge BLOB, made_at_ms INTEGER NOT NULL, removed_at_ms INTEGER) STRICT;
CREATE UNIQUE INDEX account_by_name ON account (name) WHERE removed_at_ms IS NULL;
CREATE UNIQUE INDEX account_by_badge ON account (badge) WHERE removed_at_ms IS NULL AND badge IS NOT NULL;
CREATE TRIGGER account_stays BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'an account is closed, never deleted'); END;
CREATE TABLE session (digest BLOB PRIMARY KEY, account INTEGER NOT NULL, tablet INTEGER NOT NULL, made_at_ms INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL) STRICT;
";

/// Most accounts that are open at one time.
const ACCOUNTS_MAX: i64 = 500;
/// Most sessions of one account at one time; the oldest goes.
const SESSIONS_MAX: i64 = 4;

/// An account as the log-in needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub staff: Staff,
    /// Hash of the PIN, in PHC's form.
    pub pin: String,
}

/// An account as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEntry {
    /// Whose.
    pub staff: Staff,
    /// Whether it has a badge.
    pub has_badge: bool,
    /// When it was made.
    pub made_at: Wall,
    /// When it was closed.
    pub removed_at: Option<Wall>,
}

/// Somebody who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub staff: Staff,
    /// On which tablet.
    pub tablet: i64,
    /// When the session was made.
    pub made_at: Wall,
    /// When it was last used to do something.
    pub seen_at: Wall,
}

fn staff(row: &Row<'_>) -> rusqlite::Result<(i64, String, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn read((account, name, role): (i64, String, String)) -> Result<Staff, StoreError> {
    let role = Role::named(&role).ok_or_else(|| unreadable("account", format!("the role {role}")))?;
    Ok(Staff { account, name, role })
}

impl Database {
    /// Makes an account; `None` if the name or the badge is another's already, or there are too many.
    ///
    /// # Errors
    /// SQLite's.
    pub fn add_account(
        &mut self,
        name: &str,
        role: Role,
        pin: &str,
        badge: Option<&[u8; 32]>,
        now: Wall,
    ) -> Result<Option<i64>, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = transaction.execute(
            "INSERT OR IGNORE INTO account (name, role, pin, badge, made_at_ms) SELECT ?1, ?2, ?3, ?4, ?5
             WHERE (SELECT count(*) FROM account WHERE removed_at_ms IS NULL) < ?6",
            params![name, role.as_str(), pin, badge.map(|badge| badge.as_slice()), now.ms(), ACCOUNTS_MAX],
        )?;
        if done == 0 {
            return Ok(None);
        }
        let number = transaction.last_insert_rowid();
        let act = Act::new(Did::AccountAdded, None, now).and("account", number).and("name", name);
        append(&transaction, &act.and("role", role.as_str()))?;
        transaction.commit()?;
        Ok(Some(number))
    }

    /// Closes an account and ends its sessions; whether there was one.
    ///
    /// # Errors
    /// SQLite's.
    pub fn remove_account(&mut self, name: &str, now: Wall) -> Result<bool, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let number: Option<i64> = transaction
            .query_row("SELECT number FROM account WHERE name = ?1 AND removed_at_ms IS NULL", params![name], |row| {
                row.get(0)
            })
            .optional()?;
        let Some(number) = number else { return Ok(false) };
        transaction.execute("UPDATE account SET removed_at_ms = ?2 WHERE number = ?1", params![number, now.ms()])?;
        transaction.execute("DELETE FROM session WHERE account = ?1", params![number])?;
        append(&transaction, &Act::new(Did::AccountRemoved, None, now).and("account", number).and("name", name))?;
        transaction.commit()?;
        Ok(true)
    }

    /// All accounts, the closed ones too.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn accounts(&self) -> Result<Vec<AccountEntry>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT number, name, role, badge IS NOT NULL, made_at_ms, removed_at_ms FROM account ORDER BY number",
        )?;
        let mut rows = query.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(AccountEntry {
                staff: read(staff(row)?)?,
                has_badge: row.get(3)?,
                made_at: Wall::from_ms(row.get(4)?),
                removed_at: row.get::<_, Option<i64>>(5)?.map(Wall::from_ms),
            });
        }
        Ok(found)
    }

    /// The open account of a name, whatever its case.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn account_named(&self, name: &str) -> Result<Option<Account>, StoreError> {
        self.account("SELECT number, name, role, pin FROM account WHERE name = ?1 AND removed_at_ms IS NULL", name)
    }

    /// The open account of a badge.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn account_of_badge(&self, badge: &[u8; 32]) -> Result<Option<Account>, StoreError> {
        let query = "SELECT number, name, role, pin FROM account WHERE badge = ?1 AND removed_at_ms IS NULL";
        self.account(query, badge.as_slice())
    }

    fn account(&self, query: &str, by: impl rusqlite::ToSql) -> Result<Option<Account>, StoreError> {
        let found = self
            .connection
            .prepare_cached(query)?
            .query_row(params![by], |row| Ok((staff(row)?, row.get(3)?)))
            .optional()?;
        found.map(|(who, pin)| Ok(Account { staff: read(who)?, pin })).transpose()
    }

    /// The number of the tablet whose token has this hash, if it is good.
    ///
    /// # Errors
    /// SQLite's.
    pub fn tablet(&self, digest: &[u8; 32]) -> Result<Option<i64>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT number FROM credential WHERE digest = ?1 AND who = 'tablet' AND revoked_at_ms IS NULL",
        )?;
        Ok(query.query_row(params![digest.as_slice()], |row| row.get(0)).optional()?)
    }

    /// Somebody is logged in from now on.
    ///
    /// # Errors
    /// SQLite's.
    pub fn open_session(&mut self, digest: &[u8; 32], who: &Staff, tablet: i64, now: Wall) -> Result<(), StoreError> {
        let act = Act::new(Did::LoggedIn, Some(who), now).and("tablet", tablet);
        self.noting(&act, |connection| {
            connection.execute(
                "DELETE FROM session WHERE account = ?1 AND digest NOT IN
                 (SELECT digest FROM session WHERE account = ?1 ORDER BY made_at_ms DESC LIMIT ?2)",
                params![who.account, SESSIONS_MAX - 1],
            )?;
            connection.execute(
                "INSERT INTO session (digest, account, tablet, made_at_ms, seen_at_ms) VALUES (?1, ?2, ?3, ?4, ?4)",
                params![digest.as_slice(), who.account, tablet, now.ms()],
            )?;
            Ok(())
        })
    }

    /// The session of this hash, if its account is open and its tablet good. Whether it is too old is for others to say.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn session(&self, digest: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT a.number, a.name, a.role, s.tablet, s.made_at_ms, s.seen_at_ms FROM session s
             JOIN account a ON a.number = s.account AND a.removed_at_ms IS NULL
             JOIN credential c ON c.number = s.tablet AND c.revoked_at_ms IS NULL WHERE s.digest = ?1",
        )?;
        let found = query
            .query_row(params![digest.as_slice()], |row| {
                Ok((staff(row)?, row.get(3)?, row.get::<_, i64>(4)?, row.get::<_, i64>(5)?))
            })
            .optional()?;
        let session = |(who, tablet, made_ms, seen_ms)| {
            let (made_at, seen_at) = (Wall::from_ms(made_ms), Wall::from_ms(seen_ms));
            Ok(Session { staff: read(who)?, tablet, made_at, seen_at })
        };
        found.map(session).transpose()
    }

    /// The session was used.
    ///
    /// # Errors
    /// SQLite's.
    pub fn session_seen(&mut self, digest: &[u8; 32], now: Wall) -> Result<(), StoreError> {
        let query = "UPDATE session SET seen_at_ms = max(seen_at_ms, ?2) WHERE digest = ?1";
        self.connection.execute(query, params![digest.as_slice(), now.ms()])?;
        Ok(())
    }

    /// Somebody is logged in no more.
    ///
    /// # Errors
    /// SQLite's.
    pub fn close_session(&mut self, digest: &[u8; 32], who: &Staff, now: Wall) -> Result<(), StoreError> {
        self.noting(&Act::new(Did::LoggedOut, Some(who), now), |connection| {
            connection.execute("DELETE FROM session WHERE digest = ?1", params![digest.as_slice()])?;
            Ok(())
        })
    }
}
