//! Keeps the machine's goods up to date: a new catalogue, what visits have taught, looks that were enrolled.

use super::look_school::LookSchool;
use super::school::{House, School};
use crate::io::clock::Clock;
use crate::io::looks::{self, LooksError};
use crate::io::onnx::ModelsInfo;
use crate::io::store::{Database, GoodsMark, StoreError};
use augenmass_core::goods::gallery::LookMark;
use augenmass_core::goods::{Catalogue, Gallery, LookCalibration};
use augenmass_core::station::Input;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// News are noticed within this time.
const GOODS_EVERY: Duration = Duration::from_secs(2);
/// The history of what was learned is thinned so often.
const THIN_EVERY: Duration = Duration::from_secs(86_400);
/// Looks that could not be had are tried for again after so long.
const LOOKS_AGAIN: Duration = Duration::from_secs(30);

/// Hands the goods to the machine at start, whenever a new catalogue is imported, looks are enrolled, and when visits have taught
/// something. The machine takes them between two attempts.
pub struct GoodsWatch {
    /// The store.
    pub database: Database,
    /// Looks, of a station with eyes.
    pub looks: Option<LooksWatch>,
    /// What learns looks, if the station is to.
    pub look_school: Option<LookSchool>,
    /// To the machine.
    pub inputs: mpsc::Sender<Input>,
    /// The time.
    pub clock: Clock,
    /// What the station believes and wants beside its goods.
    pub house: House,
}

impl GoodsWatch {
    /// Runs until nobody takes goods any more; for a thread of its own.
    pub fn run(mut self) {
        let mut known = None;
        let mut school: Option<School> = None;
        let mut thinned = Instant::now();
        while !self.inputs.is_closed() {
            match self.look(&mut known, &mut school) {
                Ok(inputs) => {
                    if inputs.into_iter().any(|input| self.inputs.blocking_send(input).is_err()) {
                        return;
                    }
                }
                Err(error) => tracing::error!(%error, "cannot read the goods"),
            }
            match self.database.delete_old_crops(self.clock.now().wall) {
                Ok(0) => {}
                Ok(pictures) => tracing::info!(pictures, "old pictures are deleted"),
                Err(error) => tracing::error!(%error, "cannot delete old pictures"),
            }
            if thinned.elapsed() >= THIN_EVERY {
                thinned = Instant::now();
                let now = self.clock.now().wall;
                if let Err(error) = self.database.thin_history(now).and_then(|_| self.database.thin_looks(now)) {
                    tracing::error!(%error, "cannot thin the history of what was learned");
                }
            }
            std::thread::sleep(GOODS_EVERY);
        }
    }

    /// The goods and containers, if they are others than before.
    fn look(
        &mut self,
        known: &mut Option<Option<GoodsMark>>,
        school: &mut Option<School>,
    ) -> Result<Vec<Input>, StoreError> {
        let now = self.clock.now().wall;
        let version = self.database.goods_mark()?;
        let mut news = false;
        let present = match school {
            Some(school) if *known == Some(version) => {
                news |= school.go_on(&mut self.database, now)?;
                let confirmed = school.take_confirmed();
                let gallery = self.looks.as_ref().and_then(|looks| looks.gallery.clone());
                if let (Some(looks), Some(gallery)) = (&mut self.look_school, gallery) {
                    looks.listen();
                    let containers = school.containers();
                    let now_known = school.circumstances(&containers);
                    if let Err(error) = looks.learn(&mut self.database, &confirmed, &gallery, &now_known, now) {
                        tracing::error!(%error, "cannot keep what was learned of looks");
                    }
                }
                school
            }
            Some(_) | None => {
                let imported = self.database.catalogue()?.unwrap_or_else(|| {
                    tracing::warn!("no catalogue yet: `augenmass catalogue import FILE`");
                    Catalogue::new(Vec::new())
                });
                let opened = School::open(&mut self.database, imported, self.house.clone(), now)?;
                *known = Some(version);
                news = true;
                school.insert(opened)
            }
        };
        let mut inputs = Vec::new();
        if let Some(looks) = &mut self.looks {
            let (told, changed) = looks.look(&self.database);
            inputs.extend(told);
            news |= changed;
        }
        if !news {
            return Ok(inputs);
        }
        let (catalogue, containers) = (present.catalogue().clone(), present.containers());
        let gallery = self.looks.as_ref().and_then(|looks| looks.gallery.clone());
        let enrolled = gallery.as_ref().map_or(0, |gallery| gallery.len());
        tracing::info!(products = catalogue.products().len(), enrolled, hash = catalogue.hash(), "goods");
        inputs.push(Input::Containers(containers));
        inputs.push(Input::Goods { catalogue: Arc::new(catalogue), gallery });
        Ok(inputs)
    }
}

/// The looks as they are now.
pub struct LooksWatch {
    directory: PathBuf,
    space_id: String,
    calibration: LookCalibration,
    gallery: Option<Arc<Gallery>>,
    mark: Option<LookMark>,
    /// Why there are none, as the machine was told.
    out: Option<String>,
    tried: Option<Instant>,
}

impl LooksWatch {
    /// Of a data folder and these models.
    pub fn new(directory: &Path, models: &ModelsInfo) -> Self {
        Self {
            directory: directory.to_owned(),
            space_id: models.space_id.clone(),
            calibration: models.calibration.clone(),
            gallery: None,
            mark: None,
            out: None,
            tried: None,
        }
    }

    /// Takes over what has changed; what the machine is to be told of that, and whether the looks are others than before.
    fn look(&mut self, database: &Database) -> (Option<Input>, bool) {
        let (out, changed) = match self.renew(database) {
            Ok(None) => return (None, false),
            Ok(Some(out)) => (out, true),
            Err(error) => {
                tracing::error!(%error, "nobody knows how goods look");
                (Some(format!("the looks of the goods cannot be read: {error}")), self.gallery.take().is_some())
            }
        };
        let told = (out != self.out).then(|| Input::Looks { out: out.clone() });
        self.out = out;
        (told, changed)
    }

    /// `None` if nothing has changed; else why nobody knows how goods look, if nobody does.
    fn renew(&mut self, database: &Database) -> Result<Option<Option<String>>, LooksError> {
        let mark = database.look_mark()?;
        let again = self.gallery.is_none() && self.tried.is_none_or(|tried| tried.elapsed() >= LOOKS_AGAIN);
        if self.mark == Some(mark) && !again {
            return Ok(None);
        }
        self.tried = Some(Instant::now());
        // Whatever becomes of it: it is not tried again every two seconds.
        self.mark = Some(mark);
        let (gallery, mark) = looks::gallery(database, &self.directory, &self.space_id, &self.calibration)?;
        (self.gallery, self.mark) = (Some(Arc::new(gallery)), Some(mark));
        let (here, elsewhere) = database.enrolled_for(&self.space_id)?;
        let foreign = "all looks were enrolled with another model: enrol the products again";
        Ok(Some((elsewhere && !here).then(|| foreign.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::store::LookChange;
    use augenmass_core::goods::LookVector;
    use augenmass_core::units::Wall;

    fn watch(folder: &Path, space_id: &str) -> LooksWatch {
        let calibration = LookCalibration { a: 10.0, b: -4.0, curve: Vec::new() };
        let space_id = space_id.to_owned();
        let directory = folder.to_owned();
        LooksWatch { directory, space_id, calibration, gallery: None, mark: None, out: None, tried: None }
    }

    fn why(told: Option<Input>) -> Option<String> {
        match told {
            Some(Input::Looks { out }) => out,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_enrolled_is_noticed_and_what_cannot_be_used_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(folder.path()).unwrap();
        let enrol = |database: &mut Database, space: &str, at: i64| {
            let looks = [("milk".parse().unwrap(), vec![LookVector::from_bytes(&[1, 2, 3, 4])])].into();
            database.put_looks(space, &looks, (LookChange::Enrolled, None), Wall::from_ms(at)).unwrap();
        };
        let mut watch = watch(folder.path(), "new");
        let (told, changed) = watch.look(&database);
        assert!(told.is_none() && changed, "a shop that has enrolled nothing is no fault");
        assert!(!watch.look(&database).1);
        enrol(&mut database, "old", 5);
        assert!(why(watch.look(&database).0).is_some_and(|why| why.contains("another model")));
        assert!(watch.look(&database).0.is_none(), "told once");
        enrol(&mut database, "new", 6);
        let (told, changed) = watch.look(&database);
        assert!(why(told).is_none() && changed && watch.gallery.as_ref().unwrap().len() == 1);
        // A disk that takes no file, with the one that was there gone.
        std::fs::remove_file(folder.path().join(looks::FILE)).unwrap();
        std::fs::create_dir_all(folder.path().join(looks::FILE).join("in the way")).unwrap();
        enrol(&mut database, "new", 7);
        let (told, changed) = watch.look(&database);
        assert!(why(told).is_some_and(|why| why.contains("cannot be read")) && changed && watch.gallery.is_none());
    }
}
