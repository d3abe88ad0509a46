//! Small files that hold one moment as text: milliseconds since 1970.
//!
//! Whatever goes wrong with them, the hook goes on: a missing or unreadable moment is `None`, and
//! a file that cannot be written stays as it was. Nothing here blocks, not even on a pipe that
//! somebody put in a file's place.

use std::{
    path::Path,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{self, FlockOperation, Mode, OFlags},
    io,
};

/// Attempts at a stamp's lock, a millisecond apart. It is held for microseconds.
const LOCK_ATTEMPTS_MAX: u32 = 20;

/// Milliseconds since 1970, by the wall clock.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// True where `moment` is at most `window` before `now_ms`. A moment in the future, left by a
/// clock that was set back, is not recent.
pub(crate) fn is_recent(moment_ms: u64, now_ms: u64, window: Duration) -> bool {
    now_ms
        .checked_sub(moment_ms)
        .is_some_and(|age| u128::from(age) <= window.as_millis())
}

/// The moment in a file.
pub(crate) fn read(path: &Path) -> Option<u64> {
    read_from(open(path, OFlags::RDONLY)?)
}

/// Opens a file of the home: never through a symbolic link, never waiting, mode 0600 where made.
pub(crate) fn open(path: &Path, flags: OFlags) -> Option<OwnedFd> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::open(path, flags, Mode::RUSR | Mode::WUSR).ok()
}

/// A stamp that this process alone may change, until dropped.
pub(crate) struct Stamp(OwnedFd);

impl Stamp {
    /// Opens or makes the file and locks it. `None` where that fails or takes too long.
    pub(crate) fn take(path: &Path) -> Option<Stamp> {
        let file = open(path, OFlags::RDWR | OFlags::CREATE)?;
        for _ in 0..LOCK_ATTEMPTS_MAX {
            match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Some(Stamp(file)),
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
        None
    }

    pub(crate) fn read(&self) -> Option<u64> {
        read_from(&self.0)
    }

    /// True where the moment has been written.
    pub(crate) fn write(&self, moment_ms: u64) -> bool {
        fs::ftruncate(&self.0, 0).is_ok()
            && io::pwrite(&self.0, moment_ms.to_string().as_bytes(), 0).is_ok()
    }
}

fn read_from(file: impl AsFd) -> Option<u64> {
    let mut text = [0; 24];
    let length = io::pread(file, &mut text, 0).ok()?;
    std::str::from_utf8(&text[..length])
        .ok()?
        .trim_end()
        .parse()
        .ok()
}
