//! A session dies without a word; another lives without one.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::world::{Session, World, eventually, figure};

/// What is promised from a session's death until all it had is free.
const FREED_WITHIN: Duration = Duration::from_secs(2);
const DEATHS: usize = 3;

#[test]
fn what_a_killed_session_had_is_free_within_two_seconds() {
    let mut world = World::installed();
    let (mut lock, mut task, mut hold, mut place) = (vec![], vec![], vec![], vec![]);
    for round in 0..DEATHS {
        let (dying, next, last) = (world.session(), world.session(), world.session());
        let mut asked = json!({"type": "lock", "paths": ["a.rs"], "session_id": dying.id});
        assert_eq!(world.ask(&asked)["ok"], true);
        let title = format!("task {round}");
        world.ask(&json!({"type": "task_create", "title": title, "session_id": dying.id}));
        let claim = |session: &Session| json!({"type": "task_claim", "session_id": session.id});
        let claimed = world.ask(&claim(&dying));
        assert_eq!(claimed["ok"], true, "{claimed}");
        assert!(world.before_edit(&dying, "b.rs").lets_go_on());
        // It also waits, before another, for what a third has.
        asked = json!({"type": "lock", "paths": ["c.rs"], "session_id": last.id});
        assert_eq!(world.ask(&asked)["ok"], true);
        let mut waits = world.connect();
        asked = json!({"type": "lock", "paths": ["c.rs"], "wait_s": 45, "session_id": dying.id});
        waits.send(asked).unwrap();
        assert_eq!(waits.read().unwrap()["place"], 1);
        let mut behind = world.connect();
        asked = json!({"type": "lock", "paths": ["c.rs"], "wait_s": 45, "session_id": next.id});
        behind.send(asked).unwrap();
        assert_eq!(behind.read().unwrap()["place"], 2);
        let mut waiter = world.connect();
        asked = json!({"type": "lock", "paths": ["a.rs"], "wait_s": 45, "session_id": next.id});
        let waiting = waiter.send(asked).unwrap();
        assert_eq!(waiter.read().unwrap()["place"], 1);

        let died = Instant::now();
        world.kill(&dying);
        assert_eq!(waiter.reply(waiting).unwrap()["outcome"], "granted");
        lock.push(died.elapsed());
        eventually("its task is ready again", || {
            world.ask(&claim(&next))["ok"] == true
        });
        task.push(died.elapsed());
        assert!(world.before_edit(&next, "b.rs").lets_go_on());
        hold.push(died.elapsed());
        eventually("its place is left", || behind.read().unwrap()["place"] == 1);
        place.push(died.elapsed());
        for session in [next, last] {
            world.kill(&session);
        }
        eventually("all is over", || {
            let locks = world.ask(&json!({"type": "query", "target": "locks"}));
            locks["locks"].as_array().unwrap().is_empty()
        });
    }
    for (what, times) in [
        ("lock", lock),
        ("task", task),
        ("place in a queue", place),
        ("hold", hold),
    ] {
        let longest = times.iter().max().unwrap();
        figure(format_args!(
            "a session's death: its {what} is free after {times:.0?}"
        ));
        assert!(*longest < FREED_WITHIN, "{what}: {times:?}");
    }
}

#[test]
fn activity_renews_a_lock_and_silence_ends_it() {
    let mut world = World::started();
    let session = world.session();
    let lock = json!({"type": "lock", "paths": ["a.rs"], "ttl_s": 1, "keep": true, "session_id": session.id});
    let granted = world.ask(&lock);
    let epoch = &granted["locks"][0]["epoch"];
    let held =
        || world.ask(&json!({"type": "query", "target": "locks"}))["locks"][0]["epoch"].clone();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        let alive = world.ask(&json!({"type": "heartbeat", "session_id": session.id}));
        assert_eq!(alive["ok"], true, "{alive}");
        assert_eq!(held(), *epoch, "after {:?}", began.elapsed());
        thread::sleep(Duration::from_millis(100));
    }
    let silent = eventually("it has run out", || held().is_null());
    assert!(silent > Duration::from_millis(800), "{silent:?}");
}

#[test]
fn an_idle_session_keeps_its_locks_while_its_process_lives() {
    let mut world = World::new();
    // Sessions without a process are given up after five seconds of silence.
    let mut start = world.kite(&["daemon", "start"]);
    assert!(
        start
            .env("KITE_SESSION_TTL_S", "5")
            .status()
            .unwrap()
            .success()
    );
    let session = world.session();
    let lock = |file: &str, id: &str| {
        let reply = world.ask(&json!({"type": "lock", "paths": [file], "session_id": id}));
        assert_eq!(reply["ok"], true, "{reply}");
    };
    world.ask(&json!({"type": "register", "session_id": "without", "cwd": world.project}));
    lock("process.rs", &session.id);
    lock("silent.rs", "without");
    eventually("the lock of the session without a process is free", || {
        let locks = world.ask(&json!({"type": "query", "target": "locks"}));
        locks["locks"].as_array().unwrap().len() == 1
    });
    let locks = world.ask(&json!({"type": "query", "target": "locks"}));
    let target = locks["locks"][0]["target"].as_str().unwrap();
    assert!(target.ends_with("process.rs"), "{locks}");
    world.kill(&session);
    eventually("the lock of the killed one is free", || {
        let locks = world.ask(&json!({"type": "query", "target": "locks"}));
        locks["locks"].as_array().unwrap().is_empty()
    });
}
