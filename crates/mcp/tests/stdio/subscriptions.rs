//! Subscriptions: who hears of what, how soon, and how often.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    eras::modern,
    server::{EXIT_MAX, SOON, Server},
    stand_in::{Answer, StandIn},
};

/// Long enough for an update that should not come to have come.
const QUIET: Duration = Duration::from_millis(300);

/// A daemon whose one task has this title, and which says so when asked.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<String>>);

impl Queue {
    fn listen(&self, home: &std::path::Path) -> StandIn {
        let queue = self.clone();
        StandIn::listen(home, move |request| {
            Answer::Reply(match request["type"].as_str() {
                Some("task_list") => {
                    json!({"tasks": [{"id": "1a2b", "title": *queue.0.lock().expect("unbroken"), "priority": "normal",
                "project": "/p", "state": "ready", "attempt": 0, "created_at": "t"}]})
                }
                _ => {
                    json!({"locks": [], "waited_ms": 0, "sessions": [], "events": [], "last_seq": 0})
                }
            })
        })
    }

    fn set(&self, title: &str) {
        title.clone_into(&mut self.0.lock().expect("unbroken"));
    }
}

fn changed() -> Value {
    json!({"push": "tasks", "project": "/p", "ids": ["1a2b"]})
}

fn listen(id: u64, uris: &[&str]) -> Value {
    modern(
        id,
        "subscriptions/listen",
        json!({"notifications": {"resourceSubscriptions": uris}}),
    )
}

/// The URI of the update that comes next.
fn updated(server: &mut Server) -> String {
    let update = server.receive();
    assert_eq!(
        update["method"], "notifications/resources/updated",
        "{update}"
    );
    update["params"]["uri"].as_str().expect("a URI").to_owned()
}

fn subscribed(server: &mut Server, uri: &str) {
    server.send(&json!({"jsonrpc": "2.0", "id": 9, "method": "resources/subscribe", "params": {"uri": uri}}));
    assert!(server.receive()["result"].is_object());
    assert_eq!(updated(server), uri, "one update at once");
}

#[test]
fn in_the_older_era_a_change_is_told_and_nothing_else() {
    let home = tempdir().expect("a directory");
    let queue = Queue::default();
    let daemon = queue.listen(home.path());
    let mut server = Server::initialized(home.path());
    subscribed(&mut server, "kite://tasks/ready");
    assert_eq!(daemon.wait_for("subscribe")["topics"], json!(["tasks"]));
    assert_eq!(server.next_within(QUIET), None, "nothing has changed");

    queue.set("other");
    let begun = Instant::now();
    daemon.push(&changed());
    assert_eq!(updated(&mut server), "kite://tasks/ready");
    assert!(begun.elapsed() < SOON);

    daemon.push(&changed());
    daemon.push(&json!({"push": "locks"}));
    assert_eq!(
        server.next_within(QUIET),
        None,
        "a push is not a change of this"
    );

    server.send(&json!({"jsonrpc": "2.0", "id": 10, "method": "resources/unsubscribe", "params": {"uri": "kite://tasks/ready"}}));
    assert!(server.receive()["result"].is_object());
    queue.set("third");
    daemon.push(&changed());
    assert_eq!(
        server.next_within(QUIET),
        None,
        "whoever unsubscribed is left alone"
    );
}

#[test]
fn in_the_newer_era_one_request_listens_to_several() {
    let home = tempdir().expect("a directory");
    let queue = Queue::default();
    let daemon = queue.listen(home.path());
    let mut server = Server::start(home.path());
    server.send(&listen(
        4,
        &["kite://task/1a2b", "kite://weather", "kite://events"],
    ));
    let acknowledged = server.receive();
    assert_eq!(
        acknowledged["method"], "notifications/subscriptions/acknowledged",
        "{acknowledged}"
    );
    assert_eq!(
        acknowledged["params"]["notifications"]["resourceSubscriptions"],
        json!(["kite://task/1a2b", "kite://events"]),
        "what there is not is not promised"
    );
    let mut first = [updated(&mut server), updated(&mut server)];
    first.sort();
    assert_eq!(first, ["kite://events", "kite://task/1a2b"]);
    daemon.push(&changed());
    let update = server.receive();
    assert_eq!(update["params"]["uri"], "kite://task/1a2b");
    assert_eq!(
        update["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        4
    );
    daemon.push(&json!({"push": "tasks", "ids": ["77aa"]}));
    daemon.push(&json!({"push": "log"}));
    assert_eq!(
        updated(&mut server),
        "kite://events",
        "another task is another resource"
    );

    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}}),
    );
    server.send(&modern(5, "tools/list", json!({})));
    assert_eq!(server.receive()["id"], 5);
    daemon.push(&changed());
    assert_eq!(
        server.next_within(QUIET),
        None,
        "whoever cancelled is left alone"
    );
}

#[test]
fn both_eras_may_follow_on_one_process() {
    let home = tempdir().expect("a directory");
    let queue = Queue::default();
    let daemon = queue.listen(home.path());
    let mut server = Server::initialized(home.path());
    subscribed(&mut server, "kite://tasks");
    server.send(&listen(4, &["kite://tasks"]));
    assert_eq!(
        server.receive()["method"],
        "notifications/subscriptions/acknowledged"
    );
    assert_eq!(updated(&mut server), "kite://tasks");
    queue.set("other");
    daemon.push(&changed());
    let (one, other) = (server.receive(), server.receive());
    let by_listening = [&one, &other]
        .iter()
        .filter(|update| update["params"].get("_meta").is_some())
        .count();
    assert_eq!(by_listening, 1, "{one} {other}");
}

#[test]
fn many_changes_are_few_updates_and_the_last_one_is_told() {
    let home = tempdir().expect("a directory");
    let queue = Queue::default();
    let daemon = queue.listen(home.path());
    let mut server = Server::initialized(home.path());
    subscribed(&mut server, "kite://tasks");
    let begun = Instant::now();
    let mut last = 0;
    while begun.elapsed() < Duration::from_secs(1) {
        last += 1;
        queue.set(&last.to_string());
        daemon.push(&changed());
        std::thread::sleep(Duration::from_millis(2));
    }
    let changes = last;
    let mut updates = 0;
    while server.next_within(QUIET).is_some() {
        updates += 1;
    }
    assert!(changes > 100, "{changes}: too few to say anything");
    assert!(
        (5..=12).contains(&updates),
        "{updates} updates for {changes} changes"
    );
    queue.set("at last");
    daemon.push(&changed());
    assert_eq!(updated(&mut server), "kite://tasks");
}

#[test]
fn a_subscription_outlives_the_daemon_and_begins_anew_with_one_update() {
    let home = tempdir().expect("a directory");
    let queue = Queue::default();
    let daemon = queue.listen(home.path());
    let mut server = Server::initialized(home.path());
    subscribed(&mut server, "kite://tasks");
    server.send(&listen(4, &["kite://locks"]));
    assert_eq!(
        server.receive()["method"],
        "notifications/subscriptions/acknowledged"
    );
    assert_eq!(updated(&mut server), "kite://locks");
    daemon.end();
    let daemon = queue.listen(home.path());
    let mut both = [updated(&mut server), updated(&mut server)];
    both.sort();
    assert_eq!(both, ["kite://locks", "kite://tasks"]);
    assert_eq!(server.next_within(QUIET), None, "one each");
    queue.set("other");
    daemon.push(&changed());
    assert_eq!(updated(&mut server), "kite://tasks");
}

#[test]
fn a_subscriber_that_does_not_read_holds_up_nobody() {
    let home = tempdir().expect("a directory");
    let queue = Queue::default();
    let daemon = queue.listen(home.path());
    let mut deaf = Server::unread(home.path());
    deaf.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "clientInfo": {"name": "deaf", "version": "1"}}}));
    deaf.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    deaf.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": {"uri": "kite://tasks"}}));
    // More answers than a pipe holds, and nobody reads them.
    for id in 0..60 {
        deaf.send(&json!({"jsonrpc": "2.0", "id": 10 + id, "method": "tools/list"}));
    }
    let mut server = Server::initialized(home.path());
    subscribed(&mut server, "kite://tasks");
    for title in ["a", "b", "c"] {
        queue.set(title);
        daemon.push(&changed());
        assert_eq!(updated(&mut server), "kite://tasks");
    }
    kill_process(Pid::from_child(&deaf.child), Signal::TERM).expect("a signal");
    let (_, took) = deaf.exit();
    assert!(took < EXIT_MAX, "{took:?}");
}

#[test]
fn the_end_of_the_process_ends_a_subscription_in_order() {
    let home = tempdir().expect("a directory");
    let _daemon = Queue::default().listen(home.path());
    let mut server = Server::start(home.path());
    server.send(&listen(4, &["kite://tasks"]));
    assert_eq!(
        server.receive()["method"],
        "notifications/subscriptions/acknowledged"
    );
    updated(&mut server);
    kill_process(Pid::from_child(&server.child), Signal::TERM).expect("a signal");
    let last = server.receive();
    assert_eq!(
        (&last["id"], &last["result"]["resultType"]),
        (&json!(4), &json!("complete")),
        "{last}"
    );
    let (status, took) = server.exit();
    assert!(
        status.success() && took < EXIT_MAX,
        "{status} after {took:?}"
    );
}

#[test]
fn the_end_of_input_ends_it_with_a_subscription_open() {
    let home = tempdir().expect("a directory");
    let _daemon = Queue::default().listen(home.path());
    let mut server = Server::start(home.path());
    server.send(&listen(4, &["kite://tasks"]));
    assert_eq!(
        server.receive()["method"],
        "notifications/subscriptions/acknowledged"
    );
    server.close_input();
    let (_, took) = server.exit();
    assert!(took < EXIT_MAX, "{took:?}");
}

#[test]
fn whom_no_resource_interests_costs_the_daemon_nothing() {
    let home = tempdir().expect("a directory");
    let daemon = Queue::default().listen(home.path());
    let mut server = Server::start(home.path());
    // As Claude Code does in the newer era.
    server.send(&modern(
        4,
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true, "resourcesListChanged": true}}),
    ));
    let acknowledged = server.receive();
    assert_eq!(
        acknowledged["params"]["notifications"],
        json!({}),
        "no list changes: {acknowledged}"
    );
    assert_eq!(server.next_within(QUIET), None);
    assert_eq!(daemon.all(), Vec::<Value>::new());
}

#[test]
fn an_unknown_resource_cannot_be_subscribed_to() {
    let home = tempdir().expect("a directory");
    let mut server = Server::initialized(home.path());
    server.send(&json!({"jsonrpc": "2.0", "id": 9, "method": "resources/subscribe", "params": {"uri": "kite://weather"}}));
    let error = server.receive();
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("kite://tasks")),
        "{error}"
    );
}

/// More than this one client cannot follow.
const SUBSCRIPTIONS_MAX: usize = 100;

fn asking(method: &str, uri: &str) -> Value {
    let id = format!("{method} {uri}");
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"uri": uri}})
}

/// The answer that comes next, past all updates.
fn answered(server: &mut Server) -> Value {
    loop {
        let message = server.receive();
        if message.get("id").is_some() {
            return message;
        }
    }
}

#[test]
fn one_subscription_too_many_is_refused_by_its_limit_until_another_ends() {
    let home = tempdir().expect("a directory");
    let queue = Queue::default();
    let _daemon = queue.listen(home.path());
    let mut server = Server::initialized(home.path());
    let uri = |number: usize| format!("kite://task/{number:04x}");
    for number in 0..SUBSCRIPTIONS_MAX {
        server.send(&asking("resources/subscribe", &uri(number)));
    }
    for _ in 0..SUBSCRIPTIONS_MAX {
        let answer = answered(&mut server);
        assert!(answer["result"].is_object(), "{answer}");
    }
    let one_more = asking("resources/subscribe", &uri(SUBSCRIPTIONS_MAX));
    server.send(&one_more);
    let refused = answered(&mut server);
    let why = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(why.contains("may follow 100 resources"), "{refused}");
    server.send(&asking("resources/subscribe", &uri(7)));
    assert!(
        answered(&mut server)["result"].is_object(),
        "one that is followed already takes no more room"
    );
    server.send(&asking("resources/unsubscribe", &uri(7)));
    assert!(answered(&mut server)["result"].is_object());
    server.send(&one_more);
    assert!(answered(&mut server)["result"].is_object(), "there is room");
    while updated(&mut server) != uri(SUBSCRIPTIONS_MAX) {}
}

#[test]
fn who_subscribes_and_unsubscribes_at_once_is_told_what_it_wants_in_the_end() {
    let home = tempdir().expect("a directory");
    let queue = Queue::default();
    let daemon = queue.listen(home.path());
    let mut server = Server::initialized(home.path());
    let uri = |number: usize| format!("kite://tasks?limit={}", number + 1);
    // All at once, and more than is taken note of at one time.
    for number in 0..SUBSCRIPTIONS_MAX {
        server.send(&asking("resources/subscribe", &uri(number)));
    }
    for number in 1..SUBSCRIPTIONS_MAX {
        server.send(&asking("resources/unsubscribe", &uri(number)));
    }
    for _ in 0..2 * SUBSCRIPTIONS_MAX - 1 {
        assert!(answered(&mut server)["result"].is_object());
    }
    // Updates that were owed before.
    while server.next_within(QUIET).is_some() {}
    queue.set("other");
    daemon.push(&changed());
    assert_eq!(updated(&mut server), uri(0));
    assert_eq!(server.next_within(QUIET), None, "the others have ended");
}
