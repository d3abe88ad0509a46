//! Resources: listed, read, completed, in both eras.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    eras::modern,
    server::Server,
    stand_in::{Answer, StandIn},
};

const LOGIN: &str = "1a2b3c4d5e6f70811a2b3c4d5e6f7081";

fn a_task(id: &str, title: &str) -> Value {
    json!({"id": id, "title": title, "description": "long", "priority": "normal", "project": "/p", "state": "ready",
        "attempt": 0, "created_at": "2026-11-22T14:02:11+01:00"})
}

fn a_session(id: &str, since: &str) -> Value {
    json!({"id": id, "client": "claude-code", "client_session_id": "secret", "pid": 7, "state": "active", "project": "/p",
        "since": since, "last_seen": since})
}

/// A daemon with two tasks, two sessions, a lock and some events.
fn answered(request: &Value) -> Answer {
    Answer::Reply(
        match (request["type"].as_str(), request["target"].as_str()) {
            (Some("task_list"), _) => {
                json!({"tasks": [a_task(LOGIN, "Add\u{202e}login"), a_task("77aa", "Logout")],
            "next_cursor": "7", "counts": {"blocked": 0, "ready": 2, "claimed": 0, "done": 0, "failed": 0, "cancelled": 0}})
            }
            (Some("task_show"), _) if request["task"] == "1a2b3c4d" => {
                json!({"outcome": "shown", "task": a_task(LOGIN, "Add login"),
            "history": [{"seq": 3, "at": "t", "kind": "task", "what": "created", "outcome": "ready"}]})
            }
            (Some("task_show"), _) => {
                json!({"ok": false, "error": {"code": "unknown_task", "message": "No task has the id \"9\".",
            "hint": "kite_task_list lists them."}})
            }
            (_, Some("sessions")) => {
                json!({"you": "3f2a91bc00", "sessions": [a_session("77aa01de", "2026-11-22T14:00:00+01:00"),
            a_session("3f2a91bc00", "2026-11-22T13:00:00+01:00")]})
            }
            (_, Some("locks")) => {
                json!({"waited_ms": 0, "locks": [{"target": "/p/b.rs", "kind": "lock", "session": "77aa", "project": "/p",
            "epoch": "17.3", "since": "s", "until": "u"}, {"target": "/p/a.rs", "kind": "hold", "session": "77aa", "project": "/p",
            "since": "s", "until": "u"}]})
            }
            _ => {
                json!({"events": [{"seq": 41, "at": "t", "kind": "tool", "what": "lock", "input": {"secret": 1}}], "last_seq": 41})
            }
        },
    )
}

/// Reads a resource: its JSON, where there is one, or the error.
fn read(server: &mut Server, uri: &str) -> Result<Value, Value> {
    server.send(
        &json!({"jsonrpc": "2.0", "id": 5, "method": "resources/read", "params": {"uri": uri}}),
    );
    let reply = server.receive();
    assert_eq!(reply["id"], 5, "{reply}");
    if reply.get("error").is_some() {
        return Err(reply["error"].clone());
    }
    let content = &reply["result"]["contents"][0];
    assert_eq!(content["uri"], uri);
    assert_eq!(content["mimeType"], "application/json");
    Ok(serde_json::from_str(content["text"].as_str().expect("a text")).expect("JSON"))
}

#[test]
fn the_state_is_read_as_json() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), answered);
    let mut server = Server::initialized(home.path());
    let tasks = read(&mut server, "kite://tasks/ready?limit=2").expect("tasks");
    assert_eq!(
        tasks["tasks"][0]["title"], "Add\\u{202e}login",
        "what hides is shown"
    );
    assert!(tasks["tasks"][0].get("description").is_none(), "{tasks}");
    assert_eq!(tasks["counts"]["ready"], 2);
    assert_eq!(tasks["next"], "kite://tasks/ready?limit=2&cursor=7");
    let asked = daemon.wait_for("task_list");
    assert_eq!(
        (&asked["status"], &asked["limit"]),
        (&json!("ready"), &json!(2))
    );

    let task = read(&mut server, "kite://task/1A2B3C4D").expect("a task");
    assert_eq!(task["task"]["description"], "long");
    assert_eq!(task["history"][0]["what"], "created");

    let sessions = read(&mut server, "kite://sessions/active").expect("sessions");
    assert_eq!(sessions["sessions"][0]["id"], "3f2a91bc00", "oldest first");
    assert_eq!(sessions["you"], "3f2a91bc00");
    assert!(
        !sessions.to_string().contains("secret"),
        "nobody learns another's own id"
    );
    let page = read(&mut server, "kite://sessions?limit=1").expect("a page");
    let next = page["next"].as_str().expect("a next page").to_owned();
    let page = read(&mut server, &next).expect("the next page");
    assert_eq!(page["sessions"][0]["id"], "77aa01de");
    assert!(page.get("next").is_none(), "{page}");

    let locks = read(&mut server, "kite://locks").expect("locks");
    assert_eq!(locks["locks"][0]["target"], "/p/a.rs");
    assert_eq!(locks["locks"][1]["epoch"], "17.3");

    let events = read(&mut server, "kite://events").expect("events");
    assert_eq!(events["events"][0]["seq"], 41);
    assert!(!events.to_string().contains("secret"), "{events}");
    assert_eq!(events["next"], "kite://events?after=41");
    assert!(
        daemon
            .asked()
            .iter()
            .all(|request| request.get("op_id").is_none()),
        "reading changes nothing"
    );
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), answered);
    let mut server = Server::initialized(home.path());
    let unknown = read(&mut server, "kite://task").expect_err("no such resource");
    assert_eq!(unknown["code"], -32002);
    assert!(
        unknown["message"].as_str().is_some_and(
            |text| text.contains("Did you mean kite://tasks?") && text.contains("kite://locks")
        ),
        "{unknown}"
    );
    let absent = read(&mut server, "kite://task/9").expect_err("no such task");
    assert_eq!(absent["code"], -32002);
    assert_eq!(
        absent["message"],
        "No task has the id \"9\". kite_task_list lists them."
    );
    server.send(&modern(
        6,
        "resources/read",
        json!({"uri": "kite://task/9"}),
    ));
    let absent = server.receive();
    assert_eq!(
        absent["error"]["code"], -32602,
        "the newer era has another code: {absent}"
    );
    let two = read(&mut server, "kite://session/7").expect_err("two sessions");
    assert!(
        two["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("Several sessions")),
        "{two}"
    );
}

#[test]
fn lists_are_told_without_a_word_to_the_daemon() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::HangUp);
    let mut server = Server::start(home.path());
    server.send(&modern(1, "resources/list", json!({})));
    let list = server.receive();
    let uris: Vec<&str> = list["result"]["resources"]
        .as_array()
        .expect("resources")
        .iter()
        .map(|resource| resource["uri"].as_str().expect("a URI"))
        .collect();
    for uri in [
        "kite://tasks",
        "kite://tasks/pending",
        "kite://sessions",
        "kite://sessions/active",
        "kite://locks",
        "kite://events",
    ] {
        assert!(uris.contains(&uri), "{uri} in {uris:?}");
    }
    assert!(
        list["result"]["ttlMs"].as_u64().is_some_and(|ttl| ttl > 0),
        "{list}"
    );
    server.send(&modern(2, "resources/templates/list", json!({})));
    let templates = server.receive();
    assert_eq!(
        templates["result"]["resourceTemplates"][1]["uriTemplate"],
        "kite://task/{id}"
    );
    assert_eq!(daemon.all(), Vec::<Value>::new());
}

#[test]
fn ids_are_completed() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), answered);
    let mut server = Server::initialized(home.path());
    let mut completed = |template: &str, name: &str, start: &str| {
        server.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "completion/complete", "params": {
            "ref": {"type": "ref/resource", "uri": template}, "argument": {"name": name, "value": start}}}));
        server.receive()["result"]["completion"]["values"].clone()
    };
    assert_eq!(
        completed("kite://task/{id}", "id", "1a"),
        json!(["1a2b3c4d"])
    );
    assert_eq!(completed("kite://task/{id}", "id", "logo"), json!(["77aa"]));
    assert_eq!(
        completed("kite://session/{id}", "id", ""),
        json!(["3f2a91bc", "77aa01de"])
    );
    assert_eq!(
        completed("kite://tasks/{state}{?cursor,limit,project}", "state", "c"),
        json!(["claimed", "cancelled"])
    );
    assert_eq!(completed("kite://weather/{id}", "id", ""), json!([]));
    daemon.end();
    let mut server = Server::start_with(home.path(), &[("START_FAILS", "1")]);
    server.initialize("claude-code");
    server.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "completion/complete", "params": {
        "ref": {"type": "ref/resource", "uri": "kite://task/{id}"}, "argument": {"name": "id", "value": ""}}}));
    assert_eq!(
        server.receive()["result"]["completion"]["values"],
        json!([]),
        "without a daemon there is nothing to offer"
    );
}

/// The daemon gives no more entries than this at once.
const ENTRIES_MAX: usize = 1_000;

#[test]
fn a_list_that_may_be_longer_than_the_daemon_tells_says_so() {
    for (there_are, may_be_more) in [(ENTRIES_MAX - 1, false), (ENTRIES_MAX, true)] {
        let home = tempdir().expect("a directory");
        let daemon = StandIn::listen(home.path(), move |request| {
            let lock = |n| {
                json!({"target": format!("/p/{n}"), "kind": "lock", "session": "77aa",
                    "project": "/p", "epoch": "1.1", "since": "s", "until": "u"})
            };
            let session = |n| a_session(&format!("{n:08x}"), "2026-11-22T14:00:00+01:00");
            Answer::Reply(match request["target"].as_str() {
                Some("locks") => {
                    json!({"waited_ms": 0, "locks": (0..there_are).map(lock).collect::<Vec<_>>()})
                }
                _ => json!({"sessions": (0..there_are).map(session).collect::<Vec<_>>()}),
            })
        });
        let mut server = Server::initialized(home.path());
        for uri in ["kite://locks", "kite://sessions", "kite://sessions/active"] {
            let list = read(&mut server, uri).expect("a list");
            assert_eq!(list["incomplete"] == true, may_be_more, "{uri}");
        }
        assert_eq!(daemon.wait_for("query")["limit"], ENTRIES_MAX);
    }
}
