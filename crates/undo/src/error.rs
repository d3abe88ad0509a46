//! What can go wrong, with the file or command it is about.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why something could not be kept, found or brought back.
///
/// A recorder in front of an agent's command reports it and lets the command pass: a fault of
/// ours never refuses anybody's work.
#[derive(Debug)]
pub enum Error {
    /// There is no `git` on the path.
    NoGit,
    /// The directory belongs to no git working copy, or git will not touch it.
    NotAWorktree { directory: PathBuf, said: String },
    /// The repository has no working copy.
    Bare { directory: PathBuf },
    /// Git ended with a fault.
    Git { command: String, said: String },
    /// Git did not end in time, and was ended.
    TimedOut { command: String, limit: Duration },
    /// Git's answer is longer than its limit.
    TooMuch { command: String, limit_bytes: usize },
    /// Git's answer is not what its documentation promises.
    Unexpected { command: String, why: String },
    /// A file or directory could not be read or written.
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// Another process holds the lock, and did not let go of it in time.
    Busy { lock: PathBuf },
    /// The path leads out of the working copy, or into `.git`.
    Escapes { path: PathBuf },
    /// Nothing in the journal or the repository has this number, or fits what was asked.
    NothingFits { asked: String },
    /// The working copy that the entry belongs to is gone.
    WorktreeGone { top: PathBuf, number: u64 },
    /// The content is known by its hash only: it was too large, secret, or pruned.
    NotKept { what: String },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io {
            doing,
            path,
            source,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoGit => write!(
                f,
                "git is not installed: no `git` in an absolute PATH entry"
            ),
            Error::NotAWorktree { directory, said } => {
                write!(f, "{directory:?} is not in a git working copy: {said}")
            }
            Error::Bare { directory } => {
                write!(
                    f,
                    "{directory:?} is a bare repository: it has no files to keep"
                )
            }
            Error::Git { command, said } => write!(f, "git {command} failed: {said}"),
            Error::TimedOut { command, limit } => {
                write!(f, "git {command} took longer than {} ms", limit.as_millis())
            }
            Error::TooMuch {
                command,
                limit_bytes,
            } => write!(f, "git {command} said more than {limit_bytes} bytes"),
            Error::Unexpected { command, why } => write!(f, "git {command} answered oddly: {why}"),
            Error::Io { doing, path, .. } => write!(f, "cannot {doing} {path:?}"),
            Error::Busy { lock } => {
                write!(f, "another process holds {lock:?}; try again in a moment")
            }
            Error::Escapes { path } => write!(f, "{path:?} is not a path inside the working copy"),
            Error::NothingFits { asked } => write!(f, "nothing to undo for {asked}"),
            Error::WorktreeGone { top, number } => write!(
                f,
                "number {number} belongs to the working copy {top:?}, which is not there: add it \
                 again with `git worktree add`, or look at refs/kite/rescue/{number}"
            ),
            Error::NotKept { what } => write!(f, "the content of {what} was not kept"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
