//! `kill -9` at any moment loses nothing that was acknowledged, and no epoch comes twice.
//!
//! The test starts itself as another process that works as fast as it can and writes a line for
//! each acknowledged operation; it is killed in the middle. `KITE_KILLS=100` for more rounds.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    env,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    rc::Rc,
};

use kite_rules::{
    Now,
    lock::Request,
    pattern::Target,
    session::{Owner, Process, Session, SessionId},
    task::{Changed, NewTask, TaskId},
};
use kite_store::{Acquired, Change, Options, Page, Release, Retry, SqliteStore, Store};
use tokio::task::LocalSet;

const DIRECTORY: &str = "KITE_TEST_STORE";
const ROUND: &str = "KITE_TEST_ROUND";
const WORKERS: u32 = 32;

fn now(round: u64) -> Now {
    Now {
        wall_ms: 1_800_000_000_000 + round,
        mono_ms: 1_000,
    }
}

fn open(directory: &Path, round: u64) -> SqliteStore {
    SqliteStore::open(Options::new(directory, "boot", now(round))).unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_when_killed() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        return work(
            Path::new(&directory),
            env::var(ROUND).unwrap().parse().unwrap(),
        );
    }
    let rounds: u64 = env::var("KITE_KILLS").map_or(5, |rounds| rounds.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut told = Told::default();
    for round in 0..rounds {
        // Not a clock: after how many acknowledgements the blow falls.
        let until = 1 + (round * 7_919) % 3_000;
        told.listen(directory.path(), round, until);
        told.check(&open(directory.path(), round), round);
    }
    assert!(told.tasks.len() as u64 > rounds);
}

/// Everything that was acknowledged.
#[derive(Default)]
struct Told {
    /// Task by what it is to be: `created`, `claimed` with its attempt, `completed`.
    tasks: BTreeMap<u128, (String, u32)>,
    answers: BTreeSet<String>,
    epochs: BTreeSet<(u64, u64)>,
    held: BTreeSet<(u64, u64)>,
}

impl Told {
    /// Starts a worker process and kills it after so many lines; what it said until then counts.
    fn listen(&mut self, directory: &Path, round: u64, until: u64) {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "nothing_acknowledged_is_lost_when_killed",
                "--nocapture",
            ])
            .env(DIRECTORY, directory)
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Older answers may have made room for newer ones.
        self.answers.clear();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = 0;
        for line in lines {
            let Ok(line) = line else { break };
            if let Some(said) = line.strip_prefix("ack ") {
                self.note(said);
                heard += 1;
                if heard == until {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        assert!(
            heard >= until,
            "round {round}: the worker said {heard} lines only"
        );
    }

    fn note(&mut self, said: &str) {
        let words: Vec<&str> = said.split(' ').collect();
        match words[..] {
            // The last line may be cut by the blow: it then has fewer words.
            ["task", id, state, attempt, "."] => {
                self.tasks.insert(
                    id.parse().unwrap(),
                    (state.to_owned(), attempt.parse().unwrap()),
                );
                self.answers.insert(format!("{id}-{state}"));
            }
            ["granted", generation, counter, "."] => {
                let epoch = (generation.parse().unwrap(), counter.parse().unwrap());
                assert!(self.epochs.insert(epoch), "{epoch:?} was granted before");
                self.held.insert(epoch);
            }
            ["released", generation, counter, "."] => {
                self.held
                    .remove(&(generation.parse().unwrap(), counter.parse().unwrap()));
            }
            _ => {}
        }
    }

    fn check(&self, store: &SqliteStore, round: u64) {
        let rank = |state: &str| {
            ["created", "claimed", "completed"]
                .iter()
                .position(|s| *s == state)
                .unwrap()
        };
        let facts = store.read(|l| l.facts());
        for (id, (state, attempt)) in &self.tasks {
            let kept = store.read(|l| l.tasks.get(TaskId(*id)).cloned());
            let kept = kept.unwrap_or_else(|| panic!("round {round}: task {id} is lost"));
            let reached = match kept.state {
                kite_rules::task::State::Ready => 0,
                kite_rules::task::State::Claimed => 1,
                kite_rules::task::State::Done => 2,
                other => panic!("round {round}: task {id} is {other:?}"),
            };
            assert!(
                reached >= rank(state) && kept.attempt >= *attempt,
                "round {round}: {state} {id} is {kept:?}"
            );
        }
        run(async {
            for op_id in &self.answers {
                assert!(
                    store.answered(op_id).await.unwrap().is_some(),
                    "round {round}: {op_id} has no answer"
                );
            }
            let rows = feed(store).await;
            let of = |what: &str| -> Vec<String> {
                rows.iter()
                    .filter(|row| row.what == what)
                    .map(|row| row.entity.clone())
                    .collect()
            };
            let granted = of("granted");
            let once: BTreeSet<_> = granted.iter().cloned().collect();
            assert_eq!(
                once.len(),
                granted.len(),
                "round {round}: an epoch was granted twice"
            );
            assert!(
                self.epochs.iter().all(|epoch| once.contains(&shown(epoch))),
                "round {round}: a grant is lost"
            );
            // A release may have been committed without being told.
            let mut held: BTreeSet<String> = of("released").into_iter().collect();
            held.extend(facts.locks.keys().map(ToString::to_string));
            let lost = self.held.iter().find(|epoch| !held.contains(&shown(epoch)));
            assert_eq!(lost, None, "round {round}: this lock is lost");
            store.close().await.unwrap();
        });
    }
}

fn shown((generation, counter): &(u64, u64)) -> String {
    format!("{generation}.{counter}")
}

/// The whole feed, which has no gaps.
async fn feed(store: &SqliteStore) -> Vec<Change> {
    let mut feed: Vec<Change> = Vec::new();
    loop {
        let cursor = feed.last().map_or(0, |row| row.seq);
        let Ok(Page::Changes(rows)) = store.changes(cursor, 1_000).await else {
            panic!("the feed is whole")
        };
        if rows.is_empty() {
            return feed;
        }
        assert!(
            rows.iter()
                .zip(cursor + 1..)
                .all(|(row, seq)| row.seq == seq),
            "no gap"
        );
        feed.extend(rows);
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(LocalSet::new().run_until(future))
}

/// The process that is killed.
fn work(directory: &Path, round: u64) {
    let store = Rc::new(open(directory, round));
    let next = Rc::new(Cell::new(0_u128));
    run(async {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                tokio::task::spawn_local(work_on(
                    Rc::clone(&store),
                    Rc::clone(&next),
                    worker,
                    round,
                ))
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
    });
}

/// Creates, claims and completes tasks and takes and releases a lock, until killed.
async fn work_on(store: Rc<SqliteStore>, next: Rc<Cell<u128>>, worker: u32, round: u64) {
    let now = now(round);
    let session = Session {
        id: SessionId(u128::from(round) << 32 | u128::from(worker)),
        client: "test".to_owned(),
        process: Some(Process {
            pid: worker,
            started: round,
        }),
        ..Session::default()
    };
    let owner = Owner::session(store.open_session(session, now).await.unwrap().session.id);
    let path = format!("/{round}/{worker}");
    let answer = |changed: &Changed| changed.task.to_string().into_bytes();
    loop {
        next.set(next.get() + 1);
        let id = TaskId(u128::from(round) << 96 | next.get());
        let new = NewTask {
            project: "p".to_owned(),
            title: id.to_string(),
            ..NewTask::default()
        };
        let keys = ["created", "claimed", "completed"].map(|state| format!("{}-{state}", id.0));
        let retry = |n: usize| {
            Some(Retry {
                op_id: &keys[n],
                answer: &answer,
            })
        };
        store
            .create_task(id, new, now, retry(0))
            .await
            .unwrap()
            .unwrap();
        say(&format!("task {} created 0", id.0));
        store
            .claim(id, &owner, now, retry(1))
            .await
            .unwrap()
            .unwrap();
        say(&format!("task {} claimed 1", id.0));

        let target = Target::Path(path.clone());
        let request = Request {
            owner: owner.clone(),
            project: "p".to_owned(),
            targets: vec![(target.clone(), path.clone())],
            reason: None,
            ttl_ms: 60_000,
            keep: false,
        };
        let Ok(Acquired::Granted(granted)) =
            store.acquire(request, false, now, None).await.unwrap()
        else {
            panic!("{path} is this worker's own");
        };
        let epoch = granted.locks[0].epoch;
        say(&format!("granted {} {}", epoch.generation, epoch.counter));
        store
            .complete(id, &owner, Some(1), None, now, retry(2))
            .await
            .unwrap()
            .unwrap();
        say(&format!("task {} completed 1", id.0));
        let release = Release::Targets {
            owner: owner.clone(),
            targets: vec![target],
            epoch: Some(epoch),
        };
        store.release(release, now, None).await.unwrap().unwrap();
        say(&format!("released {} {}", epoch.generation, epoch.counter));
    }
}

/// One write of one line: what is read whole was acknowledged.
fn say(line: &str) {
    let _ = std::io::stdout().write_all(format!("ack {line} .\n").as_bytes());
}
