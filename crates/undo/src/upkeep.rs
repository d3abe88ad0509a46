//! What is kept too long, or is too much, goes: contents and journals of a home, snapshots of
//! repositories. Recorders prune what they write to by themselves; this is for the rest, once a day.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    error::Error,
    git::Git,
    history::Settings,
    images::{Images, Pruned},
    journal, snapshot,
};

/// Most working copies that are looked at in one go.
const WORKTREES_MAX: usize = 1_000;

/// What went.
#[derive(Debug, Default)]
pub struct Swept {
    pub contents: Pruned,
    /// Projects whose journal went: nothing has happened there for so long.
    pub journals: usize,
    pub snapshots: usize,
    /// Repositories that were looked at.
    pub repositories: usize,
    /// What failed; the rest was done all the same.
    pub faults: Vec<Error>,
}

/// Brings everything below the Kite home `home`, and the snapshots of the repositories of these
/// working copies, within their limits. A working copy that is gone is passed over.
#[must_use]
pub fn sweep(home: &Path, worktrees: &[PathBuf], limits: &Settings, now: SystemTime) -> Swept {
    let undo = home.join("undo");
    let mut swept = Swept::default();
    if undo.join("blobs").is_dir() {
        match Images::at(&undo, limits.images).prune(now) {
            Ok(pruned) => swept.contents = pruned,
            Err(error) => swept.faults.push(error),
        }
    }
    match journals(&undo, limits.images.age_max, now) {
        Ok(removed) => swept.journals = removed,
        Err(error) => swept.faults.push(error),
    }
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let now_ms = u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX);
    let mut seen = BTreeSet::new();
    for worktree in worktrees.iter().take(WORKTREES_MAX) {
        // Gone, or no repository (any more): nothing is to be done there.
        let Ok(git) = Git::open(worktree) else {
            continue;
        };
        if !seen.insert(git.common_dir().to_owned()) {
            continue;
        }
        match snapshot::prune(&git.in_background(), now_ms, &limits.snapshots.keep) {
            Ok(removed) => swept.snapshots += removed,
            Err(error) => swept.faults.push(error),
        }
    }
    swept.repositories = seen.len();
    swept
}

/// Removes the journals in which nothing was written for so long; how many.
fn journals(undo: &Path, age_max: Duration, now: SystemTime) -> Result<usize, Error> {
    let mut removed = 0;
    let directories = match fs::read_dir(undo) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other.map_err(Error::io("read", undo))?,
    };
    for directory in directories {
        let directory = directory.map_err(Error::io("read", undo))?.path();
        if journal::is_journal(&directory) && journal::prune(&directory, age_max, now)? {
            removed += 1;
        }
    }
    Ok(removed)
}
