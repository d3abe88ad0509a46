//! Putting a file in its place so that nobody's change is lost.
//!
//! The new content is written beside the note, hidden, and takes its place in one step. Where the
//! system can exchange two names (Linux, macOS), what was there comes out on the other side and is
//! compared with what was read: if somebody changed it in the last moment, it goes back. Elsewhere
//! the comparison is made just before the rename, which leaves a window of microseconds.

use std::{ffi::OsString, io};

use rustix::{
    fs::{AtFlags, Mode, RenameFlags},
    io::Errno,
};

use super::{Found, Spot, fill, read_at};
use crate::limits::NOTE_BYTES_MAX;

/// How placing a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    Done,
    /// Something else stands there than the caller believed. It is as it was.
    Changed,
}

/// Makes a file where there was nothing.
pub(super) fn create(spot: &Spot, bytes: &[u8]) -> io::Result<Placed> {
    beside(spot, bytes, None, |temporary| {
        match rename_to_free(spot, temporary) {
            Ok(()) => Ok(Placed::Done),
            Err(Errno::EXIST) => Ok(Placed::Changed),
            Err(errno) => Err(errno.into()),
        }
    })
}

/// Replaces a file whose content is still `read`.
pub(super) fn replace(spot: &Spot, read: &[u8], bytes: &[u8]) -> io::Result<Placed> {
    let Ok(stat) = spot.stat() else {
        return Ok(Placed::Changed);
    };
    let mode = Mode::from_raw_mode(stat.st_mode & 0o777);
    beside(spot, bytes, Some(mode), |temporary| {
        if !is(spot, &spot.name, read)? {
            return Ok(Placed::Changed);
        }
        match exchange(spot, temporary) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(Placed::Changed),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                let (from, to) = (&spot.directory, &spot.directory);
                rustix::fs::renameat(from, temporary, to, &spot.name)?;
                return Ok(Placed::Done);
            }
            Err(errno) => return Err(errno.into()),
        }
        if is(spot, temporary, read)? {
            return Ok(Placed::Done);
        }
        // Somebody was faster by microseconds: theirs goes back to its name.
        exchange(spot, temporary)?;
        Ok(Placed::Changed)
    })
}

/// Runs with a hidden file beside the note, which is gone afterwards.
fn beside(
    spot: &Spot,
    bytes: &[u8],
    mode: Option<Mode>,
    place: impl FnOnce(&OsString) -> io::Result<Placed>,
) -> io::Result<Placed> {
    let temporary = temporary_name();
    let placed = fill(&spot.directory, &temporary, bytes, mode).and_then(|()| place(&temporary));
    // It may have been renamed away, or never made; a leftover would only be clutter.
    let _ = rustix::fs::unlinkat(&spot.directory, &temporary, AtFlags::empty());
    if matches!(placed, Ok(Placed::Done)) {
        // The name is on the disk too. Some file systems cannot promise that, and say so.
        let _ = rustix::fs::fsync(&spot.directory);
    }
    placed
}

fn is(spot: &Spot, name: &std::ffi::OsStr, expected: &[u8]) -> io::Result<bool> {
    let found = read_at(&spot.directory, name, NOTE_BYTES_MAX)?;
    Ok(matches!(found, Found::File { bytes, .. } if bytes == expected))
}

/// Renames without ever replacing anything; by a hard link where the system cannot.
fn rename_to_free(spot: &Spot, temporary: &OsString) -> Result<(), Errno> {
    let directory = &spot.directory;
    let flags = RenameFlags::NOREPLACE;
    match rustix::fs::renameat_with(directory, temporary, directory, &spot.name, flags) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            let flags = AtFlags::empty();
            rustix::fs::linkat(directory, temporary, directory, &spot.name, flags)
        }
        other => other,
    }
}

fn exchange(spot: &Spot, temporary: &OsString) -> Result<(), Errno> {
    let directory = &spot.directory;
    let flags = RenameFlags::EXCHANGE;
    rustix::fs::renameat_with(directory, temporary, directory, &spot.name, flags)
}

/// A hidden name that nobody else uses: this process and a running number.
fn temporary_name() -> OsString {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(".kite-vault-{}-{number}.tmp", std::process::id()).into()
}
