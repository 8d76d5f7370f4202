//! Pictures of what lay in baskets that did not pass, for as long as the station file allows and no longer.

use super::database::{Database, StoreError};
use augenmass_core::units::{ValidationId, Wall};
use rusqlite::{OptionalExtension, TransactionBehavior, params};

/// Pictures are the one thing here that is deleted.
pub(super) const CROPS: &str = "
CREATE TABLE crop (validation_id TEXT NOT NULL, attempt INTEGER NOT NULL, number INTEGER NOT NULL, finding INTEGER,
  until_ms INTEGER NOT NULL, jpeg BLOB NOT NULL, PRIMARY KEY (validation_id, attempt, number)) STRICT;
CREATE INDEX crop_by_time ON crop (until_ms);
";

/// One thing that a camera saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CropPicture {
    /// Its number in the attempt, from 0.
    pub number: u32,
    /// Which finding of the verdict it shows, from 0.
    pub finding: Option<u32>,
    /// JPEG.
    pub jpeg: Vec<u8>,
}

/// All pictures of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CropSet {
    /// The validation.
    pub validation_id: ValidationId,
    /// Its attempt.
    pub attempt: u32,
    /// From then on they are gone.
    pub until: Wall,
    /// The pictures.
    pub pictures: Vec<CropPicture>,
}

impl Database {
    /// Keeps the pictures of an attempt.
    ///
    /// # Errors
    /// SQLite's.
    pub fn put_crops(&mut self, set: &CropSet) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for picture in &set.pictures {
            transaction.execute(
                "INSERT OR REPLACE INTO crop (validation_id, attempt, number, finding, until_ms, jpeg)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    set.validation_id.as_str(),
                    set.attempt,
                    picture.number,
                    picture.finding,
                    set.until.ms(),
                    picture.jpeg
                ],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// One picture, unless its time is over.
    ///
    /// # Errors
    /// SQLite's.
    pub fn crop(&self, id: &ValidationId, attempt: u32, number: u32, now: Wall) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT jpeg FROM crop WHERE validation_id = ?1 AND attempt = ?2 AND number = ?3 AND until_ms > ?4",
        )?;
        Ok(query.query_row(params![id.as_str(), attempt, number, now.ms()], |row| row.get(0)).optional()?)
    }

    /// Which pictures show findings of an attempt: (finding, number of the picture).
    ///
    /// # Errors
    /// SQLite's.
    pub fn crops_of_findings(&self, id: &ValidationId, attempt: u32, now: Wall) -> Result<Vec<(u32, u32)>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT finding, number FROM crop
             WHERE validation_id = ?1 AND attempt = ?2 AND finding IS NOT NULL AND until_ms > ?3 ORDER BY finding, number",
        )?;
        let rows = query.query_map(params![id.as_str(), attempt, now.ms()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Deletes the pictures whose time is over, out of the file itself and its log; gives how many.
    ///
    /// # Errors
    /// SQLite's.
    pub fn delete_old_crops(&mut self, now: Wall) -> Result<usize, StoreError> {
        let due: bool = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM crop WHERE until_ms <= ?1)")?
            .query_row(params![now.ms()], |row| row.get(0))?;
        if !due {
            return Ok(0);
        }
        // What was deleted is overwritten, and does not lie on in the write-ahead log.
        self.connection.pragma_update(None, "secure_delete", "ON")?;
        let gone = self.connection.execute("DELETE FROM crop WHERE until_ms <= ?1", params![now.ms()])?;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(attempt: u32, until_ms: i64) -> CropSet {
        let picture = |number, finding| CropPicture { number, finding, jpeg: vec![0xA7; 4_000] };
        let pictures = vec![picture(0, None), picture(1, Some(0))];
        CropSet { validation_id: "v-1".parse().unwrap(), attempt, until: Wall::from_ms(until_ms), pictures }
    }

    #[test]
    fn pictures_are_there_until_their_time_is_over_and_gone_after_it_also_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(folder.path()).unwrap();
        database.put_crops(&set(1, 1_000)).unwrap();
        database.put_crops(&set(2, 5_000)).unwrap();
        let (id, at) = ("v-1".parse().unwrap(), Wall::from_ms);
        assert_eq!(database.crop(&id, 1, 0, at(999)).unwrap().map(|jpeg| jpeg.len()), Some(4_000));
        assert_eq!(database.crops_of_findings(&id, 1, at(999)).unwrap(), [(0, 1)]);
        // Over: not told any more, even before it is deleted.
        assert_eq!(database.crop(&id, 1, 0, at(1_000)).unwrap(), None);
        assert!(database.crops_of_findings(&id, 1, at(1_000)).unwrap().is_empty());
        drop(database);
        let mut database = Database::open(folder.path()).unwrap();
        assert_eq!(database.delete_old_crops(at(1_000)).unwrap(), 2);
        assert_eq!(database.delete_old_crops(at(1_000)).unwrap(), 0);
        assert!(database.crop(&id, 2, 1, at(1_000)).unwrap().is_some());
        assert_eq!(database.delete_old_crops(at(5_000)).unwrap(), 2);
        drop(database);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(64).any(|w| w == [0xA7; 64]), "a picture's bytes are still on the disk");
        }
    }
}
