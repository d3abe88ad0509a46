//! The file of the index: opened, made, thrown away.

use std::{
    fs::{self, OpenOptions},
    io::ErrorKind,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, config::DbConfig,
};

use crate::error::Error;

/// `kvlt`: the file is an index of ours.
const APPLICATION_ID: i32 = 0x6b76_6c74;
/// Counts up with the schema and with how text becomes words. Another one: made anew.
const VERSION: i32 = 1;
const SCHEMA: &str = include_str!("schema.sql");

const BUSY: Duration = Duration::from_secs(5);
/// Most memory that a connection takes for pages, in KiB.
const CACHE_KIB: i64 = 8_192;
const STATEMENTS: usize = 32;
/// Size to which the log is cut back after it has grown.
const LOG_BYTES: i64 = 16 << 20;

/// An open index and the file that it is.
#[derive(Debug)]
pub(crate) struct Handle {
    connection: Connection,
    path: PathBuf,
    inode: u64,
}

impl Handle {
    /// Opens for writing; a file that is missing, damaged or of another version is made anew.
    pub(super) fn write(path: PathBuf) -> Result<Handle, Error> {
        match Handle::open(&path, true) {
            Ok(Some(handle)) => Ok(handle),
            Ok(None) => {
                remove(&path)?;
                Handle::make(&path)
            }
            Err(Error::Index { source, .. }) if is_damage(&source) => {
                remove(&path)?;
                Handle::make(&path)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Opens for reading. An index that is not there is an error: the writer makes it first.
    pub(crate) fn read_only(path: &Path) -> Result<Handle, Error> {
        Handle::open(path, false)?.ok_or_else(|| Error::Index {
            path: path.to_owned(),
            source: rusqlite::Error::InvalidPath(path.to_owned()),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to the file that is open.
    pub(crate) fn is_current(&self) -> bool {
        inode(&self.path) == Some(self.inode)
    }

    /// Reads one state of the index, whatever is written meanwhile.
    pub(crate) fn read<T>(
        &self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let attempt = || {
            let transaction = self.connection.unchecked_transaction()?;
            let read = run(&transaction)?;
            transaction.commit()?;
            Ok(read)
        };
        attempt().map_err(failed(&self.path))
    }

    /// Runs in one transaction.
    pub(super) fn write_all<T>(
        &mut self,
        run: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let attempt = || {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = run(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        attempt().map_err(failed(&self.path))
    }

    /// After a scan: the full-text index in one piece, where much was written, and the log
    /// emptied. Failing is of no consequence.
    pub(super) fn settle(&self, much: bool) {
        if much {
            let optimize = "INSERT INTO words (words) VALUES ('optimize')";
            let _ = self.connection.execute_batch(optimize);
        }
        let _ = self
            .connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    fn open(path: &Path, write: bool) -> Result<Option<Handle>, Error> {
        let Some(inode) = inode(path) else {
            return Ok(None);
        };
        let access = if write {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        } else {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let open = || {
            let connection = Connection::open_with_flags(path, flags)?;
            prepare(&connection, write)?;
            let id: i32 =
                connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
            let version: i32 =
                connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, id == APPLICATION_ID && version == VERSION))
        };
        let (connection, ours) = open().map_err(failed(path))?;
        Ok(ours.then(|| Handle {
            connection,
            path: path.to_owned(),
            inode,
        }))
    }

    fn make(path: &Path) -> Result<Handle, Error> {
        // Made by us first, for SQLite would make it readable for others.
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(Error::io("make", path))?;
        let mut connection = Connection::open(path).map_err(failed(path))?;
        let make = |connection: &mut Connection| {
            prepare(connection, true)?;
            let transaction = connection.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()
        };
        make(&mut connection).map_err(failed(path))?;
        let inode =
            inode(path).ok_or_else(|| Error::io("find", path)(ErrorKind::NotFound.into()))?;
        Ok(Handle {
            connection,
            path: path.to_owned(),
            inode,
        })
    }
}

fn prepare(connection: &Connection, write: bool) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // A plan that depends on values would be made anew at each question.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if write {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A power cut may cost the last changes; the next scan finds them again.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    }
    Ok(())
}

/// Removes the index with what SQLite keeps beside it.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let file = PathBuf::from(name);
        match fs::remove_file(&file) {
            Err(fault) if fault.kind() != ErrorKind::NotFound => {
                return Err(Error::io("remove", &file)(fault));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a new file is the way out.
pub(crate) fn is_damage(fault: &rusqlite::Error) -> bool {
    matches!(
        fault.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || matches!(fault, rusqlite::Error::SqliteFailure(_, Some(said)) if said.contains("no such"))
}

fn inode(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().map(|it| it.ino())
}

fn failed(path: &Path) -> impl FnOnce(rusqlite::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Index { path, source }
}
