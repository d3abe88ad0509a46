//! On a full disk whatever takes is refused by name; reads and whatever frees go on; nothing is
//! lost; and writing goes on by itself when there is room again.

use std::{
    env, fs,
    io::Write as _,
    path::Path,
    process::Command,
    rc::Rc,
    time::{Duration, Instant},
};

use kite_rules::{
    Now,
    lock::Request,
    pattern::Target,
    session::{Owner, Process, Session, SessionId, State},
    task::{NewTask, TaskId},
};
use kite_store::{Acquired, Options, Release, SqliteStore, Store, StoreError};
use tokio::task::LocalSet;

const NOW: Now = Now {
    wall_ms: 1_800_000_000_000,
    mono_ms: 1_000,
};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn open(directory: &Path, max_pages: Option<u32>) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(Options {
        max_pages,
        ..Options::new(directory, "boot", NOW)
    })
}

fn session(n: u32) -> Session {
    Session {
        id: SessionId(n.into()),
        client: "claude-code".to_owned(),
        process: Some(Process { pid: n, started: 1 }),
        ..Session::default()
    }
}

fn lock(n: u32, path: &str) -> Request {
    Request {
        owner: Owner::session(SessionId(n.into())),
        project: "p".to_owned(),
        targets: vec![(Target::Path(path.to_owned()), path.to_owned())],
        reason: None,
        ttl_ms: 60_000,
        keep: false,
    }
}

fn unlock(n: u32, path: &str) -> Release {
    Release::Targets {
        owner: Owner::session(SessionId(n.into())),
        targets: vec![Target::Path(path.to_owned())],
        epoch: None,
    }
}

fn big_task(n: u128) -> (TaskId, NewTask) {
    let task = NewTask {
        project: "p".to_owned(),
        title: format!("task {n}"),
        description: Some("x".repeat(7_000)),
        ..NewTask::default()
    };
    (TaskId(n << 64), task)
}

/// Creates tasks until the disk is full; how many were acknowledged.
async fn fill(store: &SqliteStore, from: u128) -> u128 {
    for n in from.. {
        let (id, task) = big_task(n);
        match store.create_task(id, task, NOW, None).await {
            Ok(created) => assert!(!created.unwrap().repeated),
            Err(StoreError::Full) => return n - from,
            Err(other) => panic!("task {n}: {other}"),
        }
    }
    unreachable!("disks are finite")
}

fn tasks(store: &SqliteStore) -> u64 {
    store.read(|l| l.tasks.counts(None).iter().sum())
}

/// Three sessions with a lock each; the third waits for the second's.
async fn sessions(store: &SqliteStore) -> kite_rules::lock::Ticket {
    for n in 1..=3 {
        store.open_session(session(n), NOW).await.unwrap();
        let granted = store
            .acquire(lock(n, &format!("/{n}")), false, NOW, None)
            .await
            .unwrap();
        assert!(matches!(granted, Ok(Acquired::Granted(_))));
    }
    match store.acquire(lock(3, "/2"), true, NOW, None).await {
        Ok(Ok(Acquired::Queued(ticket))) => ticket,
        other => panic!("it waits: {other:?}"),
    }
}

#[test]
fn what_takes_is_refused_and_what_frees_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let store = open(directory.path(), Some(200)).unwrap();
        let waiting = sessions(&store).await;
        let created = fill(&store, 1).await;
        assert!(created > 10 && store.is_full());

        // Memory is what is on disk: the refused task is nowhere.
        assert_eq!(u128::from(tasks(&store)), created);
        let refused = store.acquire(lock(1, "/x"), false, NOW, None).await;
        assert_eq!(refused.unwrap_err(), StoreError::Full);
        assert_eq!(
            store.open_session(session(9), NOW).await.unwrap_err(),
            StoreError::Full
        );
        assert!(
            directory.path().join("ballast").exists(),
            "it is kept for what frees"
        );

        // With the ballast spent, releases are durable, and so is the grant that follows.
        let freed = store
            .release(unlock(1, "/1"), NOW, None)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(freed.locks.len(), 1);
        let freed = store
            .end_session(SessionId(2), State::Lost, "killed", NOW)
            .await
            .unwrap();
        assert_eq!(freed.promoted[0].0, waiting);
        let before = store.read(|l| l.facts());
        store.close().await.unwrap();

        let store = open(directory.path(), None).unwrap();
        let after = store.read(|l| l.facts());
        assert_eq!(after.locks.len(), 2);
        assert_eq!(after.tasks, before.tasks);
        assert_eq!(after.sessions[&SessionId(2)].state, State::Lost);
        assert_eq!(fill_some(&store, created + 1).await, 5);
    });
}

async fn fill_some(store: &SqliteStore, from: u128) -> usize {
    for n in from..from + 5 {
        let (id, task) = big_task(n);
        store
            .create_task(id, task, NOW, None)
            .await
            .unwrap()
            .unwrap();
    }
    5
}

#[test]
fn what_frees_succeeds_in_memory_where_even_the_ballast_does_not_help() {
    const ENDING: u32 = 300;
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let store = open(directory.path(), Some(2_000)).unwrap();
        let waiting = sessions(&store).await;
        for n in 100..100 + ENDING {
            store.open_session(session(n), NOW).await.unwrap();
        }
        let created = fill(&store, 1).await;
        // The cap is now below what the file has, with and without the reserve.
        store.limit_pages(Some(1));
        let state = |n: u32| store.read(|l| l.sessions[&SessionId(n.into())].state);
        for n in 100..100 + ENDING {
            store
                .end_session(SessionId(n.into()), State::Lost, "killed", NOW)
                .await
                .unwrap();
            assert_eq!(state(n), State::Lost);
        }
        assert!(!directory.path().join("ballast").exists(), "it was spent");
        let freed = store
            .end_session(SessionId(2), State::Lost, "killed", NOW)
            .await
            .unwrap();
        assert_eq!(
            (freed.locks.len(), freed.promoted.len()),
            (1, 0),
            "nobody is granted what is not on disk"
        );
        assert_eq!(store.read(|l| l.locks.place(waiting)), Some(1));
        assert_eq!(u128::from(tasks(&store)), created);
        assert!((100..100 + ENDING).all(|n| state(n) == State::Lost));

        // Room again: writing goes on by itself, and takes along what was not written.
        store.limit_pages(None);
        let freed = store.expire(NOW).await.unwrap();
        assert_eq!(freed.promoted[0].0, waiting);
        store.open_session(session(9), NOW).await.unwrap();
        assert!(!store.is_full());
        let before = store.read(|l| l.facts());
        store.close().await.unwrap();
        drop(store);
        let after = open(directory.path(), None).unwrap().read(|l| l.facts());
        assert_eq!(
            after.locks.keys().collect::<Vec<_>>(),
            before.locks.keys().collect::<Vec<_>>()
        );
        let states = |facts: &kite_store::Facts| {
            facts.sessions.values().map(|s| s.state).collect::<Vec<_>>()
        };
        assert_eq!(states(&after), states(&before));
        assert!(directory.path().join("ballast").exists(), "it was put back");
    });
}

#[test]
fn what_was_decided_upon_a_failed_commit_fails_too() {
    let directory = tempfile::tempdir().unwrap();
    run(LocalSet::new().run_until(async {
        let store = Rc::new(open(directory.path(), Some(400)).unwrap());
        // Each task depends on the one before, and all are sent at once.
        let under_way: Vec<_> = (1..=600_u128)
            .map(|n| {
                let store = Rc::clone(&store);
                tokio::task::spawn_local(async move {
                    let (id, mut task) = big_task(n);
                    task.depends_on = (n > 1)
                        .then(|| big_task(n - 1).0.to_string())
                        .into_iter()
                        .collect();
                    store.create_task(id, task, NOW, None).await
                })
            })
            .collect();
        let mut outcomes = Vec::new();
        for one in under_way {
            outcomes.push(one.await.unwrap());
        }
        let acknowledged = outcomes
            .iter()
            .take_while(|outcome| matches!(outcome, Ok(Ok(_))))
            .count();
        assert!(acknowledged > 10 && acknowledged < 600, "{acknowledged}");
        // Refused for its unknown dependency where memory had gone back already.
        let rest = &outcomes[acknowledged..];
        assert!(
            rest.iter()
                .all(|outcome| matches!(outcome, Err(StoreError::Full) | Ok(Err(_))))
        );
        assert_eq!(tasks(&store), acknowledged as u64);
        let before = store.read(|l| l.facts());
        drop(store);
        assert_eq!(
            open(directory.path(), None).unwrap().read(|l| l.facts()),
            before
        );
    }));
}

const INNER: &str = "KITE_TEST_SMALL_DISK";

/// The real thing, on a file system of 24 MiB that only this test sees.
#[test]
fn a_small_disk_fills_and_is_freed() {
    if let Some(disk) = env::var_os(INNER) {
        return run(on_a_small_disk(Path::new(&disk)));
    }
    let directory = tempfile::tempdir().unwrap();
    let script =
        "mount -t tmpfs -o size=24m tmpfs \"$KITE_TEST_SMALL_DISK\" || exit 77; exec \"$0\" \"$@\"";
    let inner = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "a_small_disk_fills_and_is_freed", "--nocapture"])
        .env(INNER, directory.path())
        .output();
    match inner {
        Ok(output) if output.status.success() => {}
        Ok(output) if output.status.code() == Some(101) => {
            panic!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
        }
        _ => skipped("no file system can be mounted here"),
    }
}

/// Straight to the terminal: the output of a test that passes is not shown.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

async fn on_a_small_disk(disk: &Path) {
    let store = open(&disk.join("home"), None).unwrap();
    sessions(&store).await;
    for n in 100..200 {
        store.open_session(session(n), NOW).await.unwrap();
    }
    // Something else takes all but a little.
    let other = disk.join("other");
    fs::write(&other, vec![1; 14 << 20]).unwrap();
    // A reader keeps the log from starting again at its beginning: it has to grow.
    let reader = rusqlite::Connection::open(disk.join("home/store.db")).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM task")
        .unwrap();
    let created = fill(&store, 1).await;
    assert!(store.is_full());
    assert_eq!(u128::from(tasks(&store)), created);
    let mut rest = fs::File::create(disk.join("rest")).unwrap();
    while rest.write_all(&[1; 512]).is_ok() {}

    let freed = store
        .release(unlock(1, "/1"), NOW, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(freed.locks.len(), 1);
    // The log may still have room from what could not be written; what frees goes on past it.
    for n in 100..200 {
        store
            .end_session(SessionId(n), State::Ended, "it is over", NOW)
            .await
            .unwrap();
    }
    assert!(
        !disk.join("home/ballast").exists(),
        "it was given up for what frees"
    );

    drop(reader);

    // It opens on a full disk too, giving the ballast up if need be.
    store.close().await.unwrap();
    drop(store);
    let mut rest = fs::OpenOptions::new()
        .append(true)
        .open(disk.join("rest"))
        .unwrap();
    while rest.write_all(&[1; 512]).is_ok() {}
    fs::write(disk.join("home/ballast"), []).unwrap();
    rest.set_len(rest.metadata().unwrap().len() - (4 << 20))
        .unwrap();
    fs::write(disk.join("home/ballast"), vec![1; 4 << 20]).unwrap();
    let store = open(&disk.join("home"), None).unwrap();
    assert!(store.is_full() && !disk.join("home/ballast").exists());

    fs::remove_file(&other).unwrap();
    let freed_at = Instant::now();
    let (id, task) = big_task(created + 1);
    while store
        .create_task(id, task.clone(), NOW, None)
        .await
        .is_err()
    {
        assert!(
            freed_at.elapsed() < Duration::from_secs(5),
            "writing goes on within five seconds"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let before = store.read(|l| l.facts());
    assert_eq!(before.tasks.len() as u128, created + 1);
    store.close().await.unwrap();
    drop(store);
    let after = open(&disk.join("home"), None).unwrap().read(|l| l.facts());
    assert_eq!(
        (after.tasks, after.locks.len()),
        (before.tasks, before.locks.len())
    );
}
