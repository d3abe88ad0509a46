//! The lock that makes a process the daemon of a home.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use kite_wire::home::Home;

use super::{StartError, directory};

/// Held for as long as the daemon lives. The system lets go of it when the process ends, however
/// it ends; the descriptor is not inherited by anybody.
#[derive(Debug)]
pub(super) struct Singleton {
    lock: File,
    path: PathBuf,
}

impl Singleton {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Device and inode of the file that is locked, wherever it lies now.
    pub(super) fn identity(&self) -> io::Result<(u64, u64)> {
        let metadata = self.lock.metadata()?;
        Ok((metadata.dev(), metadata.ino()))
    }
}

/// `None` where another process is the daemon.
pub(super) fn try_become(home: &Home) -> Result<Option<Singleton>, StartError> {
    let path = home.daemon_lock();
    // A link here would let the lock be taken elsewhere than at the data.
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow)
        .open(&path)
        .map_err(|e| directory::unusable(&path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Singleton { lock: file, path })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(directory::unusable(&path, &e)),
    }
}

/// True where some process is the daemon of this home, or is about to be. Looking takes the lock
/// for an instant; starting daemons try again for that reason.
pub(super) fn is_held(home: &Home) -> io::Result<bool> {
    let file = match File::open(home.daemon_lock()) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(e)) => Err(e),
    }
}
