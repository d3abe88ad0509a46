//! How many durable task creations a second go through the store, next to bare rows inserted one
//! by one into the same kind of file: `cargo run --release -p kite-store --example throughput`.

#![expect(clippy::print_stdout, reason = "it prints its measurements")]

use std::{
    path::Path,
    rc::Rc,
    time::{Duration, Instant},
};

use kite_rules::{
    Now,
    task::{NewTask, TaskId},
};
use kite_store::{Options, SqliteStore, Store};
use tokio::task::LocalSet;

const CLIENTS: u32 = 256;
const TASKS: u32 = 100_000;
const ROUNDS: usize = 3;

fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    for round in 0..ROUNDS {
        let path = directory.path().join(round.to_string());
        let bare = rate(bare_rows(&path.with_extension("bare")));
        let decided = rate(runtime.block_on(create_in_memory()));
        let (created, opened) = runtime.block_on(LocalSet::new().run_until(create(&path)));
        let created = rate(created);
        println!(
            "creations {created:.0}/s, bare rows {bare:.0}/s: {:.2} x; in memory {decided:.0}/s; reopened with {TASKS} \
             tasks in {opened:?}",
            created / bare
        );
    }
}

fn rate(took: Duration) -> f64 {
    f64::from(TASKS) / took.as_secs_f64()
}

fn new_task(n: u32) -> NewTask {
    NewTask {
        project: "/work/repo/.git".to_owned(),
        title: format!("Task number {n}"),
        description: Some("What there is to do, in one sentence of usual length.".to_owned()),
        ..NewTask::default()
    }
}

/// Ids look random, as real ones do.
fn id(n: u32) -> TaskId {
    TaskId(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

/// Everybody creates tasks at once; also how long it takes to open the store again.
async fn create(path: &Path) -> (Duration, Duration) {
    let options = Options::new(path, "boot", Now::default());
    let store = Rc::new(SqliteStore::open(options.clone()).expect("it opens"));
    let started = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let store = Rc::clone(&store);
            tokio::task::spawn_local(async move {
                for n in (client..TASKS).step_by(CLIENTS as usize) {
                    let created = store
                        .create_task(id(n), new_task(n), Now::default(), None)
                        .await;
                    assert!(matches!(created, Ok(Ok(_))));
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("it ends");
    }
    let took = started.elapsed();
    store.close().await.expect("it closes");
    drop(store);
    let started = Instant::now();
    let reopened = SqliteStore::open(options).expect("it opens");
    assert_eq!(reopened.read(|l| l.tasks.counts(None)[1]), u64::from(TASKS));
    (took, started.elapsed())
}

async fn create_in_memory() -> Duration {
    let store = kite_store::InMemoryStore::new(Now::default());
    let started = Instant::now();
    for n in 0..TASKS {
        let created = store
            .create_task(id(n), new_task(n), Now::default(), None)
            .await;
        assert!(matches!(created, Ok(Ok(_))));
    }
    started.elapsed()
}

/// One row of about the same size in each transaction, as fast as SQLite can by itself.
fn bare_rows(path: &Path) -> Duration {
    let connection = rusqlite::Connection::open(path).expect("it opens");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE task (number INTEGER PRIMARY KEY, id BLOB, project TEXT, title TEXT, description TEXT)",
        )
        .expect("a table");
    let mut insert = connection
        .prepare("INSERT INTO task VALUES (?1, ?2, ?3, ?4, ?5)")
        .expect("a statement");
    let started = Instant::now();
    for n in 0..TASKS {
        let task = new_task(n);
        let row = rusqlite::params![
            n,
            id(n).0.to_be_bytes(),
            task.project,
            task.title,
            task.description
        ];
        insert.execute(row).expect("a row");
    }
    started.elapsed()
}
