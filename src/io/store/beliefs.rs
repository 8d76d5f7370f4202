//! Beliefs about masses with their history, and the visits that have not been learned from yet.

use super::database::{Database, StoreError, parse, unreadable};
use augenmass_core::basket::Basket;
use augenmass_core::goods::learn::{Belief, Change, Subject, Why};
use augenmass_core::units::Wall;
use augenmass_core::verdict::{Reason, Verdict};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::BTreeMap;

/// Every change is kept for so long, and the last of each day for ever.
const EVERY_CHANGE_MS: i64 = 30 * 86_400_000;
/// Visits learned from at a time.
const VISITS_MAX: i64 = 64;

/// What the history says of one change.
#[derive(Clone, Debug, PartialEq)]
pub struct PastBelief {
    /// When.
    pub at: Wall,
    /// Why, as [`Why::as_str`] has it.
    pub why: String,
    /// What was believed from then on; `None`: what the catalogue says.
    pub belief: Option<Belief>,
}

/// How far approvals by staff have been learned from; attempts have a table of their own.
pub(super) const APPROVALS: &str = "
CREATE TABLE learned_approval (only INTEGER PRIMARY KEY CHECK (only = 1), place INTEGER NOT NULL) STRICT;
";

/// In which order visits are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lessons {
    /// Attempts that have passed.
    Passes,
    /// What staff has approved.
    Approvals,
}

impl Lessons {
    const fn table(self) -> &'static str {
        match self {
            Self::Passes => "learned",
            Self::Approvals => "learned_approval",
        }
    }
}

/// An attempt or an approval that nobody has learned from yet.
#[derive(Clone, Debug)]
pub struct Unlearned {
    /// Its place in the order.
    pub place: i64,
    /// The verdict, and the list as it is now, where it holds and the list is still there.
    pub visit: Option<(Verdict, Basket)>,
    /// Why staff has approved it, if staff has.
    pub approved: Option<Reason>,
}

impl Database {
    /// All beliefs that visits or staff have changed.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn beliefs(&self) -> Result<BTreeMap<Subject, Belief>, StoreError> {
        let mut query = self.connection().prepare("SELECT subject, belief FROM belief")?;
        let mut rows = query.query([])?;
        let mut beliefs = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (subject, belief): (String, String) = (row.get(0)?, row.get(1)?);
            beliefs.insert(subject.parse().map_err(|e| unreadable("belief", e))?, parse("belief", &belief)?);
        }
        Ok(beliefs)
    }

    /// Counts up with every change of a belief.
    ///
    /// # Errors
    /// SQLite's.
    pub fn beliefs_version(&self) -> Result<i64, StoreError> {
        Ok(self.connection().query_row("SELECT coalesce(max(seq), 0) FROM belief_history", [], |row| row.get(0))?)
    }

    /// Keeps changes, and up to which place everything has been learned from, in one transaction.
    ///
    /// # Errors
    /// SQLite's.
    pub fn keep_learned(&mut self, changes: &[Change], upto: Option<(Lessons, i64)>) -> Result<(), StoreError> {
        let transaction = self.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate)?;
        for change in changes {
            write(&transaction, &change.subject, change.at, change.why, Some(&change.belief))?;
        }
        if let Some((lessons, place)) = upto {
            let table = lessons.table();
            transaction.execute(
                &format!(
                    "INSERT INTO {table} (only, place) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET place = excluded.place"
                ),
                params![place],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// The next visits to be learned from, in their order, none decided after `until`.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn unlearned(&self, lessons: Lessons, until: Wall) -> Result<Vec<Unlearned>, StoreError> {
        let query = match lessons {
            Lessons::Passes => {
                "SELECT a.rowid, a.verdict, b.list, NULL FROM attempt a
                 LEFT JOIN validation v ON v.id = a.validation_id AND a.outcome = 'pass'
                   AND NOT EXISTS (SELECT 1 FROM void w WHERE w.validation_id = a.validation_id AND w.attempt = a.attempt)
                 LEFT JOIN basket b ON b.id = v.basket_id
                 WHERE a.rowid > coalesce((SELECT place FROM learned), 0) AND a.decided_at_ms <= ?1
                 ORDER BY a.rowid LIMIT ?2"
            }
            Lessons::Approvals => {
                "SELECT r.rowid, a.verdict, b.list, r.reason FROM resolution r
                 JOIN attempt a ON a.validation_id = r.validation_id AND a.attempt = json_extract(r.body, '$.attempt')
                 JOIN validation v ON v.id = r.validation_id
                 LEFT JOIN basket b ON b.id = v.basket_id
                 WHERE r.rowid > coalesce((SELECT place FROM learned_approval), 0) AND r.action = 'approve'
                   AND r.undone_at_ms IS NULL AND r.at_ms <= ?1
                 ORDER BY r.rowid LIMIT ?2"
            }
        };
        let mut query = self.connection().prepare_cached(query)?;
        let mut rows = query.query(params![until.ms(), VISITS_MAX])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (place, verdict, list): (i64, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let visit = match list {
                Some(list) => Some((parse("attempt", &verdict)?, parse("basket", &list)?)),
                None => None,
            };
            let approved: Option<String> = row.get(3)?;
            let approved = approved.and_then(|name| Reason::ALL.into_iter().find(|reason| reason.as_str() == name));
            found.push(Unlearned { place, visit, approved });
        }
        Ok(found)
    }

    /// The history of one belief, newest first, so many changes at most.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn belief_history(&self, subject: &Subject, most: u32) -> Result<Vec<PastBelief>, StoreError> {
        let mut query = self
            .connection()
            .prepare("SELECT at_ms, why, belief FROM belief_history WHERE subject = ?1 ORDER BY seq DESC LIMIT ?2")?;
        let mut rows = query.query(params![subject.to_string(), most])?;
        let mut history = Vec::new();
        while let Some(row) = rows.next()? {
            let (at_ms, why, belief): (i64, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let belief = belief.map(|text| parse("belief_history", &text)).transpose()?;
            history.push(PastBelief { at: Wall::from_ms(at_ms), why, belief });
        }
        Ok(history)
    }

    /// Takes one belief, or all of them, back to what it was at a time; what was not believed yet then is forgotten, so that the
    /// catalogue's word counts again. Tells of how many that was another one than now.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn roll_back(&mut self, subject: Option<&Subject>, to: Wall, now: Wall) -> Result<usize, StoreError> {
        let present = self.beliefs()?;
        let transaction = self.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changed = 0;
        let subjects: Vec<Subject> = match subject {
            Some(subject) => vec![subject.clone()],
            None => known(&transaction)?,
        };
        for subject in subjects {
            let then: Option<Option<String>> = transaction
                .query_row(
                    "SELECT belief FROM belief_history WHERE subject = ?1 AND at_ms <= ?2 ORDER BY seq DESC LIMIT 1",
                    params![subject.to_string(), to.ms()],
                    |row| row.get(0),
                )
                .optional()?;
            let then: Option<Belief> = then.flatten().map(|text| parse("belief_history", &text)).transpose()?;
            if then.as_ref() != present.get(&subject) {
                write(&transaction, &subject, now, Why::Rollback, then.as_ref())?;
                changed += 1;
            }
        }
        transaction.commit()?;
        Ok(changed)
    }

    /// Forgets the containers that have not been seen for longest, with their history, until `most` of those that say who they are are left:
    /// their names come from shoppers' lists, and whoever makes up names must not fill the disk. Tells which.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn forget_containers(&mut self, most: u32) -> Result<Vec<Subject>, StoreError> {
        let transaction = self.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate)?;
        let oldest: Vec<String> = transaction
            .prepare_cached(
                "SELECT subject FROM belief WHERE subject LIKE 'container:%' ORDER BY
                 (SELECT max(seq) FROM belief_history h WHERE h.subject = belief.subject) DESC LIMIT -1 OFFSET ?1",
            )?
            .query_map(params![most], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for subject in &oldest {
            transaction.execute("DELETE FROM belief WHERE subject = ?1", params![subject])?;
            transaction.execute("DELETE FROM belief_history WHERE subject = ?1", params![subject])?;
        }
        transaction.commit()?;
        oldest.into_iter().map(|subject| subject.parse().map_err(|e| unreadable("belief", e))).collect()
    }

    /// Thins the history: of what is older than a month the last change of each day stays.
    ///
    /// # Errors
    /// SQLite's.
    pub fn thin_history(&mut self, now: Wall) -> Result<usize, StoreError> {
        Ok(self.connection_mut().execute(
            "DELETE FROM belief_history WHERE at_ms < ?1 AND seq NOT IN
             (SELECT max(seq) FROM belief_history GROUP BY subject, at_ms / 86400000)",
            params![now.ms() - EVERY_CHANGE_MS],
        )?)
    }
}

fn known(connection: &Connection) -> Result<Vec<Subject>, StoreError> {
    let mut query = connection.prepare("SELECT DISTINCT subject FROM belief_history ORDER BY subject")?;
    let mut rows = query.query([])?;
    let mut subjects = Vec::new();
    while let Some(row) = rows.next()? {
        let subject: String = row.get(0)?;
        subjects.push(subject.parse().map_err(|e| unreadable("belief_history", e))?);
    }
    Ok(subjects)
}

fn write(
    connection: &Connection,
    subject: &Subject,
    at: Wall,
    why: Why,
    belief: Option<&Belief>,
) -> Result<(), StoreError> {
    let subject = subject.to_string();
    let text = belief.map(serde_json::to_string).transpose().map_err(|e| unreadable("belief", e))?;
    match &text {
        Some(text) => connection.execute(
            "INSERT INTO belief (subject, belief) VALUES (?1, ?2) ON CONFLICT (subject) DO UPDATE SET belief = excluded.belief",
            params![subject, text],
        )?,
        None => connection.execute("DELETE FROM belief WHERE subject = ?1", params![subject])?,
    };
    connection.execute(
        "INSERT INTO belief_history (subject, at_ms, why, belief) VALUES (?1, ?2, ?3, ?4)",
        params![subject, at.ms(), why.as_str(), text],
    )?;
    Ok(())
}
