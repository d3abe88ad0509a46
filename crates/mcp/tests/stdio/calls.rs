//! A call, from the arguments to the text.

use serde_json::json;
use tempfile::tempdir;

use crate::{
    server::{Server, call, outcome},
    stand_in::{Answer, StandIn, granted, task},
};

#[test]
fn a_call_carries_who_asks_and_a_key_for_repeats() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(task("created", "Add login")));
    let claude = [
        ("CLAUDECODE", "1"),
        ("CLAUDE_CODE_SESSION_ID", "5b0c6f2e"),
        ("CLAUDE_PROJECT_DIR", "/work/project"),
    ];
    let mut server = Server::start_with(home.path(), &claude);
    server.initialize("claude-code");
    let arguments = json!({"title": "Add login", "priority": "high", "depends_on": ["5e6f7a8b"], "paths": ["src/"]});
    let (text, is_error) = server.answer("kite_task_create", arguments);
    assert!(
        text.starts_with("Task created: 1a2b3c4d — Add login") && !is_error,
        "{text}"
    );

    let caller = &daemon.hello()["caller"];
    assert_eq!(caller["client"], "claude-code");
    assert_eq!(
        caller["pid"],
        std::process::id(),
        "the process that started the server is the session"
    );
    assert_eq!(caller["client_session_id"], "5b0c6f2e");
    assert_eq!(caller["cwd"], "/work/project");
    assert_eq!(caller["client_version"], "2.1.0");
    let asked = &daemon.asked()[0];
    assert_eq!(asked["type"], "task_create");
    assert_eq!(asked["mcp_tool"], "kite_task_create");
    assert_eq!(asked["tool_use_id"], "toolu_01");
    assert_eq!(asked["priority"], "high");
    assert_eq!(asked["paths"], json!(["src/"]));
    assert_eq!(asked["op_id"].as_str().map(str::len), Some(32));

    server.answer("kite_task_create", json!({"title": "Add login"}));
    assert_ne!(
        daemon.asked()[0]["op_id"],
        daemon.asked()[1]["op_id"],
        "each call has its own"
    );
}

#[test]
fn codex_is_known_by_the_session_in_its_calls() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(json!({"sessions": []})));
    let mut server = Server::start(home.path());
    server.initialize("codex-mcp-client");
    let mut message = call(5, "kite_sessions", json!({}));
    message["params"]["_meta"]["x-codex-turn-metadata"] = json!({"session_id": "thread-1"});
    server.send(&message);
    server.receive();
    assert_eq!(daemon.hello()["caller"]["client"], "codex");
    assert_eq!(daemon.hello()["caller"]["client_session_id"], "thread-1");
    message["params"]["_meta"]["x-codex-turn-metadata"] = json!({"session_id": "thread-2"});
    server.send(&message);
    server.receive();
    assert_eq!(daemon.hello()["caller"]["client_session_id"], "thread-2");
}

#[test]
fn a_refusal_of_the_daemon_reaches_the_model_whole() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |_| {
        Answer::Reply(json!({"ok": false, "error": {"code": "locked",
            "message": "File locked by session 3f2a91bc since 14:02:11 (editing for \"Add OAuth login\").",
            "hint": "Retry this same edit; Kite queues it."}}))
    });
    let mut server = Server::initialized(home.path());
    let (text, is_error) = server.answer("kite_file_lock", json!({"file": "src/a.rs"}));
    assert!(is_error);
    assert_eq!(
        text,
        "File locked by session 3f2a91bc since 14:02:11 (editing for \"Add OAuth login\"). \
         Retry this same edit; Kite queues it."
    );
}

#[test]
fn invented_parameters_never_reach_the_daemon() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(granted("granted")));
    let mut server = Server::initialized(home.path());
    let (text, is_error) =
        server.answer("kite_file_lock", json!({"file": "a.rs", "wait_second": 3}));
    assert!(
        is_error && text.contains("did you mean `wait_seconds`?"),
        "{text}"
    );
    let (text, is_error) = server.answer("kite_file_lock", json!({"file": "a.rs", "_version": 9}));
    assert!(
        is_error && text.contains("its schema is `_version` 1 here, not 9"),
        "{text}"
    );
    server.call(8, "kite_file_locks", json!({}));
    let error = server.receive();
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("Did you mean kite_file_lock?")),
        "{error}"
    );
    server.send(&json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "kite_sessions", "arguments": "all"}}));
    assert_eq!(server.receive()["error"]["code"], -32602);
    assert!(daemon.all().is_empty());

    let (text, is_error) = server.answer("kite_file_lock", json!({"file": "a.rs", "_version": 1}));
    assert!(!is_error && text.starts_with("Locked: a.rs"), "{text}");
    assert_eq!(daemon.asked().len(), 1);
}

#[test]
fn calls_are_answered_as_they_finish() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |request| match request["type"].as_str() {
        // The first waits until the second has been asked.
        Some("lock") => Answer::Lines(vec![]),
        _ => {
            let mut late = granted("granted");
            late["id"] = json!(2);
            late["ok"] = json!(true);
            Answer::Lines(vec![
                json!({"ok": true, "id": request["id"], "sessions": []}),
                late,
            ])
        }
    });
    let mut server = Server::initialized(home.path());
    server.call(1, "kite_file_lock", json!({"file": "a.rs"}));
    server.call(2, "kite_sessions", json!({}));
    let mut answered: Vec<(u64, String)> = (0..2)
        .map(|_| server.receive())
        .map(|reply| (reply["id"].as_u64().expect("an id"), outcome(&reply).0))
        .collect();
    answered.sort();
    assert!(answered[0].1.starts_with("Locked: a.rs"), "{answered:?}");
    assert!(
        answered[1].1.starts_with("No other session"),
        "{answered:?}"
    );
}

#[test]
fn each_call_is_logged_before_and_after_without_its_secrets() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |_| Answer::Reply(task("created", "Add login")));
    let mut server = Server::initialized(home.path());
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    server.answer(
        "kite_task_create",
        json!({"title": "Add login", "description": format!("line\ntoken {secret}")}),
    );
    server.answer(
        "kite_task_create",
        json!({"title": "long", "description": "word ".repeat(1_500)}),
    );
    server.close_input();
    server.exit();
    let log = server.log();
    assert_eq!(log.len(), 4, "{log:?}");
    assert!(
        log[0].starts_with("[20")
            && log[0].contains("] tool:kite_task_create {\"title\":\"Add login\""),
        "{}",
        log[0]
    );
    assert!(
        log[1].contains("] result:kite_task_create \"Task created: 1a2b3c4d — Add login"),
        "{}",
        log[1]
    );
    assert!(
        log.iter()
            .all(|line| !line.contains(secret) && line.chars().count() <= 2_001),
        "{log:?}"
    );
}
