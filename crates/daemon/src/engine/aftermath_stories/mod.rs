//! Stories of what shell commands change: real files, real git, commands that really run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use kite_undo::{
    History, Settings,
    journal::{EntryKind, Filter, Record},
    restore::{Outcome, Selection, UndoOptions},
};
use serde_json::{Value, json};

use super::stage::{Agent, World, denied, hurried, said, story};

mod origins;
mod recorded;
mod telling;

/// What waits for the daemon waits at most so long.
const LIMIT: Duration = Duration::from_secs(20);
/// File times go in steps of up to 10 ms: so long between two things is long enough to tell them
/// apart.
const STEP: Duration = Duration::from_millis(30);

/// Two sessions in a repository. `a.txt` is changed by the first one and not committed, `b.txt` by
/// the second one; `person.txt` was changed by nobody of Kite's.
async fn both_have_work(world: &World) -> (Agent, Agent) {
    repository(world);
    world.write("person.txt", "by a person\n");
    let (a, b) = (world.agent("a"), world.agent("b"));
    for (agent, about) in [(&a, "Add OAuth login"), (&b, "Tidy up")] {
        let input = json!({"prompt": about});
        world.hook(agent, "UserPromptSubmit", input).await;
    }
    looked(world).await;
    world.edit(&a, "a.txt", "by a\n", "ta").await;
    world.edit(&b, "b.txt", "by b\n", "tb").await;
    (a, b)
}

fn repository(world: &World) {
    git(world, &["init", "-q", "-b", "main", "."]);
    for file in [
        "a.txt",
        "b.txt",
        "c.txt",
        "d.txt",
        "person.txt",
        "src/x.rs",
        "src/y.rs",
    ] {
        let path = PathBuf::from(world.file(file));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        world.write(file, &format!("{file} committed\n"));
    }
    world.write(".gitignore", "node_modules/\n");
    commit(world, "first");
}

fn commit(world: &World, message: &str) {
    git(world, &["add", "."]);
    git(world, &["commit", "-qm", message]);
}

fn git(world: &World, arguments: &[&str]) {
    let run = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@t"])
        .args(arguments)
        .current_dir(world.shop())
        .output()
        .unwrap();
    assert!(run.status.success(), "{arguments:?}: {run:?}");
}

/// Waits for all looks that are under way.
async fn looked(world: &World) {
    let deadline = Instant::now() + LIMIT;
    while world.engine.is_looking() {
        assert!(Instant::now() < deadline, "a look does not end");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn begin(world: &World, agent: &Agent, command: &str, call: &str) -> Value {
    let input =
        json!({"tool_name": "Bash", "tool_use_id": call, "tool_input": {"command": command}});
    world.hook(agent, "PreToolUse", input).await
}

async fn end(world: &World, agent: &Agent, command: &str, call: &str, event: &str) {
    let input = json!({"tool_name": "Bash", "tool_use_id": call,
        "tool_input": {"command": command}, "tool_response": {}});
    world.hook(agent, event, input).await;
    looked(world).await;
}

fn bash(world: &World, command: &str) -> bool {
    let run = Command::new("bash")
        .args(["-c", command])
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "user.name")
        .env("GIT_CONFIG_VALUE_0", "t")
        .env("GIT_CONFIG_KEY_1", "user.email")
        .env("GIT_CONFIG_VALUE_1", "t@t")
        .current_dir(world.shop())
        .output()
        .unwrap();
    run.status.success()
}

/// An agent's command, from before it to after it: what the agent was told before it ran.
async fn shell(world: &World, agent: &Agent, command: &str, call: &str) -> Option<String> {
    let before = begin(world, agent, command, call).await;
    assert_eq!(denied(&before), None, "{command}");
    let event = match bash(world, command) {
        true => "PostToolUse",
        false => "PostToolUseFailure",
    };
    end(world, agent, command, call, event).await;
    said(&before).map(str::to_owned)
}

/// What an agent is told at its next step.
async fn told(world: &World, agent: &Agent) -> Option<String> {
    let answer = begin(world, agent, "true", "t").await;
    said(&answer).map(str::to_owned)
}

fn history(world: &World) -> History {
    History::open(&world.home(), Path::new(&world.shop()), Settings::default()).unwrap()
}

fn entries(world: &World) -> Vec<Record> {
    history(world).list(&Filter::default()).unwrap()
}

/// The entry of this call.
fn entry_of(world: &World, call: &str) -> Option<Record> {
    let mut fitting = entries(world).into_iter().filter(|record| {
        matches!(&record.entry.kind, EntryKind::Edit { tool_use_id, .. } if tool_use_id.as_deref() == Some(call))
    });
    let entry = fitting.next();
    assert!(fitting.next().is_none(), "one call has one entry");
    entry
}

fn undo(world: &World, number: u64) -> Vec<(PathBuf, Outcome)> {
    let selection = Selection {
        number: Some(number),
        ..Selection::default()
    };
    let report = history(world)
        .undo(&selection, &UndoOptions::default())
        .unwrap();
    let paths = report.paths.into_iter();
    paths.map(|path| (path.path, path.outcome)).collect()
}

/// Every file of the working copy, with its content and its executable bit.
fn files(world: &World) -> Vec<(PathBuf, Vec<u8>, bool)> {
    fn walk(directory: &Path, into: &mut Vec<(PathBuf, Vec<u8>, bool)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().unwrap() != ".git" {
                    walk(&path, into);
                }
                continue;
            }
            use std::os::unix::fs::PermissionsExt;
            let executable = path.metadata().unwrap().permissions().mode() & 0o100 != 0;
            into.push((path.clone(), std::fs::read(&path).unwrap(), executable));
        }
    }
    let mut found = Vec::new();
    walk(Path::new(&world.shop()), &mut found);
    found.sort();
    found
}

fn changers(world: &World, file: &str) -> Vec<String> {
    let touches = world.engine.touches.borrow();
    let owners = touches.changers(&world.file(file));
    owners
        .iter()
        .map(|owner| format!("{:.8}", owner.session))
        .collect()
}

/// The first eight digits of an agent's session.
async fn id(world: &World, agent: &Agent) -> String {
    let sessions = world
        .ask(agent, json!({"type": "query", "target": "sessions"}))
        .await;
    let sessions = sessions["sessions"].as_array().unwrap();
    let own = sessions
        .iter()
        .find(|session| session["pid"] == agent.child.id())
        .unwrap_or_else(|| panic!("{sessions:?}"));
    own["id"].as_str().unwrap()[..8].to_owned()
}
