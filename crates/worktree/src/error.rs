//! What can go wrong, why, and what to do about it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use kite_undo::Oid;

/// Most paths that are named; more are only counted.
pub(crate) const NAMED_MAX: usize = 20;

/// A disk with less room than this is full.
const ROOM_BYTES_MIN: u64 = 1 << 20;

/// Why a worktree was not made, looked at or removed.
#[derive(Debug)]
pub enum Error {
    /// The directory belongs to no git working copy, or git will not touch it.
    NotARepository { directory: PathBuf, said: String },
    /// The repository has no working copy to begin with.
    Bare { directory: PathBuf },
    /// There is no commit to begin with.
    NoCommit { directory: PathBuf },
    /// The name of what to begin with is none, or means nothing here.
    Base { name: String, why: &'static str },
    /// A branch of this name is there already, or one whose name is the beginning of it.
    BranchInTheWay { branch: String, said: String },
    /// Something stands where the worktree is to be.
    PathTaken { path: PathBuf },
    /// A lock file of git's is there, and stays.
    LockedByGit { file: PathBuf },
    /// Another process makes or removes a worktree of this repository, and does not end.
    Busy { lock: PathBuf },
    /// The disk is full.
    Full { path: PathBuf },
    /// The repository does not have all that the commit needs, and it is not fetched here.
    Incomplete { said: String },
    /// The repository was moved or deleted.
    RepositoryGone { common_dir: PathBuf },
    /// The directory is there, but is no worktree of the repository (any more).
    NotAWorktree { path: PathBuf },
    /// Something would be lost.
    WouldLose { path: PathBuf, losses: Vec<Loss> },
    /// Git failed.
    Git(kite_undo::Error),
    /// A file or directory could not be made or removed.
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

/// Something that would be lost with a worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Files that are changed, untracked, or ignored and not disposable.
    Uncommitted { paths: Vec<PathBuf>, count: usize },
    /// Commits that neither the branch it came from nor an upstream has.
    Unmerged {
        branch: String,
        commits: u64,
        into: Option<String>,
    },
    /// Commits that no branch has: `HEAD` is detached.
    Detached { head: Oid, commits: u64 },
    /// A merge, a rebase or the like that is not finished.
    UnderWay { what: &'static str },
    /// Git removes no worktree with submodules.
    Submodules,
    /// Refs that this worktree alone has.
    OwnRefs { names: Vec<String> },
    /// What is uncommitted cannot be kept: too large, unreadable, or a repository of its own.
    NotKept { paths: Vec<PathBuf>, count: usize },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full { path },
            _ => Error::Io {
                doing,
                path,
                source,
            },
        }
    }

    /// Git's fault, as far as its words tell what it is about. Git speaks English here: it is run
    /// with `LC_ALL=C`.
    pub(crate) fn of_git(error: kite_undo::Error, path: &Path) -> Error {
        let kite_undo::Error::Git { said, .. } = &error else {
            return match error {
                kite_undo::Error::NotAWorktree { directory, said } => {
                    Error::NotARepository { directory, said }
                }
                kite_undo::Error::Bare { directory } => Error::Bare { directory },
                other => Error::Git(other),
            };
        };
        if said.contains("No space left on device") || said.contains("Disk quota exceeded") {
            return Error::Full {
                path: path.to_owned(),
            };
        }
        if let Some(file) = lock_file(said) {
            return Error::LockedByGit { file };
        }
        let lacks = [
            "lazy fetching disabled",
            "unable to read sha1",
            "missing blob",
            "bad object",
        ];
        if lacks.iter().any(|words| said.contains(words)) {
            return Error::Incomplete { said: said.clone() };
        }
        Error::Git(error)
    }

    /// [`Error::Full`] where the disk of `path` has no room: of a file that it cannot write, git does
    /// not say why.
    pub(crate) fn or_full(self, path: &Path) -> Error {
        let there = path.ancestors().find(|it| it.exists());
        let room = there.and_then(|it| rustix::fs::statvfs(it).ok());
        let is_full = |room: rustix::fs::StatVfs| {
            room.f_bavail.saturating_mul(room.f_frsize) < ROOM_BYTES_MIN
                || room.f_favail == 0 && room.f_files > 0
        };
        match self {
            Error::Git(kite_undo::Error::Git { .. }) if room.is_some_and(is_full) => Error::Full {
                path: path.to_owned(),
            },
            other => other,
        }
    }

    /// Whether it is worth another try: another git was at work in the same repository.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Error::LockedByGit { .. } => true,
            Error::Git(kite_undo::Error::Git { said, .. }) => {
                // A sibling that another git is about to make.
                // The last worktree that git removes takes the directory of all with it.
                said.contains("commondir")
                    || (said.contains("could not create directory")
                        && said.contains("worktrees/")
                        && said.contains("No such file or directory"))
                    || said.contains("could not lock config file")
                    || said.contains("failed to read")
            }
            _ => false,
        }
    }

    /// What to do about it, in words that also an agent may follow.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Error::NotARepository { .. } => {
                "Only a git repository has worktrees: ask for `worktree: none`, or `git init` and commit first.".into()
            }
            Error::Bare { .. } => "Ask from one of its worktrees: `git worktree add PATH BRANCH` makes the first.".into(),
            Error::NoCommit { .. } => "Make a first commit, then ask again.".into(),
            Error::Base { .. } => "Name a branch, a tag or a commit of this repository.".into(),
            Error::BranchInTheWay { .. } => "Rename the branch that is in the way (`git branch -m OLD NEW`), then ask again.".into(),
            Error::PathTaken { .. } => "Move it away, then ask again.".into(),
            Error::LockedByGit { file } => format!("If no git command runs in that repository, one has died there: remove {file:?} and ask again."),
            Error::Busy { .. } => "Ask again in a moment.".into(),
            Error::Full { .. } => "Free some space and ask again.".into(),
            Error::Incomplete { .. } => "Fetch it first, for example with `git fetch --refetch` or `git checkout` of that commit, then ask again.".into(),
            Error::RepositoryGone { .. } => "Where it was moved, `git worktree repair PATH` in its new place connects them again; otherwise look through the directory and delete it by hand.".into(),
            Error::NotAWorktree { .. } => "Look through it, delete it by hand, and ask again: then it is forgotten.".into(),
            Error::WouldLose { losses, .. } => losses.iter().map(Loss::hint).collect::<Vec<_>>().join(" "),
            Error::Git(_) | Error::Io { .. } => "See to the cause and ask again.".into(),
        }
    }
}

impl Loss {
    fn hint(&self) -> String {
        match self {
            Loss::Uncommitted { .. } => "Commit or move them; or ask with `uncommitted`, and they are first kept under refs/kite/rescue.".into(),
            Loss::Unmerged { .. } => "Merge or push the branch; or ask with `unmerged`, and the branch stays.".into(),
            Loss::Detached { head, .. } => format!("Give them a branch there: `git branch NAME {head}`."),
            Loss::UnderWay { what } => format!("Finish the {what} there, or abort it."),
            Loss::Submodules => "Remove it by hand, once you have looked through its submodules: `git worktree unlock PATH`, then `git worktree remove --force PATH`.".into(),
            Loss::OwnRefs { .. } => "Turn them into branches, or delete them there with `git update-ref -d`.".into(),
            Loss::NotKept { .. } => "Move them elsewhere, then ask again.".into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotARepository { directory, said } => {
                write!(f, "{directory:?} is in no git working copy: {said}")
            }
            Error::Bare { directory } => {
                write!(
                    f,
                    "{directory:?} is a bare repository, in which nothing is checked out"
                )
            }
            Error::NoCommit { directory } => {
                write!(f, "{directory:?} has no commit yet to begin with")
            }
            Error::Base { name, why } => write!(f, "cannot begin with {name:?}: {why}"),
            Error::BranchInTheWay { branch, said } => {
                write!(f, "the branch {branch:?} cannot be made: {said}")
            }
            Error::PathTaken { path } => write!(f, "{path:?} is there already"),
            Error::LockedByGit { file } => write!(
                f,
                "git's lock file {file:?} is there: another git command is at work, or one has died"
            ),
            Error::Busy { lock } => write!(
                f,
                "another process makes or removes worktrees of this repository for long: it holds {lock:?}"
            ),
            Error::Full { path } => write!(f, "the disk is full at {path:?}"),
            Error::Incomplete { said } => write!(
                f,
                "the repository lacks objects of that commit, and nothing is fetched on the way: {said}"
            ),
            Error::RepositoryGone { common_dir } => {
                write!(f, "its repository {common_dir:?} is not there any more")
            }
            Error::NotAWorktree { path } => {
                write!(f, "{path:?} is no worktree of its repository any more")
            }
            Error::WouldLose { path, losses } => {
                write!(f, "{path:?} is kept: ")?;
                for (at, loss) in losses.iter().enumerate() {
                    write!(f, "{}{loss}", if at > 0 { "; " } else { "" })?;
                }
                Ok(())
            }
            Error::Git(error) => error.fmt(f),
            Error::Io {
                doing,
                path,
                source,
            } => write!(f, "cannot {doing} {path:?}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Git(error) => Some(error),
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Uncommitted { paths, count } => {
                write!(f, "{count} uncommitted: ")?;
                named(f, paths, *count)
            }
            Loss::Unmerged {
                branch,
                commits,
                into,
            } => {
                write!(f, "{commits} commits of {branch:?} are ")?;
                match into {
                    Some(into) => write!(
                        f,
                        "neither in {into:?}, nor where the project stands, nor in an upstream"
                    ),
                    None => write!(f, "neither where the project stands nor in an upstream"),
                }
            }
            Loss::Detached { head, commits } => write!(
                f,
                "{commits} commits are on no branch: HEAD is detached at {head}"
            ),
            Loss::UnderWay { what } => write!(f, "a {what} is under way"),
            Loss::Submodules => write!(f, "git removes no worktree with submodules"),
            Loss::OwnRefs { names } => write!(f, "it has refs of its own: {}", names.join(", ")),
            Loss::NotKept { paths, count } => {
                write!(f, "{count} uncommitted that cannot be kept: ")?;
                named(f, paths, *count)
            }
        }
    }
}

fn named(f: &mut fmt::Formatter<'_>, paths: &[PathBuf], count: usize) -> fmt::Result {
    for (at, path) in paths.iter().enumerate() {
        write!(f, "{}{path:?}", if at > 0 { ", " } else { "" })?;
    }
    match count.saturating_sub(paths.len()) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// The lock file that git names: `Unable to create '/x/y.lock': File exists.`, or
/// `could not lock config file /x/config: File exists`.
fn lock_file(said: &str) -> Option<PathBuf> {
    let (before, _) = said.split_once(": File exists")?;
    if let Some((_, config)) = before.rsplit_once("could not lock config file ") {
        return Some(PathBuf::from(format!("{config}.lock")));
    }
    let (_, quoted) = before.rsplit_once("nable to create '")?;
    quoted
        .strip_suffix('\'')
        .filter(|path| path.ends_with(".lock"))
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::lock_file;

    #[test]
    fn gits_lock_files_are_recognised() {
        for (said, file) in [
            (
                "fatal: Unable to create '/r/.git/index.lock': File exists.\n\nAnother git process",
                Some("/r/.git/index.lock"),
            ),
            (
                "error: could not lock config file .git/config: File exists",
                Some(".git/config.lock"),
            ),
            (
                "fatal: update_ref failed for ref 'refs/heads/x': cannot lock ref 'refs/heads/x': Unable to create '/r/.git/refs/heads/x.lock': File exists.",
                Some("/r/.git/refs/heads/x.lock"),
            ),
            ("fatal: could not create directory '/x': File exists", None),
            ("fatal: not a git repository", None),
        ] {
            assert_eq!(lock_file(said).as_deref(), file.map(Path::new), "{said}");
        }
    }
}
