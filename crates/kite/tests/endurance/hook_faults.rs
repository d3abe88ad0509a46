//! Whatever happens to the daemon or comes over its input, the hook lets the agent go on.

use std::{
    fs,
    io::Write,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::world::{PATIENCE, Process, Session, World, eventually, figure};

/// Longest that a hook may take where the daemon does not answer: its own limit is 150 ms; test
/// machines are busy.
const UNANSWERED_MAX: Duration = Duration::from_millis(1_500);
/// How long it is stopped: longer than it takes to notice that.
const STOPPED_FOR: Duration = Duration::from_secs(2);
/// The longest that hooks stand aside, by their promise.
const STAND_ASIDE_MAX: Duration = Duration::from_secs(60);

fn faults(world: &World) -> Value {
    world.status()["stats"]["faults"].clone()
}

/// Another session locks the file for itself.
fn lock(world: &World, session: &Session, file: &str) {
    let lock = json!({"type": "lock", "paths": [file], "keep": true, "session_id": session.id});
    assert_eq!(world.ask(&lock)["ok"], true);
}

#[test]
fn an_absent_daemon_lets_the_agent_go_on_and_comes_back() {
    let mut world = World::installed();
    let (session, holder) = (world.session(), world.session());
    lock(&world, &holder, "a.rs");
    let daemon = world.daemon();
    daemon.signal(Signal::KILL);
    eventually("it is gone", || {
        fs::read_to_string(format!("/proc/{}/stat", daemon.0))
            .map_or(true, |stat| stat.contains(") Z "))
    });
    let hooked = world.before_edit(&session, "a.rs");
    assert!(hooked.lets_go_on(), "{hooked:?}");
    assert!(hooked.took < UNANSWERED_MAX, "{hooked:?}");
    let back = eventually("the next edits are guarded", || {
        !world.before_edit(&session, "a.rs").lets_go_on()
    });
    assert_ne!(world.daemon(), daemon);
    let counted = faults(&world);
    assert!(counted["unreachable"].as_u64().unwrap() >= 1, "{counted}");
    figure(format_args!(
        "hook without a daemon: let go in {} ms, guarded again after {} ms, counted: {counted}",
        hooked.took.as_millis(),
        back.as_millis(),
    ));
}

#[test]
fn a_stopped_daemon_lets_the_agent_go_on_and_guards_again_when_it_continues() {
    let mut world = World::installed();
    let (session, holder) = (world.session(), world.session());
    lock(&world, &holder, "a.rs");
    assert!(!world.before_edit(&session, "a.rs").lets_go_on());
    let daemon = world.daemon();
    daemon.signal(Signal::STOP);
    let continued = Continue(daemon);
    let mut slowest = Duration::ZERO;
    let mut told = 0;
    let began = Instant::now();
    while began.elapsed() < STOPPED_FOR {
        let hooked = world.before_edit(&session, "a.rs");
        assert!(hooked.lets_go_on(), "{hooked:?}");
        slowest = slowest.max(hooked.took);
        told +=
            usize::from(String::from_utf8_lossy(&hooked.output.stdout).contains("systemMessage"));
    }
    assert!(slowest < UNANSWERED_MAX, "{slowest:?}");
    assert_eq!(told, 1, "the person is told once");
    drop(continued);
    let began = Instant::now();
    while world.before_edit(&session, "a.rs").lets_go_on() {
        assert!(
            began.elapsed() < STAND_ASIDE_MAX,
            "they stand aside for too long"
        );
        thread::sleep(Duration::from_millis(50));
    }
    let counted = faults(&world);
    assert!(counted["timeouts"].as_u64().unwrap() >= 2, "{counted}");
    figure(format_args!(
        "hook of a stopped daemon: let go in at most {} ms, guarded again {} ms after it went on, counted: {counted}",
        slowest.as_millis(),
        began.elapsed().as_millis(),
    ));
}

/// Lets a stopped process go on when dropped, also where the test fails.
struct Continue(Process);

impl Drop for Continue {
    fn drop(&mut self) {
        self.0.signal(Signal::CONT);
    }
}

#[test]
fn whatever_the_hook_is_given_it_ends_with_zero() {
    let mut world = World::installed();
    let session = world.session();
    let daemon = world.daemon();
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8)
        .collect();
    let call = |content: &str| {
        json!({
            "session_id": session.id, "cwd": world.project, "hook_event_name": "PreToolUse",
            "tool_name": "Write", "tool_use_id": "toolu_1",
            "tool_input": {"file_path": world.project.join("big.rs"), "content": content},
        })
        .to_string()
    };
    let inputs: [(&str, Vec<u8>); 9] = [
        ("nothing", Vec::new()),
        ("binary", noise),
        (
            "30 MB of one write",
            call(&"x".repeat(30 << 20)).into_bytes(),
        ),
        ("30 MB of zeros", vec![0; 30 << 20]),
        ("over the limit", vec![b' '; (32 << 20) + 1]),
        ("an array", b"[1,2,3]".to_vec()),
        (
            "wrong types",
            br#"{"session_id":7,"tool_name":[],"tool_input":"x","cwd":{}}"#.to_vec(),
        ),
        (
            "deep",
            format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)).into_bytes(),
        ),
        ("half of it", call("x").into_bytes()[..40].to_vec()),
    ];
    for (what, input) in &inputs {
        for event in [
            "PreToolUse",
            "PostToolUse",
            "Stop",
            "NoSuchEvent",
            "--help",
            "\u{1b}[31m",
        ] {
            let hooked = world.hook_with(&session, event, input);
            assert!(hooked.lets_go_on(), "{what}, {event}: {hooked:?}");
            assert!(hooked.took < PATIENCE / 5, "{what}, {event}: {hooked:?}");
        }
    }
    assert_eq!(world.daemon(), daemon, "it is the same daemon");
    let counted = faults(&world);
    // Too much input is one; a busy machine may add time-outs, after which hooks stand aside.
    let faults = counted.as_object().unwrap().values();
    let faults: u64 = faults.filter_map(Value::as_u64).sum();
    assert!(faults >= 1, "too much input is counted: {counted}");
}

#[test]
fn a_killed_hook_leaves_nobody_waiting() {
    let mut world = World::installed();
    let (editor, other) = (world.session(), world.session());
    for _ in 0..10 {
        // Killed with half of its input sent, and with all of it.
        for whole in [false, true] {
            let mut hook = world.hook_command(&editor, "PreToolUse").spawn().unwrap();
            let mut stdin = hook.stdin.take().unwrap();
            let input = json!({
                "session_id": editor.id, "cwd": world.project, "hook_event_name": "PreToolUse",
                "tool_name": "Edit", "tool_use_id": "toolu_killed",
                "tool_input": {"file_path": world.project.join("a.rs")},
            });
            let text = input.to_string();
            let length = if whole { text.len() } else { text.len() / 2 };
            stdin.write_all(&text.as_bytes()[..length]).unwrap();
            if whole {
                drop(stdin);
            }
            hook.kill().unwrap();
            hook.wait().unwrap();
        }
    }
    // What the killed hook may have taken is over with its session's next step.
    let batch = json!({"tool_calls": []});
    assert!(world.hook(&editor, "PostToolBatch", &batch).lets_go_on());
    assert!(world.before_edit(&other, "a.rs").lets_go_on());
    let version = Command::new(world.home.join("bin/kite-hook"))
        .output()
        .unwrap();
    assert_eq!(version.status.code(), Some(0), "{version:?}");
}
