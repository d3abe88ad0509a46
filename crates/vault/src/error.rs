//! What can go wrong, with the file it is about.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why something could not be searched or written.
#[derive(Debug)]
pub enum Error {
    /// A file or directory could not be read or written.
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The index could not be used. It holds nothing that is not in the notes: it may be deleted.
    Index {
        path: PathBuf,
        source: rusqlite::Error,
    },
    /// The path leads out of the vault, or through a symbolic link.
    Escapes { path: PathBuf },
    /// The caller's input does not fit: what, and what would.
    Refused { what: String },
    /// Another process is writing to this vault, and did not end in time.
    Busy { vault: PathBuf },
    /// The note was changed again and again while this write was made.
    Contended { path: PathBuf },
    /// There is no such note, or it cannot be read as one.
    NoNote { path: PathBuf, why: String },
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

    /// Whether the index is damaged: [`Index::rebuild`](crate::Index::rebuild) helps.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Error::Index { source, .. } if crate::index::is_damage(source))
    }

    pub(crate) fn refused(what: impl Into<String>) -> Error {
        Error::Refused { what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { doing, path, .. } => write!(f, "cannot {doing} {path:?}"),
            Error::Index { path, source } => write!(
                f,
                "the index of the vault {path:?} cannot be used: {source}; it can be deleted, the \
                 notes are not in it"
            ),
            Error::Escapes { path } => write!(
                f,
                "{path:?} leads out of the vault or through a symbolic link; nothing was done"
            ),
            Error::Refused { what } => f.write_str(what),
            Error::Busy { vault } => write!(
                f,
                "another process is writing to the vault {vault:?}; try again in a moment"
            ),
            Error::Contended { path } => write!(
                f,
                "{path:?} is being changed by somebody else all the time; try again in a moment"
            ),
            Error::NoNote { path, why } => write!(f, "{path:?} is not a note: {why}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Index { source, .. } => Some(source),
            _ => None,
        }
    }
}
