//! The blocking client, against a stand-in daemon that is slow, chatty or gone.
#![cfg(feature = "messages")]

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use kite_wire::{
    client::{Client, Error},
    reply::{self, Done, Fault, Push, Welcome},
    request::{Heartbeat, Subscribe},
};
use tempfile::TempDir;

/// Shorter than the stand-in daemon's silence, which ends only when the test says so.
const SHORT: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_secs(30);

/// The daemon's end of a connection that has said hello.
struct Daemon {
    lines: BufReader<UnixStream>,
}

impl Daemon {
    /// The id of the next request.
    fn request(&mut self) -> Option<u64> {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a request");
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        value["id"].as_u64()
    }

    fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.lines
            .get_mut()
            .write_all(bytes.as_ref())
            .expect("the client listens");
    }
}

struct Stage {
    _directory: TempDir,
    socket: PathBuf,
    daemon: JoinHandle<()>,
}

fn stage(play: impl FnOnce(&mut Daemon) + Send + 'static) -> Stage {
    let directory = TempDir::new().expect("a directory");
    let socket = directory.path().join("kite.sock");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let daemon = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut daemon = Daemon {
            lines: BufReader::new(stream),
        };
        let id = daemon.request();
        daemon.say(reply::ok_line(
            id,
            &Welcome {
                pid: 812,
                ..Welcome::default()
            },
        ));
        play(&mut daemon);
    });
    Stage {
        _directory: directory,
        socket,
        daemon,
    }
}

fn tasks_changed(project: &str) -> Push {
    Push {
        push: "tasks".to_owned(),
        project: Some(project.to_owned()),
        ..Push::default()
    }
}

#[test]
fn half_a_line_survives_a_timeout() {
    let (go_on, when) = mpsc::channel();
    let stage = stage(move |daemon| {
        let line = reply::push_line(&tasks_changed("/home/ada/shop"));
        let (first, second) = line.split_at(10);
        daemon.say(first);
        when.recv().expect("the test goes on");
        daemon.say(second);
    });
    let mut client = Client::connect(&stage.socket, "test", "0", None).expect("connected");

    for _ in 0..3 {
        assert_eq!(client.next_push(Some(SHORT)).expect("no fault"), None);
    }
    go_on.send(()).expect("the daemon waits");

    assert_eq!(
        client.next_push(Some(LONG)).expect("no fault"),
        Some(tasks_changed("/home/ada/shop"))
    );
    stage.daemon.join().expect("the daemon has played");
}

#[test]
fn a_push_before_a_reply_is_not_lost() {
    let stage = stage(|daemon| {
        let id = daemon.request();
        daemon.say(reply::push_line(&tasks_changed("a")));
        daemon.say(reply::push_line(&tasks_changed("b")));
        daemon.say(reply::ok_line(Some(999), &Done {}));
        daemon.say(reply::ok_line(id, &Done {}));
    });
    let mut client = Client::connect(&stage.socket, "test", "0", None).expect("connected");

    let topics = vec!["tasks".to_owned()];
    let _: Done = client.ask(Subscribe { topics }).expect("subscribed");

    for project in ["a", "b"] {
        assert_eq!(
            client.next_push(Some(LONG)).expect("no fault"),
            Some(tasks_changed(project))
        );
    }
}

#[test]
fn a_reply_may_take_longer_than_a_push_was_waited_for() {
    let stage = stage(|daemon| {
        let id = daemon.request();
        thread::sleep(5 * SHORT);
        daemon.say(reply::ok_line(id, &Done {}));
    });
    let mut client = Client::connect(&stage.socket, "test", "0", None).expect("connected");
    assert_eq!(client.next_push(Some(SHORT)).expect("no fault"), None);
    let _: Done = client.ask(Heartbeat {}).expect("an answer");
}

#[test]
fn a_fault_keeps_its_words() {
    let stage = stage(|daemon| {
        let id = daemon.request();
        daemon.say(reply::fault_line(
            id,
            &Fault::new("unknown_session", "no such session").hint("register first"),
        ));
    });
    let mut client = Client::connect(&stage.socket, "test", "0", None).expect("connected");
    let error = client.ask::<Done>(Heartbeat {}).expect_err("a fault");
    assert_eq!(error.to_string(), "no such session register first");
    assert!(!error.is_absent());
}

#[test]
fn a_daemon_that_goes_away_is_told_from_one_that_never_was() {
    let stage = stage(|_| ());
    let mut client = Client::connect(&stage.socket, "test", "0", None).expect("connected");
    let error = client.next_push(Some(LONG)).expect_err("gone");
    assert!(matches!(error, Error::Io(_)) && !error.is_absent());

    stage.daemon.join().expect("the daemon has ended");
    let error = Client::connect(&stage.socket, "test", "0", None)
        .err()
        .expect("nobody listens");
    assert!(error.is_absent(), "{error}");
}
