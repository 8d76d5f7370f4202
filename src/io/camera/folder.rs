//! A folder into which something puts JPEG pictures: the newest one is what the camera shows.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

/// Largest picture that is read.
const LARGEST_BYTES: u64 = 4 << 20;
/// Every JPEG ends so (ITU-T T.81, B.1.1.3); without it the file is still being written.
const JPEG_END: &[u8] = &[0xff, 0xd9];

/// What tells a picture from the one before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(SystemTime, PathBuf);

/// The newest whole picture of the folder, if it is a later one than `last`. Blocks.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn newest(folder: &Path, last: Option<&Stamp>) -> io::Result<Option<(Stamp, Bytes)>> {
    let mut best: Option<Stamp> = None;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_jpeg = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jpg") || e.eq_ignore_ascii_case("jpeg"));
        // A file may be gone between the listing and the look at it.
        let modified = std::fs::metadata(&path).ok().filter(|m| is_jpeg && m.is_file()).and_then(|m| m.modified().ok());
        if let Some(modified) = modified {
            best = best.max(Some(Stamp(modified, path)));
        }
    }
    let Some(stamp) = best.filter(|best| last.is_none_or(|last| best > last)) else { return Ok(None) };
    let Ok(file) = std::fs::File::open(&stamp.1) else { return Ok(None) };
    let mut jpeg = Vec::new();
    file.take(LARGEST_BYTES + 1).read_to_end(&mut jpeg)?;
    let whole = jpeg.ends_with(JPEG_END) && jpeg.starts_with(super::JPEG_START) && jpeg.len() as u64 <= LARGEST_BYTES;
    Ok(whole.then(|| (stamp, jpeg.into())))
}
