//! Much, slow, and without end: each has a limit, and costs nobody else anything.

use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    raw::Wire,
    server::{SOON, Server, modern},
};

/// The longest message, as `docs/http.md` gives it.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// How long a stranger may stay, as `docs/http.md` gives it.
const STRANGER_MAX: Duration = Duration::from_secs(10);

fn is_served(server: &Server) {
    let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n";
    let begun = Instant::now();
    let answer = server.ask(headers, &modern(1, "tools/list", json!({})));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(begun.elapsed() < SOON / 2, "{:?}", begun.elapsed());
}

#[test]
fn too_large_a_message_is_refused_before_it_is_sent_or_while_it_is() {
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let head = format!(
        "{}Content-Type: application/json\r\n",
        server.head("POST", "/mcp")
    );
    let mut declared = server.connect();
    declared.send(&format!(
        "{head}Content-Length: {}\r\n\r\n",
        MESSAGE_BYTES_MAX + 1
    ));
    assert_eq!(declared.answer().status, 413);

    let mut endless = server.connect();
    endless.send(&format!("{head}Transfer-Encoding: chunked\r\n\r\n"));
    let part = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000)).into_bytes();
    let mut sent = 0;
    while endless.push(&part) {
        sent += part.len();
        assert!(sent < 64 * MESSAGE_BYTES_MAX, "it takes a body without end");
    }

    // The largest that is allowed is read to its end, and found to be no message.
    let mut largest = server.connect();
    largest.send(&format!(
        "{head}Content-Length: {MESSAGE_BYTES_MAX}\r\n\r\n"
    ));
    assert!(largest.push(&vec![b' '; MESSAGE_BYTES_MAX]));
    assert_eq!(largest.answer().status, 400);
    is_served(&server);
}

#[test]
fn too_many_and_too_long_headers_are_refused() {
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let head = server.head("GET", "/healthz");
    let many: String = (0..100)
        .map(|number| format!("X-{number}: x\r\n"))
        .collect();
    let long = format!("X: {}\r\n", "x".repeat(64 << 10));
    for more in [many, long] {
        let mut wire = server.connect();
        // It may stop reading before the end.
        wire.push(format!("{head}{more}\r\n").as_bytes());
        let answer = wire.try_answer();
        assert!(
            answer.as_ref().is_none_or(|answer| answer.status == 431),
            "{answer:?}"
        );
    }
    is_served(&server);
}

#[test]
fn who_is_slow_is_let_go_and_keeps_nobody_waiting() {
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let begun = Instant::now();
    // A stranger that never comes to the end of its head, one that says nothing, and one who is
    // known and never comes to the end of its message.
    let mut dribbling = server.connect();
    dribbling.send("POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    let mut silent = server.connect();
    let mut known = server.connect();
    known.send(&format!(
        "{}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        server.head("POST", "/mcp")
    ));
    is_served(&server);
    assert!(dribbling.try_answer().is_none());
    assert!(silent.try_answer().is_none());
    assert_eq!(known.answer().status, 408);
    assert!(begun.elapsed() >= STRANGER_MAX / 2, "{:?}", begun.elapsed());
    assert!(begun.elapsed() < 3 * STRANGER_MAX, "{:?}", begun.elapsed());
    is_served(&server);
}

#[test]
fn a_crowd_of_strangers_keeps_nobody_out() {
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let session = server.initialize();
    let mut stream = server.connect();
    stream.send(&format!("{}{session}\r\n", server.head("GET", "/mcp")));
    assert!(stream.stream_head().contains("200"));
    let crowd: Vec<Wire> = (0..300).map(|_| server.connect()).collect();
    is_served(&server);
    drop(crowd);
    is_served(&server);
    assert!(stream.event().is_some(), "who is known has stayed");
}

#[test]
fn who_reads_nothing_costs_nobody_anything() {
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let session = server.initialize();
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    let request = server.post(&session, &list).into_bytes();
    let deaf = server.connect();
    let mut sending = deaf;
    // Until the answers fill what lies between, and the server stops reading.
    let full = Instant::now() + SOON;
    sending.give_up_writing_after(Duration::from_millis(300));
    let mut sent = 0;
    while sending.push(&request) {
        sent += 1;
        assert!(
            Instant::now() < full,
            "{sent} requests are read, and no answer is"
        );
    }
    is_served(&server);
    assert_eq!(
        server.ask(&session, &list).status,
        200,
        "not even its own session"
    );
}
