//! Who runs, who waits, and who is not started after all.

use std::fs;

use serde_json::json;

use crate::world::World;

#[test]
fn more_than_may_run_wait_in_order() {
    let world = World::with(1);
    let first = world.spawn("echo 1 >> order; sleep 600");
    world.written("order");
    let second = world.spawn("echo 2 >> order");
    let third = world.spawn("echo 3 >> order");
    assert_eq!(
        (&second["state"], &second["place"]),
        (&json!("queued"), &json!(1))
    );
    assert_eq!(
        (&third["state"], &third["place"]),
        (&json!("queued"), &json!(2))
    );
    assert!(
        second["reason"].as_str().unwrap().contains("max_agents"),
        "{second}"
    );
    world.stop(&first["id"]);
    world.until(&third["id"], "done");
    assert_eq!(
        fs::read_to_string(world.file("order")).unwrap(),
        "1\n2\n3\n"
    );
    assert_eq!(world.agent(&second["id"])["state"], "done");
}

#[test]
fn a_task_that_was_claimed_meanwhile_is_left_to_its_claimer() {
    let world = World::with(1);
    let busy = world.spawn("sleep 600");
    let task = world.task("Popular", "echo >> ran", &[]);
    let late = world.spawn_with(&json!({"task": task}));
    assert_eq!(late["state"], "queued");
    let claimed = world.ask(&json!({"type": "task_claim", "task": task}));
    assert_eq!(claimed["outcome"], "claimed", "{claimed}");
    world.stop(&busy["id"]);
    let late = world.until(&late["id"], "failed");
    assert!(
        late["reason"]
            .as_str()
            .unwrap()
            .contains("was claimed by session"),
        "{late}"
    );
    assert!(!world.file("ran").exists());
    assert_eq!(world.task_now(&task)["state"], "claimed");
}

#[test]
fn one_task_has_one_agent() {
    let world = World::new();
    let task = world.task("Only one", "sleep 600", &[]);
    let agent = world.spawn_with(&json!({"task": task}));
    world.until(&agent["id"], "running");
    let second = world.ask(&json!({"type": "agent_spawn", "agent": "script", "task": task}));
    assert_eq!(second["error"]["code"], "already_claimed", "{second}");
}

#[test]
fn generations_and_rights_are_limited() {
    let world = World::with(4);
    // What an agent asks, it asks in its own name: here the test does it for it.
    let child = world.spawn("sleep 600");
    world.until(&child["id"], "running");
    let as_agent =
        |id: &serde_json::Value| json!({"client": "script", "cwd": world.project, "agent": id});
    let sleep = World::prompt("sleep 600");
    let asked = json!({"type": "agent_spawn", "agent": "script", "prompt": sleep});
    let grandchild = world.ask_as(&asked, &as_agent(&child["id"]));
    assert_eq!(grandchild["ok"], true, "{grandchild}");
    assert_eq!(grandchild["agent"]["parent"], child["session"]);
    world.until(&grandchild["agent"]["id"], "running");
    let too_deep = world.ask_as(&asked, &as_agent(&grandchild["agent"]["id"]));
    assert_eq!(too_deep["error"]["code"], "limit_reached", "{too_deep}");
    let mut more = asked.clone();
    more["permission_mode"] = json!("bypassPermissions");
    let refused = world.ask_as(&more, &as_agent(&child["id"]));
    assert_eq!(refused["error"]["code"], "not_allowed", "{refused}");
}
