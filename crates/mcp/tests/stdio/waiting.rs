//! What is waited for: locks, and things to happen.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    eras::modern,
    server::{Server, outcome},
    stand_in::{Answer, StandIn, granted},
};

#[test]
fn waiting_for_a_lock_shows_the_place_and_can_be_cancelled() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |request| match request["type"].as_str() {
        Some("lock") => Answer::Lines(vec![
            json!({"push": "place", "request": request["id"], "place": 2}),
        ]),
        Some("cancel") => Answer::Lines(vec![
            json!({"ok": true, "id": request["id"]}),
            json!({"ok": false, "id": request["request"], "error": {"code": "cancelled", "message": "Cancelled."}}),
        ]),
        _ => Answer::Reply(json!({"sessions": []})),
    });
    let mut server = Server::initialized(home.path());
    server.call(
        3,
        "kite_file_lock",
        json!({"file": "a.rs", "wait_seconds": 30}),
    );
    let progress = server.receive();
    assert_eq!(progress["method"], "notifications/progress", "{progress}");
    assert_eq!(progress["params"]["progressToken"], 3);
    assert_eq!(progress["params"]["total"], 30.0);
    assert_eq!(
        progress["params"]["message"],
        "waiting in the queue, place 2"
    );

    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3, "reason": "esc"}}));
    let cancel = daemon.wait_for("cancel");
    assert_eq!(cancel["request"], daemon.wait_for("lock")["id"]);
    assert_eq!(daemon.wait_for("lock")["wait_s"], 30);

    let (text, _) = server.answer("kite_sessions", json!({}));
    assert!(
        text.starts_with("No other session"),
        "the next message answers the next call: {text}"
    );
}

#[test]
fn a_lock_that_comes_free_is_granted_to_the_waiting() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |request| {
        let push = |place: u64| json!({"push": "place", "request": request["id"], "place": place});
        let mut reply = granted("granted");
        reply["id"] = request["id"].clone();
        reply["ok"] = json!(true);
        reply["waited_ms"] = json!(2_300);
        Answer::Lines(vec![push(1), reply])
    });
    let mut server = Server::initialized(home.path());
    server.call(
        3,
        "kite_file_lock",
        json!({"files": ["a.rs"], "wait_seconds": 45}),
    );
    let mut reply = server.receive();
    while reply["method"] == "notifications/progress" {
        reply = server.receive();
    }
    let (text, is_error) = outcome(&reply);
    assert!(
        !is_error && text.starts_with("Locked after 2.3 s in the queue: a.rs (epoch 17.3"),
        "{text}"
    );
}

#[test]
fn a_broken_connection_while_waiting_puts_the_request_back_in_the_queue() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Lines(vec![]));
    let mut server = Server::initialized(home.path());
    server.call(
        3,
        "kite_file_lock",
        json!({"file": "a.rs", "wait_seconds": 30}),
    );
    let first = daemon.wait_for("lock");
    daemon.end();
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(granted("granted")));
    let (text, is_error) = outcome(&server.receive());
    assert!(!is_error, "{text}");
    assert_eq!(daemon.asked()[0]["op_id"], first["op_id"]);
}

#[test]
fn a_lock_granted_to_a_call_that_was_just_cancelled_is_given_back() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |request| match request["type"].as_str() {
        Some("lock") => Answer::Lines(vec![
            json!({"push": "place", "request": request["id"], "place": 1}),
        ]),
        Some("cancel") => {
            let mut reply = granted("granted");
            reply["id"] = request["request"].clone();
            reply["ok"] = json!(true);
            Answer::Lines(vec![reply])
        }
        _ => Answer::Reply(json!({"locks": [], "outcome": "released"})),
    });
    let mut server = Server::initialized(home.path());
    server.call(
        3,
        "kite_file_lock",
        json!({"file": "a.rs", "name": "deploy", "wait_seconds": 30}),
    );
    assert_eq!(server.receive()["method"], "notifications/progress");
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}),
    );
    let unlock = daemon.wait_for("unlock");
    assert_eq!(
        (&unlock["paths"], &unlock["name"]),
        (&json!(["a.rs"]), &json!("deploy"))
    );
}

/// A log that grows: each event is of a hook, but that of this number is of a task.
fn log(
    newest: &Arc<AtomicU64>,
    task: u64,
) -> impl Fn(&serde_json::Value) -> Answer + Send + Sync + 'static {
    let newest = Arc::clone(newest);
    move |request| {
        let newest = newest.load(Ordering::SeqCst);
        let after = request["after"].as_u64().unwrap_or(0);
        let events: Vec<_> = (after + 1..=newest)
            .map(|seq| json!({"seq": seq, "at": "2026-11-22T14:02:11+01:00", "kind": if seq == task { "task" } else { "hook" },
                "what": "completed", "outcome": "done"}))
            .collect();
        Answer::Reply(json!({"events": events, "last_seq": newest}))
    }
}

#[test]
fn what_happens_next_is_waited_for() {
    let home = tempdir().expect("a directory");
    let newest = Arc::new(AtomicU64::new(7));
    let daemon = StandIn::listen(home.path(), log(&newest, 9));
    let mut server = Server::initialized(home.path());
    server.call(
        3,
        "kite_events",
        json!({"after": 7, "of": "tasks", "wait_seconds": 45}),
    );
    daemon.wait_for("subscribe");
    newest.store(8, Ordering::SeqCst);
    daemon.push(&json!({"push": "log"}));
    newest.store(9, Ordering::SeqCst);
    daemon.push(&json!({"push": "log"}));
    let (text, is_error) = outcome(&server.receive());
    assert!(!is_error, "{text}");
    assert_eq!(
        text,
        "1 event, oldest first:\n9 14:02:11 task completed: done\nWhat comes next: kite_events after=9"
    );
    let logged = daemon
        .asked()
        .iter()
        .filter(|request| request.get("mcp_tool").is_some())
        .count();
    assert_eq!(logged, 1, "a call is one event, however often it looks");
}

#[test]
fn waiting_in_vain_ends_in_time_and_says_how_to_go_on() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), log(&Arc::new(AtomicU64::new(7)), 0));
    let mut server = Server::initialized(home.path());
    let (text, is_error) = server.answer("kite_events", json!({"after": 7, "wait_seconds": 1}));
    assert!(!is_error, "{text}");
    assert_eq!(
        text,
        "Nothing new. To wait for what comes: kite_events after=7 wait_seconds=45."
    );
    let (text, is_error) = server.answer("kite_events", json!({"wait_seconds": 1}));
    assert!(
        is_error && text.contains("`wait_seconds` needs `after`"),
        "{text}"
    );
}

#[test]
fn waiting_for_events_is_cancelled_in_both_eras_and_leaves_nothing_behind() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), log(&Arc::new(AtomicU64::new(7)), 0));
    let mut server = Server::initialized(home.path());
    let arguments = json!({"after": 7, "wait_seconds": 45});
    server.call(3, "kite_events", arguments.clone());
    daemon.wait_for_subscribers(1);
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}),
    );
    daemon.wait_for_subscribers(0);
    server.send(&modern(
        4,
        "tools/call",
        json!({"name": "kite_events", "arguments": arguments}),
    ));
    daemon.wait_for_subscribers(1);
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}}),
    );
    daemon.wait_for_subscribers(0);
    server.send(&json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list"}));
    assert_eq!(
        server.receive()["id"],
        5,
        "what was cancelled is not answered"
    );
}

#[test]
fn waiting_for_events_shows_that_it_goes_on() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), log(&Arc::new(AtomicU64::new(7)), 0));
    let mut server = Server::initialized(home.path());
    server.call(3, "kite_events", json!({"after": 7, "wait_seconds": 6}));
    let progress = server.receive();
    assert_eq!(progress["method"], "notifications/progress", "{progress}");
    assert_eq!(progress["params"]["progressToken"], 3);
    assert_eq!(progress["params"]["total"], 6.0);
    let (text, is_error) = outcome(&server.receive());
    assert!(!is_error && text.starts_with("Nothing new."), "{text}");
}

#[test]
fn progress_never_goes_back_however_slow_each_look_is() {
    let home = tempdir().expect("a directory");
    let looks = log(&Arc::new(AtomicU64::new(7)), 0);
    let _daemon = StandIn::listen(home.path(), move |request| {
        // Longer than between two signs of progress.
        thread::sleep(Duration::from_millis(5_500));
        looks(request)
    });
    let mut server = Server::initialized(home.path());
    server.call(3, "kite_events", json!({"after": 7, "wait_seconds": 12}));
    let mut latest = 0.0;
    loop {
        let message = server
            .next_within(Duration::from_secs(10))
            .expect("a message");
        if message["method"] != "notifications/progress" {
            assert!(
                latest > 10.0,
                "two looks told of progress, the second {latest}"
            );
            return;
        }
        let progress = message["params"]["progress"].as_f64().expect("a number");
        assert!(progress > latest, "{progress} after {latest}");
        latest = progress;
    }
}
