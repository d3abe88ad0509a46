//! Whatever comes over the socket, those who behave are served, and nothing grows.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    client::open,
    world::{PATIENCE, Raise, World, eventually, figure},
};

const MEBIBYTE: usize = 1 << 20;
/// Idle connections that are held open.
const IDLE: usize = 1_000;
/// Connections that send one byte a second.
const SLOW: usize = 20;
/// How long the slow ones go on.
const SLOW_FOR: Duration = Duration::from_secs(4);
/// Longest that a well-behaved request may take meanwhile. Generous: test machines are busy, and
/// the daemon is built without optimisation.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Most that the daemon's memory may have grown, in bytes.
const GROWTH_MAX: u64 = 160 << 20;

#[test]
fn hostile_clients_neither_stop_nor_swell_the_daemon() {
    let mut world = World::started();
    let session = world.session();
    let daemon = world.daemon();
    let before = daemon.resident_bytes();
    let over = AtomicBool::new(false);
    let answers = thread::scope(|scope| {
        let well_behaved = scope.spawn(|| behave(&world, &session.id, &over));
        let end = Raise(&over);
        let idle: Vec<UnixStream> = (0..IDLE).map(|_| connect(&world)).collect();
        let slow: Vec<_> = (0..SLOW)
            .map(|which| {
                scope.spawn({
                    let world = &world;
                    move || drip(world, which)
                })
            })
            .collect();
        for attack in ATTACKS {
            attack(&world);
        }
        for dripping in slow {
            dripping.join().unwrap();
        }
        drop(idle);
        drop(end);
        well_behaved.join().unwrap()
    });
    let slowest = *answers.iter().max().unwrap();
    eventually("the connections are gone", || {
        world.status()["stats"]["daemon"]["connections"]
            .as_u64()
            .unwrap()
            < 10
    });
    assert_eq!(world.daemon(), daemon, "it is the same daemon");
    let grown = daemon
        .resident_bytes()
        .zip(before)
        .map(|(now, before)| now.saturating_sub(before));
    figure(format_args!(
        "hostile input: {} well-behaved requests beside it, the slowest took {} ms; memory grew by {} MiB",
        answers.len(),
        slowest.as_millis(),
        grown.unwrap_or_default() >> 20,
    ));
    assert!(slowest < ANSWER_MAX, "{slowest:?}");
    assert!(grown.unwrap_or_default() < GROWTH_MAX, "{grown:?}");
}

/// Asks and locks until it is over. How long each answer took.
fn behave(world: &World, session: &str, over: &AtomicBool) -> Vec<Duration> {
    let mut took = Vec::new();
    while !over.load(Ordering::Relaxed) {
        for kind in ["lock", "unlock"] {
            let began = Instant::now();
            let reply = world.ask(&json!({"type": kind, "paths": ["a.rs"], "session_id": session}));
            took.push(began.elapsed());
            assert_eq!(reply["ok"], true, "{reply}");
        }
        thread::sleep(Duration::from_millis(5));
    }
    took
}

const ATTACKS: &[fn(&World)] = &[
    overlong_lines,
    binary,
    half_lines,
    broken_hook_frames,
    deep_json,
    duplicate_ids,
    half_closed,
    never_reading,
];

/// Sends what may be cut short by the daemon, and reads what it says.
fn say(world: &World, bytes: &[u8]) -> String {
    let mut stream = connect(world);
    // The daemon may have heard enough.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// The `code` of the only reply.
fn code(said: &str) -> String {
    let reply: Value = serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}"));
    reply["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn connect(world: &World) -> UnixStream {
    open(&world.socket()).unwrap()
}

fn overlong_lines(world: &World) {
    let mut stream = connect(world);
    let piece = vec![b'x'; MEBIBYTE];
    let _ = stream.write_all(b"{\"type\":\"");
    // The daemon forgets what comes, and closes when it has listened politely for a moment.
    let began = Instant::now();
    while stream.write_all(&piece).is_ok() {
        assert!(began.elapsed() < PATIENCE, "the daemon goes on reading");
    }
    let title = "x".repeat(2 * MEBIBYTE);
    let line = format!("{}\n", json!({"type": "task_create", "title": title}));
    assert_eq!(code(&say(world, line.as_bytes())), "too_long");
}

fn binary(world: &World) {
    let mut noise: Vec<u8> = (0..64 * 1024_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    noise[0] = b'{';
    say(world, &noise);
    noise[0] = 0;
    say(world, &noise);
    for line in [
        &b"\n"[..],
        b"\0\0\0\0\n",
        b"{\xff\xfe}\n",
        b"\xef\xbb\xbf{}\n",
        b"[]\n",
        b"null\n",
    ] {
        let said = say(world, line);
        assert!(
            said.contains("\"ok\":false") || said.is_empty(),
            "{line:?}: {said}"
        );
    }
}

fn half_lines(world: &World) {
    for part in [
        &b"{"[..],
        b"{\"type\":\"query\",",
        b"{\"type\":\"lock\",\"paths\":[\"a",
        b"h",
        b"hook\t1\t",
    ] {
        let mut stream = connect(world);
        stream.write_all(part).unwrap();
        drop(stream);
        say(world, part);
    }
}

fn broken_hook_frames(world: &World) {
    let frame =
        |length: &str, input: &str| format!("hook\t1\tPreToolUse\tclaude-code\t{length}\n{input}");
    for (length, input) in [
        ("-1", "{}"),
        ("99999999999999999999", "{}"),
        ("4294967295", "{}"),
        ("1e3", "{}"),
        ("", "{}"),
        ("abc", "{}"),
        ("10", "{}"),
        ("1", "{}"),
        ("0", ""),
        ("33554433", "{}"),
    ] {
        let said = say(world, frame(length, input).as_bytes());
        assert!(said.starts_with("done 0 "), "{length}: {said}");
    }
    for header in [
        "hook\t2\tx\ty\t0\n",
        "hook\n",
        "hook\t\t\t\t\t\t\n",
        "hook\t1\tx\ty\t0\t=\t=\t%\n",
    ] {
        let said = say(world, header.as_bytes());
        assert!(
            said.starts_with("done 0 ") || said.contains("\"ok\":false"),
            "{header}: {said}"
        );
    }
    let mut stream = connect(world);
    // Never completed, and left to the daemon's patience.
    stream.write_all(frame("33554432", "{").as_bytes()).unwrap();
    thread::scope(|scope| {
        let done = scope.spawn(|| {
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            said
        });
        eventually("it is given up", || done.is_finished());
        assert!(done.join().unwrap().starts_with("done 0 "));
    });
}

fn deep_json(world: &World) {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}{}\n", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(code(&say(world, deep.as_bytes())), "invalid_json");
        let hook = format!("hook\t1\tPreToolUse\tclaude-code\t{}\n{deep}", deep.len());
        assert!(say(world, hook.as_bytes()).starts_with("done 0 "));
    }
    let wide = format!(
        "{{\"type\":\"lock\",\"paths\":[{}\"a\"]}}\n",
        "\"a\",".repeat(100_000)
    );
    assert!(!code(&say(world, wide.as_bytes())).is_empty());
    let twice =
        b"{\"type\":\"query\",\"target\":\"stats\",\"target\":\"locks\",\"type\":\"nonsense\"}\n";
    assert_eq!(code(&say(world, twice)), "unknown_type");
}

fn duplicate_ids(world: &World) {
    let hello = json!({"type": "hello", "id": 7, "protocol": [1, 1]});
    let question = json!({"type": "query", "id": 7, "target": "locks"});
    let lines = format!("{hello}\n{question}\n{question}\n");
    let said = say(world, lines.as_bytes());
    assert_eq!(said.matches("\"id\":7").count(), 3, "{said}");
    for id in ["-1", "1.5", "18446744073709551616", "\"7\"", "null", "[7]"] {
        let line = format!("{{\"type\":\"query\",\"target\":\"locks\",\"id\":{id}}}\n");
        say(world, line.as_bytes());
    }
}

/// Who has said that no more will come is still answered, all of it.
fn half_closed(world: &World) {
    let hello = json!({"type": "hello", "protocol": [1, 1]});
    let lines: String = (0..500)
        .map(|id| {
            format!(
                "{}\n",
                json!({"type": "query", "id": id, "target": "stats"})
            )
        })
        .collect();
    let said = say(world, format!("{hello}\n{lines}").as_bytes());
    assert_eq!(said.lines().count(), 501);
}

/// Asks for much, and reads nothing of it.
fn never_reading(world: &World) {
    let mut stream = connect(world);
    stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut lines = format!("{}\n", json!({"type": "hello", "protocol": [1, 1]}));
    for id in 0..20_000 {
        lines.push_str(&format!(
            "{}\n",
            json!({"type": "query", "id": id, "target": "stats"})
        ));
    }
    assert!(
        stream.write_all(lines.as_bytes()).is_err(),
        "the daemon takes all of it"
    );
}

/// One byte a second, of a line or of a frame, until it has lasted long enough or is cut off.
fn drip(world: &World, which: usize) {
    let mut stream = connect(world);
    let text: &[u8] = match which % 2 {
        0 => b"{\"type\":\"query\",\"target\":\"sessions\"}\n",
        _ => b"hook\t1\tPreToolUse\tclaude-code\t2\n{}",
    };
    let began = Instant::now();
    for byte in text {
        if began.elapsed() > SLOW_FOR || stream.write_all(&[*byte]).is_err() {
            return;
        }
        thread::sleep(Duration::from_secs(1));
    }
}
