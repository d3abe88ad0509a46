//! Which contents go: the too old ones, then the oldest until the rest fits.

use std::{fs, io, path::PathBuf, time::SystemTime};

use super::Images;
use crate::{error::Error, lock::Lock};

/// What a pruning did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub removed: usize,
    pub removed_bytes: u64,
    pub left_bytes: u64,
}

struct Blob {
    path: PathBuf,
    at: SystemTime,
    bytes: u64,
}

impl Images {
    /// Brings the store within its limits. Nobody puts anything meanwhile.
    ///
    /// # Errors
    /// Where the store cannot be read, or another process holds its lock for seconds.
    pub fn prune(&self, now: SystemTime) -> Result<Pruned, Error> {
        let _lock = Lock::take(&self.lock())?;
        self.note_pruned(now)?;
        let mut blobs = self.blobs().map_err(Error::io("read", &self.directory))?;
        blobs.sort_by_key(|blob| blob.at);
        let mut pruned = Pruned {
            left_bytes: blobs.iter().map(|blob| blob.bytes).sum(),
            ..Pruned::default()
        };
        for blob in blobs {
            let age = now.duration_since(blob.at).unwrap_or_default();
            if age <= self.limits.age_max && pruned.left_bytes <= self.limits.bytes_max {
                break;
            }
            fs::remove_file(&blob.path).map_err(Error::io("remove", &blob.path))?;
            pruned.removed += 1;
            pruned.removed_bytes += blob.bytes;
            pruned.left_bytes -= blob.bytes;
        }
        Ok(pruned)
    }

    /// Every file in the store's directories of two characters: contents, and what a writer that
    /// died left behind.
    fn blobs(&self) -> io::Result<Vec<Blob>> {
        let mut blobs = Vec::new();
        for directory in fs::read_dir(&self.directory)? {
            let directory = directory?;
            if directory.file_name().len() != 2 || !directory.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(directory.path())? {
                let file = file?;
                // Of the file itself: a link would not be followed.
                let metadata = file.metadata()?;
                if metadata.is_file() {
                    blobs.push(Blob {
                        path: file.path(),
                        at: metadata.modified()?,
                        bytes: metadata.len(),
                    });
                }
            }
        }
        Ok(blobs)
    }
}
