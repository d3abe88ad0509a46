//! The schema's versions, and how a file gets to the newest.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::told;
use crate::StoreError;

/// "Kite", as the file's header says who it belongs to.
pub(super) const APPLICATION_ID: i32 = 0x4b69_7465;

/// Version n is what the first n of them make. Only ever added to.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
];

/// Brings an opened file to the newest schema, all or nothing. Before an existing store is
/// changed, a copy is kept beside it: `FILE.schema-N`.
pub(super) fn migrate(
    connection: &mut Connection,
    file: &Path,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let found = version(connection)?;
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if found == known {
        return Ok(());
    }
    let Some(missing) = usize::try_from(found)
        .ok()
        .and_then(|found| migrations.get(found..))
    else {
        return Err(StoreError::Newer { found, known });
    };
    if found > 0 {
        keep_copy(connection, file, found)?;
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Exclusive)
        .map_err(|e| told(&e))?;
    for sql in missing {
        transaction.execute_batch(sql).map_err(|e| told(&e))?;
    }
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(|e| told(&e))?;
    transaction.commit().map_err(|e| told(&e))
}

/// The schema version as the file and its log have it.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|e| told(&e))
}

fn keep_copy(connection: &Connection, file: &Path, version: i64) -> Result<(), StoreError> {
    let mut copy = file.as_os_str().to_owned();
    copy.push(format!(".schema-{version}"));
    let failed = |e: std::io::Error| {
        StoreError::Failed(format!("no copy could be kept before the upgrade: {e}"))
    };
    // An earlier attempt may have left a half copy: the store itself is still untouched.
    match std::fs::remove_file(&copy) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    super::files::create_private(Path::new(&copy)).map_err(failed)?;
    let target = copy
        .to_str()
        .ok_or_else(|| StoreError::Failed("its path is not UTF-8".to_owned()))?;
    connection
        .execute("VACUUM INTO ?1", [target])
        .map(drop)
        .map_err(|e| told(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE word (text TEXT NOT NULL)";
    const SECOND: &str =
        "ALTER TABLE word ADD COLUMN length INTEGER; UPDATE word SET length = length(text)";
    const BROKEN: &str = "CREATE TABLE other (x); INSERT INTO nowhere VALUES (1)";

    fn words(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT text FROM word").unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn an_upgrade_keeps_a_copy_of_the_old_store() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("store.db");
        let mut connection = Connection::open(&file).unwrap();
        migrate(&mut connection, &file, &[FIRST]).unwrap();
        assert_eq!(
            std::fs::read_dir(&directory).unwrap().count(),
            1,
            "a new store needs no copy"
        );
        connection
            .execute("INSERT INTO word VALUES ('old')", [])
            .unwrap();

        migrate(&mut connection, &file, &[FIRST, SECOND]).unwrap();

        assert_eq!(version(&connection).unwrap(), 2);
        let length: i64 = connection
            .query_row("SELECT length FROM word", [], |row| row.get(0))
            .unwrap();
        assert_eq!(length, 3);
        let copy = Connection::open(directory.path().join("store.db.schema-1")).unwrap();
        assert_eq!(version(&copy).unwrap(), 1);
        assert_eq!(words(&copy), ["old"]);
    }

    #[test]
    fn an_upgrade_that_fails_half_way_changes_nothing_and_may_be_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("store.db");
        let mut connection = Connection::open(&file).unwrap();
        migrate(&mut connection, &file, &[FIRST]).unwrap();
        connection
            .execute("INSERT INTO word VALUES ('old')", [])
            .unwrap();

        for _ in 0..2 {
            migrate(&mut connection, &file, &[FIRST, SECOND, BROKEN]).unwrap_err();
            assert_eq!(version(&connection).unwrap(), 1);
            connection.prepare("SELECT length FROM word").unwrap_err();
            connection.prepare("SELECT x FROM other").unwrap_err();
        }
        migrate(&mut connection, &file, &[FIRST, SECOND]).unwrap();
        assert_eq!(words(&connection), ["old"]);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("store.db");
        let mut connection = Connection::open(&file).unwrap();
        migrate(&mut connection, &file, &[FIRST, SECOND]).unwrap();
        let refused = migrate(&mut connection, &file, &[FIRST]);
        assert_eq!(refused, Err(StoreError::Newer { found: 2, known: 1 }));
    }
}
