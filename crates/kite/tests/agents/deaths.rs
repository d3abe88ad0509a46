//! Agents, supervisors and daemons that die.

use serde_json::{Value, json};

use crate::world::{World, eventually, kill, runs};

/// The newest run of the line that this one began.
fn newest(world: &World, first: &Value) -> Value {
    let mut agent = world.agent(first);
    while !agent["next"].is_null() {
        agent = world.agent(&agent["next"]);
    }
    agent
}

#[test]
fn a_killed_agent_is_lost_and_another_run_does_its_task() {
    let world = World::new();
    let commands = "echo >> runs\n[ $(wc -l < runs) -gt 1 ] && { echo second try; exit 0; }\necho $$ > pid; sleep 600";
    let task = world.task("Fragile", commands, &[]);
    let agent = world.spawn_with(&json!({"task": task}));
    let pid: u64 = world.written("pid").trim().parse().unwrap();
    kill(pid);
    let lost = world.until(&agent["id"], "lost");
    assert_eq!(lost["reason"], "signal 9");
    let next = world.until(&lost["next"], "done");
    assert_eq!(next["previous"], agent["id"]);
    let task = world.task_now(&task);
    assert_eq!(
        (&task["state"], &task["attempt"], &task["result"]),
        (&json!("done"), &json!(2), &json!("second try"))
    );
}

#[test]
fn one_that_dies_young_three_times_is_parked_with_its_last_lines_also_across_restarts() {
    let world = World::new();
    let agent =
        world.spawn("echo >> runs; echo no such luck; wait_for gate$(wc -l < runs); exit 3");
    for run in 1..=3 {
        eventually("it runs", || World::lines(&world.file("runs")) == run);
        world.kill_daemon();
        world.open(&format!("gate{run}"));
        world.start();
    }
    eventually("it is parked", || {
        newest(&world, &agent["id"])["state"] == "parked"
    });
    let parked = newest(&world, &agent["id"]);
    let reason = parked["reason"].as_str().unwrap();
    assert!(
        reason.contains("3 times within 10 minutes") && reason.contains("exit code 3"),
        "{parked:#}"
    );
    assert_eq!(parked["last_lines"], json!(["no such luck"]));
    assert_eq!(World::lines(&world.file("runs")), 3);
}

#[test]
fn an_agent_outlives_its_daemon_and_is_adopted() {
    let world = World::new();
    let task = world.task(
        "Long",
        "echo begun > begun; wait_for gate; echo all done",
        &[],
    );
    let agent = world.spawn_with(&json!({"task": task}));
    world.written("begun");
    world.kill_daemon();
    world.start();
    let adopted = world.until(&agent["id"], "running");
    assert_eq!(
        (&adopted["session"], &adopted["pid"]),
        (&agent["session"], &agent["pid"])
    );
    assert_eq!(world.task_now(&task)["session"], agent["session"]);
    world.open("gate");
    world.until(&agent["id"], "done");
    assert_eq!(world.task_now(&task)["result"], "all done");
}

#[test]
fn an_end_that_no_daemon_saw_is_read_by_the_next() {
    let world = World::new();
    let task = world.task(
        "Unseen",
        "echo begun > begun; wait_for gate; echo nobody saw",
        &[],
    );
    let agent = world.spawn_with(&json!({"task": task}));
    world.written("begun");
    let supervisor = world.supervisor(&agent["id"]);
    world.kill_daemon();
    world.open("gate");
    eventually("it has ended", || !runs(supervisor));
    world.start();
    world.until(&agent["id"], "done");
    let task = world.task_now(&task);
    assert_eq!(
        (&task["state"], &task["result"], &task["attempt"]),
        (&json!("done"), &json!("nobody saw"), &json!(1))
    );
}

#[test]
fn a_killed_supervisor_leaves_no_process_and_its_task_goes_on() {
    let world = World::new();
    let commands = "echo >> runs\n[ $(wc -l < runs) -gt 1 ] && { echo again; exit 0; }\nsetsid sleep 600 & echo $! > stray; sleep 600";
    let task = world.task("Orphaned", commands, &[]);
    let agent = world.spawn_with(&json!({"task": task}));
    let stray: u64 = world.written("stray").trim().parse().unwrap();
    kill(world.supervisor(&agent["id"]));
    let lost = world.until(&agent["id"], "lost");
    assert!(
        lost["reason"]
            .as_str()
            .unwrap()
            .contains("its supervisor died"),
        "{lost}"
    );
    assert!(!runs(stray), "a process is left");
    world.until(&lost["next"], "done");
    assert_eq!(world.task_now(&task)["state"], "done");
}

#[test]
fn a_daemon_that_dies_with_agents_queued_goes_on_with_them() {
    let world = World::with(1);
    let first = world.spawn("echo $$ > pid; sleep 600");
    world.written("pid");
    let second = world.spawn("echo second");
    world.kill_daemon();
    world.start();
    assert_eq!(world.agent(&second["id"])["state"], "queued");
    world.stop(&first["id"]);
    world.until(&second["id"], "done");
}

#[test]
fn a_daemon_killed_while_agents_start_starts_each_once() {
    let world = World::with(4);
    for round in 0..4 {
        let task = world.task(
            &format!("Round {round}"),
            &format!("echo >> ran{round}; echo ok"),
            &[],
        );
        let request = json!({"type": "agent_spawn", "agent": "script", "task": task, "op_id": format!("round-{round}")});
        // The answer may never come: the daemon is killed at a moment of its own.
        thread_ask(&world, &request);
        std::thread::sleep(std::time::Duration::from_millis(40 * round));
        world.kill_daemon();
        world.start();
        let answer = world.ask(&request);
        assert_eq!(answer["ok"], true, "{answer}");
        eventually("it is done", || {
            newest(&world, &answer["agent"]["id"])["state"] == "done"
        });
        assert_eq!(
            World::lines(&world.file(&format!("ran{round}"))),
            1,
            "round {round}"
        );
        assert_eq!(world.task_now(&task)["state"], "done");
    }
}

/// Sends a request and does not wait for its answer.
fn thread_ask(world: &World, request: &Value) {
    use std::io::Write as _;
    let mut stream = std::os::unix::net::UnixStream::connect(world.home.join("kite.sock")).unwrap();
    let caller = json!({"client": "person", "cwd": world.project});
    let hello = json!({"type": "hello", "id": 1, "protocol": [1, 1], "caller": caller});
    let mut request = request.clone();
    request["id"] = json!(2);
    stream
        .write_all(format!("{hello}\n{request}\n").as_bytes())
        .unwrap();
    // It is kept open until the daemon is gone.
    std::mem::forget(stream);
}
