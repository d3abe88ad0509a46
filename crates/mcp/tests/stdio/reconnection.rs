//! Daemons that are absent, restarted, or leaving.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    server::{SOON, Server},
    stand_in::{Answer, StandIn, task},
};

#[test]
fn where_there_is_no_daemon_it_is_started_once_and_the_call_goes_through() {
    let home = tempdir().expect("a directory");
    let mut server = Server::initialized(home.path());
    server.call(1, "kite_task_create", json!({"title": "one"}));
    server.call(2, "kite_task_create", json!({"title": "two"}));
    let starts = home.path().join("starts");
    let deadline = Instant::now() + SOON;
    while !starts.exists() {
        assert!(Instant::now() < deadline, "nobody starts the daemon");
        thread::sleep(Duration::from_millis(1));
    }
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(task("created", "t")));
    for _ in 0..2 {
        let reply = server.receive();
        assert_eq!(reply["result"]["isError"], false, "{reply}");
    }
    assert_eq!(fs::read_to_string(&starts).expect("starts"), "start\n");
    assert_eq!(daemon.asked().len(), 2);
}

#[test]
fn where_none_can_be_started_the_answer_says_so_and_the_rest_works() {
    let home = tempdir().expect("a directory");
    let mut server = Server::start_with(home.path(), &[("START_FAILS", "1")]);
    server.initialize("claude-code");
    let (text, is_error) = server.answer("kite_task_create", json!({"title": "one"}));
    assert!(is_error, "{text}");
    assert!(
        text.starts_with("Nothing was done: the Kite daemon cannot be reached (the disk is full)."),
        "{text}"
    );
    assert!(
        text.contains("edits are not guarded") && text.contains("`kite doctor`"),
        "{text}"
    );
    server.send(&json!({"jsonrpc": "2.0", "id": 4, "method": "tools/list"}));
    assert_eq!(
        server.receive()["result"]["tools"].as_array().map(Vec::len),
        Some(crate::eras::NAMES.len())
    );

    let _daemon = StandIn::listen(home.path(), |_| Answer::Reply(task("created", "one")));
    let (text, is_error) = server.answer("kite_task_create", json!({"title": "one"}));
    assert!(
        !is_error,
        "the next call finds a daemon that has come back: {text}"
    );
}

#[test]
fn a_restart_between_two_calls_is_not_noticed() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(task("created", "t")));
    let mut server = Server::initialized(home.path());
    assert!(!server.answer("kite_task_create", json!({"title": "t"})).1);
    daemon.end();
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(task("created", "t")));
    assert!(!server.answer("kite_task_create", json!({"title": "t"})).1);
    assert_eq!(daemon.asked().len(), 1);
    assert!(!home.path().join("starts").exists());
}

#[test]
fn a_request_whose_reply_was_lost_is_repeated_with_its_key() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::HangUp);
    let mut server = Server::initialized(home.path());
    server.call(1, "kite_task_create", json!({"title": "t"}));
    daemon.wait_for("task_create");
    let first = daemon.end();
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(task("created", "t")));
    assert_eq!(server.receive()["result"]["isError"], false);
    let second = daemon.asked();
    assert!(first[0]["op_id"].is_string(), "{first:?}");
    let keys = first.iter().chain(&second).map(|request| &request["op_id"]);
    assert!(
        keys.clone().all(|key| *key == first[0]["op_id"]),
        "{:?}",
        keys.collect::<Vec<_>>()
    );
}

#[test]
fn a_daemon_that_is_leaving_is_asked_again() {
    let home = tempdir().expect("a directory");
    let asked = std::sync::atomic::AtomicU32::new(0);
    let _daemon = StandIn::listen(home.path(), move |_| {
        if asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            Answer::Reply(
                json!({"ok": false, "error": {"code": "draining", "message": "The daemon is restarting."}}),
            )
        } else {
            Answer::Reply(task("created", "t"))
        }
    });
    let mut server = Server::initialized(home.path());
    assert!(!server.answer("kite_task_create", json!({"title": "t"})).1);
}
