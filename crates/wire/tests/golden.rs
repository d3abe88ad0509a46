//! Golden frames: what has once been said must be understood for ever, and is written in
//! `docs/protocol.md` word for word. Add files; never change one.
#![cfg(feature = "messages")]

use std::{collections::BTreeMap, fs, path::Path};

use kite_wire::{
    reply::{
        self, Done, Events, FileChangers, Locks, OneTask, Push, Sessions, Stats, Tasks, Welcome,
        agents, checkouts, vault,
    },
    request::{Request, TYPES},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The lines in a folder of `tests/golden`, by file name.
fn golden(folder: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(folder);
    let entries = fs::read_dir(path).expect("golden frames");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(path).expect("text"))
        })
        .collect()
}

#[test]
fn requests_are_understood_and_written_alike() {
    let golden = golden("requests");
    for name in TYPES {
        assert!(golden.contains_key(*name), "no golden frame of `{name}`");
    }
    for (file, line) in golden {
        let (envelope, request) =
            Request::parse(line.as_bytes()).unwrap_or_else(|e| panic!("{file}: {e:?}"));
        assert!(
            file.starts_with(request.name()),
            "{file} holds a `{}`",
            request.name()
        );
        let again = String::from_utf8(request.to_line(&envelope)).expect("text");
        assert_eq!(again, line, "{file}");
    }
}

#[test]
fn replies_are_understood_and_written_alike() {
    for (file, line) in golden("replies") {
        let value: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{file}: {e}"));
        let id = value.get("id").and_then(Value::as_u64);
        let again = match file.as_str() {
            "welcome" => again::<Welcome>(id, value),
            "sessions" => again::<Sessions>(id, value),
            "tasks" => again::<Tasks>(id, value),
            "locks" | "locks_listed" => again::<Locks>(id, value),
            "events" => again::<Events>(id, value),
            "stats" | "stats_worktrees" => again::<Stats>(id, value),
            "file_changers" => again::<FileChangers>(id, value),
            "done" => again::<Done>(id, value),
            "trust" => again::<reply::trust::Trust>(id, value),
            "project_tools" => again::<reply::project_tools::ProjectTools>(id, value),
            "tool_run" => again::<reply::project_tools::OneToolRun>(id, value),
            "fault" => reply::fault_line(id, &reply::read::<Done>(value).expect_err("a fault")),
            "agent_spawned" | "agent_stopped" => again::<agents::OneAgent>(id, value),
            "agents" => again::<agents::Agents>(id, value),
            "dispatched" => again::<reply::dispatches::OneDispatch>(id, value),
            "dispatches" => again::<reply::dispatches::Dispatches>(id, value),
            "worktrees" => again::<checkouts::Checkouts>(id, value),
            "worktree_removed" => again::<checkouts::CheckoutRemoved>(id, value),
            "vault_searched" => again::<vault::Answers>(id, value),
            "vault_written" => again::<vault::Written>(id, value),
            "vault_listed" => again::<vault::Notes>(id, value),
            "vault_shown" => again::<vault::NoteText>(id, value),
            "vault_reindexed" => again::<vault::Reindexed>(id, value),
            "vault_why" => again::<vault::Why>(id, value),
            "review_brief" => again::<reply::reviews::Brief>(id, value),
            "review_recorded" | "review_started" => again::<reply::reviews::OneReview>(id, value),
            _ if file.starts_with("task_") => again::<OneTask>(id, value),
            _ => panic!("{file}: of which type is it?"),
        };
        assert_eq!(String::from_utf8(again).expect("text"), line, "{file}");
    }
}

fn again<T: Serialize + DeserializeOwned>(id: Option<u64>, value: Value) -> Vec<u8> {
    let body: T = reply::read(value).expect("a reply of this type");
    reply::ok_line(id, &body)
}

#[test]
fn pushes_are_understood_and_written_alike() {
    for (file, line) in golden("pushes") {
        let push: Push = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(
            String::from_utf8(reply::push_line(&push)).expect("text"),
            line,
            "{file}"
        );
    }
}

#[test]
fn replies_of_a_newer_daemon_are_understood() {
    let newer = serde_json::json!({"ok": true, "tasks": [], "mood": "cheerful", "counts": {
        "blocked": 0, "ready": 0, "claimed": 0, "done": 0, "failed": 0, "cancelled": 0, "dreaming": 1}});
    assert_eq!(reply::read::<Tasks>(newer), Ok(Tasks::default()));
}

#[test]
fn the_protocol_is_documented_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let document = fs::read_to_string(path).expect("docs/protocol.md");
    for name in TYPES {
        assert!(
            document.contains(&format!("### `{name}`")),
            "no section on `{name}`"
        );
    }
    for (code, meaning) in reply::CODES {
        assert!(
            document.contains(&format!("| `{code}` | {meaning} |")),
            "no row on `{code}`"
        );
    }
    for folder in ["requests", "replies", "pushes"] {
        for (file, line) in golden(folder) {
            let is_there = document
                .lines()
                .any(|documented| documented == line.trim_end());
            assert!(
                is_there,
                "golden/{folder}/{file}.json is not in docs/protocol.md"
            );
        }
    }
}
