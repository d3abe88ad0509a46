//! Kite starts a real agent: born into Kite, with no file of the project changed, its session known
//! before its first call, its hooks run once.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use kite_scenes::{
    model::{Call, Script, marker},
    stage::{Fault, SESSION_MAX, Scene, Stage, within},
};
use serde_json::{Value, json};

const SOCKET_PATIENCE: Duration = Duration::from_secs(30);

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
    stage.configure(&format!(
        "[agents.claude]\nprogram = \"{}\"\nset = {{ ANTHROPIC_BASE_URL = \"{}\", ANTHROPIC_API_KEY = \"test\", \
         DISABLE_AUTOUPDATER = \"1\", DISABLE_TELEMETRY = \"1\", GIT_AUTHOR_NAME = \"A\", \
         GIT_AUTHOR_EMAIL = \"a@b\", GIT_COMMITTER_NAME = \"A\", GIT_COMMITTER_EMAIL = \"a@b\" }}\n",
        stage.claude().display(),
        stage.model.url()
    ))?;
    trust(stage)?;
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

    let hooks = ask(
        stage,
        &json!({"type": "query", "target": "events", "session": session, "limit": 1000}),
    )?;
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

/// What the person says at their terminal.
fn trust(stage: &Stage) -> Scene {
    let shown = ask(stage, &json!({"type": "trust_show"}))?;
    let trusted = ask(
        stage,
        &json!({"type": "trust_set", "fingerprint": shown["fingerprint"]}),
    )?;
    match trusted["ok"] == true {
        true => Ok(()),
        false => Err(trusted.to_string().into()),
    }
}

/// One question of the person's.
fn ask(stage: &Stage, request: &Value) -> Result<Value, Fault> {
    let stream = UnixStream::connect(stage.kite_home().join("kite.sock"))?;
    stream.set_read_timeout(Some(SOCKET_PATIENCE))?;
    let mut stream = BufReader::new(stream);
    let caller =
        json!({"client": "person", "pid": std::process::id(), "cwd": stage.project.path()});
    let hello = json!({"type": "hello", "id": 1, "protocol": [1, 1], "caller": caller});
    let mut request = request.clone();
    request["id"] = json!(2);
    let mut line = String::new();
    for question in [hello, request] {
        stream
            .get_mut()
            .write_all(format!("{question}\n").as_bytes())?;
        line.clear();
        stream.read_line(&mut line)?;
    }
    Ok(serde_json::from_str(&line)?)
}
