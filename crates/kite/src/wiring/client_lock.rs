//! Claude Code's own lock on its state file.
//!
//! Claude Code reads, changes and rewrites `~/.claude.json` all the time, and holds the directory
//! `~/.claude.json.lock` while it does. Whoever does not hold it loses changes, its own or others'.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::error::Error;

/// A lock that was not renewed for this long belongs to a process that has gone.
const STALE_AFTER: Duration = Duration::from_secs(10);

/// Longest wait for the lock. It is normally held for some milliseconds.
const WAIT_MAX: Duration = Duration::from_secs(15);

const RETRY_EVERY: Duration = Duration::from_millis(20);

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct ClientLock {
    dir: PathBuf,
}

impl ClientLock {
    /// Waits for the lock of `state_file`. `None` where its directory does not exist: then there
    /// is no client to shut out.
    ///
    /// # Errors
    /// Where it stays taken, or cannot be made.
    pub(crate) fn take(state_file: &Path) -> Result<Option<ClientLock>, Error> {
        // The client resolves links before it locks.
        let real = fs::canonicalize(state_file).unwrap_or_else(|_| state_file.to_owned());
        if !real.parent().is_some_and(Path::is_dir) {
            return Ok(None);
        }
        let mut name = OsString::from(&real);
        name.push(".lock");
        let dir = PathBuf::from(name);
        let started = Instant::now();
        loop {
            match fs::create_dir(&dir) {
                Ok(()) => return Ok(Some(ClientLock { dir })),
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(Error::io("lock", &real, &cause)),
            }
            if is_stale(&dir) {
                let _ = fs::remove_dir(&dir);
                continue;
            }
            if started.elapsed() > WAIT_MAX {
                return Err(Error::new(format!("{} stays locked", real.display()))
                    .because(format!("{} is there", dir.display()))
                    .hinted("wait for Claude Code to finish, then run it again"));
            }
            thread::sleep(RETRY_EVERY);
        }
    }
}

impl Drop for ClientLock {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir);
    }
}

fn is_stale(dir: &Path) -> bool {
    let age = fs::metadata(dir)
        .and_then(|meta| meta.modified())
        .ok()
        .and_then(|t| t.elapsed().ok());
    age.is_some_and(|age| age > STALE_AFTER)
}
