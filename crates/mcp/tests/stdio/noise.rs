//! Input that is no request, or not yet.

use serde_json::json;
use tempfile::tempdir;

use crate::{
    eras::modern,
    server::{Server, outcome},
    stand_in::{Answer, StandIn},
};

#[test]
fn messages_before_the_handshake_do_no_harm() {
    let home = tempdir().expect("a directory");
    let mut server = Server::start(home.path());
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}),
    );
    server.send(&json!({"jsonrpc": "2.0", "id": 9, "result": {}}));
    server.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    assert_eq!(
        server.receive()["error"]["code"],
        -32602,
        "no era is chosen yet"
    );
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}));
    server.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}));
    assert_eq!(server.receive()["id"], 2);
    assert!(server.initialize("claude-code")["result"].is_object());
}

#[test]
fn garbage_is_passed_over_and_a_wrong_request_answered_under_its_id() {
    let home = tempdir().expect("a directory");
    let mut server = Server::start(home.path());
    server.send_raw(b"\xff\xfe\0garbage\n\n   \n{\"jsonrpc\":\nnull\n");
    assert_eq!(
        server.receive()["error"]["code"],
        -32600,
        "null is JSON, but no message"
    );
    server.initialize("claude-code");
    server.send_raw(b"{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"id\":}\n");
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/unknown", "params": {"x": 1}}));
    server.send(&json!({"jsonrpc": "1.0", "id": 7, "method": "tools/list"}));
    let error = server.receive();
    assert_eq!(
        (&error["id"], &error["error"]["code"]),
        (&json!(7), &json!(-32600))
    );
    server.send(&json!([{"jsonrpc": "2.0", "id": 8, "method": "tools/list"}]));
    assert!(
        server.receive()["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("batches"))
    );
    server.send(&json!({"jsonrpc": "2.0", "id": 9, "method": "tools/unknown"}));
    assert_eq!(server.receive()["error"]["code"], -32601);
    server.send(&json!({"jsonrpc": "2.0", "id": 10, "method": "tools/list"}));
    assert_eq!(server.receive()["id"], 10);
}

#[test]
fn long_lines_are_refused_by_the_rule_they_break() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |_| Answer::HangUp);
    let mut server = Server::initialized(home.path());
    server.call(
        1,
        "kite_task_create",
        json!({"title": "t", "description": "x".repeat(2 << 20)}),
    );
    let (text, is_error) = outcome(&server.receive());
    assert!(
        is_error && text.contains("`description` is at most 8000 characters, not 2097152"),
        "{text}"
    );
    server.call(
        2,
        "kite_task_create",
        json!({"title": "t", "description": "x".repeat(9 << 20)}),
    );
    let error = server.receive();
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("longer than")),
        "{error}"
    );
    server.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list"}));
    assert_eq!(
        server.receive()["id"],
        3,
        "what follows is read from its beginning"
    );
}

#[test]
fn two_requests_under_one_id_break_nothing() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |_| Answer::Reply(json!({"sessions": []})));
    let mut server = Server::initialized(home.path());
    server.call(1, "kite_sessions", json!({}));
    server.call(1, "kite_sessions", json!({}));
    assert_eq!(server.receive()["id"], 1);
    // The protocol forbids it; whether both are answered is not promised.
    server.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}));
    let mut reply = server.receive();
    if reply["id"] == 1 {
        reply = server.receive();
    }
    assert_eq!(reply["id"], 2, "{reply}");
}

#[test]
fn wrong_metadata_of_the_newer_era_is_refused_by_name() {
    let home = tempdir().expect("a directory");
    let mut server = Server::start(home.path());
    let mut request = modern(1, "tools/list", json!({}));
    request["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2031-01-01");
    server.send(&request);
    let refused = server.receive();
    assert_eq!(refused["error"]["code"], -32022, "{refused}");
    assert!(
        refused["error"]["data"]["supported"]
            .as_array()
            .is_some_and(|known| known.contains(&json!("2026-07-28"))),
        "{refused}"
    );
    let mut request = modern(2, "tools/list", json!({}));
    let meta = request["params"]["_meta"].as_object_mut();
    meta.expect("an object")
        .remove("io.modelcontextprotocol/clientCapabilities");
    server.send(&request);
    let refused = server.receive();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    server.send(&modern(3, "tools/list", json!({})));
    assert_eq!(server.receive()["id"], 3);
}
