//! A file as bytes that the system reads where they are looked at.

use memmap2::Mmap;
use std::fs::File;
use std::io;

/// Maps a file, read-only. Whoever calls it must own the file: it has to be one that is never written in place, and that nobody but this
/// user may open for writing. What has been read through the file before, and was sound, is then sound here.
///
/// # Errors
/// What the system says.
#[allow(unsafe_code, reason = "the one mapping; there is no way to map a file that the compiler could vouch for")]
pub fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the bytes must not change while they are mapped. `io::looks` alone calls this: its file is written under another name with
    // mode 0600, flushed, and only then renamed to where it is found, so that nobody who keeps to the names ever writes into a mapped
    // one; a later version is another file, and this one stays as it is until the last mapping is gone. Somebody with this user's own
    // rights could still cut it short; that ends the process with a signal, as it would if he cut the program itself.
    unsafe { Mmap::map(file) }
}
