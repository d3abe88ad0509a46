//! Times and sizes by which a change is noticed without reading the file.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

/// What a file's directory entry and inode say. The time is that of the last change of the inode,
/// which `mv` and `cp -p` cannot set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    Absent,
    File {
        bytes: u64,
        inode: u64,
        mode: u32,
        written_ns: u64,
        changed_ns: u64,
    },
}

impl Stamp {
    /// Of the file itself: a link is not followed. A directory is no file.
    pub(super) fn of(file: &Path) -> Stamp {
        match fs::symlink_metadata(file) {
            Ok(it) if !it.is_dir() => Stamp::File {
                bytes: it.len(),
                inode: it.ino(),
                mode: it.mode(),
                written_ns: ns(it.mtime(), it.mtime_nsec()),
                changed_ns: changed_ns(&it),
            },
            _ => Stamp::Absent,
        }
    }

    pub(super) fn bytes(self) -> Option<u64> {
        match self {
            Stamp::Absent => None,
            Stamp::File { bytes, .. } => Some(bytes),
        }
    }

    pub(super) fn changed_ns(self) -> Option<u64> {
        match self {
            Stamp::Absent => None,
            Stamp::File { changed_ns, .. } => Some(changed_ns),
        }
    }
}

/// The latest time at which a file that is gone can have gone: the last change of the nearest
/// directory above it that is left.
pub(super) fn gone_ns(top: &Path, path: &Path) -> Option<u64> {
    let above = path.ancestors().skip(1);
    let mut left = above.filter_map(|directory| fs::symlink_metadata(top.join(directory)).ok());
    left.next().map(|it| ns(it.mtime(), it.mtime_nsec()))
}

/// When a file that kept its own times can have come: with its directory, which was moved. The
/// top itself does not count, it changes all the time.
pub(super) fn appeared_ns(top: &Path, path: &Path) -> Option<u64> {
    let above = path.ancestors().skip(1);
    above
        .filter(|directory| !directory.as_os_str().is_empty())
        .filter_map(|directory| fs::symlink_metadata(top.join(directory)).ok())
        .map(|it| changed_ns(&it))
        .max()
}

fn changed_ns(metadata: &Metadata) -> u64 {
    ns(metadata.ctime(), metadata.ctime_nsec())
}

/// A time before 1970 counts as 1970.
fn ns(seconds: i64, nanos: i64) -> u64 {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(nanos).unwrap_or(0))
}
