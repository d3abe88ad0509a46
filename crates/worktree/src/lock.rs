//! One at a time for each repository, whichever process it is.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::fs::OFlags;

use crate::error::Error;

/// The lock's file in the directory that all worktrees of a repository share. Git and agents do not
/// know it.
const NAME: &str = "kite-worktree.lock";

/// How long others may keep us waiting: as long as a large checkout takes.
const WAIT_MAX: Duration = Duration::from_mins(15);

/// How often a lock that is held is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The repository's worktrees are ours until this is dropped, this process ends, and the last git
/// that was given [`RepositoryLock::file`] has ended.
pub(crate) struct RepositoryLock(File);

impl RepositoryLock {
    pub(crate) fn take(common_dir: &Path) -> Result<RepositoryLock, Error> {
        if !common_dir.is_dir() {
            return Err(Error::RepositoryGone {
                common_dir: common_dir.to_owned(),
            });
        }
        let path = common_dir.join(NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(Error::io("open", &path))?;
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(RepositoryLock(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(LOOK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => return Err(Error::Busy { lock: path }),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
            }
        }
    }

    /// The lock, for a git that must not be forgotten if this process is killed.
    pub(crate) fn file(&self) -> Result<File, Error> {
        self.0
            .try_clone()
            .map_err(Error::io("open again", Path::new(NAME)))
    }
}
