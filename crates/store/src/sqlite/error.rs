//! What SQLite says, in the store's words.

use rusqlite::{Error, ErrorCode};

use crate::StoreError;

/// A fault below the store: SQLite's own, or a row that cannot be.
#[derive(Debug)]
pub(super) enum Damage {
    Sqlite(Error),
    Row(&'static str),
}

pub(super) type Outcome<T> = Result<T, Damage>;

impl From<Error> for Damage {
    fn from(error: Error) -> Damage {
        Damage::Sqlite(error)
    }
}

impl From<Damage> for StoreError {
    fn from(damage: Damage) -> StoreError {
        match damage {
            Damage::Row(what) => StoreError::Damaged(format!("it holds a {what}")),
            Damage::Sqlite(error) => told(&error),
        }
    }
}

/// Names an error of SQLite.
pub(super) fn told(error: &Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged(error.to_string())
        }
        // A value of the wrong type or length in a row that was read.
        None if is_conversion(error) => StoreError::Damaged(error.to_string()),
        _ => StoreError::Failed(error.to_string()),
    }
}

/// Whether an error may be a full disk that SQLite could not name (quota, shared memory file).
pub(super) fn is_input_output(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
    )
}

fn is_conversion(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
    )
}
