//! From the daemon's answer to whoever changed something, to the subscriber that hears of it. One
//! that hears of it before the answer is read counts as 0.

use std::{
    io::BufRead,
    net::TcpStream,
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use kite_wire::{client::Client as Daemon, request::TaskCreate};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, task::LocalSet};

use super::{
    client::{Client, PATIENCE, Pipe, Web},
    project, serve,
};
use crate::{bench::Kite, say};

/// What is subscribed to.
const RESOURCE: &str = "kite://tasks";
/// What a notification has in it, and nothing else that is said.
const UPDATED: &[u8] = b"notifications/resources/updated";
/// Between a notification and the next change. Kite gathers what changes within 100 ms, which is
/// not what is measured here.
const PAUSE: Duration = Duration::from_millis(150);
/// Changes for one subscriber, and for many.
const CHANGES_OF_ONE: usize = 200;
const CHANGES_OF_MANY: usize = 100;
const MANY: usize = 100;

/// Seconds from each change to each subscriber's notification of it.
type Measure = fn(&Kite) -> Option<Vec<f64>>;

pub(super) fn run(kite: &Kite) {
    let rows: [(&str, Measure); 3] = [
        ("1 subscriber by stdio", by_stdio),
        ("1 subscriber by HTTP", |kite| by_http(kite, 1)),
        ("100 subscribers by HTTP, one server", |kite| {
            by_http(kite, MANY)
        }),
    ];
    for (what, measure) in rows {
        match measure(kite) {
            Some(times) => report(what, times),
            None => say(&format!(
                "  a task's creation to its notification, {what}: not measured (a subscriber heard nothing)"
            )),
        }
    }
}

fn report(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied();
    let [p50, p99] = [50, 99].map(|part| at(part).unwrap_or(f64::NAN) * 1e3);
    let longest = times.last().copied().unwrap_or(f64::NAN) * 1e3;
    say(&format!(
        "  a task's creation to its notification, {what}: p50 {p50:.2} ms, p99 {p99:.2} ms, \
         longest {longest:.2} ms of {}; reach: p99 at most 50 ms",
        times.len()
    ));
}

fn by_stdio(kite: &Kite) -> Option<Vec<f64>> {
    let project = project(kite, "told-stdio")?;
    let mut server = Pipe::start(kite.command().arg("mcp").current_dir(&project))?;
    subscribe(&mut server)?;
    let mut output = server.listen()?;
    let (hears, heard) = channel();
    let reading = thread::spawn(move || {
        let mut line = Vec::new();
        while matches!(output.read_until(b'\n', &mut line), Ok(1..)) {
            if count(&line) > 0 && hears.send(Instant::now()).is_err() {
                return;
            }
            line.clear();
        }
    });
    let times = change(kite, &project, &heard, 1, CHANGES_OF_ONE);
    // Its death ends the reading.
    drop(server);
    reading.join().ok()?;
    times
}

fn by_http(kite: &Kite, subscribers: usize) -> Option<Vec<f64>> {
    let project = project(kite, &format!("told-http-{subscribers}"))?;
    let server = serve(kite, &project)?;
    let mut clients: Vec<Web> = (0..subscribers)
        .map(|_| server.client())
        .collect::<Option<_>>()?;
    let streams: Vec<TcpStream> = clients.iter().map(Web::listen).collect::<Option<_>>()?;
    let (hears, heard) = channel();
    let reading = thread::spawn(move || read(streams, &hears));
    for client in &mut clients {
        subscribe(client)?;
    }
    let changes = if subscribers == 1 {
        CHANGES_OF_ONE
    } else {
        CHANGES_OF_MANY
    };
    let times = change(kite, &project, &heard, subscribers, changes);
    drop(server);
    reading.join().ok()?;
    times
}

fn subscribe(client: &mut impl Client) -> Option<Value> {
    client.request("resources/subscribe", &json!({"uri": RESOURCE}))
}

/// Reads all streams until they end, and tells when it found a notification.
fn read(streams: Vec<TcpStream>, hears: &Sender<Instant>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    let local = LocalSet::new();
    for stream in streams {
        let hears = hears.clone();
        local.spawn_local(async move {
            stream.set_nonblocking(true).ok()?;
            let mut stream = tokio::net::TcpStream::from_std(stream).ok()?;
            let mut buffer = vec![0; 4_096];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                for _ in 0..count(&buffer[..length]) {
                    hears.send(Instant::now()).ok()?;
                }
            }
            Some(())
        });
    }
    runtime.block_on(local);
}

/// Notifications in what was read. Each is sent in one piece, far smaller than the buffer.
fn count(read: &[u8]) -> usize {
    let found = read.windows(UPDATED.len()).filter(|part| *part == UPDATED);
    found.count()
}

/// Creates tasks, and waits each time until all have heard of it. Seconds that each took.
fn change(
    kite: &Kite,
    project: &Path,
    heard: &Receiver<Instant>,
    subscribers: usize,
    changes: usize,
) -> Option<Vec<f64>> {
    let mut daemon = Daemon::connect(&kite.socket(), "bench", "0", None).ok()?;
    // The update that each is owed for subscribing.
    for _ in 0..subscribers {
        heard.recv_timeout(PATIENCE).ok()?;
    }
    let mut times = Vec::new();
    for number in 0..changes {
        thread::sleep(PAUSE);
        // Told twice, which is allowed, is no answer to the next.
        while heard.try_recv().is_ok() {}
        let task = TaskCreate {
            title: format!("change {number}"),
            project: Some(project.display().to_string()),
            ..TaskCreate::default()
        };
        daemon.ask::<Value>(task).ok()?;
        let answered = Instant::now();
        for _ in 0..subscribers {
            let told = heard.recv_timeout(PATIENCE).ok()?;
            times.push(told.saturating_duration_since(answered).as_secs_f64());
        }
    }
    Some(times)
}
