//! `augenmass enroll`: how products look, from pictures.

use super::run::{StartError, load_config, open_eyes};
use crate::io::clock::Clock;
use crate::io::onnx::{LookError, decode_any};
use crate::io::store::{Database, LookChange};
use augenmass_core::goods::LookVector;
use augenmass_core::goods::gallery::{ENROLLED_MAX, representatives};
use augenmass_core::units::{BadId, ProductId};
use image::{RgbImage, imageops};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why nothing was enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// The station does not open.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A picture or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is no picture.
    #[error("{}: {source}", path.display())]
    NoPicture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LookError,
    },
    /// The model does not take them.
    #[error("the pictures of {product} cannot be embedded: {source}")]
    Embed {
        /// The product.
        product: ProductId,
        /// What the model says.
        source: LookError,
    },
    /// A folder's name is no product's.
    #[error("'{name}' is no product: {source}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        source: BadId,
    },
    /// A product that is not in the catalogue.
    #[error("the catalogue has no product '{0}'; import the catalogue first")]
    Unknown(ProductId),
    /// No pictures at all.
    #[error("no pictures found")]
    Nothing,
}

/// Enrols the pictures of each product in four directions, replacing what it had; gives how many products and pictures.
///
/// # Errors
/// Anything wrong with any of them; then nothing is changed.
pub async fn enroll(config: &Path, pictures: BTreeMap<ProductId, Vec<PathBuf>>) -> Result<(usize, usize), EnrollError> {
    let (config, _) = load_config(config)?;
    let mut database = Database::open(&config.data_directory).map_err(StartError::from)?;
    let catalogue = database.catalogue().map_err(StartError::from)?;
    let known = |id: &ProductId| catalogue.as_ref().is_some_and(|c| c.find_id(id).is_some());
    if let Some(unknown) = pictures.keys().find(|id| !known(id)) {
        return Err(EnrollError::Unknown(unknown.clone()));
    }
    if pictures.is_empty() {
        return Err(EnrollError::Nothing);
    }
    let eyes = open_eyes(&config).map_err(StartError::from)?;
    let mut looks = BTreeMap::new();
    let mut count = 0;
    for (product, files) in pictures {
        let decoded = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
        count += decoded.len();
        let decoded: Vec<RgbImage> = decoded.into_iter().flat_map(quarter_turns).collect();
        let vectors =
            eyes.embed(decoded).await.map_err(|source| EnrollError::Embed { product: product.clone(), source })?;
        looks.insert(product, kept(&vectors));
    }
    let now = Clock::start().now().wall;
    database.put_looks(&eyes.models().space_id, &looks, (LookChange::Enrolled, None), now).map_err(StartError::from)?;
    Ok((looks.len(), count))
}

/// The pictures of a folder that has one folder a product, named by the product's identifier.
///
/// # Errors
/// Folders that cannot be read or whose name is no product's.
pub fn pictures_of(directory: &Path) -> Result<BTreeMap<ProductId, Vec<PathBuf>>, EnrollError> {
    let mut pictures = BTreeMap::new();
    for product in list(directory)? {
        if !product.is_dir() {
            continue;
        }
        let name = product.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let id: ProductId = name.parse().map_err(|source| EnrollError::Name { name, source })?;
        pictures.insert(id, list(&product)?);
    }
    Ok(pictures)
}

fn list(directory: &Path) -> Result<Vec<PathBuf>, EnrollError> {
    let unreadable = |source| EnrollError::Unreadable { path: directory.to_owned(), source };
    let entries = std::fs::read_dir(directory).map_err(unreadable)?;
    let mut paths = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

/// The views that stand for all, as they are stored.
pub(super) fn kept(embeddings: &[Vec<f32>]) -> Vec<LookVector> {
    let views: Vec<LookVector> = embeddings.iter().map(|v| LookVector::quantise(v)).collect();
    representatives(&views, ENROLLED_MAX).into_iter().map(|at| views[at].clone()).collect()
}

/// Goods lie in a basket in every direction, and the embedder does not see past a turn by itself.
pub(super) fn quarter_turns(picture: RgbImage) -> [RgbImage; 4] {
    let turned = [imageops::rotate90(&picture), imageops::rotate180(&picture), imageops::rotate270(&picture)];
    let [quarter, half, three] = turned;
    [picture, quarter, half, three]
}

fn read(file: &Path) -> Result<RgbImage, EnrollError> {
    let bytes = std::fs::read(file).map_err(|source| EnrollError::Unreadable { path: file.to_owned(), source })?;
    decode_any(&bytes).map_err(|source| EnrollError::NoPicture { path: file.to_owned(), source })
}
