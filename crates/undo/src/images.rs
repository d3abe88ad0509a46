//! Contents of files, kept once each under their hash: compressed, private, bounded.
//!
//! A content is a file `blobs/ab/cdef...`, written beside its place and renamed there, so a
//! reader sees all of it or nothing. What is oldest goes first when there is too much; a content
//! that is put again counts as new.
//!
//! **Architecture Invariant:** knows bytes and hashes; not whose they are, nor where they stood.

mod prune;
mod secrets;

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

pub use prune::Pruned;
pub use secrets::Secrets;

use crate::{
    error::Error,
    hash::Hash,
    lock::{Lock, no_follow, private_directory},
};

/// How a stored content begins: as it is, or compressed (LZ4 block, its length before it).
const RAW: u8 = 0;
const LZ4: u8 = 1;

/// How much the store takes, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// On disk, compressed. Exceeded by a 32nd at most between two prunings.
    pub bytes_max: u64,
    pub age_max: Duration,
    /// A larger content is not kept.
    pub file_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes_max: 1 << 30,
            age_max: Duration::from_secs(14 * 24 * 60 * 60),
            file_bytes_max: 16 << 20,
        }
    }
}

/// The store of contents in a directory.
#[derive(Debug)]
pub struct Images {
    directory: PathBuf,
    limits: Limits,
}

/// Bytes that this process put into each store since it last pruned it. A process that lives long
/// opens a store for each step.
static ADDED: Mutex<BTreeMap<PathBuf, u64>> = Mutex::new(BTreeMap::new());
/// Stores that are counted; one process has one, but for tests.
const COUNTED_MAX: usize = 64;

impl Images {
    /// The store in `directory/blobs`. Nothing is made before the first content is put.
    #[must_use]
    pub fn at(directory: &Path, limits: Limits) -> Images {
        Images {
            directory: directory.join("blobs"),
            limits,
        }
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Keeps a content. The same content again only becomes young again.
    ///
    /// # Errors
    /// [`Error::NotKept`] where it is larger than [`Limits::file_bytes_max`].
    pub fn put(&self, bytes: &[u8]) -> Result<Hash, Error> {
        let hash = Hash::of(bytes);
        if bytes.len() as u64 > self.limits.file_bytes_max {
            return Err(Error::NotKept {
                what: format!("{hash} ({} bytes)", bytes.len()),
            });
        }
        let stored = {
            let _lock = Lock::share(&self.lock())?;
            self.store(&hash, bytes)?
        };
        if stored > 0 && (self.is_filling(stored) || self.prune_is_due()) {
            self.prune(SystemTime::now())?;
        }
        Ok(hash)
    }

    /// A content, checked against its hash.
    ///
    /// # Errors
    /// [`Error::NotKept`] where it is not there (any more), or is damaged.
    pub fn get(&self, hash: &Hash) -> Result<Vec<u8>, Error> {
        let not_kept = || Error::NotKept {
            what: hash.to_string(),
        };
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(no_follow())
            .open(self.file(hash))
            .map_err(|_| not_kept())?;
        let mut stored = Vec::new();
        // Compression adds less than a hundredth to what it cannot make smaller.
        let bytes_max = self.limits.file_bytes_max + self.limits.file_bytes_max / 64 + 64;
        file.take(bytes_max)
            .read_to_end(&mut stored)
            .map_err(Error::io("read", &self.file(hash)))?;
        let bytes = self.unpack(&stored).ok_or_else(not_kept)?;
        (Hash::of(&bytes) == *hash)
            .then_some(bytes)
            .ok_or_else(not_kept)
    }

    /// Whether a content is there.
    #[must_use]
    pub fn has(&self, hash: &Hash) -> bool {
        self.file(hash).is_file()
    }

    /// How many bytes were written: none where the content was there already.
    fn store(&self, hash: &Hash, bytes: &[u8]) -> Result<u64, Error> {
        let file = self.file(hash);
        if self.refresh(&file) {
            return Ok(0);
        }
        let directory = file.parent().unwrap_or(&self.directory);
        private_directory(directory)?;
        let packed = pack(bytes);
        let failed = |source| Error::io("write", &file)(source);
        // 0600, under a name of its own.
        let mut fresh = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(directory)
            .map_err(failed)?;
        fresh.write_all(&packed).map_err(failed)?;
        fresh.persist(&file).map_err(|error| failed(error.error))?;
        Ok(packed.len() as u64)
    }

    /// Makes a content young again. False where it is not there, or is not ours.
    fn refresh(&self, file: &Path) -> bool {
        let open = OpenOptions::new()
            .append(true)
            .custom_flags(no_follow())
            .open(file);
        open.and_then(|file| file.set_modified(SystemTime::now()))
            .is_ok()
    }

    fn unpack(&self, stored: &[u8]) -> Option<Vec<u8>> {
        match stored.split_first()? {
            (&RAW, bytes) => Some(bytes.to_vec()),
            (&LZ4, packed) => {
                let size = u32::from_le_bytes(packed.get(..4)?.try_into().ok()?);
                // The length comes from a file: it is believed only as far as a put would go.
                if u64::from(size) > self.limits.file_bytes_max {
                    return None;
                }
                lz4_flex::block::decompress(&packed[4..], size as usize).ok()
            }
            _ => None,
        }
    }

    fn file(&self, hash: &Hash) -> PathBuf {
        let name = hash.to_string();
        self.directory.join(&name[..2]).join(&name[2..])
    }

    fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    /// Where the time of the last pruning is kept, as the file's own time.
    fn pruned(&self) -> PathBuf {
        self.directory.join("pruned")
    }

    fn note_pruned(&self, now: SystemTime) -> Result<(), Error> {
        let path = self.pruned();
        File::create(&path)
            .and_then(|file| file.set_modified(now))
            .map_err(Error::io("write", &path))
    }

    /// Counts what was put. True where that is enough for a pruning, and the count begins anew.
    fn is_filling(&self, stored: u64) -> bool {
        let mut added = ADDED.lock().unwrap_or_else(PoisonError::into_inner);
        if added.len() >= COUNTED_MAX && !added.contains_key(&self.directory) {
            added.clear();
        }
        let count = added.entry(self.directory.clone()).or_default();
        *count += stored;
        let is_enough = *count > self.limits.bytes_max / 32;
        if is_enough {
            *count = 0;
        }
        is_enough
    }

    /// Short-lived processes put little each: one of them prunes once an hour.
    fn prune_is_due(&self) -> bool {
        const EVERY: Duration = Duration::from_secs(60 * 60);
        fs::metadata(self.pruned())
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > EVERY))
            || !self.pruned().exists()
    }
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let packed = lz4_flex::block::compress(bytes);
    let length = u32::try_from(bytes.len()).ok();
    match length {
        Some(length) if packed.len() + 4 < bytes.len() => {
            let mut stored = vec![LZ4];
            stored.extend_from_slice(&length.to_le_bytes());
            stored.extend_from_slice(&packed);
            stored
        }
        _ => {
            let mut stored = vec![RAW];
            stored.extend_from_slice(bytes);
            stored
        }
    }
}

#[cfg(test)]
mod tests;
