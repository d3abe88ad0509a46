//! A lock between processes, with a number kept in it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::OFlags;

use crate::error::Error;

/// How long another process may keep us waiting.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// How often a lock that is held is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(3);

/// A file that one process at a time has locked. The lock ends with this value, or with the
/// process; git processes started meanwhile do not inherit it.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the lock, and makes its file (0600) and its directory (0700) where missing.
    pub(crate) fn take(path: &Path) -> Result<Lock, Error> {
        Lock::wait(path, File::try_lock)
    }

    /// As [`Lock::take`], beside others that share it.
    pub(crate) fn share(path: &Path) -> Result<Lock, Error> {
        Lock::wait(path, File::try_lock_shared)
    }

    fn wait(path: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> Result<Lock, Error> {
        if let Some(directory) = path.parent() {
            private_directory(directory)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(no_follow())
            .open(path)
            .map_err(Error::io("open", path))?;
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            match lock(&file) {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(LOOK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Busy {
                        lock: path.to_owned(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
            }
        }
        Ok(Lock {
            file,
            path: path.to_owned(),
        })
    }

    /// The number last kept here, or `None` where there is none that can be read.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut text = String::new();
        self.file.seek(SeekFrom::Start(0)).ok()?;
        (&mut self.file).take(32).read_to_string(&mut text).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    }

    /// Keeps a number. A crash in the middle leaves none that can be read.
    pub(crate) fn keep_number(&mut self, number: u64) -> Result<(), Error> {
        let write = |file: &mut File| -> io::Result<()> {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(format!("{number}\n").as_bytes())
        };
        write(&mut self.file).map_err(Error::io("write", &self.path))
    }
}

/// Opening flags that refuse a symbolic link.
pub(crate) fn no_follow() -> i32 {
    // Both are the platform's own flag words; the bits of NOFOLLOW fit an int everywhere.
    OFlags::NOFOLLOW.bits().cast_signed()
}

/// Makes a directory, and what is above it, for this user alone.
pub(crate) fn private_directory(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(Error::io("make", path))
}
