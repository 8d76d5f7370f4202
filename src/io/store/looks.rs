//! How products look, in the store: views that were enrolled and views that visits have taught, with their history.

use super::database::{Database, StoreError, unreadable};
use augenmass_core::desk::audit::{Act, Did};
use augenmass_core::goods::gallery::teach::{Taught, Unfit, due};
use augenmass_core::goods::gallery::{LEARNED_MAX, LookMark};
use augenmass_core::goods::{LookSet, LookVector};
use augenmass_core::units::{ProductId, ValidationId, Wall};
use augenmass_core::verdict::Staff;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::BTreeMap;

/// What was taught stays in the history for so long after it has ceased to count: 90 days.
const GONE_KEPT_MS: i64 = 90 * 86_400_000;

/// Each change of a product's looks, and what visits have taught.
pub(super) const LOOKS: &str = "
CREATE TABLE look_change (number INTEGER PRIMARY KEY AUTOINCREMENT, space_id TEXT NOT NULL, product_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL, what TEXT NOT NULL, views INTEGER NOT NULL, by TEXT) STRICT;
CREATE INDEX look_change_by_product ON look_change (space_id, product_id, number);
CREATE TABLE learned_look (number INTEGER PRIMARY KEY AUTOINCREMENT, space_id TEXT NOT NULL, product_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL, validation_id TEXT NOT NULL, shopper TEXT, vector BLOB NOT NULL, gone_at_ms INTEGER) STRICT;
CREATE INDEX learned_look_by_product ON learned_look (space_id, product_id, number);
";

/// Why a product's looks have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookChange {
    /// Pictures were enrolled.
    Enrolled,
    /// It was held under the station's camera.
    EnrolledHere,
    /// A visit has taught.
    Learned,
    /// What was taught was taken back.
    Rollback,
}

impl LookChange {
    /// As in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::EnrolledHere => "enrolled_here",
            Self::Learned => "learned",
            Self::Rollback => "rollback",
        }
    }
}

/// One change, as the history tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastLook {
    /// When.
    pub at: Wall,
    /// What, as [`LookChange::as_str`] has it.
    pub what: String,
    /// Views that it was about.
    pub views: u32,
    /// Who or which visit did it, for people.
    pub by: Option<String>,
}

/// How many views a product has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookCount {
    /// The product.
    pub product: ProductId,
    /// Enrolled ones.
    pub enrolled: u32,
    /// Learned ones that count.
    pub learned: u32,
}

/// A view to be learned.
#[derive(Clone, Debug)]
pub struct LearnedLook {
    /// Of what.
    pub product: ProductId,
    /// The view.
    pub view: LookVector,
    /// Which visit teaches it.
    pub visit: ValidationId,
    /// What stands for the shopper.
    pub shopper: Option<String>,
}

impl Database {
    /// Replaces all looks of the products named: what visits have taught of the old ones counts no more.
    ///
    /// # Errors
    /// SQLite's.
    pub fn put_looks(
        &mut self,
        space_id: &str,
        looks: &BTreeMap<ProductId, Vec<LookVector>>,
        (what, by): (LookChange, Option<&str>),
        now: Wall,
    ) -> Result<(), StoreError> {
        let transaction = self.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (product, vectors) in looks {
            put(&transaction, space_id, (product, vectors), (what, by), now)?;
        }
        Ok(transaction.commit()?)
    }

    /// The same for one product that somebody has held under the station's camera; noted in the audit log.
    ///
    /// # Errors
    /// SQLite's.
    pub fn enrol_here(
        &mut self,
        space_id: &str,
        product: &ProductId,
        views: &[LookVector],
        by: &Staff,
        now: Wall,
    ) -> Result<(), StoreError> {
        let act = Act::new(Did::LookEnrolled, Some(by), now)
            .and("product_id", product.as_str())
            .and("views", views.len() as i64);
        self.noting(&act, |connection| {
            put(connection, space_id, (product, views), (LookChange::EnrolledHere, Some(&by.name)), now)
        })
    }

    /// Keeps a view that a visit has taught, within what a product may learn; says why not if it may not.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn learn_look(
        &mut self,
        space_id: &str,
        look: &LearnedLook,
        now: Wall,
    ) -> Result<Result<(), Unfit>, StoreError> {
        let transaction = self.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (numbers, taught): (Vec<i64>, Vec<Taught>) =
            taught(&transaction, space_id, &look.product)?.into_iter().unzip();
        match due(&taught, &look.visit, look.shopper.as_deref(), now) {
            Err(why) => return Ok(Err(why)),
            Ok(None) => {}
            Ok(Some(place)) => {
                transaction.execute(
                    "UPDATE learned_look SET gone_at_ms = ?2 WHERE number = ?1",
                    params![numbers[place], now.ms()],
                )?;
            }
        }
        transaction.execute(
            "INSERT INTO learned_look (space_id, product_id, at_ms, validation_id, shopper, vector) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                space_id,
                look.product.as_str(),
                now.ms(),
                look.visit.as_str(),
                look.shopper,
                look.view.to_bytes()
            ],
        )?;
        note(&transaction, space_id, &look.product, now, LookChange::Learned, 1, Some(look.visit.as_str()))?;
        transaction.commit()?;
        Ok(Ok(()))
    }

    /// Up to which change the store has come.
    ///
    /// # Errors
    /// SQLite's.
    pub fn look_mark(&self) -> Result<LookMark, StoreError> {
        let last = "SELECT number, at_ms FROM look_change ORDER BY number DESC LIMIT 1";
        let mark = |row: &rusqlite::Row<'_>| Ok(LookMark { number: row.get(0)?, at_ms: row.get(1)? });
        Ok(self.connection().query_row(last, [], mark).optional()?.unwrap_or_default())
    }

    /// Whether this store once was where the mark says.
    ///
    /// # Errors
    /// SQLite's.
    pub fn has_passed(&self, mark: LookMark) -> Result<bool, StoreError> {
        if mark == LookMark::default() {
            return Ok(true);
        }
        let at: Option<i64> = self
            .connection()
            .query_row("SELECT at_ms FROM look_change WHERE number = ?1", params![mark.number], |row| row.get(0))
            .optional()?;
        Ok(at == Some(mark.at_ms))
    }

    /// Whether products were enrolled for this space, and for any other one.
    ///
    /// # Errors
    /// SQLite's.
    pub fn enrolled_for(&self, space_id: &str) -> Result<(bool, bool), StoreError> {
        let is = |comparison: &str| -> Result<bool, StoreError> {
            let query = format!("SELECT EXISTS (SELECT 1 FROM look WHERE space_id {comparison} ?1)");
            Ok(self.connection().query_row(&query, params![space_id], |row| row.get(0))?)
        };
        Ok((is("=")?, is("<>")?))
    }

    /// All looks of one space, product by product in the order of their names, as they are at one moment; gives the mark of that moment.
    ///
    /// # Errors
    /// SQLite's, rows that cannot be read, and what `each` gives.
    pub fn each_look<E: From<StoreError>>(
        &self,
        space_id: &str,
        mut each: impl FnMut(ProductId, LookSet) -> Result<(), E>,
    ) -> Result<LookMark, E> {
        let moment = self.connection().unchecked_transaction().map_err(StoreError::from)?;
        let mark = self.look_mark()?;
        let mut learned = learned(&moment, space_id, None)?;
        let mut query = moment
            .prepare("SELECT product_id, vector FROM look WHERE space_id = ?1 ORDER BY product_id, view")
            .map_err(StoreError::from)?;
        let mut rows = query.query(params![space_id]).map_err(StoreError::from)?;
        let mut present: Option<(ProductId, LookSet)> = None;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let (product, vector) = product_and_vector(row)?;
            if let Some((_, looks)) = present.as_mut().filter(|(before, _)| *before == product) {
                looks.enrolled.push(vector);
                continue;
            }
            let learned = learned.remove(&product).unwrap_or_default();
            let next = (product, LookSet { enrolled: vec![vector], learned });
            if let Some((product, looks)) = present.replace(next) {
                each(product, looks)?;
            }
        }
        if let Some((product, looks)) = present {
            each(product, looks)?;
        }
        Ok(mark)
    }

    /// The looks of the products that have changed after a mark, as they are now.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn looks_changed_since(
        &self,
        space_id: &str,
        mark: LookMark,
    ) -> Result<BTreeMap<ProductId, LookSet>, StoreError> {
        let mut query = self
            .connection()
            .prepare_cached("SELECT DISTINCT product_id FROM look_change WHERE space_id = ?1 AND number > ?2")?;
        let names = query.query_map(params![space_id, mark.number], |row| row.get::<_, String>(0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        names
            .into_iter()
            .map(|name| {
                let product = product_id(name)?;
                let looks = self.looks_of(space_id, &product)?;
                Ok((product, looks))
            })
            .collect()
    }

    /// The looks of one product.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn looks_of(&self, space_id: &str, product: &ProductId) -> Result<LookSet, StoreError> {
        let mut query = self.connection().prepare_cached(
            "SELECT product_id, vector FROM look WHERE space_id = ?1 AND product_id = ?2 ORDER BY view",
        )?;
        let mut rows = query.query(params![space_id, product.as_str()])?;
        let mut enrolled = Vec::new();
        while let Some(row) = rows.next()? {
            enrolled.push(product_and_vector(row)?.1);
        }
        let learned = learned(self.connection(), space_id, Some(product))?.remove(product).unwrap_or_default();
        Ok(LookSet { enrolled, learned })
    }

    /// How many views each product has.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn look_counts(&self, space_id: &str) -> Result<Vec<LookCount>, StoreError> {
        let mut query = self.connection().prepare(
            "SELECT product_id, count(*), (SELECT count(*) FROM learned_look l
               WHERE l.space_id = ?1 AND l.product_id = look.product_id AND l.gone_at_ms IS NULL)
             FROM look WHERE space_id = ?1 GROUP BY product_id ORDER BY product_id",
        )?;
        let mut rows = query.query(params![space_id])?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            counts.push(LookCount { product: product_id(row.get(0)?)?, enrolled: row.get(1)?, learned: row.get(2)? });
        }
        Ok(counts)
    }

    /// The history of a product's looks, newest first, so many changes at most.
    ///
    /// # Errors
    /// SQLite's.
    pub fn look_history(&self, space_id: &str, product: &ProductId, most: u32) -> Result<Vec<PastLook>, StoreError> {
        let mut query = self.connection().prepare(
            "SELECT at_ms, what, views, by FROM look_change WHERE space_id = ?1 AND product_id = ?2 ORDER BY number DESC LIMIT ?3",
        )?;
        let past = |row: &rusqlite::Row<'_>| {
            Ok(PastLook { at: Wall::from_ms(row.get(0)?), what: row.get(1)?, views: row.get(2)?, by: row.get(3)? })
        };
        let rows = query.query_map(params![space_id, product.as_str(), most], past)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes what visits have taught of one product, or of all, back to what it was at a time; enrolled views stay as they are, and what
    /// was taught of views that have been replaced since does not come back. Tells of how many products that was something else than now.
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn roll_back_looks(
        &mut self,
        space_id: &str,
        product: Option<&ProductId>,
        to: Wall,
        now: Wall,
    ) -> Result<usize, StoreError> {
        let transaction = self.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Counted then: taught before, and gone after, but not by a new enrolment.
        const THEN: &str = "at_ms <= ?2 AND (gone_at_ms IS NULL OR gone_at_ms > ?2) AND NOT EXISTS (SELECT 1 FROM look_change c
            WHERE c.space_id = l.space_id AND c.product_id = l.product_id AND c.at_ms > ?2 AND c.what IN ('enrolled', 'enrolled_here'))";
        let mut query = transaction.prepare(&format!(
            "SELECT DISTINCT product_id FROM learned_look l WHERE space_id = ?1 AND (?3 IS NULL OR product_id = ?3)
               AND (gone_at_ms IS NULL) <> ({THEN}) ORDER BY product_id"
        ))?;
        let names = query
            .query_map(params![space_id, to.ms(), product.map(ProductId::as_str)], |row| row.get::<_, String>(0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        drop(query);
        for name in &names {
            let product = product_id(name.clone())?;
            let changed = transaction.execute(
                &format!(
                    "UPDATE learned_look AS l SET gone_at_ms = CASE WHEN {THEN} THEN NULL ELSE ?3 END
                     WHERE space_id = ?1 AND product_id = ?4 AND (gone_at_ms IS NULL) <> ({THEN})"
                ),
                params![space_id, to.ms(), now.ms(), name],
            )?;
            note(&transaction, space_id, &product, now, LookChange::Rollback, changed, None)?;
        }
        transaction.commit()?;
        Ok(names.len())
    }

    /// Forgets what has ceased to count for long.
    ///
    /// # Errors
    /// SQLite's.
    pub fn thin_looks(&mut self, now: Wall) -> Result<usize, StoreError> {
        let before = now.ms() - GONE_KEPT_MS;
        Ok(self.connection_mut().execute("DELETE FROM learned_look WHERE gone_at_ms < ?1", params![before])?)
    }
}

fn put(
    connection: &Connection,
    space_id: &str,
    (product, views): (&ProductId, &[LookVector]),
    (what, by): (LookChange, Option<&str>),
    now: Wall,
) -> Result<(), StoreError> {
    let named = params![space_id, product.as_str()];
    connection.prepare_cached("DELETE FROM look WHERE space_id = ?1 AND product_id = ?2")?.execute(named)?;
    let mut insert =
        connection.prepare_cached("INSERT INTO look (space_id, product_id, view, vector) VALUES (?1, ?2, ?3, ?4)")?;
    for (place, view) in views.iter().enumerate() {
        insert.execute(params![space_id, product.as_str(), place as i64, view.to_bytes()])?;
    }
    connection
        .prepare_cached(
            "UPDATE learned_look SET gone_at_ms = ?3 WHERE space_id = ?1 AND product_id = ?2 AND gone_at_ms IS NULL",
        )?
        .execute(params![space_id, product.as_str(), now.ms()])?;
    note(connection, space_id, product, now, what, views.len(), by)
}

fn note(
    connection: &Connection,
    space_id: &str,
    product: &ProductId,
    at: Wall,
    what: LookChange,
    views: usize,
    by: Option<&str>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO look_change (space_id, product_id, at_ms, what, views, by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![space_id, product.as_str(), at.ms(), what.as_str(), views as i64, by])?;
    Ok(())
}

/// Everything that was taught of a product, with its numbers, oldest first.
fn taught(connection: &Connection, space_id: &str, product: &ProductId) -> Result<Vec<(i64, Taught)>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT number, at_ms, validation_id, shopper, gone_at_ms IS NULL FROM learned_look
         WHERE space_id = ?1 AND product_id = ?2 ORDER BY number",
    )?;
    let mut rows = query.query(params![space_id, product.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let visit: String = row.get(2)?;
        let visit: ValidationId = visit.try_into().map_err(|e| unreadable("learned_look", e))?;
        let taught = Taught { at: Wall::from_ms(row.get(1)?), visit, shopper: row.get(3)?, holds: row.get(4)? };
        found.push((row.get(0)?, taught));
    }
    Ok(found)
}

/// The learned views that count, of one product or of all, newest first.
fn learned(
    connection: &Connection,
    space_id: &str,
    product: Option<&ProductId>,
) -> Result<BTreeMap<ProductId, Vec<LookVector>>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT product_id, vector FROM learned_look WHERE space_id = ?1 AND gone_at_ms IS NULL
           AND (?2 IS NULL OR product_id = ?2) ORDER BY number DESC",
    )?;
    let mut rows = query.query(params![space_id, product.map(ProductId::as_str)])?;
    let mut found: BTreeMap<ProductId, Vec<LookVector>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (product, vector) = product_and_vector(row)?;
        let views = found.entry(product).or_default();
        if views.len() < LEARNED_MAX {
            views.push(vector);
        }
    }
    Ok(found)
}

fn product_id(name: String) -> Result<ProductId, StoreError> {
    name.try_into().map_err(|e| unreadable("look", e))
}

fn product_and_vector(row: &rusqlite::Row<'_>) -> Result<(ProductId, LookVector), StoreError> {
    let (product, vector): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
    Ok((product_id(product)?, LookVector::from_bytes(&vector)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: &str = "space";
    const DAY: i64 = 86_400_000;

    fn id(name: &str) -> ProductId {
        name.parse().unwrap()
    }

    fn view(byte: u8) -> LookVector {
        LookVector::from_bytes(&[byte, 127, 3, 4])
    }

    fn at(days: i64) -> Wall {
        Wall::from_ms(days * DAY)
    }

    fn lesson(product: &str, byte: u8, visit: &str) -> LearnedLook {
        LearnedLook {
            product: id(product),
            view: view(byte),
            visit: visit.parse().unwrap(),
            shopper: Some(visit.to_owned()),
        }
    }

    fn enrol(database: &mut Database, product: &str, bytes: &[u8], now: Wall) {
        let looks = BTreeMap::from([(id(product), bytes.iter().map(|b| view(*b)).collect())]);
        database.put_looks(SPACE, &looks, (LookChange::Enrolled, None), now).unwrap();
    }

    fn learned_of(database: &Database, product: &str) -> Vec<i8> {
        database.looks_of(SPACE, &id(product)).unwrap().learned.iter().map(|look| look.values()[0]).collect()
    }

    #[test]
    fn what_visits_teach_stands_beside_what_was_enrolled_and_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(folder.path()).unwrap();
        enrol(&mut database, "milk", &[1, 2], at(1));
        let began = database.look_mark().unwrap();
        for (day, byte) in [(2, 10), (3, 11), (4, 12)] {
            let taught = database.learn_look(SPACE, &lesson("milk", byte, &format!("v-{day}")), at(day)).unwrap();
            assert_eq!(taught, Ok(()));
        }
        let again = database.learn_look(SPACE, &lesson("milk", 13, "v-5"), Wall::from_ms(4 * DAY + 9)).unwrap();
        assert_eq!(again, Err(Unfit::Today));
        assert_eq!(learned_of(&database, "milk"), [12, 11], "the oldest has given way");
        assert_eq!(database.looks_of(SPACE, &id("milk")).unwrap().enrolled, [view(1), view(2)], "and no enrolled one");
        let changed = database.looks_changed_since(SPACE, began).unwrap();
        assert_eq!(changed.keys().collect::<Vec<_>>(), [&id("milk")]);
        assert!(database.looks_changed_since("other", began).unwrap().is_empty());

        // Back to the evening of the third day: what had given way since counts again.
        let to = Wall::from_ms(3 * DAY + DAY / 2);
        assert_eq!(database.roll_back_looks(SPACE, Some(&id("rice")), to, at(5)).unwrap(), 0);
        assert_eq!(database.roll_back_looks(SPACE, None, to, at(5)).unwrap(), 1);
        assert_eq!(learned_of(&database, "milk"), [11, 10]);
        assert_eq!(database.roll_back_looks(SPACE, None, to, at(5)).unwrap(), 0, "once is enough");
        assert_eq!(database.roll_back_looks(SPACE, None, at(1), at(6)).unwrap(), 1);
        assert!(learned_of(&database, "milk").is_empty());
        let history = database.look_history(SPACE, &id("milk"), 10).unwrap();
        let what: Vec<&str> = history.iter().map(|past| past.what.as_str()).collect();
        assert_eq!(what, ["rollback", "rollback", "learned", "learned", "learned", "enrolled"]);
        assert_eq!(history[2].by.as_deref(), Some("v-4"));

        // New pictures end what was taught of the old ones, and no way leads back to that.
        assert_eq!(database.learn_look(SPACE, &lesson("milk", 14, "v-8"), at(8)).unwrap(), Ok(()));
        enrol(&mut database, "milk", &[5], at(9));
        assert!(learned_of(&database, "milk").is_empty());
        assert_eq!(database.roll_back_looks(SPACE, None, Wall::from_ms(8 * DAY + 1), at(10)).unwrap(), 0);
        assert_eq!(database.thin_looks(at(400)).unwrap(), 4);
    }

    #[test]
    fn all_looks_come_in_the_order_of_names_with_the_moment_they_are_of() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(folder.path()).unwrap();
        assert_eq!(database.look_mark().unwrap(), LookMark::default());
        for (product, bytes) in [("b", &[1u8, 2][..]), ("a:1", &[3]), ("B", &[4, 5, 6])] {
            enrol(&mut database, product, bytes, at(1));
        }
        database.learn_look(SPACE, &lesson("B", 9, "v-1"), at(3)).unwrap().unwrap();
        let mut seen = Vec::new();
        let mark = database.each_look(SPACE, |product, looks| {
            seen.push((product.to_string(), looks.enrolled.len(), looks.learned.len()));
            Ok::<(), StoreError>(())
        });
        assert_eq!(seen, [("B".to_owned(), 3, 1), ("a:1".to_owned(), 1, 0), ("b".to_owned(), 2, 0)]);
        let mark = mark.unwrap();
        assert_eq!(mark, LookMark { number: 4, at_ms: 3 * DAY });
        assert!(database.has_passed(mark).unwrap() && database.has_passed(LookMark::default()).unwrap());
        assert!(!database.has_passed(LookMark { at_ms: 7, ..mark }).unwrap(), "another store has counted as far");
        assert_eq!(database.enrolled_for(SPACE).unwrap(), (true, false));
        assert_eq!(database.enrolled_for("new").unwrap(), (false, true));
        let counts = database.look_counts(SPACE).unwrap();
        assert_eq!((counts[0].product.as_str(), counts[0].enrolled, counts[0].learned), ("B", 3, 1));
    }
}
