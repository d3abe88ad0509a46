//! Two working copies of one repository: would their changes conflict?
//!
//! What is compared is each one's `HEAD` with everything uncommitted in it, tracked and untracked.
//! Both are written as commits into a repository of our own, which is removed again; the repository,
//! its index and its files are only read. `git merge-tree` then merges them in memory.
//!
//! Not seen: ignored files, changes inside submodules, files larger than [`FILE_BYTES_MAX`], and
//! attributes of the repository's own `info/attributes`. A merge driver of the repository is not
//! run; a file that names one is merged as text.
//!
//! **Architecture Invariant:** nothing of the repository is written, and none of its code is run.

use std::path::{Path, PathBuf};

use crate::{
    error::Error,
    git::{Git, Scratch, Version},
    snapshot::{self, Options},
};

/// The oldest git that can merge without a working copy (`merge-tree --write-tree`).
pub const GIT_MIN: Version = Version(2, 38);

/// A larger uncommitted file is compared as it is in `HEAD`.
pub const FILE_BYTES_MAX: u64 = 4 << 20;
/// Content of uncommitted files that is read of one working copy.
const TOTAL_BYTES_MAX: u64 = 64 << 20;
/// Uncommitted files that are read of one working copy.
const FILES_MAX: usize = 5_000;

/// What stands in a git directory while a merge, a rebase or the like waits to be finished.
const UNDER_WAY: &[&str] = &[
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "rebase-merge",
    "rebase-apply",
];

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The paths that a merge would leave in conflict; none where all would go well.
    Merged(Vec<PathBuf>),
    /// One of them is in the middle of a merge or a rebase: its files tell nothing until then.
    UnderWay,
    /// They have no commit in common, or one has no commit at all.
    Unrelated,
}

/// Merges what two working copies of one repository hold now, in memory.
///
/// # Errors
/// Where one of them is gone, they are not of one repository, the git that is installed is older
/// than [`GIT_MIN`], git fails, or another process compares here for seconds.
pub fn compare(a: &Path, b: &Path) -> Result<Comparison, Error> {
    let version = Version::installed()?;
    if version < GIT_MIN {
        return Err(Error::Unexpected {
            command: "merge-tree".to_owned(),
            why: format!("it needs git {}.{}", GIT_MIN.0, GIT_MIN.1),
        });
    }
    let (a, b) = (Git::open(a)?.in_background(), Git::open(b)?.in_background());
    if a.common_dir() != b.common_dir() {
        return Err(Error::NotAWorktree {
            directory: b.top().to_owned(),
            said: format!("it is of another repository than {:?}", a.top()),
        });
    }
    if is_under_way(&a) || is_under_way(&b) {
        return Ok(Comparison::UnderWay);
    }
    let scratch = Scratch::beside(&a)?;
    let options = Options {
        file_bytes_max: FILE_BYTES_MAX,
        total_bytes_max: TOTAL_BYTES_MAX,
        files_max: FILES_MAX,
        ..Options::default()
    };
    let of = |git: &Git| snapshot::files_now(git, &scratch.git, &options);
    let (Some(a), Some(b)) = (of(&a)?, of(&b)?) else {
        return Ok(Comparison::Unrelated);
    };
    if !scratch.are_related(&a, &b)? {
        return Ok(Comparison::Unrelated);
    }
    Ok(Comparison::Merged(scratch.conflicts(&a, &b, version)?))
}

fn is_under_way(git: &Git) -> bool {
    let mut marks = UNDER_WAY.iter().map(|name| git.git_dir().join(name));
    marks.any(|mark| mark.symlink_metadata().is_ok())
}
