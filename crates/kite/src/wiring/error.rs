//! What went wrong while wiring, in three parts: what, why, what now.

use std::{fmt, io, path::Path};

/// A wiring error. Nothing has been changed when one is returned, unless it says so itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    /// One sentence, without a full stop.
    pub(crate) what: String,
    /// The cause, where `what` does not already name it.
    pub(crate) why: Option<String>,
    /// The next step for whoever reads it.
    pub(crate) hint: Option<String>,
}

impl Error {
    pub(crate) fn new(what: impl Into<String>) -> Error {
        Error {
            what: what.into(),
            why: None,
            hint: None,
        }
    }

    #[must_use]
    pub(crate) fn because(mut self, why: impl Into<String>) -> Error {
        self.why = Some(why.into());
        self
    }

    #[must_use]
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// A failed operation on a file: `cannot <doing> <path>`, with the system's own reason.
    pub(super) fn io(doing: &str, path: &Path, cause: &io::Error) -> Error {
        let error =
            Error::new(format!("cannot {doing} {}", path.display())).because(cause.to_string());
        match cause.kind() {
            io::ErrorKind::PermissionDenied => error.hinted("check who owns it and its mode"),
            io::ErrorKind::StorageFull => error.hinted("free some space, then run it again"),
            io::ErrorKind::ReadOnlyFilesystem => error.hinted("the file system is read-only"),
            _ => error,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(why) = &self.why {
            write!(f, ": {why}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
