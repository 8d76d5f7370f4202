//! All looks of a shop in one file, mapped into memory: `looks.gallery` in the data folder.
//!
//! The store stays the truth. The file is made from it under another name and put in place whole, and made anew when it is not there, is
//! damaged, is of another model, or when much has changed since. It is read through once, and compared with its digest, before it is mapped.

use super::mapping::map;
use super::store::{Database, StoreError};
use augenmass_core::goods::gallery::{Builder, GalleryFault, HEAD_BYTES, Head, LookMark, Packed};
use augenmass_core::goods::{Gallery, LookCalibration};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file's name.
pub const FILE: &str = "looks.gallery";
/// With so many changed products the file is made anew; until then they are held beside it.
const CHANGED_MAX: usize = 256;

/// Why there are no looks to judge by.
#[derive(Debug, thiserror::Error)]
pub enum LooksError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold what it should.
    #[error("{}: {source}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: GalleryFault,
    },
}

/// Opens a file of looks, reading all of it once.
///
/// # Errors
/// A file that is not there, that cannot be read, or that is damaged.
pub fn open(directory: &Path) -> Result<Packed, LooksError> {
    let path = directory.join(FILE);
    let failed = |source| LooksError::File { path: path.clone(), source };
    let damaged = |source| LooksError::Damaged { path: path.clone(), source };
    let mut file = File::open(&path).map_err(failed)?;
    let mut head = [0; HEAD_BYTES];
    match file.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(damaged(GalleryFault::NotOurs)),
        read => read.map_err(failed)?,
    }
    let head = Head::parse(&head).map_err(damaged)?;
    let found = file.metadata().map_err(failed)?.len();
    if found != head.length() {
        return Err(damaged(GalleryFault::Length { found, wanted: head.length() }));
    }
    // Through the file and not through the mapping: a disk that cannot read says so here.
    let mut body = Sha256::new();
    let mut chunk = vec![0; 1 << 18];
    loop {
        match file.read(&mut chunk).map_err(failed)? {
            0 => break,
            length => body.update(&chunk[..length]),
        }
    }
    if head.digest_with(body) != head.digest {
        return Err(damaged(GalleryFault::Damaged));
    }
    let mapping = map(&file).map_err(failed)?;
    Packed::new(Arc::new(mapping), head).map_err(damaged)
}

/// Writes and digests what comes behind the header.
struct Body {
    file: BufWriter<File>,
    digest: Sha256,
}

impl Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.file.write_all(bytes)
    }
}

/// Makes the file from the store and puts it in place; durable when it returns.
///
/// # Errors
/// The store's, and a full or broken disk. The file before stays then.
pub fn make(
    database: &Database,
    directory: &Path,
    space_id: &str,
    calibration: &LookCalibration,
) -> Result<(), LooksError> {
    let path = directory.join(FILE);
    let fresh = directory.join(format!("{FILE}.{}.new", uuid::Uuid::now_v7().simple()));
    let made = write(database, &fresh, space_id, calibration).and_then(|()| {
        let placed = std::fs::rename(&fresh, &path).and_then(|()| File::open(directory)?.sync_all());
        placed.map_err(|source| LooksError::File { path: path.clone(), source })
    });
    if made.is_err() {
        // What is left of one that failed helps nobody.
        let _ = std::fs::remove_file(&fresh);
    }
    made
}

fn write(database: &Database, path: &Path, space_id: &str, calibration: &LookCalibration) -> Result<(), LooksError> {
    let failed = |source| LooksError::File { path: path.to_owned(), source };
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let mut body = Body { file: BufWriter::new(file), digest: Sha256::new() };
    body.file.write_all(&[0; HEAD_BYTES]).map_err(failed)?;
    let (mut builder, mut vectors) = (Builder::default(), Vec::new());
    let mark = database.each_look(space_id, |product, looks| {
        vectors.clear();
        if !builder.add(&product, &looks, &mut vectors) {
            tracing::warn!(%product, "the looks of this product are no looks of the model, and are left out");
        }
        body.write(&vectors).map_err(failed)
    })?;
    body.file.flush().map_err(failed)?;
    let (tail, mut head) = {
        let written = map(body.file.get_ref()).map_err(failed)?;
        builder.finish(&written[HEAD_BYTES..], space_id, calibration, mark)
    };
    body.write(&tail).map_err(failed)?;
    head.digest = head.digest_with(body.digest);
    let mut file = body.file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&head.to_bytes())).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// The looks as the store has them now: of the file, if it is sound and of this store and model, and of what has changed since; else of
/// a new file. Also gives the mark of what is in it.
///
/// # Errors
/// A store that cannot be read; a file that is of no use and cannot be made anew.
pub fn gallery(
    database: &Database,
    directory: &Path,
    space_id: &str,
    calibration: &LookCalibration,
) -> Result<(Gallery, LookMark), LooksError> {
    let usable = |packed: Packed| -> Result<Option<(Gallery, LookMark)>, LooksError> {
        let mark = packed.head().mark;
        if !database.has_passed(mark)? {
            tracing::info!("the looks in the file are those of another store; the file is made anew");
            return Ok(None);
        }
        let gallery = match Gallery::packed(space_id, calibration.clone(), packed) {
            Ok(gallery) => gallery,
            Err(fault) => {
                tracing::info!(%fault, "the file of looks is made anew");
                return Ok(None);
            }
        };
        let upto = database.look_mark()?;
        let changed = database.looks_changed_since(space_id, mark)?;
        if changed.len() > CHANGED_MAX {
            return Ok(None);
        }
        Ok(Some((if changed.is_empty() { gallery } else { gallery.with(&changed) }, upto)))
    };
    let kept = match open(directory) {
        Ok(packed) => usable(packed)?,
        Err(LooksError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(%error, "the file of looks is made anew");
            None
        }
    };
    if let Some(kept) = kept {
        return Ok(kept);
    }
    make(database, directory, space_id, calibration)?;
    let packed = open(directory)?;
    let mark = packed.head().mark;
    let gallery = Gallery::packed(space_id, calibration.clone(), packed)
        .map_err(|source| LooksError::Damaged { path: directory.join(FILE), source })?;
    Ok((gallery, mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::store::LookChange;
    use augenmass_core::goods::LookVector;
    use augenmass_core::goods::gallery::Probe;
    use augenmass_core::units::{ProductId, Wall};
    use std::collections::BTreeMap;

    fn line() -> LookCalibration {
        LookCalibration { a: 10.0, b: -4.0, curve: Vec::new() }
    }

    fn axis(k: usize) -> Vec<f32> {
        (0..8).map(|i| if i == k { 1.0 } else { 0.0 }).collect()
    }

    fn enrol(database: &mut Database, space: &str, names: &[(&str, usize)], at: i64) {
        let look =
            |(name, k): &(&str, usize)| (name.parse::<ProductId>().unwrap(), vec![LookVector::quantise(&axis(*k))]);
        let looks: BTreeMap<_, _> = names.iter().map(look).collect();
        database.put_looks(space, &looks, (LookChange::Enrolled, None), Wall::from_ms(at)).unwrap();
    }

    fn shop() -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(folder.path()).unwrap();
        enrol(&mut database, "s", &[("milk", 0), ("rice", 1)], 5);
        (folder, database)
    }

    fn looked(database: &Database, folder: &Path) -> Gallery {
        gallery(database, folder, "s", &line()).unwrap().0
    }

    fn knows(gallery: &Gallery, name: &str, k: usize) -> bool {
        gallery.looks(name).is_some_and(|looks| looks.best(&Probe::new(&axis(k))).is_some_and(|cosine| cosine > 0.99))
    }

    #[test]
    fn a_file_is_made_once_and_what_comes_later_stands_beside_it() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, mut database) = shop();
        let first = looked(&database, folder.path());
        assert!(knows(&first, "milk", 0) && knows(&first, "rice", 1) && first.changed() == 0);
        let path = folder.path().join(FILE);
        let made = std::fs::metadata(&path).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600);
        enrol(&mut database, "s", &[("milk", 2), ("soap", 3)], 6);
        let (second, mark) = gallery(&database, folder.path(), "s", &line()).unwrap();
        assert!(knows(&second, "milk", 2) && !knows(&second, "milk", 0) && knows(&second, "soap", 3));
        assert_eq!((second.changed(), second.len(), mark), (2, 3, database.look_mark().unwrap()));
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), made.modified().unwrap(), "not made anew");
        assert!(knows(&first, "milk", 0), "whoever still judges by the old one does so to the end");
        let many: Vec<String> = (0..=CHANGED_MAX).map(|k| format!("p{k}")).collect();
        let many: Vec<(&str, usize)> = many.iter().map(|name| (name.as_str(), 4)).collect();
        enrol(&mut database, "s", &many, 7);
        let third = looked(&database, folder.path());
        assert_eq!((third.changed(), third.len()), (0, 3 + many.len()), "made anew");
        assert!(knows(&third, "milk", 2) && knows(&first, "milk", 0));
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!files.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{files:?}");
    }

    #[test]
    fn a_file_that_is_damaged_cut_short_or_of_another_model_or_store_is_made_anew() {
        let (folder, database) = shop();
        looked(&database, folder.path());
        let path = folder.path().join(FILE);
        let sound = std::fs::read(&path).unwrap();
        let spoilt = |at: usize| {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x40;
            bytes
        };
        let mut longer = sound.clone();
        longer.push(0);
        let all = (0..sound.len()).step_by(13).map(spoilt);
        let cut = [0, 1, HEAD_BYTES - 1, HEAD_BYTES, sound.len() - 1].map(|length| sound[..length].to_vec());
        for (case, bytes) in all.chain(cut).chain([longer, b"something else".to_vec()]).enumerate() {
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, bytes).unwrap();
            assert!(open(folder.path()).is_err(), "case {case}");
            assert!(knows(&looked(&database, folder.path()), "rice", 1), "case {case}");
            assert_eq!(std::fs::read(&path).unwrap(), sound, "case {case}: made anew, the same bytes");
        }
        // The same file beside a store that has another history.
        let elsewhere = tempfile::tempdir().unwrap();
        let mut other = Database::open(elsewhere.path()).unwrap();
        enrol(&mut other, "s", &[("milk", 5)], 9);
        std::fs::copy(&path, elsewhere.path().join(FILE)).unwrap();
        assert!(knows(&looked(&other, elsewhere.path()), "milk", 5));
        // The same store with another model: its looks say nothing there, and are not lost.
        let (new, _) = gallery(&database, folder.path(), "new", &line()).unwrap();
        assert!(new.is_empty() && database.enrolled_for("new").unwrap() == (false, true));
        assert!(knows(&looked(&database, folder.path()), "milk", 0));
    }

    #[test]
    fn what_cannot_be_made_is_an_error_and_no_crash() {
        let (folder, database) = shop();
        std::fs::create_dir_all(folder.path().join(FILE).join("in the way")).unwrap();
        let error = gallery(&database, folder.path(), "s", &line()).unwrap_err().to_string();
        assert!(error.contains(FILE), "{error}");
    }
}
