//! Any history of operations has the same answers from every engine, in order or all at once,
//! and what was kept is the same after reopening.

mod engines;

use std::rc::Rc;

use engines::{Sqlite, block_on};
use kite_rules::{
    Now,
    lock::Request,
    pattern::Target,
    session::{Owner, Process, Session, SessionId, State},
    task::{Changed, NewTask, Priority, TaskId},
};
use kite_store::{Document, Facts, InMemoryStore, Page, Release, Retry, Store, contract::Engine};
use proptest::prelude::*;
use tokio::task::LocalSet;

const SESSIONS: u32 = 4;
const TASKS: u128 = 8;
const PATHS: [&str; 4] = ["/a", "/a/b", "/c", "/d"];
/// Operations that are under way at the same moment.
const AT_ONCE: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    Open {
        session: u32,
    },
    Update {
        session: u32,
        intent: u8,
        idle: bool,
    },
    Seen {
        session: u32,
    },
    End {
        session: u32,
        lost: bool,
    },
    Acquire {
        session: u32,
        agent: bool,
        paths: Vec<usize>,
        tree: bool,
        wait: bool,
        keep: bool,
    },
    Release {
        session: u32,
        paths: Vec<usize>,
    },
    ReleaseAll {
        session: u32,
        unless_kept: bool,
    },
    Expire,
    Create {
        task: u128,
        after: Option<u128>,
        priority: u8,
        path: Option<usize>,
    },
    ClaimNext {
        session: u32,
        another: bool,
    },
    Claim {
        session: u32,
        task: u128,
    },
    Complete {
        session: u32,
        task: u128,
        attempt: Option<u32>,
    },
    GiveBack {
        session: u32,
        task: u128,
        failed: bool,
    },
    Cancel {
        task: u128,
    },
    Tally {
        more: u64,
    },
    Document {
        key: u8,
        body: Option<u8>,
    },
    Remember {
        key: u8,
    },
    Answered {
        key: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let session = || 1..=SESSIONS;
    let task = || 1..=TASKS;
    let paths = || prop::collection::vec(0..PATHS.len(), 1..3);
    let lock = (
        session(),
        any::<bool>(),
        paths(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    let create = (
        task(),
        prop::option::of(task()),
        0..3_u8,
        prop::option::of(0..PATHS.len()),
    );
    prop_oneof![
        3 => session().prop_map(|session| Step::Open { session }),
        1 => (session(), 0..3_u8, any::<bool>())
            .prop_map(|(session, intent, idle)| Step::Update { session, intent, idle }),
        1 => session().prop_map(|session| Step::Seen { session }),
        1 => (session(), any::<bool>()).prop_map(|(session, lost)| Step::End { session, lost }),
        5 => lock.prop_map(|(session, agent, paths, tree, wait, keep)| {
            Step::Acquire { session, agent, paths, tree, wait, keep }
        }),
        3 => (session(), paths()).prop_map(|(session, paths)| Step::Release { session, paths }),
        1 => (session(), any::<bool>())
            .prop_map(|(session, unless_kept)| Step::ReleaseAll { session, unless_kept }),
        1 => Just(Step::Expire),
        4 => create.prop_map(|(task, after, priority, path)| Step::Create { task, after, priority, path }),
        2 => (session(), any::<bool>()).prop_map(|(session, another)| Step::ClaimNext { session, another }),
        2 => (session(), task()).prop_map(|(session, task)| Step::Claim { session, task }),
        2 => (session(), task(), prop::option::of(1..4_u32))
            .prop_map(|(session, task, attempt)| Step::Complete { session, task, attempt }),
        1 => (session(), task(), any::<bool>())
            .prop_map(|(session, task, failed)| Step::GiveBack { session, task, failed }),
        1 => task().prop_map(|task| Step::Cancel { task }),
        1 => (1..9_u64).prop_map(|more| Step::Tally { more }),
        1 => (0..4_u8, proptest::option::of(0..4_u8)).prop_map(|(key, body)| Step::Document { key, body }),
        1 => (0..4_u8).prop_map(|key| Step::Remember { key }),
        1 => (0..4_u8).prop_map(|key| Step::Answered { key }),
    ]
}

/// Steps are five seconds apart, leases a minute: some run out.
fn at(index: usize) -> Now {
    Now {
        wall_ms: 1_800_000_000_000 + index as u64 * 5_000,
        mono_ms: 1_000 + index as u64 * 5_000,
    }
}

fn session(n: u32) -> Session {
    Session {
        id: SessionId(u128::from(n)),
        client: "test".to_owned(),
        process: Some(Process { pid: n, started: 1 }),
        project: "p".to_owned(),
        ..Session::default()
    }
}

fn target(path: usize, tree: bool) -> Target {
    let path = PATHS[path].to_owned();
    if tree {
        Target::Tree(path)
    } else {
        Target::Path(path)
    }
}

/// Takes a step and tells how it went.
async fn take(store: &impl Store, step: Step, index: usize) -> String {
    let now = at(index);
    let id = |n: u32| SessionId(n.into());
    let own = |n: u32| Owner::session(id(n));
    let task_id = |n: u128| TaskId(n << 96);
    let key = format!("op-{index}");
    let answer = |changed: &Changed| format!("{changed:?}").into_bytes();
    let retry = || {
        Some(Retry {
            op_id: &key,
            answer: &answer,
        })
    };
    match step {
        // A new life of a session that ended is another session.
        Step::Open { session: n } => {
            let fresh = Session {
                id: SessionId((index as u128) << 64 | u128::from(n)),
                ..session(n)
            };
            let known = store.read(|l| l.sessions.contains_key(&id(n)));
            let opened = if known { fresh } else { session(n) };
            format!("{:?}", store.open_session(opened, now).await)
        }
        Step::Update {
            session: n,
            intent,
            idle,
        } => {
            let Some(known) = store.read(|l| l.sessions.get(&id(n)).cloned()) else {
                return String::new();
            };
            let state = if idle { State::Idle } else { State::Active };
            let intent = Some(format!("intent {intent}"));
            format!(
                "{:?}",
                store
                    .update_session(
                        Session {
                            intent,
                            state,
                            seen: now,
                            ..known
                        },
                        now
                    )
                    .await
            )
        }
        Step::Seen { session } => {
            store.seen(id(session), now);
            String::new()
        }
        Step::End { session, lost } => {
            let state = if lost { State::Lost } else { State::Ended };
            format!(
                "{:?}",
                store.end_session(id(session), state, "over", now).await
            )
        }
        Step::Acquire {
            session,
            agent,
            paths,
            tree,
            wait,
            keep,
        } => {
            let request = Request {
                owner: Owner {
                    session: id(session),
                    agent: agent.then(|| "sub".to_owned()),
                },
                project: "p".to_owned(),
                targets: paths
                    .into_iter()
                    .map(|p| (target(p, tree), PATHS[p].to_owned()))
                    .collect(),
                reason: None,
                ttl_ms: 60_000,
                keep,
            };
            format!("{:?}", store.acquire(request, wait, now, None).await)
        }
        Step::Release { session, paths } => {
            let targets = paths.into_iter().map(|p| target(p, false)).collect();
            let release = Release::Targets {
                owner: own(session),
                targets,
                epoch: None,
            };
            format!("{:?}", store.release(release, now, None).await)
        }
        Step::ReleaseAll {
            session,
            unless_kept,
        } => {
            let release = Release::Session {
                session: id(session),
                unless_kept,
            };
            format!("{:?}", store.release(release, now, None).await)
        }
        Step::Expire => format!("{:?}", store.expire(now).await),
        Step::Create {
            task,
            after,
            priority,
            path,
        } => {
            let new = NewTask {
                project: "p".to_owned(),
                title: format!("task {task}"),
                priority: [Priority::Low, Priority::Normal, Priority::High][usize::from(priority)],
                depends_on: after.map(|n| task_id(n).to_string()).into_iter().collect(),
                paths: path
                    .map(|p| (target(p, true), PATHS[p].to_owned()))
                    .into_iter()
                    .collect(),
                ..NewTask::default()
            };
            format!(
                "{:?}",
                store.create_task(task_id(task), new, now, retry()).await
            )
        }
        Step::ClaimNext { session, another } => {
            format!(
                "{:?}",
                store
                    .claim_next("p", &own(session), another, now, retry())
                    .await
            )
        }
        Step::Claim { session, task } => {
            format!(
                "{:?}",
                store
                    .claim(task_id(task), &own(session), now, retry())
                    .await
            )
        }
        Step::Complete {
            session,
            task,
            attempt,
        } => {
            let result = Some(format!("result {index}"));
            format!(
                "{:?}",
                store
                    .complete(task_id(task), &own(session), attempt, result, now, retry())
                    .await
            )
        }
        Step::GiveBack {
            session,
            task,
            failed,
        } => {
            let reason = Some("no".to_owned());
            let owner = own(session);
            format!(
                "{:?}",
                store
                    .release_task(task_id(task), &owner, None, reason, failed, now, retry())
                    .await
            )
        }
        Step::Cancel { task } => format!(
            "{:?}",
            store.cancel_task(task_id(task), None, now, retry()).await
        ),
        Step::Tally { more } => format!("{:?}", store.tally(&[("steps", more)]).await),
        Step::Document { key, body } => {
            let document = Document {
                kind: "note".to_owned(),
                key: key.to_string(),
                body: body.map(|body| body.to_string()),
            };
            format!("{:?}", store.keep_documents(&[document], now).await)
        }
        Step::Remember { key } => {
            format!(
                "{:?}",
                store
                    .remember(&format!("key {key}"), index.to_string().as_bytes())
                    .await
            )
        }
        Step::Answered { key } => format!("{:?}", store.answered(&format!("key {key}")).await),
    }
}

/// The facts without what is only in memory.
fn durable(facts: Facts) -> Facts {
    let mut facts = facts;
    facts.sessions.values_mut().for_each(|s| {
        s.seen = Now::default();
        s.state = if s.state == State::Idle {
            State::Active
        } else {
            s.state
        };
    });
    facts.locks.values_mut().for_each(|l| l.renewed_mono_ms = 0);
    facts
}

async fn feed(store: &impl Store) -> Page {
    store.changes(0, 1_000).await.unwrap()
}

async fn same_answers(steps: Vec<Step>) {
    let engine = Sqlite::default();
    let model = InMemoryStore::new(at(0));
    let sqlite = Rc::new(engine.fresh(at(0)).await);
    for (chunk, steps) in steps.chunks(AT_ONCE).enumerate() {
        let mut expected = Vec::new();
        let mut under_way = Vec::new();
        for (n, step) in steps.iter().cloned().enumerate() {
            let index = 1 + chunk * AT_ONCE + n;
            let store = Rc::clone(&sqlite);
            let taken = step.clone();
            under_way.push(tokio::task::spawn_local(async move {
                take(&*store, taken, index).await
            }));
            expected.push((step.clone(), take(&model, step, index).await));
        }
        for ((step, expected), taken) in expected.into_iter().zip(under_way) {
            assert_eq!(taken.await.unwrap(), expected, "{step:?}");
        }
    }
    let facts = sqlite.read(|l| l.facts());
    assert_eq!(facts, model.read(|l| l.facts()));
    let told = feed(&*sqlite).await;
    assert_eq!(told, feed(&model).await);

    let sqlite = Rc::into_inner(sqlite).expect("nobody uses it any more");
    let sqlite = engine.reopen(sqlite, at(steps.len() + 1)).await.unwrap();
    assert_eq!(durable(sqlite.read(|l| l.facts())), durable(facts));
    assert_eq!(feed(&sqlite).await, told);
    for index in 1..=steps.len() {
        let key = format!("op-{index}");
        assert_eq!(
            sqlite.answered(&key).await,
            model.answered(&key).await,
            "{key}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_has_the_same_answers(steps in prop::collection::vec(step(), 1..80)) {
        block_on(LocalSet::new().run_until(same_answers(steps)));
    }
}
