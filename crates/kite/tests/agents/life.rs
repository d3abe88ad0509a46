//! An agent from its birth to its end.

use std::fs;

use serde_json::json;

use crate::world::{World, eventually};

#[test]
fn a_prompt_is_done_and_its_last_words_are_the_result() {
    let world = World::new();
    let agent = world.spawn("echo all is well");
    let ended = world.until(&agent["id"], "done");
    assert_eq!(ended["result"], "all is well");
    assert_eq!(ended["exit_code"], 0);
    let sessions = world.ask(&json!({"type": "query", "target": "sessions"}));
    let mut all = sessions["sessions"].as_array().unwrap().iter();
    assert!(
        all.all(|session| session["client"] != "script"),
        "{sessions:#}"
    );
}

#[test]
fn its_session_is_known_before_its_first_call_and_is_its_own() {
    let world = World::new();
    let agent = world.spawn(r#""$kite" sessions --json > seen.part; echo >> seen.part; mv seen.part seen; wait_for wait"#);
    let seen: serde_json::Value = serde_json::from_str(&world.written("seen")).unwrap();
    let mine = agent["session"].as_str().unwrap();
    assert_eq!(seen["you"], mine, "{seen:#}");
    let of_agents = seen["sessions"].as_array().unwrap().iter();
    assert_eq!(
        of_agents
            .filter(|session| session["client"] == "script")
            .count(),
        1
    );
    world.open("wait");
    world.until(&agent["id"], "done");
}

#[test]
fn a_task_is_claimed_for_it_and_completed_with_its_result() {
    let world = World::new();
    let task = world.task("Write the lexer", "echo tokens are in lex.rs", &[]);
    let agent = world.spawn_with(&json!({"task": task}));
    world.until(&agent["id"], "done");
    let task = world.task_now(&task);
    assert_eq!(task["state"], "done", "{task:#}");
    assert_eq!(task["result"], "tokens are in lex.rs");
    assert_eq!(task["attempt"], 1);
}

#[test]
fn a_task_that_it_completed_itself_keeps_its_words() {
    let world = World::new();
    let commands = r#"task=$(printf '%s' "$prompt" | sed -n 's/.*with task \([0-9a-f]*\),.*/\1/p')
attempt=$(printf '%s' "$prompt" | sed -n 's/^ *attempt \([0-9]*\).*/\1/p;s/.*, attempt \([0-9]*\) .*/\1/p')
"$kite" task complete "$task" --attempt "$attempt" --result "in my words"
echo said later"#;
    let task = world.task("Write the parser", commands, &[]);
    let agent = world.spawn_with(&json!({"task": task}));
    let ended = world.until(&agent["id"], "done");
    let task = world.task_now(&task);
    assert_eq!(
        (&task["state"], &task["result"]),
        (&json!("done"), &json!("in my words")),
        "{ended:#}"
    );
}

#[test]
fn an_agent_for_a_blocked_task_waits_and_is_told_the_results() {
    let world = World::new();
    let first = world.task("First", "wait_for gate; echo the key is under the mat", &[]);
    let second = world.task(
        "Second",
        r#"printf '%s\n' "$prompt" > told; echo done"#,
        &[&first],
    );
    let waits = world.spawn_with(&json!({"task": second}));
    assert_eq!(waits["state"], "queued");
    assert!(
        waits["reason"].as_str().unwrap().contains("depends on"),
        "{waits}"
    );
    let runs = world.spawn_with(&json!({"task": first}));
    world.until(&runs["id"], "running");
    world.open("gate");
    world.until(&waits["id"], "done");
    assert!(
        world
            .written("told")
            .contains("    the key is under the mat")
    );
    assert_eq!(world.task_now(&second)["state"], "done");
}

#[test]
fn nothing_of_the_project_is_changed_by_its_birth() {
    let world = World::new();
    let agent = world.spawn("git status --porcelain --ignored > ../status; echo >> ../status");
    world.until(&agent["id"], "done");
    assert_eq!(
        fs::read_to_string(world.project.join("../status")).unwrap(),
        "\n"
    );
    let run = world
        .home
        .join("agents")
        .join(agent["id"].as_str().unwrap());
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(world.home.join("agents")), 0o700);
    assert_eq!(mode(run.clone()), 0o700);
    for file in fs::read_dir(run).unwrap() {
        assert_eq!(mode(file.unwrap().path()), 0o600);
    }
}

#[test]
fn it_gets_what_is_allowed_of_the_environment_and_no_more() {
    let world = World::new();
    let agent = world.spawn("env | cut -d= -f1 | sort | tr '\\n' ' '");
    let ended = world.until(&agent["id"], "done");
    let names: Vec<&str> = ended["result"]
        .as_str()
        .unwrap()
        .split_whitespace()
        .collect();
    assert!(
        names.contains(&"KITE_AGENT") && names.contains(&"PATH"),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|name| name.starts_with("CARGO")),
        "{names:?}"
    );
}

#[test]
fn without_trust_nothing_is_started() {
    let world = World::new();
    let elsewhere = world.home.parent().unwrap().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let refused = world.ask(
        &json!({"type": "agent_spawn", "agent": "script", "prompt": "x", "project": elsewhere}),
    );
    assert_eq!(refused["error"]["code"], "not_trusted", "{refused}");
}

#[test]
fn a_repeated_request_starts_one_agent() {
    let world = World::new();
    let request = json!({"type": "agent_spawn", "agent": "script", "op_id": "once-and-only-once", "prompt": World::prompt("echo >> count")});
    let (first, again) = (world.ask(&request), world.ask(&request));
    assert_eq!(first["agent"]["id"], again["agent"]["id"]);
    world.until(&first["agent"]["id"], "done");
    eventually("it ran once", || World::lines(&world.file("count")) == 1);
}
