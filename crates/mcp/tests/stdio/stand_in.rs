//! A stand-in for the daemon: it listens at the home's socket, keeps what it is asked, and answers
//! as the test says.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use kite_wire::home::Home;
use serde_json::{Value, json};

use crate::server::SOON;

/// What the stand-in does about a request.
pub(crate) enum Answer {
    /// Replies with these fields, and the request's id.
    Reply(Value),
    /// Writes these lines as they are.
    Lines(Vec<Value>),
    /// Closes the connection without a reply.
    HangUp,
}

/// Whoever subscribed, on which connection, to which topics.
struct Subscriber {
    connection: usize,
    stream: UnixStream,
    topics: Value,
}

/// A listening stand-in.
pub(crate) struct StandIn {
    requests: Arc<Mutex<Vec<Value>>>,
    streams: Arc<Mutex<Vec<UnixStream>>>,
    /// Those that subscribed, and to what.
    subscribers: Arc<Mutex<Vec<Subscriber>>>,
    gone: Arc<AtomicBool>,
    home: Home,
}

impl StandIn {
    /// Listens; `answer` is asked about every request but `hello`.
    pub(crate) fn listen(
        home: &Path,
        answer: impl Fn(&Value) -> Answer + Send + Sync + 'static,
    ) -> StandIn {
        let home = Home::at(home);
        let listener = UnixListener::bind(home.socket()).expect("the socket is free");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let streams = Arc::new(Mutex::new(Vec::new()));
        let subscribers = Arc::new(Mutex::new(Vec::new()));
        let gone = Arc::new(AtomicBool::new(false));
        let stand_in = StandIn {
            requests: Arc::clone(&requests),
            streams: Arc::clone(&streams),
            subscribers: Arc::clone(&subscribers),
            gone: Arc::clone(&gone),
            home,
        };
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { return };
                if gone.load(Ordering::SeqCst) {
                    return;
                }
                streams
                    .lock()
                    .expect("unbroken")
                    .push(stream.try_clone().expect("a clone"));
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                let subscribers: Arc<Mutex<Vec<Subscriber>>> = Arc::clone(&subscribers);
                thread::spawn(move || {
                    converse(
                        (connection, stream),
                        &requests,
                        &subscribers,
                        answer.as_ref(),
                    );
                    let mut subscribers = subscribers.lock().expect("unbroken");
                    subscribers.retain(|subscriber| subscriber.connection != connection);
                });
            }
        });
        stand_in
    }

    /// All requests so far but `hello`.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.all()
            .into_iter()
            .filter(|request| request["type"] != "hello")
            .collect()
    }

    /// The latest `hello`.
    pub(crate) fn hello(&self) -> Value {
        let latest = self
            .all()
            .into_iter()
            .rfind(|request| request["type"] == "hello");
        latest.expect("a hello")
    }

    /// All requests so far. Empty as long as nobody has connected and spoken.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.requests.lock().expect("unbroken").clone()
    }

    /// Waits for a request of this type.
    pub(crate) fn wait_for(&self, kind: &str) -> Value {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(found) = self
                .all()
                .into_iter()
                .find(|request| request["type"] == kind)
            {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "no `{kind}` among {:?}",
                self.all()
            );
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until so many are subscribed.
    pub(crate) fn wait_for_subscribers(&self, count: usize) {
        let deadline = Instant::now() + SOON;
        while self.subscribers.lock().expect("unbroken").len() != count {
            assert!(Instant::now() < deadline, "not {count} are subscribed");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Says that something changed, to those who subscribed to its topic.
    pub(crate) fn push(&self, push: &Value) {
        for subscriber in self.subscribers.lock().expect("unbroken").iter_mut() {
            let topics = subscriber.topics.as_array();
            if topics.is_some_and(|topics| topics.contains(&push["push"])) {
                // It may be gone.
                let _ = subscriber.stream.write_all(format!("{push}\n").as_bytes());
            }
        }
    }

    /// Stops listening, closes all connections, and removes the socket.
    pub(crate) fn end(self) -> Vec<Value> {
        self.gone.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = UnixStream::connect(self.home.socket());
        std::fs::remove_file(self.home.socket()).expect("the socket was there");
        for stream in self.streams.lock().expect("unbroken").iter() {
            // The other side may have closed it already.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        self.asked()
    }
}

fn converse(
    (connection, stream): (usize, UnixStream),
    requests: &Mutex<Vec<Value>>,
    subscribers: &Mutex<Vec<Subscriber>>,
    answer: &dyn Fn(&Value) -> Answer,
) {
    let mut writer = stream.try_clone().expect("a clone");
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let request: Value = serde_json::from_str(&line).expect("a JSON line");
        requests.lock().expect("unbroken").push(request.clone());
        let answer = match request["type"].as_str() {
            Some("hello") => {
                Answer::Reply(json!({"protocol": 1, "build": "test", "pid": 1, "home": "/"}))
            }
            Some("subscribe") => {
                let mut subscribers = subscribers.lock().expect("unbroken");
                subscribers.retain(|subscriber| subscriber.connection != connection);
                subscribers.push(Subscriber {
                    connection,
                    stream: writer.try_clone().expect("a clone"),
                    topics: request["topics"].clone(),
                });
                Answer::Reply(json!({}))
            }
            _ => answer(&request),
        };
        let lines = match answer {
            Answer::Reply(mut reply) => {
                reply["id"] = request["id"].clone();
                if reply.get("ok").is_none() {
                    reply["ok"] = true.into();
                }
                vec![reply]
            }
            Answer::Lines(lines) => lines,
            Answer::HangUp => {
                // It may be closed already.
                let _ = writer.shutdown(std::net::Shutdown::Both);
                return;
            }
        };
        for line in lines {
            if writer.write_all(format!("{line}\n").as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// The reply to a lock request that is granted.
pub(crate) fn granted(outcome: &str) -> Value {
    json!({"outcome": outcome, "waited_ms": 0, "locks": [{"target": "/p/a.rs", "kind": "lock", "session": "3f2a91bc00",
        "project": "/p", "epoch": "17.3", "since": "2026-11-22T14:02:11+01:00", "until": "2026-11-22T14:32:11+01:00"}]})
}

/// The reply to a task request.
pub(crate) fn task(outcome: &str, title: &str) -> Value {
    json!({"outcome": outcome, "task": {"id": "1a2b3c4d5e6f70811a2b3c4d5e6f7081", "title": title, "priority": "normal",
        "project": "/p", "state": "ready", "attempt": 0, "created_at": "2026-11-22T14:02:11+01:00"}})
}
