//! Sessions of the older era outlive what happens to servers.

use serde_json::json;
use tempfile::tempdir;

use crate::{
    server::Server,
    stand_in::{Answer, StandIn, task},
};

#[test]
fn a_session_survives_a_restart_of_server_and_daemon() {
    let home = tempdir().expect("a directory");
    let answer = |_: &serde_json::Value| Answer::Reply(task("created", "Add login"));
    let daemon = StandIn::listen(home.path(), answer);
    let mut server = Server::start(home.path());
    let port = server.address.port();
    let session = server.initialize();
    let call = |id: u64| {
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {"name": "kite_task_create", "arguments": {"title": "Add login"}}})
    };
    assert!(
        server
            .ask(&session, &call(2))
            .text()
            .starts_with("Task created")
    );
    let before = daemon.hello()["caller"].clone();

    server.terminate();
    assert!(server.exit().success());
    drop(server);
    daemon.end();
    let daemon = StandIn::listen(home.path(), answer);
    let server = Server::start_at(home.path(), port);
    let again = server.ask(&session, &call(3));
    assert!(again.text().starts_with("Task created"), "{again:?}");
    assert_eq!(
        daemon.hello()["caller"],
        before,
        "and is the same to the daemon"
    );

    drop(server);
    let server = Server::start_at(home.path(), port);
    // Many at once bring it back once.
    let mut wires: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for (wire, id) in wires.iter_mut().zip(4..) {
        wire.send(&server.post(&session, &call(id)));
    }
    for mut wire in wires {
        assert_eq!(wire.answer().status, 200);
    }
}

#[test]
fn a_session_that_comes_back_follows_what_it_followed() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |request| {
        Answer::Reply(match request["type"].as_str() {
            Some("query") => json!({"locks": []}),
            _ => json!({}),
        })
    });
    let mut server = Server::start(home.path());
    let port = server.address.port();
    let session = server.initialize();
    let subscribe = json!({"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe",
        "params": {"uri": "kite://locks"}});
    assert!(server.ask(&session, &subscribe).json()["result"].is_object());
    server.terminate();
    assert!(server.exit().success());
    drop(server);

    let server = Server::start_at(home.path(), port);
    let mut stream = server.connect();
    stream.send(&format!("{}{session}\r\n", server.head("GET", "/mcp")));
    assert!(stream.stream_head().contains("200"));
    let told = loop {
        let event = stream.event().expect("it does not end");
        if event.contains("method") {
            break event;
        }
    };
    assert!(
        told.contains("notifications/resources/updated") && told.contains("kite://locks"),
        "{told}"
    );
}

#[test]
fn a_session_that_its_client_has_ended_is_not_found_any_more() {
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let session = server.initialize();
    let mut wire = server.connect();
    wire.send(&format!("{}{session}\r\n", server.head("DELETE", "/mcp")));
    assert_eq!(wire.answer().status, 204);
    let ping = json!({"jsonrpc": "2.0", "id": 3, "method": "ping"});
    assert_eq!(server.ask(&session, &ping).status, 404);
    let made_up = "Mcp-Session-Id: ../../http-token\r\n";
    assert_eq!(server.ask(made_up, &ping).status, 404);
}
