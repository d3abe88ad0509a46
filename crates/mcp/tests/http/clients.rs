//! Clients of both eras, and who they are to the daemon.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    raw::Answer,
    server::{Server, modern},
    stand_in::{self, StandIn, granted, task},
};

fn daemon(home: &std::path::Path) -> StandIn {
    StandIn::listen(home, |request| {
        stand_in::Answer::Reply(match request["type"].as_str() {
            Some("lock") => granted("granted"),
            Some("task_create") => task("created", "Add login"),
            _ => {
                json!({"sessions": [], "events": [], "last_seq": 0, "tasks": [], "counts": {"blocked": 0, "ready": 0, "claimed": 0,
                "done": 0, "failed": 0, "cancelled": 0}})
            }
        })
    })
}

fn handle(answer: &Answer) -> String {
    let text = answer.text();
    let (_, after) = text.split_once("`session` ").expect("a handle");
    after.split(' ').next().expect("a word").to_owned()
}

fn call(id: u64, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

#[test]
fn both_eras_are_served_at_once() {
    let home = tempdir().expect("a directory");
    let _daemon = daemon(home.path());
    let server = Server::start(home.path());
    let session = server.initialize();
    let found = server.ask(
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: server/discover\r\n",
        &modern(1, "server/discover", json!({})),
    );
    assert_eq!(
        found.json()["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "kite"
    );
    let older = server.ask(
        &session,
        &call(2, "kite_task_create", json!({"title": "Add login"})),
    );
    assert!(
        older.text().starts_with("Task created: 1a2b3c4d"),
        "{older:?}"
    );
    let newer = server.call("", "kite_task_create", json!({"title": "Add login"}));
    assert!(
        newer.text().starts_with("Task created: 1a2b3c4d"),
        "{newer:?}"
    );
}

#[test]
fn a_client_without_a_session_is_given_a_handle_and_known_by_it() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path());
    let server = Server::start(home.path());

    // Reading needs none, and makes none.
    let read = server.call("", "kite_task_list", json!({}));
    assert!(!read.text().contains("`session`"), "{read:?}");
    assert_eq!(daemon.hello()["caller"]["client_session_id"], Value::Null);

    let first = server.call("", "kite_file_lock", json!({"file": "/p/a.rs"}));
    let mine = handle(&first);
    assert_eq!(mine.len(), 48, "{first:?}");
    let told = daemon.hello()["caller"]["client_session_id"].clone();
    assert!(
        told.as_str().is_some_and(|told| !told.contains(&mine[..8])),
        "{told}"
    );

    let again = server.call(
        "",
        "kite_file_unlock",
        json!({"file": "/p/a.rs", "session": mine}),
    );
    assert!(!again.text().contains("`session`"), "{again:?}");
    assert_eq!(daemon.hello()["caller"]["client_session_id"], told);
    let another = server.call("", "kite_file_lock", json!({"file": "/p/a.rs"}));
    assert_ne!(handle(&another), mine);
    assert_ne!(daemon.hello()["caller"]["client_session_id"], told);

    // One that reads has a parameter of that name itself: a handle there is a handle all the same.
    let events = server.call("", "kite_events", json!({"session": mine}));
    assert_eq!(events.json()["result"]["isError"], false, "{events:?}");
    assert_eq!(daemon.hello()["caller"]["client_session_id"], told);

    let asked = daemon.asked().len();
    for made_up in [json!("me"), json!(7), json!("0".repeat(48)), json!("")] {
        let refused = server.call(
            "",
            "kite_file_lock",
            json!({"file": "/p/a.rs", "session": made_up}),
        );
        assert_eq!(refused.json()["result"]["isError"], true, "{made_up}");
        assert!(
            refused.text().contains("none that this server has given"),
            "{refused:?}"
        );
    }
    assert_eq!(daemon.asked().len(), asked, "nothing was done");
    assert!(
        !server.log().contains(&mine),
        "a handle is in no log: {}",
        server.log()
    );
}

#[test]
fn the_handle_is_in_the_schema_of_those_who_need_it() {
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let has_handle = |list: &Answer| {
        let tools = list.json()["result"]["tools"].clone();
        let tools: Vec<Value> = serde_json::from_value(tools).expect("tools");
        let with = tools
            .iter()
            .filter(|tool| tool["inputSchema"]["properties"]["session"]["minLength"] == 48);
        (with.count(), tools.len())
    };
    let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n";
    let newer = server.ask(headers, &modern(1, "tools/list", json!({})));
    let (with, all) = has_handle(&newer);
    // One that reads has a parameter of that name itself.
    assert!(with + 1 >= all, "{with} of {all}");
    let session = server.initialize();
    let older = server.ask(
        &session,
        &json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}),
    );
    assert_eq!(has_handle(&older).0, 0);
    let told = format!(
        "{headers}Kite-Caller: {}\r\n",
        json!({"client": "claude-code", "pid": 1})
    );
    let told = server.ask(&told, &modern(1, "tools/list", json!({})));
    assert_eq!(has_handle(&told).0, 0);
}

#[test]
fn an_agent_that_is_wired_is_the_session_of_its_own_process() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path());
    let server = Server::start(home.path());
    let caller = json!({"client": "claude-code", "pid": 4242, "client_session_id": "5b0c", "cwd": "/p/\u{e4}"});
    let header = format!(
        "Kite-Caller: {}\r\n",
        caller.to_string().replace('ä', "\\u00e4")
    );
    let locked = server.call(&header, "kite_file_lock", json!({"file": "a.rs"}));
    assert!(!locked.text().contains("`session`"), "{locked:?}");
    let hello = daemon.hello()["caller"].clone();
    for (field, value) in caller.as_object().expect("fields") {
        assert_eq!(&hello[field], value, "{field}");
    }
    assert_eq!(hello["fingerprint"], kite_mcp::fingerprint());
}

#[test]
fn two_sessions_are_two_and_stand_where_they_say() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path());
    let server = Server::start(home.path());
    let (one, two) = (server.initialize(), server.initialize());
    let lock = call(2, "kite_file_lock", json!({"file": "a.rs"}));
    server.ask(&format!("{one}Kite-Directory: /p\r\n"), &lock);
    let first = daemon.hello()["caller"].clone();
    assert_eq!(first["cwd"], "/p");
    assert_eq!(first["pid"], Value::Null);
    server.ask(&two, &lock);
    let second = daemon.hello()["caller"].clone();
    assert_ne!(first["client_session_id"], second["client_session_id"]);
    // Where the protocol has no sessions, the header of the other era is none.
    server.call(&one, "kite_file_lock", json!({"file": "a.rs"}));
    assert_ne!(
        daemon.hello()["caller"]["client_session_id"],
        first["client_session_id"]
    );
}
