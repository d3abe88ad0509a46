//! The end: those who wait are told.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    server::{Server, modern},
    stand_in::{Answer, StandIn},
};

#[test]
fn open_streams_end_with_a_last_word() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |request| match request["type"].as_str() {
        // Whoever asks for a lock waits.
        Some("lock") => Answer::Lines(vec![]),
        Some("cancel") => Answer::Lines(vec![
            json!({"ok": true, "id": request["id"]}),
            json!({"ok": false, "id": request["request"], "error": {"code": "cancelled", "message": "Cancelled."}}),
        ]),
        _ => Answer::Reply(json!({})),
    });
    let mut server = Server::start(home.path());
    let session = server.initialize();

    let mut older = server.connect();
    older.send(&format!("{}{session}\r\n", server.head("GET", "/mcp")));
    assert!(older.stream_head().contains("text/event-stream"));
    assert!(older.event().expect("a first word").contains("retry:"));

    let mut waiting = server.connect();
    waiting.send(&server.post(
        &session,
        &json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {
        "name": "kite_file_lock", "arguments": {"file": "/p/a.rs", "wait_seconds": 30}}}),
    ));

    let mut newer = server.connect();
    newer.send(&server.post(
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n",
        &modern(
            9,
            "subscriptions/listen",
            json!({"notifications": {"resourceSubscriptions": ["kite://locks"]}}),
        ),
    ));
    assert!(newer.stream_head().contains("200"));
    let begun = newer.event().expect("a first word");
    assert!(
        begun.contains("notifications/subscriptions/acknowledged"),
        "{begun}"
    );
    daemon.wait_for("lock");

    server.terminate();
    let last = last(&mut newer);
    assert!(
        last.contains("\"id\":9") && last.contains("\"resultType\":\"complete\""),
        "{last}"
    );
    let answered: Value = waiting.answer().json();
    assert_eq!(answered["id"], 7, "{answered}");
    let retry = self::last(&mut older);
    assert!(retry.contains("retry:"), "{retry}");
    assert!(server.exit().success());
}

fn last(wire: &mut crate::raw::Wire) -> String {
    let mut last = String::new();
    while let Some(event) = wire.event() {
        last = event;
    }
    last
}
