//! The audit log: kept, capped, numbered, and free of secrets.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use kite_daemon::audit::{AuditLog, Filter, Retention};
use kite_wire::reply::Event;
use serde_json::json;

const PLENTY: Retention = Retention {
    days_max: 14,
    bytes_max: 64 << 20,
};

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

fn open(directory: &Path) -> AuditLog {
    AuditLog::open(directory, PLENTY).expect("opened")
}

fn event(number: u64) -> Event {
    Event {
        kind: "tool".into(),
        what: "called".into(),
        session: Some(format!("{}0000", number % 3)),
        tool: Some(
            if number.is_multiple_of(2) {
                "Edit"
            } else {
                "Read"
            }
            .into(),
        ),
        target: Some(format!("file-{number}")),
        ..Event::default()
    }
}

fn log_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .collect();
    files.sort();
    files
}

fn text(directory: &Path) -> String {
    let files = log_files(directory);
    files
        .iter()
        .map(|file| fs::read_to_string(file).expect("readable"))
        .collect()
}

async fn numbers(log: &AuditLog, filter: Filter) -> Vec<u64> {
    log.query(filter)
        .await
        .events
        .iter()
        .map(|event| event.seq)
        .collect()
}

#[test]
fn events_are_numbered_on_and_on_across_restarts() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path().join("log");
    for round in 0..3 {
        let log = open(&directory);
        for number in 1..=100 {
            assert_eq!(log.record(event(number)), round * 100 + number);
        }
        assert_eq!(log.last_seq(), round * 100 + 100);
    }
    run(async {
        let log = open(&directory);
        let all = numbers(
            &log,
            Filter {
                limit: 1_000,
                ..Filter::default()
            },
        )
        .await;
        assert_eq!(all, (1..=300).collect::<Vec<_>>());
    });
    for path in log_files(&directory)
        .into_iter()
        .chain([directory.join("seq")])
    {
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    assert_eq!(
        fs::metadata(&directory)
            .expect("there")
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
}

#[test]
fn no_number_is_given_twice_although_the_end_was_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = open(directory.path());
    run(log.flush());
    for number in 0..50 {
        log.record(event(number));
    }
    run(log.query(Filter {
        limit: 1,
        ..Filter::default()
    }));
    let seen = log.last_seq();
    // As after `kill -9`: it neither writes its last lines nor says goodbye.
    let kept = tempfile::tempdir().expect("a directory");
    for entry in fs::read_dir(directory.path()).expect("a directory") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), kept.path().join(entry.file_name())).expect("copied");
    }
    assert!(open(kept.path()).record(event(0)) > seen);
}

#[test]
fn a_torn_line_is_passed_over() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = open(directory.path());
    for number in 0..10 {
        log.record(event(number));
    }
    drop(log);
    let file = log_files(directory.path()).remove(0);
    let whole = fs::read(&file).expect("readable");
    fs::write(&file, &whole[..whole.len() - 20]).expect("torn");
    run(async {
        let log = open(directory.path());
        assert_eq!(log.record(event(10)), 11);
        let all = numbers(
            &log,
            Filter {
                limit: 100,
                ..Filter::default()
            },
        )
        .await;
        assert_eq!(all, [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
    });
}

#[test]
fn questions_are_answered_from_memory_and_from_files_alike() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = open(directory.path());
    (1..=7_000).for_each(|number| {
        log.record(event(number));
        if number % 1_000 == 0 {
            run(log.flush());
        }
    });
    // The same again after a restart, when nothing is in memory.
    for log in [Some(log), None] {
        run(async {
            let log = &log.unwrap_or_else(|| open(directory.path()));
            let newest = numbers(
                log,
                Filter {
                    limit: 3,
                    ..Filter::default()
                },
            )
            .await;
            assert_eq!(newest, [6_998, 6_999, 7_000]);
            let after = Filter {
                after: Some(10),
                limit: 3,
                ..Filter::default()
            };
            let answer = log.query(after).await;
            assert_eq!(
                answer.events.iter().map(|e| e.seq).collect::<Vec<_>>(),
                [11, 12, 13]
            );
            assert_eq!(answer.last_seq, 13, "where to go on");
            let nothing = log
                .query(Filter {
                    after: Some(7_000),
                    limit: 3,
                    ..Filter::default()
                })
                .await;
            assert_eq!((nothing.events.len(), nothing.last_seq), (0, 7_000));
            let chosen = Filter {
                session: Some("1".into()),
                tool: Some("Edit".into()),
                limit: 2_000,
                ..Filter::default()
            };
            let chosen = log.query(chosen).await.events;
            assert_eq!(
                chosen.len(),
                (1..=7_000).filter(|n| n % 3 == 1 && n % 2 == 0).count()
            );
            let future = Filter {
                since_wall_ms: Some(u64::MAX / 4_000_000),
                limit: 9,
                ..Filter::default()
            };
            assert!(numbers(log, future).await.is_empty());
        });
    }
}

#[test]
fn followers_see_events_in_order_and_redacted() {
    let directory = tempfile::tempdir().expect("a directory");
    run(async {
        let log = open(directory.path());
        let mut follower = log.follow();
        for number in 1..=10 {
            log.record(Event {
                target: Some("API_KEY=hunter2xx".into()),
                ..event(number)
            });
        }
        for number in 1..=10 {
            let event = follower.recv().await.expect("an event");
            assert_eq!(event.seq, number);
            assert_eq!(event.target.as_deref(), Some("API_KEY=[redacted:assigned]"));
            assert!(!event.at.is_empty());
        }
    });
}

#[test]
fn planted_secrets_are_found_nowhere() {
    let directory = tempfile::tempdir().expect("a directory");
    let canary = format!("ghp_{}", "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4fGh7j");
    run(async {
        let log = open(directory.path());
        log.record(Event {
            kind: canary.clone(),
            what: canary.clone(),
            session: Some(canary.clone()),
            tool: Some(canary.clone()),
            target: Some(format!("x {canary}")),
            outcome: Some(format!("{{\"a\":\"{canary}\"}}")),
            input: Some(json!({ "command": format!("curl -H 'Authorization: Bearer {canary}'") })),
            output: Some(json!([{ canary.clone(): [canary.clone()] }])),
            ..Event::default()
        });
        let seen = log
            .query(Filter {
                limit: 10,
                ..Filter::default()
            })
            .await;
        assert!(!format!("{seen:?}").contains("Ab3dEf6h"), "{seen:?}");
        assert!(format!("{seen:?}").contains("[redacted:github]"));
        log.flush().await;
        assert!(!text(directory.path()).contains("Ab3dEf6h"));
    });
}

#[test]
fn the_log_stays_within_its_budget_and_keeps_the_newest() {
    let directory = tempfile::tempdir().expect("a directory");
    let budget = Retention {
        days_max: 14,
        bytes_max: 2 << 20,
    };
    run(async {
        let log = AuditLog::open(directory.path(), budget).expect("opened");
        for number in 0..4_000 {
            log.record(Event {
                input: Some(json!({ "text": "word ".repeat(400) })),
                ..event(number)
            });
            if number % 100 == 0 {
                log.flush().await;
            }
        }
        log.flush().await;
        let total: u64 = log_files(directory.path())
            .iter()
            .map(|file| fs::metadata(file).expect("there").len())
            .sum();
        assert!(total <= budget.bytes_max + (256 << 10), "{total}");
        assert!(total > budget.bytes_max / 2, "{total}");
        assert_eq!(log.bytes(), total);
        assert!(text(directory.path()).contains("\"seq\":4000,"));
    });
}

#[test]
fn old_files_are_deleted_and_other_files_are_not() {
    let directory = tempfile::tempdir().expect("a directory");
    for name in [
        "events-20200101-001.jsonl",
        "events-2020-old.jsonl",
        "daemon.log",
        "notes.jsonl",
    ] {
        fs::write(directory.path().join(name), "{}\n").expect("written");
    }
    drop(open(directory.path()));
    let left = |name: &str| directory.path().join(name).exists();
    assert!(!left("events-20200101-001.jsonl"));
    assert!(left("events-2020-old.jsonl") && left("daemon.log") && left("notes.jsonl"));
}

#[test]
fn recording_never_waits_and_losses_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    run(async {
        let log = open(directory.path());
        let heavy = json!({ "text": "API_KEY=hunter2xx ".repeat(10) });
        let started = std::time::Instant::now();
        for number in 0..12_000 {
            log.record(Event {
                input: Some(heavy.clone()),
                ..event(number)
            });
        }
        assert!(
            started.elapsed().as_secs() < 20,
            "recording waited {:?}",
            started.elapsed()
        );
        let total = log.last_seq();
        assert!(total < 12_000, "some were dropped");
        log.flush().await;
        log.record(event(1));
        log.flush().await;
        assert!(text(directory.path()).contains("events were not written"));
    });
}
