//! Codex, Gemini CLI and opencode for real: each calls Kite's tools, and its hooks hold.

use std::time::Duration;

use kite_scenes::{
    model::{Call, Script},
    stage::{Client, Scene, Stage, tell},
};
use serde_json::json;

/// These take seconds to start.
const CLIENT_MAX: Duration = Duration::from_secs(90);
const ROUNDS: usize = 4;

#[test]
fn each_client_calls_a_tool_and_is_a_session() -> Scene {
    let Some(stage) = Stage::set_with_clients(&[("notes.txt", "one\n")])? else {
        return Ok(());
    };
    for client in Client::ALL {
        let name = client.name();
        let title = format!("from {name}");
        let script =
            Script::new(name).call(client.kite("kite_task_create", json!({"title": title})));
        let session = stage.start_client(client, "Plan the work", script)?;
        let ending = session.finish(CLIENT_MAX)?;
        let results = stage.model.results(name);
        let created = results.iter().any(|r| r.text.contains("Task created"));
        assert!(created, "{name}: {results:?}, {ending:?}");
    }
    let tasks = stage.kite_json(&["task", "list"])?;
    for client in Client::ALL {
        let title = format!("from {}", client.name());
        let all = tasks["tasks"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(
            all.iter().any(|task| task["title"] == title.as_str()),
            "{tasks}"
        );
    }
    let sessions = stage.kite_json(&["sessions", "--all"])?;
    for client in Client::ALL {
        let all = sessions["sessions"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let of_client = all.iter().filter(|s| s["client"] == client.name()).count();
        assert_eq!(of_client, 1, "{}: {sessions}", client.name());
    }
    stage.check_model()
}

/// All three close lines of one file at the same moments, with their own tools.
#[test]
fn racing_edits_of_three_clients_all_survive() -> Scene {
    let line =
        |client: Client, round: usize, state: &str| format!("{} {round}: {state}", client.name());
    let rows = (0..ROUNDS).flat_map(|round| Client::ALL.map(|client| line(client, round, "open")));
    let text = rows.map(|row| row + "\n").collect::<String>();
    let Some(stage) = Stage::set_with_clients(&[("notes.txt", &text)])? else {
        return Ok(());
    };
    let file = stage.project.file("notes.txt");
    let mut sessions = Vec::new();
    for client in Client::ALL {
        let script = Script::new(client.name());
        let script = match client.read(&file) {
            Some(read) => script.call(read),
            None => script.call(Call::of("exec_command", json!({"cmd": "cat notes.txt"}))),
        };
        let script = (0..ROUNDS).fold(script, |script, round| {
            let (open, closed) = (line(client, round, "open"), line(client, round, "closed"));
            script
                .meet(&format!("round {round}"), Client::ALL.len())
                .call(client.edit(&file, &open, &closed))
        });
        sessions.push(stage.start_client(client, "Close your lines", script)?);
    }
    for session in sessions {
        session.finish(CLIENT_MAX)?;
    }
    stage.check_model()?;
    let kept = stage.project.read("notes.txt")?.matches(": closed").count();
    tell(&format!(
        "racing edits of three clients: {kept} of {} kept",
        3 * ROUNDS
    ));
    for client in Client::ALL {
        let results = stage.model.results(client.name());
        let refused: Vec<_> = results.iter().filter(|r| r.is_error).collect();
        assert!(refused.is_empty(), "{}: {refused:?}", client.name());
    }
    assert_eq!(kept, 3 * ROUNDS, "{:?}", said(&stage));
    Ok(())
}

#[test]
fn a_locked_file_is_refused_to_each_client() -> Scene {
    let Some(stage) = Stage::set_with_clients(&[("notes.txt", "one\n")])? else {
        return Ok(());
    };
    let file = stage.project.file("notes.txt");
    stage.kite(["lock", "acquire", "notes.txt", "--reason", "the release"])?;
    for client in Client::ALL {
        let name = client.name();
        let script = Script::new(name);
        let script = match client.read(&file) {
            Some(read) => script.call(read),
            None => script,
        };
        let script = script.call(client.edit(&file, "one", "two"));
        let session = stage.start_client(client, "Change the notes", script)?;
        session.finish(CLIENT_MAX)?;
        let results = stage.model.results(name);
        let last = results.last().map_or("", |result| result.text.as_str());
        assert!(last.contains("the release"), "{name}: {results:?}");
        assert_eq!(stage.project.read("notes.txt")?, "one\n", "{name}");
    }
    stage.check_model()
}

/// What each client's tools said, for a scene that failed.
fn said(stage: &Stage) -> Vec<(&'static str, Vec<String>)> {
    let results = |client: Client| stage.model.results(client.name()).into_iter();
    let texts = |client: Client| (client.name(), results(client).map(|r| r.text).collect());
    Client::ALL.map(texts).to_vec()
}
