//! The two eras of the protocol, and what may follow what.

use std::{
    io::{BufRead, BufReader, Write},
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    server::{PROGRAM, Server, outcome},
    stand_in::{Answer, StandIn, task},
};

pub(crate) fn modern(id: u64, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "claude-code", "version": "2.1.330"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn tool_names(list: &Value) -> Vec<&str> {
    let tools = list["result"]["tools"]
        .as_array()
        .unwrap_or_else(|| panic!("a list: {list}"));
    tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name"))
        .collect()
}

pub(crate) const NAMES: [&str; 15] = [
    "kite_task_create",
    "kite_task_list",
    "kite_task_claim",
    "kite_task_complete",
    "kite_task_release",
    "kite_sessions",
    "kite_file_lock",
    "kite_file_unlock",
    "kite_task_show",
    "kite_events",
    "kite_review",
    "kite_spawn",
    "kite_vault_search",
    "kite_vault_write",
    "kite_dispatch",
];

#[test]
fn the_older_era_lists_the_tools_without_a_word_to_the_daemon() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::HangUp);
    for version in ["2025-11-25", "2025-06-18", "2025-03-26"] {
        let mut server = Server::start(home.path());
        server.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": version,
            "capabilities": {}, "clientInfo": {"name": "codex-mcp-client", "version": "0.169.0"}}}));
        let welcome = server.receive();
        assert_eq!(welcome["result"]["protocolVersion"], version);
        assert_eq!(welcome["result"]["serverInfo"]["name"], "kite");
        assert!(
            welcome["result"]["instructions"]
                .as_str()
                .is_some_and(|text| text.chars().count() <= 400)
        );
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        server.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}));
        assert_eq!(tool_names(&server.receive()), NAMES);
    }
    assert_eq!(
        daemon.all(),
        Vec::<Value>::new(),
        "nobody may be told of a client that has not called"
    );
    assert_eq!(
        files(home.path()),
        ["kite.sock"],
        "and nothing may be written"
    );
}

#[test]
fn the_newer_era_needs_no_handshake() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |request| {
        Answer::Reply(task(
            "created",
            request["title"].as_str().unwrap_or_default(),
        ))
    });
    let mut server = Server::start(home.path());
    server.send(&modern(1, "server/discover", json!({})));
    let found = server.receive();
    let versions = found["result"]["supportedVersions"]
        .as_array()
        .expect("versions");
    assert!(
        versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2025-11-25")),
        "{found}"
    );
    server.send(&modern(2, "tools/list", json!({})));
    let list = server.receive();
    assert_eq!(tool_names(&list), NAMES);
    assert_eq!(list["result"]["resultType"], "complete");
    assert!(
        list["result"]["ttlMs"].as_u64().is_some_and(|ttl| ttl > 0),
        "{list}"
    );
    assert_eq!(daemon.all(), Vec::<Value>::new());

    server.send(&modern(
        3,
        "tools/call",
        json!({"name": "kite_task_create", "arguments": {"title": "Add login"}}),
    ));
    let (text, is_error) = outcome(&server.receive());
    assert!(
        text.starts_with("Task created: 1a2b3c4d — Add login") && !is_error,
        "{text}"
    );
    assert_eq!(daemon.hello()["caller"]["client"], "claude-code");
    assert_eq!(daemon.hello()["caller"]["client_version"], "2.1.330");
}

#[test]
fn a_probe_of_the_newer_era_may_be_followed_by_the_older_handshake() {
    let home = tempdir().expect("a directory");
    let mut server = Server::start(home.path());
    server.send(&modern(1, "server/discover", json!({})));
    assert!(server.receive()["result"].is_object());
    // The probe has timed out on the client's side: it says so before its handshake.
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}),
    );
    assert_eq!(
        server.initialize("claude-code")["result"]["protocolVersion"],
        "2025-11-25"
    );
}

#[test]
fn both_eras_are_served_by_one_process_in_any_order() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(json!({"sessions": []})));
    let mut server = Server::start(home.path());
    let mut without_client = modern(1, "tools/call", json!({"name": "kite_sessions"}));
    let meta = without_client["params"]["_meta"]
        .as_object_mut()
        .expect("an object");
    meta.remove("io.modelcontextprotocol/clientInfo");
    server.send(&without_client);
    assert_eq!(
        server.receive()["id"],
        1,
        "the first answer is to what the client asked"
    );
    assert_eq!(daemon.hello()["caller"]["client"], "unknown");

    server.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}));
    let refused = server.receive();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert!(
        refused["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("begin with `initialize`")),
        "{refused}"
    );

    let welcome = server.initialize("codex-mcp-client");
    assert_eq!(welcome["result"]["protocolVersion"], "2025-11-25");
    server.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list"}));
    let list = server.receive();
    assert_eq!(tool_names(&list), NAMES);
    assert!(
        list["result"].get("resultType").is_none(),
        "the older era knows none: {list}"
    );
    server.answer("kite_sessions", json!({}));
    assert_eq!(daemon.hello()["caller"]["client"], "codex");

    server.send(&modern(4, "tools/list", json!({})));
    assert_eq!(server.receive()["result"]["resultType"], "complete");
}

#[test]
fn two_servers_have_one_fingerprint_and_it_is_the_librarys() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Reply(json!({"sessions": []})));
    let mut server = Server::initialized(home.path());
    server.answer("kite_sessions", json!({}));
    assert_eq!(
        daemon.hello()["caller"]["fingerprint"],
        kite_mcp::fingerprint()
    );
}

#[test]
fn it_is_served_over_sockets_as_over_pipes() {
    let home = tempdir().expect("a directory");
    let (ours, its) = UnixStream::pair().expect("sockets");
    let output = OwnedFd::from(its.try_clone().expect("a copy"));
    let mut command = Command::new(PROGRAM);
    command
        .env("KITE_HOME", home.path())
        .stdin(OwnedFd::from(its))
        .stdout(output);
    let mut child = command
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts");
    drop(command);
    let mut reader = BufReader::new(ours.try_clone().expect("a copy"));
    let mut writer = ours;
    writer
        .write_all(format!("{}\n", modern(1, "tools/list", json!({}))).as_bytes())
        .expect("it reads");
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    assert_eq!(
        tool_names(&serde_json::from_str(&line).expect("JSON")),
        NAMES
    );
    writer.shutdown(Shutdown::Write).expect("a socket");
    assert!(child.wait().expect("a child").success());
}

fn files(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}
