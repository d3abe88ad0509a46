//! Ends that somebody, or the clock, asks for.

use std::fs;

use serde_json::json;

use crate::world::{World, eventually, runs};

#[test]
fn a_stopped_agent_leaves_nothing_alive_and_its_task_is_ready_again() {
    let world = World::new();
    let commands = "trap '' TERM\n(trap '' TERM; setsid sleep 600 & echo $! > grandchild; wait) &\nsleep 600 & echo $! > child\nwait; wait";
    let task = world.task("Endless", commands, &[]);
    let agent = world.spawn_with(&json!({"task": task}));
    let child: u64 = world.written("child").trim().parse().unwrap();
    let grandchild: u64 = world.written("grandchild").trim().parse().unwrap();
    let stopping = world.stop(&agent["id"]);
    assert_eq!(stopping["outcome"], "stopping");
    let stopped = world.until(&agent["id"], "stopped");
    assert!(
        stopped["reason"].as_str().unwrap().contains("by a person"),
        "{stopped}"
    );
    assert!(!runs(child) && !runs(grandchild));
    let task = world.task_now(&task);
    assert_eq!(
        (&task["state"], &task["session"]),
        (&json!("ready"), &json!(null)),
        "{task:#}"
    );
}

#[test]
fn a_queued_agent_leaves_the_queue() {
    let world = World::with(1);
    let busy = world.spawn("sleep 600");
    let queued = world.spawn("echo >> ran");
    assert_eq!(world.stop(&queued["id"])["outcome"], "stopped");
    world.stop(&busy["id"]);
    world.until(&busy["id"], "stopped");
    let after = world.spawn("echo after");
    world.until(&after["id"], "done");
    assert!(!world.file("ran").exists());
    assert_eq!(world.stop(&queued["id"])["outcome"], "already_ended");
}

#[test]
fn one_that_takes_too_long_fails_with_its_task() {
    let world = World::new();
    let task = world.task("Slow", "echo waiting; sleep 600", &[]);
    let agent = world.spawn_with(&json!({"task": task, "timeout_s": 1}));
    let failed = world.until(&agent["id"], "failed");
    assert_eq!(failed["reason"], "it took longer than 1 s");
    assert_eq!(failed["last_lines"], json!(["waiting"]));
    assert_eq!(world.task_now(&task)["state"], "failed");
}

#[test]
fn a_missing_program_is_parked_at_once() {
    let world = World::new();
    let agent = world.spawn_with(&json!({"agent": "missing", "prompt": "x"}));
    let parked = world.until(&agent["id"], "parked");
    assert!(
        parked["reason"]
            .as_str()
            .unwrap()
            .contains("/no/such/agent"),
        "{parked}"
    );
    eventually("no other run follows", || {
        world.agent(&agent["id"])["next"].is_null()
    });
    assert!(fs::metadata(world.home.join("agents")).unwrap().is_dir());
}
