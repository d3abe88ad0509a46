//! Opening: judge the files, bring the schema up to date, start a generation, load the facts.

use std::path::{Path, PathBuf};

use kite_rules::{Now, session::State};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, TransactionBehavior, config::DbConfig, params,
};

use super::{
    error::told,
    files::{Ended, Files},
    load,
    rows::{self, int},
    schema::{MIGRATIONS, migrate, version},
    space::Space,
};
use crate::{
    Facts, Ledger, StoreError,
    answers::Answers,
    limits::{CHECK_BYTES_MAX, FINISHED_TASKS_MAX},
    operation::Operation,
    write::Write,
};

/// Versions before it can corrupt a database that two connections write to and checkpoint.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How long one connection waits for another.
const BUSY_MS: u64 = 5_000;
/// Most memory that a connection takes for pages, in KiB.
const CACHE_KIB: u32 = 16_384;
/// Size to which the log is cut back after it has grown.
const LOG_BYTES: u32 = 64 << 20;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 48;

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The death of the process at any moment. A power cut may take the last moments, but no
    /// lock or claim outlives a reboot anyway, and no epoch is issued twice.
    #[default]
    Process,
    /// A power cut too: every commit waits for the disk.
    Power,
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the store's files. Made if it is not there.
    pub path: PathBuf,
    pub durability: Durability,
    /// Of this start of the machine. With another one than last time, every session is lost.
    pub boot_id: String,
    pub now: Now,
    /// Cap on the database, in pages of 4 KiB. Beyond it the disk counts as full.
    pub max_pages: Option<u32>,
}

impl Options {
    /// The usual way.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, boot_id: impl Into<String>, now: Now) -> Options {
        Options {
            path: path.into(),
            durability: Durability::default(),
            boot_id: boot_id.into(),
            now,
            max_pages: None,
        }
    }
}

/// An opened file and what was in it.
pub(super) struct Loaded {
    pub(super) connection: Connection,
    pub(super) ledger: Ledger,
    pub(super) answers: Answers,
    pub(super) next_change: u64,
}

/// Opens the file and starts a generation in it, which is durable when this returns.
pub(super) fn open(options: &Options, files: &Files, space: &Space) -> Result<Loaded, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        let why = format!(
            "SQLite {} is too old: 3.51.3 or newer is needed",
            rusqlite::version()
        );
        return Err(StoreError::Failed(why));
    }
    let ended = files.prepare()?;
    space.restore_ballast();
    // On a full disk SQLite cannot always say so: even its index of the log needs room.
    let attempt = || match start(options, files, ended) {
        Err(StoreError::Failed(_)) if space.is_exhausted() => Err(StoreError::Full),
        started => started,
    };
    match attempt() {
        Err(StoreError::Full) if space.spend_ballast() => {
            space.set_full();
            attempt()
        }
        started => started,
    }
    .map_err(|error| in_file(error, &files.database()))
}

fn start(options: &Options, files: &Files, ended: Ended) -> Result<Loaded, StoreError> {
    let path = files.database();
    let mut connection = writable(&path)?;
    if ended == Ended::Uncleanly && files.bytes() <= CHECK_BYTES_MAX {
        check(&connection)?;
    }
    migrate(&mut connection, &path, MIGRATIONS)?;
    let facts = load::facts(&connection)?;
    let (_, newest) = load::feed_ends(&connection)?;
    let (ledger, next_change) =
        start_generation(&mut connection, facts, newest + 1, options).map_err(|e| told(&e))?;
    let answers = load::answers(&connection)?;
    let synchronous = match options.durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    connection
        .pragma_update(None, "synchronous", synchronous)
        .map_err(|e| told(&e))?;
    Ok(Loaded {
        connection,
        ledger,
        answers,
        next_change,
    })
}

/// One transaction, on disk before the first grant: a generation higher than any before, and, if
/// the machine has restarted, the end of every session.
fn start_generation(
    connection: &mut Connection,
    mut facts: Facts,
    mut next_change: u64,
    options: &Options,
) -> rusqlite::Result<(Ledger, u64)> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before: Option<i64> = meta(&transaction, "generation")?;
    let generation = before
        .map_or(1, |before| before.saturating_add(1))
        .max(int(options.now.wall_ms));
    let booted: Option<String> = meta(&transaction, "boot_id")?;
    for number in facts.forget_finished(FINISHED_TASKS_MAX) {
        transaction.execute("DELETE FROM task WHERE number = ?1", [int(number)])?;
    }
    let mut ledger = Ledger::new(generation.cast_unsigned());
    ledger.refill(facts, options.now);
    for write in lost(
        &mut ledger,
        booted.is_some_and(|booted| booted != options.boot_id),
        options.now,
    ) {
        rows::write(&transaction, &write, &mut next_change)?;
    }
    let set = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
    transaction.execute(set, params!["generation", generation])?;
    transaction.execute(set, params!["boot_id", options.boot_id])?;
    transaction.commit()?;
    Ok((ledger, next_change))
}

/// Ends every live session if the machine has restarted: no process has survived that.
fn lost(ledger: &mut Ledger, restarted: bool, now: Now) -> Vec<Write> {
    let live = ledger
        .sessions
        .values()
        .filter(|session| session.state.is_live())
        .map(|session| session.id);
    let live: Vec<_> = if restarted {
        live.collect()
    } else {
        Vec::new()
    };
    let mut writes = Vec::new();
    for session in live {
        let ended =
            Operation::new(ledger, now).end_session(session, State::Lost, "the machine restarted");
        writes.extend(ended.writes);
    }
    writes.extend(Operation::new(ledger, now).forget_ended().writes);
    writes
}

/// A read-only connection.
pub(super) fn readable(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| told(&e))?;
    connection
        .busy_timeout(std::time::Duration::from_millis(BUSY_MS))
        .map_err(|e| told(&e))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A connection that writes but never makes a checkpoint by itself. A newer store is not touched.
pub(super) fn writable(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| told(&e))?;
    prepare(&connection).map_err(|error| in_file(error, path))?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    let set = |name: &str, value: &dyn rusqlite::ToSql| {
        connection
            .pragma_update(None, name, value)
            .map_err(|e| told(&e))
    };
    connection
        .busy_timeout(std::time::Duration::from_millis(BUSY_MS))
        .map_err(|e| told(&e))?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(|e| told(&e))?;
    let (found, known) = (version(connection)?, MIGRATIONS.len() as i64);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    set("journal_mode", &"WAL")?;
    set("wal_autocheckpoint", &0)?;
    set("journal_size_limit", &LOG_BYTES)?;
    set("foreign_keys", &true)?;
    set("cache_size", &-i64::from(CACHE_KIB))?;
    set("mmap_size", &0)?;
    // Where the system has a stronger flush than fsync, checkpoints use it.
    set("checkpoint_fullfsync", &true)?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(drop)
        .map_err(|e| told(&e))
}

/// Looks at every page, after an unclean end.
fn check(connection: &Connection) -> Result<(), StoreError> {
    let found: Result<String, _> =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(word) if word == "ok" => Ok(()),
        Ok(word) => Err(StoreError::Damaged(word)),
        Err(e) => Err(told(&e)),
    }
}

fn meta<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<T>> {
    connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .optional()
}

fn in_file(error: StoreError, path: &Path) -> StoreError {
    match error {
        StoreError::Damaged(why) if !why.contains(&*path.to_string_lossy()) => {
            StoreError::Damaged(format!("{}: {why}", path.display()))
        }
        error => error,
    }
}
