//! Kite starts a real agent: born into Kite, with no file of the project changed, its session known
//! before its first call, its hooks run once.

use kite_scenes::{
    model::{Call, Script, marker},
    stage::{SESSION_MAX, Scene, Stage, within},
};
use serde_json::{Value, json};

#[test]
fn an_agent_is_born_into_kite_where_nothing_is_wired() -> Scene {
    let Some(stage) = Stage::set(&[("README.md", "A shop.\n")])? else {
        return Ok(());
    };
    stage.kite(["daemon", "start"])?;
    does_its_task(&stage)
}

#[test]
fn its_hooks_run_once_where_the_project_is_wired_too() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("README.md", "A shop.\n")])? else {
        return Ok(());
    };
    does_its_task(&stage)
}

fn does_its_task(stage: &Stage) -> Scene {
    stage.let_agents_work("")?;
    let before = stage.project.status()?;
    let task = stage.create_task(&format!("Write the notes {}", marker("worker")))?;
    stage.model.learn(
        Script::new("worker")
            .call(Call::kite("kite_sessions", json!({})))
            .call(Call::write(&stage.project.file("notes.md"), "Noted.\n"))
            .call(Call::bash(
                "git add notes.md && git commit -q -m 'notes: begin'",
            ))
            .call(Call::kite(
                "kite_task_complete",
                json!({"task": task, "attempt": 1, "result": "The notes are written."}),
            ))
            .say("All is done."),
    );
    let spawned = stage.kite_json(&["spawn", "--task", &task, "--worktree", "none"])?;
    let agent = spawned["agent"]["id"]
        .as_str()
        .ok_or("no agent")?
        .to_owned();
    let session = spawned["agent"]["session"]
        .as_str()
        .ok_or("no session")?
        .to_owned();
    within(SESSION_MAX, "it has ended", || {
        Ok(stage.kite_json(&["agents", "--all"])?["agents"][0]["ended_at"].is_string())
    })?;
    let ended = stage.kite_json(&["agents", "--all"])?["agents"][0].clone();
    assert_eq!(
        (&ended["id"], &ended["state"]),
        (&json!(agent), &json!("done")),
        "{ended:#}"
    );
    assert_eq!(ended["result"], "All is done.");
    assert!(ended["turns"].as_u64() >= Some(5), "{ended:#}");

    let results = stage.model.results("worker");
    assert!(
        results.iter().all(|result| !result.is_error),
        "{results:#?}"
    );
    assert!(results[0].text.contains(&session[..8]), "{:#?}", results[0]);
    let done = stage.task(&task)?;
    assert_eq!(
        (&done["state"], &done["result"]),
        (&json!("done"), &json!("The notes are written."))
    );
    assert_eq!(
        stage.project.git(&["log", "-1", "--format=%s"])?.trim(),
        "notes: begin"
    );
    assert_eq!(
        stage.project.status()?,
        before,
        "the birth has left something"
    );

    let query = json!({"type": "query", "target": "events", "session": session, "limit": 1000});
    let hooks = stage.ask(&query)?;
    let hooks = hooks["events"].as_array().cloned().unwrap_or_default();
    let count = |event: &str, tool: &str| {
        let is_it = |hook: &&Value| {
            hook["kind"] == "hook"
                && hook["what"] == event
                && (tool.is_empty() || hook["tool"] == tool)
        };
        hooks.iter().filter(is_it).count()
    };
    for (event, tool) in [
        ("SessionStart", ""),
        ("PreToolUse", "Write"),
        ("PostToolUse", "Write"),
        ("PreToolUse", "Bash"),
    ] {
        assert_eq!(count(event, tool), 1, "{event} {tool}: {hooks:#?}");
    }
    let live = stage.sessions()?;
    assert!(
        live.iter().all(|other| other["id"] != json!(session)),
        "{live:#?}"
    );
    stage.check_model()
}
