//! Why HTTP cannot be served.

use std::{fmt, io, path::Path};

/// What happened, why, and what to do now.
#[derive(Debug)]
pub struct HttpError {
    pub what: String,
    pub why: Option<String>,
    pub hint: Option<String>,
}

impl HttpError {
    pub(super) fn new(what: impl Into<String>) -> HttpError {
        HttpError {
            what: what.into(),
            why: None,
            hint: None,
        }
    }

    pub(super) fn file(doing: &str, path: &Path, cause: &io::Error) -> HttpError {
        HttpError::new(format!("cannot {doing} {}", path.display())).because(cause)
    }

    pub(super) fn because(mut self, why: impl ToString) -> HttpError {
        self.why = Some(why.to_string());
        self
    }

    pub(super) fn hinted(mut self, hint: impl Into<String>) -> HttpError {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for HttpError {}
