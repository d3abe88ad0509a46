//! What is not a good store of a version we know is refused by name and left as it is. It is
//! never replaced by an empty one.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    os::unix::fs::{FileExt, PermissionsExt},
    path::Path,
};

use kite_rules::{Now, session::Session, session::SessionId, task::NewTask, task::TaskId};
use kite_store::{Options, SqliteStore, Store, StoreError};
use tempfile::TempDir;

const NOW: Now = Now {
    wall_ms: 1_800_000_000_000,
    mono_ms: 1_000,
};

fn open(directory: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(Options::new(directory, "boot", NOW))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// A store with something in it, closed.
fn good_store() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let store = open(directory.path()).unwrap();
        let session = Session {
            id: SessionId(1),
            client: "claude-code".to_owned(),
            ..Session::default()
        };
        store.open_session(session, NOW).await.unwrap();
        for n in 1..200 {
            let task = NewTask {
                project: "p".to_owned(),
                title: format!("task {n}"),
                ..NewTask::default()
            };
            store
                .create_task(TaskId(n << 96), task, NOW, None)
                .await
                .unwrap()
                .unwrap();
        }
        store.close().await.unwrap();
    });
    directory
}

fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

/// Opening fails, says which file, and changes no file.
fn refused(directory: &Path) -> StoreError {
    let before = contents(directory);
    let error = open(directory).expect_err("it is refused");
    let after = contents(directory);
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    assert!(before == after, "nothing was changed");
    if let StoreError::Damaged(why) = &error {
        assert!(why.contains("store.db"), "{why}");
    }
    error
}

#[test]
fn a_store_is_private_and_leaves_no_log_when_closed() {
    let directory = good_store();
    let files = contents(directory.path());
    assert_eq!(files.keys().collect::<Vec<_>>(), ["ballast", "store.db"]);
    for name in files.keys() {
        let mode = fs::metadata(directory.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let store = open(directory.path()).unwrap();
    for name in ["store.db-wal", "store.db-shm"] {
        let mode = fs::metadata(directory.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(store.read(|l| l.tasks.counts(None)[1]), 199);
}

#[test]
fn a_cut_store_is_refused() {
    for keep in [0, 1, 99, 100, 4_096, 20_000] {
        let directory = good_store();
        let file = OpenOptions::new()
            .write(true)
            .open(directory.path().join("store.db"))
            .unwrap();
        file.set_len(keep).unwrap();
        assert!(
            matches!(refused(directory.path()), StoreError::Damaged(_)),
            "{keep} bytes"
        );
    }
}

#[test]
fn a_store_of_zeros_is_refused() {
    let directory = good_store();
    let path = directory.path().join("store.db");
    let length = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    fs::write(&path, vec![0; length]).unwrap();
    assert!(matches!(refused(directory.path()), StoreError::Damaged(_)));
}

#[test]
fn a_damaged_page_is_refused_or_does_no_harm_to_the_facts() {
    let good = good_store();
    let length = fs::metadata(good.path().join("store.db")).unwrap().len();
    let expected = {
        let store = open(good.path()).unwrap();
        let facts = store.read(|l| l.facts());
        run(store.close()).unwrap();
        facts
    };
    let mut refusals = 0;
    for page in 0..length / 4_096 {
        let directory = tempfile::tempdir().unwrap();
        fs::copy(
            good.path().join("store.db"),
            directory.path().join("store.db"),
        )
        .unwrap();
        let file = OpenOptions::new()
            .write(true)
            .open(directory.path().join("store.db"))
            .unwrap();
        file.write_all_at(&[0xff; 2_048], page * 4_096 + 100)
            .unwrap();
        drop(file);
        match open(directory.path()) {
            // Pages of the feed or of old answers: their readers are told.
            Ok(store) => assert_eq!(store.read(|l| l.facts()), expected, "page {page}"),
            Err(StoreError::Damaged(_)) => refusals += 1,
            Err(other) => panic!("page {page}: {other}"),
        }
    }
    assert!(refusals > 0);
}

#[test]
fn a_row_that_cannot_be_is_refused() {
    for sql in [
        "UPDATE task SET state = 17 WHERE number = (SELECT min(number) FROM task)",
        "UPDATE task SET reasons = x'ff' WHERE number = (SELECT min(number) FROM task)",
        "UPDATE session SET pid = 5",
        "UPDATE session SET seen_ms = -1",
    ] {
        let directory = good_store();
        edit(directory.path(), sql);
        assert!(
            matches!(refused_content(directory.path()), StoreError::Damaged(_)),
            "{sql}"
        );
    }
}

/// Content is looked at through SQLite, which makes its log meanwhile: the database is compared.
fn refused_content(directory: &Path) -> StoreError {
    let before = fs::read(directory.join("store.db")).unwrap();
    let error = open(directory).expect_err("it is refused");
    assert!(
        before == fs::read(directory.join("store.db")).unwrap(),
        "the database was not changed"
    );
    error
}

fn edit(directory: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(directory.join("store.db")).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn another_programs_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    edit(directory.path(), "CREATE TABLE song (title TEXT)");
    assert!(matches!(refused(directory.path()), StoreError::Damaged(_)));

    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("store.db"),
        "milk, bread, eggs\n".repeat(100),
    )
    .unwrap();
    assert!(matches!(refused(directory.path()), StoreError::Damaged(_)));
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = good_store();
    edit(directory.path(), "PRAGMA user_version = 99");
    let why = refused(directory.path());
    assert!(matches!(why, StoreError::Newer { found: 99, .. }), "{why}");
}

#[test]
fn a_newer_schema_that_is_still_in_the_log_is_refused() {
    let directory = good_store();
    let connection = rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
    connection
        .execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 99")
        .unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["store.db", "store.db-wal"] {
        fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let before = fs::read(copy.path().join("store.db")).unwrap();
    let log = fs::read(copy.path().join("store.db-wal")).unwrap();
    let why = open(copy.path()).err();
    assert!(matches!(why, Some(StoreError::Newer { found: 99, .. })));
    assert!(before == fs::read(copy.path().join("store.db")).unwrap());
    assert!(log == fs::read(copy.path().join("store.db-wal")).unwrap());
}

#[test]
fn a_store_that_is_gone_is_not_made_anew() {
    let directory = good_store();
    fs::remove_file(directory.path().join("store.db")).unwrap();
    let StoreError::Damaged(why) = refused(directory.path()) else {
        panic!("a missing store is no new store")
    };
    assert!(why.contains("ballast"), "it says what to do: {why}");
}

#[test]
fn a_half_made_store_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("store.db.new"), "half").unwrap();
    run(open(directory.path()).unwrap().close()).unwrap();
    assert!(!directory.path().join("store.db.new").exists());
}

/// Another program holds the database: what was decided meanwhile fails, and is not in memory.
#[test]
fn a_commit_that_fails_is_undone_in_memory_and_the_store_goes_on() {
    let directory = good_store();
    run(async {
        let store = open(directory.path()).unwrap();
        let before = store.read(|l| l.facts());
        let other = rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let task = NewTask {
            project: "p".to_owned(),
            title: "one more".to_owned(),
            ..NewTask::default()
        };
        let failed = store.create_task(TaskId(7), task.clone(), NOW, None).await;
        assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
        assert_eq!(store.read(|l| l.facts()), before);
        other.execute_batch("ROLLBACK").unwrap();
        drop(other);
        let created = store
            .create_task(TaskId(7), task, NOW, None)
            .await
            .unwrap()
            .unwrap();
        assert!(!created.repeated);
        store.close().await.unwrap();
    });
}
