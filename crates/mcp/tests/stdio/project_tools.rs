//! The project's own tools over stdio: what is listed, what is asked, what is waited for.

use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    server::{PROGRAM, Server, outcome},
    stand_in::{Answer, StandIn},
};

fn listed(state: &str) -> Value {
    json!({"tools": [{"name": "deploy", "description": "Deploy.", "definition": "d1", "state": state, "lock": "deploy",
        "timeout_s": 60, "argv": ["./deploy"], "input_schema": {"type": "object", "properties": {}, "additionalProperties": false}}]})
}

fn run(state: &str, output: &str) -> Value {
    json!({"run": {"id": "3f2a91bc5d6e4f708192a3b4c5d6e7f8", "tool": "deploy", "project": "/p", "state": state,
        "exit_code": 0, "session": "7", "started": "2026-11-22T14:02:11+01:00", "output": output}})
}

/// A server in a project that declares tools.
fn server(home: &std::path::Path, project: &std::path::Path) -> Server {
    fs::create_dir_all(project.join(".kite")).expect("a directory");
    fs::write(project.join(".kite/config.toml"), "[tools.deploy]\n").expect("a file");
    let mut command = std::process::Command::new(PROGRAM);
    command
        .env_clear()
        .env("KITE_HOME", home)
        .current_dir(project);
    let mut server = Server::spawn(command);
    server.initialize("claude-code");
    server
}

fn names(server: &mut Server) -> Vec<String> {
    server.send(&json!({"jsonrpc": "2.0", "id": 90, "method": "tools/list"}));
    let list = server.receive();
    let tools = list["result"]["tools"].as_array().expect("a list");
    let names = tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name").to_owned());
    names.filter(|name| name.starts_with("project_")).collect()
}

#[test]
fn a_run_that_takes_long_is_asked_for_until_its_end() {
    let (home, project) = (
        tempdir().expect("a directory"),
        tempdir().expect("a directory"),
    );
    let daemon = StandIn::listen(home.path(), |request| match request["type"].as_str() {
        Some("tool_list") => Answer::Reply(listed("trusted")),
        _ if request["run"].is_string() => Answer::Reply(run("exited", "one\n\u{1b}[2Jtwo\n")),
        _ => Answer::Reply(run("running", "")),
    });
    let mut server = server(home.path(), project.path());
    assert_eq!(names(&mut server), ["project_deploy"]);
    let (text, is_error) = server.answer("project_deploy", json!({"wait_seconds": 5}));
    assert!(!is_error, "{text}");
    assert!(
        text.starts_with("deploy ended with exit code 0 (run 3f2a91bc)."),
        "{text}"
    );
    assert!(
        text.contains("> one\n> \\u{1b}[2Jtwo"),
        "somebody else's words: {text}"
    );
    let asked: Vec<Value> = daemon
        .asked()
        .into_iter()
        .filter(|it| it["type"] == "tool_run")
        .collect();
    assert_eq!(
        (&asked[0]["definition"], &asked[0]["wait_s"]),
        (&json!("d1"), &json!(5))
    );
    assert!(asked[0]["op_id"].is_string());
    assert_eq!(asked[1]["run"], "3f2a91bc5d6e4f708192a3b4c5d6e7f8");
    assert_eq!(asked.len(), 2);
}

#[test]
fn waiting_for_a_tools_lock_shows_the_place_and_can_be_cancelled() {
    let (home, project) = (
        tempdir().expect("a directory"),
        tempdir().expect("a directory"),
    );
    let daemon = StandIn::listen(home.path(), |request| match request["type"].as_str() {
        Some("tool_run") => Answer::Lines(vec![
            json!({"push": "place", "request": request["id"], "place": 2}),
        ]),
        Some("cancel") => Answer::Lines(vec![
            json!({"ok": true, "id": request["id"]}),
            json!({"ok": false, "id": request["request"], "error": {"code": "cancelled", "message": "Cancelled."}}),
        ]),
        _ => Answer::Reply(listed("trusted")),
    });
    let mut server = server(home.path(), project.path());
    names(&mut server);
    server.call(3, "project_deploy", json!({}));
    let progress = server.receive();
    assert_eq!(
        progress["params"]["message"], "waiting in the queue, place 2",
        "{progress}"
    );
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}),
    );
    assert_eq!(
        daemon.wait_for("cancel")["request"],
        daemon.wait_for("tool_run")["id"]
    );
}

#[test]
fn what_is_not_trusted_is_not_listed_and_a_refusal_is_told_whole() {
    let (home, project) = (
        tempdir().expect("a directory"),
        tempdir().expect("a directory"),
    );
    let _daemon = StandIn::listen(home.path(), |request| match request["type"].as_str() {
        Some("tool_list") => Answer::Reply(listed("changed")),
        _ => Answer::Lines(vec![json!({"ok": false, "id": request["id"], "error":
            {"code": "not_trusted", "message": "Nobody trusts it.", "hint": "Ask the person."}})]),
    });
    let mut server = server(home.path(), project.path());
    assert_eq!(names(&mut server), Vec::<String>::new());
    server.call(3, "project_deploy", json!({"wait_seconds": 900}));
    let (text, is_error) = outcome(&server.receive());
    assert!(is_error && text.contains("from 0 to 45"), "{text}");
    server.call(4, "project_deploy", json!({}));
    let (text, is_error) = outcome(&server.receive());
    assert!(
        is_error && text == "Nobody trusts it. Ask the person.",
        "{text}"
    );
}
